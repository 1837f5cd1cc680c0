//! Paying without a contract: from the code at a station to a receipt (OCPP 2.1 C25), and the port to whoever moves
//! the money.
//!
//! An amount is held before the car charges and what it came to is taken afterwards, never more than was held. Who pays
//! is the acquirer's knowledge alone: here a payment is a random reference. Invariant: money is taken once, for a closed
//! CDR, and what is not taken is let go.

use std::sync::Arc;

use charge::money::{Currency, Money};
use charge::{Decimal, Secret, Soon};

/// Moves money for the operator. A reference is the operator's own, random, and names one payment on both sides; the
/// same call again under the same reference changes nothing.
pub trait Acquirer: Send + Sync {
    /// What there is to pay with.
    fn means(&self) -> Vec<Means>;

    /// Sets an amount aside. The means is whatever the acquirer's own part of the page came to.
    fn hold(&self, reference: &str, amount: Money, means: Secret<String>) -> Soon<'_, Result<(), AcquirerFault>>;

    /// Takes no more than was held, and lets the rest go.
    fn capture(&self, reference: &str, amount: Money) -> Soon<'_, Result<(), AcquirerFault>>;

    /// Lets everything go. No fault where nothing was held.
    fn release(&self, reference: &str) -> Soon<'_, Result<(), AcquirerFault>>;
}

/// A means of payment, as the page offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Means {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcquirerFault {
    /// The payer's bank said no; words for the payer.
    #[error("{0}")]
    Declined(String),
    #[error("the payment provider cannot be reached")]
    Unavailable,
}

/// The way to the acquirer, and where the page for payers is.
pub struct Checkout {
    pub acquirer: Arc<dyn Acquirer>,
    /// `https://host:port/pay/<slug>`, without a slash at the end.
    pub address: String,
    /// `ValidityTime` that stations are given, seconds.
    pub validity_s: u32,
    /// From the scan to the payment, seconds; as long is the EVSE kept for whoever scanned
    /// (`NotifyWebPaymentStarted.timeout`).
    pub visit_s: u32,
}

impl Checkout {
    pub const fn new(acquirer: Arc<dyn Acquirer>, address: String) -> Self {
        Self { acquirer, address, validity_s: CODE_VALIDITY_S, visit_s: VISIT_S }
    }

    /// For a clock that runs faster than whoever holds the telephone.
    #[must_use]
    pub fn hurried(self, factor: u32) -> Self {
        Self {
            validity_s: self.validity_s.saturating_mul(factor).min(*trust::totp::VALIDITY_S.end()),
            visit_s: self.visit_s.saturating_mul(factor),
            ..self
        }
    }
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody scanned the code.
    Opened,
    /// The acquirer is being asked to hold the amount.
    Asking,
    /// The acquirer said no; another try is free.
    Declined,
    /// The amount is held, and the station has been or is being told to start.
    Held,
    /// What the session came to was taken.
    Settled,
    /// Nothing was taken.
    Released,
    /// Nobody paid in time.
    Lapsed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Ask,
    Hold,
    Decline,
    Settle,
    Release,
    Lapse,
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Opened, Self::Asking, Self::Declined, Self::Held, Self::Settled, Self::Released, Self::Lapsed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Asking => "asking",
            Self::Declined => "declined",
            Self::Held => "held",
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Lapsed => "lapsed",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The next state; `None` where the event must not happen.
    pub const fn on(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Opened | Self::Declined, Event::Ask) => Some(Self::Asking),
            (Self::Asking, Event::Hold) => Some(Self::Held),
            (Self::Asking, Event::Decline) => Some(Self::Declined),
            (Self::Held, Event::Settle) => Some(Self::Settled),
            (Self::Asking | Self::Held, Event::Release) => Some(Self::Released),
            (Self::Opened | Self::Declined, Event::Lapse) => Some(Self::Lapsed),
            (Self::Opened | Self::Declined, Event::Hold | Event::Decline | Event::Settle | Event::Release)
            | (Self::Asking, Event::Ask | Event::Settle | Event::Lapse)
            | (Self::Held, Event::Ask | Event::Hold | Event::Decline | Event::Lapse)
            | (Self::Settled | Self::Released | Self::Lapsed, _) => None,
        }
    }

    /// Nothing happens any more.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Settled | Self::Released | Self::Lapsed => true,
            Self::Opened | Self::Asking | Self::Declined | Self::Held => false,
        }
    }
}

/// The amount to hold, within what makes sense for one charge.
pub fn amount(wanted: Decimal, currency: Currency) -> Result<Money, String> {
    if wanted < Decimal::from(AMOUNT_MIN) {
        return Err(format!("The amount is too small: {AMOUNT_MIN} {currency} is the smallest."));
    }
    if wanted > Decimal::from(AMOUNT_MAX) {
        return Err(format!("The amount is too large: {AMOUNT_MAX} {currency} is the largest."));
    }
    Money::rounded(wanted, currency).ok_or_else(|| "The amount cannot be read.".to_owned())
}

/// Whole units of the currency. Less would end a charge before it has begun in earnest.
pub const AMOUNT_MIN: u32 = 5;
/// Whole units of the currency: the largest battery at a high price.
pub const AMOUNT_MAX: u32 = 200;
/// Seconds: time to take out a telephone, and little time to pass a code on.
const CODE_VALIDITY_S: u32 = 30;
/// `Length` that stations are given: ten characters of 62 are 59 bits, for a minute and a half.
pub const CODE_LENGTH: u32 = 10;
/// Seconds from the scan to the payment.
const VISIT_S: u32 = 300;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn money_is_taken_or_let_go_and_never_both() {
        let ends = [Event::Settle, Event::Release, Event::Lapse];
        for state in State::ALL {
            assert_eq!(State::named(state.as_str()), Some(state));
            for event in ends {
                let Some(over) = state.on(event) else { continue };
                assert!(over.is_over());
                assert!(ends.into_iter().all(|next| over.on(next).is_none()), "{over:?}");
            }
        }
        assert_eq!(State::Held.on(Event::Lapse), None, "what is held does not just go away");
        assert_eq!(State::Opened.on(Event::Settle), None);
    }

    #[test]
    fn an_amount_has_bounds_and_says_which() {
        assert_eq!(amount("25".parse().unwrap(), Currency::EUR), Ok(Money::new(2_500, Currency::EUR)));
        let small = amount("4.99".parse().unwrap(), Currency::EUR).unwrap_err();
        assert_eq!(small, "The amount is too small: 5 EUR is the smallest.");
        let large = amount("200.01".parse().unwrap(), Currency::EUR).unwrap_err();
        assert_eq!(large, "The amount is too large: 200 EUR is the largest.");
    }
}
