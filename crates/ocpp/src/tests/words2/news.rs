//! What a station of 2.x says, and the answers: one list for each block.

use super::super::now;
use super::super::round_trip::{evse, token};
use super::samples::{
    BOTH, NEW, Said, dec, hash, key, message, monitor, new_profile, one, part, plain_schedule, profile, stream,
    unnumbered, vendor, vendor_answer,
};
use charge::Personal;
use charge::talk::line::certificate::{
    CertificateNews, ChainAnswer, ChainQuestion, ContractProof, ContractStanding, StationKey,
};
use charge::talk::line::charging::{ChargingNews, NeedsVerdict};
use charge::talk::line::display::{CustomerNews, DisplayNews};
use charge::talk::line::document::{Document, Part};
use charge::talk::line::grid::{Battery, GridNews, SwapNews};
use charge::talk::line::model::{Attribute, DeviceEvent, ModelNews, MonitorKind, ReportRow};
use charge::talk::line::payment::{PaymentNews, Settlement};
use charge::talk::line::reservation::ReservationEnd;
use charge::talk::line::terms::Offer;
use charge::talk::line::upkeep::{Progress, Work};
use charge::talk::line::{FromStation, Heard, Tap};
use charge::token::{Allowed, TokenKind, Verdict};

fn charging_news() -> Vec<Said> {
    let ac = r#"{"requestedEnergyTransfer":"AC_three_phase","acChargingParameters":{"energyAmount":20000,"evMinCurrent":6,"evMaxCurrent":16,"evMaxVoltage":400},"departureTime":"2026-11-22T18:00:00Z"}"#;
    let new_needs = r#"{"requestedEnergyTransfer":"AC_BPT","v2xChargingParameters":{"maxDischargePower":7000.5},"controlMode":"DynamicControl"}"#;
    let needs = |needs: &str| ChargingNews::Needs {
        evse: one(),
        at: None,
        schedules_max: Some(3),
        needs: Document::new(needs),
    };
    let timed =
        ChargingNews::Needs { evse: one(), at: Some(now()), schedules_max: None, needs: Document::new(new_needs) };
    let source: Box<str> = "EMS".into();
    let profiles = |profile| ChargingNews::Profiles {
        part: unnumbered(),
        source: source.clone(),
        evse: evse(1),
        profiles: vec![profile],
    };
    let limit = ChargingNews::Limit {
        evse: evse(1),
        source: source.clone(),
        grid_critical: Some(true),
        schedules: vec![plain_schedule()],
    };
    let curve = Box::new(plain_schedule());
    let car = |chosen| ChargingNews::CarSchedule { evse: one(), base: now(), chosen, schedule: curve.clone() };
    let mut list = vec![
        (BOTH, profiles(profile()), Heard::Noted),
        (NEW, profiles(new_profile()), Heard::Noted),
        (BOTH, limit, Heard::Noted),
        (BOTH, ChargingNews::LimitCleared { evse: evse(1), source: source.clone() }, Heard::Noted),
        (NEW, timed, Heard::Needs(NeedsVerdict::NoProfile)),
        (BOTH, car(None), Heard::Taken(false)),
        (NEW, car(Some(2)), Heard::Taken(true)),
        (NEW, ChargingNews::Priority { key: key(), on: true }, Heard::Noted),
        (NEW, ChargingNews::Pull { profile: 5 }, Heard::Limits(Some(Document::new(r#"{"setpoint":-3.50}"#)))),
        (NEW, ChargingNews::Pull { profile: 5 }, Heard::Limits(None)),
        (BOTH, needs(r#"{"requestedEnergyTransfer":"DC"}"#), Heard::Needs(NeedsVerdict::Rejected)),
    ];
    for verdict in [NeedsVerdict::Accepted, NeedsVerdict::Processing] {
        list.push((BOTH, needs(ac), Heard::Needs(verdict)));
    }
    list.into_iter().map(|(new, news, heard)| (new, FromStation::Charging(news), heard)).collect()
}

fn certificate_news() -> Vec<Said> {
    let sign = |key, request| CertificateNews::Sign { key, request, csr: "-----BEGIN".into() };
    let contract = |update, chains_max| CertificateNews::Contract {
        schema: "urn:iso:15118:2:2013:MsgDef".into(),
        update,
        exi: "gJgC".into(),
        chains_max,
    };
    let question = ChainQuestion { hash: hash("01"), source: "OCSP".into(), urls: vec!["http://ocsp".into()] };
    let answer = ChainAnswer { hash: hash("01"), source: "OCSP".into(), status: "Good".into(), next: now() };
    let status = || CertificateNews::Status { hash: hash("02"), responder: "http://ocsp".into() };
    let exi = |body: Option<&str>, remaining| Heard::Exi { body: body.map(Into::into), remaining };
    let list = [
        (BOTH, sign(StationKey::Line, None), Heard::Taken(true)),
        (BOTH, sign(StationKey::V2g, None), Heard::Taken(false)),
        (NEW, sign(StationKey::V2g20, Some(4)), Heard::Taken(true)),
        (BOTH, contract(false, None), exi(Some("AAEC"), None)),
        (BOTH, contract(true, None), exi(None, None)),
        (NEW, contract(true, Some(3)), exi(Some("AAEC"), Some(2))),
        (BOTH, status(), Heard::Ocsp(Some("MIIB".into()))),
        (BOTH, status(), Heard::Ocsp(None)),
        (NEW, CertificateNews::ChainStatus(vec![question]), Heard::ChainStatus(vec![answer])),
    ];
    list.into_iter().map(|(new, news, heard)| (new, FromStation::Certificate(news), heard)).collect()
}

fn model_news() -> Vec<Said> {
    let row = |attribute, value: Option<&str>, read_only, write_only| ReportRow {
        variable: "2.1/Connector[left].Current[L1]".into(),
        attribute,
        value: value.map(Into::into),
        read_only,
        write_only,
        persistent: true,
        characteristics: Some(Document::new(
            r#"{"dataType":"decimal","supportsMonitoring":true,"unit":"A","maxLimit":32.50}"#,
        )),
    };
    let rows = vec![
        row(Attribute::Actual, Some("16"), true, false),
        row(Attribute::MaxSet, Some("32"), false, false),
        ReportRow { variable: "SecurityCtrlr.BasicAuthPassword".into(), ..row(Attribute::Actual, None, false, true) },
    ];
    let event = |severity| DeviceEvent {
        id: 11,
        at: now(),
        trigger: "Alerting".into(),
        cause: Some(10),
        variable: "1/EVSE.Temperature".into(),
        value: "85.5".into(),
        cleared: true,
        key: Some(key()),
        monitor: Some(8),
        kind: "CustomMonitor".into(),
        severity,
        tech_code: Some("E42".into()),
        tech_info: Some("hot".into()),
    };
    let events =
        |severity| ModelNews::Events { part: Part { request: 0, ..part() }, at: now(), events: vec![event(severity)] };
    let monitors = |kind| ModelNews::Monitors { part: part(), at: now(), monitors: vec![monitor(Some(8), kind)] };
    let list = [
        (BOTH, ModelNews::Report { part: part(), at: now(), rows }, Heard::Noted),
        (BOTH, ModelNews::Report { part: part(), at: now(), rows: vec![] }, Heard::Noted),
        (BOTH, events(None), Heard::Noted),
        (NEW, events(Some(2)), Heard::Noted),
        (BOTH, monitors(MonitorKind::UpperThreshold), Heard::Noted),
        (BOTH, monitors(MonitorKind::PeriodicClockAligned), Heard::Noted),
        (NEW, monitors(MonitorKind::TargetDelta), Heard::Noted),
        (NEW, ModelNews::StreamOpened(stream()), Heard::Taken(true)),
        (NEW, ModelNews::StreamOpened(stream()), Heard::Taken(false)),
        (NEW, ModelNews::StreamClosed(1), Heard::Noted),
    ];
    list.into_iter().map(|(new, news, heard)| (new, FromStation::Model(news), heard)).collect()
}

fn other_news() -> Vec<Said> {
    let progress = |of, status: &str, places| {
        FromStation::Progress(Progress { of, request: Some(6), status: status.into(), places })
    };
    let swap = SwapNews {
        request: 3,
        event: "BatteryIn".into(),
        token: token(TokenKind::Rfid),
        batteries: vec![Battery { evse: evse(1), serial: "B1".into(), charge: dec("80.5"), health: dec("99") }],
    };
    let company = r#"{"name":"ACME","address1":"Street 1","city":"Leiden","country":"NL","postalCode":"2311"}"#;
    let settlement = PaymentNews::Settlement(Box::new(Settlement {
        key: Some(key()),
        reference: Personal::new("psp-1".into()),
        status: "Settled".into(),
        amount: dec("12.30"),
        at: now(),
        receipt: Some("R1".into()),
        receipt_url: Some("https://r/1".into()),
        vat_number: Some(Personal::new("NL123".into())),
        company: Some(Personal::new(Document::new(company))),
    }));
    let vat = || FromStation::Payment(PaymentNews::VatNumber { number: Personal::new("NL123".into()), evse: evse(1) });
    let controls = r#"{"gradient":[{"gradient":{"priority":1,"gradient":0.50,"softGradient":1},"id":"g1"}]}"#;
    let alarm = GridNews::Alarm {
        kind: "FreqDroop".into(),
        fault: Some("OverFrequency".into()),
        ended: true,
        at: now(),
        info: Some("x".into()),
    };
    let switched = GridNews::Switched { id: "c1".into(), started: true, at: now(), superseded: vec!["c0".into()] };
    let report = GridNews::Report { request: 4, more: true, controls: Document::new(controls) };
    let customer = CustomerNews { part: part(), at: now(), data: Personal::new("known since 2020".into()) };
    let display = |message| FromStation::Display(DisplayNews { part: unnumbered(), messages: vec![message] });
    let ending = |end| FromStation::Reservation { id: 4, end };
    let receipt = Heard::Receipt { id: Some("R1".into()), url: Some("https://r/1".into()) };
    let proof = ContractProof {
        certificate: Some("-----BEGIN".into()),
        hashes: Some(Document::new(
            r#"[{"hashAlgorithm":"SHA256","issuerNameHash":"aa","issuerKeyHash":"bb","serialNumber":"1","responderURL":"http://o"}]"#,
        )),
    };
    let mut list = vec![
        (BOTH, progress(Work::Firmware, "Installed", vec![]), Heard::Noted),
        (BOTH, progress(Work::Log, "Uploaded", vec![]), Heard::Noted),
        (BOTH, progress(Work::Publishing, "Published", vec!["http://x".into()]), Heard::Noted),
        (BOTH, ending(ReservationEnd::Expired), Heard::Noted),
        (BOTH, ending(ReservationEnd::Removed), Heard::Noted),
        (NEW, ending(ReservationEnd::NoTransaction), Heard::Noted),
        (BOTH, display(message("Charging", "UTF8")), Heard::Noted),
        (NEW, display(message("Discharging", "QRCODE")), Heard::Noted),
        (BOTH, FromStation::Customer(customer), Heard::Noted),
        (NEW, FromStation::Grid(report), Heard::Noted),
        (NEW, FromStation::Grid(alarm), Heard::Noted),
        (NEW, FromStation::Grid(switched), Heard::Noted),
        (NEW, FromStation::Swap(swap), Heard::Taken(true)),
        (NEW, FromStation::Payment(settlement), receipt),
        (NEW, vat(), Heard::Company(Some(Document::new(company)))),
        (NEW, vat(), Heard::Company(None)),
    ];
    for standing in [
        ContractStanding::Accepted,
        ContractStanding::SignatureError,
        ContractStanding::Expired,
        ContractStanding::Revoked,
        ContractStanding::NotAvailable,
        ContractStanding::ChainError,
        ContractStanding::Cancelled,
    ] {
        let tap = Tap { token: token(TokenKind::Emaid), contract: Some(Box::new(proof.clone())) };
        let verdict = Verdict::bare(Allowed::Yes);
        let offer = Box::new(Offer { standing: Some(standing), ..Offer::default() });
        list.push((BOTH, FromStation::Tap(tap), Heard::Offered { verdict, offer }));
    }
    for status in ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"] {
        list.push((BOTH, FromStation::Vendor(vendor()), Heard::Vendor(vendor_answer(status))));
    }
    list
}

pub(super) fn messages() -> Vec<Said> {
    [charging_news(), certificate_news(), model_news(), other_news()].concat()
}
