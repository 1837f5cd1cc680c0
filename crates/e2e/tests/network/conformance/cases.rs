//! Cases of the official test tool for an operator (2.0.1 part 6) that ask for one request with certain members: the
//! order is given as a word, and the request that crosses the socket has to have them. Only what a case asks of the
//! request is shown here; cases that go on with a reaction of the operator are not listed.

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::certificate::{CertificateOrder, CertificateUse};
use charge::talk::line::charging::{
    ChargingOrder, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit, Schedule,
};
use charge::talk::line::display::{Customer, CustomerOrder, DisplayMessage, DisplayOrder};
use charge::talk::line::model::{ModelOrder, MonitoringBase, ReportKind};
use charge::talk::line::quirk::Quirks;
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::upkeep::{LogKind, Retries, UpkeepOrder};
use charge::talk::line::{ResetKind, StationAnswer, ToStation, Trigger, Version};
use charge::token::{Allowed, TokenKind, Verdict};
use charge::{Decimal, Secret};
use serde_json::{Value, json};

use super::ends::Ends;
use super::frames::Kind;
use super::round_trip::{evse, token};
use super::{at, frames, now};

/// Order, action, members that the request has, and pointers that it has not.
type Case = (ToStation, &'static str, Value, &'static [&'static str]);

/// Gives each order and compares its request.
async fn cross(cases: Vec<Case>) {
    let ends = Ends::meet(Version::V201, Quirks::NONE).await;
    for (order, action, members, absent) in cases {
        let before = ends.relay.frames().len();
        let (told, _) = ends.order(order, StationAnswer::Accepted).await;
        assert_eq!(told.len(), 1, "{action} arrives once");
        let crossed = frames::records(Version::V201, "cases", &ends.relay.frames()[before..]).unwrap();
        assert_eq!((crossed[0].kind, crossed[0].action.as_str()), (Kind::Call, action));
        let payload = &crossed[0].payload;
        assert!(has(payload, &members), "{action} {payload} should have {members}");
        for pointer in absent {
            assert!(payload.pointer(pointer).is_none(), "{action} {payload} should not have {pointer}");
        }
    }
    ends.part().await;
}

/// Whether everything of `part` is in `whole`; lists item by item.
fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| has(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| has(whole, part))
        }
        (whole, part) => whole == part,
    }
}

fn one() -> Option<EvseNo> {
    evse(1)
}

fn key() -> TransactionKey {
    TransactionKey::Text("tx-9".into())
}

fn ten() -> Decimal {
    "10".parse().unwrap()
}

fn profile(id: i32, stack_level: u32, purpose: ProfilePurpose, kind: ProfileKind) -> Profile {
    let period = Period { start: 0, limit: Some(ten()), ..Period::default() };
    let schedule = Schedule {
        id: 1,
        start: (kind != ProfileKind::Relative).then(now),
        lasts: Some(Duration::from_secs(300)),
        unit: RateUnit::Amperes,
        min_rate: None,
        periods: vec![period],
        more: None,
    };
    Profile {
        id,
        stack_level,
        purpose,
        kind,
        valid_from: Some(now()),
        valid_until: Some(at("2026-11-23T15:04:05Z")),
        key: (purpose == ProfilePurpose::Tx).then(key),
        schedules: vec![schedule],
        more: None,
    }
}

fn set(evse: Option<EvseNo>, profile: Profile) -> ToStation {
    ToStation::Charging(ChargingOrder::Set { evse, profile: Box::new(profile) })
}

