//! One of every message with every field in it, and the road's objects that become them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::id::PartyId;
use charge::meter::SignedRecord;
use charge::money::{self, Price};
use charge::place::{
    Capabilities, Capability, Connector as RoadConnector, Current, Evse, EvseStatus, Location, Plug, Position,
};
use charge::record::{AuthMethod as RoadAuth, Cdr, Nature, Period, RecordPlace, RecordToken, SignedValue};
use charge::tariff::{self as road, BookingFees, Component, Day as WeekDay, Dimension, Restrictions, Tariff};
use charge::token::{ContractId, IssuedToken, TokenKind, TokenUid};
use charge::units::{Energy, Power};
use charge::{Decimal, Personal, Secret, Timestamp};

use crate::bridge;
use crate::message::*;
use crate::scalar::*;
use crate::types::direct::*;
use crate::types::place::*;
use crate::types::record::*;
use crate::types::result::*;
use crate::types::status::*;
use crate::types::tariff::*;
use crate::types::token::*;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn exact(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn operator() -> PartyId {
    "DE-OPA".parse().unwrap()
}

pub(crate) fn provider() -> PartyId {
    "DE-8AA".parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    at("2026-11-22T16:31:00Z")
}

pub(crate) fn issued() -> IssuedToken {
    IssuedToken {
        party: provider(),
        uid: Personal::new(TokenUid::new("04A2B3C4").unwrap()),
        kind: TokenKind::Rfid,
        contract: Personal::new(ContractId::new("DE-8AA-CA2B3C4D5-L").unwrap()),
        valid: true,
        last_updated: now(),
    }
}

pub(crate) fn location() -> Location {
    Location {
        party: operator(),
        id: "LOC1".parse().unwrap(),
        name: Some("Am Markt".to_owned()),
        address: "Markt 1".to_owned(),
        city: "Münster".to_owned(),
        postal_code: Some("48143".to_owned()),
        country: "DEU".to_owned(),
        position: Position::new(519_620_000, -76_280_010).unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: vec![Evse {
            uid: "DEOPAE11".parse().unwrap(),
            id: Some("DE*OPA*E1*1".parse().unwrap()),
            status: EvseStatus::Planned,
            connectors: vec![RoadConnector {
                id: "1".parse().unwrap(),
                plug: Plug::Type2,
                attached_cable: false,
                current: Current::Ac3Phase,
                max_voltage_v: 230,
                max_amperage_a: 32,
                max_power: Power::from_watts(22_080),
                tariffs: vec!["DEOPATT1".parse().unwrap()],
            }],
            capabilities: Capabilities::NONE.with(Capability::RfidReader).with(Capability::Reservable),
            physical_reference: None,
            last_updated: at("2026-11-22T15:04:05Z"),
        }],
        last_updated: at("2026-11-22T15:04:05Z"),
    }
}

pub(crate) fn tariff() -> Tariff {
    let component =
        |dimension, price: &str, step_size| Component { dimension, price: exact(price), vat_percent: None, step_size };
    let element = |component, restrictions| road::Element { components: vec![component], restrictions };
    Tariff {
        party: operator(),
        id: "DEOPATT1".parse().unwrap(),
        currency: money::Currency::EUR,
        text: None,
        elements: vec![
            element(
                component(Dimension::ParkingTime, "6", 360),
                Restrictions {
                    start_minute: Some(8 * 60),
                    end_minute: Some(20 * 60 + 30),
                    min_energy: Some(Energy::from_wh(1_500)),
                    max_power: Some(Power::from_watts(22_000)),
                    min_duration_s: Some(60),
                    days: vec![WeekDay::Monday, WeekDay::Sunday],
                    ..Restrictions::default()
                },
            ),
            element(component(Dimension::Energy, "0.40", 1), Restrictions::default()),
            element(component(Dimension::Flat, "0.5", 1), Restrictions::default()),
        ],
        min_price: None,
        max_price: None,
        valid_from: Some(at("2026-01-01T00:00:00Z")),
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: now(),
    }
}

/// Ten kilowatt-hours at 0.40, half an hour of parking at 6, a fee of 0.50.
pub(crate) fn cdr() -> Cdr {
    let price = |before: &str| Price { before_vat: exact(before), with_vat: None };
    Cdr {
        party: operator(),
        id: "DEOPA77".parse().unwrap(),
        start: at("2026-11-22T15:00:00Z"),
        end: at("2026-11-22T16:30:00Z"),
        session: Some("S1".parse().unwrap()),
        booking: None,
        token: RecordToken { party: provider(), uid: issued().uid, kind: TokenKind::Rfid, contract: issued().contract },
        auth_method: RoadAuth::Request,
        reference: Some("REF-1".parse().unwrap()),
        place: RecordPlace {
            id: "LOC1".parse().unwrap(),
            name: Some("Am Markt".to_owned()),
            address: "Markt 1".to_owned(),
            city: "Münster".to_owned(),
            postal_code: Some("48143".to_owned()),
            country: "DEU".to_owned(),
            position: Position::new(519_620_000, -76_280_010).unwrap(),
            evse_uid: "DEOPAE11".parse().unwrap(),
            evse_id: "DE*OPA*E1*1".parse().unwrap(),
            connector: "1".parse().unwrap(),
            plug: "IEC_62196_T2".into(),
            attached_cable: false,
            current: Current::Ac3Phase,
        },
        meter: Some("1EMH0012345678".to_owned()),
        currency: money::Currency::EUR,
        tariff: tariff(),
        periods: vec![Period {
            start: at("2026-11-22T15:00:00Z"),
            energy: Some(Energy::from_wh(10_000)),
            charging: true,
            max_power: None,
        }],
        signed: vec![SignedValue {
            nature: Nature::End,
            record: SignedRecord { format: "OCMF".into(), bytes: (*b"OCMF|{}|{}").into(), public_key: None },
        }],
        energy: Energy::from_wh(10_000),
        total_time_h: exact("1.5"),
        parking_time_h: exact("0.5"),
        total_cost: price("7.5"),
        energy_cost: Some(price("4")),
        time_cost: None,
        parking_cost: Some(price("3")),
        fixed_cost: Some(price("0.5")),
        remark: None,
        credit: false,
        credit_reference: None,
        last_updated: now(),
    }
}

pub(crate) fn authorisation() -> RoamingAuthorisation {
    let mut entry = bridge::token::authorisation(&issued(), at("2027-11-22T00:00:00Z"), now()).unwrap().value;
    entry.token.sub_kind = Some(TokenSubType::MifareDesfire);
    entry.token.representation = Some(Representation::Plain);
    entry.printed = Text::new("0042").map(Personal::new);
    entry
}

pub(crate) fn charge_point() -> ChargePoint {
    let mut point = bridge::place::charge_points(&location(), true).unwrap().value.remove(0);
    let moment = |text| DateTime::new(at(text));
    point.images.push(Picture {
        uri: Url::new("https://pole.example/a.png").unwrap(),
        thumb: Url::new("https://pole.example/t.png"),
        class: PictureKind::StationPhoto,
        kind: Text::new("png").unwrap(),
        width: Some(640),
        height: Some(480),
    });
    point
        .resources
        .push(RelatedResource { uri: Url::new("https://pole.example").unwrap(), class: ResourceKind::OwnerHomepage });
    point.address.house_number = HouseNumber::new("1 A");
    point.related.push(AdditionalGeoPoint {
        lat: Latitude::new("51.962000").unwrap(),
        lon: Longitude::new("7.628001").unwrap(),
        name: Text::new("Gate"),
        kind: PointKind::Entrance,
    });
    let hours =
        RegularHours { weekday: 1, begin: WallTime::new("08:00").unwrap(), end: WallTime::new("20:00").unwrap() };
    let exception = ExceptionalPeriod { begin: moment("2026-12-24T00:00:00Z"), end: moment("2026-12-25T00:00:00Z") };
    point.hours = Some(Hours {
        regular: vec![hours],
        around_the_clock: None,
        openings: vec![exception.clone()],
        closings: vec![exception],
        closed_charging: true,
    });
    point.schedule.push(Schedule { start: moment("2027-01-01T00:00:00Z"), end: None, standing: Standing::Closed });
    point.telephone = Telephone::new("+49 251 1234");
    point.spots.push(ParkingSpot {
        id: ParkingId::new("DE*OPA*P1").unwrap(),
        rules: vec![ParkingRule::EvOnly],
        floor: SpotName::new("-1"),
        number: SpotNumber::new("12"),
    });
    point.rules.push(ParkingRule::Plugged);
    point.languages.push(Language::new("DEU").unwrap());
    point.max_reservation = Some(30);
    point
}

pub(crate) fn tariff_info() -> TariffInfo {
    let mut info = bridge::tariff::tariff_info(&tariff()).unwrap().value;
    let mut own = info.individual[0].clone();
    own.recipients.push(PartyCode::new("DE8AA").unwrap());
    own.elements[0].restriction.max_duration = Some(7_200);
    info.individual.push(own);
    info
}

pub(crate) fn cdr_info() -> CdrInfo {
    let mut info = bridge::record::cdr_info(&cdr(), Some("Europe/Berlin")).unwrap().value;
    info.ratings = Some(Ratings { maximum_power: exact("22.08"), guaranteed_power: None, nominal_voltage: Some(230) });
    info
}

pub(crate) fn direct() -> Personal<DirectId> {
    Personal::new(DirectId::new("OPA-1").unwrap())
}

pub(crate) fn inform() -> InformProvider {
    let info = cdr_info();
    InformProvider {
        result: DirectResult::ok(),
        message: DirectMessage::Info,
        evse: info.evse.clone(),
        contract: info.contract.clone(),
        direct: direct(),
        ttl: Some(DateTime::new(now())),
        max_power: Some(exact("11")),
        max_current: Some(exact("16")),
        one_phase: Some(false),
        max_energy: Some(exact("20")),
        min_energy: Some(exact("5.5")),
        departure: Some(DateTime::new(now())),
        current_power: Some(exact("3.7")),
        charged_energy: Some(exact("10")),
        meter: Some(MeterReading { value: exact("12345.67"), at: info.end }),
        periods: info.periods,
        current_cost: Some(exact("7.5")),
        currency: Some(info.currency),
    }
}

fn evse_live() -> EvseLive {
    bridge::status::live(cdr_info().evse, EvseStatus::Charging, Some(now())).value
}

fn parking_live() -> ParkingLive {
    let parking = ParkingId::new("DE*OPA*P1").unwrap();
    ParkingLive { parking, status: Major::NotAvailable, ttl: Some(DateTime::new(now())) }
}

fn provider_endpoint() -> ProviderEndpoint {
    ProviderEndpoint {
        url: SecureUrl::new("https://provider.example/direct").unwrap(),
        namespace: Namespace::V14,
        token: AccessToken(Secret::new(Text::new("token-of-today").unwrap())),
        day: Day::new("2026-11-22").unwrap(),
        whitelist: vec![ContractPattern::new("DE8AAC%").unwrap()],
        blacklist: vec![ContractPattern::new("DE8AAC9%").unwrap()],
    }
}

fn operator_endpoint() -> OperatorEndpoint {
    OperatorEndpoint {
        url: SecureUrl::new("https://operator.example/direct").unwrap(),
        namespace: Namespace::V14,
        token: AccessToken(Secret::new(Text::new("token-of-today").unwrap())),
        day: Day::new("2026-11-22").unwrap(),
        whitelist: vec![EvsePattern::new("DEOPAE%").unwrap()],
        blacklist: vec![EvsePattern::new("DEOPAE9%").unwrap()],
    }
}

fn answer() -> DirectAnswer {
    DirectAnswer { result: DirectResult::ok(), direct: Some(direct()), ttl: Some(DateTime::new(now())) }
}

/// One of every operation, question and answer.
pub(crate) fn all() -> Vec<(Request, Response)> {
    let since = || DateTime::new(now());
    let ok = ResultInfo::ok;
    let name = || CdrName { cdr: cdr_info().id, evse: cdr_info().evse };
    let taken = || TokensTaken { result: ResultInfo::new(ResultCode::Partly, "one"), refused: vec![authorisation()] };
    let points = || ChargePoints { points: vec![charge_point()] };
    let points_taken = || ChargePointsTaken { result: ok(), refused: vec![charge_point()] };
    let points_given = || ChargePointsGiven { result: ok(), points: vec![charge_point()] };
    let cdrs_given = || CdrsGiven { result: ok(), cdrs: vec![cdr_info()] };
    let tokens = || Tokens { tokens: vec![authorisation()] };
    vec![
        (Request::SetTokens(tokens()), Response::SetTokens(taken())),
        (Request::UpdateTokens(tokens()), Response::UpdateTokens(taken())),
        (
            Request::GetTokens(Nothing {}),
            Response::GetTokens(TokensGiven { result: ok(), tokens: vec![authorisation()] }),
        ),
        (
            Request::GetTokenUpdates(Since { since: since() }),
            Response::GetTokenUpdates(TokenUpdates { result: ok(), tokens: vec![authorisation()] }),
        ),
        (
            Request::GetToken(TokenWanted { token: authorisation().token }),
            Response::GetToken(TokenGiven { result: ok(), token: Some(authorisation()) }),
        ),
        (
            Request::AddCdrs(Cdrs { cdrs: vec![cdr_info()] }),
            Response::AddCdrs(CdrsTaken { result: ok(), implausible: vec![cdr_info().id] }),
        ),
        (Request::GetCdrs(CdrsWanted { status: Some(CdrStatus::Accepted) }), Response::GetCdrs(cdrs_given())),
        (Request::CheckCdrs(CdrsWanted { status: Some(CdrStatus::Declined) }), Response::CheckCdrs(cdrs_given())),
        (
            Request::ConfirmCdrs(Judged { approved: vec![name()], declined: vec![name()] }),
            Response::ConfirmCdrs(Done { result: ok() }),
        ),
        (Request::SetChargePoints(points()), Response::SetChargePoints(points_taken())),
        (Request::UpdateChargePoints(points()), Response::UpdateChargePoints(points_taken())),
        (Request::GetChargePoints(Nothing {}), Response::GetChargePoints(points_given())),
        (Request::GetChargePointUpdates(Since { since: since() }), Response::GetChargePointUpdates(points_given())),
        (
            Request::UpdateTariffs(Tariffs { tariffs: vec![tariff_info()] }),
            Response::UpdateTariffs(TariffsTaken { result: ok(), refused: vec![tariff_info()] }),
        ),
        (
            Request::GetTariffUpdates(MaybeSince { since: Some(since()) }),
            Response::GetTariffUpdates(TariffsGiven { result: ok(), tariffs: vec![tariff_info()] }),
        ),
        (
            Request::UpdateStatus(Statuses {
                evses: vec![evse_live()],
                parkings: vec![parking_live()],
                ttl: Some(since()),
            }),
            Response::UpdateStatus(Done { result: ok() }),
        ),
        (
            Request::GetStatus(StatusesWanted { since: Some(since()), kind: Some(StatusKind::Parking) }),
            Response::GetStatus(StatusesGiven { combined: vec![], evses: vec![], parkings: vec![parking_live()] }),
        ),
        (
            Request::AddServiceEndpoints(EndpointsAdded {
                providers: vec![provider_endpoint()],
                operators: vec![operator_endpoint()],
            }),
            Response::AddServiceEndpoints(Done { result: ok() }),
        ),
        (
            Request::GetServiceEndpoints(Nothing {}),
            Response::GetServiceEndpoints(EndpointsGiven {
                result: ok(),
                providers: vec![provider_endpoint()],
                operators: vec![operator_endpoint()],
            }),
        ),
        (
            Request::GetEvseStatus(EvsesWanted { evses: vec![cdr_info().evse] }),
            Response::GetEvseStatus(StatusesGiven { combined: vec![], evses: vec![evse_live()], parkings: vec![] }),
        ),
        (
            Request::ReportDiscrepancy(Discrepancy {
                evse: cdr_info().evse,
                report: Personal::new(Text::new("the cable is cut").unwrap()),
            }),
            Response::ReportDiscrepancy(Nothing {}),
        ),
        (
            Request::SelectEvse(bridge::direct::select(&cdr().place.evse_id, &issued(), Some(now())).unwrap().value),
            Response::SelectEvse(answer()),
        ),
        (
            Request::ControlEvse(ControlEvse {
                max_power: Some(exact("11")),
                max_current: Some(exact("16")),
                one_phase: Some(true),
                max_energy: Some(exact("20")),
                min_energy: Some(exact("5")),
                departure: Some(since()),
                ..bridge::direct::control(direct(), DirectOperation::Change)
            }),
            Response::ControlEvse(answer()),
        ),
        (Request::ReleaseEvse(DirectNamed { direct: direct() }), Response::ReleaseEvse(answer())),
        (Request::AskProgress(DirectNamed { direct: direct() }), Response::AskProgress(inform())),
        (
            Request::TellProgress(inform()),
            Response::TellProgress(DirectDone { result: DirectResult::new(DirectCode::Partly, "so") }),
        ),
    ]
}
