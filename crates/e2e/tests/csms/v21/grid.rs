//! Blocks N, R and S: streams of readings, what the grid asks of a station, and batteries that are swapped.

use std::time::Duration;

use charge::Secret;
use charge::talk::line::StationAnswer;
use charge::talk::line::ToStation;
use charge::talk::line::document::{Document, ItemOutcome};
use charge::talk::line::grid::{GridOrder, SwapOrder};
use charge::talk::line::model::{ModelOrder, Monitor, MonitorKind, StreamPace};
use charge::talk::line::upkeep::{LogKind, Retries, UpkeepOrder};
use operator::StationOrder;
use operator::order::Outcome;
use operator::request::State;
use serde_json::json;

use super::super::house::{House, VALID, card, id};
use super::super::pole::time;
use super::{accepted, word};

fn model(order: ModelOrder) -> StationOrder {
    word(ToStation::Model(order))
}

fn grid(order: GridOrder) -> StationOrder {
    word(ToStation::Grid(order))
}

#[tokio::test]
async fn readings_stream_in_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    // TC_N_105_CSMS: a monitor that reports by a stream
    let pace = |seconds| StreamPace { every: Some(Duration::from_secs(seconds)), values: Some(2) };
    let monitor = Monitor {
        id: None,
        variable: "1/EVSE.Power".into(),
        kind: MonitorKind::Periodic,
        value: 10.into(),
        severity: 8,
        in_transaction: false,
        stream: Some(pace(60)),
    };
    let place = json!({"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}});
    let mut result = place.clone();
    for (name, value) in
        [("id", json!(8)), ("type", json!("Periodic")), ("severity", json!(8)), ("status", json!("Accepted"))]
    {
        result[name] = value;
    }
    let answer = json!({"setMonitoringResult": [result]});
    let told =
        house.accepted(&mut pole, model(ModelOrder::Watch(vec![monitor])), "SetVariableMonitoring", answer).await;
    assert_eq!(told["setMonitoringData"][0]["periodicEventStream"], json!({"interval": 60, "values": 2}));
    let stream = json!({"id": 1, "variableMonitoringId": 8, "params": {"interval": 60, "values": 2}});
    assert_eq!(pole.call("OpenPeriodicEventStream", json!({"constantStreamData": stream})).await, accepted());
    assert_eq!(house.operator.streams(&id()).await.unwrap().len(), 1);
    let values = json!([{"t": 0, "v": "7000"}, {"t": 60, "v": "7400"}]);
    pole.send_alone("NotifyPeriodicEventStream", json!({"id": 1, "pending": 0, "basetime": time(), "data": values}))
        .await;
    let told = house
        .accepted(
            &mut pole,
            model(ModelOrder::AdjustStream { id: 1, pace: pace(30) }),
            "AdjustPeriodicEventStream",
            accepted(),
        )
        .await;
    assert_eq!(told, json!({"id": 1, "params": {"interval": 30, "values": 2}}));
    // what was sent alone came before that answer
    assert_eq!(house.operator.streams(&id()).await.unwrap()[0].2.as_deref(), Some("7400"));
    // TC_N_107_CSMS
    let answer = json!({"constantStreamData": [stream]});
    let (came, _) = house.order(&mut pole, model(ModelOrder::Streams), "GetPeriodicEventStream", answer).await;
    let Some(StationAnswer::Streams(streams)) = came.answer else { panic!("{came:?}") };
    assert_eq!((streams.len(), streams[0].monitor), (1, 8));
    assert_eq!(pole.call("ClosePeriodicEventStream", json!({"id": 1})).await, json!({}));
    assert_eq!(house.operator.streams(&id()).await.unwrap(), []);
}

#[tokio::test]
async fn logs_of_a_data_collector_are_fetched_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    // TC_N_102_CSMS, TC_N_102_2_CSMS: with a user and a password for the place; TC_N_100_CSMS: what a collector gathered
    for (kind, name, to) in [
        (LogKind::Diagnostics, "DiagnosticsLog", "http://logs.example/here"),
        (LogKind::Diagnostics, "DiagnosticsLog", "https://user:word@logs.example/here"),
        (LogKind::DataCollector, "DataCollectorLog", "https://user:word@logs.example/here"),
    ] {
        let (from, until, retries) = (None, None, Retries::default());
        let to_where = Secret::new(to.into());
        let log = UpkeepOrder::FetchLog { request: 0, kind, to: to_where, from, until, retries, legacy: false };
        let (came, told) = house.order(&mut pole, word(ToStation::Upkeep(log)), "GetLog", accepted()).await;
        assert_eq!((&told["logType"], &told["log"]["remoteLocation"]), (&json!(name), &json!(to)));
        assert_eq!(told["requestId"], json!(came.request));
        for status in ["Uploading", "Uploaded"] {
            let said = json!({"status": status, "requestId": told["requestId"]});
            assert_eq!(pole.call("LogStatusNotification", said).await, json!({}));
        }
        assert_eq!(house.operator.request(came.request.unwrap()).await.unwrap().state, State::Done);
    }
    // what a collector reports in between
    let component = json!({"name": "ChargingStation"});
    assert_eq!(pole.event("Periodic", "21.5", component, "Temperature").await, json!({}));
    assert!(house.news("event").await[0].contains("ChargingStation.Temperature is 21.5"));
}

