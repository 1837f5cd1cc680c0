//! Our operator and our provider at a broker that is not ours: the one of `oicp-kit`, by configuration alone.
//!
//! The kit's broker speaks plain HTTP and knows neither prices nor lists of tokens nor orders over the wire, so it stands
//! behind a [`Face`] with mutual TLS that does. The kit runs its onboarding scenarios against itself alone; those that have a
//! part for an operator or a provider are played by hand with ours in that part, as the guide to OICP says. One thing the kit's broker knows wrong: it refuses a tap without an
//! EvseID, which is optional (OICP 2.3, eRoamingAuthorizeStart) and which ours never tells; the face adds one.
//!
//! Invariant: whatever ours says is read by the kit's types and validates.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use charge::talk::line::Version as LineVersion;
use charge::units::Energy;
use gate::road::Serving;
use oicp_kit::cpo::{AuthorizationStartResponse, AuthorizeRemoteStartRequest, EvseStatus, PushEvseStatusRequest};
use oicp_kit::testkit::{MockEmp, MockHubject, MockHubjectServer, samples};
use oicp_kit::types::{Acknowledgement, Validate};
use serde::Serialize;
use serde_json::{Value, json};
use trust::pki::Identity;

use super::api::Session;
use super::house::{House, PROVIDERS, Start, free_port};
use super::pole::{Pole, first};
use super::settle::Network;
use super::trial::{authority, certificate, stand};
use super::wait::{PATIENCE, until};

const BROKER: &str = "DE-HBJ";
/// The kit's provider.
const THEIRS: &str = "DE-DCB";

/// The kit's broker with TLS before it.
struct Face {
    hubject: MockHubject,
    plain: MockHubjectServer,
    http: reqwest::Client,
    /// What came that the kit's broker has no route for: path and body.
    beside: Mutex<Vec<(String, Value)>>,
    /// The EVSE of whoever taps next.
    tapped: Mutex<Option<String>>,
    /// What the kit's operator, behind the broker, was ordered.
    orders: Mutex<Vec<AuthorizeRemoteStartRequest>>,
}

struct Broker {
    face: Arc<Face>,
    base: String,
    _serving: Serving,
    /// With which it comes to its members.
    identity: Identity,
}

impl Broker {
    async fn stand(house: &House) -> Self {
        let root = authority(house);
        let mut hubject = MockHubject::new();
        hubject.register_emp(MockEmp::permissive(THEIRS.parse().unwrap()));
        let plain = MockHubjectServer::start(hubject.clone()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (beside, tapped) = (Mutex::default(), Mutex::default());
        let face = Arc::new(Face { hubject, plain, http, beside, tapped, orders: Mutex::default() });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&face));
        let (base, serving) = stand(&root, router, true).await;
        Self { face, base, _serving: serving, identity: certificate(&root, BROKER).0 }
    }

    /// Makes a party of a house that is not started yet its member.
    fn admit(&self, house: &House, place: &str, party: &str, version: &str) -> (String, u16) {
        membership(house, place, party, version, (&self.base, &self.identity))
    }

    /// The broker asks a member.
    async fn ask(&self, house: &House, port: u16, path: &str, body: &impl Serialize) -> (u16, Value) {
        knock(house, Some(&self.identity), port, path, body).await
    }
}

/// A party of a house that is not started yet as member of a broker, which is somewhere and shows a certificate: the part of
/// the configuration with its port, and its files.
pub(super) fn membership(
    house: &House,
    place: &str,
    party: &str,
    version: &str,
    (base, shows): (&str, &Identity),
) -> (String, u16) {
    let root = authority(house);
    certificate(&root, party).0.write(&house.path(&format!("pki/{party}.pem"))).unwrap();
    std::fs::write(house.path("pki/broker-shows.pem"), &shows.chain_pem).unwrap();
    let port = free_port();
    let part = format!(
        "[{place}.oicp]\nversion = \"{version}\"\nurl = \"{base}\"\nlisten = \"127.0.0.1:{port}\"\nidentity = \"pki/road.pem\"\n\
         client = \"pki/{party}.pem\"\nroots = \"pki/root.pem\"\nbroker = \"pki/broker-shows.pem\"\n\
         hotline = \"+4989123456\"\ncurrency = \"EUR\"\npoll_s = 1\nlocal = true\n\n"
    );
    (part, port)
}

