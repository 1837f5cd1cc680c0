//! Drivers who come and go at stations, each with a card, until they are sent home.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use charge::Dice;
use charge::clock::SeededDice;
use charge::id::EvseNo;
use station::bay::Phase;

use super::pole::Pole;
use super::settle::Network;

/// How long a car charges.
const CHARGE_MS: (u64, u64) = (100, 900);
/// A card that got no answer by then is put away.
const TAP_PATIENCE: Duration = Duration::from_secs(4);

/// Two cards at each provider.
pub(super) async fn cards(network: &Network) -> Arc<Vec<String>> {
    let mut cards = Vec::new();
    for number in 0..4 {
        let card = format!("04DEAD00000{number}01");
        network.driver(number % 2, &format!("crash{number}"), &card).await;
        cards.push(card);
    }
    Arc::new(cards)
}

/// A moment from a range in milliseconds.
pub(super) fn between(dice: &dyn Dice, (least, most): (u64, u64)) -> Duration {
    Duration::from_millis(least + dice.below(most - least))
}

/// Drivers who come and go until they are sent home.
#[derive(Default)]
pub(super) struct Crowd {
    home: Arc<AtomicBool>,
    drivers: Vec<tokio::task::JoinHandle<()>>,
}

impl Crowd {
    /// One driver for each EVSE.
    pub(super) fn gather(&mut self, pole: &Arc<Pole>, cards: &Arc<Vec<String>>, dice: &SeededDice) {
        self.home = if self.drivers.is_empty() { Arc::default() } else { Arc::clone(&self.home) };
        let bays: Vec<EvseNo> = pole.station.watch().borrow().bays.iter().map(|bay| bay.evse).collect();
        for no in bays {
            let dice = SeededDice::new(dice.below(u64::MAX));
            let (pole, cards, home) = (Arc::clone(pole), Arc::clone(cards), Arc::clone(&self.home));
            self.drivers.push(tokio::spawn(async move {
                while !home.load(Ordering::SeqCst) {
                    visit(&pole, no, &cards, &dice).await;
                }
            }));
        }
    }

    /// Everybody finishes, unplugs and leaves.
    pub(super) async fn disperse(&mut self) {
        self.home.store(true, Ordering::SeqCst);
        for driver in self.drivers.drain(..) {
            driver.await.unwrap();
        }
    }
}

/// Plug in, tap, charge a little, leave: with another tap or just by pulling the cable.
async fn visit(pole: &Pole, no: EvseNo, cards: &[String], dice: &SeededDice) {
    let card = &cards[usize::try_from(dice.below(cards.len() as u64)).unwrap()];
    // the answer to the tap of somebody who has left: the EVSE waits for a car, which charges on that card
    let tapped = pole.bay(no).phase == Phase::Tapped;
    pole.plug(no);
    if !tapped {
        pole.tap(no, card);
    }
    if pole.comes(no, TAP_PATIENCE, |bay| bay.transaction.is_some() || bay.phase == Phase::Plugged).await {
        tokio::time::sleep(between(dice, CHARGE_MS)).await;
        let runs = pole.bay(no).transaction.is_some();
        if runs && !tapped && dice.below(2) == 0 {
            pole.tap(no, card);
        }
    }
    pole.walk_away(no).await;
}
