//! Both sides speak OICP, of one version or of two.

use super::*;

async fn tap_same(version: Oicp) {
    let beyond = Beyond::new(version, version).await;
    let (http, text) = beyond.post(&beyond.operator, Operation::AuthorizeStart, &tap(FOREIGN)).await;
    let read = message::read_answer(version, Operation::AuthorizeStart, text.as_bytes()).unwrap().value;
    let Reply::Proper(answer) = read else { panic!("{http} {text}") };
    assert_eq!(answer.text("ProviderID"), Some("DE-EMP"));
    let session = answer.text("SessionID").unwrap();
    let told = beyond.provider.told(Operation::AuthorizeStart);
    assert_eq!(told.text("SessionID"), Some(session), "the broker names the session");
    assert_eq!(told.text("EvseID"), Some(EVSE), "the sender's own document");
    assert!(version == Oicp::V20 || text.contains("VendorField"), "{text}");
    assert!(beyond.world.a.desk.heard().is_empty() && beyond.world.b.desk.heard().is_empty());

    let stop = tap(FOREIGN).replacen('{', &format!(r#"{{"SessionID":"{session}","#), 1);
    let stopped = beyond.ask(&beyond.operator, Operation::AuthorizeStop, &stop).await;
    assert_eq!(stopped.text("AuthorizationStatus"), Some("Authorized"));
    let unknown = beyond.ask(&beyond.operator, Operation::AuthorizeStart, &tap("04FFFFFFFFFF80")).await;
    assert_eq!((unknown.text("AuthorizationStatus"), &*code(&unknown)), (Some("NotAuthorized"), "102"));
    let strange = tap(FOREIGN).replacen('{', r#"{"SessionID":"b2688855-7f00-0002-6d8e-48d883f6abb6","#, 1);
    assert_eq!(code(&beyond.ask(&beyond.operator, Operation::AuthorizeStop, &strange).await), "400");
}

#[tokio::test]
async fn cross_oicp23_oicp23_tap() {
    tap_same(Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_oicp20_tap() {
    tap_same(Oicp::V20).await;
}

async fn tap_between(from: Oicp, to: Oicp) {
    let beyond = Beyond::new(from, to).await;
    let session = begun(&beyond, FOREIGN).await;
    let told = beyond.provider.told(Operation::AuthorizeStart);
    assert_eq!(told.text("SessionID"), Some(&*session));
    assert_eq!(told.text("OperatorID"), Some("DE*ICE"));
    assert_eq!(told.text("EvseID"), None, "no place is told where it need not be");
}

#[tokio::test]
async fn cross_oicp23_oicp20_tap() {
    tap_between(Oicp::V23, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp20_oicp23_tap() {
    tap_between(Oicp::V20, Oicp::V23).await;
}

async fn remote_between(from: Oicp, to: Oicp) {
    let beyond = Beyond::new(to, from).await;
    beyond.published().await;
    let started = beyond.ask(&beyond.provider, Operation::RemoteStart, &remote(EVSE)).await;
    assert_eq!(code(&started), "000");
    let session = started.text("SessionID").unwrap().to_owned();
    let told = beyond.operator.told(Operation::RemoteStart);
    assert_eq!(told.text("SessionID"), Some(&*session));
    let contract = told.record("Identification").unwrap().record("RemoteIdentification").unwrap();
    assert_eq!(contract.text("EvcoID"), Some(EVCO));

    let stop = format!(r#"{{"SessionID":"{session}","ProviderID":"DE-EMP","EvseID":"{EVSE}"}}"#);
    assert_eq!(code(&beyond.ask(&beyond.provider, Operation::RemoteStop, &stop).await), "000");
    assert_eq!(beyond.operator.told(Operation::RemoteStop).text("SessionID"), Some(&*session));

    *beyond.operator.code.lock().unwrap() = "602";
    assert_eq!(code(&beyond.ask(&beyond.provider, Operation::RemoteStart, &remote(EVSE)).await), "602");
    assert_eq!(code(&beyond.ask(&beyond.provider, Operation::RemoteStart, &remote("DE*ICE*E404")).await), "603");
}

#[tokio::test]
async fn cross_oicp23_oicp23_remote() {
    remote_between(Oicp::V23, Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_oicp20_remote() {
    remote_between(Oicp::V20, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp23_oicp20_remote() {
    remote_between(Oicp::V23, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp20_oicp23_remote() {
    remote_between(Oicp::V20, Oicp::V23).await;
}

async fn cdr_between(from: Oicp, to: Oicp) {
    let beyond = Beyond::new(from, to).await;
    beyond.published().await;
    let session = begun(&beyond, FOREIGN).await;
    let kept = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
    assert_eq!(code(&kept), "000");
    let told = beyond.provider.told(Operation::ChargeDetailRecord);
    assert_eq!((told.text("SessionID"), told.text("ConsumedEnergy")), (Some(&*session), Some("10.5")));
    let again = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
    assert_eq!(code(&again), "400", "one record for each session");
    assert_eq!(beyond.provider.heard(Operation::ChargeDetailRecord).len(), 1);
}

#[tokio::test]
async fn cross_oicp23_oicp23_cdr() {
    cdr_between(Oicp::V23, Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_oicp20_cdr() {
    cdr_between(Oicp::V20, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp23_oicp20_cdr() {
    cdr_between(Oicp::V23, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp20_oicp23_cdr() {
    cdr_between(Oicp::V20, Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp23_oicp23_session() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    beyond.published().await;
    let session = begun(&beyond, FOREIGN).await;
    let noted = beyond.ask(&beyond.operator, Operation::NotificationProgress, &notification(&session)).await;
    assert_eq!(code(&noted), "000");
    let bodies = beyond.provider.heard(Operation::NotificationProgress);
    assert!(bodies[0].contains("\"ConsumedEnergyProgress\":2.5"), "{}", bodies[0]);
}

pub(super) async fn place_between(from: Oicp, to: Oicp) {
    let beyond = Beyond::new(from, to).await;
    beyond.published().await;
    let pulled = beyond
        .ask(
            &beyond.provider,
            Operation::PullEvseData,
            r#"{"ProviderID":"DE-EMP","GeoCoordinatesResponseFormat":"Google"}"#,
        )
        .await;
    let ids: Vec<_> = pulled.records("content").map(|record| record.text("EvseID").unwrap().to_owned()).collect();
    assert_eq!(ids, [EVSE, "DE*OPA*E1"], "of both operators, whatever they speak");
}

/// The pages of a pull begin where the one before ended, and where they are asked for in any other order.
#[tokio::test]
async fn a_pull_is_told_in_pages_which_are_found_again_in_any_order() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    beyond.published().await;
    let row = Oicp::V23.row(Operation::PullEvseData).unwrap();
    let (beyond, path) = (&beyond, operation::path(row, &id(&beyond.provider)));
    let page = |number: usize| {
        let url = format!("{}{path}?page={number}&size=1", beyond.base);
        let body = r#"{"ProviderID":"DE-EMP","GeoCoordinatesResponseFormat":"Google"}"#;
        let asked = beyond.provider.http.post(url).body(body).send();
        async move {
            let text = asked.await.unwrap().text().await.unwrap();
            let page = record(&text);
            let ids: Vec<_> = page.records("content").map(|one| one.text("EvseID").unwrap().to_owned()).collect();
            (ids, page.flag("last").unwrap(), text.contains(r#""totalElements":2"#))
        }
    };
    let first = (vec![EVSE.to_owned()], false, true);
    let second = (vec!["DE*OPA*E1".to_owned()], true, true);
    for (number, whole) in [(0, &first), (1, &second), (0, &first), (0, &first), (1, &second), (1, &second)] {
        assert_eq!(page(number).await, *whole, "{number}");
    }
    assert_eq!(page(2).await, (vec![], true, true));
}

#[tokio::test]
async fn cross_oicp23_oicp23_place() {
    place_between(Oicp::V23, Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_oicp20_place() {
    place_between(Oicp::V20, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp23_oicp20_place() {
    place_between(Oicp::V23, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp20_oicp23_place() {
    place_between(Oicp::V20, Oicp::V23).await;
}

pub(in crate::road::tests) fn statuses(word: &str) -> String {
    format!(
        r#"{{"ActionType":"update","OperatorEvseStatus":{{"OperatorID":"DE*ICE","EvseStatusRecord":[{{"EvseID":"{EVSE}","EvseStatus":"{word}"}}]}}}}"#
    )
}

pub(super) async fn status_between(from: Oicp, to: Oicp) {
    let beyond = Beyond::new(from, to).await;
    beyond.published().await;
    assert_eq!(code(&beyond.ask(&beyond.operator, Operation::PushEvseStatus, &statuses("Occupied")).await), "000");
    let asked = format!(r#"{{"ProviderID":"DE-EMP","EvseID":["{EVSE}","DE*OPA*E1","DE*OPA*E2"]}}"#);
    let told = beyond.ask(&beyond.provider, Operation::PullEvseStatusById, &asked).await;
    let list = told.record("EVSEStatusRecords").unwrap();
    let words: Vec<_> =
        list.records("EvseStatusRecord").map(|record| record.text("EvseStatus").unwrap().to_owned()).collect();
    assert_eq!(words, ["Occupied", "Available", "EvseNotFound"]);
}

#[tokio::test]
async fn cross_oicp23_oicp23_status() {
    status_between(Oicp::V23, Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp20_oicp20_status() {
    status_between(Oicp::V20, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp23_oicp20_status() {
    status_between(Oicp::V23, Oicp::V20).await;
}

#[tokio::test]
async fn cross_oicp20_oicp23_status() {
    status_between(Oicp::V20, Oicp::V23).await;
}

#[tokio::test]
async fn cross_oicp23_oicp23_reservation() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    beyond.published().await;
    let wish = remote(EVSE).replacen('{', r#"{"Duration":20,"#, 1);
    let made = beyond.ask(&beyond.provider, Operation::ReservationStart, &wish).await;
    assert_eq!(code(&made), "000");
    let session = made.text("SessionID").unwrap();
    assert_eq!(beyond.operator.told(Operation::ReservationStart).text("Duration"), Some("20"));
    let stop = format!(r#"{{"SessionID":"{session}","ProviderID":"DE-EMP","EvseID":"{EVSE}"}}"#);
    assert_eq!(code(&beyond.ask(&beyond.provider, Operation::ReservationStop, &stop).await), "000");
    assert_eq!(beyond.operator.told(Operation::ReservationStop).text("SessionID"), Some(session));
}
