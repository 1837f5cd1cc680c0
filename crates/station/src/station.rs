//! The station: its EVSEs, its line and its clock as one machine without sockets, tasks or waiting.
//!
//! Things happen to it (the line, the driver, the operator, time) and it answers with what to keep and what to say,
//! in that order and one message at a time. `orders` obeys the operator, `hand` follows the driver, `uplink` decides
//! what is said next. It reads no clock: `now` comes first everywhere, and what fell due in between happens at its
//! own time, however late somebody looks.
//!
//! Invariant: every [`Output::Say`] comes after the [`Output::Keep`]s of all that it says.

mod aligned;
mod blocks;
mod care;
mod guests;
mod hand;
mod inventory;
mod orders;
mod pay;
mod power;
mod strangers;
mod terms;
mod uplink;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use billing::record::{ClockQuality, PublicKey};
use charge::id::EvseNo;
use charge::talk::line::model::Network;
use charge::talk::line::terms::Limits;
use charge::talk::line::{BayState, Distrust, FromStation, Version};
use charge::token::Allowed;
use charge::units::{Energy, Power};
use charge::{Dice, Secret, Timestamp};

use crate::bay::{Event, Phase};
use crate::cache::Cache;
use crate::deal::Deal;
use crate::evse::{Due, Evse};
use crate::journal::{Memory, Note};
use crate::meter::{Meter, MeterMemory};
use crate::plan::{Plan, PlanFault};
use crate::settings::{Fact, Key, Settings};
use crate::transactions::Queue;
use crate::upkeep::{Fetch, Upload};

use blocks::Blocks;
use hand::Cause;
pub use hand::{CannotDo, Deed};

/// What the station wants done, in this order.
#[derive(Debug)]
pub enum Output {
    Keep(Note),
    /// To be said on the line; its outcome comes back under this number. One at a time.
    Say(u64, FromStation),
    /// Use this password from the next connection on.
    Password(Secret<Box<str>>),
    /// Show this certificate from the next connection on.
    Identity(Box<trust::pki::Identity>),
    /// Put a log at a place; the outcome comes back to [`Station::uploaded`].
    Upload(Upload),
    /// Bring an image; it comes back to [`Station::fetched`].
    Fetch(Fetch),
    /// Dial anew, with the first of the networks.
    Redial,
    /// The operator ordered a restart: switch off and on again.
    Reboot,
}

/// Why a station starts (OCPP 2.0.1, `BootReasonEnumType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootReason {
    PowerUp,
    RemoteReset,
    FirmwareUpdate,
}

/// Where the station stands with its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Has to introduce itself, now or then.
    Unknown {
        not_before: Timestamp,
    },
    Admitted,
}

/// A restart that was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reset {
    /// The answer to the order gets out first.
    not_before: Timestamp,
    /// Until then the station tries to say what it owes.
    patience: Timestamp,
}

/// What anybody may see of the station at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub bays: Vec<BayView>,
    /// The version of the connection; `None` while there is none.
    pub line: Option<Version>,
    pub admitted: bool,
    /// Messages about transactions that the operator has not answered yet.
    pub owed: usize,
}

/// What anybody may see of one EVSE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BayView {
    pub evse: EvseNo,
    pub phase: Phase,
    pub shown: BayState,
    pub since: Timestamp,
    pub register: Energy,
    pub power: Power,
    /// The running transaction: its own id and the operator's number.
    pub transaction: Option<(Box<str>, Option<i32>)>,
    /// What came of the last question about a token.
    pub last_verdict: Option<Allowed>,
    /// What the running transaction costs so far: by its own tariff, or as the operator said.
    pub cost: Option<charge::Decimal>,
    /// What limits it.
    pub limits: Limits,
    /// Words for the driver, as the operator said last.
    pub words: Option<Box<str>>,
    /// Messages of the operator that are shown here, by their numbers (2.x block O).
    pub messages: Vec<i32>,
    /// The address behind the code for paying without a contract, while one is shown (2.1 C25).
    pub pay: Option<Box<str>>,
    /// Transactions ended since the start.
    pub finished: u32,
}

