//! One virtual station of a fleet: switched on with its line, and everything that a step of a scenario or a line of the
//! control can let happen to it.
//!
//! Invariant: a step that did not happen is told as a failure.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use charge::clock::SeededDice;
use charge::id::{EvseId, EvseNo, MeterSerial, StationId};
use charge::place::Current;
use charge::talk::line::{BayState, Distrust, Pole, ResetKind, StationAnswer, ToStation, Trigger, Uplink, Version};
use charge::token::TokenUid;
use charge::units::{Energy, Power};
use charge::{Clock, Dice, Secret, Soon, Timestamp};
use gate::line::soap::SoapDial;
use gate::line::{Backoff, Dial, Dialled, TalkLimits, Wire, dial};
use serde_json::{Value, json};
use station::VirtualStation;
use station::car::{Car, CarPlan, Curve, Inlet};
use station::journal::Journal;
use station::plan::{EvsePlan, Plan};
use station::station::View;
use store::Store;
use tokio::task::JoinHandle;
use trust::dice::SystemDice;
use trust::pki::Identity;
use trust::sign::SigningKey;
use trust::tls::{ClientCertificates, Trusted};

use super::fleet::{Operator, StationReport, StepReport};
use super::phone::{Phone, Wish};
use super::preset::{self, Preset};
use super::quirk::Quirk;
use super::scenario::{CarWish, Group, Step};
use super::wiretap::{Tally, Wiretap};
use crate::Failure;

/// In real time: a station that is not on the line by then has failed.
pub(super) const CONNECTED_WITHIN: Duration = Duration::from_secs(60);
/// In real time, for whatever a step waits for beyond its own span.
const GRACE: Duration = Duration::from_secs(10);

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
pub(super) struct Actor {
    pub(super) station: Arc<VirtualStation>,
    phone: Phone,
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

    fn distrusted(&self, of: Distrust) {
        self.station.distrusted(of);
    }
}

impl Actor {
    pub(super) async fn switch_on(
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
        let wish = wish(group, &id, version, (operator, beside), speed)?;
        let tls = tls(&wish)?;
        let pole: Arc<dyn Pole> = Arc::new(Late { station: Arc::clone(&station), tap: Arc::clone(&tap), speed });
        let phone = if version.subprotocol().is_some() {
            let wire: Arc<dyn Wire> = Arc::clone(&tap) as Arc<dyn Wire>;
            Phone::dial(wish.clone(), &station, pole, Arc::clone(&own), Some(wire)).await?
        } else {
            let dial = soap_wish(group, &wish, tls.clone(), beside)?;
            Phone::serve(wish.clone(), dial, &station, pole, Arc::clone(&own))?
        };
        let second = if group.quirks.contains(&Quirk::SecondConnection) {
            Some(second(&wish, tls.clone(), own).map_err(|fault| plain(&fault))?)
        } else {
            None
        };
        let tasks = tasks(&station, &tap, phone.uplink(), tls);
        let (token, dice) = (group.token(n), SeededDice::new(seed));
        Ok(Self { station, phone, second, tasks, tap, clock, dice, token, speed })
    }

    /// Waits for the line and goes through the steps; the first failure ends them.
    pub(super) async fn live(&self, group: &Group, n: u32) -> StationReport {
        let mut report = StationReport { id: group.id(n), version: group.version.clone(), ..StationReport::default() };
        if let Err(why) = self.until(CONNECTED_WITHIN, online).await {
            report.failures.push(format!("not admitted: {why}"));
            return report;
        }
        for step in (0..group.repeat).flat_map(|_round| &group.step) {
            let failure = self.step(step).await.err();
            report.failures.extend(failure.iter().map(|why| format!("{}: {why}", step.word())));
            let failed = failure.is_some();
            report.steps.push(StepReport { step: step.word(), failure });
            if failed {
                break;
            }
        }
        report
    }

    pub(super) fn tally(&self) -> Tally {
        self.tap.tally()
    }

    pub(super) async fn stop(self) {
        self.phone.stop().await;
        if let Some(second) = self.second {
            second.stop().await;
        }
        for task in self.tasks {
            task.abort();
        }
    }

    /// What the station is doing, for the control's list.
    pub(super) fn shown(&self) -> Value {
        let view = self.station.watch().borrow().clone();
        let bays = view.bays.iter().map(|bay| {
            json!({
                "evse": bay.evse.get(),
                "state": bay.shown.as_str(),
                "transaction": bay.transaction.as_ref().map(|(id, _)| id),
                "register_wh": bay.register.wh(),
                "power_w": bay.power.watts(),
                "finished": bay.finished,
                "pay": bay.pay,
            })
        });
        json!({
            "id": self.station.plan().id.as_str(),
            "version": view.line.map(Version::label),
            "admitted": view.admitted,
            "owed": view.owed,
            "evses": bays.collect::<Vec<_>>(),
        })
    }

