//! Smart charging (block K), bidirectional and dynamic profiles (block Q): profiles, limits, needs and composite schedules.
//!
//! Deliberately no judgement on a profile: stacking is the station's, and the operator's before it sends. Invariant: a
//! recurring profile names its recurrence, any other does not.

use std::time::Duration;

use charge::talk::line::charging::{
    ChargingNews, ChargingOrder, Composite, NeedsVerdict, Profile, ProfileFilter, ProfileKind, ProfilePurpose,
};
use charge::talk::line::document::Document;
use ocpp_kit::v2_1::{
    self as kit, ChargingProfileKind, ChargingProfilePurpose, CsRequest, CsmsRequest, EnergyTransferMode,
    NotifyEVChargingNeedsStatus, RecurrencyKind,
};

use super::period::{joined, period, rest, say_period, say_schedule, say_unit, schedule, sources, unit};
use super::{
    astray, count, document, evse_id, evse_no, key, key_text, more, natural, one_evse, parsed, part, seconds, some,
    span, strings, unlisted, unsaid, when, whole,
};

use crate::bridge::{moment, wire};
use crate::rules::Fault;

const PURPOSES: [(ProfilePurpose, ChargingProfilePurpose); 6] = [
    (ProfilePurpose::ExternalConstraints, ChargingProfilePurpose::ChargingStationExternalConstraints),
    (ProfilePurpose::StationMax, ChargingProfilePurpose::ChargingStationMaxProfile),
    (ProfilePurpose::TxDefault, ChargingProfilePurpose::TxDefaultProfile),
    (ProfilePurpose::Tx, ChargingProfilePurpose::TxProfile),
    (ProfilePurpose::Priority, ChargingProfilePurpose::PriorityCharging),
    (ProfilePurpose::LocalGeneration, ChargingProfilePurpose::LocalGeneration),
];

fn purpose(told: &ChargingProfilePurpose) -> Result<ProfilePurpose, Fault> {
    let found = PURPOSES.iter().find(|row| row.1 == *told).map(|row| row.0);
    found.ok_or_else(|| unlisted("/chargingProfile/chargingProfilePurpose"))
}

fn say_purpose(purpose: ProfilePurpose) -> ChargingProfilePurpose {
    let found = PURPOSES.iter().find(|row| row.0 == purpose).map(|row| row.1.clone());
    found.unwrap_or(ChargingProfilePurpose::TxProfile)
}

pub(super) fn profile(said: &kit::ChargingProfile) -> Result<Profile, Fault> {
    let known = [
        "id",
        "stackLevel",
        "chargingProfilePurpose",
        "chargingProfileKind",
        "chargingSchedule",
        "recurrencyKind",
        "validFrom",
        "validTo",
        "transactionId",
    ];
    let kind = match (&said.charging_profile_kind, &said.recurrency_kind) {
        (ChargingProfileKind::Absolute, _) => ProfileKind::Absolute,
        (ChargingProfileKind::Relative, _) => ProfileKind::Relative,
        (ChargingProfileKind::Dynamic, _) => ProfileKind::Dynamic,
        (ChargingProfileKind::Recurring, Some(RecurrencyKind::Weekly)) => ProfileKind::Weekly,
        (ChargingProfileKind::Recurring, Some(RecurrencyKind::Daily)) => ProfileKind::Daily,
        (_, _) => return Err(unlisted("/chargingProfile/recurrencyKind")),
    };
    Ok(Profile {
        id: said.id,
        stack_level: whole(said.stack_level, "/chargingProfile/stackLevel")?,
        purpose: purpose(&said.charging_profile_purpose)?,
        kind,
        valid_from: when(said.valid_from),
        valid_until: when(said.valid_to),
        key: said.transaction_id.clone().map(key),
        schedules: said.charging_schedule.iter().map(schedule).collect::<Result<_, _>>()?,
        more: rest(said, &known)?,
    })
}

