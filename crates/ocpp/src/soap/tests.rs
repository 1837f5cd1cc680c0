#![allow(clippy::unwrap_used, reason = "a test may panic")]
//! The tables against the WSDLs, every operation there and back, both ends against each other, and the field's oddities.

mod ends;
mod odd;
mod wsdl;

use charge::Timestamp;
use charge::talk::line::Version;
use serde_json::{Value, json};

use super::message::{Message, Request};
use super::table::{Dialect, Service};
use super::*;
use crate::payload::Notes;

const ID: &str = "3f1b2c4d-0000-4000-8000-000000000001";

fn now() -> Timestamp {
    "2026-11-22T15:04:05Z".parse().unwrap()
}

fn trip() -> Trip {
    Trip { message_id: ID.into(), to: "https://op.example/ocpp/soap".into(), from: "https://192.0.2.7:8443/cp".into() }
}

/// Payloads of 1.6 JSON, request and response, that both versions can say.
fn both(action: &str, service: Service) -> Option<[Value; 2]> {
    let at = "2026-11-22T15:04:05Z";
    let tag = json!({ "status": "Accepted", "expiryDate": at, "parentIdTag": "PARENT" });
    let status = json!({ "status": "Accepted" });
    let sample = json!({ "value": "12.500", "context": "Sample.Clock", "measurand": "Current.Import", "unit": "A" });
    let values =
        json!([{ "timestamp": at, "sampledValue": [sample, { "value": "OCMF|{}|x", "format": "SignedData" }] }]);
    let data = json!({ "vendorId": "v", "messageId": "m", "data": " <a> & \"b\" " });
    Some(match (service, action) {
        (Service::Central, "Authorize") => [json!({ "idTag": "TAG" }), json!({ "idTagInfo": tag })],
        (Service::Central, "BootNotification") => [
            json!({ "chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "1",
                "chargeBoxSerialNumber": "2", "firmwareVersion": "3", "iccid": "4", "imsi": "5", "meterType": "6",
                "meterSerialNumber": "7" }),
            json!({ "status": "Accepted", "currentTime": at, "interval": 300 }),
        ],
        (_, "DataTransfer") => [data, json!({ "status": "Accepted", "data": "d" })],
        (Service::Central, "DiagnosticsStatusNotification") => [json!({ "status": "Uploaded" }), json!({})],
        (Service::Central, "FirmwareStatusNotification") => [json!({ "status": "Installed" }), json!({})],
        (Service::Central, "Heartbeat") => [json!({}), json!({ "currentTime": at })],
        (Service::Central, "MeterValues") => {
            [json!({ "connectorId": 1, "transactionId": 7, "meterValue": values }), json!({})]
        }
        (Service::Central, "StartTransaction") => [
            json!({ "connectorId": 1, "idTag": "TAG", "timestamp": at, "meterStart": 5, "reservationId": 3 }),
            json!({ "transactionId": 7, "idTagInfo": tag }),
        ],
        (Service::Central, "StatusNotification") => [
            json!({ "connectorId": 1, "status": "Faulted", "errorCode": "EVCommunicationError", "info": "i",
                "timestamp": at, "vendorId": "v", "vendorErrorCode": "e" }),
            json!({}),
        ],
        (Service::Central, "StopTransaction") => [
            json!({ "transactionId": 7, "idTag": "TAG", "timestamp": at, "meterStop": 9, "transactionData": values }),
            json!({ "idTagInfo": tag }),
        ],
        (Service::ChargePoint, "CancelReservation") => [json!({ "reservationId": 3 }), status],
        (Service::ChargePoint, "ChangeAvailability") => [json!({ "connectorId": 0, "type": "Operative" }), status],
        (Service::ChargePoint, "ChangeConfiguration") => [json!({ "key": "k", "value": "v" }), status],
        (Service::ChargePoint, "ClearCache") => [json!({}), status],
        (Service::ChargePoint, "GetConfiguration") => [
            json!({ "key": ["a", "b"] }),
            json!({ "configurationKey": [{ "key": "a", "readonly": false, "value": "1" }, { "key": "c", "readonly": true }],
                "unknownKey": ["b"] }),
        ],
        (Service::ChargePoint, "GetDiagnostics") => [
            json!({ "location": "ftp://x/y", "startTime": at, "stopTime": at, "retries": 1, "retryInterval": 2 }),
            json!({ "fileName": "f" }),
        ],
        (Service::ChargePoint, "GetLocalListVersion") => [json!({}), json!({ "listVersion": -1 })],
        (Service::ChargePoint, "RemoteStartTransaction") => [json!({ "connectorId": 1, "idTag": "TAG" }), status],
        (Service::ChargePoint, "RemoteStopTransaction") => [json!({ "transactionId": 7 }), status],
        (Service::ChargePoint, "ReserveNow") => [
            json!({ "connectorId": 1, "expiryDate": at, "idTag": "TAG", "parentIdTag": "P", "reservationId": 3 }),
            status,
        ],
        (Service::ChargePoint, "Reset") => [json!({ "type": "Soft" }), status],
        (Service::ChargePoint, "SendLocalList") => [
            json!({ "listVersion": 2, "updateType": "Full",
                "localAuthorizationList": [{ "idTag": "A", "idTagInfo": tag }, { "idTag": "B" }] }),
            json!({ "status": "VersionMismatch" }),
        ],
        (Service::ChargePoint, "UnlockConnector") => [json!({ "connectorId": 1 }), json!({ "status": "Unlocked" })],
        (Service::ChargePoint, "UpdateFirmware") => {
            [json!({ "retrieveDate": at, "location": "https://x/y", "retries": 1, "retryInterval": 2 }), json!({})]
        }
        (Service::Central | Service::ChargePoint, _) => return None,
    })
}

