//! Stations that dial with what their operator set, fetch what it offers, and speak SOAP.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::path::PathBuf;

use charge::Dice;
use charge::talk::line::certificate::{CertificateNews, CertificateOrder, CertificateUse, StationKey};
use charge::talk::line::document::Document;
use charge::talk::line::model::{ModelOrder, Network};
use charge::talk::line::upkeep::{Retries, UpkeepOrder};
use charge::talk::line::{Line, LineFault, ResetKind, StationAnswer, ToStation, Trigger, Written};
use gate::line::listen;
use gate::line::soap::SoapOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trust::pki::{Authority, SigningRequest};
use trust::tls::{ClientCertificates, Trusted};

use super::super::super::actor::Actor;
use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("leyden-moves-{}", SystemDice.uuid()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn keep(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        trust::private_file::write(&path, text.as_bytes()).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

async fn switch_on(group: &str, operator: &Operator, beside: &Path) -> Actor {
    let scenario = scenario(&format!("name = \"one\"\nstation = [ {group} ]"));
    let world: Arc<dyn Clock> = Arc::new(FastClock::new(SystemClock, SystemClock.now(), 600));
    let journals = Store::in_memory(station::MIGRATIONS).unwrap();
    Actor::switch_on(&scenario.station[0], 1, 1, 600, (operator, beside), &world, &journals).await.unwrap()
}

fn id(name: &str) -> StationId {
    StationId::new(name).unwrap()
}

async fn write(line: &Arc<dyn Line>, name: &str, key: &str, value: &str) -> Written {
    let values = vec![(key.into(), Secret::new(value.into()))];
    match line.tell(&id(name), ToStation::WriteSettings { values }).await.unwrap() {
        StationAnswer::Written(rows) => rows[0].1,
        other => panic!("{other:?}"),
    }
}

/// A knock is heard before the line stands.
async fn told_when_there(line: &Arc<dyn Line>, order: ToStation) -> Result<StationAnswer, LineFault> {
    let told = async {
        loop {
            match line.tell(&id("A"), order.clone()).await {
                Err(LineFault::NotConnected) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap()
}

fn boots(desk: &Generous) -> usize {
    desk.said(|said| matches!(said, FromStation::Boot(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_is_used_at_once() {
    // proves: A01.FR.01, A01.FR.02
    let folder = Folder::new();
    folder.keep("key", "the first password");
    for (version, key) in [("1.6", "AuthorizationKey"), ("2.0.1", "SecurityCtrlr.BasicAuthPassword")] {
        let (server, desk, operator) = open();
        let group = format!("{{ id = \"A\", version = \"{version}\", password-file = \"key\" }}");
        let actor = switch_on(&group, &operator, &folder.0).await;
        desk.until("the first boot", |desk| boots(desk) == 1).await;
        let with = |password: &'static str| move |of: &Knocked| of.password.as_deref() == Some(password);
        assert!(desk.knocked(with("the first password")) && !desk.knocked(with("the second password")));
        assert_eq!(write(&server.line(), "A", key, "the second password").await, Written::Accepted);
        desk.until("the new password", |desk| desk.knocked(with("the second password"))).await;
        actor.stop().await;
        server.stop().await;
    }
}

fn tls(root: &Authority) -> Arc<rustls::ServerConfig> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let identity = root.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap();
    let trusted = Trusted { roots_pem: root.certificate_pem().to_owned(), on_refused: Arc::new(|_| {}) };
    Arc::new(trust::tls::server(&identity, ClientCertificates::Optional(trusted), &[]).unwrap())
}

fn here() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_shown_at_once() {
    // proves: A02.FR.02, A02.FR.03, A02.FR.08
    let root = Authority::create("Root", DAY * 30, SystemClock.now(), &SystemDice).unwrap();
    let folder = Folder::new();
    let roots = folder.keep("root.pem", root.certificate_pem());
    let first = root.station_certificate("A", "Voltwerk", DAY, SystemClock.now(), &SystemDice).unwrap();
    first.write(&folder.0.join("A.pem")).unwrap();
    let desk = Arc::new(Generous::default());
    let behind: Arc<dyn Desk> = Arc::clone(&desk) as Arc<dyn Desk>;
    let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let server = listen(here(), tls(&root), behind, clock, dice, Options::default()).unwrap();
    let url = format!("wss://localhost:{}/ocpp", server.local_addr().port());
    let operator = Operator { url, roots: Some(roots) };
    let actor = switch_on("{ id = \"A\", version = \"2.0.1\", identity = \"{id}.pem\" }", &operator, &folder.0).await;
    desk.until("the first boot", |desk| boots(desk) == 1).await;
    let trigger = ToStation::Trigger { what: Trigger::Sign(StationKey::Line), evse: None };
    assert_eq!(server.line().tell(&id("A"), trigger).await, Ok(StationAnswer::Accepted));
    let csr = |desk: &Generous| {
        desk.heard.lock().unwrap().iter().find_map(|(_, said)| match said {
            FromStation::Certificate(CertificateNews::Sign { csr, .. }) => Some(csr.to_string()),
            _ => None,
        })
    };
    desk.until("the request", |desk| csr(desk).is_some()).await;
    let request = SigningRequest::read(&csr(&desk).unwrap()).unwrap();
    let (chain, _facts) = root.certify(&request, "A", "Voltwerk", DAY, SystemClock.now(), &SystemDice).unwrap();
    let signed = CertificateOrder::Signed { key: StationKey::Line, chain: chain.as_str().into(), request: None };
    assert_eq!(server.line().tell(&id("A"), ToStation::Certificate(signed)).await, Ok(StationAnswer::Accepted));
    let before = first.facts().unwrap().fingerprint;
    let new = |of: &Knocked| of.certificate.as_ref().is_some_and(|shown| *shown != before);
    desk.until("the new certificate", |desk| desk.knocked(new)).await;
    actor.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_station_of_1_6_rises_to_the_profile_that_it_is_told() {
    // proves: ocpp-1.6-security A05.FR.01, A05.FR.04, A05.FR.05, A05.FR.06, A05.FR.07
    let root = Authority::create("Root", DAY * 30, SystemClock.now(), &SystemDice).unwrap();
    let folder = Folder::new();
    let roots = folder.keep("root.pem", root.certificate_pem());
    folder.keep("key", "a password of the line");
    let desk = Arc::new(Generous::default());
    let behind: Arc<dyn Desk> = Arc::clone(&desk) as Arc<dyn Desk>;
    let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let server = listen(here(), tls(&root), behind, clock, dice, Options::default()).unwrap();
    let url = format!("wss://localhost:{}/ocpp", server.local_addr().port());
    let operator = Operator { url, roots: Some(roots) };
    let group = "{ id = \"A\", version = \"1.6\", password-file = \"key\" }";
    let actor = switch_on(group, &operator, &folder.0).await;
    desk.until("the first boot", |desk| boots(desk) == 1).await;
    let line = server.line();
    for refused in ["1", "2", "3"] {
        assert_eq!(write(&line, "A", "SecurityProfile", refused).await, Written::Rejected, "{refused}");
    }
    let trigger = ToStation::Trigger { what: Trigger::Sign(StationKey::Line), evse: None };
    assert_eq!(line.tell(&id("A"), trigger).await, Ok(StationAnswer::Accepted));
    let csr = |desk: &Generous| {
        desk.heard.lock().unwrap().iter().find_map(|(_, said)| match said {
            FromStation::Certificate(CertificateNews::Sign { csr, .. }) => Some(csr.to_string()),
            _ => None,
        })
    };
    desk.until("the request", |desk| csr(desk).is_some()).await;
    let request = SigningRequest::read(&csr(&desk).unwrap()).unwrap();
    let (chain, _facts) = root.certify(&request, "A", "Voltwerk", DAY, SystemClock.now(), &SystemDice).unwrap();
    let signed = CertificateOrder::Signed { key: StationKey::Line, chain: chain.as_str().into(), request: None };
    assert_eq!(line.tell(&id("A"), ToStation::Certificate(signed)).await, Ok(StationAnswer::Accepted));
    assert_eq!(write(&line, "A", "SecurityProfile", "3").await, Written::Accepted);
    let risen = |of: &Knocked| of.certificate.is_some() && of.password.is_none();
    desk.until("the certificate", |desk| desk.knocked(risen) && boots(desk) == 2).await;
    let keys = vec!["SecurityProfile".into()];
    let StationAnswer::Settings { known, .. } = line.tell(&id("A"), ToStation::ReadSettings { keys }).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(known[0].value.as_deref(), Some("3"));
    assert_eq!(write(&line, "A", "SecurityProfile", "2").await, Written::Rejected);
    actor.stop().await;
    server.stop().await;
}

fn network(slot: i32, url: String, security_profile: u8) -> ToStation {
    let more = r#"{"ocppInterface":"Wired0","ocppTransport":"JSON","messageTimeout":30,"ocppVersion":"OCPP20"}"#;
    let to = Network { url: url.into(), security_profile, more: Document::new(more) };
    ToStation::Model(ModelOrder::Network { slot, to })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_station_migrates_to_another_operator_and_comes_back_where_there_is_none() {
    // proves: B09.FR.01, B10.FR.01, B10.FR.03, B10.FR.04, B10.FR.06
    let (first, here, operator) = open();
    let (second, there, other) = open();
    let actor = switch_on("{ id = \"A\", version = \"2.0.1\" }", &operator, Path::new(".")).await;
    here.until("the first boot", |desk| boots(desk) == 1).await;
    let line = first.line();
    assert_eq!(write(&line, "A", "OCPPCommCtrlr.RetryBackOffWaitMinimum", "1").await, Written::Accepted);
    assert_eq!(write(&line, "A", "OCPPCommCtrlr.NetworkProfileConnectionAttempts", "2").await, Written::Accepted);
    // nobody listens there
    let nowhere = network(2, "ws://127.0.0.1:1".to_owned(), 0);
    assert_eq!(line.tell(&id("A"), nowhere).await, Ok(StationAnswer::Accepted));
    let priority = "OCPPCommCtrlr.NetworkConfigurationPriority";
    assert_eq!(write(&line, "A", priority, "3,1").await, Written::Rejected, "slot 3 is not set");
    assert_eq!(write(&line, "A", priority, "2,1").await, Written::AfterReboot);
    assert_eq!(line.tell(&id("A"), ToStation::Reset(ResetKind::Hard)).await, Ok(StationAnswer::Accepted));
    here.until("the way back", |desk| boots(desk) >= 2 && desk.knocks.lock().unwrap().len() >= 2).await;
    assert_eq!(told_when_there(&line, network(3, other.url.clone(), 0)).await, Ok(StationAnswer::Accepted));
    assert_eq!(write(&line, "A", priority, "3,1").await, Written::AfterReboot);
    assert_eq!(line.tell(&id("A"), ToStation::Reset(ResetKind::Hard)).await, Ok(StationAnswer::Accepted));
    there.until("the move", |desk| boots(desk) == 1).await;
    actor.stop().await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_to_a_more_secure_profile_is_one_way() {
    // proves: A05.FR.02, A05.FR.04, A05.FR.05, A05.FR.06
    let root = Authority::create("Root", DAY * 30, SystemClock.now(), &SystemDice).unwrap();
    let folder = Folder::new();
    let elsewhere = Authority::create("Elsewhere", DAY * 30, SystemClock.now(), &SystemDice).unwrap();
    let roots = folder.keep("root.pem", elsewhere.certificate_pem());
    folder.keep("key", "a password of the line");
    let (plain, here, operator) = open();
    let operator = Operator { roots: Some(roots), ..operator };
    let there = Arc::new(Generous::default());
    let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let behind: Arc<dyn Desk> = Arc::clone(&there) as Arc<dyn Desk>;
    let secure = listen(self::here(), tls(&root), behind, clock, dice, Options::default()).unwrap();
    let actor = switch_on("{ id = \"A\", version = \"2.1\", password-file = \"key\" }", &operator, &folder.0).await;
    here.until("the first boot", |desk| boots(desk) == 1).await;
    let line = plain.line();
    let url = format!("wss://localhost:{}/ocpp", secure.local_addr().port());
    assert_eq!(line.tell(&id("A"), network(2, url, 2)).await, Ok(StationAnswer::Accepted));
    let priority = "OCPPCommCtrlr.NetworkConfigurationPriority";
    assert_eq!(write(&line, "A", priority, "2,1").await, Written::Rejected, "no root of the operator is installed");
    let install = CertificateOrder::Install {
        used_for: CertificateUse::OperatorRoot,
        certificate: root.certificate_pem().into(),
    };
    assert_eq!(line.tell(&id("A"), ToStation::Certificate(install)).await, Ok(StationAnswer::Accepted));
    assert_eq!(write(&line, "A", priority, "2,1").await, Written::AfterReboot);
    assert_eq!(line.tell(&id("A"), ToStation::Reset(ResetKind::Hard)).await, Ok(StationAnswer::Accepted));
    there.until("the move", |desk| boots(desk) == 1).await;
    assert!(there.knocked(|of| of.password.as_deref() == Some("a password of the line")));
    let keys = vec!["SecurityCtrlr.SecurityProfile".into(), priority.into()];
    let StationAnswer::Settings { known, .. } =
        secure.line().tell(&id("A"), ToStation::ReadSettings { keys }).await.unwrap()
    else {
        panic!()
    };
    let values: Vec<_> = known.iter().map(|setting| setting.value.as_deref()).collect();
    assert_eq!(values, [Some("2"), Some("2")], "the way back is forgotten");
    let back = network(1, operator.url.clone(), 1);
    assert_eq!(secure.line().tell(&id("A"), back).await, Ok(StationAnswer::Refused("Rejected".into())));
    actor.stop().await;
    plain.stop().await;
    secure.stop().await;
}

/// Offers one file to one who asks.
async fn offer(image: &'static [u8]) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(here()).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
            asked.push(byte[0]);
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", image.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(image).await.unwrap();
    });
    at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_fetched_and_what_it_calls_itself_boots() {
    // proves: L01.FR.01, L01.FR.10, L01.FR.28, L01.FR.32
    let (server, desk, operator) = open();
    let at = offer(b"version: 7.7.7\nand the rest").await;
    let actor = switch_on("{ id = \"A\", version = \"2.0.1\" }", &operator, Path::new(".")).await;
    desk.until("the first boot", |desk| boots(desk) == 1).await;
    let order = UpkeepOrder::Firmware {
        request: 5,
        from: Secret::new(format!("http://{at}/image").into()),
        retrieve_at: SystemClock.now(),
        install_at: None,
        signed: None,
        retries: Retries::default(),
    };
    assert_eq!(server.line().tell(&id("A"), ToStation::Upkeep(order)).await, Ok(StationAnswer::Accepted));
    let told = |desk: &Generous| -> Vec<String> {
        let heard = desk.heard.lock().unwrap();
        let told = heard.iter().filter_map(|(_, said)| match said {
            FromStation::Progress(progress) => {
                assert_eq!(progress.request, Some(5));
                Some(progress.status.to_string())
            }
            _ => None,
        });
        told.collect()
    };
    desk.until("the installation", |desk| told(desk).iter().any(|status| status == "Installed")).await;
    assert_eq!(told(&desk), ["Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"]);
    let renamed =
        |said: &FromStation| matches!(said, FromStation::Boot(boot) if boot.firmware.as_deref() == Some("7.7.7"));
    assert!(desk.said(renamed) > 0);
    actor.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stations_that_speak_soap_live_their_scenario() {
    let root = Authority::create("Root", DAY * 30, SystemClock.now(), &SystemDice).unwrap();
    let folder = Folder::new();
    let roots = folder.keep("root.pem", root.certificate_pem());
    for name in ["S15", "S16"] {
        let own = root.station_certificate(name, "Voltwerk", DAY, SystemClock.now(), &SystemDice).unwrap();
        own.write(&folder.0.join(format!("{name}.pem"))).unwrap();
        let names = [name.to_owned(), "127.0.0.1".to_owned()];
        let server = root.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap();
        server.write(&folder.0.join(format!("{name}-server.pem"))).unwrap();
    }
    let party = root.party_certificate("DE-VLT".parse().unwrap(), DAY, SystemClock.now(), &SystemDice).unwrap();
    let client = Arc::new(trust::tls::client(root.certificate_pem(), Some(&party), &[]).unwrap());
    let desk = Arc::new(Generous::default());
    let behind: Arc<dyn Desk> = Arc::clone(&desk) as Arc<dyn Desk>;
    let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let options = SoapOptions::new(client);
    let server = gate::line::soap::listen(here(), tls(&root), behind, clock, dice, options).unwrap();
    let url = format!("https://localhost:{}{}", server.local_addr().port(), gate::line::soap::PATH);
    let group = |id: &str, version: &str| {
        format!(
            r#"{{ id = "{id}", version = "{version}", url = "{url}", identity = "{{id}}.pem",
              server-identity = "{{id}}-server.pem", operator-name = "DE-VLT", step = [
                {{ do = "arrive" }}, {{ do = "expect", state = "Charging", within = 600 }},
                {{ do = "offline", seconds = 600 }}, {{ do = "leave" }}, {{ do = "settled", within = 600 }},
                {{ do = "power-loss" }} ] }}"#
        )
        .replace('\n', " ")
    };
    let text = format!(
        "name = \"soap\"\nspeed = 600\nstation = [ {}, {} ]",
        group("S15", "1.5 SOAP"),
        group("S16", "1.6 SOAP")
    );
    let operator = Operator { url: "unused".to_owned(), roots: Some(roots) };
    let journals = Store::in_memory(station::MIGRATIONS).unwrap();
    let report = play(&scenario(&text), &operator, &folder.0, &journals, None).await.unwrap();
    let failures: Vec<_> = report.stations.iter().map(|of| &of.failures).collect();
    assert!(report.held, "{failures:?}");
    assert_eq!(desk.ended.lock().unwrap().len(), 2);
    assert!(boots(&desk) >= 4, "each after its loss of power as well");
    server.stop().await;
}
