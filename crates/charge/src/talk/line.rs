//! The line: what a charging station and its operator say to each other (OCPP in all its versions).
//!
//! The words follow the richest version. What has no word of ours travels as [`Foreign`], is logged and answered,
//! and never steers a decision.

use std::fmt;
use std::time::Duration;

use crate::id::{EvseNo, StationId, TransactionKey};
use crate::meter::Reading;
use crate::personal::Secret;
use crate::token::{PresentedToken, Verdict};
use crate::{Soon, Timestamp};

/// The protocol version spoken on one connection. A property of the connection, never of the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    V16,
    V201,
}

impl Version {
    /// The WebSocket subprotocol (OCPP-J 1.6, 3.1; OCPP 2.0.1 part 4, 3.1.2).
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
            Self::V201 => "ocpp2.0.1",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::V16 => "1.6",
            Self::V201 => "2.0.1",
        }
    }
}

/// What a station says, and [`Heard`] is what it hears back.
#[derive(Clone, Debug, PartialEq)]
pub enum FromStation {
    Boot(Boot),
    Alive,
    Status(StatusReport),
    Tap(Tap),
    Transaction(TransactionReport),
    /// Readings outside a transaction report (1.6 `MeterValues`, clock-aligned values in 2.x).
    Meter(MeterReport),
    /// A security event (2.x and the 1.6 security extension): kind and technical detail.
    Security {
        kind: Box<str>,
        at: Timestamp,
        detail: Option<Box<str>>,
    },
    /// Settings reported unasked (2.x `NotifyReport`).
    Settings(Vec<Setting>),
    /// Progress of a firmware update or an upload: named, status as spelled by the version.
    Progress {
        of: Box<str>,
        status: Box<str>,
    },
    Foreign(Foreign),
}

/// A message that has no word of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    pub action: Box<str>,
    /// JSON text as received. May hold personal data: masked before it is shown or kept.
    pub body: Box<str>,
}

/// OCPP `BootNotification`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    pub vendor: Box<str>,
    pub model: Box<str>,
    pub serial: Option<Box<str>>,
    pub firmware: Option<Box<str>>,
    pub meter_type: Option<Box<str>>,
    pub meter_serial: Option<Box<str>>,
    /// 2.x only.
    pub reason: Option<Box<str>>,
}

/// What an EVSE is doing, in the words of 1.6, which are the finer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BayState {
    Available,
    /// Plugged or tapped, not both.
    Preparing,
    Charging,
    SuspendedByCar,
    SuspendedByStation,
    /// Ended, still plugged.
    Finishing,
    Reserved,
    Unavailable,
    Faulted,
    /// 2.x knows no finer word than this.
    Occupied,
}

impl BayState {
    pub const ALL: [Self; 10] = [
        Self::Available,
        Self::Preparing,
        Self::Charging,
        Self::SuspendedByCar,
        Self::SuspendedByStation,
        Self::Finishing,
        Self::Reserved,
        Self::Unavailable,
        Self::Faulted,
        Self::Occupied,
    ];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::Preparing => "Preparing",
            Self::Charging => "Charging",
            Self::SuspendedByCar => "SuspendedEV",
            Self::SuspendedByStation => "SuspendedEVSE",
            Self::Finishing => "Finishing",
            Self::Reserved => "Reserved",
            Self::Unavailable => "Unavailable",
            Self::Faulted => "Faulted",
            Self::Occupied => "Occupied",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// OCPP `StatusNotification`. `evse: None` is the whole station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    pub evse: Option<EvseNo>,
    pub state: BayState,
    /// Error code and text as the station spells them; `None` for none.
    pub fault: Option<Box<str>>,
    /// When the station says it happened; `None` where it does not say or cannot know.
    pub at: Option<Timestamp>,
}

/// OCPP `Authorize`: a token was presented, nothing has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    pub token: PresentedToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Started,
    Updated,
    Ended,
}

/// Why a transaction ended (1.6 `Reason`, 2.x `ReasonEnumType`), folded to what decisions need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    Local,
    Remote,
    CarLeft,
    Refused,
    EmergencyStop,
    PowerLoss,
    Reboot,
    Other,
}

impl EndReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "Local",
            Self::Remote => "Remote",
            Self::CarLeft => "EVDisconnected",
            Self::Refused => "DeAuthorized",
            Self::EmergencyStop => "EmergencyStop",
            Self::PowerLoss => "PowerLoss",
            Self::Reboot => "Reboot",
            Self::Other => "Other",
        }
    }
}

