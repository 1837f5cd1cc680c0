//! Invoice lines and their totals: the only place where money is rounded.
//!
//! Lines stay exact and are shown so. The net sum of each VAT rate is rounded once, half up, to the currency's minor
//! unit; its VAT is worked out from that rounded sum, as EN 16931 wants it (BR-CO-17). Numbers, dates and parties of an
//! invoice belong to the room that issues it.

use std::collections::BTreeMap;

use charge::Decimal;
use charge::id::CdrId;
use charge::money::{Currency, Money};
use charge::tariff::Dimension;

use crate::price::Priced;

/// One line of an invoice: exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceLine {
    pub text: String,
    pub quantity: Decimal,
    /// `kWh`, `h` or `session`.
    pub unit: String,
    /// For the whole line, before VAT, unrounded.
    pub net: Decimal,
    pub vat_percent: Decimal,
    pub cdr: CdrId,
}

/// An invoice as it is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    pub currency: Currency,
    pub lines: Vec<InvoiceLine>,
    pub totals: Totals,
}

/// What is owed at one VAT rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VatRate {
    pub percent: Decimal,
    pub net: Money,
    pub vat: Money,
    pub gross: Money,
}

/// What is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// By rising rate.
    pub per_rate: Vec<VatRate>,
    pub net: Money,
    pub vat: Money,
    pub gross: Money,
}

/// The amounts are too large to be owed by anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the amounts of the invoice are too large")]
pub struct TooLarge;

impl Invoice {
    /// The invoice over these lines.
    pub fn of(currency: Currency, lines: Vec<InvoiceLine>) -> Result<Self, TooLarge> {
        let totals = total(&lines, &currency)?;
        Ok(Self { currency, lines, totals })
    }
}

/// The lines that a priced CDR puts on an invoice. `vat_percent` is the rate of the leg between seller and buyer, which
/// may be another than the tariff's.
pub fn lines(cdr: &CdrId, priced: &Priced, vat_percent: Decimal) -> Vec<InvoiceLine> {
    let line = |text: &str, quantity, unit: &str, net| InvoiceLine {
        text: text.to_owned(),
        quantity,
        unit: unit.to_owned(),
        net,
        vat_percent,
        cdr: cdr.clone(),
    };
    let priced_lines = priced.lines.iter().map(|l| line(name(l.dimension), l.quantity, l.unit, l.amount.before_vat));
    let adjusted = priced.adjustment.iter().map(|a| line(a.rule, Decimal::ONE, "session", a.amount.before_vat));
    priced_lines.chain(adjusted).collect()
}

/// The lines that take a credited CDR back.
pub fn credit_lines(cdr: &CdrId, priced: &Priced, vat_percent: Decimal) -> Vec<InvoiceLine> {
    let negative = |line: InvoiceLine| InvoiceLine { net: -line.net, ..line };
    lines(cdr, priced, vat_percent).into_iter().map(negative).collect()
}

const fn name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Energy => "Energy",
        Dimension::Flat => "Session fee",
        Dimension::ParkingTime => "Occupancy",
        Dimension::Time => "Charging time",
    }
}

/// Totals: the net sum of a VAT rate is rounded once, half up, and its VAT is worked out from that.
pub fn total(lines: &[InvoiceLine], currency: &Currency) -> Result<Totals, TooLarge> {
    let mut nets: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for line in lines {
        let net = nets.entry(line.vat_percent).or_default();
        *net = net.checked_add(line.net).ok_or(TooLarge)?;
    }
    let per_rate = nets
        .into_iter()
        .map(|(percent, net)| rate(percent, net, *currency).ok_or(TooLarge))
        .collect::<Result<Vec<_>, _>>()?;
    let sum = |of: fn(&VatRate) -> Money| {
        let zero = Money::new(0, *currency);
        per_rate.iter().map(of).try_fold(zero, Money::checked_add).ok_or(TooLarge)
    };
    Ok(Totals { net: sum(|r| r.net)?, vat: sum(|r| r.vat)?, gross: sum(|r| r.gross)?, per_rate })
}

