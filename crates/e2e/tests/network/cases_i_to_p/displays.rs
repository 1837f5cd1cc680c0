//! Block O: messages on the station's display.

use super::*;

const FROM: &str = "2027-01-01T08:00:00Z";
const UNTIL: &str = "2027-01-01T09:00:00Z";

impl Stage {
    async fn show(&mut self, more: Value, status: &str) -> (Value, Value) {
        let mut message =
            json!({ "id": 9, "priority": "NormalCycle", "format": "UTF8", "language": "de", "text": "Moin" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.word(&json!({ "kind": "set_display", "message": message }), "SetDisplayMessage", status).await
    }

    async fn read(&mut self, wish: Value, status: &str) -> (Value, Value) {
        let mut body = json!({ "kind": "read_displays" });
        body.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        self.word(&body, "GetDisplayMessages", status).await
    }

    async fn notify(&mut self, told: &Value, more: bool, ids: &[i32]) {
        let one = |id: &i32| {
            let content = json!({ "format": "UTF8", "content": format!("message {id}") });
            json!({ "id": id, "priority": "InFront", "message": content })
        };
        let said = json!({
            "requestId": told["request"], "tbc": more, "messageInfo": ids.iter().map(one).collect::<Vec<_>>(),
        });
        assert_eq!(self.say("NotifyDisplayMessages", &said).await, json!({}));
    }

    /// The numbers of the messages that the station is known to show.
    async fn displayed(&self) -> Vec<i64> {
        let model = self.network.operator.get(&format!("/stations/{}/model", self.id)).await;
        model["displays"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
    }
}

/// proves: O01.FR.01, O01.FR.02, O02.FR.01, O06.FR.01
#[tokio::test(flavor = "multi_thread")]
async fn messages_are_set_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-O1").await;
    let charging = json!({ "transaction": "tx-9" });
    let (during, timed) = (json!({ "state": "Charging" }), json!({ "from": FROM, "until": UNTIL }));
    let both = json!({ "transaction": "tx-9", "from": FROM, "until": UNTIL });
    let (start, end) = (json!({ "startDateTime": FROM }), json!({ "endDateTime": UNTIL }));
    for (case, wish, status, member) in [
        ("TC_O_01_CSMS", json!({}), ACCEPTED, json!({ "id": 9, "priority": "NormalCycle" })),
        ("TC_O_06_CSMS", charging.clone(), ACCEPTED, json!({ "transactionId": "tx-9" })),
        ("TC_O_10_CSMS", charging.clone(), "UnknownTransaction", json!({ "transactionId": "tx-9" })),
        // the same number again takes the place of the one before (O06.FR.01)
        ("TC_O_12_CSMS", json!({ "text": "Tschüß" }), ACCEPTED, json!({ "id": 9, "message": { "content": "Tschüß" } })),
        ("TC_O_13_CSMS", timed.clone(), ACCEPTED, start.clone()),
        ("TC_O_14_CSMS", timed, ACCEPTED, end.clone()),
        (
            "TC_O_17_CSMS",
            json!({ "priority": "AlwaysFront" }),
            "NotSupportedPriority",
            json!({ "priority": "AlwaysFront" }),
        ),
        ("TC_O_18_CSMS", during, "NotSupportedState", json!({ "state": "Charging" })),
        (
            "TC_O_19_CSMS",
            json!({ "format": "HTML" }),
            "NotSupportedMessageFormat",
            json!({ "message": { "format": "HTML" } }),
        ),
        // unproved: of a transaction and of a time
        ("TC_O_26_CSMS", both.clone(), ACCEPTED, start),
        ("TC_O_27_CSMS", both, ACCEPTED, end),
        // unproved: refused for a reason of the station's own
        ("TC_O_28_CSMS", json!({}), "Rejected", json!({ "id": 9 })),
    ] {
        let (ordered, told) = stage.show(wish, status).await;
        expect(case, &ordered["message"], &member);
        let (outcome, message) = match status {
            ACCEPTED => ("accepted", "the station accepted".to_owned()),
            other => ("refused", format!("the station answered {other}")),
        };
        expect(case, &told, &json!({ "outcome": outcome, "message": message }));
    }
    // nothing is said of what was not asked for (O01.FR.01)
    let (ordered, _) = stage.show(json!({}), ACCEPTED).await;
    for absent in ["startDateTime", "endDateTime", "transactionId", "state"] {
        assert!(ordered["message"].get(absent).is_none(), "TC_O_01_CSMS: {absent}");
    }
}

/// proves: O03.FR.02, O03.FR.06, O04.FR.01, O05.FR.01
#[tokio::test(flavor = "multi_thread")]
async fn messages_are_read_and_cleared_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-O2").await;
    // TC_O_02_CSMS: all of them; unproved: TC_O_25_CSMS, in more than one part
    let (ordered, told) = stage.read(json!({}), ACCEPTED).await;
    assert_eq!(ordered, json!({ "requestId": told["request"] }), "TC_O_02_CSMS");
    stage.notify(&told, true, &[1, 2]).await;
    assert_eq!(stage.request(&told).await.0, "going", "TC_O_25_CSMS");
    stage.notify(&told, false, &[3]).await;
    assert_eq!(stage.request(&told).await.0, "done", "TC_O_02_CSMS");
    assert_eq!(stage.displayed().await, [1, 2, 3], "TC_O_25_CSMS");
    // one of them: by its number, by its priority, by the state it is shown in
    for (case, wish) in [
        ("TC_O_07_CSMS", json!({ "ids": [2] })),
        ("TC_O_08_CSMS", json!({ "priority": "InFront" })),
        ("TC_O_09_CSMS", json!({ "state": "Charging" })),
    ] {
        let (ordered, told) = stage.read(wish.clone(), ACCEPTED).await;
        let mut asked = json!({ "requestId": told["request"] });
        for (name, value) in wish.as_object().unwrap() {
            asked[if name == "ids" { "id" } else { name }] = value.clone();
        }
        assert_eq!(ordered, asked, "{case}");
        stage.notify(&told, false, &[2]).await;
        assert_eq!(stage.request(&told).await.0, "done", "{case}");
        assert!(stage.displayed().await.contains(&2), "{case}");
    }
    // TC_O_04_CSMS: one is cleared; TC_O_05_CSMS: there is no such
    for (case, status, outcome) in [("TC_O_04_CSMS", ACCEPTED, "accepted"), ("TC_O_05_CSMS", "Unknown", "refused")] {
        let (ordered, told) =
            stage.word(&json!({ "kind": "clear_display", "id": 2 }), "ClearDisplayMessage", status).await;
        assert_eq!((ordered, &told["outcome"]), (json!({ "id": 2 }), &json!(outcome)), "{case}");
        assert!(!stage.displayed().await.contains(&2), "{case}");
    }
    // TC_O_03_CSMS: there is none; TC_O_11_CSMS: none is like that
    for (case, wish) in [("TC_O_03_CSMS", json!({})), ("TC_O_11_CSMS", json!({ "ids": [77] }))] {
        let (_, told) = stage.read(wish, "Unknown").await;
        assert_eq!(stage.request(&told).await, ("refused".to_owned(), json!("Unknown")), "{case}");
    }
    assert!(stage.displayed().await.is_empty(), "TC_O_03_CSMS");
}
