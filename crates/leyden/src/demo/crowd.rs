//! The drivers of the demo: they arrive, plug in, tap a card or start from their phone, charge, and leave.
//!
//! A driver with a phone is a program with a key that uses the driver's API; a driver with a card stands at the
//! station. Nobody reaches into a room.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use charge::clock::SeededDice;
use charge::id::EvseNo;
use charge::token::TokenUid;
use charge::units::{Energy, Power};
use charge::{Decimal, Dice, Timestamp};
use serde_json::json;
use station::VirtualStation;
use station::bay::Phase;
use station::car::{Car, CarPlan, Curve, Inlet};
use station::station::BayView;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::keys::Phones;
use super::settle::{Driver, Settled};
use super::street::{Place, Street};
use super::{OPERATOR, PROVIDERS, visitor};
use crate::Failure;
use crate::api::Session;

/// One driver of three starts from the phone.
const PHONES: u64 = 3;
/// In the demo's time: from leaving to coming back, at least and at most.
const AWAY: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(1_800));
/// In the demo's time: how long a charged car stays, at most.
const LINGER_MAX: Duration = Duration::from_secs(600);
/// In real time: a start that has not become a session by then is given up.
pub(super) const START_PATIENCE: Duration = Duration::from_secs(60);

/// Drivers at large.
pub(crate) struct Crowd {
    drivers: JoinSet<()>,
    going_home: watch::Sender<bool>,
}

impl Crowd {
    /// The car of each provider's first driver, who is whoever looks at the demo, is plugged in and waits.
    pub(crate) fn welcome(&mut self, street: &Arc<Street>, speed: u32) {
        for number in 0..PROVIDERS.len() {
            self.drivers.spawn(visitor::live(Arc::clone(street), number, speed, self.going_home.subscribe()));
        }
    }

    /// Everybody unplugs and leaves, so that sessions end as they should.
    pub(crate) async fn stop(mut self) {
        const LEFT_WITHIN: Duration = Duration::from_secs(10);
        self.going_home.send_replace(true);
        let all = async { while self.drivers.join_next().await.is_some() {} };
        if tokio::time::timeout(LEFT_WITHIN, all).await.is_err() {
            tracing::warn!("some drivers did not leave in time");
        }
        self.drivers.shutdown().await;
    }
}

/// What a driver brings along.
struct Person {
    driver: Driver,
    /// Where this driver uses one.
    phone: Option<Session>,
    dice: SeededDice,
    speed: u32,
}

/// Drivers who come and go for ever.
pub(crate) fn live(street: &Arc<Street>, phones: &Phones, settled: &Settled, speed: u32, seed: u64) -> Crowd {
    let going_home = watch::Sender::new(false);
    let mut drivers = JoinSet::new();
    let everybody = PROVIDERS.iter().flat_map(|(slug, ..)| {
        settled.drivers.get(*slug).into_iter().flatten().map(move |driver| (*slug, driver.clone()))
    });
    for (number, (slug, driver)) in (0u64..).zip(everybody) {
        // the first driver of each provider is left to whoever looks at the demo
        if settled.drivers.get(slug).and_then(|all| all.first()).is_some_and(|first| first.user == driver.user) {
            continue;
        }
        let own = phones.get(&(slug.to_owned(), driver.user.clone()));
        let phone = own.filter(|_| number % PHONES == 0).cloned();
        let dice = SeededDice::new(seed ^ (number + 1).wrapping_mul(0x9e37_79b9));
        let person = Person { driver, phone, dice, speed };
        let (street, home) = (Arc::clone(street), going_home.subscribe());
        drivers.spawn(person.live(street, home));
    }
    Crowd { drivers, going_home }
}

impl Person {
    async fn live(self, street: Arc<Street>, mut home: watch::Receiver<bool>) {
        loop {
            let away = self.between(AWAY.0, AWAY.1);
            tokio::select! {
                () = tokio::time::sleep(away) => {}
                _gone = home.wait_for(|home| *home) => return,
            }
            let start = usize::try_from(self.dice.below(street.stations.len().max(1) as u64)).unwrap_or_default();
            let Some(place) = street.take(start, None) else { continue };
            if let Err(why) = self.charge(&place, &mut home).await {
                tracing::info!(%why, "a driver left without charging");
            }
            if *home.borrow() {
                return;
            }
        }
    }

    /// A span of the demo's time, as it is waited for.
    fn between(&self, least: Duration, most: Duration) -> Duration {
        let spread = u64::try_from((most - least).as_millis()).unwrap_or_default().max(1);
        (least + Duration::from_millis(self.dice.below(spread))) / self.speed
    }

