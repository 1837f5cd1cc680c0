//! What the station says next, and what it makes of the answers.
//!
//! States are said as they are now, not as they were in between; transactions are said in full and in order. Before
//! the operator has admitted the station it says nothing but who it is.
//!
//! Invariant: one message is under way at a time, and an outcome of an older one changes nothing.

use std::time::Duration;

use billing::record::ClockQuality;
use charge::id::{EvseNo, TransactionKey};
use charge::meter::{Context, Measured, Reading};
use charge::talk::line::certificate::CertificateNews;
use charge::talk::line::{
    Admission, BayState, Boot, FromStation, Heard, LineFault, MeterReport, StatusReport, Tap, Version,
};
use charge::token::{Allowed, PresentedToken, Verdict};
use charge::{Decimal, Timestamp};

use super::strangers::group;
use super::{BootReason, Output, Standing, Station};
use crate::evse::Evse;
use crate::journal::Note;
use crate::settings::Key;
use crate::transactions::{Attempt, MessageNo, Origin};

/// What is under way.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Boot,
    /// `None` is the whole station.
    Status(Option<EvseNo>, BayState),
    Tap(EvseNo, PresentedToken),
    /// Somebody else's token at this EVSE.
    Stranger(EvseNo, PresentedToken),
    Transaction(MessageNo),
    /// A request for a certificate.
    Sign,
    /// Nothing depends on the answer.
    Other,
}

/// How long to wait after the line failed in the middle of something.
const LINE_PAUSE: Duration = Duration::from_secs(5);
/// How long to wait before introducing oneself again, where the operator does not say (OCPP 1.6, 4.2; B02.FR.06).
const BOOT_PAUSE: Duration = Duration::from_secs(60);
/// A clock this close to the operator's counts as set: more than any delay on the line.
const CLOCK_APART_MAX: Duration = Duration::from_secs(300);

impl Station {
    /// The outcome of what was said under this number.
    pub fn heard(&mut self, now: Timestamp, number: u64, outcome: Result<Heard, LineFault>, out: &mut Vec<Output>) {
        self.catch_up(now, out);
        if let Some((_, said)) = self.under_way.take_if(|(known, _)| *known == number) {
            match outcome {
                Ok(heard) => self.answered(said, heard, out),
                Err(fault) => self.failed(said, &fault, out),
            }
        }
        self.speak(out);
    }

    /// Says the next thing, if there is one and it may be said.
    pub(super) fn speak(&mut self, out: &mut Vec<Output>) {
        self.look_around();
        let paused = self.pause_until.is_some_and(|until| self.now < until);
        if self.restarts(out) || !self.line || self.under_way.is_some() || paused {
            return;
        }
        let Some((said, words)) = self.next() else { return };
        self.said += 1;
        self.last_said = self.now;
        self.under_way = Some((self.said, said));
        out.push(Output::Say(self.said, words));
    }

    /// When the line needs to be looked at.
    pub(super) fn line_due(&self) -> Option<Timestamp> {
        if !self.line || self.under_way.is_some() {
            return None;
        }
        if let Some(until) = self.pause_until.filter(|until| self.now < *until) {
            return Some(until);
        }
        match self.standing {
            Standing::Unknown { not_before } => Some(not_before),
            Standing::Admitted => Some(self.heartbeat_at()),
        }
    }

    fn heartbeat_at(&self) -> Timestamp {
        self.last_said.plus(self.settings.seconds(Key::HeartbeatInterval).max(Duration::from_secs(1)))
    }

    /// Whether a question about the token at this EVSE is under way.
    pub(super) fn asked_about(&self, place: usize) -> bool {
        let no = self.evses.get(place).map(|evse| evse.no);
        matches!(&self.under_way, Some((_, Said::Tap(evse, _))) if Some(*evse) == no)
    }

