//! Cases of the certification tool for a central system of OCPP 1.6 that go on with a reaction: a charge point made by
//! hand plays the tool's part on a socket. Each assertion has the id of its case beside it. What asks for one order with
//! certain members is shown in the tongue.
//!
//! Unproved: the public list of these cases has numbers and no meanings; what a number means follows from the numbers'
//! order along the standard and from what is said of them in public. What is asserted is the standard's either way.

use charge::{Clock, SystemClock};
use serde_json::{Value, json};

use super::settle::{Credential, Enrol, Network, session_of_order, start_by_phone};
use super::socket::{Knock, Line, Turned};
use super::wait::until;

const CARD: &str = "04C16C16C16C16";

fn now() -> String {
    SystemClock.now().to_string()
}

/// A house with a driver and a charge point on its line.
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
        let line = Line::boot(&network, id, &credential, "ocpp1.6").await;
        Self { network, line, id, credential }
    }

    async fn say(&mut self, action: &str, payload: &Value) -> Value {
        self.line.call(action, payload).await.unwrap_or_else(|code| panic!("{action} {payload}: {code}"))
    }

    async fn status(&mut self, connector: u32, status: &str, error: &str) -> Value {
        let said = json!({ "connectorId": connector, "status": status, "errorCode": error, "timestamp": now() });
        self.say("StatusNotification", &said).await
    }

    async fn tap(&mut self, uid: &str) -> Value {
        self.say("Authorize", &json!({ "idTag": uid })).await["idTagInfo"]["status"].clone()
    }

    /// The number of the transaction, and what its token was judged.
    async fn start(&mut self, uid: &str, at: &str) -> (Value, Value) {
        let said = json!({ "connectorId": 1, "idTag": uid, "meterStart": 1_000, "timestamp": at });
        let heard = self.say("StartTransaction", &said).await;
        assert!(heard["transactionId"].as_i64().is_some_and(|number| number > 0), "{heard}");
        (heard["transactionId"].clone(), heard["idTagInfo"]["status"].clone())
    }

    async fn stop(&mut self, number: &Value, uid: Option<&str>, reason: &str) -> Value {
        let mut said = json!({ "transactionId": number, "meterStop": 2_000, "timestamp": now(), "reason": reason });
        if let Some(uid) = uid {
            said["idTag"] = json!(uid);
        }
        self.say("StopTransaction", &said).await
    }

    /// The session of the newest transaction: whether it is over, and how much it took.
    async fn newest(&self) -> (bool, Value) {
        let session = self.network.sessions_of(self.id).await.pop().unwrap();
        (!matches!(session["state"].as_str(), Some("waiting" | "active" | "unclaimed")), session["energy_wh"].clone())
    }

    async fn order(&mut self, body: &Value, action: &str, answer: Value) -> (Value, Value) {
        let path = format!("/stations/{}/orders", self.id);
        let (told, ordered) = tokio::join!(self.network.operator.post(&path, body), self.line.obey(action, Ok(answer)));
        (ordered, told)
    }
}

