//! Trying a partner's connection step by step, and saying in plain words what is wrong and what to ask of them.
//!
//! Address, TCP and TLS for everybody; versions, endpoints, credentials and a harmless request for OCPI, HTTP and a
//! harmless request ([`super::knock`]) for other protocols. It deliberately changes nothing at either side and asks for nobody's data: the token that it asks about is nobody's.
//! Invariant: an address that is not public is not called unless the partner is declared local.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use charge::id::{CorrelationId, PartyId};
use charge::talk::partner::{Habits, PartnerRole, Trial, TrialStep};
use charge::talk::road::{Answer, Letter, PageWish, Question, RoadFault};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid};
use charge::{Dice, Timestamp};
use ocpi::answer::{self, Answered};
use ocpi::ask::{self, Asked, Toward};
use ocpi::credentials::Credentials;
use ocpi::cross::Beside;
use ocpi::status::code_of;
use ocpi::versions::{Endpoints, read_versions};
use ocpi::wire::{Module, Reply, Side};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use trust::certificate::Facts;
use trust::refusal::CertificateFault;

use super::guard::{is_private_literal, is_public};
use super::knock::{self, Knock};
use super::limits::{CERTIFICATE_SOON, OUTCOME_WAIT_MAX, TRIAL_STEP_MAX};
use super::neighbour::{Hop, Neighbour, Quirks, SendFault};
use super::partners::Partner;
use super::reception::habits;

const INVITE_AGAIN: &str = "Ask whether the token that they gave us is still good. If not, invite them again.";

/// Host and port of an `https` URL.
pub(crate) fn place(url: &str) -> Option<(String, u16)> {
    ocpi::url::origin(url)?;
    let uri: http::Uri = url.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    (!host.is_empty()).then(|| (host, uri.port_u16().unwrap_or(443)))
}

/// Who tries, and when.
pub(crate) struct Looker<'d> {
    pub hub: PartyId,
    pub now: Timestamp,
    pub dice: &'d dyn Dice,
}

