//! What the operator orders, and the station's answers in the words of the version.
//!
//! An answer says what the station has done or will do; what comes of it is told by later messages.
//!
//! Invariant: an order that is refused changes nothing.

use charge::id::{EvseNo, TransactionKey};
use charge::place::Current;
use charge::talk::line::charging::{Profile, ProfilePurpose};
use charge::talk::line::upkeep::Work;
use charge::talk::line::{ResetKind, StationAnswer, ToStation, Trigger, Written};
use charge::token::PresentedToken;
use charge::{Secret, Timestamp};

use super::hand::Cause;
use super::{Output, Standing, Station};
use crate::bay::{Event, Phase};
use crate::evse::Permit;
use crate::journal::Note;
use crate::settings::Key;
use crate::transactions::Origin;

impl Station {
    /// An order from the operator.
    pub fn told_to(&mut self, now: Timestamp, order: ToStation, out: &mut Vec<Output>) -> StationAnswer {
        self.catch_up(now, out);
        // B03.FR.08: whoever was turned away is nobody's to order about
        let answer =
            if self.turned_away && self.version.is_2() { refused("SecurityError") } else { self.obey(order, out) };
        self.speak(out);
        answer
    }

    fn obey(&mut self, order: ToStation, out: &mut Vec<Output>) -> StationAnswer {
        match order {
            ToStation::Start { evse, token, remote_id, profile } => {
                self.remote_start(evse, (token, profile), remote_id, out)
            }
            ToStation::Stop { key } => self.remote_stop(&key, out),
            ToStation::Reset(kind) => self.reset(kind, out),
            ToStation::Unlock { evse } => self.unlock(evse, out),
            // an EVSE here has one connector, and is it
            ToStation::Availability { connector: Some(2..), .. } => refused("Rejected"),
            ToStation::Availability { evse, operative, .. } => self.switch(evse, operative, out),
            ToStation::Trigger { what, evse } => self.trigger(what, evse, out),
            ToStation::ReadSettings { keys } => self.read_settings(&keys),
            ToStation::WriteSettings { values } => self.write_settings(values, out),
            // C11.FR.02, C11.FR.03, C11.FR.04
            ToStation::ClearCache => {
                self.cache.clear();
                if self.settings.flag(Key::CacheEnabled) { StationAnswer::Accepted } else { refused("Rejected") }
            }
            ToStation::Model(order) => self.model(order),
            ToStation::Charging(order) => self.charging_order(order, out),
            ToStation::Reservation(order) => self.reservation(order),
            ToStation::List(order) => self.list(order),
            ToStation::Upkeep(order) => self.upkeep(order),
            ToStation::Certificate(order) => self.certificate(order, out),
            ToStation::Display(order) => self.display(order),
            ToStation::Customer(order) => self.customer(&order),
            ToStation::Tariff(order) => self.tariff(order, out),
            ToStation::Grid(order) => self.grid(order),
            ToStation::Swap(order) => self.swap(&order),
            ToStation::Payment(order) => self.payment(&order),
            ToStation::Vendor(said) => Self::vendor(&said),
            ToStation::Foreign(_) => refused("NotSupported"),
        }
    }

    fn remote_start(
        &mut self,
        evse: Option<EvseNo>,
        (token, profile): (PresentedToken, Option<Box<Profile>>),
        remote_id: i32,
        out: &mut Vec<Output>,
    ) -> StationAnswer {
        // B02.FR.05; 1.6, 4.2
        if self.standing != Standing::Admitted {
            return refused("Rejected");
        }
        let place = match evse {
            Some(no) => self.place(no),
            None => self.most_ready(),
        };
        let Some(place) = place else { return refused("Rejected") };
        if profile.as_ref().is_some_and(|profile| profile.purpose != ProfilePurpose::Tx) {
            return refused("Rejected"); // 1.6, 5.11; F01.FR.09
        }
        // F01.FR.04, F02.FR.01: its token and its number come back with the first message
        let permit = Permit { token, origin: Origin::Remote(remote_id), group: None, profile, tariff: None };
        // F01.FR.01, F01.FR.02
        let done = if self.settings.flag(Key::AuthorizeRemote) {
            self.ask(place, permit, out)
        } else {
            self.start(place, permit, out)
        };
        if done.is_ok() { StationAnswer::Accepted } else { refused("Rejected") }
    }

    /// Where a start without an EVSE goes: to a car that waits, else to a free place (F01.FR.06).
    fn most_ready(&self) -> Option<usize> {
        let at = |phase| self.evses.iter().position(|evse| evse.phase == phase);
        at(Phase::Plugged).or_else(|| at(Phase::Idle))
    }

