//! Tariffs: what charging costs here. A change holds for sessions that begin after it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::Decimal;
use charge::id::{PartyId, TariffId};
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Fee, Restrictions};
use charge::units::{Energy, Power};
use operator::view::TariffCard;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::shape::{List, Paging, time};
use crate::stage::{Body, Path, Query};

/// More elements than this no driver could understand.
const ELEMENTS_MAX: usize = 50;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tariff {
    id: String,
    currency: String,
    text: Option<String>,
    elements: Vec<TariffElement>,
    booking: Fees,
    last_updated: String,
    /// Connectors that offer it.
    used_by: u32,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TariffElement {
    components: Vec<TariffComponent>,
    #[serde(default)]
    restrictions: TariffRestrictions,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TariffComponent {
    /// `ENERGY`, `FLAT`, `TIME` or `PARKING_TIME`.
    kind: String,
    /// Per kWh, per hour or per session, without VAT.
    #[schema(example = "0.44")]
    price: String,
    /// Percent; null where the tariff says nothing about VAT.
    #[schema(example = "19")]
    vat: Option<String>,
    /// The smallest billed amount in Wh or seconds.
    #[serde(default = "one")]
    step: u32,
}

const fn one() -> u32 {
    1
}

/// When an element applies, in the location's wall clock. Nothing given means always.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TariffRestrictions {
    /// `HH:MM`
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    /// `YYYY-MM-DD`
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_wh: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_wh: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_w: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_w: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_duration_s: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration_s: Option<u32>,
    /// `MONDAY` … `SUNDAY`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    days: Vec<String>,
}

const DAYS: [(Day, &str); 7] = [
    (Day::Monday, "MONDAY"),
    (Day::Tuesday, "TUESDAY"),
    (Day::Wednesday, "WEDNESDAY"),
    (Day::Thursday, "THURSDAY"),
    (Day::Friday, "FRIDAY"),
    (Day::Saturday, "SATURDAY"),
    (Day::Sunday, "SUNDAY"),
];

const DIMENSIONS: [(Dimension, &str); 4] = [
    (Dimension::Energy, "ENERGY"),
    (Dimension::Flat, "FLAT"),
    (Dimension::Time, "TIME"),
    (Dimension::ParkingTime, "PARKING_TIME"),
];

impl From<TariffCard> for Tariff {
    fn from(card: TariffCard) -> Self {
        let tariff = card.tariff;
        Self {
            id: tariff.id.to_string(),
            currency: tariff.currency.to_string(),
            text: tariff.text,
            elements: tariff.elements.into_iter().map(Into::into).collect(),
            booking: tariff.booking.into(),
            last_updated: time(tariff.last_updated),
            used_by: card.used_by,
        }
    }
}

impl From<Element> for TariffElement {
    fn from(element: Element) -> Self {
        let component = |part: Component| TariffComponent {
            kind: DIMENSIONS.iter().find(|(it, _)| *it == part.dimension).map_or("", |(_, name)| *name).to_owned(),
            price: part.price.normalize().to_string(),
            vat: part.vat_percent.map(|vat| vat.normalize().to_string()),
            step: part.step_size,
        };
        let rules = element.restrictions;
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        Self {
            components: element.components.into_iter().map(component).collect(),
            restrictions: TariffRestrictions {
                start_time: rules.start_minute.map(clock),
                end_time: rules.end_minute.map(clock),
                start_date: rules.start_date,
                end_date: rules.end_date,
                min_wh: rules.min_energy.map(Energy::wh),
                max_wh: rules.max_energy.map(Energy::wh),
                min_w: rules.min_power.map(Power::watts),
                max_w: rules.max_power.map(Power::watts),
                min_duration_s: rules.min_duration_s,
                max_duration_s: rules.max_duration_s,
                days: rules
                    .days
                    .iter()
                    .filter_map(|day| DAYS.iter().find(|(it, _)| it == day))
                    .map(|(_, name)| (*name).to_owned())
                    .collect(),
            },
        }
    }
}

/// What is asked once for a booking that no session comes of.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TariffBookingFees)]
pub(crate) struct Fees {
    /// Nobody came in time.
    #[serde(default)]
    expires: Option<OneFee>,
    /// It was cancelled later than the terms of the booking let one cancel; without a fee such a wish is declined.
    #[serde(default)]
    cancellation: Option<OneFee>,
}

/// An amount before VAT, and the VAT in percent.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TariffFee)]
pub(crate) struct OneFee {
    #[schema(example = "4.00")]
    price: String,
    #[serde(default)]
    vat: Option<String>,
}

impl From<BookingFees> for Fees {
    fn from(fees: BookingFees) -> Self {
        let one = |fee: Fee| OneFee {
            price: fee.price.normalize().to_string(),
            vat: fee.vat_percent.map(|vat| vat.normalize().to_string()),
        };
        Self { expires: fees.expires.map(one), cancellation: fees.cancellation.map(one) }
    }
}

impl Fees {
    fn read(self) -> Result<BookingFees, Fault> {
        let one = |fee: Option<OneFee>, path: &str| {
            let read = |fee: OneFee| {
                let price = decimal(&fee.price, format!("/booking/{path}/price"))?;
                let vat = fee.vat.map(|vat| decimal(&vat, format!("/booking/{path}/vat"))).transpose()?;
                Ok::<_, Fault>(Fee { price, vat_percent: vat })
            };
            fee.map(read).transpose()
        };
        Ok(BookingFees {
            expires: one(self.expires, "expires")?,
            cancellation: one(self.cancellation, "cancellation")?,
        })
    }
}

/// A tariff as its operator writes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteTariff {
    #[schema(example = "EUR")]
    currency: String,
    #[serde(default)]
    text: Option<String>,
    elements: Vec<TariffElement>,
    #[serde(default)]
    booking: Fees,
}

