//! One-time contract ids: what operators and hubs see instead of a person.
//!
//! An id is eight random characters under the provider's prefix, good for one session of one operator. It has no key
//! and no structure, so once its row is deleted it refers to nobody. The life cycle is one total `match`; the
//! invariant: an id serves one session, and outside of its armed time it opens nothing new.

use std::time::Duration;

use charge::id::{AuthorizationReference, BadId, PartyId};
use charge::money::Money;
use charge::token::ContractId;
use charge::{Dice, Timestamp};

use crate::{DriverId, SessionNo, TariffNo};

/// Where an id stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Made, shown to nobody.
    Pool,
    /// Given to one operator, for a few minutes.
    Armed,
    /// A session runs on it.
    Active,
    /// Its CDR has come.
    Closed,
    /// Its time went by, or it was voided. A session that began in time and was told late is still attached.
    Lapsed,
}

/// What can happen to an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is given to an operator.
    Arm,
    /// The first word of a session that began in the armed time.
    Begin,
    /// Another word of the session that it serves.
    Continue,
    /// The CDR of the session that it serves or, in the armed time, of one that was not told before.
    Bill,
    /// Another session, another operator, or a session outside of the armed time.
    Misuse,
    /// The armed time is over, or the driver voids it.
    Lapse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    To(State),
    Stay,
    /// Answered like an unknown id, and noted.
    Refuse,
}

/// How a one-time id came to be armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Tap,
    Start,
}

/// An id with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneTime {
    /// The compact form of the contract id, which is the key of its row and the uid in a remote start.
    pub(crate) code: String,
    pub(crate) driver: DriverId,
    pub(crate) state: State,
    pub(crate) operator: PartyId,
    pub(crate) way: Way,
    pub(crate) reference: AuthorizationReference,
    pub(crate) money_cap: Option<Money>,
    pub(crate) armed_at: Timestamp,
    pub(crate) armed_until: Timestamp,
    pub(crate) session: Option<SessionNo>,
    /// The tariff that the driver accepted before a remote start.
    pub(crate) tariff: Option<TariffNo>,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Pool, Self::Armed, Self::Active, Self::Closed, Self::Lapsed];

    /// For rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Armed => "armed",
            Self::Active => "active",
            Self::Closed => "closed",
            Self::Lapsed => "lapsed",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The whole life cycle.
    pub const fn on(self, event: Event) -> Move {
        use Event as E;
        use State as S;
        match (self, event) {
            (S::Pool, E::Arm) => Move::To(S::Armed),
            (S::Armed | S::Lapsed, E::Begin) => Move::To(S::Active),
            (S::Armed | S::Lapsed | S::Active, E::Bill) => Move::To(S::Closed),
            (S::Pool | S::Armed, E::Lapse) => Move::To(S::Lapsed),
            (S::Active | S::Closed, E::Continue) | (S::Active | S::Closed | S::Lapsed, E::Lapse) => Move::Stay,
            (S::Pool, E::Begin | E::Continue | E::Bill | E::Misuse)
            | (S::Armed | S::Lapsed, E::Arm | E::Continue | E::Misuse)
            | (S::Active, E::Arm | E::Begin | E::Misuse)
            | (S::Closed, E::Arm | E::Begin | E::Bill | E::Misuse) => Move::Refuse,
        }
    }
}

impl OneTime {
    /// A fresh id in the pool; who it is for is said when it is armed.
    pub(crate) fn mint(us: PartyId, driver: DriverId, dice: &dyn Dice, grant: Grant) -> Result<Self, BadId> {
        Ok(Self {
            code: ContractId::of(us, &dice.letters(INSTANCE_LETTERS))?.compact(),
            driver,
            state: State::Pool,
            operator: grant.operator,
            way: grant.way,
            reference: AuthorizationReference::new(dice.letters(REFERENCE_LETTERS))?,
            money_cap: grant.money_cap,
            armed_at: grant.now,
            armed_until: grant.now.plus(ARMED_FOR),
            session: None,
            tariff: grant.tariff,
        })
    }

    /// With its check character, as contract id.
    pub(crate) fn contract(&self, us: PartyId) -> Result<ContractId, BadId> {
        ContractId::of(us, self.code.get(CODE_PREFIX..).unwrap_or_default())
    }

    pub(crate) fn is_armed_for(&self, operator: PartyId, now: Timestamp) -> bool {
        self.state == State::Armed && self.operator == operator && now < self.armed_until
    }

    /// What the word of a session or a CDR is to this id.
    pub(crate) fn event(&self, word: Word) -> Event {
        if word.operator != self.operator {
            return Event::Misuse;
        }
        match (self.session, word.session) {
            (Some(served), Some(told)) if served == told => word.repeat(),
            (Some(_), _) => Event::Misuse,
            (None, _) if self.began_in_time(word.began) => word.first(),
            (None, _) => Event::Misuse,
        }
    }

    fn began_in_time(&self, began: Timestamp) -> bool {
        let before = match self.way {
            // a station that was offline lets a known card charge and asks afterwards
            Way::Tap => OFFLINE_FOR,
            Way::Start => CLOCKS_APART,
        };
        began >= self.armed_at.minus(before) && began <= self.armed_until.plus(CLOCKS_APART)
    }
}

