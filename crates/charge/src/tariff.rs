//! The shape of a tariff: elements, components, restrictions. What it costs is worked out in `billing`.

use crate::Timestamp;
use crate::id::{PartyId, TariffId};
use crate::money::{Currency, Price};
use crate::units::{Energy, Power};
use rust_decimal::Decimal;

/// What is charged for (OCPI 2.2.1, 11.4.5 `TariffDimensionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Per kilowatt-hour.
    Energy,
    /// Once per session.
    Flat,
    /// Per hour connected and not charging.
    ParkingTime,
    /// Per hour charging.
    Time,
}

/// One price (OCPI 2.2.1, 11.4.2 `PriceComponent`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub dimension: Dimension,
    /// Per kWh, per hour or per session, without VAT, in the tariff's currency.
    pub price: Decimal,
    /// Percent; `None` where the tariff says nothing about VAT.
    pub vat_percent: Option<Decimal>,
    /// The smallest billed amount: watt-hours or seconds; 1 means exact. Ignored for `Flat`.
    pub step_size: u32,
}

/// A day of the week (OCPI 2.2.1, 11.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// When an element applies (OCPI 2.2.1, 11.4.6). Times and dates are the location's wall clock; every `None` means
/// "no such restriction", an empty `days` means every day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// Minutes after midnight; an end before the start goes over midnight.
    pub start_minute: Option<u16>,
    pub end_minute: Option<u16>,
    /// `YYYY-MM-DD`.
    pub start_date: Option<String>,
    pub end_date: Option<String>,
    pub min_energy: Option<Energy>,
    pub max_energy: Option<Energy>,
    pub min_power: Option<Power>,
    pub max_power: Option<Power>,
    pub min_duration_s: Option<u32>,
    pub max_duration_s: Option<u32>,
    pub days: Vec<Day>,
}

/// Components that apply together, first match per dimension wins (OCPI 2.2.1, 11.4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub components: Vec<Component>,
    pub restrictions: Restrictions,
}

/// A tariff of an operator (OCPI 2.2.1, 11.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    pub party: PartyId,
    pub id: TariffId,
    pub currency: Currency,
    /// In plain words, for the driver.
    pub text: Option<String>,
    pub elements: Vec<Element>,
    pub min_price: Option<Price>,
    pub max_price: Option<Price>,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
    /// For bookings that no session comes of.
    pub booking: BookingFees,
    pub last_updated: Timestamp,
}

/// What is asked once for a booking that no session comes of (OCPI 2.3.0, Bookings 1.1, `BookingRestrictionType`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookingFees {
    /// Nobody came in time.
    pub expires: Option<Fee>,
    /// It was cancelled too late for that to cost nothing.
    pub cancellation: Option<Fee>,
}

impl BookingFees {
    pub const fn of(&self, end: BookingEnd) -> Option<&Fee> {
        match end {
            BookingEnd::Expires => self.expires.as_ref(),
            BookingEnd::Cancellation => self.cancellation.as_ref(),
        }
    }
}

/// An amount that is asked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Before VAT, in the tariff's currency.
    pub price: Decimal,
    /// `None`: not told.
    pub vat_percent: Option<Decimal>,
}

impl Fee {
    /// With VAT where the tariff tells it, otherwise as it stands. `None`: too large for anybody.
    pub fn gross(&self) -> Option<Decimal> {
        let Some(percent) = self.vat_percent else { return Some(self.price) };
        self.price.checked_add(self.price.checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?)
    }
}

/// How a booking ends without a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookingEnd {
    Expires,
    Cancellation,
}

impl Tariff {
    /// The fee for a booking that ended so, as a tariff that has nothing else in it. `None`: it costs nothing.
    pub fn of_booking(&self, end: BookingEnd) -> Option<Self> {
        let fee = self.booking.of(end)?;
        let flat =
            Component { dimension: Dimension::Flat, price: fee.price, vat_percent: fee.vat_percent, step_size: 1 };
        let elements = vec![Element { components: vec![flat], restrictions: Restrictions::default() }];
        Some(Self { elements, min_price: None, max_price: None, ..self.clone() })
    }
}
