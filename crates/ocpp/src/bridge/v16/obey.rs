//! The station's ear for 1.6: orders, and its answers to them.
//!
//! Deliberately strict: an operator that sends broken orders hears the exact code. Invariant: a status word that an
//! answer's list does not have never leaves us.

use charge::Secret;
use charge::id::TransactionKey;
use charge::talk::line::{ResetKind, StationAnswer, ToStation, Written};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use ocpp_kit::v1_6::{self as kit, Action};

use super::{certificate, charging, evse, list, ordered_evse, trigger, upkeep, vendor};
use crate::bridge::{Pending, Told, misfit, word};
use crate::payload::{strict, write};
use crate::rules::{Code, Fault};

pub(in crate::bridge) fn told(action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    match action {
        "RemoteStartTransaction" => {
            let order: kit::RemoteStartTransactionRequest = strict(payload)?;
            let uid = TokenUid::new(&order.id_tag).map_err(|_| Fault::at(Code::Property, "/idTag", "not a token"))?;
            let token = PresentedToken::new(uid, TokenKind::Other);
            let profile = |profile| charging::profile_word(profile, "/chargingProfile").map(Box::new);
            let profile = order.charging_profile.map(profile).transpose()?;
            // 1.6 has no number that comes back in the transaction
            let start = ToStation::Start { evse: order.connector_id.and_then(evse), token, remote_id: 0, profile };
            Ok((start, Told::Start))
        }
        "RemoteStopTransaction" => {
            let order: kit::RemoteStopTransactionRequest = strict(payload)?;
            Ok((ToStation::Stop { key: TransactionKey::Number(order.transaction_id) }, Told::Stop))
        }
        "Reset" => {
            let order: kit::ResetRequest = strict(payload)?;
            let kind = if order.r#type == kit::ResetType::Hard { ResetKind::Hard } else { ResetKind::Soft };
            Ok((ToStation::Reset(kind), Told::Reset))
        }
        "UnlockConnector" => {
            let order: kit::UnlockConnectorRequest = strict(payload)?;
            let evse =
                evse(order.connector_id).ok_or_else(|| Fault::at(Code::Property, "/connectorId", "not above 0"))?;
            Ok((ToStation::Unlock { evse }, Told::Unlock))
        }
        "ChangeAvailability" => {
            let order: kit::ChangeAvailabilityRequest = strict(payload)?;
            let operative = order.r#type == kit::AvailabilityType::Operative;
            Ok((
                ToStation::Availability { evse: ordered_evse(order.connector_id)?, connector: None, operative },
                Told::Availability,
            ))
        }
        "TriggerMessage" | "ExtendedTriggerMessage" => trigger::told(action, payload),
        "GetConfiguration" => {
            let order: kit::GetConfigurationRequest = strict(payload)?;
            let keys = order.key.unwrap_or_default().into_iter().map(Into::into).collect();
            Ok((ToStation::ReadSettings { keys }, Told::Read))
        }
        "ChangeConfiguration" => {
            let order: kit::ChangeConfigurationRequest = strict(payload)?;
            let key: Box<str> = order.key.into();
            let pending = Pending { keys: vec![key.clone()], ..Pending::default() };
            let values = vec![(key, Secret::new(order.value.into()))];
            Ok((ToStation::WriteSettings { values }, Told::Write(pending)))
        }
        "ClearCache" => {
            strict::<kit::ClearCacheRequest>(payload)?;
            Ok((ToStation::ClearCache, Told::ClearCache))
        }
        "SetChargingProfile" | "ClearChargingProfile" | "GetCompositeSchedule" => charging::told(action, payload),
        "SendLocalList" | "GetLocalListVersion" | "ReserveNow" | "CancelReservation" => list::told(action, payload),
        "GetDiagnostics" | "GetLog" | "UpdateFirmware" | "SignedUpdateFirmware" => upkeep::told(action, payload),
        "CertificateSigned" | "InstallCertificate" | "DeleteCertificate" | "GetInstalledCertificateIds" => {
            certificate::told(action, payload)
        }
        vendor::ACTION => vendor::told(payload),
        other => Err(untold(other)),
    }
}

/// What every action comes to that no operator orders.
fn untold(action: &str) -> Fault {
    match Action::from_wire(action) {
        Some(_) => Fault::new(Code::NotSupported, "a message that only stations send"),
        None => Fault::new(Code::NotImplemented, "not an action of 1.6"),
    }
}