pub(super) fn say_profile(profile: &Profile) -> Result<kit::ChargingProfile, Fault> {
    let (kind, recurrency) = match profile.kind {
        ProfileKind::Absolute => (ChargingProfileKind::Absolute, None),
        ProfileKind::Relative => (ChargingProfileKind::Relative, None),
        ProfileKind::Dynamic => (ChargingProfileKind::Dynamic, None),
        ProfileKind::Daily => (ChargingProfileKind::Recurring, Some(RecurrencyKind::Daily)),
        ProfileKind::Weekly => (ChargingProfileKind::Recurring, Some(RecurrencyKind::Weekly)),
    };
    let schedules = profile.schedules.iter().map(say_schedule).collect::<Result<_, _>>()?;
    let level = count(profile.stack_level);
    let mut out = kit::ChargingProfile::new(profile.id, level, say_purpose(profile.purpose), kind, schedules);
    out.recurrency_kind = recurrency;
    out.valid_from = profile.valid_from.map(wire);
    out.valid_to = profile.valid_until.map(wire);
    out.transaction_id = profile.key.as_ref().map(key_text).transpose()?;
    joined(out, profile.more.as_ref())
}

pub(super) fn told(order: CsmsRequest) -> Result<ChargingOrder, Fault> {
    Ok(match order {
        CsmsRequest::SetChargingProfile(order) => {
            ChargingOrder::Set { evse: evse_no(order.evse_id), profile: Box::new(profile(&order.charging_profile)?) }
        }
        CsmsRequest::ClearChargingProfile(order) => {
            let criteria = order.charging_profile_criteria.unwrap_or_default();
            ChargingOrder::Clear(ProfileFilter {
                evse: criteria.evse_id.map(evse_no),
                ids: order.charging_profile_id.into_iter().collect(),
                purpose: criteria.charging_profile_purpose.as_ref().map(purpose).transpose()?,
                stack_level: criteria.stack_level.map(natural),
                sources: Vec::new(),
            })
        }
        CsmsRequest::GetChargingProfiles(order) => {
            let which = order.charging_profile;
            let which = ProfileFilter {
                evse: order.evse_id.map(evse_no),
                ids: which.charging_profile_id.unwrap_or_default(),
                purpose: which.charging_profile_purpose.as_ref().map(purpose).transpose()?,
                stack_level: which.stack_level.map(natural),
                sources: sources(which.charging_limit_source),
            };
            ChargingOrder::Read { request: order.request_id, which }
        }
        CsmsRequest::GetCompositeSchedule(order) => ChargingOrder::Composite {
            evse: evse_no(order.evse_id),
            lasts: Duration::from_secs(whole(order.duration, "/duration")?.into()),
            unit: order.charging_rate_unit.as_ref().map(unit).transpose()?,
        },
        CsmsRequest::UpdateDynamicSchedule(order) => {
            ChargingOrder::Update { profile: order.charging_profile_id, limits: document(&order.schedule_update)? }
        }
        CsmsRequest::UsePriorityCharging(order) => {
            ChargingOrder::Priority { key: key(order.transaction_id), on: order.activate }
        }
        CsmsRequest::NotifyAllowedEnergyTransfer(order) => ChargingOrder::AllowedTransfer {
            key: key(order.transaction_id),
            modes: order.allowed_energy_transfer.iter().map(|mode| mode.as_str().into()).collect(),
        },
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &ChargingOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        ChargingOrder::Set { evse, profile } => {
            CsmsRequest::SetChargingProfile(kit::SetChargingProfileRequest::new(evse_id(*evse), say_profile(profile)?))
        }
        ChargingOrder::Clear(which) => clear(which)?,
        ChargingOrder::Read { request, which } => {
            let mut criterion = kit::ChargingProfileCriterion::new();
            criterion.charging_profile_purpose = which.purpose.map(say_purpose);
            criterion.stack_level = which.stack_level.map(count);
            criterion.charging_profile_id = some(which.ids.clone());
            criterion.charging_limit_source = some(strings(&which.sources));
            let mut out = kit::GetChargingProfilesRequest::new(*request, criterion);
            out.evse_id = which.evse.map(evse_id);
            CsmsRequest::GetChargingProfiles(out)
        }
        ChargingOrder::Composite { evse, lasts, unit } => {
            let mut out = kit::GetCompositeScheduleRequest::new(seconds(*lasts), evse_id(*evse));
            out.charging_rate_unit = unit.map(say_unit);
            CsmsRequest::GetCompositeSchedule(out)
        }
        ChargingOrder::Update { profile, limits } => {
            CsmsRequest::UpdateDynamicSchedule(kit::UpdateDynamicScheduleRequest::new(*profile, parsed(limits)?))
        }
        ChargingOrder::Priority { key, on } => {
            CsmsRequest::UsePriorityCharging(kit::UsePriorityChargingRequest::new(key_text(key)?, *on))
        }
        ChargingOrder::AllowedTransfer { key, modes } => {
            let modes = modes.iter().map(|mode| EnergyTransferMode::from_wire(mode)).collect();
            CsmsRequest::NotifyAllowedEnergyTransfer(kit::NotifyAllowedEnergyTransferRequest::new(
                key_text(key)?,
                modes,
            ))
        }
    })
}

