//! Blocks N02 to N08: monitors that are set, cleared and reported, and the events that come of them.

use super::*;

fn power() -> Value {
    json!({ "component": { "name": "EVSE", "evse": { "id": 1 } }, "variable": { "name": "Power" } })
}

fn interval() -> Value {
    json!({ "component": { "name": "OCPPCommCtrlr" }, "variable": { "name": "HeartbeatInterval" } })
}

/// One element of a request or a result about `of`.
fn about(of: Value, more: Value) -> Value {
    let mut whole = of;
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    whole
}

impl Stage {
    /// Asks for a report of monitors: what was ordered, and the number of the request.
    async fn monitors(&mut self, wish: Value, status: &str) -> (Value, Value) {
        self.word(&about(json!({ "kind": "read_monitors" }), wish), "GetMonitoringReport", status).await
    }

    async fn report(&mut self, told: &Value, (seq, more): (u32, bool), monitors: &[(i32, &str)]) {
        let monitor = |(id, kind): &(i32, &str)| {
            let one = json!({ "id": id, "type": kind, "value": 7_000, "severity": 4, "transaction": false });
            about(power(), json!({ "variableMonitoring": [one] }))
        };
        let said = json!({
            "requestId": told["request"], "seqNo": seq, "tbc": more, "generatedAt": now(),
            "monitor": monitors.iter().map(monitor).collect::<Vec<_>>(),
        });
        assert_eq!(self.say("NotifyMonitoringReport", &said).await, json!({}));
    }

    /// What is shown of the monitors that the station has reported.
    async fn known(&self) -> Vec<(i64, String)> {
        let model = self.network.operator.get(&format!("/stations/{}/model", self.id)).await;
        let each = |one: &Value| (one["id"].as_i64().unwrap(), one["monitor"].as_str().unwrap().to_owned());
        model["monitors"].as_array().unwrap().iter().map(each).collect()
    }

    async fn set_monitors(&mut self, wish: &Value, results: &Value) -> (Value, Value) {
        let body = json!({ "kind": "set_monitors", "monitors": wish });
        self.order("words", &body, "SetVariableMonitoring", Ok(json!({ "setMonitoringResult": results }))).await
    }
}

/// proves: N02.FR.05, N02.FR.10
#[tokio::test(flavor = "multi_thread")]
async fn monitors_are_reported_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-N3").await;
    // TC_N_01_CSMS: by criteria, in two parts
    let (ordered, told) =
        stage.monitors(json!({ "criteria": ["ThresholdMonitoring", "DeltaMonitoring"] }), ACCEPTED).await;
    let asked =
        json!({ "requestId": told["request"], "monitoringCriteria": ["ThresholdMonitoring", "DeltaMonitoring"] });
    assert_eq!(ordered, asked, "TC_N_01_CSMS");
    stage.report(&told, (0, true), &[(1, "UpperThreshold")]).await;
    assert_eq!(stage.request(&told).await.0, "going", "TC_N_01_CSMS");
    stage.report(&told, (1, false), &[(2, "Delta")]).await;
    assert_eq!(stage.request(&told).await.0, "done", "TC_N_01_CSMS");
    let known = [(1, "UpperThreshold".to_owned()), (2, "Delta".to_owned())];
    assert_eq!(stage.known().await, known, "TC_N_01_CSMS");
    // TC_N_02_CSMS: by variables; TC_N_03_CSMS: by both
    let variables = json!(["1/EVSE.Power", "OCPPCommCtrlr.HeartbeatInterval"]);
    let (ordered, told) = stage.monitors(json!({ "variables": variables }), ACCEPTED).await;
    assert_eq!(ordered["componentVariable"], json!([power(), interval()]), "TC_N_02_CSMS");
    assert!(ordered.get("monitoringCriteria").is_none(), "TC_N_02_CSMS");
    stage.report(&told, (0, false), &[(3, "Periodic")]).await;
    assert_eq!(stage.known().await, [(3, "Periodic".to_owned())], "TC_N_02_CSMS");
    let both = json!({ "variables": ["1/EVSE.Power"], "criteria": ["PeriodicMonitoring"] });
    let (ordered, told) = stage.monitors(both, ACCEPTED).await;
    let asked = json!({ "componentVariable": [power()], "monitoringCriteria": ["PeriodicMonitoring"] });
    expect("TC_N_03_CSMS", &ordered, &asked);
    stage.report(&told, (0, false), &[(3, "Periodic")]).await;
    assert_eq!(stage.request(&told).await.0, "done", "TC_N_03_CSMS");
    // unproved: TC_N_60_CSMS: all variables of a component, and a station that has no monitor there
    let (ordered, told) = stage.monitors(json!({ "variables": ["1/EVSE"] }), "EmptyResultSet").await;
    let component = json!([{ "component": { "name": "EVSE", "evse": { "id": 1 } } }]);
    assert_eq!(ordered["componentVariable"], component, "TC_N_60_CSMS");
    assert_eq!(stage.request(&told).await, ("refused".to_owned(), json!("EmptyResultSet")), "TC_N_60_CSMS");
    // TC_N_47_CSMS: everything
    let (ordered, _) = stage.monitors(json!({}), ACCEPTED).await;
    assert!(ordered.get("componentVariable").is_none() && ordered.get("monitoringCriteria").is_none(), "TC_N_47_CSMS");
}

