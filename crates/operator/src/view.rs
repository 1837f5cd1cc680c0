//! What pages and the API are shown: plain structs in the words of the house, made by `service::look`.
//!
//! Nothing here names a driver: sessions and CDRs show their provider, never a card or a contract.

use billing::price::Line;
use billing::record::Report;
use charge::id::{CdrId, EvseId, EvseNo, EvseUid, LocationId, PartyId, SessionId, StationId};
use charge::money::{Currency, Price};
use charge::place::{EvseStatus, Position};
use charge::talk::line::{Admission, BayState, Direction, LogLine, Setting, Version};
use charge::tariff::Tariff;
use charge::units::{Energy, Power};
use charge::{Decimal, Timestamp};

use crate::memory::cdr::Delivery;
use crate::session::State;

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub offset: u32,
    pub limit: u32,
}

impl Page {
    /// A page is read by a person or pulled by a partner; neither gains from more.
    pub const LIMIT_MAX: u32 = 500;

    pub(crate) const fn bounded(self) -> Self {
        let limit = if self.limit > Self::LIMIT_MAX { Self::LIMIT_MAX } else { self.limit };
        Self { offset: self.offset, limit }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { offset: 0, limit: 50 }
    }
}

/// A part of a list, and how long the list is.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    pub items: Vec<T>,
    pub total: u32,
}

/// The operator at a glance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    pub stations: u32,
    pub stations_connected: u32,
    pub stations_faulted: u32,
    pub evses_available: u32,
    pub evses_charging: u32,
    pub evses_faulted: u32,
    pub evses_other: u32,
    pub sessions_active: u32,
    /// Begun since midnight in UTC.
    pub sessions_today: u32,
    pub energy_today: Energy,
    pub cdrs_waiting: u32,
    pub cdrs_refused: u32,
    pub cdrs_delivered_today: u32,
    pub power_now: Power,
    pub refusals_today: u32,
    /// Sampled once a minute since the program started, for a day at most.
    pub power_history: Vec<(Timestamp, Power)>,
    /// Lines that the message log had to drop under load.
    pub log_dropped: u64,
}

/// Which stations.
#[derive(Clone, Debug, Default)]
pub struct StationFilter {
    /// Found in id, vendor, model, location name or city.
    pub query: Option<String>,
    /// `connected`, `away`, or the state of one of its EVSEs.
    pub state: Option<String>,
    pub page: Page,
}

/// A station in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct StationCard {
    pub id: StationId,
    pub vendor: String,
    pub model: String,
    pub firmware: Option<String>,
    pub serial: Option<String>,
    /// Of the live connection, or of the last one.
    pub version: Option<Version>,
    pub connected: bool,
    /// When the connection came up, or the station left.
    pub since: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    /// The OCPP security profile it is enrolled for.
    pub profile: u8,
    pub danger_plain_ws: bool,
    pub location: LocationId,
    pub location_name: Option<String>,
    pub city: String,
    pub evses: Vec<EvseCard>,
    pub warnings: Vec<String>,
}

/// An EVSE of a station.
#[derive(Clone, Debug, PartialEq)]
pub struct EvseCard {
    pub no: EvseNo,
    pub uid: EvseUid,
    pub evse_id: Option<EvseId>,
    /// `None` until its station has said.
    pub state: Option<BayState>,
    pub fault: Option<String>,
    pub status: EvseStatus,
    pub session: Option<SessionId>,
    pub power: Option<Power>,
    pub meter_key: Option<MeterKey>,
}

/// The public key of a meter as this operator has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterKey {
    pub spki_hex: String,
    /// A person compared it; otherwise it was only seen in a message.
    pub confirmed: bool,
}

/// A station with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StationPage {
    pub card: StationCard,
    pub address: String,
    pub settings: Vec<Setting>,
    pub boots: Vec<BootLine>,
    /// Network address of the last connection.
    pub peer: Option<String>,
    /// Common name and end of validity.
    pub certificate: Option<(String, Timestamp)>,
}

/// One boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootLine {
    pub at: Timestamp,
    pub admission: Admission,
    pub firmware: Option<String>,
    pub reason: Option<String>,
}

/// Which lines of a station's log.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Found in action or text.
    pub query: Option<String>,
    pub direction: Option<Direction>,
    /// The `next` of the page before.
    pub before: Option<i64>,
    pub limit: u32,
}

/// A line of a station's log with its cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub cursor: i64,
    pub line: LogLine,
}

/// Some lines of a station's log, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    pub entries: Vec<LogEntry>,
    /// Where to go on; `None` at the end of the log. With fewer lines than were wanted, it was searched so far and
    /// nothing else fits until there.
    pub next: Option<i64>,
}

impl LogPage {
    /// The moment down to which everything that fits was found; `None` at the end of the log.
    pub fn searched_until(&self) -> Option<Timestamp> {
        self.next.map(Timestamp::from_micros)
    }
}

/// Someone who was not let in, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedKnock {
    pub at: Timestamp,
    pub identity: String,
    pub peer: String,
    /// The HTTP status that was answered.
    pub status: u16,
    /// For the technician.
    pub reason: String,
}

