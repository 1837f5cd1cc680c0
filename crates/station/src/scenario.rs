//! What drivers do over time: who comes when, with which car, how long they stay.
//!
//! A world is made from a seed or from rows of real charging sessions, and is a sorted list of deeds: the same seed
//! gives the same world. Time in it is the time of the world's clock; a faster clock makes it pass faster. It does
//! nothing by itself: whoever plays it takes what is due.
//!
//! Invariant: at one place a visit begins after the one before has ended.

use std::time::Duration;

use charge::place::Current;
use charge::units::{Energy, Power};
use charge::{Decimal, Dice, Timestamp};

use crate::car::{Car, CarPlan, Curve, Inlet};

/// A place to charge, as a scenario sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    pub max_power: Power,
    pub current: Current,
}

/// How a driver begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Holds the card to the reader.
    Card,
    /// Presses start in the app.
    App,
}

/// One driver at one spot, from arrival to departure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Place of the spot in the list that the world was made for.
    pub spot: usize,
    /// Number of the driver, from 0.
    pub driver: u32,
    pub way: Way,
    pub arrives: Timestamp,
    /// When the driver asks to charge, with the cable in.
    pub asks: Timestamp,
    pub leaves: Timestamp,
    pub car: Car,
}

/// What is to be done at a spot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Plug(Car),
    Begin {
        driver: u32,
        way: Way,
    },
    /// Ends in the way it was begun, if it still runs.
    End {
        driver: u32,
        way: Way,
    },
    Unplug,
}

/// An act at its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    pub at: Timestamp,
    pub spot: usize,
    pub act: Act,
}

/// What a world made from a seed looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    pub from: Timestamp,
    pub until: Timestamp,
    pub drivers: u32,
    /// The middle of the pauses between two visits at a spot.
    pub pause: Duration,
    /// How many of a hundred visits are begun in the app.
    pub app_percent: u8,
}

/// From pulling the plug out of its holder to the card at the reader.
const ASKS_AFTER: Duration = Duration::from_secs(20);
/// Between ending and pulling the cable.
const UNPLUGS_AFTER: Duration = Duration::from_secs(30);
/// At least this long between two cars at a spot.
const TURNAROUND: Duration = Duration::from_secs(120);
/// A replayed car has had enough this long before it must, so that nothing is cut off at the end.
const SPARE: Duration = Duration::from_secs(1);
/// What a replayed session draws at least, so that a broken row cannot make a car that never fills.
const REPLAY_POWER_MIN: Power = Power::from_watts(500);

/// Makes a world from a seed, sorted by arrival.
pub fn from_seed(world: &World, spots: &[Spot], dice: &dyn Dice) -> Vec<Visit> {
    let mut visits = Vec::new();
    for (spot, of) in spots.iter().enumerate() {
        let mut free = world.from;
        loop {
            // anything between nothing and twice the middle
            let pause = Duration::from_secs(dice.below(world.pause.as_secs().saturating_mul(2).max(1)));
            let arrives = free.plus(pause.max(TURNAROUND));
            if arrives >= world.until {
                break;
            }
            let Some(car) = some_car(of, dice) else { break };
            let stays = match of.current {
                Current::Dc => Duration::from_secs(900 + dice.below(2_700)),
                Current::Ac1Phase | Current::Ac3Phase => Duration::from_secs(1_800 + dice.below(6 * 3_600)),
            };
            let app = dice.below(100) < u64::from(world.app_percent);
            let driver = u32::try_from(dice.below(u64::from(world.drivers.max(1)))).unwrap_or(0);
            let way = if app { Way::App } else { Way::Card };
            let visit = visit(spot, driver, way, (arrives, stays), car);
            free = visit.leaves.plus(UNPLUGS_AFTER);
            visits.push(visit);
        }
    }
    visits.sort_by_key(|visit| (visit.arrives, visit.spot));
    visits
}

fn visit(spot: usize, driver: u32, way: Way, (arrives, stays): (Timestamp, Duration), car: Car) -> Visit {
    let stays = stays.max(ASKS_AFTER.saturating_mul(2));
    Visit { spot, driver, way, arrives, asks: arrives.plus(ASKS_AFTER), leaves: arrives.plus(stays), car }
}

