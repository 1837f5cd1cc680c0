//! What the hub says to partners that speak OCHP.
//!
//! To one that only asks, nothing is said: a record waits for it, what is public is there when it asks, and a tap is
//! answered from its list. To a direct partner orders and progress are said at once. Invariant: a record is on disk
//! before its operator hears that it is kept.

use charge::id::{ConnectorId, PartyId, SessionId};
use charge::money::Currency;
use charge::record::{AuthMethod, Cdr, RecordToken, Session, SessionStatus};
use charge::talk::road::{
    Answer, Denial, Errand, Letter, OrderAck, OrderResult, Question, ReservationOrder, ReservationWish, RoadFault,
    StartOrder,
};
use charge::token::{IssuedToken, PresentedToken, TokenKind, TokenUid};
use charge::units::Energy;
use charge::{Personal, Purpose, Soon, Timestamp};
use ochp::bridge::direct::{Known, control, outcome, progress, select};
use ochp::bridge::record::cdr_info;
use ochp::bridge::token::written_contract;
use ochp::bridge::{contract_id, direct_id};
use ochp::message::{DirectNamed, Request, Response};
use ochp::scalar::DirectId;
use ochp::types::direct::{DirectAnswer, DirectOperation};
use ochp::types::result::DirectCode;

use super::super::speaker::{Native, Speaker, Told};
use super::caller::Caller;
use super::cdrs::not_kept;
use super::endpoints::Side;
use super::house::{House, kept};
use super::kept::Listed;
use super::sittings::{REMEMBERED, Taken};

impl Speaker for House {
    fn speak(&self, to: PartyId, letter: Letter, _native: Option<Native>) -> Soon<'_, Result<Told, RoadFault>> {
        Box::pin(self.say(to, letter))
    }
}

/// The time within which a direct partner's answer is the outcome: it is.
const AT_ONCE: OrderAck = OrderAck::Accepted { outcome_within_s: 0 };

fn ordered(result: OrderResult) -> Told {
    let ack = if result == OrderResult::NotSupported { OrderAck::NotSupported } else { AT_ONCE };
    let outcome = (ack == AT_ONCE).then_some(result);
    Told { outcome, ..Told::new(Answer::Order { ack, message: None }) }
}

fn lost_of(lost: &[ochp::Fault]) -> Vec<Box<str>> {
    lost.iter().map(|lost| lost.to_string().into()).collect()
}

