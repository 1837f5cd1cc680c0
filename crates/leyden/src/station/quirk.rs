//! What real stations do wrong, as switches: each takes a correct frame of a station and spoils it the way the field
//! does, so that an operator's tolerance can be tried.
//!
//! The numbers are those of the field's list of quirks. What goes wrong before the first frame (subprotocols, TLS,
//! a broken upgrade: 1, 4, 5) and what only SOAP can do (25) cannot be done to a frame and is not here.
//!
//! Invariant: without a quirk a frame goes through byte by byte.

use serde::Deserialize;
use serde_json::{Value, json};

/// One quirk of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quirk {
    /// 2: the path has empty segments and the identity is in the wrong case.
    OddPath,
    /// 3: the password is a key in hexadecimal, sent as raw bytes.
    RawPassword,
    /// 6: a second connection of the same station while the first looks alive.
    SecondConnection,
    /// 7: a truncated frame before a good one.
    BrokenJson,
    /// 8: message ids are numbers that begin anew, not UUIDs.
    CountedIds,
    /// 9: a second CALL before the first is answered.
    TwoCalls,
    /// 10: old error codes, and details that are no object.
    OldErrors,
    /// 11: messages of 1.6 on a connection of 2.x.
    WrongVersion,
    /// 12: no boot notification ever.
    NoBoot,
    /// 12: vendor and model are empty.
    EmptyVendor,
    /// 13: restarts when a certain key is read.
    BootLoop,
    /// 14: timestamps without a zone.
    Zoneless,
    /// 15: tags in lower case with blanks around.
    BlankTags,
    /// 16: ends its transactions as number -1.
    NumberlessStop,
    /// 17: says begins and ends twice.
    SaysTwice,
    /// 18: readings without a transaction.
    LooseReadings,
    /// 19: the register at the end is -1.
    NegativeStop,
    /// 20: readings as an object instead of a list, numbers with blanks.
    MeterObject,
    /// 21: measurands in the wrong case, unknown units.
    OddWords,
    /// 22: no connector, and null for what is absent.
    NoConnector,
    /// 23: a flood of heartbeats.
    Flood,
    /// 24: connector 0 of an EVSE (2.x).
    ConnectorZero,
}

/// A CALL taken apart: message id, action, payload.
pub(super) struct Call<'a> {
    pub id: &'a str,
    pub action: &'a str,
    pub payload: &'a mut Value,
}

/// What a quirk does to the order of frames, beyond the payload.
#[derive(Default)]
pub(super) struct Around {
    pub before: Vec<String>,
    pub after: Vec<String>,
    /// The station hears this answer, and nothing is sent.
    pub instead: Option<String>,
}

/// Heartbeats in one wave of a flood.
const FLOOD: usize = 5;

impl Quirk {
    /// Spoils a CALL.
    pub(super) fn spoil(self, call: &mut Call<'_>, number: u64, around: &mut Around) {
        let heartbeat =
            |name: &str, nth: usize| json!([2, format!("{name}-{number}-{nth}"), "Heartbeat", {}]).to_string();
        let action = call.action;
        match self {
            Self::BrokenJson if number.is_multiple_of(3) => {
                around.before.push(format!("[2,\"broken-{number}\",\"{action}\",{{\"connectorId\":1,"));
            }
            Self::TwoCalls => around.after.push(heartbeat("second", 0)),
            Self::Flood => around.after.extend((0..FLOOD).map(|nth| heartbeat("flood", nth))),
            Self::WrongVersion if action == "TransactionEvent" => around.after.push(
                json!([2, format!("old-{number}"), "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}]).to_string(),
            ),
            Self::NoBoot if action == "BootNotification" => {
                let answer = json!({"currentTime": super::wiretap::now(), "interval": 300, "status": "Accepted"});
                around.instead = Some(json!([3, call.id, answer]).to_string());
            }
            Self::EmptyVendor if action == "BootNotification" => empty_vendor(call.payload),
            Self::Zoneless => each_text(call.payload, &|name, text| {
                (name == "timestamp" || name == "startTime").then(|| text.trim_end_matches('Z').to_owned())
            }),
            Self::BlankTags => each_text(call.payload, &|name, text| {
                (name == "idTag").then(|| format!(" {} ", text.to_ascii_lowercase()).chars().take(20).collect())
            }),
            Self::NumberlessStop if action == "StopTransaction" => put(call.payload, "transactionId", json!(-1)),
            Self::NegativeStop if action == "StopTransaction" => put(call.payload, "meterStop", json!(-1)),
            Self::SaysTwice if ["StartTransaction", "StopTransaction", "TransactionEvent"].contains(&action) => {
                around.after.push(json!([2, format!("again-{number}"), action, call.payload]).to_string());
            }
            Self::LooseReadings if action == "MeterValues" => {
                if let Some(fields) = call.payload.as_object_mut() {
                    fields.remove("transactionId");
                }
            }
            Self::MeterObject if action == "MeterValues" => lone_meter_value(call.payload),
            Self::OddWords => each_text(call.payload, &|name, text| match name {
                "measurand" => Some(text.replace(".Import", ".import")),
                "unit" => Some(if text == "Wh" { "WattHours".to_owned() } else { text.to_owned() }),
                _ => None,
            }),
            Self::NoConnector if action == "StatusNotification" => {
                if let Some(fields) = call.payload.as_object_mut() {
                    fields.remove("connectorId");
                    fields.insert("info".to_owned(), Value::Null);
                }
            }
            Self::ConnectorZero if action == "StatusNotification" && call.payload.get("evseId").is_some() => {
                put(call.payload, "connectorId", json!(0));
            }
            Self::BrokenJson
            | Self::WrongVersion
            | Self::NoBoot
            | Self::EmptyVendor
            | Self::NumberlessStop
            | Self::NegativeStop
            | Self::SaysTwice
            | Self::LooseReadings
            | Self::MeterObject
            | Self::NoConnector
            | Self::ConnectorZero
            // those that are no matter of a CALL's content
            | Self::OddPath
            | Self::RawPassword
            | Self::SecondConnection
            | Self::CountedIds
            | Self::OldErrors
            | Self::BootLoop => {}
        }
    }
}

fn put(payload: &mut Value, name: &str, value: Value) {
    if let Some(fields) = payload.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

fn empty_vendor(payload: &mut Value) {
    let of = if payload.get("chargingStation").is_some() { payload.get_mut("chargingStation") } else { Some(payload) };
    if let Some(of) = of {
        for name in ["chargePointVendor", "chargePointModel", "vendorName", "model"] {
            if of.get(name).is_some() {
                put(of, name, json!(""));
            }
        }
    }
}

fn lone_meter_value(payload: &mut Value) {
    let first = payload.get("meterValue").and_then(|list| list.get(0)).cloned();
    if let Some(first) = first {
        put(payload, "meterValue", first);
    }
    each_text(payload, &|name, text| (name == "value").then(|| format!(" {text} ")));
}

/// Rewrites texts by the name of their field, at any depth.
fn each_text(value: &mut Value, change: &dyn Fn(&str, &str) -> Option<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) => *text = change(name, text).unwrap_or_else(|| text.clone()),
                    other => each_text(other, change),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| each_text(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
