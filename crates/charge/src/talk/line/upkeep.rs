//! Upkeep: firmware, logs and diagnostics (OCPP 1.6 profile Firmware and security whitepaper; 2.x blocks L and N).

use std::time::Duration;

use crate::Timestamp;
use crate::personal::Secret;

/// How often and how long apart a station tries a download or an upload; `None` leaves it to the station.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    pub times: Option<u32>,
    pub pause: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    Diagnostics,
    Security,
    /// 2.1.
    DataCollector,
}

/// Orders for files. A location may carry a password, so it is a [`Secret`].
#[derive(Clone, Debug)]
pub enum UpkeepOrder {
    /// `GetLog` (2.x and the 1.6 whitepaper), `GetDiagnostics` (1.6, diagnostics only: chosen where the station has no
    /// security extension). Answered with [`super::StationAnswer::File`].
    FetchLog {
        request: i32,
        kind: LogKind,
        to: Secret<Box<str>>,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        retries: Retries,
        /// 1.6: use `GetDiagnostics`.
        legacy: bool,
    },
    /// `UpdateFirmware`; with a signature the 1.6 `SignedUpdateFirmware`.
    Firmware {
        request: i32,
        from: Secret<Box<str>>,
        retrieve_at: Timestamp,
        install_at: Option<Timestamp>,
        signed: Option<FirmwareSignature>,
        retries: Retries,
    },
    /// `PublishFirmware` (2.x): a local controller keeps it for the stations behind it.
    Publish { request: i32, from: Secret<Box<str>>, md5: Box<str>, retries: Retries },
    /// `UnpublishFirmware` (2.x).
    Unpublish { md5: Box<str> },
}

/// Who vouches for a firmware (L01; whitepaper 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareSignature {
    /// PEM.
    pub certificate: Box<str>,
    /// Base64.
    pub signature: Box<str>,
}

/// What a station's progress is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// 1.6 `DiagnosticsStatusNotification`.
    Diagnostics,
    /// `LogStatusNotification`.
    Log,
    /// `FirmwareStatusNotification`.
    Firmware,
    /// 1.6 `SignedFirmwareStatusNotification`.
    SignedFirmware,
    /// 2.x `PublishFirmwareStatusNotification`.
    Publishing,
}

impl Work {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Diagnostics => "diagnostics",
            Self::Log => "log",
            Self::Firmware => "firmware",
            Self::SignedFirmware => "signed firmware",
            Self::Publishing => "publishing",
        }
    }
}

/// Progress of work that was ordered; `status` in the version's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub of: Work,
    pub request: Option<i32>,
    pub status: Box<str>,
    /// 2.x, published firmware: where it can be fetched.
    pub places: Vec<Box<str>>,
}