/// TC_K_01_CSMS, TC_K_03_CSMS, TC_K_10_CSMS, TC_K_19_CSMS, TC_K_60_CSMS.
#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_set_as_the_cases_ask() {
    let default = |kind| profile(1, 2, ProfilePurpose::TxDefault, kind);
    let named = |evse: i32, purpose: &str, kind: &str| {
        json!({
            "evseId": evse,
            "chargingProfile": {
                "stackLevel": 2, "chargingProfilePurpose": purpose, "chargingProfileKind": kind,
                "validFrom": "2026-11-22T15:04:05Z", "validTo": "2026-11-23T15:04:05Z",
                "chargingSchedule": [{
                    "chargingRateUnit": "A", "duration": 300,
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
                }],
            },
        })
    };
    let max = profile(1, 2, ProfilePurpose::StationMax, ProfileKind::Absolute);
    let mut tx = named(1, "TxProfile", "Relative");
    tx["chargingProfile"]["transactionId"] = json!("tx-9");
    cross(vec![
        (
            set(one(), default(ProfileKind::Absolute)),
            "SetChargingProfile",
            named(1, "TxDefaultProfile", "Absolute"),
            &["/chargingProfile/transactionId"],
        ),
        (set(None, max), "SetChargingProfile", named(0, "ChargingStationMaxProfile", "Absolute"), &[]),
        (
            set(None, default(ProfileKind::Absolute)),
            "SetChargingProfile",
            named(0, "TxDefaultProfile", "Absolute"),
            &[],
        ),
        (
            set(one(), default(ProfileKind::Daily)),
            "SetChargingProfile",
            json!({"chargingProfile": {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}}),
            &[],
        ),
        (set(one(), profile(1, 2, ProfilePurpose::Tx, ProfileKind::Relative)), "SetChargingProfile", tx, &[]),
    ])
    .await;
}

