//! The house dies without warning, again and again, in the middle of everything, and is started again. What it had
//! acknowledged is there exactly once, and the books of stations, operator and providers agree to the watt-hour.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use charge::Dice;
use charge::clock::SeededDice;
use charge::id::EvseNo;
use charge::talk::line::Version;
use charge::units::Energy;
use serde_json::Value;
use station::bay::Phase;
use store::{Store, StoreError, values};

use super::house::{OPERATOR, PROVIDERS};
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
/// How long a car charges.
const CHARGE_MS: (u64, u64) = (100, 900);
/// A card that got no answer by then is put away.
const TAP_PATIENCE: Duration = Duration::from_secs(4);
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
    let told = audit(&mut network, &poles).await;
    println!("crash: {KILLS} kills in {} s, {told}, all in {} s", killed.as_secs(), begun.elapsed().as_secs());
}

/// Two cards at each provider.
async fn cards(network: &Network) -> Arc<Vec<String>> {
    let mut cards = Vec::new();
    for number in 0..4 {
        let card = format!("04DEAD00000{number}01");
        network.driver(number % 2, &format!("crash{number}"), &card).await;
        cards.push(card);
    }
    Arc::new(cards)
}

fn between(dice: &dyn Dice, (least, most): (u64, u64)) -> Duration {
    Duration::from_millis(least + dice.below(most - least))
}

/// Drivers who come and go until they are sent home.
#[derive(Default)]
struct Crowd {
    home: Arc<AtomicBool>,
    drivers: Vec<tokio::task::JoinHandle<()>>,
}

