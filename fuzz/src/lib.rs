//! What the targets share: a fixed time, the versions, and how one input is cut into frames.
//!
//! Deliberately no structured generation: inputs are what a peer could send, so that every frame from the field is a
//! seed. Invariant: the same bytes always do the same.

use charge::Timestamp;
use charge::talk::line::Version;

/// The time of every run.
pub fn now() -> Timestamp {
    Timestamp::from_secs(1_795_360_000)
}

/// The JSON versions, by the first byte of an input; the rest of it.
pub fn versioned(data: &[u8]) -> Option<(Version, &str)> {
    let (first, rest) = data.split_first()?;
    let version = [Version::V16, Version::V201, Version::V21][usize::from(*first) % 3];
    Some((version, std::str::from_utf8(rest).ok()?))
}

/// What is sent has to be one JSON array: the peer's reader must not fail over us.
pub fn assert_frame(text: &str) {
    let read = serde_json::from_str::<serde_json::Value>(text);
    assert!(read.is_ok_and(|value| value.is_array()), "we would send what is no frame");
}
