//! Hub, operator and providers run as processes of their own and are killed and cut off in turn while drivers charge.
//! Every session ends in exactly one CDR at its provider, and all books agree.

use std::sync::Arc;
use std::time::{Duration, Instant};

use charge::clock::SeededDice;
use charge::talk::line::Version;

use super::apart::{Apart, Part};
use super::books;
use super::crowd::{Crowd, between, cards};
use super::house::Start;
use super::pole::Pole;
use super::settle::Network;
use super::wait::PATIENCE;

const SEED: u64 = 20_261_123;
/// As the audit wants them.
const SESSIONS: usize = 1_000;
/// Stations of 2.0.1 with two EVSEs each.
const POLES: usize = 6;
/// How long all is well between two misfortunes, and how long each lasts.
const CALM_MS: (u64, u64) = (400, 1_600);
const MISFORTUNE_MS: (u64, u64) = (300, 2_500);
/// The least number of rounds of misfortunes, however fast the drivers are.
const ROUNDS_MIN: usize = 3;
/// Nothing that is asked for again waits longer than a minute, twice.
const SETTLE_PATIENCE: Duration = Duration::from_secs(200);

/// What can happen to a part.
#[derive(Clone, Copy, Debug)]
enum Misfortune {
    /// The process dies and is started again.
    Killed(Part),
    /// Nobody reaches its road doors; it can still speak.
    CutOff(Part),
    /// The stations lose the operator.
    Line,
}

const ROUND: [Misfortune; 7] = [
    Misfortune::Killed(Part::Hub),
    Misfortune::CutOff(Part::Operator),
    Misfortune::Killed(Part::Providers),
    Misfortune::CutOff(Part::Hub),
    Misfortune::Killed(Part::Operator),
    Misfortune::CutOff(Part::Providers),
    Misfortune::Line,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sessions_survive_kills_and_cuts_of_every_party_in_turn() {
    let begun = Instant::now();
    let (house, wires) = Apart::start().await.into_parts();
    let mut network = Network::of(house).await;
    let cards = cards(&network).await;
    let (dice, mut crowd, mut poles) = (SeededDice::new(SEED), Crowd::default(), Vec::new());
    for number in 1..=POLES {
        let pole = Arc::new(Pole::stand(&network, &format!("APART-{number}"), Version::V201, 2).await);
        pole.admitted().await;
        crowd.gather(&pole, &cards, &dice);
        poles.push(pole);
    }
    let (mut rounds, mut charged) = (0, 0);
    while charged < SESSIONS || rounds < ROUNDS_MIN {
        for misfortune in ROUND {
            tokio::time::sleep(between(&dice, CALM_MS)).await;
            match misfortune {
                Misfortune::Killed(part) => {
                    network.house.kill_unit(part.unit());
                    tokio::time::sleep(between(&dice, MISFORTUNE_MS)).await;
                    network.house.start_unit(part.unit(), &Start::default()).await;
                }
                Misfortune::CutOff(part) => {
                    wires[part.unit()].iter().for_each(|wire| wire.cut());
                    tokio::time::sleep(between(&dice, MISFORTUNE_MS)).await;
                    wires[part.unit()].iter().for_each(|wire| wire.mend());
                }
                Misfortune::Line => {
                    poles.iter().for_each(|pole| pole.cut());
                    tokio::time::sleep(between(&dice, MISFORTUNE_MS)).await;
                    poles.iter().for_each(|pole| pole.restore());
                }
            }
        }
        rounds += 1;
        charged = poles.iter().map(|pole| pole.witness.transactions().len()).sum();
        println!("partition: round {rounds}, {charged} sessions, {} s", begun.elapsed().as_secs());
    }
    crowd.disperse().await;
    for pole in &poles {
        pole.owes_nothing(PATIENCE).await;
    }
    network.all_settled(SETTLE_PATIENCE).await;
    let agreed = books::compare(&mut network, &poles).await;
    assert!(agreed.transactions >= SESSIONS, "{} transactions", agreed.transactions);
    println!(
        "partition: {} misfortunes, {} transactions, {} CDRs, {} invoice lines, {} billed, all in {} s",
        rounds * ROUND.len(),
        agreed.transactions,
        agreed.cdrs,
        agreed.invoice_lines,
        agreed.billed,
        begun.elapsed().as_secs()
    );
}
