//! The operator's listener: accepts connections, bounds them, and offers the line to the stations behind them.
//!
//! What happens to one connection is [`super::welcome`]'s. Here are the sockets that are listened on, the order in
//! which they stop, and [`Line`], which finds a station's connection. Several listeners of one server (TLS, and plain
//! for stations with a `danger_` permission) share one registry: a station has one connection, however it came in.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use charge::id::StationId;
use charge::talk::line::{Desk, Line, LineFault, StationAnswer, ToStation};
use charge::{Clock, Dice, Soon};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::end::Ending;
use super::figures::{Counts, Figures};
use super::limits::{ACCEPT_PAUSE, Options, REFUSAL_LOG_EVERY, REFUSALS_LOGGED_AT_ONCE, STOP_TIME_MAX};
use super::pace::{Pace, Rate};
use super::registry::Registry;
use super::sources::Sources;
use super::welcome::{Standing, welcome};

/// Connections that the kernel holds for us while all handshake places are taken.
const BACKLOG: u32 = 4096;

/// Why a listener did not start. For whoever runs this machine.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("{0} is in use by another process; stop that one or choose another port")]
    InUse(SocketAddr),
    #[error("this user may not listen on {0}; ports below 1024 need a permission")]
    NotPermitted(SocketAddr),
    #[error("this machine has no address {0}")]
    NoSuchAddress(SocketAddr),
    #[error("cannot listen on {address}")]
    Socket {
        address: SocketAddr,
        #[source]
        why: io::Error,
    },
}

/// Listens for stations over TLS. Must be called inside the async runtime.
///
/// `tls` may ask for client certificates (security profile 3) but must not insist, because stations of profile 2
/// come in through the same port; the desk judges what was shown.
pub fn listen(
    addr: SocketAddr,
    tls: Arc<ServerConfig>,
    desk: Arc<dyn Desk>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    options: Options,
) -> Result<LineServer, ListenError> {
    let mut server = LineServer::new(addr, House::new(desk, clock, dice, options));
    server.local_addr = server.open(addr, Some(TlsAcceptor::from(tls)))?;
    Ok(server)
}

/// Listens for stations without TLS, for isolated networks and laboratories. The desk sees `encrypted: false` and
/// refuses every station that has no `danger_` permission for it.
pub fn listen_plain(
    addr: SocketAddr,
    desk: Arc<dyn Desk>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    options: Options,
) -> Result<LineServer, ListenError> {
    let mut server = LineServer::new(addr, House::new(desk, clock, dice, options));
    server.local_addr = server.open_plain(addr)?;
    Ok(server)
}

/// A running listener. Dropping it ends everything at once; [`LineServer::stop`] says goodbye first.
pub struct LineServer {
    house: Arc<House>,
    local_addr: SocketAddr,
    stopping: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

impl LineServer {
    fn new(addr: SocketAddr, house: House) -> Self {
        Self { house: Arc::new(house), local_addr: addr, stopping: watch::Sender::new(false), listeners: Vec::new() }
    }

    /// Where it listens; with the real port where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Opens a second way in, without TLS, to the same desk and the same registry.
    pub fn open_plain(&mut self, addr: SocketAddr) -> Result<SocketAddr, ListenError> {
        self.open(addr, None)
    }

    /// The way to the stations that are connected.
    pub fn line(&self) -> Arc<dyn Line> {
        Arc::new(Stations(Arc::clone(&self.house)))
    }

    pub fn figures(&self) -> Figures {
        self.house.figures()
    }

    /// Reads the figures for as long as anybody wants them, also after the listener has ended.
    pub fn gauge(&self) -> Box<dyn Fn() -> Figures + Send + Sync> {
        let house = Arc::clone(&self.house);
        Box::new(move || house.figures())
    }

    /// Stops listening, says goodbye to every station (close code 1001), and returns when all have ended.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        self.house.registry.stop();
        for listener in std::mem::take(&mut self.listeners) {
            // a panic of a listener was reported when it happened
            let _ended = listener.await;
        }
    }

    fn open(&mut self, addr: SocketAddr, tls: Option<TlsAcceptor>) -> Result<SocketAddr, ListenError> {
        let failed = |why: io::Error| match why.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(addr),
            io::ErrorKind::PermissionDenied => ListenError::NotPermitted(addr),
            io::ErrorKind::AddrNotAvailable => ListenError::NoSuchAddress(addr),
            _ => ListenError::Socket { address: addr, why },
        };
        let listener = bind(addr).map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let door = Arc::new(Door { house: Arc::clone(&self.house), tls, stopping: self.stopping.subscribe() });
        self.listeners.push(tokio::spawn(accept_all(listener, door)));
        Ok(local_addr)
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

/// What all listeners of one server share.
pub(super) struct House {
    pub desk: Arc<dyn Desk>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub options: Options,
    pub registry: Arc<Registry>,
    pub counts: Counts,
    /// Bounds what strangers can write into the log.
    refusal_log: Mutex<Pace>,
    handshakes: Arc<Semaphore>,
    sources: Arc<Sources>,
}

impl House {
    fn figures(&self) -> Figures {
        self.counts.figures(self.registry.len())
    }

