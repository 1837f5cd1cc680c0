//! Every word of a station has a home and an honest answer.

use std::sync::Arc;
use std::time::Duration;

use charge::clock::SeededDice;
use charge::talk::line::certificate::{CertificateHash, CertificateNews, CertificateOrder, ChainQuestion, StationKey};
use charge::talk::line::charging::{ChargingNews, ChargingOrder, NeedsVerdict, ProfileFilter};
use charge::talk::line::display::{Customer, CustomerNews, CustomerOrder};
use charge::talk::line::document::{Document, Part};
use charge::talk::line::model::{
    Attribute, DeviceEvent, ModelNews, ModelOrder, Monitor, MonitorKind, ReportKind, ReportRow, Stream, StreamPace,
};
use charge::talk::line::payment::{PaymentNews, Settlement, Vendor};
use charge::talk::line::upkeep::{Progress, Work};
use charge::talk::line::{Boot, FromStation, Heard, StationAnswer, ToStation};
use charge::{Decimal, Personal, Purpose, Timestamp};
use trust::pki::Authority;

use super::world::{CARD, START, World, card, no, station};
use crate::desk::NewsFilter;
use crate::order::StationOrder;
use crate::request::State;
use crate::service::Fault;

fn word(told: ToStation) -> StationOrder {
    StationOrder::Word(Box::new(told))
}

async fn news(world: &World, kind: &str) -> Vec<crate::desk::News> {
    let filter = NewsFilter { kind: Some(kind.to_owned()), limit: 50, ..NewsFilter::default() };
    world.operator.news(filter).await.unwrap()
}

fn part(request: i32, seq: i32, more: bool) -> Part {
    Part { request, seq, more }
}

