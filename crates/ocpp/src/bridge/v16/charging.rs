//! Smart charging in 1.6 (feature profile of section 3.13; messages 5.5, 5.7, 5.16): profiles, their removal, and the
//! schedule that comes out of them.
//!
//! Deliberately no arithmetic on limits. Invariant: a profile that 1.6 cannot carry as it is (several schedules, a
//! second decimal digit, a newer word) is refused with a remark; nothing is rounded and nothing left out.

use std::time::Duration;

use charge::Decimal;
use charge::id::TransactionKey;
use charge::talk::line::charging::{
    ChargingOrder, Composite, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit, Schedule,
};
use charge::talk::line::{LineFault, StationAnswer, ToStation};
use ocpp_kit::types::Decimal as WireDecimal;
use ocpp_kit::v1_6 as kit;

use super::{RULES, answered, connector, duration, evse, natural, ordered_evse, seconds, status};
use crate::bridge::{Call, Told, misfit, moment, unfit, unplaced, wire};
use crate::payload::{Notes, generous, strict, write};
use crate::rules::{Code, Fault};

const SET: &str = "SetChargingProfile";
const CLEAR: &str = "ClearChargingProfile";
const COMPOSITE: &str = "GetCompositeSchedule";

/// `limit` and `minChargingRate` are multiples of 0.1 (1.6, 7.13 and 7.14).
const DIGITS_MAX: u32 = 1;

pub(super) fn order(order: &ChargingOrder, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (action, payload) = match order {
        ChargingOrder::Set { evse, profile: what } => {
            (SET, write(&kit::SetChargingProfileRequest::new(connector(*evse), profile(what, notes)?)))
        }
        ChargingOrder::Clear(filter) => (CLEAR, write(&clear(filter, notes)?)),
        ChargingOrder::Composite { evse, lasts, unit } => {
            let mut order = kit::GetCompositeScheduleRequest::new(connector(*evse), seconds(*lasts, notes)?);
            order.charging_rate_unit = unit.map(rate_unit);
            (COMPOSITE, write(&order))
        }
        ChargingOrder::Read { .. }
        | ChargingOrder::Update { .. }
        | ChargingOrder::Priority { .. }
        | ChargingOrder::AllowedTransfer { .. } => {
            return Err(unplaced(notes, "1.6 sets and clears profiles and asks for schedules, no more"));
        }
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Told::Action(action)))
}

fn clear(filter: &ProfileFilter, notes: &mut Notes) -> Result<kit::ClearChargingProfileRequest, LineFault> {
    if filter.ids.len() > 1 || !filter.sources.is_empty() {
        return Err(unplaced(notes, "1.6 clears by one id, connector, purpose and level"));
    }
    let mut order = kit::ClearChargingProfileRequest::new();
    order.id = filter.ids.first().copied();
    order.connector_id = filter.evse.map(connector);
    order.charging_profile_purpose = filter.purpose.map(|word| purpose(word, notes)).transpose()?;
    order.stack_level = filter.stack_level.map(|level| whole(level, notes)).transpose()?;
    Ok(order)
}

/// A profile in the form of 1.6; for a remote start as well.
pub(super) fn profile(profile: &Profile, notes: &mut Notes) -> Result<kit::ChargingProfile, LineFault> {
    let [schedule] = profile.schedules.as_slice() else {
        return Err(unplaced(notes, "a profile of 1.6 has one schedule"));
    };
    if profile.more.is_some() {
        return Err(unplaced(notes, "the profile has members that 1.6 does not have"));
    }
    let (kind, recurrency) = match profile.kind {
        ProfileKind::Absolute => (kit::ChargingProfileKind::Absolute, None),
        ProfileKind::Relative => (kit::ChargingProfileKind::Relative, None),
        ProfileKind::Daily => (kit::ChargingProfileKind::Recurring, Some(kit::RecurrencyKind::Daily)),
        ProfileKind::Weekly => (kit::ChargingProfileKind::Recurring, Some(kit::RecurrencyKind::Weekly)),
        ProfileKind::Dynamic => return Err(unplaced(notes, "1.6 has no dynamic profiles")),
    };
    let mut out = kit::ChargingProfile::new(
        profile.id,
        whole(profile.stack_level, notes)?,
        purpose(profile.purpose, notes)?,
        kind,
        self::schedule(schedule, notes)?,
    );
    out.recurrency_kind = recurrency;
    out.valid_from = profile.valid_from.map(wire);
    out.valid_to = profile.valid_until.map(wire);
    out.transaction_id = profile.key.as_ref().map(|key| super::tell::number(key, notes)).transpose()?;
    Ok(out)
}

