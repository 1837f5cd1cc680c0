//! Every word of the line, said at one end and heard at the other, in both versions; and golden frames.

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::talk::line::{
    Admission, BayState, Boot, EndReason, Foreign, FromStation, Heard, MeterReport, ResetKind, Setting, Stage,
    StationAnswer, StatusReport, Tap, ToStation, TransactionReport, Trigger, Version, Written,
};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::{Energy, Power};
use charge::{Purpose, Secret, Timestamp};

use super::{at, now};
use crate::{Limits, csms, station};

const BOTH: [Version; 2] = [Version::V16, Version::V201];

/// The two ends of one line, with every frame that crossed it.
struct Line {
    operator: csms::Engine,
    station: station::Engine,
    frames: Vec<String>,
}

impl Line {
    fn new(version: Version) -> Self {
        let limits = Limits::default();
        Self {
            operator: csms::Engine::new(version, limits),
            station: station::Engine::new(version, limits),
            frames: Vec::new(),
        }
    }

    /// Says a word, has it answered, and gives back what the operator and then the station heard.
    fn say(&mut self, what: FromStation, answer: Heard) -> (FromStation, Heard) {
        let mut out = Vec::new();
        self.station.say(now(), 1, what, "s1".to_owned(), &mut out);
        let mut asked = Vec::new();
        for frame in self.station_frames(out) {
            self.operator.receive(now(), &frame, &mut asked);
        }
        let clean = |event: &csms::Event| !matches!(event, csms::Event::Log(line) if !line.remarks.is_empty());
        assert!(asked.iter().all(clean), "{asked:?}");
        let asked = asked.into_iter().find_map(|event| match event {
            csms::Event::Asked { ticket, said } => Some((ticket, said)),
            csms::Event::Send(text) => panic!("refused: {text}"),
            csms::Event::Answered { .. } | csms::Event::Log(_) => None,
        });
        let (ticket, said) = asked.unwrap();
        let mut out = Vec::new();
        self.operator.answer(now(), ticket, Ok(answer), &mut out);
        let mut heard = Vec::new();
        for frame in self.operator_frames(out) {
            self.station.receive(now(), &frame, &mut heard);
        }
        let heard = heard.into_iter().find_map(|event| match event {
            station::Event::Heard { said: 1, outcome } => Some(outcome.unwrap()),
            _ => None,
        });
        (said, heard.unwrap())
    }

    /// Gives an order, has it answered, and gives back what the station and then the operator heard.
    fn tell(&mut self, what: ToStation, answer: StationAnswer) -> (ToStation, StationAnswer) {
        let mut out = Vec::new();
        self.operator.order(now(), 1, what, "o1".to_owned(), &mut out);
        let mut told = Vec::new();
        for frame in self.operator_frames(out) {
            self.station.receive(now(), &frame, &mut told);
        }
        let told = told.into_iter().find_map(|event| match event {
            station::Event::Told { ticket, order } => Some((ticket, order)),
            station::Event::Send(text) => panic!("refused: {text}"),
            station::Event::Heard { .. } | station::Event::Log(_) => None,
        });
        let (ticket, order) = told.unwrap();
        let mut out = Vec::new();
        self.station.answer(now(), ticket, answer, &mut out);
        let mut answered = Vec::new();
        for frame in self.station_frames(out) {
            self.operator.receive(now(), &frame, &mut answered);
        }
        let answered = answered.into_iter().find_map(|event| match event {
            csms::Event::Answered { order: 1, outcome } => Some(outcome.unwrap()),
            _ => None,
        });
        (order, answered.unwrap())
    }

    fn station_frames(&mut self, out: Vec<station::Event>) -> Vec<String> {
        let mut frames = Vec::new();
        for event in out {
            match event {
                station::Event::Send(text) => frames.push(text),
                station::Event::Log(line) => assert!(!line.text.contains(UID), "{}", line.text),
                other => panic!("{other:?}"),
            }
        }
        self.frames.extend(frames.iter().cloned());
        frames
    }

    fn operator_frames(&mut self, out: Vec<csms::Event>) -> Vec<String> {
        let mut frames = Vec::new();
        for event in out {
            match event {
                csms::Event::Send(text) => frames.push(text),
                csms::Event::Log(line) => assert!(!line.text.contains(UID), "{}", line.text),
                other => panic!("{other:?}"),
            }
        }
        self.frames.extend(frames.iter().cloned());
        frames
    }
}

const UID: &str = "04A2B3C4D5E680";

