//! What drivers do, and what a change of phase means: permissions, begins, progress and ends of transactions.
//!
//! Invariant: a transaction begins when its phase does and ends when its phase does, with a signed reading each.

use billing::record::ocmf::Moment;
use charge::Timestamp;
use charge::id::TransactionKey;
use charge::meter::Context;
use charge::talk::line::terms::Limits;
use charge::talk::line::{BayState, EndReason, Stage};
use charge::token::{Allowed, PresentedToken, TokenUid};
use charge::units::Power;

use super::{KEEP_EVERY, Output, Station};
use crate::bay::{Event, Phase, Step};
use crate::car::Car;
use crate::evse::{Permit, Running};
use crate::journal::Note;
use crate::settings::Key;
use crate::transactions::{Message, Origin, Transaction, TransactionNo};

/// Something that somebody does at an EVSE.
#[derive(Clone, Debug)]
pub enum Deed {
    Plug(Car),
    Unplug,
    /// Presents a token: to begin, or, with the same one again, to end.
    Tap(PresentedToken),
    /// Breaks something. The text is an error code of OCPP 1.6, then `: ` and words.
    Break(Box<str>),
    Repair,
    /// Local load management gives this much; `None` is no limit.
    Limit(Option<Power>),
    /// The driver chooses how much: of the charge that runs, else of the next one (2.1 E16).
    Want(Limits),
}

/// Why it could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotDo {
    #[error("the station has no such EVSE")]
    NoSuchEvse,
    #[error("not possible while the EVSE is {0}")]
    NotNow(Phase),
    #[error("the plug does not fit")]
    WrongPlug,
    #[error("the station owes its operator too many messages")]
    OwesTooMuch,
    #[error("the EVSE is reserved for somebody else")]
    Reserved,
    #[error("somebody is paying for this EVSE")]
    Paying,
    #[error("the station is about to restart")]
    Restarting,
}

/// Why a transaction ends, for the operator and for the meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    reason: EndReason,
    moment: Moment,
    by_token: bool,
}

impl Cause {
    const fn new(reason: EndReason, moment: Moment) -> Self {
        Self { reason, moment, by_token: false }
    }

    pub(super) const LOCAL: Self = Self { by_token: true, ..Self::new(EndReason::Local, Moment::EndedLocally) };
    pub(super) const REMOTE: Self = Self::new(EndReason::Remote, Moment::EndedRemotely);
    pub(super) const CAR_LEFT: Self = Self::new(EndReason::CarLeft, Moment::EndedLocally);
    pub(super) const REFUSED: Self = Self::new(EndReason::Refused, Moment::EndedRemotely);
    pub(super) const POWER_LOSS: Self = Self::new(EndReason::PowerLoss, Moment::PowerFailure);
    pub(super) const REBOOT: Self = Self::new(EndReason::Reboot, Moment::EndedRemotely);
    pub(super) const MASTER_PASS: Self = Self::new(EndReason::MasterPass, Moment::EndedLocally);
    pub(super) const FAULT: Self = Self::new(EndReason::Other, Moment::Aborted);
    pub(super) const UNLOCK: Self = Self::new(EndReason::Other, Moment::EndedRemotely);
}

impl Station {
    /// A driver, a technician or a fuse box does something.
    pub fn hand(
        &mut self,
        now: Timestamp,
        evse: charge::id::EvseNo,
        deed: Deed,
        out: &mut Vec<Output>,
    ) -> Result<(), CannotDo> {
        self.catch_up(now, out);
        let place = self.place(evse).ok_or(CannotDo::NoSuchEvse)?;
        let done = self.act(place, deed, out);
        self.speak(out);
        done
    }

    fn act(&mut self, place: usize, deed: Deed, out: &mut Vec<Output>) -> Result<(), CannotDo> {
        let evse = self.evses.get_mut(place).ok_or(CannotDo::NoSuchEvse)?;
        match deed {
            Deed::Plug(car) => {
                if !evse.fits(car.plan().inlet) {
                    return Err(CannotDo::WrongPlug);
                }
                if let Step::Refuse = evse.phase.step(Event::Plug) {
                    return Err(CannotDo::NotNow(evse.phase));
                }
                evse.car = Some(car);
                self.bay(place, Event::Plug, Cause::LOCAL, out)
            }
            Deed::Unplug => {
                self.bay(place, Event::Unplug, Cause::CAR_LEFT, out)?;
                if let Some(evse) = self.evses.get_mut(place) {
                    evse.car = None;
                }
                Ok(())
            }
            Deed::Tap(token) => self.tap(place, token, out),
            Deed::Break(code) => {
                evse.fault = Some(code);
                evse.reported = evse.reported.filter(|state| *state != BayState::Faulted);
                self.bay(place, Event::Fault, Cause::FAULT, out)
            }
            Deed::Repair => {
                self.bay(place, Event::Clear, Cause::LOCAL, out)?;
                if let Some(evse) = self.evses.get_mut(place) {
                    evse.fault = None;
                }
                Ok(())
            }
            Deed::Limit(limit) => {
                evse.limit = limit;
                self.settle(place, out);
                self.deal_paced(place);
                Ok(())
            }
            Deed::Want(limits) => {
                self.wished(place, limits, out);
                Ok(())
            }
        }
    }

