//! Block E: where transactions may begin and end, and that the operator follows each of them.

use charge::id::TransactionKey;
use charge::talk::line::model::ModelOrder;
use charge::talk::line::{StationAnswer, ToStation};
use operator::StationOrder;
use operator::order::Outcome;
use operator::session::State;
use serde_json::{Value, json};

use super::house::{House, STRANGE, VALID};
use super::visit::Visit;

fn accepted(info: &Value) {
    assert_eq!(info["status"], "Accepted", "{info}");
}

#[tokio::test]
async fn a_transaction_begins_where_the_station_says_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_E_01_CSMS (power path closed), TC_E_02_CSMS (energy flows), TC_E_11_CSMS (signed data received);
    // proves: E01.FR.05, E01.FR.06, E01.FR.04, E01.FR.11, E01.FR.12
    let begins = [
        ("ChargingStateChanged", json!({"transactionInfo": {"chargingState": "SuspendedEVSE"}})),
        ("ChargingStateChanged", json!({"transactionInfo": {"chargingState": "Charging"}})),
        ("SignedDataReceived", Value::Null),
    ];
    for (trigger, more) in begins {
        let mut visit = Visit::at(1);
        accepted(&pole.authorize(VALID).await);
        pole.status(1, "Occupied").await;
        let mut said = json!({"evse": visit.place(), "idToken": {"idToken": VALID, "type": "ISO14443"}});
        match more {
            Value::Null => said["meterValue"] = visit.register("Transaction.Begin", 0, true),
            more => said["transactionInfo"] = more["transactionInfo"].clone(),
        }
        accepted(&visit.tell(&mut pole, trigger, said).await["idTokenInfo"]);
        visit.turn(&mut pole, "ChargingStateChanged", "Charging").await;
        let session = house.newest().await;
        assert_eq!(
            (session.card.state, session.records),
            (State::Active, usize::from(trigger == "SignedDataReceived"))
        );
        visit.stopped(&mut pole, VALID).await;
        visit.left(&mut pole, json!({})).await;
    }

    // TC_E_12_CSMS (a car was detected), TC_E_09_CSMS (a cable was plugged in): nobody has said yet who pays;
    // proves: E01.FR.01, E01.FR.02
    let mut visit = Visit::at(1);
    assert_eq!(visit.tell(&mut pole, "EVDetected", json!({})).await, json!({}));
    assert_eq!(house.newest().await.card.state, State::Waiting);
    visit.plugged(&mut pole).await;
    visit.end(&mut pole, "EVDeparted", "Local", json!({})).await;
    let mut visit = Visit::at(1);
    assert_eq!(visit.plugged(&mut pole).await, json!({}));
    let session = house.newest().await;
    assert_eq!((session.card.state, session.card.no.map(|no| no.get())), (State::Waiting, Some(1)));

    // TC_E_03_CSMS: cable first; proves: E02.FR.02
    let (asked, named) = visit.authorized(&mut pole, VALID).await;
    accepted(&asked);
    accepted(&named);
    visit.turn(&mut pole, "ChargingStateChanged", "Charging").await;
    assert_eq!(house.newest().await.card.state, State::Active);
    visit.stopped(&mut pole, VALID).await;
    visit.left(&mut pole, json!({})).await;

    // TC_E_10_CSMS, TC_E_04_CSMS: card first; proves: E01.FR.03, E03.FR.02
    let mut visit = Visit::at(1);
    let (asked, named) = visit.authorized(&mut pole, VALID).await;
    accepted(&asked);
    accepted(&named);
    let session = house.newest().await;
    assert_eq!((session.card.state, session.card.no), (State::Active, None), "the EVSE is not known yet");

    // TC_E_38_CSMS: the car is there and not ready
    visit.plugged(&mut pole).await;
    assert_eq!(visit.turn(&mut pole, "ChargingStateChanged", "SuspendedEV").await, json!({}));
    let session = house.newest().await;
    assert_eq!((session.card.state, session.card.no.map(|no| no.get())), (State::Active, Some(1)));
    visit.turn(&mut pole, "ChargingStateChanged", "Charging").await;
    assert_eq!(house.sessions().await, 6, "each transaction made one session");
}

