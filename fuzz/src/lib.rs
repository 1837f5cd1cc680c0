//! What the targets share: a fixed time, the versions, and how one input is cut into frames.
//!
//! Deliberately no structured generation: inputs are what a peer could send, so that every frame from the field is a
//! seed. Invariant: the same bytes always do the same.

use charge::Timestamp;
use charge::id::{EvseId, EvseUid, LocationId, PartyId};
use charge::place::{Capabilities, Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::talk::line::Version;
use charge::units::Power;

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

/// A place that the brokers' and clearing houses' messages may be about: EVSE `DE*ABC*E1`, connector 1.
pub fn location() -> Option<Location> {
    let connector = Connector {
        id: "1".parse().ok()?,
        plug: Plug::Type2,
        attached_cable: false,
        current: Current::Ac3Phase,
        max_voltage_v: 400,
        max_amperage_a: 32,
        max_power: Power::from_watts(22_000),
        tariffs: Vec::new(),
    };
    let evse = Evse {
        uid: EvseUid::new("DEABCE1").ok()?,
        id: Some(EvseId::new("DE*ABC*E1").ok()?),
        status: EvseStatus::Available,
        connectors: vec![connector],
        capabilities: Capabilities::NONE,
        physical_reference: None,
        last_updated: now(),
    };
    Some(Location {
        party: PartyId::new("DE", "ABC").ok()?,
        id: LocationId::new("LOC1").ok()?,
        name: None,
        address: "Marktplatz 7a".to_owned(),
        city: "Ulm".to_owned(),
        postal_code: None,
        country: "DEU".to_owned(),
        position: Position::new(484_000_100, 99_870_000)?,
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: vec![evse],
        last_updated: now(),
    })
}
