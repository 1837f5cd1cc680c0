//! What differs between the versions, as data: error spellings, answers to nameless frames, and the type of each member.
//!
//! The types serve the repair of a payload that the strict reading refused; the official schemas decide the rest.
//! Deliberately no code paths here. Invariant: one total table per version, and a code has one spelling in it.

use std::borrow::Cow;

use charge::talk::line::Version;
use ocpp_kit::{v1_6 as kit16, v2_0_1 as kit201};

/// The reasons for which an answer is refused (OCPP-J 1.6, 4.2.3 table 7; 2.0.1 part 4, 4.3 table 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Malformed,
    Framework,
    Protocol,
    UnknownType,
    NotImplemented,
    NotSupported,
    Occurrence,
    Property,
    Type,
    Security,
    Internal,
}

/// Why a message is refused: the code, where in the payload, and why. Never quotes a value: it may be personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) path: String,
    pub(crate) why: Cow<'static, str>,
}

impl Fault {
    pub(crate) fn new(code: Code, why: impl Into<Cow<'static, str>>) -> Self {
        Self { code, path: String::new(), why: why.into() }
    }

    pub(crate) fn at(code: Code, path: impl Into<String>, why: impl Into<Cow<'static, str>>) -> Self {
        Self { code, path: path.into(), why: why.into() }
    }

    /// `path: why`, for descriptions and remarks.
    pub(crate) fn told(&self) -> String {
        if self.path.is_empty() { self.why.to_string() } else { format!("{}: {}", self.path, self.why) }
    }
}

/// The type of a member, as far as its repair needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sort {
    Whole,
    Number,
    Flag,
    Time,
    List,
    /// A text with the schema's greatest length; longer ones of descriptive members are cut.
    Text(usize),
    /// A text that is kept in any length, because it identifies something.
    Name,
    /// A word out of the schemas' lists.
    Word(&'static [&'static [&'static str]]),
}

/// A member: the member that holds it (empty for any), its name and its type. The first match counts.
pub(crate) type Member = (&'static str, &'static str, Sort);

/// What one version does its own way.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) version: Version,
    malformed: &'static str,
    occurrence: &'static str,
    framework: &'static str,
    /// The answer to a message type that the version does not have; `None` is silence.
    unknown_type: Option<&'static str>,
    /// Is a CALL whose id cannot be read answered, with the id `-1`?
    pub(crate) answers_nameless: bool,
    /// SEND and CALLRESULTERROR, the two message types of 2.1.
    pub(crate) sends: bool,
    members: &'static [Member],
}

impl Rules {
    pub(crate) const fn of(version: Version) -> &'static Self {
        match version {
            Version::S15 => &S15,
            Version::S16 => &S16,
            Version::V16 => &V16,
            Version::V201 => &V201,
            Version::V21 => &V21,
        }
    }

    /// The code's spelling; `None` where the version is silent instead.
    pub(crate) const fn spelling(&self, code: Code) -> Option<&'static str> {
        Some(match code {
            Code::Malformed => self.malformed,
            Code::Framework => self.framework,
            Code::Protocol => "ProtocolError",
            Code::UnknownType => return self.unknown_type,
            Code::NotImplemented => "NotImplemented",
            Code::NotSupported => "NotSupported",
            Code::Occurrence => self.occurrence,
            Code::Property => "PropertyConstraintViolation",
            Code::Type => "TypeConstraintViolation",
            Code::Security => "SecurityError",
            Code::Internal => "InternalError",
        })
    }

    pub(crate) fn sort(&self, holder: &str, name: &str) -> Option<Sort> {
        let fits = |member: &&Member| member.1 == name && (member.0.is_empty() || member.0 == holder);
        self.members.iter().find(fits).map(|member| member.2)
    }
}

/// The one spelling under which we hand on the two codes that the versions spell differently (quirk 10).
pub(crate) fn modern(code: &str) -> &str {
    match code {
        "FormationViolation" => "FormatViolation",
        "OccurenceConstraintViolation" => "OccurrenceConstraintViolation",
        other => other,
    }
}

/// SOAP has faults of its own; the payloads behind it are those of 1.6.
static S15: Rules = Rules { version: Version::S15, ..V16 };
static S16: Rules = Rules { version: Version::S16, ..V16 };
static V21: Rules = Rules { version: Version::V21, sends: true, ..V201 };