/// How a connection is tried again (2.x `RetryBackOff*`, `NetworkProfileConnectionAttempts`), in the station's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub least: Duration,
    /// On top of it, by chance.
    pub random: Duration,
    /// How often the least doubles.
    pub doublings: u32,
    /// For each network connection profile (B10.FR.03).
    pub attempts: u32,
}

/// A virtual charging station.
pub struct Station {
    plan: Plan,
    dice: Arc<dyn Dice>,
    settings: Settings,
    evses: Vec<Evse>,
    queue: Queue,
    /// As agreed last; before that, as preferred.
    version: Version,
    line: bool,
    standing: Standing,
    /// The operator answered the last boot with Rejected.
    turned_away: bool,
    boot_reason: BootReason,
    /// Why the next start happens, if it is not the operator's order.
    next_reason: Option<BootReason>,
    /// 2.1: what runs goes on after the next start (`ImmediateAndResume`).
    resumes: bool,
    /// What is on the line and not answered, under its number.
    under_way: Option<(u64, uplink::Said)>,
    said: u64,
    pause_until: Option<Timestamp>,
    last_said: Timestamp,
    clock: ClockQuality,
    /// Switched off as a whole by the operator, and what it was told about that.
    operative: bool,
    operative_reported: Option<bool>,
    reset: Option<Reset>,
    reset_when_idle: bool,
    wanted: Wanted,
    blocks: Blocks,
    cache: Cache,
    now: Timestamp,
}

/// What the operator asked to hear.
#[derive(Default)]
struct Wanted {
    boot: bool,
    alive: bool,
    meters: BTreeSet<EvseNo>,
    news: VecDeque<FromStation>,
    startup_event: bool,
}

/// A reset waits this long for its own answer to get out.
const RESET_AFTER: Duration = Duration::from_secs(1);
/// A soft reset waits this long for what is owed to be said; it is kept in any case.
const RESET_PATIENCE: Duration = Duration::from_secs(60);
/// How often a running register is kept: the most energy that a loss of power can leave unbilled.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// A clock that jumped ahead is not filled up with more readings than this.
const SAMPLES_BEHIND_MAX: u32 = 1_000;

impl Station {
    /// Builds a station and switches it on with what it remembers. `keys` are those of the meters, in the order of
    /// the EVSEs, as PKCS#8 in DER.
    pub fn new(
        now: Timestamp,
        plan: Plan,
        keys: &[Secret<Vec<u8>>],
        memory: Memory,
        dice: Arc<dyn Dice>,
        out: &mut Vec<Output>,
    ) -> Result<Self, PlanFault> {
        let signers = plan.signers(keys)?;
        let evses = signers.into_iter().zip(&plan.evses).map(|((no, signer), of)| {
            let meter = Meter::new(signer, of.evse_id.clone(), MeterMemory::default());
            Evse::new(no, of.max_power, of.current, meter, now)
        });
        let evses: Vec<_> = evses.collect();
        let mut station = Self {
            settings: Settings::new(facts(&evses)),
            version: plan.prefers,
            plan,
            dice,
            evses,
            queue: Queue::default(),
            line: false,
            standing: Standing::Unknown { not_before: now },
            turned_away: false,
            boot_reason: BootReason::PowerUp,
            next_reason: None,
            resumes: false,
            under_way: None,
            said: 0,
            pause_until: None,
            last_said: now,
            clock: ClockQuality::Informative,
            operative: true,
            operative_reported: None,
            reset: None,
            reset_when_idle: false,
            wanted: Wanted::default(),
            blocks: Blocks::default(),
            cache: Cache::default(),
            now,
        };
        station.power_on(now, memory, BootReason::PowerUp, out);
        Ok(station)
    }

    /// The power comes back: only what was kept is known, and cars are still where they stood. What was switched off
    /// stays off (B11.FR.02, G03.FR.08, G04.FR.09), and the station introduces itself anew (B01.FR.03, B11.FR.04).
    pub fn power_on(&mut self, now: Timestamp, memory: Memory, reason: BootReason, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        let now = self.now;
        self.settings.restore(&memory.settings);
        self.queue = Queue::restored(memory.transactions, memory.messages);
        self.standing = Standing::Unknown { not_before: now };
        self.boot_reason = self.next_reason.take().unwrap_or(reason);
        self.under_way = None;
        self.pause_until = None;
        self.clock = ClockQuality::Informative;
        self.operative = !memory.inoperative.contains(&None);
        self.operative_reported = None;
        (self.reset, self.reset_when_idle) = (None, false);
        self.wanted = Wanted { startup_event: true, ..Wanted::default() };
        self.cache.clear();
        self.blocks_wake_up();
        self.align();
        let resumed = std::mem::take(&mut self.resumes);
        for at in (0..self.evses.len()).filter(|_| !resumed) {
            self.wake_up(at, &memory.meters, &memory.inoperative, out);
        }
        self.speak(out);
    }

