//! The four words of a verdict, and the reasons behind them in plain language.
//!
//! "Not valid" is said only of a record that was checked and does not hold; a missing key or an unknown curve is
//! never the record's fault. No reason carries personal data.

use std::fmt;

use charge::units::Energy;

use super::Verified;

/// What a check of signed records came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Valid(Verified),
    /// Holds, with something that the reader must know.
    ValidWithRemarks(Verified, Vec<Remark>),
    NotValid(Fault),
    /// Neither valid nor not: something is missing for the check.
    CannotBeChecked(Obstacle),
}

impl Verdict {
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Valid(_) => "valid",
            Self::ValidWithRemarks(..) => "valid with remarks",
            Self::NotValid(_) => "not valid",
            Self::CannotBeChecked(_) => "cannot be checked",
        }
    }

    pub const fn verified(&self) -> Option<&Verified> {
        match self {
            Self::Valid(verified) | Self::ValidWithRemarks(verified, _) => Some(verified),
            Self::NotValid(_) | Self::CannotBeChecked(_) => None,
        }
    }

    /// The reasons, one sentence each; empty for `Valid`.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Valid(_) => Vec::new(),
            Self::ValidWithRemarks(_, remarks) => remarks.iter().map(ToString::to_string).collect(),
            Self::NotValid(fault) => vec![fault.to_string()],
            Self::CannotBeChecked(obstacle) => vec![obstacle.to_string()],
        }
    }
}

/// `valid with remarks: the key came with the file`
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())?;
        let reasons = self.reasons();
        if reasons.is_empty() { Ok(()) } else { write!(f, ": {}", reasons.join("; ")) }
    }
}

/// Something the reader of a valid record must know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    #[error("the key came with the file; compare its fingerprint with the station or a register")]
    KeyCameWithFile,
    #[error("the key that came with the file is not the one that was used")]
    KeyInFileDiffers,
    #[error("the meter's clock is only informative: time may not be billed by it")]
    ClockInformative,
    #[error("the duration is lawful, the moment of the start is only informative")]
    ClockRelative,
    #[error("the record does not name its meter")]
    MeterUnnamed,
    #[error("the record does not say which register it read")]
    RegisterUnnamed,
    #[error("the charging ended with an error or a power failure")]
    EndedAbnormally,
    /// A departure from the standard with which two readers may read two things.
    #[error("the record can be read in two ways: {0}")]
    Ambiguous(String),
}

/// Why a session does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the signature of record {record} does not match its content and the key")]
    Signature { record: usize },
    #[error("record {record} cannot be read")]
    Unreadable { record: usize },
    #[error("no reading marks the begin")]
    NoBegin,
    #[error("no reading marks the end")]
    NoEnd,
    #[error("more than one reading marks the begin")]
    SeveralBegins,
    #[error("more than one reading marks the end")]
    SeveralEnds,
    #[error("the end comes before the begin")]
    EndBeforeBegin,
    #[error("the register falls by {by} from begin to end")]
    EnergyFalls { by: Energy },
    #[error("the time falls from begin to end")]
    TimeFalls,
    #[error("the meter's clock is unknown: it was not set")]
    ClockUnknown,
    #[error("the meter reports a fault: {state}")]
    MeterState { state: String },
    #[error("the meter marks energy or time as unusable")]
    ErrorFlag,
    #[error("the identification failed: {level}")]
    IdentificationFailed { level: String },
    #[error("the records belong to different sessions")]
    DifferentSessions,
    #[error("the records come from different meters")]
    DifferentMeters,
    /// The file names more than one signer, and nothing else says which is the meter's.
    #[error("different public keys came with the records of one session")]
    SeveralKeys,
    #[error("page {from} is followed by page {to}: a record is missing, repeated or out of order")]
    PaginationGap { from: String, to: String },
    #[error("the records carry no page numbers to hold them together")]
    NoPagination,
    #[error("no register of delivered energy is read at begin and end")]
    NoImportRegister,
}

/// Why a check is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("there is no signed record")]
    NoRecord,
    #[error("there are more signed records than a session can have")]
    TooManyRecords,
    #[error("there is no public key")]
    NoKey,
    #[error("the key that came with the record is not usable")]
    UnusableKey,
    #[error("the key is on curve {key}, the record is signed with {record}")]
    KeyOfOtherKind { key: &'static str, record: String },
    #[error("the format {0} is not known here")]
    UnknownFormat(String),
    #[error("signatures with {0} cannot be checked here")]
    UnsupportedCurve(String),
}
