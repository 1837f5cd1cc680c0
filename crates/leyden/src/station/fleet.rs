//! Plays a scenario: switches the stations on, lets happen to each what stands in its steps, and reports.
//!
//! Stations live beside each other and know nothing of each other. Chance comes from the seed, one stream for each
//! station, so that the same seed gives the same report but for its times; names of transactions and messages come
//! from the machine, because an operator must not meet the same ones in two runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use charge::clock::{FastClock, SeededDice};
use charge::id::{EvseId, EvseNo, MeterSerial, StationId};
use charge::place::Current;
use charge::talk::line::{BayState, Pole, ResetKind, StationAnswer, ToStation, Trigger, Version};
use charge::token::TokenUid;
use charge::units::{Energy, Power};
use charge::{Clock, Dice, Secret, Soon, SystemClock, Timestamp};
use gate::line::{Backoff, Dial, Dialled, TalkLimits, Wire, dial, dial_through, station_url};
use serde::Serialize;
use station::VirtualStation;
use station::car::{Car, CarPlan, Curve, Inlet};
use station::journal::Journal;
use station::plan::{EvsePlan, Plan};
use station::station::View;
use store::Store;
use tokio::task::{JoinHandle, JoinSet};
use trust::dice::SystemDice;
use trust::sign::SigningKey;

use super::preset::{self, Preset};
use super::quirk::Quirk;
use super::scenario::{CarWish, Group, Scenario, Step};
use super::wiretap::{Said, Wiretap};
use crate::Failure;

/// In real time: a station that is not on the line by then has failed.
const CONNECTED_WITHIN: Duration = Duration::from_secs(60);
/// In real time, for whatever a step waits for beyond its own span.
const GRACE: Duration = Duration::from_secs(10);
/// Between two stations that are switched on, so that they do not shake hands all at once.
const STAGGER: Duration = Duration::from_millis(5);

/// What a run has come to: the document of `--report`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) held: bool,
    pub(crate) stations: Vec<StationReport>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct StationReport {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) steps: Vec<StepReport>,
    /// By action: sent, answered, answered with an error, received.
    pub(crate) messages: BTreeMap<String, Said>,
    pub(crate) error_codes: BTreeMap<String, u64>,
    pub(crate) failures: Vec<String>,
    pub(crate) latency: Latency,
}

#[derive(Debug, Serialize)]
pub(crate) struct StepReport {
    pub(crate) step: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// From a message to its answer.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

/// Where the stations call, and what they trust.
pub(crate) struct Operator {
    pub(crate) url: String,
    pub(crate) roots: Option<std::path::PathBuf>,
}

/// A clock that can be put forward.
struct Drifting {
    inner: Arc<dyn Clock>,
    ahead_us: AtomicI64,
}

impl Clock for Drifting {
    fn now(&self) -> Timestamp {
        let ahead = u64::try_from(self.ahead_us.load(Ordering::SeqCst)).unwrap_or(0);
        self.inner.now().plus(Duration::from_micros(ahead))
    }
}

/// One station of the fleet while it lives.
struct Actor {
    station: Arc<VirtualStation>,
    line: Dialled,
    second: Option<Dialled>,
    tasks: Vec<JoinHandle<()>>,
    tap: Arc<Wiretap>,
    clock: Arc<Drifting>,
    dice: SeededDice,
    token: String,
    speed: u32,
}

/// The station behind the wiretap's wish for late answers.
struct Late {
    station: Arc<VirtualStation>,
    tap: Arc<Wiretap>,
    speed: u32,
}

impl Pole for Late {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        Box::pin(async move {
            let answer = self.station.told(order).await;
            tokio::time::sleep(self.tap.delay() / self.speed).await;
            answer
        })
    }

    fn line_up(&self, version: Version) {
        self.station.line_up(version);
    }

    fn line_down(&self, why: &str) {
        self.station.line_down(why);
    }
}

