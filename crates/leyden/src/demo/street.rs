//! The virtual stations of the demo: each dials its operator over mutual TLS, as a real one would.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use charge::id::{EvseId, EvseNo, EvseUid, LocationId, MeterSerial};
use charge::talk::line::{BayState, Pole, Uplink, Version};
use charge::{Clock, Secret, SystemClock};
use gate::line::soap::{SoapDial, SoapStation};
use gate::line::{Backoff, Dial, Dialled, TalkLimits, dial, station_url};
use station::VirtualStation;
use station::car::Inlet;
use station::journal::Journal;
use station::plan::{EvsePlan, Plan};
use store::Store;
use tokio::task::JoinHandle;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::{ClientCertificates, Trusted};

use super::OPERATOR;
use super::settle::Folder;
use super::world::{self, World};
use crate::{Failure, config};

/// For as long as a demo runs; a new one is made at every start.
const CALLBACK_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// A machine that is busy building may take a while to shake forty hands.
const CONNECTED_WITHIN: Duration = Duration::from_secs(60);

/// All stations with their lines.
pub(crate) struct Street {
    pub(crate) stations: Vec<Standing>,
    journal: Store,
}

/// A station that stands in the street.
pub(crate) struct Standing {
    pub(crate) id: String,
    pub(crate) station: Arc<VirtualStation>,
    pub(crate) location: LocationId,
    pub(crate) bays: Vec<Bay>,
    line: Line,
    talk: JoinHandle<()>,
}

/// A station's line: a WebSocket, or messages in both directions.
enum Line {
    WebSocket(Dialled),
    Soap(SoapStation),
}

/// One EVSE, which one car at a time can take.
pub(crate) struct Bay {
    pub(crate) no: EvseNo,
    pub(crate) uid: EvseUid,
    /// As it stands on the station and on the page.
    pub(crate) evse_id: EvseId,
    pub(crate) fast: bool,
    taken: AtomicBool,
}

/// A bay that a driver has taken; free again when dropped.
pub(crate) struct Place<'s> {
    pub(crate) standing: &'s Standing,
    pub(crate) bay: &'s Bay,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.bay.taken.store(false, Ordering::SeqCst);
    }
}

impl Bay {
    /// Keeps a bay from all who search for a free one, for as long as the street stands.
    pub(crate) fn keep(&self) {
        self.taken.store(true, Ordering::SeqCst);
    }

    pub(crate) const fn inlet(&self) -> Inlet {
        if self.fast { Inlet::Dc } else { Inlet::ThreePhase }
    }
}

impl Street {
    pub(crate) async fn open(
        world: &World,
        folder: &Folder,
        line: std::net::SocketAddr,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let file = folder.0.join("stations").join("journal.sqlite");
        let journal = Store::open(&file, store::Options::default(), station::MIGRATIONS);
        let journal = journal.map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))?;
        let mut stations = Vec::new();
        for wish in &world.stations {
            stations.push(stand(wish, folder, line, clock, &journal).await?);
        }
        Ok(Self { stations, journal })
    }

    /// Waits until every station is on the line and admitted.
    pub(crate) async fn all_connected(&self) -> Result<(), Failure> {
        let all = async {
            for standing in &self.stations {
                // an error means that the station is gone, and then the wait below ends the start
                if standing.station.watch().wait_for(|view| view.line.is_some() && view.admitted).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(CONNECTED_WITHIN, all).await.map_err(|_| {
            let on_line = |standing: &&Standing| !standing.station.watch().borrow().admitted;
            let missing: Vec<&str> =
                self.stations.iter().filter(on_line).map(|standing| standing.id.as_str()).collect();
            Failure::plain(format!(
                "these stations did not get on the line within {} s: {}",
                CONNECTED_WITHIN.as_secs(),
                missing.join(", ")
            ))
        })
    }

    /// Takes a free bay that the operator would let somebody use, beginning the search at a random one.
    pub(crate) fn take(&self, start: usize, fast: Option<bool>) -> Option<Place<'_>> {
        let count = self.stations.len();
        (0..count).map(|step| &self.stations[(start + step) % count.max(1)]).find_map(|standing| {
            let view = standing.station.watch().borrow().clone();
            let free = |bay: &&Bay| {
                let shown = view.bays.iter().find(|shown| shown.evse == bay.no).map(|shown| shown.shown);
                shown == Some(BayState::Available) && fast.is_none_or(|fast| fast == bay.fast)
            };
            let mut bays = standing.bays.iter().filter(free);
            let bay = bays.find(|bay| !bay.taken.swap(true, Ordering::SeqCst))?;
            Some(Place { standing, bay })
        })
    }

    pub(crate) async fn close(self) {
        for standing in self.stations {
            match standing.line {
                Line::WebSocket(line) => line.stop().await,
                Line::Soap(line) => line.stop().await,
            }
            standing.talk.abort();
        }
        self.journal.close().await;
    }
}

