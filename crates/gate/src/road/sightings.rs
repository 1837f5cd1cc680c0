//! What was seen in partners' letters, counted: the material that habits are suggested from.
//!
//! In memory, bounded by the few forms that there are, and written from time to time, so that a restart costs a minute's
//! counts. Invariant: it has no place for anything that a letter says.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use charge::id::PartyId;
use charge::talk::partner::{Form, Seen};
use store::{Store, StoreError, Tx, values};

use super::limits::PARTIES_MAX;

#[derive(Debug, Default)]
pub(crate) struct Sightings(Mutex<BTreeMap<PartyId, BTreeMap<Seen, u64>>>);

impl Sightings {
    pub(crate) fn note(&self, party: PartyId, seen: Seen) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < PARTIES_MAX || all.contains_key(&party) {
            let count = all.entry(party).or_default().entry(seen).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn of(&self, party: PartyId) -> Vec<(Seen, u64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&party).into_iter().flatten().map(|(seen, count)| (*seen, *count)).collect()
    }

    /// The counts as they were written.
    pub(crate) fn read(tx: &Tx<'_>) -> Result<Self, StoreError> {
        let rows = tx.query(ALL, &[], |row| Ok((row.text(0)?, row.text(1)?, row.int(2)?)))?;
        let mut all: BTreeMap<PartyId, BTreeMap<Seen, u64>> = BTreeMap::new();
        for (party, word, count) in rows {
            let seen = WORDS.iter().find(|(_, each)| *each == word).map(|(seen, _)| *seen);
            if let (Ok(party), Some(seen), Ok(count)) = (party.parse(), seen, u64::try_from(count)) {
                all.entry(party).or_default().insert(seen, count);
            }
        }
        Ok(Self(Mutex::new(all)))
    }

    /// Writes the counts as they are.
    pub(crate) async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let run = store.run::<_, StoreError>("road.sightings", move |tx| {
            tx.execute("DELETE FROM road_sighting", &[])?;
            for (party, counts) in all {
                for (seen, count) in counts {
                    let word = WORDS.iter().find(|(each, _)| *each == seen).map_or("", |(_, word)| *word);
                    let count = i64::try_from(count).unwrap_or(i64::MAX);
                    tx.execute(PUT, &values![party.to_string(), word, count])?;
                }
            }
            Ok(())
        });
        run.await
    }

    pub(crate) fn forget(&self, party: PartyId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&party);
    }
}

pub(super) const TABLE: &str = "CREATE TABLE road_sighting (
          party TEXT NOT NULL,
          seen TEXT NOT NULL,
          count INTEGER NOT NULL,
          PRIMARY KEY (party, seen)
      ) STRICT;";
const ALL: &str = "SELECT party, seen, count FROM road_sighting";
const PUT: &str = "INSERT INTO road_sighting (party, seen, count) VALUES (?1, ?2, ?3)";
/// What can be seen, as it stands in rows.
const WORDS: [(Seen, &str); 9] = [
    (Seen::Time(Form::Seconds), "time/seconds"),
    (Seen::Time(Form::Fractions), "time/fractions"),
    (Seen::Time(Form::NoZone), "time/no zone"),
    (Seen::Id(Form::Separated), "id/separated"),
    (Seen::Id(Form::Plain), "id/plain"),
    (Seen::Hash(Form::Upper), "hash/upper"),
    (Seen::Hash(Form::Lower), "hash/lower"),
    (Seen::Token(Form::Raw), "token/raw"),
    (Seen::Token(Form::Base64), "token/base64"),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use store::Migration;

    use super::*;

    const MIGRATIONS: &[Migration] = &[Migration { family: "sighting", number: 1, name: "counts", sql: TABLE }];

    #[tokio::test]
    async fn counts_survive_and_go_on() {
        let store = Store::in_memory(MIGRATIONS).unwrap();
        let (one, other): (PartyId, PartyId) = ("DE-8AA".parse().unwrap(), "DE-OPA".parse().unwrap());
        let before = Sightings::default();
        for (seen, _) in WORDS {
            before.note(one, seen);
        }
        before.note(other, Seen::Token(Form::Raw));
        before.write(&store).await.unwrap();
        let after = store.read::<_, StoreError>("test", Sightings::read).await.unwrap();
        assert_eq!((after.of(one), after.of(other)), (before.of(one), before.of(other)));
        after.note(other, Seen::Token(Form::Raw));
        after.forget(one);
        after.write(&store).await.unwrap();
        let again = store.read::<_, StoreError>("test", Sightings::read).await.unwrap();
        assert_eq!((again.of(one), again.of(other)), (vec![], vec![(Seen::Token(Form::Raw), 2)]));
    }
}
