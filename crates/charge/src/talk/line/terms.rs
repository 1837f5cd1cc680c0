//! On what terms a transaction runs: tariffs and prices that the station works out by itself, limits, and words for the
//! driver (OCPP 2.x block I; 2.1 E16 and C17 to C25).
//!
//! Deliberately no price engine: that is `billing`'s. Invariant: an absent limit is no limit, and never zero.

use rust_decimal::Decimal;

use super::certificate::ContractStanding;
use crate::Timestamp;
use crate::id::TariffId;
use crate::money::{Currency, Price};
use crate::tariff::Tariff;
use crate::units::Energy;

/// `TransactionLimit` (2.1 E16): whichever is reached first ends the transfer of energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// In the currency of the tariff. The standard does not say of VAT; ours is with it, as a driver pays.
    pub cost: Option<Decimal>,
    pub energy: Option<Energy>,
    /// Since the begin of the transaction (E16.FR.09).
    pub seconds: Option<u32>,
    /// State of charge in percent.
    pub charged_percent: Option<u8>,
}

impl Limits {
    /// No limit at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, and the others' where these say nothing.
    #[must_use]
    pub fn over(self, others: Self) -> Self {
        Self {
            cost: self.cost.or(others.cost),
            energy: self.energy.or(others.energy),
            seconds: self.seconds.or(others.seconds),
            charged_percent: self.charged_percent.or(others.charged_percent),
        }
    }

    /// These, none beyond its bound.
    #[must_use]
    pub fn within(self, bounds: Self) -> Self {
        fn bound<T: Ord>(value: Option<T>, bound: Option<T>) -> Option<T> {
            match (value, bound) {
                (Some(value), Some(bound)) => Some(value.min(bound)),
                (value, None) => value,
                (None, Some(_)) => None,
            }
        }
        Self {
            cost: bound(self.cost, bounds.cost),
            energy: bound(self.energy, bounds.energy),
            seconds: bound(self.seconds, bounds.seconds),
            charged_percent: bound(self.charged_percent, bounds.charged_percent),
        }
    }

    /// The stricter of both, limit by limit.
    #[must_use]
    pub fn least(self, others: Self) -> Self {
        fn less<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            }
        }
        Self {
            cost: less(self.cost, others.cost),
            energy: less(self.energy, others.energy),
            seconds: less(self.seconds, others.seconds),
            charged_percent: less(self.charged_percent, others.charged_percent),
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Cost,
    Energy,
    Time,
    Charge,
}

/// `typeOfCost`: as counted, or moved by the tariff's minimum or maximum (I12.FR.38 to I12.FR.41).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostKind {
    Normal,
    Min,
    Max,
}

/// `CostDetails` (2.1 I12): what the station worked out, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostDetails {
    pub currency: Currency,
    pub kind: CostKind,
    pub fixed: Option<Price>,
    pub energy: Option<Price>,
    pub charging: Option<Price>,
    pub idle: Option<Price>,
    pub total: Price,
    pub delivered: Energy,
    pub charging_seconds: u32,
    pub idle_seconds: u32,
    pub periods: Vec<CostPeriod>,
    /// It could not be worked out, and why (I12.FR.14). The numbers are then what there was.
    pub failure: Option<Box<str>>,
}

/// `ChargingPeriod`: lasts until the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostPeriod {
    pub start: Timestamp,
    pub tariff: Option<TariffId>,
    pub energy: Energy,
    pub charging_seconds: u32,
    pub idle_seconds: u32,
}

/// What a message about a transaction says of its terms (2.1). Each is said once, when it is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The tariff that is in use from now on.
    pub tariff: Option<TariffId>,
    /// Limits that are in force from now on, the operator's or the driver's.
    pub limits: Option<Limits>,
    pub reached: Option<Limit>,
    pub cost: Option<Box<CostDetails>>,
    /// The station was away and goes on with it (2.1 E17.FR.14): a profile that it lost is told again.
    pub resumed: bool,
}

impl Terms {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `MessageContent`: words for whoever stands before the station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// ASCII, HTML, URI, UTF8; 2.1 also QRCODE.
    pub format: Box<str>,
    pub language: Option<Box<str>>,
    pub text: Box<str>,
}

impl Words {
    /// Plain text in no named language.
    pub fn plain(text: impl Into<Box<str>>) -> Self {
        Self { format: "UTF8".into(), language: None, text: text.into() }
    }
}

/// What an operator answers to a tap beyond the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// What became of the contract's certificate, where one was shown.
    pub standing: Option<ContractStanding>,
    /// This driver's own (2.1 I08); it holds for one transaction.
    pub tariff: Option<Box<Tariff>>,
    /// `personalMessage` (I01).
    pub words: Option<Words>,
}

/// What an operator answers to a transaction beyond verdict and cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// New limits (2.1 E16.FR.02).
    pub limits: Option<Limits>,
    /// `personalMessage` of the token.
    pub words: Option<Words>,
    /// `updatedPersonalMessage` (I06.FR.02); the first in the default language, the others only in 2.1.
    pub updated: Vec<Words>,
}
