//! Is this charging profile one that a station may be given? The rules that all versions share.
//!
//! It checks form alone (OCPP 1.6 3.13 and 5.16; 2.x K01): what the limits should be is decided elsewhere. Each
//! complaint names the field, because a station refuses the whole profile with one word.
//!
//! cites: ocpp-2.1 K28.FR.01, K28.FR.02

use charge::talk::line::Version;
use charge::talk::line::charging::{Profile, ProfileKind, ProfilePurpose, Schedule};
use charge::talk::line::document::Document;
use charge::{Decimal, id::EvseNo};
use document::{Doc, Record};

/// What is wrong, with the JSON path of the field.
pub type Complaint = (&'static str, String);

/// Checks a profile for an EVSE (`None`: the whole station) of a station that speaks `version`.
pub fn check(version: Version, evse: Option<EvseNo>, profile: &Profile) -> Result<(), Complaint> {
    purpose(version, evse, profile)?;
    if let (Some(from), Some(until)) = (profile.valid_from, profile.valid_until)
        && until <= from
    {
        return Err(("/valid_until", "is not after its begin".to_owned()));
    }
    // ISO 15118 offers a car up to three; 1.6 has one
    let most = if version.is_2() { SCHEDULES_MAX } else { 1 };
    if profile.schedules.is_empty() {
        return Err(("/schedules", "a profile needs a schedule".to_owned()));
    }
    let single = matches!(&profile.schedules[..], [one] if one.periods.len() == 1);
    if profile.kind == ProfileKind::Dynamic && !single {
        return Err(("/schedules/periods", "limits that change have one period, from the start".to_owned()));
    }
    if profile.schedules.len() > most {
        return Err(("/schedules", format!("at most {most}")));
    }
    profile.schedules.iter().try_for_each(|one| schedule(version, profile.kind, one))
}

/// The limits of a dynamic profile as an update of it names them; of any other profile none.
pub fn that_change(profile: &Profile) -> Option<Document> {
    let period = profile.schedules.first().filter(|_| profile.kind == ProfileKind::Dynamic)?.periods.first()?;
    let named = Record::default()
        .maybe("limit", period.limit)
        .maybe("dischargeLimit", period.discharge_limit)
        .maybe("setpoint", period.setpoint);
    let more = period.more.as_ref().and_then(|more| Doc::read(more.as_str().as_bytes(), DEPTH_MAX).ok());
    let Record(others) = match more {
        Some(Doc::Record(record)) => record,
        Some(Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) | Doc::List(_)) | None => Record::default(),
    };
    let others = others.into_iter().filter(|(name, _)| CHANGING.contains(&name.as_ref()));
    let all: Vec<_> = named.0.into_iter().chain(others).collect();
    Some(Document::new(Doc::Record(Record(all)).to_string()))
}

/// `ChargingScheduleUpdateType`: what it has beyond the fields of a period.
const CHANGING: [&str; 9] = [
    "limit_L2",
    "limit_L3",
    "dischargeLimit_L2",
    "dischargeLimit_L3",
    "setpoint_L2",
    "setpoint_L3",
    "setpointReactive",
    "setpointReactive_L2",
    "setpointReactive_L3",
];
/// A period's curves are lists of records.
const DEPTH_MAX: usize = 8;

fn purpose(version: Version, evse: Option<EvseNo>, profile: &Profile) -> Result<(), Complaint> {
    match profile.purpose {
        ProfilePurpose::ExternalConstraints => {
            return Err(("/purpose", "is told by stations and never set".to_owned()));
        }
        ProfilePurpose::StationMax if evse.is_some() => {
            return Err(("/evse", "a limit of the station has no EVSE".to_owned()));
        }
        ProfilePurpose::StationMax if profile.kind == ProfileKind::Relative => {
            return Err(("/kind", "a limit of the station is not relative to a transaction".to_owned()));
        }
        ProfilePurpose::Tx if profile.key.is_none() || evse.is_none() => {
            return Err(("/session", "a profile for a transaction names it and its EVSE".to_owned()));
        }
        ProfilePurpose::Priority | ProfilePurpose::LocalGeneration if version != Version::V21 => {
            return Err(("/purpose", "OCPP 2.1 alone knows it".to_owned()));
        }
        ProfilePurpose::StationMax
        | ProfilePurpose::TxDefault
        | ProfilePurpose::Tx
        | ProfilePurpose::Priority
        | ProfilePurpose::LocalGeneration => {}
    }
    if profile.purpose != ProfilePurpose::Tx && profile.key.is_some() {
        return Err(("/session", "only a profile for a transaction names one".to_owned()));
    }
    if profile.kind == ProfileKind::Dynamic && version != Version::V21 {
        return Err(("/kind", "OCPP 2.1 alone knows dynamic profiles".to_owned()));
    }
    Ok(())
}

