//! CDRs: audited outside of any transaction, then kept, and billed or disputed in one.

use billing::cdr::Audit;
use billing::record::{KeySource, PublicKey};
use charge::Timestamp;
use charge::id::{EvseUid, PartyId, SessionId};
use charge::meter::SignedRecord;
use charge::record::{Cdr, RecordToken, SessionStatus};
use charge::talk::road::{Answer, Denial, Question};
use charge::tariff::Tariff;
use charge::token::TokenKind;
use store::Tx;

use super::charging::{Reply, UNKNOWN_ZONE, cost_lines, refuse};
use super::{Desk, Event, Provider};
use crate::booking::DriverBooking;
use crate::cdrs::{self, Case, DisputeState};
use crate::fault::ProviderFault;
use crate::memory::sessions::{Known, Told};
use crate::memory::{self, bookings, onetime, people, places, tariffs};
use crate::onetime::{Move, OneTime, Word};
use crate::sessions::{Owner, SessionPlace};
use crate::{CdrNo, SessionNo, TariffNo, invoices, learned};

impl Provider {
    /// The audit, which verifies signatures, runs between two transactions and not inside of one.
    pub(super) async fn hear_cdr(&self, from: PartyId, cdr: Cdr) -> Result<Answer, ProviderFault> {
        if from != cdr.party {
            return Err(ProviderFault::Denied(Denial::NotYours));
        }
        let now = self.now();
        let (cdr, basis) = self
            .read("provider.cdr.basis", move |desk, tx| {
                let basis = desk.basis(tx, &cdr)?;
                Ok((cdr, basis))
            })
            .await?;
        let key = basis.key.as_ref().map(|(key, source)| (key, *source));
        let agreed = basis.agreed.as_ref().map(|(_, tariff)| tariff);
        let audit = match &basis.booking {
            Some(booking) => billing::cdr::audit_fee(&cdr, agreed, booking.costs(now)),
            None => billing::cdr::audit(&cdr, &basis.time_zone, agreed, key),
        };
        let (answer, events) =
            self.run("provider.cdr", move |desk, tx| desk.file_cdr(tx, &cdr, &audit, &basis, now)).await?;
        self.tell(events);
        answer.map_err(ProviderFault::Denied)
    }
}

/// What a CDR is audited against.
struct Basis {
    /// Of a CDR without a session: the booking that it asks a fee for.
    booking: Option<DriverBooking>,
    agreed: Option<(TariffNo, Tariff)>,
    time_zone: String,
    key: Option<(PublicKey, KeySource)>,
}

impl Desk {
    fn basis(&self, tx: &Tx<'_>, cdr: &Cdr) -> Result<Basis, ProviderFault> {
        let known = memory::sessions::known(tx, cdr.party, &session_id(cdr)?)?;
        let found = self.attribute(tx, cdr.party, &session_id(cdr)?, &cdr.token, cdr.reference.as_ref())?;
        let one_time = found.and_then(|(_, one_time)| one_time);
        let booking = unused_booking(tx, cdr)?;
        // the fees of a booking are those of the day that it was made
        let since = booking.as_ref().map_or(cdr.start, |booking| booking.given);
        let no = match known.and_then(|known| known.tariff) {
            Some(no) => Some(no),
            None => {
                self.agreed_at_start(tx, one_time.as_ref(), (cdr.party, &cdr.place.id, &cdr.place.evse_uid), since)?
            }
        };
        let agreed = match no {
            Some(no) => tariffs::find(tx, no)?.map(|tariff| (no, tariff)),
            None => None,
        };
        let place = places::find(tx, cdr.party, &cdr.place.id)?;
        let records: Vec<&SignedRecord> = cdr.signed.iter().map(|value| &value.record).collect();
        Ok(Basis {
            booking,
            agreed,
            time_zone: place.map_or_else(|| UNKNOWN_ZONE.to_owned(), |place| place.time_zone),
            key: meter_key(tx, cdr.party, Some(&cdr.place.evse_uid), &records)?,
        })
    }

