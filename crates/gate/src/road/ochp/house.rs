//! The server: who comes, what it asks, which part answers.
//!
//! Requests to the clearing house come with a name and password in the message (OCHP, "User Identification"), direct ones
//! with two tokens in the HTTP header. Stages: bounded body, envelope, who, how often, which role, the body itself.
//! Invariant: a stranger's message is read under a bound of its own and answered without telling what was wrong with it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response as HttpResponse;
use axum::routing::post;
use bytes::Bytes;
use charge::id::{CorrelationId, PartyId};
use charge::talk::road::{Denial, Errand, Letter, OrderKind, Passing, Question};
use charge::talk::thrift::Measure;
use charge::{Clock, Timestamp};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use ochp::envelope::{self, LIMITS, MEDIA_TYPE, Opened};
use ochp::message::{
    CdrsGiven, CdrsTaken, ChargePointsGiven, ChargePointsTaken, Done, EndpointsGiven, Heard, Operation, Request,
    Response, Service, TariffsGiven, TariffsTaken, TokenGiven, TokenUpdates, TokensGiven, TokensTaken,
};
use ochp::types::result::{ResultCode, ResultInfo};
use ocpi::credentials::Role;
use soap::Blame;
use store::Store;
use tokio::sync::Semaphore;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

use super::super::crossing::Crossing;
use super::super::nightly::last_night;
use super::super::partners::{Fingerprint, Partner, Partners, Protocol};
use super::super::serve::ClientCertificate;
use super::super::speaker::Told;
use super::endpoints::Endpoints;
use super::kept::{Kept, KeptFault};
use super::places::Places;
use super::sittings::{Grants, Sittings};

/// Where a clearing house is asked; its live and endpoint services have the same address.
pub const PATH: &str = "/ochp/1.4";
/// Where direct partners come.
pub(super) const DIRECT: &str = "/ochp/direct";
/// How long an operator may act on a yes before it asks again.
pub(super) const PERMIT: Duration = Duration::from_secs(24 * 3_600);
/// Messages that are read at one time: the credentials stand in them, so strangers' are read as well, and one may cost
/// some sixty megabytes while it is a tree.
const READERS_MAX: usize = 4;

/// Lists of all places that are put together at one time: OCHP has no pages, and each holds everything.
const GIVERS_MAX: usize = 2;

/// The keys of a hub's OCHP side, each of its own.
pub struct Keys {
    /// For contracts and records.
    pub seal: SealKey,
    /// For the tags of listed tokens.
    pub tags: TagKey,
    /// For the tokens that direct partners come with.
    pub tokens: TagKey,
}

/// The OCHP side of a hub.
pub struct House {
    pub(super) crossing: Crossing,
    pub(super) partners: Arc<Partners>,
    pub(super) kept: Kept,
    pub(super) tokens: TagKey,
    /// Whom we believe partners' servers to be.
    pub(super) tls: Arc<rustls::ClientConfig>,
    pub(super) places: Places,
    pub(super) endpoints: Endpoints,
    pub(super) sittings: Sittings,
    pub(super) grants: Grants,
    readers: Semaphore,
    givers: Semaphore,
}

/// The routes below `/ochp` of a hub.
pub fn ochp_router(house: &Arc<House>) -> Router {
    Router::new().route(PATH, post(ask)).route(DIRECT, post(order)).with_state(Arc::clone(house))
}

pub(super) const fn speaks_ochp(protocol: Protocol) -> bool {
    match protocol {
        Protocol::Ochp14 | Protocol::OchpDirect => true,
        Protocol::Ocpi(_) | Protocol::Oicp23 | Protocol::Oicp20 => false,
    }
}

/// A fault of our own store as partners hear it.
pub(super) fn kept(fault: KeptFault) -> Denial {
    tracing::error!(%fault, "the clearing house cannot keep or read");
    Denial::Internal
}

