//! How an EVSE can give power: the fifteen words of OICP 2.0 and the numbers of 2.3.
//!
//! A word is a class with an upper limit, so a word made from numbers loses them and numbers made from a word are the
//! limit of its class. Deliberately without floats.

use charge::Decimal;

use crate::doc::decimal;
use crate::doc::{Doc, Record};
use crate::v20::FACILITIES;

/// Power type, volts, amperes and kilowatts of each word of [`FACILITIES`], in their order. `Battery exchange` and
/// `Unspecified` have none.
const CLASSES: [Option<(&str, u32, u32, u32)>; 15] = [
    Some(("AC_1_PHASE", 120, 10, 1)),
    Some(("AC_1_PHASE", 120, 16, 2)),
    Some(("AC_1_PHASE", 120, 32, 4)),
    Some(("AC_1_PHASE", 240, 10, 2)),
    Some(("AC_1_PHASE", 240, 16, 4)),
    Some(("AC_1_PHASE", 240, 32, 7)),
    Some(("AC_1_PHASE", 240, 63, 15)),
    Some(("AC_3_PHASE", 400, 16, 11)),
    Some(("AC_3_PHASE", 400, 32, 22)),
    Some(("AC_3_PHASE", 400, 63, 43)),
    None,
    Some(("DC", 0, 0, 20)),
    Some(("DC", 0, 0, 50)),
    Some(("DC", 0, 0, 150)),
    None,
];

/// The numbers of a word's class, with the charging modes that 2.0 states beside it.
pub fn of_word(word: &Doc, modes: Option<&Doc>) -> Option<Record> {
    let Doc::Text(word) = word else { return None };
    let (power_type, volts, amperes, kilowatts) = CLASSES[FACILITIES.iter().position(|each| each == word)?]?;
    let modes = match modes {
        Some(Doc::Record(list)) => list.get("ChargingMode").cloned(),
        Some(Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) | Doc::List(_)) | None => None,
    };
    let record = Record::default()
        .with("PowerType", power_type)
        .maybe("Voltage", (volts > 0).then_some(volts))
        .maybe("Amperage", (amperes > 0).then_some(amperes))
        .with("Power", kilowatts)
        .maybe("ChargingModes", modes);
    Some(record)
}

/// The narrowest word that holds the numbers.
pub fn word_of(facility: &Record) -> &'static str {
    let number = |name| facility.text(name).and_then(decimal);
    let power = number("Power").unwrap_or_default();
    let amperes = number("Amperage");
    let volts = number("Voltage");
    let at = match facility.text("PowerType") {
        Some("DC") if power <= Decimal::from(20) => 11,
        Some("DC") if power <= Decimal::from(50) => 12,
        Some("DC") => 13,
        Some("AC_3_PHASE") => {
            let amperes = amperes.unwrap_or_else(|| power * Decimal::from(1_000) / Decimal::from(3 * 230));
            step(amperes, &[(16, 7), (32, 8), (63, 9)], 14)
        }
        Some("AC_1_PHASE") => {
            let amperes = amperes.unwrap_or_else(|| power * Decimal::from(1_000) / Decimal::from(230));
            match volts {
                Some(volts) if volts <= Decimal::from(120) => step(amperes, &[(10, 0), (16, 1), (32, 2)], 14),
                Some(_) | None => step(amperes, &[(10, 3), (16, 4), (32, 5)], 6),
            }
        }
        Some(_) | None => 14,
    };
    FACILITIES[at]
}

fn step(amperes: Decimal, steps: &[(u32, usize)], beyond: usize) -> usize {
    steps.iter().find(|(limit, _)| amperes <= Decimal::from(*limit)).map_or(beyond, |(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_word_are_in_its_own_class() {
        for word in FACILITIES {
            match of_word(&Doc::from(*word), None) {
                Some(facility) => assert_eq!(word_of(&facility), *word),
                None => assert!(["Battery exchange", "Unspecified"].contains(word)),
            }
        }
    }

    #[test]
    fn power_alone_finds_a_class() {
        let facility =
            |power_type: &str, power: u32| Record::default().with("PowerType", power_type).with("Power", power);
        assert_eq!(word_of(&facility("AC_3_PHASE", 22)), "380 - 480V, 3-Phase ≤32A");
        assert_eq!(word_of(&facility("AC_1_PHASE", 3)), "200 - 240V, 1-Phase ≤16A");
        assert_eq!(word_of(&facility("DC", 350)), "DC Charging >50kW");
    }
}
