//! One EVSE in the flesh: its phase, the car at its cable, its meter, and when it needs to be looked at again.
//!
//! Current flows from one look to the next exactly, however far apart they are. What a change of phase means for
//! transactions and messages is decided in `station`; here nothing is said to anybody.

use std::time::Duration;

use charge::Timestamp;
use charge::id::EvseNo;
use charge::place::Current;
use charge::talk::line::BayState;
use charge::talk::line::charging::Profile;
use charge::talk::line::terms::Limits;
use charge::tariff::Tariff;
use charge::token::{Allowed, PresentedToken, TokenUid};
use charge::units::{Energy, Power};

use crate::bay::{Event, Phase};
use crate::car::{Car, Inlet};
use crate::meter::Meter;
use crate::transactions::{Origin, TransactionNo};

/// Whoever may charge here, or is being asked about.
#[derive(Clone, Debug)]
pub(crate) struct Permit {
    pub token: PresentedToken,
    pub origin: Origin,
    /// Whoever shares it may end what this one began (C09.FR.02).
    pub group: Option<TokenUid>,
    /// Limits that came with the order to start.
    pub profile: Option<Box<Profile>>,
    /// The driver's own, for this transaction alone (2.1 I08).
    pub tariff: Option<Box<Tariff>>,
}

/// The running transaction, seen from its EVSE.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub no: TransactionNo,
    /// The next reading to report; `None` while none are wanted.
    pub sample_at: Option<Timestamp>,
    /// When the register is kept next, whether reported or not.
    pub keep_at: Timestamp,
    /// When a limit will be reached, or the tariff changes; `None` while nothing of that is foreseen.
    pub look_at: Option<Timestamp>,
}

/// Why an EVSE wants to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nobody plugged in.
    GiveUp,
    Sample,
    Keep,
    /// The car has had enough.
    Full,
    /// The limit of the charging profiles changes.
    Limit,
    /// A limit of the transaction, or a change of its price.
    Terms,
}

pub(crate) struct Evse {
    pub no: EvseNo,
    pub max_power: Power,
    pub current: Current,
    pub phase: Phase,
    pub since: Timestamp,
    pub fault: Option<Box<str>>,
    /// As the operator wants it; the phase follows when it can.
    pub operative: bool,
    /// What the operator was told last.
    pub reported: Option<BayState>,
    pub meter: Meter,
    pub car: Option<Car>,
    /// Local load management, for all phases.
    pub limit: Option<Power>,
    /// What the charging profiles leave for this car.
    pub cap: Option<Power>,
    pub limit_until: Option<Timestamp>,
    pub permit: Option<Permit>,
    /// Another's token that was presented while somebody charges, to be asked about.
    pub stranger: Option<PresentedToken>,
    /// The one of them that is ending what runs.
    pub ended_by: Option<PresentedToken>,
    /// What the next driver chose (2.1 E16).
    pub wishes: Limits,
    /// A limit of the transaction is reached: nothing is given.
    pub halted: bool,
    /// Shown to the driver.
    pub words: Option<Box<str>>,
    /// Shown to whoever has charged, until the cable is out.
    pub farewell: Option<Box<str>>,
    /// Somebody pays for it on a telephone: nobody begins here until then (2.1 C25).
    pub paid_until: Option<Timestamp>,
    pub give_up_at: Option<Timestamp>,
    pub running: Option<Running>,
    /// Read by the clock since it began, for its last message.
    pub aligned: Vec<(Timestamp, Energy)>,
    pub last_verdict: Option<Allowed>,
    pub finished: u32,
    /// Up to where the current has been counted.
    counted_to: Timestamp,
}

impl Evse {
    pub fn new(no: EvseNo, max_power: Power, current: Current, meter: Meter, now: Timestamp) -> Self {
        Self {
            no,
            max_power,
            current,
            phase: Phase::Idle,
            since: now,
            fault: None,
            operative: true,
            reported: None,
            meter,
            car: None,
            limit: None,
            cap: None,
            limit_until: None,
            permit: None,
            stranger: None,
            ended_by: None,
            wishes: Limits::default(),
            halted: false,
            words: None,
            farewell: None,
            paid_until: None,
            give_up_at: None,
            running: None,
            aligned: Vec::new(),
            last_verdict: None,
            finished: 0,
            counted_to: now,
        }
    }