/// A transaction's begin, progress or end: 1.6 `StartTransaction` and `StopTransaction`, 2.x `TransactionEvent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionReport {
    pub stage: Stage,
    /// `None` in a 1.6 start: there the operator gives the number in its answer.
    pub key: Option<TransactionKey>,
    /// 2.x: belongs to the transaction and survives reconnects.
    pub seq: Option<u32>,
    pub at: Timestamp,
    /// `None` where the station does not repeat it (2.x after the first event; 1.6 stop).
    pub evse: Option<EvseNo>,
    pub token: Option<PresentedToken>,
    /// Register and signed values. A 1.6 `meterStart`/`meterStop` is a reading with context begin/end.
    pub readings: Vec<Reading>,
    pub reason: Option<EndReason>,
    /// Charging, suspended and so on, where the version tells.
    pub state: Option<BayState>,
    /// Happened while the line was down and is reported afterwards.
    pub offline: bool,
    /// 2.x: the remote start that this answers.
    pub remote_start: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterReport {
    pub evse: Option<EvseNo>,
    pub key: Option<TransactionKey>,
    pub readings: Vec<Reading>,
}

/// What the operator answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Boot {
        admitted: Admission,
        now: Timestamp,
        interval: Duration,
    },
    Alive {
        now: Timestamp,
    },
    Tap(Verdict),
    /// `number` is the operator's name for the transaction: 1.6 needs it in the answer to a start.
    Transaction {
        number: Option<i32>,
        verdict: Option<Verdict>,
    },
    /// Status, meter, security, settings, progress: taken, nothing to say.
    Noted,
    /// Known to the protocol, not served here: becomes `NotSupported`, or the action's own refusal.
    NotServed,
}

/// OCPP `RegistrationStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Accepted,
    Pending,
    Rejected,
}

/// What an operator tells a station to do; [`StationAnswer`] is what it hears back.
#[derive(Clone, Debug)]
pub enum ToStation {
    /// `token` is a fresh alias, never a contract id. `remote_id` comes back in the transaction (2.x).
    Start {
        evse: Option<EvseNo>,
        token: PresentedToken,
        remote_id: i32,
    },
    Stop {
        key: TransactionKey,
    },
    Reset(ResetKind),
    Unlock {
        evse: EvseNo,
    },
    /// `evse: None` is the whole station.
    Availability {
        evse: Option<EvseNo>,
        operative: bool,
    },
    Trigger {
        what: Trigger,
        evse: Option<EvseNo>,
    },
    /// Empty means all (1.6) or the base report (2.x, which arrives later as [`FromStation::Settings`]).
    ReadSettings {
        keys: Vec<Box<str>>,
    },
    WriteSettings {
        values: Vec<(Box<str>, Secret<Box<str>>)>,
    },
    ClearCache,
    Foreign(Foreign),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetKind {
    /// When idle; running transactions end properly first.
    Soft,
    Hard,
}

/// What a station can be asked to send now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    Boot,
    Status,
    Alive,
    Meter,
}

/// A configuration key (1.6) or a variable of a component (2.x, spelled `Component.Variable`,
/// `Component[instance].Variable[instance]` where there are instances).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: Box<str>,
    /// `None` for write-only values and for keys without one.
    pub value: Option<Box<str>>,
    pub read_only: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StationAnswer {
    Accepted,
    /// Accepted, will happen when the running transaction ends.
    Scheduled,
    /// Understood and refused, with the status word of the protocol.
    Refused(Box<str>),
    Settings {
        known: Vec<Setting>,
        unknown: Vec<Box<str>>,
    },
    /// Per key, what became of the write.
    Written(Vec<(Box<str>, Written)>),
    Foreign(Foreign),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Accepted,
    AfterReboot,
    Rejected,
    Unknown,
}

/// Why an order got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineFault {
    NotConnected,
    /// Sent, and no answer in time. The station may still do it.
    TimedOut,
    /// The connection ended while waiting. The station may still do it.
    Lost,
    /// The station answered with a CALLERROR: code and its description.
    Error {
        code: Box<str>,
        description: Box<str>,
    },
    /// The station answered something that cannot be read: where and why.
    Unreadable(Box<str>),
    /// Too many orders are waiting for this station.
    Overloaded,
    /// The connection's version has no such message.
    NotInVersion,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected => f.write_str("the station is not connected"),
            Self::TimedOut => f.write_str("the station did not answer in time; it may still act"),
            Self::Lost => f.write_str("the connection was lost before an answer; the station may still act"),
            Self::Error { code, description } if description.is_empty() => {
                write!(f, "the station answered {code}")
            }
            Self::Error { code, description } => {
                write!(f, "the station answered {code}: {description}")
            }
            Self::Unreadable(why) => write!(f, "the station's answer cannot be read: {why}"),
            Self::Overloaded => f.write_str("too many orders are waiting for this station"),
            Self::NotInVersion => f.write_str("the station's OCPP version has no such message"),
        }
    }
}

