//! Schedules and their periods (block K): the parts that profiles, limits and composite schedules share.
//!
//! What of a period, a schedule or a profile has no field of ours is kept as a document and put back. Deliberately no
//! arithmetic. Invariant: numbers keep the digits they came with.

use std::time::Duration;

use charge::talk::line::charging::{Period, RateUnit, Schedule};
use charge::talk::line::document::Document;
use ocpp_kit::v2_1::{self as kit, ChargingRateUnit};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{boxed, count, decimals, number, seconds, small, unlisted, unsaid, when, whole};
use crate::bridge::wire;
use crate::json::Node;
use crate::rules::Fault;

/// The standard's deepest message has ten levels.
const DEPTH_MAX: usize = 32;

/// The members that have no field of ours; `None` where there are none.
pub(super) fn rest(whole: &impl Serialize, known: &[&str]) -> Result<Option<Document>, Fault> {
    let text = serde_json::to_string(whole).map_err(|_| unsaid("cannot be kept as a document"))?;
    let Some(Node::Object(members)) = Node::parse(&text, DEPTH_MAX) else { return Ok(None) };
    let others: Vec<_> = members.into_iter().filter(|(name, _)| !known.contains(&&**name)).collect();
    if others.is_empty() {
        return Ok(None);
    }
    let mut out = String::new();
    Node::Object(others).write(&mut out);
    Ok(Some(Document::new(out)))
}

/// A part with the members of its document put back. A field of ours wins.
pub(super) fn joined<T: Serialize + DeserializeOwned>(part: T, more: Option<&Document>) -> Result<T, Fault> {
    let Some(more) = more else { return Ok(part) };
    let text = serde_json::to_string(&part).map_err(|_| unsaid("cannot be written"))?;
    let (Some(Node::Object(mut members)), Some(Node::Object(others))) =
        (Node::parse(&text, DEPTH_MAX), Node::parse(more.as_str(), DEPTH_MAX))
    else {
        return Err(unsaid("a document that is no object"));
    };
    for (name, node) in others {
        if !members.iter().any(|(there, _)| *there == name) {
            members.push((name, node));
        }
    }
    let mut out = String::new();
    Node::Object(members).write(&mut out);
    serde_json::from_str(&out).map_err(|_| unsaid("a document of another form than the message wants"))
}

/// An unknown unit is no unit: a limit of 11 kW is none of 11 W.
pub(super) fn unit(unit: &ChargingRateUnit) -> Result<RateUnit, Fault> {
    match unit {
        ChargingRateUnit::A => Ok(RateUnit::Amperes),
        ChargingRateUnit::W => Ok(RateUnit::Watts),
        _ => Err(unlisted("/chargingRateUnit")),
    }
}

pub(super) fn say_unit(unit: RateUnit) -> ChargingRateUnit {
    match unit {
        RateUnit::Watts => ChargingRateUnit::W,
        RateUnit::Amperes => ChargingRateUnit::A,
    }
}

pub(super) fn period(said: &kit::ChargingSchedulePeriod) -> Result<Period, Fault> {
    let known = ["startPeriod", "limit", "numberPhases", "phaseToUse", "dischargeLimit", "setpoint", "operationMode"];
    Ok(Period {
        start: whole(said.start_period, "/chargingSchedulePeriod/startPeriod")?,
        limit: said.limit.and_then(number),
        phases: said.number_phases.map(small),
        phase_to_use: said.phase_to_use.map(small),
        discharge_limit: said.discharge_limit.and_then(number),
        setpoint: said.setpoint.and_then(number),
        mode: said.operation_mode.as_ref().map(|mode| mode.as_str().into()),
        more: rest(said, &known)?,
    })
}

pub(super) fn say_period(period: &Period) -> Result<kit::ChargingSchedulePeriod, Fault> {
    let mut out = kit::ChargingSchedulePeriod::new(count(period.start));
    out.limit = decimals(period.limit)?;
    out.number_phases = period.phases.map(i32::from);
    out.phase_to_use = period.phase_to_use.map(i32::from);
    out.discharge_limit = decimals(period.discharge_limit)?;
    out.setpoint = decimals(period.setpoint)?;
    out.operation_mode = period.mode.as_deref().map(kit::OperationMode::from_wire);
    joined(out, period.more.as_ref())
}

fn lasting(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

pub(super) fn schedule(said: &kit::ChargingSchedule) -> Result<Schedule, Fault> {
    let known = ["id", "startSchedule", "duration", "chargingRateUnit", "minChargingRate", "chargingSchedulePeriod"];
    Ok(Schedule {
        id: said.id,
        start: when(said.start_schedule),
        lasts: said.duration.map(|duration| whole(duration, "/duration")).transpose()?.map(lasting),
        unit: unit(&said.charging_rate_unit)?,
        min_rate: said.min_charging_rate.and_then(number),
        periods: said.charging_schedule_period.iter().map(period).collect::<Result<_, _>>()?,
        more: rest(said, &known)?,
    })
}

pub(super) fn say_schedule(schedule: &Schedule) -> Result<kit::ChargingSchedule, Fault> {
    let periods = schedule.periods.iter().map(say_period).collect::<Result<_, _>>()?;
    let mut out = kit::ChargingSchedule::new(schedule.id, say_unit(schedule.unit), periods);
    out.start_schedule = schedule.start.map(wire);
    out.duration = schedule.lasts.map(seconds);
    out.min_charging_rate = decimals(schedule.min_rate)?;
    joined(out, schedule.more.as_ref())
}

/// A source of limits: EMS, SO, CSO or Other.
pub(super) fn sources(list: Option<Vec<String>>) -> Vec<Box<str>> {
    list.unwrap_or_default().into_iter().filter_map(|source| boxed(Some(source))).collect()
}
