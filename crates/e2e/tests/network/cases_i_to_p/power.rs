//! Block K: charging profiles that are set, read and cleared, and limits from elsewhere.

use super::*;

const FROM: &str = "2027-01-01T08:00:00Z";

/// A profile as the operator's API spells it.
fn wish(purpose: &str, kind: &str, limit: &str) -> Value {
    let start = (kind != "relative").then_some(FROM);
    json!({
        "id": 5, "stack_level": 2, "purpose": purpose, "kind": kind,
        "schedules": [{ "id": 1, "start": start, "duration_s": 300, "unit": "A", "periods": [{ "start": 0, "limit": limit }] }],
    })
}

/// And as the standard spells it.
fn named(purpose: &str, kind: &str, limit: u32) -> Value {
    json!({
        "id": 5, "stackLevel": 2, "chargingProfilePurpose": purpose, "chargingProfileKind": kind,
        "chargingSchedule": [{
            "duration": 300, "chargingRateUnit": "A", "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": limit }],
        }],
    })
}

impl Stage {
    async fn set_profile(&mut self, evse: Option<u16>, profile: Value, status: &str) -> (Value, Value) {
        let body = json!({ "kind": "set_profile", "evse": evse, "profile": profile });
        self.word(&body, "SetChargingProfile", status).await
    }

    async fn tell_profiles(&mut self, told: &Value, evse: u16, more: bool, source: &str, ids: &[i32]) {
        let profile = |id: &i32| {
            let mut profile = named("TxDefaultProfile", "Absolute", 10);
            profile["id"] = json!(id);
            profile["chargingSchedule"][0]["id"] = json!(1);
            profile["chargingSchedule"][0]["startSchedule"] = json!(FROM);
            profile
        };
        let said = json!({
            "requestId": told["request"], "chargingLimitSource": source, "evseId": evse, "tbc": more,
            "chargingProfile": ids.iter().map(profile).collect::<Vec<_>>(),
        });
        assert_eq!(self.say("ReportChargingProfiles", &said).await, json!({}));
    }