/// TC_K_06_CSMS, TC_K_08_CSMS, TC_K_29_CSMS, TC_K_32_CSMS, TC_K_33_CSMS, TC_K_34_CSMS, TC_K_35_CSMS, TC_K_36_CSMS;
/// composite schedules TC_K_43_CSMS, TC_K_44_CSMS.
#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_asked_for_and_cleared_as_the_cases_ask() {
    let all = ProfileFilter::default;
    let read = |which| ToStation::Charging(ChargingOrder::Read { request: 8, which });
    let default = Some(ProfilePurpose::TxDefault);
    let clear = ProfileFilter { evse: Some(one()), purpose: default, stack_level: Some(2), ..all() };
    let composite = |evse| {
        let (lasts, unit) = (Duration::from_secs(300), Some(RateUnit::Amperes));
        ToStation::Charging(ChargingOrder::Composite { evse, lasts, unit })
    };
    let at_one = || ProfileFilter { evse: Some(one()), ..all() };
    let which = "GetChargingProfiles";
    cross(vec![
        (
            ToStation::Charging(ChargingOrder::Clear(clear)),
            "ClearChargingProfile",
            json!({"chargingProfileCriteria": {"evseId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2}}),
            &["/chargingProfileId"],
        ),
        (
            read(ProfileFilter { evse: Some(None), purpose: default, ..all() }),
            which,
            json!({"evseId": 0, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}),
            &[],
        ),
        (
            read(ProfileFilter { ids: vec![5], ..all() }),
            which,
            json!({"requestId": 8, "chargingProfile": {"chargingProfileId": [5]}}),
            &["/evseId"],
        ),
        (
            read(ProfileFilter { stack_level: Some(2), ..at_one() }),
            which,
            json!({"evseId": 1, "chargingProfile": {"stackLevel": 2}}),
            &[],
        ),
        (
            read(ProfileFilter { sources: vec!["CSO".into()], ..at_one() }),
            which,
            json!({"evseId": 1, "chargingProfile": {"chargingLimitSource": ["CSO"]}}),
            &[],
        ),
        (
            read(ProfileFilter { purpose: default, stack_level: Some(2), ..at_one() }),
            which,
            json!({"evseId": 1, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2}}),
            &[],
        ),
        (
            read(ProfileFilter { purpose: default, ..at_one() }),
            which,
            json!({"evseId": 1, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}),
            &["/chargingProfile/stackLevel"],
        ),
        (composite(one()), "GetCompositeSchedule", json!({"evseId": 1, "duration": 300, "chargingRateUnit": "A"}), &[]),
        (composite(None), "GetCompositeSchedule", json!({"evseId": 0, "duration": 300, "chargingRateUnit": "A"}), &[]),
    ])
    .await;
}

/// TC_D_01_CSMS, TC_D_02_CSMS, TC_D_03_CSMS, TC_D_04_CSMS, TC_D_08_CSMS.
#[tokio::test(flavor = "multi_thread")]
async fn local_lists_are_sent_as_the_cases_ask() {
    let entry = |verdict: Option<Allowed>| ListEntry {
        token: token(TokenKind::Rfid),
        group: None,
        until: None,
        verdict: verdict.map(Verdict::bare),
    };
    let send = |full, entries| ToStation::List(ListOrder::Send { version: 7, full, entries });
    let yes = Some(Allowed::Yes);
    let list = |kind: &str| {
        json!({
            "updateType": kind, "versionNumber": 7,
            "localAuthorizationList": [{"idTokenInfo": {"status": "Accepted"}}],
        })
    };
    cross(vec![
        (send(true, vec![entry(yes)]), "SendLocalList", list("Full"), &[]),
        (send(false, vec![entry(yes)]), "SendLocalList", list("Differential"), &[]),
        (
            send(false, vec![entry(None)]),
            "SendLocalList",
            json!({"updateType": "Differential", "versionNumber": 7, "localAuthorizationList": [{}]}),
            &["/localAuthorizationList/0/idTokenInfo"],
        ),
        (send(true, vec![]), "SendLocalList", json!({"updateType": "Full"}), &["/localAuthorizationList"]),
        (ToStation::List(ListOrder::Version), "GetLocalListVersion", json!({}), &[]),
    ])
    .await;
}

/// TC_B_12_CSMS, TC_F_20_CSMS, TC_G_04_CSMS, TC_G_05_CSMS,
/// TC_G_06_CSMS, TC_G_11_CSMS, TC_G_14_CSMS, TC_H_07_CSMS, TC_H_19_CSMS.
#[tokio::test(flavor = "multi_thread")]
async fn everyday_orders_are_sent_as_the_cases_ask() {
    let available = |evse, operative| ToStation::Availability { evse, connector: None, operative };
    let reserve = |group| {
        ToStation::Reservation(ReservationOrder::Reserve {
            id: 4,
            evse: one(),
            token: token(TokenKind::Rfid),
            group,
            until: now(),
            connector: None,
        })
    };
    let reserved = json!({"evseId": 1, "idToken": {"idToken": "04A2B3C4D5E680", "type": "ISO14443"}});
    let mut grouped = reserved.clone();
    grouped["groupIdToken"] = json!({"idToken": "04A2B3C4D5E680"});
    let base = ModelOrder::Base { request: 0, kind: ReportKind::Configuration };
    let heartbeat = ToStation::Trigger { what: Trigger::Alive, evse: None };
    cross(vec![
        (ToStation::Model(base), "GetBaseReport", json!({"requestId": 0, "reportBase": "ConfigurationInventory"}), &[]),
        (heartbeat, "TriggerMessage", json!({"requestedMessage": "Heartbeat"}), &[]),
        (
            available(one(), true),
            "ChangeAvailability",
            json!({"operationalStatus": "Operative", "evse": {"id": 1}}),
            &["/evse/connectorId"],
        ),
        (
            available(one(), false),
            "ChangeAvailability",
            json!({"operationalStatus": "Inoperative", "evse": {"id": 1}}),
            &["/evse/connectorId"],
        ),
        (available(None, false), "ChangeAvailability", json!({"operationalStatus": "Inoperative"}), &["/evse"]),
        (available(None, true), "ChangeAvailability", json!({"operationalStatus": "Operative"}), &["/evse"]),
        (reserve(None), "ReserveNow", reserved, &["/connectorType", "/groupIdToken"]),
        (reserve(Some(token(TokenKind::Rfid))), "ReserveNow", grouped, &["/connectorType"]),
    ])
    .await;
}

/// TC_B_06_CSMS, TC_B_09_CSMS, TC_B_18_CSMS, TC_B_20_CSMS, TC_B_21_CSMS, TC_B_22_CSMS, TC_C_37_CSMS, TC_H_17_CSMS.
///
/// proves: B05.FR.01, B06.FR.01, B08.FR.01
#[tokio::test(flavor = "multi_thread")]
async fn settings_reports_and_resets_are_asked_for_as_the_cases_ask() {
    let interval = || json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}});
    let mut written = interval();
    written["attributeValue"] = json!("300");
    let key: Box<str> = "OCPPCommCtrlr.HeartbeatInterval".into();
    let report = ModelOrder::Report { request: 0, variables: vec![key.clone()], criteria: vec!["Available".into()] };
    let asked = json!({"requestId": 0, "componentCriteria": ["Available"], "componentVariable": [interval()]});
    cross(vec![
        (
            ToStation::ReadSettings { keys: vec![key.clone()] },
            "GetVariables",
            json!({"getVariableData": [interval()]}),
            &[],
        ),
        (
            ToStation::WriteSettings { values: vec![(key, Secret::new("300".into()))] },
            "SetVariables",
            json!({"setVariableData": [written]}),
            &[],
        ),
        (ToStation::Model(report), "GetReport", asked, &[]),
        (ToStation::Reset(ResetKind::Soft), "Reset", json!({"type": "OnIdle"}), &["/evseId"]),
        (ToStation::Reset(ResetKind::Hard), "Reset", json!({"type": "Immediate"}), &["/evseId"]),
        (ToStation::ClearCache, "ClearCache", json!({}), &[]),
        (
            ToStation::Reservation(ReservationOrder::Cancel { id: 4 }),
            "CancelReservation",
            json!({"reservationId": 4}),
            &[],
        ),
    ])
    .await;
}

