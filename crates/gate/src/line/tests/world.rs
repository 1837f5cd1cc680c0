//! What every test of the line builds: two authorities, a desk and a pole that remember, and a bare client.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use charge::clock::SystemClock;
use charge::id::StationId;
use charge::talk::line::{
    Admission, ConnectionNo, Denial, Desk, Entry, FromStation, Heard, Knock, LogLine, Pole, Refusal, StationAnswer,
    ToStation, Version,
};
use charge::token::{Allowed, Verdict};
use charge::{Clock, Purpose, Secret, Soon, Timestamp};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Response};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::refusal::Refused;
use trust::tls::{ClientCertificates, Trusted};

use crate::line::{Backoff, Dial, LineServer, Options, TalkLimits, listen, station_url};

pub const PASSWORD: &[u8] = b"sixteen-bytes-ok";
/// No wait of a test takes this long unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

pub type Client = WebSocketStream<TlsStream<TcpStream>>;
pub type Upgraded = Result<(Client, Response<Option<Vec<u8>>>), tungstenite::Error>;

pub fn id(name: &str) -> StationId {
    StationId::new(name).unwrap()
}

pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// Waits for a level that nobody announces.
pub async fn until(mut level: impl FnMut() -> bool) {
    soon(async {
        while !level() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

pub struct World {
    servers: Authority,
    pub stations: Authority,
    pub refused: Arc<Mutex<Vec<Refused>>>,
    pub desk: Arc<TestDesk>,
}

impl World {
    pub fn new() -> Self {
        Self {
            servers: authority("Servers"),
            stations: authority("Stations"),
            refused: Arc::default(),
            desk: Arc::default(),
        }
    }

    pub fn server(&self, options: Options) -> LineServer {
        self.server_at("127.0.0.1:0".parse().unwrap(), options)
    }

    pub fn server_at(&self, addr: SocketAddr, options: Options) -> LineServer {
        listen(addr, self.tls(), Arc::clone(&self.desk) as Arc<dyn Desk>, clock(), dice(), options).unwrap()
    }

    pub fn tls(&self) -> Arc<rustls::ServerConfig> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let identity = self.servers.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap();
        let refused = Arc::clone(&self.refused);
        let trusted = Trusted {
            roots_pem: self.stations.certificate_pem().to_owned(),
            on_refused: Arc::new(move |one| refused.lock().unwrap().push(one)),
        };
        Arc::new(trust::tls::server(&identity, ClientCertificates::Optional(trusted), &[]).unwrap())
    }

    /// The authority that vouches for the servers, in PEM.
    pub fn server_roots(&self) -> &str {
        self.servers.certificate_pem()
    }

    pub fn client_tls(&self, identity: Option<&Identity>) -> Arc<rustls::ClientConfig> {
        Arc::new(trust::tls::client(self.servers.certificate_pem(), identity, &[]).unwrap())
    }

    /// A station that comes in with its password and speaks 1.6.
    pub async fn station(&self, server: &LineServer, name: &str) -> Client {
        let path = format!("/ocpp/{name}");
        let (client, _response) = self.knock(server, &path, &["ocpp1.6"], Some((name, PASSWORD)), None).await.unwrap();
        client
    }

    pub async fn knock(
        &self,
        server: &LineServer,
        path: &str,
        offer: &[&str],
        basic: Option<(&str, &[u8])>,
        identity: Option<&Identity>,
    ) -> Upgraded {
        let tcp = TcpStream::connect(server.local_addr()).await?;
        let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(self.client_tls(identity)).connect(name, tcp).await?;
        let mut request = format!("wss://localhost{path}").into_client_request()?;
        if !offer.is_empty() {
            let offer = HeaderValue::from_str(&offer.join(", ")).unwrap();
            request.headers_mut().insert("Sec-WebSocket-Protocol", offer);
        }
        if let Some((user, password)) = basic {
            let both = BASE64_STANDARD.encode([user.as_bytes(), b":", password].concat());
            request.headers_mut().insert("Authorization", format!("Basic {both}").parse().unwrap());
        }
        soon(client_async(request, tls)).await
    }

    pub fn dial(&self, server: SocketAddr, name: &str, offer: &[Version]) -> Dial {
        Dial {
            url: station_url(&format!("wss://localhost:{}", server.port()), &id(name)),
            tls: Some(self.client_tls(None)),
            basic: Some((name.to_owned(), Secret::new(PASSWORD.to_vec()))),
            offer: offer.to_vec(),
            backoff: Backoff { min: Duration::from_millis(5), random: Duration::from_millis(5), doublings: 3 },
            limits: TalkLimits::default(),
        }
    }
}

pub fn authority(name: &str) -> Authority {
    Authority::create(name, DAY * 30, SystemClock.now(), &SystemDice).unwrap()
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub fn dice() -> Arc<dyn charge::Dice> {
    Arc::new(SystemDice)
}

pub async fn say(client: &mut Client, text: &str) {
    soon(client.send(Message::text(text))).await.unwrap();
}

/// The next text frame.
pub async fn hear(client: &mut Client) -> String {
    soon(async {
        loop {
            match client.next().await.unwrap().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text frame: {other:?}"),
            }
        }
    })
    .await
}

/// The close frame that ends the connection, if one comes.
pub async fn goodbye(client: &mut Client) -> Option<(u16, String)> {
    soon(async {
        loop {
            match client.next().await {
                Some(Ok(Message::Close(frame))) => {
                    return frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    })
    .await
}

pub fn refused(upgraded: Upgraded) -> Response<Option<Vec<u8>>> {
    match upgraded {
        Err(tungstenite::Error::Http(response)) => *response,
        Err(other) => panic!("not refused by HTTP: {other}"),
        Ok(_) => panic!("let in"),
    }
}

/// What a desk has seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Knock { identity: String, common_name: Option<String>, encrypted: bool, offered: Vec<String> },
    Arrived(StationId, ConnectionNo),
    Heard(StationId, &'static str),
    Answered(StationId, &'static str),
    Left(StationId, ConnectionNo, String),
}

/// Judges by the station's name: `GHOST`, `BLOCKED`, `BUSY` are refused, `CERT` needs a certificate, `PLAIN` may come
/// without TLS, and all others need the password. Taps and boots of `SLOW` wait for a permit.
pub struct TestDesk {
    pub seen: watch::Sender<Vec<Seen>>,
    pub permits: Semaphore,
    pub log: Mutex<Vec<LogLine>>,
}

impl Default for TestDesk {
    fn default() -> Self {
        Self { seen: watch::Sender::new(Vec::new()), permits: Semaphore::new(0), log: Mutex::default() }
    }
}

impl TestDesk {
    pub async fn until(&self, level: impl FnMut(&Vec<Seen>) -> bool) {
        let mut seen = self.seen.subscribe();
        soon(seen.wait_for(level)).await.unwrap();
    }

    pub fn count(&self, is: impl Fn(&Seen) -> bool) -> usize {
        self.seen.borrow().iter().filter(|one| is(one)).count()
    }

    fn saw(&self, one: Seen) {
        self.seen.send_modify(|all| all.push(one));
    }

    fn judge(knock: &Knock) -> Result<Entry, Refusal> {
        let name = knock.identity.as_str();
        let station = StationId::new(name).map_err(|_| Refusal::UnknownStation)?;
        let proven = match name {
            "GHOST" => return Err(Refusal::UnknownStation),
            "BLOCKED" => return Err(Refusal::Blocked),
            "BUSY" => return Err(Refusal::Overloaded),
            "CERT" => knock.certificate.as_ref().is_some_and(|shown| shown.common_name == "SN-0001"),
            _ => knock.basic.as_ref().is_some_and(|(user, password)| user == name && password.expose() == PASSWORD),
        };
        if !knock.encrypted && name != "PLAIN" {
            return Err(Refusal::NotProven("plain ws"));
        }
        if !proven {
            return Err(Refusal::NotProven("wrong password"));
        }
        let version = ocpp::choose(&knock.offered, &[Version::V16, Version::V201]).ok_or(Refusal::NoCommonVersion)?;
        Ok(Entry { station, version, quirks: charge::talk::line::quirk::Quirks::USUAL })
    }
}

fn word(said: &FromStation) -> &'static str {
    match said {
        FromStation::Boot(_) => "boot",
        FromStation::Alive => "alive",
        FromStation::Tap(_) => "tap",
        _ => "other",
    }
}

impl Desk for TestDesk {
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>> {
        self.saw(Seen::Knock {
            identity: knock.identity.clone(),
            common_name: knock.certificate.as_ref().map(|shown| shown.common_name.clone()),
            encrypted: knock.encrypted,
            offered: knock.offered.clone(),
        });
        Box::pin(async move { Self::judge(&knock) })
    }

    fn arrived(&self, entry: &Entry, connection: ConnectionNo) -> Soon<'_, ()> {
        self.saw(Seen::Arrived(entry.station.clone(), connection));
        Box::pin(async {})
    }

    fn hear(&self, station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        let (station, word) = (station.clone(), word(&said));
        if let FromStation::Tap(tap) = &said
            && tap.token.normal(Purpose::Authorise) == "PANIC"
        {
            return Box::pin(async { panic!("the desk has a bug") });
        }
        if word != "alive" {
            self.saw(Seen::Heard(station.clone(), word));
        }
        let now = Timestamp::from_secs(1_800_000_000);
        let answer = match said {
            FromStation::Boot(_) => {
                Heard::Boot { admitted: Admission::Accepted, now, interval: Duration::from_secs(300) }
            }
            FromStation::Alive => return Box::pin(async move { Ok(Heard::Alive { now }) }),
            FromStation::Tap(_) => Heard::Tap(Verdict::bare(Allowed::Yes)),
            _ => Heard::Noted,
        };
        Box::pin(async move {
            if station.as_str() == "SLOW" {
                self.permits.acquire().await.unwrap().forget();
            }
            self.saw(Seen::Answered(station, word));
            Ok(answer)
        })
    }

    fn left(&self, station: &StationId, connection: ConnectionNo, why: &str) -> Soon<'_, ()> {
        self.saw(Seen::Left(station.clone(), connection, why.to_owned()));
        Box::pin(async {})
    }

    fn is_here(&self, station: &StationId) -> bool {
        let all = self.seen.borrow();
        let mut moves = all.iter().rev().filter_map(|seen| match seen {
            Seen::Arrived(who, connection) => Some((who, *connection, true)),
            Seen::Left(who, connection, _) => Some((who, *connection, false)),
            _ => None,
        });
        moves.find(|(who, ..)| *who == station).is_some_and(|(.., here)| here)
    }

    fn note(&self, _station: &StationId, line: LogLine) {
        self.log.lock().unwrap().push(line);
    }
}

/// A pole that accepts every order and remembers.
pub struct TestPole {
    /// The version while the line is up.
    pub up: watch::Sender<Option<Version>>,
    /// How often it came up.
    pub ups: watch::Sender<usize>,
    pub told: Mutex<Vec<String>>,
}

impl Default for TestPole {
    fn default() -> Self {
        Self { up: watch::Sender::new(None), ups: watch::Sender::new(0), told: Mutex::default() }
    }
}

impl TestPole {
    pub async fn until_up(&self, times: usize) {
        soon(self.ups.subscribe().wait_for(|ups| *ups >= times)).await.unwrap();
    }

    pub async fn until_down(&self) {
        soon(self.up.subscribe().wait_for(Option::is_none)).await.unwrap();
    }
}

impl Pole for TestPole {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        self.told.lock().unwrap().push(format!("{order:?}"));
        Box::pin(async { StationAnswer::Accepted })
    }

    fn line_up(&self, version: Version) {
        self.up.send_replace(Some(version));
        self.ups.send_modify(|ups| *ups += 1);
    }

    fn line_down(&self, _why: &str) {
        self.up.send_replace(None);
    }
}
