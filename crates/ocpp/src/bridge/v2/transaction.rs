//! Boot, status, taps, transactions and values (blocks B, C, E, G and J): the messages that come all the time.
//!
//! Deliberately read with one strict reading by the types of 2.1 in both versions, and written with members that both
//! have. Invariant: a transaction is named by the station, and its messages are numbered by it (E01.FR.07).

use charge::meter::Context;
use charge::talk::line::certificate::{ContractProof, ContractStanding};
use charge::talk::line::quirk::Quirk;
use charge::talk::line::terms::Advice;
use charge::talk::line::{
    BayState, Boot, EndReason, FromStation, Heard, MeterReport, Stage, StatusReport, Tap, TransactionReport, Version,
};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::{Decimal, Personal};
use ocpp_kit::v2_1::{
    self as kit, AuthorizationStatus, AuthorizeCertificateStatus, ChargingState, ConnectorStatus, OCSPRequestData,
    Reason, TransactionEventEnum, TriggerReason,
};

use super::{
    CONNECTOR, decimal, document, evse, evse_id, evse_no, id_token, key, key_text, meter, number, parsed, presented,
    terms, text, unlisted, unsaid,
};
use crate::bridge::{CLOCK_SET_SINCE, moment, plausible, wire};
use crate::payload::Notes;
use crate::rules::{Code, Fault};

pub(super) fn boot(said: kit::BootNotificationRequest) -> FromStation {
    let station = said.charging_station;
    FromStation::Boot(Boot {
        vendor: station.vendor_name.into(),
        model: station.model.into(),
        serial: station.serial_number.map(Into::into),
        firmware: station.firmware_version.map(Into::into),
        meter_type: None,
        meter_serial: None,
        reason: Some(said.reason.as_str().into()),
    })
}

pub(super) fn say_boot(boot: &Boot) -> kit::BootNotificationRequest {
    let mut station = kit::ChargingStation::new(&*boot.model, &*boot.vendor);
    station.serial_number = text(boot.serial.as_deref());
    station.firmware_version = text(boot.firmware.as_deref());
    let reason = boot.reason.as_deref().map_or(kit::BootReason::PowerUp, kit::BootReason::from_wire);
    kit::BootNotificationRequest::new(station, reason)
}

pub(super) fn status(said: &kit::StatusNotificationRequest, notes: &mut Notes) -> Result<FromStation, Fault> {
    let state = match said.connector_status {
        ConnectorStatus::Available => BayState::Available,
        ConnectorStatus::Occupied => BayState::Occupied,
        ConnectorStatus::Reserved => BayState::Reserved,
        ConnectorStatus::Unavailable => BayState::Unavailable,
        ConnectorStatus::Faulted => BayState::Faulted,
        _ => return Err(unlisted("/connectorStatus")),
    };
    let at = Some(moment(said.timestamp)).filter(|at| *at >= CLOCK_SET_SINCE);
    if at.is_none() {
        notes.tolerates(Quirk::UnsetClock, "/timestamp", "the station's clock is not set");
    }
    Ok(FromStation::Status(StatusReport { evse: evse_no(said.evse_id), state, fault: None, at }))
}

pub(super) fn say_status(report: &StatusReport, notes: &mut Notes) -> kit::StatusNotificationRequest {
    let state = match report.state {
        BayState::Available => ConnectorStatus::Available,
        BayState::Preparing
        | BayState::Charging
        | BayState::SuspendedByCar
        | BayState::SuspendedByStation
        | BayState::Finishing
        | BayState::Occupied => ConnectorStatus::Occupied,
        BayState::Reserved => ConnectorStatus::Reserved,
        BayState::Unavailable => ConnectorStatus::Unavailable,
        BayState::Faulted => ConnectorStatus::Faulted,
    };
    if report.fault.is_some() {
        notes.remark("", "a fault's text has no place in a 2.x status");
    }
    let at = wire(report.at.unwrap_or(notes.now));
    let connector = if report.evse.is_some() { CONNECTOR } else { 0 };
    kit::StatusNotificationRequest::new(at, state, evse_id(report.evse), connector)
}

pub(super) fn tap(said: &kit::AuthorizeRequest, notes: &mut Notes) -> Result<FromStation, Fault> {
    let token = presented(&said.id_token, "/idToken/idToken", notes);
    let token = token.ok_or_else(|| Fault::at(Code::Property, "/idToken/idToken", "not a token"))?;
    let hashes = said.iso15118_certificate_hash_data.as_ref().map(document).transpose()?;
    let certificate = said.certificate.as_deref().map(Into::into);
    let proof = ContractProof { certificate, hashes };
    let contract = (proof != ContractProof::default()).then(|| Box::new(proof));
    Ok(FromStation::Tap(Tap { token, contract }))
}

