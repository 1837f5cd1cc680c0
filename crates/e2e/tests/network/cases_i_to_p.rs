//! Cases of the official test tool for an operator of OCPP 2.0.1 (part 6), blocks I to P: a station made by hand plays
//! the tool's part on a socket, a person at the operator does what the case asks of the operator, and what the operator
//! sends, answers and shows has to be what the case expects. Each assertion has the id of its case beside it.
//!
//! The public list of the cases has ids, use cases and requirements and no texts. Where the meaning of an id is not
//! certain from these, it stands under `unproved`: what is asserted there is the standard's either way.

mod certificates;
mod displays;
mod firmware;
mod monitors;
mod power;
mod records;

use serde_json::{Value, json};

use super::settle::{Credential, Enrol, Network};
use super::socket::Line;
use super::wait::until;

/// The answer of most cases.
const ACCEPTED: &str = "Accepted";

/// A house, and a station of 2.0.1 on its line that was let in.
struct Stage {
    network: Network,
    line: Line,
    id: &'static str,
    credential: Credential,
}

impl Stage {
    async fn set(id: &'static str) -> Self {
        let network = Network::start().await;
        let credential = network.enrol(&Enrol::plain(id)).await;
        let line = Line::boot(&network, id, &credential, "ocpp2.0.1").await;
        Self { network, line, id, credential }
    }

    /// A person posts to `path` below the station; the station answers the order that comes of it. What was ordered, and
    /// what the person is told.
    async fn order(&mut self, path: &str, body: &Value, action: &str, answer: Result<Value, &str>) -> (Value, Value) {
        let path = format!("/stations/{}/{path}", self.id);
        let (told, ordered) = tokio::join!(self.network.operator.post(&path, body), self.line.obey(action, answer));
        (ordered, told)
    }

    /// The same for one of the words that have a page of their own, answered with nothing but a status.
    async fn word(&mut self, body: &Value, action: &str, status: &str) -> (Value, Value) {
        self.order("words", body, action, Ok(json!({ "status": status }))).await
    }

    /// The station says it; the operator's answer.
    async fn say(&mut self, action: &str, payload: &Value) -> Value {
        self.line.call(action, payload).await.unwrap_or_else(|code| panic!("{action} {payload}: {code}"))
    }

    /// What the operator knows of a request by the number that it told.
    async fn request(&self, told: &Value) -> (String, Value) {
        let request = self.network.operator.get(&format!("/requests/{}", told["request"])).await;
        (request["state"].as_str().unwrap().to_owned(), request["status"].clone())
    }

    /// The newest sentence of a kind that is shown of the station.
    async fn newest(&self, kind: &str) -> String {
        let news = self.network.operator.get(&format!("/news?station={}&kind={kind}&limit=1", self.id)).await;
        news["items"][0]["text"].as_str().unwrap_or_default().to_owned()
    }
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

#[track_caller]
fn expect(case: &str, whole: &Value, part: &Value) {
    assert!(has(whole, part), "{case}: {whole} should have {part}");
}

/// A time that a station may have just now.
fn now() -> String {
    use charge::Clock;
    charge::SystemClock.now().to_string()
}