impl House {
    /// Opens the clearing house in a hub's database and makes it the way to partners that speak OCHP.
    pub fn open(
        crossing: &Crossing,
        partners: Arc<Partners>,
        store: Store,
        keys: Keys,
        tls: Arc<rustls::ClientConfig>,
    ) -> Result<Arc<Self>, KeptFault> {
        let house = Arc::new(Self {
            crossing: crossing.clone(),
            partners,
            kept: Kept::open(store, keys.seal, keys.tags)?,
            tokens: keys.tokens,
            tls,
            places: Places::default(),
            endpoints: Endpoints::default(),
            sittings: Sittings::default(),
            grants: Grants::default(),
            readers: Semaphore::new(READERS_MAX),
            givers: Semaphore::new(GIVERS_MAX),
        });
        for protocol in [Protocol::Ochp14, Protocol::OchpDirect] {
            crossing.attach(protocol, house.clone());
        }
        Ok(house)
    }

    /// What has to be done from time to time: forget what is over.
    pub async fn duty(&self) -> Result<(), KeptFault> {
        self.kept.forget(self.now()).await
    }

    pub(super) fn now(&self) -> Timestamp {
        let clock: &dyn Clock = &*self.crossing.threshold.clock;
        clock.now()
    }

    pub(super) fn letter(&self, from: PartyId, to: Option<PartyId>, question: Question) -> Result<Letter, Denial> {
        let correlation = CorrelationId::new(self.crossing.threshold.dice.uuid()).map_err(|_| Denial::Internal)?;
        Ok(Letter { from, to, correlation, question })
    }

    pub(super) async fn carry(&self, from: PartyId, to: Option<PartyId>, question: Question) -> Result<Told, Denial> {
        self.crossing.carry(self.letter(from, to, question)?, None).await
    }

    /// Reads a whole message; one at a time of a few.
    async fn opened(&self, body: Body) -> Result<Opened, HttpResponse> {
        let _reader = self.readers.acquire().await.map_err(|_| status(StatusCode::SERVICE_UNAVAILABLE))?;
        let bytes: Bytes =
            axum::body::to_bytes(body, LIMITS.bytes_max).await.map_err(|_| status(StatusCode::PAYLOAD_TOO_LARGE))?;
        envelope::open(&bytes, &LIMITS).map_err(|refused| fault(Blame::Sender, &refused.to_string()))
    }

    async fn answered(&self, partner: &Partner, opened: &Opened, operation: Operation) -> HttpResponse {
        let party = partner.party;
        if self.crossing.threshold.fair.request(party, self.now()).is_err() {
            return status(StatusCode::TOO_MANY_REQUESTS);
        }
        let said = match (opened.request(), may(partner, operation)) {
            (_, false) => Err(Denial::NotYours),
            (Ok(heard), true) => {
                let lost: Vec<Box<str>> =
                    heard.lost.iter().chain(&heard.refused).map(|lost| lost.to_string().into()).collect();
                self.crossing.lost(party, self.crossing.party(), &errand(operation, party), &lost);
                self.answer(party, heard).await
            }
            (Err(refused), true) => Err(Denial::Malformed { path: "".into(), why: refused.to_string().into() }),
        };
        tracing::debug!(%party, operation = operation.request_name(), fault = said.is_err(), "message");
        let response = match said {
            Ok(response) => Some(response),
            Err(denial) => refusal(operation, &denial),
        };
        match response.map(|response| envelope::write_response(&response)) {
            Some(Ok(text)) => xml(StatusCode::OK, text),
            Some(Err(fault_in)) => {
                tracing::error!(%fault_in, "an answer cannot be written");
                fault(Blame::Receiver, "the answer cannot be written")
            }
            None => fault(Blame::Sender, "this cannot be answered"),
        }
    }