impl Looker<'_> {
    /// A partner of another protocol: as far as HTTP for each of its addresses, and, where they all hold, a question for
    /// each of its roles.
    pub(crate) async fn partner(
        &self,
        partner: &Arc<Partner>,
        tls: Arc<rustls::ClientConfig>,
        knock: Option<&dyn Knock>,
    ) -> Trial {
        let mut trial = Trial::default();
        let mut seen = Vec::new();
        for (_, url) in &partner.addresses {
            if seen.contains(&place(url)) {
                continue;
            }
            seen.push(place(url));
            if self.wire(url, partner.local, &tls, &mut trial.steps).await {
                trial.steps.push(http_answers(url, partner.local, &tls).await);
            }
        }
        let Some(knock) = knock.filter(|_| trial.steps.iter().all(|step| step.held)) else { return trial };
        for role in &partner.roles {
            let asked = timeout(OUTCOME_WAIT_MAX, knock.knock(Arc::clone(partner), *role)).await;
            let said = asked.unwrap_or(Err(RoadFault::TimedOut));
            trial.steps.push(knock::step(*role, &self.hub.to_string(), said));
        }
        trial
    }

    /// A peer that speaks OCPI.
    pub(crate) async fn peer(&self, way: &Neighbour, roles: &[PartnerRole]) -> Trial {
        let mut trial = Trial::default();
        if !self.wire(way.versions_url(), way.quirks().local, way.tls(), &mut trial.steps).await {
            return trial;
        }
        let (step, suggested) = versions(way, INVITE_AGAIN).await;
        let go_on = step.held;
        trial.steps.push(step);
        trial.suggested = suggested;
        if !go_on {
            return trial;
        }
        match way.endpoints().await {
            Ok(endpoints) => {
                trial.steps.push(modules(&endpoints, roles));
                trial.steps.extend(credentials(way, &endpoints).await);
            }
            Err(fault) => {
                trial.steps.push(failed(
                    "Endpoints",
                    words(&fault),
                    "Ask them to look at the details of that version.",
                ));
                return trial;
            }
        }
        for role in roles {
            match role {
                PartnerRole::Operator => trial.steps.push(self.a_location(way).await),
                PartnerRole::Provider => {
                    let (step, wants_ok) = self.an_unknown_token(way).await;
                    trial.steps.push(step);
                    if let Some(unknown_is_ok) = wants_ok.filter(|ok| *ok != way.quirks().unknown_is_ok) {
                        trial.suggested = Some(habits(Quirks { unknown_is_ok, ..way.quirks() }));
                    }
                }
            }
        }
        trial
    }

    /// Address, TCP and TLS.
    pub(crate) async fn wire(
        &self,
        url: &str,
        local: bool,
        tls: &Arc<rustls::ClientConfig>,
        steps: &mut Vec<TrialStep>,
    ) -> bool {
        let addresses = match addresses(url, local).await {
            Ok((step, addresses)) => {
                steps.push(step);
                addresses
            }
            Err(step) => {
                steps.push(step);
                return false;
            }
        };
        let Some((host, port)) = place(url) else { return false };
        let stream = match timeout(TRIAL_STEP_MAX, TcpStream::connect(&*addresses)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) | Err(_) => {
                let advice = "Ask whether their server runs, and whether their firewall lets this house's address in.";
                steps.push(failed("TCP", format!("nobody answers at port {port}"), advice));
                return false;
            }
        };
        steps.push(held("TCP", format!("port {port} is open")));
        let step = self.tls(&host, stream, tls).await;
        let held = step.held;
        steps.push(step);
        held
    }

    async fn tls(&self, host: &str, stream: TcpStream, tls: &Arc<rustls::ClientConfig>) -> TrialStep {
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            return failed("TLS", "the host is no name that a certificate can carry", "Ask for another address.");
        };
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(tls));
        let stream = match timeout(TRIAL_STEP_MAX, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(fault)) => return tls_failed(&fault),
            Err(_) => return failed("TLS", "the handshake does not end", "Ask whether this port speaks TLS."),
        };
        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let Some(facts) = shown.and_then(|first| Facts::read(first).ok()) else {
            return failed("TLS", "no readable certificate was shown", "Ask for their certificate.");
        };
        let found = format!(
            "certificate of {} from {}, good until {}, SHA-256 {}",
            facts.common_name.as_deref().unwrap_or("no name"),
            facts.issuer.as_deref().unwrap_or("nobody named"),
            facts.not_after,
            facts.fingerprint
        );
        let soon = facts.not_after < self.now.plus(CERTIFICATE_SOON);
        let advice = soon.then(|| "It ends soon: ask them to renew it.".to_owned());
        TrialStep { what: "TLS", held: true, found, advice }
    }

    /// One location of an operator: public, and the shortest list that there is.
    async fn a_location(&self, way: &Neighbour) -> TrialStep {
        const WHAT: &str = "A location";
        let wish = PageWish { limit: 1, ..PageWish::default() };
        let (asked, reply) = match self.ask(way, Question::Locations(wish)).await {
            Ok(answer) => answer,
            Err(step) => return TrialStep { what: WHAT, ..step },
        };
        let beside = Beside { owner: Some(way.party()), ..Beside::default() };
        let version = way.quirks().version.unwrap_or(ocpi::Version::V221);
        match answer::read(&asked, &reply, Answered { version, beside }) {
            Ok(read) => match read.value {
                Answer::Locations(page) => match page.complaints.first() {
                    None => held(WHAT, format!("{} locations", page.total)),
                    Some(complaint) => {
                        let found = format!("{} locations; one cannot be read: {complaint}", page.total);
                        failed(WHAT, found, "Ask them to mend that field.")
                    }
                },
                _another => failed(WHAT, "the answer is no list", "Ask them to look at their locations module."),
            },
            Err(fault) => failed(WHAT, fault.to_string(), "Ask them to look at their locations module."),
        }
    }

    /// Whether a token may charge that was made up just now. How a peer says "unknown" is how it wants to hear it.
    async fn an_unknown_token(&self, way: &Neighbour) -> (TrialStep, Option<bool>) {
        const WHAT: &str = "An unknown token";
        let uid: String = self.dice.uuid().chars().filter(char::is_ascii_hexdigit).take(14).collect();
        let Ok(uid) = TokenUid::new(uid.to_uppercase()) else {
            return (failed(WHAT, "none can be made up", "Try again."), None);
        };
        let question = Question::MayCharge { token: PresentedToken::new(uid, TokenKind::Rfid) };
        let (asked, reply) = match self.ask(way, question).await {
            Ok(answer) => answer,
            Err(step) => return (TrialStep { what: WHAT, ..step }, None),
        };
        match (reply.http, code_of(reply.body.as_bytes())) {
            (404, Some(2004)) => return (held(WHAT, "is told with HTTP 404 and code 2004"), Some(false)),
            (200, Some(2004)) => return (held(WHAT, "is told with HTTP 200 and code 2004"), Some(true)),
            (404, None) => {
                let advice = "Ask whether the address of their tokens module is right.";
                return (failed(WHAT, "is answered with a bare HTTP 404", advice), None);
            }
            (_, _) => {}
        }
        let version = way.quirks().version.unwrap_or(ocpi::Version::V221);
        let step = match answer::read(&asked, &reply, Answered { version, beside: Beside::default() }) {
            Ok(read) => match read.value {
                Answer::May(verdict) if verdict.allowed == Allowed::Yes => {
                    failed(WHAT, "may charge", "Ask why a token that nobody has may charge.")
                }
                _refused => held(WHAT, "is refused with a verdict"),
            },
            Err(RoadFault::Denied(denial)) => {
                let advice = "Ask them to answer with code 2004 where they do not know a token.";
                failed(WHAT, format!("is answered with {denial:?}"), advice)
            }
            Err(fault) => failed(WHAT, fault.to_string(), "Ask them to look at their tokens module."),
        };
        (step, None)
    }

    async fn ask(&self, way: &Neighbour, question: Question) -> Result<(Asked, Reply), TrialStep> {
        let ours = |why: &str| failed("", why.to_owned(), "This is ours to mend.");
        let version = way.version().await.map_err(|fault| failed("", words(&fault), "Try again."))?;
        let correlation = CorrelationId::new(self.dice.uuid()).map_err(|_| ours("no id can be made"))?;
        let (from, to) = (self.hub, Some(way.party()));
        let letter = Letter { from, to, correlation, question };
        let request = ask::request(&letter, Toward { version, base: "", place: None });
        let request = request.map_err(|fault| ours(&fault.to_string()))?;
        let hop = Hop { from, to, correlation: letter.correlation.clone() };
        let reply = way.ask(request.value, &hop).await;
        reply.map(|reply| (Asked::of(&letter.question), reply)).map_err(|fault| {
            failed("", words(&fault), "Ask them whether they saw the request, and what their log says.")
        })
    }
}

