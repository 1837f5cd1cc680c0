//! Who learned what per subject (a one-time id, or a session on a bare card), and alarms.

use charge::Timestamp;
use charge::id::PartyId;
use store::{StoreError, Tx, values};

use super::{corrupt, parsed};
use crate::learned::{Field, LearnedAs, Lesson};
use crate::service::Alarm;

pub(crate) fn add(tx: &mut Tx<'_>, subject: &str, lessons: &[Lesson]) -> Result<(), StoreError> {
    for Lesson { party, role, field } in lessons {
        tx.execute(ADD, &values![subject, role.words(), party.to_string(), field.words()])?;
    }
    Ok(())
}

pub(crate) fn of(tx: &Tx<'_>, subject: &str) -> Result<Vec<Lesson>, StoreError> {
    tx.query(OF, &values![subject], |row| {
        Ok(Lesson {
            role: LearnedAs::named(&row.text(0)?).ok_or_else(|| corrupt("provider_learned.role"))?,
            party: parsed(&row.text(1)?, "provider_learned.party")?,
            field: Field::named(&row.text(2)?).ok_or_else(|| corrupt("provider_learned.field"))?,
        })
    })
}

/// Forgets the subjects that have no one-time id and no session any more.
pub(crate) fn forget(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    tx.execute(FORGET, &[])
}

pub(crate) fn alarm(tx: &mut Tx<'_>, at: Timestamp, party: PartyId, kind: &str) -> Result<(), StoreError> {
    tx.execute(ALARM, &values![at, party.to_string(), kind]).map(drop)
}

pub(crate) fn alarms(tx: &Tx<'_>) -> Result<Vec<Alarm>, StoreError> {
    tx.query(ALARMS, &[], |row| {
        Ok(Alarm { at: row.time(0)?, party: parsed(&row.text(1)?, "provider_alarm.party")?, kind: row.text(2)? })
    })
}

const ADD: &str = "INSERT INTO provider_learned (subject, role, party, field) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (subject, role, party, field) DO NOTHING";
const OF: &str = "SELECT role, party, field FROM provider_learned WHERE subject = ?1";
const FORGET: &str = "DELETE FROM provider_learned WHERE subject NOT IN (SELECT code FROM provider_onetime)
    AND subject NOT IN (SELECT subject FROM provider_session WHERE stripped = 0)";
const ALARM: &str = "INSERT INTO provider_alarm (at, party, kind) VALUES (?1, ?2, ?3)";
const ALARMS: &str = "SELECT at, party, kind FROM provider_alarm ORDER BY no DESC LIMIT 500";
