//! The hand on a virtual station's wire: it counts and times what is said, spoils it as a quirk wants, answers in the
//! station's place where a test wants it, and says things twice, out of order or raw.
//!
//! Frames it sends on its own have message ids that the station does not know; their answers end here. It keeps no
//! payload and logs none.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use charge::{Clock, SystemClock};
use gate::line::{Frames, Wire};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::quirk::{Around, Call, Quirk};

/// How an order is answered instead of by the station.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Override {
    /// The action, as the standard spells it.
    pub(crate) action: String,
    pub(crate) with: With,
    /// The payload of `raw`, the error code of `error`.
    #[serde(default)]
    pub(crate) payload: Option<String>,
    /// Seconds of `delay`.
    #[serde(default)]
    pub(crate) seconds: u64,
}

/// The ways to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum With {
    /// `{"status":"Rejected"}`.
    Refuse,
    /// A CALLERROR; `InternalError` unless `payload` names another code.
    Error,
    /// Nothing, ever.
    Silence,
    /// The station's own answer, later.
    Delay,
    /// This JSON text as the payload of the answer.
    Raw,
}

/// What was said of one action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Said {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) errors: u64,
    pub(crate) received: u64,
}

/// Counts and times of one station.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) actions: BTreeMap<String, Said>,
    pub(crate) latencies: Vec<Duration>,
    /// Error codes that the operator answered, with how often.
    pub(crate) codes: BTreeMap<String, u64>,
}

pub(crate) struct Wiretap {
    quirks: Vec<Quirk>,
    answers: Vec<Override>,
    state: Mutex<State>,
    /// The station is to restart: the quirk of the boot loop.
    pub(crate) restart: Notify,
}

#[derive(Default)]
struct State {
    tally: Tally,
    frames: u64,
    asked: HashMap<String, (String, Instant)>,
    /// Ids on the wire and the station's own.
    renamed: HashMap<String, String>,
    /// To be sent before the next frame.
    raw: Vec<String>,
    duplicate: u32,
    /// Held back until the next frame has gone.
    reorder: u32,
    held: Option<String>,
    delays: VecDeque<Duration>,
}

/// Answers that a station waits for are few; what is never answered is forgotten beyond this.
const ASKED_MAX: usize = 64;
/// Samples of the time to an answer; a longer run keeps the first.
const LATENCIES_MAX: usize = 100_000;

/// The time as a boot answer tells it.
pub(super) fn now() -> String {
    SystemClock.now().whole_seconds().to_string()
}