/// proves: N03.FR.03, N03.FR.04, N03.FR.05, N04.FR.01, N04.FR.02, N04.FR.17, N05.FR.01, N05.FR.02, N06.FR.04
#[tokio::test(flavor = "multi_thread")]
async fn monitors_are_set_and_cleared_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-N4").await;
    // TC_N_05_CSMS: each base
    for (base, named) in [("all", "All"), ("factory_default", "FactoryDefault"), ("hard_wired_only", "HardWiredOnly")] {
        let (ordered, told) =
            stage.word(&json!({ "kind": "monitoring_base", "base": base }), "SetMonitoringBase", ACCEPTED).await;
        assert_eq!(
            (ordered, &told["outcome"]),
            (json!({ "monitoringBase": named }), &json!("accepted")),
            "TC_N_05_CSMS"
        );
    }
    // TC_N_08_CSMS: one monitor; TC_N_09_CSMS: two, with an outcome for each
    let wish = |variable: &str, kind: &str, value: &str| json!({ "variable": variable, "monitor": kind, "value": value, "severity": 5 });
    let data = |of: Value, kind: &str, value: u32| about(of, json!({ "type": kind, "value": value, "severity": 5 }));
    let result = |of: Value, kind: &str, status: &str, id: Option<u32>| {
        let mut result = about(of, json!({ "type": kind, "status": status, "severity": 5 }));
        if let Some(id) = id {
            result["id"] = json!(id);
        }
        result
    };
    let upper = wish("1/EVSE.Power", "upper_threshold", "7000");
    let taken = result(power(), "UpperThreshold", ACCEPTED, Some(11));
    let (ordered, told) = stage.set_monitors(&json!([upper]), &json!([taken])).await;
    expect("TC_N_08_CSMS", &ordered, &json!({ "setMonitoringData": [data(power(), "UpperThreshold", 7_000)] }));
    assert!(ordered["setMonitoringData"][0].get("id").is_none(), "TC_N_08_CSMS: the station gives the number");
    let of = |told: &Value| told["answer"]["monitors"].clone();
    assert_eq!(of(&told), json!([{ "id": 11, "variable": "1/EVSE.Power", "result": ACCEPTED }]), "TC_N_08_CSMS");
    let delta = wish("OCPPCommCtrlr.HeartbeatInterval", "delta", "1");
    let results =
        json!([result(power(), "UpperThreshold", "Duplicate", None), result(interval(), "Delta", "Rejected", None),]);
    let (ordered, told) = stage.set_monitors(&json!([upper, delta]), &results).await;
    let both = json!([data(power(), "UpperThreshold", 7_000), data(interval(), "Delta", 1)]);
    expect("TC_N_09_CSMS", &ordered, &json!({ "setMonitoringData": both }));
    let words: Vec<_> = of(&told).as_array().unwrap().iter().map(|one| one["result"].clone()).collect();
    assert_eq!(words, ["Duplicate", "Rejected"], "TC_N_09_CSMS");
    // TC_N_16_CSMS: the level; TC_N_17_CSMS: one that the station does not have
    for (case, severity, status, outcome) in
        [("TC_N_16_CSMS", 4, ACCEPTED, "accepted"), ("TC_N_17_CSMS", 9, "Rejected", "refused")]
    {
        let body = json!({ "kind": "monitoring_level", "severity": severity });
        let (ordered, told) = stage.word(&body, "SetMonitoringLevel", status).await;
        assert_eq!((ordered, &told["outcome"]), (json!({ "severity": severity }), &json!(outcome)), "{case}");
    }
    let beyond = Some(&json!({ "kind": "monitoring_level", "severity": 10 }));
    let (status, _) = stage.network.operator.ask("POST", "/stations/CASES-N4/words", beyond).await.unwrap();
    assert_eq!(status, 400, "TC_N_17_CSMS: there is no such level, so none is sent");
    // TC_N_18_CSMS: one is cleared, TC_N_44_CSMS: one in hardware is not
    for (case, words) in [("TC_N_18_CSMS", vec![ACCEPTED]), ("TC_N_44_CSMS", vec!["Rejected", "NotFound"])] {
        let ids: Vec<usize> = (11..11 + words.len()).collect();
        let result = |(id, word): (&usize, &&str)| json!({ "id": id, "status": word });
        let results: Vec<Value> = ids.iter().zip(&words).map(result).collect();
        let body = json!({ "kind": "clear_monitors", "ids": ids });
        let answer = Ok(json!({ "clearMonitoringResult": results }));
        let (ordered, told) = stage.order("words", &body, "ClearVariableMonitoring", answer).await;
        assert_eq!(ordered, json!({ "id": ids }), "{case}");
        let shown: Vec<_> =
            told["answer"]["items"].as_array().unwrap().iter().map(|one| one["result"].clone()).collect();
        assert_eq!(shown, words, "{case}");
    }
}

