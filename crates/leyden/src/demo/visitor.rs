//! The car of whoever looks at the demo: one per provider, plugged in at a place of its own, so that the first driver of
//! each provider can start it from the page.
//!
//! Nobody starts it but that human. After each session the car drives off and soon stands there again.

use std::sync::Arc;
use std::time::Duration;

use charge::units::{Energy, Power};
use station::VirtualStation;
use station::bay::Phase;
use station::car::{Car, CarPlan, Curve};
use tokio::sync::watch;

use super::crowd::{START_PATIENCE, becomes};
use super::street::{Bay, Standing, Street};

/// In the demo's time: how long the car is gone between two sessions.
const AWAY: Duration = Duration::from_secs(120);
/// In the demo's time: how long a full car stays before it drives off and so ends its session.
const LINGER: Duration = Duration::from_secs(600);
/// In real time: after a visit that failed, before the next.
const PAUSE: Duration = Duration::from_secs(5);
/// Empty enough to charge for hours of the demo's time, so that there is something to watch and to stop.
const CAPACITY: Energy = Energy::from_wh(80_000);
const CHARGED_PERCENT: u8 = 15;
const MAX_POWER: Power = Power::from_watts(11_000);

/// Where the car of the provider with this number stands: at the first EVSE of a station of its own, while there are.
pub(crate) fn bay_of(street: &Street, number: usize) -> Option<(&Standing, &Bay)> {
    let count = street.stations.len().max(1);
    let standing = street.stations.get(number % count)?;
    Some((standing, standing.bays.get(number / count)?))
}

/// Parks and charges for ever, until everybody goes home.
pub(crate) async fn live(street: Arc<Street>, number: usize, speed: u32, mut home: watch::Receiver<bool>) {
    let Some((standing, bay)) = bay_of(&street, number) else { return };
    while !*home.borrow() {
        let pause = match visit(&standing.station, bay, speed, &mut home).await {
            Ok(()) => AWAY / speed,
            Err(why) => {
                tracing::info!(%why, station = %standing.id, "the visitor's car could not stay");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _gone = home.wait_for(|home| *home) => {}
        }
    }
}

/// One car from plugging in to driving off; it is unplugged whatever happens.
async fn visit(
    station: &VirtualStation,
    bay: &Bay,
    speed: u32,
    home: &mut watch::Receiver<bool>,
) -> Result<(), String> {
    let plan = CarPlan {
        capacity: CAPACITY,
        charged_percent: CHARGED_PERCENT,
        max_power: MAX_POWER,
        inlet: bay.inlet(),
        curve: Curve::Taper,
        wants: None,
    };
    let car = Car::new(plan).map_err(|fault| fault.to_string())?;
    station.plug(bay.no, car).map_err(|fault| format!("{fault:?}"))?;
    let session = async {
        becomes(station, bay.no, |seen| seen.transaction.is_some()).await?;
        let stopped = becomes(station, bay.no, |seen| seen.transaction.is_none());
        let full = async {
            becomes(station, bay.no, |seen| seen.phase == Phase::SuspendedByCar).await?;
            tokio::time::sleep(LINGER / speed).await;
            Ok(())
        };
        tokio::select! {
            stopped = stopped => stopped,
            full = full => full,
        }
    };
    let done = tokio::select! {
        done = session => done,
        _gone = home.wait_for(|home| *home) => Ok(()),
    };
    let unplugged = station.unplug(bay.no).map_err(|fault| format!("{fault:?}"));
    let left = tokio::time::timeout(START_PATIENCE, becomes(station, bay.no, |seen| seen.phase == Phase::Idle)).await;
    done.and(unplugged).and(left.map_err(|_| "the EVSE did not become free".to_owned())?)
}
