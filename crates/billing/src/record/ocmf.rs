//! Signing as a meter does, in OCMF: for our virtual stations.
//!
//! Signatures are deterministic (RFC 6979) over the bytes that are sent, decimals are exact, the format version is the
//! lowest that the content needs (the official verifier refuses more than 1.3). It keeps no counter: pagination is
//! the meter's memory and an argument here.
//!
//! Invariant: every record that leaves was read back strictly and verified against its own key.

use std::fmt;

use charge::Timestamp;
use charge::id::EvseId;
use charge::meter::SignedRecord;
use charge::units::Energy;
use ocmf::sign::{ReadingSpec, RecordBuilder, Secp256r1Signer, Signer as _};
use ocmf::{
    ChargePointIdType, IdentificationLevel, IdentificationType, OcmfTime, Pagination, TimeStatus, TransactionMarker,
    Unit,
};

use super::{ClockQuality, PublicKey};

/// What is engraved on the meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterPlate {
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub firmware: String,
}

/// The device that signs for the meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPlate {
    pub id: String,
    pub serial: String,
    pub version: String,
}

/// Why a reading was taken (OCMF 1.4.1, table 7 `TX`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Begin,
    Charging,
    End,
    EndedLocally,
    EndedRemotely,
    Aborted,
    PowerFailure,
    Suspended,
    TariffChange,
}

/// One reading to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedReading {
    pub at: Timestamp,
    pub tx: Moment,
    /// The total import register.
    pub energy: Energy,
    pub clock: ClockQuality,
}

/// How the person was identified (OCMF 1.4.1, table 17 `IT`), as far as our stations know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentKind {
    None,
    /// An id that came from the back end, for example the alias of a remote start.
    Central,
    /// An id that the station made itself, for example the name of the session.
    Local,
}

/// How far the identification is trusted (OCMF 1.4.1, table 11 `IL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentLevel {
    None,
    Hearsay,
    Trusted,
    Verified,
    Certified,
    Secure,
}

/// Whom the record names: a session or an alias, never a card's uid and never a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    pub kind: IdentKind,
    pub level: IdentLevel,
    pub data: String,
}

/// Why a record could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignFault {
    #[error("this is no P-256 private key in PKCS#8")]
    BadKey,
    #[error("the record cannot be made: {0}")]
    Content(String),
}

/// A meter's signing hand.
pub struct Signer {
    hand: Secp256r1Signer,
    key: PublicKey,
    plate: MeterPlate,
    gateway: GatewayPlate,
}

impl Signer {
    /// `pkcs8_der` as `trust::sign::SigningKey::to_pkcs8_der` gives it.
    pub fn new(pkcs8_der: &[u8], plate: MeterPlate, gateway: GatewayPlate) -> Result<Self, SignFault> {
        let scalar = private_scalar(pkcs8_der).ok_or(SignFault::BadKey)?;
        let hand = Secp256r1Signer::from_bytes(scalar).map_err(|_| SignFault::BadKey)?;
        let key = hand.public_key().map(PublicKey::wrapping).map_err(|_| SignFault::BadKey)?;
        Ok(Self { hand, key, plate, gateway })
    }

    pub fn public_key(&self) -> PublicKey {
        self.key.clone()
    }

    pub const fn plate(&self) -> &MeterPlate {
        &self.plate
    }

    /// Signs the readings as one record. `pagination` is the number of the transaction page, one more each time.
    pub fn sign(
        &self,
        pagination: u64,
        readings: &[SignedReading],
        ident: &Ident,
        evse_id: &EvseId,
        tariff_text: Option<&str>,
    ) -> Result<SignedRecord, SignFault> {
        let (plate, gateway) = (&self.plate, &self.gateway);
        let mut builder = RecordBuilder::new()
            .gateway(&gateway.id, &gateway.serial, &gateway.version)
            .pagination(Pagination::transaction(pagination))
            .meter(&plate.vendor, &plate.model, &plate.serial, &plate.firmware)
            .identification(
                ident.kind != IdentKind::None,
                ident.level.in_ocmf(),
                Vec::new(),
                ident.kind.in_ocmf(),
                &ident.data,
            )
            .charge_point(ChargePointIdType::EvseId, evse_id.as_str());
        if let Some(text) = tariff_text {
            builder = builder.tariff_text(text);
        }
        for reading in readings {
            let value = reading.energy.kwh();
            let spec = ReadingSpec::new(stamp(reading.at, reading.clock)?, value, REGISTER, Unit::KWh);
            builder = builder.reading(spec.transaction(reading.tx.in_ocmf()));
        }
        let record = builder.sign(&self.hand).map_err(|why| SignFault::Content(why.to_string()))?;
        Ok(SignedRecord {
            format: "OCMF".into(),
            bytes: record.as_str().as_bytes().into(),
            public_key: Some(self.key.ocpp_text().into()),
        })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(signer of meter {})", self.plate.serial)
    }
}

