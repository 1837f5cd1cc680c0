//! Everybody meets everybody: an operator of each protocol, a provider of each, the hub between them, all over sockets.
//!
//! Each check is one function of the matrix (`docs/roaming.md`) and compares what arrived with what was sent. An operator
//! and a provider do and hear the same things whatever they speak ([`operator`], [`provider`]), so that no crossing has a
//! gentler test than another. Invariant: each crossing is checked to tell both parties what the receiver has no word for
//! ([`losses`]).

mod losses;
mod meeting;
mod operator;
mod provider;

use ::oicp::Version as Oicp;
use charge::Decimal;
use charge::money::Currency;
use charge::place::EvseStatus;
use charge::talk::road::RoadFault;
use charge::units::Energy;

use self::losses::Function;
use self::meeting::{CONTRACT, Meeting, PROVIDER, STRANGE};
use self::operator::Given;
use self::provider::{Bill, Spot, Under};
use super::*;

/// The public id of the operator's one EVSE.
const EVSE: &str = "DE*OPA*E1";

/// A member that no paper knows, in JSON.
const EXTRA: &str = r#""VendorField":7"#;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Tongue {
    Ocpi(Version),
    Oicp(Oicp),
    Ochp,
}

const OCPI211: Tongue = Tongue::Ocpi(Version::V211);
const OCPI221: Tongue = Tongue::Ocpi(Version::V221);
const OCPI230: Tongue = Tongue::Ocpi(Version::V230);
const OICP23: Tongue = Tongue::Oicp(Oicp::V23);
const OICP20: Tongue = Tongue::Oicp(Oicp::V20);
const OCHP14: Tongue = Tongue::Ochp;
const ALL: [Tongue; 6] = [OCPI211, OCPI221, OCPI230, OICP23, OICP20, OCHP14];
/// All that tell of sessions, prices and reservations.
const SPEAKING: [Tongue; 5] = [OCPI211, OCPI221, OCPI230, OICP23, OCHP14];

/// One spelling of an EVSE id or a contract.
fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// A card of the provider may charge and its provider alone is asked; one of nobody may not, and nobody hears of it.
async fn tap(from: Tongue, to: Tongue) {
    let meeting = Meeting::new(from, to).await;
    let name = &meeting.name;
    let yes = meeting.tap(OWNED).await;
    assert!(yes.allowed, "{name}");
    // 2.1.1 has no word for the provider and the contract
    assert_eq!(yes.provider.is_none(), from == OCPI211, "{name}");
    assert!(yes.provider.is_none_or(|provider| provider == party(PROVIDER)), "{name}");
    let told = yes.contract == Some(ContractId::new(CONTRACT).unwrap());
    assert_eq!(told, from != OCPI211 && to != OCPI211, "{name}: {yes:?}");
    if let Some(asked) = meeting.asked() {
        assert_eq!(asked, [OWNED], "{name}");
    }
    assert!(!meeting.tap(STRANGE).await.allowed, "{name}");
    assert!(meeting.asked().is_none_or(|asked| asked.len() == 1), "{name}: nobody hears of a stranger's card");
    meeting.told_losses(Function::Tap, from, to).await;
}

/// The record of a session that a card began: the same energy, times and amount, under the provider's own name.
async fn cdr(from: Tongue, to: Tongue) {
    let meeting = Meeting::new(from, to).await;
    let name = &meeting.name;
    meeting.publish().await;
    let priced = !matches!(to, Tongue::Oicp(_));
    if priced && matches!(from, Tongue::Oicp(_)) {
        let yes = meeting.tap(OWNED).await;
        assert!(!meeting.bill(&yes).await, "{name}: a record without a price is not one that costs nothing");
        meeting.told_refusal("/PartnerProductID ", PROVIDER).await;
        meeting.price().await;
        assert!(meeting.bill(&yes).await, "{name}");
    } else {
        let yes = meeting.tap(OWNED).await;
        assert!(meeting.bill(&yes).await, "{name}");
    }
    let sent = samples::cdr();
    let expected = Bill {
        evse: plain(EVSE),
        wh: 11_000,
        start: sent.start,
        end: sent.end,
        net: priced.then(|| Decimal::new(44, 1)),
        currency: priced.then_some(Currency::EUR),
    };
    assert_eq!(meeting.billed().await, (expected, true), "{name}");
    meeting.told_losses(Function::Cdr, from, to).await;
}

