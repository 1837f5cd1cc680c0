//! The operator's server for stations that speak SOAP.
//!
//! What happens to one message is [`super::exchange`]'s. Here are the sockets, what all exchanges share, and the
//! watch over silent stations. Invariant: a station that has been let in and is gone is told to the desk as gone.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::{Desk, Line};
use charge::{Clock, Dice, Soon};
use rustls::{ClientConfig, ServerConfig};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::PATH;
use super::callback::Listed;
use super::exchange::exchange;
use super::orders::Stations;
use super::seats::Seats;
use super::server::{Answer, Bound, Listening, Post, Serve};
use crate::line::limits::{REFUSAL_LOG_EVERY, REFUSALS_LOGGED_AT_ONCE, TRIES_AT_ONCE, TRY_EVERY, TalkLimits};
use crate::line::listen::ListenError;
use crate::line::pace::{Pace, Rate};
use crate::line::sources::Suspects;

/// Silent stations are looked for this often: far below any heartbeat.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// How stations that speak SOAP are served and called.
#[derive(Clone)]
pub struct SoapOptions {
    /// How stations reach this server, as in `https://csms.example:8443/ocpp/soap`; tells them who orders. `None` for
    /// the address that is listened on.
    pub address: Option<String>,
    /// With what stations are called: whom to trust there, and the certificate that proves the operator.
    pub client: Arc<ClientConfig>,
    /// Where stations may be called: origins such as `https://192.0.2.7:8443`. A station without one is called only
    /// at the network address that its messages come from.
    pub callbacks: Vec<(StationId, String)>,
    /// Bounds of one message.
    pub limits: ocpp::soap::Limits,
    /// Bounds of pace and patience.
    pub talk: TalkLimits,
    /// Open connections. Stations open one for each message and close it again.
    pub connections_max: usize,
}

impl SoapOptions {
    /// The usual bounds.
    pub fn new(client: Arc<ClientConfig>) -> Self {
        let (limits, talk) = (ocpp::soap::Limits::default(), TalkLimits::default());
        Self { address: None, client, callbacks: Vec::new(), limits, talk, connections_max: 4096 }
    }
}

/// Why the server did not start. For whoever configured it.
#[derive(Debug, thiserror::Error)]
pub enum SoapError {
    #[error("{0}")]
    Listen(#[from] ListenError),
    #[error("where stations may be called: {0}")]
    Callback(String),
}

/// Listens for messages of stations over TLS. Must be called inside the async runtime.
///
/// `tls` may ask for client certificates but need not insist: the desk judges what was shown.
pub fn listen(
    addr: SocketAddr,
    tls: Arc<ServerConfig>,
    desk: Arc<dyn Desk>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    options: SoapOptions,
) -> Result<SoapServer, SoapError> {
    let listed = Listed::of(&options.callbacks).map_err(SoapError::Callback)?;
    let bound = Bound::at(addr)?;
    let address = options.address.clone().unwrap_or_else(|| format!("https://{}{PATH}", bound.local_addr));
    let refusal_log = Mutex::new(Pace::new(Instant::now()));
    let (seats, suspects) = (Seats::default(), Suspects::new(Rate { every: TRY_EVERY, at_once: TRIES_AT_ONCE }));
    let house = Arc::new(House { desk, clock, dice, options, address, listed, seats, suspects, refusal_log });
    let listening = bound.serve(Some(tls), Arc::clone(&house) as Arc<dyn Serve>);
    let watch = tokio::spawn(watch(Arc::clone(&house)));
    let local_addr = listening.local_addr;
    Ok(SoapServer { house, local_addr, listening: vec![listening], watch })
}

/// A running server. Dropping it ends everything at once.
pub struct SoapServer {
    house: Arc<House>,
    local_addr: SocketAddr,
    listening: Vec<Listening>,
    watch: JoinHandle<()>,
}

impl SoapServer {
    /// Where it listens; with the real port where 0 was asked for.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Opens a second way in, without TLS, for stations with a `danger_` permission.
    pub fn open_plain(&mut self, addr: SocketAddr) -> Result<SocketAddr, ListenError> {
        let listening = Bound::at(addr)?.serve(None, Arc::clone(&self.house) as Arc<dyn Serve>);
        let local_addr = listening.local_addr;
        self.listening.push(listening);
        Ok(local_addr)
    }

    /// The way to the stations that have spoken lately.
    pub fn line(&self) -> Arc<dyn Line> {
        Arc::new(Stations(Arc::clone(&self.house)))
    }

    /// How many stations have spoken lately.
    pub fn stations(&self) -> usize {
        self.house.seats.len()
    }

    #[cfg(test)]
    pub(super) fn house(&self) -> &House {
        &self.house
    }

    /// Lets exchanges under way end, and tells the desk that the stations are gone.
    pub async fn stop(mut self) {
        for listening in std::mem::take(&mut self.listening) {
            listening.stop().await;
        }
        for (station, seat) in self.house.seats.take_all() {
            self.house.desk.left(&station, seat.connection, "this side stops").await;
        }
    }
}

impl Drop for SoapServer {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// What all exchanges share.
pub(super) struct House {
    pub desk: Arc<dyn Desk>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub options: SoapOptions,
    /// How stations reach this server.
    pub address: String,
    pub listed: Listed,
    pub seats: Seats,
    /// Bounds what those can cost who never prove themselves.
    pub suspects: Suspects,
    /// Bounds what strangers can write into the log.
    refusal_log: Mutex<Pace>,
}

impl House {
    pub fn note_refusal(&self, peer: SocketAddr, why: &str) {
        let rate = Rate { every: REFUSAL_LOG_EVERY, at_once: REFUSALS_LOGGED_AT_ONCE };
        let now = Instant::now();
        let mut pace = self.refusal_log.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.welcome_at(now, rate).is_none() {
            pace.spend(now, rate);
            tracing::info!(%peer, why, "a SOAP message was refused");
        }
    }

    /// Tells the desk of stations that have been silent for too long.
    pub async fn sweep(&self, now: Instant) {
        for (station, seat) in self.seats.take_silent(now) {
            self.desk.left(&station, seat.connection, "nothing was heard for three heartbeats").await;
        }
    }
}

impl Serve for House {
    fn post(&self, post: Post) -> Soon<'_, Answer> {
        Box::pin(exchange(self, post))
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn bytes_max(&self) -> usize {
        self.options.limits.bytes_max
    }

    fn connections_max(&self) -> usize {
        self.options.connections_max
    }
}

async fn watch(house: Arc<House>) {
    let mut bell = interval(WATCH_EVERY);
    bell.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = bell.tick().await;
        house.sweep(now).await;
    }
}