fn purpose(purpose: ProfilePurpose, notes: &mut Notes) -> Result<kit::ChargingProfilePurpose, LineFault> {
    match purpose {
        ProfilePurpose::StationMax => Ok(kit::ChargingProfilePurpose::ChargePointMaxProfile),
        ProfilePurpose::TxDefault => Ok(kit::ChargingProfilePurpose::TxDefaultProfile),
        ProfilePurpose::Tx => Ok(kit::ChargingProfilePurpose::TxProfile),
        ProfilePurpose::ExternalConstraints | ProfilePurpose::Priority | ProfilePurpose::LocalGeneration => {
            Err(unplaced(notes, "a purpose that 1.6 does not have"))
        }
    }
}

fn schedule(schedule: &Schedule, notes: &mut Notes) -> Result<kit::ChargingSchedule, LineFault> {
    if schedule.more.is_some() {
        return Err(unplaced(notes, "the schedule has members that 1.6 does not have"));
    }
    if schedule.periods.is_empty() {
        return Err(unplaced(notes, "a schedule without a period"));
    }
    let mut periods = Vec::with_capacity(schedule.periods.len());
    for period in &schedule.periods {
        periods.push(self::period(period, notes)?);
    }
    let mut out = kit::ChargingSchedule::new(rate_unit(schedule.unit), periods);
    out.duration = schedule.lasts.map(|lasts| seconds(lasts, notes)).transpose()?;
    out.start_schedule = schedule.start.map(wire);
    out.min_charging_rate = schedule.min_rate.map(|rate| tenths(rate, notes)).transpose()?;
    Ok(out)
}

fn period(period: &Period, notes: &mut Notes) -> Result<kit::ChargingSchedulePeriod, LineFault> {
    let Period {
        start,
        limit: Some(limit),
        phases,
        phase_to_use: None,
        discharge_limit: None,
        setpoint: None,
        mode: None,
        more: None,
    } = period
    else {
        return Err(unplaced(notes, "a period of 1.6 has a start, a limit and a number of phases"));
    };
    let mut out = kit::ChargingSchedulePeriod::new(whole(*start, notes)?, tenths(*limit, notes)?);
    out.number_phases = phases.map(i32::from);
    Ok(out)
}

fn tenths(number: Decimal, notes: &mut Notes) -> Result<WireDecimal, LineFault> {
    let number = number.normalize();
    if number.scale() > DIGITS_MAX {
        return Err(unplaced(notes, "a limit with more than the one decimal digit of 1.6"));
    }
    let digits = i64::try_from(number.mantissa()).ok().zip(u8::try_from(number.scale()).ok());
    let number = digits.and_then(|(mantissa, scale)| WireDecimal::try_new(mantissa, scale));
    number.ok_or_else(|| unplaced(notes, "a limit beyond all measure"))
}

fn whole(number: u32, notes: &mut Notes) -> Result<i32, LineFault> {
    i32::try_from(number).map_err(|_| unplaced(notes, "a number beyond 31 bits"))
}

const fn rate_unit(unit: RateUnit) -> kit::ChargingRateUnit {
    match unit {
        RateUnit::Watts => kit::ChargingRateUnit::W,
        RateUnit::Amperes => kit::ChargingRateUnit::A,
    }
}

pub(super) fn outcome(action: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    match action {
        SET => {
            let answer: kit::SetChargingProfileResponse = generous(RULES, action, payload, notes)?;
            Ok(answered(answer.status.as_str()))
        }
        CLEAR => {
            let answer: kit::ClearChargingProfileResponse = generous(RULES, action, payload, notes)?;
            Ok(answered(answer.status.as_str()))
        }
        COMPOSITE => composite(generous(RULES, action, payload, notes)?, notes),
        _ => Err(misfit()),
    }
}

fn composite(answer: kit::GetCompositeScheduleResponse, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    if answer.status != kit::GetCompositeScheduleStatus::Accepted {
        return Ok(answered(answer.status.as_str()));
    }
    let Some(schedule) = answer.charging_schedule else {
        notes.remark("/chargingSchedule", "accepted, and none given");
        return Ok(StationAnswer::Accepted);
    };
    if schedule.min_charging_rate.is_some() {
        notes.remark("/chargingSchedule/minChargingRate", "not kept");
    }
    let path = "/chargingSchedule";
    let start = answer.schedule_start.or(schedule.start_schedule).map(moment);
    if start.is_none() {
        notes.remark("/scheduleStart", "missing, arrival time taken");
    }
    let lasts = schedule.duration.map(|seconds| duration(seconds, "/chargingSchedule/duration")).transpose()?;
    if lasts.is_none() {
        notes.remark("/chargingSchedule/duration", "missing, taken as 0");
    }
    Ok(StationAnswer::Composite(Composite {
        evse: answer.connector_id.and_then(evse),
        start: start.unwrap_or(notes.now),
        lasts: lasts.unwrap_or(Duration::ZERO),
        unit: unit_word(&schedule.charging_rate_unit, path)?,
        periods: periods(&schedule.charging_schedule_period, None, path)?,
    }))
}

