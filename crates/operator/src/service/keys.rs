//! New keys for stations of security profile 2: shown to a person who carries it there, or sent over the line (OCPP 2.x A01;
//! 1.6 security whitepaper, A01).
//!
//! A key is kept as a digest only. The invariant: a station is never locked out by a key that it may or may not have
//! got. Until its answer is here, or it has come with one of them, both keys open.

use charge::Secret;
use charge::id::StationId;
use charge::talk::line::Written;
use trust::station_key::{StationKey, StationKeyDigest};

use super::command::unexpected;
use super::{Fault, Operator};
use crate::memory::{key, log, station};
use crate::order::{OrderOutcome, Outcome, StationOrder};

impl Operator {
    /// A new key for a station of profile 2, shown once. The station is disconnected and has to present it.
    pub async fn rotate_key(&self, actor: &str, id: &StationId) -> Result<Secret<String>, Fault> {
        let (new, digest) = self.new_key()?;
        let (actor, name) = (actor.to_owned(), id.clone());
        self.run_and_forget_standings("operator.rotate", move |house, tx| {
            if !station::set_key(tx, &name, &digest)? {
                return Err(NOT_OF_PROFILE_2);
            }
            key::forget(tx, &name)?;
            log::audit(tx, house.now(), &actor, "rotate key", name.as_str(), "done").map_err(Fault::from)
        })
        .await?;
        self.hang_up(id, "the station's key was rotated");
        Ok(new.text().clone())
    }

    /// Sends a station of profile 2 a new key, which nobody gets to see, and waits for its answer. The station comes
    /// back with it by itself.
    ///
    /// cites: ocpp-2.0.1 A01.FR.02, A01.FR.03, A01.FR.04, A01.FR.06
    pub async fn renew_key(&self, actor: &str, id: &StationId) -> Result<OrderOutcome, Fault> {
        let version = self.version(id).await?;
        let (new, digest) = self.new_key()?;
        let name = id.clone();
        self.run_and_forget_standings("operator.key.send", move |house, tx| {
            let kept = key::sending(tx, &name, &digest, house.now())?;
            if kept { Ok(()) } else { Err(NOT_OF_PROFILE_2) }
        })
        .await?;
        let name: Box<str> = match version {
            Some(version) if version.is_2() => "SecurityCtrlr.BasicAuthPassword".into(),
            Some(_) | None => "AuthorizationKey".into(),
        };
        let value = Secret::new(new.text().expose().as_str().into());
        let came = self.order(actor, id, StationOrder::WriteSettings { values: vec![(name, value)] }).await?;
        let word = came.written.first().map(|(_, word)| *word);
        let taken = match (came.outcome, word) {
            (_, Some(Written::Accepted)) => Some(true),
            (_, Some(Written::Rejected | Written::Unknown)) => Some(false),
            (Outcome::Refused | Outcome::NotConnected, None) => Some(false),
            // it has it after the next boot, or may have it: what it comes with will say
            (_, Some(Written::AfterReboot)) => None,
            (Outcome::Accepted | Outcome::Scheduled | Outcome::TimedOut | Outcome::Error, None) => None,
        };
        if let Some(taken) = taken {
            let name = id.clone();
            self.run_and_forget_standings("operator.key.answered", move |_, tx| {
                if taken { key::took(tx, &name) } else { key::forget(tx, &name) }
            })
            .await?;
        }
        Ok(came)
    }

    fn new_key(&self) -> Result<(StationKey, StationKeyDigest), Fault> {
        let key = StationKey::generate(&*self.0.dice);
        let digest = key.digest(&*self.0.dice).map_err(|fault| unexpected(&fault.to_string()))?;
        Ok((key, digest))
    }
}

const NOT_OF_PROFILE_2: Fault = Fault::NotFound("station of security profile 2");