    pub(super) async fn step(&self, step: &Step) -> Result<(), String> {
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
                self.phone.cut();
                self.until(GRACE, |view| view.line.is_none()).await?;
                let Some(seconds) = seconds else { return Ok(()) };
                self.pass(*seconds).await;
                self.online().await
            }
            Step::Online => self.online().await,
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

    async fn online(&self) -> Result<(), String> {
        self.phone.restore();
        self.until(CONNECTED_WITHIN, online).await
    }

    async fn power_loss(&self) -> Result<(), String> {
        self.phone.power_loss().await?;
        self.until(CONNECTED_WITHIN, online).await
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

fn online(view: &View) -> bool {
    view.line.is_some() && view.admitted
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
    uplink: Arc<dyn Uplink>,
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
        tokio::spawn(super::carry::carry(loader, tls)),
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

/// What a station is installed with, as its group says.
fn wish(
    group: &Group,
    id: &StationId,
    version: Version,
    (operator, beside): (&Operator, &Path),
    speed: u32,
) -> Result<Wish, Failure> {
    let url = group.url.clone().unwrap_or_else(|| operator.url.clone());
    let password = Group::file(beside, group.password_file.as_deref(), id.as_str());
    let odd = group.quirks.contains(&Quirk::OddPath);
    Ok(Wish {
        id: id.clone(),
        version,
        odd_url: odd.then(|| format!("{}//ocpp///{}", url.trim_end_matches('/'), id.as_str().to_ascii_lowercase())),
        url,
        roots: operator.roots.clone(),
        identity: Group::file(beside, group.identity.as_deref(), id.as_str()),
        password: password.as_deref().map(crate::init::secret).transpose()?,
        raw_password: group.quirks.contains(&Quirk::RawPassword),
        speed,
    })
}

/// For what is not the line itself: uploads, images, the second connection, the messages of SOAP.
fn tls(wish: &Wish) -> Result<Option<Arc<rustls::ClientConfig>>, Failure> {
    super::tls(wish.roots.as_deref(), wish.identity.as_deref(), &wish.url)
}

/// The end of a station that speaks SOAP: its own server takes the operator's orders.
fn soap_wish(
    group: &Group,
    wish: &Wish,
    tls: Option<Arc<rustls::ClientConfig>>,
    beside: &Path,
) -> Result<SoapDial, Failure> {
    let fault = |fault: &dyn std::fmt::Display| Failure::plain(format!("{}: {fault}", wish.id));
    let own = Group::file(beside, group.server_identity.as_deref(), wish.id.as_str());
    let server_tls = match (own, &wish.roots) {
        (Some(own), Some(roots)) => {
            let own = Identity::read(&own).map_err(|f| fault(&f))?;
            let trusted = Trusted {
                roots_pem: std::fs::read_to_string(roots).map_err(|f| Failure::io(roots, &f))?,
                on_refused: Arc::new(|refused| tracing::warn!(%refused, "a certificate was refused by a station")),
            };
            let server = trust::tls::server(&own, ClientCertificates::Required(trusted), &[]).map_err(|f| fault(&f))?;
            Some(Arc::new(server))
        }
        (Some(_), None) => return Err(Failure::misuse("server-identity needs --roots FILE, the authorities to trust")),
        (None, _) => None,
    };
    let password = wish.password.as_ref();
    Ok(SoapDial {
        station: wish.id.clone(),
        version: wish.version,
        operator: wish.url.clone(),
        tls,
        basic: password.map(|text| (wish.id.to_string(), Secret::new(text.expose().clone().into_bytes()))),
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        server_tls,
        operator_name: group.operator_name.clone(),
        callback: None,
        backoff: Backoff::default(),
        limits: TalkLimits::default(),
    })
}

fn second(
    wish: &Wish,
    tls: Option<Arc<rustls::ClientConfig>>,
    clock: Arc<dyn Clock>,
) -> Result<Dialled, gate::line::DialError> {
    let text = wish.password.as_ref();
    let basic = text.map(|text| (wish.id.to_string(), Secret::new(text.expose().clone().into_bytes())));
    let (backoff, limits) = (Backoff::default(), TalkLimits::default());
    let url = super::phone::address(&wish.url, &wish.id);
    let number = Dial { url, tls, basic, offer: vec![wish.version], backoff, limits };
    dial(number, Arc::new(Deaf), clock, Arc::new(SystemDice))
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
