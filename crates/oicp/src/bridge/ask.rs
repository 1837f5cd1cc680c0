//! Questions into requests.
//!
//! A question may need two requests (data and status of a location) or none (a session that has not begun). What OICP
//! has no operation for is refused.

use charge::id::PartyId;
use charge::place::Location;
use charge::talk::road::{Denial, PageWish, Question, ReservationWish, Wanted};

use super::{Beside, cdr, order, place, session, tariff, token};
use crate::doc::{Crossed, Doc, Fault, Lost, Record};
use crate::form;
use crate::message::Request;
use crate::operation::Operation;

/// To whom a request is written, and what the door knows of its session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Toward<'a> {
    /// The broker's id of the session; `None` where the broker is asked to make one.
    pub session: Option<&'a str>,
    /// The provider that a stop comes from, and the EVSE that it is for.
    pub evse: Option<&'a str>,
}

/// The requests that a question becomes. `from` is who asks.
pub fn requests(
    question: &Question,
    from: PartyId,
    toward: Toward<'_>,
    beside: &Beside<'_>,
) -> Result<Crossed<Vec<Request>>, Denial> {
    let mut lost = Lost::new();
    let one = |operation, body| vec![Request { operation, body }];
    let value = match question {
        Question::MayCharge { token } => {
            let body = Record::default()
                .maybe("SessionID", toward.session)
                .with("OperatorID", form::operator_id(from))
                .with("Identification", token::write(&token.uid, token.kind, None)?);
            one(Operation::AuthorizeStart, body)
        }
        Question::Start(start) => {
            one(Operation::RemoteStart, order::write_start(start, toward.session, beside, &mut lost)?)
        }
        Question::Stop { session, .. } => {
            let id = toward.session.unwrap_or(session.as_str());
            one(Operation::RemoteStop, order::write_stop(id, from, toward.evse)?)
        }
        Question::Reservation(wish) => match &wish.wish {
            ReservationWish::Make { .. } => {
                one(Operation::ReservationStart, order::write_reservation(wish, toward.session, beside, &mut lost)?)
            }
            ReservationWish::Cancel => {
                let id = toward.session.unwrap_or(&wish.reservation);
                one(Operation::ReservationStop, order::write_stop(id, from, toward.evse)?)
            }
        },
        Question::PutSession(session) => {
            let said = session::write(session, toward.session, beside, &mut lost)?;
            said.map(|(operation, body)| Request { operation, body }).into_iter().collect()
        }
        Question::PostCdr(cdr) => one(Operation::ChargeDetailRecord, cdr::write(cdr, toward.session, &mut lost)?),
        Question::PutLocation(location) => put_location(location, beside, &mut lost),
        Question::PatchEvse { location, evse, status, .. } => {
            let place = beside.places.by_uid(None, location, Some(evse)).ok_or(Denial::UnknownLocation)?;
            let id = order::evse_id(Some(&place))?;
            let records: Vec<Doc> = place::status_record(&id, *status).map(Doc::from).into_iter().collect();
            one(Operation::PushEvseStatus, place::write_status_push(place.location.party, records))
        }
        Question::PutTariff(tariff) => one(Operation::PushPricingProducts, tariff::write_push(tariff, &mut lost)?),
        Question::PutToken(token) => {
            let (operation, body) = token::write_list(token)?;
            one(operation, body)
        }
        Question::Locations(wish) => one(Operation::PullEvseData, pull_evses(from, *wish)),
        Question::Tariffs(wish) => one(Operation::PullPricingProducts, pull_products(from, *wish, &mut lost)),
        Question::Fetch(Wanted::Cdrs(wish)) => one(Operation::GetChargeDetailRecords, get_cdrs(from, *wish, beside)),
        Question::Fetch(Wanted::Tokens(_)) => {
            one(Operation::PullAuthenticationData, Record::default().with("OperatorID", form::operator_id(from)))
        }
        Question::Unlock { .. }
        | Question::Outcome { .. }
        | Question::DropTariff(_)
        | Question::Profile(_)
        | Question::ProfileOutcome { .. }
        | Question::Plan { .. }
        | Question::Booking(_)
        | Question::Fetch(
            Wanted::Sessions(_)
            | Wanted::Location { .. }
            | Wanted::Tariff { .. }
            | Wanted::Session { .. }
            | Wanted::Cdr { .. }
            | Wanted::Token { .. },
        ) => return Err(Denial::NotSupported),
    };
    Ok(Crossed { value, lost })
}