    fn next(&mut self) -> Option<(Said, FromStation)> {
        // before it is accepted nothing but who it is (B02.FR.02, B03.FR.02), and not before its time (B02.FR.04)
        if let Standing::Unknown { not_before } = self.standing {
            return (not_before <= self.now).then(|| (Said::Boot, self.boot()));
        }
        if std::mem::take(&mut self.wanted.boot) {
            return Some((Said::Boot, self.boot()));
        }
        if let Some(said) = self.status() {
            return Some(said);
        }
        if let Some((evse, permit)) =
            self.evses.iter().filter(|evse| evse.asking()).find_map(|evse| Some((evse.no, evse.permit.as_ref()?)))
        {
            let token = permit.token.clone();
            return Some((Said::Tap(evse, token.clone()), FromStation::Tap(Tap { token, contract: None })));
        }
        if let Some((evse, token)) = self.next_stranger() {
            let tap = Tap { token: token.clone(), contract: None };
            return Some((Said::Stranger(evse, token), FromStation::Tap(tap)));
        }
        if let Some((no, mut report)) = self.queue.head(self.version) {
            let terms = self.blocks.terms.get(&no).filter(|_| self.version == Version::V21);
            report.terms = terms.cloned().map(Box::new);
            return Some((Said::Transaction(no), FromStation::Transaction(report)));
        }
        self.wanted().map(|words| {
            let signs = matches!(&words, FromStation::Certificate(CertificateNews::Sign { .. }));
            (if signs { Said::Sign } else { Said::Other }, words)
        })
    }

    /// What was asked for, and the heartbeat when there is nothing else to say.
    fn wanted(&mut self) -> Option<FromStation> {
        if std::mem::take(&mut self.wanted.startup_event) && self.version.is_2() {
            let kind = "StartupOfTheDevice".into();
            return Some(FromStation::Security { kind, at: self.now.whole_millis(), detail: None });
        }
        if let Some(words) = self.wanted.news.pop_front() {
            return Some(words);
        }
        if let Some(evse) = self.wanted.meters.pop_first() {
            let report =
                self.evses.iter().find(|other| other.no == evse).map(|evse| self.meter_report(evse, Context::Trigger));
            return report.map(FromStation::Meter);
        }
        let due = self.heartbeat_at() <= self.now;
        (std::mem::take(&mut self.wanted.alive) || due).then_some(FromStation::Alive)
    }

    fn boot(&self) -> FromStation {
        let plan = &self.plan;
        let reason = match self.boot_reason {
            BootReason::PowerUp => "PowerUp",
            BootReason::RemoteReset => "RemoteReset",
            BootReason::FirmwareUpdate => "FirmwareUpdate",
        };
        let meter = self.evses.first().map(|evse| evse.meter.serial().into());
        FromStation::Boot(Boot {
            vendor: plan.vendor.as_str().into(),
            model: plan.model.as_str().into(),
            serial: Some(plan.serial.as_str().into()),
            firmware: Some(self.firmware_version().into()),
            meter_type: None,
            meter_serial: meter.filter(|_| self.evses.len() == 1),
            // B01.FR.09
            reason: (self.version.is_2()).then(|| reason.into()),
        })
    }

    /// A state that the operator has not been told: the station's (1.6 connector 0), then each EVSE's.
    fn status(&self) -> Option<(Said, FromStation)> {
        if self.version == Version::V16 && self.operative_reported != Some(self.operative) {
            let state = if self.operative { BayState::Available } else { BayState::Unavailable };
            let report = StatusReport { evse: None, state, fault: None, at: Some(self.now.whole_millis()) };
            return Some((Said::Status(None, state), FromStation::Status(report)));
        }
        let version = self.version;
        let evse = self.evses.iter().find(|evse| evse.reported != Some(told(version, self.shown(evse))))?;
        let state = told(version, self.shown(evse));
        let report = StatusReport {
            evse: Some(evse.no),
            state,
            fault: evse.fault.clone().filter(|_| state == BayState::Faulted),
            at: Some(evse.since.whole_millis()),
        };
        Some((Said::Status(Some(evse.no), state), FromStation::Status(report)))
    }

    /// One moment of one EVSE (J01.FR.02, J01.FR.06), each value with its kind and why it was read (J01.FR.07, J01.FR.08).
    pub(super) fn meter_report(&self, evse: &Evse, context: Context) -> MeterReport {
        let of = evse.running.and_then(|running| self.queue.transaction(running.no));
        let at = self.now.whole_millis();
        let reading = |measured| Reading { at, context, phase: None, measured };
        let mut readings =
            vec![reading(Measured::EnergyImport(evse.meter.register())), reading(Measured::PowerImport(evse.power()))];
        let percent = evse.charged_percent().map(Decimal::from);
        readings.extend(percent.map(|percent| reading(Measured::StateOfCharge(percent))));
        let named = of.filter(|of| self.version.is_2() || of.number.is_some());
        MeterReport { evse: Some(evse.no), key: named.map(|of| of.key(self.version)), readings }
    }

