//! Requests into questions.
//!
//! One request may be many questions: a push has many records. Deliberately undecided here: who may ask and where a
//! question goes; [`Heard`] names who the body says is asking and whom it is for.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::{Denial, PageWish, Question, Wanted};

use super::{Beside, caller, cdr, order, place, session, tariff, token};
use crate::doc::{Crossed, Fault, Lost, Record};
use crate::form;
use crate::message::Request;
use crate::operation::Operation;

/// What a request asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Who the body says is asking; nobody in requests that do not say it.
    pub from: Option<PartyId>,
    /// Whom the request is for, as far as it says so.
    pub to: Option<PartyId>,
    pub questions: Vec<Question>,
    /// The identification is a number that only the contract's provider can check.
    pub pin: bool,
}

/// How the door names the session of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The broker's id of it.
    pub broker: Option<&'a str>,
    /// The operator's own id of it, once it is known.
    pub operator: Option<&'a str>,
}

/// The questions of a request.
pub fn questions(request: &Request, names: Names<'_>, beside: &Beside<'_>) -> Result<Crossed<Heard>, Denial> {
    let mut lost = Lost::new();
    let body = &request.body;
    let mut heard = Heard { from: caller(body), to: None, questions: Vec::new(), pin: false };
    let one = |question| vec![question];
    heard.questions = match request.operation {
        Operation::AuthorizeStart | Operation::AuthorizeStop => {
            let identified = token::read(body)?;
            heard.to = identified.contract.as_ref().and_then(charge::token::ContractId::party);
            heard.pin = identified.pin;
            tell(body, &["EvseID", "PartnerProductID"], &mut lost);
            one(Question::MayCharge { token: identified.token })
        }
        Operation::MobileAuthorizeStart => mobile(body, &mut heard, &mut lost)?,
        Operation::RemoteStart | Operation::ReservationStart => {
            heard.to = Some(order::place_of(body, beside)?.location.party);
            let session = names.broker.or_else(|| body.text("SessionID")).ok_or(Denial::UnknownObject)?;
            one(match request.operation {
                Operation::RemoteStart => order::read_start(body, session, beside, &mut lost)?,
                _reservation => order::read_reservation(body, session, beside, &mut lost)?,
            })
        }
        Operation::RemoteStop => {
            heard.to = order::place_of(body, beside).ok().map(|place| place.location.party);
            let session = names.operator.or_else(|| body.text("SessionID")).ok_or(Denial::UnknownObject)?;
            one(order::read_stop(body, session)?)
        }
        Operation::ReservationStop => {
            heard.to = order::place_of(body, beside).ok().map(|place| place.location.party);
            one(order::read_cancel(body)?)
        }
        Operation::ChargeDetailRecord => {
            let cdr = cdr::read(body, beside, &mut lost)?;
            heard.from = Some(cdr.party);
            heard.to = Some(cdr.token.party);
            one(Question::PostCdr(Box::new(cdr)))
        }
        Operation::NotificationStart
        | Operation::NotificationProgress
        | Operation::NotificationEnd
        | Operation::NotificationError => {
            let question = session::read(request.operation, body, beside, &mut lost)?;
            if let Some(Question::PutSession(session)) = &question {
                heard.to = Some(session.token.party);
            }
            question.into_iter().collect()
        }
        Operation::PushEvseData => place::read_push(body, beside, &mut lost)?,
        Operation::PushEvseStatus => place::read_statuses(body, beside, &mut lost)?,
        Operation::PushAuthenticationData => token::read_list(body, beside.now, &mut lost)?,
        Operation::PushPricingProducts => tariff::read_push(body, beside, &mut lost)?,
        Operation::PushEvsePricing => pricing(body, None, beside, &mut lost),
        Operation::PullEvseData
        | Operation::PullEvseStatus
        | Operation::PullEvseStatusById
        | Operation::PullEvseStatusByOperator
        | Operation::PullEvsePricing
        | Operation::GetEvseById
        | Operation::SearchEvse => one(Question::Locations(since(body, "LastCall", None))),
        Operation::PullPricingProducts => one(Question::Tariffs(since(body, "LastCall", None))),
        Operation::GetChargeDetailRecords => {
            let wish = since(body, "From", body.time("To"));
            one(Question::Fetch(Wanted::Cdrs(wish)))
        }
        Operation::PullAuthenticationData => one(Question::Fetch(Wanted::Tokens(PageWish::default()))),
        Operation::MobileRemoteStart | Operation::MobileRemoteStop => return Err(Denial::NotSupported),
    };
    Ok(Crossed { value: heard, lost })
}

