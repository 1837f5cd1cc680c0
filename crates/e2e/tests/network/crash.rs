//! The house dies without warning, again and again, in the middle of everything, and is started again. What it had
//! acknowledged is there exactly once, and the books of stations, operator and providers agree to the watt-hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use charge::clock::SeededDice;
use charge::talk::line::Version;

use super::books;
use super::crowd::{Crowd, between, cards};
use super::pole::Pole;
use super::settle::Network;
use super::wait::PATIENCE;

const SEED: u64 = 20_261_122;
const KILLS: u64 = 50;
/// Stations of 2.0.1, with two EVSEs each: on the line from the first kill to the last.
const STEADY: usize = 4;
/// Kills that one station of 1.6 sees: it boots on every connection, and a station that boots eight times in ten
/// minutes is told to wait (`operator::boot`).
const SHIFT: u64 = 5;
/// How long the house lives between two kills.
const LIFE_MS: (u64, u64) = (300, 1_500);
/// A question that found nobody is asked again after a minute.
const SETTLE_PATIENCE: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_acknowledged_and_bill_nothing_twice() {
    let begun = Instant::now();
    let mut network = Network::start().await;
    let cards = cards(&network).await;
    let mut steady = Vec::new();
    for number in 1..=STEADY {
        steady.push(Arc::new(Pole::stand(&network, &format!("STEADY-{number}"), Version::V201, 2).await));
    }
    let mut shifts = Vec::new();
    for number in 1..=KILLS.div_ceil(SHIFT) {
        let pole = Pole::stand(&network, &format!("SHIFT-{number:02}"), Version::V16, 2).await;
        // its turn comes later
        pole.cut();
        shifts.push(Arc::new(pole));
    }
    let dice = SeededDice::new(SEED);
    let mut crowd = Crowd::default();
    for pole in &steady {
        pole.admitted().await;
        crowd.gather(pole, &cards, &dice);
    }
    let mut shift = Crowd::default();
    for kill in 0..KILLS {
        if kill % SHIFT == 0 {
            shift.disperse().await;
            let turn = usize::try_from(kill / SHIFT).unwrap();
            if let Some(before) = turn.checked_sub(1) {
                shifts[before].cut();
            }
            shifts[turn].restore();
            shift.gather(&shifts[turn], &cards, &dice);
        }
        tokio::time::sleep(between(&dice, LIFE_MS)).await;
        network.house.kill();
        network.house.start_again().await;
    }
    let killed = begun.elapsed();
    shift.disperse().await;
    crowd.disperse().await;

    let poles: Vec<Arc<Pole>> = steady.into_iter().chain(shifts).collect();
    for pole in &poles {
        pole.restore();
    }
    for pole in &poles {
        pole.owes_nothing(PATIENCE).await;
    }
    network.all_settled(SETTLE_PATIENCE).await;
    let agreed = books::compare(&mut network, &poles).await;
    assert!(
        agreed.transactions > usize::try_from(KILLS).unwrap(),
        "there was load: {} transactions",
        agreed.transactions
    );
    println!(
        "crash: {KILLS} kills in {} s, {} transactions acknowledged, {} CDRs, {} invoice lines, {} billed, all in {} s",
        killed.as_secs(),
        agreed.transactions,
        agreed.cdrs,
        agreed.invoice_lines,
        agreed.billed,
        begun.elapsed().as_secs()
    );
}
