//! Our own registration at another platform: begun with the token A that its people gave to ours, renewed, ended
//! (OCPI 2.2.1, 7).
//!
//! Every deed is told step by step, in words for whoever has to ring the other side up. What we hand out is on the disk
//! before it is sent, and what we come with is given up only for something that came back: where an answer is lost, the
//! other side may come with the new token or with the old one. It deliberately decides nothing about letters.
//! Invariant: a step that does not hold costs nothing that was good before.

use std::sync::Arc;

use charge::id::PartyId;
use charge::talk::partner::{Beginning, Declined, Registered, Registrar, Trial, TrialStep};
use charge::{Clock, Dice, Soon};
use ocpi::credentials::{Credentials, Role};
use ocpi::status::{CANNOT_USE_CLIENT, NO_ENDPOINTS, UNSUPPORTED_VERSION, code_of};
use ocpi::wire::{Method, Reply};
use tokio::sync::Mutex;
use trust::bearer::BearerDigest;

use super::book::{Book, Settled};
use super::entrance::Own;
use super::limits::RoadLimits;
use super::neighbour::{Neighbour, Peer, PeerFault, Quirks, SendFault};
use super::peers::PeerBook;
use super::probe::{Looker, failed, held, versions, words};

const CREDENTIALS: &str = "Credentials";
const NEW_TOKEN: &str = "New token";
const ASK_FOR_A: &str = "Ask them for a new token A.";
const ASK_OR_BEGIN: &str =
    "Ask whether they still hold us for registered. If not, ask for a token A and register again.";

/// Who goes to other platforms in our name.
pub struct Envoy {
    own: Own,
    book: Arc<Book>,
    limits: RoadLimits,
    /// One handshake at a time: two at one platform would spend each other's tokens.
    turn: Mutex<()>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

/// One exchange of credentials.
struct Deal {
    party: PartyId,
    method: Method,
    roots_pem: Option<String>,
}

/// What came back.
enum Reaction {
    Given(Box<Credentials>),
    /// They say no: nothing has changed at their side.
    Refused(TrialStep),
    /// They may have changed to what we offered, or not.
    Unsure(TrialStep),
}

impl Envoy {
    pub fn new(own: Own, book: Arc<Book>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { own, book, limits: RoadLimits::default(), turn: Mutex::new(()), clock, dice }
    }

    async fn begin(&self, with: Beginning) -> Result<Trial, Declined> {
        let _turn = self.turn.lock().await;
        if with.party == self.own.party {
            return Err(Declined::Malformed { path: "/party", why: "is this party itself" });
        }
        let tls = match &with.roots_pem {
            None => Arc::clone(self.book.tls()),
            Some(pem) => trust::tls::client(pem, None, &["http/1.1"])
                .map(Arc::new)
                .map_err(|_| Declined::Malformed { path: "/roots_pem", why: "holds no certificates" })?,
        };
        let Beginning { party, versions_url, token, roots_pem, local } = with;
        let peer = Peer { party, name: party.to_string(), versions_url, token_out: token, tls };
        let way = Neighbour::new(peer, self.limits, Arc::clone(&self.dice));
        let way = way.and_then(|way| way.with_quirks(Quirks { local, ..Quirks::default() })).map_err(address)?;
        let mut steps = Vec::new();
        if let Some(way) = self.met(way, ASK_FOR_A, &mut steps).await {
            self.exchange(&way, Deal { party, method: Method::Post, roots_pem }, &mut steps).await?;
        }
        Ok(told("registered at", party, steps))
    }

    async fn again(&self, party: PartyId) -> Result<Trial, Declined> {
        let _turn = self.turn.lock().await;
        let way = self.book.peer(party).await.ok_or(Declined::Unknown)?;
        let way = way.tuned(way.quirks()).map_err(address)?;
        let mut steps = Vec::new();
        if let Some(way) = self.met(way, ASK_OR_BEGIN, &mut steps).await {
            self.exchange(&way, Deal { party, method: Method::Put, roots_pem: None }, &mut steps).await?;
        }
        Ok(told("renewed at", party, steps))
    }

    /// The other side's interface as far as its endpoints, with our token in the form that it wants.
    async fn met(&self, way: Neighbour, refused: &str, steps: &mut Vec<TrialStep>) -> Option<Neighbour> {
        let looker = Looker { hub: self.own.party, now: self.clock.now(), dice: &*self.dice };
        if !looker.wire(way.versions_url(), way.quirks().local, way.tls(), steps).await {
            return None;
        }
        let (step, other_form) = versions(&way, refused).await;
        let way = match other_form {
            None => {
                steps.push(step);
                way
            }
            Some(_) => {
                let way = way.tuned(Quirks { raw_token: !way.quirks().raw_token, ..way.quirks() }).ok()?;
                steps.push(held("Token", step.found));
                steps.push(versions(&way, refused).await.0);
                way
            }
        };
        if steps.iter().any(|step| !step.held) {
            return None;
        }
        let step = match way.endpoints().await {
            Ok(found) if found.credentials.is_none() => {
                failed("Endpoints", "no address for credentials is offered", "Ask for their credentials endpoint.")
            }
            Ok(found) => held("Endpoints", format!("read, in {}", found.version.as_str())),
            Err(fault) => failed("Endpoints", words(&fault), "Ask them to look at the details of that version."),
        };
        let read = step.held;
        steps.push(step);
        read.then_some(way)
    }

