//! Drivers and their contracts: what a contract allows now.
//!
//! Each driver has one contract with a static contract id that never leaves the house: towards operators every
//! session has an id of its own (`onetime.rs`). What counts as owed is everything that is not yet invoiced.

use charge::money::Money;
use charge::token::{Allowed, ContractId};
use charge::{Personal, Timestamp};

use crate::DriverId;

/// Where a contract stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractState {
    Good,
    /// Stopped by the provider, for example because an invoice was not paid.
    Suspended,
    Ended,
}

impl ContractState {
    pub const ALL: [Self; 3] = [Self::Good, Self::Suspended, Self::Ended];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What a driver agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    pub state: ContractState,
    pub valid_until: Option<Timestamp>,
    /// The most that may be owed before the next invoice.
    pub credit_cap: Option<Money>,
}

/// A person who signs up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDriver {
    pub name: Personal<String>,
    pub email: Personal<String>,
    pub valid_until: Option<Timestamp>,
    /// In the provider's currency.
    pub credit_cap: Option<Money>,
}

/// A driver for the clerk and for the driver's own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    pub id: DriverId,
    pub name: Personal<String>,
    pub email: Personal<String>,
    /// Shown to its owner, sent to nobody.
    pub contract_id: Personal<ContractId>,
    pub contract: Contract,
    pub joined: Timestamp,
}

/// What a contract allows, with `owed` not yet invoiced: `Ok` with what is left of the credit.
pub(crate) fn allowance(now: Timestamp, contract: &Contract, owed: Money) -> Result<Option<Money>, Allowed> {
    match contract.state {
        ContractState::Good => {}
        ContractState::Suspended => return Err(Allowed::Blocked),
        ContractState::Ended => return Err(Allowed::Expired),
    }
    if contract.valid_until.is_some_and(|until| until <= now) {
        return Err(Allowed::Expired);
    }
    let Some(cap) = contract.credit_cap else { return Ok(None) };
    let left = cap.minor.saturating_sub(owed.minor);
    if left > 0 { Ok(Some(Money { minor: left, ..cap })) } else { Err(Allowed::NoCredit) }
}

/// In plain words, for the driver who asked.
pub(crate) const fn words(allowed: Allowed) -> &'static str {
    match allowed {
        Allowed::Yes => "allowed",
        Allowed::Blocked => "the contract or card is blocked",
        Allowed::Expired => "the contract has ended",
        Allowed::NoCredit => "the credit limit is reached",
        Allowed::NotHere => "not allowed at this place",
        Allowed::Unknown => "not known",
        Allowed::Unanswered => "nobody answered in time",
    }
}
