//! The grid behind the station: DER control and frequency signals (OCPP 2.1 block R, Q), battery swapping (block S).

use rust_decimal::Decimal;

use super::document::Document;
use crate::Timestamp;
use crate::id::EvseNo;
use crate::token::PresentedToken;

/// Orders of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GridOrder {
    /// `SetDERControl`: `kind` as spelled by `DERControlEnumType`, the control itself as a document of the request
    /// without `isDefault`, `controlId`, `controlType`. Answered [`super::StationAnswer::Items`] with what it supersedes.
    Set { id: Box<str>, kind: Box<str>, default: bool, control: Document },
    /// `GetDERControl`; they come as [`GridNews::Report`].
    Read { request: i32, id: Option<Box<str>>, kind: Option<Box<str>>, default: Option<bool> },
    /// `ClearDERControl`.
    Clear { id: Option<Box<str>>, kind: Option<Box<str>>, default: bool },
    /// `AFRRSignal`.
    Afrr { at: Timestamp, signal: i32 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GridNews {
    /// `ReportDERControl`: the request's lists as a document.
    Report { request: i32, more: bool, controls: Document },
    /// `NotifyDERAlarm`.
    Alarm { kind: Box<str>, fault: Option<Box<str>>, ended: bool, at: Timestamp, info: Option<Box<str>> },
    /// `NotifyDERStartStop`.
    Switched { id: Box<str>, started: bool, at: Timestamp, superseded: Vec<Box<str>> },
}

/// `RequestBatterySwap` (2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapOrder {
    pub request: i32,
    pub token: PresentedToken,
}

/// `BatterySwap` (2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct SwapNews {
    pub request: i32,
    /// BatteryIn, BatteryOut, BatteryOutTimeout.
    pub event: Box<str>,
    pub token: PresentedToken,
    pub batteries: Vec<Battery>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Battery {
    pub evse: Option<EvseNo>,
    pub serial: Box<str>,
    /// State of charge and of health, per cent.
    pub charge: Decimal,
    pub health: Decimal,
}
