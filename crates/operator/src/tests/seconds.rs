//! A second back-end beside the operator: what it sees, what waits for it, what it may order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use charge::id::TransactionKey;
use charge::talk::line::second::{Scripted, SecondCall, SecondDoor, SecondLine};
use charge::talk::line::{
    Admission, BayState, Foreign, FromStation, Heard, LineFault, Pole, ResetKind, Stage, StationAnswer, ToStation,
    Uplink, Version,
};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::{Clock, Purpose, Secret, Soon, Timestamp};
use tokio::task::JoinHandle;

use super::world::{CARD, START, World, card, station};
use crate::Fault;
use crate::proxy::{Meant, Mode, Proofs, Second, Standing, Tokens};

/// The other CSMS, reached through a door that keeps words as what they are.
#[derive(Default)]
pub(super) struct Csms {
    heard: Mutex<Vec<FromStation>>,
    faults: Mutex<VecDeque<LineFault>>,
    pub away: Mutex<bool>,
    poles: Mutex<Vec<Arc<dyn Pole>>>,
    calls: Mutex<Vec<SecondCall>>,
    words: Mutex<Vec<FromStation>>,
}

pub(super) struct Door(pub Arc<Csms>);

struct Wire(Arc<Csms>);

impl SecondDoor for Door {
    fn dial(&self, call: SecondCall, pole: Arc<dyn Pole>) -> Result<Arc<dyn SecondLine>, Box<str>> {
        let version = call.version;
        self.0.calls.lock().unwrap().push(call);
        if !*self.0.away.lock().unwrap() {
            pole.line_up(version);
        }
        self.0.poles.lock().unwrap().push(pole);
        Ok(Arc::new(Wire(Arc::clone(&self.0))))
    }

    fn write(&self, version: Version, said: &FromStation, _: Timestamp) -> Result<Scripted, Box<str>> {
        if !version.is_2() && matches!(said, FromStation::Charging(_)) {
            return Err("a message that 1.6 does not have".into());
        }
        let mut words = self.0.words.lock().unwrap();
        words.push(said.clone());
        let text = Foreign { action: "Word".into(), body: (words.len() - 1).to_string().into() };
        Ok(Scripted { text, losses: Vec::new() })
    }

    fn read(&self, _: Version, text: &Foreign, _: Timestamp) -> Result<FromStation, LineFault> {
        Ok(self.0.words.lock().unwrap()[text.body.parse::<usize>().unwrap()].clone())
    }
}

impl SecondLine for Wire {
    fn uplink(&self) -> Arc<dyn Uplink> {
        Arc::new(Self(Arc::clone(&self.0)))
    }
}

impl Uplink for Wire {
    fn say(&self, said: FromStation) -> Soon<'_, Result<Heard, LineFault>> {
        Box::pin(async move {
            if *self.0.away.lock().unwrap() {
                return Err(LineFault::NotConnected);
            }
            let heard = match &said {
                FromStation::Boot(_) => {
                    let interval = Duration::from_secs(600);
                    Heard::Boot { admitted: Admission::Accepted, now: START, interval }
                }
                FromStation::Transaction(report) => {
                    let number = (report.stage == Stage::Started).then_some(77);
                    Heard::Transaction { number, verdict: None, cost: None, advice: None }
                }
                FromStation::Tap(_) => Heard::Tap(Verdict::bare(Allowed::Yes)),
                _ => Heard::Noted,
            };
            let is_boot = matches!(said, FromStation::Boot(_));
            if let Some(fault) = self.0.faults.lock().unwrap().pop_front_if(|_| !is_boot) {
                return Err(fault);
            }
            self.0.heard.lock().unwrap().push(said);
            Ok(heard)
        })
    }
}

impl Csms {
    pub(super) fn heard(&self) -> Vec<FromStation> {
        self.heard.lock().unwrap().clone()
    }

    pub(super) fn transactions(&self) -> Vec<charge::talk::line::TransactionReport> {
        let of = |said: FromStation| match said {
            FromStation::Transaction(report) => Some(report),
            _ => None,
        };
        self.heard().into_iter().filter_map(of).collect()
    }

    pub(super) fn back(&self) {
        *self.away.lock().unwrap() = false;
        self.poles.lock().unwrap().iter().for_each(|pole| pole.line_up(Version::V16));
    }

    pub(super) async fn order(&self, order: ToStation) -> StationAnswer {
        let pole = Arc::clone(self.poles.lock().unwrap().last().unwrap());
        pole.told(order).await
    }
}

