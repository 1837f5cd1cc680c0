//! How much the cars may take: orders about charging profiles, and the limits that follow from them at each EVSE.
//!
//! An EVSE follows its composite schedule from one change to the next; a limit of the whole station is shared evenly
//! among the EVSEs that charge. Less than 6 A on AC is a pause (IEC 61851-1, Annex A).

use std::time::Duration;

use charge::id::{EvseNo, TransactionKey};
use charge::place::Current;
use charge::talk::line::charging::{
    ChargingNews, ChargingOrder, Composite, Profile, ProfileFilter, ProfilePurpose, RateUnit,
};
use charge::talk::line::{FromStation, StationAnswer};
use charge::units::Power;
use charge::{Decimal, Timestamp};

use super::orders::refused;
use super::{Output, Station};
use crate::charging::composite::{Scene, Supply, Within};
use crate::charging::{Held, Place};

/// `MaxCompositeScheduleDuration`: a longer answer is cut to it.
const COMPOSITE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// Between a phase and the neutral conductor, in Europe.
const VOLTS_AC: i64 = 230;
/// What amperes on DC are reckoned with.
const VOLTS_DC: i64 = 400;
/// The least current that a car on AC can be told.
const AMPERES_MIN: i64 = 6;
/// Profiles in one report.
const PROFILES_PER_REPORT: usize = 4;

impl Station {
    pub(super) fn charging_order(&mut self, order: ChargingOrder, out: &mut Vec<Output>) -> StationAnswer {
        let answer = match order {
            ChargingOrder::Set { evse, profile } => self.set_profile(evse, *profile),
            ChargingOrder::Clear(which) => {
                if self.blocks.profiles.clear(&which) > 0 {
                    StationAnswer::Accepted
                } else {
                    refused("Unknown")
                }
            }
            ChargingOrder::Read { request, which } => self.report_profiles(request, &which),
            ChargingOrder::Composite { evse, lasts, unit } => self.composite(evse, lasts, unit),
            ChargingOrder::Update { profile, limits } => match self.blocks.profiles.update(profile, &limits) {
                Ok(()) => StationAnswer::Accepted,
                Err(_why) => refused("Rejected"),
            },
            ChargingOrder::Priority { key, on } => self.priority(&key, on),
            ChargingOrder::AllowedTransfer { key, modes } => {
                let known = self.queue.named(&key).is_some() && !modes.is_empty();
                if known { StationAnswer::Accepted } else { refused("Rejected") }
            }
        };
        self.relimit(out);
        answer
    }

    fn set_profile(&mut self, evse: Option<EvseNo>, profile: Profile) -> StationAnswer {
        let running = evse.and_then(|no| self.running_key(no));
        let known = evse.is_none_or(|no| self.place(no).is_some());
        let at = Place { version: self.version, evse, known, running: running.as_ref() };
        match self.blocks.profiles.set(self.now, at, profile) {
            Ok(()) => StationAnswer::Accepted,
            Err(why) => {
                self.blocks.logbook.write(self.now, false, format!("charging profile refused: {why}"));
                refused("Rejected")
            }
        }
    }

    /// A profile that comes with a remote start belongs to the transaction that follows (1.6, 5.11; F01.FR.08, F01.FR.10,
    /// K05.FR.02, K05.FR.03).
    pub(super) fn promised(&mut self, evse: EvseNo, key: &TransactionKey, mut profile: Profile) {
        profile.key = self.version.is_2().then(|| key.clone());
        let at = Place { version: self.version, evse: Some(evse), known: true, running: Some(key) };
        if let Err(why) = self.blocks.profiles.set(self.now, at, profile) {
            self.blocks.logbook.write(self.now, false, format!("charging profile of a start refused: {why}"));
        }
    }

    fn report_profiles(&mut self, request: i32, which: &ProfileFilter) -> StationAnswer {
        let mut meant: Vec<Held> = self.blocks.profiles.meant(which).cloned().collect();
        if meant.is_empty() {
            return refused("NoProfiles");
        }
        // one message speaks of one place and one source (K09.FR.02)
        meant.sort_by_key(|held| (held.evse, held.source));
        let groups: Vec<&[Held]> = meant.chunk_by(|a, b| (a.evse, a.source) == (b.evse, b.source)).collect();
        let parts: Vec<&[Held]> = groups.into_iter().flat_map(|group| group.chunks(PROFILES_PER_REPORT)).collect();
        let last = parts.len().saturating_sub(1);
        for ((place, part), seq) in parts.into_iter().enumerate().zip(0_i32..) {
            let Some(first) = part.first() else { continue };
            self.news(FromStation::Charging(ChargingNews::Profiles {
                part: charge::talk::line::document::Part { request, seq, more: place < last },
                source: first.source.into(),
                evse: first.evse,
                profiles: part.iter().map(|held| held.profile.clone()).collect(),
            }));
        }
        StationAnswer::Accepted
    }

    /// K08.FR.02, K08.FR.03, K08.FR.04, K08.FR.06.
    fn composite(&self, evse: Option<EvseNo>, lasts: Duration, unit: Option<RateUnit>) -> StationAnswer {
        if evse.is_some_and(|no| self.place(no).is_none()) {
            return refused("Rejected"); // K08.FR.05
        }
        let unit = unit.unwrap_or(RateUnit::Watts);
        let (start, lasts) = (self.now.whole_seconds(), lasts.min(COMPOSITE_MAX));
        let periods = self.scene(evse).composite(start, lasts, unit);
        StationAnswer::Composite(Composite { evse, start, lasts, unit, periods })
    }

