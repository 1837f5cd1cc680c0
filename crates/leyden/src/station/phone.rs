//! A virtual station's line, and what moves it: a new password or certificate (A01, A02), a network profile after a
//! restart (B10, A05), the operator's wishes for the waits between two tries, and outages of a scenario.
//!
//! The station decides what it dials with; this file only dials. SOAP has no connection to move: such a station keeps
//! the address and the credentials that it was given. Invariant: what replaces a connection waits until the answer to
//! the order that brought it is out.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::document::Document;
use charge::talk::line::model::{ModelOrder, Network};
use charge::talk::line::{Distrust, Pole, StationAnswer, ToStation, Uplink, Version};
use charge::{Clock, Secret, Soon};
use gate::line::soap::{SoapDial, SoapStation};
use gate::line::{Backoff, Dial, Dialled, TalkLimits, Wire, dial_through, station_url};
use serde_json::{Value, json};
use station::{Patience, VirtualStation};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use trust::dice::SystemDice;
use trust::pki::Identity;

use crate::Failure;

/// In real time: an answer is on the wire by then.
const ANSWER_IS_OUT: Duration = Duration::from_millis(500);
/// The slot under which a station finds the connection it was installed with.
const INSTALLED: i32 = 1;

/// What a station was installed with.
#[derive(Clone)]
pub(super) struct Wish {
    pub(super) id: StationId,
    pub(super) version: Version,
    /// Without the identity.
    pub(super) url: String,
    /// PEM; installed roots of operators come on top.
    pub(super) roots: Option<PathBuf>,
    pub(super) identity: Option<PathBuf>,
    pub(super) password: Option<Secret<String>>,
    /// The password is a key in hexadecimal, sent as raw bytes.
    pub(super) raw_password: bool,
    /// Instead of the address that the URL and the identity make.
    pub(super) odd_url: Option<String>,
    /// How many times faster than real the station lives.
    pub(super) speed: u32,
}

/// A station's line while it lives.
pub(super) struct Phone {
    line: Arc<Line>,
    keeper: Option<JoinHandle<()>>,
}

struct Line {
    end: End,
    station: Arc<VirtualStation>,
    wish: Wish,
    /// Which of the networks is dialled; none of them is the installed one.
    place: Mutex<Option<Network>>,
    secured: Arc<AtomicU8>,
    cut: AtomicBool,
    /// Restarts of the station that the line has followed.
    followed: watch::Sender<u32>,
}

enum End {
    WebSocket(Dialled),
    Soap(SoapStation),
}

impl Phone {
    /// Dials with what the station was installed with, or was told since.
    pub(super) async fn dial(
        wish: Wish,
        station: &Arc<VirtualStation>,
        pole: Arc<dyn Pole>,
        clock: Arc<dyn Clock>,
        wire: Option<Arc<dyn Wire>>,
    ) -> Result<Self, Failure> {
        let secured = Arc::new(AtomicU8::new(profile(&wish)));
        station.secured(profile(&wish));
        install(&wish, station).await?;
        // before the line is there: an order on it may come before the keeper's first look
        let news = News::of(station);
        let place = station.networks().into_iter().next().map(|(_, to)| to);
        let number = number(&wish, station, place.as_ref())?;
        let pole: Arc<dyn Pole> =
            Arc::new(Watched { inner: pole, station: Arc::clone(station), secured: Arc::clone(&secured) });
        let end = dial_through(number, pole, clock, Arc::new(SystemDice), wire);
        let end = End::WebSocket(end.map_err(|fault| Failure::plain(format!("{}: {fault}", wish.id)))?);
        let line = Arc::new(Line::new(end, station, wish, place, secured));
        let keeper = Some(tokio::spawn(keep(Arc::clone(&line), news)));
        Ok(Self { line, keeper })
    }

    /// A station that speaks SOAP.
    pub(super) fn serve(
        wish: Wish,
        dial: SoapDial,
        station: &Arc<VirtualStation>,
        pole: Arc<dyn Pole>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let end = gate::line::soap::station(dial, pole, clock, Arc::new(SystemDice));
        let end = End::Soap(end.map_err(|fault| Failure::plain(format!("{}: {fault}", wish.id)))?);
        let line = Arc::new(Line::new(end, station, wish, None, Arc::default()));
        let keeper = Some(tokio::spawn(follow(Arc::clone(&line))));
        Ok(Self { line, keeper })
    }