    /// One EVSE after a loss of power. A transaction that ran is over, with what its meter kept last (OCPP 1.6, 4.10;
    /// OCPP 2.0.1 E07).
    fn wake_up(
        &mut self,
        at: usize,
        meters: &std::collections::BTreeMap<EvseNo, MeterMemory>,
        inoperative: &BTreeSet<Option<EvseNo>>,
        out: &mut Vec<Output>,
    ) {
        let now = self.now;
        let Some(evse) = self.evses.get_mut(at) else { return };
        let kept = meters.get(&evse.no).copied().unwrap_or_default();
        evse.advance(now);
        evse.meter.restore(kept);
        evse.operative = !inoperative.contains(&Some(evse.no));
        (evse.reported, evse.permit, evse.give_up_at, evse.running, evse.limit) = (None, None, None, None, None);
        (evse.cap, evse.limit_until) = (None, None);
        evse.aligned.clear();
        let no = evse.no;
        let open = self.queue.running().find(|of| of.evse == no).map(|of| (of.no, of.started));
        evse.phase = match (&evse.car, open) {
            (None, _) => Phase::Idle,
            (Some(_), None) => Phase::Plugged,
            (Some(_), Some(_)) => Phase::Finishing,
        };
        (evse.since, evse.fault) = (now, None);
        if let Some((no, started)) = open {
            self.close(at, no, kept.at.unwrap_or(started), Cause::POWER_LOSS, out);
        }
        self.settle(at, out);
    }

    /// The line is up, and this version was agreed on.
    pub fn line_up(&mut self, now: Timestamp, version: Version, out: &mut Vec<Output>) {
        self.catch_up(now, out);
        // 1.6 stations introduce themselves on every connection; 2.x only after a start (B01.FR.01, B01.FR.03)
        if version == Version::V16 || version != self.version {
            self.standing = Standing::Unknown { not_before: self.now };
        }
        self.version = version;
        self.line = true;
        self.pause_until = None;
        if let Some(since) = self.blocks.away_since.take() {
            let away = self.now.since(since);
            self.blocks.profiles.was_offline(away);
            // after a long outage all states are told again, after a short one what changed (B04.FR.01, B04.FR.02)
            if version.is_2() && away > self.settings.seconds(Key::OfflineThreshold) {
                for evse in &mut self.evses {
                    evse.reported = None;
                }
            }
        }
        self.blocks.logbook.write(self.now, false, format!("line up, OCPP {}", version.label()));
        self.relimit(out);
        self.speak(out);
    }

    pub fn line_down(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.catch_up(now, out);
        self.line = false;
        self.blocks.away_since.get_or_insert(self.now);
        self.blocks.logbook.write(self.now, false, "line down");
        self.relimit(out);
        self.unasked(out);
        self.speak(out);
    }

    /// The other end of the line could not be trusted: an alarm for when there is a line again, once (A00.FR.311, A00.FR.316,
    /// A00.FR.414, A00.FR.419).
    pub fn distrusted(&mut self, now: Timestamp, of: Distrust, out: &mut Vec<Output>) {
        self.catch_up(now, out);
        let kind = match of {
            Distrust::Certificate if self.version.is_2() => "InvalidCsmsCertificate",
            Distrust::Certificate => "InvalidCentralSystemCertificate",
            Distrust::TlsVersion => "InvalidTLSVersion",
            Distrust::CipherSuite => "InvalidTLSCipherSuite",
        };
        let waits = |said: &FromStation| matches!(said, FromStation::Security { kind: of, .. } if &**of == kind);
        if !self.wanted.news.iter().any(waits) {
            self.alarm(kind);
        }
        self.speak(out);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.catch_up(now, out);
        self.speak(out);
    }

