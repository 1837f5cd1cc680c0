//! How a hub reaches its partners of OICP: letters as requests, over mutual TLS.
//!
//! A partner of the sender's own version gets the sender's document. Providers of OICP are told no public objects, they
//! pull them; these fill the index. Invariant: a session that OICP hears of has a broker's id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use charge::Soon;
use charge::id::{AuthorizationReference, PartyId};
use charge::talk::road::{Answer, Denial, Letter, Question, ReservationWish, RoadFault};
use charge::token::Allowed;
use oicp::bridge::ask::{Toward, requests};
use oicp::bridge::{Places, answer};
use oicp::message::{Reply, Request};
use oicp::{Lost, Version, form};

use super::broker::{Broker, Unrated, texts, tongue, version_of};
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
    fn to(
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
            | Question::DropTariff(_) => {
                self.remember(letter.from, letter.question);
                return Ok(Told::new(Answer::Noted));
            }
            // OICP's orders were answered with their outcome; a later one has nobody who waits
            Question::Outcome { .. } => return Ok(Told::new(Answer::Noted)),
            _told => {}
        }
        let partner = self.0.setup.partners.find(to).ok_or(RoadFault::NoRoad)?;
        let version = version_of(partner.protocol).ok_or(RoadFault::NoRoad)?;
        let wire = self.0.wires.to(&partner, version, &self.0.setup.tls)?;
        let native = native.filter(|native| native.tongue == tongue(version));
        let named = self.named(&letter).await?;
        if let Some(native) = native {
            return self.hand(&wire, letter, native).await;
        }
        let beside = self.beside(&Unrated, Some(to));
        let toward = Toward { session: named.id.as_deref(), evse: named.evse.as_deref() };
        let written = requests(&letter.question, letter.from, toward, &beside).map_err(RoadFault::Denied)?;
        let (mut lost, mut told) = (written.lost, Told::new(Answer::Noted));
        for mut request in written.value {
            if let (None, Some(reference)) = (request.body.get("EMPPartnerSessionID"), &named.reference) {
                request.body = request.body.with("EMPPartnerSessionID", reference.as_str());
            }
            let Answered { reply, bytes } = wire.ask(&request, letter.from, None, "").await?;
            lost.extend(reply.lost);
            told = self.read(&letter, &request, &reply.value, version, bytes, &mut lost)?;
        }
        self.began(to, &letter, &named, &mut told).await?;
        told.lost = texts(&lost);
        Ok(told)
    }

    /// The sender's own document to a partner of the same version.
    async fn hand(&self, wire: &Wire, letter: Letter, native: Native) -> Result<Told, RoadFault> {
        let rows = wire.version().rows().iter();
        let row = rows.into_iter().find(|row| row.request.name == native.kind).ok_or(RoadFault::NoRoad)?;
        let request = Request { operation: row.operation, body: oicp::Record::default() };
        let Answered { reply, bytes } = wire.ask(&request, letter.from, Some(native.bytes), "").await?;
        let mut lost = reply.lost;
        let mut told = self.read(&letter, &request, &reply.value, wire.version(), bytes, &mut lost)?;
        told.lost = texts(&lost);
        Ok(told)
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
        let read = answer::read(&letter.question, reply, &self.beside(&Unrated, None))?;
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
    async fn named(&self, letter: &Letter) -> Result<Named, RoadFault> {
        let fresh = || match letter.correlation.as_str() {
            // a partner of OICP asked through this broker, which named the session then
            id if self.is_oicp(letter.from) && form::is_session_id(id) => id.to_owned(),
            _other => self.0.setup.dice.uuid(),
        };
        let reference = |given: Option<&AuthorizationReference>| given.map(|reference| reference.as_str().to_owned());
        let plain = |id: Option<String>| Named { id, evse: None, reference: None };
        match &letter.question {
            Question::MayCharge { .. } => Ok(plain(Some(fresh()))),
            Question::Start(start) => {
                let place = self.0.index.by_uid(letter.to, &start.location, start.evse.as_ref());
                Ok(Named { evse: evse_of(place), ..plain(Some(fresh())) })
            }
            Question::Reservation(order) => match &order.wish {
                ReservationWish::Make { location, evse, .. } => {
                    let place = self.0.index.by_uid(letter.to, location, evse.as_ref());
                    Ok(Named { evse: evse_of(place), ..plain(Some(fresh())) })
                }
                ReservationWish::Cancel => self.known(&order.reservation, letter.from).await,
            },
            Question::Stop { session, .. } => self.known(session.as_str(), letter.from).await,
            Question::PutSession(session) => {
                let given = reference(session.reference.as_ref());
                self.told_of(given, session.id.as_str(), letter.from).await
            }
            Question::PostCdr(cdr) => {
                let own = cdr.session.as_ref().map_or(cdr.id.as_str(), |session| session.as_str());
                self.told_of(reference(cdr.reference.as_ref()), own, letter.from).await
            }
            _other => Ok(plain(None)),
        }
    }

    fn is_oicp(&self, party: PartyId) -> bool {
        self.0.setup.partners.protocol(party).is_some_and(|protocol| version_of(protocol).is_some())
    }

    async fn known(&self, id: &str, party: PartyId) -> Result<Named, RoadFault> {
        let known = self.0.setup.sessions.find(id).await.map_err(|_| RoadFault::Denied(Denial::Internal))?;
        let known = known.filter(|known| known.provider == party || known.operator == party);
        let known = known.ok_or(RoadFault::Denied(Denial::UnknownObject))?;
        Ok(Named { id: Some(id.to_owned()), evse: known.evse, reference: None })
    }

    /// An operator tells of a session by the reference that it was permitted under, which is the broker's id of it.
    async fn told_of(&self, reference: Option<String>, own: &str, operator: PartyId) -> Result<Named, RoadFault> {
        let internal = |_| RoadFault::Denied(Denial::Internal);
        let sessions = &self.0.setup.sessions;
        let id = reference.filter(|id| form::is_session_id(id)).unwrap_or_else(|| own.to_owned());
        let known = sessions.find(&id).await.map_err(internal)?.filter(|known| known.operator == operator);
        let known = known.ok_or(RoadFault::Denied(Denial::UnknownObject))?;
        if known.own.as_deref() != Some(own) && own != id {
            sessions.named(&id, own).await.map_err(internal)?;
        }
        Ok(Named { id: Some(id), evse: known.evse, reference: known.reference })
    }

    /// Remembers a session that began at a partner of OICP by a letter of another protocol.
    async fn began(&self, to: PartyId, letter: &Letter, named: &Named, told: &mut Told) -> Result<(), RoadFault> {
        let Some(id) = &named.id else { return Ok(()) };
        let (operator, provider, reference) = match &letter.question {
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
                (letter.from, to, own)
            }
            Question::Start(start) => (to, letter.from, start.reference.clone()),
            Question::Reservation(order) => match &order.wish {
                ReservationWish::Make { reference, .. } => (to, letter.from, reference.clone()),
                ReservationWish::Cancel => return Ok(()),
            },
            _other => return Ok(()),
        };
        // a session of a partner of OICP has its row already
        if self.is_oicp(letter.from) {
            return Ok(());
        }
        let reference = reference.map(|reference| reference.as_str().to_owned());
        let known = Known { operator, provider, evse: named.evse.clone(), reference, own: None, closed: false };
        let kept = self.0.setup.sessions.put(id, known, self.0.setup.clock.now()).await;
        kept.map_err(|_| RoadFault::Denied(Denial::Internal))
    }
}

fn evse_of(place: Option<oicp::bridge::Place>) -> Option<String> {
    Some(place?.evse()?.id.as_ref()?.as_str().to_owned())
}
