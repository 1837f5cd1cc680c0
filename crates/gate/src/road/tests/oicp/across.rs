//! One side speaks OICP, the other OCPI 2.2.1.

use charge::record::{AuthMethod, SessionStatus};
use charge::talk::road::OrderResult;

use super::brokered::{place_between, status_between, statuses};
use super::*;
use crate::road::tests::hub::start;

async fn tap_to_ocpi(version: Oicp) {
    let beyond = Beyond::new(version, Oicp::V23).await;
    let answer = beyond.ask(&beyond.operator, Operation::AuthorizeStart, &tap(OWNED)).await;
    assert_eq!(answer.text("AuthorizationStatus"), Some("Authorized"));
    assert_eq!(answer.text("ProviderID"), Some("DE-8AA"));
    assert_eq!(beyond.heard_by(&beyond.world.a), [Question::MayCharge { token: token(OWNED) }]);
    assert!(beyond.provider.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn cross_oicp23_ocpi221_tap() {
    tap_to_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_ocpi221_tap() {
    tap_to_ocpi(Oicp::V20).await;
}

async fn tap_from_ocpi(version: Oicp) {
    let beyond = Beyond::new(Oicp::V23, version).await;
    let question = Question::MayCharge { token: token(FOREIGN) };
    let Ok(Answer::May(verdict)) = beyond.world.ask(&beyond.world.operator, None, question).await else { panic!() };
    assert_eq!((verdict.allowed, verdict.party), (Allowed::Yes, Some(party("DE-EMP"))));
    let told = beyond.provider.told(Operation::AuthorizeStart);
    assert_eq!(told.text("OperatorID"), Some("DE*OPA"));
    assert_eq!(
        verdict.reference.map(|id| id.to_string()).as_deref(),
        told.text("SessionID"),
        "by this it is told of later"
    );
}

#[tokio::test]
async fn cross_ocpi221_oicp23_tap() {
    tap_from_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_ocpi221_oicp20_tap() {
    tap_from_ocpi(Oicp::V20).await;
}

/// A provider of OICP starts at an operator of OCPI: the request stays open until the station has answered.
async fn remote_to_ocpi(version: Oicp) {
    let beyond = Beyond::new(Oicp::V23, version).await;
    beyond.published().await;
    let world = &beyond.world;
    let operator = async {
        until(|| !world.operator.desk.heard().is_empty()).await;
        let Question::Start(order) = world.operator.desk.heard()[0].question.clone() else { panic!("a start") };
        let outcome = Question::Outcome {
            order: None,
            return_to: order.return_to.clone(),
            result: OrderResult::Accepted,
            message: None,
        };
        assert_eq!(world.ask(&world.operator, None, outcome).await, Ok(Answer::Noted));
        order
    };
    let remote = remote("DE*OPA*E1");
    let (started, order) = tokio::join!(beyond.ask(&beyond.provider, Operation::RemoteStart, &remote), operator);
    assert_eq!(code(&started), "000");
    assert_eq!(order.reference.unwrap().as_str(), started.text("SessionID").unwrap());
    assert_eq!((order.location.as_str(), order.evse.unwrap().as_str()), ("LOC1", "LOC1-1"));
}

#[tokio::test]
async fn cross_oicp23_ocpi221_remote() {
    remote_to_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_ocpi221_remote() {
    remote_to_ocpi(Oicp::V20).await;
}

/// A provider of OCPI starts at an operator of OICP: the outcome is sent after the acknowledgement.
async fn remote_from_ocpi(version: Oicp) {
    let beyond = Beyond::new(version, Oicp::V23).await;
    beyond.published().await;
    let Question::Start(mut order) = start("order-7") else { panic!() };
    let location: &str = "STATION1";
    (order.location, order.evse) = (location.parse().unwrap(), Some("DEICEE1".parse().unwrap()));
    let world = &beyond.world;
    let acked = world.ask(&world.a, Some("DE-ICE"), Question::Start(order)).await;
    assert!(matches!(acked, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{acked:?}");
    let outcome = |question: &Question| matches!(question, Question::Outcome { result: OrderResult::Accepted, .. });
    until(|| beyond.heard_by(&world.a).iter().any(outcome)).await;
    let told = beyond.operator.told(Operation::RemoteStart);
    assert_eq!((told.text("EvseID"), told.text("ProviderID")), (Some(EVSE), Some("DE-8AA")));
    let session = told.text("SessionID").unwrap().to_owned();

    let stop = Question::Stop { order: "order-8".parse().unwrap(), return_to: None, session: session.parse().unwrap() };
    assert!(world.ask(&world.a, Some("DE-ICE"), stop).await.is_ok());
    until(|| !beyond.operator.heard(Operation::RemoteStop).is_empty()).await;
    let told = beyond.operator.told(Operation::RemoteStop);
    assert_eq!((told.text("SessionID"), told.text("EvseID")), (Some(&*session), Some(EVSE)));
}

#[tokio::test]
async fn cross_ocpi221_oicp23_remote() {
    remote_from_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_ocpi221_oicp20_remote() {
    remote_from_ocpi(Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp23_ocpi221_session() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    beyond.published().await;
    let session = begun(&beyond, OWNED).await;
    let noted = beyond.ask(&beyond.operator, Operation::NotificationProgress, &notification(&session)).await;
    assert_eq!(code(&noted), "000");
    let heard = beyond.heard_by(&beyond.world.a);
    let Some(Question::PutSession(told)) = heard.last() else { panic!("{heard:?}") };
    assert_eq!(
        (told.id.as_str(), told.status, told.auth_method),
        (&*session, SessionStatus::Active, AuthMethod::Request)
    );
    assert_eq!(told.reference.as_ref().map(|reference| reference.as_str()), Some("REF-1"), "the provider's own");
    assert_eq!((told.energy.wh(), told.location.as_str()), (2_500, "STATION1"));
}

/// The price is that of the product which the record names; without one the record does not cross.
async fn cdr_to_ocpi(version: Oicp) {
    let beyond = Beyond::new(version, Oicp::V23).await;
    beyond.published().await;
    let session = begun(&beyond, OWNED).await;
    if version == Oicp::V23 {
        let refused = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
        assert_eq!(code(&refused), "320", "nobody knows a price");
        assert_eq!(code(&beyond.ask(&beyond.operator, Operation::PushPricingProducts, PRODUCT).await), "000");
    } else {
        let tariff = ::oicp::bridge::tariff::tariff_id("AC1").unwrap();
        let product = samples::tariff(party("DE-ICE"), tariff);
        let (crossing, _) = beyond.world.hub.inside.clone().unwrap();
        let letter = Letter {
            from: party("DE-ICE"),
            to: None,
            correlation: CorrelationId::new("t").unwrap(),
            question: Question::PutTariff(Box::new(product)),
        };
        crossing.carry(letter, None).await.unwrap();
    }
    let kept = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
    assert_eq!(code(&kept), "000");
    let heard = beyond.heard_by(&beyond.world.a);
    let Some(Question::PostCdr(told)) = heard.last() else { panic!("{heard:?}") };
    assert_eq!((told.party, told.tariff.id.as_str(), told.energy.wh()), (party("DE-ICE"), "AC1", 10_500));
    assert_eq!(told.total_cost.before_vat.normalize().to_string(), "4.2");
    assert_eq!(told.reference.as_ref().map(|reference| reference.as_str()), Some("REF-1"));
    assert_eq!(told.place.city, "Kiel");
}

#[tokio::test]
async fn cross_oicp23_ocpi221_cdr() {
    cdr_to_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_ocpi221_cdr() {
    cdr_to_ocpi(Oicp::V20).await;
}

/// What an operator of OCPI tells of a session that a card of a provider of OICP began.
async fn records_from_ocpi(version: Oicp) {
    let beyond = Beyond::new(Oicp::V23, version).await;
    beyond.published().await;
    let world = &beyond.world;
    let question = Question::MayCharge { token: token(FOREIGN) };
    let Ok(Answer::May(verdict)) = world.ask(&world.operator, None, question).await else { panic!() };
    let contract = || Personal::new(ContractId::new(EVCO).unwrap());
    if version == Oicp::V23 {
        let mut session = samples::session();
        (session.reference, session.token.party, session.token.contract) =
            (verdict.reference.clone(), party("DE-EMP"), contract());
        let told = world.ask(&world.operator, Some("DE-EMP"), Question::PutSession(Box::new(session))).await;
        assert_eq!(told, Ok(Answer::Noted));
        let bodies = beyond.provider.heard(Operation::NotificationProgress);
        assert!(bodies[0].contains("\"CPOPartnerSessionID\":\"S1\""), "{}", bodies[0]);
    }
    let mut cdr = samples::cdr();
    (cdr.reference, cdr.token.party, cdr.token.contract) = (verdict.reference.clone(), party("DE-EMP"), contract());
    let told = world.ask(&world.operator, Some("DE-EMP"), Question::PostCdr(Box::new(cdr))).await;
    assert_eq!(told, Ok(Answer::Kept("C1".parse().unwrap())));
    let told = beyond.provider.told(Operation::ChargeDetailRecord);
    assert_eq!(told.text("SessionID"), verdict.reference.as_ref().map(|reference| reference.as_str()));
    assert_eq!((told.text("EvseID"), told.text("ConsumedEnergy")), (Some("DE*OPA*E1"), Some("11")));
    let lost = world.office.lost.lock().unwrap().clone();
    assert!(lost.iter().any(|(from, to, what)| {
        (*from, *to) == (party("DE-OPA"), party("DE-EMP")) && what.contains("/total_cost")
    }));
}

#[tokio::test]
async fn cross_ocpi221_oicp23_session() {
    records_from_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_ocpi221_oicp23_cdr() {
    records_from_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_ocpi221_oicp20_cdr() {
    records_from_ocpi(Oicp::V20).await;
}

/// What an operator of OICP publishes, a provider of OCPI is told.
async fn published_to_ocpi(version: Oicp) {
    let beyond = Beyond::new(version, Oicp::V23).await;
    beyond.published().await;
    assert_eq!(code(&beyond.ask(&beyond.operator, Operation::PushEvseStatus, &statuses("Reserved")).await), "000");
    let world = &beyond.world;
    let place =
        |question: &Question| matches!(question, Question::PutLocation(location) if location.id.as_str() == "STATION1");
    let status = |question: &Question| matches!(question, Question::PatchEvse { location, .. } if location.as_str() == "STATION1");
    until(|| beyond.heard_by(&world.a).iter().any(place) && beyond.heard_by(&world.a).iter().any(status)).await;
}

#[tokio::test]
async fn cross_oicp23_ocpi221_place() {
    published_to_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp23_ocpi221_status() {
    published_to_ocpi(Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_ocpi221_place() {
    published_to_ocpi(Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp20_ocpi221_status() {
    published_to_ocpi(Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp23_ocpi221_tariff() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    assert_eq!(code(&beyond.ask(&beyond.operator, Operation::PushPricingProducts, PRODUCT).await), "000");
    let tariff = |question: &Question| matches!(question, Question::PutTariff(tariff) if tariff.id.as_str() == "AC1");
    until(|| beyond.heard_by(&beyond.world.a).iter().any(tariff)).await;
}

/// The place of an operator of OCPI, as a provider of OICP finds it: in [`place_between`] and [`status_between`].
#[tokio::test]
async fn cross_ocpi221_oicp23_place() {
    place_between(Oicp::V23, Oicp::V23).await;
}

#[tokio::test]
async fn cross_ocpi221_oicp23_status() {
    status_between(Oicp::V23, Oicp::V23).await;
}

#[tokio::test]
async fn cross_ocpi221_oicp20_place() {
    place_between(Oicp::V23, Oicp::V20).await;
}

#[tokio::test]
async fn cross_ocpi221_oicp20_status() {
    status_between(Oicp::V23, Oicp::V20).await;
}
