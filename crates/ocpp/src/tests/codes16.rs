//! What 1.6 refuses: forms it does not have, broken payloads with the old spellings of the codes (OCPP-J 1.6, 4.2.3
//! and its errata), status words, and the ways of `DataTransfer`.

use std::time::Duration;

use charge::id::TransactionKey;
use charge::meter::Measured;
use charge::talk::line::certificate::{CertificateNews, CertificateOrder, CertificateUse, StationKey};
use charge::talk::line::charging::{ChargingOrder, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose};
use charge::talk::line::display::TariffOrder;
use charge::talk::line::document::Document;
use charge::talk::line::payment::{Vendor, VendorAnswer};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::upkeep::{LogKind, Progress, Retries, UpkeepOrder, Work};
use charge::talk::line::{FromStation, Heard, ResetKind, StationAnswer, ToStation, Trigger, Version};
use charge::token::{Allowed, Verdict};

use super::ends16::{Ends, decimal, obey, opened, outcome, refused, secret, token, unsaid, unsent};
use super::words16::profile;
use super::{now, operator, receive, sort};

fn set(profile: Profile) -> ToStation {
    ToStation::Charging(ChargingOrder::Set { evse: None, profile: Box::new(profile) })
}

fn with_period(change: impl FnOnce(&mut Period)) -> ToStation {
    let mut changed = profile(ProfileKind::Absolute);
    change(&mut changed.schedules[0].periods[1]);
    set(changed)
}

/// 1.6, 7.13: `limit` has at most one decimal digit; the rest has no member.
#[test]
fn a_profile_that_1_6_cannot_carry_is_refused_and_never_rounded() {
    let whole = || profile(ProfileKind::Absolute);
    let orders = [
        with_period(|period| period.limit = Some(decimal("16.05"))),
        with_period(|period| period.limit = None),
        with_period(|period| period.phase_to_use = Some(1)),
        with_period(|period| period.discharge_limit = Some(decimal("-1"))),
        with_period(|period| period.setpoint = Some(decimal("5"))),
        with_period(|period| period.mode = Some("ChargingOnly".into())),
        with_period(|period| period.more = Some(Document::new("{}"))),
        with_period(|period| period.start = u32::MAX),
        set(Profile { schedules: vec![], ..whole() }),
        set(Profile { schedules: [whole().schedules, whole().schedules].concat(), ..whole() }),
        set(Profile { more: Some(Document::new("{}")), ..whole() }),
        set(Profile { key: Some(TransactionKey::Text("tx-9".into())), ..whole() }),
        set(Profile { purpose: ProfilePurpose::Priority, ..whole() }),
        set(Profile { purpose: ProfilePurpose::LocalGeneration, ..whole() }),
        set(Profile { purpose: ProfilePurpose::ExternalConstraints, ..whole() }),
        set(profile(ProfileKind::Dynamic)),
        // 5.16.2: a start takes a TxProfile without a transaction
        start(Profile { purpose: ProfilePurpose::TxDefault, key: None, ..whole() }),
        start(whole()),
    ];
    for order in orders {
        assert!(!unsent(order).is_empty());
    }
    let digits = unsent(with_period(|period| period.limit = Some(decimal("16.05"))));
    assert!(digits.contains("one decimal digit"), "{digits}");
    // zeros at the end are no digits
    let (told, _) =
        Ends::new().tell(with_period(|period| period.limit = Some(decimal("16.500"))), vec![StationAnswer::Accepted]);
    let ToStation::Charging(ChargingOrder::Set { profile, .. }) = &told[0] else { panic!("{told:?}") };
    assert_eq!(profile.schedules[0].periods[1].limit, Some(decimal("16.5")));
}

fn start(profile: Profile) -> ToStation {
    ToStation::Start { evse: None, token: token(), remote_id: 0, profile: Some(Box::new(profile)) }
}