/// TC_001_CSMS, TC_003_CSMS, TC_004_1_CSMS, TC_004_2_CSMS, TC_005_1_CSMS, TC_007_CSMS, TC_032_1_CSMS, TC_037_1_CSMS,
/// TC_039_CSMS, TC_023_1_CSMS, TC_023_3_CSMS, TC_037_3_CSMS.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_1_6_go_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-16A").await;
    stage.network.driver(0, "zaunkoenig", CARD).await;
    // TC_001_CSMS: a cold boot, and every state told
    let boot = json!({ "chargePointVendor": "Hand", "chargePointModel": "Made" });
    let heard = stage.say("BootNotification", &boot).await;
    assert_eq!(heard["status"], "Accepted", "TC_001_CSMS");
    assert!(heard["interval"].as_i64().is_some_and(|seconds| seconds > 0), "TC_001_CSMS: {heard}");
    for connector in [0, 1] {
        assert_eq!(stage.status(connector, "Available", "NoError").await, json!({}), "TC_001_CSMS");
    }
    assert!(stage.say("Heartbeat", &json!({})).await["currentTime"].is_string(), "TC_001_CSMS");
    // TC_003_CSMS: the cable first; TC_004_1_CSMS: the card first; TC_007_CSMS: a card that the station knows already;
    // TC_005_1_CSMS, TC_032_1_CSMS: ended by the car, and by a loss of power
    for (case, asks, reason, by) in [
        ("TC_003_CSMS", true, "Local", Some(CARD)),
        ("TC_004_1_CSMS", true, "Local", Some(CARD)),
        ("TC_007_CSMS", false, "Local", Some(CARD)),
        ("TC_005_1_CSMS", true, "EVDisconnected", None),
        ("TC_032_1_CSMS", true, "PowerLoss", None),
    ] {
        stage.status(1, "Preparing", "NoError").await;
        if asks {
            assert_eq!(stage.tap(CARD).await, "Accepted", "{case}");
        }
        let (number, status) = stage.start(CARD, &now()).await;
        assert_eq!(status, "Accepted", "{case}");
        stage.status(1, "Charging", "NoError").await;
        assert!(!stage.newest().await.0, "{case}");
        let ended = stage.stop(&number, by, reason).await;
        if by.is_some() {
            assert_eq!(ended["idTagInfo"]["status"], "Accepted", "{case}: {ended}");
        }
        assert_eq!(stage.newest().await, (true, json!(1_000)), "{case}");
        stage.status(1, "Available", "NoError").await;
    }
    // TC_004_2_CSMS: a card, and no cable in time
    assert_eq!(stage.tap(CARD).await, "Accepted", "TC_004_2_CSMS");
    for state in ["Preparing", "Available"] {
        assert_eq!(stage.status(1, state, "NoError").await, json!({}), "TC_004_2_CSMS");
    }
    // TC_037_1_CSMS: begun without a line; TC_039_CSMS: and ended without one
    let early = SystemClock.now().minus(std::time::Duration::from_secs(600)).to_string();
    for (case, at) in [("TC_037_1_CSMS", now()), ("TC_039_CSMS", early)] {
        let (number, status) = stage.start(CARD, &at).await;
        assert_eq!(status, "Accepted", "{case}");
        stage.stop(&number, Some(CARD), "Local").await;
        assert_eq!(stage.newest().await, (true, json!(1_000)), "{case}");
    }
    // TC_023_1_CSMS: nobody's card; TC_037_3_CSMS: with which somebody began without a line
    assert_eq!(stage.tap("04DEADBEEF0000").await, "Invalid", "TC_023_1_CSMS");
    let (number, status) = stage.start("04DEADBEEF0000", &now()).await;
    assert_eq!(status, "Invalid", "TC_037_3_CSMS");
    assert!(stage.stop(&number, None, "DeAuthorized").await.get("idTagInfo").is_none(), "TC_037_3_CSMS");
    // TC_023_3_CSMS: a card that its provider has blocked
    let cards = stage.network.providers[0].get("/cards").await;
    let card = cards["items"].as_array().unwrap().iter().find(|card| card["label"] == "Card").unwrap()["id"].clone();
    let block = format!("/cards/{}/block", card.as_str().unwrap());
    stage.network.providers[0].post(&block, &json!({})).await;
    let refused = async || (stage.tap(CARD).await == "Blocked").then_some(());
    until("TC_023_3_CSMS: the card to be refused", refused).await;
}

/// TC_011_2_CSMS, TC_026_CSMS, TC_028_CSMS: orders of the driver's phone and of the operator's people, which the station
/// takes, refuses, or takes without a car that comes.
#[tokio::test(flavor = "multi_thread")]
async fn remote_orders_of_1_6_go_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-16B").await;
    let driver = stage.network.driver(0, "amsel", CARD).await;
    stage.status(1, "Available", "NoError").await;
    // TC_026_CSMS: a start is refused
    let order = start_by_phone(&driver.phone, stage.id).await;
    stage.line.obey("RemoteStartTransaction", Ok(json!({ "status": "Rejected" }))).await;
    until("TC_026_CSMS: the order to be refused", async || {
        let order = driver.phone.look(&format!("/driver/orders/{order}")).await?;
        (order["state"] == "refused").then_some(())
    })
    .await;
    // TC_011_2_CSMS: a start is taken, and no car comes; the next one finds the place free
    let start = json!({ "kind": "start", "evse": 1 });
    let (ordered, told) = stage.order(&start, "RemoteStartTransaction", json!({ "status": "Accepted" })).await;
    assert_eq!((&ordered["connectorId"], &told["outcome"]), (&json!(1), &json!("accepted")), "TC_011_2_CSMS");
    for state in ["Preparing", "Available"] {
        assert_eq!(stage.status(1, state, "NoError").await, json!({}), "TC_011_2_CSMS");
    }
    assert!(stage.network.sessions_of(stage.id).await.is_empty(), "TC_011_2_CSMS");
    // TC_028_CSMS: a stop is refused, and the charge goes on
    let order = start_by_phone(&driver.phone, stage.id).await;
    let ordered = stage.line.obey("RemoteStartTransaction", Ok(json!({ "status": "Accepted" }))).await;
    let (number, status) = stage.start(ordered["idTag"].as_str().unwrap(), &now()).await;
    assert_eq!(status, "Accepted", "TC_028_CSMS");
    session_of_order(&driver.phone, &order).await;
    let session = stage.network.sessions_of(stage.id).await.pop().unwrap();
    let stop = json!({ "kind": "stop", "session": session["id"] });
    let (ordered, told) = stage.order(&stop, "RemoteStopTransaction", json!({ "status": "Rejected" })).await;
    assert_eq!((&ordered["transactionId"], &told["outcome"]), (&number, &json!("refused")), "TC_028_CSMS");
    assert!(!stage.newest().await.0, "TC_028_CSMS");
}

