//! What an operator of 2.x orders, and the answers: one list for each block.

use super::super::round_trip::{evse, token};
use super::super::{at, now};
use super::samples::{
    BOTH, NEW, Told, dec, hash, key, message, monitor, new_period, new_profile, one, pace, plain_period, profile,
    refused, secret, stream, vendor, vendor_answer,
};
use charge::Personal;
use charge::id::{PartyId, TariffId};
use charge::money::Price;
use charge::talk::line::certificate::{CertificateOrder, CertificateUse, InstalledCertificate, StationKey};
use charge::talk::line::charging::{
    ChargingOrder, Composite, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit,
};
use charge::talk::line::display::{Customer, CustomerOrder, DisplayOrder, KeptTariff, TariffOrder};
use charge::talk::line::document::{Document, ItemOutcome};
use charge::talk::line::grid::{GridOrder, SwapOrder};
use charge::talk::line::model::{ModelOrder, Monitor, MonitorKind, MonitorSet, MonitoringBase, Network, ReportKind};
use charge::talk::line::payment::PaymentOrder;
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Retries, UpkeepOrder};
use charge::talk::line::{ResetKind, StationAnswer, ToStation, Trigger};
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Restrictions, Tariff};
use charge::token::{Allowed, TokenKind, Verdict};
use charge::units::{Energy, Power};
use std::time::Duration;

