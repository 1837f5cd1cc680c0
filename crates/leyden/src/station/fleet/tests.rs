//! Fleets over real sockets, against the operator's end of the line with a desk that takes everything.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod control;
mod moves;
mod shares;

use std::collections::BTreeSet;
use std::sync::Mutex;

use charge::id::StationId;
use charge::talk::line::{
    Admission, ConnectionNo, Denial, Desk, Entry, FromStation, Heard, Knock, LogLine, Refusal, Stage, Version,
};
use charge::token::{Allowed, Verdict};
use charge::{Secret, Soon};
use gate::line::{LineServer, Options, listen_plain};
use tokio::sync::watch;
use trust::dice::SystemDice;

use super::*;

/// In real time: what has not happened by then never does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets everybody in and keeps who came with what, what was said, and what was begun and ended.
#[derive(Default)]
struct Generous {
    knocks: Mutex<Vec<Knocked>>,
    heard: Mutex<Vec<(StationId, FromStation)>>,
    news: watch::Sender<()>,
    number: Mutex<i32>,
    begun: Mutex<BTreeSet<String>>,
    ended: Mutex<BTreeSet<String>>,
}

/// What a station proved itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Knocked {
    identity: String,
    password: Option<String>,
    certificate: Option<String>,
}

impl Generous {
    /// Waits until this is so.
    async fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let mut news = self.news.subscribe();
        let seen = tokio::time::timeout(PATIENCE, news.wait_for(|()| is(self))).await;
        assert!(seen.is_ok(), "waited in vain for {what}");
    }

    fn knocked(&self, is: impl Fn(&Knocked) -> bool) -> bool {
        self.knocks.lock().unwrap().iter().any(is)
    }

    fn said(&self, is: impl Fn(&FromStation) -> bool) -> usize {
        self.heard.lock().unwrap().iter().filter(|(_, said)| is(said)).count()
    }
}

impl Desk for Generous {
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>> {
        let offered =
            |version: &Version| version.subprotocol().is_some_and(|name| knock.offered.iter().any(|of| of == name));
        let version = [Version::V21, Version::V201, Version::V16].into_iter().find(offered);
        self.knocks.lock().unwrap().push(Knocked {
            identity: knock.identity.clone(),
            password: knock.basic.map(|(_, password)| String::from_utf8_lossy(password.expose()).into_owned()),
            certificate: knock.certificate.map(|certificate| certificate.fingerprint),
        });
        self.news.send_replace(());
        let station = StationId::new(knock.identity.to_uppercase());
        let entry = match (station, version) {
            (Ok(station), Some(version)) => {
                Ok(Entry { station, version, quirks: charge::talk::line::quirk::Quirks::USUAL })
            }
            (Ok(_), None) => Err(Refusal::NoCommonVersion),
            (Err(_), _) => Err(Refusal::UnknownStation),
        };
        Box::pin(std::future::ready(entry))
    }

    fn arrived(&self, _entry: &Entry, _connection: ConnectionNo) -> Soon<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn hear(&self, station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        self.heard.lock().unwrap().push((station.clone(), said.clone()));
        let now = SystemClock.now();
        let yes = || Verdict::bare(Allowed::Yes);
        let heard = match said {
            FromStation::Boot(_) => {
                Heard::Boot { admitted: Admission::Accepted, now, interval: Duration::from_secs(300) }
            }
            FromStation::Alive => Heard::Alive { now },
            FromStation::Tap(_) => Heard::Tap(yes()),
            FromStation::Transaction(report) => {
                let mut number = self.number.lock().unwrap();
                let first = report.stage == Stage::Started;
                if first {
                    *number += 1;
                    self.begun.lock().unwrap().insert(station.to_string());
                } else if report.stage == Stage::Ended {
                    self.ended.lock().unwrap().insert(format!("{station} {:?}", report.key));
                }
                Heard::Transaction {
                    number: first.then_some(*number),
                    verdict: first.then(yes),
                    cost: None,
                    advice: None,
                }
            }
            _ => Heard::Noted,
        };
        self.news.send_replace(());
        Box::pin(std::future::ready(Ok(heard)))
    }

    fn left(&self, _station: &StationId, _connection: ConnectionNo, _why: &str) -> Soon<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn note(&self, _station: &StationId, _line: LogLine) {}
}

fn open() -> (LineServer, Arc<Generous>, Operator) {
    let desk = Arc::new(Generous::default());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let behind: Arc<dyn Desk> = Arc::clone(&desk) as Arc<dyn Desk>;
    let server = listen_plain("127.0.0.1:0".parse().unwrap(), behind, clock, Arc::new(SystemDice), Options::default());
    let server = server.unwrap();
    let url = format!("ws://{}", server.local_addr());
    (server, desk, Operator { url, roots: None })
}

async fn run(scenario: &Scenario, operator: &Operator) -> Report {
    let journals = Store::in_memory(station::MIGRATIONS).unwrap();
    play(scenario, operator, Path::new("."), &journals, None).await.unwrap()
}

