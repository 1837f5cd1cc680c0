//! What operators tell about charging while it happens, and whose it is.
//!
//! A session must run on a permission of ours. A word about anything else is answered like one about an unknown token,
//! and noted as an alarm.

use charge::Purpose;
use charge::Timestamp;
use charge::id::{AuthorizationReference, EvseUid, LocationId, PartyId, SessionId};
use charge::record::{RecordToken, Session, SessionStatus};
use charge::talk::road::{Answer, Denial, Question};
use charge::tariff::Tariff;
use charge::token::TokenKind;
use charge::units::Energy;
use store::Tx;

use super::{Desk, Event, Provider};
use crate::fault::ProviderFault;
use crate::memory::sessions::{Known, Told};
use crate::memory::{self, onetime, people, places, tariffs};
use crate::onetime::{Event as OneTimeEvent, Move, OneTime, State, Word};
use crate::sessions::{self, CostLine, Owner, Point, SessionPlace, Update};
use crate::{SessionNo, TariffNo, learned};

/// What is answered, and what the pages hear. A refusal is an answer too: what it noted is kept.
pub(super) type Reply = (Result<Answer, Denial>, Vec<Event>);

impl Provider {
    pub(super) async fn hear_session(&self, from: PartyId, session: Session) -> Result<Answer, ProviderFault> {
        if from != session.party {
            return Err(ProviderFault::Denied(Denial::NotYours));
        }
        let now = self.now();
        let (answer, events) =
            self.run("provider.session", move |desk, tx| desk.take_session(tx, &session, now)).await?;
        self.tell(events);
        answer.map_err(ProviderFault::Denied)
    }
}

impl Desk {
    fn take_session(&self, tx: &mut Tx<'_>, session: &Session, now: Timestamp) -> Result<Reply, ProviderFault> {
        let known = memory::sessions::known(tx, session.party, &session.id)?;
        let found = self.attribute(tx, session.party, &session.id, &session.token, session.reference.as_ref())?;
        let Some((owner, one_time)) = found else {
            return refuse(tx, session.party, "told a session on a token that is not ours", now);
        };
        let word = Word {
            operator: session.party,
            session: known.as_ref().map(|known| known.no),
            began: session.start,
            closes: false,
        };
        // a bare card is no permission: before the first word there must have been a question about it
        let unasked = one_time.is_none() && known.is_none() && self.tapped(tx, &owner, word)?.is_none();
        if unasked {
            return refuse(tx, session.party, "told a session on a card that it did not ask about", now);
        }
        let step = one_time.as_ref().map_or(Move::Stay, |id| id.state.on(id.event(word)));
        let foreign = known.as_ref().is_some_and(|known| known.subject != owner.subject);
        if step == Move::Refuse || foreign {
            return refuse(tx, session.party, "told a session on a permission that does not fit it", now);
        }
        let update = sessions::update(
            known.as_ref().map(|known| (known.status, known.updated)),
            session.status,
            session.last_updated,
        );
        if update == Update::Stale {
            return Ok((Ok(Answer::Noted), Vec::new()));
        }
        let tariff = match &known {
            Some(known) => known.tariff,
            None => self.agreed_at_start(
                tx,
                one_time.as_ref(),
                (session.party, &session.location, &session.evse),
                session.start,
            )?,
        };
        let no = self.write_session(tx, session, &owner, known.as_ref(), tariff)?;
        if let (Some(id), Move::To(state)) = (&one_time, step) {
            onetime::set(tx, &id.code, state, Some(no), now)?;
        }
        let told = learned::told(&Question::PutSession(Box::new(session.clone())), owner.code.as_deref());
        self.learn(tx, &owner, session.party, &told)?;
        let mut events = self.orders_of(tx, &owner, no, session.status)?;
        events.push(Event::Session { driver: owner.driver, no });
        Ok((Ok(Answer::Noted), events))
    }