fn tell(body: &Record, names: &[&str], lost: &mut Lost) {
    let there = names.iter().filter(|name| body.get(name).is_some());
    lost.extend(there.map(|name| Fault::new(format!("/{name}"), "is not carried")));
}

/// OICP 2.0: somebody at the EVSE types contract id and PIN into a phone.
fn mobile(body: &Record, heard: &mut Heard, lost: &mut Lost) -> Result<Vec<Question>, Denial> {
    let wrapped = Record::default().maybe("QRCodeIdentification", body.get("QRCodeIdentification").cloned());
    let wrapped = super::recased(wrapped);
    let identified = token::read_one(&wrapped)?;
    heard.to = identified.contract.as_ref().and_then(charge::token::ContractId::party);
    heard.pin = identified.pin;
    tell(body, &["EvseID", "PartnerProductID"], lost);
    Ok(vec![Question::MayCharge { token: identified.token }])
}

fn since(body: &Record, name: &str, before: Option<Timestamp>) -> PageWish {
    PageWish { changed_since: body.time(name), changed_before: before, ..PageWish::default() }
}

/// The answer to a provider's pull of what EVSEs offer: a change of every place that is known.
pub fn read_pulled_pricing(body: &Record, provider: PartyId, beside: &Beside<'_>, lost: &mut Lost) -> Vec<Question> {
    let lists = body.records("EVSEPricing");
    lists.flat_map(|list| pricing(list, Some(&form::provider_id(provider)), beside, lost)).collect()
}

/// Which products an EVSE offers: its connectors name their tariffs. `to`: the provider that we are, if we are one.
fn pricing(body: &Record, to: Option<&str>, beside: &Beside<'_>, lost: &mut Lost) -> Vec<Question> {
    let mut locations: Vec<charge::place::Location> = Vec::new();
    for record in body.records("EVSEPricing") {
        let Some(place) = record.word("EvseID").ok().and_then(|id| beside.places.by_id(&id)) else {
            lost.push(Fault::new("/EVSEPricing/EvseID", "is an EVSE whose data nobody pushed"));
            continue;
        };
        if record.text("ProviderID").is_some_and(|id| id != "*" && Some(id) != to) {
            lost.push(Fault::new("/EVSEPricing/ProviderID", "offers to one provider, which is not carried"));
            continue;
        }
        let tariffs: Vec<_> = record.texts("EvseIDProductList").filter_map(tariff::tariff_id).collect();
        let at = locations.iter().position(|location| location.id == place.location.id);
        let at = at.unwrap_or_else(|| {
            locations.push((*place.location).clone());
            locations.len() - 1
        });
        if let Some(evse) = locations.get_mut(at).and_then(|location| location.evses.get_mut(place.evse)) {
            evse.connectors.iter_mut().for_each(|connector| connector.tariffs.clone_from(&tariffs));
            evse.last_updated = beside.now;
        }
    }
    let put = |location| Question::PutLocation(Box::new(location));
    locations.into_iter().map(put).collect()
}

/// The operator or provider that a path names must be the one that the body names (OICP 2.3, code 017).
pub fn same_party(path_id: &str, body: Option<PartyId>) -> Result<Option<PartyId>, Denial> {
    if path_id.is_empty() {
        return Ok(body);
    }
    let named = form::party(&path_id.replace("%2A", "*").replace("%2a", "*")).ok_or(Denial::NotYours)?;
    match body {
        Some(body) if body != named => Err(Denial::NotYours),
        Some(_) | None => Ok(Some(named)),
    }
}