fn decimal(text: &str, path: String) -> Result<Decimal, Fault> {
    let number = text.trim().parse::<Decimal>().ok().filter(|number| !number.is_sign_negative());
    number.ok_or_else(|| Fault::malformed(path, "A number of zero or more is expected, as text."))
}

impl WriteTariff {
    pub(crate) fn read(
        self,
        party: PartyId,
        id: TariffId,
        now: charge::Timestamp,
    ) -> Result<charge::tariff::Tariff, Fault> {
        let currency =
            self.currency.parse().map_err(|_| Fault::malformed("/currency", "A currency like EUR is expected."))?;
        if self.elements.is_empty() || self.elements.len() > ELEMENTS_MAX {
            return Err(Fault::malformed("/elements", format!("A tariff has 1 to {ELEMENTS_MAX} elements.")));
        }
        let elements = self.elements.into_iter().enumerate().map(|(at, element)| element.read(at));
        Ok(charge::tariff::Tariff {
            party,
            id,
            currency,
            text: self.text.filter(|text| !text.trim().is_empty()),
            elements: elements.collect::<Result<_, _>>()?,
            min_price: None,
            max_price: None,
            valid_from: None,
            valid_until: None,
            booking: self.booking.read()?,
            last_updated: now,
        })
    }
}

impl TariffElement {
    fn read(self, at: usize) -> Result<Element, Fault> {
        let mut components = Vec::new();
        for (number, part) in self.components.into_iter().enumerate() {
            let path = format!("/elements/{at}/components/{number}");
            let dimension = DIMENSIONS.iter().find(|(_, name)| *name == part.kind).map(|(it, _)| *it);
            let dimension =
                dimension.ok_or_else(|| Fault::malformed(format!("{path}/kind"), "There is no such kind."))?;
            let price = decimal(&part.price, format!("{path}/price"))?;
            let vat_percent = part.vat.map(|vat| decimal(&vat, format!("{path}/vat"))).transpose()?;
            components.push(Component { dimension, price, vat_percent, step_size: part.step.max(1) });
        }
        Ok(Element { components, restrictions: self.restrictions.read(at)? })
    }
}

impl TariffRestrictions {
    fn read(self, at: usize) -> Result<Restrictions, Fault> {
        let path = |field: &str| format!("/elements/{at}/restrictions/{field}");
        let mut days = Vec::new();
        for name in &self.days {
            let day = DAYS.iter().find(|(_, it)| it == name).map(|(day, _)| *day);
            days.push(day.ok_or_else(|| Fault::malformed(path("days"), "There is no such day."))?);
        }
        Ok(Restrictions {
            start_minute: self.start_time.map(|text| minute(&text, path("start_time"))).transpose()?,
            end_minute: self.end_time.map(|text| minute(&text, path("end_time"))).transpose()?,
            start_date: self.start_date.map(|text| date(text, path("start_date"))).transpose()?,
            end_date: self.end_date.map(|text| date(text, path("end_date"))).transpose()?,
            min_energy: self.min_wh.map(Energy::from_wh),
            max_energy: self.max_wh.map(Energy::from_wh),
            min_power: self.min_w.map(Power::from_watts),
            max_power: self.max_w.map(Power::from_watts),
            min_duration_s: self.min_duration_s,
            max_duration_s: self.max_duration_s,
            days,
        })
    }
}

fn minute(text: &str, path: String) -> Result<u16, Fault> {
    let parts = text.split_once(':').and_then(|(h, m)| Some((h.parse::<u16>().ok()?, m.parse::<u16>().ok()?)));
    let fits = parts.filter(|(hour, minute)| *hour < 24 && *minute < 60);
    fits.map(|(hour, minute)| hour * 60 + minute)
        .ok_or_else(|| Fault::malformed(path, "A time like 17:30 is expected."))
}

fn date(text: String, path: String) -> Result<String, Fault> {
    let midnight = format!("{text}T00:00:00Z");
    let is_date = text.len() == 10 && midnight.parse::<charge::Timestamp>().is_ok();
    if is_date { Ok(text) } else { Err(Fault::malformed(path, "A date like 2026-11-22 is expected.")) }
}

#[utoipa::path(get, path = "/api/p/operator/tariffs", tag = "operator", params(Paging),
    responses((status = 200, body = List<Tariff>)))]
pub(crate) async fn list(State(desk): State<Desk>, Query(paging): Query<Paging>) -> Result<Json<List<Tariff>>, Fault> {
    let found = desk.room.tariffs(super::stations::page(&paging)).await?;
    Ok(Json(List::page(found.items.into_iter().map(Into::into).collect(), found.total.into(), paging.offset())))
}

#[utoipa::path(put, path = "/api/p/operator/tariffs/{id}", tag = "operator", request_body = WriteTariff,
    params(("id" = String, Path)), responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(wish): Body<WriteTariff>,
) -> Result<StatusCode, Fault> {
    let id = TariffId::new(&id).map_err(|fault| Fault::malformed("/id", format!("The id {fault}.")))?;
    let tariff = wish.read(desk.room.setup().party, id, desk.clock.now())?;
    desk.room.put_tariff(&actor.name, tariff).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/api/p/operator/tariffs/{id}", tag = "operator", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn retire(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let id = TariffId::new(&id).map_err(|_| Fault::NotFound)?;
    desk.room.drop_tariff(&actor.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