const V16: Rules = Rules {
    version: Version::V16,
    // the errata keep both misspellings as known issues that will not be fixed
    malformed: "FormationViolation",
    occurrence: "OccurenceConstraintViolation",
    framework: "GenericError",
    unknown_type: None,
    answers_nameless: false,
    sends: false,
    members: &[
        ("", "connectorId", Sort::Whole),
        ("", "transactionId", Sort::Whole),
        ("", "meterStart", Sort::Whole),
        ("", "meterStop", Sort::Whole),
        ("", "reservationId", Sort::Whole),
        ("", "interval", Sort::Whole),
        ("", "requestId", Sort::Whole),
        ("", "listVersion", Sort::Whole),
        ("", "duration", Sort::Whole),
        ("", "startPeriod", Sort::Whole),
        ("", "numberPhases", Sort::Whole),
        ("", "limit", Sort::Number),
        ("", "minChargingRate", Sort::Number),
        ("", "readonly", Sort::Flag),
        ("", "idTag", Sort::Name),
        ("", "parentIdTag", Sort::Name),
        ("", "value", Sort::Name),
        ("", "key", Sort::Name),
        ("", "chargePointVendor", Sort::Text(20)),
        ("", "chargePointModel", Sort::Text(20)),
        ("", "chargePointSerialNumber", Sort::Text(25)),
        ("", "chargeBoxSerialNumber", Sort::Text(25)),
        ("", "firmwareVersion", Sort::Text(50)),
        ("", "iccid", Sort::Text(20)),
        ("", "imsi", Sort::Text(20)),
        ("", "meterType", Sort::Text(25)),
        ("", "meterSerialNumber", Sort::Text(25)),
        ("", "info", Sort::Text(50)),
        ("", "vendorId", Sort::Text(255)),
        ("", "vendorErrorCode", Sort::Text(50)),
        ("", "techInfo", Sort::Text(255)),
        ("", "timestamp", Sort::Time),
        ("", "currentTime", Sort::Time),
        ("", "expiryDate", Sort::Time),
        ("", "scheduleStart", Sort::Time),
        ("", "startSchedule", Sort::Time),
        ("", "chargingSchedulePeriod", Sort::List),
        ("", "certificateHashData", Sort::List),
        ("", "meterValue", Sort::List),
        ("", "sampledValue", Sort::List),
        ("", "transactionData", Sort::List),
        ("", "configurationKey", Sort::List),
        ("", "unknownKey", Sort::List),
        ("", "context", Sort::Word(&[kit16::ReadingContext::VARIANTS])),
        ("", "format", Sort::Word(&[kit16::ValueFormat::VARIANTS])),
        ("", "measurand", Sort::Word(&[kit16::Measurand::VARIANTS])),
        ("", "phase", Sort::Word(&[kit16::Phase::VARIANTS])),
        ("", "location", Sort::Word(&[kit16::Location::VARIANTS])),
        ("", "unit", Sort::Word(&[kit16::UnitOfMeasure::VARIANTS])),
        ("", "errorCode", Sort::Word(&[kit16::ChargePointErrorCode::VARIANTS])),
        ("", "reason", Sort::Word(&[kit16::Reason::VARIANTS])),
        (
            "",
            "status",
            Sort::Word(&[
                kit16::ChargePointStatus::VARIANTS,
                kit16::RegistrationStatus::VARIANTS,
                kit16::AuthorizationStatus::VARIANTS,
                kit16::ConfigurationStatus::VARIANTS,
                kit16::UnlockStatus::VARIANTS,
                kit16::AvailabilityStatus::VARIANTS,
                kit16::TriggerMessageStatus::VARIANTS,
                kit16::SignedFirmwareStatus::VARIANTS,
                kit16::UploadLogStatus::VARIANTS,
                kit16::DiagnosticsStatus::VARIANTS,
                kit16::FirmwareStatus::VARIANTS,
                kit16::DataTransferStatus::VARIANTS,
                kit16::ReservationStatus::VARIANTS,
                kit16::UpdateStatus::VARIANTS,
                kit16::UpdateFirmwareStatus::VARIANTS,
                kit16::LogStatus::VARIANTS,
                kit16::InstallCertificateStatus::VARIANTS,
                kit16::DeleteCertificateStatus::VARIANTS,
                kit16::ClearChargingProfileStatus::VARIANTS,
            ]),
        ),
    ],
};