/// Why the operator cannot answer a message properly; each becomes the version's exact error code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The station has not been accepted yet: `SecurityError`.
    NotAccepted,
    /// Understood and out of place, for example a transaction of another station: the word says what.
    Misplaced(Box<str>),
    /// We cannot keep it now (full disk, overload): `InternalError`, and the station will repeat.
    CannotKeep,
}

/// Someone at the door, before the upgrade.
#[derive(Clone, Debug)]
pub struct Knock {
    /// The last path segment, decoded.
    pub identity: String,
    /// HTTP Basic, split at the first colon of the bytes.
    pub basic: Option<(String, Secret<Vec<u8>>)>,
    pub certificate: Option<StationCertificate>,
    /// False for plain `ws`, which only a `danger_` permission of that station lets in.
    pub encrypted: bool,
    /// The subprotocols offered, in the station's order.
    pub offered: Vec<String>,
    /// Network address, for the log.
    pub peer: String,
}

/// What the client certificate says, after its chain was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationCertificate {
    /// The station's serial number (OCPP 2.0.1 A00.FR.404).
    pub common_name: String,
    pub organisation: Option<String>,
    /// SHA-256 of the certificate, in hex.
    pub fingerprint: String,
    pub not_after: Timestamp,
}

/// Let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub station: StationId,
    pub version: Version,
}

/// Not let in, with the HTTP status that the protocol wants and a reason for the technician.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 404 (OCPP-J 1.6, 3.2).
    UnknownStation,
    /// 401: no or wrong password, certificate of another station, or plain ws.
    NotProven(&'static str),
    /// 403: known and switched off.
    Blocked,
    /// 400: no subprotocol that we speak.
    NoCommonVersion,
    /// 503 with Retry-After.
    Overloaded,
}

/// One connection of a station. A newer one has a larger number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionNo(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    FromStation,
    ToStation,
}

/// One line of a station's message log: masked by the tongue before it gets here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Timestamp,
    pub direction: Direction,
    /// The action, or `answer`/`error` with the action it belongs to, or `-` where unreadable.
    pub action: Box<str>,
    /// The frame with secrets and personal data masked.
    pub text: Box<str>,
    /// What was repaired or found wrong, with JSON paths; empty where nothing was.
    pub remarks: Vec<Box<str>>,
}

/// The operator's side of the line: the door asks it, it decides.
pub trait Desk: Send + Sync {
    /// May this one come in? Asked before the upgrade.
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>>;

    /// The upgrade is done; an older connection of the same station has been closed.
    fn arrived(&self, entry: &Entry, connection: ConnectionNo) -> Soon<'_, ()>;

    /// A message. What `Ok` acknowledges is on disk before it returns.
    fn hear(&self, station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>>;

    fn left(&self, station: &StationId, connection: ConnectionNo, why: &str) -> Soon<'_, ()>;

    /// For the message log. Cheap, never waits, may drop under load and counts what it drops.
    fn note(&self, station: &StationId, line: LogLine);
}

/// The way to the stations: the operator orders, the door carries.
pub trait Line: Send + Sync {
    fn tell(&self, station: &StationId, order: ToStation) -> Soon<'_, Result<StationAnswer, LineFault>>;

    fn connected(&self, station: &StationId) -> bool;

    /// Closes the station's connection, if there is one.
    fn hang_up(&self, station: &StationId, why: &str);
}

/// The station's own side of the line: the door carries the operator's orders to it.
pub trait Pole: Send + Sync {
    /// An order from the operator.
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer>;

    /// The line is up; `version` is what was agreed on this connection.
    fn line_up(&self, version: Version);

    fn line_down(&self, why: &str);
}

/// The station's way to its operator. Waits for the answer; one message is under way at a time, in order.
pub trait Uplink: Send + Sync {
    fn say(&self, said: FromStation) -> Soon<'_, Result<Heard, LineFault>>;
}
