//! A party of ours as a member at its one neighbour: it registers, renews, leaves; every deed is kept with who did it,
//! and once in a while the house renews by itself.
//!
//! The handshake is the [`Envoy`]'s; here it is decided when it is time for one. Tokens of the configuration are left
//! alone until somebody exchanges them. Invariant: a renewal that does not hold costs nothing that was good before.

use std::sync::Arc;
use std::time::Duration;

use charge::id::PartyId;
use charge::talk::member::{Deed, DeedFault, DeedKind, Membership, Standing};
use charge::talk::partner::{Beginning, Declined, Registrar, Trial};
use charge::{Clock, Soon, Timestamp};
use store::{Store, StoreError};

use super::book::{Book, BookFault};
use super::deeds;
use super::envoy::Envoy;

/// Who stands for a party at its neighbour.
pub struct Member {
    envoy: Envoy,
    book: Arc<Book>,
    /// The database that the book is in.
    store: Store,
    neighbour: PartyId,
    /// The age at which tokens are exchanged for new ones; `None`: never without being asked.
    renewed_every: Option<Duration>,
    clock: Arc<dyn Clock>,
}

impl Member {
    /// `store` is the one that the book was opened in.
    pub fn new(
        (envoy, book): (Envoy, Arc<Book>),
        store: Store,
        neighbour: PartyId,
        renewed_every: Option<Duration>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { envoy, book, store, neighbour, renewed_every, clock }
    }

    /// Renews where it is time. Call it from time to time.
    pub async fn duty(&self) -> Result<(), Declined> {
        let now = self.clock.now();
        if self.stands().await?.renews.is_none_or(|due| due > now) {
            return Ok(());
        }
        let trial = self.done(None, DeedKind::Renew, self.envoy.renew(self.neighbour).await?).await?;
        if trial.steps.iter().any(|step| !step.held) {
            tracing::warn!(peer = %self.neighbour, "our registration could not be renewed; the tokens of before stay");
        }
        Ok(())
    }

    async fn stands(&self) -> Result<Standing, Declined> {
        let neighbour = self.neighbour;
        let registered = self.envoy.registered().await.into_iter().find(|each| each.party == neighbour);
        let exchanged = self.book.has_exchanged(neighbour).await?;
        let read = self.store.read::<_, StoreError>("road.deeds", move |tx| deeds::of(tx, neighbour));
        let deeds = read.await.map_err(BookFault::from)?;
        let every = self.renewed_every.filter(|_| exchanged && registered.is_some());
        let renews = every.map(|every| due(&deeds, every));
        Ok(Standing { neighbour, configured: registered.is_some() && !exchanged, registered, renews, deeds })
    }

    /// Keeps what was done. What the other side was told stands whether or not it can be kept here.
    async fn done(&self, by: Option<&str>, what: DeedKind, trial: Trial) -> Result<Trial, Declined> {
        let failed = trial.steps.iter().find(|step| !step.held);
        let fault = failed.map(|step| DeedFault { found: step.found.clone(), advice: step.advice.clone() });
        let deed = Deed { at: self.clock.now(), by: by.map(str::to_owned), what, fault };
        let neighbour = self.neighbour;
        let run = self.store.run::<_, StoreError>("road.deed", move |tx| deeds::put(tx, neighbour, deed.clone()));
        run.await.map_err(BookFault::from)?;
        Ok(trial)
    }
}

impl Membership for Member {
    fn register(&self, by: &str, with: Beginning) -> Soon<'_, Result<Trial, Declined>> {
        let (by, with) = (by.to_owned(), Beginning { party: self.neighbour, ..with });
        Box::pin(async move { self.done(Some(&by), DeedKind::Register, self.envoy.register(with).await?).await })
    }

    fn renew(&self, by: &str) -> Soon<'_, Result<Trial, Declined>> {
        let by = by.to_owned();
        Box::pin(async move { self.done(Some(&by), DeedKind::Renew, self.envoy.renew(self.neighbour).await?).await })
    }

    fn leave(&self, by: &str) -> Soon<'_, Result<Trial, Declined>> {
        let by = by.to_owned();
        Box::pin(async move { self.done(Some(&by), DeedKind::Leave, self.envoy.leave(self.neighbour).await?).await })
    }

    fn neighbour(&self) -> PartyId {
        self.neighbour
    }

    fn standing(&self) -> Soon<'_, Result<Standing, Declined>> {
        Box::pin(self.stands())
    }
}

/// When tokens are old enough, given what was done, the newest first. Tokens of an unknown age are old; what did not
/// hold is tried again after a while.
fn due(deeds: &[Deed], every: Duration) -> Timestamp {
    let exchanged = deeds.iter().find(|deed| deed.fault.is_none() && deed.what != DeedKind::Leave);
    let tried = deeds.first().filter(|deed| deed.fault.is_some());
    let old = exchanged.map_or(Timestamp::from_secs(0), |deed| deed.at.plus(every));
    tried.map_or(old, |deed| old.max(deed.at.plus(TRIED_AGAIN_AFTER)))
}

/// What the other side has to mend takes its people a while, and a month's token is not in a hurry.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(6 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_by_age_and_a_refusal_waits() {
        let day = |days: i64| Timestamp::from_secs(days * 86_400);
        let month = Duration::from_secs(30 * 86_400);
        let fault = || Some(DeedFault { found: "no".to_owned(), advice: None });
        let deed = |at, what, fault| Deed { at: day(at), by: None, what, fault };
        use DeedKind::{Leave, Register, Renew};
        assert_eq!(due(&[], month), day(0), "nobody knows how old they are");
        assert_eq!(due(&[deed(5, Register, None)], month), day(35));
        assert_eq!(due(&[deed(9, Renew, None), deed(5, Register, None)], month), day(39));
        let refused = [deed(39, Renew, fault()), deed(9, Renew, None)];
        assert_eq!(due(&refused, month), day(39).plus(TRIED_AGAIN_AFTER));
        let early = [deed(10, Renew, fault()), deed(9, Renew, None)];
        assert_eq!(due(&early, month), day(39), "somebody tried before it was time");
        assert_eq!(due(&[deed(3, Leave, fault()), deed(2, Register, None)], month), day(32));
    }
}
