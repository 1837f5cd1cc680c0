//! Measured values: the standards' measurand, unit and number, and our exact quantities.
//!
//! Both versions share the measurands' names and units, so both bridges use this table. Deliberately no floats:
//! what is finer than a milliwatt-hour is cut. Invariant: the fraction digits of a number that is kept as a number
//! stay as written.

use charge::Decimal;
use charge::meter::{Context, Measured, SignedRecord};
use charge::units::{Energy, Power};

const IMPORT: &str = "Energy.Active.Import.Register";
const EXPORT: &str = "Energy.Active.Export.Register";
const POWER: &str = "Power.Active.Import";
const CHARGE: &str = "SoC";

/// The encodings that are told by how a signed text begins.
const OCMF: &str = "OCMF";

/// What a value means. `measurand` and `unit` are empty where the station left them out.
pub(super) fn measured(measurand: &str, value: Decimal, unit: &str) -> Measured {
    let measurand = if measurand.is_empty() { IMPORT } else { measurand };
    let unit = if unit.is_empty() { default_unit(measurand) } else { unit };
    let known = match measurand {
        IMPORT => energy(value, unit).map(Measured::EnergyImport),
        EXPORT => energy(value, unit).map(Measured::EnergyExport),
        POWER => power(value, unit).map(Measured::PowerImport),
        CHARGE if unit == "Percent" => Some(Measured::StateOfCharge(value)),
        _ => None,
    };
    known.unwrap_or_else(|| Measured::Other { measurand: measurand.into(), value, unit: unit.into() })
}

/// OCPP 1.6, 7.45 and 2.0.1, 2.45: watt-hours for energy; the rest is what stations mean when they say nothing.
fn default_unit(measurand: &str) -> &'static str {
    match measurand {
        _ if measurand.starts_with("Energy.Active") => "Wh",
        _ if measurand.starts_with("Energy.Reactive") => "varh",
        POWER => "W",
        CHARGE => "Percent",
        _ => "",
    }
}

fn energy(value: Decimal, unit: &str) -> Option<Energy> {
    match unit {
        "kWh" => Energy::from_kwh(value),
        "Wh" => Energy::from_kwh(value.checked_mul(Decimal::new(1, 3))?),
        _ => None,
    }
}

fn power(value: Decimal, unit: &str) -> Option<Power> {
    let milliwatts = match unit {
        "kW" => value.checked_mul(Decimal::from(1_000_000))?,
        "W" => value.checked_mul(Decimal::from(1_000))?,
        _ => return None,
    };
    i64::try_from(milliwatts.trunc()).ok().map(Power::from_milliwatts)
}

/// Measurand, number and unit of an unsigned value; `None` for a signed record.
pub(super) fn spelled(measured: &Measured) -> Option<(&str, Decimal, &str)> {
    match measured {
        Measured::EnergyImport(energy) => Some((IMPORT, Decimal::new(energy.mwh(), 3).normalize(), "Wh")),
        Measured::EnergyExport(energy) => Some((EXPORT, Decimal::new(energy.mwh(), 3).normalize(), "Wh")),
        Measured::PowerImport(power) => Some((POWER, Decimal::new(power.milliwatts(), 3).normalize(), "W")),
        Measured::StateOfCharge(percent) => Some((CHARGE, *percent, "Percent")),
        Measured::Other { measurand, value, unit } => Some((measurand, *value, unit)),
        Measured::Signed(_) => None,
    }
}

/// `ReadingContext`, which both versions spell alike; what is absent is a periodic sample.
pub(super) fn context(word: Option<&str>) -> Context {
    match word {
        None | Some("Sample.Periodic") => Context::SamplePeriodic,
        Some("Transaction.Begin") => Context::TransactionBegin,
        Some("Transaction.End") => Context::TransactionEnd,
        Some("Sample.Clock") => Context::SampleClock,
        Some("Interruption.Begin") => Context::InterruptionBegin,
        Some("Interruption.End") => Context::InterruptionEnd,
        Some("Trigger") => Context::Trigger,
        Some(_) => Context::Other,
    }
}

pub(super) const fn context_word(context: Context) -> &'static str {
    match context {
        Context::TransactionBegin => "Transaction.Begin",
        Context::SamplePeriodic => "Sample.Periodic",
        Context::SampleClock => "Sample.Clock",
        Context::TransactionEnd => "Transaction.End",
        Context::InterruptionBegin => "Interruption.Begin",
        Context::InterruptionEnd => "Interruption.End",
        Context::Trigger => "Trigger",
        Context::Other => "Other",
    }
}

/// A signed record from its bytes, with the encoding told by the bytes where the sender does not tell it.
pub(super) fn signed(format: &str, bytes: Vec<u8>, public_key: &str) -> SignedRecord {
    let format = match format {
        "" if bytes.starts_with(b"OCMF|") => OCMF,
        "" if bytes.starts_with(b"AP;") => "ALFEN",
        "" => "Other",
        told => told,
    };
    let public_key = (!public_key.is_empty()).then(|| public_key.into());
    SignedRecord { format: format.into(), bytes: bytes.into(), public_key }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn values_are_exact_and_come_back() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let table = [
            ("", "2935.600", "kWh", Measured::EnergyImport(Energy::from_mwh(2_935_600_000))),
            (IMPORT, "5", "", Measured::EnergyImport(Energy::from_wh(5))),
            (IMPORT, "0.001", "Wh", Measured::EnergyImport(Energy::from_mwh(1))),
            (POWER, "11.0125", "kW", Measured::PowerImport(Power::from_milliwatts(11_012_500))),
            (CHARGE, "55.5", "", Measured::StateOfCharge(number("55.5"))),
        ];
        for (measurand, value, unit, expected) in table {
            let got = measured(measurand, number(value), unit);
            assert_eq!(got, expected);
            let (measurand, value, unit) = spelled(&got).unwrap();
            assert_eq!(measured(measurand, value, unit), expected);
        }
        let odd = measured("Temperature", number("14.50"), "C");
        assert_eq!(spelled(&odd).map(|(m, v, u)| (m, v.to_string(), u)), Some(("Temperature", "14.50".into(), "C")));
        let strange = measured(IMPORT, number("1"), "A");
        assert!(matches!(strange, Measured::Other { .. }));
    }
}
