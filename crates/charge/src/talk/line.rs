//! The line: what a charging station and its operator say to each other (OCPP in all its versions).
//!
//! The words follow the richest version; each functional block has a file of its own below this one. What has no word
//! of ours travels as [`Foreign`], is logged and answered, and never steers a decision.

pub mod certificate;
pub mod charging;
mod confidential;
pub mod display;
pub mod document;
pub mod grid;
pub mod model;
pub mod payment;
pub mod quirk;
pub mod reservation;
pub mod second;
pub mod terms;
pub mod upkeep;

use std::fmt;
use std::time::Duration;

use crate::id::{EvseNo, StationId, TransactionKey};
use crate::meter::Reading;
use crate::personal::Secret;
use crate::token::{PresentedToken, Verdict};
use crate::{Decimal, Soon, Timestamp};

pub use confidential::is_confidential;

use certificate::{CertificateNews, CertificateOrder, ChainAnswer, ContractProof, InstalledCertificate};
use charging::{ChargingNews, ChargingOrder, Composite, NeedsVerdict};
use display::{CustomerNews, CustomerOrder, DisplayNews, DisplayOrder, KeptTariff, TariffOrder};
use document::{Document, ItemOutcome};
use grid::{GridNews, GridOrder, SwapNews, SwapOrder};
use model::{ModelNews, ModelOrder, MonitorSet, Stream};
use payment::{PaymentNews, PaymentOrder, Vendor, VendorAnswer};
use quirk::Quirks;
use reservation::{ListOrder, ReservationEnd, ReservationOrder};
use terms::{Advice, Offer, Terms};
use upkeep::{Progress, UpkeepOrder};

/// The protocol version spoken on one connection. A property of the connection, never of the station. Ordered by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// OCPP 1.5 over SOAP.
    S15,
    /// OCPP 1.6 over SOAP.
    S16,
    /// OCPP 1.6 over JSON.
    V16,
    V201,
    V21,
}

impl Version {
    pub const ALL: [Self; 5] = [Self::S15, Self::S16, Self::V16, Self::V201, Self::V21];