    /// One visit: the car is unplugged whatever happens.
    async fn charge(&self, place: &Place<'_>, home: &mut watch::Receiver<bool>) -> Result<(), String> {
        let car = self.car(place.bay.inlet()).ok_or("no such car")?;
        let (station, no) = (&place.standing.station, place.bay.no);
        station.plug(no, car).map_err(|fault| format!("{fault:?}"))?;
        let done = self.visit(place, home).await;
        let unplugged = station.unplug(no).map_err(|fault| format!("{fault:?}"));
        let left = tokio::time::timeout(START_PATIENCE, becomes(station, no, |bay| bay.phase == Phase::Idle)).await;
        done.and(unplugged).and(left.map_err(|_| "the EVSE did not become free".to_owned())?)
    }

    async fn visit(&self, place: &Place<'_>, home: &mut watch::Receiver<bool>) -> Result<(), String> {
        let (station, no) = (&place.standing.station, place.bay.no);
        let started = async {
            match &self.phone {
                // as the page does it: look at the place, accept its price, start
                Some(phone) => drop(start(phone, place.standing.location.as_str(), place.bay.uid.as_str()).await?),
                None => {
                    let uid = TokenUid::new(&self.driver.card).map_err(|fault| fault.to_string())?;
                    station.tap(no, uid).map_err(|fault| format!("{fault:?}"))?;
                }
            }
            let charging = becomes(station, no, |bay| bay.transaction.is_some());
            let begun = tokio::time::timeout(START_PATIENCE, charging).await;
            begun.map_err(|_| "the session did not begin".to_owned())?
        };
        tokio::select! {
            begun = started => begun?,
            _gone = home.wait_for(|home| *home) => return Ok(()),
        }
        let full = async {
            becomes(station, no, |bay| bay.phase != Phase::Charging).await?;
            tokio::time::sleep(self.between(Duration::ZERO, LINGER_MAX)).await;
            Ok::<(), String>(())
        };
        tokio::select! {
            full = full => full?,
            _gone = home.wait_for(|home| *home) => {}
        }
        Ok(())
    }

    fn car(&self, inlet: Inlet) -> Option<Car> {
        let dc = inlet == Inlet::Dc;
        let kwh = 40 + self.dice.below(50);
        let watts = if dc { 50_000 + self.dice.below(100) * 1_000 } else { 11_000 + self.dice.below(2) * 11_000 };
        let wants = if dc { 10_000 + self.dice.below(30_000) } else { 2_000 + self.dice.below(12_000) };
        let plan = CarPlan {
            capacity: Energy::from_wh(i64::try_from(kwh).ok()? * 1_000),
            charged_percent: 10 + u8::try_from(self.dice.below(50)).ok()?,
            max_power: Power::from_watts(i64::try_from(watts).ok()?),
            inlet,
            curve: Curve::Taper,
            wants: Some(Energy::from_wh(i64::try_from(wants).ok()?)),
        };
        Car::new(plan).ok()
    }
}

/// Waits until an EVSE is as wanted.
pub(super) async fn becomes(station: &VirtualStation, no: EvseNo, is: impl Fn(&BayView) -> bool) -> Result<(), String> {
    let mut watched = station.watch();
    let seen = watched.wait_for(|view| view.bays.iter().any(|bay| bay.evse == no && is(bay))).await.map(drop);
    seen.map_err(|_| "the station is gone".to_owned())
}

/// Starts at an EVSE as the driver's page does: with the price that it was shown. Gives the order's id.
pub(crate) async fn start(session: &Session, location: &str, evse: &str) -> Result<String, String> {
    let told = |fault: crate::api::Refused| fault.to_string();
    let place = session.get(&format!("/driver/places/{}/{location}", OPERATOR.0)).await.map_err(told)?;
    let bays = place["evses"].as_array().into_iter().flatten();
    let shown =
        bays.into_iter().find(|bay| bay["uid"].as_str() == Some(evse)).ok_or("the place does not show this EVSE")?;
    let wish = json!({
        "operator": OPERATOR.0,
        "location": location,
        "evse": evse,
        "tariff_stamp": shown["tariff"]["stamp"],
    });
    let order = session.post("/driver/start", &wish).await.map_err(told)?;
    order["order"].as_str().map(str::to_owned).ok_or_else(|| "the order has no id".to_owned())
}

/// A real charging session of the past.
struct Past {
    arrives: Timestamp,
    leaves: Timestamp,
    energy: Energy,
    user: u64,
}

/// What the demo's slow and fast EVSEs give.
const SLOW_MAX: Power = Power::from_watts(22_000);
const FAST_MAX: Power = Power::from_watts(150_000);

