//! What was done about our registration at another platform, in the party's own database: by whom, when, and the step
//! that did not hold.
//!
//! It keeps the newest deeds only. Invariant: no row has a token in it; words come from steps, which show none.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::member::{Deed, DeedFault, DeedKind};
use store::{StoreError, Tx, values};

pub(super) const TABLE: &str = "CREATE TABLE road_deed (
          number INTEGER NOT NULL PRIMARY KEY,
          party TEXT NOT NULL,
          at INTEGER NOT NULL,
          actor TEXT,
          what TEXT NOT NULL,
          found TEXT,
          advice TEXT
      ) STRICT;
      CREATE INDEX road_deed_party ON road_deed (party, number);";

pub(super) fn put(tx: &mut Tx<'_>, party: PartyId, deed: Deed) -> Result<(), StoreError> {
    let (found, advice) = deed.fault.map_or((None, None), |fault| (Some(fault.found), fault.advice));
    let name = party.to_string();
    tx.execute(PUT, &values![name.clone(), deed.at.micros(), deed.by, deed.what.as_str(), found, advice])?;
    tx.execute(FORGET, &values![name, DEEDS_KEPT]).map(drop)
}

/// The newest first.
pub(super) fn of(tx: &Tx<'_>, party: PartyId) -> Result<Vec<Deed>, StoreError> {
    tx.query(ALL, &values![party.to_string()], |row| {
        let what = DeedKind::named(&row.text(2)?);
        let advice = row.text_opt(4)?;
        Ok(Deed {
            at: Timestamp::from_micros(row.int(0)?),
            by: row.text_opt(1)?,
            what: what.ok_or_else(|| StoreError::Corrupt("road: a deed of no kind".to_owned()))?,
            fault: row.text_opt(3)?.map(|found| DeedFault { found, advice }),
        })
    })
}

/// Years of monthly renewals, and a platform that refuses them for weeks.
const DEEDS_KEPT: i64 = 200;
const PUT: &str = "INSERT INTO road_deed (party, at, actor, what, found, advice) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const ALL: &str = "SELECT at, actor, what, found, advice FROM road_deed WHERE party = ?1 ORDER BY number DESC";
const FORGET: &str = "DELETE FROM road_deed WHERE party = ?1 AND number NOT IN
    (SELECT number FROM road_deed WHERE party = ?1 ORDER BY number DESC LIMIT ?2)";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use store::{Migration, Store};

    use super::*;

    const MIGRATIONS: &[Migration] = &[Migration { family: "deeds", number: 1, name: "deeds", sql: TABLE }];

    #[tokio::test]
    async fn the_newest_deeds_of_each_platform_are_kept() {
        let store = Store::in_memory(MIGRATIONS).unwrap();
        let (one, other): (PartyId, PartyId) = ("DE-HUB".parse().unwrap(), "NL-FAR".parse().unwrap());
        let deed = |secs| Deed { at: Timestamp::from_secs(secs), by: None, what: DeedKind::Renew, fault: None };
        let fault = DeedFault { found: "nobody answers".to_owned(), advice: Some("Ring them up.".to_owned()) };
        let last = Deed { by: Some("anna".to_owned()), what: DeedKind::Leave, fault: Some(fault), ..deed(999) };
        let (newest, theirs) = (last.clone(), deed(1));
        let run = store.run::<_, StoreError>("test", move |tx| {
            put(tx, other, theirs.clone())?;
            (0..DEEDS_KEPT).try_for_each(|at| put(tx, one, deed(at)))?;
            put(tx, one, last.clone())
        });
        run.await.unwrap();
        let found = store.read::<_, StoreError>("test", move |tx| Ok((of(tx, one)?, of(tx, other)?))).await.unwrap();
        assert_eq!(found.0.len(), usize::try_from(DEEDS_KEPT).unwrap());
        assert_eq!((&found.0[0], found.0.last().unwrap()), (&newest, &deed(1)), "the oldest made room");
        assert_eq!(found.1, [deed(1)], "and nobody else's");
    }
}
