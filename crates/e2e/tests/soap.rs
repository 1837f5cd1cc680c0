//! Both SOAP doors against a peer that is not ours: zeep on the official WSDLs, over mutual TLS, as station and as
//! central system. The peer validates every body of ours against the schemas. Needs `LEYDEN_PYTHON` with the packages
//! of `tests/interop/requirements.txt`, and the WSDLs beside the project; says so where either is missing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use charge::id::{EvseNo, PartyId, StationId, TransactionKey};
use charge::meter::{Context, Measured, Reading};
use charge::talk::line::charging::ChargingOrder;
use charge::talk::line::payment::VendorAnswer;
use charge::talk::line::reservation::ListOrder;
use charge::talk::line::upkeep::{Progress, UpkeepOrder, Work};
use charge::talk::line::{
    Admission, BayState, Boot, ConnectionNo, Denial, Desk, Entry, Foreign, FromStation, Heard, Knock, LineFault,
    LogLine, MeterReport, Pole, Refusal, Setting, Stage, StationAnswer, StatusReport, Tap, ToStation,
    TransactionReport, Version,
};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::Energy;
use charge::{Clock, Soon, SystemClock};
use gate::line::soap::{PATH, SoapDial, SoapOptions, listen, station};
use gate::line::{Backoff, TalkLimits};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::{ClientCertificates, Trusted};

const DAY: Duration = Duration::from_secs(86_400);
const PATIENCE: Duration = Duration::from_secs(60);
const STATION: &str = "ZEEP-1";
const SERIAL: &str = "SN-ZEEP-1";
const OPERATOR: &str = "DE-VLT";
const VERSIONS: [(&str, Version); 2] = [("1.5", Version::S15), ("1.6", Version::S16)];

fn spec(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ocpp").join(version).join("soap")
}

/// The interpreter with the package, or why there is none.
fn python() -> Result<PathBuf, String> {
    if !spec("1.6").exists() {
        return Err(format!("no WSDLs at {}", spec("1.6").display()));
    }
    let path = PathBuf::from(std::env::var_os("LEYDEN_PYTHON").ok_or("LEYDEN_PYTHON is not set")?);
    let tried = std::process::Command::new(&path).args(["-c", "import zeep, lxml"]).output();
    match tried {
        Ok(tried) if tried.status.success() => Ok(path),
        Ok(_) => Err(format!("{} has no package `zeep`", path.display())),
        Err(fault) => Err(format!("{}: {fault}", path.display())),
    }
}

/// One authority for everybody, and a folder with its files.
struct Pki {
    root: Authority,
    folder: PathBuf,
}

impl Pki {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("leyden-soap-{}", charge::Dice::uuid(&SystemDice)));
        std::fs::create_dir(&folder).unwrap();
        let root = Authority::create("Root", DAY, SystemClock.now(), &SystemDice).unwrap();
        std::fs::write(folder.join("root.pem"), root.certificate_pem()).unwrap();
        Self { root, folder }
    }

    fn station(&self) -> Identity {
        self.root.station_certificate(SERIAL, "Voltwerk", DAY, SystemClock.now(), &SystemDice).unwrap()
    }

    fn operator(&self) -> Identity {
        let party: PartyId = OPERATOR.parse().unwrap();
        self.root.party_certificate(party, DAY, SystemClock.now(), &SystemDice).unwrap()
    }

    fn server(&self, name: &str) -> Identity {
        let names = [name.to_owned(), "127.0.0.1".to_owned()];
        self.root.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap()
    }

    fn keep(&self, name: &str, identity: &Identity) -> PathBuf {
        let path = self.folder.join(name);
        identity.write(&path).unwrap();
        path
    }

    fn server_tls(&self, name: &str) -> Arc<rustls::ServerConfig> {
        let trusted = Trusted { roots_pem: self.root.certificate_pem().to_owned(), on_refused: Arc::new(|_| {}) };
        let tls = trust::tls::server(&self.server(name), ClientCertificates::Required(trusted), &[]);
        Arc::new(tls.unwrap())
    }

    fn client_tls(&self, identity: &Identity) -> Arc<rustls::ClientConfig> {
        Arc::new(trust::tls::client(self.root.certificate_pem(), Some(identity), &[]).unwrap())
    }
}

impl Drop for Pki {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.folder);
    }
}

