//! Our two ends with a relay between them, a scripted desk behind one and a scripted pole behind the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::payment::VendorAnswer;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::{
    Admission, ConnectionNo, Denial, Desk, Entry, FromStation, Heard, Knock, Line, LogLine, Pole, Refusal, Stage,
    StationAnswer, ToStation, Version,
};
use charge::token::{Allowed, Verdict};
use charge::{Secret, Soon, SystemClock};
use gate::line::{Backoff, Dial, Dialled, LineServer, Options, TalkLimits, dial, listen_plain, station_url};
use tokio::sync::watch;
use tokio::time::timeout;
use trust::dice::SystemDice;

use super::frames::Sender;
use super::now;
use super::relay::Relay;
use crate::network::wait::PATIENCE;

const STATION: &str = "CONFORM-1";

/// Both ends of one connection.
pub(super) struct Ends {
    pub desk: Arc<Script>,
    pub pole: Arc<Obedient>,
    pub relay: Relay,
    pub line: Arc<dyn Line>,
    dialled: Dialled,
    server: LineServer,
}

impl Ends {
    /// A station that is let in with these tolerances.
    pub(super) async fn meet(version: Version, quirks: Quirks) -> Self {
        let desk = Arc::new(Script::new(version, quirks));
        let talk = TalkLimits { boot_grace: Duration::ZERO, messages_at_once: 100_000, ..TalkLimits::default() };
        let options = Options { talk: talk.clone(), ..Options::default() };
        let at = "127.0.0.1:0".parse().unwrap();
        let behind = Arc::clone(&desk) as Arc<dyn Desk>;
        let server = listen_plain(at, behind, Arc::new(SystemClock), Arc::new(SystemDice), options).unwrap();
        let relay = Relay::to(server.local_addr().port()).await;
        let wish = Dial {
            url: station_url(&format!("ws://127.0.0.1:{}", relay.port), &id()),
            tls: None,
            basic: Some((STATION.to_owned(), Secret::new(b"sixteen-bytes-ok".to_vec()))),
            offer: vec![version],
            backoff: Backoff { min: PATIENCE, random: Duration::ZERO, doublings: 0 },
            limits: talk,
        };
        let pole = Arc::new(Obedient::default());
        let behind = Arc::clone(&pole) as Arc<dyn Pole>;
        let dialled = dial(wish, behind, Arc::new(SystemClock), Arc::new(SystemDice)).unwrap();
        soon(desk.here.subscribe().wait_for(|here| *here)).await.unwrap();
        soon(pole.up.subscribe().wait_for(|up| *up)).await.unwrap();
        let line = server.line();
        Self { desk, pole, relay, line, dialled, server }
    }

    /// The station says it; does it arrive as it was said, and the answer as it was given?
    pub(super) async fn say(&self, what: FromStation, answer: Heard) -> Result<(), String> {
        self.desk.answer_next(answer.clone());
        let heard = soon(self.dialled.uplink().say(what.clone())).await;
        soon(self.desk.heard.subscribe().wait_for(|heard| !heard.is_empty())).await.unwrap();
        let said = self.desk.heard.send_replace(Vec::new());
        if said != [what.clone()] {
            return Err(format!("said {what:?}, and the operator heard {said:?}"));
        }
        if heard != Ok(answer.clone()) {
            return Err(format!("{what:?} was answered {answer:?}, and the station heard {heard:?}"));
        }
        Ok(())
    }

    /// The operator orders it; what the operator hears back.
    pub(super) async fn order(&self, what: ToStation, answer: StationAnswer) -> (Vec<ToStation>, StationAnswer) {
        *self.pole.answer.lock().unwrap() = Some(answer);
        let answered = soon(self.line.tell(&id(), what)).await;
        let told = std::mem::take(&mut *self.pole.told.lock().unwrap());
        (told, answered.unwrap_or_else(|fault| StationAnswer::Refused(format!("LineFault: {fault}").into())))
    }

    /// The same, compared: does it arrive as it was given, and the answer as well?
    pub(super) async fn tell(&self, what: ToStation, answer: StationAnswer) -> Result<(), String> {
        let (told, answered) = self.order(what.clone(), answer.clone()).await;
        // tokens and secrets do not print: they compare in the bridges' own tests
        let (told, what) = (format!("{told:?}"), format!("{:?}", [&what]));
        if told != what {
            return Err(format!("ordered {what}, and the station heard {told}"));
        }
        if answered != answer {
            return Err(format!("{what} was answered {answer:?}, and the operator heard {answered:?}"));
        }
        Ok(())
    }