fn rate(percent: Decimal, net: Decimal, currency: Currency) -> Option<VatRate> {
    let net = Money::rounded(net, currency)?;
    let vat = net.decimal().checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?;
    let vat = Money::rounded(vat, currency)?;
    Some(VatRate { percent: percent.normalize(), net, vat, gross: net.checked_add(vat)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn line(net: &str, vat_percent: &str) -> InvoiceLine {
        InvoiceLine {
            text: "Energy".to_owned(),
            quantity: Decimal::ONE,
            unit: "kWh".to_owned(),
            net: net.parse().unwrap(),
            vat_percent: vat_percent.parse().unwrap(),
            cdr: CdrId::new("C1").unwrap(),
        }
    }

    fn euros(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    #[test]
    fn each_rate_is_rounded_once_and_half_up() {
        // three lines of 1.875: rounded one by one they would be 5.64
        let lines = [line("1.875", "19"), line("1.875", "19.0"), line("1.875", "19"), line("0.50", "7")];
        let totals = total(&lines, &Currency::EUR).unwrap();
        let seven = VatRate { percent: 7.into(), net: euros(50), vat: euros(4), gross: euros(54) };
        let nineteen = VatRate { percent: 19.into(), net: euros(563), vat: euros(107), gross: euros(670) };
        assert_eq!(totals.per_rate, [seven, nineteen]);
        assert_eq!((totals.net, totals.vat, totals.gross), (euros(613), euros(111), euros(724)));
    }

    #[test]
    fn a_credit_is_the_mirror_of_its_invoice() {
        let there = total(&[line("5.625", "19")], &Currency::EUR).unwrap();
        let back = total(&[line("-5.625", "19")], &Currency::EUR).unwrap();
        assert_eq!(back.gross.checked_add(there.gross), Some(euros(0)));
        let both = total(&[line("5.625", "19"), line("-5.625", "19")], &Currency::EUR).unwrap();
        assert_eq!(both.gross, euros(0));
    }

    #[test]
    fn no_lines_owe_nothing_and_absurd_ones_are_refused() {
        assert_eq!(total(&[], &Currency::EUR).unwrap().gross, euros(0));
        assert_eq!(total(&[line("79228162514264337593543950335", "19")], &Currency::EUR), Err(TooLarge));
    }

    #[test]
    fn a_currency_without_cents_is_rounded_to_its_unit() {
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(total(&[line("100.5", "10")], &yen).unwrap().gross, Money::new(111, yen));
    }

    #[test]
    fn a_priced_session_becomes_lines_and_its_credit_takes_them_back() {
        use crate::fixture::{at, charging, component, dec, element, tariff};
        let mut tariff = tariff(vec![element(vec![
            component(Dimension::Flat, "0.50", Some("19"), 1),
            component(Dimension::Energy, "0.40", Some("19"), 1),
        ])]);
        tariff.min_price = Some(charge::money::Price { before_vat: dec("3"), with_vat: None });
        let periods = [charging("2026-01-14T10:00:00Z", 5_000)];
        let priced = crate::price::price(&tariff, "Europe/Berlin", &periods, at("2026-01-14T11:00:00Z")).unwrap();
        let cdr = CdrId::new("C1").unwrap();
        let lines = lines(&cdr, &priced, dec("20"));
        let shown: Vec<_> = lines.iter().map(|l| format!("{} {} {} {}", l.quantity, l.unit, l.text, l.net)).collect();
        let expected = ["5 kWh Energy 2", "1 session Session fee 0.5", "1 session the tariff's minimum price 0.5"];
        assert_eq!(shown, expected);
        assert_eq!(total(&lines, &Currency::EUR).unwrap().gross, euros(360));
        let back = credit_lines(&cdr, &priced, dec("20"));
        assert_eq!(total(&back, &Currency::EUR).unwrap().gross, euros(-360));
    }
}
