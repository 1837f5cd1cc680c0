//! Second back-ends, for people: put, dropped, looked at. And what their parts share while the program runs.
//!
//! Copying is beside hearing ([`copying`]), sending beside nothing ([`pump`]): no station ever waits for a second CSMS,
//! only for the disk that keeps its copy. Orders that come back go through [`pole`].

mod copying;
mod pole;
mod pump;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::second::SecondDoor;
use store::StoreError;
use tokio::sync::{Notify, watch};

use super::{Fault, Operator};
use crate::memory::{log, proxy};
use crate::proxy::{PEM_MAX, Proofs, SECONDS_MAX, Second, SecondView, Standing, check};

/// What the operator has in mind of its second back-ends.
#[derive(Default)]
pub(crate) struct Seconds {
    door: OnceLock<Arc<dyn SecondDoor>>,
    /// The policies, once they were looked up.
    known: Mutex<Option<Arc<[Arc<Known>]>>>,
    live: Mutex<HashMap<(String, StationId), Arc<Live>>>,
    /// Lines may have to be put up or taken down.
    changed: Notify,
}

/// A policy at work, with when it was put.
#[derive(Debug)]
pub(crate) struct Known {
    second: Second,
    changed: Timestamp,
}

/// One line to a second CSMS.
pub(crate) struct Live {
    up: watch::Sender<bool>,
    /// Something waits to be sent.
    wake: Notify,
    /// The CSMS has not accepted a boot of this station since it last booted.
    boots: AtomicBool,
    inside: Mutex<Inside>,
}

struct Inside {
    heartbeat: Duration,
    error: Option<String>,
}

impl Live {
    fn new() -> Self {
        Self {
            up: watch::Sender::new(false),
            wake: Notify::new(),
            boots: AtomicBool::new(true),
            inside: Mutex::new(Inside { heartbeat: HEARTBEAT, error: None }),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, why: &str) {
        self.inside().error = Some(why.chars().take(ERROR_CHARACTERS_MAX).collect());
    }
}

impl Seconds {
    /// There is nobody to copy anything to.
    pub(super) fn idle(&self) -> bool {
        self.door.get().is_none() || self.known().as_ref().is_some_and(|known| known.is_empty())
    }

    fn known(&self) -> MutexGuard<'_, Option<Arc<[Arc<Known>]>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<(String, StationId), Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line of a station to a second CSMS, made where there is none.
    fn line(&self, second: &str, station: &StationId) -> Arc<Live> {
        let key = (second.to_owned(), station.clone());
        Arc::clone(self.live().entry(key).or_insert_with(|| Arc::new(Live::new())))
    }

    /// Something was put in line for a second CSMS.
    fn wake(&self, second: &str, station: &StationId) {
        let line = self.live().get(&(second.to_owned(), station.clone())).cloned();
        match line {
            Some(line) => line.wake.notify_one(),
            None => self.changed.notify_one(),
        }
    }

    /// A station came or went.
    pub(super) fn look(&self) {
        if !self.idle() {
            self.changed.notify_one();
        }
    }
}

impl Operator {
    /// Hangs the way to second back-ends in its frame. The first one stays.
    pub fn attach_seconds(&self, door: Arc<dyn SecondDoor>) {
        let attached = self.0.seconds.door.set(door);
        debug_assert!(attached.is_ok(), "a second door to second back-ends was attached");
    }

    /// All second back-ends, with how each station stands with them.
    pub async fn seconds(&self) -> Result<Vec<SecondView>, Fault> {
        let mut found = self
            .read("operator.seconds", |_, tx| {
                let mut found = Vec::new();
                for row in proxy::all(tx)? {
                    let stations = proxy::standings(tx, &row.second.name)?;
                    let (has_password, has_identity) = (row.has_password, row.has_identity);
                    let (second, changed) = (row.second, row.changed);
                    found.push(SecondView { second, has_password, has_identity, changed, stations });
                }
                Ok::<_, StoreError>(found)
            })
            .await?;
        for ((second, station), line) in &*self.0.seconds.live() {
            let Some(view) = found.iter_mut().find(|view| view.second.name == *second) else { continue };
            let connected = *line.up.borrow();
            let error = line.inside().error.clone().filter(|_| !connected);
            match view.stations.iter_mut().find(|one| one.station == *station) {
                Some(one) => {
                    one.connected = connected;
                    one.last_error = error.or(one.last_error.take());
                }
                None => view.stations.push(Standing {
                    station: station.clone(),
                    connected,
                    last_error: error,
                    ..Standing::none(station.clone())
                }),
            }
        }
        Ok(found)
    }

