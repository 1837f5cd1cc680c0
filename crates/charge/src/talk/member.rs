//! How a party of ours stands at its one neighbour: registered or not, since when, and what was done about it.
//!
//! The words of whoever registers, renews and leaves ([`Membership`]) and of whoever looks at it. They say nothing about
//! how it is done. Invariant: what is kept of a deed names no token.

use super::partner::{Beginning, Declined, Registered, Trial};
use crate::id::PartyId;
use crate::{Soon, Timestamp};

/// What can be done about a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeedKind {
    Register,
    Renew,
    Leave,
}

impl DeedKind {
    pub const ALL: [Self; 3] = [Self::Register, Self::Renew, Self::Leave];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Renew => "renew",
            Self::Leave => "leave",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What was done, by whom, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub at: Timestamp,
    /// Who did it; `None`: the house by itself.
    pub by: Option<String>,
    pub what: DeedKind,
    /// `None`: every step held.
    pub fault: Option<DeedFault>,
}

/// The step that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeedFault {
    /// What was seen.
    pub found: String,
    /// What to ask of the other side, or to do here.
    pub advice: Option<String>,
}

/// How a party of ours stands at its neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whom the configuration names as the neighbour.
    pub neighbour: PartyId,
    /// `None`: there is no way to it.
    pub registered: Option<Registered>,
    /// Both tokens stand in the configuration and were never exchanged; they stay until somebody renews.
    pub configured: bool,
    /// When the house renews by itself; `None` where it does not.
    pub renews: Option<Timestamp>,
    /// The newest first, as far as they are kept.
    pub deeds: Vec<Deed>,
}

impl Standing {
    /// The renewal that did not hold, where nothing that held came after it.
    pub fn failed_renewal(&self) -> Option<&Deed> {
        let told = |deed: &&Deed| deed.fault.is_none() || deed.what == DeedKind::Renew;
        self.deeds.iter().find(told).filter(|deed| deed.fault.is_some() && self.registered.is_some())
    }
}

/// Registers a party of ours at its neighbour, renews, leaves, and keeps what was done. `by` is who does it.
pub trait Membership: Send + Sync {
    /// Registers where the neighbour wants us to begin. Whom `with` names as the party counts for nothing: there is one
    /// neighbour.
    fn register(&self, by: &str, with: Beginning) -> Soon<'_, Result<Trial, Declined>>;

    /// Exchanges both tokens for new ones.
    fn renew(&self, by: &str) -> Soon<'_, Result<Trial, Declined>>;

    /// Ends the registration at both sides.
    fn leave(&self, by: &str) -> Soon<'_, Result<Trial, Declined>>;

    /// Who the neighbour is.
    fn neighbour(&self) -> PartyId;

    fn standing(&self) -> Soon<'_, Result<Standing, Declined>>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_failed_renewal_is_told_until_something_holds() {
        let fault = || Some(DeedFault { found: "nobody answers".to_owned(), advice: None });
        let deed = |what, fault| Deed { at: Timestamp::from_secs(1), by: None, what, fault };
        let failed = |deeds: Vec<Deed>, here: bool| {
            let neighbour: PartyId = "DE-HUB".parse().unwrap();
            let card = Registered { party: neighbour, name: String::new(), versions_url: String::new(), version: None };
            let registered = here.then_some(card);
            Standing { neighbour, registered, configured: false, renews: None, deeds }.failed_renewal().is_some()
        };
        use DeedKind::{Leave, Register, Renew};
        assert!(failed(vec![deed(Renew, fault()), deed(Register, None)], true));
        assert!(failed(vec![deed(Leave, fault()), deed(Renew, fault())], true), "they did not let us go either");
        assert!(!failed(vec![deed(Renew, None), deed(Renew, fault())], true));
        assert!(!failed(vec![deed(Register, fault())], true), "whoever began was told");
        assert!(!failed(vec![deed(Renew, fault())], false), "there is nothing left to renew");
        assert!(!failed(vec![], true));
        for kind in DeedKind::ALL {
            assert_eq!(DeedKind::named(kind.as_str()), Some(kind));
        }
    }
}
