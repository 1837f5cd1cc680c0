//! How a hub reaches its partners of OICP: letters as requests, over mutual TLS.
//!
//! A partner of the sender's own version gets the sender's document. Providers of OICP are told no public objects, they
//! pull them. Invariant: a session that OICP hears of has a broker's id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use charge::id::{AuthorizationReference, PartyId};
use charge::record::{Cdr, Session};
use charge::talk::road::{Answer, Denial, Letter, OrderResult, Question, ReservationWish, RoadFault};
use charge::token::{Allowed, ContractId};
use charge::{Personal, Soon};
use oicp::bridge::ask::{Toward, requests};
use oicp::bridge::{Places, answer};
use oicp::message::{self, Reply, Request};
use oicp::{Crossed, Lost, Operation, Record, Version, form};
use store::StoreError;

use super::broker::{Broker, Unrated, errand, texts, tongue, version_of};
use super::index::Index;
use super::mailbox::Before;
use super::pending::pending;
use super::sessions::Known;
use super::wire::{Answered, Wire};
use crate::road::partners::Partner;
use crate::road::speaker::{Native, Speaker, Told};

/// The ways to partners, made when they are first needed and again when a partner's entry changes.
#[derive(Default)]
pub(super) struct Wires(Mutex<HashMap<PartyId, Made>>);

/// A way, and the entry that it was made of.
type Made = (Arc<Partner>, Arc<Wire>);

impl Wires {
    pub(super) fn to(
        &self,
        partner: &Arc<Partner>,
        version: Version,
        tls: &Arc<rustls::ClientConfig>,
    ) -> Result<Arc<Wire>, RoadFault> {
        let mut wires = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, wire)) = wires.get(&partner.party)
            && Arc::ptr_eq(known, partner)
        {
            return Ok(Arc::clone(wire));
        }
        let made = Wire::new(version, Arc::clone(partner), tls);
        let wire = made.map(Arc::new).map_err(|fault| {
            tracing::warn!(%fault, "a partner of OICP cannot be reached");
            RoadFault::NoRoad
        })?;
        wires.insert(partner.party, (Arc::clone(partner), Arc::clone(&wire)));
        Ok(wire)
    }
}

impl Speaker for Broker {
    fn speak(&self, to: PartyId, letter: Letter, native: Option<Native>) -> Soon<'_, Result<Told, RoadFault>> {
        Box::pin(self.say(to, letter, native))
    }
}

/// What the broker's table says of a letter's session, for those who are told of it.
struct Named {
    id: Option<String>,
    evse: Option<String>,
    reference: Option<String>,
}

