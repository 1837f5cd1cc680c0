//! One of everything, for the tests: values that OCPI can carry without loss.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::meter::SignedRecord;
use charge::money::{Currency, Price};
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::record::{AuthMethod, Cdr, Nature, Period, RecordPlace, RecordToken, Session, SessionStatus, SignedValue};
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Restrictions, Tariff};
use charge::token::{ContractId, IssuedToken, PresentedToken, TokenKind, TokenUid};
use charge::units::{Energy, Power};
use charge::{Decimal, Personal, Timestamp};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn exact(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn price(before: &str, with: &str) -> Price {
    Price { before_vat: exact(before), with_vat: Some(exact(with)) }
}

pub(crate) fn uid(text: &str) -> Personal<TokenUid> {
    Personal::new(TokenUid::new(text).unwrap())
}

pub(crate) fn contract() -> Personal<ContractId> {
    Personal::new(ContractId::new("DE-8AA-C12345678-5").unwrap())
}

pub(crate) fn presented(kind: TokenKind) -> PresentedToken {
    PresentedToken { uid: uid("04A2/B3 C4"), kind }
}

pub(crate) fn token() -> IssuedToken {
    IssuedToken {
        party: "DE-8AA".parse().unwrap(),
        uid: uid("04A2/B3 C4"),
        kind: TokenKind::AdHocUser,
        contract: contract(),
        valid: true,
        last_updated: at("2026-11-22T15:04:05Z"),
    }
}

pub(crate) fn location() -> Location {
    Location {
        party: "DE-OPA".parse().unwrap(),
        id: "LOC1".parse().unwrap(),
        name: Some("Am Markt".to_owned()),
        address: "Markt 1".to_owned(),
        city: "Münster".to_owned(),
        postal_code: Some("48143".to_owned()),
        country: "DEU".to_owned(),
        position: Position::new(519_620_000, 76_280_001).unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: Some("Stadtwerke".to_owned()),
        evses: vec![Evse {
            uid: "LOC1-1".parse().unwrap(),
            id: Some("DE*OPA*E1*1".parse().unwrap()),
            status: EvseStatus::Available,
            connectors: vec![Connector {
                id: "1".parse().unwrap(),
                plug: Plug::Type2,
                attached_cable: false,
                current: Current::Ac3Phase,
                max_voltage_v: 230,
                max_amperage_a: 32,
                max_power: Power::from_watts(22_080),
                tariffs: vec!["T1".parse().unwrap()],
            }],
            capabilities: "REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER".parse().unwrap(),
            physical_reference: Some("A1".to_owned()),
            last_updated: at("2026-11-22T15:04:05Z"),
        }],
        last_updated: at("2026-11-22T15:04:05Z"),
    }
}

pub(crate) fn tariff() -> Tariff {
    let component = |dimension, price: &str| Component {
        dimension,
        price: exact(price),
        vat_percent: Some(exact("19")),
        step_size: 1,
    };
    Tariff {
        party: "DE-OPA".parse().unwrap(),
        id: "T1".parse().unwrap(),
        currency: Currency::EUR,
        text: Some("0.49 per kWh".to_owned()),
        elements: vec![
            Element {
                components: vec![component(Dimension::ParkingTime, "6")],
                restrictions: Restrictions {
                    start_minute: Some(8 * 60),
                    end_minute: Some(20 * 60 + 30),
                    start_date: Some("2026-01-01".to_owned()),
                    end_date: Some("2027-01-01".to_owned()),
                    min_energy: Some(Energy::from_wh(1_500)),
                    max_energy: Some(Energy::from_wh(50_000)),
                    min_power: Some(Power::from_watts(3_700)),
                    max_power: Some(Power::from_watts(22_000)),
                    min_duration_s: Some(60),
                    max_duration_s: Some(7_200),
                    days: vec![Day::Monday, Day::Sunday],
                },
            },
            Element {
                components: vec![component(Dimension::Energy, "0.4123"), component(Dimension::Flat, "0.5")],
                restrictions: Restrictions::default(),
            },
        ],
        min_price: Some(price("0.5", "0.6")),
        max_price: None,
        valid_from: Some(at("2026-01-01T00:00:00Z")),
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: at("2026-11-22T15:04:05Z"),
    }
}

fn record_token() -> RecordToken {
    RecordToken { party: "DE-8AA".parse().unwrap(), uid: uid("04A2B3C4"), kind: TokenKind::Rfid, contract: contract() }
}

fn periods() -> Vec<Period> {
    vec![
        Period {
            start: at("2026-11-22T15:00:00Z"),
            energy: Some(Energy::from_mwh(10_123_456)),
            charging: true,
            max_power: Some(Power::from_watts(11_000)),
        },
        Period { start: at("2026-11-22T16:00:00Z"), energy: None, charging: false, max_power: None },
    ]
}

pub(crate) fn session() -> Session {
    Session {
        party: "DE-OPA".parse().unwrap(),
        id: "S1".parse().unwrap(),
        start: at("2026-11-22T15:00:00Z"),
        end: None,
        energy: Energy::from_mwh(10_123_456),
        token: record_token(),
        auth_method: AuthMethod::Request,
        reference: Some("REF-1".parse().unwrap()),
        location: "LOC1".parse().unwrap(),
        evse: "LOC1-1".parse().unwrap(),
        connector: "1".parse().unwrap(),
        currency: Currency::EUR,
        periods: periods(),
        total_cost: Some(price("4.1739", "4.966941")),
        status: SessionStatus::Active,
        last_updated: at("2026-11-22T16:30:00Z"),
    }
}

pub(crate) fn cdr() -> Cdr {
    let signed = |nature, text: &str| SignedValue {
        nature,
        record: SignedRecord {
            format: "OCMF".into(),
            bytes: text.as_bytes().into(),
            public_key: Some("3059301306072A86".into()),
        },
    };
    Cdr {
        party: "DE-OPA".parse().unwrap(),
        id: "CDR-1".parse().unwrap(),
        start: at("2026-11-22T15:00:00Z"),
        end: at("2026-11-22T16:30:00Z"),
        session: Some("S1".parse().unwrap()),
        booking: None,
        token: record_token(),
        auth_method: AuthMethod::Command,
        reference: Some("REF-1".parse().unwrap()),
        place: RecordPlace {
            id: "LOC1".parse().unwrap(),
            name: Some("Am Markt".to_owned()),
            address: "Markt 1".to_owned(),
            city: "Münster".to_owned(),
            postal_code: Some("48143".to_owned()),
            country: "DEU".to_owned(),
            position: Position::new(519_620_000, -76_280_001).unwrap(),
            evse_uid: "LOC1-1".parse().unwrap(),
            evse_id: "DE*OPA*E1*1".parse().unwrap(),
            connector: "1".parse().unwrap(),
            plug: "IEC_62196_T2".into(),
            attached_cable: false,
            current: Current::Ac3Phase,
        },
        meter: Some("1EMH0012345678".to_owned()),
        currency: Currency::EUR,
        tariff: tariff(),
        periods: periods(),
        signed: vec![
            signed(Nature::Start, "OCMF|{\"FV\":\"1.0\",\"PG\":\"T1\"}|{\"SD\":\"00\"}"),
            signed(Nature::End, "OCMF|{\"FV\":\"1.0\",\"PG\":\"T2\"}|{\"SD\":\"01\"}"),
        ],
        energy: Energy::from_mwh(10_123_456),
        total_time_h: exact("1.5"),
        parking_time_h: exact("0.5"),
        total_cost: price("7.6739", "9.131941"),
        energy_cost: Some(price("4.1739", "4.966941")),
        time_cost: None,
        parking_cost: Some(price("3", "3.57")),
        fixed_cost: Some(price("0.5", "0.595")),
        remark: Some("all readings verified".to_owned()),
        credit: false,
        credit_reference: None,
        last_updated: at("2026-11-22T16:31:00Z"),
    }
}