    /// 2.1 K21: only where there is a profile for it.
    fn priority(&mut self, key: &TransactionKey, on: bool) -> StationAnswer {
        let Some(evse) = self.queue.named(key).map(|of| of.evse) else { return refused("Rejected") };
        let mut held = self.blocks.profiles.all().iter();
        let ready = held.any(|held| {
            held.profile.purpose == ProfilePurpose::Priority && held.evse.is_none_or(|other| other == evse)
        });
        if !ready {
            return refused("NoProfile");
        }
        if on {
            self.blocks.priority.insert(evse)
        } else {
            self.blocks.priority.remove(&evse)
        };
        StationAnswer::Accepted
    }

    pub(super) fn running_key(&self, no: EvseNo) -> Option<TransactionKey> {
        self.queue.running().find(|of| of.evse == no).map(|of| of.key(self.version))
    }

    fn scene(&self, evse: Option<EvseNo>) -> Scene<'_> {
        let running = evse.and_then(|no| self.queue.running().find(|of| of.evse == no));
        let within = running.map(|of| Within {
            key: of.key(self.version),
            started: of.started.whole_seconds(),
            priority: self.blocks.priority.contains(&of.evse),
        });
        let offline_for = self.blocks.away_since.filter(|_| !self.line).map(|since| self.now.since(since));
        Scene { profiles: self.blocks.profiles.all(), evse, within, supply: self.supply(evse), offline_for }
    }

    fn supply(&self, evse: Option<EvseNo>) -> Supply {
        let meant: Vec<_> = self.evses.iter().filter(|of| evse.is_none_or(|no| no == of.no)).collect();
        let watts: i64 = meant.iter().map(|of| of.max_power.watts()).sum();
        let (volts, phases) = match meant.first().map(|of| of.current) {
            Some(Current::Dc) => (VOLTS_DC, 1),
            Some(Current::Ac1Phase) => (VOLTS_AC, 1),
            Some(Current::Ac3Phase) | None => (VOLTS_AC, 3),
        };
        let amperes = Decimal::from(watts).checked_div(Decimal::from(volts * i64::from(phases))).unwrap_or_default();
        Supply { watts: Decimal::from(watts), amperes: amperes.round_dp(1), volts: Decimal::from(volts), phases }
    }

    /// Works out all limits anew, and when they change next (K01.FR.07, K01.FR.32).
    pub(super) fn relimit(&mut self, out: &mut Vec<Output>) {
        if self.blocks.profiles.all().is_empty() && self.evses.iter().all(|evse| evse.cap.is_none()) {
            return;
        }
        let (share, shared_until) = self.share();
        for place in 0..self.evses.len() {
            let (cap, until) = self.cap(place);
            let Some(evse) = self.evses.get_mut(place) else { continue };
            evse.cap = [cap, share].into_iter().flatten().min();
            evse.limit_until = [until, shared_until].into_iter().flatten().min();
            self.settle(place, out);
        }
    }

    /// The part of the whole station's limit for each EVSE that charges.
    fn share(&self) -> (Option<Power>, Option<Timestamp>) {
        let whole = |held: &Held| held.evse.is_none() && held.profile.purpose != ProfilePurpose::TxDefault;
        if !self.blocks.profiles.all().iter().any(whole) {
            return (None, None);
        }
        let charging = self.evses.iter().filter(|evse| evse.phase.in_transaction()).count().max(1);
        let (period, until) = self.scene(None).at(self.now, self.now, RateUnit::Watts);
        let each = period.limit.and_then(|limit| limit.checked_div(Decimal::from(charging)));
        (each.and_then(power), until)
    }

    fn cap(&self, place: usize) -> (Option<Power>, Option<Timestamp>) {
        let Some(evse) = self.evses.get(place).filter(|_| !self.blocks.profiles.all().is_empty()) else {
            return (None, None);
        };
        let scene = self.scene(Some(evse.no));
        if evse.current == Current::Dc {
            let (period, until) = scene.at(self.now, self.now, RateUnit::Watts);
            return (period.limit.and_then(power), until);
        }
        let (period, until) = scene.at(self.now, self.now, RateUnit::Amperes);
        let of_car = match evse.car.as_ref().map(|car| car.plan().inlet) {
            Some(crate::car::Inlet::OnePhase) => 1,
            Some(crate::car::Inlet::ThreePhase | crate::car::Inlet::Dc) | None => scene.supply.phases,
        };
        let phases = period.phases.unwrap_or(scene.supply.phases).min(of_car).max(1);
        let amperes = period.limit.unwrap_or(scene.supply.amperes);
        if amperes < Decimal::from(AMPERES_MIN) {
            return (Some(Power::ZERO), until);
        }
        (power(amperes * Decimal::from(VOLTS_AC * i64::from(phases))), until)
    }
}

fn power(watts: Decimal) -> Option<Power> {
    i64::try_from((watts * Decimal::from(1_000)).trunc()).ok().map(Power::from_milliwatts)
}