struct Scene {
    world: World,
    csms: Arc<Csms>,
    task: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn policy(mode: Mode, obey: &[&str]) -> Second {
    let words = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
    Second {
        name: "fleet".to_owned(),
        address: "wss://csms.example/ocpp".to_owned(),
        version: Version::V16,
        mode,
        allow: words(&["StatusNotification", "StartTransaction", "StopTransaction", "MeterValues"]),
        obey: words(obey),
        tokens: Tokens::Pseudonym,
        meant: Meant::All,
        buffer_max: 10,
        local: false,
        roots: "-----BEGIN CERTIFICATE-----".to_owned(),
        paused: false,
    }
}

fn proofs() -> Proofs {
    Proofs { password: Some(Secret::new("sixteen-bytes-ok".into())), ..Proofs::default() }
}

impl Scene {
    async fn new(second: Second, away: bool) -> Self {
        let (world, csms) = (World::new().await, Arc::new(Csms::default()));
        *csms.away.lock().unwrap() = away;
        world.operator.attach_seconds(Arc::new(Door(Arc::clone(&csms))));
        world.operator.put_second("ada", second, proofs()).await.unwrap();
        let operator = world.operator.clone();
        let task = tokio::spawn(async move { operator.serve_seconds().await });
        Self { world, csms, task }
    }

    async fn standing(&self) -> Option<Standing> {
        self.world.operator.seconds().await.unwrap().remove(0).stations.into_iter().next()
    }

