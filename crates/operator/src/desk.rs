//! What the operator's daily work shows: plain structs in the words of the house, one per noun.
//!
//! As in `view`, nothing here names a driver: lists show how many and since when, never a card; what a station knows
//! of a customer is handed out once and is no struct of a list.

use charge::id::{BookingId, EvseNo, EvseUid, PartyId, SessionId, StationId};
use charge::talk::line::certificate::{CertificateHash, CertificateUse};
use charge::talk::line::model::{Attribute, MonitorKind};
use charge::talk::road::booking::{Cancellation, Period, ReservationStatus};
use charge::{Decimal, Timestamp};

use crate::booking::Terms;
use crate::campaign::{self, Pace};
use crate::drift::{Difference, Template};
use crate::explain::{Denied, Explanation};
use crate::request;
use crate::reservation;
use crate::whitelist::Place;

/// What was asked of a station and is answered later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub number: i32,
    pub station: StationId,
    pub kind: request::Kind,
    pub actor: String,
    pub asked: Timestamp,
    pub state: request::State,
    /// The station's own last word.
    pub status: Option<String>,
    pub changed: Timestamp,
}

/// An EVSE of a station, and on which terms it may be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookable {
    pub no: EvseNo,
    pub evse: EvseUid,
    /// `None`: it may not.
    pub terms: Option<Terms>,
}

/// A booking, without the card that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    pub id: BookingId,
    /// The provider that asked.
    pub giver: PartyId,
    pub station: StationId,
    pub no: EvseNo,
    pub evse: EvseUid,
    pub period: Period,
    pub status: ReservationStatus,
    pub canceled: Option<Cancellation>,
    /// The station keeps the EVSE for it.
    pub held: bool,
    /// What stood in its way, in plain words.
    pub why: Option<String>,
    pub made: Timestamp,
    pub changed: Timestamp,
}

/// Something a station told, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub cursor: i64,
    pub station: StationId,
    pub at: Timestamp,
    /// The block it belongs to: `charging`, `event`, `security`, `grid` and so on.
    pub kind: String,
    pub evse: Option<EvseNo>,
    /// 0 (danger) to 9 (debug), where the station says.
    pub severity: Option<u8>,
    pub text: String,
    /// The part of the message that has no words of ours, as JSON.
    pub document: Option<String>,
}

/// Which news.
#[derive(Clone, Debug, Default)]
pub struct NewsFilter {
    pub station: Option<StationId>,
    pub kind: Option<String>,
    /// This severity and worse.
    pub severity_max: Option<u8>,
    /// Cursor of the last line of the page before.
    pub before: Option<i64>,
    pub limit: u32,
}

/// A variable of a station's device model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub attribute: Attribute,
    pub value: Option<String>,
    pub read_only: bool,
    pub write_only: bool,
    pub persistent: bool,
    /// unit, dataType, limits: JSON.
    pub characteristics: Option<String>,
    pub told: Timestamp,
}

/// A monitor that a station reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMonitor {
    pub id: i32,
    pub variable: String,
    pub kind: MonitorKind,
    pub value: Decimal,
    pub severity: u8,
    pub in_transaction: bool,
}

/// A charging profile that a station reported as installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptProfile {
    pub evse: Option<EvseNo>,
    pub id: i32,
    pub purpose: String,
    pub kind: String,
    pub stack_level: u32,
    /// CSO, EMS, SO or Other.
    pub source: String,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
    /// In plain words: unit and limits over time.
    pub limits: String,
    pub told: Timestamp,
}

/// A message on a station's display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDisplay {
    pub id: i32,
    pub priority: String,
    pub state: Option<String>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub language: Option<String>,
    pub text: String,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub id: i32,
    pub station: StationId,
    pub evse: Option<EvseNo>,
    pub until: Timestamp,
    pub state: reservation::State,
    /// The station's word where it refused.
    pub why: Option<String>,
    /// Who asked for it over the road, and their name for it.
    pub giver: Option<(PartyId, String)>,
    /// The session that used it.
    pub session: Option<SessionId>,
    pub asked: Timestamp,
    pub changed: Timestamp,
}

/// A station's own list of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenList {
    /// The version the station accepted last; 0: none.
    pub version: i32,
    /// What the station itself said its version is.
    pub told: Option<i32>,
    /// The next update sends everything.
    pub uncertain: bool,
    pub sent: Option<Timestamp>,
    /// What came of the last update.
    pub outcome: Option<String>,
    pub entries: Vec<TokenListEntry>,
}

/// An entry, without the card behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenListEntry {
    /// Names the entry; says nothing about the card without the operator's key.
    pub id: String,
    pub place: Place,
    pub until: Timestamp,
    pub added: Timestamp,
    pub by: String,
}

/// A file that a station uploads, or was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub request: Request,
    /// The name of the file as the station said it.
    pub name: Option<String>,
    pub bytes: Option<u64>,
    pub received: Option<Timestamp>,
    /// The file on the operator's shelf, while it is kept.
    pub file: Option<String>,
    /// The address takes a file until then.
    pub open_until: Timestamp,
}

/// A firmware image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    pub id: String,
    pub vendor: String,
    pub model: Option<String>,
    pub version: String,
    /// Its maker's signature came with it.
    pub signed: bool,
    /// Fetched from somewhere else.
    pub elsewhere: bool,
    /// On our shelf.
    pub file: Option<String>,
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
    pub added: Timestamp,
}

/// A firmware campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    pub id: String,
    pub firmware: String,
    pub pace: Pace,
    pub state: campaign::State,
    pub why: Option<String>,
    pub begun: Timestamp,
    pub members: Vec<CampaignMember>,
}

/// A station of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignMember {
    pub station: StationId,
    pub wave: u32,
    /// `None`: not told yet.
    pub state: Option<request::State>,
    /// The station's last word, or why it could not be told.
    pub status: Option<String>,
    pub changed: Timestamp,
}

/// A certificate that a station asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub id: i64,
    pub station: StationId,
    /// `issued`, `accepted`, `rejected` (by the station), `unsent` or `refused` (by us).
    pub state: String,
    pub why: Option<String>,
    pub common_name: Option<String>,
    pub serial: Option<String>,
    pub fingerprint: Option<String>,
    pub not_after: Option<Timestamp>,
    pub asked: Timestamp,
}

/// A certificate that a station said it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub used_for: CertificateUse,
    pub hash: CertificateHash,
    /// Below another one in its chain.
    pub child: bool,
    pub told: Timestamp,
}

/// Something that was denied, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub at: Timestamp,
    /// The station, or the identity that knocked.
    pub station: String,
    pub evse: Option<EvseNo>,
    /// Who gave the order.
    pub actor: Option<String>,
    /// The order's name.
    pub order: Option<String>,
    pub denied: Denied,
    pub explanation: Explanation,
}

/// Which denials.
#[derive(Clone, Debug, Default)]
pub struct DenialFilter {
    pub station: Option<String>,
    pub limit: u32,
}

/// A station beside one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    pub station: StationId,
    pub template: Template,
    pub differences: Vec<Difference>,
}

/// What came of an expert call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpertAnswer {
    /// The station's answer as JSON, or why there is none.
    pub answer: Result<String, ExpertFault>,
    pub took_ms: u64,
}

/// Why an expert call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpertFault {
    /// The code of a CALLERROR.
    pub code: Option<String>,
    pub message: String,
}
