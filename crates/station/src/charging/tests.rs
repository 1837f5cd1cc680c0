#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::talk::line::charging::{RateUnit, Schedule};

use super::composite::{Scene, Supply, Within};
use super::*;
use crate::bench::{START, one};

fn after(secs: u64) -> Timestamp {
    START.plus(Duration::from_secs(secs))
}

fn tx() -> TransactionKey {
    TransactionKey::Text("t-1".into())
}

fn some(id: i32, purpose: ProfilePurpose, kind: ProfileKind, limits: &[(u32, i64)]) -> Profile {
    let period =
        |(start, limit): &(u32, i64)| Period { start: *start, limit: Some(Decimal::from(*limit)), ..Period::default() };
    Profile {
        id,
        stack_level: 0,
        purpose,
        kind,
        valid_from: None,
        valid_until: None,
        key: (purpose == ProfilePurpose::Tx).then(tx),
        schedules: vec![Schedule {
            id: 1,
            start: (kind != ProfileKind::Relative).then_some(START),
            lasts: None,
            unit: RateUnit::Watts,
            min_rate: None,
            periods: limits.iter().map(period).collect(),
            more: None,
        }],
        more: None,
    }
}

fn scene<'a>(profiles: &'a Profiles, started: Option<Timestamp>) -> Scene<'a> {
    Scene {
        profiles: profiles.all(),
        evse: Some(one()),
        within: started.map(|started| Within { key: tx(), started, priority: false }),
        supply: Supply {
            watts: Decimal::from(11_000),
            amperes: Decimal::from(16),
            volts: Decimal::from(230),
            phases: 3,
        },
        offline_for: None,
    }
}

fn set(profiles: &mut Profiles, evse: Option<EvseNo>, profile: Profile) -> Result<(), &'static str> {
    let running = tx();
    profiles.set(START, Place { version: Version::V21, evse, known: true, running: Some(&running) }, profile)
}

fn limits(scene: &Scene<'_>, from: Timestamp, secs: u64) -> Vec<(u32, i64)> {
    let periods = scene.composite(from, Duration::from_secs(secs), RateUnit::Watts);
    periods.iter().map(|period| (period.start, i64::try_from(period.limit.unwrap().trunc()).unwrap())).collect()
}

#[test]
fn what_may_not_be_set_is_refused_by_its_reason() {
    use ProfileKind::{Absolute, Dynamic, Relative};
    use ProfilePurpose::{ExternalConstraints, StationMax, Tx, TxDefault};
    let good = |purpose, kind| some(1, purpose, kind, &[(0, 5_000)]);
    let (running, other) = (tx(), TransactionKey::Text("other".into()));
    let at = |evse, running| Place { version: Version::V201, evse, known: true, running };
    let here = at(Some(one()), Some(&running));
    for (place, profile, told) in [
        (here, good(TxDefault, Absolute), Ok(())),
        (here, good(Tx, Relative), Ok(())),
        (Place { known: false, ..here }, good(TxDefault, Absolute), Err("UnknownEvse")),
        (here, good(ExternalConstraints, Absolute), Err("InvalidProfile")),
        (here, good(StationMax, Absolute), Err("InvalidProfile")),
        (at(None, None), good(StationMax, Absolute), Ok(())),
        (at(None, None), good(StationMax, Relative), Err("InvalidProfile")),
        (at(None, None), good(Tx, Absolute), Err("InvalidProfile")),
        (at(Some(one()), None), good(Tx, Absolute), Err("TxNotFound")),
        (at(Some(one()), Some(&other)), good(Tx, Absolute), Err("TxNotFound")),
        (here, Profile { key: None, ..good(Tx, Absolute) }, Err("MissingParam")),
        (Place { version: Version::V16, ..here }, Profile { key: None, ..good(Tx, Absolute) }, Ok(())),
        (here, Profile { stack_level: STACK_LEVEL_MAX + 1, ..good(TxDefault, Absolute) }, Err("InvalidStackLevel")),
        (here, some(1, TxDefault, Absolute, &[(10, 1)]), Err("InvalidSchedule")),
        (here, some(1, TxDefault, Absolute, &[(0, 1), (60, 2), (60, 3)]), Err("InvalidSchedule")),
        (here, some(1, TxDefault, Absolute, &[(0, -1)]), Err("InvalidSchedule")),
        (here, some(1, TxDefault, Absolute, &[]), Err("InvalidSchedule")),
        (here, some(1, TxDefault, Dynamic, &[(0, 1), (60, 2)]), Err("InvalidSchedule")),
        (here, Profile { schedules: Vec::new(), ..good(TxDefault, Absolute) }, Err("InvalidSchedule")),
    ] {
        assert_eq!(Profiles::default().set(START, place, profile.clone()), told, "{profile:?}");
    }
}