    async fn answer(&self, party: PartyId, heard: Heard<Request>) -> Result<Response, Denial> {
        let unread = heard.refused.len();
        Ok(match heard.said {
            Request::SetTokens(tokens) => Response::SetTokens(self.take_tokens(party, tokens, unread, true).await?),
            Request::UpdateTokens(tokens) => {
                Response::UpdateTokens(self.take_tokens(party, tokens, unread, false).await?)
            }
            Request::GetTokens(_) => Response::GetTokens(TokensGiven { result: no_lists(), tokens: Vec::new() }),
            Request::GetTokenUpdates(_) => {
                Response::GetTokenUpdates(TokenUpdates { result: no_lists(), tokens: Vec::new() })
            }
            Request::GetToken(wanted) => Response::GetToken(self.give_token(party, wanted.token).await?),
            Request::AddCdrs(cdrs) => Response::AddCdrs(self.take_cdrs(party, cdrs, unread).await?),
            Request::GetCdrs(wanted) => {
                let nightly = self.crossing.exchange.thrift(party).await.on(Measure::NightlyCdrs);
                let before = if nightly { last_night(self.now()) } else { Timestamp::from_secs(i64::MAX / 1_000_000) };
                let mut cdrs = self.kept.for_provider(party, wanted.status, before).await.map_err(kept)?;
                if nightly {
                    // beside others, and not in the order that they came
                    cdrs.sort_by_cached_key(|_| self.crossing.threshold.dice.uuid());
                }
                Response::GetCdrs(CdrsGiven { result: ResultInfo::ok(), cdrs })
            }
            Request::CheckCdrs(wanted) => {
                let cdrs = self.kept.for_operator(party, wanted.status).await.map_err(kept)?;
                Response::CheckCdrs(CdrsGiven { result: ResultInfo::ok(), cdrs })
            }
            Request::ConfirmCdrs(judged) => {
                Response::ConfirmCdrs(self.judge_cdrs(party, judged, unread, self.now()).await?)
            }
            Request::SetChargePoints(points) => {
                Response::SetChargePoints(self.take_points(party, points, unread, true).await?)
            }
            Request::UpdateChargePoints(points) => {
                Response::UpdateChargePoints(self.take_points(party, points, unread, false).await?)
            }
            Request::GetChargePoints(_) => {
                let _giver = self.givers.acquire().await.map_err(|_| Denial::Internal)?;
                Response::GetChargePoints(self.give_points(party, None).await?)
            }
            Request::GetChargePointUpdates(since) => {
                let _giver = self.givers.acquire().await.map_err(|_| Denial::Internal)?;
                Response::GetChargePointUpdates(self.give_points(party, Some(since.since.at())).await?)
            }
            Request::UpdateTariffs(tariffs) => {
                Response::UpdateTariffs(self.take_tariffs(party, tariffs, unread).await?)
            }
            Request::GetTariffUpdates(since) => {
                Response::GetTariffUpdates(self.give_tariffs(party, since.since.map(|since| since.at())).await?)
            }
            Request::UpdateStatus(said) => Response::UpdateStatus(self.take_statuses(party, said, unread).await?),
            Request::GetStatus(wanted) => {
                let _giver = self.givers.acquire().await.map_err(|_| Denial::Internal)?;
                Response::GetStatus(self.give_statuses(party, wanted).await?)
            }
            Request::AddServiceEndpoints(added) => {
                Response::AddServiceEndpoints(self.add_endpoints(party, &added, unread))
            }
            Request::GetServiceEndpoints(_) => Response::GetServiceEndpoints(self.give_endpoints(party).await?),
            direct @ (Request::GetEvseStatus(_)
            | Request::ReportDiscrepancy(_)
            | Request::SelectEvse(_)
            | Request::ControlEvse(_)
            | Request::ReleaseEvse(_)
            | Request::AskProgress(_)
            | Request::TellProgress(_)) => self.direct(party, direct).await?,
        })
    }
}

/// Lists are not given out (see [`super::tokens`]).
fn no_lists() -> ResultInfo {
    ResultInfo::new(ResultCode::Ok, "no list is given out here: ask about the token that is shown to you")
}