    /// A token at the reader: the one that charges here ends it (C01.FR.03, C09.FR.07, E08.FR.01), any other asks to begin
    /// (C01.FR.02).
    fn tap(&mut self, place: usize, token: PresentedToken, out: &mut Vec<Output>) -> Result<(), CannotDo> {
        let evse = self.evses.get(place).ok_or(CannotDo::NoSuchEvse)?;
        let same = evse.permit.as_ref().is_some_and(|permit| permit.token.uid == token.uid);
        if evse.phase.in_transaction() || evse.phase == Phase::Tapped {
            return if same {
                self.bay(place, Event::Stop, Cause::LOCAL, out)
            } else {
                self.stranger(place, token, out)
            };
        }
        if evse.paid_until.is_some_and(|until| self.now < until) {
            return Err(CannotDo::Paying);
        }
        let group = self.group_of(&token);
        self.ask(place, Permit { token, origin: Origin::Driver, group, profile: None, tariff: None }, out)
    }

    /// Begins to ask whether this token may charge; the answer may be known or has to be guessed.
    pub(super) fn ask(&mut self, place: usize, permit: Permit, out: &mut Vec<Output>) -> Result<(), CannotDo> {
        self.may_begin(place, Event::Tap)?;
        self.may_use(place, &permit.token)?;
        let known = self.settings.flag(Key::LocalPreAuthorize) && self.known(&permit.token);
        self.permit(place, permit);
        self.bay(place, Event::Tap, Cause::LOCAL, out)?;
        if known {
            self.known_price(place);
            self.judge_known(place, out);
        } else if !self.online() {
            self.unasked_at(place, out);
        }
        Ok(())
    }

    /// Begins without asking: the operator has ordered it (F01.FR.02).
    pub(super) fn start(&mut self, place: usize, permit: Permit, out: &mut Vec<Output>) -> Result<(), CannotDo> {
        self.may_begin(place, Event::Start)?;
        self.may_use(place, &permit.token)?;
        self.permit(place, permit);
        self.bay(place, Event::Start, Cause::LOCAL, out)
    }

    fn may_begin(&self, place: usize, event: Event) -> Result<(), CannotDo> {
        let evse = self.evses.get(place).ok_or(CannotDo::NoSuchEvse)?;
        if let Step::Refuse = evse.phase.step(event) {
            return Err(CannotDo::NotNow(evse.phase));
        }
        if self.restarting() || self.keeps_free() {
            return Err(CannotDo::Restarting);
        }
        if self.queue.has_room() { Ok(()) } else { Err(CannotDo::OwesTooMuch) }
    }

    /// Whether no reservation stands in the way (H03.FR.01, H03.FR.03).
    fn may_use(&self, place: usize, token: &PresentedToken) -> Result<(), CannotDo> {
        let no = self.evses.get(place).map(|evse| evse.no).ok_or(CannotDo::NoSuchEvse)?;
        if self.kept_from(no, token) { Err(CannotDo::Reserved) } else { Ok(()) }
    }

    fn permit(&mut self, place: usize, permit: Permit) {
        if let Some(evse) = self.evses.get_mut(place) {
            evse.permit = Some(permit);
            (evse.last_verdict, evse.paid_until) = (None, None);
        }
    }

    /// The answer to a question about the token that waits here.
    pub(super) fn judge(&mut self, place: usize, allowed: Allowed, out: &mut Vec<Output>) {
        let Some(evse) = self.evses.get_mut(place) else { return };
        evse.last_verdict = Some(allowed);
        let event = if allowed == Allowed::Yes { Event::Permitted } else { Event::Denied };
        // an answer that comes after the EVSE has moved on changes nothing
        let _moved = self.bay(place, event, Cause::REFUSED, out);
    }