async fn addresses(url: &str, local: bool) -> Result<(TrialStep, Vec<SocketAddr>), TrialStep> {
    const WHAT: &str = "Address";
    let Some((host, port)) = place(url) else {
        return Err(failed(WHAT, "is no https URL", "Ask for an address that begins with https://."));
    };
    let inner = "Ask for an address that can be reached from the internet, or declare the partner local.";
    if !local && ocpi::url::origin(url).is_some_and(|origin| is_private_literal(&origin)) {
        return Err(failed(WHAT, "is not public", inner));
    }
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => match timeout(TRIAL_STEP_MAX, tokio::net::lookup_host((host.as_str(), port))).await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(_)) | Err(_) => {
                return Err(failed(
                    WHAT,
                    format!("no name server knows {host}"),
                    "Ask whether the name is spelt right.",
                ));
            }
        },
    };
    let usable: Vec<SocketAddr> = found.iter().copied().filter(|each| local || is_public(each.ip())).collect();
    if usable.is_empty() {
        return Err(failed(WHAT, format!("{host} leads to addresses that are not public"), inner));
    }
    let shown: Vec<String> = usable.iter().map(|each| each.ip().to_string()).collect();
    Ok((held(WHAT, format!("{host} is {}", shown.join(", "))), usable))
}

fn tls_failed(fault: &std::io::Error) -> TrialStep {
    const WHAT: &str = "TLS";
    let inner = fault.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(error)) => {
            let certificate = CertificateFault::of(error);
            let advice = match certificate {
                CertificateFault::UnknownIssuer => "Ask for their authority's certificate and enter it as their roots.",
                CertificateFault::Expired | CertificateFault::Revoked => "Ask them to renew it.",
                CertificateFault::WrongName => "Ask which name their certificate is for, and use that address.",
                CertificateFault::NotYetValid
                | CertificateFault::BadSignature
                | CertificateFault::NotTheOwner
                | CertificateFault::WrongPurpose
                | CertificateFault::Algorithm
                | CertificateFault::Malformed(_) => "Ask for another certificate.",
            };
            failed(WHAT, format!("their certificate is refused: {certificate}"), advice)
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            let advice = "Ask whether they want a client certificate, and from which authority.";
            failed(WHAT, format!("they end the handshake ({alert:?})"), advice)
        }
        Some(other) => failed(WHAT, other.to_string(), "Ask for TLS 1.2 or newer with forward secrecy."),
        None => failed(WHAT, "the connection ends in the handshake", "Ask whether this port speaks TLS."),
    }
}

/// Any answer is one: what to ask is the protocol's business.
async fn http_answers(url: &str, local: bool, tls: &Arc<rustls::ClientConfig>) -> TrialStep {
    const WHAT: &str = "HTTP";
    let Ok(client) = super::neighbour::outbound(tls, local, TRIAL_STEP_MAX) else {
        return failed(WHAT, "no client can be made", "This is ours to mend.");
    };
    match client.head(url).send().await {
        Ok(response) => held(WHAT, format!("answers with HTTP {}", response.status().as_u16())),
        Err(_) => failed(WHAT, "no answer to a request", "Ask whether a web server stands behind this port."),
    }
}