/// Towards the clearing house.
async fn ask(State(house): State<Arc<House>>, request: HttpRequest) -> HttpResponse {
    let certificate = shown(&request);
    let opened = match house.opened(request.into_body()).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    let shown = opened.credentials.as_ref();
    let partner = shown.and_then(|token| house.partners.by_login(&token.username, &token.password));
    let partner = partner.filter(|partner| speaks_ochp(partner.protocol) && partner.comes_with(certificate));
    let here =
        |operation: &Operation| matches!(operation.service(), Service::House | Service::Live | Service::Endpoints);
    match (partner, opened.operation().filter(here)) {
        (Some(partner), Some(operation)) => house.answered(&partner, &opened, operation).await,
        (None, Some(operation)) => not_authorized(operation),
        (_, None) => fault(Blame::Sender, "no operation of this service"),
    }
}

/// Directly.
async fn order(State(house): State<Arc<House>>, request: HttpRequest) -> HttpResponse {
    let certificate = shown(&request);
    let mut partners = house.direct_partners(request.headers());
    partners.retain(|partner| partner.comes_with(certificate));
    if partners.is_empty() {
        return status(StatusCode::UNAUTHORIZED);
    }
    let opened = match house.opened(request.into_body()).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    let here = |operation: &Operation| matches!(operation.service(), Service::Operator | Service::Provider);
    let partner = house.meant(partners, &opened);
    match (partner, opened.operation().filter(here)) {
        (Some(partner), Some(operation)) => house.answered(&partner, &opened, operation).await,
        (_, None) | (None, _) => fault(Blame::Sender, "no operation of this service"),
    }
}

fn shown(request: &HttpRequest) -> Option<Fingerprint> {
    request.extensions().get::<ClientCertificate>().map(|shown| shown.0)
}

/// Whose operation it is (OCHP, chapter "CH-Partner Interface description").
fn may(partner: &Partner, operation: Operation) -> bool {
    let is = |role| partner.roles.contains(&role);
    match operation {
        Operation::SetTokens
        | Operation::UpdateTokens
        | Operation::GetCdrs
        | Operation::ConfirmCdrs
        | Operation::GetTariffUpdates
        | Operation::GetEvseStatus
        | Operation::ReportDiscrepancy
        | Operation::SelectEvse
        | Operation::ControlEvse
        | Operation::ReleaseEvse
        | Operation::AskProgress => is(Role::Provider),
        Operation::GetTokens
        | Operation::GetTokenUpdates
        | Operation::GetToken
        | Operation::AddCdrs
        | Operation::CheckCdrs
        | Operation::SetChargePoints
        | Operation::UpdateChargePoints
        | Operation::UpdateTariffs
        | Operation::UpdateStatus
        | Operation::TellProgress => is(Role::Operator),
        // navigation services may ask as well
        Operation::GetChargePoints
        | Operation::GetChargePointUpdates
        | Operation::GetStatus
        | Operation::AddServiceEndpoints
        | Operation::GetServiceEndpoints => true,
    }
}

/// What a message is told of among, in the table of losses.
const fn errand(operation: Operation, from: PartyId) -> Errand {
    match operation {
        Operation::AddCdrs => Errand::Cdr,
        Operation::TellProgress => Errand::Session { owner: from },
        Operation::SelectEvse | Operation::ControlEvse | Operation::ReleaseEvse => Errand::Order(OrderKind::Start),
        _lists => Errand::Passing(Passing::Fetch),
    }
}

/// The result that says why nothing was done.
fn result_of(denial: &Denial) -> ResultInfo {
    let (code, why) = match denial {
        Denial::NotYours => (ResultCode::NotAuthorized, "this is not for the sender to ask".to_owned()),
        Denial::Malformed { path, why } => (ResultCode::Format, format!("{path} {why}").trim().to_owned()),
        Denial::Incomplete(what) => (ResultCode::Format, format!("{what} is missing")),
        Denial::UnknownLocation | Denial::UnknownObject | Denial::UnknownToken => {
            (ResultCode::InvalidId, "there is no such thing".to_owned())
        }
        Denial::UnknownReceiver => (ResultCode::Roaming, "nobody is connected for this".to_owned()),
        Denial::NotSupported => (ResultCode::Roaming, "this is not served here".to_owned()),
        Denial::ReceiverSilent | Denial::ReceiverUnreachable => {
            (ResultCode::Server, "the other party does not answer".to_owned())
        }
        Denial::Internal | Denial::Overloaded => (ResultCode::Server, "try again later".to_owned()),
    };
    ResultInfo::new(code, &why)
}