    /// The same where the station answers by itself: whoever holds the master pass ends what runs and begins nothing.
    fn judge_known(&mut self, place: usize, out: &mut Vec<Output>) {
        let group = self.evses.get(place).and_then(|evse| evse.permit.as_ref()).and_then(|permit| permit.group.clone());
        self.judge_of_group(place, Allowed::Yes, group.as_ref(), out);
    }

    /// The answer to the question about a token of this group.
    pub(super) fn judge_of_group(
        &mut self,
        place: usize,
        allowed: Allowed,
        group: Option<&TokenUid>,
        out: &mut Vec<Output>,
    ) {
        let master = allowed == Allowed::Yes && self.is_master(group);
        self.judge(place, if master { Allowed::NotHere } else { allowed }, out);
        if master {
            self.master_pass(out);
        }
    }

    /// All questions that can no longer be asked.
    pub(super) fn unasked(&mut self, out: &mut Vec<Output>) {
        for place in 0..self.evses.len() {
            if let Some(evse) = self.evses.get_mut(place) {
                evse.stranger = None;
            }
            if !self.asked_about(place) {
                self.unasked_at(place, out);
            }
        }
    }

    /// Without an operator the station decides by itself (OCPP 1.6, 3.4.2; OCPP 2.0.1 C13, C15).
    pub(super) fn unasked_at(&mut self, place: usize, out: &mut Vec<Output>) {
        let Some(evse) = self.evses.get(place).filter(|evse| evse.asking()) else { return };
        let Some(token) = evse.permit.as_ref().map(|permit| &permit.token) else { return };
        let listed = self.listed(token);
        // who is known not to be allowed is not unknown (C13.FR.03, C15.FR.08); otherwise C13.FR.02, C13.FR.04
        let yes = (self.known(token) && self.settings.flag(Key::LocalAuthorizeOffline))
            || (listed != Some(false) && self.settings.flag(Key::OfflineForUnknown));
        if yes {
            self.known_price(place);
        }
        if yes {
            self.judge_known(place, out);
        } else {
            self.judge(place, Allowed::Unanswered, out);
        }
        if yes {
            self.tariff_unknown(place, true);
        }
    }

    /// Who is let in without a question has the price of the last answer (2.1 I08.FR.05).
    fn known_price(&mut self, place: usize) {
        let used = self.settings.flag(Key::CacheEnabled);
        let permit = self.evses.get_mut(place).and_then(|evse| evse.permit.as_mut());
        if let Some(permit) = permit.filter(|_| used) {
            permit.tariff = self.cache.tariff(&permit.token);
        }
    }

    /// What the local list says, where it is in use.
    pub(super) fn listed(&self, token: &PresentedToken) -> Option<bool> {
        let used = self.settings.flag(Key::LocalListEnabled);
        self.blocks.list.allows(self.now, token).filter(|_| used)
    }

    /// Known to be good: on the list, or in the cache and not on the list (1.6, 3.5.3; C13.FR.01, C14.FR.01, C14.FR.02).
    pub(super) fn known(&self, token: &PresentedToken) -> bool {
        self.listed(token).unwrap_or_else(|| self.cached(token))
    }

    fn cached(&self, token: &PresentedToken) -> bool {
        self.settings.flag(Key::CacheEnabled) && self.cache.knows(token)
    }

    /// Remembers a token that was accepted, forgets one that was not.
    pub(super) fn remember(&mut self, token: &PresentedToken, allowed: Allowed, group: Option<&TokenUid>) {
        if allowed == Allowed::Yes && self.settings.flag(Key::CacheEnabled) {
            self.cache.remember(token, group);
        } else {
            self.cache.forget(token);
        }
    }

    /// Something happens to an EVSE, and what follows from it does.
    pub(super) fn bay(
        &mut self,
        place: usize,
        event: Event,
        cause: Cause,
        out: &mut Vec<Output>,
    ) -> Result<(), CannotDo> {
        let now = self.now;
        let timeout = self.settings.seconds(Key::ConnectionTimeOut);
        let evse = self.evses.get_mut(place).ok_or(CannotDo::NoSuchEvse)?;
        let before = evse.phase;
        let next = match before.step(event) {
            Step::To(next) => next,
            Step::Stay => return Ok(()),
            Step::Refuse => return Err(CannotDo::NotNow(before)),
        };
        (evse.phase, evse.since) = (next, now);
        let no = evse.no;
        evse.give_up_at = (next == Phase::Tapped).then(|| now.plus(timeout));
        match (before.in_transaction(), next.in_transaction()) {
            (false, true) => {
                self.begin(place, out);
                self.relimit(out);
            }
            (true, false) => {
                self.end(place, cause, out);
                self.relimit(out);
            }
            // 2.x tells every change of the charging state (E02.FR.07, E02.FR.13); 1.6 tells it by status alone
            (true, true) => {
                self.deal_turns(place);
                if self.version.is_2() {
                    self.progress(place, Some(next.shown()), out);
                }
            }
            (false, false) => {}
        }
        if next.is_out() {
            self.unreserve(no);
        }
        self.settle(place, out);
        self.deal_paced(place);
        Ok(())
    }

