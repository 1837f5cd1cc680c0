//! A location, a session and a CDR, for letters that carry one.

use charge::Timestamp;
use charge::money::{Currency, Price};
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::record::{AuthMethod, Cdr, Period, RecordPlace, RecordToken, Session, SessionStatus};
use charge::tariff::{BookingFees, Tariff};
use charge::units::{Energy, Power};
use rust_decimal::Decimal;

use super::*;

const BEGIN: Timestamp = Timestamp::from_secs(1_790_000_000);
const END: Timestamp = Timestamp::from_secs(1_790_003_600);

pub(in crate::road) fn location() -> Location {
    Location {
        party: party("DE-OPA"),
        id: "LOC1".parse().unwrap(),
        name: None,
        address: "Markt 1".to_owned(),
        city: "Münster".to_owned(),
        postal_code: Some("48143".to_owned()),
        country: "DEU".to_owned(),
        position: Position::new(519_620_000, 76_280_001).unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: vec![Evse {
            uid: "LOC1-1".parse().unwrap(),
            id: Some("DE*OPA*E1".parse().unwrap()),
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
            capabilities: charge::place::Capabilities::NONE,
            physical_reference: None,
            last_updated: BEGIN,
        }],
        last_updated: BEGIN,
    }
}

fn record_token() -> RecordToken {
    RecordToken {
        party: party("DE-8AA"),
        uid: Personal::new(TokenUid::new("DE8AACONETIME1X").unwrap()),
        kind: TokenKind::Other,
        contract: Personal::new(ContractId::new("DE-8AA-CONETIME1-X").unwrap()),
    }
}

fn periods() -> Vec<Period> {
    vec![Period { start: BEGIN, energy: Some(Energy::from_wh(11_000)), charging: true, max_power: None }]
}

pub(super) fn session() -> Session {
    Session {
        party: party("DE-OPA"),
        id: "S1".parse().unwrap(),
        start: BEGIN,
        end: None,
        energy: Energy::from_wh(11_000),
        token: record_token(),
        auth_method: AuthMethod::Request,
        reference: None,
        location: "LOC1".parse().unwrap(),
        evse: "LOC1-1".parse().unwrap(),
        connector: "1".parse().unwrap(),
        currency: Currency::EUR,
        periods: periods(),
        total_cost: Some(Price { before_vat: Decimal::new(440, 2), with_vat: Some(Decimal::new(5236, 3)) }),
        status: SessionStatus::Active,
        last_updated: END,
    }
}

pub(super) fn cdr() -> Cdr {
    Cdr {
        party: party("DE-OPA"),
        id: "C1".parse().unwrap(),
        start: BEGIN,
        end: END,
        session: Some("S1".parse().unwrap()),
        booking: None,
        token: record_token(),
        auth_method: AuthMethod::Request,
        reference: None,
        place: RecordPlace {
            id: "LOC1".parse().unwrap(),
            name: None,
            address: "Markt 1".to_owned(),
            city: "Münster".to_owned(),
            postal_code: None,
            country: "DEU".to_owned(),
            position: Position::new(519_620_000, 76_280_001).unwrap(),
            evse_uid: "LOC1-1".parse().unwrap(),
            evse_id: "DE*OPA*E1".parse().unwrap(),
            connector: "1".parse().unwrap(),
            plug: "IEC_62196_T2".into(),
            attached_cable: false,
            current: Current::Ac3Phase,
        },
        meter: None,
        currency: Currency::EUR,
        tariff: Tariff {
            party: party("DE-OPA"),
            id: "T1".parse().unwrap(),
            currency: Currency::EUR,
            text: None,
            elements: Vec::new(),
            min_price: None,
            max_price: None,
            valid_from: None,
            valid_until: None,
            booking: BookingFees::default(),
            last_updated: BEGIN,
        },
        periods: periods(),
        signed: Vec::new(),
        energy: Energy::from_wh(11_000),
        total_time_h: Decimal::ONE,
        parking_time_h: Decimal::ZERO,
        total_cost: Price { before_vat: Decimal::new(440, 2), with_vat: Some(Decimal::new(5236, 3)) },
        energy_cost: None,
        time_cost: None,
        parking_cost: None,
        fixed_cost: None,
        remark: None,
        credit: false,
        credit_reference: None,
        last_updated: END,
    }
}

/// Forty cents for a kilowatt-hour.
pub(super) fn tariff(party: PartyId, id: charge::id::TariffId) -> Tariff {
    let component = charge::tariff::Component {
        dimension: charge::tariff::Dimension::Energy,
        price: Decimal::new(40, 2),
        vat_percent: None,
        step_size: 1,
    };
    let element = charge::tariff::Element { components: vec![component], restrictions: Default::default() };
    Tariff { party, id, elements: vec![element], ..cdr().tariff }
}
