//! The charging profiles a station keeps: which it takes, which it gives up, and which answer a question.
//!
//! It validates as the standard demands (OCPP 1.6, 3.13 and 5.16; OCPP 2.x K01) and decides nothing about power: what
//! follows from the profiles at a moment is [`composite`]'s business.
//!
//! Invariant: of one purpose, stack level and place there is at most one profile (1.6, 5.16.4; K01.FR.05 and .39).

pub mod composite;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::Version;
use charge::talk::line::charging::{Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose};
use charge::talk::line::document::Document;
use charge::{Decimal, Timestamp};

use crate::document::{flag, number};

/// What the station's settings say of it as well (`ChargeProfileMaxStackLevel`, `SmartChargingCtrlr.ProfileStackLevel`).
pub const STACK_LEVEL_MAX: u32 = 20;
/// `ChargingScheduleMaxPeriods`, `SmartChargingCtrlr.PeriodsPerSchedule`: a quarter of an hour for a week.
pub const PERIODS_MAX: usize = 672;
/// `MaxChargingProfilesInstalled`, `SmartChargingCtrlr.Entries[ChargingProfiles]`.
pub const PROFILES_MAX: usize = 64;

/// A profile in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// `None` is the whole station.
    pub evse: Option<EvseNo>,
    pub profile: Profile,
    /// When it came: the begin of a schedule that names none.
    pub since: Timestamp,
    /// Who set it: CSO, or EMS and SO for what the operator did not set (K01.FR.44; `ChargingLimitSourceEnumType`).
    pub source: &'static str,
    /// 2.1 `maxOfflineDuration`: not in force any more after this long without a line.
    pub offline_max: Option<Duration>,
    /// 2.1 `invalidAfterOfflineDuration`: and never again.
    pub dies_offline: bool,
}

impl Held {
    pub fn new(evse: Option<EvseNo>, profile: Profile, since: Timestamp, source: &'static str) -> Self {
        let seconds = number(profile.more.as_ref(), "maxOfflineDuration").and_then(|max| u64::try_from(max).ok());
        let dies_offline = flag(profile.more.as_ref(), "invalidAfterOfflineDuration").unwrap_or(false);
        Self { evse, profile, since, source, offline_max: seconds.map(Duration::from_secs), dies_offline }
    }
}

/// Where a profile is to go, seen by whoever judges it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub version: Version,
    pub evse: Option<EvseNo>,
    pub known: bool,
    /// The transaction that runs there, as the operator calls it.
    pub running: Option<&'a TransactionKey>,
}

/// All profiles of a station.
#[derive(Clone, Debug, Default)]
pub struct Profiles(Vec<Held>);

impl Profiles {
    pub fn all(&self) -> &[Held] {
        &self.0
    }

    /// Takes a profile for its place (K01.FR.15), or says why not: the reason code of 2.x, which 1.6 has no room for.
    pub fn set(&mut self, now: Timestamp, at: Place<'_>, mut profile: Profile) -> Result<(), &'static str> {
        judge(at, &profile)?;
        // 1.6, 3.13.1: a Tx profile without a transaction id is for the one that runs
        if profile.purpose == ProfilePurpose::Tx && profile.key.is_none() {
            profile.key = at.running.cloned();
        }
        let clashes = |held: &Held| {
            held.profile.id != profile.id
                && held.evse == at.evse
                && held.profile.purpose == profile.purpose
                && held.profile.stack_level == profile.stack_level
                && held.profile.key == profile.key
                && overlap(&held.profile, &profile)
        };
        if at.version.is_2() && self.0.iter().any(clashes) {
            return Err("DuplicateProfile");
        }
        self.0.retain(|held| held.profile.id != profile.id && !clashes(held));
        if self.0.len() >= PROFILES_MAX {
            return Err("OutOfStorage");
        }
        self.0.push(Held::new(at.evse, profile, now, "CSO"));
        Ok(())
    }

    /// A limit that somebody else than the operator sets (K11, K12).
    pub fn constrain(&mut self, held: Held) {
        self.0.retain(|other| other.profile.id != held.profile.id);
        self.0.push(held);
    }

    /// Gives up what is meant; answers how many (K10.FR.01, K10.FR.04).
    pub fn clear(&mut self, which: &ProfileFilter) -> usize {
        let before = self.0.len();
        // what others set is not the operator's to clear (K10.FR.06)
        self.0.retain(|held| held.source != "CSO" || !meant(which, held));
        before - self.0.len()
    }

    pub fn lift(&mut self, source: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|held| held.source != source);
        before != self.0.len()
    }

    pub fn meant<'a>(&'a self, which: &'a ProfileFilter) -> impl Iterator<Item = &'a Held> {
        self.0.iter().filter(|held| meant(which, held))
    }

    /// A transaction is over, and its profiles with it (1.6, 3.13.1; K01.FR.14).
    pub fn transaction_over(&mut self, evse: EvseNo, keys: &[TransactionKey]) {
        self.0.retain(|held| {
            let its_own = held.profile.key.as_ref().is_some_and(|key| keys.contains(key));
            let nameless = held.profile.key.is_none() && held.evse == Some(evse);
            held.profile.purpose != ProfilePurpose::Tx || !(its_own || nameless)
        });
    }

    /// A 1.6 transaction that was promised limits has its number now.
    pub fn name_transaction(&mut self, evse: EvseNo, key: &TransactionKey) {
        for held in &mut self.0 {
            if held.profile.purpose == ProfilePurpose::Tx && held.evse == Some(evse) && held.profile.key.is_none() {
                held.profile.key = Some(key.clone());
            }
        }
    }

