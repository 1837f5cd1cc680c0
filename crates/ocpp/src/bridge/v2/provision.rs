//! Remote control and availability (blocks B, E, F and G): start, stop, reset, unlock, trigger.
//!
//! Deliberately one connector per EVSE in what we order, number 1, except where only one is switched off. Invariant: what
//! the line has no word for (a reset of one EVSE, unlocking a second connector, a vendor's trigger) is handed on raw, for
//! the station to refuse; it is never widened.

use charge::id::EvseNo;
use charge::talk::line::certificate::StationKey;
use charge::talk::line::{ResetKind, ToStation, Trigger};
use charge::token::PresentedToken;
use ocpp_kit::v2_1::{self as kit, CsmsRequest, MessageTrigger, OperationalStatus, ResetEnum};

use super::charging::{profile, say_profile};
use super::{CONNECTOR, evse, evse_id, evse_no, id_token, key, needed, one_evse, unlisted, unsaid};
use crate::rules::Fault;

pub(super) fn start(
    bay: Option<EvseNo>,
    token: &PresentedToken,
    remote_id: i32,
    limits: Option<&charge::talk::line::charging::Profile>,
) -> Result<CsmsRequest, Fault> {
    let mut out = kit::RequestStartTransactionRequest::new(id_token(token), remote_id);
    out.evse_id = bay.map(|bay| evse_id(Some(bay)));
    out.charging_profile = limits.map(say_profile).transpose()?;
    Ok(CsmsRequest::RequestStartTransaction(out))
}

pub(super) fn reset(kind: ResetKind) -> CsmsRequest {
    CsmsRequest::Reset(kit::ResetRequest::new(match kind {
        ResetKind::Soft => ResetEnum::OnIdle,
        ResetKind::Hard => ResetEnum::Immediate,
        ResetKind::Resume => ResetEnum::ImmediateAndResume,
    }))
}

pub(super) fn unlock(bay: EvseNo) -> CsmsRequest {
    CsmsRequest::UnlockConnector(kit::UnlockConnectorRequest::new(evse_id(Some(bay)), CONNECTOR))
}

/// A connector without its EVSE names nothing.
pub(super) fn availability(bay: Option<EvseNo>, connector: Option<u16>, operative: bool) -> Result<CsmsRequest, Fault> {
    if bay.is_none() && connector.is_some() {
        return Err(unsaid("a connector is one of an EVSE's"));
    }
    let status = if operative { OperationalStatus::Operative } else { OperationalStatus::Inoperative };
    let mut out = kit::ChangeAvailabilityRequest::new(status);
    out.evse = bay.map(|bay| kit::EVSE { connector_id: connector.map(i32::from), ..evse(bay) });
    Ok(CsmsRequest::ChangeAvailability(out))
}

const TRIGGERS: [(Trigger, MessageTrigger); 11] = [
    (Trigger::Boot, MessageTrigger::BootNotification),
    (Trigger::Status, MessageTrigger::StatusNotification),
    (Trigger::Alive, MessageTrigger::Heartbeat),
    (Trigger::Meter, MessageTrigger::MeterValues),
    (Trigger::Firmware, MessageTrigger::FirmwareStatusNotification),
    (Trigger::Log, MessageTrigger::LogStatusNotification),
    (Trigger::Transaction, MessageTrigger::TransactionEvent),
    (Trigger::Sign(StationKey::Line), MessageTrigger::SignChargingStationCertificate),
    (Trigger::Sign(StationKey::V2g), MessageTrigger::SignV2GCertificate),
    (Trigger::Sign(StationKey::V2g20), MessageTrigger::SignV2G20Certificate),
    (Trigger::Publishing, MessageTrigger::PublishFirmwareStatusNotification),
];

pub(super) fn trigger(what: Trigger, bay: Option<EvseNo>) -> Result<CsmsRequest, Fault> {
    let wanted = TRIGGERS.iter().find(|row| row.0 == what).map(|row| row.1.clone());
    let wanted = wanted.ok_or_else(|| unsaid("a trigger that 2.x does not have"))?;
    // F06.FR.12: a status is of a connector
    let connector = (wanted == MessageTrigger::StatusNotification).then_some(CONNECTOR);
    let mut out = kit::TriggerMessageRequest::new(wanted);
    out.evse = bay.map(|bay| kit::EVSE { connector_id: connector, ..evse(bay) });
    Ok(CsmsRequest::TriggerMessage(out))
}

/// `None` where the order has no word of ours.
pub(super) fn told(order: CsmsRequest) -> Result<Option<ToStation>, Fault> {
    Ok(Some(match order {
        CsmsRequest::RequestStartTransaction(order) => ToStation::Start {
            evse: order.evse_id.and_then(evse_no),
            token: needed(&order.id_token, "/idToken/idToken")?,
            remote_id: order.remote_start_id,
            profile: order.charging_profile.as_ref().map(profile).transpose()?.map(Box::new),
        },
        CsmsRequest::RequestStopTransaction(order) => ToStation::Stop { key: key(order.transaction_id) },
        // B11: of one EVSE
        CsmsRequest::Reset(order) if order.evse_id.is_some() => return Ok(None),
        CsmsRequest::Reset(order) => ToStation::Reset(match order.r#type {
            ResetEnum::OnIdle => ResetKind::Soft,
            ResetEnum::Immediate => ResetKind::Hard,
            ResetEnum::ImmediateAndResume => ResetKind::Resume,
            _ => return Err(unlisted("/type")),
        }),
        CsmsRequest::UnlockConnector(order) if order.connector_id > CONNECTOR => return Ok(None),
        CsmsRequest::UnlockConnector(order) => ToStation::Unlock { evse: one_evse(order.evse_id)? },
        CsmsRequest::ChangeAvailability(order) => {
            let connector = order.evse.as_ref().and_then(|evse| evse.connector_id).map(u16::try_from).transpose();
            ToStation::Availability {
                connector: connector.map_err(|_| unlisted("/evse/connectorId"))?,
                evse: order.evse.and_then(|evse| evse_no(evse.id)),
                operative: order.operational_status == OperationalStatus::Operative,
            }
        }
        CsmsRequest::TriggerMessage(order) => {
            let what = TRIGGERS.iter().find(|row| row.1 == order.requested_message).map(|row| row.0);
            let Some(what) = what else { return Ok(None) };
            ToStation::Trigger { what, evse: order.evse.and_then(|evse| evse_no(evse.id)) }
        }
        CsmsRequest::ClearCache(_) => ToStation::ClearCache,
        _ => return Ok(None),
    }))
}