    pub(super) fn uplink(&self) -> Arc<dyn Uplink> {
        match &self.line.end {
            End::WebSocket(end) => end.uplink(),
            End::Soap(end) => end.uplink(),
        }
    }

    /// An outage begins.
    pub(super) fn cut(&self) {
        self.line.cut.store(true, Ordering::SeqCst);
        self.line.sever();
    }

    /// It is over.
    pub(super) fn restore(&self) {
        self.line.cut.store(false, Ordering::SeqCst);
        self.line.restore();
    }

    /// The power fails and comes back: the line is gone without a goodbye, and is dialled anew.
    pub(super) async fn power_loss(&self) -> Result<(), String> {
        let mut followed = self.line.followed.subscribe();
        self.line.sever();
        self.line.station.power_cycle().await.map_err(|fault| fault.to_string())?;
        let starts = *self.line.station.starts().borrow();
        // the sender lives in the line that this holds
        let _followed = followed.wait_for(|followed| *followed >= starts).await;
        Ok(())
    }

    pub(super) async fn stop(mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
            let _ended = keeper.await;
        }
        match Arc::into_inner(self.line).map(|line| line.end) {
            Some(End::WebSocket(end)) => end.stop().await,
            Some(End::Soap(end)) => end.stop().await,
            None => {}
        }
    }
}

impl Line {
    fn new(
        end: End,
        station: &Arc<VirtualStation>,
        wish: Wish,
        place: Option<Network>,
        secured: Arc<AtomicU8>,
    ) -> Self {
        let followed = watch::Sender::new(*station.starts().borrow());
        let (station, place) = (Arc::clone(station), Mutex::new(place));
        Self { end, station, wish, place, secured, cut: AtomicBool::new(false), followed }
    }

    fn sever(&self) {
        match &self.end {
            End::WebSocket(end) => end.drop_line(),
            End::Soap(end) => end.drop_line(),
        }
    }

    fn restore(&self) {
        if self.cut.load(Ordering::SeqCst) {
            return;
        }
        match &self.end {
            End::WebSocket(end) => end.restore_line(),
            End::Soap(end) => end.restore_line(),
        }
    }

    /// Dials with what the station has now.
    fn redial(&self, end: &Dialled) {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = match number(&self.wish, &self.station, place.as_ref()) {
            Ok(number) => {
                let profile = place.as_ref().map_or_else(|| profile(&self.wish), |place| place.security_profile);
                self.secured.store(profile, Ordering::SeqCst);
                end.redial(number).err().map(|fault| fault.to_string())
            }
            Err(fault) => Some(fault.to_string()),
        };
        if let Some(fault) = fault {
            tracing::warn!(station = %self.wish.id, %fault, "a station cannot dial as it was told to");
        }
    }

    /// The first of the networks after a restart (B10.FR.04, A05.FR.05).
    fn restarted(&self, end: &Dialled) {
        let first = self.station.networks().into_iter().next().map(|(_, to)| to);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = first;
        // B10.FR.06: first the old line ends
        self.sever();
        self.redial(end);
        self.restore();
    }

    /// The next of the networks, where there is another (B10.FR.03, B10.FR.08).
    fn next(&self, end: &Dialled) {
        let networks: Vec<Network> = self.station.networks().into_iter().map(|(_, to)| to).collect();
        if networks.len() < 2 {
            return;
        }
        {
            let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
            let at = networks.iter().position(|to| Some(to) == place.as_ref());
            *place = networks.get(at.map_or(0, |at| (at + 1) % networks.len())).cloned();
        }
        self.redial(end);
    }
}

/// What moves the line of a station.
struct News {
    password: watch::Receiver<Option<Secret<Box<str>>>>,
    identity: watch::Receiver<Option<Arc<Identity>>>,
    starts: watch::Receiver<u32>,
    patience: watch::Receiver<Patience>,
    redials: watch::Receiver<u32>,
}

