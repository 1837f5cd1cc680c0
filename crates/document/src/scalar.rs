//! Numbers and times as peers write them.
//!
//! Deliberately no rounding and no guessing beyond what the field is known to do. Invariants: no float; no number so large
//! that reckoning with it overflows.

use charge::Decimal;

/// The longest number in the field has some 20 digits; more is no measurement.
pub const NUMBER_CHARACTERS_MAX: usize = 40;
/// A billion kilowatt-hours or euros: beyond it is no measure, and sums of products of such numbers do not overflow.
pub const NUMBER_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Exact: the digits as written, with an exponent or without.
pub fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.len() > NUMBER_CHARACTERS_MAX {
        return None;
    }
    let number = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok();
    number.filter(|number| number.abs() <= NUMBER_MAX)
}

/// A time of RFC 3339 as it was meant: the field writes a blank for the `T`, and one without an offset is in UTC.
pub fn zoned(text: &str) -> String {
    let mut out = text.trim().replacen(' ', "T", 1);
    if !out.get(10..).is_some_and(|time| time.contains(['Z', 'z', '+', '-'])) {
        out.push('Z');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_monsters_are_none() {
        let said = |text| decimal(text).map(|number| number.to_string());
        assert_eq!(said(" 0.10 ").as_deref(), Some("0.10"));
        assert_eq!(said("1e2").as_deref(), Some("100"));
        assert_eq!(said("-1.5E-3").as_deref(), Some("-0.0015"));
        assert_eq!(said("-1000000000").as_deref(), Some("-1000000000"));
        let long = "1".repeat(41);
        for monster in
            ["", "1e999999999", "true", "0.12345678901234567890123456789012345", "1000000000.1", "1E28", &long]
        {
            assert_eq!(said(monster), None, "{monster}");
        }
    }

    #[test]
    fn times_are_completed() {
        for text in ["2015-06-29T21:39:09Z", "2015-06-29T21:39:09", " 2015-06-29 21:39:09"] {
            assert_eq!(zoned(text), "2015-06-29T21:39:09Z");
        }
        assert_eq!(zoned("2015-06-29T22:39:09+01:00"), "2015-06-29T22:39:09+01:00");
    }
}