#[test]
fn orders_without_a_form_in_1_6_are_not_sent() {
    let until = now();
    let entry = |verdict: Option<Allowed>, until| ListEntry {
        token: token(),
        group: None,
        until,
        verdict: verdict.map(Verdict::bare),
    };
    let list = |full, entries| ToStation::List(ListOrder::Send { version: 1, full, entries });
    let firmware = ToStation::Upkeep(UpkeepOrder::Firmware {
        request: 1,
        from: secret("https://example.net/f"),
        retrieve_at: now(),
        install_at: Some(now()),
        signed: None,
        retries: Retries::default(),
    });
    let log = |kind, legacy, pause| {
        let retries = Retries { times: None, pause };
        let to = secret("ftp://example.net");
        ToStation::Upkeep(UpkeepOrder::FetchLog { request: 1, kind, to, from: None, until: None, retries, legacy })
    };
    let filter = |ids, sources| {
        ToStation::Charging(ChargingOrder::Clear(ProfileFilter { ids, sources, ..ProfileFilter::default() }))
    };
    let oem = CertificateOrder::Install { used_for: CertificateUse::OemRoot, certificate: "x".into() };
    let orders = [
        list(true, vec![entry(None, None)]),
        list(false, vec![entry(None, Some(until))]),
        firmware,
        log(LogKind::Security, true, None),
        log(LogKind::DataCollector, false, None),
        log(LogKind::Diagnostics, false, Some(Duration::from_millis(1500))),
        filter(vec![1, 2], vec![]),
        filter(vec![], vec!["EMS".into()]),
        ToStation::Reservation(ReservationOrder::Reserve {
            id: 1,
            evse: None,
            token: token(),
            group: None,
            until,
            connector: Some("cCCS2".into()),
        }),
        ToStation::Reset(ResetKind::Resume),
        ToStation::Trigger { what: Trigger::Transaction, evse: None },
        ToStation::Trigger { what: Trigger::Publishing, evse: None },
        ToStation::Trigger { what: Trigger::Sign(StationKey::V2g20), evse: None },
        ToStation::Certificate(oem),
        ToStation::Tariff(TariffOrder::Read { evse: None }),
        ToStation::Tariff(TariffOrder::Cost { key: TransactionKey::Number(1), total: decimal("1") }),
        ToStation::Vendor(Vendor { vendor: "v".into(), message: None, data: Some(Document::new("{}")) }),
        ToStation::Stop { key: TransactionKey::Text("tx-9".into()) },
    ];
    for order in orders {
        assert!(!unsent(order).is_empty());
    }
    let publishing = Progress { of: Work::Publishing, request: None, status: "Idle".into(), places: vec![] };
    let unknown = Progress { of: Work::Firmware, request: None, status: "InvalidSignature".into(), places: vec![] };
    assert!(!unsaid(FromStation::Progress(publishing)).is_empty());
    assert!(unsaid(FromStation::Progress(unknown)).contains("/status"), "4.5 has no such word");
    assert!(!unsaid(FromStation::Certificate(CertificateNews::ChainStatus(vec![]))).is_empty());
}

