//! `leyden station`: virtual stations against any operator that speaks OCPP: one with a car, as many as a scenario
//! names, or whatever the lines of a control let happen to them.
//!
//! SOAP is spoken in scenarios only: it needs a second address.

mod actor;
pub(crate) mod carry;
mod control;
mod fleet;
mod phone;
mod preset;
mod quirk;
mod scenario;
mod wiretap;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use charge::clock::FastClock;
use charge::id::{EvseId, EvseNo, MeterSerial, StationId};
use charge::place::Current;
use charge::talk::line::{Pole, Version};
use charge::token::TokenUid;
use charge::units::{Energy, Power};
use charge::{Clock, Secret, SystemClock};
use station::VirtualStation;
use station::car::{Car, CarPlan, Curve, Inlet};
use station::journal::Journal;
use station::plan::{EvsePlan, Plan};
use station::station::BayView;
use store::Store;
use trust::sign::SigningKey;

use control::Control;
use phone::Phone;
use scenario::Scenario;

use crate::Failure;
use crate::cli::Station;
use crate::demo::street::{client_tls, switch_on};
use crate::init::secret;

/// In real time: what has not happened by then does not happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// In the station's time.
const CHARGES_FOR: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(120);
const POWER: Power = Power::from_watts(22_000);

pub(crate) async fn run(wish: &Station) -> Result<ExitCode, Failure> {
    match &wish.scenario {
        Some(file) => {
            let mut scenario = Scenario::read(file)?;
            scenario.seed = wish.seed.unwrap_or(scenario.seed);
            play(wish, &scenario, file.parent().unwrap_or(Path::new("."))).await
        }
        // one station that does nothing by itself
        None if wish.control.is_some() => play(wish, &Scenario::of_one(wish), Path::new("")).await,
        None => alone(wish).await,
    }
}