    /// The WebSocket subprotocol (OCPP-J 1.6, 3.1; OCPP 2.0.1 part 4, 3.1.2); `None` for SOAP, which has no connection.
    pub const fn subprotocol(self) -> Option<&'static str> {
        match self {
            Self::S15 | Self::S16 => None,
            Self::V16 => Some("ocpp1.6"),
            Self::V201 => Some("ocpp2.0.1"),
            Self::V21 => Some("ocpp2.1"),
        }
    }

    /// For rows and pages.
    pub const fn label(self) -> &'static str {
        match self {
            Self::S15 => "1.5 SOAP",
            Self::S16 => "1.6 SOAP",
            Self::V16 => "1.6",
            Self::V201 => "2.0.1",
            Self::V21 => "2.1",
        }
    }

    pub fn named(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.label() == label)
    }

    /// Whether the words are those of 2.x: a device model, one message for transactions, EVSEs.
    pub const fn is_2(self) -> bool {
        matches!(self, Self::V201 | Self::V21)
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
    Charging(ChargingNews),
    /// `ReservationStatusUpdate` (2.x).
    Reservation {
        id: i32,
        end: ReservationEnd,
    },
    Progress(Progress),
    Certificate(CertificateNews),
    Model(ModelNews),
    Display(DisplayNews),
    Customer(CustomerNews),
    Grid(GridNews),
    Swap(SwapNews),
    Payment(PaymentNews),
    Vendor(Vendor),
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
    /// Plug & Charge (2.x): what the station knows of the contract's certificate.
    pub contract: Option<Box<ContractProof>>,
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
    /// By a token that ends every transaction of a station (OCPP 2.x C16).
    MasterPass,
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
            Self::MasterPass => "MasterPass",
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
    /// The reservation that it uses up.
    pub reservation: Option<i32>,
    /// 2.1: tariff, limits and what it costs, where the station has something new to say of them.
    pub terms: Option<Box<Terms>>,
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
        /// 2.x: what it costs so far, or in all after the end, with VAT, in the station's currency.
        cost: Option<Decimal>,
        /// 2.x: limits, and words to show.
        advice: Option<Box<Advice>>,
    },
    /// A tap that is answered with more than a verdict.
    Offered {
        verdict: Verdict,
        offer: Box<Offer>,
    },
    /// Status, meter, security, reports, progress: taken, nothing to say.
    Noted,
    /// Taken or not, where the message can be refused (`SignCertificate`, `OpenPeriodicEventStream`, `BatterySwap`).
    Taken(bool),
    Needs(NeedsVerdict),
    /// `PullDynamicScheduleUpdate`: the limits as a document, or refused.
    Limits(Option<Document>),
    /// `Get15118EVCertificate`: the EXI answer in base64, or failed.
    Exi {
        body: Option<Box<str>>,
        remaining: Option<u32>,
    },
    /// `GetCertificateStatus`: the OCSP answer in base64, or failed.
    Ocsp(Option<Box<str>>),
    ChainStatus(Vec<ChainAnswer>),
    /// `NotifySettlement`.
    Receipt {
        id: Option<Box<str>>,
        url: Option<Box<str>>,
    },
    /// `VatNumberValidation`: the company as a document, or not valid.
    Company(Option<Document>),
    Vendor(VendorAnswer),
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
        /// Limits from the first second on (1.6 5.16.2, 2.x F01).
        profile: Option<Box<charging::Profile>>,
    },
    Stop {
        key: TransactionKey,
    },
    Reset(ResetKind),
    Unlock {
        evse: EvseNo,
    },
    /// `evse: None` is the whole station. A connector is one of the EVSE's, counted from 1; `None` is all of it, and the
    /// only word that 1.6 has.
    Availability {
        evse: Option<EvseNo>,
        connector: Option<u16>,
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
    Charging(ChargingOrder),
    Reservation(ReservationOrder),
    List(ListOrder),
    Upkeep(UpkeepOrder),
    Certificate(CertificateOrder),
    Model(ModelOrder),
    Display(DisplayOrder),
    Customer(CustomerOrder),
    Tariff(TariffOrder),
    Grid(GridOrder),
    Swap(SwapOrder),
    Payment(PaymentOrder),
    Vendor(Vendor),
    /// The expert call: any action with a raw payload, answered in kind.
    Foreign(Foreign),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetKind {
    /// When idle; running transactions end properly first.
    Soft,
    Hard,
    /// 2.1: at once, and what ran goes on afterwards.
    Resume,
}

/// What a station can be asked to send now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    Boot,
    Status,
    Alive,
    Meter,
    Firmware,
    Log,
    /// 1.6 without the security extension.
    Diagnostics,
    /// 2.x.
    Transaction,
    /// Ask for a new certificate with this key.
    Sign(certificate::StationKey),
    /// 2.x.
    Publishing,
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
        /// As asked for; a name without its variable says that there is no such component (2.x).
        unknown: Vec<Box<str>>,
    },
    /// Per key, what became of the write; a name without its variable as above.
    Written(Vec<(Box<str>, Written)>),
    /// A remote start of 2.x that already has its transaction.
    Started(Option<TransactionKey>),
    /// The version of the local list.
    Number(i32),
    /// The log will be uploaded under this name.
    File(Option<Box<str>>),
    Composite(Composite),
    Certificates(Vec<InstalledCertificate>),
    Monitors(Vec<MonitorSet>),
    /// One outcome for each of several things: monitors cleared, tariffs cleared, controls superseded.
    Items(Vec<ItemOutcome>),
    Streams(Vec<Stream>),
    Tariffs(Vec<KeptTariff>),
    /// `GetTransactionStatus`.
    Pending {
        ongoing: Option<bool>,
        queued: bool,
    },
    Vendor(VendorAnswer),
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
    /// The station has not been accepted yet: `SecurityError` (B02.FR.09, B03.FR.07).
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
    /// What is tolerated on this connection.
    pub quirks: Quirks,
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
    /// The kinds of deviation that were met, tolerated or not.
    pub deviations: Quirks,
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

    /// Is any connection of this station here? For a door without connections: a station that was at another door
    /// meanwhile, and left that one, arrives anew. A desk that keeps no account of who is here need not be told.
    fn is_here(&self, _station: &StationId) -> bool {
        true
    }

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

    /// A try to get a line failed; another one follows by itself.
    fn unreached(&self, _why: &str) {}

    /// The same, because the other end is not to be trusted.
    fn distrusted(&self, _of: Distrust) {}
}

/// Why a station does not trust the other end of its line: each is a security event of its own (2.x, appendix 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Its certificate is not valid (A00.FR.310, A00.FR.413).
    Certificate,
    /// It speaks nothing newer than TLS 1.1 (A00.FR.314, A00.FR.416).
    TlsVersion,
    /// It has no cipher suite that is allowed (A00.FR.318, A00.FR.421).
    CipherSuite,
}

/// The station's way to its operator. Waits for the answer; one message is under way at a time, in order.
pub trait Uplink: Send + Sync {
    fn say(&self, said: FromStation) -> Soon<'_, Result<Heard, LineFault>>;
}