    /// Puts a second back-end in place of the one with its name. Proofs that are not given stay, unless the address
    /// is another: what was a secret between two is not shown to a third.
    pub async fn put_second(&self, actor: &str, wanted: Second, proofs: Proofs) -> Result<(), Fault> {
        check(&wanted).map_err(|(path, why)| Fault::Invalid { path, why })?;
        check_proofs(&proofs)?;
        let (actor, put) = (actor.to_owned(), wanted.name.clone());
        self.run("operator.second.put", move |house, tx| {
            let all = proxy::all(tx)?;
            let old = all.iter().find(|one| one.second.name == wanted.name);
            if old.is_none() && all.len() >= SECONDS_MAX {
                return Err(Fault::Conflict(format!("there are {SECONDS_MAX} second back-ends already")));
            }
            if let Some(old) = old {
                if old.second.address != wanted.address {
                    proxy::drop_proofs(tx, &wanted.name)?;
                }
                if (old.second.version, old.second.tokens) != (wanted.version, wanted.tokens) {
                    proxy::begin_anew(tx, &wanted.name)?;
                }
            }
            proxy::put(tx, house.seal(), &wanted, &proofs, house.now())?;
            log::audit(tx, house.now(), &actor, "put second back-end", &wanted.name, "done").map_err(Fault::from)
        })
        .await?;
        self.0.seconds.live().retain(|(second, _), _| *second != put);
        Ok(self.look_up_seconds().await.map(drop)?)
    }

    /// Takes it away with everything that waits for it.
    pub async fn drop_second(&self, actor: &str, name: &str) -> Result<(), Fault> {
        let (actor, gone) = (actor.to_owned(), name.to_owned());
        self.run("operator.second.drop", move |house, tx| {
            if !proxy::remove(tx, &gone)? {
                return Err(Fault::NotFound("second back-end"));
            }
            log::audit(tx, house.now(), &actor, "drop second back-end", &gone, "done").map_err(Fault::from)
        })
        .await?;
        self.0.seconds.live().retain(|(second, _), _| second != name);
        Ok(self.look_up_seconds().await.map(drop)?)
    }

    /// Reads the policies again.
    async fn look_up_seconds(&self) -> Result<Arc<[Arc<Known>]>, StoreError> {
        let rows = self.read("operator.seconds.known", |_, tx| proxy::all(tx)).await?;
        let known = rows.into_iter().map(|row| Arc::new(Known { second: row.second, changed: row.changed }));
        let known: Arc<[Arc<Known>]> = known.collect();
        *self.0.seconds.known() = Some(Arc::clone(&known));
        self.0.seconds.changed.notify_one();
        Ok(known)
    }

    /// The policies.
    async fn known_seconds(&self) -> Result<Arc<[Arc<Known>]>, StoreError> {
        let known = self.0.seconds.known().clone();
        match known {
            Some(known) => Ok(known),
            None => self.look_up_seconds().await,
        }
    }
}

impl Standing {
    fn none(station: StationId) -> Self {
        Self {
            station,
            connected: false,
            buffered: 0,
            sent: 0,
            dropped: 0,
            refused: 0,
            lost: 0,
            obeyed: 0,
            denied: 0,
            last_error: None,
        }
    }
}

fn check_proofs(proofs: &Proofs) -> Result<(), Fault> {
    let invalid = |path, why: &str| Err(Fault::Invalid { path, why: why.to_owned() });
    let passwords = proofs.password.iter().chain(proofs.of_stations.iter().map(|(_, password)| password));
    for password in passwords {
        if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&password.expose().len()) {
            return invalid("/password", "16 to 64 characters");
        }
    }
    let Some((chain, key)) = &proofs.identity else { return Ok(()) };
    let sound = |pem: &str, what: &str| pem.contains(what) && pem.len() <= PEM_MAX;
    if !sound(chain, "-----BEGIN CERTIFICATE-----") {
        return invalid("/certificate", "a certificate chain in PEM");
    }
    if !sound(key.expose(), "PRIVATE KEY-----") {
        return invalid("/private_key", "a private key in PEM");
    }
    Ok(())
}

/// Until the CSMS has said how often it wants to hear.
const HEARTBEAT: Duration = Duration::from_secs(300);
/// As a person reads it in a table.
const ERROR_CHARACTERS_MAX: usize = 200;
/// OCPP 2.0.1 part 2, A00.FR.205 and the whitepaper for 1.6: 16 to 40 characters, some take 64.
const PASSWORD_MIN: usize = 16;
const PASSWORD_MAX: usize = 64;
