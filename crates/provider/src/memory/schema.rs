//! The provider's schema. Personal columns are sealed (`BLOB`) or keyed tags; what says where somebody was has a row
//! of its own that retention deletes or a column that it empties.

use store::Migration;

/// The provider's family of tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { family: "provider", number: 1, name: "drivers, cards, one-time ids, orders", sql: PEOPLE },
    Migration { family: "provider", number: 2, name: "places and tariffs", sql: PLACES },
    Migration { family: "provider", number: 3, name: "sessions, CDRs, disputes, invoices", sql: MONEY },
    Migration { family: "provider", number: 4, name: "what a line of a price is for", sql: LINES },
    Migration { family: "provider", number: 5, name: "what EVSEs can do", sql: CAPABILITIES },
    Migration { family: "provider", number: 6, name: "limits of sessions and what their stations plan", sql: LIMITS },
    Migration { family: "provider", number: 7, name: "bookings", sql: BOOKINGS },
    Migration { family: "provider", number: 8, name: "fees for bookings", sql: FEES },
];

/// Names of OCPI with blanks between; nothing of EVSEs that came before.
const CAPABILITIES: &str = "ALTER TABLE provider_evse ADD COLUMN capabilities TEXT NOT NULL DEFAULT '';";
/// A card by its number of ours, never its uid.
const BOOKINGS: &str = "
CREATE TABLE provider_booking (
    id TEXT NOT NULL PRIMARY KEY,
    driver TEXT NOT NULL,
    operator TEXT NOT NULL,
    location TEXT NOT NULL,
    booking_location TEXT NOT NULL,
    card TEXT NOT NULL,
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    status TEXT NOT NULL,
    cancel_reason TEXT,
    canceler TEXT,
    evse TEXT,
    booking TEXT,
    reference TEXT NOT NULL,
    change_until INTEGER NOT NULL,
    cancel_until INTEGER NOT NULL,
    early INTEGER NOT NULL,
    noshow INTEGER,
    message TEXT NOT NULL,
    given INTEGER NOT NULL,
    updated INTEGER NOT NULL
);
CREATE INDEX provider_booking_driver ON provider_booking (driver, starts);
CREATE INDEX provider_booking_booking ON provider_booking (operator, booking);
CREATE INDEX provider_booking_status ON provider_booking (status, updated);";
/// By the session's number alone: neither says who drives or where.
const LIMITS: &str = "
CREATE TABLE provider_limit (
    id TEXT NOT NULL PRIMARY KEY,
    session INTEGER NOT NULL,
    wish TEXT NOT NULL CHECK (wish IN ('most', 'free', 'look')),
    most_w INTEGER,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    given INTEGER NOT NULL,
    deadline INTEGER NOT NULL
);
CREATE INDEX provider_limit_session ON provider_limit (session, given);
CREATE INDEX provider_limit_state ON provider_limit (state, deadline);
CREATE TABLE provider_plan (
    session INTEGER NOT NULL PRIMARY KEY,
    calculated INTEGER NOT NULL,
    starts INTEGER,
    duration INTEGER,
    unit TEXT NOT NULL,
    periods TEXT NOT NULL
);";
/// Lines of before say it by their unit alone.
const LINES: &str = "ALTER TABLE provider_line ADD COLUMN dimension TEXT;";