/// Batteries and chargers as they stand on the streets.
fn some_car(spot: &Spot, dice: &dyn Dice) -> Option<Car> {
    let capacity_kwh = i64::try_from(38 + dice.below(60)).ok()?;
    let (inlet, max_w) = match spot.current {
        Current::Dc => (Inlet::Dc, 70_000 + dice.below(130_000)),
        Current::Ac1Phase => (Inlet::OnePhase, 7_400),
        Current::Ac3Phase if dice.below(4) == 0 => (Inlet::OnePhase, 7_400),
        Current::Ac3Phase => (Inlet::ThreePhase, if dice.below(5) == 0 { 22_000 } else { 11_000 }),
    };
    let plan = CarPlan {
        capacity: Energy::from_wh(capacity_kwh * 1_000),
        charged_percent: u8::try_from(10 + dice.below(60)).ok()?,
        max_power: Power::from_watts(i64::try_from(max_w).ok()?),
        inlet,
        curve: Curve::Taper,
        wants: None,
    };
    Car::new(plan).ok()
}

/// One real session: when the car came, when it had enough, when it left, and how much it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub connected: Timestamp,
    pub disconnected: Timestamp,
    /// `None` where it never had enough.
    pub done: Option<Timestamp>,
    pub delivered: Energy,
}

/// What is wrong with a row, by the name of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    #[error("{0} is not a time in RFC 3339")]
    Time(&'static str),
    #[error("kwh_delivered is not an amount of energy above zero and below {ROW_ENERGY_MAX}")]
    Energy,
    #[error("disconnect_time is not after connection_time")]
    Order,
    #[error("the session lasts longer than a month")]
    TooLong,
}

/// More than any car takes.
const ROW_ENERGY_MAX: Energy = Energy::from_wh(1_000_000);
/// A car that stays longer was forgotten by its data base.
const ROW_SPAN_MAX: Duration = Duration::from_secs(31 * 86_400);

impl Row {
    /// Reads the columns `connection_time`, `disconnect_time`, `done_charging_time` and `kwh_delivered`.
    pub fn read(connected: &str, disconnected: &str, done: &str, kwh: &str) -> Result<Self, RowFault> {
        let time = |text: &str, column| text.parse::<Timestamp>().map_err(|_| RowFault::Time(column));
        let done = match done.trim() {
            "" => None,
            text => Some(time(text, "done_charging_time")?),
        };
        let kwh: Decimal = kwh.trim().parse().map_err(|_| RowFault::Energy)?;
        let delivered = Energy::from_kwh(kwh).ok_or(RowFault::Energy)?;
        let row = Self {
            connected: time(connected, "connection_time")?,
            disconnected: time(disconnected, "disconnect_time")?,
            done,
            delivered,
        };
        if row.delivered <= Energy::ZERO || row.delivered >= ROW_ENERGY_MAX {
            return Err(RowFault::Energy);
        }
        if row.disconnected <= row.connected {
            return Err(RowFault::Order);
        }
        if row.disconnected.since(row.connected) > ROW_SPAN_MAX { Err(RowFault::TooLong) } else { Ok(row) }
    }

    /// A car that takes what this one took, evenly from the connection until it was done.
    fn car(&self, spot: &Spot) -> Option<Car> {
        let end =
            self.done.filter(|done| *done > self.connected).map_or(self.disconnected, |at| at.min(self.disconnected));
        let drawing = end.since(self.connected).saturating_sub(ASKS_AFTER + SPARE).as_secs().max(60);
        let mwh = u64::try_from(self.delivered.mwh()).ok()?;
        let mw = (u128::from(mwh) * 3_600).div_ceil(u128::from(drawing));
        let even = Power::from_milliwatts(i64::try_from(mw).ok()?);
        let plan = CarPlan {
            // a battery that the wish just fills from empty would show 100 %: cars leave with some room
            capacity: Energy::from_mwh(self.delivered.mwh().checked_mul(2)?),
            charged_percent: 30,
            max_power: even.max(REPLAY_POWER_MIN),
            inlet: match spot.current {
                Current::Dc => Inlet::Dc,
                Current::Ac1Phase | Current::Ac3Phase => Inlet::ThreePhase,
            },
            curve: Curve::Flat,
            wants: Some(self.delivered),
        };
        Car::new(plan).ok()
    }
}

