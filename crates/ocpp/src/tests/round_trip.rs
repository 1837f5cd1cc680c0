//! Every word of the line, said at one end and heard at the other, in both versions; and golden frames.

pub(super) mod samples;

use charge::Purpose;
use charge::id::EvseNo;
use charge::meter::{Measured, SignedRecord};
use charge::talk::line::{
    FromStation, Heard, MeterReport, Stage, StationAnswer, Tap, ToStation, TransactionReport, Version,
};
use charge::token::{Allowed, TokenKind, Verdict};

use super::{at, now};
use crate::{Limits, csms, station};
pub(super) use samples::{UID, evse, token};
use samples::{messages, ocmf, orders, transaction};

const BOTH: [Version; 2] = [Version::V16, Version::V201];

/// The two ends of one line, with every frame that crossed it.
pub(super) struct Line {
    pub(super) operator: csms::Engine,
    pub(super) station: station::Engine,
    pub(super) frames: Vec<String>,
}

impl Line {
    pub(super) fn new(version: Version) -> Self {
        let limits = Limits::default();
        Self {
            operator: csms::Engine::new(version, limits),
            station: station::Engine::new(version, limits),
            frames: Vec::new(),
        }
    }

    /// Says a word, has it answered, and gives back what the operator and then the station heard.
    pub(super) fn say(&mut self, what: FromStation, answer: Heard) -> (FromStation, Heard) {
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
    pub(super) fn tell(&mut self, what: ToStation, answer: StationAnswer) -> (ToStation, StationAnswer) {
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
        matches!(
            event,
            station::Event::Heard {
                outcome: Ok(Heard::Transaction { number: None, verdict: None, cost: None, advice: None }),
                ..
            }
        )
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
            let tap = FromStation::Tap(Tap { token: token(TokenKind::Rfid), contract: None });
            let (_, heard) = line.say(tap, Heard::Tap(Verdict::bare(given)));
            assert_eq!(heard, Heard::Tap(Verdict::bare(expected)));
            assert!(line.frames[1].contains(&format!(r#""status":"{word}""#)), "{}", line.frames[1]);
        }
    }
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
        Heard::Transaction { number: Some(12), verdict: None, cost: None, advice: None },
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
        Heard::Transaction { number: None, verdict: Some(Verdict::bare(Allowed::Yes)), cost: None, advice: None },
    );
    assert_eq!(
        new.frames,
        [
            r#"[2,"s1","TransactionEvent",{"eventType":"Started","timestamp":"2026-11-22T15:00:00.5Z","triggerReason":"RemoteStart","seqNo":3,"transactionInfo":{"transactionId":"tx-9","chargingState":"Charging","remoteStartId":77},"offline":true,"reservationId":4,"evse":{"id":2,"connectorId":1},"idToken":{"idToken":"04A2B3C4D5E680","type":"ISO14443"}}]"#,
            r#"[3,"s1",{"idTokenInfo":{"status":"Accepted"}}]"#,
        ]
    );
    let mut start = Line::new(Version::V201);
    start.tell(
        ToStation::Start { evse: evse(1), token: token(TokenKind::Other), remote_id: 5, profile: None },
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