    /// What does not outlive a start: Tx profiles (`ChargingProfilePersistence`, K01.FR.27).
    pub fn restart(&mut self) {
        self.0.retain(|held| held.profile.purpose != ProfilePurpose::Tx);
    }

    /// The line was away for so long: what was to die of that does.
    pub fn was_offline(&mut self, span: Duration) {
        self.0.retain(|held| !(held.dies_offline && held.offline_max.is_some_and(|max| span >= max)));
    }

    /// New limits for the one period of a dynamic profile (2.1 K28). Fields that are not told stay as they were.
    pub fn update(&mut self, id: i32, limits: &Document) -> Result<(), &'static str> {
        let Some(held) = self.0.iter_mut().find(|held| held.profile.id == id) else { return Err("InvalidProfile") };
        if held.profile.kind != ProfileKind::Dynamic {
            return Err("InvalidProfile");
        }
        let Some(period) = held.profile.schedules.first_mut().and_then(|of| of.periods.first_mut()) else {
            return Err("InvalidSchedule");
        };
        let said = |name| number(Some(limits), name);
        period.limit = said("limit").or(period.limit);
        period.discharge_limit = said("dischargeLimit").or(period.discharge_limit);
        period.setpoint = said("setpoint").or(period.setpoint);
        Ok(())
    }
}

fn meant(which: &ProfileFilter, held: &Held) -> bool {
    // an id names one profile and nothing else counts then (1.6, 5.3; K10.FR.03)
    if !which.ids.is_empty() {
        return which.ids.contains(&held.profile.id);
    }
    which.evse.is_none_or(|evse| evse == held.evse)
        && which.purpose.is_none_or(|purpose| purpose == held.profile.purpose)
        && which.stack_level.is_none_or(|level| level == held.profile.stack_level)
        && (which.sources.is_empty() || which.sources.iter().any(|source| **source == *held.source))
}

fn overlap(a: &Profile, b: &Profile) -> bool {
    let before = |end: Option<Timestamp>, begin: Option<Timestamp>| matches!((end, begin), (Some(end), Some(begin)) if end <= begin);
    !(before(a.valid_until, b.valid_from) || before(b.valid_until, a.valid_from))
}

/// May such a profile be set there? The word that refuses is a reason code of OCPP 2.1 (appendix 5).
fn judge(at: Place<'_>, profile: &Profile) -> Result<(), &'static str> {
    if !at.known {
        return Err("UnknownEvse"); // K01.FR.28
    }
    if profile.stack_level > STACK_LEVEL_MAX {
        return Err("InvalidStackLevel"); // 1.6, 9.4.1
    }
    match profile.purpose {
        ProfilePurpose::ExternalConstraints => return Err("InvalidProfile"), // K01.FR.22
        // K01.FR.31, K01.FR.38: of the whole station, and of no transaction's time
        ProfilePurpose::StationMax | ProfilePurpose::LocalGeneration
            if at.evse.is_some() || profile.kind == ProfileKind::Relative =>
        {
            return Err("InvalidProfile");
        }
        ProfilePurpose::Tx => judge_tx(at, profile)?,
        ProfilePurpose::Priority
        | ProfilePurpose::TxDefault
        | ProfilePurpose::StationMax
        | ProfilePurpose::LocalGeneration => {}
    }
    if profile.schedules.is_empty() || profile.schedules.len() > 3 {
        return Err("InvalidSchedule");
    }
    let whole = |schedule| judge_schedule(at.version, profile.kind, schedule);
    if profile.schedules.iter().all(whole) { Ok(()) } else { Err("InvalidSchedule") }
}

fn judge_tx(at: Place<'_>, profile: &Profile) -> Result<(), &'static str> {
    if at.evse.is_none() {
        return Err("InvalidProfile"); // K01.FR.16
    }
    let Some(running) = at.running else { return Err("TxNotFound") }; // K01.FR.09
    match &profile.key {
        Some(key) if key != running => Err("TxNotFound"), // K01.FR.33
        None if at.version.is_2() => Err("MissingParam"), // K01.FR.03
        Some(_) | None => Ok(()),
    }
}

fn judge_schedule(version: Version, kind: ProfileKind, of: &charge::talk::line::charging::Schedule) -> bool {
    let starts = of.periods.iter().map(|period| period.start);
    let rising = of.periods.is_sorted_by(|a, b| a.start < b.start);
    let phases_fit = of.periods.iter().all(|period| period.phases.is_none_or(|phases| (1..=3).contains(&phases)));
    // phaseToUse is for one phase only (K01.FR.49)
    let one_phase = of.periods.iter().all(|period| period.phase_to_use.is_none() || period.phases == Some(1));
    let anchored = match kind {
        // K01.FR.40; 1.6 leaves it open and the field uses the moment of arrival
        ProfileKind::Absolute | ProfileKind::Daily | ProfileKind::Weekly => of.start.is_some() || !version.is_2(),
        ProfileKind::Relative => of.start.is_none() || !version.is_2(), // K01.FR.41
        ProfileKind::Dynamic => of.periods.len() == 1,
    };
    // K01.FR.30: the first period begins at once
    starts.take(1).eq([0])
        && rising
        && of.periods.len() <= PERIODS_MAX
        && phases_fit
        && one_phase
        && anchored
        && of.periods.iter().all(honest)
}

/// Nothing below zero in, nothing above zero out.
fn honest(period: &Period) -> bool {
    period.limit.is_none_or(|limit| limit >= Decimal::ZERO)
        && period.discharge_limit.is_none_or(|limit| limit <= Decimal::ZERO)
}

#[cfg(test)]
mod tests;
