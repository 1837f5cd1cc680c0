//! Time-based one-time passwords of dynamic payment codes (OCPP 2.1 part 2, C25, "TOTP algorithm, version 1").
//!
//! The moment is counted in steps of the validity time, as in RFC 6238; the step goes through HMAC-SHA-256 under the
//! shared secret, and bytes of the result, from an offset that its last byte names, become letters and digits. It keeps
//! nothing: whoever checks a password remembers the step it was made for, and takes each step once.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use charge::{Secret, Timestamp};

/// What `WebPaymentsCtrlr.TOTPVersion` calls this algorithm.
pub const VERSION: &str = "v1";
/// `WebPaymentsCtrlr.ValidityTime`, seconds: a shorter code is gone before a telephone has read it, a longer one is a
/// sticker.
pub const VALIDITY_S: std::ops::RangeInclusive<u32> = 6..=3_600;
/// `WebPaymentsCtrlr.Length`: six characters are 35 bits, and the HMAC has no more than 32 bytes.
pub const LENGTH: std::ops::RangeInclusive<u32> = 6..=32;

/// How passwords of one station are made.
#[derive(Clone, Debug)]
pub struct Totp {
    pub secret: Secret<String>,
    pub validity_s: u32,
    pub length: u32,
}

impl Totp {
    /// The password of a moment.
    pub fn at(&self, now: Timestamp) -> String {
        self.of_step(self.step(now))
    }

    /// The step that a password belongs to: the present one, or its neighbour where the station's clock is a little
    /// off or the page took a while.
    ///
    /// cites: ocpp-2.1 C25.FR.07
    pub fn check(&self, presented: &str, now: Timestamp) -> Option<i64> {
        let step = self.step(now);
        let same = |step: &i64| verify_slices_are_equal(self.of_step(*step).as_bytes(), presented.as_bytes()).is_ok();
        [step, step - 1, step + 1].into_iter().find(same)
    }

    /// When the password of this moment is no longer shown.
    pub fn next_change(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_secs((self.step(now) + 1).saturating_mul(i64::from(self.validity_s.max(1))))
    }

    fn step(&self, at: Timestamp) -> i64 {
        at.secs().div_euclid(i64::from(self.validity_s.max(1)))
    }

    fn of_step(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose().as_bytes());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes.last().copied().unwrap_or(0) & 0x0f);
        let letters = bytes.iter().cycle().skip(offset).take(self.length as usize);
        letters.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
    }
}

const ALPHABET: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    fn totp() -> Totp {
        Totp { secret: Secret::new("a secret of more than sixteen".to_owned()), validity_s: 30, length: 8 }
    }

    /// Reckoned with another implementation of HMAC-SHA-256 (Python's `hmac`).
    #[test]
    fn passwords_are_those_of_another_implementation() {
        // proves: ocpp-2.1 C25.FR.01
        for (seconds, expected) in [(0, "t3QO9aDF"), (59, "cfpWU0kR"), (1_800_000_000, "1TWAAlu6")] {
            assert_eq!(totp().at(Timestamp::from_secs(seconds)), expected);
        }
        let long = Totp { length: 32, validity_s: 6, ..totp() };
        assert_eq!(long.at(Timestamp::from_secs(1_800_000_000)), "hP6qDPUuD0W1BKViytxnRPors5ZG36L5");
    }

    #[test]
    fn a_neighbour_is_taken_and_no_other() {
        // proves: ocpp-2.1 C25.FR.07
        let (totp, now) = (totp(), Timestamp::from_secs(1_800_000_000));
        let shown = totp.at(now);
        let at = |seconds: i64| totp.check(&shown, Timestamp::from_secs(1_800_000_000 + seconds));
        let step = 60_000_000;
        assert_eq!(
            (at(0), at(29), at(30), at(59), at(-1), at(-30)),
            (Some(step), Some(step), Some(step), Some(step), Some(step), Some(step))
        );
        assert_eq!((at(60), at(-31)), (None, None));
        assert_eq!(totp.check("", now), None);
        assert_eq!(totp.check(&shown.to_ascii_lowercase(), now).is_some(), shown == shown.to_ascii_lowercase());
        assert_eq!(totp.next_change(now), Timestamp::from_secs(1_800_000_030));
    }
}
