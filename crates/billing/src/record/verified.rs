//! What a verified session says: begin, end, energy and circumstances.
//!
//! These are values of the signed bytes and nothing else; what was not signed is not here.
//!
//! Invariant: there is no public way to make a [`Verified`].

use charge::units::Energy;
use charge::{Personal, Timestamp};

use super::{KeySource, PublicKey};

/// How much a meter's clock is worth (OCMF 1.4.1, table 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockQuality {
    /// `U`: nothing may be billed by it.
    Unknown,
    /// `I`: right within minutes, not lawful for billing.
    Informative,
    /// `S`: synchronised.
    Synchronised,
    /// `R`: the duration is lawful, the moment is only informative.
    Relative,
}

impl ClockQuality {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Informative => "informative",
            Self::Synchronised => "synchronised",
            Self::Relative => "relative",
        }
    }
}

/// Where a register measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At the meter, without compensation of cable losses.
    Mains,
    /// At the car: losses of the cable are compensated.
    Device,
    /// The record does not say.
    Unsaid,
}

/// One signed reading at the begin or the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    pub at: Timestamp,
    /// As the meter wrote it, with its zone.
    pub at_written: String,
    pub clock: ClockQuality,
    pub register: Energy,
    /// As the meter wrote it, with all decimals and the unit: `2935.600 kWh`.
    pub register_written: String,
    /// The register's OBIS code as written.
    pub obis: String,
}

/// What the record says about the meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    pub vendor: Option<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub firmware: Option<String>,
}

/// The device that signs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateway {
    pub id: Option<String>,
    pub serial: Option<String>,
    pub version: Option<String>,
    /// Firmware of the charge controller.
    pub controller_firmware: Option<String>,
}

/// Whom the station says it charged (OCMF 1.4.1, table 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identification {
    /// `None` where the record does not say.
    pub assigned: Option<bool>,
    pub level: Option<String>,
    pub kind: Option<String>,
    pub flags: Vec<String>,
    pub data: Option<Personal<String>>,
}

/// A session whose signed records were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub(super) inner: Box<Content>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) begin: Point,
    pub(super) end: Point,
    pub(super) energy: Energy,
    pub(super) side: Side,
    pub(super) meter: Meter,
    pub(super) gateway: Gateway,
    pub(super) charge_point: Option<String>,
    pub(super) identification: Identification,
    pub(super) pagination: Vec<String>,
    pub(super) digest: [u8; 32],
    pub(super) algorithm: &'static str,
    pub(super) tariff_text: Option<String>,
    pub(super) loss_compensation: Option<String>,
    pub(super) departures: Vec<String>,
    pub(super) key: PublicKey,
    pub(super) key_source: KeySource,
}

impl Verified {
    pub fn begin(&self) -> &Point {
        &self.inner.begin
    }

    pub fn end(&self) -> &Point {
        &self.inner.end
    }

    /// End minus begin of the billed register.
    pub fn energy(&self) -> Energy {
        self.inner.energy
    }

    pub fn side(&self) -> Side {
        self.inner.side
    }

    pub fn meter(&self) -> &Meter {
        &self.inner.meter
    }

    pub fn meter_serial(&self) -> Option<&str> {
        self.inner.meter.serial.as_deref()
    }

    pub fn gateway(&self) -> &Gateway {
        &self.inner.gateway
    }

    /// EVSE id, or charge box and connector.
    pub fn charge_point(&self) -> Option<&str> {
        self.inner.charge_point.as_deref()
    }

    pub fn identification(&self) -> &Identification {
        &self.inner.identification
    }

    /// The page of every record, in their order: `T12`.
    pub fn pagination(&self) -> &[String] {
        &self.inner.pagination
    }

    /// SHA-256 over the signed payloads in their order: the identity of this evidence (signatures are malleable).
    pub fn digest(&self) -> [u8; 32] {
        self.inner.digest
    }

    /// As the standard spells it: `ECDSA-secp256r1-SHA256`.
    pub fn algorithm(&self) -> &'static str {
        self.inner.algorithm
    }

    pub fn tariff_text(&self) -> Option<&str> {
        self.inner.tariff_text.as_deref()
    }

    /// Resistance of the cable that was compensated, with its unit.
    pub fn loss_compensation(&self) -> Option<&str> {
        self.inner.loss_compensation.as_deref()
    }

    pub fn key(&self) -> &PublicKey {
        &self.inner.key
    }

    pub fn key_source(&self) -> KeySource {
        self.inner.key_source
    }

    /// In which ways the records depart from the standard without touching what was signed.
    pub fn departures(&self) -> &[String] {
        &self.inner.departures
    }

    /// May the time between begin and end be billed? A synchronised clock vouches for both moments, a relative one for
    /// what passed between them (OCMF 1.4.1, table 19).
    pub fn duration_is_billable(&self) -> bool {
        match (self.inner.begin.clock, self.inner.end.clock) {
            (_, ClockQuality::Relative) | (ClockQuality::Synchronised, ClockQuality::Synchronised) => true,
            (
                ClockQuality::Unknown | ClockQuality::Informative | ClockQuality::Relative | ClockQuality::Synchronised,
                ClockQuality::Unknown | ClockQuality::Informative | ClockQuality::Synchronised,
            ) => false,
        }
    }
}