/// The script at work.
struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    /// Where it is served.
    url: String,
}

impl Peer {
    async fn start(python: &Path, pki: &Pki, role: &str, version: &str, central: Option<&str>) -> Self {
        let (client, server) = match role {
            "station" => (pki.station(), pki.server(SERIAL)),
            _ => (pki.operator(), pki.server("op.example")),
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/soap_peer.py");
        let mut command = Command::new(python);
        command.arg(script).args([role, version]).arg(spec(version)).args(["--id", STATION]);
        command.arg("--ca").arg(pki.folder.join("root.pem"));
        command.arg("--identity").arg(pki.keep(&format!("{role}-client.pem"), &client));
        command.arg("--server").arg(pki.keep(&format!("{role}-server.pem"), &server));
        command.args(central.iter().flat_map(|url| ["--url", url]));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let input = child.stdin.take();
        let mut peer = Self { child, input, lines, url: String::new() };
        let first = peer.step().await;
        assert_eq!(first["step"], "listening");
        peer.url = first["url"].as_str().unwrap().to_owned();
        peer
    }

    async fn step(&mut self) -> Value {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("the script says something").unwrap();
        serde_json::from_str(&line.expect("the script goes on")).unwrap()
    }

    /// All steps up to `done`.
    async fn until_done(&mut self) -> Vec<Value> {
        let mut steps = Vec::new();
        loop {
            let step = self.step().await;
            if step["step"] == "done" {
                return steps;
            }
            steps.push(step);
        }
    }

    async fn end(mut self) {
        drop(self.input.take());
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("the script ends").unwrap();
        assert!(ended.success(), "{ended}");
    }
}

/// Lets the one station in and says yes to everything.
#[derive(Default)]
struct YesDesk {
    heard: Mutex<Vec<FromStation>>,
}

impl Desk for YesDesk {
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>> {
        Box::pin(async move {
            let proven = knock.certificate.is_some_and(|shown| shown.common_name == format!("SN-{}", knock.identity));
            let station = StationId::new(&knock.identity).map_err(|_| Refusal::UnknownStation)?;
            let entry = Entry { station, version: Version::V16, quirks: charge::talk::line::quirk::Quirks::USUAL };
            if proven { Ok(entry) } else { Err(Refusal::NotProven("certificate of another station")) }
        })
    }

    fn arrived(&self, _entry: &Entry, _connection: ConnectionNo) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    fn hear(&self, _station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        let now = SystemClock.now();
        let verdict = Verdict::bare(Allowed::Yes);
        let answer = match &said {
            FromStation::Boot(_) => {
                Heard::Boot { admitted: Admission::Accepted, now, interval: Duration::from_secs(300) }
            }
            FromStation::Alive => Heard::Alive { now },
            FromStation::Tap(_) => Heard::Tap(verdict),
            FromStation::Transaction(_) => {
                Heard::Transaction { number: Some(7), verdict: Some(verdict), cost: None, advice: None }
            }
            FromStation::Vendor(_) => Heard::Vendor(VendorAnswer { status: "Accepted".into(), data: None }),
            _ => Heard::Noted,
        };
        self.heard.lock().unwrap().push(said);
        Box::pin(async move { Ok(answer) })
    }

    fn left(&self, _station: &StationId, _connection: ConnectionNo, _why: &str) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    fn note(&self, _station: &StationId, _line: LogLine) {}
}

/// Obeys.
struct YesPole {
    up: watch::Sender<bool>,
}

impl Pole for YesPole {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        let setting = Setting { key: "k".into(), value: Some("v".into()), read_only: false };
        let answer = match order {
            ToStation::ReadSettings { .. } => StationAnswer::Settings { known: vec![setting], unknown: Vec::new() },
            ToStation::Upkeep(UpkeepOrder::FetchLog { .. }) => StationAnswer::File(Some("d.zip".into())),
            ToStation::List(ListOrder::Version) => StationAnswer::Number(5),
            ToStation::Charging(ChargingOrder::Composite { .. }) => StationAnswer::Refused("Rejected".into()),
            ToStation::Vendor(_) => StationAnswer::Vendor(VendorAnswer { status: "Accepted".into(), data: None }),
            _ => StationAnswer::Accepted,
        };
        Box::pin(async move { answer })
    }