    async fn exchange(&self, way: &Neighbour, deal: Deal, steps: &mut Vec<TrialStep>) -> Result<(), Declined> {
        let Deal { party, method, roots_pem } = deal;
        // the one neighbour of an operator or a provider speaks for everybody behind it
        let is_hub = self.own.role != Role::Hub;
        let token = self.book.offer(party, is_hub).await?;
        let offered = BearerDigest::of(token.expose());
        let own = Credentials { token, url: ocpi::url::versions(&self.own.base), roles: self.own.roles() };
        let given = match self.reaction(way.credentials(method, Some(&own)).await) {
            Reaction::Given(given) => given,
            Reaction::Refused(step) => {
                self.book.take_back(offered).await?;
                steps.push(step);
                return Ok(());
            }
            Reaction::Unsure(step) => {
                steps.push(step);
                return Ok(());
            }
        };
        let speaks = given.roles.iter().find(|role| role.party == party);
        let name = speaks.map_or_else(|| way.name().to_owned(), |role| role.name.clone());
        let step = speaks_for(&given, party);
        let Ok(next) = moved(way, name, &given) else {
            let advice = "Ask them to put the address of their list of versions into their credentials.";
            steps.push(failed(CREDENTIALS, "neither their address nor ours for them can be used", advice));
            return Ok(());
        };
        if !step.held && method == Method::Post {
            // somebody else than was meant: both sides forget at once
            drop(next.credentials(Method::Delete, None).await);
            self.book.take_back(offered).await?;
            steps.push(step);
            return Ok(());
        }
        let version = way.endpoints().await.ok().map(|found| found.version);
        let next = next.with_quirks(Quirks { version, ..way.quirks() }).map_err(address)?;
        let next = Arc::new(next);
        let settled =
            |way: Arc<Neighbour>| Settled { token: offered, party, is_hub, way, roots_pem: roots_pem.clone() };
        self.book.settle(settled(Arc::clone(&next))).await?;
        steps.push(step);
        if versions(&next, ASK_FOR_A).await.0.held {
            steps.push(held(NEW_TOKEN, "is welcome"));
        } else if method == Method::Put && versions(way, ASK_FOR_A).await.0.held {
            let before = way.tuned(way.quirks()).map_err(address)?;
            self.book.settle(settled(Arc::new(before))).await?;
            let advice = "The one before is still welcome, and stays. Ask them to look at their renewal.";
            steps.push(failed(NEW_TOKEN, "they refuse the token that they have just given", advice));
        } else {
            steps.push(failed(NEW_TOKEN, "they refuse the token that they have just given", ASK_FOR_A));
        }
        Ok(())
    }

    fn reaction(&self, reply: Result<Reply, SendFault>) -> Reaction {
        let unsure = "Their people can see whether they hold us for registered. Either token is good here until they use one; do it again.";
        let reply = match reply {
            Ok(reply) => reply,
            Err(fault @ (SendFault::NotOffered | SendFault::ForeignAddress)) => {
                return Reaction::Refused(failed(CREDENTIALS, words(&fault), "Ask for their credentials endpoint."));
            }
            Err(fault @ (SendFault::Unreachable | SendFault::TimedOut | SendFault::Unreadable(_))) => {
                return Reaction::Unsure(failed(CREDENTIALS, words(&fault), unsure));
            }
        };
        let code = code_of(reply.body.as_bytes());
        let refused = |found: &str, advice: &str| Reaction::Refused(failed(CREDENTIALS, found, advice));
        match (reply.http, code) {
            (200..300, Some(1000..2000)) => match Credentials::read_reply(reply.http, reply.body.as_bytes()) {
                Ok(given) => Reaction::Given(Box::new(given)),
                Err(fault) => {
                    let found = format!("they accept, and their credentials cannot be read: {fault}");
                    Reaction::Unsure(failed(CREDENTIALS, found, "Ask them to mend that field; then do it again."))
                }
            },
            (405, _) => refused(
                "they say that this is not the time for it (HTTP 405)",
                "They hold us for registered where we begin, or for strangers where we renew. Ask them to forget us and to give a token A.",
            ),
            (401 | 403, _) => refused("they refuse our token here", ASK_FOR_A),
            (_, Some(CANNOT_USE_CLIENT)) => {
                let advice = format!(
                    "Ask whether they reach {} and believe in our certificate's authority.",
                    ocpi::url::versions(&self.own.base)
                );
                Reaction::Refused(failed(CREDENTIALS, "they cannot read our versions (code 3001)", &advice))
            }
            (_, Some(UNSUPPORTED_VERSION)) => {
                refused("no version in common, they say (code 3002)", "Ask which version they want.")
            }
            (_, Some(NO_ENDPOINTS)) => refused("they miss modules of ours (code 3003)", "Ask which modules they need."),
            (_, Some(code @ 2000..=2999)) => {
                let found = format!("they find a fault in our credentials (code {code})");
                Reaction::Refused(failed(CREDENTIALS, found, "Ask which field, and what their log says."))
            }
            (http @ 400..500, _) => {
                let found = format!("they refuse (HTTP {http})");
                Reaction::Refused(failed(CREDENTIALS, found, "Ask what their log says about our request."))
            }
            (http, code) => {
                let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
                Reaction::Unsure(failed(CREDENTIALS, format!("their server failed (HTTP {http}{code})"), unsure))
            }
        }
    }