impl House {
    async fn say(&self, to: PartyId, letter: Letter) -> Result<Told, RoadFault> {
        let from = letter.from;
        match letter.question {
            Question::MayCharge { token } => self.tapped(to, &token).await.map_err(RoadFault::Denied),
            Question::PostCdr(cdr) => self.post(from, to, &cdr).await.map_err(RoadFault::Denied),
            Question::PutSession(session) => self.put_session(from, to, &session).await,
            Question::Start(order) => self.start(from, to, order).await,
            Question::Stop { session, .. } => self.stop(from, to, &session).await,
            Question::Reservation(order) => self.reservation(from, to, order).await,
            // public: there when they ask
            Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_) => Ok(Told::new(Answer::Noted)),
            // the request that gave the order is over, and a failed start has no session to tell about
            Question::Outcome { .. } => {
                let lost = vec!["/result comes too late for OCHPdirect to tell it".into()];
                Ok(Told { lost, ..Told::new(Answer::Noted) })
            }
            Question::Unlock { .. }
            | Question::Profile(_)
            | Question::ProfileOutcome { .. }
            | Question::Plan { .. }
            | Question::Booking(_)
            | Question::PutToken(_)
            | Question::Locations(_)
            | Question::Tariffs(_)
            | Question::Fetch(_) => Err(RoadFault::Denied(Denial::NotSupported)),
        }
    }

    /// From the provider's list: it does not answer itself.
    async fn tapped(&self, provider: PartyId, token: &PresentedToken) -> Result<Told, Denial> {
        let found = self.listed(provider, &token.uid).await?;
        Ok(Told::new(Answer::May(self.word(found))))
    }

    /// The entry of a provider's list, under the uid or one of its hashes.
    async fn listed(&self, provider: PartyId, uid: &Personal<TokenUid>) -> Result<Option<Listed>, Denial> {
        match self.kept.listed(uid, Some(provider)).await.map_err(kept)? {
            Some(found) => Ok(Some(found)),
            None => self.hashed(uid, Some(provider)).await,
        }
    }

    /// A token with the contract that its provider has listed, where its operator knows none: OICP names cards alone.
    async fn with_contract(&self, provider: PartyId, token: &RecordToken) -> Result<RecordToken, Denial> {
        if written_contract(token.contract.reveal(Purpose::Route)).is_ok() {
            return Ok(token.clone());
        }
        let listed = self.listed(provider, &token.uid).await?;
        let contract = listed.and_then(|listed| contract_id(listed.contract.reveal(Purpose::Transmit)));
        let contract = contract.map_or_else(|| token.contract.clone(), Personal::new);
        Ok(RecordToken { contract, ..token.clone() })
    }

    /// Kept for the provider to fetch and judge.
    async fn post(&self, operator: PartyId, provider: PartyId, cdr: &Cdr) -> Result<Told, Denial> {
        let place = self.location(provider, operator, cdr.place.id.clone()).await.ok();
        let mut token = self.with_contract(provider, &cdr.token).await?;
        if let Some(name) = self.sittings.billed(operator, provider, cdr) {
            // under the name that its provider started it by
            token.uid = TokenUid::new(name).map(Personal::new).map_err(|_| Denial::Internal)?;
            token.kind = TokenKind::AdHocUser;
        }
        let cdr = &Cdr { token, ..cdr.clone() };
        let crossed = cdr_info(cdr, place.as_ref().map(|place| place.time_zone.as_str())).map_err(Denial::from);
        let crossed = self.crossing.relay.way().told_if_refused(operator, provider, &Errand::Cdr, crossed)?;
        self.kept.hand_in(operator, provider, &crossed.value, self.now()).await.map_err(not_kept)?;
        Ok(Told { lost: lost_of(&crossed.lost), ..Told::new(Answer::Kept(cdr.id.clone())) })
    }

    async fn put_session(&self, operator: PartyId, provider: PartyId, session: &Session) -> Result<Told, RoadFault> {
        let noted = |lost: Vec<Box<str>>| Ok(Told { lost, ..Told::new(Answer::Noted) });
        let name = self.sittings.told(operator, provider, session);
        let contract = written_contract(session.token.contract.reveal(Purpose::Route)).ok();
        let object = contract.as_ref().map(|contract| contract.reveal(Purpose::Route).as_str());
        let caller = match self.caller(provider, Side::Provider, object) {
            Ok(caller) => caller,
            Err(_) => return noted(vec!["a session has no place in OCHP without a server of the provider".into()]),
        };
        let place = self.location(provider, operator, session.location.clone()).await.map_err(RoadFault::Denied)?;
        let evse = place.evses.iter().find(|evse| evse.uid == session.evse).and_then(|evse| evse.id.clone());
        let evse = evse.ok_or(RoadFault::Denied(Denial::UnknownLocation))?;
        let direct =
            direct_id(name.as_deref().unwrap_or(session.id.as_str())).ok_or(RoadFault::Denied(Denial::Internal))?;
        let token = self.with_contract(provider, &session.token).await.map_err(RoadFault::Denied)?;
        let session = &Session { token, ..session.clone() };
        let crossed = progress(session, &evse, direct).map_err(|fault| RoadFault::Denied(fault.into()))?;
        match caller.ask(&Request::TellProgress(crossed.value)).await? {
            Response::TellProgress(done) if matches!(done.result.code, DirectCode::Ok | DirectCode::Partly) => {
                noted(lost_of(&crossed.lost))
            }
            Response::TellProgress(_) => Err(RoadFault::Denied(Denial::UnknownObject)),
            _other => Err(RoadFault::Unreadable("another answer".into())),
        }
    }

    async fn start(&self, provider: PartyId, operator: PartyId, order: StartOrder) -> Result<Told, RoadFault> {
        let (evse, uid) = self.evse(provider, operator, &order.location, order.evse.as_ref()).await?;
        let caller = self.caller(operator, Side::Operator, Some(evse.as_str()))?;
        let crossed = select(&evse, &order.token, None).map_err(|fault| RoadFault::Denied(fault.into()))?;
        let selected = caller.ask(&Request::SelectEvse(crossed.value)).await?;
        let Response::SelectEvse(selected) = selected else {
            return Err(RoadFault::Unreadable("another answer".into()));
        };
        let direct = match chosen(selected)? {
            Ok(direct) => direct,
            Err(result) => return Ok(ordered(result)),
        };
        let connector = order.connector.or_else(|| ConnectorId::new("1").ok());
        let known = Known {
            operator,
            session: name(direct.reveal(Purpose::Route))?,
            location: order.location,
            evse: uid,
            connector: connector.ok_or(RoadFault::Denied(Denial::Internal))?,
            token: record_token(provider, &order.token),
            reference: order.reference,
            currency: Currency::EUR,
            start: self.now(),
        };
        let session = pending(&known, self.now());
        self.remember(
            operator,
            &direct,
            Taken { provider, known, reservation: None, until: self.now().plus(REMEMBERED) },
        )?;
        let said = caller.ask(&Request::ControlEvse(control(direct.clone(), DirectOperation::Start))).await?;
        let Response::ControlEvse(said) = said else { return Err(RoadFault::Unreadable("another answer".into())) };
        let result = outcome(said.result.code);
        if result != OrderResult::Accepted {
            // best effort: the selection ends by itself
            let _released = caller.ask(&Request::ReleaseEvse(DirectNamed { direct })).await;
        }
        let session = (result == OrderResult::Accepted).then(|| Box::new(session));
        Ok(Told { session, lost: lost_of(&crossed.lost), ..ordered(result) })
    }

    async fn stop(&self, provider: PartyId, operator: PartyId, session: &SessionId) -> Result<Told, RoadFault> {
        let taken = self.sittings.taken_as(operator, session.as_str()).filter(|taken| taken.provider == provider);
        let direct = DirectId::new(session.as_str()).map(Personal::new);
        let (Some(taken), Some(direct)) = (taken, direct) else {
            return Ok(Told::new(Answer::Order { ack: OrderAck::UnknownSession, message: None }));
        };
        let caller = self.back_to(&taken).await?;
        let said = caller.ask(&Request::ControlEvse(control(direct.clone(), DirectOperation::End))).await?;
        let Response::ControlEvse(said) = said else { return Err(RoadFault::Unreadable("another answer".into())) };
        let result = outcome(said.result.code);
        if result == OrderResult::Accepted {
            let _released = caller.ask(&Request::ReleaseEvse(DirectNamed { direct })).await;
        }
        Ok(ordered(result))
    }

    async fn reservation(
        &self,
        provider: PartyId,
        operator: PartyId,
        order: ReservationOrder,
    ) -> Result<Told, RoadFault> {
        let ReservationWish::Make { token, until, location, evse, reference } = order.wish else {
            let name = self.sittings.reserved(operator, provider, &order.reservation);
            let taken = name.as_deref().and_then(|name| self.sittings.taken_as(operator, name));
            let direct = name.and_then(|name| DirectId::new(&name)).map(Personal::new);
            let (Some(taken), Some(direct)) = (taken, direct) else {
                return Ok(ordered(OrderResult::UnknownReservation));
            };
            let caller = self.back_to(&taken).await?;
            let said = caller.ask(&Request::ReleaseEvse(DirectNamed { direct })).await?;
            let Response::ReleaseEvse(said) = said else { return Err(RoadFault::Unreadable("another answer".into())) };
            return Ok(ordered(outcome(said.result.code)));
        };
        let (evse, uid) = self.evse(provider, operator, &location, evse.as_ref()).await?;
        let caller = self.caller(operator, Side::Operator, Some(evse.as_str()))?;
        let crossed = select(&evse, &token, Some(until)).map_err(|fault| RoadFault::Denied(fault.into()))?;
        let selected = caller.ask(&Request::SelectEvse(crossed.value)).await?;
        let Response::SelectEvse(selected) = selected else {
            return Err(RoadFault::Unreadable("another answer".into()));
        };
        let short = selected.ttl.is_none_or(|ttl| ttl.at() < until.whole_seconds());
        let direct = match chosen(selected)? {
            Ok(direct) => direct,
            Err(result) => return Ok(ordered(result)),
        };
        if short {
            // less than was asked for is another reservation: given back, and refused
            let _released = caller.ask(&Request::ReleaseEvse(DirectNamed { direct })).await;
            return Ok(ordered(OrderResult::Rejected));
        }
        let known = Known {
            operator,
            session: name(direct.reveal(Purpose::Route))?,
            location,
            evse: uid,
            connector: ConnectorId::new("1").map_err(|_| RoadFault::Denied(Denial::Internal))?,
            token: record_token(provider, &token),
            reference,
            currency: Currency::EUR,
            start: self.now(),
        };
        let reservation = Some(order.reservation);
        self.remember(operator, &direct, Taken { provider, known, reservation, until: self.now().plus(REMEMBERED) })?;
        Ok(Told { lost: lost_of(&crossed.lost), ..ordered(OrderResult::Accepted) })
    }

    /// The way to the server that a session was begun at.
    async fn back_to(&self, taken: &Taken) -> Result<Caller, RoadFault> {
        let (known, operator) = (&taken.known, taken.known.operator);
        let evse = self.evse(taken.provider, operator, &known.location, Some(&known.evse)).await.ok();
        self.caller(operator, Side::Operator, evse.as_ref().map(|(evse, _)| evse.as_str()))
    }

    /// The public id of the EVSE that an order means: the named one, or the first of its location.
    async fn evse(
        &self,
        asker: PartyId,
        operator: PartyId,
        location: &charge::id::LocationId,
        uid: Option<&charge::id::EvseUid>,
    ) -> Result<(charge::id::EvseId, charge::id::EvseUid), RoadFault> {
        let place = self.location(asker, operator, location.clone()).await.map_err(RoadFault::Denied)?;
        let evse = place.evses.into_iter().find(|evse| uid.is_none_or(|uid| evse.uid == *uid));
        let named = evse.and_then(|evse| Some((evse.id?, evse.uid)));
        named.ok_or(RoadFault::Denied(Denial::UnknownLocation))
    }

    fn remember(&self, operator: PartyId, direct: &Personal<DirectId>, taken: Taken) -> Result<(), RoadFault> {
        let name = direct.reveal(Purpose::Route).as_str();
        self.sittings.take(operator, name, taken, self.now()).map_err(RoadFault::Denied)
    }
}