/// The list of versions; where our token is refused, whether it is welcome in its other form.
/// `refused` is what to do where they do not know it in either.
pub(crate) async fn versions(way: &Neighbour, refused: &str) -> (TrialStep, Option<Habits>) {
    const WHAT: &str = "Versions";
    let reply = match way.look(way.versions_url()).await {
        Ok(reply) => reply,
        Err(fault) => return (failed(WHAT, words(&fault), "Ask what their log says about our request."), None),
    };
    let unwelcome = matches!(reply.http, 401 | 403) || code_of(reply.body.as_bytes()).is_some_and(|code| code >= 2000);
    if unwelcome {
        return token_refused(way, refused).await;
    }
    let step = match read_versions(reply.http, reply.body.as_bytes()) {
        Ok(common) if common.is_empty() => {
            failed(WHAT, "none that we speak", "Ask whether they can offer 2.2.1, 2.3.0 or 2.1.1.")
        }
        Ok(common) => {
            let names: Vec<&str> = common.iter().map(|(version, _)| version.as_str()).collect();
            held(WHAT, format!("in common: {}", names.join(", ")))
        }
        Err(_) if reply.http == 404 => failed(
            WHAT,
            "nothing is at this address (HTTP 404)",
            "Ask for the exact address of their list of versions.",
        ),
        Err(fault) => {
            failed(WHAT, format!("HTTP {}: {fault}", reply.http), "Ask them to look at their list of versions.")
        }
    };
    (step, None)
}

async fn token_refused(way: &Neighbour, refused: &str) -> (TrialStep, Option<Habits>) {
    const WHAT: &str = "Versions";
    let raw_token = !way.quirks().raw_token;
    let other = Quirks { raw_token, ..way.quirks() };
    let welcome = match way.tuned(other) {
        Ok(way) => way.look(way.versions_url()).await.is_ok_and(|reply| {
            reply.http < 300 && code_of(reply.body.as_bytes()).is_some_and(|code| (1000..2000).contains(&code))
        }),
        Err(_) => false,
    };
    if welcome {
        let form = if raw_token { "as it is, not in base64" } else { "in base64" };
        let advice = "Take over the suggested habit.";
        return (failed(WHAT, format!("they want our token {form}"), advice), Some(habits(other)));
    }
    (failed(WHAT, "they refuse our token", refused), None)
}

fn modules(endpoints: &Endpoints, roles: &[PartnerRole]) -> TrialStep {
    const WHAT: &str = "Endpoints";
    let needed = |role: &PartnerRole| match role {
        PartnerRole::Operator => &[(Module::Locations, Side::Sender), (Module::Commands, Side::Receiver)][..],
        PartnerRole::Provider => {
            &[(Module::Tokens, Side::Sender), (Module::Sessions, Side::Receiver), (Module::Cdrs, Side::Receiver)][..]
        }
    };
    let missing = roles.iter().flat_map(needed).filter(|(module, side)| endpoints.of(*module, *side).is_none());
    let missing: Vec<String> =
        missing.map(|(module, side)| format!("{} ({})", module.as_str(), side.as_str())).collect();
    if missing.is_empty() {
        return held(WHAT, format!("everything that is needed, in {}", endpoints.version.as_str()));
    }
    failed(WHAT, format!("missing: {}", missing.join(", ")), "Ask when they will offer these modules.")
}

/// Whom the peer says to be. Many show no credentials to a `GET`, which is no fault of the connection.
async fn credentials(way: &Neighbour, endpoints: &Endpoints) -> Option<TrialStep> {
    const WHAT: &str = "Credentials";
    let Some(url) = &endpoints.credentials else {
        return Some(failed(WHAT, "no address for them is offered", "Ask for their credentials endpoint."));
    };
    let reply = way.look(url).await.ok()?;
    let shown = Credentials::read_reply(reply.http, reply.body.as_bytes()).ok()?;
    let roles: Vec<String> =
        shown.roles.iter().map(|role| format!("{} as {}", role.party, role.role.as_str())).collect();
    let found = format!("they speak for {}", roles.join(", "));
    if shown.roles.iter().any(|role| role.party == way.party()) {
        return Some(held(WHAT, found));
    }
    Some(failed(WHAT, found, "Ask for credentials of the party that was invited."))
}

pub(crate) fn words(fault: &SendFault) -> String {
    match fault {
        SendFault::Unreachable => "the connection failed".to_owned(),
        SendFault::TimedOut => "no answer in time".to_owned(),
        SendFault::Unreadable(why) => format!("the answer cannot be read: {why}"),
        SendFault::NotOffered => "they do not offer it".to_owned(),
        SendFault::ForeignAddress => "the address leads to another host than their versions".to_owned(),
    }
}

pub(super) fn held(what: &'static str, found: impl Into<String>) -> TrialStep {
    TrialStep { what, held: true, found: found.into(), advice: None }
}

pub(super) fn failed(what: &'static str, found: impl Into<String>, advice: &str) -> TrialStep {
    TrialStep { what, held: false, found: found.into(), advice: Some(advice.to_owned()) }
}