    /// When to look again, if nothing happens before.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let evses = self.evses.iter().filter_map(|evse| evse.due().map(|(at, _)| at));
        evses.chain(self.line_due()).chain(self.reset_due()).chain(self.block_due()).chain(self.code_due()).min()
    }

    pub fn view(&self) -> View {
        let bays = self.evses.iter().map(|evse| BayView {
            evse: evse.no,
            phase: evse.phase,
            shown: self.shown(evse),
            since: evse.since,
            register: evse.meter.register(),
            power: evse.power(),
            transaction: evse
                .running
                .and_then(|running| self.queue.transaction(running.no))
                .map(|of| (of.id.clone(), of.number)),
            last_verdict: evse.last_verdict,
            cost: evse.running.and_then(|running| self.cost_of(running.no)),
            limits: evse
                .running
                .and_then(|running| self.blocks.deals.get(&running.no))
                .map(Deal::limits)
                .unwrap_or_default(),
            words: evse.farewell.clone().or_else(|| evse.words.clone()),
            messages: self.messages(evse),
            pay: self.pay_address(evse),
            finished: evse.finished,
        });
        View {
            bays: bays.collect(),
            line: self.line.then_some(self.version),
            admitted: self.standing == Standing::Admitted,
            owed: self.queue.len(),
        }
    }

    /// The keys that verify what the meters sign, in the order of the EVSEs.
    pub fn meter_keys(&self) -> Vec<(EvseNo, PublicKey)> {
        self.evses.iter().map(|evse| (evse.no, evse.meter.public_key())).collect()
    }

    /// The password for the next connection, if the operator has set one.
    pub fn password(&self) -> Option<&Secret<Box<str>>> {
        self.settings.password()
    }

    /// Where to call, in the order in which to try (B10.FR.04).
    pub fn networks(&self) -> Vec<(i32, Network)> {
        self.blocks.networks.in_order(self.settings.text(Key::NetworkPriority))
    }

    /// The roots of operators that were installed, in PEM.
    pub fn operator_roots(&self) -> String {
        self.blocks.chest.operator_roots()
    }

    /// How often, and how far apart, the operator wants a connection to be tried.
    pub fn patience(&self) -> Patience {
        let (least, random, doublings) = self.settings.back_off();
        Patience { least, random, doublings, attempts: self.settings.number(Key::NetworkAttempts) }
    }

    /// A connection stands that is secured by this profile (A05.FR.06).
    pub fn secured(&mut self, profile: u8, out: &mut Vec<Output>) {
        // ocpp-1.6-security A05.FR.08: it could not be had
        if self.blocks.rising.take().is_some_and(|wanted| profile < wanted) {
            let order = self.blocks.networks.fall_back();
            let (key, value) = self.settings.note(Key::NetworkPriority, &order);
            out.push(Output::Keep(Note::Setting(key, value)));
            self.blocks.logbook.write(self.now, true, "back to the former security profile");
        }
        if self.settings.number(Key::SecurityProfile) != u32::from(profile) {
            let (key, value) = self.settings.note(Key::SecurityProfile, &profile.to_string());
            out.push(Output::Keep(Note::Setting(key, value)));
        }
        let left = self.blocks.networks.secured(profile, self.settings.text(Key::NetworkPriority));
        if let Some(left) = left {
            let (key, value) = self.settings.note(Key::NetworkPriority, &left);
            out.push(Output::Keep(Note::Setting(key, value)));
        }
    }

    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Lets everything that fell due happen, each at its own time. Time never falls.
    fn catch_up(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let now = now.max(self.now);
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            self.now = self.now.max(at);
            self.flow_on(out);
            match due {
                Some((place, due)) => self.fall_due(place, due, now, out),
                None => {
                    self.blocks_fall_due(out);
                    self.aligned_fall_due(out);
                }
            }
        }
        self.now = now;
        self.flow_on(out);
    }

    /// What falls due next: something at an EVSE, or `None` for one of the blocks.
    fn next_due(&self) -> Option<(Timestamp, Option<(usize, Due)>)> {
        let dues = self.evses.iter().enumerate();
        let dues = dues.filter_map(|(place, evse)| evse.due().map(|(at, due)| (at, Some((place, due)))));
        dues.chain(self.block_due().map(|at| (at, None))).min_by_key(|(at, _)| *at)
    }

    /// All meters count up to this moment.
    fn flow_on(&mut self, out: &mut Vec<Output>) {
        for place in 0..self.evses.len() {
            if let Some(evse) = self.evses.get_mut(place) {
                evse.advance(self.now);
            }
            self.settle(place, out);
        }
    }

    fn fall_due(&mut self, place: usize, due: Due, now: Timestamp, out: &mut Vec<Output>) {
        let interval = self.settings.seconds(Key::SampleInterval);
        match due {
            // the flow of current has shown it already
            Due::Full => {}
            Due::Limit => self.relimit(out),
            Due::Terms => self.look_at_deal(place, out),
            // E10.FR.02
            Due::GiveUp => {
                // a phase that has moved on has no time to give up any more
                let _moved = self.bay(place, Event::TimedOut, Cause::LOCAL, out);
            }
            // J02.FR.11
            Due::Sample => {
                self.progress(place, None, out);
                let behind = now.since(self.now) > interval.saturating_mul(SAMPLES_BEHIND_MAX);
                let from = if behind { now } else { self.now };
                if let Some(running) = self.running(place) {
                    running.sample_at = (!interval.is_zero()).then(|| from.plus(interval));
                }
            }
            Due::Keep => {
                self.keep_meter(place, out);
                let later = if now.since(self.now) > KEEP_EVERY { now } else { self.now }.plus(KEEP_EVERY);
                if let Some(running) = self.running(place) {
                    running.keep_at = later;
                }
            }
        }
    }

    fn running(&mut self, place: usize) -> Option<&mut crate::evse::Running> {
        self.evses.get_mut(place).and_then(|evse| evse.running.as_mut())
    }

    fn keep_meter(&self, place: usize, out: &mut Vec<Output>) {
        if let Some(evse) = self.evses.get(place) {
            out.push(Output::Keep(Note::Meter(evse.no, evse.meter.memory(self.now))));
        }
    }

    fn place(&self, no: EvseNo) -> Option<usize> {
        self.evses.iter().position(|evse| evse.no == no)
    }

    /// A restart that was ordered happens as soon as it can; it is the last thing the station wants (B11.FR.03, B12.FR.03).
    fn restarts(&mut self, out: &mut Vec<Output>) -> bool {
        if self.reset_when_idle && self.queue.running().next().is_none() {
            self.reset_when_idle = false;
            self.order_restart();
        }
        let due = self.reset.is_some_and(|reset| {
            // what it has to tell of its work is lost with the power (L01.FR.01)
            let owes = !self.queue.is_empty() || !self.wanted.news.is_empty() || self.under_way.is_some();
            let heard_out = !owes || !self.line || reset.patience <= self.now;
            reset.not_before <= self.now && heard_out
        });
        if due {
            self.reset = None;
            out.push(Output::Reboot);
        }
        due
    }

    fn order_restart(&mut self) {
        let not_before = self.now.plus(RESET_AFTER);
        self.reset = Some(Reset { not_before, patience: not_before.plus(RESET_PATIENCE) });
    }

    fn reset_due(&self) -> Option<Timestamp> {
        let reset = self.reset?;
        Some(if self.now < reset.not_before { reset.not_before } else { reset.patience })
    }

    const fn restarting(&self) -> bool {
        self.reset.is_some() || self.reset_when_idle
    }

    const fn online(&self) -> bool {
        self.line && matches!(self.standing, Standing::Admitted)
    }
}

/// What is read like a setting: how many EVSEs there are, and the keys of their meters (OCA application note on
/// signed meter values, 3).
fn facts(evses: &[Evse]) -> Vec<Fact> {
    let count = Fact { v16: Some("NumberOfConnectors".into()), v201: None, value: evses.len().to_string().into() };
    let keys = evses.iter().map(|evse| Fact {
        v16: Some(format!("MeterPublicKey{}", evse.no).into()),
        v201: Some(format!("FiscalMetering[{}].PublicKey", evse.no).into()),
        value: evse.meter.public_key().spki_hex().into(),
    });
    std::iter::once(count).chain(keys).collect()
}

#[cfg(test)]
mod tests;