impl Wiretap {
    pub(crate) fn new(quirks: Vec<Quirk>, answers: Vec<Override>) -> Self {
        Self { quirks, answers, state: Mutex::default(), restart: Notify::new() }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// Sends this before the next frame.
    pub(crate) fn raw(&self, frame: String) {
        self.state().raw.push(frame);
    }

    /// Says the next so many messages twice.
    pub(crate) fn duplicate(&self, frames: u32) {
        self.state().duplicate += frames;
    }

    /// Lets the next so many messages overtake each other in pairs.
    pub(crate) fn reorder(&self, frames: u32) {
        self.state().reorder += frames;
    }

    /// How long the order that came first is to wait for its answer.
    pub(crate) fn delay(&self) -> Duration {
        self.state().delays.pop_front().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// A message of the station.
    fn call(&self, state: &mut State, id: String, action: &str, mut payload: Value) -> Frames {
        state.frames += 1;
        let mut around = Around::default();
        let mut call = Call { id: &id, action, payload: &mut payload };
        for quirk in &self.quirks {
            quirk.spoil(&mut call, state.frames, &mut around);
        }
        if let Some(answer) = around.instead {
            return Frames { send: Vec::new(), hear: vec![answer] };
        }
        let said = state.tally.actions.entry(action.to_owned()).or_default();
        said.sent += 1;
        let on_wire = if self.has(Quirk::CountedIds) { state.frames.to_string() } else { id.clone() };
        if state.asked.len() >= ASKED_MAX {
            state.asked.clear();
        }
        state.asked.insert(on_wire.clone(), (action.to_owned(), Instant::now()));
        if on_wire != id {
            state.renamed.insert(on_wire.clone(), id);
        }
        let frame = json!([2, on_wire, action, payload]).to_string();
        let mut send = std::mem::take(&mut state.raw);
        send.append(&mut around.before);
        send.push(frame.clone());
        if state.duplicate > 0 {
            state.duplicate -= 1;
            send.push(frame);
        }
        send.append(&mut around.after);
        Frames { send: Self::shuffled(state, send), hear: Vec::new() }
    }

    /// Holds one message back so that a heartbeat, which nobody asked for, overtakes it.
    fn shuffled(state: &mut State, mut send: Vec<String>) -> Vec<String> {
        if state.reorder > 0 {
            state.reorder -= 1;
            let nth = state.frames;
            send.insert(0, json!([2, format!("overtaking-{nth}"), "Heartbeat", {}]).to_string());
            if let Some(held) = state.held.take() {
                send.push(held);
            } else {
                // a copy of this message arrives again after the next one
                state.held = send.last().cloned();
            }
        }
        send
    }

    /// An answer of the operator.
    fn answered(state: &mut State, id: &str, code: Option<&str>) -> bool {
        let Some((action, since)) = state.asked.remove(id) else { return false };
        let said = state.tally.actions.entry(action).or_default();
        match code {
            None => said.answered += 1,
            Some(code) => {
                said.errors += 1;
                *state.tally.codes.entry(code.to_owned()).or_default() += 1;
            }
        }
        if state.tally.latencies.len() < LATENCIES_MAX {
            state.tally.latencies.push(since.elapsed());
        }
        true
    }

    /// An order of the operator.
    fn order(&self, state: &mut State, id: &str, action: &str, frame: &str) -> Frames {
        state.tally.actions.entry(action.to_owned()).or_default().received += 1;
        if self.has(Quirk::BootLoop) && action == "GetConfiguration" {
            self.restart.notify_one();
            return Frames::default();
        }
        let wanted = self.answers.iter().find(|of| of.action == action);
        let hear = || Frames { send: Vec::new(), hear: vec![frame.to_owned()] };
        let send = |answer: Value| Frames { send: vec![answer.to_string()], hear: Vec::new() };
        let Some(of) = wanted else {
            state.delays.push_back(Duration::ZERO);
            return hear();
        };
        match of.with {
            With::Refuse => send(json!([3, id, {"status": "Rejected"}])),
            With::Error => {
                send(json!([4, id, of.payload.as_deref().unwrap_or("InternalError"), "as the test wants it", {}]))
            }
            With::Silence => Frames::default(),
            With::Delay => {
                state.delays.push_back(Duration::from_secs(of.seconds));
                hear()
            }
            // whatever stands there is sent, well formed or not
            With::Raw => Frames {
                send: vec![format!("[3,{},{}]", json!(id), of.payload.as_deref().unwrap_or("{}"))],
                hear: Vec::new(),
            },
        }
    }
}

impl Wire for Wiretap {
    fn outgoing(&self, frame: String) -> Frames {
        let mut state = self.state();
        match serde_json::from_str::<Value>(&frame) {
            Ok(Value::Array(mut parts)) if parts.len() == 4 && parts.first() == Some(&json!(2)) => {
                let payload = parts.pop().unwrap_or_default();
                let action = parts.pop().and_then(|action| action.as_str().map(str::to_owned)).unwrap_or_default();
                let id = parts.pop().and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
                self.call(&mut state, id, &action, payload)
            }
            Ok(Value::Array(parts)) if self.has(Quirk::OldErrors) && parts.first() == Some(&json!(4)) => {
                let id = parts.get(1).cloned().unwrap_or_default();
                Frames { send: vec![json!([4, id, "GenericError", "", Value::Null]).to_string()], hear: Vec::new() }
            }
            Ok(_) | Err(_) => Frames { send: vec![frame], hear: Vec::new() },
        }
    }

    fn incoming(&self, frame: &str) -> Frames {
        let mut state = self.state();
        let pass = || Frames { send: Vec::new(), hear: vec![frame.to_owned()] };
        let Ok(Value::Array(mut parts)) = serde_json::from_str::<Value>(frame) else { return pass() };
        let kind = parts.first().and_then(Value::as_u64);
        let text =
            |parts: &[Value], place: usize| parts.get(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, second) = (text(&parts, 1), text(&parts, 2));
        match kind {
            Some(2) => self.order(&mut state, &id, &second, frame),
            Some(3 | 4) => {
                let code = (kind == Some(4)).then_some(second.as_str());
                // what the station did not ask, it does not hear
                if !Self::answered(&mut state, &id, code) {
                    return Frames::default();
                }
                let Some(own) = state.renamed.remove(&id) else { return pass() };
                if let Some(slot) = parts.get_mut(1) {
                    *slot = json!(own);
                }
                Frames { send: Vec::new(), hear: vec![Value::Array(parts).to_string()] }
            }
            Some(_) | None => pass(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const START: &str = r#"[2,"u-1","StartTransaction",{"connectorId":1,"idTag":"ABC","meterStart":5,"timestamp":"2026-01-02T03:04:05Z"}]"#;
    const STOP: &str =
        r#"[2,"u-2","StopTransaction",{"meterStop":9,"timestamp":"2026-01-02T03:04:05Z","transactionId":12}]"#;
    const METER: &str = r#"[2,"u-3","MeterValues",{"connectorId":1,"transactionId":12,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[{"value":"5","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}]"#;
    const STATUS: &str =
        r#"[2,"u-4","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]"#;
    const STATUS_2: &str = r#"[2,"u-5","StatusNotification",{"evseId":1,"connectorId":1,"connectorStatus":"Available","timestamp":"2026-01-02T03:04:05Z"}]"#;
    const BOOT: &str = r#"[2,"u-6","BootNotification",{"chargePointVendor":"Leyden","chargePointModel":"VS"}]"#;
    const EVENT: &str = r#"[2,"u-7","TransactionEvent",{"eventType":"Ended","seqNo":3}]"#;

    fn sent(quirk: Quirk, frame: &str) -> Vec<String> {
        Wiretap::new(vec![quirk], Vec::new()).outgoing(frame.to_owned()).send
    }

    #[test]
    fn every_quirk_of_a_frame_shows_on_the_wire() {
        for (quirk, frame, shows) in [
            (Quirk::CountedIds, START, "[2,\"1\",\"StartTransaction\""),
            (Quirk::TwoCalls, START, "\"Heartbeat\""),
            (Quirk::WrongVersion, EVENT, "\"errorCode\":\"NoError\""),
            (Quirk::EmptyVendor, BOOT, "\"chargePointVendor\":\"\""),
            (Quirk::Zoneless, START, "\"timestamp\":\"2026-01-02T03:04:05\""),
            (Quirk::BlankTags, START, "\"idTag\":\" abc \""),
            (Quirk::NumberlessStop, STOP, "\"transactionId\":-1"),
            (Quirk::NegativeStop, STOP, "\"meterStop\":-1"),
            (Quirk::SaysTwice, STOP, "\"again-1\""),
            (Quirk::MeterObject, METER, "\"meterValue\":{"),
            (Quirk::MeterObject, METER, "\"value\":\" 5 \""),
            (Quirk::OddWords, METER, "Energy.Active.import.Register"),
            (Quirk::NoConnector, STATUS, "\"info\":null"),
            (Quirk::Flood, STATUS, "flood-1-4"),
            (Quirk::ConnectorZero, STATUS_2, "\"connectorId\":0"),
            (Quirk::OldErrors, r#"[4,"x","FormationViolation","",{}]"#, "[4,\"x\",\"GenericError\",\"\",null]"),
        ] {
            let all = sent(quirk, frame).join("\n");
            assert!(all.contains(shows), "{quirk:?}: {all}");
            assert!(!frame.contains(shows), "{quirk:?}: the frame had it anyway");
        }
        assert!(!sent(Quirk::LooseReadings, METER)[0].contains("transactionId"));
        assert!(!sent(Quirk::NoConnector, STATUS)[0].contains("connectorId"));
        let tap = Wiretap::new(vec![Quirk::BrokenJson], Vec::new());
        let frames: Vec<String> = (0..3).flat_map(|_| tap.outgoing(STATUS.to_owned()).send).collect();
        assert_eq!(frames.iter().filter(|frame| serde_json::from_str::<Value>(frame).is_err()).count(), 1);
    }

    #[test]
    fn a_station_that_never_boots_answers_itself() {
        let frames = Wiretap::new(vec![Quirk::NoBoot], Vec::new()).outgoing(BOOT.to_owned());
        assert!(frames.send.is_empty() && frames.hear[0].starts_with("[3,\"u-6\","));
    }

    #[test]
    fn counted_ids_come_back_as_the_stations_own_and_strange_answers_do_not() {
        let tap = Wiretap::new(vec![Quirk::CountedIds], Vec::new());
        tap.outgoing(START.to_owned());
        assert_eq!(tap.incoming(r#"[3,"1",{}]"#).hear, [r#"[3,"u-1",{}]"#]);
        assert!(tap.incoming(r#"[3,"flood-1-1",{}]"#).hear.is_empty());
        let said = &tap.tally().actions["StartTransaction"];
        assert_eq!((said.sent, said.answered, said.errors), (1, 1, 0));
    }

    #[test]
    fn orders_are_answered_as_the_test_wants() {
        let answer = |with, payload: Option<&str>| Override {
            action: "Reset".to_owned(),
            with,
            payload: payload.map(str::to_owned),
            seconds: 7,
        };
        let order = r#"[2,"o","Reset",{"type":"Soft"}]"#;
        let told = |with, payload| Wiretap::new(Vec::new(), vec![answer(with, payload)]).incoming(order);
        assert_eq!(told(With::Refuse, None).send, [r#"[3,"o",{"status":"Rejected"}]"#]);
        assert_eq!(
            told(With::Error, Some("NotSupported")).send,
            [r#"[4,"o","NotSupported","as the test wants it",{}]"#]
        );
        assert_eq!(told(With::Raw, Some("{\"x\":")).send, [r#"[3,"o",{"x":]"#]);
        assert_eq!(told(With::Silence, None), Frames::default());
        let tap = Wiretap::new(Vec::new(), vec![answer(With::Delay, None)]);
        assert_eq!(tap.incoming(order).hear, [order]);
        assert_eq!((tap.delay(), tap.delay()), (Duration::from_secs(7), Duration::ZERO));
    }

    #[test]
    fn without_a_wish_a_frame_goes_through() {
        let tap = Wiretap::new(Vec::new(), Vec::new());
        let same = |frames: &[String]| {
            serde_json::from_str::<Value>(&frames[0]).unwrap() == serde_json::from_str::<Value>(STOP).unwrap()
        };
        assert!(same(&tap.outgoing(STOP.to_owned()).send));
        tap.duplicate(1);
        assert_eq!(tap.outgoing(STOP.to_owned()).send.len(), 2);
        tap.raw("raw".to_owned());
        assert_eq!(tap.outgoing(STOP.to_owned()).send[0], "raw");
        assert_eq!(tap.outgoing(STOP.to_owned()).send.len(), 1);
    }
}