impl Standing {
    /// A simulated outage of the line.
    pub(crate) fn cut(&self) {
        match &self.line {
            Line::WebSocket(line) => line.drop_line(),
            Line::Soap(line) => line.drop_line(),
        }
    }

    pub(crate) fn restore(&self) {
        match &self.line {
            Line::WebSocket(line) => line.restore_line(),
            Line::Soap(line) => line.restore_line(),
        }
    }
}

async fn stand(
    wish: &world::Station,
    folder: &Folder,
    line: std::net::SocketAddr,
    clock: &Arc<dyn Clock>,
    journal: &Store,
) -> Result<Standing, Failure> {
    let mut keys = Vec::new();
    let mut evses = Vec::new();
    let mut bays = Vec::new();
    for (no, evse) in (1u16..).zip(&wish.evses) {
        let key = folder.meter_key(wish.id.as_str(), usize::from(no))?;
        keys.push(key.to_pkcs8_der().map_err(|fault| Failure::plain(fault.to_string()))?);
        let (Some(evse_id), Some(connector), Some(no)) = (&evse.id, evse.connectors.first(), EvseNo::new(no)) else {
            return Err(Failure::plain(format!("{} has an EVSE without id or connector", wish.id)));
        };
        let meter = MeterSerial::new(format!("{}-M{no}", wish.serial));
        evses.push(EvsePlan {
            evse_id: evse_id.clone(),
            meter: meter.map_err(|fault| Failure::plain(format!("{}: meter serial {fault}", wish.id)))?,
            max_power: connector.max_power,
            current: connector.current,
        });
        bays.push(Bay {
            no,
            uid: evse.uid.clone(),
            evse_id: evse_id.clone(),
            fast: wish.fast,
            taken: AtomicBool::new(false),
        });
    }
    let plan = Plan {
        id: wish.id.clone(),
        prefers: wish.version,
        vendor: "Leyden".to_owned(),
        model: if wish.fast { "Jar 150".to_owned() } else { "Jar 22".to_owned() },
        serial: wish.serial.clone(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        evses,
    };
    let journal = Journal::new(journal.clone(), wish.id.clone());
    let station = switch_on(plan, &keys, journal, clock).await?;
    let tls = client_tls(&folder.0.join("pki/root.pem"), Some(&folder.identity(wish.id.as_str())))?;
    let (line, talk) = match wish.version {
        Version::S15 | Version::S16 => speak_soap(&station, wish, folder, tls, clock)?,
        Version::V16 | Version::V201 | Version::V21 => {
            let url = station_url(&format!("wss://localhost:{}", line.port()), &wish.id);
            let (line, talk) = connect(&station, url, tls, None, vec![wish.version], clock)?;
            (Line::WebSocket(line), talk)
        }
    };
    Ok(Standing { id: wish.id.to_string(), station, location: wish.location.clone(), bays, line, talk })
}

pub(crate) async fn switch_on(
    plan: Plan,
    keys: &[Secret<Vec<u8>>],
    journal: Journal,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<VirtualStation>, Failure> {
    let id = plan.id.clone();
    let started = VirtualStation::start(plan, keys, journal, Arc::clone(clock), Arc::new(SystemDice)).await;
    started.map_err(|fault| Failure::plain(format!("{id}: {fault}")))
}

/// The TLS of a station: trusts the network's authority, shows its certificate where it has one.
pub(crate) fn client_tls(roots: &Path, identity: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, Failure> {
    let pem = std::fs::read_to_string(roots).map_err(|fault| Failure::io(roots, &fault))?;
    let identity = identity.map(Identity::read).transpose().map_err(|fault| Failure::plain(fault.to_string()))?;
    let tls = trust::tls::client(&pem, identity.as_ref(), &[]);
    tls.map(Arc::new).map_err(|fault| Failure::plain(format!("{}: {fault}", roots.display())))
}

/// Dials and talks until the handle is aborted. A restart of the station drops its line, as losing power does.
pub(crate) fn connect(
    station: &Arc<VirtualStation>,
    url: String,
    tls: Arc<rustls::ClientConfig>,
    basic: Option<(String, Secret<Vec<u8>>)>,
    offer: Vec<charge::talk::line::Version>,
    clock: &Arc<dyn Clock>,
) -> Result<(Dialled, JoinHandle<()>), Failure> {
    let backoff = Backoff::default();
    let wish = Dial { url, tls: Some(tls), basic, offer, backoff, limits: TalkLimits::default() };
    let pole: Arc<dyn Pole> = Arc::clone(station) as Arc<dyn Pole>;
    let line =
        dial(wish, pole, Arc::clone(clock), Arc::new(SystemDice)).map_err(|fault| Failure::plain(fault.to_string()))?;
    let talk = speak(station, line.uplink());
    Ok((line, talk))
}

fn speak(station: &Arc<VirtualStation>, uplink: Arc<dyn Uplink>) -> JoinHandle<()> {
    let speaker = Arc::clone(station);
    tokio::spawn(async move {
        if let Err(fault) = speaker.run(uplink).await {
            tracing::error!(%fault, "a virtual station's journal failed");
        }
    })
}

/// The same without a connection: orders come to a server of the station's own, whose certificate names its serial
/// number as its client certificate does.
fn speak_soap(
    station: &Arc<VirtualStation>,
    wish: &world::Station,
    folder: &Folder,
    tls: Arc<rustls::ClientConfig>,
    clock: &Arc<dyn Clock>,
) -> Result<(Line, JoinHandle<()>), Failure> {
    let fault = |fault: &dyn std::fmt::Display| Failure::plain(format!("{}: {fault}", wish.id));
    let config = config::read(&folder.0.join("leyden.toml")).map_err(|f| fault(&f))?;
    let soap = config.operator.and_then(|operator| operator.soap).ok_or_else(|| fault(&"no [operator.soap]"))?;
    let authority = Identity::read(&folder.0.join("pki/stations-key.pem")).map_err(|f| fault(&f))?;
    let names = [wish.serial.clone(), "127.0.0.1".to_owned()];
    let own = Authority::load(&authority)
        .and_then(|authority| authority.server_certificate(&names, CALLBACK_LIFE, SystemClock.now(), &SystemDice))
        .map_err(|f| fault(&f))?;
    let roots = folder.0.join("pki/root.pem");
    let trusted = Trusted {
        roots_pem: std::fs::read_to_string(&roots).map_err(|f| Failure::io(&roots, &f))?,
        on_refused: Arc::new(|refused| tracing::warn!(%refused, "a certificate was refused by a station")),
    };
    let server = trust::tls::server(&own, ClientCertificates::Required(trusted), &[]).map_err(|f| fault(&f))?;
    let dial = SoapDial {
        station: wish.id.clone(),
        version: wish.version,
        operator: format!("https://localhost:{}{}", soap.listen.port(), gate::line::soap::PATH),
        tls: Some(tls),
        basic: None,
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        server_tls: Some(Arc::new(server)),
        operator_name: Some(OPERATOR.0.to_owned()),
        callback: None,
        backoff: Backoff::default(),
        limits: TalkLimits::default(),
    };
    let pole: Arc<dyn Pole> = Arc::clone(station) as Arc<dyn Pole>;
    let line = gate::line::soap::station(dial, pole, Arc::clone(clock), Arc::new(SystemDice)).map_err(|f| fault(&f))?;
    let talk = speak(station, line.uplink());
    Ok((Line::Soap(line), talk))
}