    /// Whether such a plug fits.
    pub const fn fits(&self, inlet: Inlet) -> bool {
        inlet.offered(self.current, self.max_power).is_some()
    }

    /// What the station gives, before the car says how much of it it takes.
    pub fn offer(&self) -> Power {
        if self.halted {
            return Power::ZERO;
        }
        let given = self.limit.map_or(self.max_power, |limit| limit.min(self.max_power));
        let inlet = self.car.as_ref().map(|car| car.plan().inlet);
        let offered = inlet.and_then(|inlet| inlet.offered(self.current, given)).unwrap_or(Power::ZERO);
        self.cap.map_or(offered, |cap| offered.min(cap))
    }

    /// What flows now.
    pub fn power(&self) -> Power {
        match (&self.car, self.phase) {
            (Some(car), Phase::Charging) => car.power(self.offer()),
            (Some(_) | None, _) => Power::ZERO,
        }
    }

    /// The state of charge, where the car tells it.
    pub fn charged_percent(&self) -> Option<u8> {
        self.car.as_ref().filter(|car| car.plan().inlet == Inlet::Dc).map(Car::charged_percent)
    }

    /// Lets the current flow up to `to`.
    pub fn advance(&mut self, to: Timestamp) {
        let span = to.since(self.counted_to);
        self.counted_to = self.counted_to.max(to);
        let offer = self.offer();
        let (Phase::Charging, Some(car)) = (self.phase, &mut self.car) else { return };
        let mut left = micros(span);
        while left > 0 {
            let stretch = car.take(offer, left);
            self.meter.count(stretch.power, stretch.micros);
            left -= stretch.micros;
        }
    }

    /// What the flow of current has come to, if the phase does not show it yet.
    pub fn flow(&self) -> Option<Event> {
        let held = self.offer() <= Power::ZERO;
        let satisfied = self.car.as_ref().is_none_or(Car::satisfied);
        match self.phase {
            Phase::Charging if held => Some(Event::Held),
            Phase::Charging if satisfied => Some(Event::Full),
            Phase::SuspendedByCar if held => Some(Event::Held),
            Phase::SuspendedByCar if !satisfied => Some(Event::Draws),
            Phase::SuspendedByStation if !held => Some(Event::Released),
            Phase::Charging
            | Phase::SuspendedByCar
            | Phase::SuspendedByStation
            | Phase::Idle
            | Phase::Authorising
            | Phase::Tapped
            | Phase::Plugged
            | Phase::Checking
            | Phase::Finishing
            | Phase::Faulted
            | Phase::FaultedPlugged
            | Phase::Unavailable
            | Phase::UnavailablePlugged => None,
        }
    }

    /// When to look again, and why.
    pub fn due(&self) -> Option<(Timestamp, Due)> {
        let give_up = self.give_up_at.map(|at| (at, Due::GiveUp));
        let sample = self.running.and_then(|running| running.sample_at).map(|at| (at, Due::Sample));
        let keep = self.running.map(|running| (running.keep_at, Due::Keep));
        let full = match (self.phase, &self.car) {
            (Phase::Charging, Some(car)) => car.micros_to_go(self.offer()),
            (_, Some(_) | None) => None,
        };
        let full = full.map(|micros| (self.counted_to.plus(Duration::from_micros(micros)), Due::Full));
        // of several at the same moment, the end of charging comes first and the reading shows it
        let limit = self.limit_until.map(|at| (at, Due::Limit));
        let terms = self.running.and_then(|running| running.look_at).map(|at| (at, Due::Terms));
        [limit, terms, full, give_up, sample, keep].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Whether a token is being asked about.
    pub const fn asking(&self) -> bool {
        matches!(self.phase, Phase::Authorising | Phase::Checking)
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