    fn answered(&mut self, said: Said, heard: Heard, out: &mut Vec<Output>) {
        match (said, heard) {
            (Said::Boot, Heard::Boot { admitted, now, interval }) => self.introduced(admitted, now, interval),
            (Said::Boot, _) => self.standing = Standing::Unknown { not_before: self.now.plus(BOOT_PAUSE) },
            (Said::Status(evse, state), _) => self.told(evse, state),
            (Said::Tap(evse, token), Heard::Tap(verdict)) => {
                self.permitted(evse, &token, &verdict, out);
                self.cache.price(&token, None);
                self.welcomed(evse, verdict.allowed);
            }
            (Said::Tap(evse, token), Heard::Offered { verdict, offer }) => {
                let silent = offer.words.is_none() && offer.tariff.is_none();
                let tariff = offer.tariff.clone().filter(|_| verdict.allowed == Allowed::Yes);
                self.offered(evse, &token, *offer);
                self.permitted(evse, &token, &verdict, out);
                self.cache.price(&token, tariff);
                if silent {
                    self.welcomed(evse, verdict.allowed);
                }
            }
            (Said::Tap(evse, token), _) => self.permitted(evse, &token, &Verdict::bare(Allowed::Unanswered), out),
            (Said::Stranger(evse, token), Heard::Tap(verdict) | Heard::Offered { verdict, .. }) => {
                self.stranger_judged(evse, token, &verdict, out);
            }
            (Said::Transaction(no), Heard::Transaction { number, verdict, cost, advice }) => {
                let front = self.queue.front().filter(|(head, ..)| *head == no).map(|(_, message, _)| message);
                let of = front.map(|message| message.transaction);
                let ended = front.filter(|message| message.stage == charge::talk::line::Stage::Ended && cost.is_none());
                let unpriced = ended.map(|message| message.transaction);
                let priced_here = self.blocks.terms.get(&no).is_some_and(|terms| terms.cost.is_some());
                if let Some(of) = unpriced.filter(|_| !priced_here) {
                    self.cost_unknown(of);
                }
                self.taken(no, number, verdict, out);
                if let Some(of) = of {
                    self.advised(of, cost, advice, out);
                }
            }
            (Said::Transaction(no), _) => self.taken(no, None, None, out),
            (Said::Sign, Heard::Taken(taken)) => self.sign_taken(taken),
            (Said::Other, Heard::Alive { now }) => self.set_clock(now),
            (Said::Stranger(..) | Said::Sign | Said::Other, _) => {}
        }
    }

    /// Who is accepted tells every state (B01.FR.05); who is not comes again after the interval (B02.FR.08, B03.FR.06).
    fn introduced(&mut self, admitted: Admission, theirs: Timestamp, interval: Duration) {
        self.set_clock(theirs);
        let pause = if interval.is_zero() { BOOT_PAUSE } else { interval };
        self.turned_away = admitted == Admission::Rejected;
        self.standing = match admitted {
            Admission::Accepted => {
                self.settings.pace(interval);
                self.operative_reported = None;
                for evse in &mut self.evses {
                    evse.reported = None;
                }
                Standing::Admitted
            }
            // for now the interval says when to try again (OCPP 1.6, 4.2; OCPP 2.0.1 B02.FR.07)
            Admission::Pending | Admission::Rejected => Standing::Unknown { not_before: self.now.plus(pause) },
        };
    }

    /// The station's clock is the one it was given; the operator's tells whether it can be trusted.
    fn set_clock(&mut self, theirs: Timestamp) {
        let apart = theirs.since(self.now).max(self.now.since(theirs));
        self.clock = if apart <= CLOCK_APART_MAX { ClockQuality::Synchronised } else { ClockQuality::Informative };
    }

    fn told(&mut self, evse: Option<EvseNo>, state: BayState) {
        match evse.and_then(|no| self.place(no)).and_then(|place| self.evses.get_mut(place)) {
            Some(evse) => evse.reported = Some(state),
            None => self.operative_reported = Some(state != BayState::Unavailable),
        }
    }

    fn permitted(&mut self, evse: EvseNo, token: &PresentedToken, verdict: &Verdict, out: &mut Vec<Output>) {
        let Some(place) = self.place(evse) else { return };
        let permit = self.evses.get(place).and_then(|evse| evse.permit.as_ref());
        let Some(permit) = permit.filter(|permit| permit.token.uid == token.uid) else { return };
        // an alias is good once: nothing to remember
        if permit.origin == Origin::Driver {
            self.remember(token, verdict.allowed, group(verdict).as_ref());
        }
        self.joins(place, verdict);
        if self.evses.get(place).is_some_and(Evse::asking) {
            self.judge_of_group(place, verdict.allowed, group(verdict).as_ref(), out);
        }
    }