const V201: Rules = Rules {
    version: Version::V201,
    malformed: "FormatViolation",
    occurrence: "OccurrenceConstraintViolation",
    framework: "RpcFrameworkError",
    unknown_type: Some("MessageTypeNotSupported"),
    answers_nameless: true,
    sends: false,
    members: &[
        ("", "evseId", Sort::Whole),
        ("", "connectorId", Sort::Whole),
        ("", "seqNo", Sort::Whole),
        ("", "requestId", Sort::Whole),
        ("", "remoteStartId", Sort::Whole),
        ("", "reservationId", Sort::Whole),
        ("evse", "id", Sort::Whole),
        ("", "interval", Sort::Whole),
        ("", "multiplier", Sort::Whole),
        ("", "timeSpentCharging", Sort::Whole),
        ("", "numberOfPhasesUsed", Sort::Whole),
        ("", "cableMaxCurrent", Sort::Whole),
        ("sampledValue", "value", Sort::Number),
        ("", "value", Sort::Name),
        ("", "attributeValue", Sort::Name),
        ("", "offline", Sort::Flag),
        ("", "tbc", Sort::Flag),
        ("", "idToken", Sort::Name),
        ("", "transactionId", Sort::Name),
        ("chargingStation", "model", Sort::Text(20)),
        ("chargingStation", "vendorName", Sort::Text(50)),
        ("chargingStation", "serialNumber", Sort::Text(25)),
        ("chargingStation", "firmwareVersion", Sort::Text(50)),
        ("modem", "iccid", Sort::Text(20)),
        ("modem", "imsi", Sort::Text(20)),
        ("", "techInfo", Sort::Text(255)),
        ("unitOfMeasure", "unit", Sort::Text(20)),
        ("", "timestamp", Sort::Time),
        ("", "generatedAt", Sort::Time),
        ("", "currentTime", Sort::Time),
        ("", "cacheExpiryDateTime", Sort::Time),
        ("", "meterValue", Sort::List),
        ("", "sampledValue", Sort::List),
        ("", "reportData", Sort::List),
        ("", "eventData", Sort::List),
        ("", "monitor", Sort::List),
        ("", "variableMonitoring", Sort::List),
        ("", "messageInfo", Sort::List),
        ("", "variableAttribute", Sort::List),
        ("", "getVariableResult", Sort::List),
        ("", "setVariableResult", Sort::List),
        ("", "context", Sort::Word(&[kit201::ReadingContext::VARIANTS])),
        ("", "measurand", Sort::Word(&[kit201::Measurand::VARIANTS])),
        ("", "phase", Sort::Word(&[kit201::Phase::VARIANTS])),
        ("", "location", Sort::Word(&[kit201::Location::VARIANTS])),
        ("idToken", "type", Sort::Word(&[kit201::IdTokenEnum::VARIANTS])),
        ("", "eventType", Sort::Word(&[kit201::TransactionEventEnum::VARIANTS])),
        ("", "triggerReason", Sort::Word(&[kit201::TriggerReason::VARIANTS])),
        ("", "chargingState", Sort::Word(&[kit201::ChargingState::VARIANTS])),
        ("", "stoppedReason", Sort::Word(&[kit201::Reason::VARIANTS])),
        ("", "connectorStatus", Sort::Word(&[kit201::ConnectorStatus::VARIANTS])),
        ("", "reason", Sort::Word(&[kit201::BootReason::VARIANTS])),
        ("", "mutability", Sort::Word(&[kit201::Mutability::VARIANTS])),
        (
            "",
            "attributeStatus",
            Sort::Word(&[kit201::GetVariableStatus::VARIANTS, kit201::SetVariableStatus::VARIANTS]),
        ),
        (
            "",
            "status",
            Sort::Word(&[
                kit201::AuthorizationStatus::VARIANTS,
                kit201::RegistrationStatus::VARIANTS,
                kit201::UnlockStatus::VARIANTS,
                kit201::ChangeAvailabilityStatus::VARIANTS,
                kit201::TriggerMessageStatus::VARIANTS,
                kit201::GenericDeviceModelStatus::VARIANTS,
                kit201::FirmwareStatus::VARIANTS,
                kit201::UploadLogStatus::VARIANTS,
            ]),
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_spelling_of_its_version() {
        let table = [
            (Code::Malformed, Some("FormationViolation"), Some("FormatViolation")),
            (Code::Framework, Some("GenericError"), Some("RpcFrameworkError")),
            (Code::Protocol, Some("ProtocolError"), Some("ProtocolError")),
            (Code::UnknownType, None, Some("MessageTypeNotSupported")),
            (Code::NotImplemented, Some("NotImplemented"), Some("NotImplemented")),
            (Code::NotSupported, Some("NotSupported"), Some("NotSupported")),
            (Code::Occurrence, Some("OccurenceConstraintViolation"), Some("OccurrenceConstraintViolation")),
            (Code::Property, Some("PropertyConstraintViolation"), Some("PropertyConstraintViolation")),
            (Code::Type, Some("TypeConstraintViolation"), Some("TypeConstraintViolation")),
            (Code::Security, Some("SecurityError"), Some("SecurityError")),
            (Code::Internal, Some("InternalError"), Some("InternalError")),
        ];
        for (code, old, new) in table {
            assert_eq!(Rules::of(Version::V16).spelling(code), old, "{code:?}");
            assert_eq!(Rules::of(Version::V201).spelling(code), new, "{code:?}");
        }
    }
}
