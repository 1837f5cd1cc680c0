//! Bytes on the wire, built once, with holes for what differs from one message to the next.
//!
//! A client must mask its frames (RFC 6455, 5.3); the key here is zero, which every server has to unmask like any
//! other and which leaves the text in place to be patched. What the texts say is [`crate::script`]'s.

use std::ops::Range;
use std::time::Duration;

use charge::Timestamp;

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

/// As long as a time is on the wire.
const TIME_BYTES: usize = 24;
const TIME_HOLE: [u8; TIME_BYTES] = [b'@'; TIME_BYTES];

/// A message that is sent many times. Holes are runs of one character: `^` the message id, `@` the time, `$` the
/// register, `%` the number in its transaction.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    bytes: Vec<u8>,
    text_bytes: usize,
    id: Option<Range<usize>>,
    /// Where it stands; an event and its readings have the same.
    times: Vec<usize>,
    register: Option<Range<usize>>,
    number: Option<Range<usize>>,
    began: Timestamp,
    /// When it was sent last: no two readings have the same time.
    last: Timestamp,
}

impl Prepared {
    /// From the bytes on the wire and the length of the text in them.
    pub fn new(bytes: Vec<u8>, text_bytes: usize, began: Timestamp) -> Self {
        let hole = |of: u8| {
            let first = bytes.iter().position(|byte| *byte == of)?;
            let last = bytes.iter().rposition(|byte| *byte == of)?;
            Some(first..last + 1)
        };
        let (id, register, number) = (hole(b'^'), hole(b'$'), hole(b'%'));
        let here = |(at, window): (usize, &[u8])| (*window == TIME_HOLE).then_some(at);
        let times = bytes.windows(TIME_BYTES).enumerate().filter_map(here).collect();
        Self { bytes, text_bytes, id, times, register, number, began, last: began }
    }

    /// The bytes for this message id, number and moment, or the first millisecond after the last one sent.
    pub fn at(&mut self, id: u64, number: u64, now: Timestamp) -> &[u8] {
        let now = now.whole_millis().max(self.last.plus(Duration::from_millis(1)).whole_millis());
        self.last = now;
        let register = register_milliwatt_hours(self.began, now);
        for (hole, value) in [(&self.id, id), (&self.register, register), (&self.number, number)] {
            if let Some(hole) = hole {
                write_digits(&mut self.bytes[hole.clone()], value);
            }
        }
        for at in &self.times {
            self.bytes[*at..at + TIME_BYTES].copy_from_slice(millis(now).as_bytes());
        }
        &self.bytes
    }

    /// Of the text, without what is around it.
    pub const fn text_bytes(&self) -> usize {
        self.text_bytes
    }
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
pub(crate) fn millis(at: Timestamp) -> String {
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

    #[test]
    fn holes_are_filled_and_nothing_else_moves() {
        let text = "a^^^^b@@@@@@@@@@@@@@@@@@@@@@@@c$$$$$$$.$$$d%%%%%%%e@@@@@@@@@@@@@@@@@@@@@@@@";
        let mut prepared = Prepared::new(text.as_bytes().to_vec(), text.len(), BEGAN);
        let later = BEGAN.plus(Duration::from_millis(60_250));
        assert_eq!(
            prepared.at(42, 1_000_007, later),
            b"a0042b2027-01-15T08:01:00.250Zc1000180.750d1000007e2027-01-15T08:01:00.250Z"
        );
        assert_eq!(
            prepared.at(43, 1_000_008, later),
            b"a0043b2027-01-15T08:01:00.251Zc1000180.753d1000008e2027-01-15T08:01:00.251Z"
        );
        assert_eq!(prepared.text_bytes(), text.len());
        let mut bare = Prepared::new(b"no hole".to_vec(), 7, BEGAN);
        assert_eq!(bare.at(1, 2, later), b"no hole");
    }

    #[test]
    fn every_frame_says_its_true_length() {
        for length in [0, 1, 125, 126, 127, 500, 4000] {
            let frame = masked(&"x".repeat(length));
            let (said, starts) = match frame[1] & 0x7f {
                126 => (usize::from(u16::from_be_bytes([frame[2], frame[3]])), 8),
                short => (usize::from(short), 6),
            };
            assert_eq!((said, frame.len() - starts), (length, length));
            assert_eq!(frame[1] & MASKED, MASKED);
        }
    }
}
