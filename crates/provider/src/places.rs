//! Where drivers can charge, for their map: public data of the operators, kept here so that looking at the map tells
//! nobody anything.

use charge::id::{LocationId, PartyId};
use charge::place::{Location, Position};
use charge::tariff::Tariff;
use charge::units::Power;

use crate::TariffNo;

/// A part of the map. `west > east` goes over the date line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub south_west: Position,
    pub north_east: Position,
}

/// A location as a point on the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacePoint {
    pub operator: PartyId,
    pub location: LocationId,
    pub name: Option<String>,
    pub address: String,
    pub city: String,
    pub position: Position,
    pub operator_name: Option<String>,
    /// EVSEs that are free now.
    pub available: u32,
    /// EVSEs in all, without those that are gone.
    pub total: u32,
    pub max_power: Power,
}

/// A location with the price of every EVSE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub location: Location,
    /// In the order of the location's EVSEs.
    pub prices: Vec<EvsePrice>,
}

/// What an EVSE costs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvsePrice {
    /// The driver sends it back with the start: it says which price was shown.
    pub stamp: Option<TariffNo>,
    pub tariff: Option<Tariff>,
    /// In AFIR order; gross. Empty where no price is known.
    pub offers: Vec<billing::price::Offer>,
}
