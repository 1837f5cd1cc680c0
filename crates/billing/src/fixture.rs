//! Signed records and tariffs for the tests of this crate, made by our own signer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::id::{EvseId, PartyId, TariffId};
use charge::meter::SignedRecord;
use charge::money::Currency;
use charge::record::Period;
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::units::Energy;
use charge::{Decimal, Timestamp};
use trust::sign::SigningKey;

use crate::record::ClockQuality::Synchronised;
use crate::record::ocmf::{GatewayPlate, Ident, IdentKind, IdentLevel, MeterPlate, Moment, SignedReading, Signer};

pub(crate) fn signer(serial: &str) -> Signer {
    let key = SigningKey::generate().unwrap().to_pkcs8_der().unwrap();
    signer_of(key.expose(), serial)
}

pub(crate) fn signer_of(pkcs8_der: &[u8], serial: &str) -> Signer {
    let plate = MeterPlate {
        vendor: "Leyden".to_owned(),
        model: "Virtual AC".to_owned(),
        serial: serial.to_owned(),
        firmware: "1.0.0".to_owned(),
    };
    let gateway =
        GatewayPlate { id: "Leyden VS".to_owned(), serial: format!("GW-{serial}"), version: "1.0.0".to_owned() };
    Signer::new(pkcs8_der, plate, gateway).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) const BEGIN: &str = "2026-11-22T10:00:00Z";
pub(crate) const END: &str = "2026-11-22T11:30:00Z";

pub(crate) fn begin(wh: i64) -> SignedReading {
    SignedReading { at: at(BEGIN), tx: Moment::Begin, energy: Energy::from_wh(wh), clock: Synchronised }
}

pub(crate) fn end(wh: i64) -> SignedReading {
    SignedReading { at: at(END), tx: Moment::End, energy: Energy::from_wh(wh), clock: Synchronised }
}

pub(crate) fn alias(data: &str) -> Ident {
    Ident { kind: IdentKind::Central, level: IdentLevel::Trusted, data: data.to_owned() }
}

pub(crate) fn signed(signer: &Signer, page: u64, readings: &[SignedReading]) -> SignedRecord {
    let evse = EvseId::new("DE*LEY*E0001").unwrap();
    signer.sign(page, readings, &alias("A1B2C3D4E5"), &evse, None).unwrap()
}

/// A file of the field's shared test data, which lies beside the repository; says loudly when it is not there.
pub(crate) fn shared(path: &str) -> Option<String> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!("SKIPPED: no {}", file.display());
    }
    text
}

pub(crate) fn component(dimension: Dimension, price: &str, vat: Option<&str>, step_size: u32) -> Component {
    Component { dimension, price: dec(price), vat_percent: vat.map(dec), step_size }
}

pub(crate) fn element(components: Vec<Component>) -> Element {
    Element { components, restrictions: Restrictions::default() }
}

pub(crate) fn tariff(elements: Vec<Element>) -> Tariff {
    Tariff {
        party: PartyId::new("DE", "LEY").unwrap(),
        id: TariffId::new("T1").unwrap(),
        currency: Currency::EUR,
        text: None,
        elements,
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: at("2026-01-01T00:00:00Z"),
    }
}

pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn charging(start: &str, wh: i64) -> Period {
    Period { start: at(start), energy: Some(Energy::from_wh(wh)), charging: true, max_power: None }
}

pub(crate) fn parking(start: &str) -> Period {
    Period { start: at(start), energy: None, charging: false, max_power: None }
}