    /// The numbers of the profiles that the station is known to have.
    async fn installed(&self) -> Vec<i64> {
        let model = self.network.operator.get(&format!("/stations/{}/model", self.id)).await;
        let mut ids: Vec<_> =
            model["profiles"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
        ids.sort_unstable();
        ids
    }
}

/// proves: K01.FR.03, K01.FR.05, K01.FR.29, K01.FR.31, K01.FR.38, K08.FR.01, K10.FR.02
#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_set_cleared_and_put_together_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-K1").await;
    let default = || wish("default", "absolute", "10");
    for (case, evse, profile, at, said) in [
        ("TC_K_01_CSMS", Some(1), default(), 1, named("TxDefaultProfile", "Absolute", 10)),
        // the same number again takes the place of the one before
        ("TC_K_04_CSMS", Some(1), wish("default", "absolute", "8"), 1, named("TxDefaultProfile", "Absolute", 8)),
        (
            "TC_K_03_CSMS",
            None,
            wish("station_max", "absolute", "32"),
            0,
            named("ChargingStationMaxProfile", "Absolute", 32),
        ),
        ("TC_K_10_CSMS", None, default(), 0, named("TxDefaultProfile", "Absolute", 10)),
        (
            "TC_K_19_CSMS",
            Some(1),
            wish("default", "daily", "10"),
            1,
            json!({ "chargingProfileKind": "Recurring", "recurrencyKind": "Daily" }),
        ),
    ] {
        let (ordered, told) = stage.set_profile(evse, profile, ACCEPTED).await;
        expect(case, &ordered, &json!({ "evseId": at, "chargingProfile": said }));
        assert_eq!(told["outcome"], "accepted", "{case}");
    }
    let (ordered, _) = stage.set_profile(Some(1), default(), ACCEPTED).await;
    assert!(ordered["chargingProfile"].get("transactionId").is_none(), "TC_K_01_CSMS");
    // TC_K_60_CSMS: of the transaction that runs; TC_K_02_CSMS: of none, which the station refuses
    let mut own = wish("transaction", "relative", "6");
    own["transaction"] = json!("tx-9");
    for (case, status, outcome) in [("TC_K_60_CSMS", ACCEPTED, "accepted"), ("TC_K_02_CSMS", "Rejected", "refused")] {
        let (ordered, told) = stage.set_profile(Some(1), own.clone(), status).await;
        let mut said = named("TxProfile", "Relative", 6);
        said["transactionId"] = json!("tx-9");
        expect(case, &ordered, &json!({ "evseId": 1, "chargingProfile": said }));
        assert_eq!(told["outcome"], outcome, "{case}");
    }
    // TC_K_15_CSMS: a station without smart charging
    let body = json!({ "kind": "set_profile", "evse": 1, "profile": default() });
    let (_, told) = stage.order("words", &body, "SetChargingProfile", Err("NotSupported")).await;
    assert_eq!(told["outcome"], "error", "TC_K_15_CSMS");
    assert!(told["message"].as_str().unwrap().contains("NotSupported"), "TC_K_15_CSMS: {told}");
    // cleared: by number, or by what it is
    for (case, wish, said, status, outcome) in [
        ("TC_K_05_CSMS", json!({ "ids": [5] }), json!({ "chargingProfileId": 5 }), ACCEPTED, "accepted"),
        (
            "TC_K_06_CSMS",
            json!({ "evse": 1, "purpose": "default", "stack_level": 2 }),
            json!({ "chargingProfileCriteria": { "evseId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2 } }),
            ACCEPTED,
            "accepted",
        ),
        ("TC_K_08_CSMS", json!({ "ids": [77] }), json!({ "chargingProfileId": 77 }), "Unknown", "refused"),
    ] {
        let mut body = json!({ "kind": "clear_profiles" });
        body.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let (ordered, told) = stage.word(&body, "ClearChargingProfile", status).await;
        assert_eq!((ordered, &told["outcome"]), (said, &json!(outcome)), "{case}");
    }
    // TC_K_43_CSMS, TC_K_44_CSMS: what comes of all of them, at an EVSE and for the station
    for (case, evse, at) in [("TC_K_43_CSMS", Some(1), 1), ("TC_K_44_CSMS", None, 0)] {
        let body = json!({ "kind": "composite", "evse": evse, "duration_s": 300, "unit": "A" });
        let schedule = json!({
            "evseId": at, "duration": 300, "scheduleStart": FROM, "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": 9.5 }],
        });
        let answer = Ok(json!({ "status": ACCEPTED, "schedule": schedule }));
        let (ordered, told) = stage.order("words", &body, "GetCompositeSchedule", answer).await;
        assert_eq!(ordered, json!({ "evseId": at, "duration": 300, "chargingRateUnit": "A" }), "{case}");
        expect(
            case,
            &told["answer"]["composite"],
            &json!({ "unit": "A", "periods": [{ "start": 0, "limit": "9.5" }] }),
        );
    }
}

/// proves: K09.FR.01, K09.FR.03
#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_read_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-K2").await;
    let default = json!({ "chargingProfilePurpose": "TxDefaultProfile" });
    let level = json!({ "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2 });
    for (case, wish, evse, criteria) in [
        ("TC_K_29_CSMS", json!({ "whole_station": true, "purpose": "default" }), Some(0), default.clone()),
        ("TC_K_30_CSMS", json!({ "evse": 1 }), Some(1), json!({})),
        ("TC_K_31_CSMS", json!({ "purpose": "default" }), None, default.clone()),
        ("TC_K_32_CSMS", json!({ "ids": [5] }), None, json!({ "chargingProfileId": [5] })),
        ("TC_K_33_CSMS", json!({ "evse": 1, "stack_level": 2 }), Some(1), json!({ "stackLevel": 2 })),
        ("TC_K_34_CSMS", json!({ "evse": 1, "sources": ["CSO"] }), Some(1), json!({ "chargingLimitSource": ["CSO"] })),
        ("TC_K_35_CSMS", json!({ "evse": 1, "purpose": "default" }), Some(1), default),
        ("TC_K_36_CSMS", json!({ "evse": 1, "purpose": "default", "stack_level": 2 }), Some(1), level),
    ] {
        let mut body = json!({ "kind": "read_profiles" });
        body.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let (ordered, told) = stage.word(&body, "GetChargingProfiles", ACCEPTED).await;
        let mut asked = json!({ "requestId": told["request"], "chargingProfile": criteria });
        if let Some(evse) = evse {
            asked["evseId"] = json!(evse);
        }
        assert_eq!(ordered, asked, "{case}");
        // in two messages, of two sources
        stage.tell_profiles(&told, evse.unwrap_or(1), true, "CSO", &[5]).await;
        assert_eq!(stage.request(&told).await.0, "going", "{case}");
        stage.tell_profiles(&told, evse.unwrap_or(1), false, "EMS", &[6]).await;
        assert_eq!(stage.request(&told).await.0, "done", "{case}");
        assert_eq!(stage.installed().await, [5, 6], "{case}");
    }
    let (_, told) =
        stage.word(&json!({ "kind": "read_profiles", "evse": 1 }), "GetChargingProfiles", "NoProfiles").await;
    assert_eq!(stage.request(&told).await, ("refused".to_owned(), json!("NoProfiles")), "TC_K_30_CSMS");
}

/// proves: F01.FR.08, F01.FR.09, F01.FR.11, K05.FR.02
#[tokio::test(flavor = "multi_thread")]
async fn a_start_brings_its_profile_as_the_case_asks() {
    let mut stage = Stage::set("CASES-K3").await;
    let body = json!({ "kind": "start", "evse": 1, "profile": wish("transaction", "relative", "10") });
    let answer = Ok(json!({ "status": ACCEPTED }));
    let (ordered, told) = stage.order("orders", &body, "RequestStartTransaction", answer).await;
    assert_eq!(told["outcome"], "accepted", "TC_K_37_CSMS");
    expect("TC_K_37_CSMS", &ordered, &json!({ "evseId": 1, "chargingProfile": named("TxProfile", "Relative", 10) }));
    assert!(ordered["chargingProfile"].get("transactionId").is_none(), "TC_K_37_CSMS");
    let begun = json!({
        "eventType": "Started", "timestamp": now(), "seqNo": 0, "triggerReason": "RemoteStart",
        "transactionInfo": { "transactionId": "cases-k-37", "remoteStartId": ordered["remoteStartId"] },
        "evse": { "id": 1, "connectorId": 1 }, "idToken": ordered["idToken"],
    });
    let heard = stage.say("TransactionEvent", &begun).await;
    assert_eq!(heard["idTokenInfo"]["status"], ACCEPTED, "TC_K_37_CSMS: {heard}");
    // a profile of anything else is no start's
    let other = json!({ "kind": "start", "evse": 1, "profile": wish("default", "absolute", "10") });
    let (status, _) = stage.network.operator.ask("POST", "/stations/CASES-K3/orders", Some(&other)).await.unwrap();
    assert_eq!(status, 400, "F01.FR.09");
}

/// proves: K12.FR.04, K13.FR.02
#[tokio::test(flavor = "multi_thread")]
async fn limits_from_elsewhere_are_taken_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-K4").await;
    let schedule = json!({
        "id": 1, "startSchedule": FROM, "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": 6 }],
    });
    // unproved: with and without a schedule, of an EVSE and of the station
    for (case, source, evse, told) in [
        ("TC_K_48_CSMS", "EMS", Some(1), "EMS limits charging to 6 Amperes"),
        ("TC_K_52_CSMS", "SO", None, "SO limits charging to 6 Amperes, critical for the grid"),
    ] {
        let limit = json!({ "chargingLimitSource": source, "isGridCritical": source == "SO" });
        let mut said = json!({ "chargingLimit": limit, "chargingSchedule": [schedule] });
        if let Some(evse) = evse {
            said["evseId"] = json!(evse);
        }
        assert_eq!(stage.say("NotifyChargingLimit", &said).await, json!({}), "{case}");
        assert_eq!(stage.newest("charging").await, told, "{case}");
    }
    for (case, source, evse) in [("TC_K_50_CSMS", "EMS", Some(1)), ("TC_K_51_CSMS", "SO", None)] {
        let mut said = json!({ "chargingLimitSource": source });
        if let Some(evse) = evse {
            said["evseId"] = json!(evse);
        }
        assert_eq!(stage.say("ClearedChargingLimit", &said).await, json!({}), "{case}");
        assert_eq!(stage.newest("charging").await, format!("{source} limits charging no longer"), "{case}");
    }
}