fn token(kind: TokenKind) -> PresentedToken {
    PresentedToken::new(TokenUid::new(UID).unwrap(), kind)
}

fn evse(number: u16) -> Option<EvseNo> {
    EvseNo::new(number)
}

fn reading(moment: Timestamp, context: Context, measured: Measured) -> Reading {
    Reading { at: moment, context, phase: None, measured }
}

fn ocmf() -> Measured {
    let bytes = format!("OCMF|{{\"FV\":\"1.0\",\"ID\":\"{UID}\",\"RD\":[]}}|{{\"SD\":\"30\"}}");
    Measured::Signed(SignedRecord { format: "OCMF".into(), bytes: bytes.into_bytes().into(), public_key: None })
}

fn transaction(version: Version, stage: Stage) -> TransactionReport {
    let begin = at("2026-11-22T15:00:00.5Z");
    let old = version == Version::V16;
    TransactionReport {
        stage,
        key: match (old, stage) {
            (true, Stage::Started) => None,
            (true, Stage::Updated | Stage::Ended) => Some(TransactionKey::Number(12)),
            (false, _) => Some(TransactionKey::Text("tx-9".into())),
        },
        seq: (!old).then_some(3),
        at: begin,
        evse: (stage == Stage::Started).then(|| evse(2)).flatten(),
        token: (stage != Stage::Updated).then(|| token(TokenKind::Rfid)),
        readings: match (old, stage) {
            (true, Stage::Started) => {
                vec![reading(begin, Context::TransactionBegin, Measured::EnergyImport(Energy::from_wh(1500)))]
            }
            (true, _) => vec![
                reading(begin, Context::SamplePeriodic, Measured::PowerImport(Power::from_milliwatts(11_000_125))),
                reading(begin, Context::TransactionEnd, ocmf()),
                reading(begin, Context::TransactionEnd, Measured::EnergyImport(Energy::from_wh(2500))),
            ],
            (false, _) => vec![
                reading(begin, Context::TransactionEnd, Measured::EnergyImport(Energy::from_mwh(2_500_001))),
                reading(begin, Context::TransactionEnd, ocmf()),
                reading(begin, Context::SamplePeriodic, Measured::PowerImport(Power::from_watts(11_000))),
            ],
        },
        reason: (stage == Stage::Ended).then_some(EndReason::CarLeft),
        state: (!old).then_some(BayState::Charging),
        offline: !old,
        remote_start: (!old).then_some(77),
    }
}

fn messages(version: Version) -> Vec<(FromStation, Heard)> {
    let old = version == Version::V16;
    let boot = Boot {
        vendor: "Leyden".into(),
        model: "Jar".into(),
        serial: Some("S1".into()),
        firmware: Some("1.0".into()),
        meter_type: old.then(|| "EMH".into()),
        meter_serial: old.then(|| "M1".into()),
        reason: (!old).then(|| "PowerUp".into()),
    };
    let welcome = Heard::Boot { admitted: Admission::Pending, now: now(), interval: Duration::from_secs(300) };
    let taken = |number| Heard::Transaction { number, verdict: Some(Verdict::bare(Allowed::Yes)) };
    let status = |evse, state, fault: Option<&str>| {
        FromStation::Status(StatusReport { evse, state, fault: fault.map(Into::into), at: Some(now()) })
    };
    let meter = vec![
        reading(now(), Context::SampleClock, Measured::EnergyImport(Energy::from_mwh(12_345_678))),
        Reading {
            phase: Some("L1".into()),
            ..reading(
                now(),
                Context::Trigger,
                Measured::Other { measurand: "Voltage".into(), value: "230.10".parse().unwrap(), unit: "V".into() },
            )
        },
        reading(now(), Context::SamplePeriodic, Measured::StateOfCharge("55.5".parse().unwrap())),
        reading(now(), Context::SamplePeriodic, Measured::EnergyExport(Energy::from_wh(4))),
    ];
    let mut list = vec![
        (FromStation::Boot(boot), welcome),
        (FromStation::Alive, Heard::Alive { now: now() }),
        (FromStation::Tap(Tap { token: token(TokenKind::Rfid) }), Heard::Tap(Verdict::bare(Allowed::Blocked))),
        (FromStation::Transaction(transaction(version, Stage::Started)), taken(old.then_some(12))),
        (FromStation::Transaction(transaction(version, Stage::Ended)), taken(None)),
        (
            FromStation::Meter(MeterReport {
                evse: evse(1),
                key: old.then_some(TransactionKey::Number(5)),
                readings: meter,
            }),
            Heard::Noted,
        ),
        (
            FromStation::Security { kind: "InvalidCsmsCertificate".into(), at: now(), detail: Some("x".into()) },
            Heard::Noted,
        ),
        (FromStation::Progress { of: "Firmware".into(), status: "Downloaded".into() }, Heard::Noted),
        (FromStation::Progress { of: "Log".into(), status: "Uploaded".into() }, Heard::Noted),
        (status(None, BayState::Unavailable, None), Heard::Noted),
        (status(evse(2), BayState::Reserved, None), Heard::Noted),
        (status(evse(2), BayState::Faulted, old.then_some("GroundFailure: wet")), Heard::Noted),
    ];
    list.extend(own_messages(version));
    list
}

