#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::sync::Mutex;

use charge::clock::SystemClock;
use charge::id::StationId;
use charge::talk::line::{
    Admission, ConnectionNo, Denial, Desk, Entry, FromStation, Heard, Knock, LogLine, Refusal, Stage, Version,
};
use charge::token::{Allowed, Verdict};
use charge::{Soon, Timestamp};
use gate::line::{LineServer, Options, listen};
use trust::dice::SystemDice;
use trust::pki::Authority;
use trust::tls::ClientCertificates;

use super::*;
use crate::server::echo;

const PASSWORD: &str = "sixteen-bytes-ok";

/// Lets in who knows the password, answers as an operator does, and counts what it hears.
#[derive(Default)]
struct CountingDesk {
    heard: Mutex<HashMap<&'static str, u32>>,
    /// Answered to a start.
    refuses_tokens: bool,
}

impl CountingDesk {
    fn heard(&self, word: &str) -> u32 {
        self.heard.lock().unwrap().get(word).copied().unwrap_or(0)
    }
}

impl Desk for CountingDesk {
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>> {
        Box::pin(async move {
            let (user, password) = knock.basic.ok_or(Refusal::NotProven("no password"))?;
            let proven = user == knock.identity && password.expose() == PASSWORD.as_bytes();
            let station = StationId::new(&knock.identity).map_err(|_| Refusal::UnknownStation)?;
            let entry = Entry { station, version: Version::V16, quirks: charge::talk::line::quirk::Quirks::USUAL };
            if proven { Ok(entry) } else { Err(Refusal::NotProven("wrong")) }
        })
    }

    fn arrived(&self, _entry: &Entry, _connection: ConnectionNo) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    fn hear(&self, _station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        let now = Timestamp::from_secs(1_800_000_000);
        let verdict = Verdict::bare(if self.refuses_tokens { Allowed::Blocked } else { Allowed::Yes });
        let started = Heard::Transaction { number: Some(7), verdict: Some(verdict), cost: None };
        let (word, answer) = match said {
            FromStation::Boot(_) => {
                let interval = Duration::from_secs(300);
                ("boot", Heard::Boot { admitted: Admission::Accepted, now, interval })
            }
            FromStation::Alive => ("alive", Heard::Alive { now }),
            FromStation::Status(_) => ("status", Heard::Noted),
            FromStation::Meter(report) if report.readings.len() == 5 => ("meter", Heard::Noted),
            FromStation::Transaction(report) if report.stage == Stage::Started => ("start", started),
            FromStation::Transaction(_) => ("stop", Heard::Transaction { number: None, verdict: None, cost: None }),
            other => panic!("the bench does not say {other:?}"),
        };
        *self.heard.lock().unwrap().entry(word).or_default() += 1;
        Box::pin(async move { Ok(answer) })
    }

    fn left(&self, _station: &StationId, _connection: ConnectionNo, _why: &str) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    fn note(&self, _station: &StationId, _line: LogLine) {}
}

/// Both servers in this process, on the same certificate.
struct World {
    roots_pem: String,
    tls: Arc<rustls::ServerConfig>,
    desk: Arc<CountingDesk>,
    /// Kept alive until the end of the test.
    running: Vec<(crate::server::Echo, LineServer)>,
}

impl World {
    fn new(desk: CountingDesk) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        let authority = Authority::create("Bench", DAY, SystemClock.now(), &SystemDice).unwrap();
        let names = ["localhost".to_owned()];
        let identity = authority.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap();
        let tls = Arc::new(trust::tls::server(&identity, ClientCertificates::None, &[]).unwrap());
        let roots_pem = authority.certificate_pem().to_owned();
        Self { roots_pem, tls, desk: Arc::new(desk), running: Vec::new() }
    }

    fn spawn(&mut self, kind: Kind) -> Server {
        let any = "127.0.0.1:0".parse().unwrap();
        let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let echo = echo(any, Arc::clone(&self.tls)).unwrap();
        let desk = Arc::clone(&self.desk) as Arc<dyn Desk>;
        let line = listen(any, Arc::clone(&self.tls), desk, clock, dice, Options::default()).unwrap();
        let addr = match kind {
            Kind::Echo => echo.local_addr(),
            Kind::Operator => line.local_addr(),
        };
        self.running.push((echo, line));
        Server::here(addr)
    }

    /// A plan that is over in a moment.
    fn plan(&self, dir: PathBuf) -> Plan {
        let account = |number| Account { id: format!("BENCH-{number}"), password: Secret::new(PASSWORD.to_owned()) };
        Plan {
            messages: 24,
            rounds: 1,
            outstanding: 2,
            paced_per_second: 1_000,
            paced_time: Duration::from_millis(20),
            settle: Duration::from_micros(100),
            ..Plan::new((0..6).map(account).collect(), 4, self.roots_pem.clone(), dir)
        }
    }
}

