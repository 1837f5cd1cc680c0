//! OCPP 2.0.1 and 2.1, which say all of this alike.

use charge::Timestamp;

use super::{Begun, NUMBER, NUMBER_BEGIN, REGISTER, TIME};
use crate::dialect::Message;
use crate::frames::REGISTER_BEGIN_WH;

pub(super) fn boot(station: &str) -> String {
    format!(
        r#"{{"reason":"PowerUp","chargingStation":{{"vendorName":"Leyden","model":"Bench","serialNumber":"{station}","firmwareVersion":"1.0"}}}}"#
    )
}

pub(super) fn begin(station: &str, card: &str, now: Timestamp) -> String {
    let transaction = transaction(station);
    format!(
        r#"{{"eventType":"Started","timestamp":"{now}","triggerReason":"Authorized","seqNo":{NUMBER_BEGIN},"transactionInfo":{{"transactionId":"{transaction}","chargingState":"Charging"}},"evse":{{"id":1,"connectorId":1}},"idToken":{{"idToken":"{card}","type":"ISO14443"}},"meterValue":[{{"timestamp":"{now}","sampledValue":[{{"value":{REGISTER_BEGIN_WH},"context":"Transaction.Begin"}}]}}]}}"#
    )
}

pub(super) fn end(station: &str, number: u64, register_wh: u64, now: Timestamp) -> String {
    let transaction = transaction(station);
    format!(
        r#"{{"eventType":"Ended","timestamp":"{now}","triggerReason":"StopAuthorized","seqNo":{number},"transactionInfo":{{"transactionId":"{transaction}","stoppedReason":"Local"}},"meterValue":[{{"timestamp":"{now}","sampledValue":[{{"value":{register_wh},"context":"Transaction.End"}}]}}]}}"#
    )
}

pub(super) fn repeated(message: Message, turn: u64, station: &str) -> String {
    match message {
        Message::Heartbeat => "{}".to_owned(),
        Message::Status => {
            let state = if turn.is_multiple_of(2) { "Occupied" } else { "Available" };
            format!(r#"{{"timestamp":"{TIME}","connectorStatus":"{state}","evseId":2,"connectorId":1}}"#)
        }
        Message::Meter => format!(r#"{{"evseId":1,"meterValue":[{}]}}"#, readings()),
        Message::Transaction => format!(
            r#"{{"eventType":"Updated","timestamp":"{TIME}","triggerReason":"MeterValuePeriodic","seqNo":{NUMBER},"transactionInfo":{{"transactionId":"{}"}},"meterValue":[{}]}}"#,
            transaction(station),
            readings()
        ),
    }
}

fn readings() -> String {
    let phases = ["L1", "L2", "L3"].map(|phase| {
        format!(r#"{{"value":15.7,"context":"Sample.Periodic","measurand":"Current.Import","phase":"{phase}","unitOfMeasure":{{"unit":"A"}}}}"#)
    });
    format!(
        r#"{{"timestamp":"{TIME}","sampledValue":[{{"value":{REGISTER},"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unitOfMeasure":{{"unit":"Wh"}}}},{{"value":10800.0,"context":"Sample.Periodic","measurand":"Power.Active.Import","unitOfMeasure":{{"unit":"W"}}}},{}]}}"#,
        phases.join(",")
    )
}

/// The station's own name for its one transaction.
fn transaction(station: &str) -> String {
    format!("T-{station}")
}

/// OCPP 2.0.1 part 2, 1.60.2: a start with a token is answered with what may be done with it.
pub(super) fn begun(answer: &str) -> Option<Begun> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    let accepted = answer.get(2)?.get("idTokenInfo")?.get("status")?.as_str()? == "Accepted";
    Some(Begun { transaction: 0, accepted })
}