/// The record of a session that a start began names it as its provider does.
async fn started_cdr(from: Tongue, to: Tongue) {
    let meeting = Meeting::new(from, to).await;
    let name = &meeting.name;
    meeting.publish().await;
    if matches!(from, Tongue::Oicp(_)) && !matches!(to, Tongue::Oicp(_)) {
        meeting.price().await;
    }
    let order = meeting.confirmed(meeting.start()).await;
    assert!(order.done, "{name}: {order:?}");
    assert!(meeting.bill_start(&meeting.begun()).await, "{name}");
    let (bill, known) = meeting.billed_start(&order).await;
    assert_eq!((bill.evse, bill.wh, known), (plain(EVSE), 11_000, true), "{name}");
    meeting.told_losses(Function::Cdr, from, to).await;
}

/// A session that the provider began is told of while it runs, under the provider's own name.
async fn session(from: Tongue, to: Tongue) {
    let meeting = Meeting::new(from, to).await;
    let name = &meeting.name;
    meeting.publish().await;
    let order = meeting.confirmed(meeting.start()).await;
    assert!(order.done, "{name}: {order:?}");
    meeting.progress(Energy::from_wh(2_500), &meeting.begun()).await;
    assert_eq!(meeting.under(&order), Some(Under { wh: 2_500, known: true }), "{name}");
    meeting.told_losses(Function::Session, from, to).await;
}

/// A start names the EVSE and the contract; the stop that follows it is for the very session.
async fn remote(provider: Tongue, operator: Tongue) {
    let meeting = Meeting::new(operator, provider).await;
    let name = &meeting.name;
    meeting.publish().await;
    let order = meeting.confirmed(meeting.start()).await;
    assert!(order.done, "{name}: {order:?}");
    assert_eq!(meeting.given(), Given { evse: plain(EVSE), contract: plain(CONTRACT) }, "{name}");
    if let Tongue::Ocpi(_) = operator {
        // it names its session when it tells of it
        meeting.progress(Energy::from_wh(100), &meeting.begun()).await;
    }
    assert!(meeting.confirmed(meeting.stop(&order)).await, "{name}");
    assert!(meeting.stopped(), "{name}");
    meeting.told_losses(Function::Order, operator, provider).await;
}

async fn place(from: Tongue, to: Tongue) {
    let meeting = Meeting::new(from, to).await;
    meeting.publish().await;
    let expected = Spot { evse: plain(EVSE), city: "Münster".to_owned(), zip: "48143".to_owned() };
    assert_eq!(meeting.places().await, [expected], "{}", meeting.name);
    meeting.told_losses(Function::Place, from, to).await;
}

async fn status(from: Tongue, to: Tongue) {
    let meeting = Meeting::new(from, to).await;
    meeting.publish().await;
    meeting.busy().await;
    assert_eq!(meeting.status().await, EvseStatus::Charging, "{}", meeting.name);
    meeting.told_losses(Function::Status, from, to).await;
}

async fn tariff(from: Tongue, to: Tongue) {
    let meeting = Meeting::new(from, to).await;
    meeting.publish().await;
    meeting.price().await;
    assert_eq!(meeting.tariff().await, [(Decimal::new(4, 1), Currency::EUR)], "{}", meeting.name);
    meeting.told_losses(Function::Tariff, from, to).await;
}

/// A reservation names the EVSE and the contract, and is given up by its giver where there is a word for it.
async fn reservation(provider: Tongue, operator: Tongue) {
    let meeting = Meeting::new(operator, provider).await;
    let name = &meeting.name;
    meeting.publish().await;
    let order = meeting.confirmed(meeting.reserve()).await;
    assert!(order.done, "{name}: {order:?}");
    assert_eq!(meeting.given(), Given { evse: plain(EVSE), contract: plain(CONTRACT) }, "{name}");
    match (provider, operator) {
        (OCPI211, _) => {}
        // the operator's protocol cannot say it: the provider hears so, and the reservation runs out
        (_, OCPI211) => assert!(!meeting.give_up(&order).await, "{name}"),
        (_, _) => {
            assert!(meeting.confirmed(meeting.give_up(&order)).await, "{name}");
            assert!(meeting.given_up(), "{name}");
        }
    }
    meeting.told_losses(Function::Order, operator, provider).await;
}

/// A credit would be read as another bill by whoever has no word for it.
#[tokio::test]
async fn a_credit_that_its_receiver_cannot_say_is_refused_and_both_read_why() {
    for from in [OCPI221, OCPI230] {
        for to in [OCPI211, OICP23, OICP20, OCHP14] {
            let meeting = Meeting::new(from, to).await;
            meeting.publish().await;
            let yes = meeting.tap(OWNED).await;
            assert!(meeting.bill(&yes).await, "{}", meeting.name);
            let before = meeting.records().len();
            let said = meeting.credit(&yes).await;
            assert!(matches!(said, Err(RoadFault::Denied(Denial::Malformed { .. }))), "{}: {said:?}", meeting.name);
            meeting.told_refusal("/credit ", PROVIDER).await;
            assert_eq!(meeting.records().len(), before, "{}", meeting.name);
        }
    }
}

