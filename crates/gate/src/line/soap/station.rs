//! The station's end: messages to its operator, and a server for the operator's orders.
//!
//! There is no line that could be up; a station counts it as up while its operator can be reached, and tries again by
//! the rules of [`Backoff`] when a message found nobody. Deliberately keeps nothing that could not be said. Invariant:
//! over TLS an order is taken only from the operator's own certificate, not from another station of the same
//! authority.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use charge::id::StationId;
use charge::talk::line::{FromStation, Heard, LineFault, Pole, Uplink, Version};
use charge::{Clock, Dice, Secret, Soon};
use http::StatusCode;
use http::header::HeaderValue;
use ocpp::soap::Trip;
use ocpp::soap::station::{Saying, Ticket};
use rustls::{ClientConfig, ServerConfig};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::callback::Callback;
use super::client::{NoResponse, Target};
use super::server::{Answer, Bound, Listening, Post, Serve};
use crate::line::backoff::Backoff;
use crate::line::limits::TalkLimits;
use crate::line::listen::ListenError;

/// The connections that an operator needs to one station.
const CONNECTIONS_MAX: usize = 8;

/// Which station, whom to call, where to be called.
#[derive(Clone)]
pub struct SoapDial {
    pub station: StationId,
    /// [`Version::S15`] or [`Version::S16`].
    pub version: Version,
    /// `https://csms.example:8443/ocpp/soap`. `http://` for laboratories.
    pub operator: String,
    /// With the station's certificate in it. Needed for `https://`.
    pub tls: Option<Arc<ClientConfig>>,
    pub basic: Option<(String, Secret<Vec<u8>>)>,
    /// Where orders are taken.
    pub listen: SocketAddr,
    /// With the authority of the operator's client certificate. `None` for laboratories.
    pub server_tls: Option<Arc<ServerConfig>>,
    /// The common name of the operator's client certificate; needed with `server_tls`.
    pub operator_name: Option<String>,
    /// How the operator reaches `listen`; `None` for that address itself.
    pub callback: Option<String>,
    pub backoff: Backoff,
    pub limits: TalkLimits,
}

/// Why a station did not start. For whoever configured it.
#[derive(Debug, thiserror::Error)]
pub enum SoapDialError {
    #[error("the address of the operator is no https:// or http:// URL with a host")]
    Address,
    #[error("https:// needs a TLS configuration")]
    NoTls,
    #[error("orders over TLS need the operator's name to be known")]
    NoOperator,
    #[error("this version is not spoken over SOAP")]
    Version,
    #[error("the user name of the password has a colon, or one of the values cannot stand in a header")]
    Credentials,
    #[error("{0}")]
    Listen(#[from] ListenError),
}

/// Starts a station's end. Must be called inside the async runtime.
pub fn station(
    dial: SoapDial,
    pole: Arc<dyn Pole>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
) -> Result<SoapStation, SoapDialError> {
    let operator = Callback::parse(&dial.operator).map_err(|_| SoapDialError::Address)?;
    if operator.encrypted && dial.tls.is_none() {
        return Err(SoapDialError::NoTls);
    }
    if dial.server_tls.is_some() && dial.operator_name.is_none() {
        return Err(SoapDialError::NoOperator);
    }
    if !matches!(dial.version, Version::S15 | Version::S16) {
        return Err(SoapDialError::Version);
    }
    let authorization = dial.basic.as_ref().map(authorization).transpose()?;
    let bound = Bound::at(dial.listen)?;
    let scheme = if dial.server_tls.is_some() { "https" } else { "http" };
    let from = dial.callback.clone().unwrap_or_else(|| format!("{scheme}://{}/", bound.local_addr));
    let (wish, state) = (watch::Sender::new(Wish::Up), watch::Sender::new(State::Down));
    let (desired, turn, server_tls) = (wish.subscribe(), Mutex::new(()), dial.server_tls.clone());
    let end = Arc::new(End { dial, operator, authorization, from, pole, clock, dice, wish, state, turn });
    let listening = bound.serve(server_tls, Arc::clone(&end) as Arc<dyn Serve>);
    let task = tokio::spawn(keep_up(Arc::clone(&end), desired));
    Ok(SoapStation { end, local_addr: listening.local_addr, listening: Some(listening), task: Some(task) })
}

fn authorization((user, password): &(String, Secret<Vec<u8>>)) -> Result<HeaderValue, SoapDialError> {
    if user.contains(':') {
        return Err(SoapDialError::Credentials);
    }
    let both = [user.as_bytes(), b":", password.expose().as_slice()].concat();
    let value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(both)));
    let mut value = value.map_err(|_| SoapDialError::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A station's end at work. Dropping it ends it.
pub struct SoapStation {
    end: Arc<End>,
    local_addr: SocketAddr,
    listening: Option<Listening>,
    task: Option<JoinHandle<()>>,
}

impl SoapStation {
    /// The way to the operator.
    pub fn uplink(&self) -> Arc<dyn Uplink> {
        Arc::clone(&self.end) as Arc<dyn Uplink>
    }

    /// Where orders are taken.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Finishes what is under way, and is silent from then on.
    pub async fn stop(mut self) {
        self.end.wish.send_replace(Wish::Stopped);
        if let Some(task) = self.task.take() {
            // a panic of the pole was reported when it happened
            let _ended = task.await;
        }
        if let Some(listening) = self.listening.take() {
            listening.stop().await;
        }
    }

    /// A simulated outage: nothing goes out and nothing is answered until [`Self::restore_line`].
    pub fn drop_line(&self) {
        self.end.wish.send_replace(Wish::Cut);
    }

    /// The simulated outage is over.
    pub fn restore_line(&self) {
        self.end.wish.send_replace(Wish::Up);
    }
}

impl Drop for SoapStation {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Up,
    Cut,
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Down,
}

struct End {
    dial: SoapDial,
    operator: Callback,
    authorization: Option<HeaderValue>,
    /// How the operator reaches this station.
    from: String,
    pole: Arc<dyn Pole>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    wish: watch::Sender<Wish>,
    state: watch::Sender<State>,
    /// One message is under way at a time.
    turn: Mutex<()>,
}

impl End {
    fn target(&self) -> Target<'_> {
        Target {
            address: &self.operator,
            tls: self.dial.tls.as_ref(),
            expects: None,
            authorization: self.authorization.as_ref(),
        }
    }

    fn is_up(&self) -> bool {
        *self.state.borrow() == State::Up && *self.wish.borrow() == Wish::Up
    }

    async fn exchange(&self, said: &FromStation) -> Result<Heard, LineFault> {
        let _turn = self.turn.lock().await;
        if !self.is_up() {
            return Err(LineFault::NotConnected);
        }
        let trip = Trip { message_id: self.dice.uuid(), to: self.dial.operator.clone(), from: self.from.clone() };
        let station = self.dial.station.as_str();
        let saying = Saying::write(self.dial.version, station, said, &trip, self.clock.now())?;
        let limits = ocpp::soap::Limits::default();
        let response = match self.target().post(saying.action(), saying.body(), limits.bytes_max).await {
            Ok(response) => response,
            Err(why) => {
                tracing::debug!(%station, %why, "a message did not arrive");
                self.state.send_replace(State::Down);
                return Err(match why {
                    NoResponse::Unreached(_) => LineFault::NotConnected,
                    NoResponse::Lost => LineFault::Lost,
                    NoResponse::TooLong => LineFault::Unreadable(why.to_string().into()),
                });
            }
        };
        if response.status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(LineFault::Overloaded);
        }
        saying.heard(&response.body, &limits, self.clock.now())
    }
}