/// K10.FR.02: by an id, or by one criterion at least.
fn clear(which: &ProfileFilter) -> Result<CsmsRequest, Fault> {
    let mut out = kit::ClearChargingProfileRequest::new();
    out.charging_profile_id = which.ids.first().copied();
    let mut criteria = kit::ClearChargingProfile::new();
    criteria.evse_id = which.evse.map(evse_id);
    criteria.charging_profile_purpose = which.purpose.map(say_purpose);
    criteria.stack_level = which.stack_level.map(count);
    out.charging_profile_criteria = Some(criteria).filter(|criteria| *criteria != kit::ClearChargingProfile::new());
    if out == kit::ClearChargingProfileRequest::new() {
        return Err(unsaid("profiles to clear without an id and without a criterion"));
    }
    if which.ids.len() > 1 || !which.sources.is_empty() {
        return Err(unsaid("profiles to clear by several ids, or by their source"));
    }
    Ok(CsmsRequest::ClearChargingProfile(out))
}

pub(super) fn hear(said: CsRequest) -> Result<ChargingNews, Fault> {
    Ok(match said {
        CsRequest::ReportChargingProfiles(said) => ChargingNews::Profiles {
            part: part(said.request_id, 0, said.tbc),
            source: said.charging_limit_source.into(),
            evse: evse_no(said.evse_id),
            profiles: said.charging_profile.iter().map(profile).collect::<Result<_, _>>()?,
        },
        CsRequest::NotifyChargingLimit(said) => ChargingNews::Limit {
            evse: said.evse_id.and_then(evse_no),
            source: said.charging_limit.charging_limit_source.into(),
            grid_critical: said.charging_limit.is_grid_critical,
            schedules: said.charging_schedule.iter().flatten().map(schedule).collect::<Result<_, _>>()?,
        },
        CsRequest::ClearedChargingLimit(said) => ChargingNews::LimitCleared {
            evse: said.evse_id.and_then(evse_no),
            source: said.charging_limit_source.into(),
        },
        CsRequest::NotifyEVChargingNeeds(said) => ChargingNews::Needs {
            evse: one_evse(said.evse_id)?,
            at: when(said.timestamp),
            schedules_max: said.max_schedule_tuples.map(natural),
            needs: document(&said.charging_needs)?,
        },
        CsRequest::NotifyEVChargingSchedule(said) => ChargingNews::CarSchedule {
            evse: one_evse(said.evse_id)?,
            base: moment(said.time_base),
            chosen: said.selected_charging_schedule_id,
            schedule: Box::new(schedule(&said.charging_schedule)?),
        },
        CsRequest::NotifyPriorityCharging(said) => {
            ChargingNews::Priority { key: key(said.transaction_id), on: said.activated }
        }
        CsRequest::PullDynamicScheduleUpdate(said) => ChargingNews::Pull { profile: said.charging_profile_id },
        _ => return Err(astray()),
    })
}