    /// What follows by itself: current that ended or came back, an order that waited for the end, a permit that is
    /// no longer needed.
    pub(super) fn settle(&mut self, place: usize, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(evse) = self.evses.get_mut(place) else { return };
        if let Some(event) = evse.flow() {
            let _moved = self.bay(place, event, Cause::LOCAL, out);
            return;
        }
        if !evse.operative && matches!(evse.phase.step(Event::Disable), Step::To(_)) {
            let _moved = self.bay(place, Event::Disable, Cause::LOCAL, out);
            return;
        }
        if !evse.phase.in_transaction() && !evse.asking() && evse.phase != Phase::Tapped {
            evse.permit = None;
            if evse.phase == Phase::Idle {
                evse.farewell = None;
            }
            if evse.paid_until.is_none_or(|until| until <= now) {
                evse.words = None;
            }
        }
    }

    /// The power path is closed: permitted and plugged (E01.FR.05). The first message names the token (E01.FR.10,
    /// E03.FR.01), the EVSE (E01.FR.16), the register at its begin (E01.FR.09, E02.FR.09, E03.FR.07) and a reservation
    /// that is used up (H01.FR.15).
    fn begin(&mut self, place: usize, out: &mut Vec<Output>) {
        let interval = self.settings.seconds(Key::SampleInterval);
        let now = self.now.whole_millis();
        let no = self.queue.next_transaction();
        let Some((evse, permit)) = self.evses.get(place).and_then(|evse| Some((evse.no, evse.permit.clone()?))) else {
            return;
        };
        let reservation = self.redeem(evse, &permit.token);
        let Some(evse) = self.evses.get_mut(place) else { return };
        let mut of = Transaction {
            no,
            evse: evse.no,
            id: self.dice.uuid().into(),
            number: None,
            token: permit.token,
            origin: permit.origin,
            started: now,
            begun: evse.meter.register(),
            begin_record: None,
            clock: self.clock,
            seq_next: 0,
            ended: false,
            reservation,
        };
        of.begin_record = signed(evse.meter.sign(now, Moment::Begin, &of.ident(), of.clock));
        evse.aligned.clear();
        evse.running = Some(Running {
            no,
            sample_at: (!interval.is_zero()).then(|| self.now.plus(interval)),
            keep_at: self.now.plus(KEEP_EVERY),
            look_at: None,
        });
        let record = of.begin_record.clone();
        self.keep_meter(place, out);
        out.push(Output::Keep(Note::Transaction(Box::new(of.clone()))));
        let (evse, key) = (of.evse, of.key(self.version));
        self.queue.open(of);
        self.deal_opens(place, no, permit.tariff.map(|tariff| *tariff));
        if let Some(profile) = permit.profile {
            self.promised(evse, &key, *profile);
        }
        let message = self.message(place, no, Stage::Started, now);
        self.report(Message { signed: record, power: None, charged_percent: None, ..message }, out);
        self.look_at_deal(place, out);
    }

    /// A reading in between (E02.FR.10, E03.FR.08), or the change of a state with one.
    pub(super) fn progress(&mut self, place: usize, changed: Option<BayState>, out: &mut Vec<Output>) {
        self.course(place, |message| message.state = changed, out);
    }

    /// The same because the operator asked for it: with the state, changed or not (F06.FR.07).
    pub(super) fn triggered(&mut self, place: usize, out: &mut Vec<Output>) {
        self.course(place, |message| message.context = Context::Trigger, out);
    }

    /// The same because it is time (J01.FR.22).
    pub(super) fn by_the_clock(&mut self, place: usize, out: &mut Vec<Output>) {
        self.course(place, |message| (message.context, message.state) = (Context::SampleClock, None), out);
    }