fn row(variable: &str, value: &str) -> ReportRow {
    ReportRow {
        variable: variable.into(),
        attribute: Attribute::Actual,
        value: Some(value.into()),
        read_only: false,
        write_only: false,
        persistent: true,
        characteristics: Some(Document::new(r#"{"dataType":"integer"}"#)),
    }
}

#[tokio::test]
async fn a_report_in_parts_fills_the_model_and_ends_its_request() {
    let world = World::new().await;
    let order = word(ToStation::Model(ModelOrder::Base { request: 0, kind: ReportKind::Full }));
    let asked = world.operator.order("ada", &station(), order).await.unwrap().request.unwrap();
    let told = world.line.told.lock().unwrap().last().cloned();
    assert!(matches!(told, Some(ToStation::Model(ModelOrder::Base { request, .. })) if request == asked));
    let say = |seq, more, rows| FromStation::Model(ModelNews::Report { part: part(asked, seq, more), at: START, rows });
    world.say(say(0, true, vec![row("A.B", "1")])).await.unwrap();
    assert_eq!(world.operator.request(asked).await.unwrap().state, State::Going);
    let secret = row("SecurityCtrlr.BasicAuthPassword", "hunter2hunter2");
    world.say(say(1, false, vec![row("C[x].D", "2"), secret])).await.unwrap();
    assert_eq!(world.operator.request(asked).await.unwrap().state, State::Done);
    let known = world.operator.variables(&station(), "").await.unwrap();
    assert_eq!(known.len(), 3);
    assert!(known[0].characteristics.as_deref().is_some_and(|about| about.contains("integer")));
    assert_eq!(world.operator.station(&station()).await.unwrap().settings.len(), 3, "settings show them too");
    assert!(!String::from_utf8_lossy(&world.dump().await).contains("hunter2"));
}

#[tokio::test]
async fn events_are_found_by_severity_and_streams_keep_their_newest_value() {
    let world = World::new().await;
    let event = |id, severity| DeviceEvent {
        id,
        at: START,
        trigger: "Alerting".into(),
        cause: None,
        variable: "EVSE.Temperature".into(),
        value: "91".into(),
        cleared: false,
        key: None,
        monitor: Some(4),
        kind: "CustomMonitor".into(),
        severity: Some(severity),
        tech_code: Some("E17".into()),
        tech_info: None,
    };
    let events = vec![event(1, 2), event(2, 8)];
    let said = ModelNews::Events { part: part(0, 0, false), at: START, events };
    assert_eq!(world.say(FromStation::Model(said)).await, Ok(Heard::Noted));
    let grave = NewsFilter { severity_max: Some(3), limit: 10, ..NewsFilter::default() };
    let found = world.operator.news(grave).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].text, "EVSE.Temperature is 91 (code E17)");
    let stream = Stream { id: 7, monitor: 4, pace: StreamPace::default() };
    let opened = world.say(FromStation::Model(ModelNews::StreamOpened(stream))).await;
    assert_eq!(opened, Ok(Heard::Taken(true)));
    let values = vec![(Decimal::ONE, "89".into()), (Decimal::from(60), "90".into())];
    let data = ModelNews::StreamData { id: 7, pending: 0, base: START, values };
    world.say(FromStation::Model(data)).await.unwrap();
    let streams = world.operator.streams(&station()).await.unwrap();
    assert_eq!(streams, [(7, 4, Some("90".to_owned()), Some(START.plus(Duration::from_secs(60))))]);
    world.say(FromStation::Model(ModelNews::StreamClosed(7))).await.unwrap();
    assert!(world.operator.streams(&station()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_names_a_card_or_a_car_is_kept_by_no_table() {
    let world = World::new().await;
    for (variable, value) in [("TokenReader.Token", CARD), ("1/ConnectedEV.VehicleID", "F0A1B2C3D4E5")] {
        let event = DeviceEvent {
            id: 1,
            at: START,
            trigger: "Delta".into(),
            cause: None,
            variable: variable.into(),
            value: value.into(),
            cleared: false,
            key: None,
            monitor: None,
            kind: "HardWiredNotification".into(),
            severity: Some(9),
            tech_code: None,
            tech_info: Some(value.into()),
        };
        let said = ModelNews::Events { part: part(0, 0, false), at: START, events: vec![event] };
        world.say(FromStation::Model(said)).await.unwrap();
        let rows = vec![row(variable, value), row("WiFi_PSK", "hunter22")];
        let said = ModelNews::Report { part: part(1, 0, false), at: START, rows };
        world.say(FromStation::Model(said)).await.unwrap();
        let told = news(&world, "event").await;
        assert!(told.iter().any(|one| one.text == format!("{variable} is another one")));
        let dump = world.dump().await;
        let dump = String::from_utf8_lossy(&dump);
        assert!(!dump.contains(value) && !dump.contains("hunter22"));
    }
    assert_eq!(world.operator.variables(&station(), "").await.unwrap().len(), 3, "that they are there is no secret");
}

#[tokio::test]
async fn a_station_has_a_limited_number_of_rows_and_those_it_has_are_renewed() {
    let world = World::new().await;
    let say = |seq, rows| FromStation::Model(ModelNews::Report { part: part(1, seq, true), at: START, rows });
    let many = |from: usize, count: usize| (from..from + count).map(|n| row(&format!("C.V{n:05}"), "1")).collect();
    world.say(say(0, many(0, 9_999))).await.unwrap();
    world.say(say(1, many(10_000, 2))).await.unwrap();
    world.say(say(2, vec![row("C.V20000", "1"), row("C.V00007", "2")])).await.unwrap();
    let known = world.operator.variables(&station(), "").await.unwrap();
    assert_eq!(known.len(), 10_000, "no new one");
    assert_eq!(known[7].value.as_deref(), Some("2"), "a known one is renewed");
    let monitor = |id, severity| Monitor {
        id: Some(id),
        variable: "EVSE.Power".into(),
        kind: MonitorKind::Delta,
        value: Decimal::ONE,
        severity,
        in_transaction: false,
        stream: None,
    };
    for seq in 1..3 {
        let monitors = (0..600).map(|id| monitor(seq * 1_000 + id, 5)).chain([monitor(1_000, 7)]).collect();
        let said = ModelNews::Monitors { part: part(9, seq, true), at: START, monitors };
        world.say(FromStation::Model(said)).await.unwrap();
    }
    let monitors = world.operator.monitors(&station()).await.unwrap();
    assert_eq!((monitors.len(), monitors[0].severity), (1_000, 7));
    for id in 0..1_001 {
        let stream = Stream { id, monitor: 1, pace: StreamPace::default() };
        let taken = world.say(FromStation::Model(ModelNews::StreamOpened(stream))).await;
        assert_eq!(taken, Ok(Heard::Taken(id < 1_000)));
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_answered_as_not_done() {
    let world = World::new().await;
    let needs = ChargingNews::Needs {
        evse: no(),
        at: None,
        schedules_max: None,
        needs: Document::new(r#"{"requestedEnergyTransfer":"AC_three_phase"}"#),
    };
    assert_eq!(world.say(FromStation::Charging(needs)).await, Ok(Heard::Needs(NeedsVerdict::Rejected)));
    let kept = news(&world, "charging").await;
    assert!(kept[0].document.as_deref().is_some_and(|document| document.contains("AC_three_phase")));
    assert!(!String::from_utf8_lossy(&world.dump().await).contains("AC_three_phase"), "documents are sealed");
    let pull = world.say(FromStation::Charging(ChargingNews::Pull { profile: 3 })).await;
    assert_eq!(pull, Ok(Heard::Limits(None)));
    let vendor = Vendor { vendor: "com.example".into(), message: None, data: None };
    let Ok(Heard::Vendor(answer)) = world.say(FromStation::Vendor(vendor)).await else { panic!("an answer") };
    assert_eq!(&*answer.status, "UnknownVendorId");
    let vat = PaymentNews::VatNumber { number: Personal::new("DE123".into()), evse: None };
    assert_eq!(world.say(FromStation::Payment(vat)).await, Ok(Heard::Company(None)));
    let hash = CertificateHash {
        algorithm: "SHA256".into(),
        issuer_name: "aa".into(),
        issuer_key: "bb".into(),
        serial: "1".into(),
    };
    let status = CertificateNews::Status { hash: hash.clone(), responder: "http://ocsp.example".into() };
    assert_eq!(world.say(FromStation::Certificate(status)).await, Ok(Heard::Ocsp(None)));
    let question = ChainQuestion { hash, source: "OCSP".into(), urls: Vec::new() };
    let chain = world.say(FromStation::Certificate(CertificateNews::ChainStatus(vec![question]))).await;
    assert!(matches!(chain, Ok(Heard::ChainStatus(all)) if &*all[0].status == "Failed"));
    let contract =
        CertificateNews::Contract { schema: "x".into(), update: false, exi: "AA==".into(), chains_max: None };
    let exi = world.say(FromStation::Certificate(contract)).await;
    assert_eq!(exi, Ok(Heard::Exi { body: None, remaining: None }));
}

#[tokio::test]
async fn progress_without_a_number_belongs_to_the_newest_open_request() {
    let world = World::new().await;
    let progress = |request, status: &str| {
        FromStation::Progress(Progress { of: Work::Log, request, status: status.into(), places: Vec::new() })
    };
    assert_eq!(world.say(progress(Some(99), "Uploading")).await, Ok(Heard::Noted), "of a request of nobody");
    let order = ChargingOrder::Read { request: 0, which: ProfileFilter::default() };
    world.operator.order("ada", &station(), word(ToStation::Charging(order))).await.unwrap();
    world.say(progress(None, "Uploaded")).await.unwrap();
    let requests = world.operator.requests(None, 10).await.unwrap();
    assert_eq!(requests[0].state, State::Going, "a report is not ended by an upload");
    assert_eq!(news(&world, "progress").await.len(), 2);
}

#[tokio::test]
async fn a_settlement_is_kept_once_and_its_reference_sealed() {
    let world = World::new().await;
    let settlement = Settlement {
        key: None,
        reference: Personal::new("PSP-4711".into()),
        status: "Settled".into(),
        amount: Decimal::new(1250, 2),
        at: START,
        receipt: Some("R-1".into()),
        receipt_url: None,
        vat_number: None,
        company: None,
    };
    let said = FromStation::Payment(PaymentNews::Settlement(Box::new(settlement)));
    for _ in 0..2 {
        let heard = world.say(said.clone()).await;
        assert_eq!(heard, Ok(Heard::Receipt { id: Some("R-1".into()), url: None }));
    }
    assert_eq!(news(&world, "payment").await.len(), 1, "the same again is nothing new");
    assert!(!String::from_utf8_lossy(&world.dump().await).contains("PSP-4711"));
}

#[tokio::test]
async fn what_a_station_knows_of_a_customer_is_handed_out_once_to_the_one_who_asked() {
    let world = World::new().await;
    let order = CustomerOrder { request: 0, report: true, clear: false, customer: Customer::Token(card(CARD)) };
    let came = world.operator.order("ada", &station(), word(ToStation::Customer(order))).await.unwrap();
    let asked = came.request.unwrap();
    let say = |seq, more, text: &str| {
        let data = Personal::new(text.into());
        FromStation::Customer(CustomerNews { part: part(asked, seq, more), at: START, data })
    };
    world.say(say(0, true, "Ada Lovelace, ")).await.unwrap();
    world.say(say(0, true, "Ada Lovelace, ")).await.unwrap();
    let early = world.operator.customer_answer("ada", asked).await;
    assert!(matches!(early, Err(Fault::Conflict(_))));
    world.say(say(1, false, "card 04A2")).await.unwrap();
    assert!(!String::from_utf8_lossy(&world.dump().await).contains("Lovelace"));
    assert!(matches!(world.operator.customer_answer("bob", asked).await, Err(Fault::NotFound(_))));
    let read = world.operator.customer_answer("ada", asked).await.unwrap();
    assert_eq!(read.reveal(Purpose::ShowOwner), "Ada Lovelace, card 04A2");
    assert!(matches!(world.operator.customer_answer("ada", asked).await, Err(Fault::NotFound(_))), "once");
    world.say(say(2, false, "and more")).await.unwrap();
    assert!(matches!(world.operator.customer_answer("ada", asked).await, Err(Fault::NotFound(_))), "nobody asked");
}

/// A request of an EC P-256 key for `SN-1`, made with another tool.
const REQUEST: &str = include_str!("request.pem");

#[tokio::test]
async fn a_certificate_is_asked_for_signed_and_sent() {
    // proves: A02.FR.11
    let world = World::new().await;
    let authority =
        Authority::create("stations", Duration::from_secs(500 * 86_400), START, &SeededDice::new(3)).unwrap();
    world.operator.attach_authority(Arc::new(authority));
    let sign = |csr: &str, key| CertificateNews::Sign { key, request: None, csr: csr.into() };
    let asks = |news| world.say(FromStation::Certificate(news));
    assert_eq!(asks(sign(REQUEST, StationKey::Line)).await, Ok(Heard::Taken(true)));
    assert!(world.operator.issued(None, None).await.unwrap()[0].why.as_deref().unwrap().contains("no serial number"));
    let boot = Boot { serial: Some("SN-1".into()), ..Boot::default() };
    world.say(FromStation::Boot(boot)).await.unwrap();
    assert_eq!(asks(sign(REQUEST, StationKey::Line)).await, Ok(Heard::Taken(true)));
    let claimed = world.operator.issued(None, None).await.unwrap();
    assert_eq!(claimed[0].state, "refused", "it may say another station's number");
    let enrolled = "UPDATE operator_stations SET serial = 'SN-1'";
    let done: Result<_, store::StoreError> = world.store.run("test", move |tx| tx.execute(enrolled, &[])).await;
    assert_eq!(done, Ok(1));
    assert_eq!(asks(sign("adsad", StationKey::Line)).await, Ok(Heard::Taken(true)), "TC_A_14_CSMS");
    assert_eq!(asks(sign(REQUEST, StationKey::V2g)).await, Ok(Heard::Taken(true)));
    assert_eq!(asks(sign(REQUEST, StationKey::Line)).await, Ok(Heard::Taken(true)));
    world.rounds().await;
    let told = world.line.told.lock().unwrap().last().cloned();
    let Some(ToStation::Certificate(CertificateOrder::Signed { chain, key: StationKey::Line, .. })) = told else {
        panic!("{told:?}")
    };
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    let issued = world.operator.issued(Some(station()), None).await.unwrap();
    let states: Vec<_> = issued.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["accepted", "refused", "refused", "refused", "refused"]);
    assert_eq!(issued[0].common_name.as_deref(), Some("SN-1"));
    let soon = world.operator.issued(None, Some(Duration::from_secs(30 * 86_400))).await.unwrap();
    assert!(soon.is_empty());
    let year = world.operator.issued(None, Some(Duration::from_secs(400 * 86_400))).await.unwrap();
    assert_eq!(year.len(), 1);
    for _ in 0..30 {
        assert_eq!(asks(sign("flood", StationKey::Line)).await, Ok(Heard::Taken(true)));
    }
    assert_eq!(world.operator.issued(None, None).await.unwrap().len(), 24, "a day's worth");
}

#[tokio::test]
async fn the_inventory_of_a_station_is_kept_as_it_says_it() {
    let world = World::new().await;
    let hash = |serial: &str| CertificateHash {
        algorithm: "SHA256".into(),
        issuer_name: "aa".into(),
        issuer_key: "bb".into(),
        serial: serial.into(),
    };
    let one = charge::talk::line::certificate::InstalledCertificate {
        used_for: charge::talk::line::certificate::CertificateUse::V2gChain,
        hash: hash("1"),
        children: vec![hash("2")],
    };
    world.line.answers.lock().unwrap().push_back(Ok(StationAnswer::Certificates(vec![one])));
    let list = word(ToStation::Certificate(CertificateOrder::List(Vec::new())));
    world.operator.order("ada", &station(), list).await.unwrap();
    let held = world.operator.installed(&station()).await.unwrap();
    assert_eq!(held.iter().map(|one| (&*one.hash.serial, one.child)).collect::<Vec<_>>(), [("1", false), ("2", true)]);
}

#[tokio::test]
async fn news_is_forgotten_with_the_log() {
    let world = World::new().await;
    let vendor = Vendor { vendor: "com.example".into(), message: None, data: None };
    world.say(FromStation::Vendor(vendor)).await.unwrap();
    world.tap("04FFFFFF").await;
    // the clocks of these two are years off
    for at in [Timestamp::from_secs(0), START.plus(Duration::from_secs(20 * 365 * 86_400))] {
        world.say(FromStation::Security { kind: "FirmwareUpdated".into(), at, detail: None }).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(2 * 3_600));
    world.rounds().await;
    assert_eq!(news(&world, "security").await.len(), 2, "what was just heard is kept");
    world.clock.advance(Duration::from_secs(15 * 86_400));
    world.rounds().await;
    assert!(news(&world, "vendor").await.is_empty() && news(&world, "security").await.is_empty());
    let all = crate::desk::DenialFilter { station: None, limit: 10 };
    assert!(world.operator.denials(all).await.unwrap().is_empty());
}
