//! The words of the bridges' own tests, all of a version in one list: what is said or ordered, and the answer.

use charge::talk::line::model::ModelNews;
use charge::talk::line::{FromStation, Heard, ResetKind, StationAnswer, ToStation, Version};

use super::round_trip;
use super::{at, now};

#[path = "../../../../ocpp/src/tests/words2/news.rs"]
mod news;
#[path = "../../../../ocpp/src/tests/words2/orders.rs"]
mod orders;
#[path = "../../../../ocpp/src/tests/words2/samples.rs"]
mod samples;
#[path = "../../../../ocpp/src/tests/words16/samples.rs"]
mod v16;

fn spoken(version: Version, new: bool) -> bool {
    version == Version::V21 || !new
}

/// What a station says, with the operator's answer.
pub(super) fn messages(version: Version) -> Vec<(FromStation, Heard)> {
    let mut list = round_trip::messages(version);
    if version.is_2() {
        let own = news::messages().into_iter().filter(|row| spoken(version, row.0));
        list.extend(own.map(|(_, what, answer)| (what, answer)));
    } else {
        list.extend(v16::messages());
    }
    if version == Version::V21 {
        let values = vec![(samples::dec("0"), Box::from("3.5")), (samples::dec("1.5"), Box::from("3.6"))];
        let data = ModelNews::StreamData { id: 1, pending: 2, base: now(), values };
        list.push((FromStation::Model(data), Heard::Noted));
    }
    list
}

/// What an operator orders, with the station's answer.
pub(super) fn orders(version: Version) -> Vec<(ToStation, StationAnswer)> {
    let mut list = round_trip::orders(version);
    if version.is_2() {
        let own = orders::orders().into_iter().filter(|row| spoken(version, row.0));
        list.extend(own.map(|(_, what, answer)| (what, answer)));
        list.push((ToStation::Reset(ResetKind::Hard), StationAnswer::Accepted));
    } else {
        list.extend(v16::orders());
    }
    list
}
