//! Time and randomness as arguments.
//!
//! Decisions take `now` first and never read a clock. [`Clock`] and [`Dice`] are handed to the services that
//! load, decide and act; tests hand in their own.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in UTC with microsecond resolution, the finest that both database engines keep.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time from `earlier` to `self`; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Without the fraction of a second: what the protocols of the field can carry everywhere.
    #[must_use]
    pub const fn whole_seconds(self) -> Self {
        Self::from_secs(self.secs())
    }

    /// With milliseconds, the form OCMF and some stations need.
    #[must_use]
    pub const fn whole_millis(self) -> Self {
        Self(self.0.div_euclid(1_000) * 1_000)
    }
}

/// RFC 3339 in UTC, with as many fraction digits as needed: `2026-11-22T15:04:05Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(at) => write!(f, "{at}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a moment in RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATime;

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a time in RFC 3339")
    }
}

impl std::error::Error for NotATime {}

/// Reads RFC 3339. A text without zone is refused here; a tongue that tolerates one adds `Z` and says so.
impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        text.trim().parse::<jiff::Timestamp>().map(|at| Self(at.as_microsecond())).map_err(|_| NotATime)
    }
}

/// Where `now` comes from.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that runs faster than another by a whole factor: the demo's time, in which cars charge in minutes.
///
/// Everything that shares it lives in the same world; only waiting for machines stays real.
pub struct FastClock<C> {
    inner: C,
    /// Where the inner clock stood when this one stood at `shown_from`.
    real_from: Timestamp,
    shown_from: Timestamp,
    factor: u32,
}

impl<C: Clock> FastClock<C> {
    /// Starts at `shown_from` now.
    pub fn new(inner: C, shown_from: Timestamp, factor: u32) -> Self {
        let real_from = inner.now();
        Self { inner, real_from, shown_from, factor }
    }
}

impl<C: Clock> Clock for FastClock<C> {
    fn now(&self) -> Timestamp {
        self.shown_from.plus(self.inner.now().since(self.real_from).saturating_mul(self.factor))
    }
}

/// A clock that a test or a simulation moves by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub const fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    pub fn set(&self, at: Timestamp) {
        self.0.store(at.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Where randomness comes from. The production source is `trust::dice::SystemDice`.
pub trait Dice: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);

    /// `len` characters of `0-9A-Z`, uniform: the alphabet that survives every protocol's case folding
    /// (5.17 bit a character).
    fn letters(&self, len: usize) -> String {
        const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let mut out = String::with_capacity(len);
        let mut block = [0u8; 32];
        while out.len() < len {
            self.fill(&mut block);
            // 252 is the largest multiple of 36 below 256: above it a byte would favour the first letters
            for byte in block.iter().filter(|byte| **byte < 252) {
                if out.len() < len {
                    out.push(ALPHABET[usize::from(byte % 36)] as char);
                }
            }
        }
        out
    }

    /// A random (version 4) UUID in its usual spelling.
    fn uuid(&self) -> String {
        let mut b = [0u8; 16];
        self.fill(&mut b);
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        let mut text = String::with_capacity(36);
        for (place, byte) in b.into_iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 0x0f] {
                text.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
            }
        }
        text
    }

    /// A uniform number below `bound` (which must not be zero).
    fn below(&self, bound: u64) -> u64 {
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let mut b = [0u8; 8];
            self.fill(&mut b);
            let drawn = u64::from_le_bytes(b);
            if drawn < zone {
                return drawn % bound;
            }
        }
    }
}

/// Repeatable randomness from a seed (SplitMix64), for worlds and simulations. Never for keys.
#[derive(Debug)]
pub struct SeededDice(std::sync::Mutex<u64>);

impl SeededDice {
    pub const fn new(seed: u64) -> Self {
        Self(std::sync::Mutex::new(seed))
    }
}

impl Dice for SeededDice {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_reads_what_it_prints() {
        for text in ["2026-11-22T15:04:05Z", "1970-01-01T00:00:00Z", "2026-11-22T15:04:05.123456Z"] {
            assert_eq!(text.parse::<Timestamp>().map(|at| at.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("2026-11-22T16:04:05+01:00".parse::<Timestamp>(), "2026-11-22T15:04:05Z".parse());
        assert_eq!("2026-11-22T16:04:05".parse::<Timestamp>(), Err(NotATime));
    }

    #[test]
    fn a_fast_clock_runs_ahead_by_its_factor() {
        let fast = FastClock::new(ManualClock::at(Timestamp::from_secs(100)), Timestamp::from_secs(1_000), 30);
        assert_eq!(fast.now(), Timestamp::from_secs(1_000));
        fast.inner.advance(Duration::from_secs(2));
        assert_eq!(fast.now(), Timestamp::from_secs(1_060));
    }

    #[test]
    fn seeded_dice_repeat_and_letters_stay_in_the_alphabet() {
        let (a, b) = (SeededDice::new(7), SeededDice::new(7));
        let letters = a.letters(40);
        assert_eq!(letters, b.letters(40));
        assert!(letters.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()));
        let uuid = a.uuid();
        assert!(uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            _other => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        }));
        assert_eq!(uuid.len(), 36);
        assert!((0..100).all(|_| a.below(6) < 6));
    }
}
