//! OCPP 1.6 over SOAP: envelopes with WS-Addressing, each in a POST of its own (OCPP-S 1.6, 3 and 4).

use charge::Timestamp;

use super::{Begun, REGISTER, Script, TIME};
use crate::dialect::Message;
use crate::frames::REGISTER_BEGIN_WH;

/// Where the operator's door takes messages.
const PATH: &str = gate::line::soap::PATH;

pub(super) fn boot(station: &str) -> String {
    format!(
        "<c:chargePointVendor>Leyden</c:chargePointVendor><c:chargePointModel>Bench</c:chargePointModel>\
         <c:chargePointSerialNumber>{station}</c:chargePointSerialNumber><c:firmwareVersion>1.0</c:firmwareVersion>"
    )
}

pub(super) fn begin(card: &str, now: Timestamp) -> String {
    format!(
        "<c:connectorId>1</c:connectorId><c:idTag>{card}</c:idTag><c:timestamp>{now}</c:timestamp>\
         <c:meterStart>{REGISTER_BEGIN_WH}</c:meterStart>"
    )
}

pub(super) fn end(transaction: i64, register_wh: u64, now: Timestamp) -> String {
    format!(
        "<c:transactionId>{transaction}</c:transactionId><c:timestamp>{now}</c:timestamp>\
         <c:meterStop>{register_wh}</c:meterStop><c:reason>Local</c:reason>"
    )
}

pub(super) fn repeated(message: Message, turn: u64, transaction: i64) -> String {
    match message {
        Message::Heartbeat => String::new(),
        Message::Status => {
            let state = if turn.is_multiple_of(2) { "Preparing" } else { "Available" };
            format!(
                "<c:connectorId>2</c:connectorId><c:status>{state}</c:status><c:errorCode>NoError</c:errorCode>\
                 <c:timestamp>{TIME}</c:timestamp>"
            )
        }
        Message::Meter | Message::Transaction => {
            let sampled = |value: &str, measurand: &str, phase: &str, unit: &str| {
                format!(
                    "<c:sampledValue><c:value>{value}</c:value><c:context>Sample.Periodic</c:context>\
                     <c:measurand>{measurand}</c:measurand>{phase}<c:unit>{unit}</c:unit></c:sampledValue>"
                )
            };
            let mut values = sampled(REGISTER, "Energy.Active.Import.Register", "", "Wh");
            values.push_str(&sampled("10800.0", "Power.Active.Import", "", "W"));
            for phase in ["L1", "L2", "L3"] {
                let phase = format!("<c:phase>{phase}</c:phase>");
                values.push_str(&sampled("15.7", "Current.Import", &phase, "A"));
            }
            format!(
                "<c:connectorId>1</c:connectorId><c:transactionId>{transaction}</c:transactionId>\
                 <c:meterValue><c:timestamp>{TIME}</c:timestamp>{values}</c:meterValue>"
            )
        }
    }
}

/// The message around these elements. The body's element is the action with a small first letter.
pub(super) fn envelope(script: &Script, id: &str, action: &str, elements: &str) -> String {
    let mut name = action.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let Script { station, host, source, .. } = script;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://www.w3.org/2005/08/addressing\" xmlns:c=\"urn://Ocpp/Cs/2015/10/\">\
         <s:Header><c:chargeBoxIdentity s:mustUnderstand=\"true\">{station}</c:chargeBoxIdentity>\
         <a:Action s:mustUnderstand=\"true\">/{action}</a:Action><a:MessageID>{id}</a:MessageID>\
         <a:From><a:Address>https://{source}:8443/</a:Address></a:From>\
         <a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>\
         <a:To>https://{host}{PATH}</a:To></s:Header>\
         <s:Body><c:{name}Request>{elements}</c:{name}Request></s:Body></s:Envelope>"
    )
}

/// The request around an envelope, over a connection that is kept.
pub(super) fn post(script: &Script, action: &str, envelope: &str) -> Vec<u8> {
    format!(
        "POST {PATH}/{} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/soap+xml; charset=utf-8; \
         action=\"urn://Ocpp/Cs/2015/10/{action}\"\r\nContent-Length: {}\r\n\r\n{envelope}",
        script.station,
        script.host,
        envelope.len()
    )
    .into_bytes()
}

/// OCPP-S 1.6 `startTransactionResponse`, as far as the bench depends on it.
pub(super) fn begun(answer: &str) -> Option<Begun> {
    let transaction = element(answer, "transactionId")?.parse().ok()?;
    Some(Begun { transaction, accepted: element(answer, "status")? == "Accepted" })
}

/// The text of the first element with this local name, whatever its prefix.
fn element<'t>(answer: &'t str, name: &str) -> Option<&'t str> {
    let (_before, rest) = answer.split_once(&format!("{name}>"))?;
    rest.split_once('<').map(|(text, _after)| text)
}