/// A folder for one test, gone when the test is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("load-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn run(world: &mut World, plan: &Plan) -> Result<Report, Fault> {
    let mut spawn = |kind| Ok(world.spawn(kind));
    measure(plan, Arc::new(SystemClock), &mut spawn).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_bench_says_everything_it_was_asked_to() {
    let scratch = Scratch::new("small");
    let mut world = World::new(CountingDesk::default());
    let plan = world.plan(scratch.0.clone());
    let report = run(&mut world, &plan).await.unwrap();
    let desk = &world.desk;
    assert_eq!((desk.heard("boot"), desk.heard("start"), desk.heard("stop")), (6, 4, 4));
    for word in ["alive", "status", "meter"] {
        // 24 as fast as it goes, and the paced ones
        assert!(desk.heard(word) > 24, "{word}: {}", desk.heard(word));
    }
    assert_eq!(
        report.planned,
        Planned {
            stations: 4,
            idle: 2,
            rounds: 1,
            messages: 24,
            outstanding: 2,
            // the door takes ten a second from each of four stations without end
            paced_per_second: 40,
        }
    );
    assert_eq!(report.remarks, Vec::<String>::new());
    let actions: Vec<_> = report.messages.iter().map(|message| message.action.as_str()).collect();
    assert_eq!(actions, ["Heartbeat", "StatusNotification", "MeterValues"]);
    for message in &report.messages {
        let cost = [message.echo.cpu_us, message.operator.cpu_us, message.operator.paced.p50_us];
        assert!(cost.iter().all(|cost| cost.median > 0.0), "{message:?}");
    }
    assert!(report.commit.alone.cpu_us.median > 0.0 && report.commit.grouped.wall_us.median > 0.0);
    assert_eq!(std::fs::read_dir(&scratch.0).unwrap().count(), 0, "the floor's file is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_station_or_token_is_a_fault_and_no_figure() {
    let scratch = Scratch::new("refused");
    let mut world = World::new(CountingDesk { refuses_tokens: true, ..CountingDesk::default() });
    let mut plan = world.plan(scratch.0.clone());
    let fault = run(&mut world, &plan).await.unwrap_err();
    assert!(matches!(&fault, Fault::Answer(answer) if answer.contains("Blocked")), "{fault}");

    plan.accounts[0].password = Secret::new("another-password".to_owned());
    let fault = run(&mut world, &plan).await.unwrap_err();
    assert!(matches!(&fault, Fault::NotUpgraded(status) if status.contains("401")), "{fault}");

    let mut nobody = |kind| Err(io::Error::other(format!("no {kind}")));
    let fault = measure(&plan, Arc::new(SystemClock), &mut nobody).await.unwrap_err();
    assert!(matches!(fault, Fault::Server(Kind::Echo, _)), "{fault}");
}

fn plan(stations: usize, senders: usize, messages: u32) -> Plan {
    let accounts = vec![Account { id: "B".to_owned(), password: Secret::new(String::new()) }; stations];
    Plan { messages, ..Plan::new(accounts, senders, String::new(), PathBuf::new()) }
}

#[test]
fn a_plan_is_cut_to_what_stations_and_machine_can_do() {
    let mut remarks = Vec::new();
    let work = plan(2_200, 200, 20_000).work(None, &mut remarks).unwrap();
    assert_eq!((work.senders, work.idle, work.rounds, work.each), (200, 2_000, 5, 20));
    assert_eq!((work.outstanding, work.paced_per_second), (64, 1_000));
    assert!(remarks.is_empty());

    // more rounds, so that no station says more in one than it may
    let work = plan(120, 20, 10_000).work(None, &mut remarks).unwrap();
    assert_eq!((work.rounds, work.each, work.outstanding, work.paced_per_second), (10, 50, 20, 200));
    assert!(remarks.is_empty());

    let work = plan(12, 2, 20_000).work(None, &mut remarks).unwrap();
    assert_eq!((work.rounds, work.each), (ROUNDS_MAX, EACH_MAX));
    assert_eq!(remarks, ["1500 messages of each kind instead of 20000: more stations can send more"]);

    remarks.clear();
    let work = plan(20_200, 200, 20_000).work(Some(20_000), &mut remarks).unwrap();
    assert_eq!(work.idle, 19_500);
    assert_eq!(remarks, ["19500 idle connections instead of 20000: a process may have 20000 descriptors here"]);

    for (impossible, cap) in [(plan(10, 10, 1), None), (plan(10, 0, 1), None), (plan(600, 500, 1), Some(1_024))] {
        assert!(matches!(impossible.work(cap, &mut remarks), Err(Fault::Plan(_))));
    }
}