pub(super) fn told(action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    let (order, told) = match action {
        SET => {
            let order: kit::SetChargingProfileRequest = strict(payload)?;
            let profile = Box::new(profile_word(order.cs_charging_profiles, "/csChargingProfiles")?);
            (ChargingOrder::Set { evse: ordered_evse(order.connector_id)?, profile }, SET)
        }
        CLEAR => {
            let order: kit::ClearChargingProfileRequest = strict(payload)?;
            let purpose = order.charging_profile_purpose.as_ref().map(|word| purpose_word(word, "")).transpose()?;
            let filter = ProfileFilter {
                evse: order.connector_id.map(ordered_evse).transpose()?,
                ids: order.id.into_iter().collect(),
                purpose,
                stack_level: order.stack_level.map(|level| natural(level, "/stackLevel")).transpose()?,
                sources: Vec::new(),
            };
            (ChargingOrder::Clear(filter), CLEAR)
        }
        COMPOSITE => {
            let order: kit::GetCompositeScheduleRequest = strict(payload)?;
            let unit = order.charging_rate_unit.as_ref().map(|unit| unit_word(unit, "")).transpose()?;
            let lasts = duration(order.duration, "/duration")?;
            (ChargingOrder::Composite { evse: ordered_evse(order.connector_id)?, lasts, unit }, COMPOSITE)
        }
        _ => return Err(misfit()),
    };
    Ok((ToStation::Charging(order), Told::Action(told)))
}

/// A profile of 1.6 in our words; `path` is where it stands in its message.
pub(super) fn profile_word(profile: kit::ChargingProfile, path: &str) -> Result<Profile, Fault> {
    let kind = match (&profile.charging_profile_kind, &profile.recurrency_kind) {
        (kit::ChargingProfileKind::Absolute, _) => ProfileKind::Absolute,
        (kit::ChargingProfileKind::Relative, _) => ProfileKind::Relative,
        (kit::ChargingProfileKind::Recurring, Some(kit::RecurrencyKind::Daily)) => ProfileKind::Daily,
        (kit::ChargingProfileKind::Recurring, Some(kit::RecurrencyKind::Weekly)) => ProfileKind::Weekly,
        (kit::ChargingProfileKind::Recurring, _) => {
            return Err(Fault::at(Code::Occurrence, format!("{path}/recurrencyKind"), "a recurring profile needs it"));
        }
        (_, _) => return Err(Fault::at(Code::Property, format!("{path}/chargingProfileKind"), "not in the list")),
    };
    let key = match profile.transaction_id {
        None => None,
        Some(number) if number > 0 => Some(TransactionKey::Number(number)),
        Some(_) => return Err(Fault::at(Code::Property, format!("{path}/transactionId"), "names no transaction")),
    };
    Ok(Profile {
        id: profile.charging_profile_id,
        stack_level: natural(profile.stack_level, &format!("{path}/stackLevel"))?,
        purpose: purpose_word(&profile.charging_profile_purpose, path)?,
        kind,
        valid_from: profile.valid_from.map(moment),
        valid_until: profile.valid_to.map(moment),
        key,
        schedules: vec![schedule_word(profile.charging_schedule, &format!("{path}/chargingSchedule"))?],
        more: None,
    })
}

fn purpose_word(purpose: &kit::ChargingProfilePurpose, path: &str) -> Result<ProfilePurpose, Fault> {
    match purpose {
        kit::ChargingProfilePurpose::ChargePointMaxProfile => Ok(ProfilePurpose::StationMax),
        kit::ChargingProfilePurpose::TxDefaultProfile => Ok(ProfilePurpose::TxDefault),
        kit::ChargingProfilePurpose::TxProfile => Ok(ProfilePurpose::Tx),
        _ => Err(Fault::at(Code::Property, format!("{path}/chargingProfilePurpose"), "not in the list")),
    }
}