fn schedule(version: Version, kind: ProfileKind, schedule: &Schedule) -> Result<(), Complaint> {
    let recurs = matches!(kind, ProfileKind::Daily | ProfileKind::Weekly | ProfileKind::Absolute);
    if recurs && schedule.start.is_none() {
        return Err(("/schedules/start", "this kind needs a start".to_owned()));
    }
    if kind == ProfileKind::Relative && schedule.start.is_some() {
        return Err(("/schedules/start", "a relative schedule starts with the transaction".to_owned()));
    }
    let Some(first) = schedule.periods.first() else {
        return Err(("/schedules/periods", "a schedule needs a period".to_owned()));
    };
    if first.start != 0 {
        return Err(("/schedules/periods/start", "the first period starts at 0 seconds".to_owned()));
    }
    if schedule.periods.len() > PERIODS_MAX {
        return Err(("/schedules/periods", format!("at most {PERIODS_MAX}")));
    }
    if !schedule.periods.windows(2).all(|pair| pair[0].start < pair[1].start) {
        return Err(("/schedules/periods/start", "the periods start one after the other".to_owned()));
    }
    for period in &schedule.periods {
        if version != Version::V21 && period.limit.is_none() {
            return Err(("/schedules/periods/limit", "is missing".to_owned()));
        }
        if period.limit.is_some_and(|limit| limit < Decimal::ZERO) {
            return Err(("/schedules/periods/limit", "is negative".to_owned()));
        }
        if period.discharge_limit.is_some_and(|limit| limit > Decimal::ZERO) {
            return Err(("/schedules/periods/discharge_limit", "is positive".to_owned()));
        }
        if period.phases.is_some_and(|phases| !(1..=3).contains(&phases)) {
            return Err(("/schedules/periods/phases", "1 to 3".to_owned()));
        }
    }
    Ok(())
}

/// OCPP 2.0.1 `chargingSchedule` 1..3.
const SCHEDULES_MAX: usize = 3;
/// OCPP 2.x `chargingSchedulePeriod` 1..1024; stations of the field take far fewer and say so.
const PERIODS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::Timestamp;
    use charge::id::TransactionKey;
    use charge::talk::line::charging::{Period, RateUnit};

    use super::*;

    fn profile(purpose: ProfilePurpose, kind: ProfileKind, starts: &[u32]) -> Profile {
        let period = |start| Period { start, limit: Some(Decimal::from(16)), ..Period::default() };
        let schedule = Schedule {
            id: 1,
            start: (kind != ProfileKind::Relative).then(|| Timestamp::from_secs(1_800_000_000)),
            lasts: None,
            unit: RateUnit::Amperes,
            min_rate: None,
            periods: starts.iter().copied().map(period).collect(),
            more: None,
        };
        Profile {
            id: 1,
            stack_level: 0,
            purpose,
            kind,
            valid_from: None,
            valid_until: None,
            key: (purpose == ProfilePurpose::Tx).then_some(TransactionKey::Number(1)),
            schedules: vec![schedule],
            more: None,
        }
    }

    #[test]
    fn each_rule_refuses_with_its_field() {
        use ProfileKind::{Absolute, Dynamic, Relative};
        use ProfilePurpose::{ExternalConstraints, Priority, StationMax, Tx, TxDefault};
        let one = EvseNo::new(1);
        let table = [
            (Version::V16, None, profile(TxDefault, Absolute, &[0, 60]), Ok(())),
            (Version::V16, None, profile(StationMax, Absolute, &[0]), Ok(())),
            (Version::V16, one, profile(Tx, Relative, &[0]), Ok(())),
            (Version::V16, one, profile(StationMax, Absolute, &[0]), Err("/evse")),
            (Version::V16, None, profile(StationMax, Relative, &[0]), Err("/kind")),
            (Version::V16, None, profile(Tx, Relative, &[0]), Err("/session")),
            (Version::V201, None, profile(ExternalConstraints, Absolute, &[0]), Err("/purpose")),
            (Version::V201, None, profile(Priority, Absolute, &[0]), Err("/purpose")),
            (Version::V21, None, profile(Priority, Absolute, &[0]), Ok(())),
            (Version::V201, None, profile(TxDefault, Dynamic, &[0]), Err("/kind")),
            // proves: ocpp-2.1 K28.FR.01
            (Version::V21, None, profile(TxDefault, Dynamic, &[0]), Ok(())),
            (Version::V21, None, profile(TxDefault, Dynamic, &[0, 60]), Err("/schedules/periods")),
            (Version::V16, None, profile(TxDefault, Absolute, &[]), Err("/schedules/periods")),
            (Version::V16, None, profile(TxDefault, Absolute, &[1]), Err("/schedules/periods/start")),
            (Version::V16, None, profile(TxDefault, Absolute, &[0, 60, 60]), Err("/schedules/periods/start")),
        ];
        for (at, (version, evse, profile, wanted)) in table.into_iter().enumerate() {
            assert_eq!(check(version, evse, &profile).map_err(|(path, _)| path), wanted, "row {at}");
        }
        assert_eq!(that_change(&profile(TxDefault, Absolute, &[0])), None);
        let mut changing = profile(TxDefault, Dynamic, &[0]);
        let more = r#"{"setpoint_L2":-2.5,"v2xBaseline":7}"#;
        let period = Period { setpoint: Some(Decimal::from(-4)), more: Some(Document::new(more)), ..Period::default() };
        changing.schedules[0].periods = vec![period];
        assert_eq!(that_change(&changing), Some(Document::new(r#"{"setpoint":-4,"setpoint_L2":-2.5}"#)));
        let mut negative = profile(TxDefault, Absolute, &[0]);
        negative.schedules[0].periods[0].limit = Some(Decimal::NEGATIVE_ONE);
        assert_eq!(check(Version::V16, None, &negative).unwrap_err().0, "/schedules/periods/limit");
        let mut two = profile(TxDefault, Absolute, &[0]);
        two.schedules.push(two.schedules[0].clone());
        assert_eq!(check(Version::V16, None, &two).unwrap_err().0, "/schedules");
        assert_eq!(check(Version::V201, None, &two), Ok(()));
    }
}