/// How real sessions are replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// When the first car comes.
    pub from: Timestamp,
    /// Arrivals come this many times closer together, so that few spots see many sessions. A session keeps its
    /// length, its energy and so its power; for faster sessions there is the world's clock.
    pub speed_up: u32,
    pub drivers: u32,
}

/// Replays real sessions at the spots, each at the first that is free. Answers how many found none as well.
pub fn from_rows(replay: &Replay, rows: &[Row], spots: &[Spot]) -> (Vec<Visit>, usize) {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| row.connected);
    let first = rows.first().map(|row| row.connected);
    let mut free = vec![replay.from; spots.len()];
    let mut visits = Vec::new();
    let mut turned_away = 0;
    for (number, row) in (0u32..).zip(&rows) {
        let since_first = first.map_or(Duration::ZERO, |first| row.connected.since(first));
        let arrives = replay.from.plus(since_first / replay.speed_up.max(1));
        let place = free.iter().position(|free| *free <= arrives);
        let Some((place, spot)) = place.and_then(|place| Some((place, spots.get(place)?))) else {
            turned_away += 1;
            continue;
        };
        let Some(car) = row.car(spot) else {
            turned_away += 1;
            continue;
        };
        let stays = row.disconnected.since(row.connected);
        let visit = visit(place, number % replay.drivers.max(1), Way::Card, (arrives, stays), car);
        if let Some(free) = free.get_mut(place) {
            *free = visit.leaves.plus(TURNAROUND);
        }
        visits.push(visit);
    }
    (visits, turned_away)
}

/// A world as cues, in the order in which they fall due.
#[derive(Clone, Debug)]
pub struct Script {
    cues: Vec<Cue>,
    next: usize,
}

impl Script {
    pub fn new(visits: &[Visit]) -> Self {
        let mut cues: Vec<Cue> = visits.iter().flat_map(cues).collect();
        // stable: acts of one visit at the same moment keep their order
        cues.sort_by_key(|cue| cue.at);
        Self { cues, next: 0 }
    }

    /// What is due by now, each once.
    pub fn due(&mut self, now: Timestamp) -> &[Cue] {
        let from = self.next;
        self.next += self.cues.iter().skip(from).take_while(|cue| cue.at <= now).count();
        self.cues.get(from..self.next).unwrap_or_default()
    }

    /// When the next one is due; `None` at the end of the world.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.cues.get(self.next).map(|cue| cue.at)
    }
}

