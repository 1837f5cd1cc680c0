//! The operator's schema. Times are microseconds, energy milliwatt-hours, power milliwatts, prices decimal text.
//!
//! `*_sealed` columns hold personal data under the operator's seal; `tag` columns hold keyed tags. Both are emptied
//! by the retention duty. No other column may hold anything about a person.

use store::Migration;

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { family: "operator", number: 1, name: "places and stations", sql: PLACES },
    Migration { family: "operator", number: 2, name: "tariffs", sql: TARIFFS },
    Migration { family: "operator", number: 3, name: "sessions and CDRs", sql: SESSIONS },
    Migration { family: "operator", number: 4, name: "orders, notices and logs", sql: LOGS },
    super::messages::MIGRATION,
    super::messages::MARKED,
    super::alarm::MIGRATION,
    super::request::MIGRATION,
    super::news::MIGRATION,
    super::news::PARTS,
    super::model::MIGRATION,
    super::template::MIGRATION,
    super::whitelist::MIGRATION,
    super::reservation::MIGRATION,
    super::upload::MIGRATION,
    super::firmware::MIGRATION,
    super::certificate::MIGRATION,
    super::denial::MIGRATION,
    super::credit::MIGRATION,
    super::quirk::MIGRATION,
    super::quirk::EXAMPLES,
    super::habit::MIGRATION,
    super::place::CAPABILITIES,
    super::proxy::MIGRATION,
    super::profile::MIGRATION,
    super::needs::MIGRATION,
    super::notice::MIGRATION,
    super::curve::POINTS_IN_ONE,
    super::curve::TAILS,
    super::payment::MIGRATION,
    super::key::MIGRATION,
    super::permit::GROUPS,
    super::booking::MIGRATION,
    super::untold::MIGRATION,
    super::dynamic::MIGRATION,
    super::booking::FEES,
    Migration { family: "operator fees", number: 1, name: "fees for bookings", sql: FEES },
];

const PLACES: &str = "CREATE TABLE operator_locations (
    id TEXT PRIMARY KEY,
    name TEXT,
    address TEXT NOT NULL,
    city TEXT NOT NULL,
    postal_code TEXT,
    country TEXT NOT NULL,
    latitude_e7 INTEGER NOT NULL,
    longitude_e7 INTEGER NOT NULL,
    time_zone TEXT NOT NULL,
    operator_name TEXT,
    changed INTEGER NOT NULL
);
CREATE INDEX operator_locations_changed ON operator_locations (changed, id);
CREATE TABLE operator_stations (
    id TEXT PRIMARY KEY,
    folded TEXT NOT NULL UNIQUE,
    location TEXT NOT NULL REFERENCES operator_locations (id),
    serial TEXT,
    key_digest TEXT,
    danger_plain_ws INTEGER NOT NULL,
    enrolled INTEGER NOT NULL,
    retired INTEGER,
    vendor TEXT, model TEXT, boot_serial TEXT, firmware TEXT, meter_type TEXT, meter_serial TEXT,
    booted INTEGER,
    admission TEXT,
    warning TEXT,
    version TEXT,
    arrived INTEGER,
    left_at INTEGER,
    last_seen INTEGER,
    state TEXT,
    fault TEXT,
    peer TEXT,
    certificate_name TEXT,
    certificate_fingerprint TEXT,
    certificate_until INTEGER
);
CREATE TABLE operator_evses (
    uid TEXT PRIMARY KEY,
    location TEXT NOT NULL REFERENCES operator_locations (id),
    position INTEGER NOT NULL,
    evse_id TEXT,
    physical_reference TEXT,
    station TEXT REFERENCES operator_stations (id),
    no INTEGER,
    state TEXT,
    fault TEXT,
    state_at INTEGER,
    status TEXT NOT NULL,
    meter_key TEXT,
    meter_key_confirmed INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL,
    UNIQUE (station, no)
);
CREATE INDEX operator_evses_location ON operator_evses (location, position);
CREATE TABLE operator_connectors (
    evse TEXT NOT NULL REFERENCES operator_evses (uid),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    plug TEXT NOT NULL,
    attached_cable INTEGER NOT NULL,
    current TEXT NOT NULL,
    max_voltage_v INTEGER NOT NULL,
    max_amperage_a INTEGER NOT NULL,
    max_power INTEGER NOT NULL,
    tariffs TEXT NOT NULL,
    PRIMARY KEY (evse, position)
);
CREATE TABLE operator_settings (
    station TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT,
    read_only INTEGER NOT NULL,
    PRIMARY KEY (station, name)
);
CREATE TABLE operator_boots (
    id INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    at INTEGER NOT NULL,
    admission TEXT NOT NULL,
    firmware TEXT,
    reason TEXT
);
CREATE INDEX operator_boots_station ON operator_boots (station, at);";