fn scenario(text: &str) -> Scenario {
    toml::from_str(text).unwrap()
}

const TWENTY: &str = r#"
name = "twenty"
speed = 600
station = [
    { id = "A{n}", count = 8, version = "1.6", preset = "keba", step = [
        { do = "wait", seconds = 60, jitter = 60 }, { do = "arrive" },
        { do = "expect", state = "Charging", within = 60 },
        { do = "wait", seconds = 600 }, { do = "leave" }, { do = "settled", within = 60 } ] },
    { id = "B{n}", count = 8, version = "2.0.1", preset = "keba-ocpp2", step = [
        { do = "arrive" }, { do = "expect", state = "Charging", within = 60 },
        { do = "power-curve", points = [ { watts = 7000, seconds = 60 }, { watts = 0, seconds = 60 } ] },
        { do = "leave" }, { do = "settled", within = 60 } ] },
    { id = "C{n}", count = 4, version = "2.1", preset = "abb-terra-53", step = [
        { do = "arrive", evse = 2 }, { do = "expect", evse = 2, state = "Charging", within = 60 },
        { do = "offline", seconds = 600 },
        { do = "leave", evse = 2 }, { do = "settled", within = 60 } ] },
]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_stations_of_three_versions_live_their_scenario() {
    let (server, desk, operator) = open();
    let report = run(&scenario(TWENTY), &operator).await;
    let failures: Vec<_> =
        report.stations.iter().map(|of| (&of.id, &of.failures)).filter(|(_, why)| !why.is_empty()).collect();
    assert!(report.held, "{failures:?}");
    assert_eq!(report.stations.len(), 20);
    assert_eq!(desk.begun.lock().unwrap().len(), 20, "one transaction each, however often it is said");
    assert_eq!(desk.ended.lock().unwrap().len(), 20, "and each to its end");
    assert!(report.stations.iter().all(|of| of.error_codes.is_empty() && of.latency.p99_us >= of.latency.p50_us));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tolerant_operator_serves_what_the_field_does_wrong() {
    let (server, desk, operator) = open();
    let quirky = r#"
name = "quirks"
speed = 600
[[station]]
id = "Q{n}"
count = 2
version = "1.6"
quirks = ["counted-ids", "zoneless", "meter-object", "two-calls", "odd-path", "broken-json"]
step = [ { do = "arrive" }, { do = "expect", state = "Charging", within = 60 }, { do = "wait", seconds = 600 },
         { do = "raw", frame = "[2,\"x\"" }, { do = "leave" }, { do = "settled", within = 60 } ]
[[station]]
id = "R1"
version = "1.6"
quirks = ["no-boot"]
step = [ { do = "arrive" }, { do = "expect", state = "Charging", within = 60 }, { do = "duplicate", messages = 2 },
         { do = "leave" }, { do = "settled", within = 60 } ]
"#;
    let report = run(&scenario(quirky), &operator).await;
    let failures: Vec<_> = report.stations.iter().map(|of| &of.failures).collect();
    assert!(report.held, "{failures:?}");
    assert_eq!(desk.ended.lock().unwrap().len(), 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_gives_the_same_report_but_for_its_times() {
    let mut runs = Vec::new();
    for _run in 0..2 {
        let (server, _desk, operator) = open();
        let report = run(&scenario(TWENTY), &operator).await;
        server.stop().await;
        let failures: Vec<_> = report.stations.iter().flat_map(|of| of.failures.clone()).collect();
        assert!(report.held, "{failures:?}");
        let steps =
            |of: &StationReport| -> Vec<_> { of.steps.iter().map(|step| (step.step, step.failure.clone())).collect() };
        // how many readings and heartbeats fit into a span is a matter of time
        let begins = |of: &StationReport| of.messages.keys().any(|action| action == "StartTransaction");
        let seen: Vec<_> = report.stations.iter().map(|of| (of.id.clone(), steps(of), begins(of))).collect();
        runs.push((report.seed, report.held, seen));
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_line_loses_no_transaction() {
    // outage, duplicates, reordering, a loss of power in a transaction, a clock that jumps, a fault, a reboot
    let (server, desk, operator) = open();
    let text = include_str!("../../../../../examples/scenarios/bad-line.toml").replace("speed = 60", "speed = 600");
    let mut bad = scenario(&text);
    bad.station[0].identity = None;
    let report = run(&bad, &operator).await;
    let failures: Vec<_> = report.stations.iter().map(|of| &of.failures).collect();
    assert!(report.held, "{failures:?}");
    assert_eq!(desk.ended.lock().unwrap().len(), 8, "two transactions at each of four stations, each to its end");
    let ends = |why| {
        desk.said(|said| {
            matches!(said, FromStation::Transaction(report) if report.stage == Stage::Ended && report.reason == Some(why))
        })
    };
    assert!(ends(charge::talk::line::EndReason::PowerLoss) >= 4);
    let late = desk.said(|said| matches!(said, FromStation::Transaction(report) if report.offline));
    assert!(late >= 4, "what happened on the dead line is told afterwards, and as such");
    server.stop().await;
}