pub(super) fn say_tap(tap: &Tap) -> Result<kit::AuthorizeRequest, Fault> {
    let mut message = kit::AuthorizeRequest::new(id_token(&tap.token));
    if let Some(proof) = &tap.contract {
        message.certificate = text(proof.certificate.as_deref());
        let hashes: Option<Vec<OCSPRequestData>> = proof.hashes.as_ref().map(parsed).transpose()?;
        message.iso15118_certificate_hash_data = hashes;
    }
    Ok(message)
}

/// What became of the contract's certificate.
const STANDINGS: [(ContractStanding, AuthorizeCertificateStatus); 7] = [
    (ContractStanding::Accepted, AuthorizeCertificateStatus::Accepted),
    (ContractStanding::SignatureError, AuthorizeCertificateStatus::SignatureError),
    (ContractStanding::Expired, AuthorizeCertificateStatus::CertificateExpired),
    (ContractStanding::Revoked, AuthorizeCertificateStatus::CertificateRevoked),
    (ContractStanding::NotAvailable, AuthorizeCertificateStatus::NoCertificateAvailable),
    (ContractStanding::ChainError, AuthorizeCertificateStatus::CertChainError),
    (ContractStanding::Cancelled, AuthorizeCertificateStatus::ContractCancelled),
];

pub(super) fn standing(told: &AuthorizeCertificateStatus) -> Option<ContractStanding> {
    STANDINGS.iter().find(|row| row.1 == *told).map(|row| row.0)
}

pub(super) fn say_standing(standing: ContractStanding) -> Option<AuthorizeCertificateStatus> {
    STANDINGS.iter().find(|row| row.0 == standing).map(|row| row.1.clone())
}

pub(super) fn values(said: kit::MeterValuesRequest, notes: &mut Notes) -> FromStation {
    let readings = meter::readings(said.meter_value, "/meterValue", notes);
    FromStation::Meter(MeterReport { evse: evse_no(said.evse_id), key: None, readings })
}

pub(super) fn say_values(
    version: Version,
    report: &MeterReport,
    notes: &mut Notes,
) -> Result<kit::MeterValuesRequest, Fault> {
    let values = meter::values(version, &report.readings, notes).ok_or_else(alone)?;
    Ok(kit::MeterValuesRequest::new(evse_id(report.evse), values))
}

fn alone() -> Fault {
    unsaid("a signed record needs the number of the same moment before it")
}

pub(super) fn event(said: kit::TransactionEventRequest, notes: &mut Notes) -> Result<TransactionReport, Fault> {
    let stage = match said.event_type {
        TransactionEventEnum::Started => Stage::Started,
        TransactionEventEnum::Updated => Stage::Updated,
        TransactionEventEnum::Ended => Stage::Ended,
        _ => return Err(unlisted("/eventType")),
    };
    let info = said.transaction_info;
    let terms = terms::hear(&info, said.cost_details, &said.trigger_reason, notes);
    let seq = u32::try_from(said.seq_no).ok();
    if seq.is_none() {
        notes.remark("/seqNo", "negative, taken as absent");
    }
    Ok(TransactionReport {
        stage,
        key: Some(key(info.transaction_id)),
        seq,
        at: plausible(said.timestamp, "/timestamp", notes),
        evse: said.evse.and_then(|evse| evse_no(evse.id)),
        token: said.id_token.as_ref().and_then(|id| presented(id, "/idToken/idToken", notes)),
        readings: meter::readings(said.meter_value.unwrap_or_default(), "/meterValue", notes),
        reason: match (&info.stopped_reason, stage) {
            (Some(given), _) => Some(reason(given)),
            // the standard's default for a missing reason
            (None, Stage::Ended) => Some(EndReason::Local),
            (None, Stage::Started | Stage::Updated) => None,
        },
        state: info.charging_state.as_ref().and_then(|state| charging(state, stage)),
        offline: said.offline.unwrap_or(false),
        remote_start: info.remote_start_id,
        reservation: said.reservation_id,
        terms,
    })
}