/// As many stations as the scenario names.
async fn play(wish: &Station, scenario: &Scenario, beside: &Path) -> Result<ExitCode, Failure> {
    let operator = fleet::Operator { url: wish.url.clone(), roots: wish.roots.clone() };
    let journals = store(wish)?;
    let control = wish.control.as_deref().map(Control::at);
    let report = tokio::select! {
        report = fleet::play(scenario, &operator, beside, &journals, control) => report?,
        () = crate::serve::stopped() => return Err(Failure::plain("stopped before the end of the scenario")),
    };
    journals.close().await;
    for station in report.stations.iter().filter(|station| !station.failures.is_empty()) {
        eprintln!("{}: {}", station.id, station.failures.join("; "));
    }
    if let Some(file) = &wish.report {
        crate::report::write(file, &report)?;
    }
    Ok(if report.held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// TLS where the address wants it: `ws://` is for laboratories (security profiles 0 and 1).
fn tls(roots: Option<&Path>, identity: Option<&Path>, url: &str) -> Result<Option<Arc<rustls::ClientConfig>>, Failure> {
    if url.starts_with("ws://") || url.starts_with("http://") {
        return Ok(None);
    }
    let roots = roots.ok_or_else(|| Failure::misuse("TLS needs --roots FILE, the authorities to trust"))?;
    client_tls(roots, identity).map(Some)
}

/// One station with one car.
async fn alone(wish: &Station) -> Result<ExitCode, Failure> {
    let id = StationId::new(&wish.id).map_err(|fault| Failure::misuse(format!("--id {fault}")))?;
    let uid = TokenUid::new(&wish.token).map_err(|fault| Failure::misuse(format!("--token {fault}")))?;
    let version = Version::named(&wish.version).ok_or_else(|| Failure::misuse("--version is 1.6, 2.0.1 or 2.1"))?;
    let clock: Arc<dyn Clock> = Arc::new(FastClock::new(SystemClock, SystemClock.now(), wish.speed));
    let station =
        switch_on(plan(&id, version)?, &[meter_key()?], Journal::new(store(wish)?, id.clone()), &clock).await?;
    let tls = tls(wish.roots.as_deref(), wish.identity.as_deref(), &wish.url)?;
    let installed = phone::Wish {
        id,
        version,
        url: wish.url.clone(),
        roots: wish.roots.clone(),
        identity: wish.identity.clone(),
        password: wish.password_file.as_deref().map(secret).transpose()?,
        raw_password: false,
        odd_url: None,
        speed: wish.speed,
    };
    let pole: Arc<dyn Pole> = Arc::clone(&station) as Arc<dyn Pole>;
    let line = Phone::dial(installed, &station, pole, Arc::clone(&clock), None).await?;
    let (uplink, speaker) = (line.uplink(), Arc::clone(&station));
    let talk = tokio::spawn(async move {
        if let Err(fault) = speaker.run(uplink).await {
            tracing::error!(%fault, "a virtual station's journal failed");
        }
    });
    let loads = tokio::spawn(carry::carry(Arc::clone(&station), tls));

    let evse = EvseNo::new(1).ok_or_else(|| Failure::plain("a station without EVSE"))?;
    let lived = tokio::select! {
        lived = live(&station, evse, &uid, wish) => lived,
        () = crate::serve::stopped() => Ok(()),
    };
    line.stop().await;
    talk.abort();
    loads.abort();
    lived.map(|()| ExitCode::SUCCESS)
}

/// Waits for the line, then plugs in, taps, charges and leaves, as often as wished.
async fn live(station: &VirtualStation, no: EvseNo, uid: &TokenUid, wish: &Station) -> Result<(), Failure> {
    let mut view = station.watch();
    let up = view.wait_for(|view| view.line.is_some() && view.admitted);
    match tokio::time::timeout(PATIENCE, up).await {
        Ok(Ok(view)) => println!("connected with OCPP {}", view.line.map_or("?", Version::label)),
        Ok(Err(_)) | Err(_) => {
            return Err(Failure::plain(format!(
                "no line to {} within {} s; RUST_LOG=info tells every attempt",
                wish.url,
                PATIENCE.as_secs()
            )));
        }
    }
    for number in 1.. {
        session(station, no, uid, wish.speed).await?;
        if number == wish.sessions {
            break;
        }
        tokio::time::sleep(PAUSE / wish.speed).await;
    }
    wait(station, no, "what is owed to be said", |_| true).await?;
    let mut view = station.watch();
    let said = view.wait_for(|view| view.owed == 0).await.map(drop);
    said.map_err(|_| Failure::plain("the station is gone"))
}

async fn session(station: &VirtualStation, no: EvseNo, uid: &TokenUid, speed: u32) -> Result<(), Failure> {
    let refused = |what: &str| {
        let what = what.to_owned();
        move |fault| Failure::plain(format!("{what}: {fault:?}"))
    };
    station.plug(no, car()?).map_err(refused("plugging in"))?;
    station.tap(no, uid.clone()).map_err(refused("tapping"))?;
    let bay = wait(station, no, "an answer to the card", |bay| bay.transaction.is_some() || bay.last_verdict.is_some());
    let before = bay.await?.register;
    let begun = wait(station, no, "the session to begin", |bay| bay.transaction.is_some()).await;
    match begun {
        Ok(_) => {
            println!("charging");
            tokio::time::sleep(CHARGES_FOR / speed).await;
        }
        Err(_) => println!("the card was not accepted"),
    }
    station.unplug(no).map_err(refused("unplugging"))?;
    let after = wait(station, no, "the session to end", |bay| bay.transaction.is_none()).await?.register;
    println!("charged {}", after.checked_sub(before).unwrap_or(Energy::ZERO));
    Ok(())
}

async fn wait(
    station: &VirtualStation,
    no: EvseNo,
    what: &str,
    is: impl Fn(&BayView) -> bool,
) -> Result<BayView, Failure> {
    let mut view = station.watch();
    let seen = view.wait_for(|view| view.bays.iter().any(|bay| bay.evse == no && is(bay)));
    let seen = tokio::time::timeout(PATIENCE, seen).await;
    let seen = seen.map_err(|_| Failure::plain(format!("waited {} s for {what}", PATIENCE.as_secs())))?;
    let seen = seen.map_err(|_| Failure::plain("the station is gone"))?;
    seen.bays.iter().find(|bay| bay.evse == no).cloned().ok_or_else(|| Failure::plain("the station has no such EVSE"))
}

fn plan(id: &StationId, prefers: Version) -> Result<Plan, Failure> {
    let evse_id = EvseId::new("ZZ*LEY*E1*1").map_err(|fault| Failure::plain(fault.to_string()))?;
    let meter = MeterSerial::new(format!("{id}-M1")).map_err(|fault| Failure::plain(fault.to_string()))?;
    Ok(Plan {
        id: id.clone(),
        prefers,
        vendor: "Leyden".to_owned(),
        model: "Virtual".to_owned(),
        serial: id.to_string(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        evses: vec![EvsePlan { evse_id, meter, max_power: POWER, current: Current::Ac3Phase }],
    })
}

fn meter_key() -> Result<Secret<Vec<u8>>, Failure> {
    let key = SigningKey::generate().and_then(|key| key.to_pkcs8_der());
    key.map_err(|fault| Failure::plain(fault.to_string()))
}

fn store(wish: &Station) -> Result<Store, Failure> {
    let store = match &wish.journal {
        Some(file) => Store::open(file, store::Options::default(), station::MIGRATIONS),
        None => Store::in_memory(station::MIGRATIONS),
    };
    store.map_err(|fault| Failure::plain(fault.to_string()))
}

fn car() -> Result<Car, Failure> {
    let plan = CarPlan {
        capacity: Energy::from_wh(60_000),
        charged_percent: 30,
        max_power: POWER,
        inlet: Inlet::ThreePhase,
        curve: Curve::Taper,
        wants: None,
    };
    Car::new(plan).map_err(|fault| Failure::plain(fault.to_string()))
}
