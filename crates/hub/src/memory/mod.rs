//! The hub's tables, one file per noun.
//!
//! They deliberately have no column for a uid, a contract, a session, a CDR or a place of a session.

pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod evses;
pub(crate) mod index;
pub(crate) mod losses;
pub(crate) mod orders;
pub(crate) mod parties;
pub(crate) mod public;
pub(crate) mod thrift;
pub(crate) mod volumes;

use charge::id::PartyId;
use store::{Migration, StoreError};

/// The hub's family of tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        family: "hub",
        number: 1,
        name: "parties, index, return addresses, public objects, volumes",
        sql: "
CREATE TABLE hub_party (
    party TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('operator', 'provider')),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    last_seen INTEGER,
    PRIMARY KEY (party, role)
);
CREATE TABLE hub_token (
    tag BLOB NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    valid INTEGER NOT NULL
);
CREATE TABLE hub_conflict (
    party TEXT NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (party, day)
);
CREATE TABLE hub_order (
    hub_order TEXT NOT NULL PRIMARY KEY,
    giver TEXT NOT NULL,
    receiver TEXT NOT NULL,
    return_to TEXT NOT NULL,
    expires INTEGER NOT NULL
);
CREATE INDEX hub_order_expires ON hub_order (expires);
CREATE TABLE hub_public (
    kind TEXT NOT NULL CHECK (kind IN ('location', 'tariff')),
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (kind, owner, id)
);
CREATE INDEX hub_public_changed ON hub_public (kind, changed, owner, id);
CREATE TABLE hub_volume (
    hour INTEGER NOT NULL,
    sender TEXT NOT NULL,
    receiver TEXT NOT NULL,
    errand TEXT NOT NULL,
    letters INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    silent INTEGER NOT NULL,
    unreachable INTEGER NOT NULL,
    PRIMARY KEY (hour, sender, receiver, errand)
);",
    },
    Migration {
        family: "hub",
        number: 2,
        name: "what is lost between protocols",
        sql: "
CREATE TABLE hub_loss (
    sender TEXT NOT NULL,
    receiver TEXT NOT NULL,
    errand TEXT NOT NULL,
    what TEXT NOT NULL,
    count INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (sender, receiver, errand, what)
);",
    },
    Migration {
        family: "hub",
        number: 3,
        name: "what people did",
        sql: "
CREATE TABLE hub_audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
);",
    },
    Migration { family: "hub", number: 4, name: "switches of thrift, learned tags", sql: thrift::TABLES },
    Migration {
        family: "hub",
        number: 5,
        name: "how many objects an owner has here, and an object by its id alone",
        sql: "
CREATE TABLE hub_holding (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, owner)
);
INSERT INTO hub_holding (kind, owner, count) SELECT kind, owner, COUNT(*) FROM hub_public GROUP BY kind, owner;
CREATE INDEX hub_public_id ON hub_public (kind, id);",
    },
    Migration {
        family: "hub",
        number: 6,
        name: "what was lost, for its receiver",
        sql: "CREATE INDEX hub_loss_receiver ON hub_loss (receiver);",
    },
    Migration {
        family: "hub",
        number: 7,
        name: "who may see a private location is kept as marks alone",
        sql: r#"
UPDATE hub_public SET body = json_set(body, '$.publish_allowed_to', json('[{}]'))
    WHERE kind = 'location' AND body LIKE '%"publish_allowed_to"%' AND json_array_length(body, '$.publish_allowed_to') > 0;"#,
    },
    Migration {
        family: "hub",
        number: 8,
        name: "since when a party is in its state, and whether it can be reached",
        sql: clients::COLUMNS,
    },
    Migration {
        family: "hub",
        number: 9,
        name: "who sent something to a party",
        sql: "CREATE INDEX hub_volume_receiver ON hub_volume (receiver, errand, sender);",
    },
    Migration { family: "hub", number: 10, name: "the index of EVSEs", sql: evses::TABLES },
];

fn party(text: &str) -> Result<PartyId, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt("a column of parties holds no party".to_owned()))
}