fn cues(visit: &Visit) -> [Cue; 4] {
    let Visit { spot, driver, way, .. } = *visit;
    let cue = |at, act| Cue { at, spot, act };
    [
        cue(visit.arrives, Act::Plug(visit.car.clone())),
        cue(visit.asks, Act::Begin { driver, way }),
        cue(visit.leaves, Act::End { driver, way }),
        cue(visit.leaves.plus(UNPLUGS_AFTER), Act::Unplug),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::clock::SeededDice;

    use super::*;

    const FROM: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn spots() -> Vec<Spot> {
        vec![
            Spot { max_power: Power::from_watts(22_000), current: Current::Ac3Phase },
            Spot { max_power: Power::from_watts(150_000), current: Current::Dc },
        ]
    }

    fn world() -> World {
        let until = FROM.plus(Duration::from_secs(3 * 86_400));
        World { from: FROM, until, drivers: 12, pause: Duration::from_secs(3_600), app_percent: 40 }
    }

    fn row(from_s: u64, to_s: u64, wh: i64) -> Row {
        let at = |s| Timestamp::from_secs(1_600_000_000).plus(Duration::from_secs(s));
        Row { connected: at(from_s), disconnected: at(to_s), done: None, delivered: Energy::from_wh(wh) }
    }

    #[test]
    fn the_same_seed_gives_the_same_world_and_another_one_another() {
        let make = |seed| from_seed(&world(), &spots(), &SeededDice::new(seed));
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!(make(1).len() > 20);
        assert!(make(1).iter().any(|visit| visit.way == Way::App));
    }

    #[test]
    fn nobody_comes_before_the_one_before_has_left() {
        let rows: Vec<Row> = (0..40).map(|n| row(n * 600, n * 600 + 5_000, 3_000)).collect();
        let (replayed, turned_away) = from_rows(&Replay { from: FROM, speed_up: 1, drivers: 5 }, &rows, &spots());
        assert_eq!(replayed.len() + turned_away, 40);
        assert!(turned_away > 0, "ten cars at a time do not fit on two spots");
        for visits in [from_seed(&world(), &spots(), &SeededDice::new(3)), replayed] {
            for spot in 0..2 {
                let mine: Vec<&Visit> = visits.iter().filter(|visit| visit.spot == spot).collect();
                assert!(mine.windows(2).all(|pair| pair[0].leaves.plus(UNPLUGS_AFTER) < pair[1].arrives));
            }
        }
    }

    #[test]
    fn a_replayed_car_takes_what_the_real_one_took_in_its_time() {
        let rows = [row(0, 7_200, 14_000)];
        let (visits, _) = from_rows(&Replay { from: FROM, speed_up: 10, drivers: 1 }, &rows, &spots());
        let visit = &visits[0];
        assert_eq!(visit.leaves.since(visit.arrives), Duration::from_secs(7_200));
        let micros = visit.car.micros_to_go(Power::from_watts(22_000)).unwrap();
        assert!((7_100_000_000..=7_200_000_000).contains(&micros), "{micros}");
    }

    #[test]
    fn arrivals_come_closer_and_sessions_keep_their_length() {
        let rows = [row(0, 600, 1_000), row(36_000, 36_600, 1_000)];
        let (visits, _) = from_rows(&Replay { from: FROM, speed_up: 10, drivers: 1 }, &rows, &spots());
        assert_eq!(visits[1].arrives.since(visits[0].arrives), Duration::from_secs(3_600));
        assert_eq!(visits[1].leaves.since(visits[1].arrives), Duration::from_secs(600));
    }

    #[test]
    fn broken_rows_are_told_by_their_column() {
        let (a, b) = ("2021-05-01T20:42:47Z", "2021-05-01T21:32:12Z");
        assert!(Row::read(a, b, "", "30.936").is_ok());
        assert_eq!(Row::read("yesterday", b, "", "1"), Err(RowFault::Time("connection_time")));
        assert_eq!(Row::read(a, b, "later", "1"), Err(RowFault::Time("done_charging_time")));
        assert_eq!(Row::read(a, b, "", "-1"), Err(RowFault::Energy));
        assert_eq!(Row::read(a, b, "", "much"), Err(RowFault::Energy));
        assert_eq!(Row::read(b, a, "", "1"), Err(RowFault::Order));
        assert_eq!(Row::read(a, "2022-05-01T21:32:12Z", "", "1"), Err(RowFault::TooLong));
    }

    /// Real sessions lie beside the repository; says loudly when they do not.
    #[test]
    fn real_sessions_can_be_replayed() {
        let path = "../../../shared/data/charging-sessions/acn-data-2021-sessions.csv";
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let Ok(text) = std::fs::read_to_string(&file) else {
            eprintln!("SKIPPED: no {}", file.display());
            return;
        };
        let read = |line: &str| {
            let columns: Vec<&str> = line.split(',').collect();
            Row::read(columns[0], columns[1], columns[2], columns[3])
        };
        let rows: Vec<_> = text.lines().skip(1).map(read).collect();
        assert_eq!(rows.len(), 2_114);
        let rows: Vec<Row> = rows.into_iter().filter_map(Result::ok).collect();
        assert!(rows.len() > 2_100, "{}", rows.len());
        let spots = vec![spots()[0]; 42];
        let (visits, turned_away) = from_rows(&Replay { from: FROM, speed_up: 1, drivers: 212 }, &rows, &spots);
        assert_eq!(visits.len() + turned_away, rows.len());
        assert!(visits.len() > 2_000, "{turned_away} of them found no place");
    }

    #[test]
    fn cues_come_once_and_in_order() {
        let visits = from_seed(&world(), &spots(), &SeededDice::new(5));
        let mut script = Script::new(&visits);
        let mut seen = Vec::new();
        while let Some(at) = script.wake_at() {
            seen.extend_from_slice(script.due(at));
        }
        assert_eq!(seen.len(), visits.len() * 4);
        assert!(seen.windows(2).all(|pair| pair[0].at <= pair[1].at));
        assert!(script.due(world().until.plus(Duration::from_secs(86_400))).is_empty());
    }
}