    /// F03.FR.03, F03.FR.07, F03.FR.08.
    fn remote_stop(&mut self, key: &TransactionKey, out: &mut Vec<Output>) -> StationAnswer {
        // B02.FR.05; 1.6, 4.2
        if self.standing != Standing::Admitted {
            return refused("Rejected");
        }
        let place = self.queue.named(key).map(|of| of.evse).and_then(|evse| self.place(evse));
        match place.map(|place| self.bay(place, Event::Stop, Cause::REMOTE, out)) {
            Some(Ok(())) => StationAnswer::Accepted,
            Some(Err(_)) | None => refused("Rejected"),
        }
    }

    /// In 1.6 both kinds end what runs (5.14); in 2.x the soft one waits for it (B12.FR.01, B12.FR.03), and the other ends
    /// what runs first (B12.FR.02, B12.FR.04). Nothing running is no matter (B11.FR.01).
    fn reset(&mut self, kind: ResetKind, out: &mut Vec<Output>) -> StationAnswer {
        let runs = self.queue.running().next().is_some();
        if kind == ResetKind::Resume {
            self.resumes = true;
            self.order_restart();
            return StationAnswer::Accepted;
        }
        if kind == ResetKind::Soft && self.version.is_2() && runs {
            self.reset_when_idle = true;
            return StationAnswer::Scheduled;
        }
        for place in 0..self.evses.len() {
            if self.evses.get(place).is_some_and(|evse| evse.phase.in_transaction()) {
                // only a transaction can be stopped, and this one runs
                let _moved = self.bay(place, Event::Stop, Cause::REBOOT, out);
            }
        }
        self.order_restart();
        StationAnswer::Accepted
    }

    fn unlock(&mut self, evse: EvseNo, out: &mut Vec<Output>) -> StationAnswer {
        let v16 = !self.version.is_2();
        let Some(place) = self.place(evse) else {
            return refused(if v16 { "NotSupported" } else { "UnknownConnector" }); // F05.FR.03
        };
        let Some(evse) = self.evses.get(place) else { return refused("UnlockFailed") };
        if evse.current == Current::Dc {
            // the cable belongs to the station: there is nothing to unlock
            return refused(if v16 { "NotSupported" } else { "UnlockFailed" });
        }
        // what could not be locked cannot be unlocked either (1.6, 5.18; F05.FR.04)
        if evse.fault.as_deref().is_some_and(|fault| fault.starts_with(LOCK_FAILURE)) {
            return refused("UnlockFailed");
        }
        if evse.phase.in_transaction() {
            if !v16 {
                return refused("OngoingAuthorizedTransaction"); // F05.FR.02
            }
            // 1.6, 5.18: the transaction ends first
            if self.bay(place, Event::Stop, Cause::UNLOCK, out).is_err() {
                return refused("UnlockFailed");
            }
        }
        StationAnswer::Accepted
    }

    /// One EVSE (G03.FR.01, G03.FR.02) or all (G04.FR.01, G04.FR.02, G04.FR.03), now or after what runs (G03.FR.05,
    /// G04.FR.06); what is so already is accepted (G03.FR.03, G04.FR.04), and what was set is kept (G03.FR.08, G04.FR.09).
    fn switch(&mut self, evse: Option<EvseNo>, operative: bool, out: &mut Vec<Output>) -> StationAnswer {
        let places = match evse {
            Some(no) => match self.place(no) {
                Some(place) => place..place + 1,
                None => return refused("Rejected"),
            },
            None => 0..self.evses.len(),
        };
        if evse.is_none() {
            self.operative = operative;
            out.push(Output::Keep(Note::Operative(None, operative)));
        }
        let mut answer = StationAnswer::Accepted;
        for place in places {
            let Some(evse) = self.evses.get_mut(place) else { continue };
            evse.operative = operative;
            out.push(Output::Keep(Note::Operative(Some(evse.no), operative)));
            if evse.phase.in_transaction() {
                if !operative {
                    answer = StationAnswer::Scheduled;
                }
                continue;
            }
            let event = if operative { Event::Enable } else { Event::Disable };
            // a fault hides the switch until it is repaired; the new state is told (G03.FR.04, G04.FR.05, G04.FR.07)
            let _moved = self.bay(place, event, Cause::LOCAL, out);
        }
        answer
    }