const PEOPLE: &str = "
CREATE TABLE provider_driver (
    id TEXT NOT NULL PRIMARY KEY,
    name BLOB NOT NULL,
    email BLOB NOT NULL,
    contract_id BLOB NOT NULL,
    contract TEXT NOT NULL CHECK (contract IN ('good', 'suspended', 'ended')),
    valid_until INTEGER,
    credit_cap INTEGER,
    joined INTEGER NOT NULL
);
CREATE TABLE provider_card (
    id TEXT NOT NULL PRIMARY KEY,
    driver TEXT NOT NULL REFERENCES provider_driver (id),
    label TEXT NOT NULL,
    tag BLOB NOT NULL UNIQUE,
    uid BLOB NOT NULL,
    blocked INTEGER NOT NULL,
    version INTEGER NOT NULL,
    indexed INTEGER NOT NULL,
    changed INTEGER NOT NULL
);
CREATE INDEX provider_card_driver ON provider_card (driver);
CREATE TABLE provider_onetime (
    code TEXT NOT NULL PRIMARY KEY,
    driver TEXT NOT NULL REFERENCES provider_driver (id),
    state TEXT NOT NULL,
    operator TEXT NOT NULL,
    way TEXT NOT NULL CHECK (way IN ('tap', 'start')),
    reference TEXT NOT NULL UNIQUE,
    money_cap INTEGER,
    armed_at INTEGER NOT NULL,
    armed_until INTEGER NOT NULL,
    session INTEGER,
    tariff INTEGER,
    closed_at INTEGER
);
CREATE INDEX provider_onetime_armed ON provider_onetime (state, armed_until);
CREATE INDEX provider_onetime_driver ON provider_onetime (driver);
CREATE TABLE provider_order (
    id TEXT NOT NULL PRIMARY KEY,
    driver TEXT NOT NULL REFERENCES provider_driver (id),
    kind TEXT NOT NULL CHECK (kind IN ('start', 'stop')),
    state TEXT NOT NULL,
    operator TEXT NOT NULL,
    location TEXT NOT NULL,
    evse TEXT NOT NULL,
    code TEXT,
    session INTEGER,
    message TEXT NOT NULL,
    given INTEGER NOT NULL,
    deadline INTEGER NOT NULL
);
CREATE INDEX provider_order_state ON provider_order (state, deadline);
CREATE INDEX provider_order_code ON provider_order (code);
CREATE INDEX provider_order_driver ON provider_order (driver, given);
CREATE TABLE provider_learned (
    subject TEXT NOT NULL,
    role TEXT NOT NULL,
    party TEXT NOT NULL,
    field TEXT NOT NULL,
    PRIMARY KEY (subject, role, party, field)
);
CREATE TABLE provider_alarm (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    party TEXT NOT NULL,
    kind TEXT NOT NULL
);";

const PLACES: &str = "
CREATE TABLE provider_location (
    operator TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    address TEXT NOT NULL,
    city TEXT NOT NULL,
    postal_code TEXT,
    country TEXT NOT NULL,
    latitude_e7 INTEGER NOT NULL,
    longitude_e7 INTEGER NOT NULL,
    time_zone TEXT NOT NULL,
    operator_name TEXT,
    updated INTEGER NOT NULL,
    PRIMARY KEY (operator, id)
);
CREATE INDEX provider_location_position ON provider_location (latitude_e7, longitude_e7);
CREATE TABLE provider_evse (
    operator TEXT NOT NULL,
    location TEXT NOT NULL,
    uid TEXT NOT NULL,
    nth INTEGER NOT NULL,
    evse_id TEXT,
    status TEXT NOT NULL,
    reference TEXT,
    updated INTEGER NOT NULL,
    PRIMARY KEY (operator, location, uid)
);
CREATE TABLE provider_connector (
    operator TEXT NOT NULL,
    location TEXT NOT NULL,
    evse TEXT NOT NULL,
    id TEXT NOT NULL,
    nth INTEGER NOT NULL,
    plug TEXT NOT NULL,
    cable INTEGER NOT NULL,
    current TEXT NOT NULL CHECK (current IN ('ac1', 'ac3', 'dc')),
    voltage INTEGER NOT NULL,
    amperage INTEGER NOT NULL,
    power INTEGER NOT NULL,
    tariffs TEXT NOT NULL,
    PRIMARY KEY (operator, location, evse, id)
);
CREATE TABLE provider_tariff (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL CHECK (origin IN ('offer', 'cdr')),
    latest INTEGER NOT NULL,
    operator TEXT NOT NULL,
    id TEXT NOT NULL,
    currency TEXT NOT NULL,
    text TEXT,
    min_before TEXT,
    min_with TEXT,
    max_before TEXT,
    max_with TEXT,
    valid_from INTEGER,
    valid_until INTEGER,
    updated INTEGER NOT NULL
);
CREATE INDEX provider_tariff_id ON provider_tariff (operator, id, latest);
CREATE TABLE provider_tariff_element (
    tariff INTEGER NOT NULL REFERENCES provider_tariff (no),
    element INTEGER NOT NULL,
    start_minute INTEGER,
    end_minute INTEGER,
    start_date TEXT,
    end_date TEXT,
    min_energy INTEGER,
    max_energy INTEGER,
    min_power INTEGER,
    max_power INTEGER,
    min_duration INTEGER,
    max_duration INTEGER,
    days INTEGER NOT NULL,
    PRIMARY KEY (tariff, element)
);
CREATE TABLE provider_tariff_component (
    tariff INTEGER NOT NULL REFERENCES provider_tariff (no),
    element INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    price TEXT NOT NULL,
    vat TEXT,
    step INTEGER NOT NULL,
    PRIMARY KEY (tariff, element, nth)
);
CREATE TABLE provider_pull (
    kind TEXT NOT NULL PRIMARY KEY CHECK (kind IN ('locations', 'tariffs')),
    since INTEGER,
    due INTEGER NOT NULL
);
CREATE TABLE provider_meter_key (
    operator TEXT NOT NULL,
    evse TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (operator, evse)
);";

