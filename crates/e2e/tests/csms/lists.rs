//! Blocks D and N: a customer whom a station forgets is on its list no longer.

use std::time::Duration;

use charge::talk::line::display::{Customer, CustomerOrder};
use serde_json::json;

use super::house::{ACTOR, House, VALID, VALID_TOO, card, id, now};
use super::pole::time;

#[tokio::test]
async fn who_is_forgotten_leaves_the_list_as_the_case_asks() {
    let house = House::open().await;
    let mut pole = house.booted().await;
    let station = id();
    let until = now().plus(Duration::from_secs(3_600));
    for uid in [VALID, VALID_TOO] {
        house.operator.list_token(ACTOR, &station, card(uid), until).await.unwrap();
    }
    let accepted = || json!({"status": "Accepted"});
    let updated = house.operator.update_list(ACTOR, &station, false);
    let (_, sent) = tokio::join!(updated, async {
        pole.obey("GetLocalListVersion", json!({"versionNumber": 0})).await;
        pole.obey("SendLocalList", accepted()).await
    });
    assert_eq!(sent["localAuthorizationList"].as_array().unwrap().len(), 2);
    // TC_N_46_CSMS; proves: N10.FR.02, N10.FR.08, D01.FR.01
    let order = CustomerOrder { request: 0, report: true, clear: true, customer: Customer::Token(card(VALID)) };
    let told = json!({"idToken": VALID, "type": "ISO14443"});
    let forgotten = house.operator.customer(ACTOR, &station, order);
    let (came, (asked, change)) = tokio::join!(forgotten, async {
        let asked = pole.obey("CustomerInformation", accepted()).await;
        let said = json!({"requestId": asked["requestId"], "data": "gone", "generatedAt": time(), "seqNo": 0});
        assert_eq!(pole.call("NotifyCustomerInformation", said).await, json!({}));
        pole.obey("GetLocalListVersion", json!({"versionNumber": sent["versionNumber"]})).await;
        (asked, pole.obey("SendLocalList", accepted()).await)
    });
    assert_eq!((&asked["report"], &asked["clear"], &asked["idToken"]), (&json!(true), &json!(true), &told));
    assert_eq!(asked["requestId"], json!(came.unwrap().request));
    // without a verdict it is taken off
    assert_eq!(
        (&change["updateType"], &change["localAuthorizationList"]),
        (&json!("Differential"), &json!([{"idToken": told}]))
    );
    assert!(change["versionNumber"].as_i64() > sent["versionNumber"].as_i64());
    assert_eq!(house.operator.token_list(&station).await.unwrap().entries.len(), 1);
    // whom it does not forget stays
    let order = CustomerOrder { request: 0, report: true, clear: false, customer: Customer::Token(card(VALID_TOO)) };
    let (came, _) =
        tokio::join!(house.operator.customer(ACTOR, &station, order), pole.obey("CustomerInformation", accepted()));
    came.unwrap();
    assert_eq!(house.operator.token_list(&station).await.unwrap().entries.len(), 1);
}
