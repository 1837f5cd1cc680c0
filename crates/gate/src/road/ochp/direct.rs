//! OCHPdirect towards us: a provider selects, starts, stops and releases as if we were the operator; an operator tells
//! about a session as if we were the provider.
//!
//! Behind it are parties of any protocol. A start is answered when its outcome is there, because nothing comes after the
//! answer. Invariant: a session is ordered about by the provider that selected it and nobody else.

use std::sync::Arc;
use std::time::Duration;

use charge::id::{AuthorizationReference, OrderId, PartyId};
use charge::place::EvseStatus;
use charge::record::{Session, SessionStatus};
use charge::talk::road::{
    Answer, Denial, Errand, OrderResult, Question, ReservationOrder, ReservationWish, StartOrder,
};
use charge::token::{IssuedToken, TokenKind, TokenUid};
use charge::{Personal, Purpose, Timestamp};
use ochp::bridge::direct::{acknowledged, answered, denied, progress, session};
use ochp::bridge::{contract_id, direct_id};
use ochp::envelope::Opened;
use ochp::message::{DirectDone, DirectNamed, Nothing, Request, Response};
use ochp::scalar::{DateTime, DirectId};
use ochp::types::direct::{ControlEvse, DirectAnswer, DirectOperation, InformProvider, SelectEvse};
use ochp::types::result::{DirectCode, DirectResult};

use super::super::partners::Partner;
use super::house::House;
use super::sittings::Given;

/// How long an EVSE stays selected where the provider wishes nothing (OCHPdirect, `SelectEvse.req`).
const SELECTED: Duration = Duration::from_secs(5 * 60);
/// The longest reservation that is taken.
const RESERVED_MAX: Duration = Duration::from_secs(30 * 60);
/// How long a session may be ordered about after its start (OCHPdirect, `ControlEvse.conf`).
const STARTED: Duration = Duration::from_secs(24 * 3_600);

impl House {
    /// Of the partners that share a server and its tokens, the one whose session, contract or EVSE a message is about.
    pub(super) fn meant(&self, partners: Vec<Arc<Partner>>, opened: &Opened) -> Option<Arc<Partner>> {
        let mut partners = partners;
        if partners.len() > 1 {
            let now = self.now();
            let owns = |partner: &Arc<Partner>| match opened.request() {
                Ok(heard) => match &heard.said {
                    Request::SelectEvse(wish) => {
                        contract_id(wish.contract.reveal(Purpose::Route)).and_then(|id| id.party())
                            == Some(partner.party)
                    }
                    Request::ControlEvse(ControlEvse { direct, .. })
                    | Request::ReleaseEvse(DirectNamed { direct })
                    | Request::AskProgress(DirectNamed { direct }) => {
                        self.sittings.given(partner.party, direct.reveal(Purpose::Route).as_str(), now).is_some()
                    }
                    Request::TellProgress(told) => {
                        self.sittings.taken_as(partner.party, told.direct.reveal(Purpose::Route).as_str()).is_some()
                    }
                    _of_nobody => false,
                },
                Err(_) => false,
            };
            if let Some(at) = partners.iter().position(owns) {
                return Some(partners.swap_remove(at));
            }
        }
        partners.into_iter().next()
    }

    /// `Err`: no answer of OCHPdirect can say it.
    pub(super) async fn direct(&self, from: PartyId, request: Request) -> Result<Response, Denial> {
        Ok(match request {
            Request::SelectEvse(select) => {
                Response::SelectEvse(self.select(from, select).await.unwrap_or_else(refused))
            }
            Request::ControlEvse(control) => {
                Response::ControlEvse(self.control(from, control).await.unwrap_or_else(refused))
            }
            Request::ReleaseEvse(named) => {
                Response::ReleaseEvse(self.release(from, named).await.unwrap_or_else(refused))
            }
            Request::AskProgress(named) => Response::AskProgress(self.progress(from, &named)?),
            Request::TellProgress(told) => {
                let result = self.told(from, told).await.map_or_else(|denial| denied(&denial), |()| DirectResult::ok());
                Response::TellProgress(DirectDone { result })
            }
            Request::GetEvseStatus(wanted) => Response::GetEvseStatus(self.give_some(from, &wanted.evses).await?),
            // what somebody wrote about a place is for its operator; our road has no such letter
            Request::ReportDiscrepancy(_) => Response::ReportDiscrepancy(Nothing {}),
            _of_the_clearing_house => return Err(Denial::NotSupported),
        })
    }

