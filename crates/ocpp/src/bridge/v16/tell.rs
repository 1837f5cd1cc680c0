//! The operator's voice in 1.6: orders to a station, and its answers.
//!
//! Deliberately strict in what it sends. Invariant: an order whose form 1.6 does not have is refused before it is sent.

use charge::Purpose;
use charge::id::TransactionKey;
use charge::talk::line::charging::{Profile, ProfilePurpose};
use charge::talk::line::{Foreign, LineFault, ResetKind, Setting, StationAnswer, ToStation, Written};
use ocpp_kit::RawValue;
use ocpp_kit::decode::DecodeOptions;
use ocpp_kit::v1_6::{self as kit, Action, CsmsRequest};

use super::{RULES, answered, certificate, charging, connector, list, trigger, upkeep, vendor};
use crate::bridge::{Call, Pending, Told, misfit, unfit, unplaced};
use crate::payload::{Notes, generous, write};
use crate::rules::Fault;

pub(in crate::bridge) fn order(what: &ToStation, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (action, payload, told) = match what {
        ToStation::Start { evse, token, remote_id: _, profile } => {
            let mut order = kit::RemoteStartTransactionRequest::new(token.uid.reveal(Purpose::Transmit).as_delivered());
            order.connector_id = evse.map(|evse| connector(Some(evse)));
            order.charging_profile = profile.as_deref().map(|profile| first_profile(profile, notes)).transpose()?;
            ("RemoteStartTransaction", write(&order), Told::Start)
        }
        ToStation::Stop { key } => {
            let order = kit::RemoteStopTransactionRequest::new(number(key, notes)?);
            ("RemoteStopTransaction", write(&order), Told::Stop)
        }
        ToStation::Reset(kind) => {
            let kind = match kind {
                ResetKind::Soft => kit::ResetType::Soft,
                ResetKind::Hard => kit::ResetType::Hard,
                ResetKind::Resume => return Err(unplaced(notes, "no transaction of 1.6 outlives a reset")),
            };
            ("Reset", write(&kit::ResetRequest::new(kind)), Told::Reset)
        }
        ToStation::Unlock { evse } => {
            ("UnlockConnector", write(&kit::UnlockConnectorRequest::new(connector(Some(*evse)))), Told::Unlock)
        }
        ToStation::Availability { connector: Some(_), .. } => {
            return Err(unplaced(notes, "a connector of 1.6 is an EVSE of its own"));
        }
        ToStation::Availability { evse, connector: None, operative } => {
            let kind = if *operative { kit::AvailabilityType::Operative } else { kit::AvailabilityType::Inoperative };
            let order = kit::ChangeAvailabilityRequest::new(connector(*evse), kind);
            ("ChangeAvailability", write(&order), Told::Availability)
        }
        ToStation::Trigger { what, evse } => return trigger::order(*what, *evse, notes),
        ToStation::ReadSettings { keys } => {
            let named = (!keys.is_empty()).then(|| keys.iter().map(|key| key.to_string()).collect());
            ("GetConfiguration", write(&kit::GetConfigurationRequest { key: named }), Told::Read)
        }
        ToStation::WriteSettings { values } => {
            // all of them or none: a later one must not turn out to have no valid form
            for (key, value) in values {
                let form = write(&kit::ChangeConfigurationRequest::new(&**key, &**value.expose()));
                form.map_err(|fault| unfit(notes, &fault))?;
            }
            let pending = Pending { keys: Vec::new(), rest: values.iter().rev().cloned().collect(), done: Vec::new() };
            return self::next_write(pending, notes).unwrap_or_else(|| Err(unplaced(notes, "no setting to write")));
        }
        ToStation::ClearCache => ("ClearCache", write(&kit::ClearCacheRequest {}), Told::ClearCache),
        ToStation::Charging(order) => return charging::order(order, notes),
        ToStation::Reservation(order) => return list::reserve(order, notes),
        ToStation::List(order) => return list::order(order, notes),
        ToStation::Upkeep(order) => return upkeep::order(order, notes),
        ToStation::Certificate(order) => return certificate::order(order, notes),
        ToStation::Tariff(order) => return vendor::price(order, notes),
        ToStation::Vendor(message) => return vendor::order(message, notes),
        ToStation::Model(_)
        | ToStation::Display(_)
        | ToStation::Customer(_)
        | ToStation::Grid(_)
        | ToStation::Swap(_)
        | ToStation::Payment(_) => return Err(unplaced(notes, "an order that 1.6 does not have")),
        ToStation::Foreign(foreign) => return self::foreign(foreign, notes),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, told))
}

/// 1.6, 5.16.2: a profile that comes with a start is for the transaction to be, which has no number yet.
fn first_profile(profile: &Profile, notes: &mut Notes) -> Result<kit::ChargingProfile, LineFault> {
    if profile.purpose != ProfilePurpose::Tx || profile.key.is_some() {
        return Err(unplaced(notes, "a start takes a profile for its own transaction only"));
    }
    charging::profile(profile, notes)
}

