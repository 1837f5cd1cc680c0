//! Charging profiles (OCPI 2.2.1, module 14; the same words in 2.3.0): orders about the power of a running session,
//! what its station said to them, and what it plans.
//!
//! A profile is an order like a start: answered at once, with the outcome sent to a return address later. The address
//! of a look or a removal travels in the query.

use charge::talk::road::{
    ActiveProfile, OrderKind, PowerProfile, ProfileOrder, ProfileResult, ProfileUnit, ProfileWish, Question,
    ReturnAddress,
};

use crate::command::{RESPONSE_URL, return_address_in};
use crate::read::{At, Fault};
use crate::url;
use crate::versions::Version;
use crate::wire::{Incoming, Kind, Method, Module, Request, Side, Target};
use crate::write::{Doc, Record, number, time};

const UNITS: &[(&str, ProfileUnit)] = &[("W", ProfileUnit::Watts), ("A", ProfileUnit::Amperes)];
/// A profile of a day in steps of five minutes; more is no plan.
const PERIODS_MAX: usize = 288;

pub(crate) fn write(order: &ProfileOrder, base: &str, version: Version) -> Request {
    let address = order
        .return_to
        .as_ref()
        .map_or_else(|| url::callback(base, version, OrderKind::Profile, &order.order), |address| address.0.clone());
    let (method, kind, query, body) = match &order.wish {
        ProfileWish::Set(profile) => {
            let body = Record::default().with("charging_profile", write_profile(profile)).with(RESPONSE_URL, address);
            (Method::Put, Kind::SetProfile, String::new(), Some(Doc::from(body).to_string()))
        }
        ProfileWish::Clear => (Method::Delete, Kind::ClearProfile, url::query(&[(RESPONSE_URL, address)]), None),
        ProfileWish::Show { duration_s } => {
            let query = url::query(&[("duration", duration_s.to_string()), (RESPONSE_URL, address)]);
            (Method::Get, Kind::ShowProfile, query, None)
        }
    };
    let rest = format!("/{}", url::encode(order.session.as_str()));
    let target = Target::Endpoint { module: Module::ChargingProfiles, side: Side::Receiver, rest };
    Request { method, target, query, body, kind }
}

/// `ActiveChargingProfileResult`, `ChargingProfileResult` or `ClearProfileResult` (14.5.2 to 14.5.4): they differ in
/// the plan alone.
pub(crate) fn write_outcome(result: ProfileResult, plan: Option<&ActiveProfile>) -> Doc {
    Record::default().with("result", result.as_str()).maybe("profile", plan.map(write_plan)).into()
}

/// `ActiveChargingProfile` (14.6.1).
pub(crate) fn write_plan(plan: &ActiveProfile) -> Record {
    Record::default()
        .with("start_date_time", time(plan.calculated))
        .with("charging_profile", write_profile(&plan.profile))
}

fn write_profile(profile: &PowerProfile) -> Record {
    let period = |(start, limit): &(u32, charge::Decimal)| -> Doc {
        Record::default().with("start_period", *start).with("limit", number(*limit)).into()
    };
    Record::default()
        .maybe("start_date_time", profile.start.map(time))
        .maybe("duration", profile.duration_s)
        .with("charging_rate_unit", profile.unit.as_str())
        .maybe("min_charging_rate", profile.min_rate.map(number))
        .some("charging_profile_period", profile.periods.iter().map(period).collect())
}

/// The order in a request; `name_order` gives it its name here, from the address that makes it unique.
pub(crate) fn read(
    incoming: &Incoming,
    at: &At<'_>,
    name_order: &dyn Fn(&ReturnAddress) -> Option<charge::id::OrderId>,
) -> Result<Question, Fault> {
    let bad = |path: &str, why: &str| Fault::new(path, why);
    let return_to = return_address_in(incoming, at)?;
    let order = name_order(&return_to).ok_or_else(|| bad(RESPONSE_URL, "names no order"))?;
    let session = incoming.segments.first().and_then(|id| id.parse().ok());
    let session = session.ok_or_else(|| bad("the session in the URL", "is no id of a session"))?;
    let wish = match incoming.method {
        Method::Put => ProfileWish::Set(read_profile(&at.need("charging_profile")?)?),
        Method::Delete => ProfileWish::Clear,
        Method::Get | Method::Post | Method::Patch => {
            let duration_s = incoming.query("duration").and_then(|seconds| seconds.parse().ok());
            ProfileWish::Show { duration_s: duration_s.ok_or_else(|| bad("duration", "is not a whole number"))? }
        }
    };
    Ok(Question::Profile(ProfileOrder { order, return_to: Some(return_to), session, wish }))
}

pub(crate) fn read_outcome(at: &At<'_>) -> Result<(ProfileResult, Option<ActiveProfile>), Fault> {
    let result = at.need("result")?.one_of(&ProfileResult::ALL.map(|result| (result.as_str(), result)))?;
    Ok((result, at.field("profile").map(|at| read_plan(&at)).transpose()?))
}

pub(crate) fn read_plan(at: &At<'_>) -> Result<ActiveProfile, Fault> {
    let calculated = at.need("start_date_time")?.time()?;
    Ok(ActiveProfile { calculated, profile: read_profile(&at.need("charging_profile")?)? })
}

fn read_profile(at: &At<'_>) -> Result<PowerProfile, Fault> {
    let periods = at.list("charging_profile_period")?;
    if periods.len() > PERIODS_MAX {
        return Err(at.fault("has more periods than a day has"));
    }
    let period = |at: &At<'_>| Ok((at.need("start_period")?.whole()?, at.need("limit")?.decimal()?));
    Ok(PowerProfile {
        start: at.field("start_date_time").map(|at| at.time()).transpose()?,
        duration_s: at.field("duration").map(|at| at.whole()).transpose()?,
        unit: at.need("charging_rate_unit")?.one_of(UNITS)?,
        min_rate: at.field("min_charging_rate").map(|at| at.decimal()).transpose()?,
        periods: periods.iter().map(period).collect::<Result<_, Fault>>()?,
    })
}
