//! Blocks K and Q: what 2.1 adds to charging profiles, priority, limits that change while they hold, and energy out of cars.

use std::time::Duration;

use charge::Secret;
use charge::talk::line::ToStation;
use charge::talk::line::charging::{ChargingOrder, Period, ProfileKind, ProfilePurpose};
use charge::talk::line::document::Document;
use charge::talk::line::grid::GridOrder;
use operator::StationOrder;
use operator::order::Outcome;
use serde_json::{Value, json};

use super::super::house::{House, VALID, now};
use super::super::pole::{Pole, written};
use super::{accepted, charging, key, profile, set, word};

fn limit(watts: i64) -> Period {
    Period { limit: Some(watts.into()), ..Period::default() }
}

/// Out of the car where it is negative.
fn wanted(mode: &str, setpoint: i64) -> Period {
    Period { setpoint: Some(setpoint.into()), mode: Some(mode.into()), ..Period::default() }
}

fn update(watts: &str) -> StationOrder {
    let limits = Document::new(format!(r#"{{"setpoint":{watts}}}"#));
    word(ToStation::Charging(ChargingOrder::Update { profile: 5, limits }))
}

async fn gives(house: &House, pole: &mut Pole, order: StationOrder) -> Value {
    let mut told = house.accepted(pole, order, "SetChargingProfile", accepted()).await;
    assert_eq!(told["evseId"], 1);
    told["chargingProfile"].take()
}

#[tokio::test]
async fn profiles_are_set_with_what_is_new_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    let default = || profile(ProfilePurpose::TxDefault, ProfileKind::Absolute, limit(6_000));
    // TC_K_100_CSMS: for as long as the line may be down
    let mut offline = default();
    offline.more = Some(Document::new(r#"{"maxOfflineDuration":600,"invalidAfterOfflineDuration":true}"#));
    let told = gives(&house, &mut pole, set(offline)).await;
    assert_eq!((&told["maxOfflineDuration"], &told["invalidAfterOfflineDuration"]), (&json!(600), &json!(true)));
    // TC_K_102_CSMS: less from 80 % on
    let mut full = default();
    full.schedules[0].more = Some(Document::new(r#"{"limitAtSoC":{"soc":80,"limit":3000}}"#));
    let told = gives(&house, &mut pole, set(full)).await;
    assert_eq!(told["chargingSchedule"][0]["limitAtSoC"], json!({"soc": 80, "limit": 3_000}));
    // TC_K_106_CSMS: not all at the same moment, and by the clock on the wall
    let mut late = default();
    late.schedules[0].more = Some(Document::new(r#"{"randomizedDelay":30,"useLocalTime":true}"#));
    let told = gives(&house, &mut pole, set(late)).await;
    let schedule = &told["chargingSchedule"][0];
    assert_eq!((&schedule["randomizedDelay"], &schedule["useLocalTime"]), (&json!(30), &json!(true)));
    // TC_K_104_CSMS: what holds while somebody is in a hurry
    let told =
        gives(&house, &mut pole, set(profile(ProfilePurpose::Priority, ProfileKind::Absolute, limit(22_000)))).await;
    assert_eq!((&told["chargingProfilePurpose"], &told["id"]), (&json!("PriorityCharging"), &json!(5)));
}

#[tokio::test]
async fn who_is_in_a_hurry_goes_first_as_the_cases_ask() {
    let house = House::open().await;
    let (mut pole, visit) = charging(&house).await;
    let order = |on| word(ToStation::Charging(ChargingOrder::Priority { key: key(&visit), on }));
    // TC_K_118_CSMS
    for on in [true, false] {
        let told = house.accepted(&mut pole, order(on), "UsePriorityCharging", accepted()).await;
        assert_eq!(told, json!({"transactionId": visit.tx, "activate": on}));
        // and at the station
        let said = json!({"transactionId": visit.tx, "activated": on});
        assert_eq!(pole.call("NotifyPriorityCharging", said).await, json!({}));
        let how = if on { "switched on" } else { "switched off" };
        assert!(house.news("charging").await[0].contains(how));
    }
    let (came, _) = house.order(&mut pole, order(true), "UsePriorityCharging", json!({"status": "NoProfile"})).await;
    assert_eq!(came.outcome, Outcome::Refused);
}

#[tokio::test]
async fn limits_change_while_they_hold_as_the_cases_ask() {
    let house = House::open().await;
    let (mut pole, mut visit) = charging(&house).await;
    let dynamic = |period| {
        let mut one = profile(ProfilePurpose::Tx, ProfileKind::Dynamic, period);
        one.key = Some(key(&visit));
        one.more = Some(Document::new(r#"{"dynUpdateInterval":60}"#));
        set(one)
    };
    // TC_Q_109_CSMS, TC_Q_117_CSMS: the operator says when
    for mode in ["CentralSetpoint", "CentralFrequency"] {
        let told = gives(&house, &mut pole, dynamic(wanted(mode, 3_000))).await;
        assert_eq!((&told["chargingProfileKind"], &told["dynUpdateInterval"]), (&json!("Dynamic"), &json!(60)));
        let period = json!([{"startPeriod": 0, "setpoint": 3_000, "operationMode": mode}]);
        assert_eq!(told["chargingSchedule"][0]["chargingSchedulePeriod"], period);
        let told = house.accepted(&mut pole, update("-4500"), "UpdateDynamicSchedule", accepted()).await;
        assert_eq!(told, json!({"chargingProfileId": 5, "scheduleUpdate": {"setpoint": -4_500}}));
    }
    // TC_K_101_CSMS: the station says that it does something else now
    let told = visit.turn(&mut pole, "OperationModeChanged", "Charging").await;
    assert_eq!(told, json!({}));
    // what it was told last is what it is told again
    let pull = |profile: i32| json!({"chargingProfileId": profile});
    // TC_K_121_CSMS, TC_Q_110_CSMS: the station asks; proves: ocpp-2.1 K28.FR.07
    let told = pole.call("PullDynamicScheduleUpdate", pull(5)).await;
    assert_eq!(told, json!({"status": "Accepted", "scheduleUpdate": {"setpoint": -4_500}}));
    let (came, _) =
        house.order(&mut pole, update("9000"), "UpdateDynamicSchedule", json!({"status": "Rejected"})).await;
    assert_eq!(came.outcome, Outcome::Refused);
    assert_eq!(pole.call("PullDynamicScheduleUpdate", pull(5)).await["scheduleUpdate"], json!({"setpoint": -4_500}));
    // of one that nobody has set, or that does not change; proves: ocpp-2.1 K28.FR.12
    assert_eq!(pole.call("PullDynamicScheduleUpdate", pull(6)).await["status"], "Rejected");
    let mut fixed = profile(ProfilePurpose::TxDefault, ProfileKind::Absolute, limit(6_000));
    fixed.id = 7;
    gives(&house, &mut pole, set(fixed)).await;
    assert_eq!(pole.call("PullDynamicScheduleUpdate", pull(7)).await["status"], "Rejected");
    // and of one that was taken away again
    let cleared =
        ChargingOrder::Clear(charge::talk::line::charging::ProfileFilter { ids: vec![5], ..Default::default() });
    house.accepted(&mut pole, word(ToStation::Charging(cleared)), "ClearChargingProfile", accepted()).await;
    assert_eq!(pole.call("PullDynamicScheduleUpdate", pull(5)).await["status"], "Rejected");
}

#[tokio::test]
async fn energy_comes_out_of_cars_as_the_cases_ask() {
    let house = House::open().await;
    let (mut pole, visit) = charging(&house).await;
    // TC_Q_102_CSMS: nobody here knows what a car may, so nothing is said of it; proves: ocpp-2.1 Q01.FR.08, Q02.FR.03
    let asked = json!({"idToken": {"idToken": VALID, "type": "ISO14443"}});
    assert!(pole.call("Authorize", asked).await.get("allowedEnergyTransfer").is_none());
    // TC_Q_107_CSMS: it is said later; proves: ocpp-2.1 Q02.FR.05
    let modes = vec!["DC".into(), "DC_BPT".into()];
    let order = word(ToStation::Charging(ChargingOrder::AllowedTransfer { key: key(&visit), modes }));
    let told = house.accepted(&mut pole, order, "NotifyAllowedEnergyTransfer", accepted()).await;
    assert_eq!(told, json!({"transactionId": visit.tx, "allowedEnergyTransfer": ["DC", "DC_BPT"]}));
    let of_car = |period, more: Option<&str>| {
        let mut one = profile(ProfilePurpose::Tx, ProfileKind::Absolute, period);
        one.key = Some(key(&visit));
        one.schedules[0].start = Some(now());
        one.schedules[0].lasts = Some(Duration::from_secs(900));
        one.schedules[0].periods[0].more = more.map(Document::new);
        set(one)
    };
    // TC_Q_108_CSMS: by a schedule; proves: ocpp-2.1 Q03.FR.01
    let told = gives(&house, &mut pole, of_car(wanted("CentralSetpoint", -7_000), None)).await;
    let period = json!([{"startPeriod": 0, "setpoint": -7_000, "operationMode": "CentralSetpoint"}]);
    assert_eq!(told["chargingSchedule"][0]["chargingSchedulePeriod"], period);
    // TC_Q_121_CSMS: by what the grid's frequency is, as the station sees it
    let curve =
        r#"{"v2xBaseline":0,"v2xFreqWattCurve":[{"frequency":49.8,"power":-5000},{"frequency":50.2,"power":5000}]}"#;
    let local = Period { mode: Some("LocalFrequency".into()), ..Period::default() };
    let told = gives(&house, &mut pole, of_car(local.clone(), Some(curve))).await;
    let period = &told["chargingSchedule"][0]["chargingSchedulePeriod"][0];
    assert_eq!(
        (&period["operationMode"], &period["v2xFreqWattCurve"][1]["power"]),
        (&json!("LocalFrequency"), &json!(5_000))
    );
    // TC_Q_120_CSMS: by a signal
    let signals = r#"{"v2xBaseline":0,"v2xSignalWattCurve":[{"signal":-1,"power":-5000},{"signal":1,"power":5000}]}"#;
    let told = gives(&house, &mut pole, of_car(local, Some(signals))).await;
    let period = &told["chargingSchedule"][0]["chargingSchedulePeriod"][0];
    assert_eq!(period["v2xSignalWattCurve"][0], json!({"signal": -1, "power": -5_000}));
    let signal = word(ToStation::Grid(GridOrder::Afrr { at: now(), signal: -1 }));
    let told = house.accepted(&mut pole, signal, "AFRRSignal", accepted()).await;
    assert_eq!(told["signal"], -1);
    // TC_Q_124_CSMS: by what the house takes
    let name: Box<str> = "V2XChargingCtrlr.Setpoint".into();
    let order = StationOrder::WriteSettings { values: vec![(name, Secret::new("0".into()))] };
    let place = json!({"component": {"name": "V2XChargingCtrlr"}, "variable": {"name": "Setpoint"}});
    let mut result = place.clone();
    result["attributeStatus"] = json!("Accepted");
    house.accepted(&mut pole, order, "SetVariables", json!({"setVariableResult": [result]})).await;
    let balance = Period { mode: Some("LocalLoadBalancing".into()), ..Period::default() };
    let told = gives(&house, &mut pole, of_car(balance, None)).await;
    let period = &told["chargingSchedule"][0]["chargingSchedulePeriod"][0];
    assert_eq!(period["operationMode"], "LocalLoadBalancing");
}

#[tokio::test]
async fn a_car_of_iso_15118_20_says_what_it_needs_as_the_cases_ask() {
    let house = House::open().await;
    let (mut pole, visit) = charging(&house).await;
    // TC_K_113_CSMS: the operator wants something else, and the car plans anew
    let mut own = profile(ProfilePurpose::Tx, ProfileKind::Relative, limit(8_000));
    own.key = Some(key(&visit));
    gives(&house, &mut pole, set(own)).await;
    let period = json!({"startPeriod": 0, "limit": 8_000});
    let schedule = json!({"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]});
    let plan =
        json!({"evseId": 1, "timeBase": written(now()), "chargingSchedule": schedule, "selectedChargingScheduleId": 1});
    assert_eq!(pole.call("NotifyEVChargingSchedule", plan).await, accepted());
    // TC_K_126_CSMS: nothing is known that it could be told, and it is told just that
    let needs = |evse: u16, mode: &str| {
        let car = json!({"maxChargePower": 11_000, "maxDischargePower": 5_000, "minChargePower": 100});
        let needs = json!({
            "requestedEnergyTransfer": "AC_three_phase", "availableEnergyTransfer": ["AC_three_phase", "AC_BPT"],
            "controlMode": mode, "mobilityNeedsMode": "EVCC", "v2xChargingParameters": car,
        });
        json!({"evseId": evse, "timestamp": written(now()), "chargingNeeds": needs})
    };
    let told = pole.call("NotifyEVChargingNeeds", needs(2, "DynamicControl")).await;
    assert_eq!(told, json!({"status": "NoChargingProfile"}));
    // TC_K_114_CSMS, TC_K_115_CSMS, TC_K_117_CSMS: it is given what its place allows, each time it asks
    for mode in ["ScheduledControl", "DynamicControl", "DynamicControl"] {
        assert_eq!(pole.call("NotifyEVChargingNeeds", needs(1, mode)).await, accepted());
        let (_, told) = tokio::join!(house.operator.duty(), pole.obey("SetChargingProfile", accepted()));
        let given = &told["chargingProfile"];
        assert_eq!(
            (&given["chargingProfilePurpose"], &given["transactionId"]),
            (&json!("TxProfile"), &json!(visit.tx))
        );
        // charging alone; proves: ocpp-2.1 Q02.FR.01, Q02.FR.02
        let period = json!([{"startPeriod": 0, "limit": 32, "numberPhases": 3}]);
        assert_eq!(given["chargingSchedule"][0]["chargingSchedulePeriod"], period);
    }
}