impl Uplink for End {
    fn say(&self, said: FromStation) -> Soon<'_, Result<Heard, LineFault>> {
        Box::pin(async move {
            let said = timeout(self.dial.limits.order_time_max, self.exchange(&said)).await;
            said.unwrap_or(Err(LineFault::TimedOut))
        })
    }
}

impl Serve for End {
    fn post(&self, post: Post) -> Soon<'_, Answer> {
        Box::pin(async move {
            if *self.wish.borrow() != Wish::Up {
                return Answer::Status(StatusCode::SERVICE_UNAVAILABLE);
            }
            let name = post.certificate.as_ref().map(|certificate| certificate.common_name.as_str());
            if post.encrypted && (name.is_none() || name != self.dial.operator_name.as_deref()) {
                return Answer::Status(StatusCode::FORBIDDEN);
            }
            let (station, version) = (self.dial.station.as_str(), self.dial.version);
            let limits = ocpp::soap::Limits::default();
            match Ticket::read(&post.body, &limits, version, station, &self.dice.uuid(), self.clock.now()) {
                Ok((order, ticket)) => {
                    let answer = self.pole.told(order).await;
                    Answer::Soap(ticket.answer(&self.dice.uuid(), &answer))
                }
                Err(refused) => Answer::Soap(refused.reply),
            }
        })
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn bytes_max(&self) -> usize {
        ocpp::soap::Limits::default().bytes_max
    }

    fn connections_max(&self) -> usize {
        CONNECTIONS_MAX
    }
}

async fn keep_up(end: Arc<End>, mut wish: watch::Receiver<Wish>) {
    let mut state = end.state.subscribe();
    let mut tries = 0;
    loop {
        // the sender lives in the end that this task holds
        let wanted = wish.wait_for(|wish| *wish != Wish::Cut).await.map_or(Wish::Stopped, |wish| *wish);
        if wanted == Wish::Stopped {
            return;
        }
        let target = end.target();
        let reached = tokio::select! {
            reached = target.reach() => reached,
            _changed = wish.wait_for(|wish| *wish != Wish::Up) => continue,
        };
        match reached {
            Ok(probe) => {
                drop(probe);
                tries = 0;
                end.state.send_replace(State::Up);
                end.pole.line_up(end.dial.version);
                let why = tokio::select! {
                    _lost = state.wait_for(|state| *state == State::Down) => "the operator was not reached",
                    _changed = wish.wait_for(|wish| *wish != Wish::Up) => "the line was cut",
                };
                end.state.send_replace(State::Down);
                end.pole.line_down(why);
            }
            Err(why) => tracing::debug!(%why, tries, "the operator was not reached"),
        }
        let wait = end.dial.backoff.wait(tries, &*end.dice);
        tries = tries.saturating_add(1);
        // a changed wish ends the waiting: an outage that begins, one that is over, or the end
        let _changed = timeout(wait, wish.changed()).await;
    }
}
