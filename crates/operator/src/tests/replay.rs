//! What comes twice, late, out of order or from the wrong station.

use std::time::Duration;

use charge::id::{EvseUid, StationId, TransactionKey};
use charge::meter::Context;
use charge::talk::line::{Denial, Desk, EndReason, FromStation, Heard, MeterReport, Stage, TransactionReport};
use charge::units::Energy;

use super::world::{CARD, World, at, card, energy, location, no, start_report, stop_report};
use crate::service::command::{NewBay, NewStation, Profile};
use crate::session::State;

#[tokio::test]
async fn a_replayed_start_keeps_its_number_and_bills_once() {
    let world = World::new().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    let again = world.start(card(CARD), 1_000).await;
    assert_eq!(again.0, number);
    world.clock.set(at(30));
    for _ in 0..3 {
        world.stop(number, 5_000, Vec::new()).await;
        world.rounds().await;
    }
    let late = world.say(FromStation::Transaction(start_report(card(CARD), at(0), 1_000))).await.unwrap();
    assert!(matches!(late, Heard::Transaction { number: Some(n), .. } if n == number), "{late:?}");
    assert_eq!(world.session_count().await, 1);
    assert_eq!(world.told_cdrs().len(), 1);
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn another_stations_transaction_is_out_of_place() {
    let world = World::new().await;
    let (number, _) = world.start(card(CARD), 1_000).await;
    let other = StationId::new("CP-2").unwrap();
    let mut spare = location().evses.remove(0);
    spare.uid = EvseUid::new("E2").unwrap();
    let new = NewStation {
        id: other.clone(),
        location: location().id,
        bays: vec![NewBay { no: no(), evse: spare, meter_key: None }],
        profile: Profile::Certificate { serial: "S2".to_owned() },
        danger_plain_ws: false,
    };
    world.operator.enrol_station("ada", new).await.unwrap();
    let report = FromStation::Transaction(stop_report(number, at(5), 9_000, Vec::new()));
    assert!(matches!(world.operator.hear(&other, report).await, Err(Denial::Misplaced(_))));
    let stray = MeterReport {
        evse: Some(no()),
        key: Some(TransactionKey::Number(number)),
        readings: vec![energy(at(5), Context::SamplePeriodic, 9_000)],
    };
    assert!(matches!(world.operator.hear(&other, FromStation::Meter(stray)).await, Err(Denial::Misplaced(_))));
    let page = world.only_session().await;
    assert_eq!((page.card.state, page.card.energy), (State::Active, Energy::ZERO));
}

#[tokio::test]
async fn a_number_that_was_never_given_is_taken_and_billed_to_nobody() {
    let world = World::new().await;
    let report = FromStation::Transaction(stop_report(4_711, at(5), 9_000, Vec::new()));
    let heard = world.say(report).await.unwrap();
    assert_eq!(heard, Heard::Transaction { number: None, verdict: None, cost: None, advice: None });
    assert_eq!(world.session_count().await, 0);
}

#[tokio::test]
async fn a_station_without_its_number_means_the_one_transaction_that_runs() {
    let world = World::new().await;
    world.start(card(CARD), 1_000).await;
    let bare =
        MeterReport { evse: Some(no()), key: None, readings: vec![energy(at(5), Context::SamplePeriodic, 2_000)] };
    world.clock.set(at(6));
    world.say(FromStation::Meter(bare)).await.unwrap();
    let report = stop_report(-1, at(6), 2_500, Vec::new());
    world.say(FromStation::Transaction(report)).await.unwrap();
    let page = world.only_session().await;
    assert_eq!((page.card.state, page.card.energy), (State::Ended, Energy::from_wh(1_500)));
}

#[tokio::test]
async fn a_day_offline_is_replayed_with_its_own_times() {
    let world = World::new().await;
    world.clock.set(at(24 * 60));
    let start = TransactionReport { offline: true, ..start_report(card(CARD), at(0), 1_000) };
    let Heard::Transaction { number: Some(number), .. } = world.say(FromStation::Transaction(start)).await.unwrap()
    else {
        panic!("a start has a number")
    };
    world.meter(number, at(30), 4_000).await;
    world.say(FromStation::Transaction(stop_report(number, at(60), 8_000, Vec::new()))).await.unwrap();
    world.rounds().await;
    let cdr = &world.told_cdrs()[0];
    assert_eq!((cdr.start, cdr.end, cdr.energy), (at(0), at(60), Energy::from_wh(7_000)));
}

fn event(stage: Stage, seq: u32, minute: u64, wh: i64, context: Context) -> FromStation {
    FromStation::Transaction(TransactionReport {
        stage,
        key: Some(TransactionKey::Text("tx-1".into())),
        seq: Some(seq),
        evse: (seq == 0).then(no),
        token: (seq == 0).then(|| card(CARD)),
        readings: vec![energy(at(minute), context, wh)],
        reason: (stage == Stage::Ended).then_some(EndReason::Local),
        ..start_report(card(CARD), at(minute), wh)
    })
}

#[tokio::test]
async fn two_x_events_may_come_in_any_order_and_twice() {
    let world = World::new().await;
    world.clock.set(at(90));
    world.say(event(Stage::Updated, 1, 30, 4_000, Context::SamplePeriodic)).await.unwrap();
    world.say(event(Stage::Started, 0, 0, 1_000, Context::TransactionBegin)).await.unwrap();
    world.say(event(Stage::Updated, 1, 30, 4_000, Context::SamplePeriodic)).await.unwrap();
    world.say(event(Stage::Ended, 2, 60, 8_000, Context::TransactionEnd)).await.unwrap();
    world.say(event(Stage::Ended, 2, 60, 8_000, Context::TransactionEnd)).await.unwrap();
    world.rounds().await;
    let told = world.told_cdrs();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].start, told[0].energy), (at(0), Energy::from_wh(7_000)));
}