const FEES: &str = "ALTER TABLE provider_tariff ADD COLUMN expires_fee TEXT;
ALTER TABLE provider_tariff ADD COLUMN expires_vat TEXT;
ALTER TABLE provider_tariff ADD COLUMN cancel_fee TEXT;
ALTER TABLE provider_tariff ADD COLUMN cancel_vat TEXT;
ALTER TABLE provider_booking ADD COLUMN cancel_asked INTEGER;";

const MONEY: &str = "
CREATE TABLE provider_session (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    operator TEXT NOT NULL,
    id TEXT NOT NULL,
    driver TEXT NOT NULL REFERENCES provider_driver (id),
    subject TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    energy INTEGER NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    cost_before TEXT,
    cost_with TEXT,
    tariff INTEGER,
    location TEXT,
    evse TEXT,
    evse_id TEXT,
    place_name TEXT,
    address TEXT,
    city TEXT,
    updated INTEGER NOT NULL,
    stripped INTEGER NOT NULL DEFAULT 0,
    UNIQUE (operator, id)
);
CREATE INDEX provider_session_driver ON provider_session (driver, started);
CREATE INDEX provider_session_status ON provider_session (status, started);
CREATE TABLE provider_point (
    session INTEGER NOT NULL REFERENCES provider_session (no),
    at INTEGER NOT NULL,
    power INTEGER NOT NULL,
    energy INTEGER NOT NULL,
    PRIMARY KEY (session, at)
);
CREATE TABLE provider_line (
    session INTEGER NOT NULL REFERENCES provider_session (no),
    nth INTEGER NOT NULL,
    text TEXT NOT NULL,
    quantity TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (session, nth)
);
CREATE TABLE provider_cdr (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    operator TEXT NOT NULL,
    id TEXT NOT NULL,
    session INTEGER NOT NULL REFERENCES provider_session (no),
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    energy INTEGER NOT NULL,
    currency TEXT NOT NULL,
    total_before TEXT NOT NULL,
    total_with TEXT,
    credit_of TEXT,
    tariff INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    remark TEXT,
    received INTEGER NOT NULL,
    UNIQUE (operator, id)
);
CREATE INDEX provider_cdr_session ON provider_cdr (session);
CREATE TABLE provider_signed (
    cdr INTEGER NOT NULL REFERENCES provider_cdr (no),
    nth INTEGER NOT NULL,
    nature TEXT NOT NULL,
    format TEXT NOT NULL,
    bytes BLOB NOT NULL,
    public_key TEXT,
    PRIMARY KEY (cdr, nth)
);
CREATE TABLE provider_dispute (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    cdr INTEGER NOT NULL UNIQUE REFERENCES provider_cdr (no),
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'credit asked')),
    opened INTEGER NOT NULL,
    settled INTEGER,
    settled_by TEXT
);
CREATE TABLE provider_difference (
    dispute INTEGER NOT NULL REFERENCES provider_dispute (no),
    nth INTEGER NOT NULL,
    path TEXT NOT NULL,
    theirs TEXT NOT NULL,
    ours TEXT NOT NULL,
    PRIMARY KEY (dispute, nth)
);
CREATE TABLE provider_invoice (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    driver TEXT NOT NULL REFERENCES provider_driver (id),
    month TEXT NOT NULL,
    number INTEGER UNIQUE,
    seller TEXT,
    issued INTEGER
);
CREATE INDEX provider_invoice_driver ON provider_invoice (driver, month);
CREATE TABLE provider_invoice_line (
    cdr INTEGER NOT NULL REFERENCES provider_cdr (no),
    part INTEGER NOT NULL,
    invoice INTEGER NOT NULL REFERENCES provider_invoice (no),
    text TEXT NOT NULL,
    quantity TEXT NOT NULL,
    unit TEXT NOT NULL,
    net TEXT NOT NULL,
    vat TEXT NOT NULL,
    PRIMARY KEY (cdr, part)
);
CREATE INDEX provider_invoice_line_invoice ON provider_invoice_line (invoice);";
