//! Reservations: for whom an EVSE is kept, and until when (OCPP 1.6, 5.13; OCPP 2.x block H).
//!
//! It knows no phase of an EVSE: whether one can be reserved at all is its caller's question.
//!
//! Invariant: an EVSE is kept for one reservation at a time, and an expired one keeps nothing.

use charge::id::EvseNo;
use charge::token::PresentedToken;
use charge::{Purpose, Timestamp};

/// One reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub id: i32,
    /// `None`: any one.
    pub evse: Option<EvseNo>,
    pub token: PresentedToken,
    pub group: Option<PresentedToken>,
    pub until: Timestamp,
}

/// A station keeps no more reservations than its largest number of EVSEs.
pub const RESERVATIONS_MAX: usize = 64;

/// All reservations of a station.
#[derive(Clone, Debug, Default)]
pub struct Book(Vec<Reservation>);

impl Book {
    /// Keeps a reservation; one with the same id is replaced (1.6, 5.13; H01.FR.02).
    pub fn reserve(&mut self, of: Reservation) -> bool {
        self.0.retain(|other| other.id != of.id);
        let taken = of.evse.is_some() && self.0.iter().any(|other| other.evse == of.evse);
        if taken || self.0.len() >= RESERVATIONS_MAX {
            return false;
        }
        self.0.push(of);
        true
    }

    pub fn cancel(&mut self, id: i32) -> Option<Reservation> {
        let place = self.0.iter().position(|of| of.id == id)?;
        Some(self.0.remove(place))
    }

    /// Those whose time is over (H04.FR.01).
    pub fn expire(&mut self, now: Timestamp) -> Vec<Reservation> {
        self.0.extract_if(.., |of| of.until <= now).collect()
    }

    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.0.iter().map(|of| of.until).min()
    }

    /// The reservation of this very EVSE.
    pub fn of_evse(&self, evse: EvseNo) -> Option<&Reservation> {
        self.0.iter().find(|of| of.evse == Some(evse))
    }

    /// How many reservations hold any EVSE.
    pub fn anywhere(&self) -> usize {
        self.0.iter().filter(|of| of.evse.is_none()).count()
    }

    /// The reservation that this token may use here: its own (H03.FR.01, H03.FR.03) or its group's (H03.FR.04, H03.FR.06).
    pub fn usable(&self, evse: EvseNo, token: &PresentedToken, group: Option<&PresentedToken>) -> Option<&Reservation> {
        let same =
            |a: &PresentedToken, b: &PresentedToken| a.normal(Purpose::Authorise) == b.normal(Purpose::Authorise);
        let shares = |of: &Reservation| of.group.as_ref().zip(group).is_some_and(|(a, b)| same(a, b));
        let here = self.0.iter().filter(|of| of.evse.is_none_or(|reserved| reserved == evse));
        // what was reserved here counts before what was reserved anywhere
        let mut mine: Vec<_> = here.filter(|of| same(&of.token, token) || shares(of)).collect();
        mine.sort_by_key(|of| of.evse.is_none());
        mine.first().copied()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::bench::{START, alias, one, two};

    fn of(id: i32, evse: Option<EvseNo>, token: &str) -> Reservation {
        let until = START.plus(std::time::Duration::from_secs(600));
        Reservation { id, evse, token: alias(token), group: Some(alias("GROUP")), until }
    }

    #[test]
    fn an_evse_is_kept_for_one_and_for_whoever_shares_its_group() {
        // proves: H01.FR.02, H03.FR.01, H03.FR.04
        let mut book = Book::default();
        assert!(book.reserve(of(1, Some(one()), "A")));
        assert!(!book.reserve(of(2, Some(one()), "B")));
        assert!(book.reserve(of(1, Some(two()), "A")), "the same id moves");
        assert!(book.of_evse(one()).is_none());
        assert_eq!(book.usable(two(), &alias("a"), None).map(|of| of.id), Some(1));
        assert_eq!(book.usable(two(), &alias("B"), None), None);
        assert_eq!(book.usable(two(), &alias("B"), Some(&alias("GROUP"))).map(|of| of.id), Some(1));
        assert_eq!(book.usable(one(), &alias("A"), None), None);
    }

    #[test]
    fn what_is_over_keeps_nothing() {
        // proves: H02.FR.02, H04.FR.01
        let mut book = Book::default();
        assert!(book.reserve(of(1, None, "A")) && book.reserve(of(2, None, "B")));
        assert_eq!(book.anywhere(), 2);
        assert!(book.cancel(1).is_some() && book.cancel(1).is_none());
        assert!(book.expire(START).is_empty());
        let at = book.next_expiry().unwrap();
        assert_eq!(book.expire(at).iter().map(|of| of.id).collect::<Vec<_>>(), [2]);
        assert_eq!(book.next_expiry(), None);
    }
}