    fn file_cdr(
        &self,
        tx: &mut Tx<'_>,
        cdr: &Cdr,
        audit: &Audit,
        basis: &Basis,
        now: Timestamp,
    ) -> Result<Reply, ProviderFault> {
        let (agreed, booking) = (basis.agreed.as_ref(), basis.booking.as_ref());
        if let Some(kept) = memory::cdrs::by_id(tx, cdr.party, &cdr.id)? {
            let same =
                (kept.start, kept.end, kept.energy, kept.total) == (cdr.start, cdr.end, cdr.energy, cdr.total_cost);
            if same && kept.credit == cdr.credit {
                return Ok((Ok(Answer::Kept(cdr.id.clone())), Vec::new()));
            }
            memory::learned::alarm(tx, now, cdr.party, "sent another CDR under an id that is kept")?;
            let why = "another CDR is kept under this id".into();
            return Ok((Err(Denial::Malformed { path: "/id".into(), why }), Vec::new()));
        }
        let original = credited_session(tx, cdr)?;
        let (owner, one_time, known) = match (original, booking) {
            (Some(known), _) => (known.owner(), None, Some(known)),
            (None, Some(booking)) if cdr.token.party == self.setup.party => {
                let id = session_id(cdr)?;
                let subject = format!("{}/{id}", cdr.party);
                let owner = Owner { driver: booking.driver.clone(), subject, code: None };
                (owner, None, memory::sessions::known(tx, cdr.party, &id)?)
            }
            (None, _) => {
                let id = session_id(cdr)?;
                let found = self.attribute(tx, cdr.party, &id, &cdr.token, cdr.reference.as_ref())?;
                let Some((owner, one_time)) = found else {
                    return refuse(tx, cdr.party, "sent a CDR on a token that is not ours", now);
                };
                (owner, one_time, memory::sessions::known(tx, cdr.party, &id)?)
            }
        };
        let known_no = known.as_ref().map(|known| known.no);
        let word = Word { operator: cdr.party, session: known_no, began: cdr.start, closes: true };
        // a bare card is no permission: there must have been a question about it, and one question permits one CDR
        let one_time = match one_time {
            None if !cdr.credit && booking.is_none() => self.tapped(tx, &owner, word)?,
            other => other,
        };
        let permitted = cdr.credit || booking.is_some() || self.is_listed(tx, &cdr.token)?;
        let unasked = if permitted { Move::Stay } else { Move::Refuse };
        let step = one_time.as_ref().map_or(unasked, |one_time| one_time.state.on(one_time.event(word)));
        let case = self.case(tx, cdr, one_time.as_ref(), known_no, step)?;
        let found = cdrs::judge(cdr, audit, &case, self.setup.currency);

        let session = self.close_session(tx, cdr, audit, &owner, known.as_ref(), agreed.map(|(no, _)| *no))?;
        if let (Some(one_time), Move::To(state)) = (&one_time, step) {
            onetime::set(tx, &one_time.code, state, Some(session), now)?;
        }
        if case.misused {
            memory::learned::alarm(tx, now, cdr.party, "sent a CDR on a permission that does not fit it")?;
        }
        let tariff = match agreed {
            Some((no, agreed)) if *agreed == cdr.tariff => *no,
            Some(_) | None => tariffs::put_of_cdr(tx, &cdr.tariff)?,
        };
        let verdict = audit.evidence.words();
        let filing = memory::cdrs::Filing { session, tariff, verdict, received: now };
        let no = memory::cdrs::insert(tx, cdr, &filing)?;
        let told = learned::told(&Question::PostCdr(Box::new(cdr.clone())), owner.code.as_deref());
        self.learn(tx, &owner, cdr.party, &told)?;

        let mut events = self.orders_of(tx, &owner, session, SessionStatus::Completed)?;
        events.extend([Event::Session { driver: owner.driver.clone(), no: session }, Event::Cdr(no)]);
        if found.is_empty() {
            events.extend(self.bill(tx, cdr, audit, no, now)?);
        } else {
            events.push(Event::Dispute(memory::disputes::open(tx, no, &found, now)?));
        }
        Ok((Ok(Answer::Kept(cdr.id.clone())), events))
    }

    /// Whether a bare card is a permission by itself. One that is blocked by now is for a clerk to judge.
    fn is_listed(&self, tx: &Tx<'_>, token: &RecordToken) -> Result<bool, ProviderFault> {
        if !self.setup.cards_listed || token.kind != TokenKind::Rfid {
            return Ok(false);
        }
        let card = people::card_by_tag(tx, &self.vault, self.vault.tag(&token.uid))?;
        Ok(card.is_some_and(|card| !card.blocked))
    }

    fn case(
        &self,
        tx: &Tx<'_>,
        cdr: &Cdr,
        one_time: Option<&OneTime>,
        session: Option<SessionNo>,
        step: Move,
    ) -> Result<Case, ProviderFault> {
        let billed_by = match session {
            Some(session) => memory::cdrs::of_session(tx, session)?.map(|row| row.id),
            None => None,
        };
        let credited = match cdr.credit_reference.as_ref().filter(|_| cdr.credit) {
            Some(original) if !memory::cdrs::is_credited(tx, cdr.party, original)? => {
                let row = memory::cdrs::by_id(tx, cdr.party, original)?;
                row.filter(|row| !row.credit).map(|row| row.total)
            }
            Some(_) | None => None,
        };
        // that the session has its CDR already is said by `billed_by`, more plainly
        let misused = step == Move::Refuse && !cdr.credit && billed_by.is_none();
        let money_cap = one_time.and_then(|id| id.money_cap);
        Ok(Case { misused, billed_by, money_cap, credited })
    }