impl News {
    fn of(station: &VirtualStation) -> Self {
        Self {
            password: station.password(),
            identity: station.identity(),
            starts: station.starts(),
            patience: station.patience(),
            redials: station.redials(),
        }
    }
}

/// Follows the station for as long as it lives.
async fn keep(line: Arc<Line>, news: News) {
    let End::WebSocket(end) = &line.end else { return };
    let News { mut password, mut identity, mut starts, mut patience, mut redials } = news;
    let mut in_vain = end.in_vain();
    loop {
        let profile = line.secured.load(Ordering::SeqCst);
        tokio::select! {
            Ok(()) = password.changed() => {
                // of no use to profile 3, as a certificate is to the others
                if matches!(profile, 1 | 2) {
                    tokio::time::sleep(ANSWER_IS_OUT).await;
                    line.redial(end);
                }
            }
            // A02.FR.08
            Ok(()) = identity.changed() => {
                if profile == 3 {
                    tokio::time::sleep(ANSWER_IS_OUT).await;
                    line.redial(end);
                }
            }
            Ok(()) = starts.changed() => {
                let followed = *starts.borrow_and_update();
                line.restarted(end);
                line.followed.send_replace(followed);
            }
            // ocpp-1.6-security A05.FR.06, A05.FR.07
            Ok(()) = redials.changed() => {
                redials.borrow_and_update();
                tokio::time::sleep(ANSWER_IS_OUT).await;
                line.restarted(end);
            }
            Ok(()) = patience.changed() => {
                let patience = *patience.borrow_and_update();
                end.pace(backoff(&line.wish, patience));
            }
            Ok(()) = in_vain.changed() => {
                let tries = *in_vain.borrow_and_update();
                if tries > 0 && tries >= patience.borrow().attempts {
                    line.next(end);
                }
            }
            else => return,
        }
    }
}

/// The same for SOAP: only a loss of power moves it.
async fn follow(line: Arc<Line>) {
    let mut starts = line.station.starts();
    while starts.changed().await.is_ok() {
        let followed = *starts.borrow_and_update();
        line.sever();
        line.restore();
        line.followed.send_replace(followed);
    }
}

/// The security profile of what the station was installed with.
fn profile(wish: &Wish) -> u8 {
    match (wish.url.starts_with("wss://") || wish.url.starts_with("https://"), &wish.identity, &wish.password) {
        (true, Some(_), _) => 3,
        (true, None, _) => 2,
        (false, _, Some(_)) => 1,
        (false, _, None) => 0,
    }
}

/// The station knows the connection that it was installed with, so that it can come back to it.
async fn install(wish: &Wish, station: &VirtualStation) -> Result<(), Failure> {
    let more = json!({ "ocppInterface": "Wired0", "ocppTransport": "JSON", "messageTimeout": 30 }).to_string();
    let to = Network { url: wish.url.as_str().into(), security_profile: profile(wish), more: Document::new(more) };
    match station.told(ToStation::Model(ModelOrder::Network { slot: INSTALLED, to })).await {
        StationAnswer::Accepted => Ok(()),
        _refused => Err(Failure::misuse(format!("{}: {} is no address of a line", wish.id, wish.url))),
    }
}

/// What is dialled for one of the networks, or for what the station was installed with.
fn number(wish: &Wish, station: &VirtualStation, place: Option<&Network>) -> Result<Dial, Failure> {
    let own = Network { url: wish.url.as_str().into(), security_profile: profile(wish), more: Document::new("{}") };
    let to = place.unwrap_or(&own);
    // 2.1 lets a profile bring its own identity and password
    let more: Value = serde_json::from_str(to.more.as_str()).unwrap_or_default();
    let told = |name: &str| more.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = match told("identity") {
        Some(id) => StationId::new(id).map_err(|fault| Failure::plain(format!("{}: identity {fault}", wish.id)))?,
        None => wish.id.clone(),
    };
    let set = || station.password().borrow().as_ref().map(|password| Secret::new(password.expose().to_string()));
    let password = told("basicAuthPassword").map(Secret::new).or_else(set).or_else(|| wish.password.clone());
    let basic = password.filter(|_| matches!(to.security_profile, 1 | 2)).map(|password| {
        let text = password.expose();
        let raw = wish.raw_password.then(|| trust::hex::decode(text.as_bytes())).flatten();
        (id.to_string(), Secret::new(raw.unwrap_or_else(|| text.clone().into_bytes())))
    });
    let tls = to.url.starts_with("wss://").then(|| tls(wish, station, to.security_profile)).transpose()?;
    let url = wish.odd_url.clone().filter(|_| to.url == own.url).unwrap_or_else(|| address(&to.url, &id));
    let backoff = backoff(wish, *station.patience().borrow());
    Ok(Dial { url, tls, basic, offer: vec![wish.version], backoff, limits: TalkLimits::default() })
}