    fn course(&mut self, place: usize, say: impl FnOnce(&mut Message), out: &mut Vec<Output>) {
        let now = self.now.whole_millis();
        let Some(running) = self.evses.get(place).and_then(|evse| evse.running) else { return };
        let mut message = self.message(place, running.no, Stage::Updated, now);
        say(&mut message);
        if self.settings.flag(Key::SignUpdates)
            && let (Some(of), Some(evse)) = (self.queue.transaction(running.no), self.evses.get_mut(place))
        {
            message.signed = signed(evse.meter.sign(now, Moment::Charging, &of.ident(), of.clock));
        }
        self.keep_meter(place, out);
        self.report(message, out);
    }

    fn end(&mut self, place: usize, cause: Cause, out: &mut Vec<Output>) {
        let Some(running) = self.evses.get_mut(place).and_then(|evse| evse.running.take()) else { return };
        self.close(place, running.no, self.now, cause, out);
    }

    /// Ends a transaction with the register as it stands (E06.FR.02, E06.FR.03; E06.FR.11, E08.FR.09, E09.FR.05).
    pub(super) fn close(
        &mut self,
        place: usize,
        no: TransactionNo,
        at: Timestamp,
        cause: Cause,
        out: &mut Vec<Output>,
    ) {
        let at = at.whole_millis();
        let message = self.message(place, no, Stage::Ended, at);
        let Some(evse) = self.evses.get_mut(place) else { return };
        let Some(of) = self.queue.transaction_mut(no) else { return };
        of.ended = true;
        let record = signed(evse.meter.sign(at, cause.moment, &of.ident(), of.clock));
        evse.finished += 1;
        let of = of.clone();
        let keys = [of.number.map(TransactionKey::Number), Some(TransactionKey::Text(of.id.clone()))];
        let keys: Vec<_> = keys.into_iter().flatten().collect();
        let (by, aligned) = (evse.ended_by.take(), std::mem::take(&mut evse.aligned));
        let bare = self.version.is_2() && self.settings.text(Key::EndedData).is_empty();
        let kept = evse.meter.memory(self.now);
        out.push(Output::Keep(Note::Meter(of.evse, kept)));
        out.push(Output::Keep(Note::Transaction(Box::new(of))));
        let message = Message { reason: Some(cause.reason), by_token: cause.by_token, by, aligned, bare, ..message };
        self.report(Message { signed: record, power: None, charged_percent: None, ..message }, out);
        if !self.online() {
            self.cost_unknown(no);
        }
        self.blocks.deals.remove(&no);
        let Some(evse) = self.evses.get_mut(place) else { return };
        (evse.halted, evse.wishes) = (false, Limits::default());
        let no = evse.no;
        self.blocks.profiles.transaction_over(no, &keys);
        self.blocks.priority.remove(&no);
        let running = self.running_keys();
        self.blocks.board.tidy(self.now, &running);
    }

    fn message(&self, place: usize, transaction: TransactionNo, stage: Stage, at: Timestamp) -> Message {
        let evse = self.evses.get(place);
        Message {
            transaction,
            seq: self.queue.transaction(transaction).map_or(0, |of| of.seq_next),
            stage,
            at,
            register: evse.map(|evse| evse.meter.register()).unwrap_or_default(),
            power: evse.map(super::Evse::power),
            charged_percent: evse.and_then(super::Evse::charged_percent),
            signed: None,
            reason: None,
            by_token: false,
            by: None,
            context: Context::SamplePeriodic,
            aligned: Vec::new(),
            bare: false,
            state: Some(evse.map_or(BayState::Unavailable, |evse| evse.phase.shown())),
            // E08.FR.07, E11.FR.02, E12.FR.02
            offline: !self.online(),
        }
    }

    /// In order and numbered (E03.FR.06, E08.FR.08, E09.FR.04); kept for as long as nobody takes it (E08.FR.05, E11.FR.01,
    /// E12.FR.01).
    fn report(&mut self, message: Message, out: &mut Vec<Output>) {
        if let Some(of) = self.queue.transaction_mut(message.transaction) {
            of.seq_next = message.seq.saturating_add(1);
        }
        let terms = self.terms_of(message.transaction, message.stage);
        let (no, dropped) = self.queue.push(message.clone());
        self.blocks.terms.extend(terms.map(|terms| (no, terms)));
        out.push(Output::Keep(Note::Queued(no, Box::new(message))));
        if let Some(no) = dropped {
            self.blocks.terms.remove(&no);
            out.push(Output::Keep(Note::Unqueued(no)));
        }
    }
}

/// A meter that cannot sign still counts; the operator sees that the signature is missing.
fn signed<E: std::fmt::Display>(record: Result<charge::meter::SignedRecord, E>) -> Option<charge::meter::SignedRecord> {
    record.inspect_err(|why| tracing::warn!(%why, "a meter could not sign")).ok()
}