    async fn select(&self, provider: PartyId, wish: SelectEvse) -> Result<DirectAnswer, Denial> {
        let contract = contract_id(wish.contract.reveal(Purpose::Route)).ok_or(Denial::NotYours)?;
        if contract.party() != Some(provider) {
            return Err(Denial::NotYours);
        }
        let spot = self.spot(provider, wish.evse.as_str()).await?;
        let evse = spot.evse().ok_or(Denial::UnknownLocation)?;
        if matches!(evse.status, EvseStatus::Removed | EvseStatus::Planned | EvseStatus::Inoperative) {
            return Err(Denial::NotSupported);
        }
        let now = self.now();
        let direct = direct_id(&self.crossing.threshold.dice.uuid().to_uppercase()).ok_or(Denial::Internal)?;
        let wished = wish.reserve_until.map(DateTime::at).filter(|until| *until > now);
        let mut given = Given {
            provider,
            operator: spot.location.party,
            evse: evse.id.clone().ok_or(Denial::UnknownLocation)?,
            location: spot.location.id.clone(),
            uid: spot.uid.clone(),
            contract: wish.contract,
            until: now.plus(SELECTED),
            reserved: false,
            session: None,
        };
        let mut result = DirectResult::ok();
        if let Some(until) = wished {
            let until = until.min(now.plus(RESERVED_MAX));
            // a reservation that cannot be had does not undo the selection (OCHPdirect, "Select a charge point")
            match self.reserve(&given, &direct, until).await {
                Ok(OrderResult::Accepted) => (given.reserved, given.until) = (true, until),
                Ok(_) | Err(_) => result = DirectResult::new(DirectCode::Partly, "selected without a reservation"),
            }
        }
        let ttl = Some(DateTime::new(given.until));
        self.sittings.give(direct.as_str(), given, now)?;
        Ok(DirectAnswer { result, direct: Some(Personal::new(direct)), ttl })
    }

    /// The token of a direct session: its name is the uid, so that the record comes back under it.
    fn token(&self, given: &Given, direct: &DirectId) -> Result<IssuedToken, Denial> {
        let contract = contract_id(given.contract.reveal(Purpose::Transmit)).ok_or(Denial::NotYours)?;
        Ok(IssuedToken {
            party: given.provider,
            uid: Personal::new(TokenUid::new(direct.as_str()).map_err(|_| Denial::Internal)?),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(contract),
            valid: true,
            last_updated: self.now(),
        })
    }

    async fn reserve(&self, given: &Given, direct: &DirectId, until: Timestamp) -> Result<OrderResult, Denial> {
        let wish = ReservationWish::Make {
            token: Box::new(self.token(given, direct)?),
            until,
            location: given.location.clone(),
            evse: Some(given.uid.clone()),
            reference: AuthorizationReference::new(direct.as_str()).ok(),
        };
        let reservation = direct.as_str().into();
        let order = ReservationOrder { order: self.order()?, return_to: None, reservation, wish };
        self.outcome(given, Question::Reservation(order)).await
    }

    async fn control(&self, provider: PartyId, control: ControlEvse) -> Result<DirectAnswer, Denial> {
        let direct = control.direct.reveal(Purpose::Route).clone();
        let now = self.now();
        let given = self.sittings.given(provider, direct.as_str(), now).ok_or(Denial::NotYours)?;
        let until = now.plus(STARTED);
        let result = match control.operation {
            DirectOperation::Start => {
                let order = StartOrder {
                    order: self.order()?,
                    return_to: None,
                    token: self.token(&given, &direct)?,
                    location: given.location.clone(),
                    evse: Some(given.uid.clone()),
                    connector: None,
                    reference: AuthorizationReference::new(direct.as_str()).ok(),
                };
                // the operator may tell about the session before it answers
                self.sittings.prolong(direct.as_str(), until);
                answered(self.outcome(&given, Question::Start(order)).await?)
            }
            DirectOperation::End => self.end(&given).await?,
            DirectOperation::Change => DirectResult::new(DirectCode::NotSupported, "sessions are not changed here"),
        };
        let limited = control.max_power.is_some() || control.max_current.is_some() || control.max_energy.is_some();
        let result = match result.code {
            DirectCode::Ok if limited => DirectResult::new(DirectCode::Partly, "the limits are not passed on"),
            _said => result,
        };
        Ok(DirectAnswer { result, direct: Some(control.direct), ttl: Some(DateTime::new(until)) })
    }

