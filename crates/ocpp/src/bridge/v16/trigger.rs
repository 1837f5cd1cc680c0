//! Triggers in 1.6: `TriggerMessage` (feature profile Remote Trigger, 5.17), and `ExtendedTriggerMessage` (security
//! whitepaper edition 3, 4.1) for what the first cannot name.
//!
//! Deliberately no memory of what a station supports: the plain message goes first, because every station knows it.
//! Invariant: a kind that 1.6 does not have is refused before it is sent.

use charge::id::EvseNo;
use charge::talk::line::certificate::StationKey;
use charge::talk::line::{LineFault, StationAnswer, ToStation, Trigger};
use ocpp_kit::v1_6::{self as kit, ExtendedMessageTrigger, MessageTrigger};

use super::{RULES, answered, connector, evse, pnc, status};
use crate::bridge::{Call, Told, misfit, unfit, unplaced};
use crate::payload::{Notes, generous, strict, write};
use crate::rules::{Code, Fault};

const EXTENDED: &str = "ExtendedTriggerMessage";

pub(super) fn order(what: Trigger, bay: Option<EvseNo>, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let plain = match what {
        Trigger::Boot => MessageTrigger::BootNotification,
        Trigger::Status => MessageTrigger::StatusNotification,
        Trigger::Alive => MessageTrigger::Heartbeat,
        Trigger::Meter => MessageTrigger::MeterValues,
        Trigger::Firmware => MessageTrigger::FirmwareStatusNotification,
        Trigger::Diagnostics => MessageTrigger::DiagnosticsStatusNotification,
        Trigger::Log => return extended(ExtendedMessageTrigger::LogStatusNotification, bay, notes),
        Trigger::Sign(StationKey::Line) => {
            return extended(ExtendedMessageTrigger::SignChargePointCertificate, bay, notes);
        }
        Trigger::Sign(StationKey::V2g) => return pnc::order(&ToStation::Trigger { what, evse: bay }, notes),
        Trigger::Sign(StationKey::V2g20) | Trigger::Transaction | Trigger::Publishing => {
            return Err(unplaced(notes, "1.6 has no such message to trigger"));
        }
    };
    let mut order = kit::TriggerMessageRequest::new(plain);
    order.connector_id = bay.map(|bay| connector(Some(bay)));
    let payload = write(&order).map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new("TriggerMessage", payload, Told::Trigger))
}

fn extended(what: ExtendedMessageTrigger, bay: Option<EvseNo>, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let mut order = kit::ExtendedTriggerMessageRequest::new(what);
    order.connector_id = bay.map(|bay| connector(Some(bay)));
    let payload = write(&order).map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(EXTENDED, payload, Told::Action(EXTENDED)))
}

pub(super) fn outcome(action: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    // both answers have the same form
    let answer: kit::TriggerMessageResponse = generous(RULES, action, payload, notes)?;
    Ok(answered(answer.status.as_str()))
}

pub(super) fn told(action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    let unknown = || Fault::at(Code::Property, "/requestedMessage", "not in the list");
    if action == EXTENDED {
        let order: kit::ExtendedTriggerMessageRequest = strict(payload)?;
        let what = match order.requested_message {
            ExtendedMessageTrigger::BootNotification => Trigger::Boot,
            ExtendedMessageTrigger::StatusNotification => Trigger::Status,
            ExtendedMessageTrigger::Heartbeat => Trigger::Alive,
            ExtendedMessageTrigger::MeterValues => Trigger::Meter,
            ExtendedMessageTrigger::FirmwareStatusNotification => Trigger::Firmware,
            ExtendedMessageTrigger::LogStatusNotification => Trigger::Log,
            ExtendedMessageTrigger::SignChargePointCertificate => Trigger::Sign(StationKey::Line),
            _ => return Err(unknown()),
        };
        let evse = order.connector_id.and_then(evse);
        return Ok((ToStation::Trigger { what, evse }, Told::Action(EXTENDED)));
    }
    let order: kit::TriggerMessageRequest = strict(payload)?;
    let what = match order.requested_message {
        MessageTrigger::BootNotification => Trigger::Boot,
        MessageTrigger::StatusNotification => Trigger::Status,
        MessageTrigger::Heartbeat => Trigger::Alive,
        MessageTrigger::MeterValues => Trigger::Meter,
        MessageTrigger::FirmwareStatusNotification => Trigger::Firmware,
        MessageTrigger::DiagnosticsStatusNotification => Trigger::Diagnostics,
        _ => return Err(unknown()),
    };
    Ok((ToStation::Trigger { what, evse: order.connector_id.and_then(evse) }, Told::Trigger))
}

pub(super) fn reply(answer: &StationAnswer) -> Result<String, Fault> {
    let word = match answer {
        StationAnswer::Refused(word) if !kit::TriggerMessageStatus::VARIANTS.contains(&&**word) => "NotImplemented",
        StationAnswer::Accepted | StationAnswer::Refused(_) => {
            &status(answer, kit::TriggerMessageStatus::VARIANTS, "NotImplemented")?
        }
        _ => return Err(misfit()),
    };
    write(&kit::TriggerMessageResponse::new(kit::TriggerMessageStatus::from_wire(word)))
}