    /// Waits for a level that nobody announces.
    async fn until(&self, what: &str, mut level: impl AsyncFnMut() -> bool) {
        let reached = async {
            while !level().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap_or_else(|_| panic!("{what}"));
    }

    async fn sent(&self, count: usize) {
        self.until("all is sent", async || self.csms.transactions().len() >= count).await;
    }

    async fn idle(&self) {
        let none = async || self.standing().await.is_none_or(|one| one.buffered == 0);
        self.until("nothing waits", none).await;
    }
}

#[tokio::test]
async fn a_session_is_seen_with_a_pseudonym_and_the_numbers_of_the_other() {
    let scene = Scene::new(policy(Mode::Mirror, &[]), false).await;
    let (number, _) = scene.world.start(card(CARD), 1_000).await;
    scene.world.meter(number, scene.world.clock.now(), 1_500).await;
    scene.world.stop(number, 2_000, Vec::new()).await;
    scene.sent(2).await;
    scene.idle().await;
    let heard = scene.csms.heard();
    assert!(matches!(heard[0], FromStation::Boot(_)), "first of all the station boots there");
    let [start, stop] = scene.csms.transactions().try_into().unwrap();
    let alias = start.token.unwrap();
    let alias = alias.uid.reveal(Purpose::Transmit).as_delivered();
    assert_eq!(alias.len(), 20);
    assert_ne!(alias, CARD);
    assert_eq!(stop.key, Some(TransactionKey::Number(77)), "the number that the other gave");
    let meter = heard.iter().find_map(|said| match said {
        FromStation::Meter(report) => report.key.clone(),
        _ => None,
    });
    assert_eq!(meter, Some(TransactionKey::Number(77)));
    // the same card has the same name again, and nowhere in our memory is it readable
    scene.world.start(card(CARD), 2_000).await;
    scene.sent(3).await;
    assert_eq!(
        scene.csms.transactions()[2].token.as_ref().unwrap().uid.reveal(Purpose::Transmit).as_delivered(),
        alias
    );
    let dump = String::from_utf8_lossy(&scene.world.dump().await).to_uppercase();
    assert!(!dump.contains(CARD) && !dump.contains("SIXTEEN-BYTES-OK"));
}

#[tokio::test]
async fn a_station_does_not_wait_and_nothing_of_a_transaction_is_lost_or_told_twice() {
    let scene = Scene::new(policy(Mode::Mirror, &[]), true).await;
    let first = scene.world.start(card(CARD), 1_000).await;
    assert_eq!(scene.world.start(card(CARD), 1_000).await, first, "the station repeats its start");
    for _ in 0..6 {
        scene.world.status(BayState::Charging).await;
        scene.world.status(BayState::SuspendedByCar).await;
    }
    scene.world.meter(first.0, scene.world.clock.now(), 1_500).await;
    scene.world.stop(first.0, 2_000, Vec::new()).await;
    scene.world.stop(first.0, 2_000, Vec::new()).await;
    let standing = scene.standing().await.unwrap();
    assert_eq!((standing.connected, standing.buffered, standing.sent), (false, 10, 0));
    assert_eq!(standing.dropped, 5, "twelve states, readings, start and stop, and room for ten");
    scene.until("the line is tried", async || !scene.csms.poles.lock().unwrap().is_empty()).await;
    scene.csms.back();
    scene.idle().await;
    let [start, stop] = scene.csms.transactions().try_into().unwrap();
    assert_eq!((start.stage, stop.stage), (Stage::Started, Stage::Ended));
    let heard = scene.csms.heard();
    assert!(heard.iter().any(|said| matches!(said, FromStation::Meter(_))), "news goes before the course");
    let standing = scene.standing().await.unwrap();
    assert_eq!((standing.connected, standing.sent, standing.lost), (true, 10, 0));
}

#[tokio::test]
async fn an_error_of_the_other_is_its_own_affair() {
    let scene = Scene::new(policy(Mode::Mirror, &[]), false).await;
    let error = LineFault::Error { code: "InternalError".into(), description: "full".into() };
    scene.until("it has booted", async || !scene.csms.heard().is_empty()).await;
    scene.idle().await;
    scene.csms.faults.lock().unwrap().push_back(error);
    scene.world.status(BayState::Charging).await;
    scene.until("refused", async || scene.standing().await.is_some_and(|one| one.refused == 1)).await;
    let standing = scene.standing().await.unwrap();
    assert_eq!(standing.last_error.as_deref(), Some("it answered InternalError: full"));
    assert_eq!(standing.buffered, 0);
}

#[tokio::test]
async fn orders_of_the_other_are_judged_and_turned_into_our_names() {
    let scene = Scene::new(policy(Mode::Relay, &["RemoteStartTransaction", "RemoteStopTransaction"]), false).await;
    let (number, _) = scene.world.start(card(CARD), 1_000).await;
    scene.sent(1).await;
    scene.idle().await;
    let alias = scene.csms.transactions()[0].token.clone().unwrap();
    let refused = StationAnswer::Refused("SecurityError".into());
    assert_eq!(scene.csms.order(ToStation::Reset(ResetKind::Hard)).await, refused);
    let stranger = PresentedToken::new(TokenUid::new("NOT-TOLD").unwrap(), TokenKind::Other);
    let start = |token| ToStation::Start { evse: None, token, remote_id: 1, profile: None };
    assert_eq!(scene.csms.order(start(stranger)).await, refused);
    assert_eq!(scene.csms.order(ToStation::Stop { key: TransactionKey::Number(number) }).await, refused);
    assert!(scene.world.line.told.lock().unwrap().is_empty(), "the station heard of none of these");
    assert_eq!(scene.csms.order(start(alias)).await, StationAnswer::Accepted);
    assert_eq!(scene.csms.order(ToStation::Stop { key: TransactionKey::Number(77) }).await, StationAnswer::Accepted);
    {
        let told = scene.world.line.told.lock().unwrap();
        match &told[..] {
            [ToStation::Start { token, .. }, ToStation::Stop { key }] => {
                assert_eq!(*token, card(CARD));
                assert_eq!(*key, TransactionKey::Number(number));
            }
            other => panic!("{other:?}"),
        }
    }
    let standing = scene.standing().await.unwrap();
    assert_eq!((standing.obeyed, standing.denied), (2, 3));
    let audit = scene.world.operator.audit(10).await.unwrap();
    assert!(audit.iter().any(|line| line.actor == "second back-end fleet" && line.action == "RemoteStopTransaction"));
}

#[tokio::test]
async fn a_secret_is_not_shown_to_another_address() {
    let scene = Scene::new(policy(Mode::Mirror, &[]), true).await;
    let put = async |second: Second| scene.world.operator.put_second("ada", second, Proofs::default()).await;
    put(Second { paused: true, ..policy(Mode::Mirror, &[]) }).await.unwrap();
    assert!(scene.world.operator.seconds().await.unwrap()[0].has_password, "what is not said stays");
    put(Second { address: "wss://other.example".to_owned(), ..policy(Mode::Mirror, &[]) }).await.unwrap();
    assert!(!scene.world.operator.seconds().await.unwrap()[0].has_password);
    scene
        .until("it is called", async || {
            scene.csms.calls.lock().unwrap().iter().any(|call| &*call.address == "wss://other.example")
        })
        .await;
    let calls = scene.csms.calls.lock().unwrap().clone();
    assert!(calls.iter().all(|call| call.station == station()));
    assert!(calls.iter().filter(|call| &*call.address == "wss://other.example").all(|call| call.password.is_none()));
    scene.world.operator.drop_second("ada", "fleet").await.unwrap();
    assert!(scene.world.operator.seconds().await.unwrap().is_empty());
    let gone = scene.world.operator.drop_second("ada", "fleet").await.unwrap_err();
    assert_eq!(gone, Fault::NotFound("second back-end"));
}
