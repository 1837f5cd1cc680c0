//! A partner that answers again after it could not be reached: what waits for it is told at once, not when its pause
//! ends.
//!
//! Who was away is known in memory alone: after a restart everything is taken up anyway. The invariant: only what was
//! tried in vain is hastened, and only for the partner that came back.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::{Answer, RoadFault};
use store::{StoreError, Tx, outbox};

use super::Operator;
use super::deliver::DELIVER;
use crate::memory::{cdr, notice};
use crate::publish::{self, Fate};

/// The partners whose last letter did not arrive.
#[derive(Default)]
pub(crate) struct Away(Mutex<BTreeSet<PartyId>>);

impl Away {
    /// Notes how a letter fared. `true`: the partner was away and is back.
    fn is_back(&self, partner: PartyId, fate: &Fate) -> bool {
        let mut away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match fate {
            Fate::Again(_) => {
                away.insert(partner);
                false
            }
            Fate::Delivered | Fate::Never(_) => away.remove(&partner),
        }
    }
}

impl Operator {
    /// Looks at what became of a letter to a partner.
    pub(super) async fn notice_return(&self, partner: PartyId, answer: &Result<Answer, RoadFault>) {
        if !self.0.away.is_back(partner, &publish::fate(answer)) {
            return;
        }
        let (now, is_hub) = (self.0.now(), partner == self.0.setup.hub);
        if is_hub {
            // outside of the transaction: there may be many, and everybody waits for that
            self.0.untold().hasten(now);
        }
        let hastened = self.run("operator.returned", move |_, tx| {
            if is_hub {
                notice::hasten_public(tx, now)?;
            }
            hasten(tx, partner, now)
        });
        let hastened = hastened.await;
        if let Err(error) = hastened {
            // it is told when its pause ends
            tracing::warn!(%partner, %error, "what waits for a partner that is back could not be hastened");
        }
        self.0.wake();
    }
}

fn hasten(tx: &mut Tx<'_>, partner: PartyId, now: Timestamp) -> Result<(), StoreError> {
    for (job, id) in outbox::failing(tx, DELIVER, now, HASTENED_MAX)? {
        if cdr::is_for(tx, &id, partner)? {
            outbox::retry(tx, job, now, "")?;
        }
    }
    notice::hasten(tx, partner, now)
}

/// CDRs that are looked at in one transaction; those behind them wait for the end of their pause.
const HASTENED_MAX: u32 = 10_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_partner_is_back_once_and_only_after_it_was_away() {
        let (partner, away) = ("DE-8AA".parse().unwrap(), Away::default());
        assert!(!away.is_back(partner, &Fate::Delivered), "it was never away");
        assert!(!away.is_back(partner, &Fate::Again("silent".to_owned())));
        assert!(!away.is_back("DE-8BB".parse().unwrap(), &Fate::Delivered), "another one");
        assert!(away.is_back(partner, &Fate::Never("refused".to_owned())), "who refuses has heard");
        assert!(!away.is_back(partner, &Fate::Delivered));
    }
}