const TARIFFS: &str = "CREATE TABLE operator_tariffs (
    version INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    is_current INTEGER NOT NULL,
    currency TEXT NOT NULL,
    text TEXT,
    min_net TEXT, min_gross TEXT, max_net TEXT, max_gross TEXT,
    valid_from INTEGER, valid_until INTEGER,
    changed INTEGER NOT NULL
);
CREATE INDEX operator_tariffs_id ON operator_tariffs (id, is_current);
CREATE TABLE operator_tariff_elements (
    version INTEGER NOT NULL REFERENCES operator_tariffs (version),
    position INTEGER NOT NULL,
    start_minute INTEGER, end_minute INTEGER,
    start_date TEXT, end_date TEXT,
    min_energy INTEGER, max_energy INTEGER,
    min_power INTEGER, max_power INTEGER,
    min_duration_s INTEGER, max_duration_s INTEGER,
    days INTEGER NOT NULL,
    PRIMARY KEY (version, position)
);
CREATE TABLE operator_tariff_components (
    version INTEGER NOT NULL,
    element INTEGER NOT NULL,
    position INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    price TEXT NOT NULL,
    vat_percent TEXT,
    step_size INTEGER NOT NULL,
    PRIMARY KEY (version, element, position)
);";

const SESSIONS: &str = "CREATE TABLE operator_permits (
    station TEXT NOT NULL,
    tag BLOB NOT NULL,
    token_sealed BLOB NOT NULL,
    party TEXT NOT NULL,
    reference TEXT,
    method TEXT NOT NULL,
    energy_cap INTEGER,
    money_cap INTEGER,
    money_currency TEXT,
    until INTEGER NOT NULL,
    PRIMARY KEY (station, tag)
);
CREATE TABLE operator_sessions (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    station TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT,
    evse_no INTEGER, evse TEXT, location TEXT, connector TEXT,
    state TEXT NOT NULL,
    allowed TEXT,
    start INTEGER NOT NULL,
    ended INTEGER,
    reason TEXT,
    begin_at INTEGER, begin_register INTEGER,
    latest_at INTEGER, latest_register INTEGER,
    power INTEGER,
    power_max INTEGER,
    seq INTEGER,
    token_sealed BLOB, asked_sealed BLOB, tag BLOB,
    party TEXT, reference TEXT, method TEXT,
    energy_cap INTEGER, money_cap INTEGER, money_currency TEXT,
    tariff INTEGER REFERENCES operator_tariffs (version),
    order_id TEXT,
    flags TEXT NOT NULL,
    told INTEGER,
    changed INTEGER NOT NULL,
    UNIQUE (station, name)
);
CREATE UNIQUE INDEX operator_sessions_content ON operator_sessions (station, content);
CREATE INDEX operator_sessions_open ON operator_sessions (station, ended);
CREATE INDEX operator_sessions_start ON operator_sessions (start);
CREATE TABLE operator_points (
    session TEXT NOT NULL,
    at INTEGER NOT NULL,
    register INTEGER,
    power INTEGER,
    charged_percent TEXT,
    flaw TEXT,
    PRIMARY KEY (session, at)
);
CREATE TABLE operator_records (
    session TEXT NOT NULL,
    position INTEGER NOT NULL,
    nature TEXT NOT NULL,
    format TEXT NOT NULL,
    bytes BLOB NOT NULL,
    public_key TEXT,
    PRIMARY KEY (session, position)
);
CREATE TABLE operator_orphans (
    id INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    name TEXT,
    at INTEGER NOT NULL,
    why TEXT NOT NULL,
    register INTEGER
);
CREATE TABLE operator_cdrs (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL UNIQUE,
    start INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    party TEXT NOT NULL,
    token_sealed BLOB,
    method TEXT NOT NULL,
    reference TEXT,
    location TEXT NOT NULL, location_name TEXT, address TEXT NOT NULL, city TEXT NOT NULL, postal_code TEXT,
    country TEXT NOT NULL, latitude_e7 INTEGER NOT NULL, longitude_e7 INTEGER NOT NULL,
    evse TEXT NOT NULL, evse_id TEXT NOT NULL, connector TEXT NOT NULL, plug TEXT NOT NULL,
    attached_cable INTEGER NOT NULL, current TEXT NOT NULL,
    meter TEXT,
    currency TEXT NOT NULL,
    tariff INTEGER NOT NULL REFERENCES operator_tariffs (version),
    energy INTEGER NOT NULL,
    total_time_h TEXT NOT NULL, parking_time_h TEXT NOT NULL,
    total_net TEXT NOT NULL, total_gross TEXT,
    energy_net TEXT, energy_gross TEXT,
    time_net TEXT, time_gross TEXT,
    parking_net TEXT, parking_gross TEXT,
    fixed_net TEXT, fixed_gross TEXT,
    remark TEXT,
    verdict TEXT NOT NULL,
    evidence BLOB,
    changed INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    why TEXT,
    delivered INTEGER
);
CREATE INDEX operator_cdrs_state ON operator_cdrs (state, changed);
CREATE INDEX operator_cdrs_evidence ON operator_cdrs (evidence);
CREATE TABLE operator_cdr_periods (
    cdr TEXT NOT NULL,
    position INTEGER NOT NULL,
    start INTEGER NOT NULL,
    energy INTEGER,
    charging INTEGER NOT NULL,
    max_power INTEGER,
    PRIMARY KEY (cdr, position)
);
CREATE TABLE operator_cdr_records (
    cdr TEXT NOT NULL,
    position INTEGER NOT NULL,
    nature TEXT NOT NULL,
    format TEXT NOT NULL,
    bytes BLOB NOT NULL,
    public_key TEXT,
    PRIMARY KEY (cdr, position)
);";