/// A transaction's number, also where it went through 2.x or a page as text.
pub(super) fn number(key: &TransactionKey, notes: &mut Notes) -> Result<i32, LineFault> {
    match key {
        TransactionKey::Number(number) => Ok(*number),
        TransactionKey::Text(text) => {
            text.parse().map_err(|_| unplaced(notes, "1.6 names transactions by whole numbers"))
        }
    }
}

/// The next message of an order that takes several; `None` when all are done.
pub(crate) fn next(told: &mut Told, notes: &mut Notes) -> Option<Result<Call<Told>, LineFault>> {
    match told {
        Told::Write(pending) => next_write(std::mem::take(pending), notes),
        Told::Certificates(errand) => certificate::next(std::mem::take(errand), notes),
        _ => None,
    }
}

/// The next of several writes: 1.6 takes one setting in a message.
fn next_write(mut pending: Pending, notes: &mut Notes) -> Option<Result<Call<Told>, LineFault>> {
    let (key, value) = pending.rest.pop()?;
    let payload = write(&kit::ChangeConfigurationRequest::new(&*key, &**value.expose()));
    pending.keys = vec![key];
    let call = payload.map(|payload| Call::new("ChangeConfiguration", payload, Told::Write(pending)));
    Some(call.map_err(|fault| unfit(notes, &fault)))
}

fn foreign(order: &Foreign, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let action = Action::from_wire(&order.action).ok_or_else(|| unplaced(notes, "not an action of 1.6"))?;
    let raw: &RawValue = serde_json::from_str(&order.body).map_err(|_| unplaced(notes, "the body is not JSON"))?;
    CsmsRequest::decode(action, raw, &DecodeOptions::strict())
        .map_err(|error| unplaced(notes, &format!("{}: not what the schema allows", error.path)))?;
    Ok(Call::new(action.as_str(), order.body.to_string(), Told::Foreign(order.action.clone())))
}

pub(in crate::bridge) fn outcome(
    told: &mut Told,
    action: &str,
    payload: &str,
    notes: &mut Notes,
) -> Result<StationAnswer, Fault> {
    let word = match told {
        Told::Start | Told::Stop => {
            generous::<kit::RemoteStartTransactionResponse>(RULES, action, payload, notes)?.status.to_string()
        }
        Told::Reset => generous::<kit::ResetResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::Unlock => generous::<kit::UnlockConnectorResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::Availability => {
            generous::<kit::ChangeAvailabilityResponse>(RULES, action, payload, notes)?.status.to_string()
        }
        Told::Trigger => return trigger::outcome(action, payload, notes),
        Told::ClearCache => generous::<kit::ClearCacheResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::Read | Told::Report => return Ok(settings(generous(RULES, action, payload, notes)?)),
        Told::Write(pending) => {
            let answer: kit::ChangeConfigurationResponse = generous(RULES, action, payload, notes)?;
            let written = written(&answer.status);
            pending.done.extend(std::mem::take(&mut pending.keys).into_iter().map(|key| (key, written)));
            return Ok(StationAnswer::Written(pending.done.clone()));
        }
        Told::Certificates(errand) => return certificate::step(errand, payload, notes),
        Told::Action(name) => return profiles(name, payload, notes),
        Told::Watch(_) | Told::Variables(..) | Told::Foreign(_) => return Err(misfit()),
    };
    Ok(answered(&word))
}

/// The answers that the files of the profiles read.
fn profiles(name: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    match name {
        "SetChargingProfile" | "ClearChargingProfile" | "GetCompositeSchedule" => {
            charging::outcome(name, payload, notes)
        }
        "SendLocalList" | "GetLocalListVersion" | "ReserveNow" | "CancelReservation" => {
            list::outcome(name, payload, notes)
        }
        "GetDiagnostics" | "GetLog" | "UpdateFirmware" | "SignedUpdateFirmware" => {
            upkeep::outcome(name, payload, notes)
        }
        "CertificateSigned" | "InstallCertificate" => certificate::outcome(name, payload, notes),
        "ExtendedTriggerMessage" => trigger::outcome(name, payload, notes),
        other => vendor::outcome(other, payload, notes),
    }
}

fn settings(answer: kit::GetConfigurationResponse) -> StationAnswer {
    let known = answer.configuration_key.unwrap_or_default().into_iter().map(|row| Setting {
        key: row.key.into(),
        value: row.value.map(Into::into),
        read_only: row.readonly,
    });
    let unknown = answer.unknown_key.unwrap_or_default().into_iter().map(Into::into);
    StationAnswer::Settings { known: known.collect(), unknown: unknown.collect() }
}

fn written(status: &kit::ConfigurationStatus) -> Written {
    match status {
        kit::ConfigurationStatus::Accepted => Written::Accepted,
        kit::ConfigurationStatus::RebootRequired => Written::AfterReboot,
        kit::ConfigurationStatus::NotSupported => Written::Unknown,
        _ => Written::Rejected,
    }
}