/// Prices with unnamed taxes in them cannot be told as prices before taxes.
#[tokio::test]
async fn a_tariff_with_taxes_in_it_is_refused_on_its_way_out_of_2_3_0() {
    for to in [OCPI221, OCPI211] {
        let meeting = Meeting::new(OCPI230, to).await;
        let tariff = r#"{"country_code":"DE","party_id":"OPA","id":"T9","currency":"EUR","tax_included":"YES",
            "elements":[{"price_components":[{"type":"ENERGY","price":0.44,"step_size":1}]}],
            "last_updated":"2026-11-22T10:00:00Z"}"#;
        let code = meeting.raw("PUT", "receiver/tariffs/DE/OPA/T9", tariff.to_owned()).await;
        assert_eq!(code, Some(2001), "{}", meeting.name);
        meeting.told_refusal("/tax_included ", "DE-HUB").await;
    }
}

/// The schemas of OCHP have no place for more, so its records are compared as what they say (in `clearing`).
#[tokio::test]
async fn what_a_vendor_adds_reaches_a_receiver_of_the_same_version() {
    for tongue in [OCPI211, OCPI221, OCPI230, OICP23, OICP20] {
        let meeting = Meeting::new(tongue, tongue).await;
        meeting.publish().await;
        let yes = meeting.tap(OWNED).await;
        meeting.bill_with_extra(&yes).await;
        let records = meeting.records();
        assert!(records.last().is_some_and(|record| record.contains("VendorField")), "{}: {records:?}", meeting.name);
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: tap
#[tokio::test]
async fn a_card_at_an_operator_of_ocpi211_is_asked_about() {
    for other in ALL {
        tap(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: tap
#[tokio::test]
async fn a_card_at_an_operator_of_ocpi221_is_asked_about() {
    for other in ALL {
        tap(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: tap
#[tokio::test]
async fn a_card_at_an_operator_of_ocpi230_is_asked_about() {
    for other in ALL {
        tap(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: tap
#[tokio::test]
async fn a_card_at_an_operator_of_oicp23_is_asked_about() {
    for other in ALL {
        tap(OICP23, other).await;
    }
}

// cells: oicp20 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: tap
#[tokio::test]
async fn a_card_at_an_operator_of_oicp20_is_asked_about() {
    for other in ALL {
        tap(OICP20, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: tap
#[tokio::test]
async fn a_card_at_an_operator_of_ochp14_is_asked_about() {
    for other in ALL {
        tap(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: remote
#[tokio::test]
async fn a_provider_of_ocpi211_starts_and_stops_from_afar() {
    for other in ALL {
        remote(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: remote
#[tokio::test]
async fn a_provider_of_ocpi221_starts_and_stops_from_afar() {
    for other in ALL {
        remote(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: remote
#[tokio::test]
async fn a_provider_of_ocpi230_starts_and_stops_from_afar() {
    for other in ALL {
        remote(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: remote
#[tokio::test]
async fn a_provider_of_oicp23_starts_and_stops_from_afar() {
    for other in ALL {
        remote(OICP23, other).await;
    }
}

// cells: oicp20 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: remote
#[tokio::test]
async fn a_provider_of_oicp20_starts_and_stops_from_afar() {
    for other in ALL {
        remote(OICP20, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: remote
#[tokio::test]
async fn a_provider_of_ochp14_starts_and_stops_from_afar() {
    for other in ALL {
        remote(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: session
#[tokio::test]
async fn a_session_at_an_operator_of_ocpi211_is_told_of() {
    for other in SPEAKING {
        session(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: session
#[tokio::test]
async fn a_session_at_an_operator_of_ocpi221_is_told_of() {
    for other in SPEAKING {
        session(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: session
#[tokio::test]
async fn a_session_at_an_operator_of_ocpi230_is_told_of() {
    for other in SPEAKING {
        session(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: session
#[tokio::test]
async fn a_session_at_an_operator_of_oicp23_is_told_of() {
    for other in SPEAKING {
        session(OICP23, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: session
#[tokio::test]
async fn a_session_at_an_operator_of_ochp14_is_told_of() {
    for other in SPEAKING {
        session(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn a_cdr_of_an_operator_of_ocpi211_arrives() {
    for other in ALL {
        cdr(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn a_cdr_of_an_operator_of_ocpi221_arrives() {
    for other in ALL {
        cdr(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn a_cdr_of_an_operator_of_ocpi230_arrives() {
    for other in ALL {
        cdr(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn a_cdr_of_an_operator_of_oicp23_arrives() {
    for other in ALL {
        cdr(OICP23, other).await;
    }
}

// cells: oicp20 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn a_cdr_of_an_operator_of_oicp20_arrives() {
    for other in ALL {
        cdr(OICP20, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn a_cdr_of_an_operator_of_ochp14_arrives() {
    for other in ALL {
        cdr(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: place
#[tokio::test]
async fn the_place_of_an_operator_of_ocpi211_is_found() {
    for other in ALL {
        place(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: place
#[tokio::test]
async fn the_place_of_an_operator_of_ocpi221_is_found() {
    for other in ALL {
        place(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: place
#[tokio::test]
async fn the_place_of_an_operator_of_ocpi230_is_found() {
    for other in ALL {
        place(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: place
#[tokio::test]
async fn the_place_of_an_operator_of_oicp23_is_found() {
    for other in ALL {
        place(OICP23, other).await;
    }
}

// cells: oicp20 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: place
#[tokio::test]
async fn the_place_of_an_operator_of_oicp20_is_found() {
    for other in ALL {
        place(OICP20, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: place
#[tokio::test]
async fn the_place_of_an_operator_of_ochp14_is_found() {
    for other in ALL {
        place(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: status
#[tokio::test]
async fn the_status_of_an_operator_of_ocpi211_is_told() {
    for other in ALL {
        status(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: status
#[tokio::test]
async fn the_status_of_an_operator_of_ocpi221_is_told() {
    for other in ALL {
        status(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: status
#[tokio::test]
async fn the_status_of_an_operator_of_ocpi230_is_told() {
    for other in ALL {
        status(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: status
#[tokio::test]
async fn the_status_of_an_operator_of_oicp23_is_told() {
    for other in ALL {
        status(OICP23, other).await;
    }
}

// cells: oicp20 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: status
#[tokio::test]
async fn the_status_of_an_operator_of_oicp20_is_told() {
    for other in ALL {
        status(OICP20, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: status
#[tokio::test]
async fn the_status_of_an_operator_of_ochp14_is_told() {
    for other in ALL {
        status(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: tariff
#[tokio::test]
async fn the_tariff_of_an_operator_of_ocpi211_is_told() {
    for other in SPEAKING {
        tariff(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: tariff
#[tokio::test]
async fn the_tariff_of_an_operator_of_ocpi221_is_told() {
    for other in SPEAKING {
        tariff(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: tariff
#[tokio::test]
async fn the_tariff_of_an_operator_of_ocpi230_is_told() {
    for other in SPEAKING {
        tariff(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: tariff
#[tokio::test]
async fn the_tariff_of_an_operator_of_oicp23_is_told() {
    for other in SPEAKING {
        tariff(OICP23, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: tariff
#[tokio::test]
async fn the_tariff_of_an_operator_of_ochp14_is_told() {
    for other in SPEAKING {
        tariff(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: reservation
#[tokio::test]
async fn a_provider_of_ocpi211_reserves() {
    for other in SPEAKING {
        reservation(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: reservation
#[tokio::test]
async fn a_provider_of_ocpi221_reserves() {
    for other in SPEAKING {
        reservation(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: reservation
#[tokio::test]
async fn a_provider_of_ocpi230_reserves() {
    for other in SPEAKING {
        reservation(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: reservation
#[tokio::test]
async fn a_provider_of_oicp23_reserves() {
    for other in SPEAKING {
        reservation(OICP23, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 ochp14: reservation
#[tokio::test]
async fn a_provider_of_ochp14_reserves() {
    for other in SPEAKING {
        reservation(OCHP14, other).await;
    }
}

// cells: ocpi211 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn the_cdr_of_a_start_at_an_operator_of_ocpi211_names_it() {
    for other in ALL {
        started_cdr(OCPI211, other).await;
    }
}

// cells: ocpi221 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn the_cdr_of_a_start_at_an_operator_of_ocpi221_names_it() {
    for other in ALL {
        started_cdr(OCPI221, other).await;
    }
}

// cells: ocpi230 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn the_cdr_of_a_start_at_an_operator_of_ocpi230_names_it() {
    for other in ALL {
        started_cdr(OCPI230, other).await;
    }
}

// cells: oicp23 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn the_cdr_of_a_start_at_an_operator_of_oicp23_names_it() {
    for other in ALL {
        started_cdr(OICP23, other).await;
    }
}

// cells: oicp20 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn the_cdr_of_a_start_at_an_operator_of_oicp20_names_it() {
    for other in ALL {
        started_cdr(OICP20, other).await;
    }
}

// cells: ochp14 > ocpi211 ocpi221 ocpi230 oicp23 oicp20 ochp14: cdr
#[tokio::test]
async fn the_cdr_of_a_start_at_an_operator_of_ochp14_names_it() {
    for other in ALL {
        started_cdr(OCHP14, other).await;
    }
}
