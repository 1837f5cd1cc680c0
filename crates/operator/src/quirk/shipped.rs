//! The profiles that the program brings along: makes of which the field reports a habit, and what serves it.
//!
//! Most of it is usual anyway; it is named here so that it stays on where an operator narrows what is usual.

use charge::talk::line::quirk::Quirk;

use super::Shipped;

const fn make(name: &'static str, vendor: &'static str, model: &'static str, on: &'static [Quirk]) -> Shipped {
    Shipped { name, vendor, model, firmware: "*", on }
}

pub const SHIPPED: &[Shipped] = &[
    make("Amperfied wallbox", "Amperfied*", "*", &[Quirk::NoValue, Quirk::NoTime]),
    make("Charge Amps", "Charge*Amps*", "*", &[Quirk::UnknownWord]),
    make("FoxESS A series", "FoxESS*", "A*", &[Quirk::OldVersion, Quirk::NoConnector]),
    make("Grizzl-E", "*Grizzl*", "*", &[Quirk::NoConnector, Quirk::Null]),
    make("Growatt THOR", "Growatt*", "THOR*", &[Quirk::NoZone]),
    make("Huawei SCharger", "Huawei*", "*", &[Quirk::LoneObject]),
    make("Legrand", "Legrand*", "*", &[Quirk::LetterCase, Quirk::UnknownWord]),
    make("OpenEVSE", "OpenEVSE*", "*", &[Quirk::UnknownWord, Quirk::UnsetClock]),
    make("StarCharge", "Star*Charge*", "*", &[Quirk::NumericId]),
    make("Wallbox", "Wall*Box*", "*", &[Quirk::QuotedNumber, Quirk::OddNumber]),
];