    /// The operator has a message about a transaction, and may say something about its token: what it says is remembered
    /// (C12.FR.06), and ends what runs without permission (C15.FR.04, E06.FR.04).
    fn taken(&mut self, no: MessageNo, number: Option<i32>, verdict: Option<Verdict>, out: &mut Vec<Output>) {
        let Some((_, message, of)) = self.queue.front().filter(|(head, ..)| *head == no) else { return };
        let transaction = message.transaction;
        let token = message.by.as_ref().unwrap_or(&of.token).clone();
        let (evse, origin) = (of.evse, of.origin);
        if number.is_some()
            && let Some(of) = self.queue.transaction_mut(transaction)
        {
            of.number = number;
            out.push(Output::Keep(Note::Transaction(Box::new(of.clone()))));
            if !self.version.is_2()
                && let Some(number) = number
            {
                self.blocks.profiles.name_transaction(evse, &TransactionKey::Number(number));
            }
        }
        self.strike(no, out);
        let Some(verdict) = verdict else { return };
        if origin == Origin::Driver {
            self.remember(&token, verdict.allowed, group(&verdict).as_ref());
        }
        let place = self.place(evse).filter(|place| {
            let running = self.evses.get(*place).and_then(|evse| evse.running);
            running.is_some_and(|running| running.no == transaction)
        });
        if let Some(place) = place {
            self.joins(place, &verdict);
        }
        if let Some(place) =
            place.filter(|_| verdict.allowed == Allowed::Yes || self.settings.flag(Key::StopOnInvalidId))
        {
            self.judge(place, verdict.allowed, out);
        }
    }

    /// The head of the queue is done with.
    fn strike(&mut self, no: MessageNo, out: &mut Vec<Output>) {
        self.blocks.terms.remove(&no);
        out.push(Output::Keep(Note::Unqueued(no)));
        out.extend(self.queue.done().map(|of| Output::Keep(Note::Forget(of))));
        self.pause_until = None;
    }

    fn failed(&mut self, said: Said, fault: &LineFault, out: &mut Vec<Output>) {
        // the operator has heard it and cannot take it, or it cannot be said at all: repeating has its limit
        let for_good = match fault {
            LineFault::Error { .. } | LineFault::Unreadable(_) | LineFault::NotInVersion => true,
            LineFault::NotConnected | LineFault::TimedOut | LineFault::Lost | LineFault::Overloaded => false,
        };
        if !for_good {
            self.pause_until = Some(self.now.plus(LINE_PAUSE));
        }
        match said {
            Said::Boot => {
                let pause = if for_good { BOOT_PAUSE } else { LINE_PAUSE };
                self.standing = Standing::Unknown { not_before: self.now.plus(pause) };
            }
            Said::Status(evse, state) if for_good => self.told(evse, state),
            Said::Tap(evse, _) => {
                if let Some(place) = self.place(evse) {
                    self.unasked_at(place, out);
                }
            }
            // so many times, each pause longer than the one before, then the next message (E13.FR.01 and the three behind
            // it: E13.FR.02, E13.FR.03, E13.FR.04)
            Said::Transaction(no) if for_good => {
                tracing::warn!(station = %self.plan.id, %fault, "the operator does not take a transaction message");
                let attempts = self.settings.number(Key::MessageAttempts);
                match self.queue.refused(attempts) {
                    Attempt::GivenUp => self.strike(no, out),
                    Attempt::Again => {
                        let pause = self.settings.seconds(Key::MessageRetryInterval);
                        self.pause_until = Some(self.now.plus(pause.saturating_mul(self.queue.pauses())));
                    }
                }
            }
            Said::Status(..) | Said::Stranger(..) | Said::Transaction(_) | Said::Sign | Said::Other => {}
        }
    }
}

/// 2.x knows only that a connector is occupied (OCPP 2.0.1, `ConnectorStatusEnumType`).
const fn told(version: Version, shown: BayState) -> BayState {
    match shown {
        BayState::Preparing
        | BayState::Charging
        | BayState::SuspendedByCar
        | BayState::SuspendedByStation
        | BayState::Finishing
            if version.is_2() =>
        {
            BayState::Occupied
        }
        BayState::Available
        | BayState::Preparing
        | BayState::Charging
        | BayState::SuspendedByCar
        | BayState::SuspendedByStation
        | BayState::Finishing
        | BayState::Reserved
        | BayState::Unavailable
        | BayState::Faulted
        | BayState::Occupied => shown,
    }
}
