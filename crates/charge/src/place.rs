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

macro_rules! capabilities {
    ($($name:ident $label:literal $told:literal;)+) => {
        /// Something that an EVSE can do for drivers and their providers (OCPI 2.2.1, 8.4.3 `Capability`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Capability {
            $(#[doc = $told] $name,)+
        }

        impl Capability {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The spelling of OCPI.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                }
            }
        }
    };
}

capabilities! {
    ChargingProfile "CHARGING_PROFILE_CAPABLE" "Charging profiles can be sent for it.";
    ChargingPreferences "CHARGING_PREFERENCES_CAPABLE" "A driver's preferences can be sent for it.";
    ChipCard "CHIP_CARD_SUPPORT" "Its payment terminal reads chip cards.";
    ContactlessCard "CONTACTLESS_CARD_SUPPORT" "Its payment terminal reads contactless cards.";
    CreditCard "CREDIT_CARD_PAYABLE" "A credit card pays at its terminal.";
    DebitCard "DEBIT_CARD_PAYABLE" "A debit card pays at its terminal.";
    PinPad "PED_TERMINAL" "Its payment terminal takes a pin code.";
    RemoteStartStop "REMOTE_START_STOP_CAPABLE" "It can be started and stopped from afar.";
    Reservable "RESERVABLE" "It can be reserved.";
    RfidReader "RFID_READER" "A card or key ring starts it.";
    ConnectorRequired "START_SESSION_CONNECTOR_REQUIRED" "A remote start has to name the connector.";
    TokenGroup "TOKEN_GROUP_CAPABLE" "One token of a group may stop what another started.";
    Unlock "UNLOCK_CAPABLE" "Its plug can be unlocked from afar.";
}

impl Capability {
    pub fn named(label: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == label)
    }
}

/// What an EVSE can do; empty where nobody said.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    pub const NONE: Self = Self(0);

    pub const fn has(self, one: Capability) -> bool {
        self.0 & (1 << one as u8) != 0
    }

    #[must_use]
    pub const fn with(self, one: Capability) -> Self {
        Self(self.0 | (1 << one as u8))
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |one| self.has(*one))
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(all: I) -> Self {
        all.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Their names with blanks between, for rows.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for one in self.iter() {
            f.write_str(if first { "" } else { " " })?;
            f.write_str(one.as_str())?;
            first = false;
        }
        Ok(())
    }
}

/// The inverse; an unknown name is no such set.
impl FromStr for Capabilities {
    type Err = crate::id::BadId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_whitespace().map(|name| Capability::named(name).ok_or(crate::id::BadId::Form)).collect()
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
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
    pub capabilities: Capabilities,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_as_they_are_written() {
        assert!(Capability::ALL.len() <= 16, "the set has 16 places");
        for one in Capability::ALL {
            assert_eq!(Capability::named(one.as_str()), Some(*one));
            assert_eq!(one.as_str().parse(), Ok(Capabilities::NONE.with(*one)));
        }
        let some = Capabilities::NONE.with(Capability::RfidReader).with(Capability::Reservable);
        assert_eq!(some.to_string(), "RESERVABLE RFID_READER");
        assert_eq!(some.to_string().parse(), Ok(some));
        assert!("".parse().is_ok_and(Capabilities::is_empty) && "COFFEE".parse::<Capabilities>().is_err());
    }
}