    /// What is accepted here is said later (F06.FR.04, F06.FR.05, F06.FR.10), of all EVSEs where none is named (F06.FR.11).
    fn trigger(&mut self, what: Trigger, evse: Option<EvseNo>, out: &mut Vec<Output>) -> StationAnswer {
        if evse.is_some_and(|no| self.place(no).is_none()) {
            return refused("Rejected");
        }
        let meant = |no: EvseNo| evse.is_none_or(|evse| evse == no);
        match what {
            // F06.FR.17: who is admitted already does not introduce itself again
            Trigger::Boot if self.version.is_2() && self.standing == Standing::Admitted => {
                return refused("Rejected");
            }
            Trigger::Boot => match self.standing {
                Standing::Admitted => self.wanted.boot = true,
                Standing::Unknown { .. } => self.standing = Standing::Unknown { not_before: self.now },
            },
            Trigger::Status => {
                for evse in self.evses.iter_mut().filter(|evse| meant(evse.no)) {
                    evse.reported = None;
                }
                if evse.is_none() {
                    self.operative_reported = None;
                }
            }
            Trigger::Alive => self.wanted.alive = true,
            Trigger::Firmware => self.work_status(Work::Firmware),
            Trigger::Log => self.work_status(Work::Log),
            Trigger::Diagnostics => self.work_status(Work::Diagnostics),
            Trigger::Sign(key) => {
                self.blocks.signing = None;
                if !self.sign(key) {
                    return refused("Rejected");
                }
            }
            Trigger::Transaction => {
                let running = |of: &crate::evse::Evse| of.running.is_some() && meant(of.no);
                let places: Vec<usize> =
                    (0..self.evses.len()).filter(|at| self.evses.get(*at).is_some_and(running)).collect();
                if places.is_empty() {
                    return refused("Rejected");
                }
                for place in places {
                    self.triggered(place, out); // F06.FR.07
                }
            }
            Trigger::Publishing => return refused("NotImplemented"),
            Trigger::Meter => self.wanted.meters.extend(self.evses.iter().map(|evse| evse.no).filter(|no| meant(*no))),
        }
        StationAnswer::Accepted
    }

    /// B06.FR.01, B06.FR.02, B06.FR.10.
    fn read_settings(&mut self, keys: &[Box<str>]) -> StationAnswer {
        let (mut known, unknown) = self.settings.read(self.version, keys);
        let unknown = self.find(unknown, &mut known);
        StationAnswer::Settings { known, unknown }
    }

    /// An outcome for each, in order (B05.FR.01, B05.FR.02): B05.FR.07, B05.FR.09, B05.FR.10.
    fn write_settings(&mut self, values: Vec<(Box<str>, Secret<Box<str>>)>, out: &mut Vec<Output>) -> StationAnswer {
        let interval_before = self.settings.seconds(Key::SampleInterval);
        let mut rows = Vec::with_capacity(values.len());
        for (key, value) in values {
            if self.settings.is(self.version, &key, Key::NetworkPriority) && !self.may_prefer(value.expose()) {
                rows.push((key, Written::Rejected));
                continue;
            }
            if !self.version.is_2() && self.settings.is(self.version, &key, Key::SecurityProfile) {
                let risen = self.rise(value.expose(), out);
                rows.push((key, if risen { Written::Accepted } else { Written::Rejected }));
                continue;
            }
            let wrote = self.settings.write(self.version, &key, &value);
            // what the station finds out about itself is read and not written (B05.FR.09)
            rows.push(match wrote.written {
                Written::Unknown if self.version.is_2() && self.value_of(&key).is_ok() => (key, Written::Rejected),
                Written::Unknown if self.version.is_2() => (self.unknown(key), Written::Unknown),
                written => (key, written),
            });
            let Some((key, value)) = wrote.kept else { continue };
            if key == Key::AuthorizationKey {
                // A01.FR.11, A01.FR.12: that it changed, never to what
                self.blocks.logbook.write(self.now, true, "the password of the line was changed");
                out.push(Output::Password(value.clone()));
            }
            out.push(Output::Keep(Note::Setting(key.name(), value)));
        }
        if self.settings.seconds(Key::SampleInterval) != interval_before {
            self.sample_anew();
        }
        self.align();
        StationAnswer::Written(rows)
    }

    /// A new interval counts from now.
    fn sample_anew(&mut self) {
        let interval = self.settings.seconds(Key::SampleInterval);
        let next = (!interval.is_zero()).then(|| self.now.plus(interval));
        for running in self.evses.iter_mut().filter_map(|evse| evse.running.as_mut()) {
            running.sample_at = next;
        }
    }
}

/// The error code of a lock that does not move (1.6, 7.6).
const LOCK_FAILURE: &str = "ConnectorLockFailure";

pub(super) fn refused(word: &str) -> StationAnswer {
    StationAnswer::Refused(word.into())
}
