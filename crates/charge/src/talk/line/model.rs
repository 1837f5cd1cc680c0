//! The device model: reports, variables with their attributes, monitors and the events they raise (2.x blocks B and N).

use std::time::Duration;

use rust_decimal::Decimal;

use super::document::{Document, Part};
use crate::Timestamp;
use crate::id::TransactionKey;

/// A variable of a component, spelled as in [`super::Setting`]: `Component[instance].Variable[instance]`; an EVSE in
/// front as `2/` or `2.1/` (EVSE and connector).
pub type VariableName = Box<str>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    Configuration,
    Full,
    Summary,
}

/// `attributeType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    #[default]
    Actual,
    Target,
    MinSet,
    MaxSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorKind {
    UpperThreshold,
    LowerThreshold,
    Delta,
    Periodic,
    PeriodicClockAligned,
    /// 2.1.
    TargetDelta,
    /// 2.1.
    TargetDeltaRelative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitoringBase {
    All,
    FactoryDefault,
    HardWiredOnly,
}

/// A monitor to set or that was reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitor {
    /// `None` in an order that makes a new one.
    pub id: Option<i32>,
    pub variable: VariableName,
    pub kind: MonitorKind,
    pub value: Decimal,
    /// 0 (danger) to 9 (debug).
    pub severity: u8,
    /// Only while a transaction runs.
    pub in_transaction: bool,
    /// 2.1: send as a periodic event stream.
    pub stream: Option<StreamPace>,
}

/// 2.1 `PeriodicEventStreamParams`: send after this time or this many values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamPace {
    pub every: Option<Duration>,
    pub values: Option<u32>,
}

/// A way to reach an operator (`NetworkConnectionProfile`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// `ocppCsmsUrl`, without the station's identity.
    pub url: Box<str>,
    /// 0 to 3 (A00.FR.001).
    pub security_profile: u8,
    /// Transport, interface, timeout, modem, tunnel; in 2.1 also identity and password: as a document.
    pub more: Document,
}

/// What became of one monitor that was to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorSet {
    pub id: Option<i32>,
    pub variable: VariableName,
    pub word: Box<str>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModelOrder {
    /// `GetBaseReport`; the rows come as [`ModelNews::Report`].
    Base { request: i32, kind: ReportKind },
    /// `GetReport`: criteria are Active, Available, Enabled, Problem.
    Report { request: i32, variables: Vec<VariableName>, criteria: Vec<Box<str>> },
    /// `SetMonitoringBase`.
    MonitoringBase(MonitoringBase),
    /// `SetMonitoringLevel`: report this severity and worse.
    MonitoringLevel(u8),
    /// `SetVariableMonitoring`; answered with [`super::StationAnswer::Monitors`].
    Watch(Vec<Monitor>),
    /// `ClearVariableMonitoring`; answered with [`super::StationAnswer::Items`].
    Unwatch(Vec<i32>),
    /// `GetMonitoringReport`: criteria are ThresholdMonitoring, DeltaMonitoring, PeriodicMonitoring.
    Monitors { request: i32, variables: Vec<VariableName>, criteria: Vec<Box<str>> },
    /// `SetNetworkProfile`.
    Network { slot: i32, to: Network },
    /// `GetTransactionStatus`; answered with [`super::StationAnswer::Pending`].
    TransactionStatus(Option<TransactionKey>),
    /// `AdjustPeriodicEventStream` (2.1).
    AdjustStream { id: i32, pace: StreamPace },
    /// `GetPeriodicEventStream` (2.1); answered with [`super::StationAnswer::Streams`].
    Streams,
}

/// One variable of a report, with everything that was told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    pub variable: VariableName,
    pub attribute: Attribute,
    pub value: Option<Box<str>>,
    pub read_only: bool,
    pub write_only: bool,
    pub persistent: bool,
    /// unit, dataType, minLimit, maxLimit, valuesList, supportsMonitoring, as a document.
    pub characteristics: Option<Document>,
}

/// One event of `NotifyEvent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEvent {
    pub id: i32,
    pub at: Timestamp,
    /// Alerting, Delta or Periodic.
    pub trigger: Box<str>,
    pub cause: Option<i32>,
    pub variable: VariableName,
    pub value: Box<str>,
    pub cleared: bool,
    pub key: Option<TransactionKey>,
    pub monitor: Option<i32>,
    /// HardWiredNotification, HardWiredMonitor, PreconfiguredMonitor or CustomMonitor.
    pub kind: Box<str>,
    pub severity: Option<u8>,
    pub tech_code: Option<Box<str>>,
    pub tech_info: Option<Box<str>>,
}

/// A periodic event stream (2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    pub id: i32,
    pub monitor: i32,
    pub pace: StreamPace,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModelNews {
    /// `NotifyReport`.
    Report { part: Part, at: Timestamp, rows: Vec<ReportRow> },
    /// `NotifyEvent`.
    Events { part: Part, at: Timestamp, events: Vec<DeviceEvent> },
    /// `NotifyMonitoringReport`.
    Monitors { part: Part, at: Timestamp, monitors: Vec<Monitor> },
    /// `OpenPeriodicEventStream` (2.1); answered [`super::Heard::Taken`].
    StreamOpened(Stream),
    /// `ClosePeriodicEventStream` (2.1).
    StreamClosed(i32),
    /// `NotifyPeriodicEventStream` (2.1, SEND: never answered). Seconds from `base`, value.
    StreamData { id: i32, pending: u32, base: Timestamp, values: Vec<(Decimal, Box<str>)> },
}
