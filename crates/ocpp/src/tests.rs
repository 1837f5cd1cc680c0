#![allow(clippy::unwrap_used, reason = "a test may panic")]
//! Both engines against each other, against the field's frames, and against nonsense.

mod codes;
mod codes16;
mod ends16;
mod engines;
mod quirks;
mod round_trip;
mod tolerance;
mod words16;
mod words2;

use charge::Timestamp;
use charge::talk::line::{FromStation, LogLine, Version};

use crate::{Limits, Ticket, choose, csms, offered};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    at("2026-11-22T15:04:05Z")
}

pub(crate) fn operator(version: Version) -> csms::Engine {
    csms::Engine::new(version, Limits::default())
}

/// What one frame made the operator's end do.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) asked: Vec<(Ticket, FromStation)>,
    pub(crate) sent: Vec<String>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) answered: Vec<csms::Event>,
}

pub(crate) fn sort(events: Vec<csms::Event>) -> Seen {
    let mut seen = Seen::default();
    for event in events {
        match event {
            csms::Event::Asked { ticket, said } => seen.asked.push((ticket, said)),
            csms::Event::Send(text) => seen.sent.push(text),
            csms::Event::Log(line) => seen.log.push(line),
            answered @ csms::Event::Answered { .. } => seen.answered.push(answered),
        }
    }
    seen
}

pub(crate) fn receive(engine: &mut csms::Engine, text: &str) -> Seen {
    let mut out = Vec::new();
    engine.receive(now(), text, &mut out);
    sort(out)
}

#[test]
fn the_newest_common_version_wins_whatever_the_station_prefers() {
    let both = [Version::V16, Version::V201];
    let offer = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(choose(&offer(&["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]), &both), Some(Version::V201));
    assert_eq!(choose(&offer(&["ocpp1.6", "ocpp1.5"]), &both), Some(Version::V16));
    assert_eq!(choose(&offer(&["ocpp0.1", "ocpp2.0.1"]), &both), Some(Version::V201));
    assert_eq!(choose(&offer(&["ocpp2.0.1", "ocpp1.6"]), &[Version::V16]), Some(Version::V16));
    assert_eq!(choose(&offer(&["ocpp1.5"]), &both), None);
    assert_eq!(choose(&[], &both), None);
    assert_eq!(offered(Version::V16), Some("ocpp1.6"));
    assert_eq!(offered(Version::S16), None);
}
