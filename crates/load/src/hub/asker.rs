//! One connection of an operator that holds one card after the other to a reader.
//!
//! Requests are those of OCPI with every header that a hub reads and without a body: who asks where, nobody needs to
//! know. The order of the cards is drawn from their number, so that neither providers nor pages of an index come in
//! turn.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Network, Operator, Pair, uid};
use crate::Fault;
use crate::client::Line;
use crate::phase::Asks;

/// Whom the connection leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Hub,
    /// Through something that knows no addresses: the provider's own stands in the request.
    Provider,
}

pub(super) struct Asker {
    line: Line,
    /// What every request of it has.
    headers: String,
    goal: Goal,
    version: &'static str,
    first: u32,
    count: u32,
    tokens_each: u32,
    lane: u64,
    asked: u64,
}

/// Lanes are so far apart in the order of the cards.
const LANE_STRIDE: u64 = 1 << 32;

impl Asker {
    pub fn new(line: Line, operator: &Operator, lane: u32, to: (&Network, Pair, Goal)) -> Self {
        let (network, pair, goal) = to;
        let (first, count) = network.asked(pair);
        let headers = format!(
            "Host: localhost\r\nAuthorization: Token {}\r\nAccept: application/json\r\nOCPI-from-country-code: {}\r\n\
             OCPI-from-party-id: {}\r\nContent-Length: 0\r\n",
            BASE64_STANDARD.encode(operator.token.expose()),
            operator.party.country(),
            operator.party.code(),
        );
        let (version, tokens_each) = (pair.asks_in(), network.tokens_each);
        Self { line, headers, goal, version, first, count, tokens_each, lane: lane.into(), asked: 0 }
    }

    fn request(&self, drawn: u64) -> String {
        let provider = self.first + below(drawn >> 32, self.count);
        let uid = uid(provider, below(drawn, self.tokens_each));
        let path = match self.goal {
            Goal::Hub => format!("/ocpi/{}/sender/tokens", self.version),
            Goal::Provider => format!("/{provider}/2.2.1/tokens"),
        };
        let id = format!("{:08x}-{:04x}-4000-8000-{drawn:012x}", self.lane, self.asked & 0xffff);
        format!(
            "POST {path}/{uid}/authorize?type=RFID HTTP/1.1\r\n{}X-Request-ID: {id}\r\nX-Correlation-ID: {id}\r\n\r\n",
            self.headers
        )
    }
}

impl Asks for Asker {
    async fn ask(&mut self, _turn: usize) -> Result<(), Fault> {
        let request = self.request(scattered(self.lane * LANE_STRIDE + self.asked));
        self.asked += 1;
        let answer = self.line.ask("", request.as_bytes()).await?;
        if answer.contains(r#""ALLOWED""#) { Ok(()) } else { Err(Fault::Answer(answer.to_owned())) }
    }
}

/// One of so many.
fn below(drawn: u64, count: u32) -> u32 {
    u32::try_from((drawn & u64::from(u32::MAX)) % u64::from(count.max(1))).unwrap_or(0)
}

/// A number that looks like none of its neighbours' (SplitMix64, Steele, Lea and Flood 2014).
const fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_drawn_from_all_of_them() {
        let drawn: Vec<u64> = (0..4_000).map(scattered).collect();
        for provider in 0..10 {
            let asked = drawn.iter().filter(|drawn| below(**drawn >> 32, 10) == provider).count();
            assert!((300..500).contains(&asked), "{provider}: {asked}");
        }
        assert!(drawn.iter().any(|drawn| below(*drawn, 5_000_000) > 4_900_000));
        assert_eq!(below(7, 0), 0);
    }
}