/// Plays the whole scenario.
pub(crate) async fn play(scenario: &Scenario, operator: &Operator, beside: &Path) -> Result<Report, Failure> {
    let world: Arc<dyn Clock> = Arc::new(FastClock::new(SystemClock, SystemClock.now(), scenario.speed));
    let journals = Store::in_memory(station::MIGRATIONS).map_err(|fault| Failure::plain(fault.to_string()))?;
    let mut lives = JoinSet::new();
    let mut nth: u64 = 0;
    for group in &scenario.station {
        for n in 1..=group.count {
            nth += 1;
            let seed = scenario.seed.wrapping_mul(0x9e37_79b9).wrapping_add(nth);
            let actor = Actor::switch_on(group, n, seed, scenario.speed, (operator, beside), &world, &journals).await?;
            let (group, place) = (group.clone(), nth);
            lives.spawn(async move { (place, actor.live(&group, n).await) });
            tokio::time::sleep(STAGGER).await;
        }
    }
    eprintln!("{}: {nth} stations are switched on", scenario.name);
    let mut stations = BTreeMap::new();
    while let Some(life) = lives.join_next().await {
        let (place, report) = life.map_err(|_| Failure::plain("a station's task ended badly"))?;
        let word = if report.failures.is_empty() { "done" } else { "FAILED" };
        eprintln!("[{}/{nth}] {} {word}", stations.len() + 1, report.id);
        stations.insert(place, report);
    }
    journals.close().await;
    let stations: Vec<_> = stations.into_values().collect();
    let held = stations.iter().all(|station| station.failures.is_empty());
    Ok(Report { scenario: scenario.name.clone(), seed: scenario.seed, held, stations })
}

impl Actor {
    async fn switch_on(
        group: &Group,
        n: u32,
        seed: u64,
        speed: u32,
        (operator, beside): (&Operator, &Path),
        world: &Arc<dyn Clock>,
        journals: &Store,
    ) -> Result<Self, Failure> {
        let plain = |fault: &dyn std::fmt::Display| Failure::plain(format!("{}: {fault}", group.id(n)));
        let id = StationId::new(group.id(n)).map_err(|fault| Failure::misuse(format!("{}: {fault}", group.id(n))))?;
        let version = group.version().ok_or_else(|| Failure::misuse("no such version"))?;
        let preset = preset::named(&group.preset).ok_or_else(|| Failure::misuse("no such preset"))?;
        let clock = Arc::new(Drifting { inner: Arc::clone(world), ahead_us: AtomicI64::new(0) });
        let own: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let keys: Result<Vec<_>, _> =
            (0..preset.evses).map(|_| SigningKey::generate().and_then(|key| key.to_pkcs8_der())).collect();
        let journal = Journal::new(journals.clone(), id.clone());
        let plan = plan(&id, version, preset)?;
        let keys = keys.map_err(|fault| plain(&fault))?;
        let started = VirtualStation::start(plan, &keys, journal, Arc::clone(&own), Arc::new(SystemDice)).await;
        let station = started.map_err(|fault| plain(&fault))?;
        let values = preset.settings.iter().map(|(key, value)| (Box::from(*key), Secret::new(Box::from(*value))));
        // a key that the version spells otherwise is passed over, as a technician would
        let _written = station.told(ToStation::WriteSettings { values: values.collect() }).await;
        let tap = Arc::new(Wiretap::new(group.quirks.clone(), group.answers.clone()));
        let wish = dial_wish(group, &id, version, (operator, beside))?;
        let tls = wish.tls.clone();
        let pole = Arc::new(Late { station: Arc::clone(&station), tap: Arc::clone(&tap), speed });
        let wire: Arc<dyn Wire> = Arc::clone(&tap) as Arc<dyn Wire>;
        let dice: Arc<dyn Dice> = Arc::new(SystemDice);
        let line = dial_through(wish.clone(), pole, Arc::clone(&own), Arc::clone(&dice), Some(wire));
        let line = line.map_err(|fault| plain(&fault))?;
        let second = if group.quirks.contains(&Quirk::SecondConnection) {
            let deaf: Arc<dyn Pole> = Arc::new(Deaf);
            Some(dial(wish, deaf, own, dice).map_err(|fault| plain(&fault))?)
        } else {
            None
        };
        let tasks = tasks(&station, &tap, line.uplink(), tls);
        let (token, dice) = (group.token(n), SeededDice::new(seed));
        Ok(Self { station, line, second, tasks, tap, clock, dice, token, speed })
    }