    fn write_session(
        &self,
        tx: &mut Tx<'_>,
        session: &Session,
        owner: &Owner,
        known: Option<&Known>,
        tariff: Option<TariffNo>,
    ) -> Result<SessionNo, ProviderFault> {
        let place = places::find(tx, session.party, &session.location)?;
        let time_zone = place.as_ref().map_or(UNKNOWN_ZONE, |place| place.time_zone.as_str());
        let priced = match tariff {
            Some(no) => tariffs::find(tx, no)?.and_then(|tariff| priced_so_far(&tariff, time_zone, session)),
            None => None,
        };
        let evse_id = place.as_ref().and_then(|place| {
            place.evses.iter().find(|evse| evse.uid == session.evse).and_then(|evse| evse.id.clone())
        });
        let told = Told {
            operator: session.party,
            id: &session.id,
            start: session.start,
            end: session.end,
            energy: session.energy,
            status: session.status,
            currency: session.currency,
            cost: priced.as_ref().map(|priced| priced.total).or(session.total_cost),
            updated: session.last_updated,
            place: Some(SessionPlace {
                location: session.location.clone(),
                evse: session.evse.clone(),
                evse_id,
                name: place.as_ref().and_then(|place| place.name.clone()),
                address: place.as_ref().map(|place| place.address.clone()).unwrap_or_default(),
                city: place.as_ref().map(|place| place.city.clone()).unwrap_or_default(),
            }),
        };
        let no = match known {
            Some(known) => {
                memory::sessions::update(tx, known.no, &told)?;
                known.no
            }
            None => memory::sessions::insert(tx, &told, owner, tariff)?,
        };
        let before = known.map_or((session.start, Energy::ZERO), |known| {
            (if known.updated > known.started { known.updated } else { known.started }, known.energy)
        });
        if let Some(power) = sessions::mean_power(before, (session.last_updated, session.energy)) {
            memory::sessions::put_point(tx, no, Point { at: session.last_updated, power, energy: session.energy })?;
        }
        if let Some(priced) = priced {
            memory::sessions::put_lines(tx, no, &cost_lines(&priced))?;
        }
        Ok(no)
    }

    /// Whose session it is: by its one-time id, by our reference, or by a card of ours.
    pub(super) fn attribute(
        &self,
        tx: &Tx<'_>,
        operator: PartyId,
        session: &SessionId,
        token: &RecordToken,
        reference: Option<&AuthorizationReference>,
    ) -> Result<Option<(Owner, Option<OneTime>)>, ProviderFault> {
        if token.party != self.setup.party {
            return Ok(None);
        }
        let currency = self.setup.currency;
        let mut id = onetime::by_code(tx, &token.contract.reveal(Purpose::Bill).compact(), currency)?;
        if id.is_none() {
            id = onetime::by_code(tx, &token.uid.reveal(Purpose::Bill).normal(), currency)?;
        }
        if let (None, Some(reference)) = (&id, reference) {
            id = onetime::by_reference(tx, reference, currency)?;
        }
        if let Some(id) = id.filter(|id| id.state != State::Pool) {
            let owner = Owner { driver: id.driver.clone(), subject: id.code.clone(), code: Some(id.code.clone()) };
            return Ok(Some((owner, Some(id))));
        }
        let card = match token.kind {
            TokenKind::Rfid => people::card_by_tag(tx, &self.vault, self.vault.tag(&token.uid))?,
            TokenKind::Emaid
            | TokenKind::AppUser
            | TokenKind::AdHocUser
            | TokenKind::DirectPayment
            | TokenKind::Other => None,
        };
        Ok(card.map(|card| {
            let subject = format!("{operator}/{session}");
            (Owner { driver: card.driver, subject, code: None }, None)
        }))
    }

    /// The permission that a session on a bare card runs on, as long as no CDR has used it up.
    pub(super) fn tapped(&self, tx: &Tx<'_>, owner: &Owner, word: Word) -> Result<Option<OneTime>, ProviderFault> {
        let taps = onetime::unused_taps(tx, &owner.driver, word.operator, self.setup.currency)?;
        // an id that no session took does not know the session by its number either
        let word = Word { session: None, ..word };
        Ok(taps.into_iter().find(|tap| tap.event(word) != OneTimeEvent::Misuse))
    }