/// Payloads that break the schemas, and the code that the station's end answers.
#[test]
fn broken_orders_hear_the_codes_in_the_spelling_of_1_6() {
    let (missing, kind, value) =
        ("OccurenceConstraintViolation", "TypeConstraintViolation", "PropertyConstraintViolation");
    let profile = |change: &str| {
        let whole = r#"{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Recurring","recurrencyKind":"Daily","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.0}]}}}"#;
        let (from, to) = change.split_once(" => ").unwrap();
        assert!(whole.contains(from), "{from}");
        whole.replace(from, to)
    };
    let table = [
        ("SetChargingProfile", profile("16.0 => 16.05"), value, "limit"),
        ("SetChargingProfile", profile("16.0 => \"16\""), kind, "limit"),
        ("SetChargingProfile", profile(",\"recurrencyKind\":\"Daily\" => "), missing, "recurrencyKind"),
        ("SetChargingProfile", profile("\"stackLevel\":0 => \"stackLevel\":-1"), value, "stackLevel"),
        ("SetChargingProfile", profile("\"stackLevel\":0 => \"stackLevel\":0,\"transactionId\":0"), value, "transactionId"),
        ("SetChargingProfile", profile("\"A\" => \"kW\""), value, "chargingRateUnit"),
        ("SetChargingProfile", profile("{\"startPeriod\":0,\"limit\":16.0} => "), missing, "chargingSchedulePeriod"),
        ("SetChargingProfile", profile("\"startPeriod\":0 => \"startPeriod\":-5"), value, "startPeriod"),
        ("ClearChargingProfile", r#"{"id":"4"}"#.into(), kind, "id"),
        ("GetCompositeSchedule", r#"{"connectorId":1}"#.into(), missing, ""),
        ("GetCompositeSchedule", r#"{"connectorId":1,"duration":-1}"#.into(), value, "duration"),
        ("SendLocalList", r#"{"listVersion":1,"updateType":"Some"}"#.into(), value, "updateType"),
        ("SendLocalList", r#"{"listVersion":1,"updateType":"Full","localAuthorizationList":[{"idTag":"A"}]}"#.into(), missing, "idTagInfo"),
        ("SendLocalList", r#"{"listVersion":1,"updateType":"Differential","localAuthorizationList":[{"idTag":"123456789012345678901"}]}"#.into(), value, "idTag"),
        ("ReserveNow", r#"{"connectorId":1,"expiryDate":"2026-11-22T15:00:00Z","idTag":"A"}"#.into(), missing, ""),
        ("CancelReservation", "{}".into(), missing, ""),
        ("GetDiagnostics", r#"{"location":"ftp://x","retries":-1}"#.into(), value, "retries"),
        ("UpdateFirmware", r#"{"location":"ftp://x"}"#.into(), missing, ""),
        ("GetLog", r#"{"log":{"remoteLocation":"ftp://x"},"logType":"AnyLog","requestId":1}"#.into(), value, "logType"),
        ("SignedUpdateFirmware", r#"{"requestId":1}"#.into(), missing, ""),
        ("TriggerMessage", r#"{"requestedMessage":"LogStatusNotification"}"#.into(), value, "requestedMessage"),
        ("ExtendedTriggerMessage", r#"{"requestedMessage":"DiagnosticsStatusNotification"}"#.into(), value, "requestedMessage"),
        ("InstallCertificate", r#"{"certificateType":"V2GRootCertificate","certificate":"x"}"#.into(), value, "certificateType"),
        ("DeleteCertificate", r#"{"certificateHashData":{}}"#.into(), missing, ""),
        ("GetInstalledCertificateIds", "{}".into(), missing, ""),
        ("CertificateSigned", r#"{"certificateChain":7}"#.into(), kind, "certificateChain"),
        ("DataTransfer", r#"{"data":"x"}"#.into(), missing, ""),
        ("DataTransfer", r#"{"vendorId":"v","data":{"a":1}}"#.into(), kind, "data"),
    ];
    for (action, payload, code, member) in table {
        let sent = obey(action, &payload, StationAnswer::Accepted);
        assert!(sent.starts_with(&format!(r#"[4,"a","{code}""#)), "{action} {payload}: {sent}");
        assert!(sent.contains(member), "{action}: {sent}");
    }
    assert!(obey("Authorize", "{}", StationAnswer::Accepted).starts_with(r#"[4,"a","NotSupported""#));
    assert!(obey("GetVariables", "{}", StationAnswer::Accepted).starts_with(r#"[4,"a","NotImplemented""#));
}

/// An answer that the message's list has goes out as it is, any other as the list's own refusal.
#[test]
fn no_status_word_leaves_that_its_list_does_not_have() {
    let hashes = r#"{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"1"}"#;
    let delete = format!(r#"{{"certificateHashData":{hashes}}}"#);
    let rows: [(&str, &str, &[&str], &str); 8] = [
        ("ClearChargingProfile", "{}", &["Accepted", "Unknown"], "Unknown"),
        (
            "SendLocalList",
            r#"{"listVersion":1,"updateType":"Full"}"#,
            &["Accepted", "Failed", "NotSupported", "VersionMismatch"],
            "Failed",
        ),
        (
            "ReserveNow",
            r#"{"connectorId":1,"expiryDate":"2026-11-22T15:00:00Z","idTag":"A","reservationId":1}"#,
            &["Accepted", "Faulted", "Occupied", "Rejected", "Unavailable"],
            "Rejected",
        ),
        ("CancelReservation", r#"{"reservationId":1}"#, &["Accepted", "Rejected"], "Rejected"),
        (
            "ExtendedTriggerMessage",
            r#"{"requestedMessage":"Heartbeat"}"#,
            &["Accepted", "Rejected", "NotImplemented"],
            "NotImplemented",
        ),
        ("CertificateSigned", r#"{"certificateChain":"x"}"#, &["Accepted", "Rejected"], "Rejected"),
        ("DeleteCertificate", &delete, &["Accepted", "Failed", "NotFound"], "Failed"),
        (
            "InstallCertificate",
            r#"{"certificateType":"ManufacturerRootCertificate","certificate":"x"}"#,
            &["Accepted", "Failed", "Rejected"],
            "Rejected",
        ),
    ];
    for (action, payload, words, otherwise) in rows {
        for word in words {
            let answer = if *word == "Accepted" { StationAnswer::Accepted } else { refused(word) };
            assert_eq!(obey(action, payload, answer), format!(r#"[3,"a",{{"status":"{word}"}}]"#), "{action}");
        }
        let sent = obey(action, payload, refused("Elsewhere"));
        assert_eq!(sent, format!(r#"[3,"a",{{"status":"{otherwise}"}}]"#), "{action}");
    }
    // an action that has no word for it says it with the error of that name
    let firmware = r#"{"location":"ftp://x","retrieveDate":"2026-11-22T15:00:00Z"}"#;
    for (action, payload) in [("UpdateFirmware", firmware), ("GetDiagnostics", r#"{"location":"ftp://x"}"#)] {
        let sent = obey(action, payload, refused("NotSupported"));
        assert!(sent.starts_with(r#"[4,"a","NotSupported""#), "{sent}");
    }
    // 5.10: no list at all
    assert_eq!(obey("GetLocalListVersion", "{}", refused("NotSupported")), r#"[3,"a",{"listVersion":-1}]"#);
}

#[test]
fn answers_of_the_field_are_read_with_patience() {
    let fetch = |legacy| {
        let (to, retries) = (secret("ftp://x"), Retries::default());
        let kind = LogKind::Diagnostics;
        ToStation::Upkeep(UpkeepOrder::FetchLog { request: 1, kind, to, from: None, until: None, retries, legacy })
    };
    let file = |name: Option<&str>| Ok(StationAnswer::File(name.map(Into::into)));
    assert_eq!(outcome(fetch(true), "{}"), file(None));
    assert_eq!(outcome(fetch(true), r#"{"fileName":""}"#), file(None));
    assert_eq!(outcome(fetch(false), r#"{"status":"AcceptedCanceled","filename":"a"}"#), file(Some("a")));
    let send = || ToStation::List(ListOrder::Send { version: 2, full: true, entries: vec![] });
    assert_eq!(outcome(send(), r#"{"status":"versionmismatch"}"#), Ok(refused("VersionMismatch")));
    assert_eq!(outcome(ToStation::List(ListOrder::Version), r#"{"listVersion":"3"}"#), Ok(StationAnswer::Number(3)));
    let ask =
        || ToStation::Charging(ChargingOrder::Composite { evse: None, lasts: Duration::from_secs(60), unit: None });
    assert_eq!(outcome(ask(), r#"{"status":"Accepted"}"#), Ok(StationAnswer::Accepted));
    let bare = r#"{"status":"Accepted","connectorId":0,"chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":3679.125}]}}"#;
    let Ok(StationAnswer::Composite(composite)) = outcome(ask(), bare) else { panic!("{bare}") };
    assert_eq!((composite.evse, composite.start, composite.lasts), (None, now(), Duration::ZERO));
    assert_eq!(composite.periods[0].limit, Some(decimal("3679.125")));
    let broken = outcome(
        ask(),
        r#"{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[]}}"#,
    );
    assert!(broken.is_err(), "{broken:?}");
}

fn told(text: &str, heard: Heard) -> String {
    let mut engine = operator(Version::V16);
    let seen = receive(&mut engine, text);
    let Some((ticket, _)) = seen.asked.first() else { return seen.sent[0].clone() };
    let mut out = Vec::new();
    engine.answer(now(), *ticket, Ok(heard), &mut out);
    sort(out).sent[0].clone()
}

#[test]
fn data_transfer_has_four_answers_at_each_end() {
    let call = r#"[2,"a","DataTransfer",{"vendorId":"com.example"}]"#;
    for status in ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"] {
        let answer = VendorAnswer { status: status.into(), data: None };
        assert_eq!(told(call, Heard::Vendor(answer.clone())), format!(r#"[3,"a",{{"status":"{status}"}}]"#));
        let sent = obey("DataTransfer", r#"{"vendorId":"com.example"}"#, StationAnswer::Vendor(answer));
        assert_eq!(sent, format!(r#"[3,"a",{{"status":"{status}"}}]"#));
    }
    assert_eq!(told(call, Heard::NotServed), r#"[3,"a",{"status":"UnknownVendorId"}]"#);
    let sent = obey("DataTransfer", r#"{"vendorId":"com.example"}"#, refused("NotImplemented"));
    assert_eq!(sent, r#"[3,"a",{"status":"UnknownVendorId"}]"#);
    let odd = VendorAnswer { status: "Perhaps".into(), data: None };
    assert!(told(call, Heard::Vendor(odd)).starts_with(r#"[4,"a","InternalError""#));
}

#[test]
fn the_carrier_of_plug_and_charge_judges_what_it_carries() {
    let pnc = |message: &str, data: &str| {
        let data = serde_json::Value::String(data.to_owned());
        format!(r#"{{"vendorId":"org.openchargealliance.iso15118pnc","messageId":"{message}","data":{data}}}"#)
    };
    let say = |message: &str, data: &str| format!(r#"[2,"a","DataTransfer",{}]"#, pnc(message, data));
    let refused_as = told(&say("GetCertificateStatus", "{}"), Heard::NotServed);
    assert!(refused_as.starts_with(r#"[4,"a","OccurenceConstraintViolation""#), "{refused_as}");
    let broken = told(&say("SignCertificate", "{"), Heard::NotServed);
    assert!(broken.starts_with(r#"[4,"a","FormationViolation""#) && broken.contains("/data"), "{broken}");
    // not one of the note's messages: a vendor's message like any other
    assert_eq!(told(&say("Reset", "{}"), Heard::NotServed), r#"[3,"a",{"status":"UnknownVendorId"}]"#);
    let csr = r#"{"csr":"x","certificateType":"V2GCertificate"}"#;
    assert_eq!(told(&say("SignCertificate", csr), Heard::NotServed), r#"[3,"a",{"status":"UnknownMessageId"}]"#);
    let list = pnc("GetInstalledCertificateIds", "{}");
    assert_eq!(obey("DataTransfer", &list, refused("NotImplemented")), r#"[3,"a",{"status":"UnknownMessageId"}]"#);
}

/// OCA, "OCPP & California Pricing Requirements", section 3.1.
#[test]
fn prices_are_orders_about_tariffs() {
    let orders = [
        (
            "SetUserPrice",
            r#"{"idToken":"04A2B3C4D5E680","priceText":"€0.12/kWh","priceTextExtra":[{"format":"UTF8","language":"de","content":"0,12 €/kWh"}]}"#,
        ),
        (
            "RunningCost",
            r#"{"transactionId":12,"timestamp":"2026-11-22T15:00:00Z","meterValue":1234000,"cost":8.02,"state":"Charging","chargingPrice":{"kWhPrice":0.123,"flatFee":1.5},"triggerMeterValue":{"atEnergykWh":5.0}}"#,
        ),
        (
            "FinalCost",
            r#"{"transactionId":12,"cost":3.31,"priceText":"€2.81 @ €0.12/kWh","qrCodeText":"https://example.net/r"}"#,
        ),
    ];
    for (message, data) in orders {
        let order = ToStation::Tariff(TariffOrder::Californian { message: message.into(), data: Document::new(data) });
        for answer in [StationAnswer::Accepted, refused("Rejected"), refused("UnknownVendorId")] {
            let mut ends = Ends::new();
            let (told, heard) = ends.tell(order.clone(), vec![answer.clone()]);
            assert_eq!((opened(&told[0]), heard), (opened(&order), Ok(answer)));
            let head = format!(r#"{{"vendorId":"org.openchargealliance.costmsg","messageId":"{message}","data":"{{"#);
            assert!(ends.frames[0].contains(&head), "{}", ends.frames[0]);
        }
        let short = TariffOrder::Californian { message: message.into(), data: Document::new("{}") };
        assert!(!unsent(ToStation::Tariff(short)).is_empty());
        let call = format!(r#"{{"vendorId":"org.openchargealliance.costmsg","messageId":"{message}","data":"{{}}"}}"#);
        let sent = obey("DataTransfer", &call, StationAnswer::Accepted);
        assert!(sent.starts_with(r#"[4,"a","PropertyConstraintViolation""#) && sent.contains("/data"), "{sent}");
    }
}

#[test]
fn the_price_for_everybody_is_a_setting() {
    let price = r#"{"priceText":"0.15 $/kWh","chargingPrice":{"kWhPrice":0.15}}"#;
    for key in ["DefaultPrice", "DefaultPriceText,de"] {
        let order = TariffOrder::Californian { message: key.into(), data: Document::new(price) };
        let written = charge::talk::line::Written::Accepted;
        let (told, heard) =
            Ends::new().tell(ToStation::Tariff(order), vec![StationAnswer::Written(vec![(key.into(), written)])]);
        let expected = ToStation::WriteSettings { values: vec![(key.into(), secret(price))] };
        assert_eq!((opened(&told[0]), heard), (opened(&expected), Ok(StationAnswer::Accepted)));
    }
}

/// The car has gone: what a station says of it goes to the room as it is.
#[test]
fn an_unplugged_connector_is_a_vendors_message() {
    let data = serde_json::Value::String(r#"{"transactionId":12,"timestamp":"2026-11-22T15:00:00Z"}"#.to_owned());
    let what = FromStation::Vendor(Vendor {
        vendor: "org.openchargealliance.costmsg".into(),
        message: Some("ConnectorUnplugged".into()),
        data: Some(Document::new(data.to_string())),
    });
    let answer = Heard::Vendor(VendorAnswer { status: "Accepted".into(), data: None });
    assert_eq!(Ends::new().say(what.clone(), answer.clone()), (what, answer));
}

fn read_signed(value: &str) -> (String, Vec<u8>, Option<String>) {
    let value = serde_json::Value::String(value.to_owned());
    let text = format!(
        r#"[2,"a","MeterValues",{{"connectorId":1,"meterValue":[{{"timestamp":"2026-11-22T15:00:00Z","sampledValue":[{{"value":{value},"format":"SignedData"}}]}}]}}]"#
    );
    let seen = receive(&mut operator(Version::V16), &text);
    let FromStation::Meter(report) = &seen.asked[0].1 else { panic!("{:?}", seen.sent) };
    let Measured::Signed(record) = &report.readings[0].measured else { panic!("{report:?}") };
    (record.format.to_string(), record.bytes.to_vec(), record.public_key.as_deref().map(str::to_owned))
}

/// OCA, "Signed Meter Values in OCPP", and the shapes of the field.
#[test]
fn a_signed_record_is_unwrapped_to_the_bytes_that_were_signed() {
    let ocmf = r#"OCMF|{"FV":"1.0","RD":[]}|{"SD":"30"}"#;
    let hex: String = ocmf.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = "T0NNRnx7IkZWIjoiMS4wIiwiUkQiOltdfXx7IlNEIjoiMzAifQ==";
    let plain = ("OCMF".to_owned(), ocmf.as_bytes().to_vec(), None);
    for value in [ocmf, &hex, &hex.to_uppercase(), base64] {
        assert_eq!(read_signed(value), plain);
    }
    let keyed = (plain.0.clone(), plain.1.clone(), Some("oca:base16:asn1:3059".to_owned()));
    for data in [hex.as_str(), base64, &ocmf.replace('"', "\\\"")] {
        let value = format!(
            r#"{{"signedMeterData":"{data}","signingMethod":"ECDSA-secp256r1-SHA256","encodingMethod":"OCMF","publicKey":"oca:base16:asn1:3059"}}"#
        );
        assert_eq!(read_signed(&value), keyed);
    }
    let other = read_signed(r#"{"signedMeterData":"AP8Q","signingMethod":"","encodingMethod":"EDL","publicKey":""}"#);
    assert_eq!(other, ("EDL".to_owned(), vec![0, 255, 16], None));
}

#[test]
fn an_answer_that_does_not_fit_its_question_is_our_own_mistake() {
    let hashes = r#"{"certificateHashData":{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"1"}}"#;
    for (action, payload, answer) in [
        ("DeleteCertificate", hashes, StationAnswer::Number(1)),
        ("GetLocalListVersion", "{}", StationAnswer::Accepted),
        ("GetCompositeSchedule", r#"{"connectorId":0,"duration":60}"#, StationAnswer::Accepted),
        ("GetInstalledCertificateIds", r#"{"certificateType":"ManufacturerRootCertificate"}"#, StationAnswer::Accepted),
    ] {
        let sent = obey(action, payload, answer);
        assert!(sent.starts_with(r#"[4,"a","InternalError""#), "{action}: {sent}");
    }
    let sign = told(r#"[2,"a","SignCertificate",{"csr":"x"}]"#, Heard::Noted);
    assert!(sign.starts_with(r#"[4,"a","InternalError""#), "{sign}");
    assert_eq!(told(r#"[2,"a","SignCertificate",{"csr":"x"}]"#, Heard::NotServed), r#"[3,"a",{"status":"Rejected"}]"#);
}