pub(super) fn say_event(
    version: Version,
    report: &TransactionReport,
    notes: &mut Notes,
) -> Result<kit::TransactionEventRequest, Fault> {
    let id = report.key.as_ref().ok_or_else(|| unsaid("2.x names transactions by the station's own texts"))?;
    let seq = report.seq.and_then(|seq| i32::try_from(seq).ok());
    let seq = seq.ok_or_else(|| unsaid("2.x numbers the messages of a transaction"))?;
    let mut info = kit::Transaction::new(key_text(id)?);
    info.charging_state = report.state.and_then(say_charging);
    info.stopped_reason = report.reason.map(stopped);
    info.remote_start_id = report.remote_start;
    let stage = match report.stage {
        Stage::Started => TransactionEventEnum::Started,
        Stage::Updated => TransactionEventEnum::Updated,
        Stage::Ended => TransactionEventEnum::Ended,
    };
    let mut message = kit::TransactionEventRequest::new(stage, wire(report.at), trigger(version, report), seq, info);
    let values = meter::values(version, &report.readings, notes).ok_or_else(alone)?;
    message.meter_value = Some(values).filter(|values| !values.is_empty());
    message.offline = report.offline.then_some(true);
    message.evse = report.evse.map(|bay| kit::EVSE { connector_id: Some(CONNECTOR), ..evse(bay) });
    message.id_token = report.token.as_ref().map(id_token);
    message.reservation_id = report.reservation;
    match report.terms.as_deref() {
        Some(of) if version == Version::V21 => terms::say(&mut message, of)?,
        Some(_) => notes.remark("", "the terms of a transaction have a place in 2.1 only"),
        None => {}
    }
    Ok(message)
}

fn charging(state: &ChargingState, stage: Stage) -> Option<BayState> {
    match (state, stage) {
        (ChargingState::Charging, _) => Some(BayState::Charging),
        (ChargingState::EVConnected, _) => Some(BayState::Occupied),
        (ChargingState::SuspendedEV, _) => Some(BayState::SuspendedByCar),
        (ChargingState::SuspendedEVSE, _) => Some(BayState::SuspendedByStation),
        (ChargingState::Idle, Stage::Ended) => Some(BayState::Available),
        (ChargingState::Idle, Stage::Started | Stage::Updated) => Some(BayState::Preparing),
        (_, _) => None,
    }
}

fn say_charging(state: BayState) -> Option<ChargingState> {
    match state {
        BayState::Charging => Some(ChargingState::Charging),
        BayState::Occupied | BayState::Finishing => Some(ChargingState::EVConnected),
        BayState::SuspendedByCar => Some(ChargingState::SuspendedEV),
        BayState::SuspendedByStation => Some(ChargingState::SuspendedEVSE),
        BayState::Available | BayState::Preparing => Some(ChargingState::Idle),
        BayState::Reserved | BayState::Unavailable | BayState::Faulted => None,
    }
}

fn reason(reason: &Reason) -> EndReason {
    match reason {
        Reason::Local | Reason::StoppedByEV => EndReason::Local,
        Reason::MasterPass => EndReason::MasterPass,
        Reason::Remote => EndReason::Remote,
        Reason::EVDisconnected => EndReason::CarLeft,
        Reason::DeAuthorized | Reason::LocalOutOfCredit => EndReason::Refused,
        Reason::EmergencyStop => EndReason::EmergencyStop,
        Reason::PowerLoss => EndReason::PowerLoss,
        Reason::Reboot | Reason::ImmediateReset => EndReason::Reboot,
        _ => EndReason::Other,
    }
}

fn stopped(reason: EndReason) -> Reason {
    match reason {
        EndReason::Local => Reason::Local,
        EndReason::MasterPass => Reason::MasterPass,
        EndReason::Remote => Reason::Remote,
        EndReason::CarLeft => Reason::EVDisconnected,
        EndReason::Refused => Reason::DeAuthorized,
        EndReason::EmergencyStop => Reason::EmergencyStop,
        EndReason::PowerLoss => Reason::PowerLoss,
        EndReason::Reboot => Reason::Reboot,
        EndReason::Other => Reason::Other,
    }
}

