//! Partners fetch what is theirs, and a CDR is taken back once.

use std::time::Duration;

use charge::talk::line::BayState;
use charge::talk::road::{Answer, Denial, Found, PageWish, Question, RoadFault, Wanted};

use super::world::{CARD, World, at, card, evse, meter, signed};

async fn one_session(world: &World) {
    let (signer, key) = meter();
    world.operator.confirm_meter_key("ada", &evse(), &key.spki_hex()).await.unwrap();
    world.status(BayState::Preparing).await;
    let (_, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(60));
    let record = signed(&signer, (at(0), 1_000), (at(60), 11_000), 1);
    world.stop(1, 11_000, vec![record]).await;
    settle(world).await;
}

async fn settle(world: &World) {
    for _ in 0..4 {
        world.operator.duty().await;
        world.clock.advance(Duration::from_secs(30));
    }
}

async fn found(world: &World, wanted: Wanted) -> Result<Found, Denial> {
    match world.letter(Question::Fetch(wanted)).await? {
        Answer::Found(found) => Ok(*found),
        another => panic!("{another:?}"),
    }
}

#[tokio::test]
async fn a_credit_goes_to_the_same_provider_once_and_is_listed() {
    let world = World::new().await;
    one_session(&world).await;
    let original = world.told_cdrs().pop().unwrap();
    assert!(world.operator.credit_cdr("ada", &original.id, " ").await.is_err(), "needs a reason");
    let id = world.operator.credit_cdr("ada", &original.id, "the cable was faulty").await.unwrap();
    settle(&world).await;
    let credit = world.told_cdrs().pop().unwrap();
    assert_eq!((&credit.id, credit.credit, credit.credit_reference.as_ref()), (&id, true, Some(&original.id)));
    assert_eq!(credit.total_cost.before_vat, -original.total_cost.before_vat);
    assert_eq!((credit.token.party, credit.energy), (original.token.party, original.energy));
    assert_eq!(credit.remark.as_deref(), Some("the cable was faulty"));
    let told = world.told_cdrs().len();
    assert!(world.operator.credit_cdr("bob", &original.id, "again").await.is_err());
    settle(&world).await;
    assert_eq!(world.told_cdrs().len(), told, "once");

    let wish = PageWish { limit: 1, ..PageWish::default() };
    let Found::Cdrs(first) = found(&world, Wanted::Cdrs(wish)).await.unwrap() else { panic!("CDRs") };
    assert_eq!((first.items.len(), first.total, first.next), (1, 2, Some(1)));
    let rest = Wanted::Cdrs(PageWish { offset: 1, ..wish });
    let Found::Cdrs(rest) = found(&world, rest).await.unwrap() else { panic!("CDRs") };
    assert_eq!((first.items[0].credit, rest.items[0].credit, rest.next), (false, true, None));
    let Found::Sessions(sessions) = found(&world, Wanted::Sessions(wish)).await.unwrap() else { panic!("sessions") };
    assert_eq!(sessions.items[0].id, original.session.unwrap());
    let later = PageWish { changed_since: Some(at(100_000)), ..wish };
    let Found::Sessions(none) = found(&world, Wanted::Sessions(later)).await.unwrap() else { panic!("sessions") };
    assert_eq!((none.items.len(), none.total), (0, 0));
}

#[tokio::test]
async fn a_credit_waits_until_its_original_has_arrived() {
    let world = World::new().await;
    let (tries, ids) = (10, || world.told_cdrs().into_iter().map(|cdr| cdr.id).collect::<Vec<_>>());
    world.road.next_cdr.lock().unwrap().extend((0..tries).map(|_| Err(RoadFault::Unreachable)));
    one_session(&world).await;
    let original = world.told_cdrs().pop().unwrap().id;
    let credit = world.operator.credit_cdr("ada", &original, "the cable was faulty").await.unwrap();
    while !world.road.next_cdr.lock().unwrap().is_empty() {
        assert!(!ids().contains(&credit), "the provider has nothing to take back");
        world.clock.advance(Duration::from_secs(3_600));
        world.operator.duty().await;
    }
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(3_600));
        world.operator.duty().await;
    }
    let told = ids();
    assert_eq!((told.last(), told.len()), (Some(&credit), tries + 2), "once each after the failures: {told:?}");
}