/// Total import at the mains: our virtual meters sit in the station and compensate no cable (OCMF 1.4.1, table 25).
const REGISTER: &str = "01-00:B0.08.00*FF";

/// A time as OCMF writes it, in UTC and with milliseconds.
fn stamp(at: Timestamp, clock: ClockQuality) -> Result<OcmfTime, SignFault> {
    let unwritable = |_| SignFault::Content("the time cannot be written".to_owned());
    let civil = jiff::Timestamp::from_microsecond(at.micros()).map_err(unwritable)?.to_zoned(jiff::tz::TimeZone::UTC);
    Ok(OcmfTime {
        year: i32::from(civil.year()),
        month: civil.month().unsigned_abs(),
        day: civil.day().unsigned_abs(),
        hour: civil.hour().unsigned_abs(),
        minute: civil.minute().unsigned_abs(),
        second: civil.second().unsigned_abs(),
        millisecond: civil.millisecond().unsigned_abs(),
        offset_minutes: 0,
        status: Some(clock.in_ocmf()),
    })
}

/// The private number inside a PKCS#8 key of P-256 (RFC 5208, RFC 5915): nothing but the two wrappers is read.
fn private_scalar(der: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, info, _) = element(der)? else { return None };
    let (INTEGER, [0], rest) = element(info)? else { return None };
    let (SEQUENCE, algorithm, rest) = element(rest)? else { return None };
    (algorithm == EC_ON_P256).then_some(())?;
    let (OCTETS, wrapped, _) = element(rest)? else { return None };
    let (SEQUENCE, key, _) = element(wrapped)? else { return None };
    let (INTEGER, [1], rest) = element(key)? else { return None };
    let (OCTETS, scalar, _) = element(rest)? else { return None };
    (scalar.len() == 32).then_some(scalar)
}

/// `id-ecPublicKey` with the named curve P-256 (RFC 5480).
const EC_ON_P256: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// One DER element: tag, content, what follows. Lengths of one or two bytes are all that such a key needs.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (length, rest),
        0x81 => rest.split_first().map(|(length, rest)| (*length, rest))?,
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(usize::from(length))?;
    Some((tag, content, rest))
}

impl Moment {
    const fn in_ocmf(self) -> TransactionMarker {
        match self {
            Self::Begin => TransactionMarker::Begin,
            Self::Charging => TransactionMarker::Charging,
            Self::End => TransactionMarker::End,
            Self::EndedLocally => TransactionMarker::EndedLocally,
            Self::EndedRemotely => TransactionMarker::EndedRemotely,
            Self::Aborted => TransactionMarker::Aborted,
            Self::PowerFailure => TransactionMarker::PowerFailure,
            Self::Suspended => TransactionMarker::Suspended,
            Self::TariffChange => TransactionMarker::TariffChange,
        }
    }
}

impl IdentKind {
    const fn in_ocmf(self) -> IdentificationType<'static> {
        match self {
            Self::None => IdentificationType::None,
            Self::Central => IdentificationType::Central,
            Self::Local => IdentificationType::Local,
        }
    }
}

impl IdentLevel {
    const fn in_ocmf(self) -> IdentificationLevel<'static> {
        match self {
            Self::None => IdentificationLevel::None,
            Self::Hearsay => IdentificationLevel::Hearsay,
            Self::Trusted => IdentificationLevel::Trusted,
            Self::Verified => IdentificationLevel::Verified,
            Self::Certified => IdentificationLevel::Certified,
            Self::Secure => IdentificationLevel::Secure,
        }
    }
}

impl ClockQuality {
    const fn in_ocmf(self) -> TimeStatus {
        match self {
            Self::Unknown => TimeStatus::Unknown,
            Self::Informative => TimeStatus::Informative,
            Self::Synchronised => TimeStatus::Synchronized,
            Self::Relative => TimeStatus::Relative,
        }
    }
}

#[cfg(test)]
mod tests;