#[tokio::test]
async fn a_missing_message_is_flagged() {
    let world = World::new().await;
    world.say(event(Stage::Started, 0, 0, 1_000, Context::TransactionBegin)).await.unwrap();
    world.clock.set(at(60));
    world.say(event(Stage::Ended, 4, 60, 8_000, Context::TransactionEnd)).await.unwrap();
    let flags = world.only_session().await.card.flags;
    assert!(flags.iter().any(|flag| flag.contains("3 messages")), "{flags:?}");
}

#[tokio::test]
async fn a_clock_years_off_does_not_bill_years() {
    let world = World::new().await;
    let epoch = charge::Timestamp::from_secs(5);
    let Heard::Transaction { number: Some(number), .. } =
        world.say(FromStation::Transaction(start_report(card(CARD), epoch, 1_000))).await.unwrap()
    else {
        panic!("a start has a number")
    };
    world.clock.set(at(60));
    world.stop(number, 8_000, Vec::new()).await;
    world.rounds().await;
    let cdr = &world.told_cdrs()[0];
    assert_eq!((cdr.start, cdr.end, cdr.energy), (at(0), at(60), Energy::from_wh(7_000)));
    let flags = world.only_session().await.card.flags;
    assert!(flags.iter().any(|flag| flag.contains("clock")), "{flags:?}");
}

#[tokio::test]
async fn a_start_without_the_stop_before_it_ends_what_ran() {
    let world = World::new().await;
    let (first, _) = world.start(card(CARD), 1_000).await;
    world.clock.set(at(30));
    world.meter(first, at(30), 2_000).await;
    world.clock.advance(Duration::from_secs(60));
    let (second, _) = world.start(card(CARD), 2_500).await;
    assert_ne!(first, second);
    world.rounds().await;
    let told = world.told_cdrs();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].end, told[0].energy), (at(30), Energy::from_wh(1_000)));
}

#[tokio::test]
async fn an_end_that_overtakes_its_begin_is_still_billed() {
    let world = World::new().await;
    world.clock.set(at(90));
    world.say(event(Stage::Ended, 2, 60, 8_000, Context::TransactionEnd)).await.unwrap();
    world.rounds().await;
    world.say(event(Stage::Started, 0, 0, 1_000, Context::TransactionBegin)).await.unwrap();
    world.rounds().await;
    let told = world.told_cdrs();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].start, told[0].end, told[0].energy), (at(0), at(60), Energy::from_wh(7_000)));
}

#[tokio::test]
async fn a_transaction_that_nobody_claims_is_given_up_after_a_day() {
    let world = World::new().await;
    world.say(event(Stage::Ended, 2, 0, 8_000, Context::TransactionEnd)).await.unwrap();
    assert_eq!(world.only_session().await.card.state, State::Unclaimed);
    world.clock.set(at(25 * 60));
    world.rounds().await;
    assert_eq!(world.only_session().await.card.state, State::Void);
}
