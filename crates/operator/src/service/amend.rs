//! What people look up and mend one by one: locations, what is painted on a pole, what an EVSE can do, meters' keys.
//!
//! Partners are told of what concerns them. A time zone that nobody knows is refused here: every price by the hour
//! would fail later.

use charge::id::{EvseUid, LocationId};
use charge::place::{Capabilities, Location};

use super::{Fault, Operator};
use crate::memory::notice::{self, Kind};
use crate::memory::{amend, log, place};
use crate::view::{Found, LocationHead, MeterCard, Page};

/// OCPI 2.2.1, 8.3.2 `physical_reference`.
const REFERENCE_CHARACTERS_MAX: usize = 16;

impl Operator {
    /// Locations in which the words are found, by name.
    pub async fn find_locations(&self, query: Option<String>, page: Page) -> Result<Found<Location>, Fault> {
        let (query, page) = (query.unwrap_or_default(), page.bounded());
        self.read("operator.locations.find", move |house, tx| {
            let (items, total) = amend::locations(tx, house.setup.party, &query, page)?;
            Ok(Found { items, total })
        })
        .await
    }

    pub async fn location(&self, id: &LocationId) -> Result<Location, Fault> {
        let id = id.clone();
        let found = self.read("operator.location", move |house, tx| place::find(tx, house.setup.party, &id)).await?;
        found.ok_or(Fault::NotFound("location"))
    }

    /// Writes name, address, position and time zone of a location anew. Its EVSEs stay as they are.
    pub async fn amend_location(&self, actor: &str, id: &LocationId, head: LocationHead) -> Result<(), Fault> {
        known_zone(&head.time_zone)?;
        let (actor, id) = (actor.to_owned(), id.clone());
        self.run("operator.location.amend", move |house, tx| {
            let now = house.now();
            if !amend::set_head(tx, &id, &head, now)? {
                return Err(Fault::NotFound("location"));
            }
            notice::put(tx, Kind::Location, id.as_str(), now)?;
            log::audit(tx, now, &actor, "change location", id.as_str(), "done").map_err(Fault::from)
        })
        .await?;
        self.0.wake();
        Ok(())
    }

    /// Writes down what is painted on an EVSE's pole; nothing where nothing is.
    pub async fn amend_reference(&self, actor: &str, evse: &EvseUid, reference: Option<String>) -> Result<(), Fault> {
        if reference.as_ref().is_some_and(|text| text.chars().count() > REFERENCE_CHARACTERS_MAX) {
            let why = format!("At most {REFERENCE_CHARACTERS_MAX} characters.");
            return Err(Fault::Invalid { path: "/physical_reference", why });
        }
        let (actor, evse) = (actor.to_owned(), evse.clone());
        self.run("operator.reference.amend", move |house, tx| {
            let now = house.now();
            let Some(location) = amend::set_reference(tx, &evse, reference.as_deref(), now)? else {
                return Err(Fault::NotFound("EVSE"));
            };
            notice::put(tx, Kind::Location, location.as_str(), now)?;
            log::audit(tx, now, &actor, "change EVSE", evse.as_str(), "done").map_err(Fault::from)
        })
        .await?;
        self.0.wake();
        Ok(())
    }

    /// Says what an EVSE can do; `None`: what its station says counts again.
    pub async fn amend_capabilities(
        &self,
        actor: &str,
        evse: &EvseUid,
        said: Option<Capabilities>,
    ) -> Result<(), Fault> {
        let (actor, evse) = (actor.to_owned(), evse.clone());
        self.run("operator.capabilities.amend", move |house, tx| {
            let now = house.now();
            let Some(location) = amend::set_capabilities(tx, &evse, said, now)? else {
                return Err(Fault::NotFound("EVSE"));
            };
            notice::put(tx, Kind::Location, location.as_str(), now)?;
            let subject = format!("{evse} {}", said.map_or("as its station says".to_owned(), |said| said.to_string()));
            log::audit(tx, now, &actor, "change capabilities", &subject, "done").map_err(Fault::from)
        })
        .await?;
        self.0.wake();
        Ok(())
    }

    /// The meters of all stations with their keys, those that nobody has compared first.
    pub async fn meters(&self, query: Option<String>, page: Page) -> Result<Found<MeterCard>, Fault> {
        let (query, page) = (query.unwrap_or_default(), page.bounded());
        self.read("operator.meters", move |_, tx| {
            let (items, total) = amend::meters(tx, &query, page)?;
            Ok(Found { items, total })
        })
        .await
    }
}

/// The hours of a place's tariffs are those of its zone, so it has to be one.
pub(super) fn known_zone(name: &str) -> Result<(), Fault> {
    if billing::price::knows_zone(name) {
        return Ok(());
    }
    Err(Fault::Invalid { path: "/time_zone", why: "No such time zone is known.".to_owned() })
}
