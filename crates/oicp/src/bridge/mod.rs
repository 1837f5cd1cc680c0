//! From the documents of OICP 2.3 to the words of the road and back, one file per noun.
//!
//! OICP knows an EVSE by its public id alone and a session by the id that the broker gave it; the words know locations,
//! EVSE uids and references. What has to be known beside a document is asked through [`Places`] and [`Rates`]. Invariant:
//! a crossing that would change money is refused, and what does not come along is told.

pub mod answer;
pub mod ask;
mod cdr;
pub mod hear;
mod order;
pub mod place;
mod session;
pub mod tariff;
mod token;

use std::sync::Arc;

use charge::Timestamp;
use charge::id::{EvseId, EvseUid, LocationId, PartyId};
use charge::money::Currency;
use charge::place::{Evse, Location};
use charge::record::Cdr;

use crate::doc::{Fault, Record};

/// One EVSE with the location it is in.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub location: Arc<Location>,
    /// Its index in the location.
    pub evse: usize,
}

impl Place {
    pub fn evse(&self) -> Option<&Evse> {
        self.location.evses.get(self.evse)
    }
}

/// The index between public EVSE ids and what the words call a place.
pub trait Places: Send + Sync {
    /// By [`crate::form::key`] of its public id.
    fn by_id(&self, id: &EvseId) -> Option<Place>;
    /// `evse: None`: the first of the location.
    fn by_uid(&self, owner: Option<PartyId>, location: &LocationId, evse: Option<&EvseUid>) -> Option<Place>;
    fn location(&self, owner: PartyId, id: &LocationId) -> Option<Arc<Location>>;
}

/// A CDR of OICP has no price. Whoever knows what was agreed puts tariff and costs in; `None` refuses it.
pub trait Rates: Send + Sync {
    fn rate(&self, product: Option<&str>, unrated: Cdr) -> Option<Cdr>;
}

/// What is known beside a document.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    pub now: Timestamp,
    pub places: &'a dyn Places,
    pub rates: &'a dyn Rates,
    /// The currency of sessions: OICP names none.
    pub currency: Currency,
    /// The provider that owes, where the session is known.
    pub payer: Option<PartyId>,
    /// For EVSE data, which cannot be written without one.
    pub hotline: &'a str,
}

pub(crate) fn missing(name: &str) -> Fault {
    Fault::new(format!("/{name}"), "is missing")
}

/// A document of 2.0 under the names of 2.3, as far as identifications go.
pub(crate) fn recased(identification: Record) -> Record {
    let mut lost = crate::doc::Lost::new();
    crate::cross::identification(identification, &mut lost)
}

/// The party that calls, as the body says it.
pub fn caller(body: &Record) -> Option<PartyId> {
    let nested = ["OperatorEvseData", "OperatorEvseStatus", "ProviderAuthenticationData", "PricingProductData"];
    let inner = nested.iter().find_map(|name| body.record(name));
    let id = |record: &Record| record.text("OperatorID").or_else(|| record.text("ProviderID")).map(str::to_owned);
    crate::form::party(&inner.and_then(id).or_else(|| id(body))?)
}

#[cfg(test)]
mod tests;
