//! Letters from other parties, and the tap.

use charge::id::{EvseUid, LocationId, OrderId, PartyId};
use charge::place::{EvseStatus, Location};
use charge::talk::road::{Answer, Denial, Letter, OrderResult, Question, RoadDesk};
use charge::tariff::Tariff;
use charge::token::{Allowed, ContractId, PresentedToken, TokenKind, Verdict};
use charge::{Personal, Purpose, Soon, Timestamp};
use store::Tx;

use super::{Desk, Event, Provider};
use crate::authorise::{self, Standing};
use crate::fault::ProviderFault;
use crate::learned;
use crate::memory::{self, onetime, people, places, tariffs};
use crate::onetime::{Grant, OneTime, State, Way};

impl RoadDesk for Provider {
    fn hear(&self, letter: Letter) -> Soon<'_, Result<Answer, Denial>> {
        Box::pin(async move { self.listen(letter).await.map_err(Denial::from) })
    }
}

impl Provider {
    async fn listen(&self, letter: Letter) -> Result<Answer, ProviderFault> {
        let Letter { from, to: _, correlation: _, question } = letter;
        match question {
            Question::MayCharge { token } => self.may_charge(from, token).await.map(Answer::May),
            Question::PutSession(session) => self.hear_session(from, *session).await,
            Question::PostCdr(cdr) => self.hear_cdr(from, *cdr).await,
            Question::PutLocation(location) => self.hear_location(from, *location).await,
            Question::PatchEvse { location, evse, status, at } => {
                self.hear_evse(from, location, evse, status, at).await
            }
            Question::PutTariff(tariff) => self.hear_tariff(from, *tariff).await,
            Question::DropTariff(id) => {
                self.run("provider.tariff", move |_, tx| Ok(tariffs::drop_offer(tx, from, &id)?)).await?;
                Ok(Answer::Noted)
            }
            Question::Outcome { order, return_to: _, result, message: _ } => {
                self.hear_outcome(from, order, result).await
            }
            Question::ProfileOutcome { order, return_to: _, result, plan } => {
                self.hear_profile_outcome(from, order, result, plan.map(|plan| *plan)).await
            }
            Question::Plan { session, plan } => self.hear_plan(from, session, *plan).await,
            Question::Fetch(wanted) => self.hand(from, wanted).await,
            Question::Booking(about) => self.hear_booking(from, about).await,
            Question::Start(_)
            | Question::Stop { .. }
            | Question::Unlock { .. }
            | Question::Reservation(_)
            | Question::Profile(_)
            | Question::PutToken(_)
            | Question::Locations(_)
            | Question::Tariffs(_) => Err(ProviderFault::Denied(Denial::NotSupported)),
        }
    }

    async fn may_charge(&self, from: PartyId, token: PresentedToken) -> Result<Verdict, ProviderFault> {
        let now = self.now();
        self.run("provider.tap", move |desk, tx| desk.tap(tx, from, &token, now)).await
    }

    async fn hear_location(&self, from: PartyId, location: Location) -> Result<Answer, ProviderFault> {
        self.owned(from, location.party)?;
        let (operator, id) = (location.party, location.id.clone());
        if self.run("provider.location", move |_, tx| Ok(places::put(tx, &location)?)).await? {
            self.tell([Event::Place { operator, location: id, evse: None }]);
        }
        Ok(Answer::Noted)
    }

    async fn hear_evse(
        &self,
        from: PartyId,
        location: LocationId,
        evse: EvseUid,
        status: EvseStatus,
        at: Timestamp,
    ) -> Result<Answer, ProviderFault> {
        let event = Event::Place { operator: from, location: location.clone(), evse: Some(evse.clone()) };
        let changed = self.run("provider.evse", move |_, tx| {
            if !places::is_known(tx, from, &location)? {
                return Err(ProviderFault::Denied(Denial::UnknownLocation));
            }
            Ok(places::set_status(tx, from, (&location, &evse), status, at)?)
        });
        if changed.await? {
            self.tell([event]);
        }
        Ok(Answer::Noted)
    }

