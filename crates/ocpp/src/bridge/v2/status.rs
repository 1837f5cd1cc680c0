//! Answers to orders that are one status word, perhaps with a reason: `{"status":"Rejected","statusInfo":{…}}`.
//!
//! The reason's code becomes part of the word, `Rejected (NotEnabled)`, and is taken out of it again. Deliberately only
//! these: answers with more in them belong to their blocks. Invariant: a word that an action's list does not have never
//! leaves us; in its place stands the action's own refusal.

use charge::talk::line::{StationAnswer, Version};
use ocpp_kit::v2_1::{self as kit, CsmsResponse, StatusInfo};

use super::wire::judge;
use crate::bridge::misfit;
use crate::json::quote;
use crate::rules::Fault;

/// `StatusInfoType.reasonCode`.
const REASON_CHARACTERS_MAX: usize = 20;

/// The words of an action's answer: the one that agrees, and the one that refuses where no other word fits.
struct Words(&'static [&'static str], &'static str, &'static str);

fn words(action: &str) -> Option<Words> {
    let usual = |list| Words(list, "Accepted", "Rejected");
    Some(match action {
        "AFRRSignal"
        | "AdjustPeriodicEventStream"
        | "PublishFirmware"
        | "RequestBatterySwap"
        | "SetMonitoringLevel"
        | "GetCompositeSchedule" => usual(kit::GenericStatus::VARIANTS),
        "CancelReservation" => usual(kit::CancelReservationStatus::VARIANTS),
        "CertificateSigned" => usual(kit::CertificateSignedStatus::VARIANTS),
        "ChangeAvailability" => usual(kit::ChangeAvailabilityStatus::VARIANTS),
        "ChangeTransactionTariff" => usual(kit::TariffChangeStatus::VARIANTS),
        "ClearCache" => usual(kit::ClearCacheStatus::VARIANTS),
        "ClearChargingProfile" => Words(kit::ClearChargingProfileStatus::VARIANTS, "Accepted", "Unknown"),
        "ClearDERControl" | "GetDERControl" | "SetDERControl" => usual(kit::DERControlStatus::VARIANTS),
        "ClearDisplayMessage" => Words(kit::ClearMessageStatus::VARIANTS, "Accepted", "Unknown"),
        "CustomerInformation" => usual(kit::CustomerInformationStatus::VARIANTS),
        "DeleteCertificate" => Words(kit::DeleteCertificateStatus::VARIANTS, "Accepted", "Failed"),
        "GetBaseReport" | "GetReport" | "GetMonitoringReport" | "SetMonitoringBase" => {
            Words(kit::GenericDeviceModelStatus::VARIANTS, "Accepted", "NotSupported")
        }
        "GetChargingProfiles" => Words(kit::GetChargingProfileStatus::VARIANTS, "Accepted", "NoProfiles"),
        "GetDisplayMessages" => Words(kit::GetDisplayMessagesStatus::VARIANTS, "Accepted", "Unknown"),
        "GetInstalledCertificateIds" => Words(kit::GetInstalledCertificateStatus::VARIANTS, "Accepted", "NotFound"),
        "GetLog" => usual(kit::LogStatus::VARIANTS),
        "GetTariffs" => usual(kit::TariffGetStatus::VARIANTS),
        "InstallCertificate" => usual(kit::InstallCertificateStatus::VARIANTS),
        "NotifyAllowedEnergyTransfer" => usual(kit::NotifyAllowedEnergyTransferStatus::VARIANTS),
        "RequestStartTransaction" | "RequestStopTransaction" => usual(kit::RequestStartStopStatus::VARIANTS),
        "ReserveNow" => usual(kit::ReserveNowStatus::VARIANTS),
        "Reset" => usual(kit::ResetStatus::VARIANTS),
        "SendLocalList" => Words(kit::SendLocalListStatus::VARIANTS, "Accepted", "Failed"),
        "SetChargingProfile" | "UpdateDynamicSchedule" => usual(kit::ChargingProfileStatus::VARIANTS),
        "SetDefaultTariff" => usual(kit::TariffSetStatus::VARIANTS),
        "SetDisplayMessage" => usual(kit::DisplayMessageStatus::VARIANTS),
        "SetNetworkProfile" => usual(kit::SetNetworkProfileStatus::VARIANTS),
        // F06.FR.08: what cannot be triggered is not implemented
        "TriggerMessage" => Words(kit::TriggerMessageStatus::VARIANTS, "Accepted", "NotImplemented"),
        "UnlockConnector" => Words(kit::UnlockStatus::VARIANTS, "Unlocked", "UnlockFailed"),
        "UnpublishFirmware" => Words(kit::UnpublishFirmwareStatus::VARIANTS, "Unpublished", "NoFirmware"),
        "UpdateFirmware" => usual(kit::UpdateFirmwareStatus::VARIANTS),
        "UsePriorityCharging" => usual(kit::PriorityChargingStatus::VARIANTS),
        _ => return None,
    })
}

/// Writes a status answer.
pub(super) fn write(version: Version, action: &str, answer: &StationAnswer) -> Result<String, Fault> {
    let Words(list, agreed, refused) = words(action).ok_or_else(misfit)?;
    let (wished, reason) = match answer {
        StationAnswer::Accepted => (agreed, None),
        StationAnswer::Scheduled => ("Scheduled", None),
        StationAnswer::Refused(word) => parts(word),
        _ => return Err(misfit()),
    };
    let listed = |word: &&str| {
        list.contains(word)
            && (version != Version::V201 || judge::<CsmsResponse>(action, &payload(word, reason)).is_ok())
    };
    Ok(payload(Some(wished).filter(listed).unwrap_or(refused), reason))
}

