//! The local controller (OCPP 2.0.1 part 4, 6; in 1.6 a proxy): between the stations of one site and their CSMS.
//!
//! While the CSMS is there, everything goes through in both directions and nothing is decided here. While it is away,
//! the controller answers what a station must have answered, and keeps what the CSMS must hear. Deliberately no
//! sessions, no tariffs and no pages. Invariant: what a station was told is kept, is on disk.

use std::collections::HashSet;
use std::time::Duration;

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::{Admission, FromStation, Heard, Stage};
use charge::token::{Allowed, PresentedToken, Verdict};
use charge::{Personal, Secret};
use trust::token_tag::{TagKey, TokenTag};

use crate::admit::Proof;
use crate::proxy::copy::Weight;

/// A station of the site: how it proves itself here, and how it is proven to the CSMS.
#[derive(Clone, Debug)]
pub struct Seat {
    pub station: StationId,
    pub proof: Proof,
    /// Its password at the CSMS.
    pub password: Option<Secret<Box<str>>>,
}

/// Where the CSMS is.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// `wss://host[:port][/path]`; each station's identity is appended.
    pub address: String,
    /// The authorities that vouch for it, in PEM.
    pub roots: String,
    /// It is in our own network.
    pub local: bool,
}

/// Who charges while the CSMS is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offline {
    #[default]
    Nobody,
    /// Those on the controller's list.
    Listed,
    Everybody,
}

impl Offline {
    pub fn named(text: &str) -> Option<Self> {
        match text {
            "nobody" => Some(Self::Nobody),
            "listed" => Some(Self::Listed),
            "everybody" => Some(Self::Everybody),
            _ => None,
        }
    }
}

/// The rule with its list. Cards are kept as keyed tags alone.
#[derive(Debug, Default)]
pub struct Rules {
    pub offline: Offline,
    listed: HashSet<[u8; TokenTag::LEN]>,
}

impl Rules {
    pub fn new(offline: Offline, listed: &[Personal<charge::token::TokenUid>], tags: &TagKey) -> Self {
        // a list has uids without kinds: a card is one whatever its reader calls it
        let tag = |uid| *tags.tag(KIND, uid).as_bytes();
        Self { offline, listed: listed.iter().map(tag).collect() }
    }

    pub(crate) fn verdict(&self, token: &PresentedToken, tags: &TagKey) -> Verdict {
        let yes = match self.offline {
            Offline::Nobody => false,
            Offline::Listed => self.listed.contains(tags.tag(KIND, &token.uid).as_bytes()),
            Offline::Everybody => true,
        };
        Verdict::bare(if yes { Allowed::Yes } else { Allowed::Unanswered })
    }
}

const KIND: charge::token::TokenKind = charge::token::TokenKind::Rfid;

/// What happens to a message while the CSMS is away.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Alone {
    /// Answered here, and of no use later.
    Answered(Heard),
    /// Kept for the CSMS, and then answered so.
    Kept(Heard, Weight),
}

/// Answers a station in the CSMS's absence. `number` names a transaction that begins now in 1.6.
pub(crate) fn alone(
    said: &FromStation,
    verdict: Option<Verdict>,
    number: i32,
    now: Timestamp,
    heartbeat: Duration,
) -> Alone {
    match said {
        FromStation::Boot(_) => {
            Alone::Answered(Heard::Boot { admitted: Admission::Accepted, now, interval: heartbeat })
        }
        FromStation::Alive => Alone::Answered(Heard::Alive { now }),
        FromStation::Tap(_) => {
            Alone::Answered(Heard::Tap(verdict.unwrap_or_else(|| Verdict::bare(Allowed::Unanswered))))
        }
        FromStation::Transaction(report) => {
            let number = (report.stage == Stage::Started && report.key.is_none()).then_some(number);
            let weight = if report.stage == Stage::Updated { Weight::Course } else { Weight::Edge };
            Alone::Kept(Heard::Transaction { number, verdict, cost: None, advice: None }, weight)
        }
        FromStation::Meter(report) => {
            let weight = if report.key.is_some() { Weight::Course } else { Weight::News };
            Alone::Kept(Heard::Noted, weight)
        }
        FromStation::Status(_) | FromStation::Security { .. } | FromStation::Reservation { .. } => {
            Alone::Kept(Heard::Noted, Weight::News)
        }
        FromStation::Progress(_) => Alone::Kept(Heard::Noted, Weight::News),
        // questions to the CSMS, and answers to it that nobody waits for any more
        FromStation::Charging(_)
        | FromStation::Certificate(_)
        | FromStation::Model(_)
        | FromStation::Display(_)
        | FromStation::Customer(_)
        | FromStation::Grid(_)
        | FromStation::Swap(_)
        | FromStation::Payment(_)
        | FromStation::Vendor(_)
        | FromStation::Foreign(_) => Alone::Answered(Heard::NotServed),
    }
}
