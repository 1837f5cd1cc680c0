//! What is done for stations with habits, beyond reading their messages: one that never booted is asked to, once; and
//! settings that a make does not know are neither asked for nor written by ourselves (handbook, quirks 12 and 13).
//!
//! A person may ask for anything at any time; what the station answers then counts.

use charge::id::StationId;
use charge::talk::line::{StationAnswer, ToStation, Trigger, Written};
use charge::{Timestamp, talk::line::LineFault};
use store::outbox::{self, Job};
use store::{StoreError, Tx};

use super::Operator;
use super::chore::CHORE;
use crate::drift::Template;
use crate::memory::{habit, log, quirk, station};

impl Operator {
    /// Stations that are connected for a while and never said what they are: each is asked to boot, once in the life
    /// of this program.
    pub(super) async fn mind_unbooted(&self, now: Timestamp) -> Result<(), StoreError> {
        let silent = self.0.presences().take_unbooted(now);
        if silent.is_empty() {
            return Ok(());
        }
        let asked = self
            .run("operator.unbooted", move |_, tx| {
                let mut asked = 0;
                for name in silent {
                    if !station::has_booted(tx, &name)? {
                        let key = format!("boot/{}/{name}", now.micros());
                        asked += usize::from(outbox::put(tx, CHORE, &key, now, &[])?);
                    }
                }
                Ok::<_, StoreError>(asked)
            })
            .await?;
        if asked > 0 {
            self.0.wake();
        }
        Ok(())
    }

    /// Asks a station to boot. Whatever comes of it, it is not asked again: some do not know the question.
    pub(super) async fn ask_boot(&self, of: &StationId, job: &Job) -> Result<(), StoreError> {
        let told = self.tell(of, ToStation::Trigger { what: Trigger::Boot, evse: None }).await;
        let word = match told {
            Ok(StationAnswer::Refused(word)) => word.to_string(),
            Ok(_) => "accepted".to_owned(),
            Err(fault) => fault.to_string(),
        };
        let (name, done, now) = (of.clone(), job.id, self.0.now());
        self.run("operator.unbooted.asked", move |_, tx| {
            log::audit(tx, now, "no boot", "trigger", name.as_str(), &word)?;
            outbox::done(tx, done).map(drop)
        })
        .await
    }
}

/// Learns from an answer which settings the station's make does not know.
pub(super) fn learn(
    tx: &mut Tx<'_>,
    of: &StationId,
    answer: &Result<StationAnswer, LineFault>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match answer {
        Ok(StationAnswer::Settings { known, unknown }) => {
            let make = quirk::make(tx, of)?;
            let known = known.iter().map(|setting| &*setting.key);
            habit::learn(tx, &make, unknown.iter().map(|key| &**key), known, now)
        }
        Ok(StationAnswer::Written(written)) => {
            let make = quirk::make(tx, of)?;
            let of = |unknown: bool| {
                let fits = move |(_, became): &&(Box<str>, Written)| (*became == Written::Unknown) == unknown;
                written.iter().filter(fits).map(|(key, _)| &**key)
            };
            habit::learn(tx, &make, of(true), of(false), now)
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Takes out of what is wanted whatever the station's make says it does not know.
pub(super) fn without_refused(tx: &Tx<'_>, of: &StationId, wanted: Vec<Template>) -> Result<Vec<Template>, StoreError> {
    let refused = habit::refused_by(tx, &quirk::make(tx, of)?)?;
    let knows = |key: &str| !refused.iter().any(|refused| refused.eq_ignore_ascii_case(key));
    let less = |one: Template| {
        let values = one.values.into_iter().filter(|(key, _)| knows(key)).collect();
        Template { values, ..one }
    };
    Ok(wanted.into_iter().map(less).filter(|one| !one.values.is_empty()).collect())
}