/// TC_017_2_CSMS, TC_024_CSMS, TC_030_CSMS, TC_064_CSMS, TC_077_CSMS, TC_078_CSMS: what a station cannot do and what it
/// tells, answered and shown.
#[tokio::test(flavor = "multi_thread")]
async fn faults_and_news_of_1_6_are_taken_as_the_cases_ask() {
    let mut stage = Stage::set("CASES-16C").await;
    let unlock = json!({ "kind": "unlock", "evse": 1 });
    for (case, word) in [("TC_017_2_CSMS", "NotSupported"), ("TC_030_CSMS", "UnlockFailed")] {
        let (ordered, told) = stage.order(&unlock, "UnlockConnector", json!({ "status": word })).await;
        assert_eq!(ordered, json!({ "connectorId": 1 }), "{case}");
        assert_eq!(told["outcome"], "refused", "{case}");
        assert!(told["message"].as_str().unwrap().contains(word), "{case}: {told}");
    }
    // TC_024_CSMS: the plug cannot be locked
    assert_eq!(stage.status(1, "Faulted", "ConnectorLockFailure").await, json!({}), "TC_024_CSMS");
    let shown = stage.network.operator.get(&format!("/stations/{}", stage.id)).await;
    assert!(shown.to_string().contains("ConnectorLockFailure"), "TC_024_CSMS: {shown}");
    // TC_064_CSMS: a vendor's own message
    let said = json!({ "vendorId": "com.example.toaster", "messageId": "heat", "data": "2" });
    assert_eq!(stage.say("DataTransfer", &said).await["status"], "UnknownVendorId", "TC_064_CSMS");
    for (case, kind) in
        [("TC_077_CSMS", "InvalidChargePointCertificate"), ("TC_078_CSMS", "InvalidCentralSystemCertificate")]
    {
        let said = json!({ "type": kind, "timestamp": now() });
        assert_eq!(stage.say("SecurityEventNotification", &said).await, json!({}), "{case}");
        let news = stage.network.operator.get(&format!("/news?station={}&kind=security&limit=1", stage.id)).await;
        assert_eq!(news["items"][0]["text"], kind, "{case}");
    }
}

/// TC_085_CSMS, TC_086_CSMS, TC_087_CSMS, TC_088_CSMS: who comes in, and with what.
#[tokio::test(flavor = "multi_thread")]
async fn doors_of_1_6_open_as_the_cases_ask() {
    let stage = Stage::set("CASES-16D").await;
    // TC_085_CSMS: name and password; TC_086_CSMS: over TLS, with a certificate of the server's that the station trusts
    let knock = Knock::honest(stage.id, &stage.credential, "ocpp1.6");
    assert!(Line::open(&stage.network, &knock).await.is_ok(), "TC_085_CSMS, TC_086_CSMS");
    let wrong = Some((stage.id.to_owned(), "0123456789ABCDEF0123456789ABCDEF01234567".to_owned()));
    let refused = Line::open(&stage.network, &Knock { basic: wrong, ..knock.clone() }).await.err();
    assert_eq!(refused, Some(Turned::Http(401)), "TC_085_CSMS");
    let stranger = trust::pki::Authority::create(
        "Elsewhere",
        std::time::Duration::from_secs(86_400),
        SystemClock.now(),
        &trust::dice::SystemDice,
    );
    let elsewhere = trust::tls::client(stranger.unwrap().certificate_pem(), None, &[]).unwrap();
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", stage.network.house.line_port())).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let met = tokio_rustls::TlsConnector::from(std::sync::Arc::new(elsewhere)).connect(name, tcp).await;
    assert!(met.is_err(), "TC_086_CSMS: who trusts another authority does not talk to us");
    // TC_087_CSMS: a certificate of the station's own, and nothing instead of it
    let wish = Enrol { serial: Some("SN-16"), ..Enrol::plain("CASES-16E") };
    let own = stage.network.enrol(&wish).await;
    let knock = Knock::honest("CASES-16E", &own, "ocpp1.6");
    assert!(Line::open(&stage.network, &knock).await.is_ok(), "TC_087_CSMS");
    let without = Line::open(&stage.network, &Knock { certificate: None, ..knock.clone() }).await.err();
    assert_eq!(without, Some(Turned::Http(401)), "TC_087_CSMS");
    // TC_088_CSMS: a version that both speak, or none
    let odd = Knock { subprotocols: Some("ocpp0.9"), ..knock };
    assert_eq!(Line::open(&stage.network, &odd).await.err(), Some(Turned::Http(400)), "TC_088_CSMS");
}