impl Broker {
    async fn say(&self, to: PartyId, letter: Letter, native: Option<Native>) -> Result<Told, RoadFault> {
        match &letter.question {
            Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_)
            // OICP's orders were answered with their outcome; a later one has nobody who waits
            | Question::Outcome { .. } => return Ok(Told::new(Answer::Noted)),
            _told => {}
        }
        let partner = self.0.setup.partners.find(to).ok_or(RoadFault::NoRoad)?;
        let version = version_of(partner.protocol).ok_or(RoadFault::NoRoad)?;
        let wire = self.0.wires.to(&partner, version, &self.0.setup.tls)?;
        let native = native.filter(|native| native.tongue == tongue(version));
        let places = self.beneath(&letter).await.map_err(RoadFault::Denied)?;
        let named = self.named(to, &letter, &places).await?;
        if let Question::PostCdr(cdr) = &letter.question {
            let cdr = cdr.clone();
            return self.post(&wire, *cdr, (letter, native), (named, &places)).await;
        }
        if let Some(native) = native {
            return self.hand(&wire, letter, native).await;
        }
        if let (Version::V20, Question::PutSession(_)) = (version, &letter.question) {
            // its operator is not to try again, and has named its session by telling of it
            let lost = vec!["a session under way has no message in OICP 2.0".into()];
            return Ok(Told { lost, ..Told::new(Answer::Noted) });
        }
        self.write(&wire, letter, (named, &places)).await
    }

    /// A CDR, which is kept for its provider besides.
    async fn post(
        &self,
        wire: &Wire,
        cdr: Cdr,
        (letter, native): (Letter, Option<Native>),
        (named, places): (Named, &Index),
    ) -> Result<Told, RoadFault> {
        let (to, from) = (wire.party(), letter.from);
        let body = match &native {
            Some(native) => read_cdr(wire.version(), &native.bytes),
            None => self.written(to, &letter, (&named, places))?.value.into_iter().next().map(|request| request.body),
        };
        let body = body.ok_or(RoadFault::Denied(Denial::Internal))?;
        let number = match self.keep(to, from, &body).await.map_err(RoadFault::Denied)? {
            Before::Taken => return Ok(Told::new(Answer::Kept(cdr.id))),
            Before::Push(number) => number,
        };
        let told = match native {
            Some(native) => self.hand(wire, letter, native).await,
            None => self.write(wire, letter, (named, places)).await,
        };
        self.pushed(number, &cdr, told).await
    }

    fn written(
        &self,
        to: PartyId,
        letter: &Letter,
        (named, places): (&Named, &Index),
    ) -> Result<Crossed<Vec<Request>>, RoadFault> {
        let beside = self.beside(places, &Unrated, Some(to));
        let toward = Toward { session: named.id.as_deref(), evse: named.evse.as_deref() };
        let written = requests(&letter.question, letter.from, toward, &beside);
        let written =
            self.0.setup.crossing.relay.way().told_if_refused(letter.from, to, &errand(&letter.question), written);
        let mut written = written.map_err(RoadFault::Denied)?;
        for request in &mut written.value {
            if let (None, Some(reference)) = (request.body.get(REFERENCE), &named.reference) {
                request.body = std::mem::take(&mut request.body).with(REFERENCE, reference.as_str());
            }
        }
        Ok(written)
    }

    /// A letter in the words of OICP.
    async fn write(&self, wire: &Wire, letter: Letter, (named, places): (Named, &Index)) -> Result<Told, RoadFault> {
        let written = self.written(wire.party(), &letter, (&named, places))?;
        let (mut lost, mut told) = (written.lost, Told::new(Answer::Noted));
        for request in written.value {
            let Answered { reply, bytes, lost: left } = wire.ask(&request, letter.from, None, "").await?;
            lost.extend(left);
            let mut answered = reply.lost;
            told = self.read(&letter, &request, &reply.value, wire.version(), bytes, &mut answered)?;
            // of the partner's own words, on their way to whoever asked
            self.0.setup.crossing.lost(wire.party(), letter.from, &errand(&letter.question), &texts(&answered));
        }
        self.began(wire.party(), &letter, &named, &mut told).await?;
        self.recorded(&letter, &named).await?;
        told.session = self.pending(wire.party(), &letter, (&named, places), told.outcome);
        told.lost = texts(&lost);
        Ok(told)
    }

    /// The sender's own document to a partner of the same version.
    async fn hand(&self, wire: &Wire, letter: Letter, native: Native) -> Result<Told, RoadFault> {
        let rows = wire.version().rows().iter();
        let row = rows.into_iter().find(|row| row.request.name == native.kind).ok_or(RoadFault::NoRoad)?;
        let request = Request { operation: row.operation, body: oicp::Record::default() };
        let Answered { reply, bytes, .. } = wire.ask(&request, letter.from, Some(native.bytes), "").await?;
        // both get each other's documents as they are
        self.read(&letter, &request, &reply.value, wire.version(), bytes, &mut Lost::new())
    }

    fn read(
        &self,
        letter: &Letter,
        request: &Request,
        reply: &Reply,
        version: Version,
        bytes: bytes::Bytes,
        lost: &mut Lost,
    ) -> Result<Told, RoadFault> {
        let read = answer::read(&letter.question, reply, &self.beside(&Index::default(), &Unrated, None))?;
        lost.extend(read.lost);
        let mut answer = read.value.answer;
        if let Answer::May(verdict) = &mut answer {
            // among ourselves the reference is the provider's own
            verdict.reference = read.value.partner.and_then(|own| AuthorizationReference::new(own).ok());
        }
        let kind = version.row(request.operation).map_or("", |row| row.answer.name);
        let native = Some(Native { tongue: tongue(version), kind, bytes });
        Ok(Told { outcome: read.value.outcome, native, ..Told::new(answer) })
    }

    /// The broker's id of the session that a letter is about; a new one for what begins.
    async fn named(&self, to: PartyId, letter: &Letter, places: &Index) -> Result<Named, RoadFault> {
        let fresh = || match letter.correlation.as_str() {
            // a partner of OICP asked through this broker, which named the session then
            id if self.is_oicp(letter.from) && form::is_session_id(id) => id.to_owned(),
            _other => self.0.setup.dice.uuid(),
        };
        let plain = |id: Option<String>| Named { id, evse: None, reference: None };
        match &letter.question {
            Question::MayCharge { .. } => Ok(plain(Some(fresh()))),
            Question::Start(start) => {
                let place = places.by_uid(letter.to, &start.location, start.evse.as_ref());
                Ok(Named { evse: evse_of(place), ..plain(Some(fresh())) })
            }
            Question::Reservation(order) => match &order.wish {
                ReservationWish::Make { location, evse, .. } => {
                    let place = places.by_uid(letter.to, location, evse.as_ref());
                    Ok(Named { evse: evse_of(place), ..plain(Some(fresh())) })
                }
                ReservationWish::Cancel => self.reserved(&order.reservation, letter.from, letter.to).await,
            },
            Question::Stop { session, .. } => self.known(session.as_str(), letter.from).await,
            Question::PutSession(session) => {
                let place = places.by_uid(Some(session.party), &session.location, Some(&session.evse));
                let evse = evse_of(place);
                let told = Speaking {
                    reference: session.reference.as_ref().map(AuthorizationReference::as_str),
                    own: session.id.as_str(),
                    named: true,
                    contract: &session.token.contract,
                    evse: evse.as_deref(),
                };
                self.told_of(told, letter.from, to).await
            }
            Question::PostCdr(cdr) => {
                let told = Speaking {
                    reference: cdr.reference.as_ref().map(AuthorizationReference::as_str),
                    own: cdr.session.as_ref().map_or(cdr.id.as_str(), |session| session.as_str()),
                    named: cdr.session.is_some(),
                    contract: &cdr.token.contract,
                    evse: Some(cdr.place.evse_id.as_str()),
                };
                self.told_of(told, letter.from, to).await
            }
            _other => Ok(plain(None)),
        }
    }

    fn is_oicp(&self, party: PartyId) -> bool {
        self.0.setup.partners.protocol(party).is_some_and(|protocol| version_of(protocol).is_some())
    }

    async fn known(&self, id: &str, party: PartyId) -> Result<Named, RoadFault> {
        let known = self.0.setup.sessions.find(id).await.map_err(internal)?;
        let known = known.filter(|known| known.provider == party || known.operator == party);
        let known = known.ok_or(RoadFault::Denied(Denial::UnknownObject))?;
        Ok(Named { id: Some(id.to_owned()), evse: known.evse, reference: None })
    }

    /// A reservation by its giver's name for it, or by the broker's.
    async fn reserved(&self, name: &str, giver: PartyId, operator: Option<PartyId>) -> Result<Named, RoadFault> {
        match self.0.setup.sessions.reserved(giver, operator, name).await.map_err(internal)? {
            Some((id, known)) => Ok(Named { id: Some(id), evse: known.evse, reference: None }),
            None => self.known(name, giver).await,
        }
    }

    /// An operator tells of a session by the reference that it was permitted under, which is the broker's id of it; one
    /// whose protocol has no references by its contract.
    async fn told_of(&self, told: Speaking<'_>, operator: PartyId, provider: PartyId) -> Result<Named, RoadFault> {
        let sessions = &self.0.setup.sessions;
        let id = told.reference.filter(|id| form::is_session_id(id)).unwrap_or(told.own);
        let named = sessions.find(id).await.map_err(internal)?.filter(|known| known.operator == operator);
        let (id, known) = match (named, self.tag(told.contract)) {
            (Some(known), _) => (id.to_owned(), known),
            (None, Some(contract)) if told.reference.is_none() => {
                let alike = sessions.alike(operator, provider, contract).await.map_err(internal)?;
                meant(alike, told.own, told.evse).ok_or(RoadFault::Denied(Denial::UnknownObject))?
            }
            (None, _) => return Err(RoadFault::Denied(Denial::UnknownObject)),
        };
        if told.named && known.own.as_deref() != Some(told.own) && told.own != id {
            sessions.named(&id, told.own).await.map_err(internal)?;
        }
        Ok(Named { id: Some(id), evse: known.evse, reference: known.reference })
    }

    /// For a provider of another protocol, which can stop what it knows.
    fn pending(
        &self,
        operator: PartyId,
        letter: &Letter,
        (named, places): (&Named, &Index),
        outcome: Option<OrderResult>,
    ) -> Option<Box<Session>> {
        let Question::Start(start) = &letter.question else { return None };
        if outcome != Some(OrderResult::Accepted) || self.is_oicp(letter.from) {
            return None;
        }
        let at = (self.0.setup.currency, self.0.setup.clock.now());
        pending(places, (operator, letter.from), start, named.id.as_deref()?, at)
    }

    /// A session whose record was told is over: the next one of its contract is another.
    async fn recorded(&self, letter: &Letter, named: &Named) -> Result<(), RoadFault> {
        if let (Question::PostCdr(_), Some(id), false) = (&letter.question, &named.id, self.is_oicp(letter.from)) {
            self.0.setup.sessions.close(id).await.map_err(internal)?;
        }
        Ok(())
    }

    /// Remembers a session that began at a partner of OICP by a letter of another protocol.
    async fn began(&self, to: PartyId, letter: &Letter, named: &Named, told: &mut Told) -> Result<(), RoadFault> {
        let Some(id) = &named.id else { return Ok(()) };
        let (operator, provider, reference, contract) = match &letter.question {
            Question::MayCharge { .. } => {
                let Answer::May(verdict) = &mut told.answer else { return Ok(()) };
                if verdict.allowed != Allowed::Yes {
                    return Ok(());
                }
                let own = verdict.reference.clone();
                // an operator of another protocol tells of the session by the broker's name for it
                if !self.is_oicp(letter.from) {
                    verdict.reference = AuthorizationReference::new(id).ok();
                }
                (letter.from, to, own, verdict.contract.clone())
            }
            Question::Start(start) => (to, letter.from, start.reference.clone(), Some(start.token.contract.clone())),
            Question::Reservation(order) => match &order.wish {
                ReservationWish::Make { reference, .. } => (to, letter.from, reference.clone(), None),
                ReservationWish::Cancel => return Ok(()),
            },
            _other => return Ok(()),
        };
        // a session of a partner of OICP has its row already
        if self.is_oicp(letter.from) {
            return Ok(());
        }
        let reference = reference.map(|reference| reference.as_str().to_owned());
        let reservation = match &letter.question {
            Question::Reservation(order) => Some(String::from(&*order.reservation)),
            _no_reservation => None,
        };
        let contract = contract.as_ref().and_then(|contract| self.tag(contract));
        let evse = named.evse.clone();
        let known = Known { evse, reference, contract, reservation, ..Known::of(operator, provider) };
        let kept = self.0.setup.sessions.put(id, known, self.0.setup.clock.now()).await;
        kept.map_err(|_| RoadFault::Denied(Denial::Internal))
    }
}