#[tokio::test]
async fn a_transaction_ends_where_the_station_says_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    let ended = async |why: &str| {
        let session = house.newest().await;
        assert!(session.card.end.is_some(), "{:?}", session.card);
        assert_eq!(session.card.end_reason.as_deref(), Some(why), "{:?}", session.card);
        session.card.state
    };

    // TC_E_14_CSMS: the cable is taken out at the station; proves: E06.FR.02
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    visit.stopped(&mut pole, VALID).await;
    assert_eq!(visit.left(&mut pole, json!({})).await, json!({}));
    assert_eq!(ended("EVDisconnected").await, State::Ended);
    // TC_E_20_CSMS: and at the car, which had suspended before; TC_E_17_CSMS: without a status before
    for said in [true, false] {
        let mut visit = Visit::at(1);
        visit.charging(&mut pole, VALID).await;
        visit.turn(&mut pole, "ChargingStateChanged", "SuspendedEV").await;
        let answer = if said {
            visit.left(&mut pole, json!({})).await
        } else {
            let idle = json!({"transactionInfo": {"chargingState": "Idle"}});
            visit.end(&mut pole, "EVCommunicationLost", "EVDisconnected", idle).await
        };
        assert_eq!(answer, json!({}));
        assert_eq!(ended("EVDisconnected").await, State::Ended);
    }
    // TC_E_15_CSMS, TC_E_07_CSMS: stopped by the card; proves: E06.FR.03, E06.FR.06
    // TC_E_08_CSMS, TC_E_22_CSMS: energy ceased to flow, by the card or by the car; proves: E06.FR.07
    let rows = [
        ("StopAuthorized", None, "Local", false),
        ("ChargingStateChanged", Some("EVConnected"), "Local", true),
        ("ChargingStateChanged", Some("SuspendedEV"), "StoppedByEV", false),
    ];
    for (trigger, state, why, stopped) in rows {
        let mut visit = Visit::at(1);
        visit.charging(&mut pole, VALID).await;
        if stopped {
            accepted(&visit.shown(&mut pole, "StopAuthorized", VALID).await);
        }
        let more = state.map_or(json!({}), |state| json!({"transactionInfo": {"chargingState": state}}));
        assert_eq!(visit.end(&mut pole, trigger, why, more).await, json!({}));
        assert_eq!(ended("Local").await, State::Ended);
    }
    // TC_E_19_CSMS: the bay is empty again; proves: E06.FR.01
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    visit.stopped(&mut pole, VALID).await;
    visit.turn(&mut pole, "EVCommunicationLost", "Idle").await;
    assert!(house.newest().await.card.end.is_none(), "an idle car may still stand there");
    assert_eq!(visit.end(&mut pole, "EVDeparted", "Local", json!({})).await, json!({}));
    assert_eq!(ended("Local").await, State::Ended);
    // TC_E_16_CSMS: a token that nobody knows is refused in the answer, and the station ends it; proves: E06.FR.04
    let mut visit = Visit::at(1);
    let named = visit.shown(&mut pole, "Authorized", STRANGE).await;
    assert_eq!(named["status"], "Unknown");
    assert_eq!(visit.end(&mut pole, "Deauthorized", "DeAuthorized", json!({})).await, json!({}));
    assert_eq!(ended("DeAuthorized").await, State::Void);
    // TC_E_39_CSMS: nobody plugged in in time; proves: E03.FR.05
    let mut visit = Visit::at(1);
    visit.authorized(&mut pole, VALID).await;
    assert_eq!(visit.end(&mut pole, "EVConnectTimeout", "Timeout", json!({})).await, json!({}));
    assert!(house.newest().await.card.end.is_some());
    // TC_E_21_CSMS: stopped from afar; proves: F03.FR.01
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    let stop = StationOrder::Stop { session: house.newest().await.card.id };
    let told = house.accepted(&mut pole, stop, "RequestStopTransaction", json!({"status": "Accepted"})).await;
    assert_eq!(told, json!({"transactionId": visit.tx}));
    assert_eq!(visit.end(&mut pole, "RemoteStop", "Remote", json!({})).await, json!({}));
    assert_eq!(ended("Remote").await, State::Ended);
}

#[tokio::test]
async fn a_transaction_goes_on_and_the_next_one_counts_anew_as_the_cases_ask() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    // TC_E_26_CSMS: unplugged at the car and plugged in again, it is the same transaction
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, VALID).await;
    visit.turn(&mut pole, "ChargingStateChanged", "SuspendedEV").await;
    assert_eq!(visit.turn(&mut pole, "EVCommunicationLost", "Idle").await, json!({}));
    pole.status(1, "Available").await;
    assert_eq!(visit.turn(&mut pole, "CablePluggedIn", "EVConnected").await, json!({}));
    assert_eq!(visit.turn(&mut pole, "ChargingStateChanged", "Charging").await, json!({}));
    let session = house.newest().await.card;
    assert_eq!((session.state, session.end, house.sessions().await), (State::Active, None, 1));

    // TC_E_29_CSMS, TC_E_30_CSMS: is it going on? TC_E_31_CSMS: is it over, with messages waiting?
    // TC_E_33_CSMS, TC_E_34_CSMS: are there messages waiting, of any transaction?
    let one = Some(TransactionKey::Text(visit.tx.as_str().into()));
    let rows = [
        (one.clone(), json!({"messagesInQueue": true, "ongoingIndicator": true}), (Some(true), true)),
        (one.clone(), json!({"messagesInQueue": false, "ongoingIndicator": true}), (Some(true), false)),
        (one, json!({"messagesInQueue": true, "ongoingIndicator": false}), (Some(false), true)),
        (None, json!({"messagesInQueue": true}), (None, true)),
        (None, json!({"messagesInQueue": false}), (None, false)),
    ];
    for (key, answer, (ongoing, queued)) in rows {
        let asked = key.as_ref().map_or(json!({}), |_| json!({"transactionId": visit.tx}));
        let order = StationOrder::Word(Box::new(ToStation::Model(ModelOrder::TransactionStatus(key))));
        let (came, told) = house.order(&mut pole, order, "GetTransactionStatus", answer).await;
        assert_eq!((came.outcome, told), (Outcome::Accepted, asked));
        assert_eq!(came.answer, Some(StationAnswer::Pending { ongoing, queued }));
    }

    // TC_E_53_CSMS: the messages of each transaction count from 0; proves: E01.FR.07
    visit.stopped(&mut pole, VALID).await;
    visit.left(&mut pole, json!({})).await;
    let mut next = Visit::at(1);
    next.charging(&mut pole, VALID).await;
    next.stopped(&mut pole, VALID).await;
    next.left(&mut pole, json!({})).await;
    let session = house.newest().await.card;
    assert_eq!((session.state, house.sessions().await), (State::Ended, 2));
    assert!(!session.flags.iter().any(|flag| flag.contains("messages before")), "{:?}", session.flags);
}