impl Past {
    /// Over the whole stay: what it took at least.
    fn mean_power(&self) -> Power {
        const MICROS_AN_HOUR: i128 = 3_600_000_000;
        let micros = i128::try_from(self.leaves.since(self.arrives).as_micros()).unwrap_or(i128::MAX).max(1);
        let milliwatts = i128::from(self.energy.mwh()) * MICROS_AN_HOUR / micros;
        Power::from_milliwatts(i64::try_from(milliwatts).unwrap_or(i64::MAX))
    }
}

/// Replays real sessions: arrival, departure and energy are those of the file, on the demo's own places and cards.
pub(crate) fn replay(file: &Path, street: &Arc<Street>, settled: &Settled, speed: u32) -> Result<Crowd, Failure> {
    let sessions = read(file)?;
    let Some(first) = sessions.first().map(|past| past.arrives) else {
        return Err(Failure::plain(format!("{}: no session in it can be replayed", file.display())));
    };
    eprintln!("replaying {} sessions from {}, {speed} times faster than they were", sessions.len(), file.display());
    let going_home = watch::Sender::new(false);
    let mut drivers = JoinSet::new();
    let cards: Vec<Driver> = settled.drivers.values().flat_map(|all| all.iter().skip(1).cloned()).collect();
    for past in sessions {
        let at = usize::try_from(past.user).unwrap_or_default() % cards.len().max(1);
        let Some(driver) = cards.get(at).cloned() else { continue };
        let (street, mut home) = (Arc::clone(street), going_home.subscribe());
        drivers.spawn(async move {
            let wait = past.arrives.since(first) / speed;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _gone = home.wait_for(|home| *home) => return,
            }
            if let Err(why) = stay(&past, &driver, &street, speed, &mut home).await {
                tracing::info!(%why, "a replayed session did not take place");
            }
        });
    }
    Ok(Crowd { drivers, going_home })
}

async fn stay(
    past: &Past,
    driver: &Driver,
    street: &Street,
    speed: u32,
    home: &mut watch::Receiver<bool>,
) -> Result<(), String> {
    let start = usize::try_from(past.user).unwrap_or_default();
    let fast = past.mean_power() > SLOW_MAX;
    let place = street.take(start, Some(fast)).ok_or("no free EVSE")?;
    let plan = CarPlan {
        capacity: past.energy.checked_add(past.energy).ok_or("too much energy")?,
        charged_percent: 0,
        max_power: if fast { FAST_MAX } else { SLOW_MAX },
        inlet: place.bay.inlet(),
        curve: Curve::Flat,
        wants: Some(past.energy),
    };
    let car = Car::new(plan).map_err(|fault| fault.to_string())?;
    let (station, no) = (&place.standing.station, place.bay.no);
    station.plug(no, car).map_err(|fault| format!("{fault:?}"))?;
    let uid = TokenUid::new(&driver.card).map_err(|fault| fault.to_string())?;
    let tapped = station.tap(no, uid).map_err(|fault| format!("{fault:?}"));
    tokio::select! {
        () = tokio::time::sleep(past.leaves.since(past.arrives) / speed) => {}
        _gone = home.wait_for(|home| *home) => {}
    }
    tapped.and(station.unplug(no).map_err(|fault| format!("{fault:?}")))
}

/// Rows of ACN-Data: connection, disconnection and energy. A broken row is told and left out.
fn read(file: &Path) -> Result<Vec<Past>, Failure> {
    let mut rows =
        csv::Reader::from_path(file).map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))?;
    let header = rows.headers().map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|it| it == name);
        found.ok_or_else(|| Failure::plain(format!("{}: no column `{name}` in the header", file.display())))
    };
    let (arrives, leaves) = (column("connection_time")?, column("disconnect_time")?);
    let (kwh, user) = (column("kwh_delivered")?, column("user_no")?);
    let mut sessions = Vec::new();
    for (number, record) in (2..).zip(rows.records()) {
        let past = record.ok().and_then(|record| {
            let energy = record.get(kwh)?.trim().parse::<Decimal>().ok().and_then(Energy::from_kwh)?;
            let past = Past {
                arrives: record.get(arrives)?.parse().ok()?,
                leaves: record.get(leaves)?.parse().ok()?,
                energy,
                user: record.get(user).and_then(|text| text.trim().parse().ok()).unwrap_or_default(),
            };
            (past.leaves > past.arrives && past.energy > Energy::ZERO).then_some(past)
        });
        match past {
            Some(past) => sessions.push(past),
            None => eprintln!("{}: row {number} is no session that can be replayed; left out", file.display()),
        }
    }
    sessions.sort_by_key(|past| past.arrives);
    Ok(sessions)
}