#[tokio::test]
async fn the_grid_sets_a_station_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    // TC_R_107_CSMS: a curve, a droop, and when to come back to the grid
    let droop = r#"{"freqDroop":{"priority":6,"overFreq":50.5,"underFreq":49.5,"overDroop":0.05,"underDroop":0.05,"responseTime":10}}"#;
    let enter = r#"{"enterService":{"priority":1,"highVoltage":250,"lowVoltage":210,"highFreq":50.5,"lowFreq":49.5}}"#;
    let curve = r#"{"curve":{"priority":3,"yUnit":"PctMaxW","curveData":[{"x":49,"y":75},{"x":50.5,"y":100}]}}"#;
    for (kind, control, default) in
        [("FreqDroop", droop, true), ("EnterService", enter, true), ("FreqWatt", curve, false)]
    {
        let order = GridOrder::Set {
            id: kind.to_lowercase().into(),
            kind: kind.into(),
            default,
            control: Document::new(control),
        };
        let told = house.accepted(&mut pole, grid(order), "SetDERControl", accepted()).await;
        let mut wanted: serde_json::Value = serde_json::from_str(control).unwrap();
        for (name, value) in
            [("isDefault", json!(default)), ("controlId", json!(kind.to_lowercase())), ("controlType", json!(kind))]
        {
            wanted[name] = value;
        }
        assert_eq!(told, wanted);
    }
    let read = GridOrder::Read { request: 0, id: None, kind: Some("FreqDroop".into()), default: None };
    let (came, told) = house.order(&mut pole, grid(read), "GetDERControl", accepted()).await;
    assert_eq!(told, json!({"requestId": came.request, "controlType": "FreqDroop"}));
    let droop: serde_json::Value = serde_json::from_str(droop).unwrap();
    let found = json!([{"id": "freqdroop", "isDefault": true, "isSuperseded": false, "freqDroop": droop["freqDroop"]}]);
    let said = json!({"requestId": told["requestId"], "freqDroop": found});
    assert_eq!(pole.call("ReportDERControl", said).await, json!({}));
    assert_eq!(house.operator.request(came.request.unwrap()).await.unwrap().state, State::Done);
    assert!(house.news("grid").await[0].contains("reports its controls"));
    let clear = GridOrder::Clear { id: Some("freqwatt".into()), kind: None, default: false };
    let told = house.accepted(&mut pole, grid(clear), "ClearDERControl", accepted()).await;
    assert_eq!(told, json!({"isDefault": false, "controlId": "freqwatt"}));
    // one takes the place of another
    let order =
        GridOrder::Set { id: "c2".into(), kind: "FreqWatt".into(), default: false, control: Document::new(curve) };
    let (came, _) = house
        .order(&mut pole, grid(order), "SetDERControl", json!({"status": "Accepted", "supersededIds": ["c1"]}))
        .await;
    let wanted = ItemOutcome { of: "c1".into(), word: "Superseded".into() };
    assert_eq!((came.outcome, came.answer), (Outcome::Accepted, Some(StationAnswer::Items(vec![wanted]))));
    let said = json!({"controlId": "c2", "started": true, "timestamp": time(), "supersededIds": ["c1"]});
    assert_eq!(pole.call("NotifyDERStartStop", said).await, json!({}));
    assert_eq!(house.news("grid").await[0], "control c2 has started over others");
    // TC_R_108_CSMS
    for (ended, over) in [(false, ""), (true, " is over")] {
        let said = json!({"controlType": "LVMustTrip", "gridEventFault": "UnderVoltage", "alarmEnded": ended, "timestamp": time()});
        assert_eq!(pole.call("NotifyDERAlarm", said).await, json!({}));
        assert_eq!(house.news("grid").await[0], format!("alarm of LVMustTrip{over}, UnderVoltage"));
    }
}

#[tokio::test]
async fn batteries_are_swapped_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted_new().await;
    let swap = || word(ToStation::Swap(SwapOrder { request: 0, token: card(VALID) }));
    // TC_S_102_CSMS: there are none
    let none = json!({"status": "Rejected", "statusInfo": {"reasonCode": "NoBatteryAvailable"}});
    let (came, told) = house.order(&mut pole, swap(), "RequestBatterySwap", none).await;
    assert_eq!((came.outcome, told["idToken"]["idToken"].as_str()), (Outcome::Refused, Some(VALID)));
    assert!(came.message.contains("NoBatteryAvailable"), "{}", came.message);
    assert_eq!(house.operator.request(came.request.unwrap()).await.unwrap().state, State::Refused);
    // TC_S_103_CSMS: two come in and two go out
    let (came, told) = house.order(&mut pole, swap(), "RequestBatterySwap", accepted()).await;
    assert_eq!(told["requestId"], json!(came.request));
    for (event, charged, state) in [("BatteryIn", 12, State::Going), ("BatteryOut", 95, State::Done)] {
        let battery =
            |evse: u16| json!({"evseId": evse, "serialNumber": format!("B{evse}"), "soC": charged, "soH": 98});
        let said = json!({
            "eventType": event, "requestId": told["requestId"], "idToken": told["idToken"],
            "batteryData": [battery(1), battery(2)],
        });
        assert_eq!(pole.call("BatterySwap", said).await, json!({}));
        assert_eq!(house.operator.request(came.request.unwrap()).await.unwrap().state, state);
        assert_eq!(house.news("swap").await[0], format!("{event}: battery B2, charged {charged} %, health 98 %"));
    }
}