    async fn end(&self, given: &Given) -> Result<DirectResult, Denial> {
        let Some(session) = given.session.as_ref().filter(|session| runs(session)) else {
            return Ok(DirectResult::new(DirectCode::InvalidId, "nothing is charging"));
        };
        let stop = Question::Stop { order: self.order()?, return_to: None, session: session.id.clone() };
        Ok(answered(self.outcome(given, stop).await?))
    }

    /// Ends what is still running.
    async fn release(&self, provider: PartyId, named: DirectNamed) -> Result<DirectAnswer, Denial> {
        let direct = named.direct.reveal(Purpose::Route).clone();
        let given = self.sittings.given(provider, direct.as_str(), self.now()).ok_or(Denial::NotYours)?;
        let running = given.session.as_ref().is_some_and(runs);
        let result = if running { self.end(&given).await? } else { DirectResult::ok() };
        if given.reserved && given.session.is_none() {
            let (reservation, wish) = (direct.as_str().into(), ReservationWish::Cancel);
            let order = ReservationOrder { order: self.order()?, return_to: None, reservation, wish };
            self.outcome(&given, Question::Reservation(order)).await?;
        }
        if result.code == DirectCode::Ok {
            self.sittings.released(direct.as_str(), self.now());
        }
        Ok(DirectAnswer { result, direct: Some(named.direct), ttl: None })
    }

    /// What became of an order, or what was said of it where nothing came in time.
    async fn outcome(&self, given: &Given, question: Question) -> Result<OrderResult, Denial> {
        let told = self.carry(given.provider, Some(given.operator), question).await?;
        if let Some(session) = &told.session {
            self.sittings.told(given.operator, given.provider, session);
        }
        match (told.outcome, told.answer) {
            (Some(outcome), _) => Ok(outcome),
            (None, Answer::Order { ack, .. }) => Ok(ochp::bridge::direct::outcome(acknowledged(ack).code)),
            (None, _) => Err(Denial::Internal),
        }
    }

    pub(super) fn order(&self) -> Result<OrderId, Denial> {
        OrderId::new(self.crossing.threshold.dice.uuid()).map_err(|_| Denial::Internal)
    }

    fn progress(&self, provider: PartyId, named: &DirectNamed) -> Result<InformProvider, Denial> {
        let direct = named.direct.reveal(Purpose::Route);
        let given = self.sittings.given(provider, direct.as_str(), self.now()).ok_or(Denial::UnknownObject)?;
        let session = given.session.as_ref().ok_or(Denial::UnknownObject)?;
        Ok(progress(session, &given.evse, direct.clone())?.value)
    }

    /// An operator tells about a session that it has for a provider behind us.
    async fn told(&self, operator: PartyId, told: InformProvider) -> Result<(), Denial> {
        let direct = told.direct.reveal(Purpose::Route);
        let taken = self.sittings.taken_as(operator, direct.as_str()).ok_or(Denial::NotYours)?;
        let crossed = session(&told, &taken.known, self.now())?;
        let lost: Vec<Box<str>> = crossed.lost.iter().map(|lost| lost.to_string().into()).collect();
        self.crossing.lost(operator, taken.provider, &Errand::Session { owner: operator }, &lost);
        let question = Question::PutSession(Box::new(crossed.value));
        self.carry(operator, Some(taken.provider), question).await.map(drop)
    }
}

/// It has begun, or its operator has said that it will.
const fn runs(session: &Session) -> bool {
    matches!(session.status, SessionStatus::Active | SessionStatus::Pending)
}

fn refused(denial: Denial) -> DirectAnswer {
    DirectAnswer { result: denied(&denial), direct: None, ttl: None }
}