/// What only 1.6 can say.
fn only_16(action: &str) -> Option<[Value; 2]> {
    let at = "2026-11-22T15:04:05Z";
    let status = json!({ "status": "Accepted" });
    let schedule = json!({ "duration": 60, "startSchedule": at, "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": 16.5, "numberPhases": 3 }], "minChargingRate": 6.0 });
    let profile = json!({ "chargingProfileId": 1, "transactionId": 7, "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Recurring", "recurrencyKind": "Daily",
        "validFrom": at, "validTo": at, "chargingSchedule": schedule });
    Some(match action {
        "ClearChargingProfile" => [
            json!({ "id": 1, "connectorId": 1, "chargingProfilePurpose": "TxProfile", "stackLevel": 0 }),
            json!({ "status": "Unknown" }),
        ],
        "GetCompositeSchedule" => [
            json!({ "connectorId": 1, "duration": 60, "chargingRateUnit": "W" }),
            json!({ "status": "Accepted", "connectorId": 1, "scheduleStart": at, "chargingSchedule": schedule }),
        ],
        "RemoteStartTransaction" => [json!({ "connectorId": 1, "idTag": "T", "chargingProfile": profile }), status],
        "SetChargingProfile" => [json!({ "connectorId": 1, "csChargingProfiles": profile }), status],
        "TriggerMessage" => [json!({ "requestedMessage": "MeterValues", "connectorId": 1 }), status],
        _ => return None,
    })
}

fn rows() -> Vec<(&'static Dialect, Service, &'static str, [Value; 2])> {
    let mut rows = Vec::new();
    for dialect in Dialect::ALL {
        for service in [Service::Central, Service::ChargePoint] {
            for operation in dialect.operations(service) {
                let own = only_16(operation.action).filter(|_| dialect.version == Version::S16);
                let row = own.or_else(|| both(operation.action, service));
                rows.push((dialect, service, operation.action, row.expect(operation.action)));
            }
        }
    }
    rows
}

#[test]
fn every_operation_of_both_versions_comes_back_as_it_went() {
    let rows = rows();
    assert_eq!(rows.len(), 10 + 15 + 10 + 19);
    for (dialect, service, action, [request, response]) in rows {
        let version = dialect.version.label();
        let mut notes = Notes::at(now());
        let sent = Request::write(dialect, service, action, &request.to_string(), "CB1", &trip(), &mut notes).unwrap();
        let read = Message::request(service, sent.body.as_bytes(), &Limits::default(), &mut notes).unwrap();
        assert_eq!((read.identity.as_str(), read.operation.action), ("CB1", action));
        assert_eq!(serde_json::from_str::<Value>(&read.payload(&mut notes)).unwrap(), request, "{version} {action}");
        let reply = read.answer(ID, &response.to_string(), &mut notes).unwrap();
        let answer = sent.answered(reply.body.as_bytes(), &Limits::default(), &mut notes).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), response, "{version} {action}");
        assert_eq!(notes.remarks, [], "{version} {action}");
    }
}

#[test]
fn what_1_5_cannot_say_is_left_out_with_a_remark_or_refused() {
    let dialect = Dialect::of(Version::S15).unwrap();
    let write = |service, action: &str, payload: Value| {
        let mut notes = Notes::at(now());
        let sent = Request::write(dialect, service, action, &payload.to_string(), "CB1", &trip(), &mut notes);
        (sent.map(|sent| sent.body), notes.remarks.join("; "))
    };
    let sample = |extra: Value| {
        let mut sample = json!({ "value": "1" });
        sample.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "timestamp": "2026-11-22T15:04:05Z", "sampledValue": [sample] })
    };
    let values = json!([
        sample(json!({ "phase": "L1" })),
        sample(json!({ "measurand": "SoC", "unit": "Percent" })),
        sample(json!({ "measurand": "Voltage", "unit": "V", "context": "Trigger" })),
    ]);
    let (body, remarks) = write(Service::Central, "MeterValues", json!({ "connectorId": 1, "meterValue": values }));
    let body = body.unwrap();
    assert_eq!(body.matches("<o:values>").count(), 1, "{body}");
    assert!(body.contains("unit=\"Volt\"") && body.contains("context=\"Sample.Periodic\""), "{body}");
    assert!(remarks.contains("/meterValue/0/sampledValue/0/phase") && remarks.contains("measurand"), "{remarks}");

    let (body, remarks) = write(
        Service::Central,
        "StopTransaction",
        json!({ "transactionId": 1, "timestamp": "2026-11-22T15:04:05Z", "meterStop": 1, "reason": "Remote" }),
    );
    assert!(body.is_some() && remarks.contains("/reason"), "{remarks}");
    for status in ["Preparing", "Charging", "SuspendedEV", "Finishing"] {
        let payload = json!({ "connectorId": 1, "status": status, "errorCode": "OverVoltage" });
        let body = write(Service::Central, "StatusNotification", payload).0.unwrap();
        assert!(body.contains(">Occupied<") && body.contains(">OtherError<"), "{body}");
    }
    let (body, remarks) = write(Service::Central, "FirmwareStatusNotification", json!({ "status": "Downloading" }));
    assert!(body.is_none() && remarks.contains("/status"), "{remarks}");
    let (body, remarks) = write(Service::ChargePoint, "TriggerMessage", json!({ "requestedMessage": "Heartbeat" }));
    assert!(body.is_none() && remarks.contains("1.5 SOAP has no TriggerMessage"), "{remarks}");
}