    fn new(desk: Arc<dyn Desk>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>, options: Options) -> Self {
        Self {
            desk,
            clock,
            dice,
            registry: Arc::default(),
            counts: Counts::default(),
            refusal_log: Mutex::new(Pace::new(Instant::now())),
            handshakes: Arc::new(Semaphore::new(options.handshakes_max)),
            sources: Arc::new(Sources::new(options.handshakes_max.div_ceil(2))),
            options,
        }
    }

    /// May one more refusal be logged?
    pub fn may_log_refusal(&self) -> bool {
        let rate = Rate { every: REFUSAL_LOG_EVERY, at_once: REFUSALS_LOGGED_AT_ONCE };
        let now = Instant::now();
        let mut pace = self.refusal_log.lock().unwrap_or_else(PoisonError::into_inner);
        let may = pace.welcome_at(now, rate).is_none();
        if may {
            pace.spend(now, rate);
        }
        may
    }
}

/// One listening socket's part of the house.
pub(super) struct Door {
    pub house: Arc<House>,
    pub tls: Option<TlsAcceptor>,
    stopping: watch::Receiver<bool>,
}

impl Door {
    /// Ends when the server begins to stop.
    pub async fn stopping(&self) {
        let mut stopping = self.stopping.clone();
        // an error means that the server was dropped: that is stopping, too
        let _dropped = stopping.wait_for(|stops| *stops).await;
    }
}

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // a restarted server gets its port back at once; two servers on one port still exclude each other
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

async fn accept_all(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(&listener, &door) => {
                if let Some((tcp, peer, standing)) = accepted {
                    connections.spawn(welcome(Arc::clone(&door), tcp, peer, standing));
                }
            }
            Some(ended) = connections.join_next() => report(&door.house.counts, ended),
            () = door.stopping() => break,
        }
    }
    drop(listener);
    let all_ended = async {
        while let Some(ended) = connections.join_next().await {
            report(&door.house.counts, ended);
        }
    };
    if timeout(STOP_TIME_MAX, all_ended).await.is_err() {
        tracing::warn!("some stations' connections did not end in time and are dropped");
    }
}

/// The next connection, once there is a handshake place for it. `None` where it could not be taken.
async fn accept(listener: &TcpListener, door: &Arc<Door>) -> Option<(TcpStream, SocketAddr, Standing)> {
    let house = &door.house;
    let place = Arc::clone(&house.handshakes).acquire_owned().await.ok()?;
    let (tcp, peer) = match listener.accept().await {
        Ok(accepted) => accepted,
        Err(why) => {
            tracing::error!(%why, "no connection can be accepted; look at the limit of file descriptors");
            sleep(ACCEPT_PAUSE).await;
            return None;
        }
    };
    house.counts.accepted.add();
    let Some(source) = house.sources.enter(peer.ip()) else {
        house.counts.crowded_out.add();
        return None;
    };
    Some((tcp, peer, Standing::new(Arc::clone(house), place, source)))
}

fn report(counts: &Counts, ended: Result<(), tokio::task::JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        counts.panics.add();
        tracing::error!("a station's connection ended by a fault of this program");
    }
}

/// [`Line`] over the registry.
struct Stations(Arc<House>);

impl Line for Stations {
    fn tell(&self, station: &StationId, order: ToStation) -> Soon<'_, Result<StationAnswer, LineFault>> {
        let posted = match self.0.registry.seat(station) {
            Some(seat) => seat.orders.post(order),
            None => Err(LineFault::NotConnected),
        };
        let patience = self.0.options.talk.order_time_max;
        Box::pin(async move {
            match timeout(patience, posted?).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_dropped)) => Err(LineFault::Lost),
                Err(_elapsed) => Err(LineFault::TimedOut),
            }
        })
    }

    fn connected(&self, station: &StationId) -> bool {
        self.0.registry.seat(station).is_some_and(|seat| !seat.orders.is_closed())
    }

    fn hang_up(&self, station: &StationId, why: &str) {
        if let Some(seat) = self.0.registry.seat(station) {
            seat.orders.close(Ending::HungUp(why.into()));
        }
    }
}