/// The words that one version has and the other does not.
fn own_messages(version: Version) -> Vec<(FromStation, Heard)> {
    let mut list = Vec::new();
    let status = |state| FromStation::Status(StatusReport { evse: evse(1), state, fault: None, at: Some(now()) });
    if version == Version::V16 {
        let fine = [
            BayState::Preparing,
            BayState::Charging,
            BayState::SuspendedByCar,
            BayState::SuspendedByStation,
            BayState::Finishing,
        ];
        list.extend(fine.map(|state| (status(state), Heard::Noted)));
        list.push((FromStation::Progress { of: "Diagnostics".into(), status: "Uploading".into() }, Heard::Noted));
        let body = Foreign { action: "DataTransfer".into(), body: r#"{"vendorId":"v"}"#.into() };
        list.push((FromStation::Foreign(body), Heard::Noted));
    } else {
        list.push((status(BayState::Occupied), Heard::Noted));
        list.push((
            FromStation::Transaction(transaction(version, Stage::Updated)),
            Heard::Transaction { number: None, verdict: None },
        ));
        list.push((
            FromStation::Tap(Tap { token: token(TokenKind::Emaid) }),
            Heard::Tap(Verdict::bare(Allowed::NoCredit)),
        ));
        let row = |key: &str, value: Option<&str>, read_only| Setting {
            key: key.into(),
            value: value.map(Into::into),
            read_only,
        };
        let rows = vec![
            row("EVSE#1.AvailabilityState", Some("Available"), true),
            row("SecurityCtrlr.BasicAuthPassword", None, false),
        ];
        list.push((FromStation::Settings(rows), Heard::Noted));
    }
    list
}

#[test]
fn every_message_arrives_as_it_was_said_and_so_does_its_answer() {
    for version in BOTH {
        for (what, answer) in messages(version) {
            let (said, heard) = Line::new(version).say(what.clone(), answer.clone());
            assert_eq!((said, heard), (what, answer), "{version:?}");
        }
    }
}

#[test]
fn an_update_in_1_6_is_meter_values_of_its_transaction() {
    let what = transaction(Version::V16, Stage::Updated);
    let mut end = station::Engine::new(Version::V16, Limits::default());
    let mut out = Vec::new();
    end.say(now(), 1, FromStation::Transaction(what.clone()), "s1".to_owned(), &mut out);
    let station::Event::Send(frame) = &out[0] else { panic!("{out:?}") };
    let seen = super::receive(&mut super::operator(Version::V16), frame);
    let expected = MeterReport { evse: None, key: what.key, readings: what.readings };
    assert_eq!(seen.asked[0].1, FromStation::Meter(expected));
    end.receive(now(), r#"[3,"s1",{}]"#, &mut out);
    let heard = |event: &station::Event| {
        matches!(event, station::Event::Heard { outcome: Ok(Heard::Transaction { number: None, verdict: None }), .. })
    };
    assert!(out.iter().any(heard), "{out:?}");
}

#[test]
fn every_verdict_becomes_the_versions_word_and_no_refusal_becomes_a_yes() {
    let table = [
        (Allowed::Yes, Allowed::Yes, Allowed::Yes, "Accepted", "Accepted"),
        (Allowed::Blocked, Allowed::Blocked, Allowed::Blocked, "Blocked", "Blocked"),
        (Allowed::Expired, Allowed::Expired, Allowed::Expired, "Expired", "Expired"),
        (Allowed::NoCredit, Allowed::Unknown, Allowed::NoCredit, "Invalid", "NoCredit"),
        (Allowed::NotHere, Allowed::Unknown, Allowed::NotHere, "Invalid", "NotAtThisLocation"),
        (Allowed::Unknown, Allowed::Unknown, Allowed::Unknown, "Invalid", "Unknown"),
        (Allowed::Unanswered, Allowed::Unknown, Allowed::Unknown, "Invalid", "Unknown"),
    ];
    for (given, old, new, old_word, new_word) in table {
        for (version, expected, word) in [(Version::V16, old, old_word), (Version::V201, new, new_word)] {
            let mut line = Line::new(version);
            let tap = FromStation::Tap(Tap { token: token(TokenKind::Rfid) });
            let (_, heard) = line.say(tap, Heard::Tap(Verdict::bare(given)));
            assert_eq!(heard, Heard::Tap(Verdict::bare(expected)));
            assert!(line.frames[1].contains(&format!(r#""status":"{word}""#)), "{}", line.frames[1]);
        }
    }
}

fn orders(version: Version) -> Vec<(ToStation, StationAnswer)> {
    let old = version == Version::V16;
    let refused = |word: &str| StationAnswer::Refused(word.into());
    let key = if old { TransactionKey::Number(12) } else { TransactionKey::Text("tx-9".into()) };
    let name = if old { "HeartbeatInterval" } else { "OCPPCommCtrlr.HeartbeatInterval" };
    let values = vec![(Box::from(name), Secret::new(Box::from("60")))];
    let setting = Setting { key: name.into(), value: Some("300".into()), read_only: false };
    let unknown = if old { "Nonsense" } else { "Nonsense.Variable" };
    let start = ToStation::Start { evse: evse(2), token: token(TokenKind::Other), remote_id: if old { 0 } else { 77 } };
    let mut list = vec![
        (start, StationAnswer::Accepted),
        (ToStation::Stop { key }, refused("Rejected")),
        (ToStation::Reset(ResetKind::Soft), StationAnswer::Accepted),
        (ToStation::Reset(ResetKind::Hard), if old { refused("Rejected") } else { StationAnswer::Scheduled }),
        (ToStation::Unlock { evse: EvseNo::new(1).unwrap() }, StationAnswer::Accepted),
        (ToStation::Unlock { evse: EvseNo::new(2).unwrap() }, refused("UnlockFailed")),
        (ToStation::Availability { evse: None, operative: false }, StationAnswer::Scheduled),
        (ToStation::Availability { evse: evse(1), operative: true }, StationAnswer::Accepted),
        (
            ToStation::ReadSettings { keys: vec![name.into(), unknown.into()] },
            StationAnswer::Settings { known: vec![setting.clone()], unknown: vec![unknown.into()] },
        ),
        (ToStation::ClearCache, StationAnswer::Accepted),
    ];
    for written in [Written::Accepted, Written::AfterReboot, Written::Rejected, Written::Unknown] {
        let order = ToStation::WriteSettings { values: values.clone() };
        list.push((order, StationAnswer::Written(vec![(name.into(), written)])));
    }
    for what in [Trigger::Boot, Trigger::Status, Trigger::Alive, Trigger::Meter] {
        list.push((ToStation::Trigger { what, evse: evse(1) }, refused("NotImplemented")));
    }
    let all = ToStation::ReadSettings { keys: vec![] };
    let (foreign, body) = if old {
        list.push((
            all,
            StationAnswer::Settings { known: vec![Setting { read_only: true, ..setting }], unknown: vec![] },
        ));
        ("GetLocalListVersion", r#"{"listVersion":3}"#)
    } else {
        list.push((all.clone(), StationAnswer::Settings { known: vec![], unknown: vec![] }));
        list.push((all, StationAnswer::Accepted));
        ("GetLocalListVersion", r#"{"versionNumber":3}"#)
    };
    let word = |body: &str| Foreign { action: foreign.into(), body: body.into() };
    list.push((ToStation::Foreign(word("{}")), StationAnswer::Foreign(word(body))));
    list
}

/// What an order says, with its hidden parts: secrets and tokens do not compare by themselves.
fn opened(order: &ToStation) -> String {
    let hidden = match order {
        ToStation::Start { token, .. } => token.uid.reveal(Purpose::Transmit).as_delivered().to_owned(),
        ToStation::WriteSettings { values } => values.iter().map(|(_, value)| value.expose().to_string()).collect(),
        _ => String::new(),
    };
    format!("{order:?} {hidden}")
}

#[test]
fn every_order_arrives_as_it_was_given_and_so_does_its_answer() {
    for version in BOTH {
        for (what, answer) in orders(version) {
            let (told, heard) = Line::new(version).tell(what.clone(), answer.clone());
            assert_eq!((opened(&told), heard), (opened(&what), answer), "{version:?}");
        }
    }
}

#[test]
fn a_word_that_the_answer_does_not_have_becomes_its_own_refusal() {
    let odd = StationAnswer::Refused("Tired".into());
    for version in BOTH {
        let (_, heard) = Line::new(version).tell(ToStation::ClearCache, odd.clone());
        assert_eq!(heard, StationAnswer::Refused("Rejected".into()));
        let (_, heard) = Line::new(version).tell(ToStation::Unlock { evse: EvseNo::new(1).unwrap() }, odd.clone());
        assert_eq!(heard, StationAnswer::Refused("UnlockFailed".into()));
    }
}

#[test]
fn reports_are_numbered_under_their_request() {
    let mut line = Line::new(Version::V201);
    line.tell(ToStation::ReadSettings { keys: vec![] }, StationAnswer::Accepted);
    for part in 0..2 {
        let rows = vec![Setting { key: "A.B".into(), value: Some("1".into()), read_only: true }];
        line.say(FromStation::Settings(rows), Heard::Noted);
        let frame = &line.frames[line.frames.len() - 2];
        assert!(
            frame.contains(&format!(r#""requestId":1,"generatedAt":"2026-11-22T15:04:05Z","seqNo":{part}"#)),
            "{frame}"
        );
    }
}

#[test]
fn signed_records_keep_their_bytes_in_every_wrapping() {
    let Measured::Signed(record) = ocmf() else { panic!() };
    let text = std::str::from_utf8(&record.bytes).unwrap();
    let hex: String = record.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(&record.bytes);
    let json =
        format!(r#"{{"signedMeterData":"{data}","encodingMethod":"OCMF","signingMethod":"","publicKey":"key"}}"#);
    for (value, public_key) in [(text, None), (&hex, None), (&json, Some("key"))] {
        let value = serde_json::to_string(value).unwrap();
        let frame = format!(
            r#"[2,"a","MeterValues",{{"connectorId":1,"meterValue":[{{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[{{"format":"SignedData","value":{value}}}]}}]}}]"#
        );
        let seen = super::receive(&mut super::operator(Version::V16), &frame);
        let FromStation::Meter(report) = &seen.asked[0].1 else { panic!() };
        let expected = SignedRecord { public_key: public_key.map(Into::into), ..record.clone() };
        assert_eq!(report.readings[0].measured, Measured::Signed(expected));
        assert!(!seen.log[0].text.contains("OCMF|") && !seen.log[0].text.contains(&data), "{}", seen.log[0].text);
    }
}

#[test]
fn frames_are_compact_and_golden() {
    let mut old = Line::new(Version::V16);
    old.say(
        FromStation::Transaction(transaction(Version::V16, Stage::Started)),
        Heard::Transaction { number: Some(12), verdict: None },
    );
    assert_eq!(
        old.frames,
        [
            r#"[2,"s1","StartTransaction",{"connectorId":2,"idTag":"04A2B3C4D5E680","meterStart":1500,"timestamp":"2026-11-22T15:00:00.5Z"}]"#,
            r#"[3,"s1",{"idTagInfo":{"status":"Invalid"},"transactionId":12}]"#,
        ]
    );
    let mut new = Line::new(Version::V201);
    let report = TransactionReport { readings: vec![], ..transaction(Version::V201, Stage::Started) };
    new.say(
        FromStation::Transaction(report),
        Heard::Transaction { number: None, verdict: Some(Verdict::bare(Allowed::Yes)) },
    );
    assert_eq!(
        new.frames,
        [
            r#"[2,"s1","TransactionEvent",{"eventType":"Started","timestamp":"2026-11-22T15:00:00.5Z","triggerReason":"RemoteStart","seqNo":3,"transactionInfo":{"transactionId":"tx-9","chargingState":"Charging","remoteStartId":77},"offline":true,"evse":{"id":2,"connectorId":1},"idToken":{"idToken":"04A2B3C4D5E680","type":"ISO14443"}}]"#,
            r#"[3,"s1",{"idTokenInfo":{"status":"Accepted"}}]"#,
        ]
    );
    let mut start = Line::new(Version::V201);
    start.tell(
        ToStation::Start { evse: evse(1), token: token(TokenKind::Other), remote_id: 5 },
        StationAnswer::Accepted,
    );
    assert_eq!(
        start.frames,
        [
            r#"[2,"o1","RequestStartTransaction",{"idToken":{"idToken":"04A2B3C4D5E680","type":"Central"},"remoteStartId":5,"evseId":1}]"#,
            r#"[3,"o1",{"status":"Accepted"}]"#,
        ]
    );
}
