//! The operator's voice in 1.6: orders to a station, and its answers.
//!
//! Deliberately strict in what it sends. Invariant: an order whose form 1.6 does not have is refused before it is sent.

use charge::Purpose;
use charge::id::TransactionKey;
use charge::talk::line::{Foreign, LineFault, ResetKind, Setting, StationAnswer, ToStation, Trigger, Version, Written};
use ocpp_kit::RawValue;
use ocpp_kit::decode::DecodeOptions;
use ocpp_kit::v1_6::{self as kit, Action, CsmsRequest};

use super::connector;
use crate::bridge::{Call, Pending, Told, unfit, unplaced};
use crate::payload::{Notes, generous, write};
use crate::rules::{Fault, Rules};

const RULES: &Rules = Rules::of(Version::V16);

pub(in crate::bridge) fn order(what: &ToStation, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (action, payload, told) = match what {
        ToStation::Start { evse, token, remote_id: _ } => {
            let mut order = kit::RemoteStartTransactionRequest::new(token.uid.reveal(Purpose::Transmit).as_delivered());
            order.connector_id = evse.map(|evse| connector(Some(evse)));
            ("RemoteStartTransaction", write(&order), Told::Start)
        }
        ToStation::Stop { key } => {
            let number = match key {
                TransactionKey::Number(number) => *number,
                TransactionKey::Text(text) => {
                    text.parse().map_err(|_| unplaced(notes, "1.6 names transactions by whole numbers"))?
                }
            };
            ("RemoteStopTransaction", write(&kit::RemoteStopTransactionRequest::new(number)), Told::Stop)
        }
        ToStation::Reset(kind) => {
            let kind = match kind {
                ResetKind::Soft => kit::ResetType::Soft,
                ResetKind::Hard => kit::ResetType::Hard,
            };
            ("Reset", write(&kit::ResetRequest::new(kind)), Told::Reset)
        }
        ToStation::Unlock { evse } => {
            ("UnlockConnector", write(&kit::UnlockConnectorRequest::new(connector(Some(*evse)))), Told::Unlock)
        }
        ToStation::Availability { evse, operative } => {
            let kind = if *operative { kit::AvailabilityType::Operative } else { kit::AvailabilityType::Inoperative };
            let order = kit::ChangeAvailabilityRequest::new(connector(*evse), kind);
            ("ChangeAvailability", write(&order), Told::Availability)
        }
        ToStation::Trigger { what, evse } => {
            let mut order = kit::TriggerMessageRequest::new(match what {
                Trigger::Boot => kit::MessageTrigger::BootNotification,
                Trigger::Status => kit::MessageTrigger::StatusNotification,
                Trigger::Alive => kit::MessageTrigger::Heartbeat,
                Trigger::Meter => kit::MessageTrigger::MeterValues,
            });
            order.connector_id = evse.map(|evse| connector(Some(evse)));
            ("TriggerMessage", write(&order), Told::Trigger)
        }
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
            return next_write(pending, notes).unwrap_or_else(|| Err(unplaced(notes, "no setting to write")));
        }
        ToStation::ClearCache => ("ClearCache", write(&kit::ClearCacheRequest {}), Told::ClearCache),
        ToStation::Foreign(foreign) => return self::foreign(foreign, notes),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, told))
}

/// The next of several writes: 1.6 takes one setting in a message. `None` when all are done.
pub(crate) fn next_write(mut pending: Pending, notes: &mut Notes) -> Option<Result<Call<Told>, LineFault>> {
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
        Told::Trigger => generous::<kit::TriggerMessageResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::ClearCache => generous::<kit::ClearCacheResponse>(RULES, action, payload, notes)?.status.to_string(),
        Told::Read | Told::Report => return Ok(settings(generous(RULES, action, payload, notes)?)),
        Told::Write(pending) => {
            let answer: kit::ChangeConfigurationResponse = generous(RULES, action, payload, notes)?;
            let written = written(&answer.status);
            pending.done.extend(std::mem::take(&mut pending.keys).into_iter().map(|key| (key, written)));
            return Ok(StationAnswer::Written(pending.done.clone()));
        }
        Told::Foreign(_) => return Err(crate::bridge::misfit()),
    };
    Ok(match word.as_str() {
        "Accepted" | "Unlocked" => StationAnswer::Accepted,
        "Scheduled" => StationAnswer::Scheduled,
        other => StationAnswer::Refused(other.into()),
    })
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