    async fn live(self, group: &Group, n: u32) -> StationReport {
        let mut report = StationReport { id: group.id(n), version: group.version.clone(), ..StationReport::default() };
        let up = self.until(CONNECTED_WITHIN, |view| view.line.is_some() && view.admitted).await;
        if let Err(why) = up {
            report.failures.push(format!("not admitted: {why}"));
        } else {
            'steps: for _round in 0..group.repeat {
                for step in &group.step {
                    let failure = self.step(step).await.err();
                    report.failures.extend(failure.iter().map(|why| format!("{}: {why}", step.word())));
                    let failed = failure.is_some();
                    report.steps.push(StepReport { step: step.word(), failure });
                    if failed {
                        break 'steps;
                    }
                }
            }
        }
        let tally = self.tap.tally();
        let mut latencies = tally.latencies;
        latencies.sort_unstable();
        report.latency = Latency { p50_us: percentile(&latencies, 50), p99_us: percentile(&latencies, 99) };
        (report.messages, report.error_codes) = (tally.actions, tally.codes);
        self.line.stop().await;
        if let Some(second) = self.second {
            second.stop().await;
        }
        for task in self.tasks {
            task.abort();
        }
        report
    }

    async fn step(&self, step: &Step) -> Result<(), String> {
        let station = &self.station;
        match step {
            Step::Wait { seconds, jitter } => {
                let more = if *jitter == 0 { 0 } else { self.dice.below(*jitter + 1) };
                self.pass(seconds + more).await;
                Ok(())
            }
            Step::Arrive { evse, car } => {
                self.plug(*evse, car)?;
                self.card(*evse, None)
            }
            Step::Leave { evse } => {
                if self.bay(*evse, |bay| bay.transaction.is_some()) {
                    self.card(*evse, None)?;
                }
                station.unplug(no(*evse)?).map_err(told)
            }
            Step::Plug { evse, car } => self.plug(*evse, car),
            Step::Tap { evse, token } => self.card(*evse, token.as_deref()),
            Step::Unplug { evse } => station.unplug(no(*evse)?).map_err(told),
            Step::PowerCurve { evse, points } => {
                for point in points {
                    station.limit(no(*evse)?, Some(Power::from_watts(point.watts))).map_err(told)?;
                    self.pass(point.seconds).await;
                }
                station.limit(no(*evse)?, None).map_err(told)
            }
            Step::Fault { evse, code } => station.fault(no(*evse)?, code).map_err(told),
            Step::Repair { evse } => station.clear_fault(no(*evse)?).map_err(told),
            Step::PowerLoss => self.power_loss().await,
            Step::Reboot => self.answered(ToStation::Reset(ResetKind::Hard)).await,
            Step::Offline { seconds } => {
                self.line.drop_line();
                self.pass(*seconds).await;
                self.line.restore_line();
                self.until(CONNECTED_WITHIN, |view| view.line.is_some() && view.admitted).await
            }
            Step::ClockDrift { seconds } => {
                let ahead = i64::try_from(seconds.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
                self.clock.ahead_us.fetch_add(ahead, Ordering::SeqCst);
                station.nudge();
                Ok(())
            }
            Step::Duplicate { messages } => {
                self.tap.duplicate(*messages);
                Ok(())
            }
            Step::Reorder { messages } => {
                self.tap.reorder(*messages);
                Ok(())
            }
            Step::Raw { frame } => {
                self.tap.raw(frame.clone());
                // it goes out before the next frame, so there is one
                self.answered(ToStation::Trigger { what: Trigger::Alive, evse: None }).await
            }
            Step::Set { key, value } => {
                let values = vec![(key.as_str().into(), Secret::new(value.as_str().into()))];
                self.answered(ToStation::WriteSettings { values }).await
            }
            Step::Expect { evse, state, within } => {
                let state = BayState::named(state).ok_or_else(|| format!("\"{state}\" is no state"))?;
                let no = no(*evse)?;
                let is = move |view: &View| view.bays.iter().any(|bay| bay.evse == no && bay.shown == state);
                self.until(self.real(*within) + GRACE, is).await
            }
            Step::Settled { within } => self.until(self.real(*within) + GRACE, |view| view.owed == 0).await,
        }
    }

    fn plug(&self, evse: u16, wish: &CarWish) -> Result<(), String> {
        let no = no(evse)?;
        let dc = self.station.plan().evses.get(usize::from(evse) - 1).is_some_and(|of| of.current == Current::Dc);
        let inlet = match (dc, wish.one_phase) {
            (true, _) => Inlet::Dc,
            (false, true) => Inlet::OnePhase,
            (false, false) => Inlet::ThreePhase,
        };
        let car = Car::new(CarPlan {
            capacity: Energy::from_wh(wish.capacity_wh),
            charged_percent: wish.charged_percent,
            max_power: Power::from_watts(wish.max_watts),
            inlet,
            curve: Curve::Taper,
            wants: wish.wants_wh.map(Energy::from_wh),
        });
        self.station.plug(no, car.map_err(|fault| fault.to_string())?).map_err(told)
    }

    fn card(&self, evse: u16, token: Option<&str>) -> Result<(), String> {
        let uid = TokenUid::new(token.unwrap_or(&self.token)).map_err(|fault| fault.to_string())?;
        self.station.tap(no(evse)?, uid).map_err(told)
    }

    fn bay(&self, evse: u16, is: impl Fn(&station::BayView) -> bool) -> bool {
        self.station.watch().borrow().bays.iter().any(|bay| bay.evse.get() == evse && is(bay))
    }

    async fn power_loss(&self) -> Result<(), String> {
        self.line.drop_line();
        self.station.power_cycle().await.map_err(|fault| fault.to_string())?;
        self.line.restore_line();
        self.until(CONNECTED_WITHIN, |view| view.line.is_some() && view.admitted).await
    }

    async fn answered(&self, order: ToStation) -> Result<(), String> {
        match self.station.told(order).await {
            StationAnswer::Refused(word) => Err(format!("refused: {word}")),
            _taken => Ok(()),
        }
    }

    async fn pass(&self, seconds: u64) {
        tokio::time::sleep(self.real(seconds)).await;
    }

    fn real(&self, seconds: u64) -> Duration {
        Duration::from_secs(seconds) / self.speed
    }

    async fn until(&self, patience: Duration, is: impl Fn(&View) -> bool) -> Result<(), String> {
        let mut view = self.station.watch();
        let seen = tokio::time::timeout(patience, view.wait_for(|view| is(view))).await;
        match seen {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("the station is gone".to_owned()),
            Err(_) => Err(format!("waited {} ms in vain", patience.as_millis())),
        }
    }
}

