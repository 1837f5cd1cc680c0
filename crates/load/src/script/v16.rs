//! OCPP 1.6 JSON.

use charge::Timestamp;

use super::{Begun, REGISTER, TIME};
use crate::dialect::Message;
use crate::frames::REGISTER_BEGIN_WH;

pub(super) fn boot(station: &str) -> String {
    format!(
        r#"{{"chargePointVendor":"Leyden","chargePointModel":"Bench","chargePointSerialNumber":"{station}","firmwareVersion":"1.0","meterType":"Bench","meterSerialNumber":"1"}}"#
    )
}

pub(super) fn begin(card: &str, now: Timestamp) -> String {
    format!(r#"{{"connectorId":1,"idTag":"{card}","meterStart":{REGISTER_BEGIN_WH},"timestamp":"{now}"}}"#)
}

pub(super) fn end(transaction: i64, register_wh: u64, now: Timestamp) -> String {
    format!(r#"{{"transactionId":{transaction},"meterStop":{register_wh},"timestamp":"{now}","reason":"Local"}}"#)
}

/// Statuses are of the second connector: the first one charges. Readings are what a three-phase station sends every
/// minute.
pub(super) fn repeated(message: Message, turn: u64, transaction: i64) -> String {
    match message {
        Message::Heartbeat => "{}".to_owned(),
        Message::Status => {
            let state = if turn.is_multiple_of(2) { "Preparing" } else { "Available" };
            format!(r#"{{"connectorId":2,"errorCode":"NoError","status":"{state}","timestamp":"{TIME}"}}"#)
        }
        Message::Meter | Message::Transaction => {
            let phases = ["L1", "L2", "L3"].map(|phase| {
                format!(r#"{{"value":"15.7","context":"Sample.Periodic","measurand":"Current.Import","phase":"{phase}","unit":"A"}}"#)
            });
            format!(
                r#"{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":"{TIME}","sampledValue":[{{"value":"{REGISTER}","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"}},{{"value":"10800.0","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"}},{}]}}]}}"#,
                phases.join(",")
            )
        }
    }
}

/// OCPP 1.6, 6.46 `StartTransaction.conf`.
pub(super) fn begun(answer: &str) -> Option<Begun> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    let payload = answer.get(2)?;
    let accepted = payload.get("idTagInfo")?.get("status")?.as_str()? == "Accepted";
    Some(Begun { transaction: payload.get("transactionId")?.as_i64()?, accepted })
}