/// The session that a start began: by its name it can be stopped before its operator tells of it.
fn pending(known: &Known, now: Timestamp) -> Session {
    Session {
        party: known.operator,
        id: known.session.clone(),
        start: known.start,
        end: None,
        energy: Energy::ZERO,
        token: known.token.clone(),
        auth_method: AuthMethod::Command,
        reference: known.reference.clone(),
        location: known.location.clone(),
        evse: known.evse.clone(),
        connector: known.connector.clone(),
        currency: known.currency,
        periods: Vec::new(),
        total_cost: None,
        status: SessionStatus::Pending,
        last_updated: now,
    }
}

/// The session that a selection made, or why there is none.
fn chosen(answer: DirectAnswer) -> Result<Result<Personal<DirectId>, OrderResult>, RoadFault> {
    match (outcome(answer.result.code), answer.direct) {
        (OrderResult::Accepted, Some(direct)) => Ok(Ok(direct)),
        (OrderResult::Accepted, None) => Err(RoadFault::Unreadable("a selection without a name".into())),
        (refused, _) => Ok(Err(refused)),
    }
}

/// Sessions of the road are named by fewer characters.
fn name(direct: &DirectId) -> Result<SessionId, RoadFault> {
    SessionId::new(direct.as_str()).map_err(|_| RoadFault::Unreadable("the name of the session is too long".into()))
}

fn record_token(provider: PartyId, token: &IssuedToken) -> RecordToken {
    RecordToken { party: provider, uid: token.uid.clone(), kind: token.kind, contract: token.contract.clone() }
}