const FEES: &str = "ALTER TABLE operator_tariffs ADD COLUMN expires_fee TEXT;
ALTER TABLE operator_tariffs ADD COLUMN expires_vat TEXT;
ALTER TABLE operator_tariffs ADD COLUMN cancel_fee TEXT;
ALTER TABLE operator_tariffs ADD COLUMN cancel_vat TEXT;
ALTER TABLE operator_cdrs ADD COLUMN booking TEXT;";

const LOGS: &str = "CREATE TABLE operator_orders (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    giver TEXT NOT NULL,
    given_as TEXT NOT NULL,
    return_to TEXT,
    correlation TEXT NOT NULL,
    station TEXT,
    evse_no INTEGER,
    session TEXT,
    alias TEXT,
    remote_id INTEGER,
    token_sealed BLOB,
    reference TEXT,
    state TEXT NOT NULL,
    result TEXT,
    message TEXT,
    asked INTEGER NOT NULL,
    until INTEGER NOT NULL,
    UNIQUE (giver, given_as)
);
CREATE INDEX operator_orders_alias ON operator_orders (alias);
CREATE INDEX operator_orders_state ON operator_orders (state, until);
CREATE TABLE operator_notices (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    changed INTEGER NOT NULL,
    due INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    why TEXT,
    PRIMARY KEY (kind, name)
);
CREATE INDEX operator_notices_due ON operator_notices (due);
CREATE TABLE operator_messages (
    id INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    at INTEGER NOT NULL,
    from_station INTEGER NOT NULL,
    action TEXT NOT NULL,
    text TEXT NOT NULL,
    remarks TEXT NOT NULL
);
CREATE INDEX operator_messages_station ON operator_messages (station, id);
CREATE INDEX operator_messages_at ON operator_messages (at);
CREATE TABLE operator_refusals (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    identity TEXT NOT NULL,
    peer TEXT NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX operator_refusals_at ON operator_refusals (at);
CREATE TABLE operator_audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL
);";