/// TC_N_01_CSMS, TC_N_05_CSMS, TC_N_16_CSMS, TC_N_25_CSMS, TC_N_27_CSMS, TC_N_30_CSMS, TC_N_32_CSMS, TC_N_35_CSMS,
/// TC_N_47_CSMS.
#[tokio::test(flavor = "multi_thread")]
async fn monitoring_logs_and_customers_are_asked_for_as_the_cases_ask() {
    let base = |base| ToStation::Model(ModelOrder::MonitoringBase(base));
    let monitors = |criteria: &[&str]| {
        let criteria = criteria.iter().map(|word| (*word).into()).collect();
        ToStation::Model(ModelOrder::Monitors { request: 3, variables: vec![], criteria })
    };
    let log = |kind| {
        let to = Secret::new("https://logs.example/".into());
        let (request, from, until, retries) = (6, None, None, Retries::default());
        ToStation::Upkeep(UpkeepOrder::FetchLog { request, kind, to, from, until, retries, legacy: false })
    };
    let customer = |report, clear| {
        let customer = Customer::Token(token(TokenKind::Rfid));
        ToStation::Customer(CustomerOrder { request: 7, report, clear, customer })
    };
    let known = |report, clear| json!({"report": report, "clear": clear, "idToken": {"idToken": "04A2B3C4D5E680", "type": "ISO14443"}});
    cross(vec![
        (
            monitors(&["DeltaMonitoring"]),
            "GetMonitoringReport",
            json!({"monitoringCriteria": ["DeltaMonitoring"]}),
            &["/componentVariable"],
        ),
        (
            monitors(&["ThresholdMonitoring"]),
            "GetMonitoringReport",
            json!({"monitoringCriteria": ["ThresholdMonitoring"]}),
            &[],
        ),
        (monitors(&[]), "GetMonitoringReport", json!({}), &["/monitoringCriteria", "/componentVariable"]),
        (base(MonitoringBase::All), "SetMonitoringBase", json!({"monitoringBase": "All"}), &[]),
        (base(MonitoringBase::FactoryDefault), "SetMonitoringBase", json!({"monitoringBase": "FactoryDefault"}), &[]),
        (base(MonitoringBase::HardWiredOnly), "SetMonitoringBase", json!({"monitoringBase": "HardWiredOnly"}), &[]),
        (ToStation::Model(ModelOrder::MonitoringLevel(4)), "SetMonitoringLevel", json!({"severity": 4}), &[]),
        (log(LogKind::Diagnostics), "GetLog", json!({"logType": "DiagnosticsLog"}), &[]),
        (log(LogKind::Security), "GetLog", json!({"logType": "SecurityLog"}), &[]),
        (customer(true, false), "CustomerInformation", known(true, false), &[]),
        (customer(true, true), "CustomerInformation", known(true, true), &[]),
        (customer(false, true), "CustomerInformation", known(false, true), &[]),
    ])
    .await;
}