pub(in crate::bridge) fn reply(told: &Told, answer: &StationAnswer) -> Result<String, Fault> {
    match told {
        Told::Action(name) => return profiles(name, answer),
        Told::Trigger => return trigger::reply(answer),
        _ => {}
    }
    let status = match answer {
        StationAnswer::Accepted => "Accepted",
        StationAnswer::Scheduled => "Scheduled",
        StationAnswer::Refused(word) => word,
        StationAnswer::Settings { known, unknown } => {
            let row = |setting: &charge::talk::line::Setting| kit::KeyValue {
                key: setting.key.to_string(),
                readonly: setting.read_only,
                value: setting.value.as_deref().map(Into::into),
            };
            let unknown: Vec<String> = unknown.iter().map(|key| key.to_string()).collect();
            return match told {
                Told::Read => write(&kit::GetConfigurationResponse {
                    configuration_key: Some(known.iter().map(row).collect()),
                    unknown_key: (!unknown.is_empty()).then_some(unknown),
                }),
                _ => Err(misfit()),
            };
        }
        StationAnswer::Written(rows) => return written(told, rows),
        _ => return Err(misfit()),
    };
    let status = |list: &[&str], otherwise| word(status, list, otherwise).to_owned();
    match told {
        Told::Start | Told::Stop => write(&kit::RemoteStartTransactionResponse::new(
            kit::RemoteStartStopStatus::from_wire(&status(kit::RemoteStartStopStatus::VARIANTS, "Rejected")),
        )),
        Told::Reset => write(&kit::ResetResponse::new(match answer {
            // 1.6 has no word for "when idle" here: a soft reset is that already
            StationAnswer::Scheduled => kit::ResetStatus::Accepted,
            _ => kit::ResetStatus::from_wire(&status(kit::ResetStatus::VARIANTS, "Rejected")),
        })),
        Told::Unlock => write(&kit::UnlockConnectorResponse::new(match answer {
            StationAnswer::Accepted => kit::UnlockStatus::Unlocked,
            _ => kit::UnlockStatus::from_wire(&status(&["UnlockFailed", "NotSupported"], "UnlockFailed")),
        })),
        Told::Availability => write(&kit::ChangeAvailabilityResponse::new(kit::AvailabilityStatus::from_wire(
            &status(kit::AvailabilityStatus::VARIANTS, "Rejected"),
        ))),
        Told::ClearCache => write(&kit::ClearCacheResponse::new(kit::ClearCacheStatus::from_wire(&status(
            kit::ClearCacheStatus::VARIANTS,
            "Rejected",
        )))),
        Told::Write(_) => write(&kit::ChangeConfigurationResponse::new(kit::ConfigurationStatus::from_wire(&status(
            kit::ConfigurationStatus::VARIANTS,
            "Rejected",
        )))),
        Told::Read
        | Told::Report
        | Told::Trigger
        | Told::Certificates(_)
        | Told::Action(_)
        | Told::Watch(_)
        | Told::Variables(..)
        | Told::Foreign(_) => Err(Fault::new(Code::NotSupported, "not served here")),
    }
}

/// The answers that the files of the profiles write.
fn profiles(name: &str, answer: &StationAnswer) -> Result<String, Fault> {
    match name {
        "SetChargingProfile" | "ClearChargingProfile" | "GetCompositeSchedule" => charging::reply(name, answer),
        "SendLocalList" | "GetLocalListVersion" | "ReserveNow" | "CancelReservation" => list::reply(name, answer),
        "GetDiagnostics" | "GetLog" | "UpdateFirmware" | "SignedUpdateFirmware" => upkeep::reply(name, answer),
        "CertificateSigned" | "InstallCertificate" | "DeleteCertificate" | "GetInstalledCertificateIds" => {
            certificate::reply(name, answer)
        }
        "ExtendedTriggerMessage" => trigger::reply(answer),
        other => vendor::reply(other, answer),
    }
}

fn written(told: &Told, rows: &[(Box<str>, Written)]) -> Result<String, Fault> {
    let (Told::Write(_), [(_, written)]) = (told, rows) else { return Err(misfit()) };
    write(&kit::ChangeConfigurationResponse::new(match written {
        Written::Accepted => kit::ConfigurationStatus::Accepted,
        Written::AfterReboot => kit::ConfigurationStatus::RebootRequired,
        Written::Rejected => kit::ConfigurationStatus::Rejected,
        Written::Unknown => kit::ConfigurationStatus::NotSupported,
    }))
}
