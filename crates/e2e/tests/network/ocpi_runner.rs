//! The conformance runner of `ocpi-kit`, which we did not write, at every door that speaks OCPI, in every version.
//!
//! It reads and never writes. It always takes the newest version that it finds, so it comes to a door through a
//! [`Window`] that shows one version. The runner knows two things wrong, and both are about OCPI 2.1.1 and 2.2.1:
//! * It reads the version details of 2.1.1 as those of 2.3.0, where an endpoint needs a `role`; 2.1.1 has none
//!   (version_information_endpoint, "Endpoint class"). The window adds the role, so that the other checks are made.
//! * It reads objects of older versions through the models of 2.3.0 and warns of what those lack ([`OLDER`]).
//!
//! Invariant: no check fails, and of the newest version none even warns.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use charge::talk::line::Version as LineVersion;
use charge::units::Energy;
use ocpi_kit::client::{ClientConfig, Conformance, Outcome, Report, Transport};
use ocpi_kit::transport::CredentialsToken;
use ocpi_kit::types::Url;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::api;
use super::house::{HUB, OPERATOR, PROVIDERS};
use super::pole::{Pole, first};
use super::settle::{Network, put_place, put_tariff};
use super::wait::PATIENCE;

const VERSIONS: [&str; 3] = ["2.1.1", "2.2.1", "2.3.0"];
/// The newest, of which the runner has the right models.
const NEWEST: &str = "2.3.0";
/// What may be warned of where the runner reads an older version's objects through the models of 2.3.0.
const OLDER: &str = "module.objects";
/// Lists that the runner reads; every door of ours offers these to the peer that asks.
const SENDERS: [(&str, &[&str]); 3] = [
    (OPERATOR, &["locations", "sessions", "cdrs", "tariffs"]),
    (PROVIDERS[0].1, &["tokens"]),
    (HUB, &["locations", "sessions", "cdrs", "tariffs"]),
];

/// One version of a door, shown as if it were the only one.
struct Window {
    http: reqwest::Client,
    door: String,
    version: &'static str,
    here: String,
}

impl Window {
    /// Opens it, and gives the address of its list of versions.
    async fn open(http: reqwest::Client, door: String, version: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = format!("http://{}", listener.local_addr().unwrap());
        let versions = format!("{here}/versions");
        let window = Arc::new(Self { http, door, version, here });
        let router = axum::Router::new().route("/{*wanted}", axum::routing::get(look)).with_state(window);
        tokio::spawn(async move { axum::serve(listener, router).await });
        versions
    }
}

/// The door's own answer, with the two changes that this file's head tells of.
async fn look(State(window): State<Arc<Window>>, Path(wanted): Path<String>, request: Request) -> Response {
    let mut headers = request.headers().clone();
    headers.remove("host");
    let url = format!("{}/ocpi/{wanted}", window.door);
    let given = window.http.get(url).headers(headers).send().await.unwrap();
    let (status, mut headers) = (given.status(), given.headers().clone());
    let mut body: Value = given.json().await.unwrap();
    match wanted.as_str() {
        "versions" => {
            let listed = body["data"].as_array_mut().unwrap();
            listed.retain(|each| each["version"] == window.version);
            let own = format!("{}/{}", window.here, window.version);
            listed.iter_mut().for_each(|each| each["url"] = json!(own));
        }
        _details => {
            let endpoints = body["data"]["endpoints"].as_array_mut().unwrap();
            for endpoint in endpoints.iter_mut().filter(|each| each["role"].is_null()) {
                let sender = !endpoint["url"].as_str().unwrap().contains("/receiver/");
                endpoint["role"] = json!(if sender { "SENDER" } else { "RECEIVER" });
            }
        }
    }
    headers.remove("content-length");
    let mut response = Response::new(Body::from(body.to_string()));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

/// A day's work, so that every list has two things: a second tariff and place, two sessions of two drivers.
async fn a_days_work(network: &Network) {
    put_tariff(&network.operator, "RUNNER-55").await;
    put_place(&network.operator, "RUNNER-PLACE").await;
    let pole = Pole::stand(network, "RUNNER-1", LineVersion::V201, 1).await;
    pole.admitted().await;
    for (user, card) in [("runner1", "04A1B2C3D4E501"), ("runner2", "04A1B2C3D4E502")] {
        let driver = network.driver(0, user, card).await;
        pole.plug(first());
        pole.tap(first(), &driver.card);
        pole.charging(first()).await;
        pole.charged(first(), Energy::from_wh(100)).await;
        pole.walk_away(first()).await;
        pole.owes_nothing(PATIENCE).await;
    }
    network.all_settled(PATIENCE).await;
}

async fn run(network: &Network, door: &str, caller: &str, version: &'static str) -> Report {
    let http = api::client(&network.house.roots());
    let versions = Window::open(http, network.house.road(door), version).await;
    let token = CredentialsToken::new(network.house.road_token(caller, door)).unwrap();
    // the window itself has no TLS, which our own client refuses to do without
    let tls = trust::tls::client(&network.house.roots(), None, &["http/1.1"]).unwrap();
    let runner = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let transport = Transport::new(runner, ClientConfig::for_testing());
    Conformance::new(Url::new(versions).unwrap(), token).run(&transport).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_door_of_ocpi_fails_the_foreign_conformance_runner_in_any_version() {
    let network = Network::start().await;
    a_days_work(&network).await;
    let [(operator, own), (provider, cards), (hub, all)] = SENDERS;
    let visits = [(operator, hub, own), (provider, hub, cards), (hub, operator, &["tokens"][..]), (hub, provider, all)];
    for (door, caller, lists) in visits {
        for version in VERSIONS {
            let report = run(&network, door, caller, version).await;
            println!("{door} asked by {caller} in {version}:\n{report}");
            assert_eq!(report.version.as_ref().map(ToString::to_string).as_deref(), Some(version));
            let wrong: Vec<String> =
                report.failures().map(|check| format!("{}: {}", check.title, check.detail)).collect();
            assert!(wrong.is_empty(), "{door} asked by {caller} in {version}: {wrong:#?}");
            let warned = report.checks.iter().filter(|check| check.outcome == Outcome::Warn);
            let unexplained: Vec<String> = warned
                .filter(|check| version == NEWEST || check.id != OLDER)
                .map(|check| format!("{} {}: {}", check.id, check.title, check.detail))
                .collect();
            assert!(unexplained.is_empty(), "{door} asked by {caller} in {version}: {unexplained:#?}");
            let read = |list: &&&str| {
                let title = format!("{list} Sender returns a decodable page");
                report.checks.iter().any(|check| check.outcome == Outcome::Pass && check.title == title)
            };
            assert_eq!(lists.iter().filter(read).count(), lists.len(), "every list of {door} is read");
        }
    }
}