/// TC_M_18_CSMS, TC_M_19_CSMS; TC_O_02_CSMS, TC_O_07_CSMS, TC_O_08_CSMS, TC_O_09_CSMS, TC_O_10_CSMS, TC_O_13_CSMS,
/// TC_O_14_CSMS, TC_O_18_CSMS, TC_O_27_CSMS.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_messages_are_asked_for_as_the_cases_ask() {
    let installed = |uses| ToStation::Certificate(CertificateOrder::List(uses));
    let read = |ids, priority: Option<&str>, state: Option<&str>| {
        let (priority, state) = (priority.map(Into::into), state.map(Into::into));
        ToStation::Display(DisplayOrder::Read { request: 7, ids, priority, state })
    };
    let show = DisplayMessage {
        id: 9,
        priority: "InFront".into(),
        state: Some("Charging".into()),
        from: Some(now()),
        until: Some(at("2026-11-23T15:04:05Z")),
        key: Some(key()),
        format: "UTF8".into(),
        language: None,
        text: "Hallo".into(),
        more: None,
    };
    let shown = json!({"message": {
        "id": 9, "priority": "InFront", "state": "Charging", "transactionId": "tx-9",
        "startDateTime": "2026-11-22T15:04:05Z", "endDateTime": "2026-11-23T15:04:05Z",
    }});
    let plain = DisplayMessage { state: None, from: None, until: None, key: None, ..show.clone() };
    cross(vec![
        (installed(vec![]), "GetInstalledCertificateIds", json!({}), &["/certificateType"]),
        (
            installed(vec![CertificateUse::ManufacturerRoot]),
            "GetInstalledCertificateIds",
            json!({"certificateType": ["ManufacturerRootCertificate"]}),
            &[],
        ),
        (read(vec![], None, None), "GetDisplayMessages", json!({"requestId": 7}), &["/id", "/priority", "/state"]),
        (read(vec![9], None, None), "GetDisplayMessages", json!({"id": [9]}), &["/priority", "/state"]),
        (read(vec![], Some("InFront"), None), "GetDisplayMessages", json!({"priority": "InFront"}), &["/id", "/state"]),
        (
            read(vec![], None, Some("Charging")),
            "GetDisplayMessages",
            json!({"state": "Charging"}),
            &["/id", "/priority"],
        ),
        (ToStation::Display(DisplayOrder::Set(Box::new(show))), "SetDisplayMessage", shown, &[]),
        (
            ToStation::Display(DisplayOrder::Set(Box::new(plain))),
            "SetDisplayMessage",
            json!({"message": {"id": 9}}),
            &["/message/startDateTime", "/message/endDateTime", "/message/transactionId", "/message/state"],
        ),
    ])
    .await;
}
