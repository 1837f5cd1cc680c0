//! Notices: what has changed and is to be told by its newest state. Changing twice before it was told is telling once.
//!
//! The outbox keeps jobs that happen once each; a notice keeps a level. It is due at some time from the moment it is
//! put until that very state was acknowledged: a change while it is being told makes it due again.

use std::time::Duration;

use charge::Timestamp;
use charge::id::PartyId;
use store::{Migration, StoreError, Tx, values};

use crate::memory::named;

/// A notice is there for moments only: one tree and one index instead of a third.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator notices", number: 1, name: "notices in one tree", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_notices_in_one (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    changed INTEGER NOT NULL,
    due INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    why TEXT,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
INSERT INTO operator_notices_in_one (kind, name, changed, due, tries, why)
    SELECT kind, name, changed, due, tries, why FROM operator_notices;
DROP TABLE operator_notices;
ALTER TABLE operator_notices_in_one RENAME TO operator_notices;
CREATE INDEX operator_notices_due ON operator_notices (due);";

/// What can be told by its newest state. An EVSE's status is told so too, but from memory ([`crate::untold`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Location,
    Tariff,
    Session,
    /// Whose token is it? Asked again for a session that nobody has answered for.
    Ask,
    /// A booking whose provider does not know yet how it ended.
    Booking,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Location, Self::Tariff, Self::Session, Self::Ask, Self::Booking];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::Tariff => "tariff",
            Self::Session => "session",
            Self::Ask => "ask",
            Self::Booking => "booking",
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A notice taken to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub kind: Kind,
    pub name: String,
    /// The state that is told; another one later is another telling.
    pub changed: i64,
    pub tries: i64,
}

/// Something changed and is due from `due` on.
pub(crate) fn put(tx: &mut Tx<'_>, kind: Kind, name: &str, due: Timestamp) -> Result<(), StoreError> {
    tx.execute(PUT, &values![kind.as_str(), name, due]).map(drop)
}

/// Takes up to `limit` due notices, those due first, and hides them for `lease`.
pub(crate) fn lease(tx: &mut Tx<'_>, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Notice>, StoreError> {
    tx.query(LEASE, &values![now, limit, now.plus(lease)], |row| {
        Ok(Notice {
            kind: named(row, 0, "kind", Kind::named)?,
            name: row.text(1)?,
            changed: row.int(2)?,
            tries: row.int(3)?,
        })
    })
}

/// It was told (or can never be): gone, unless it has changed since.
pub(crate) fn done(tx: &mut Tx<'_>, notice: &Notice) -> Result<(), StoreError> {
    let key = values![notice.kind.as_str(), notice.name.as_str(), notice.changed];
    tx.execute(DONE, &key).map(drop)
}

/// It could not be told: again at `due`.
pub(crate) fn again(tx: &mut Tx<'_>, notice: &Notice, due: Timestamp, why: &str) -> Result<(), StoreError> {
    let key = values![notice.kind.as_str(), notice.name.as_str(), notice.changed, due, why];
    tx.execute(AGAIN, &key).map(drop)
}

/// Nobody holds a notice any more: all are due now, but for questions that nobody held, which have their own patience.
pub(crate) fn release(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(RELEASE, &values![now]).map(drop)
}

/// A partner answers again: what it could not be told of its sessions is due now.
pub(crate) fn hasten(tx: &mut Tx<'_>, party: PartyId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(HASTEN, &values![party.to_string(), now]).map(drop)
}

/// The hub answers again: the public objects that it could not be told are due now.
pub(crate) fn hasten_public(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(HASTEN_PUBLIC, &values![now]).map(drop)
}

// a question was held if it was leased since it was put
const RELEASE: &str = "UPDATE operator_notices SET due = ?1 WHERE due > ?1 AND (kind <> 'ask' OR tries > 0)";
const PUT: &str = "INSERT INTO operator_notices (kind, name, changed, due, tries) VALUES (?1, ?2, 1, ?3, 0)
    ON CONFLICT (kind, name) DO UPDATE SET changed = operator_notices.changed + 1, due = excluded.due, tries = 0";
const LEASE: &str = "UPDATE operator_notices SET due = ?3, tries = tries + 1, why = '' WHERE (kind, name) IN
    (SELECT kind, name FROM operator_notices WHERE due <= ?1 ORDER BY due LIMIT ?2)
    RETURNING kind, name, changed, tries";
const HASTEN: &str = "UPDATE operator_notices SET due = ?2 WHERE kind = 'session' AND due > ?2 AND why <> ''
    AND name IN (SELECT id FROM operator_sessions WHERE party = ?1)";
const HASTEN_PUBLIC: &str = "UPDATE operator_notices SET due = ?1
    WHERE kind IN ('location', 'tariff') AND due > ?1 AND why <> ''";
const DONE: &str = "DELETE FROM operator_notices WHERE kind = ?1 AND name = ?2 AND changed = ?3";
const AGAIN: &str = "UPDATE operator_notices SET due = ?4, why = ?5 WHERE kind = ?1 AND name = ?2 AND changed = ?3";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use store::Store;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);
    const LEASED: Duration = Duration::from_secs(60);

    async fn due(store: &Store, now: Timestamp) -> Vec<Notice> {
        store.run("lease", move |tx| lease(tx, now, LEASED, 10)).await.unwrap()
    }

    #[tokio::test]
    async fn a_change_while_telling_is_told_again_and_twice_before_it_once() {
        let store = Store::in_memory(crate::memory::MIGRATIONS).unwrap();
        for _ in 0..2 {
            store.run("put", |tx| put(tx, Kind::Session, "S1", NOW)).await.unwrap();
        }
        let first = due(&store, NOW).await;
        assert_eq!(first.len(), 1);
        assert!(due(&store, NOW).await.is_empty(), "leased");
        store.run("put", |tx| put(tx, Kind::Session, "S1", NOW)).await.unwrap();
        let told = first[0].clone();
        store.run("done", move |tx| done(tx, &told)).await.unwrap();
        let second = due(&store, NOW).await;
        assert_eq!(second.len(), 1, "changed while it was told");
        let told = second[0].clone();
        store.run("done", move |tx| done(tx, &told)).await.unwrap();
        assert!(due(&store, NOW.plus(LEASED)).await.is_empty());
    }

    #[tokio::test]
    async fn a_lost_worker_gives_the_notice_back() {
        let store = Store::in_memory(crate::memory::MIGRATIONS).unwrap();
        store.run("put", |tx| put(tx, Kind::Session, "S1", NOW)).await.unwrap();
        assert_eq!(due(&store, NOW).await[0].tries, 1);
        assert_eq!(due(&store, NOW.plus(LEASED)).await[0].tries, 2);
    }

    #[tokio::test]
    async fn after_a_restart_held_questions_are_due_and_others_keep_their_patience() {
        let store = Store::in_memory(crate::memory::MIGRATIONS).unwrap();
        let patient = NOW.plus(Duration::from_secs(3_600));
        store
            .run("put", move |tx| {
                put(tx, Kind::Ask, "held", NOW)?;
                put(tx, Kind::Ask, "patient", patient)
            })
            .await
            .unwrap();
        assert_eq!(due(&store, NOW).await[0].name, "held");
        store.run("release", |tx| release(tx, NOW)).await.unwrap();
        let names = |due: Vec<Notice>| due.into_iter().map(|notice| notice.name).collect::<Vec<_>>();
        assert_eq!(names(due(&store, NOW).await), ["held"], "at once, not when the lease ends");
        assert_eq!(names(due(&store, patient).await), ["held", "patient"]);
    }
}