    /// The tariff that a session runs on: accepted before a remote start, else what we knew for the EVSE at the start.
    pub(super) fn agreed_at_start(
        &self,
        tx: &Tx<'_>,
        one_time: Option<&OneTime>,
        (operator, location, evse): (PartyId, &LocationId, &EvseUid),
        start: Timestamp,
    ) -> Result<Option<TariffNo>, ProviderFault> {
        if let Some(accepted) = one_time.and_then(|id| id.tariff) {
            return Ok(Some(accepted));
        }
        let Some(place) = places::find(tx, operator, location)? else { return Ok(None) };
        let evse = place.evses.iter().find(|known| known.uid == *evse);
        let ids = evse.and_then(|evse| evse.connectors.first()).map(|connector| connector.tariffs.as_slice());
        Ok(tariffs::in_force(tx, operator, ids.unwrap_or_default(), start)?.map(|(no, _)| no))
    }

    pub(super) fn learn(
        &self,
        tx: &mut Tx<'_>,
        owner: &Owner,
        operator: PartyId,
        fields: &[learned::Field],
    ) -> Result<(), ProviderFault> {
        let us = self.setup.party;
        let mut lessons = learned::came_in(operator, self.setup.hub, us, fields);
        lessons.push(learned::known_here(us));
        Ok(memory::learned::add(tx, &owner.subject, &lessons)?)
    }

    /// What a session says about the orders that wanted it.
    pub(super) fn orders_of(
        &self,
        tx: &mut Tx<'_>,
        owner: &Owner,
        no: SessionNo,
        status: SessionStatus,
    ) -> Result<Vec<Event>, ProviderFault> {
        let mut events = Vec::new();
        let runs = match status {
            SessionStatus::Active | SessionStatus::Completed => true,
            SessionStatus::Pending | SessionStatus::Invalid => false,
        };
        if let Some(code) = owner.code.as_deref().filter(|_| runs)
            && let Some(start) = memory::orders::by_code(tx, code)?
        {
            events.extend(self.happened(tx, start, no)?);
        }
        if sessions::is_over(status) {
            for stop in memory::orders::waiting_stops(tx, no)? {
                events.extend(self.happened(tx, stop, no)?);
            }
        }
        Ok(events)
    }
}

pub(super) fn refuse(tx: &mut Tx<'_>, party: PartyId, kind: &str, now: Timestamp) -> Result<Reply, ProviderFault> {
    memory::learned::alarm(tx, now, party, kind)?;
    Ok((Err(Denial::UnknownToken), Vec::new()))
}

fn priced_so_far(tariff: &Tariff, time_zone: &str, session: &Session) -> Option<billing::price::Priced> {
    let last = session.periods.last()?.start;
    let end = session.end.unwrap_or(session.last_updated).max(last);
    billing::price::price(tariff, time_zone, &session.periods, end).ok()
}

pub(super) fn cost_lines(priced: &billing::price::Priced) -> Vec<CostLine> {
    let line = |line: &billing::price::Line| CostLine {
        dimension: Some(line.dimension),
        text: line.rule.to_string(),
        quantity: line.quantity,
        unit: line.unit.to_owned(),
        amount: line.amount.before_vat,
    };
    let adjusted = priced.adjustment.iter().map(|adjustment| CostLine {
        dimension: None,
        text: adjustment.rule.to_string(),
        quantity: charge::Decimal::ONE,
        unit: "session".to_owned(),
        amount: adjustment.amount.before_vat,
    });
    priced.lines.iter().map(line).chain(adjusted).collect()
}

/// Of a location that we have never heard of. Only prices by the hour suffer, and they then show up as a dispute.
pub(super) const UNKNOWN_ZONE: &str = "UTC";