fn schedule_word(schedule: kit::ChargingSchedule, path: &str) -> Result<Schedule, Fault> {
    let lasts = schedule.duration.map(|seconds| duration(seconds, &format!("{path}/duration"))).transpose()?;
    let minimum = |rate: WireDecimal| number(rate, Some(DIGITS_MAX), &format!("{path}/minChargingRate"));
    Ok(Schedule {
        id: 0,
        start: schedule.start_schedule.map(moment),
        lasts,
        unit: unit_word(&schedule.charging_rate_unit, path)?,
        min_rate: schedule.min_charging_rate.map(minimum).transpose()?,
        periods: periods(&schedule.charging_schedule_period, Some(DIGITS_MAX), path)?,
        more: None,
    })
}

fn unit_word(unit: &kit::ChargingRateUnit, path: &str) -> Result<RateUnit, Fault> {
    match unit {
        kit::ChargingRateUnit::W => Ok(RateUnit::Watts),
        kit::ChargingRateUnit::A => Ok(RateUnit::Amperes),
        _ => Err(Fault::at(Code::Property, format!("{path}/chargingRateUnit"), "not in the list")),
    }
}

/// `digits`: how many decimal digits a limit may have; a station's own schedule is taken with any.
fn periods(periods: &[kit::ChargingSchedulePeriod], digits: Option<u32>, path: &str) -> Result<Vec<Period>, Fault> {
    let path = format!("{path}/chargingSchedulePeriod");
    if periods.is_empty() {
        return Err(Fault::at(Code::Occurrence, path, "a schedule without a period"));
    }
    let word = |(place, period): (usize, &kit::ChargingSchedulePeriod)| {
        let phases = period.number_phases.map(u8::try_from).transpose();
        let phases =
            phases.map_err(|_| Fault::at(Code::Property, format!("{path}/{place}/numberPhases"), "out of range"))?;
        Ok(Period {
            start: natural(period.start_period, &format!("{path}/{place}/startPeriod"))?,
            limit: Some(number(period.limit, digits, &format!("{path}/{place}/limit"))?),
            phases,
            ..Period::default()
        })
    };
    periods.iter().enumerate().map(word).collect()
}

fn number(number: WireDecimal, digits: Option<u32>, path: &str) -> Result<Decimal, Fault> {
    let exact = Decimal::try_from_i128_with_scale(number.mantissa().into(), number.scale().into());
    let exact = exact.map_err(|_| Fault::at(Code::Property, path, "out of range"))?;
    if digits.is_some_and(|most| exact.normalize().scale() > most) {
        return Err(Fault::at(Code::Property, path, "not a multiple of 0.1"));
    }
    Ok(exact)
}

pub(super) fn reply(action: &str, answer: &StationAnswer) -> Result<String, Fault> {
    match (action, answer) {
        (SET, answer) => write(&kit::SetChargingProfileResponse::new(kit::ChargingProfileStatus::from_wire(&status(
            answer,
            kit::ChargingProfileStatus::VARIANTS,
            "Rejected",
        )?))),
        (CLEAR, answer) => write(&kit::ClearChargingProfileResponse::new(kit::ClearChargingProfileStatus::from_wire(
            &status(answer, kit::ClearChargingProfileStatus::VARIANTS, "Unknown")?,
        ))),
        (COMPOSITE, StationAnswer::Composite(composite)) => write(&composite_reply(composite)?),
        // accepted without a schedule would be no answer to the question
        (COMPOSITE, StationAnswer::Accepted) => Err(misfit()),
        (COMPOSITE, answer) => write(&kit::GetCompositeScheduleResponse::new(
            kit::GetCompositeScheduleStatus::from_wire(&status(answer, &["Rejected"], "Rejected")?),
        )),
        (_, _) => Err(misfit()),
    }
}

fn composite_reply(composite: &Composite) -> Result<kit::GetCompositeScheduleResponse, Fault> {
    let mut notes = Notes::at(composite.start);
    let unit = Schedule {
        id: 0,
        start: None,
        lasts: Some(composite.lasts),
        unit: composite.unit,
        min_rate: None,
        periods: composite.periods.clone(),
        more: None,
    };
    let schedule = schedule(&unit, &mut notes).map_err(|_| {
        let why = notes.remarks.first().map(|why| why.to_string()).unwrap_or_default();
        Fault::new(Code::Internal, why)
    })?;
    let mut answer = kit::GetCompositeScheduleResponse::new(kit::GetCompositeScheduleStatus::Accepted);
    answer.connector_id = Some(connector(composite.evse));
    answer.schedule_start = Some(wire(composite.start));
    answer.charging_schedule = Some(schedule);
    Ok(answer)
}
