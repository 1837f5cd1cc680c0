//! What a meter says: readings with their circumstances, and signed records exactly as they were received.

use rust_decimal::Decimal;

use crate::Timestamp;
use crate::units::{Energy, Power};

/// Why a reading was taken (OCPP `ReadingContextEnumType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    TransactionBegin,
    SamplePeriodic,
    SampleClock,
    TransactionEnd,
    InterruptionBegin,
    InterruptionEnd,
    Trigger,
    Other,
}

/// What was measured, in the units of the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measured {
    /// The import register (OCPP `Energy.Active.Import.Register`): what is billed.
    EnergyImport(Energy),
    EnergyExport(Energy),
    PowerImport(Power),
    /// State of charge of the car in percent.
    StateOfCharge(Decimal),
    /// Anything else: the standard's measurand, the number as written, and its unit.
    Other {
        measurand: Box<str>,
        value: Decimal,
        unit: Box<str>,
    },
    /// A signed record. What it says is known after it was verified.
    Signed(SignedRecord),
}

/// One value at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub at: Timestamp,
    pub context: Context,
    /// `L1`, `L2-N` and so on; `None` for the sum.
    pub phase: Option<Box<str>>,
    pub measured: Measured,
}

/// A signed meter record as received: never parsed and written again, because the signature covers the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedRecord {
    /// `OCMF` and others (OCPP 2.x `signedMeterData.encodingMethod`; OCPI 2.2.1, 10.4.6 `encoding_method`).
    pub format: Box<str>,
    pub bytes: Box<[u8]>,
    /// As sent along. Proves nothing by itself: only a key from the operator's register counts.
    pub public_key: Option<Box<str>>,
}