/// Somebody with this certificate comes to a member's door.
async fn knock(
    house: &House,
    identity: Option<&Identity>,
    port: u16,
    path: &str,
    body: &impl Serialize,
) -> (u16, Value) {
    let tls = trust::tls::client(&house.roots(), identity, &["http/1.1"]).unwrap();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let url = format!("https://127.0.0.1:{port}/api/oicp{path}");
    let answer = http.post(url).json(body).send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// To the kit's broker; what it has no route for is noted and acknowledged.
async fn pass(State(face): State<Arc<Face>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut said: Value = serde_json::from_slice(&bytes).unwrap();
    let path = parts.uri.path().trim_start_matches("/api/oicp").to_owned();
    if path.ends_with("/authorize/start") && said["EvseID"].is_null() {
        said["EvseID"] = json!(face.tapped.lock().unwrap().clone().unwrap());
    }
    // what a member says every day never takes the place of all that it has said
    assert_ne!(said["ActionType"], "fullLoad", "{path}");
    if path.ends_with("/authorize-remote/start") {
        // a broker names the session, and hands the order on
        said["SessionID"] = json!(SESSION);
        let order: AuthorizeRemoteStartRequest = serde_json::from_value(said).unwrap();
        let taken = Acknowledgement::success().with_session(order.session_id.clone());
        face.orders.lock().unwrap().push(order);
        return Json(taken).into_response();
    }
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}{path}{query}", face.plain.base_url());
    let answer = face.http.post(url).json(&said).send().await.unwrap();
    if answer.status() == 404 {
        let priced = path.contains("/providers/").then(|| prices(&path)).flatten();
        face.beside.lock().unwrap().push((path, said));
        return priced
            .map_or_else(|| Json(Acknowledgement::success()).into_response(), |said| Json(said).into_response());
    }
    let (status, bytes): (_, Bytes) = (answer.status(), answer.bytes().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

/// Of kilowatt-hours as they are written.
fn milliwatt_hours(kwh: &str) -> i64 {
    let (whole, part) = kwh.split_once('.').unwrap_or((kwh, ""));
    format!("{whole}{part:0<6}").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_ours_does_business_at_the_kits_broker() {
    let mut house = House::lay_out();
    let broker = Broker::stand(&house).await;
    let (part, port) = broker.admit(&house, "operator", "DE-VLT", "2.3");
    house.configure(|text| {
        let text = text.replacen("hub = \"DE-HUB\"", &format!("hub = \"{BROKER}\""), 1);
        text.replacen("[hub]", &format!("{part}[hub]"), 1)
    });
    house.start_as(&Start::default()).await;
    let network = Network::of(house).await;
    let hubject = &broker.face.hubject;

    // it publishes, and a status reaches the broker
    let pole = Pole::stand(&network, "GUEST-1", LineVersion::V201, 1).await;
    pole.admitted().await;
    let evse: oicp_kit::types::EvseId = "DE*VLT*EGUEST1*1".parse().unwrap();
    *broker.face.tapped.lock().unwrap() = Some(evse.to_string());
    until("the EVSE to be published and free", async || {
        let status = hubject.status_of(&evse)?;
        (hubject.evse_count() == 1 && status.evse_status == EvseStatus::Available).then_some(())
    })
    .await;

    // a tap, notifications, one record that settles
    pole.plug(first());
    pole.tap(first(), "04A1B2C3D4E5F6");
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(500)).await;
    pole.walk_away(first()).await;
    pole.owes_nothing(PATIENCE).await;
    until("the record to be settled", async || (hubject.cdrs().len() == 1).then_some(())).await;
    let own = network.sessions_of("GUEST-1").await;
    let cdr = hubject.cdrs().remove(0);
    cdr.validate().unwrap();
    let told = milliwatt_hours(&cdr.consumed_energy.to_string());
    // OICP counts in whole watt-hours
    assert!(told.abs_diff(own[0]["energy_wh"].as_i64().unwrap() * 1000) <= 1000, "{told} mWh, {}", own[0]);
    assert!(hubject.sessions().iter().all(|session| session.settled));
    assert!(!hubject.notifications().is_empty(), "the provider hears how it goes");

    // a start from afar, and its stop
    let free = || hubject.status_of(&evse).is_some_and(|status| status.evse_status == EvseStatus::Available);
    until("the EVSE to be free again", async || free().then_some(())).await;
    let order = hubject.remote_start(&THEIRS.parse().unwrap(), &evse, &"DE-DCB-C12345678-X".parse().unwrap()).unwrap();
    let path = format!("/charging/v21/providers/{THEIRS}/authorize-remote");
    let (status, said) = broker.ask(&network.house, port, &format!("{path}/start"), &order).await;
    assert_eq!((status, &said["Result"]), (200, &json!(true)), "{said}");
    serde_json::from_value::<Acknowledgement>(said).unwrap().validate().unwrap();
    pole.plug(first());
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(500)).await;
    until("the broker to hear of the session", async || {
        let of = |told: &oicp_kit::cpo::ChargingNotification| *told.session_id() == order.session_id;
        hubject.notifications().iter().any(of).then_some(())
    })
    .await;
    let stop = hubject.remote_stop(&THEIRS.parse().unwrap(), &order.session_id).unwrap();
    let (status, said) = broker.ask(&network.house, port, &format!("{path}/stop"), &stop).await;
    assert_eq!((status, &said["Result"]), (200, &json!(true)), "{said}");
    pole.walk_away(first()).await;
    until("the second record to be settled", async || (hubject.cdrs().len() == 2).then_some(())).await;
    assert_eq!(hubject.cdrs()[1].session_id, order.session_id);
    network.all_settled(PATIENCE).await;

    // nobody else is heard
    let stranger = certificate(&authority(&network.house), "DE-XXX").0;
    let (status, _) = knock(&network.house, Some(&stranger), port, &format!("{path}/start"), &order).await;
    assert_eq!(status, 401);
}

/// What the broker names a session that a provider of ours starts.
const SESSION: &str = "f98efba4-02d8-4fa0-b810-9a9d50d2c527";

/// What one operator asks for a kilowatt-hour, and at which EVSE.
fn prices(path: &str) -> Option<Value> {
    let whole_day = json!([{ "Periods": [{ "begin": "00:00", "end": "24:00" }], "on": "Everyday" }]);
    let product = json!({
        "ProductID": "AC 1", "ReferenceUnit": "KILOWATT_HOUR", "ProductPriceCurrency": "EUR", "PricePerReferenceUnit": 0.44,
        "MaximumProductChargingPower": 22, "IsValid24hours": true, "ProductAvailabilityTimes": whole_day,
    });
    if path.ends_with("/pricing-products") {
        let all = json!([{
            "OperatorID": "DE*ABC", "PricingDefaultPrice": 0, "PricingDefaultPriceCurrency": "EUR",
            "PricingDefaultReferenceUnit": "HOUR", "PricingProductDataRecords": [product],
        }]);
        return Some(json!({ "PricingProductData": all, "StatusCode": { "code": "000" } }));
    }
    let offered = json!([{ "EvseID": "DE*ABC*E1", "ProviderID": "*", "EvseIDProductList": ["AC 1"] }]);
    let all = json!([{ "OperatorID": "DE*ABC", "EVSEPricing": offered }]);
    path.ends_with("/evse-pricing").then(|| json!({ "EVSEPricing": all, "StatusCode": { "code": "000" } }))
}

fn free_at(record: oicp_kit::cpo::EvseStatusRecord) -> PushEvseStatusRequest {
    let list = json!({ "OperatorID": "DE*ABC", "OperatorName": "ABC", "EvseStatusRecord": [record] });
    serde_json::from_value(json!({ "ActionType": "update", "OperatorEvseStatus": list })).unwrap()
}

/// The place of a foreign operator on the phone, with the EVSE that is free and has a price.
pub(super) async fn discovered(phone: &Session, operator: &str) -> (Value, Value) {
    until("the place to be discovered, free and with its price", async || {
        let places = phone.look("/driver/places").await?;
        let place = places["items"].as_array()?.iter().find(|place| place["operator"] == operator)?.clone();
        let path = format!("/driver/places/{operator}/{}", place["location"].as_str()?);
        let shown = phone.look(&path).await?;
        let evse = shown["evses"][0].clone();
        evse["tariff"]["stamp"].as_str()?;
        (evse["status"] == "AVAILABLE").then(|| (place["location"].clone(), evse))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_ours_does_business_at_the_kits_broker() {
    let mut house = House::lay_out();
    let broker = Broker::stand(&house).await;
    let (part, port) = broker.admit(&house, "provider", PROVIDERS[0].1, "2.3");
    house.configure(|text| {
        let (before, provider) = text.split_once("[[provider]]").unwrap();
        let provider = provider.replacen("hub = \"DE-HUB\"", &format!("hub = \"{BROKER}\""), 1);
        format!("{before}[[provider]]{}", provider.replacen("[[provider]]", &format!("{part}[[provider]]"), 1))
    });
    let hubject = &broker.face.hubject;
    hubject.push_evse_data(&samples::evse_data_record("DE*ABC*E1").into()).unwrap();
    house.start_as(&Start::default()).await;
    let network = Network::of(house).await;
    let card = "04A1B2C3D4E599";
    let driver = network.driver(0, "guest", card).await;
    let listed = |(path, _): &(String, Value)| path.ends_with("/push-request");
    assert!(broker.face.beside.lock().unwrap().iter().any(listed), "the broker hears of the card");

    // it discovers the place with its price, and a status reaches it
    let free = samples::evse_status_record("DE*ABC*E1", EvseStatus::Available);
    hubject.push_evse_status(&free_at(free)).unwrap();
    // what comes later is found in what has changed
    hubject.push_evse_data(&samples::evse_data_record("DE*ABC*E9").into()).unwrap();
    until("the new EVSE to be discovered", async || {
        let places = driver.phone.look("/driver/places").await?;
        for place in places["items"].as_array()?.iter().filter(|place| place["operator"] == "DE-ABC") {
            let shown = driver.phone.look(&format!("/driver/places/DE-ABC/{}", place["location"].as_str()?)).await?;
            if shown["evses"].as_array()?.iter().any(|evse| evse["evse_id"] == "DE*ABC*E9") {
                return Some(());
            }
        }
        None
    })
    .await;
    // a start from the app, conformant
    let (location, evse) = discovered(&driver.phone, "DE-ABC").await;
    let wish = json!({
        "operator": "DE-ABC", "location": location, "evse": evse["uid"], "tariff_stamp": evse["tariff"]["stamp"],
    });
    let order = driver.phone.post("/driver/start", &wish).await;
    let order = order["order"].as_str().unwrap().to_owned();
    until("the order to reach the station", async || {
        let order = driver.phone.look(&format!("/driver/orders/{order}")).await?;
        assert!(order["state"] != "refused" && order["state"] != "timed_out", "{order}");
        (!broker.face.orders.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    let ordered = broker.face.orders.lock().unwrap().clone();
    let [ordered] = &ordered[..] else { panic!("{ordered:?}") };
    ordered.validate().unwrap();
    assert_eq!((ordered.evse_id.to_string().as_str(), ordered.provider_id.as_str()), ("DE*ABC*E1", PROVIDERS[0].1));

    // a tap at the kit's operator; a card of nobody is refused, and why
    let path = "/charging/v21/operators/DE*ABC/authorize/start";
    let tap = |uid: &str| {
        let mut tap = samples::authorize_start_request("DE*ABC*E1");
        tap.identification =
            serde_json::from_value(json!({ "RFIDMifareFamilyIdentification": { "UID": uid } })).unwrap();
        tap.session_id = Some(SESSION.parse().unwrap());
        tap
    };
    let (status, said) = broker.ask(&network.house, port, path, &tap(card)).await;
    let said: AuthorizationStartResponse = serde_json::from_value(said).unwrap();
    said.validate().unwrap();
    assert!(status == 200 && said.is_authorized(), "{said:?}");
    let (_, refused) = broker.ask(&network.house, port, path, &tap("04FFFFFFFFFFFF")).await;
    let refused: AuthorizationStartResponse = serde_json::from_value(refused).unwrap();
    refused.validate().unwrap();
    assert!(!refused.is_authorized() && refused.status_code.code.is_authorization_failure(), "{refused:?}");

    // its record settles once
    let mut cdr = samples::charge_detail_record("DE*ABC*E1", SESSION.parse().unwrap());
    cdr.identification = tap(card).identification;
    cdr.emp_partner_session_id = said.emp_partner_session_id;
    let path = "/cdrmgmt/v22/operators/DE*ABC/charge-detail-record";
    let (status, told) = broker.ask(&network.house, port, path, &cdr).await;
    assert_eq!((status, &told["Result"]), (200, &json!(true)), "{told}");
    let billed = until("the session to be on the phone", async || {
        let own = driver.phone.look("/driver/sessions").await?;
        own["items"].as_array()?.iter().find(|session| session["energy_wh"] == 10_000).cloned()
    })
    .await;
    assert!(billed["verdict"].is_string(), "{billed}");
}

/// The kit's scenarios, which it runs against itself alone; what ours plays of them is a row each in the guide to OICP.
const SCENARIOS: [&str; 9] = [
    "cpo_publishes_and_emp_discovers",
    "authorize_charge_settle",
    "remote_start_from_an_app",
    "a_refused_contract_is_reported_not_swallowed",
    "status_updates_reach_the_emp",
    "a_delta_crawl_converges_on_the_full_picture",
    "a_fleet_change_needs_no_full_load",
    "a_resubmitted_cdr_is_refused_not_settled_twice",
    "a_session_is_stopped_with_the_medium_that_started_it",
];

/// A new version of the kit may bring more of them.
#[test]
fn every_scenario_of_the_kit_has_its_row_in_the_guide() {
    let report = oicp_kit::testkit::scenarios::run_all();
    let names: Vec<&str> = report.results.iter().map(|result| result.name).collect();
    assert_eq!(names, SCENARIOS);
    assert!(report.passed(), "{report}");
    let guide = include_str!("../../../../docs/guides/oicp.md");
    for name in SCENARIOS {
        assert!(guide.lines().any(|line| line.starts_with(&format!("| `{name}` |"))), "{name}");
    }
}