fn charging_orders() -> Vec<Told> {
    let filter = ProfileFilter {
        evse: Some(evse(1)),
        ids: vec![5],
        purpose: Some(ProfilePurpose::TxDefault),
        stack_level: Some(2),
        sources: vec![],
    };
    let read = |filter: ProfileFilter| ChargingOrder::Read { request: 8, which: filter };
    let by_source = ProfileFilter { sources: vec!["EMS".into()], ..filter.clone() };
    let composite = |period| {
        let (start, lasts, unit) = (now(), Duration::from_secs(900), RateUnit::Amperes);
        StationAnswer::Composite(Composite { evse: evse(1), start, lasts, unit, periods: vec![period] })
    };
    let ask =
        || ChargingOrder::Composite { evse: evse(1), lasts: Duration::from_secs(900), unit: Some(RateUnit::Watts) };
    let set = |profile| ChargingOrder::Set { evse: evse(1), profile: Box::new(profile) };
    let limits = Document::new(r#"{"limit":16.5,"setpoint":-2}"#);
    let modes = vec!["AC_BPT".into(), "DC".into()];
    let list = vec![
        (BOTH, set(profile()), StationAnswer::Accepted),
        (BOTH, set(Profile { kind: ProfileKind::Weekly, ..profile() }), refused("Rejected (InvalidProfile)")),
        (NEW, set(new_profile()), StationAnswer::Accepted),
        (BOTH, ChargingOrder::Clear(filter.clone()), refused("Unknown")),
        (BOTH, read(by_source), refused("NoProfiles")),
        (BOTH, ask(), composite(plain_period())),
        (NEW, ask(), composite(new_period())),
        (BOTH, ask(), refused("Rejected")),
        (NEW, ChargingOrder::Update { profile: 5, limits }, StationAnswer::Accepted),
        (NEW, ChargingOrder::Priority { key: key(), on: true }, refused("NoProfile")),
        (NEW, ChargingOrder::AllowedTransfer { key: key(), modes }, refused("Rejected")),
    ];
    list.into_iter().map(|(new, order, answer)| (new, ToStation::Charging(order), answer)).collect()
}

fn certificate_orders() -> Vec<Told> {
    let signed = |key, request| CertificateOrder::Signed { key, chain: "-----BEGIN".into(), request };
    let install = |used_for| CertificateOrder::Install { used_for, certificate: "-----BEGIN".into() };
    let all = vec![CertificateUse::V2gRoot, CertificateUse::MoRoot, CertificateUse::V2gChain];
    let found = |used_for| {
        let one = InstalledCertificate { used_for, hash: hash("1"), children: vec![hash("2")] };
        StationAnswer::Certificates(vec![one])
    };
    let list = vec![
        (BOTH, signed(StationKey::Line, None), StationAnswer::Accepted),
        (NEW, signed(StationKey::V2g20, Some(4)), refused("Rejected (InvalidCertificate)")),
        (BOTH, install(CertificateUse::OperatorRoot), refused("Failed")),
        (BOTH, install(CertificateUse::ManufacturerRoot), StationAnswer::Accepted),
        (NEW, install(CertificateUse::OemRoot), StationAnswer::Accepted),
        (BOTH, CertificateOrder::Delete(hash("1")), refused("NotFound")),
        (BOTH, CertificateOrder::List(all), found(CertificateUse::V2gChain)),
        (BOTH, CertificateOrder::List(vec![]), StationAnswer::Certificates(vec![])),
        (NEW, CertificateOrder::List(vec![CertificateUse::OemRoot]), found(CertificateUse::OemRoot)),
    ];
    list.into_iter().map(|(new, order, answer)| (new, ToStation::Certificate(order), answer)).collect()
}

fn model_orders() -> Vec<Told> {
    let variables: Vec<Box<str>> = vec!["1/EVSE".into(), "OCPPCommCtrlr.HeartbeatInterval".into()];
    let report = || ModelOrder::Report { request: 2, variables: variables.clone(), criteria: vec!["Problem".into()] };
    let more = r#"{"ocppInterface":"Wired0","ocppTransport":"JSON","messageTimeout":30,"ocppVersion":"OCPP20"}"#;
    let to = || Network { url: "wss://x".into(), security_profile: 2, more: Document::new(more) };
    let network = || ModelOrder::Network { slot: 1, to: to() };
    let set = StationAnswer::Monitors(vec![
        MonitorSet { id: Some(8), variable: "1/EVSE.Power".into(), word: "Accepted".into() },
        MonitorSet { id: None, variable: "1/EVSE.Power".into(), word: "Duplicate".into() },
    ]);
    let watch = |kind| ModelOrder::Watch(vec![monitor(None, kind), monitor(Some(8), MonitorKind::Delta)]);
    let streamed = Monitor { stream: Some(pace()), ..monitor(None, MonitorKind::TargetDeltaRelative) };
    let stream_set = StationAnswer::Monitors(vec![MonitorSet {
        id: Some(1),
        variable: "1/EVSE.Power".into(),
        word: "Accepted".into(),
    }]);
    let items = StationAnswer::Items(vec![
        ItemOutcome { of: "8".into(), word: "Accepted".into() },
        ItemOutcome { of: "9".into(), word: "NotFound".into() },
    ]);
    let monitors =
        ModelOrder::Monitors { request: 3, variables: variables.clone(), criteria: vec!["DeltaMonitoring".into()] };
    let base = |kind| ModelOrder::Base { request: 41, kind };
    let mut list = vec![
        (BOTH, base(ReportKind::Summary), StationAnswer::Accepted),
        (BOTH, base(ReportKind::Full), refused("EmptyResultSet")),
        (BOTH, base(ReportKind::Configuration), refused("NotSupported (UnsupportedRequest)")),
        (BOTH, report(), refused("EmptyResultSet")),
        (BOTH, ModelOrder::MonitoringLevel(5), StationAnswer::Accepted),
        (BOTH, watch(MonitorKind::LowerThreshold), set.clone()),
        (NEW, ModelOrder::Watch(vec![streamed]), stream_set),
        (BOTH, ModelOrder::Unwatch(vec![8, 9]), items),
        (BOTH, monitors, StationAnswer::Accepted),
        (BOTH, network(), refused("Failed")),
        (
            BOTH,
            ModelOrder::TransactionStatus(Some(key())),
            StationAnswer::Pending { ongoing: Some(true), queued: false },
        ),
        (BOTH, ModelOrder::TransactionStatus(None), StationAnswer::Pending { ongoing: None, queued: true }),
        (NEW, ModelOrder::AdjustStream { id: 1, pace: pace() }, refused("Rejected")),
        (NEW, ModelOrder::Streams, StationAnswer::Streams(vec![stream()])),
        (NEW, ModelOrder::Streams, StationAnswer::Streams(vec![])),
    ];
    for base in [MonitoringBase::All, MonitoringBase::FactoryDefault, MonitoringBase::HardWiredOnly] {
        list.push((BOTH, ModelOrder::MonitoringBase(base), StationAnswer::Accepted));
    }
    list.into_iter().map(|(new, order, answer)| (new, ToStation::Model(order), answer)).collect()
}

fn tariff() -> Tariff {
    let element = |dimension, price: &str, restrictions| Element {
        components: vec![Component { dimension, price: dec(price), vat_percent: Some(dec("19")), step_size: 1 }],
        restrictions,
    };
    let by_day = Restrictions {
        start_minute: Some(8 * 60),
        end_minute: Some(20 * 60 + 30),
        start_date: Some("2026-01-01".into()),
        end_date: Some("2027-01-01".into()),
        days: vec![Day::Monday, Day::Sunday],
        ..Restrictions::default()
    };
    let measured = Restrictions {
        min_energy: Some(Energy::from_wh(20_000)),
        max_energy: Some(Energy::from_mwh(50_000_500)),
        min_power: Some(Power::from_watts(5_000)),
        max_power: Some(Power::from_milliwatts(22_000_500)),
        min_duration_s: Some(600),
        max_duration_s: Some(7_200),
        ..by_day.clone()
    };
    Tariff {
        party: PartyId::new("ZZ", "ZZZ").unwrap(),
        id: TariffId::new("DAY").unwrap(),
        currency: "EUR".parse().unwrap(),
        text: Some("by day".into()),
        elements: vec![
            element(Dimension::Energy, "0.490", measured),
            element(Dimension::Energy, "0.39", Restrictions::default()),
            element(Dimension::Time, "0.60", Restrictions::default()),
            element(Dimension::ParkingTime, "6.0", Restrictions::default()),
            element(Dimension::Flat, "1.00", by_day),
        ],
        min_price: Some(Price { before_vat: dec("0.50"), with_vat: None }),
        max_price: Some(Price { before_vat: dec("50"), with_vat: Some(dec("59.50")) }),
        valid_from: Some(now()),
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: now(),
    }
}

fn tariff_orders() -> Vec<Told> {
    let kept = KeptTariff { id: "DAY".into(), of_driver: true, from: Some(now()), evses: vec![one()] };
    let tariff = || Box::new(tariff());
    let ids = vec!["DAY".into()];
    let items = StationAnswer::Items(vec![ItemOutcome { of: "DAY".into(), word: "NoTariff".into() }]);
    let list = vec![
        (BOTH, TariffOrder::Cost { key: key(), total: dec("4.20") }, StationAnswer::Accepted),
        (NEW, TariffOrder::SetDefault { evse: evse(1), tariff: tariff() }, refused("TooManyElements")),
        (NEW, TariffOrder::Change { key: key(), tariff: tariff() }, refused("NoCurrencyChange")),
        (NEW, TariffOrder::Read { evse: None }, StationAnswer::Tariffs(vec![kept])),
        (NEW, TariffOrder::Read { evse: evse(1) }, StationAnswer::Tariffs(vec![])),
        (NEW, TariffOrder::Clear { evse: evse(1), ids }, items),
    ];
    list.into_iter().map(|(new, order, answer)| (new, ToStation::Tariff(order), answer)).collect()
}

fn grid_orders() -> Vec<Told> {
    let control = Document::new(r#"{"fixedVar":{"priority":2,"setpoint":10.50,"unit":"PctMaxVar","duration":60}}"#);
    let id: Box<str> = "c1".into();
    let kind: Box<str> = "FixedVar".into();
    let set = || GridOrder::Set { id: id.clone(), kind: kind.clone(), default: false, control: control.clone() };
    let items = StationAnswer::Items(vec![ItemOutcome { of: "c0".into(), word: "Superseded".into() }]);
    let read = GridOrder::Read { request: 5, id: Some(id.clone()), kind: Some(kind.clone()), default: Some(true) };
    let clear = GridOrder::Clear { id: Some(id.clone()), kind: Some(kind.clone()), default: true };
    let swap = SwapOrder { request: 3, token: token(TokenKind::Rfid) };
    let payment = PaymentOrder::WebStarted { evse: one(), seconds: 120 };
    vec![
        (NEW, ToStation::Grid(set()), StationAnswer::Accepted),
        (NEW, ToStation::Grid(set()), items),
        (NEW, ToStation::Grid(read), refused("NotFound")),
        (NEW, ToStation::Grid(clear), refused("NotSupported")),
        (NEW, ToStation::Grid(GridOrder::Afrr { at: now(), signal: -5 }), StationAnswer::Accepted),
        (NEW, ToStation::Swap(swap), refused("Rejected")),
        (NEW, ToStation::Payment(payment), StationAnswer::Accepted),
    ]
}

fn list_orders() -> Vec<Told> {
    let entry = |verdict, group, until| ListEntry { token: token(TokenKind::Rfid), group, until, verdict };
    let entries = vec![
        entry(Some(Verdict::bare(Allowed::Yes)), Some(token(TokenKind::Other)), Some(now())),
        entry(None, None, None),
    ];
    let send = |full| ToStation::List(ListOrder::Send { version: 7, full, entries: entries.clone() });
    let reserve = |connector: Option<&str>| {
        ToStation::Reservation(ReservationOrder::Reserve {
            id: 4,
            evse: evse(1),
            token: token(TokenKind::Other),
            group: Some(token(TokenKind::Rfid)),
            until: now(),
            connector: connector.map(Into::into),
        })
    };
    vec![
        (BOTH, send(true), StationAnswer::Accepted),
        (BOTH, send(false), refused("VersionMismatch")),
        (BOTH, ToStation::List(ListOrder::Version), StationAnswer::Number(7)),
        (BOTH, reserve(Some("cType2")), refused("Occupied")),
        (NEW, reserve(Some("Opp1PhGT16A")), StationAnswer::Accepted),
        (BOTH, ToStation::Reservation(ReservationOrder::Cancel { id: 4 }), refused("Rejected")),
    ]
}

fn upkeep_orders() -> Vec<Told> {
    let retries = Retries { times: Some(3), pause: Some(Duration::from_secs(60)) };
    let log = |kind| UpkeepOrder::FetchLog {
        request: 6,
        kind,
        to: secret("ftp://user:pass@x/"),
        from: Some(now()),
        until: Some(at("2026-11-22T16:00:00Z")),
        retries,
        legacy: false,
    };
    let signed = FirmwareSignature { certificate: "-----BEGIN".into(), signature: "AAEC".into() };
    let firmware = |signed| UpkeepOrder::Firmware {
        request: 6,
        from: secret("https://user:pass@x/"),
        retrieve_at: now(),
        install_at: Some(now()),
        signed,
        retries,
    };
    let md5: Box<str> = "0123456789abcdef0123456789abcdef".into();
    let publish = UpkeepOrder::Publish { request: 6, from: secret("https://x/"), md5: md5.clone(), retries };
    let unpublish = || UpkeepOrder::Unpublish { md5: md5.clone() };
    let list = vec![
        (BOTH, log(LogKind::Diagnostics), StationAnswer::File(Some("log.zip".into()))),
        (BOTH, log(LogKind::Security), StationAnswer::File(None)),
        (NEW, log(LogKind::DataCollector), refused("Rejected")),
        (BOTH, firmware(Some(signed)), refused("InvalidCertificate")),
        (BOTH, firmware(None), refused("AcceptedCanceled")),
        (BOTH, publish, StationAnswer::Accepted),
        (BOTH, unpublish(), StationAnswer::Accepted),
        (BOTH, unpublish(), refused("DownloadOngoing")),
    ];
    list.into_iter().map(|(new, order, answer)| (new, ToStation::Upkeep(order), answer)).collect()
}

fn other_orders() -> Vec<Told> {
    let customer = |customer| ToStation::Customer(CustomerOrder { request: 7, report: true, clear: true, customer });
    let show = |message| ToStation::Display(DisplayOrder::Set(Box::new(message)));
    let read = DisplayOrder::Read {
        request: 7,
        ids: vec![9],
        priority: Some("InFront".into()),
        state: Some("Faulted".into()),
    };
    let start = ToStation::Start {
        evse: evse(2),
        token: token(TokenKind::Other),
        remote_id: 77,
        profile: Some(Box::new(Profile { key: None, ..profile() })),
    };
    let switch = ToStation::Availability { evse: evse(2), connector: Some(2), operative: false };
    let mut list = vec![
        (BOTH, start, StationAnswer::Started(Some(key()))),
        (BOTH, switch, StationAnswer::Scheduled),
        (NEW, ToStation::Reset(ResetKind::Resume), refused("Rejected (NotEnabled)")),
        (BOTH, customer(Customer::Token(token(TokenKind::Rfid))), StationAnswer::Accepted),
        (BOTH, customer(Customer::Certificate(hash("1"))), refused("Invalid")),
        (BOTH, customer(Customer::Identifier(Personal::new("Frodo".into()))), StationAnswer::Accepted),
        (BOTH, show(message("Idle", "HTML")), refused("UnknownTransaction")),
        (NEW, show(message("Suspended", "QRCODE")), refused("LanguageNotSupported")),
        (BOTH, ToStation::Display(read), refused("Unknown")),
        (BOTH, ToStation::Display(DisplayOrder::Clear { id: 9 }), refused("Unknown")),
        (BOTH, ToStation::Vendor(vendor()), StationAnswer::Vendor(vendor_answer("Accepted"))),
    ];
    let triggers = [
        Trigger::Firmware,
        Trigger::Log,
        Trigger::Transaction,
        Trigger::Sign(StationKey::Line),
        Trigger::Sign(StationKey::V2g),
        Trigger::Publishing,
    ];
    for what in triggers {
        list.push((BOTH, ToStation::Trigger { what, evse: evse(1) }, StationAnswer::Accepted));
    }
    let newer = ToStation::Trigger { what: Trigger::Sign(StationKey::V2g20), evse: None };
    list.push((NEW, newer, refused("NotImplemented")));
    list
}

pub(super) fn orders() -> Vec<Told> {
    [
        charging_orders(),
        certificate_orders(),
        model_orders(),
        tariff_orders(),
        grid_orders(),
        list_orders(),
        upkeep_orders(),
        other_orders(),
    ]
    .concat()
}