/// A session or record of an operator, as far as it says which session of the broker it is.
struct Speaking<'l> {
    reference: Option<&'l str>,
    /// The operator's own name.
    own: &'l str,
    /// That name is the session's, not the record's.
    named: bool,
    contract: &'l Personal<ContractId>,
    evse: Option<&'l str>,
}

/// Of several sessions of one contract: the one of this name, else the open one at this EVSE, else the only open one,
/// else the last that was closed, whose record came again. Two that fit alike are none.
fn meant(alike: Vec<(String, Known)>, own: &str, evse: Option<&str>) -> Option<(String, Known)> {
    if let Some(named) = alike.iter().find(|(_, known)| known.own.as_deref() == Some(own)) {
        return Some(named.clone());
    }
    let here = |known: &Known| {
        known.evse.as_deref().zip(evse).is_some_and(|(known, evse)| form::key(known) == form::key(evse))
    };
    let elsewhere = |known: &Known| known.evse.is_some() && evse.is_some() && !here(known);
    let open: Vec<_> = alike.iter().filter(|(_, known)| !known.closed && !elsewhere(known)).collect();
    let at_hand: Vec<_> = open.iter().copied().filter(|(_, known)| here(known)).collect();
    match (&at_hand[..], &open[..]) {
        ([one], _) | ([], [one]) => Some((**one).clone()),
        ([], []) => alike.iter().find(|(_, known)| !elsewhere(known)).cloned(),
        (_, _) => None,
    }
}