#[test]
fn one_stack_level_holds_one_profile() {
    let mut profiles = Profiles::default();
    let make = |id| some(id, ProfilePurpose::TxDefault, ProfileKind::Absolute, &[(0, i64::from(id))]);
    set(&mut profiles, None, make(1)).unwrap();
    assert_eq!(set(&mut profiles, None, make(2)), Err("DuplicateProfile"), "K01.FR.39");
    set(&mut profiles, None, make(1)).unwrap();
    let v16 = Place { version: Version::V16, evse: None, known: true, running: None };
    profiles.set(START, v16, make(3)).unwrap();
    assert_eq!(profiles.all().iter().map(|held| held.profile.id).collect::<Vec<_>>(), [3], "1.6 replaces");
    let early = Profile { valid_until: Some(after(60)), ..make(4) };
    let late = Profile { valid_from: Some(after(60)), ..make(5) };
    let mut profiles = Profiles::default();
    set(&mut profiles, None, early).unwrap();
    set(&mut profiles, None, late).unwrap();
}

#[test]
fn the_highest_level_counts_within_a_purpose_and_the_lowest_limit_across() {
    let mut profiles = Profiles::default();
    set(&mut profiles, None, some(1, ProfilePurpose::StationMax, ProfileKind::Absolute, &[(0, 8_000), (120, 3_000)]))
        .unwrap();
    set(&mut profiles, None, some(2, ProfilePurpose::TxDefault, ProfileKind::Absolute, &[(0, 4_000)])).unwrap();
    let mut short = some(3, ProfilePurpose::Tx, ProfileKind::Relative, &[(0, 9_000), (60, 2_000)]);
    short.stack_level = 5;
    short.schedules[0].lasts = Some(Duration::from_secs(90));
    set(&mut profiles, Some(one()), short).unwrap();
    assert_eq!(
        limits(&scene(&profiles, Some(START)), START, 200),
        [(0, 8_000), (60, 2_000), (90, 4_000), (120, 3_000)]
    );
    assert_eq!(
        limits(&scene(&profiles, None), START, 200),
        [(0, 4_000), (120, 3_000)],
        "no transaction, no Tx profile"
    );
    assert_eq!(limits(&scene(&profiles, Some(after(30))), after(30), 60), [(0, 8_000), (60, 2_000)][..1]);
}

#[test]
fn a_priority_profile_goes_before_and_local_power_comes_on_top() {
    let mut profiles = Profiles::default();
    set(&mut profiles, None, some(1, ProfilePurpose::StationMax, ProfileKind::Absolute, &[(0, 5_000)])).unwrap();
    set(&mut profiles, Some(one()), some(2, ProfilePurpose::Tx, ProfileKind::Relative, &[(0, 1_000)])).unwrap();
    set(&mut profiles, Some(one()), some(3, ProfilePurpose::Priority, ProfileKind::Relative, &[(0, 9_000)])).unwrap();
    let mut scene = scene(&profiles, Some(START));
    assert_eq!(limits(&scene, START, 60), [(0, 1_000)]);
    if let Some(within) = &mut scene.within {
        within.priority = true;
    }
    assert_eq!(limits(&scene, START, 60), [(0, 5_000)]);
    let mut more = profiles.clone();
    set(&mut more, None, some(4, ProfilePurpose::LocalGeneration, ProfileKind::Absolute, &[(0, 2_000)])).unwrap();
    scene.profiles = more.all();
    assert_eq!(limits(&scene, START, 60), [(0, 7_000)]);
}

