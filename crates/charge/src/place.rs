//! Where one can charge: locations, their EVSEs and connectors, and whether they are free.

use std::fmt;
use std::str::FromStr;

use crate::Timestamp;
use crate::id::{ConnectorId, EvseId, EvseUid, LocationId, PartyId, TariffId};
use crate::units::Power;

/// A position in ten-millionths of a degree (WGS 84), about a centimetre: exact, comparable, without floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    pub latitude_e7: i32,
    pub longitude_e7: i32,
}

impl Position {
    /// `None` outside ±90° and ±180°.
    pub fn new(latitude_e7: i64, longitude_e7: i64) -> Option<Self> {
        let within = (-900_000_000..=900_000_000).contains(&latitude_e7)
            && (-1_800_000_000..=1_800_000_000).contains(&longitude_e7);
        within.then_some(())?;
        Some(Self { latitude_e7: i32::try_from(latitude_e7).ok()?, longitude_e7: i32::try_from(longitude_e7).ok()? })
    }

    /// Degrees as decimal text, as OCPI wants them (OCPI 2.2.1, 8.4.14 `GeoLocation`).
    pub fn degrees(self) -> (rust_decimal::Decimal, rust_decimal::Decimal) {
        let degrees = |e7: i32| rust_decimal::Decimal::new(i64::from(e7), 7);
        (degrees(self.latitude_e7), degrees(self.longitude_e7))
    }
}

/// Whether an EVSE can be used now (OCPI 2.2.1, 8.4.22 `Status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvseStatus {
    Available,
    /// Not usable because of a barrier, a vehicle or the like.
    Blocked,
    Charging,
    /// Switched off by its operator.
    Inoperative,
    OutOfOrder,
    Planned,
    /// Gone for good; EVSEs are never deleted.
    Removed,
    Reserved,
    Unknown,
}

impl EvseStatus {
    pub const ALL: [Self; 9] = [
        Self::Available,
        Self::Blocked,
        Self::Charging,
        Self::Inoperative,
        Self::OutOfOrder,
        Self::Planned,
        Self::Removed,
        Self::Reserved,
        Self::Unknown,
    ];

    /// The spelling of OCPI, which rows and pages use as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Blocked => "BLOCKED",
            Self::Charging => "CHARGING",
            Self::Inoperative => "INOPERATIVE",
            Self::OutOfOrder => "OUTOFORDER",
            Self::Planned => "PLANNED",
            Self::Removed => "REMOVED",
            Self::Reserved => "RESERVED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for EvseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EvseStatus {
    type Err = crate::id::BadId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(crate::id::BadId::Form)
    }
}

/// The plug (OCPI 2.2.1, 8.4.4 `ConnectorType`), as far as we know it by name; others keep their spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plug {
    Type2,
    CcsType2,
    Chademo,
    Schuko,
    Other(Box<str>),
}

impl Plug {
    /// The spelling of OCPI.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Type2 => "IEC_62196_T2",
            Self::CcsType2 => "IEC_62196_T2_COMBO",
            Self::Chademo => "CHADEMO",
            Self::Schuko => "DOMESTIC_F",
            Self::Other(name) => name,
        }
    }

    pub fn named(text: &str) -> Self {
        match text {
            "IEC_62196_T2" => Self::Type2,
            "IEC_62196_T2_COMBO" => Self::CcsType2,
            "CHADEMO" => Self::Chademo,
            "DOMESTIC_F" => Self::Schuko,
            other => Self::Other(other.into()),
        }
    }
}

/// How the current comes (OCPI 2.2.1, 8.4.20 `PowerType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Current {
    Ac1Phase,
    Ac3Phase,
    Dc,
}

/// One plug of an EVSE (OCPI 2.2.1, 8.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    pub id: ConnectorId,
    pub plug: Plug,
    /// A cable hangs on it; otherwise a socket.
    pub attached_cable: bool,
    pub current: Current,
    pub max_voltage_v: u32,
    pub max_amperage_a: u32,
    pub max_power: Power,
    pub tariffs: Vec<TariffId>,
}

/// A place for one car (OCPI 2.2.1, 8.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evse {
    pub uid: EvseUid,
    pub id: Option<EvseId>,
    pub status: EvseStatus,
    pub connectors: Vec<Connector>,
    /// Painted on the pole.
    pub physical_reference: Option<String>,
    pub last_updated: Timestamp,
}

/// A charging location (OCPI 2.2.1, 8.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub party: PartyId,
    pub id: LocationId,
    pub name: Option<String>,
    pub address: String,
    pub city: String,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-3, as OCPI wants it.
    pub country: String,
    pub position: Position,
    /// IANA name, for the hours of tariffs.
    pub time_zone: String,
    pub operator_name: Option<String>,
    pub evses: Vec<Evse>,
    pub last_updated: Timestamp,
}
