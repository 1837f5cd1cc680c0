//! Nothing personal and no secret reaches the traces or the figures, whatever they are turned up to.

use charge::talk::line::Version;
use charge::units::Energy;
use serde_json::Value;

use super::house::{HUB, House, OPERATOR, PROVIDERS, Start};
use super::pole::{Pole, first};
use super::settle::{Credential, Enrol, Network, session_of_order, start_by_phone};
use super::socket::Line;
use super::wait::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn traces_and_figures_name_nobody_and_open_nothing() {
    let mut house = House::lay_out();
    house.start_as(&Start { traces: Some("debug"), ..Start::default() }).await;
    let network = Network::of(house).await;
    let driver = network.driver(0, "leaks", "04C0FFEE01AA01").await;
    let pole = Pole::stand(&network, "LEAKS-1", Version::V16, 1).await;
    pole.admitted().await;

    pole.plug(first());
    pole.tap(first(), &driver.card);
    pole.charging(first()).await;
    pole.charged(first(), Energy::from_wh(20)).await;
    pole.unplug(first()).await;
    let order = start_by_phone(&driver.phone, "LEAKS-1").await;
    pole.plug(first());
    pole.charging(first()).await;
    let session = session_of_order(&driver.phone, &order).await;
    pole.charged(first(), Energy::from_wh(20)).await;
    driver.phone.post(&format!("/driver/sessions/{session}/stop"), &Value::Null).await;
    assert!(pole.comes(first(), PATIENCE, |bay| bay.transaction.is_none()).await);
    pole.unplug(first()).await;
    let by_password = network.enrol(&Enrol::plain("LEAKS-2")).await;
    Line::boot(&network, "LEAKS-2", &by_password, "ocpp1.6").await.cut();
    network.all_settled(PATIENCE).await;

    let contract = driver.phone.get("/driver/contract").await["contract"].as_str().unwrap().to_owned();
    let Credential::Password(station_key) = by_password else { panic!("profile 2 is a password") };
    let mut secrets = vec![
        ("the card", driver.card.clone()),
        ("the contract", contract.clone()),
        ("the contract without hyphens", contract.replace('-', "")),
        ("the driver's name", driver.name.clone()),
        ("the e-mail address", driver.email.clone()),
        ("the driver's password", driver.password.clone()),
        ("a station's key", station_key),
    ];
    secrets.extend(network.house.logins().into_iter().map(|login| ("an administrator's password", login.2)));
    for party in [OPERATOR, PROVIDERS[0].1, PROVIDERS[1].1] {
        for (from, to) in [(party, HUB), (HUB, party)] {
            secrets.push(("a road's token", network.house.road_token(from, to)));
        }
    }
    let mut figures = String::new();
    for admin in [&network.operator, &network.hub, &network.providers[0], &network.providers[1]] {
        figures.push_str(&String::from_utf8(admin.download("/metrics").await).unwrap());
    }
    let traces = network.house.traces();
    assert!(traces.contains("DEBUG") && traces.len() > 2_000, "the traces were on: {} bytes", traces.len());
    assert!(figures.contains("leyden_road_requests_total"), "{figures}");
    for (place, text) in [("the traces", &traces), ("the figures", &figures)] {
        let folded = text.to_lowercase();
        for (what, secret) in &secrets {
            let found = folded.find(&secret.to_lowercase());
            let around = found.map(|at| folded[..at].rsplit('\n').next().unwrap_or_default().to_owned());
            assert!(found.is_none(), "{what} stands in {place}, after: {around:?}");
        }
    }
    pole.leave().await;
}