#[test]
fn a_day_comes_again_and_a_week_does() {
    let mut profiles = Profiles::default();
    let mut nights = some(1, ProfilePurpose::TxDefault, ProfileKind::Daily, &[(0, 3_000)]);
    nights.schedules[0].lasts = Some(Duration::from_secs(3_600));
    set(&mut profiles, None, nights).unwrap();
    let scene = scene(&profiles, None);
    assert_eq!(limits(&scene, after(3_000), 90_000), [(0, 3_000), (600, 11_000), (83_400, 3_000), (87_000, 11_000)]);
    assert_eq!(
        limits(&scene, START.minus(Duration::from_secs(60)), 61),
        [(0, 11_000), (60, 3_000)],
        "not before its begin"
    );
}

#[test]
fn a_profile_may_end_with_the_line() {
    let mut profile = some(1, ProfilePurpose::TxDefault, ProfileKind::Absolute, &[(0, 3_000)]);
    profile.more = Some(Document::new(r#"{"maxOfflineDuration":600,"invalidAfterOfflineDuration":true}"#));
    let mut profiles = Profiles::default();
    set(&mut profiles, None, profile).unwrap();
    let away = |secs| Scene { offline_for: Some(Duration::from_secs(secs)), ..scene(&profiles, None) };
    assert_eq!(limits(&away(0), START, 900), [(0, 3_000), (600, 11_000)]);
    assert_eq!(limits(&away(600), START, 60), [(0, 11_000)]);
    profiles.was_offline(Duration::from_secs(599));
    assert_eq!(profiles.all().len(), 1);
    profiles.was_offline(Duration::from_secs(600));
    assert!(profiles.all().is_empty());
}

#[test]
fn a_dynamic_profile_takes_new_limits_and_only_it_does() {
    let mut profiles = Profiles::default();
    set(&mut profiles, Some(one()), some(1, ProfilePurpose::TxDefault, ProfileKind::Dynamic, &[(0, 3_000)])).unwrap();
    set(&mut profiles, None, some(2, ProfilePurpose::StationMax, ProfileKind::Absolute, &[(0, 9_000)])).unwrap();
    let limits_of = Document::new(r#"{"limit":2500,"setpoint":-100}"#);
    assert_eq!(profiles.update(2, &limits_of), Err("InvalidProfile"));
    assert_eq!(profiles.update(9, &limits_of), Err("InvalidProfile"));
    profiles.update(1, &limits_of).unwrap();
    let period = &profiles.all()[0].profile.schedules[0].periods[0];
    assert_eq!((period.limit, period.setpoint), (Some(Decimal::from(2_500)), Some(Decimal::from(-100))));
}

#[test]
fn only_what_is_meant_is_cleared() {
    // proves: K10.FR.01, K10.FR.04
    let make = |id, purpose| some(id, purpose, ProfileKind::Absolute, &[(0, 1_000)]);
    let mut profiles = Profiles::default();
    set(&mut profiles, None, make(1, ProfilePurpose::StationMax)).unwrap();
    set(&mut profiles, None, make(2, ProfilePurpose::TxDefault)).unwrap();
    set(&mut profiles, Some(one()), make(3, ProfilePurpose::Tx)).unwrap();
    profiles.constrain(Held::new(None, make(4, ProfilePurpose::ExternalConstraints), START, "EMS"));
    assert_eq!(profiles.clear(&ProfileFilter { ids: vec![9], ..ProfileFilter::default() }), 0);
    assert_eq!(profiles.clear(&ProfileFilter { ids: vec![1], ..ProfileFilter::default() }), 1);
    assert_eq!(
        profiles.clear(&ProfileFilter { purpose: Some(ProfilePurpose::TxDefault), ..ProfileFilter::default() }),
        1
    );
    assert_eq!(profiles.clear(&ProfileFilter { evse: Some(Some(one())), ..ProfileFilter::default() }), 1);
    assert_eq!(profiles.clear(&ProfileFilter::default()), 0, "K10.FR.06: not what the building's controller set");
    assert!(profiles.lift("EMS"));
}

#[test]
fn a_transactions_profiles_end_with_it() {
    let mut profiles = Profiles::default();
    set(&mut profiles, Some(one()), some(3, ProfilePurpose::Tx, ProfileKind::Absolute, &[(0, 1_000)])).unwrap();
    profiles.transaction_over(one(), &[TransactionKey::Number(4)]);
    assert_eq!(profiles.all().len(), 1);
    profiles.transaction_over(one(), &[tx()]);
    assert!(profiles.all().is_empty());
}