pub(super) fn say(news: &ChargingNews) -> Result<CsRequest, Fault> {
    Ok(match news {
        ChargingNews::Profiles { part, source, evse, profiles } => {
            let profiles = profiles.iter().map(say_profile).collect::<Result<_, _>>()?;
            let mut out = kit::ReportChargingProfilesRequest::new(part.request, &**source, profiles, evse_id(*evse));
            out.tbc = more(part.more);
            CsRequest::ReportChargingProfiles(out)
        }
        ChargingNews::Limit { evse, source, grid_critical, schedules } => {
            let mut limit = kit::ChargingLimit::new(&**source);
            limit.is_grid_critical = *grid_critical;
            let mut out = kit::NotifyChargingLimitRequest::new(limit);
            out.evse_id = evse.map(|evse| evse_id(Some(evse)));
            out.charging_schedule = some(schedules.iter().map(say_schedule).collect::<Result<_, _>>()?);
            CsRequest::NotifyChargingLimit(out)
        }
        ChargingNews::LimitCleared { evse, source } => {
            let mut out = kit::ClearedChargingLimitRequest::new(&**source);
            out.evse_id = evse.map(|evse| evse_id(Some(evse)));
            CsRequest::ClearedChargingLimit(out)
        }
        ChargingNews::Needs { evse, at, schedules_max, needs } => {
            let mut out = kit::NotifyEVChargingNeedsRequest::new(evse_id(Some(*evse)), parsed(needs)?);
            out.timestamp = at.map(wire);
            out.max_schedule_tuples = schedules_max.map(count);
            CsRequest::NotifyEVChargingNeeds(out)
        }
        ChargingNews::CarSchedule { evse, base, chosen, schedule } => {
            let schedule = say_schedule(schedule)?;
            let mut out = kit::NotifyEVChargingScheduleRequest::new(wire(*base), schedule, evse_id(Some(*evse)));
            out.selected_charging_schedule_id = *chosen;
            CsRequest::NotifyEVChargingSchedule(out)
        }
        ChargingNews::Priority { key, on } => {
            CsRequest::NotifyPriorityCharging(kit::NotifyPriorityChargingRequest::new(key_text(key)?, *on))
        }
        ChargingNews::Pull { profile } => {
            CsRequest::PullDynamicScheduleUpdate(kit::PullDynamicScheduleUpdateRequest::new(*profile))
        }
    })
}

pub(super) fn composite(said: &kit::CompositeSchedule) -> Result<Composite, Fault> {
    Ok(Composite {
        evse: evse_no(said.evse_id),
        start: moment(said.schedule_start),
        lasts: span(said.duration),
        unit: unit(&said.charging_rate_unit)?,
        periods: said.charging_schedule_period.iter().map(period).collect::<Result<_, _>>()?,
    })
}

pub(super) fn say_composite(composite: &Composite) -> Result<kit::CompositeSchedule, Fault> {
    let periods = composite.periods.iter().map(say_period).collect::<Result<_, _>>()?;
    Ok(kit::CompositeSchedule::new(
        evse_id(composite.evse),
        seconds(composite.lasts),
        wire(composite.start),
        say_unit(composite.unit),
        periods,
    ))
}

/// The answer to a car's needs (K15, K17). 2.0.1 has no word for "no profile will follow", which is an acceptance there.
pub(super) fn say_needs(verdict: NeedsVerdict, is_old: bool) -> NotifyEVChargingNeedsStatus {
    match verdict {
        NeedsVerdict::Accepted => NotifyEVChargingNeedsStatus::Accepted,
        NeedsVerdict::Rejected => NotifyEVChargingNeedsStatus::Rejected,
        NeedsVerdict::Processing => NotifyEVChargingNeedsStatus::Processing,
        NeedsVerdict::NoProfile if is_old => NotifyEVChargingNeedsStatus::Accepted,
        NeedsVerdict::NoProfile => NotifyEVChargingNeedsStatus::NoChargingProfile,
    }
}

pub(super) fn needs(told: &NotifyEVChargingNeedsStatus) -> NeedsVerdict {
    match told {
        NotifyEVChargingNeedsStatus::Accepted => NeedsVerdict::Accepted,
        NotifyEVChargingNeedsStatus::Processing => NeedsVerdict::Processing,
        NotifyEVChargingNeedsStatus::NoChargingProfile => NeedsVerdict::NoProfile,
        _ => NeedsVerdict::Rejected,
    }
}

/// The limits of a dynamic profile, as the answer to a pull.
pub(super) fn say_limits(limits: Option<&Document>) -> Result<kit::PullDynamicScheduleUpdateResponse, Fault> {
    let status =
        if limits.is_some() { kit::ChargingProfileStatus::Accepted } else { kit::ChargingProfileStatus::Rejected };
    let mut out = kit::PullDynamicScheduleUpdateResponse::new(status);
    out.schedule_update = limits.map(parsed).transpose()?;
    Ok(out)
}
