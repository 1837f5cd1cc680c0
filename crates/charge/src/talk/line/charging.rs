//! Smart charging: profiles, limits, composite schedules and what the car wants (OCPP 1.6 section 3.13; 2.x block K;
//! bidirectional and dynamic profiles of 2.1 blocks K and Q).

use std::time::Duration;

use rust_decimal::Decimal;

use super::document::{Document, Part};
use crate::Timestamp;
use crate::id::{EvseNo, TransactionKey};

/// `chargingRateUnit`: what the numbers of a schedule count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateUnit {
    /// Watts, all phases together.
    Watts,
    /// Amperes, each phase.
    Amperes,
}

/// `chargingProfilePurpose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfilePurpose {
    /// 2.x only; told by the station, never set by an operator.
    ExternalConstraints,
    /// 1.6 `ChargePointMaxProfile`, 2.x `ChargingStationMaxProfile`.
    StationMax,
    TxDefault,
    Tx,
    /// 2.1.
    Priority,
    /// 2.1.
    LocalGeneration,
}

/// `chargingProfileKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProfileKind {
    Absolute,
    Daily,
    Weekly,
    /// From the start of the transaction.
    Relative,
    /// 2.1: one period whose limits are updated while it runs.
    Dynamic,
}

/// One period of a schedule. Exact decimals in the schedule's unit (1.6: one decimal digit).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Period {
    /// Seconds from the schedule's start.
    pub start: u32,
    pub limit: Option<Decimal>,
    pub phases: Option<u8>,
    /// 2.x: the phase to use where there is one only.
    pub phase_to_use: Option<u8>,
    /// 2.1: at most this much out of the car; never positive.
    pub discharge_limit: Option<Decimal>,
    /// 2.1: the power that is wanted; negative discharges.
    pub setpoint: Option<Decimal>,
    /// 2.1 `operationMode`, as spelled.
    pub mode: Option<Box<str>>,
    /// 2.1: everything of the period that has no field here (reactive power, curves, second and third phase).
    pub more: Option<Document>,
}

/// `ChargingSchedule`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// 2.x only; 0 in 1.6.
    pub id: i32,
    /// `None`: from the begin of the profile's kind.
    pub start: Option<Timestamp>,
    pub lasts: Option<Duration>,
    pub unit: RateUnit,
    pub min_rate: Option<Decimal>,
    pub periods: Vec<Period>,
    /// 2.x: everything of the schedule that has no field here (sales tariff, price schedules, random delay).
    pub more: Option<Document>,
}

/// `ChargingProfile`.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub id: i32,
    pub stack_level: u32,
    pub purpose: ProfilePurpose,
    pub kind: ProfileKind,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
    /// A Tx profile's transaction.
    pub key: Option<TransactionKey>,
    /// One in 1.6, up to three in 2.x (ISO 15118).
    pub schedules: Vec<Schedule>,
    /// 2.1: everything of the profile that has no field here (offline validity, update interval, signature).
    pub more: Option<Document>,
}

/// Which profiles are meant; a `None` or an empty list does not select.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileFilter {
    /// `Some(None)` is the whole station.
    pub evse: Option<Option<EvseNo>>,
    pub ids: Vec<i32>,
    pub purpose: Option<ProfilePurpose>,
    pub stack_level: Option<u32>,
    /// 2.x `chargingLimitSource`, as spelled: EMS, SO, CSO, Other.
    pub sources: Vec<Box<str>>,
}

/// Orders about charging power.
#[derive(Clone, Debug, PartialEq)]
pub enum ChargingOrder {
    /// `SetChargingProfile`. `evse: None` is the whole station.
    Set { evse: Option<EvseNo>, profile: Box<Profile> },
    /// `ClearChargingProfile`.
    Clear(ProfileFilter),
    /// `GetChargingProfiles` (2.x): the profiles come as [`ChargingNews::Profiles`].
    Read { request: i32, which: ProfileFilter },
    /// `GetCompositeSchedule`.
    Composite { evse: Option<EvseNo>, lasts: Duration, unit: Option<RateUnit> },
    /// `UpdateDynamicSchedule` (2.1).
    Update { profile: i32, limits: Document },
    /// `UsePriorityCharging` (2.1).
    Priority { key: TransactionKey, on: bool },
    /// `NotifyAllowedEnergyTransfer` (2.1): the words of `EnergyTransferModeEnumType`.
    AllowedTransfer { key: TransactionKey, modes: Vec<Box<str>> },
}

/// What a station tells about charging power.
#[derive(Clone, Debug, PartialEq)]
pub enum ChargingNews {
    /// `ReportChargingProfiles`.
    Profiles { part: Part, source: Box<str>, evse: Option<EvseNo>, profiles: Vec<Profile> },
    /// `NotifyChargingLimit`: somebody else than the operator limits the station.
    Limit { evse: Option<EvseNo>, source: Box<str>, grid_critical: Option<bool>, schedules: Vec<Schedule> },
    /// `ClearedChargingLimit`.
    LimitCleared { evse: Option<EvseNo>, source: Box<str> },
    /// `NotifyEVChargingNeeds`: what the car asks for, as a document of `chargingNeeds`.
    Needs { evse: EvseNo, at: Option<Timestamp>, schedules_max: Option<u32>, needs: Document },
    /// `NotifyEVChargingSchedule`: what the car made of it.
    CarSchedule { evse: EvseNo, base: Timestamp, chosen: Option<i32>, schedule: Box<Schedule> },
    /// `NotifyPriorityCharging` (2.1): switched on or off at the station.
    Priority { key: TransactionKey, on: bool },
    /// `PullDynamicScheduleUpdate` (2.1); answered with [`super::Heard::Limits`].
    Pull { profile: i32 },
}

/// `CompositeSchedule`.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    pub evse: Option<EvseNo>,
    pub start: Timestamp,
    pub lasts: Duration,
    pub unit: RateUnit,
    pub periods: Vec<Period>,
}

/// The answer to `NotifyEVChargingNeeds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedsVerdict {
    Accepted,
    Rejected,
    /// A profile will follow.
    Processing,
    /// 2.1: no profile will follow.
    NoProfile,
}