    fn close_session(
        &self,
        tx: &mut Tx<'_>,
        cdr: &Cdr,
        audit: &Audit,
        owner: &Owner,
        known: Option<&Known>,
        tariff: Option<TariffNo>,
    ) -> Result<SessionNo, ProviderFault> {
        let id = session_id(cdr)?;
        let place = &cdr.place;
        let told = Told {
            operator: cdr.party,
            id: &id,
            start: cdr.start,
            end: Some(cdr.end),
            energy: cdr.energy,
            status: SessionStatus::Completed,
            currency: cdr.currency,
            cost: Some(cdr.total_cost),
            updated: cdr.last_updated,
            place: Some(SessionPlace {
                location: place.id.clone(),
                evse: place.evse_uid.clone(),
                evse_id: Some(place.evse_id.clone()),
                name: place.name.clone(),
                address: place.address.clone(),
                city: place.city.clone(),
            }),
        };
        match known {
            None => {
                let no = memory::sessions::insert(tx, &told, owner, tariff)?;
                if let Some(priced) = &audit.priced {
                    memory::sessions::put_lines(tx, no, &cost_lines(priced))?;
                }
                Ok(no)
            }
            // a second CDR or a credit changes books, not what happened
            Some(known) if memory::cdrs::of_session(tx, known.no)?.is_some() => Ok(known.no),
            Some(known) => {
                memory::sessions::update(tx, known.no, &told)?;
                if let Some(priced) = &audit.priced {
                    memory::sessions::put_lines(tx, known.no, &cost_lines(priced))?;
                }
                Ok(known.no)
            }
        }
    }

    /// Puts an agreed CDR, or the credit for one, on the driver's open invoice.
    fn bill(
        &self,
        tx: &mut Tx<'_>,
        cdr: &Cdr,
        audit: &Audit,
        no: CdrNo,
        now: Timestamp,
    ) -> Result<Option<Event>, ProviderFault> {
        let row = memory::cdrs::find(tx, no)?.ok_or(ProviderFault::TooLarge)?;
        if let Some(original) = cdr.credit_reference.as_ref().filter(|_| cdr.credit)
            && let Some(original) = memory::cdrs::by_id(tx, cdr.party, original)?
            && let Some((dispute, DisputeState::Open | DisputeState::CreditAsked)) = original.dispute
        {
            // the original never reached an invoice, so there is nothing to take back: the dispute is over
            memory::disputes::settle(tx, dispute, DisputeState::CreditAsked, "credited by the operator", now)?;
            return Ok(None);
        }
        let vat = self.setup.vat_percent;
        let lines = match audit.priced.as_ref().filter(|_| !cdr.credit) {
            Some(priced) => invoices::lines(cdr, priced, vat),
            None => vec![invoices::total_line(&row, vat)],
        };
        let invoice = memory::invoices::open_for(tx, &row.driver, &invoices::month(cdr.end))?;
        memory::invoices::put_lines(tx, invoice, no, &lines)?;
        Ok(Some(Event::Invoice { driver: row.driver, no: invoice }))
    }
}

/// The key to check a meter's records with: the operator's register if we have it, else the key that came along.
pub(super) fn meter_key(
    tx: &Tx<'_>,
    operator: PartyId,
    evse: Option<&EvseUid>,
    records: &[&SignedRecord],
) -> Result<Option<(PublicKey, KeySource)>, ProviderFault> {
    let registered = match evse {
        Some(evse) => places::meter_key(tx, operator, evse)?,
        None => None,
    };
    if let Some(key) = registered.and_then(|text| PublicKey::read(&text).ok()) {
        return Ok(Some((key, KeySource::Register)));
    }
    let beside = records.iter().find_map(|record| record.public_key.as_deref());
    Ok(beside.and_then(|text| PublicKey::read(text).ok()).map(|key| (key, KeySource::InFile)))
}

/// A credit belongs to the session of the CDR that it takes back, even after the one-time id is forgotten.
fn credited_session(tx: &Tx<'_>, cdr: &Cdr) -> Result<Option<Known>, ProviderFault> {
    let Some(original) = cdr.credit_reference.as_ref().filter(|_| cdr.credit) else { return Ok(None) };
    match memory::cdrs::by_id(tx, cdr.party, original)? {
        Some(original) => Ok(memory::sessions::known_by_no(tx, original.session)?),
        None => Ok(None),
    }
}

/// The booking of ours that a CDR without a session asks a fee for. While nobody knows here how it ended, its operator
/// has to ask again: the word of it is on its way.
fn unused_booking(tx: &Tx<'_>, cdr: &Cdr) -> Result<Option<DriverBooking>, ProviderFault> {
    let (None, Some(id), false) = (&cdr.session, &cdr.booking, cdr.credit) else { return Ok(None) };
    let found = bookings::by_booking(tx, cdr.party, id)?;
    match found.as_ref().is_some_and(|booking| !booking.status.is_final()) {
        true => Err(ProviderFault::Denied(Denial::Overloaded)),
        false => Ok(found),
    }
}

/// A CDR without a session id is a session of its own; one booking has one.
fn session_id(cdr: &Cdr) -> Result<SessionId, ProviderFault> {
    match (&cdr.session, &cdr.booking) {
        (Some(id), _) => Ok(id.clone()),
        (None, Some(booking)) => Ok(SessionId::new(booking.as_str())?),
        (None, None) => Ok(SessionId::new(cdr.id.as_str().chars().take(SessionId::LIMIT).collect::<String>())?),
    }
}