fn internal(_: StoreError) -> RoadFault {
    RoadFault::Denied(Denial::Internal)
}
/// A CDR of a partner in the form of 2.3.
fn read_cdr(version: Version, bytes: &[u8]) -> Option<Record> {
    let read = match version {
        Version::V23 => message::read_json_request(Operation::ChargeDetailRecord, bytes),
        Version::V20 => message::read_soap_request(bytes),
    };
    read.ok().map(|read| read.value.body)
}

/// What the provider of a session calls it.
const REFERENCE: &str = "EMPPartnerSessionID";

fn evse_of(place: Option<oicp::bridge::Place>) -> Option<String> {
    Some(place?.evse()?.id.as_ref()?.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn of_several_sessions_of_a_contract_the_open_one_here_is_meant_and_of_two_neither() {
        let [operator, provider]: [PartyId; 2] = ["DE-OPA", "DE-8AA"].map(|id| id.parse().unwrap());
        let known = |id: &str, own: Option<&str>, evse: Option<&str>, closed| {
            let (own, evse) = (own.map(str::to_owned), evse.map(str::to_owned));
            (id.to_owned(), Known { own, evse, closed, ..Known::of(operator, provider) })
        };
        let id = |alike: &[(String, Known)], own, evse| meant(alike.to_vec(), own, evse).map(|(id, _)| id);
        let (here, there) = (Some("DE*OPA*E1"), Some("DEOPAE2"));
        let two = [known("a", None, here, false), known("b", None, there, false)];
        assert_eq!(id(&two, "S1", Some("DEOPAE1")).as_deref(), Some("a"), "in either spelling");
        assert_eq!(id(&two, "S1", Some("DE*OPA*E3")), None, "somewhere else");
        let taps = [known("a", None, None, false), known("b", None, None, false)];
        assert_eq!(id(&taps, "S1", here), None, "either could be it");
        let named = [known("a", None, None, false), known("b", Some("S1"), None, false)];
        assert_eq!(id(&named, "S1", here).as_deref(), Some("b"));
        let over = [known("a", None, None, false), known("b", None, None, true)];
        assert_eq!(id(&over, "S1", here).as_deref(), Some("a"), "the one that is open");
        assert_eq!(id(&over[1..], "S1", here).as_deref(), Some("b"), "its record came again");
        assert_eq!(id(&[], "S1", here), None);
    }
}