    fn line_up(&self, _version: Version) {
        self.up.send_replace(true);
    }

    fn line_down(&self, _why: &str) {
        self.up.send_replace(false);
    }
}

/// Every order of a version as raw payloads.
fn orders(version: Version) -> Vec<(&'static str, String)> {
    let at = "2026-11-22T15:04:05Z";
    let mut orders = vec![
        ("CancelReservation", r#"{"reservationId":3}"#.to_owned()),
        ("ChangeAvailability", r#"{"connectorId":0,"type":"Operative"}"#.to_owned()),
        ("ChangeConfiguration", r#"{"key":"k","value":"a <b> & c"}"#.to_owned()),
        ("ClearCache", "{}".to_owned()),
        ("DataTransfer", r#"{"vendorId":"v","messageId":"m","data":"d"}"#.to_owned()),
        ("GetConfiguration", r#"{"key":["k"]}"#.to_owned()),
        ("GetDiagnostics", format!(r#"{{"location":"ftp://x/y","startTime":"{at}","retries":1}}"#)),
        ("GetLocalListVersion", "{}".to_owned()),
        ("RemoteStartTransaction", r#"{"connectorId":1,"idTag":"TAG001"}"#.to_owned()),
        ("RemoteStopTransaction", r#"{"transactionId":7}"#.to_owned()),
        ("ReserveNow", format!(r#"{{"connectorId":1,"expiryDate":"{at}","idTag":"TAG001","reservationId":3}}"#)),
        ("Reset", r#"{"type":"Hard"}"#.to_owned()),
        (
            "SendLocalList",
            r#"{"listVersion":1,"localAuthorizationList":[{"idTag":"A","idTagInfo":{"status":"Accepted"}}],"updateType":"Full"}"#
                .to_owned(),
        ),
        ("UnlockConnector", r#"{"connectorId":1}"#.to_owned()),
        ("UpdateFirmware", format!(r#"{{"location":"https://x/y","retrieveDate":"{at}"}}"#)),
    ];
    if version == Version::S16 {
        let profile = r#"{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.5}]}}"#;
        orders.extend([
            ("ClearChargingProfile", r#"{"id":1}"#.to_owned()),
            ("GetCompositeSchedule", r#"{"connectorId":1,"duration":60}"#.to_owned()),
            ("SetChargingProfile", format!(r#"{{"connectorId":1,"csChargingProfiles":{profile}}}"#)),
            ("TriggerMessage", r#"{"requestedMessage":"Heartbeat"}"#.to_owned()),
        ]);
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_station_says_and_obeys_everything_that_its_version_has() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED, foreign SOAP station: {why}; run `make tools` and set LEYDEN_PYTHON"),
    };
    for (label, version) in VERSIONS {
        let pki = Pki::new();
        let desk = Arc::new(YesDesk::default());
        let server = listen(
            "127.0.0.1:0".parse().unwrap(),
            pki.server_tls("op.example"),
            Arc::clone(&desk) as Arc<dyn Desk>,
            Arc::new(SystemClock),
            Arc::new(SystemDice),
            SoapOptions::new(pki.client_tls(&pki.operator())),
        )
        .unwrap();
        let url = format!("https://127.0.0.1:{}{PATH}", server.local_addr().port());
        let mut peer = Peer::start(&python, &pki, "station", label, Some(&url)).await;
        let steps = peer.until_done().await;
        assert_eq!(steps.len(), 11, "{steps:?}");
        let (own, foreign) = steps.split_at(10);
        for step in own {
            assert!(step["fault"].is_null(), "{label}: {step}");
        }
        assert_eq!(foreign[0]["fault"], "IdentityMismatch", "{label}");
        assert_eq!(desk.heard.lock().unwrap().len(), 10, "{label}");

        let (line, id) = (server.line(), StationId::new(STATION).unwrap());
        for (action, body) in orders(version) {
            let order = ToStation::Foreign(Foreign { action: action.into(), body: body.into() });
            let answer = timeout(PATIENCE, line.tell(&id, order)).await.unwrap();
            let Ok(StationAnswer::Foreign(_)) = answer else { panic!("{label} {action}: {answer:?}") };
            let step = peer.step().await;
            assert!(step["problem"].is_null(), "{label}: {step}");
            assert_eq!(step["operation"].as_str().unwrap().to_lowercase(), action.to_lowercase());
        }
        peer.end().await;
        let gone = timeout(PATIENCE, line.tell(&id, ToStation::ClearCache)).await.unwrap();
        assert_eq!(gone, Err(LineFault::NotConnected), "{label}");
    }
}

/// Every message of a station.
fn messages() -> Vec<FromStation> {
    let now = SystemClock.now();
    let token = || PresentedToken::new(TokenUid::new("TAG001").unwrap(), TokenKind::Rfid);
    let register =
        |context, wh| Reading { at: now, context, phase: None, measured: Measured::EnergyImport(Energy::from_wh(wh)) };
    let key = Some(TransactionKey::Number(7));
    let started = TransactionReport {
        stage: Stage::Started,
        key: None,
        seq: None,
        at: now,
        evse: EvseNo::new(1),
        token: Some(token()),
        readings: vec![register(Context::TransactionBegin, 500)],
        reason: None,
        state: None,
        offline: false,
        remote_start: None,
        reservation: None,
        terms: None,
    };
    let ended = TransactionReport {
        stage: Stage::Ended,
        key: key.clone(),
        evse: None,
        readings: vec![register(Context::TransactionEnd, 1500)],
        ..started.clone()
    };
    let readings = vec![register(Context::SamplePeriodic, 900)];
    let progress = |of, status: &str| {
        FromStation::Progress(Progress { of, request: None, status: status.into(), places: Vec::new() })
    };
    vec![
        FromStation::Boot(Boot { vendor: "Leyden".into(), model: "Virtual".into(), ..Boot::default() }),
        FromStation::Alive,
        FromStation::Status(StatusReport { evse: None, state: BayState::Available, fault: None, at: Some(now) }),
        FromStation::Tap(Tap { token: token(), contract: None }),
        FromStation::Transaction(started),
        FromStation::Meter(MeterReport { evse: EvseNo::new(1), key, readings }),
        FromStation::Transaction(ended),
        progress(Work::Firmware, "Installed"),
        progress(Work::Diagnostics, "Uploaded"),
        FromStation::Foreign(Foreign { action: "DataTransfer".into(), body: r#"{"vendorId":"v"}"#.into() }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_central_system_hears_and_orders_our_station() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED, foreign central system: {why}; run `make tools` and set LEYDEN_PYTHON"),
    };
    for (label, version) in VERSIONS {
        let pki = Pki::new();
        let mut peer = Peer::start(&python, &pki, "central", label, None).await;
        let pole = Arc::new(YesPole { up: watch::Sender::new(false) });
        let dial = SoapDial {
            station: StationId::new(STATION).unwrap(),
            version,
            operator: peer.url.clone(),
            tls: Some(pki.client_tls(&pki.station())),
            basic: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            server_tls: Some(pki.server_tls(SERIAL)),
            operator_name: Some(OPERATOR.to_owned()),
            callback: None,
            backoff: Backoff::default(),
            limits: TalkLimits::default(),
        };
        let ours =
            station(dial, Arc::clone(&pole) as Arc<dyn Pole>, Arc::new(SystemClock), Arc::new(SystemDice)).unwrap();
        timeout(PATIENCE, pole.up.subscribe().wait_for(|up| *up)).await.unwrap().unwrap();
        let uplink = ours.uplink();
        for message in messages() {
            let heard = timeout(PATIENCE, uplink.say(message.clone())).await.unwrap();
            assert!(heard.is_ok(), "{label} {message:?}: {heard:?}");
            let step = peer.step().await;
            assert!(step["problem"].is_null(), "{label}: {step}");
            assert_eq!(step["sender"], format!("https://127.0.0.1:{}/", ours.local_addr().port()));
        }
        let address = format!("https://127.0.0.1:{}/\n", ours.local_addr().port());
        peer.input.as_mut().unwrap().write_all(address.as_bytes()).await.unwrap();
        let mut steps = peer.until_done().await;
        let stranger = steps.pop().unwrap();
        assert_eq!(stranger["fault"], "IdentityMismatch", "{label}: {stranger}");
        assert_eq!(steps.len(), if version == Version::S16 { 19 } else { 15 });
        for step in steps {
            assert!(step["fault"].is_null(), "{label}: {step}");
        }
        peer.end().await;
        timeout(PATIENCE, ours.stop()).await.unwrap();
    }
}