/// The second connection of a station whose first looks alive: it listens and says nothing.
struct Deaf;

impl Pole for Deaf {
    fn told(&self, _order: ToStation) -> Soon<'_, StationAnswer> {
        Box::pin(std::future::ready(StationAnswer::Refused("Rejected".into())))
    }

    fn line_up(&self, _version: Version) {}

    fn line_down(&self, _why: &str) {}
}

/// What runs beside a station: its voice, its uploads, and the restarts of a quirk.
fn tasks(
    station: &Arc<VirtualStation>,
    tap: &Arc<Wiretap>,
    uplink: Arc<dyn charge::talk::line::Uplink>,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> Vec<JoinHandle<()>> {
    let (speaker, loader, sleeper, tap) =
        (Arc::clone(station), Arc::clone(station), Arc::clone(station), Arc::clone(tap));
    vec![
        tokio::spawn(async move {
            if let Err(fault) = speaker.run(uplink).await {
                tracing::error!(%fault, "a virtual station's journal failed");
            }
        }),
        tokio::spawn(super::upload::carry(loader, tls)),
        tokio::spawn(async move {
            loop {
                tap.restart.notified().await;
                if sleeper.power_cycle().await.is_err() {
                    return;
                }
            }
        }),
    ]
}

fn dial_wish(
    group: &Group,
    id: &StationId,
    version: Version,
    (operator, beside): (&Operator, &Path),
) -> Result<Dial, Failure> {
    let identity = Group::file(beside, group.identity.as_deref(), id.as_str());
    let tls = super::tls(operator.roots.as_deref(), identity.as_deref(), &operator.url)?;
    let password = Group::file(beside, group.password_file.as_deref(), id.as_str());
    let password = password.as_deref().map(crate::init::secret).transpose()?;
    let basic = password.map(|password| {
        let text = password.expose().clone();
        let raw = group.quirks.contains(&Quirk::RawPassword).then(|| trust::hex::decode(text.as_bytes())).flatten();
        (id.to_string(), Secret::new(raw.unwrap_or_else(|| text.into_bytes())))
    });
    let mut url = station_url(&operator.url, id);
    if group.quirks.contains(&Quirk::OddPath) {
        url = format!("{}//ocpp///{}", operator.url.trim_end_matches('/'), id.as_str().to_ascii_lowercase());
    }
    Ok(Dial { url, tls, basic, offer: vec![version], backoff: Backoff::default(), limits: TalkLimits::default() })
}

fn plan(id: &StationId, prefers: Version, preset: &Preset) -> Result<Plan, Failure> {
    let plain = |fault: charge::id::BadId| Failure::plain(fault.to_string());
    let evse = |n: u16| {
        Ok(EvsePlan {
            evse_id: EvseId::new(format!("ZZ*LEY*E1*{n}")).map_err(plain)?,
            meter: MeterSerial::new(format!("{id}-M{n}")).map_err(plain)?,
            max_power: Power::from_watts(preset.watts),
            current: preset.current,
        })
    };
    Ok(Plan {
        id: id.clone(),
        prefers,
        vendor: preset.vendor.to_owned(),
        model: preset.model.to_owned(),
        serial: id.to_string(),
        firmware: preset.firmware.to_owned(),
        evses: (1..=preset.evses).map(evse).collect::<Result<_, Failure>>()?,
    })
}

fn no(evse: u16) -> Result<EvseNo, String> {
    EvseNo::new(evse).ok_or_else(|| "EVSE 0 is the whole station".to_owned())
}

fn told(fault: station::CannotDo) -> String {
    fault.to_string()
}

fn percentile(sorted: &[Duration], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).map_or(0, |span| u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
