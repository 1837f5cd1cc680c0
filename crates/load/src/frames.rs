//! The loader's messages: WebSocket frames built once, with holes for what differs from one message to the next.
//!
//! OCPP 1.6 text of the sizes that the field sends. A client must mask its frames (RFC 6455, 5.3); the key here is
//! zero, which every server has to unmask like any other and which leaves the text in place to be patched.

use std::ops::Range;
use std::time::Duration;

use charge::Timestamp;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Heartbeat,
    Status,
    Meter,
}

impl Message {
    pub const ALL: [Self; 3] = [Self::Heartbeat, Self::Status, Self::Meter];

    /// OCPP's name of the action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Heartbeat => "Heartbeat",
            Self::Status => "StatusNotification",
            Self::Meter => "MeterValues",
        }
    }

    /// Must be on the disk before it is answered.
    pub const fn durable(self) -> bool {
        match self {
            Self::Heartbeat => false,
            Self::Status | Self::Meter => true,
        }
    }
}

/// Text frame, complete in one (RFC 6455, 5.2).
const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
const LENGTH_IN_2_BYTES: u8 = 126;
/// The mask key that changes nothing.
const NO_MASK: [u8; 4] = [0; 4];
/// The register of every virtual meter at the begin of its transaction.
pub(crate) const REGISTER_BEGIN_WH: u64 = 1_000_000;
/// Three milliwatt hours a millisecond: the car takes 10.8 kW.
const MILLIWATT_HOURS_PER_MS: u64 = 3;

/// A message that is sent many times. Holes are runs of one character: `^` the message id, `@` the time, `$` the
/// register.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    bytes: Vec<u8>,
    id: Range<usize>,
    time: Option<Range<usize>>,
    register: Option<Range<usize>>,
    began: Timestamp,
    /// When it was sent last: no two readings have the same time.
    last: Timestamp,
}

impl Prepared {
    fn new(text: &str, began: Timestamp) -> Self {
        let bytes = masked(text);
        let hole = |of: u8| {
            let first = bytes.iter().position(|byte| *byte == of)?;
            let last = bytes.iter().rposition(|byte| *byte == of)?;
            Some(first..last + 1)
        };
        let (id, time, register) = (hole(b'^').unwrap_or(0..0), hole(b'@'), hole(b'$'));
        Self { bytes, id, time, register, began, last: began }
    }

    pub fn heartbeat(now: Timestamp) -> Self {
        Self::new(r#"[2,"^^^^^^^^^^","Heartbeat",{}]"#, now)
    }

    /// Of the second connector: the first one charges.
    pub fn status(state: &str, now: Timestamp) -> Self {
        Self::new(
            &format!(
                r#"[2,"^^^^^^^^^^","StatusNotification",{{"connectorId":2,"errorCode":"NoError","status":"{state}","timestamp":"@@@@@@@@@@@@@@@@@@@@@@@@"}}]"#
            ),
            now,
        )
    }

    /// What a three-phase station sends every minute.
    pub fn meter(transaction: i64, began: Timestamp) -> Self {
        let mut values = String::from(
            r#"{"value":"$$$$$$$.$$$","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},{"value":"10800.0","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"}"#,
        );
        for phase in ["L1", "L2", "L3"] {
            values.push_str(&format!(
                r#",{{"value":"15.7","context":"Sample.Periodic","measurand":"Current.Import","phase":"{phase}","unit":"A"}}"#
            ));
        }
        Self::new(
            &format!(
                r#"[2,"^^^^^^^^^^","MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":"@@@@@@@@@@@@@@@@@@@@@@@@","sampledValue":[{values}]}}]}}]"#
            ),
            began,
        )
    }

    /// The frame for this message id and this moment, or the first millisecond after the last one sent.
    pub fn at(&mut self, id: u64, now: Timestamp) -> &[u8] {
        let now = now.whole_millis().max(self.last.plus(Duration::from_millis(1)).whole_millis());
        self.last = now;
        write_digits(&mut self.bytes[self.id.clone()], id);
        if let Some(time) = &self.time {
            self.bytes[time.clone()].copy_from_slice(millis(now).as_bytes());
        }
        if let Some(register) = &self.register {
            write_digits(&mut self.bytes[register.clone()], register_milliwatt_hours(self.began, now));
        }
        &self.bytes
    }

    /// Of the text, without the frame around it.
    pub fn text_bytes(&self) -> usize {
        self.bytes.len() - text_starts(self.bytes.len())
    }
}

/// Where the text of a frame of so many bytes starts.
const fn text_starts(frame_bytes: usize) -> usize {
    // 2 bytes, from 126 bytes of text on 2 more for the length, and the mask key
    if frame_bytes - 6 < LENGTH_IN_2_BYTES as usize { 6 } else { 8 }
}

/// A masked text frame. Texts of the bench are far below 64 KiB.
pub(crate) fn masked(text: &str) -> Vec<u8> {
    frame(TEXT, text.as_bytes())
}

/// The answer to a ping (RFC 6455, 5.5.3).
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    const PONG: u8 = 0x8a;
    frame(PONG, payload)
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 8);
    bytes.push(first);
    match u8::try_from(payload.len()) {
        Ok(short) if short < LENGTH_IN_2_BYTES => bytes.push(MASKED | short),
        _long => {
            let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
            bytes.push(MASKED | LENGTH_IN_2_BYTES);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&NO_MASK);
    bytes.extend_from_slice(payload);
    bytes
}