    async fn end(&self, party: PartyId) -> Result<Trial, Declined> {
        const WITHDRAWAL: &str = "Withdrawal";
        let _turn = self.turn.lock().await;
        let way = self.book.peer(party).await.ok_or(Declined::Unknown)?;
        let step = match way.credentials(Method::Delete, None).await {
            Ok(reply) => match (reply.http, code_of(reply.body.as_bytes())) {
                (200..300, Some(1000..2000)) => held(WITHDRAWAL, "they have forgotten us, and we them"),
                (401 | 403 | 404 | 405, _) => held(WITHDRAWAL, "they did not know us any more; we have forgotten them"),
                (http, _) => {
                    let found = format!("they do not let us go (HTTP {http}); nothing has changed here");
                    failed(WITHDRAWAL, found, "Ask what their log says about our request, then try again.")
                }
            },
            // whoever shows us no versions any more does not know us either
            Err(SendFault::Unreadable(_)) if stranger(&way).await => {
                held(WITHDRAWAL, "they did not know us any more; we have forgotten them")
            }
            Err(fault) => {
                let found = format!("{}; nothing has changed here", words(&fault));
                failed(WITHDRAWAL, found, "Try again when they can be reached.")
            }
        };
        if step.held {
            self.book.dismiss(party).await?;
        }
        Ok(told("withdrawn from", party, vec![step]))
    }

    async fn list(&self) -> Vec<Registered> {
        let card = |way: &Arc<Neighbour>| Registered {
            party: way.party(),
            name: way.name().to_owned(),
            versions_url: way.versions_url().to_owned(),
            version: way.quirks().version.map(|version| version.as_str().into()),
        };
        self.book.known().0.iter().map(card).collect()
    }
}

impl Registrar for Envoy {
    fn register(&self, with: Beginning) -> Soon<'_, Result<Trial, Declined>> {
        Box::pin(self.begin(with))
    }

    fn renew(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>> {
        Box::pin(self.again(party))
    }

    fn leave(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>> {
        Box::pin(self.end(party))
    }

    fn registered(&self) -> Soon<'_, Vec<Registered>> {
        Box::pin(self.list())
    }
}

/// The way with the token that was given: to the address that came with it, or where that one cannot be used to the one
/// that was used so far.
fn moved(way: &Neighbour, name: String, given: &Credentials) -> Result<Neighbour, PeerFault> {
    way.with_token(name.clone(), given.url.clone(), given.token.clone())
        .or_else(|_| way.with_token(name, way.versions_url().to_owned(), given.token.clone()))
}

fn speaks_for(given: &Credentials, party: PartyId) -> TrialStep {
    let roles: Vec<String> =
        given.roles.iter().map(|role| format!("{} as {}", role.party, role.role.as_str())).collect();
    let found = format!("they speak for {}", roles.join(", "));
    if given.roles.iter().any(|role| role.party == party) {
        return held(CREDENTIALS, found);
    }
    failed(CREDENTIALS, found, "Ask which party this platform is; the one that was meant is not among these.")
}

async fn stranger(way: &Neighbour) -> bool {
    way.look(way.versions_url()).await.is_ok_and(|reply| matches!(reply.http, 401 | 403))
}

fn told(what: &str, party: PartyId, steps: Vec<TrialStep>) -> Trial {
    if steps.iter().all(|step| step.held) {
        tracing::info!(peer = %party, "{what} the peer");
    }
    Trial { steps, suggested: None }
}

fn address(fault: PeerFault) -> Declined {
    let why = match fault {
        PeerFault::Address(_) => "is no https URL",
        PeerFault::Client(_) => "cannot be called from here",
        PeerFault::Private(_) => "is not public, and the party is not declared local",
    };
    Declined::Malformed { path: "/versions_url", why }
}
