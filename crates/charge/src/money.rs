//! Money: exact amounts while a price is being worked out, minor units once it is owed.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const EUR: Self = Self(*b"EUR");

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimal places the minor unit has (ISO 4217): 2 for most.
    pub fn minor_digits(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        match text.as_bytes() {
            [a, b, c] if text.bytes().all(|x| x.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(NotACurrency),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACurrency;

impl fmt::Display for NotACurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an ISO 4217 currency code")
    }
}

impl std::error::Error for NotACurrency {}

/// What is owed, in minor units (cents): the only form that reaches an invoice total or a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Rounds half up (away from zero) to the currency's minor unit: once, on the invoice, per VAT rate.
    pub fn rounded(exact: Decimal, currency: Currency) -> Option<Self> {
        let digits = currency.minor_digits();
        let rounded = exact.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
        let scaled = rounded.checked_mul(Decimal::from(10i64.pow(digits)))?.normalize();
        (scaled.scale() == 0).then_some(())?;
        i64::try_from(scaled.mantissa()).ok().map(|minor| Self { minor, currency })
    }

    pub fn decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.minor_digits())
    }

    /// `None` on overflow or where the currencies differ.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        (self.currency == other.currency).then_some(())?;
        self.minor.checked_add(other.minor).map(|minor| Self { minor, ..self })
    }
}

/// `12.34 EUR`
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

/// A price with and without VAT, exact and unrounded, as OCPI carries it (`excl_vat`, `incl_vat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    pub before_vat: Decimal,
    /// `None` where the tariff says nothing about VAT.
    pub with_vat: Option<Decimal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_half_up_and_once() {
        let exact = |text: &str| text.parse::<Decimal>().unwrap_or_default();
        assert_eq!(Money::rounded(exact("5.625"), Currency::EUR), Some(Money::new(563, Currency::EUR)));
        assert_eq!(Money::rounded(exact("-5.625"), Currency::EUR), Some(Money::new(-563, Currency::EUR)));
        assert_eq!(Money::rounded(exact("40"), Currency::EUR), Some(Money::new(4_000, Currency::EUR)));
        assert_eq!(Money::new(1234, Currency::EUR).to_string(), "12.34 EUR");
        assert_eq!("eur".parse::<Currency>(), Err(NotACurrency));
    }
}