/// The register after a time of steady charging.
pub(crate) fn register_milliwatt_hours(began: Timestamp, now: Timestamp) -> u64 {
    let elapsed = u64::try_from(now.since(began).as_millis()).unwrap_or(u64::MAX);
    (REGISTER_BEGIN_WH * 1000).saturating_add(elapsed.saturating_mul(MILLIWATT_HOURS_PER_MS))
}

/// RFC 3339 with three digits after the second, always 24 characters.
fn millis(at: Timestamp) -> String {
    let whole = at.whole_seconds();
    let mut text = whole.to_string();
    text.truncate(text.len().saturating_sub(1));
    text.push_str(&format!(".{:03}Z", at.since(whole).subsec_millis()));
    text
}

/// Right-aligned, with leading zeros; a point stays where it is.
fn write_digits(into: &mut [u8], mut number: u64) {
    for byte in into.iter_mut().rev().filter(|byte| **byte != b'.') {
        *byte = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const BEGAN: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn text(frame: &[u8]) -> String {
        String::from_utf8(frame[text_starts(frame.len())..].to_vec()).unwrap()
    }

    #[test]
    fn holes_are_filled_and_nothing_else_moves() {
        let mut heartbeat = Prepared::heartbeat(BEGAN);
        assert_eq!(text(heartbeat.at(42, BEGAN)), r#"[2,"0000000042","Heartbeat",{}]"#);
        assert_eq!(heartbeat.text_bytes(), r#"[2,"0000000042","Heartbeat",{}]"#.len());

        let mut meter = Prepared::meter(7, BEGAN);
        let later = BEGAN.plus(Duration::from_millis(60_250));
        let said: serde_json::Value = serde_json::from_str(&text(meter.at(9, later))).unwrap();
        assert_eq!(said[1], "0000000009");
        assert_eq!(said[3]["transactionId"], 7);
        let sample = &said[3]["meterValue"][0];
        assert_eq!(sample["timestamp"], "2027-01-15T08:01:00.250Z");
        assert_eq!(sample["sampledValue"][0]["value"], "1000180.750");
        assert_eq!(sample["sampledValue"].as_array().unwrap().len(), 5);
        let again: serde_json::Value = serde_json::from_str(&text(meter.at(10, later))).unwrap();
        assert_eq!(again[3]["meterValue"][0]["timestamp"], "2027-01-15T08:01:00.251Z");
    }

    #[test]
    fn every_frame_says_its_true_length() {
        for length in [0, 1, 125, 126, 127, 500, 4000] {
            let frame = masked(&"x".repeat(length));
            let said = match frame[1] & 0x7f {
                126 => usize::from(u16::from_be_bytes([frame[2], frame[3]])),
                short => usize::from(short),
            };
            assert_eq!(said, length);
            assert_eq!(frame.len() - text_starts(frame.len()), length);
            assert_eq!(frame[1] & MASKED, MASKED);
        }
        let status = Prepared::status("Available", BEGAN);
        assert!((126..200).contains(&status.text_bytes()), "{}", status.text_bytes());
        let meter = Prepared::meter(1_000_000, BEGAN);
        assert!((400..800).contains(&meter.text_bytes()), "{}", meter.text_bytes());
    }
}
