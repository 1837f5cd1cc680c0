//! Who is not let in at the line: the status that the station hears, and the reason that the technician reads.

use std::time::Duration;

use charge::{Clock, SystemClock};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trust::dice::SystemDice;
use trust::pki::Authority;

use super::house::{House, free_port};
use super::settle::{Credential, Enrol, Network};
use super::socket::{Knock, Line, Turned};
use super::wait::{PATIENCE, until};

const BOTH: &str = "ocpp1.6, ocpp2.0.1";
const DAY: Duration = Duration::from_secs(86_400);

/// Waits for the newest refusal of an identity, and gives status and reason.
async fn refusal(network: &Network, identity: &str) -> (u64, String) {
    until("the refusal to be told", async || {
        let list = network.operator.look("/refusals").await?;
        let own = list["items"].as_array()?.iter().find(|row| row["identity"] == identity)?.clone();
        Some((own["status"].as_u64()?, own["reason"].as_str()?.to_owned()))
    })
    .await
}

fn opens(opened: &Result<Line, Turned>) -> Result<(), &Turned> {
    opened.as_ref().map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_prove_itself_is_refused_before_the_upgrade_and_the_reason_is_told() {
    // proves: TC_A_01_CSMS, TC_A_02_CSMS, TC_A_03_CSMS, TC_A_08_CSMS, A00.FR.204, A00.FR.404
    let network = Network::start().await;
    let with_key = network.enrol(&Enrol::plain("DOOR-KEY")).await;
    let (Credential::Password(key), knock) = (&with_key, Knock::honest("DOOR-KEY", &with_key, BOTH)) else {
        panic!("profile 2 is a password");
    };
    let enrol = |id, serial| Enrol { serial: Some(serial), ..Enrol::plain(id) };
    let own = network.enrol(&enrol("DOOR-A", "SN-A")).await;
    network.enrol(&enrol("DOOR-B", "SN-B")).await;
    let as_b = Knock { identity: "DOOR-B".to_owned(), ..Knock::honest("DOOR-A", &own, BOTH) };
    let wrong = "0123456789ABCDEF0123456789ABCDEF01234567";
    let with_password = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
    let as_key = |subprotocols| Knock { subprotocols, ..knock.clone() };
    let table = [
        (Knock { identity: "DOOR-NOBODY".to_owned(), ..knock.clone() }, 404, "no station is enrolled"),
        (Knock { basic: with_password("DOOR-KEY", wrong), ..knock.clone() }, 401, "key is not the one"),
        (Knock { basic: None, ..knock.clone() }, 401, "no HTTP Basic"),
        (Knock { basic: with_password("DOOR-A", key), ..knock.clone() }, 401, "not the station's identity"),
        (as_b, 401, "serial number SN-A"),
        (Knock { certificate: None, ..Knock::honest("DOOR-A", &own, BOTH) }, 401, "security profile 3"),
        (as_key(None), 400, "no Sec-WebSocket-Protocol"),
        (as_key(Some("ocpp1.5, mqtt")), 400, "ocpp1.5, mqtt"),
    ];
    for (knock, status, words) in table {
        let identity = knock.identity.clone();
        let opened = Line::open(&network, &knock).await;
        assert_eq!(opens(&opened), Err(&Turned::Http(status)), "{words}");
        let told = until("the reason to be told", async || {
            let (told, reason) = refusal(&network, &identity).await;
            reason.contains(words).then_some((told, reason))
        })
        .await;
        assert_eq!(told.0, u64::from(status), "{}", told.1);
        assert!(!told.1.contains(wrong) && !told.1.contains(key.as_str()), "a reason quotes a password");
    }
    let opened = Line::open(&network, &knock).await;
    assert_eq!(opens(&opened), Ok(()), "the honest station still comes in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_is_refused_and_told() {
    // proves: TC_A_08_CSMS
    let network = Network::start().await;
    network.enrol(&Enrol { serial: Some("SN-X"), ..Enrol::plain("DOOR-X") }).await;
    let (now, dice) = (SystemClock.now(), SystemDice);
    let foreign = Authority::create("Stations of somebody else", DAY, now, &dice).unwrap();
    let forged = foreign.station_certificate("SN-X", "Operator DE-VLT", DAY, now, &dice).unwrap();
    let knock = Knock::honest("DOOR-X", &Credential::Certificate(forged), "ocpp2.0.1");
    let opened = Line::open(&network, &knock).await;
    assert!(matches!(opens(&opened), Err(Turned::Tls(_))), "{:?}", opens(&opened));
    until("the log to say so", async || {
        network.house.traces().contains("a station's certificate was refused").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_ws_opens_only_for_the_station_that_was_allowed_by_name() {
    let mut house = House::lay_out();
    let plain = free_port();
    house.configure(|text| {
        text.replace("[operator]\n", &format!("[operator]\ndanger_plain_line = \"127.0.0.1:{plain}\"\n"))
    });
    house.start_again().await;
    let network = Network::of(house).await;
    let strict = network.enrol(&Enrol::plain("PLAIN-NO")).await;
    let loose = network.enrol(&Enrol { danger_plain_ws: true, ..Enrol::plain("PLAIN-YES") }).await;

    let on_tls_port = head(network.house.line_port(), "PLAIN-YES", &loose).await;
    assert!(!on_tls_port.starts_with("HTTP/1.1 101"), "the port for TLS speaks no plain HTTP: {on_tls_port}");
    let refused = head(plain, "PLAIN-NO", &strict).await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let (status, reason) = refusal(&network, "PLAIN-NO").await;
    assert!(status == 401 && reason.contains("not encrypted"), "{status} {reason}");
    let opened = head(plain, "PLAIN-YES", &loose).await;
    assert!(opened.starts_with("HTTP/1.1 101"), "{opened}");
    let shown: Value = network.operator.get("/stations/PLAIN-YES").await;
    assert_eq!(shown["danger_plain_ws"], true, "the page says so too");
}

/// Asks for an upgrade without TLS and gives the beginning of what comes back.
async fn head(port: u16, id: &str, credential: &Credential) -> String {
    use base64::Engine as _;
    let Credential::Password(key) = credential else { panic!("profile 2 is a password") };
    let pair = base64::prelude::BASE64_STANDARD.encode(format!("{id}:{key}"));
    let request = format!(
        "GET /ocpp/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {pair}\r\n\r\n"
    );
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = [0u8; 512];
    let read = tokio::time::timeout(PATIENCE, tcp.read(&mut bytes)).await.expect("an answer or an end");
    String::from_utf8_lossy(&bytes[..read.unwrap_or_default()]).into_owned()
}