    /// Puts a frame in as if the station had sent it, and waits until the operator's end is through with it: answers
    /// leave in the order of the messages.
    pub(super) async fn put(&self, sender: Sender, text: &str, fence: &str) {
        self.relay.put(sender, text);
        let (call, other) = match sender {
            Sender::Station => (format!(r#"[2,"{fence}","Heartbeat",{{}}]"#), Sender::Operator),
            Sender::Operator => (format!(r#"[2,"{fence}","ClearCache",{{}}]"#), Sender::Station),
        };
        self.relay.put(sender, &call);
        let head = format!(r#"[3,"{fence}""#);
        let through =
            |all: &Vec<(Sender, String)>| all.iter().any(|(who, text)| *who == other && text.starts_with(&head));
        soon(self.relay.seen.subscribe().wait_for(through)).await.unwrap();
    }

    pub(super) async fn part(self) {
        self.dialled.stop().await;
        self.server.stop().await;
    }
}

fn id() -> StationId {
    StationId::new(STATION).unwrap()
}

/// Within the bound of all tests.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// A desk that lets the one station in and answers what the test wrote down; without a script it says yes.
pub(super) struct Script {
    version: Version,
    quirks: Quirks,
    here: watch::Sender<bool>,
    next: Mutex<VecDeque<Heard>>,
    pub heard: watch::Sender<Vec<FromStation>>,
    pub log: Mutex<Vec<LogLine>>,
}

impl Script {
    fn new(version: Version, quirks: Quirks) -> Self {
        Self {
            version,
            quirks,
            here: watch::Sender::new(false),
            next: Mutex::default(),
            heard: watch::Sender::new(Vec::new()),
            log: Mutex::default(),
        }
    }

    fn answer_next(&self, answer: Heard) {
        self.next.lock().unwrap().push_back(answer);
    }

    /// What the operator's end found odd since it was asked last.
    pub(super) fn remarks(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.log.lock().unwrap());
        let each = |line: LogLine| line.remarks.iter().map(|remark| format!("{}: {remark}", line.action)).collect();
        lines.into_iter().flat_map::<Vec<_>, _>(each).collect()
    }
}

fn yes(said: &FromStation) -> Heard {
    let verdict = || Verdict::bare(Allowed::Yes);
    match said {
        FromStation::Boot(_) => {
            Heard::Boot { admitted: Admission::Accepted, now: now(), interval: Duration::from_secs(300) }
        }
        FromStation::Alive => Heard::Alive { now: now() },
        FromStation::Tap(_) => Heard::Tap(verdict()),
        FromStation::Transaction(report) => {
            let number = (report.stage == Stage::Started && report.key.is_none()).then_some(7);
            Heard::Transaction { number, verdict: report.token.is_some().then(verdict), cost: None, advice: None }
        }
        FromStation::Vendor(_) => Heard::Vendor(VendorAnswer { status: "Accepted".into(), data: None }),
        _ => Heard::Noted,
    }
}

impl Desk for Script {
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>> {
        let station = StationId::new(&knock.identity).map_err(|_| Refusal::UnknownStation);
        Box::pin(async move { Ok(Entry { station: station?, version: self.version, quirks: self.quirks }) })
    }

    fn arrived(&self, _entry: &Entry, _connection: ConnectionNo) -> Soon<'_, ()> {
        self.here.send_replace(true);
        Box::pin(async {})
    }

    fn hear(&self, _station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        let answer = self.next.lock().unwrap().pop_front().unwrap_or_else(|| yes(&said));
        self.heard.send_modify(|all| all.push(said));
        Box::pin(async move { Ok(answer) })
    }

    fn left(&self, _station: &StationId, _connection: ConnectionNo, _why: &str) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    fn note(&self, _station: &StationId, line: LogLine) {
        self.log.lock().unwrap().push(line);
    }
}

/// A pole that answers what the test wrote down; without a script it accepts.
#[derive(Default)]
pub(super) struct Obedient {
    up: watch::Sender<bool>,
    answer: Mutex<Option<StationAnswer>>,
    told: Mutex<Vec<ToStation>>,
}

impl Pole for Obedient {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        self.told.lock().unwrap().push(order);
        let answer = self.answer.lock().unwrap().take().unwrap_or(StationAnswer::Accepted);
        Box::pin(async move { answer })
    }

    fn line_up(&self, _version: Version) {
        self.up.send_replace(true);
    }

    fn line_down(&self, _why: &str) {
        self.up.send_replace(false);
    }
}