/// The certificate that the operator signed last, or the installed one; only profile 3 shows it.
fn tls(wish: &Wish, station: &VirtualStation, profile: u8) -> Result<Arc<rustls::ClientConfig>, Failure> {
    let fault = |fault: &dyn std::fmt::Display| Failure::plain(format!("{}: {fault}", wish.id));
    let mut pem = station.operator_roots();
    match wish.roots.as_deref() {
        Some(roots) => {
            let built_in = std::fs::read_to_string(roots).map_err(|fault| Failure::io(roots, &fault))?;
            pem = format!("{built_in}\n{pem}");
        }
        None if pem.is_empty() => {
            return Err(Failure::misuse("wss:// needs --roots FILE, the authorities to trust"));
        }
        None => {}
    }
    let signed = station.identity().borrow().clone();
    let installed = || wish.identity.as_deref().map(Identity::read).transpose();
    let identity = match signed {
        Some(signed) => Some(Identity { chain_pem: signed.chain_pem.clone(), key_pem: signed.key_pem.clone() }),
        None => installed().map_err(|f| fault(&f))?,
    };
    let identity = identity.filter(|_| profile == 3);
    trust::tls::client(&pem, identity.as_ref(), &[]).map(Arc::new).map_err(|f| fault(&f))
}

/// `ocppCsmsUrl` and the identity as its last segment (part 4, 3.1.1); an address without a path gets the usual one.
pub(super) fn address(url: &str, id: &StationId) -> String {
    let bare = url.trim_end_matches('/');
    let path = bare.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    let whole = station_url("", id);
    if path { format!("{bare}/{}", whole.trim_start_matches("/ocpp/")) } else { format!("{bare}{whole}") }
}

/// `RetryBackOff*` of 2.x in real time; 1.6 has no such keys.
fn backoff(wish: &Wish, patience: Patience) -> Backoff {
    let usual = Backoff::default();
    let (min, random, doublings) = if wish.version.is_2() {
        (patience.least, patience.random, patience.doublings)
    } else {
        (usual.min, usual.random, usual.doublings)
    };
    Backoff { min: min / wish.speed, random: random / wish.speed, doublings }
}

/// Tells the station with which security profile its connection stands.
struct Watched {
    inner: Arc<dyn Pole>,
    station: Arc<VirtualStation>,
    secured: Arc<AtomicU8>,
}

impl Pole for Watched {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        self.inner.told(order)
    }

    fn line_up(&self, version: Version) {
        self.station.secured(self.secured.load(Ordering::SeqCst));
        self.inner.line_up(version);
    }

    fn line_down(&self, why: &str) {
        self.inner.line_down(why);
    }

    fn distrusted(&self, of: Distrust) {
        self.inner.distrusted(of);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_identity_is_the_last_segment_of_the_address() {
        let id = StationId::new("LEY 1").unwrap();
        for (url, whole) in [
            ("wss://csms.example", "wss://csms.example/ocpp/LEY%201"),
            ("wss://csms.example:9000/", "wss://csms.example:9000/ocpp/LEY%201"),
            ("ws://csms.example/ocpp", "ws://csms.example/ocpp/LEY%201"),
            ("ws://csms.example/a/b/", "ws://csms.example/a/b/LEY%201"),
        ] {
            assert_eq!(address(url, &id), whole);
        }
    }
}