impl Crowd {
    /// One driver for each EVSE.
    fn gather(&mut self, pole: &Arc<Pole>, cards: &Arc<Vec<String>>, dice: &SeededDice) {
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
    async fn disperse(&mut self) {
        self.home.store(true, Ordering::SeqCst);
        for driver in self.drivers.drain(..) {
            driver.await.unwrap();
        }
    }
}

/// Plug in, tap, charge a little, leave: with another tap or just by pulling the cable.
async fn visit(pole: &Pole, no: EvseNo, cards: &[String], dice: &SeededDice) {
    let card = &cards[usize::try_from(dice.below(cards.len() as u64)).unwrap()];
    pole.plug(no);
    pole.tap(no, card);
    if pole.comes(no, TAP_PATIENCE, |bay| bay.transaction.is_some() || bay.phase == Phase::Plugged).await {
        tokio::time::sleep(between(dice, CHARGE_MS)).await;
        let runs = pole.bay(no).transaction.is_some();
        if runs && dice.below(2) == 0 {
            pole.tap(no, card);
        }
    }
    pole.unplug(no).await;
}

/// A session in the operator's memory.
struct Kept {
    id: String,
    name: String,
    number: i64,
    state: String,
    cdr_mwh: Option<i64>,
}

/// Compares what stations saw with what the parties have.
async fn audit(network: &mut Network, poles: &[Arc<Pole>]) -> String {
    let mut delivered: Vec<Value> = network.operator.all("/cdrs").await;
    delivered.retain(|cdr| cdr["state"] == "delivered");
    let (received, lines) = at_providers(network, delivered.len()).await;
    assert!(network.house.stop().await.success());
    let kept = at_operator(network).await;

    let (mut acknowledged, mut ended) = (0, 0);
    for pole in poles {
        let own = kept.get(&pole.id).map_or(&[][..], Vec::as_slice);
        let seen = pole.witness.transactions();
        assert_eq!(own.len(), seen.len(), "{}: sessions at the operator and transactions at the station", pole.id);
        for of in &seen {
            let is_it = |session: &&Kept| match &of.name {
                Some(name) => session.name == format!("t:{name}"),
                None => Some(session.number) == of.number.map(i64::from),
            };
            let found: Vec<&Kept> = own.iter().filter(is_it).collect();
            assert!(of.start_acknowledged && of.end_acknowledged, "{}: {of:?} was never answered", pole.id);
            assert_eq!(found.len(), 1, "{}: {of:?}", pole.id);
            assert_eq!(found[0].state, "closed", "{}: {of:?}", pole.id);
            assert!(found[0].cdr_mwh.is_some(), "{}: {of:?} has no CDR", pole.id);
            acknowledged += usize::from(of.start_acknowledged);
            ended += usize::from(of.end_acknowledged);
        }
    }
    let sessions: Vec<&Kept> = kept.values().flatten().collect();
    let ours: BTreeSet<&str> = sessions.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(delivered.len(), sessions.len(), "every session has one delivered CDR");
    let theirs: BTreeMap<&str, usize> = received.iter().fold(BTreeMap::new(), |mut counts, id| {
        *counts.entry(id.as_str()).or_default() += 1;
        counts
    });
    assert!(theirs.values().all(|count| *count == 1), "a CDR is at a provider twice");
    assert_eq!(theirs.keys().copied().collect::<BTreeSet<_>>(), ours, "CDRs at the providers and sessions");
    assert_eq!(lines, received.len(), "lines on invoices and CDRs");
    let metered: i64 = poles.iter().map(|pole| pole.registers().mwh()).sum();
    let billed: i64 = sessions.iter().filter_map(|session| session.cdr_mwh).sum();
    assert_eq!(Energy::from_mwh(billed).wh(), Energy::from_mwh(metered).wh(), "{billed} mWh billed, {metered} metered");
    assert!(acknowledged > usize::try_from(KILLS).unwrap(), "there was load: {acknowledged} transactions");
    format!(
        "{acknowledged} transactions acknowledged, {ended} ended, {} CDRs, {lines} invoice lines, {} billed",
        received.len(),
        Energy::from_mwh(billed)
    )
}

/// The CDRs that the providers have, and the lines on their invoices. Nothing is disputed.
async fn at_providers(network: &Network, delivered: usize) -> (Vec<String>, usize) {
    let (mut received, mut lines) = (Vec::new(), 0);
    for clerk in &network.providers {
        let disputes = clerk.get("/disputes").await;
        assert_eq!(disputes["total"], 0, "{disputes}");
        let cdrs = clerk.all("/cdrs").await;
        assert!(cdrs.iter().all(|cdr| cdr["verdict"] == "valid" || cdr["verdict"] == "valid with remarks"));
        received.extend(cdrs.iter().map(|cdr| cdr["id"].as_str().unwrap().to_owned()));
        for invoice in clerk.all("/invoices").await {
            let whole = clerk.get(&format!("/invoices/{}", invoice["id"].as_str().unwrap())).await;
            lines += whole["lines"].as_array().unwrap().len();
        }
    }
    assert_eq!(received.len(), delivered, "CDRs delivered and CDRs received");
    (received, lines)
}

/// The operator's sessions by station, from its file, which is checked as well; so are the others'.
async fn at_operator(network: &Network) -> BTreeMap<String, Vec<Kept>> {
    let mut kept: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for party in [OPERATOR, super::house::HUB, PROVIDERS[0].1, PROVIDERS[1].1] {
        let file = network.house.path(&format!("data/{party}.sqlite"));
        let store = Store::open(&file, store::Options::default(), &[]).unwrap();
        let sound = store.read("e2e.check", |tx| tx.one("PRAGMA integrity_check", &values![], |row| row.text(0)));
        let sound: Result<_, StoreError> = sound.await;
        assert_eq!(sound.unwrap().as_deref(), Some("ok"), "{party}");
        if party == OPERATOR {
            let rows: Result<_, StoreError> = store
                .read("e2e.sessions", |tx| {
                    tx.query(SESSIONS, &values![], |row| {
                        let session = Kept {
                            id: row.text(1)?,
                            name: row.text(2)?,
                            number: row.int(3)?,
                            state: row.text(4)?,
                            cdr_mwh: row.int_opt(5)?,
                        };
                        Ok((row.text(0)?, session))
                    })
                })
                .await;
            for (station, session) in rows.unwrap() {
                kept.entry(station).or_default().push(session);
            }
        }
        store.close().await;
    }
    kept
}

const SESSIONS: &str = "SELECT s.station, s.id, s.name, s.number, s.state, c.energy
    FROM operator_sessions s LEFT JOIN operator_cdrs c ON c.session = s.id";