/// Why this event is sent, told by what is in it.
fn trigger(version: Version, report: &TransactionReport) -> TriggerReason {
    let terms = report.terms.as_deref().filter(|_| version == Version::V21);
    if let Some(reason) = terms.and_then(|terms| terms::trigger(terms, report.stage)) {
        return reason;
    }
    match report.stage {
        // F01.FR.19
        Stage::Started if report.remote_start.is_some() => TriggerReason::RemoteStart,
        Stage::Started if report.token.is_some() => TriggerReason::Authorized,
        Stage::Started => TriggerReason::CablePluggedIn,
        Stage::Updated if report.remote_start.is_some() => TriggerReason::RemoteStart,
        Stage::Updated if report.token.is_some() => TriggerReason::Authorized,
        // F06.FR.07
        Stage::Updated if report.readings.first().is_some_and(|of| of.context == Context::Trigger) => {
            TriggerReason::Trigger
        }
        Stage::Updated if report.state.is_some() => TriggerReason::ChargingStateChanged,
        Stage::Updated => match report.readings.first().map(|reading| reading.context) {
            Some(Context::SampleClock) => TriggerReason::MeterValueClock,
            Some(_) => TriggerReason::MeterValuePeriodic,
            None => TriggerReason::ChargingStateChanged,
        },
        Stage::Ended => match report.reason {
            Some(EndReason::Local | EndReason::MasterPass) => TriggerReason::StopAuthorized,
            Some(EndReason::Remote) => TriggerReason::RemoteStop,
            Some(EndReason::CarLeft) => TriggerReason::EVDeparted,
            Some(EndReason::Refused) => TriggerReason::Deauthorized,
            Some(EndReason::Reboot) => TriggerReason::ResetCommand,
            Some(EndReason::EmergencyStop | EndReason::PowerLoss | EndReason::Other) | None => {
                TriggerReason::AbnormalCondition
            }
        },
    }
}

/// What is thought of the token, where one was named (E01.FR.12, E02.FR.02, E03.FR.02), and the cost with VAT: so far, or
/// in all behind the last message (I03.FR.02).
pub(super) fn say_taken(
    version: Version,
    verdict: Option<&Verdict>,
    cost: Option<Decimal>,
    advice: Option<&Advice>,
    notes: &mut Notes,
) -> Result<kit::TransactionEventResponse, Fault> {
    let mut answer = kit::TransactionEventResponse::new();
    answer.id_token_info = verdict.map(say_info);
    answer.total_cost = cost.map(decimal).transpose()?;
    if let Some(advice) = advice {
        terms::say_advice(version, &mut answer, advice, notes)?;
    }
    Ok(answer)
}

pub(super) fn taken(answer: &kit::TransactionEventResponse, notes: &mut Notes) -> Heard {
    Heard::Transaction {
        number: None,
        verdict: answer.id_token_info.as_ref().map(|info| info_of(info, notes)),
        cost: answer.total_cost.and_then(number),
        advice: terms::advice(answer),
    }
}

/// The same with the token's group (C09.FR.02, E01.FR.12).
pub(super) fn say_info(verdict: &Verdict) -> kit::IdTokenInfo {
    let mut info = say_verdict(verdict);
    let group = |uid: &Personal<TokenUid>| id_token(&PresentedToken { uid: uid.clone(), kind: TokenKind::Other });
    info.group_id_token = verdict.group.as_ref().map(group);
    info
}

pub(super) fn info_of(info: &kit::IdTokenInfo, notes: &mut Notes) -> Verdict {
    let group = info.group_id_token.as_ref().and_then(|id| presented(id, "/idTokenInfo/groupIdToken/idToken", notes));
    Verdict { group: group.map(|token| token.uid), ..verdict(info) }
}

/// Total (C01.FR.07, C06.FR.04). Nobody could be asked is `Unknown`, because it is no judgement on the token.
pub(super) fn say_verdict(verdict: &Verdict) -> kit::IdTokenInfo {
    kit::IdTokenInfo::new(match verdict.allowed {
        Allowed::Yes => AuthorizationStatus::Accepted,
        Allowed::Blocked => AuthorizationStatus::Blocked,
        Allowed::Expired => AuthorizationStatus::Expired,
        Allowed::NoCredit => AuthorizationStatus::NoCredit,
        Allowed::NotHere => AuthorizationStatus::NotAtThisLocation,
        Allowed::Unknown | Allowed::Unanswered => AuthorizationStatus::Unknown,
    })
}

pub(super) fn verdict(info: &kit::IdTokenInfo) -> Verdict {
    Verdict::bare(match info.status {
        AuthorizationStatus::Accepted => Allowed::Yes,
        AuthorizationStatus::Blocked => Allowed::Blocked,
        AuthorizationStatus::Expired => Allowed::Expired,
        AuthorizationStatus::NoCredit => Allowed::NoCredit,
        AuthorizationStatus::NotAllowedTypeEVSE
        | AuthorizationStatus::NotAtThisLocation
        | AuthorizationStatus::NotAtThisTime
        | AuthorizationStatus::ConcurrentTx => Allowed::NotHere,
        _ => Allowed::Unknown,
    })
}