impl Stage {
    /// The station says something whose answer promises a profile, or refuses a plan: the answer, and the profile that comes
    /// before it or after it.
    async fn say_and_get(&mut self, action: &str, payload: &Value) -> (Value, Value) {
        self.line.send(&json!([2, "power", action, payload]).to_string()).await;
        let (mut answer, mut profile) = (None, None);
        while answer.is_none() || profile.is_none() {
            let frame = self.line.frame().await;
            if frame[0] == 3 && frame[1] == "power" {
                answer = Some(frame[2].clone());
            } else {
                assert_eq!(frame[2], "SetChargingProfile", "{frame}");
                self.line.send(&json!([3, frame[1], { "status": ACCEPTED }]).to_string()).await;
                profile = Some(frame[3].clone());
            }
        }
        (answer.unwrap(), profile.unwrap())
    }
}

/// proves: K15.FR.02, K15.FR.03, K15.FR.07, K15.FR.11, K15.FR.12, K16.FR.06, K17.FR.02, K17.FR.03, K17.FR.11
#[tokio::test(flavor = "multi_thread")]
async fn cars_that_say_what_they_need_are_given_a_profile_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-K5").await;
    let begun = json!({
        "eventType": "Started", "timestamp": now(), "seqNo": 0, "triggerReason": "CablePluggedIn",
        "transactionInfo": { "transactionId": "cases-k-53" }, "evse": { "id": 1, "connectorId": 1 },
    });
    stage.say("TransactionEvent", &begun).await;
    let needs = |watts: u32| {
        let car = json!({ "evMaxCurrent": 500, "evMaxVoltage": 900, "evMaxPower": watts });
        let needs = json!({ "requestedEnergyTransfer": "DC", "dcChargingParameters": car });
        json!({ "evseId": 1, "maxScheduleTuples": 3, "chargingNeeds": needs })
    };
    let plan = |watts: u32| {
        let period = json!({ "startPeriod": 0, "limit": watts });
        let schedule = json!({ "id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period] });
        json!({ "evseId": 1, "timeBase": now(), "chargingSchedule": schedule })
    };
    let given = |watts: u32| {
        json!({ "evseId": 1, "chargingProfile": {
            "chargingProfilePurpose": "TxProfile", "transactionId": "cases-k-53",
            "chargingSchedule": [{ "chargingRateUnit": "W", "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": watts }] }],
        } })
    };
    // TC_K_53_CSMS: before it begins; TC_K_57_CSMS: and when the car wants something else in the middle of it
    for (case, watts) in [("TC_K_53_CSMS", 100_000), ("TC_K_57_CSMS", 50_000)] {
        let (answer, profile) = stage.say_and_get("NotifyEVChargingNeeds", &needs(watts)).await;
        assert_eq!(answer["status"], ACCEPTED, "{case}");
        expect(case, &profile, &given(watts));
        assert_eq!(stage.say("NotifyEVChargingSchedule", &plan(watts)).await["status"], ACCEPTED, "{case}");
    }
    // TC_K_55_CSMS: it plans more than its place gives, and is told again what it may have
    let (answer, profile) = stage.say_and_get("NotifyEVChargingSchedule", &plan(900_000)).await;
    assert_eq!(answer["status"], "Rejected", "TC_K_55_CSMS");
    expect("TC_K_55_CSMS", &profile, &given(400_000));
    // TC_K_58_CSMS: the operator wants something else, and the car plans anew
    let mut own = wish("transaction", "relative", "60");
    own["transaction"] = json!("cases-k-53");
    let (ordered, told) = stage.set_profile(Some(1), own, ACCEPTED).await;
    expect("TC_K_58_CSMS", &ordered["chargingProfile"], &json!({ "transactionId": "cases-k-53" }));
    assert_eq!(told["outcome"], "accepted", "TC_K_58_CSMS");
    assert_eq!(stage.say("NotifyEVChargingSchedule", &plan(20_000)).await["status"], ACCEPTED, "TC_K_58_CSMS");
    // where nothing runs, nothing is promised
    let elsewhere = json!({ "evseId": 2, "chargingNeeds": { "requestedEnergyTransfer": "DC" } });
    assert_eq!(stage.say("NotifyEVChargingNeeds", &elsewhere).await["status"], "Rejected", "K15.FR.02");
}