/// What an id is armed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    pub(crate) operator: PartyId,
    pub(crate) way: Way,
    pub(crate) money_cap: Option<Money>,
    pub(crate) tariff: Option<TariffNo>,
    pub(crate) now: Timestamp,
}

/// A session or CDR that names an id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) operator: PartyId,
    /// The session as we know it, if we have heard of it before.
    pub(crate) session: Option<SessionNo>,
    pub(crate) began: Timestamp,
    pub(crate) closes: bool,
}

impl Word {
    const fn first(self) -> Event {
        if self.closes { Event::Bill } else { Event::Begin }
    }

    const fn repeat(self) -> Event {
        if self.closes { Event::Bill } else { Event::Continue }
    }
}

/// 41 bits: with 2 000 ids armed at a time, a guess hits one with 7 in 10^10.
const INSTANCE_LETTERS: usize = 8;
/// 103 bits; OCPI has room for 36.
const REFERENCE_LETTERS: usize = 20;
/// Country, party and the `C` in front of the instance.
const CODE_PREFIX: usize = 6;
/// From the tap or the start to the plug: a driver who needs longer taps again.
pub(crate) const ARMED_FOR: Duration = Duration::from_secs(600);
/// How far a station's clock may be off before its session no longer fits the permission.
const CLOCKS_APART: Duration = Duration::from_secs(300);
/// How long a station may have been offline when it asks about a card that charged meanwhile: a broken modem over the
/// holidays.
const OFFLINE_FOR: Duration = Duration::from_secs(14 * 86_400);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::clock::SeededDice;

    use super::*;

    #[test]
    fn the_whole_life_cycle() {
        use Event as E;
        let events = [E::Arm, E::Begin, E::Continue, E::Bill, E::Misuse, E::Lapse];
        let cell = |state: State, event| match state.on(event) {
            Move::To(next) => next.as_str(),
            Move::Stay => "-",
            Move::Refuse => "NO",
        };
        let row = |state: State| {
            let cells: Vec<_> = events.iter().map(|event| format!("{:7}", cell(state, *event))).collect();
            format!("{:7}| {}", state.as_str(), cells.join("")).trim_end().to_owned()
        };
        let table: Vec<String> = State::ALL.into_iter().map(row).collect();
        let expected = [
            //         arm    begin  cont   bill   misuse lapse
            "pool   | armed  NO     NO     NO     NO     lapsed",
            "armed  | NO     active NO     closed NO     lapsed",
            "active | NO     NO     -      closed NO     -",
            "closed | NO     NO     -      NO     NO     -",
            "lapsed | NO     active NO     closed NO     -",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn an_id_serves_one_session_of_one_operator_in_its_time() {
        let (operator, other): (PartyId, PartyId) = ("DE-OPA".parse().unwrap(), "DE-OPB".parse().unwrap());
        let now = Timestamp::from_secs(10_000_000);
        let grant = Grant { operator, way: Way::Tap, money_cap: None, tariff: None, now };
        let us = "DE-8AA".parse().unwrap();
        let driver = DriverId::new("D1").unwrap();
        let mut id = OneTime::mint(us, driver, &SeededDice::new(3), grant).unwrap();
        assert_eq!(id.code.len(), 14);
        assert_eq!(id.contract(us).unwrap().compact(), id.code);
        id.state = State::Armed;
        assert!(id.is_armed_for(operator, now));
        assert!(!id.is_armed_for(other, now));
        assert!(!id.is_armed_for(operator, now.plus(ARMED_FOR)));

        let word = |operator, session, after_s| Word {
            operator,
            session,
            began: now.plus(Duration::from_secs(after_s)),
            closes: false,
        };
        assert_eq!(id.event(word(operator, None, 60)), Event::Begin);
        assert_eq!(id.event(word(other, None, 60)), Event::Misuse);
        assert_eq!(id.event(word(operator, None, 901)), Event::Misuse);
        let offline = |began| Word { began, ..word(operator, None, 0) };
        assert_eq!(id.event(offline(now.minus(OFFLINE_FOR))), Event::Begin);
        assert_eq!(id.event(offline(now.minus(OFFLINE_FOR + CLOCKS_APART))), Event::Misuse);
        id.way = Way::Start;
        assert_eq!(id.event(offline(now.minus(CLOCKS_APART))), Event::Begin);
        assert_eq!(id.event(offline(now.minus(2 * CLOCKS_APART))), Event::Misuse);
        id.way = Way::Tap;
        id.session = Some(SessionNo(7));
        assert_eq!(id.event(word(operator, Some(SessionNo(7)), 60)), Event::Continue);
        assert_eq!(id.event(word(operator, Some(SessionNo(8)), 60)), Event::Misuse);
        assert_eq!(id.event(word(operator, None, 60)), Event::Misuse);
        assert_eq!(id.event(Word { closes: true, ..word(operator, Some(SessionNo(7)), 60) }), Event::Bill);
    }
}