/// Data, what is gone, statuses, and the products of the EVSEs that name some.
fn put_location(location: &Location, beside: &Beside<'_>, lost: &mut Lost) -> Vec<Request> {
    let data = place::write_push(location, beside, lost).map(|body| (Operation::PushEvseData, body));
    let gone = place::write_removal(location, beside, &mut Lost::new()).map(|body| (Operation::PushEvseData, body));
    let statuses = place::write_statuses(location).map(|body| (Operation::PushEvseStatus, body));
    let prices = evse_pricing(location).map(|body| (Operation::PushEvsePricing, body));
    let all = [data, gone, statuses, prices].into_iter().flatten();
    all.map(|(operation, body)| Request { operation, body }).collect()
}

/// Which products the EVSEs of a location offer.
pub(crate) fn evse_pricing(location: &Location) -> Option<Record> {
    let record = |evse: &charge::place::Evse| {
        let id = evse.id.as_ref().filter(|id| form::is_evse_id(id.as_str()))?;
        let mut products: Vec<Doc> = Vec::new();
        for tariff in evse.connectors.iter().flat_map(|connector| &connector.tariffs) {
            let product = Doc::from(tariff.as_str());
            if !products.contains(&product) {
                products.push(product);
            }
        }
        let priced = Record::default()
            .with("EvseID", id.as_str())
            .with("ProviderID", "*")
            .with("EvseIDProductList", products.clone());
        (!products.is_empty()).then(|| Doc::from(priced))
    };
    let records: Vec<Doc> = location.evses.iter().filter_map(record).collect();
    (!records.is_empty()).then(|| Record::default().with("ActionType", "update").with("EVSEPricing", records))
}

/// A question for what the EVSEs of every operator offer to a provider.
pub fn pull_evse_pricing(from: PartyId, changed_since: Option<charge::Timestamp>) -> Request {
    let body = Record::default()
        .with("ProviderID", form::provider_id(from))
        .maybe("LastCall", changed_since)
        .with("OperatorIDs", Vec::<Doc>::new());
    Request { operation: Operation::PullEvsePricing, body }
}

/// A question for the status of every EVSE of every operator.
pub fn pull_statuses(from: PartyId) -> Request {
    let body = Record::default().with("ProviderID", form::provider_id(from));
    Request { operation: Operation::PullEvseStatus, body }
}

fn pull_evses(from: PartyId, wish: PageWish) -> Record {
    Record::default()
        .with("ProviderID", form::provider_id(from))
        .maybe("LastCall", wish.changed_since)
        .with("GeoCoordinatesResponseFormat", "DecimalDegree")
}

fn pull_products(from: PartyId, wish: PageWish, lost: &mut Lost) -> Record {
    lost.push(Fault::new("/OperatorIDs", "are left empty: of all operators"));
    Record::default()
        .with("ProviderID", form::provider_id(from))
        .maybe("LastCall", wish.changed_since)
        .with("OperatorIDs", Vec::<Doc>::new())
}

fn get_cdrs(from: PartyId, wish: PageWish, beside: &Beside<'_>) -> Record {
    let since = wish.changed_since.unwrap_or_else(|| charge::Timestamp::from_secs(0));
    Record::default()
        .with("ProviderID", form::provider_id(from))
        .with("From", since.whole_seconds())
        .with("To", wish.changed_before.unwrap_or(beside.now).whole_seconds())
}