/// proves: N07.FR.06, N08.FR.02
#[tokio::test(flavor = "multi_thread")]
async fn events_are_taken_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-N5").await;
    let event = |trigger: &str, kind: &str, value: &str, cleared: bool| {
        about(
            power(),
            json!({
                "eventId": 1, "timestamp": now(), "trigger": trigger, "actualValue": value, "cleared": cleared,
                "eventNotificationType": kind, "variableMonitoringId": 11,
            }),
        )
    };
    let threshold = event("Alerting", "CustomMonitor", "7500", false);
    let over = event("Alerting", "CustomMonitor", "6500", true);
    let delta = event("Delta", "CustomMonitor", "5000", false);
    for (case, events, told) in [
        // a monitor in hardware
        ("TC_N_21_CSMS", vec![event("Alerting", "HardWiredMonitor", "9000", false)], "1/EVSE.Power is 9000"),
        ("TC_N_24_CSMS", vec![event("Periodic", "CustomMonitor", "4000", false)], "1/EVSE.Power is 4000"),
        // unproved: a threshold that is crossed and crossed back, also both told at once after a time without a line
        ("TC_N_48_CSMS", vec![threshold.clone(), over.clone()], "1/EVSE.Power is 6500, over again"),
        ("TC_N_49_CSMS", vec![threshold], "1/EVSE.Power is 7500"),
        ("TC_N_49_CSMS", vec![over], "1/EVSE.Power is 6500, over again"),
        // unproved: a value that has moved
        ("TC_N_50_CSMS", vec![delta], "1/EVSE.Power is 5000"),
    ] {
        let said = json!({ "generatedAt": now(), "seqNo": 0, "tbc": false, "eventData": events });
        assert_eq!(stage.say("NotifyEvent", &said).await, json!({}), "{case}");
        assert_eq!(stage.newest("event").await, told, "{case}");
    }
}
