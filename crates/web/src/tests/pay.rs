//! Paying without a contract over the API: who pays has no account, and who guesses has to wait.

use std::sync::Arc;

use charge::money::Money;
use charge::{Secret, Soon};
use operator::payment::{Acquirer, AcquirerFault, Checkout, Means};
use serde_json::json;

use super::world::OPERATOR;
use super::*;
use crate::permission::Role;

struct Nobody;

impl Acquirer for Nobody {
    fn means(&self) -> Vec<Means> {
        Vec::new()
    }

    fn hold(&self, _: &str, _: Money, _: Secret<String>) -> Soon<'_, Result<(), AcquirerFault>> {
        Box::pin(async { Err(AcquirerFault::Unavailable) })
    }

    fn capture(&self, _: &str, _: Money) -> Soon<'_, Result<(), AcquirerFault>> {
        Box::pin(async { Err(AcquirerFault::Unavailable) })
    }

    fn release(&self, _: &str) -> Soon<'_, Result<(), AcquirerFault>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn whoever_guesses_a_code_has_to_wait_and_a_stranger_sees_no_payment() {
    // proves: ocpp-2.1 C25.FR.09
    // proves: TC_C_133_CSMS
    let world = World::new().await;
    world.room.attach_checkout(Checkout::new(Arc::new(Nobody), "https://leyden.test/pay/operator".to_owned()));
    let code = json!({ "station": "CP-9", "evse": "1", "totp": "0000000000", "version": "v1" });
    let scan = || post("/api/p/operator/payments").page().json(&code).send(&world.router);
    assert_eq!(scan().await.fault(), (404, "not_found".to_owned(), None));
    let mut slowed = None;
    for _ in 0..40 {
        let told = scan().await;
        if told.status == 429 {
            slowed = Some(told.header("retry-after").to_owned());
            break;
        }
    }
    assert!(slowed.is_some_and(|seconds| seconds.parse::<u32>().unwrap() > 0));
    assert_eq!(get("/api/p/operator/payments/anybody").send(&world.router).await.fault().0, 404);
    let wish = json!({ "amount": "ten", "means": "card" });
    let told = post("/api/p/operator/payments/anybody").json(&wish).send(&world.router).await;
    assert_eq!(told.fault(), (400, "malformed".to_owned(), Some("/amount".to_owned())));
    let forged = post("/api/p/operator/payments").json(&code).send(&world.router).await;
    assert_eq!(forged.fault().0, 403, "no other page sends its visitors here");
}

#[tokio::test]
async fn without_a_payment_provider_nothing_can_be_switched_on() {
    let world = World::new().await;
    let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
    let shown = get("/api/p/operator/stations/CP-1/payment").by(&admin).send(&world.router).await.ok();
    assert_eq!(shown, json!({ "offered": null }));
    let told = put("/api/p/operator/stations/CP-1/payment").by(&admin).page().raw("{}").send(&world.router).await;
    assert_eq!(told.fault().0, 409);
}
