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
use gate::line::soap::{SoapOptions, SoapServer};
use gate::line::{LineServer, Options, listen};
use trust::dice::SystemDice;
use trust::pki::Authority;
use trust::tls::{ClientCertificates, Trusted};

use super::*;
use crate::loader::{Crew, Loader, Target};
use crate::server::{Floor, echo};
use crate::{crowd, hammer, storm};

const DAY: Duration = Duration::from_secs(86_400);
const SETTLE: Duration = Duration::from_micros(100);
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
            let station = StationId::new(&knock.identity).map_err(|_| Refusal::UnknownStation)?;
            let offered = |version: &Version| knock.offered.iter().any(|offer| version.subprotocol() == Some(offer));
            let versions = [Version::V16, Version::V201, Version::V21];
            let version = versions.into_iter().find(offered).ok_or(Refusal::NoCommonVersion)?;
            let entry = Entry { station, version, quirks: charge::talk::line::quirk::Quirks::USUAL };
            let proven = match (knock.basic, knock.certificate) {
                (Some((user, password)), _) => user == knock.identity && password.expose() == PASSWORD.as_bytes(),
                (None, Some(certificate)) => certificate.common_name == knock.identity,
                (None, None) => false,
            };
            if proven { Ok(entry) } else { Err(Refusal::NotProven("wrong")) }
        })
    }

    fn arrived(&self, _entry: &Entry, _connection: ConnectionNo) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    fn hear(&self, _station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        let now = Timestamp::from_secs(1_800_000_000);
        let verdict = Verdict::bare(if self.refuses_tokens { Allowed::Blocked } else { Allowed::Yes });
        let started = Heard::Transaction { number: Some(7), verdict: Some(verdict), cost: None, advice: None };
        let (word, answer) = match said {
            FromStation::Boot(_) => {
                let interval = Duration::from_secs(300);
                ("boot", Heard::Boot { admitted: Admission::Accepted, now, interval })
            }
            FromStation::Alive => ("alive", Heard::Alive { now }),
            FromStation::Status(_) => ("status", Heard::Noted),
            FromStation::Meter(report) if report.readings.len() == 5 => ("meter", Heard::Noted),
            FromStation::Transaction(report) if report.stage == Stage::Started => ("start", started),
            FromStation::Transaction(report) if report.stage == Stage::Updated => {
                assert_eq!(report.readings.len(), 5);
                ("update", Heard::Transaction { number: None, verdict: None, cost: None, advice: None })
            }
            FromStation::Transaction(_) => {
                ("stop", Heard::Transaction { number: None, verdict: None, cost: None, advice: None })
            }
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

/// All servers in this process, on the same certificate.
struct World {
    authority: Authority,
    roots_pem: String,
    tls: Arc<rustls::ServerConfig>,
    desk: Arc<CountingDesk>,
    /// Kept alive until the end of the test.
    running: Vec<(Vec<crate::server::Echo>, LineServer, SoapServer)>,
}

impl World {
    fn new(desk: CountingDesk) -> Self {
        let authority = Authority::create("Bench", DAY, SystemClock.now(), &SystemDice).unwrap();
        let names = ["localhost".to_owned()];
        let identity = authority.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap();
        let roots_pem = authority.certificate_pem().to_owned();
        let trusted = Trusted { roots_pem: roots_pem.clone(), on_refused: Arc::new(|_refused| {}) };
        let tls = Arc::new(trust::tls::server(&identity, ClientCertificates::Optional(trusted), &[]).unwrap());
        Self { authority, roots_pem, tls, desk: Arc::new(desk), running: Vec::new() }
    }

    fn spawn(&mut self, kind: Kind) -> Server {
        let any = "127.0.0.1:0".parse().unwrap();
        let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let floors = [Floor::Socket, Floor::Post, Floor::Handshake];
        let floors = floors.map(|floor| echo(any, Arc::clone(&self.tls), floor).unwrap());
        let desk = Arc::clone(&self.desk) as Arc<dyn Desk>;
        let client = trust::tls::client(&self.roots_pem, None, &[]).unwrap();
        let soap = gate::line::soap::listen(
            any,
            Arc::clone(&self.tls),
            Arc::clone(&desk),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&dice) as Arc<dyn charge::Dice>,
            SoapOptions::new(Arc::new(client)),
        );
        let soap = soap.unwrap();
        let line = listen(any, Arc::clone(&self.tls), desk, clock, dice, Options::default()).unwrap();
        let (addr, post) = match kind {
            Kind::Echo => (floors[0].local_addr(), floors[1].local_addr()),
            Kind::Handshake => (floors[2].local_addr(), floors[1].local_addr()),
            Kind::Operator => (line.local_addr(), soap.local_addr()),
        };
        self.running.push((floors.into(), line, soap));
        Server::here(addr, Some(post))
    }

    fn accounts(count: usize) -> Vec<Account> {
        let proof = Proof::Password(Secret::new(PASSWORD.to_owned()));
        (0..count).map(|number| Account { id: format!("BENCH-{number}"), proof: proof.clone() }).collect()
    }

    /// A plan that is over in a moment.
    fn plan(&self, dir: PathBuf) -> Plan {
        let certified = |number| {
            let id = format!("SOAP-{number}");
            let issued = self.authority.station_certificate(&id, "O", DAY, SystemClock.now(), &SystemDice);
            Account { id, proof: Proof::Certificate(issued.unwrap()) }
        };
        Plan {
            soap: (0..4).map(certified).collect(),
            messages: 24,
            rounds: 1,
            outstanding: 2,
            paced_per_second: 1_000,
            paced_time: Duration::from_millis(20),
            settle: SETTLE,
            ..Plan::new(Self::accounts(6), 4, self.roots_pem.clone(), dir)
        }
    }

    /// A loader in this process, for that many stations.
    fn loader(target: &Target, stations: usize) -> Loader {
        Loader::here(Crew::new(target, Self::accounts(stations), Arc::new(SystemClock)).unwrap())
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
    // six of each version, of which four send, and four over SOAP
    assert_eq!((desk.heard("boot"), desk.heard("start"), desk.heard("stop")), (6 * 3 + 4, 4 * 4, 4 * 4));
    for (word, versions) in [("alive", 4), ("status", 4), ("meter", 4), ("update", 2)] {
        // 24 as fast as it goes, and the paced ones
        assert!(desk.heard(word) > 24 * versions, "{word}: {}", desk.heard(word));
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
    let versions: Vec<_> = report.versions.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(versions, ["1.6", "2.0.1", "2.1", "1.6-soap"]);
    for (version, dialect) in report.versions.iter().zip(Dialect::ALL) {
        let actions: Vec<_> = version.messages.iter().map(|message| message.action.as_str()).collect();
        assert_eq!(actions, dialect.messages().iter().map(|message| message.action()).collect::<Vec<_>>());
        assert_eq!(version.idle.is_none(), dialect == Dialect::Soap);
        for message in &version.messages {
            let cost = [message.echo.cpu_us, message.operator.cpu_us, message.operator.paced.p50_us];
            assert!(cost.iter().all(|cost| cost.median > 0.0), "{message:?}");
        }
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

    plan.accounts[0].proof = Proof::Password(Secret::new("another-password".to_owned()));
    let fault = run(&mut world, &plan).await.unwrap_err();
    assert!(matches!(&fault, Fault::NotUpgraded(status) if status.contains("401")), "{fault}");

    let mut nobody = |kind| Err(io::Error::other(format!("no {kind}")));
    let fault = measure(&plan, Arc::new(SystemClock), &mut nobody).await.unwrap_err();
    assert!(matches!(fault, Fault::Server(Kind::Echo, _)), "{fault}");
}

fn plan(stations: usize, senders: usize, messages: u32) -> Plan {
    let proof = Proof::Password(Secret::new(String::new()));
    let accounts = vec![Account { id: "B".to_owned(), proof }; stations];
    Plan { messages, dialects: vec![Dialect::V16], ..Plan::new(accounts, senders, String::new(), PathBuf::new()) }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_in_two_processes_is_all_there_and_answered() {
    let mut world = World::new(CountingDesk::default());
    let plan = crowd::Plan {
        each: 5,
        processes: 2,
        settle: SETTLE,
        roots_pem: world.roots_pem.clone(),
        host: "localhost".to_owned(),
    };
    let told =
        crowd::measure(&plan, &mut |kind| Ok(world.spawn(kind)), &mut |target| Ok(World::loader(target, 5))).await;
    let told = told.unwrap();
    assert_eq!(told.steps.iter().map(|step| (step.processes, step.stations)).collect::<Vec<_>>(), [(1, 5), (2, 10)]);
    // the first five speak twice: alone, and with the others
    assert_eq!((world.desk.heard("boot"), world.desk.heard("status")), (10, 15));
    let page = crowd::render(&told);
    assert!(page.contains("| 2                  |       10 |"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_storm_all_are_back_and_answered() {
    let mut world = World::new(CountingDesk::default());
    let plan = storm::Plan {
        stations: 6,
        within: Duration::from_millis(5),
        settle: SETTLE,
        roots_pem: world.roots_pem.clone(),
        host: "localhost".to_owned(),
    };
    let told =
        storm::measure(&plan, &mut |kind| Ok(world.spawn(kind)), &mut |target| Ok(World::loader(target, 6))).await;
    let told = told.unwrap();
    // they boot once: a connection that was lost is no boot
    assert_eq!((world.desk.heard("boot"), world.desk.heard("status")), (12, 12));
    // whoever keeps its session resumes it, and nobody else does
    assert_eq!((told.operator.resumed, told.resumed.resumed), (0, 6));
    assert!(told.handshake.cpu_us > 0.0 && told.ratio > 0.0, "{told:?}");
    assert!(storm::render(&told).contains("6 stations lost their connection at once"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_good_are_answered_while_the_bad_hammer() {
    let mut world = World::new(CountingDesk::default());
    let plan = hammer::Plan {
        accounts: World::accounts(16),
        good: 4,
        bad: 12,
        per_second: 200,
        quiet: Duration::from_millis(30),
        run_up: Duration::from_millis(5),
        time: Duration::from_millis(60),
        roots_pem: world.roots_pem.clone(),
        host: "localhost".to_owned(),
        id_tag: "BENCH".to_owned(),
    };
    let (mut spawn, clock) = (|kind| Ok(world.spawn(kind)), Arc::new(SystemClock));
    let told = hammer::measure(&plan, clock, &mut spawn, &mut |target| Ok(World::loader(target, 16))).await.unwrap();
    assert!(told.quiet.answers > 0 && told.hammered.answers > 0, "{told:?}");
    let attempts = told.attempts;
    for tried in
        [attempts.junk, attempts.silent, attempts.password, attempts.unknown, attempts.nonsense, attempts.flood]
    {
        assert!(tried >= 2, "{attempts:?}");
    }
    let (_, line, _) = world.running.last().unwrap();
    let figures = line.figures();
    assert!(figures.refused > 0 && figures.broken_handshakes > 0 && figures.panics == 0, "{figures:?}");
    assert!(hammer::render(&told).contains("12 bad peers"));
}
