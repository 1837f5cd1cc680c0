//! New keys for stations of security profile 2: shown to a person who carries it there, or sent over the line (OCPP 2.x A01;
//! 1.6 security whitepaper, A01).
//!
//! A key is kept as a digest only. The invariant: a station is never locked out by a key that it may or may not have
//! got. Until its answer is here, or it has come with one of them, both keys open, and it is sent no third.

use charge::Secret;
use charge::id::StationId;
use charge::talk::line::{ConnectionNo, Written};
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

    /// Sends a connected station of profile 2 a new key, which nobody gets to see, and waits for its answer. The
    /// station comes back with it by itself. [`Fault::Conflict`] while it may have one that it was sent on this
    /// connection: with the next one it says which it has.
    ///
    /// cites: ocpp-2.0.1 A01.FR.02, A01.FR.03, A01.FR.04, A01.FR.06
    pub async fn renew_key(&self, actor: &str, id: &StationId) -> Result<OrderOutcome, Fault> {
        let version = self.version(id).await?;
        let (new, digest) = self.new_key()?;
        let connection = self.0.presences().open_key(id).map_err(|why| Fault::Conflict(why.to_owned()))?;
        let (name, next) = (id.clone(), digest.clone());
        let kept = self.run_and_forget_standings("operator.key.send", move |house, tx| {
            let kept = key::sending(tx, &name, &next, house.now())?;
            if kept { Ok(()) } else { Err(NOT_OF_PROFILE_2) }
        });
        if let Err(fault) = kept.await {
            // it was not sent
            self.0.presences().close_key(id, connection);
            return Err(fault);
        }
        let name: Box<str> = match version {
            Some(version) if version.is_2() => "SecurityCtrlr.BasicAuthPassword".into(),
            Some(_) | None => "AuthorizationKey".into(),
        };
        let value = Secret::new(new.text().expose().as_str().into());
        let came = self.order(actor, id, StationOrder::WriteSettings { values: vec![(name, value)] }).await?;
        if let Some(taken) = taken(&came) {
            self.settle_key(id, connection, digest, taken).await?;
        }
        Ok(came)
    }

    /// Either key is gone: the one before, or the new one.
    async fn settle_key(
        &self,
        id: &StationId,
        connection: ConnectionNo,
        sent: StationKeyDigest,
        taken: bool,
    ) -> Result<(), Fault> {
        let name = id.clone();
        self.run_and_forget_standings("operator.key.answered", move |_, tx| {
            if !key::is_next(tx, &name, &sent)? {
                // it has come with it meanwhile, or was given another
                return Ok(());
            }
            if taken { key::took(tx, &name) } else { key::forget(tx, &name) }
        })
        .await?;
        self.0.presences().close_key(id, connection);
        Ok(())
    }

    fn new_key(&self) -> Result<(StationKey, StationKeyDigest), Fault> {
        let key = StationKey::generate(&*self.0.dice);
        let digest = key.digest(&*self.0.dice).map_err(|fault| unexpected(&fault.to_string()))?;
        Ok((key, digest))
    }
}

/// Whether the station has the key that it was sent; `None`: it has it after the next boot, or may have it. What it
/// comes with will say.
fn taken(came: &OrderOutcome) -> Option<bool> {
    match (came.outcome, came.written.first().map(|(_, word)| *word)) {
        (_, Some(Written::Accepted)) => Some(true),
        (_, Some(Written::Rejected | Written::Unknown)) => Some(false),
        (_, Some(Written::AfterReboot)) => None,
        (Outcome::Refused | Outcome::NotConnected, None) => Some(false),
        (Outcome::Accepted | Outcome::Scheduled | Outcome::TimedOut | Outcome::Error, None) => None,
    }
}

const NOT_OF_PROFILE_2: Fault = Fault::NotFound("station of security profile 2");
