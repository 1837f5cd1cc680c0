//! One transaction at the station made by hand, in the steps that the cases call reusable states.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use charge::Timestamp;
use serde_json::{Value, json};

use super::house::now;
use super::pole::{Pole, written};

/// A visit was a while ago, and each of its messages comes so much later than the one before: energy needs its time.
const STEP: Duration = Duration::from_secs(300);
const AGO: Duration = Duration::from_secs(4 * 3_600);

pub(super) struct Visit {
    pub tx: String,
    evse: u16,
    /// The number of the next message; 0: it has not begun.
    seq: u32,
    began: Timestamp,
}

impl Visit {
    pub(super) fn at(evse: u16) -> Self {
        let tx = charge::Dice::uuid(&trust::dice::SystemDice);
        Self { tx, evse, seq: 0, began: now().minus(AGO) }
    }

    /// A `TransactionEvent`: `Started` if it is the first. `more` is laid over it.
    pub(super) async fn tell(&mut self, pole: &mut Pole, trigger: &str, more: Value) -> Value {
        let mut said = json!({
            "eventType": if self.seq == 0 { "Started" } else { "Updated" },
            "timestamp": written(self.clock()),
            "triggerReason": trigger,
            "seqNo": self.seq,
            "transactionInfo": {"transactionId": self.tx},
        });
        lay(&mut said, more);
        self.seq += 1;
        pole.call("TransactionEvent", said).await
    }

    /// A change of the state of charging.
    pub(super) async fn turn(&mut self, pole: &mut Pole, trigger: &str, state: &str) -> Value {
        self.tell(pole, trigger, json!({"transactionInfo": {"chargingState": state}})).await
    }

    /// The last message; the answer.
    pub(super) async fn end(&mut self, pole: &mut Pole, trigger: &str, why: &str, more: Value) -> Value {
        let mut said = json!({"eventType": "Ended", "transactionInfo": {"stoppedReason": why}});
        lay(&mut said, more);
        self.tell(pole, trigger, said).await
    }

    /// `EVConnectedPreSession`.
    pub(super) async fn plugged(&mut self, pole: &mut Pole) -> Value {
        pole.status(self.evse, "Occupied").await;
        let more = json!({"evse": self.place(), "transactionInfo": {"chargingState": "EVConnected"}});
        self.tell(pole, "CablePluggedIn", more).await
    }

    /// `Authorized`: the card is asked about and then named; what was thought of it both times.
    pub(super) async fn authorized(&mut self, pole: &mut Pole, uid: &str) -> (Value, Value) {
        let asked = pole.authorize(uid).await;
        (asked, self.shown(pole, "Authorized", uid).await)
    }

    /// Names the card in a message of this transaction; what was thought of it.
    pub(super) async fn shown(&mut self, pole: &mut Pole, trigger: &str, uid: &str) -> Value {
        self.tell(pole, trigger, json!({"idToken": {"idToken": uid, "type": "ISO14443"}})).await["idTokenInfo"].take()
    }

    /// `EnergyTransferStarted`, from nothing: plug, card, power.
    pub(super) async fn charging(&mut self, pole: &mut Pole, uid: &str) {
        self.plugged(pole).await;
        let (asked, named) = self.authorized(pole, uid).await;
        assert_eq!((&asked["status"], &named["status"]), (&json!("Accepted"), &json!("Accepted")));
        assert_eq!(self.turn(pole, "ChargingStateChanged", "Charging").await, json!({}));
    }

    /// `StopAuthorized`, `EVConnectedPostSession`.
    pub(super) async fn stopped(&mut self, pole: &mut Pole, uid: &str) {
        assert_eq!(self.shown(pole, "StopAuthorized", uid).await["status"], "Accepted");
        self.turn(pole, "ChargingStateChanged", "EVConnected").await;
    }

    /// `EVDisconnected` for a transaction that ends with it.
    pub(super) async fn left(&mut self, pole: &mut Pole, more: Value) -> Value {
        pole.status(self.evse, "Available").await;
        let mut said = json!({"transactionInfo": {"chargingState": "Idle"}});
        lay(&mut said, more);
        self.end(pole, "EVCommunicationLost", "EVDisconnected", said).await
    }

    /// When its next message is.
    fn clock(&self) -> Timestamp {
        self.began.plus(STEP * self.seq)
    }

    /// A `meterValue` of the next message: the register, and perhaps what was signed with it.
    pub(super) fn register(&self, context: &str, wh: i64, signed: bool) -> Value {
        json!([sample(self.clock(), context, wh, signed)])
    }

    /// A `meterValue` with all that was read on the way, and the last one.
    pub(super) fn registers(&self, context: &str, on_the_way: &[(u32, i64)], last: i64, signed: bool) -> Value {
        let mut all: Vec<Value> =
            on_the_way.iter().map(|(step, wh)| sample(self.began.plus(STEP * *step), context, *wh, signed)).collect();
        all.push(sample(self.clock(), "Transaction.End", last, signed));
        json!(all)
    }

    pub(super) fn place(&self) -> Value {
        json!({"id": self.evse, "connectorId": 1})
    }
}

/// Lays the members of one object over those of another.
fn lay(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                lay(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

fn sample(at: Timestamp, context: &str, wh: i64, signed: bool) -> Value {
    let mut sample = json!({"value": wh, "context": context, "measurand": "Energy.Active.Import.Register"});
    if signed {
        // each is another record; what is made of it is the business of others
        let data = BASE64_STANDARD.encode(format!("OCMF|{{}}|{{\"{at}\": {wh}}}"));
        sample["signedMeterValue"] =
            json!({"signedMeterData": data, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""});
    }
    json!({"timestamp": written(at), "sampledValue": [sample]})
}