fn not_authorized(operation: Operation) -> HttpResponse {
    let response = refused_with(operation, ResultInfo::new(ResultCode::NotAuthorized, "wrong name or password"));
    match response.and_then(|response| envelope::write_response(&response).ok()) {
        Some(text) => xml(StatusCode::OK, text),
        None => fault(Blame::Sender, "wrong name or password"),
    }
}

fn refusal(operation: Operation, denial: &Denial) -> Option<Response> {
    refused_with(operation, result_of(denial))
}

/// The answer that carries nothing but a result; `None` where the answer has no place for one.
fn refused_with(operation: Operation, result: ResultInfo) -> Option<Response> {
    Some(match operation {
        Operation::SetTokens => Response::SetTokens(TokensTaken { result, refused: Vec::new() }),
        Operation::UpdateTokens => Response::UpdateTokens(TokensTaken { result, refused: Vec::new() }),
        Operation::GetTokens => Response::GetTokens(TokensGiven { result, tokens: Vec::new() }),
        Operation::GetTokenUpdates => Response::GetTokenUpdates(TokenUpdates { result, tokens: Vec::new() }),
        Operation::GetToken => Response::GetToken(TokenGiven { result, token: None }),
        Operation::AddCdrs => Response::AddCdrs(CdrsTaken { result, implausible: Vec::new() }),
        Operation::GetCdrs => Response::GetCdrs(CdrsGiven { result, cdrs: Vec::new() }),
        Operation::CheckCdrs => Response::CheckCdrs(CdrsGiven { result, cdrs: Vec::new() }),
        Operation::ConfirmCdrs => Response::ConfirmCdrs(Done { result }),
        Operation::SetChargePoints => Response::SetChargePoints(ChargePointsTaken { result, refused: Vec::new() }),
        Operation::UpdateChargePoints => {
            Response::UpdateChargePoints(ChargePointsTaken { result, refused: Vec::new() })
        }
        Operation::GetChargePoints => Response::GetChargePoints(ChargePointsGiven { result, points: Vec::new() }),
        Operation::GetChargePointUpdates => {
            Response::GetChargePointUpdates(ChargePointsGiven { result, points: Vec::new() })
        }
        Operation::UpdateTariffs => Response::UpdateTariffs(TariffsTaken { result, refused: Vec::new() }),
        Operation::GetTariffUpdates => Response::GetTariffUpdates(TariffsGiven { result, tariffs: Vec::new() }),
        Operation::UpdateStatus => Response::UpdateStatus(Done { result }),
        Operation::AddServiceEndpoints => Response::AddServiceEndpoints(Done { result }),
        Operation::GetServiceEndpoints => {
            Response::GetServiceEndpoints(EndpointsGiven { result, providers: Vec::new(), operators: Vec::new() })
        }
        Operation::GetStatus
        | Operation::GetEvseStatus
        | Operation::ReportDiscrepancy
        | Operation::SelectEvse
        | Operation::ControlEvse
        | Operation::ReleaseEvse
        | Operation::AskProgress
        | Operation::TellProgress => return None,
    })
}

fn status(code: StatusCode) -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = code;
    response
}

fn fault(blame: Blame, why: &str) -> HttpResponse {
    let (code, text) = envelope::write_fault(blame, why);
    xml(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), text)
}

fn xml(code: StatusCode, text: String) -> HttpResponse {
    let mut response = HttpResponse::new(Body::from(text));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