    async fn hear_tariff(&self, from: PartyId, tariff: Tariff) -> Result<Answer, ProviderFault> {
        self.owned(from, tariff.party)?;
        self.run("provider.tariff", move |_, tx| Ok(tariffs::put_offer(tx, &tariff)?)).await?;
        Ok(Answer::Noted)
    }

    async fn hear_outcome(
        &self,
        from: PartyId,
        order: Option<OrderId>,
        result: OrderResult,
    ) -> Result<Answer, ProviderFault> {
        let id = order.ok_or_else(|| ProviderFault::Denied(Denial::Incomplete("the order".into())))?;
        let (now, hub) = (self.now(), self.0.setup.hub);
        let event = self.run("provider.outcome", move |desk, tx| {
            // an order given to somebody else is answered like one that never was
            let order = memory::orders::find(tx, &id)?.filter(|order| from == order.operator || from == hub);
            let order = order.ok_or(ProviderFault::Denied(Denial::UnknownObject))?;
            desk.conclude(tx, order, &crate::remote::outcome(result), now)
        });
        self.tell([event.await?]);
        Ok(Answer::Noted)
    }

    /// The owner speaks for itself, or the hub passes its words on.
    fn owned(&self, from: PartyId, owner: PartyId) -> Result<(), ProviderFault> {
        let rightful = from == owner || from == self.0.setup.hub;
        if rightful { Ok(()) } else { Err(ProviderFault::Denied(Denial::NotYours)) }
    }
}

impl Desk {
    fn tap(
        &self,
        tx: &mut Tx<'_>,
        from: PartyId,
        token: &PresentedToken,
        now: Timestamp,
    ) -> Result<Verdict, ProviderFault> {
        let us = self.setup.party;
        if let Some(id) = self.one_time(tx, token)? {
            return match authorise::one_time(now, from, Some(&id)) {
                Ok(()) => self.permit(&id),
                Err(allowed) => {
                    if matches!(id.state, State::Active | State::Closed) {
                        memory::learned::alarm(tx, now, from, "asked about a one-time id that is used up")?;
                    }
                    Ok(authorise::no(us, allowed))
                }
            };
        }
        let card = match token.kind {
            TokenKind::Rfid | TokenKind::Other => people::card_by_tag(tx, &self.vault, self.vault.tag(&token.uid))?,
            TokenKind::Emaid | TokenKind::AppUser | TokenKind::AdHocUser | TokenKind::DirectPayment => None,
        };
        let Some(card) = card else { return Ok(authorise::no(us, Allowed::Unknown)) };
        let contract = people::contract(tx, &card.driver, self.setup.currency)?;
        let owed = self.owed(tx, &card.driver)?;
        let standing = contract.map(|contract| Standing { blocked: card.blocked, contract, owed });
        let money_cap = match authorise::card(now, standing.as_ref()) {
            Ok(money_cap) => money_cap,
            Err(allowed) => return Ok(authorise::no(us, allowed)),
        };
        let id = self.arm(tx, &card.driver, Grant { operator: from, way: Way::Tap, money_cap, tariff: None, now })?;
        let verdict = self.permit(&id)?;
        let heard = learned::told(&Question::MayCharge { token: token.clone() }, None);
        let hub = self.setup.hub;
        let mut lessons = learned::came_in(from, hub, us, &heard);
        lessons.extend(heard.iter().map(|field| learned::at_station(from, *field)));
        lessons.extend(learned::went_out(from, hub, &learned::answered(&verdict)));
        lessons.push(learned::known_here(us));
        memory::learned::add(tx, &id.code, &lessons)?;
        Ok(verdict)
    }

    /// The one-time id that a token is, in whatever spelling.
    fn one_time(&self, tx: &Tx<'_>, token: &PresentedToken) -> Result<Option<OneTime>, ProviderFault> {
        match ContractId::new(token.normal(Purpose::Authorise)) {
            Ok(id) if id.compact().len() == CODE_LEN => Ok(onetime::by_code(tx, &id.compact(), self.setup.currency)?),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    fn permit(&self, id: &OneTime) -> Result<Verdict, ProviderFault> {
        let contract = Personal::new(id.contract(self.setup.party)?);
        Ok(authorise::yes(self.setup.party, contract, id.reference.clone(), id.money_cap))
    }
}

/// Country, party, `C` and eight characters.
const CODE_LEN: usize = 14;