fn payload(word: &str, reason: Option<&str>) -> String {
    let mut out = format!("{{\"status\":\"{word}\"");
    if let Some(reason) = reason {
        out.push_str(",\"statusInfo\":{\"reasonCode\":");
        quote(reason, &mut out);
        out.push('}');
    }
    out.push('}');
    out
}

/// `Rejected (NotEnabled)` as its word and its reason's code.
fn parts(told: &str) -> (&str, Option<&str>) {
    let split = told.split_once(" (").and_then(|(word, rest)| Some((word, rest.strip_suffix(')')?)));
    match split {
        Some((word, reason)) if !reason.is_empty() && reason.chars().count() <= REASON_CHARACTERS_MAX => {
            (word, Some(reason))
        }
        Some((word, _)) => (word, None),
        None => (told, None),
    }
}

/// What a status word and its reason mean.
pub(super) fn read(word: &str, info: Option<&StatusInfo>) -> StationAnswer {
    match (word, info) {
        ("Accepted" | "Unlocked" | "Unpublished", _) => StationAnswer::Accepted,
        ("Scheduled", _) => StationAnswer::Scheduled,
        (word, None) => StationAnswer::Refused(word.into()),
        (word, Some(info)) => StationAnswer::Refused(format!("{word} ({})", info.reason_code).into()),
    }
}

macro_rules! plain {
    ($answer:ident, $($name:ident),+) => {
        match $answer {
            $(CsmsResponse::$name(answer) => Some(read(answer.status.as_str(), answer.status_info.as_ref())),)+
            CsmsResponse::UnpublishFirmware(answer) => Some(read(answer.status.as_str(), None)),
            CsmsResponse::CostUpdated(_) => Some(StationAnswer::Accepted),
            _ => None,
        }
    };
}

/// The meaning of an answer's status; `None` for an answer that has none. What else is in it belongs to its block.
pub(super) fn plain(answer: &CsmsResponse) -> Option<StationAnswer> {
    plain!(
        answer,
        AFRRSignal,
        AdjustPeriodicEventStream,
        CancelReservation,
        CertificateSigned,
        ChangeAvailability,
        ChangeTransactionTariff,
        ClearCache,
        ClearChargingProfile,
        ClearDERControl,
        ClearDisplayMessage,
        CustomerInformation,
        DeleteCertificate,
        GetBaseReport,
        GetChargingProfiles,
        GetCompositeSchedule,
        GetDERControl,
        GetDisplayMessages,
        GetInstalledCertificateIds,
        GetLog,
        GetMonitoringReport,
        GetReport,
        GetTariffs,
        InstallCertificate,
        NotifyAllowedEnergyTransfer,
        PublishFirmware,
        RequestBatterySwap,
        RequestStartTransaction,
        RequestStopTransaction,
        ReserveNow,
        Reset,
        SendLocalList,
        SetChargingProfile,
        SetDERControl,
        SetDefaultTariff,
        SetDisplayMessage,
        SetMonitoringBase,
        SetMonitoringLevel,
        SetNetworkProfile,
        TriggerMessage,
        UnlockConnector,
        UpdateDynamicSchedule,
        UpdateFirmware,
        UsePriorityCharging
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    /// Every status answer, every word: written, allowed by the version's schema, and read back the same.
    #[test]
    fn every_word_of_every_answer_comes_back() {
        let mut answers = 0;
        for action in kit::Action::ALL.iter().map(|action| action.as_str()) {
            let Some(Words(list, agreed, _)) = words(action) else { continue };
            for word in list {
                let told =
                    if *word == agreed { StationAnswer::Accepted } else { StationAnswer::Refused((*word).into()) };
                let text = write(Version::V21, action, &told).unwrap();
                assert_eq!(text, payload(word, None), "{action}");
                let answer: CsmsResponse = super::super::wire::strict(Version::V21, action, &text).unwrap();
                let expected = if *word == "Scheduled" { StationAnswer::Scheduled } else { told.clone() };
                assert_eq!(plain(&answer), Some(expected), "{action}");
                answers += 1;
                // 2.0.1 has the action, and this word or the refusal in its place
                if ocpp_kit::v2_0_1::Action::from_wire(action).is_some() {
                    let text = write(Version::V201, action, &told).unwrap();
                    assert!(judge::<CsmsResponse>(action, &text).is_ok(), "{action} {text}");
                }
            }
        }
        assert!(answers > 130, "{answers}");
    }

    #[test]
    fn a_reason_is_part_of_the_word() {
        let refused = |word: &str| StationAnswer::Refused(word.into());
        let rows = [
            (
                "Reset",
                refused("Rejected (NotEnabled)"),
                r#"{"status":"Rejected","statusInfo":{"reasonCode":"NotEnabled"}}"#,
            ),
            ("Reset", refused("NoSuchWord"), r#"{"status":"Rejected"}"#),
            ("Reset", StationAnswer::Scheduled, r#"{"status":"Scheduled"}"#),
            ("UnlockConnector", StationAnswer::Accepted, r#"{"status":"Unlocked"}"#),
            ("UnlockConnector", StationAnswer::Scheduled, r#"{"status":"UnlockFailed"}"#),
            ("ClearDisplayMessage", refused("Rejected"), r#"{"status":"Rejected"}"#),
        ];
        for (action, answer, expected) in rows {
            assert_eq!(write(Version::V21, action, &answer).as_deref(), Ok(expected));
        }
        // the word is one of 2.1 only
        let old = write(Version::V201, "ClearDisplayMessage", &refused("Rejected"));
        assert_eq!(old.as_deref(), Ok(r#"{"status":"Unknown"}"#));
    }
}
