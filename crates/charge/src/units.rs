//! Energy and power as whole numbers with their unit in the name.

use std::fmt;

use rust_decimal::Decimal;

/// Electrical energy in milliwatt-hours: 1 kWh = 1 000 000 mWh. Range ±9.2 · 10¹² kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Energy(i64);

impl Energy {
    pub const ZERO: Self = Self(0);

    pub const fn from_mwh(mwh: i64) -> Self {
        Self(mwh)
    }

    pub const fn from_wh(wh: i64) -> Self {
        Self(wh.saturating_mul(1_000))
    }

    /// Exact where the decimal has at most six places of a kilowatt-hour; finer digits are cut, not rounded up.
    pub fn from_kwh(kwh: Decimal) -> Option<Self> {
        kwh.checked_mul(Decimal::from(1_000_000))
            .and_then(|mwh| i64::try_from(mwh.trunc().mantissa_at_scale_zero()?).ok())
            .map(Self)
    }

    pub const fn mwh(self) -> i64 {
        self.0
    }

    /// Whole watt-hours, cut towards zero.
    pub const fn wh(self) -> i64 {
        self.0 / 1_000
    }

    pub fn kwh(self) -> Decimal {
        Decimal::new(self.0, 6)
    }

    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(left) => Some(Self(left)),
            None => None,
        }
    }

    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }
}

/// `12.345 kWh`, without trailing zeros.
impl fmt::Display for Energy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kWh", self.kwh().normalize())
    }
}

/// Electrical power in milliwatts; negative while a car feeds back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Power(i64);

impl Power {
    pub const ZERO: Self = Self(0);

    pub const fn from_milliwatts(mw: i64) -> Self {
        Self(mw)
    }

    pub const fn from_watts(w: i64) -> Self {
        Self(w.saturating_mul(1_000))
    }

    pub const fn milliwatts(self) -> i64 {
        self.0
    }

    pub const fn watts(self) -> i64 {
        self.0 / 1_000
    }

    pub fn kilowatts(self) -> Decimal {
        Decimal::new(self.0, 6)
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kW", self.kilowatts().normalize())
    }
}

/// The whole part of a decimal as an integer.
trait WholePart {
    fn mantissa_at_scale_zero(self) -> Option<i128>;
}

impl WholePart for Decimal {
    fn mantissa_at_scale_zero(self) -> Option<i128> {
        let whole = self.trunc();
        let scale = 10i128.checked_pow(whole.scale())?;
        Some(whole.mantissa() / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_is_exact_to_the_milliwatt_hour() {
        let kwh: Decimal = "12.345678".parse().unwrap_or_default();
        assert_eq!(Energy::from_kwh(kwh), Some(Energy::from_mwh(12_345_678)));
        assert_eq!(Energy::from_mwh(12_345_678).kwh(), kwh);
        assert_eq!(Energy::from_wh(1_500).to_string(), "1.5 kWh");
        assert_eq!(Energy::from_kwh(Decimal::MAX), None);
    }
}