/// What is wrong, as far as a person should look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// An EVSE reports a fault.
    EvseFault,
    /// A station reports one of its own.
    StationFault,
    /// A station has been gone for longer than a short break.
    StationAway,
    /// A station's certificate ends within a month.
    CertificateEnds,
    /// Energy flowed that nobody pays for.
    SessionUnclaimed,
    /// Something about a session does not fit; the flags say what.
    SessionFlagged,
    /// A provider does not take a CDR.
    RecordRefused,
    /// A station spoke of a transaction that is not known.
    ReadingUnplaced,
}

impl AlarmKind {
    pub const ALL: [Self; 8] = [
        Self::EvseFault,
        Self::StationFault,
        Self::StationAway,
        Self::CertificateEnds,
        Self::SessionUnclaimed,
        Self::SessionFlagged,
        Self::RecordRefused,
        Self::ReadingUnplaced,
    ];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EvseFault => "evse_fault",
            Self::StationFault => "station_fault",
            Self::StationAway => "station_away",
            Self::CertificateEnds => "certificate_ends",
            Self::SessionUnclaimed => "session_unclaimed",
            Self::SessionFlagged => "session_flagged",
            Self::RecordRefused => "record_refused",
            Self::ReadingUnplaced => "reading_unplaced",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that a person should look at, for as long as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub kind: AlarmKind,
    /// The EVSE, station, session, CDR or message that it is about.
    pub subject: String,
    pub station: Option<StationId>,
    pub session: Option<SessionId>,
    /// Since when it stands; of a certificate, when it ends.
    pub since: Timestamp,
    /// What is wrong, as the station or the partner put it; empty where the kind says all.
    pub detail: String,
    /// When somebody saw it, and who.
    pub seen: Option<(Timestamp, String)>,
}

impl Alarm {
    /// Names this one occurrence.
    pub fn id(&self) -> String {
        format!("{}:{}:{}", self.kind.as_str(), self.subject, self.since.micros())
    }
}

/// A location without its EVSEs, as people mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationHead {
    pub name: Option<String>,
    pub address: String,
    pub city: String,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-3.
    pub country: String,
    pub position: Position,
    /// IANA name.
    pub time_zone: String,
}

/// The meter of an EVSE, and its public key if one is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterCard {
    pub evse: EvseUid,
    pub evse_id: Option<EvseId>,
    pub station: StationId,
    pub no: Option<EvseNo>,
    pub location: LocationId,
    pub location_name: Option<String>,
    pub key: Option<MeterKey>,
}

/// What a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub outcome: String,
}

/// Which sessions.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// `Some(true)`: those that run; `Some(false)`: those that ended.
    pub running: Option<bool>,
    pub station: Option<StationId>,
    /// Found in session, station, EVSE or provider.
    pub query: Option<String>,
    pub page: Page,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionCard {
    pub id: SessionId,
    /// The transaction's number between station and operator.
    pub number: i32,
    pub station: StationId,
    pub no: Option<EvseNo>,
    pub evse: Option<EvseUid>,
    pub location: Option<LocationId>,
    pub location_name: Option<String>,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub end_reason: Option<String>,
    pub state: State,
    pub energy: Energy,
    pub power: Option<Power>,
    /// Of the CDR where there is one, otherwise so far.
    pub cost: Option<(Price, Currency)>,
    pub provider: Option<PartyId>,
    /// Started from afar.
    pub remote: bool,
    pub flags: Vec<String>,
    pub cdr: Option<CdrId>,
}

/// A point of a session's curve.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    pub at: Timestamp,
    pub power: Option<Power>,
    /// Since the session began.
    pub energy: Option<Energy>,
    pub charged_percent: Option<Decimal>,
    /// Why the register does not count.
    pub flaw: Option<String>,
}

/// A session with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPage {
    pub card: SessionCard,
    pub curve: Vec<CurvePoint>,
    /// As pinned at the start.
    pub tariff: Option<Tariff>,
    pub lines: Vec<Line>,
    pub evidence: Report,
    pub records: usize,
}

/// A CDR in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct CdrCard {
    pub id: CdrId,
    /// `None`: it is for a booking that no session came of.
    pub session: Option<SessionId>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub energy: Energy,
    pub total: Price,
    pub currency: Currency,
    pub provider: PartyId,
    pub state: Delivery,
    pub attempts: u32,
    /// Why it is not delivered.
    pub why: Option<String>,
    pub delivered_at: Option<Timestamp>,
    /// One of the four words, with reasons.
    pub verdict: String,
    pub remark: Option<String>,
}

/// A tariff with its use.
#[derive(Clone, Debug, PartialEq)]
pub struct TariffCard {
    pub tariff: Tariff,
    /// Connectors that offer it.
    pub used_by: u32,
}

/// Another party, as far as this operator deals with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyCard {
    pub party: PartyId,
    pub sessions: u32,
    pub cdrs: u32,
    pub cdrs_waiting: u32,
    pub last_session: Option<Timestamp>,
}
