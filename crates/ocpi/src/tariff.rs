//! Tariffs (OCPI 2.2.1, module 11).
//!
//! Leaving out a restriction would change the price, so a tariff with one that has no word of ours is refused as a
//! whole. Elements that price reservations are left out: we make none, and they apply to nothing else. Fees for bookings
//! (2.3.0, Bookings 1.1) stand beside the elements in the older versions, under a name that nobody else knows: whoever
//! does not know the restriction would take such an element for a price of every session.

use charge::money::Currency;
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Fee, Restrictions, Tariff};

use crate::read::{At, Fault, Lost};
use crate::token::read_party;
use crate::write::{Doc, Record, fitted, number, price, read_price, time};

/// OCPI 2.2.1, 17.4 `DisplayText`.
pub(crate) const DISPLAY_TEXT_CHARACTERS_MAX: usize = 512;
/// Our texts carry no language; the network's own is English.
pub(crate) const TEXT_LANGUAGE: &str = "en";
const MINUTES_A_DAY: u16 = 24 * 60;

const DIMENSIONS: &[(&str, Dimension)] = &[
    ("ENERGY", Dimension::Energy),
    ("FLAT", Dimension::Flat),
    ("PARKING_TIME", Dimension::ParkingTime),
    ("TIME", Dimension::Time),
];
/// Where fees for bookings stand in a version without elements for them; the other names are of its members.
pub(crate) const FEES: &str = "booking_fees";
pub(crate) const EXPIRES: &str = "expires";
pub(crate) const CANCELLATION: &str = "cancellation";
const DAYS: &[(&str, Day)] = &[
    ("MONDAY", Day::Monday),
    ("TUESDAY", Day::Tuesday),
    ("WEDNESDAY", Day::Wednesday),
    ("THURSDAY", Day::Thursday),
    ("FRIDAY", Day::Friday),
    ("SATURDAY", Day::Saturday),
    ("SUNDAY", Day::Sunday),
];

fn word<T: PartialEq>(table: &'static [(&'static str, T)], meaning: &T) -> &'static str {
    table.iter().find(|(_, each)| each == meaning).map_or("", |(word, _)| word)
}

pub(crate) fn display_text(text: &str, path: &str, lost: &mut Lost) -> Doc {
    Record::default()
        .with("language", TEXT_LANGUAGE)
        .with("text", fitted(text, DISPLAY_TEXT_CHARACTERS_MAX, path, lost))
        .into()
}

/// The first of several texts, whatever its language.
pub(crate) fn read_display_text(at: &At<'_>, name: &str, lost: &mut Lost) -> Option<String> {
    let texts = at.field(name)?;
    let first = texts.items().map_or_else(|_| Some(texts.clone()), |items| items.into_iter().next())?;
    first.maybe("text", lost, At::text)
}

pub(crate) fn write(tariff: &Tariff, lost: &mut Lost) -> Doc {
    let elements: Vec<Doc> = tariff.elements.iter().map(write_element).collect();
    let fees = Record::default()
        .maybe(EXPIRES, tariff.booking.expires.as_ref().map(write_fee))
        .maybe(CANCELLATION, tariff.booking.cancellation.as_ref().map(write_fee));
    let text = tariff.text.as_ref().map(|text| vec![display_text(text, "/tariff_alt_text/0/text", lost)]);
    Record::default()
        .with("country_code", tariff.party.country())
        .with("party_id", tariff.party.code())
        .with("id", tariff.id.as_str())
        .with("currency", tariff.currency.as_str())
        .maybe("tariff_alt_text", text)
        .maybe("min_price", tariff.min_price.as_ref().map(price))
        .maybe("max_price", tariff.max_price.as_ref().map(price))
        .with("elements", elements)
        .maybe("start_date_time", tariff.valid_from.map(time))
        .maybe("end_date_time", tariff.valid_until.map(time))
        .maybe(FEES, (tariff.booking != BookingFees::default()).then_some(fees))
        .with("last_updated", time(tariff.last_updated))
        .into()
}

fn write_element(element: &Element) -> Doc {
    let components: Vec<Doc> = element.components.iter().map(write_component).collect();
    let restrictions =
        (element.restrictions != Restrictions::default()).then(|| write_restrictions(&element.restrictions));
    Record::default().with("price_components", components).maybe("restrictions", restrictions).into()
}

fn write_fee(fee: &Fee) -> Record {
    Record::default().with("price", number(fee.price)).maybe("vat", fee.vat_percent.map(number))
}

fn write_component(component: &Component) -> Doc {
    Record::default()
        .with("type", word(DIMENSIONS, &component.dimension))
        .with("price", number(component.price))
        .maybe("vat", component.vat_percent.map(number))
        .with("step_size", component.step_size)
        .into()
}

fn write_restrictions(limits: &Restrictions) -> Record {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    Record::default()
        .maybe("start_time", limits.start_minute.map(clock))
        .maybe("end_time", limits.end_minute.map(clock))
        .maybe("start_date", limits.start_date.as_deref())
        .maybe("end_date", limits.end_date.as_deref())
        .maybe("min_kwh", limits.min_energy.map(|energy| number(energy.kwh())))
        .maybe("max_kwh", limits.max_energy.map(|energy| number(energy.kwh())))
        .maybe("min_power", limits.min_power.map(|power| number(power.kilowatts())))
        .maybe("max_power", limits.max_power.map(|power| number(power.kilowatts())))
        .maybe("min_duration", limits.min_duration_s)
        .maybe("max_duration", limits.max_duration_s)
        .some("day_of_week", limits.days.iter().map(|day| word(DAYS, day).into()).collect())
}

pub(crate) fn read(at: &At<'_>, lost: &mut Lost) -> Result<Tariff, Fault> {
    at.unworded(&["type", "tariff_alt_url", "energy_mix"], lost);
    let mut elements = Vec::new();
    for element in at.need("elements")?.items()? {
        elements.extend(read_element(&element, lost)?);
    }
    Ok(Tariff {
        party: read_party(at)?,
        id: at.need("id")?.word()?,
        currency: read_currency(at)?,
        text: read_display_text(at, "tariff_alt_text", lost),
        elements,
        min_price: at.field("min_price").map(|at| read_price(&at)).transpose()?,
        max_price: at.field("max_price").map(|at| read_price(&at)).transpose()?,
        valid_from: at.field("start_date_time").map(|at| at.time()).transpose()?,
        valid_until: at.field("end_date_time").map(|at| at.time()).transpose()?,
        booking: read_fees(at)?,
        last_updated: at.need("last_updated")?.time()?,
    })
}

pub(crate) fn read_currency(at: &At<'_>) -> Result<Currency, Fault> {
    let at = at.need("currency")?;
    at.text()?.trim().to_ascii_uppercase().parse().map_err(|_| at.fault("is not an ISO 4217 currency code"))
}

/// `None` for what prices reservations or bookings only.
fn read_element(at: &At<'_>, lost: &mut Lost) -> Result<Option<Element>, Fault> {
    let restrictions = match at.field("restrictions") {
        Some(limits) if limits.field("reservation").is_some() => {
            lost.push(limits.fault("is about reservations, which are not made here"));
            return Ok(None);
        }
        Some(limits) if limits.field("booking").is_some() => {
            lost.push(limits.fault("is about bookings, in a version that has none"));
            return Ok(None);
        }
        Some(limits) => read_restrictions(&limits)?,
        None => Restrictions::default(),
    };
    let components: Result<Vec<_>, _> = at.need("price_components")?.items()?.iter().map(read_component).collect();
    Ok(Some(Element { components: components?, restrictions }))
}

fn read_fees(at: &At<'_>) -> Result<BookingFees, Fault> {
    let Some(fees) = at.field(FEES) else { return Ok(BookingFees::default()) };
    let read = |name: &str| {
        let read = |at: At<'_>| {
            let vat_percent = at.field("vat").map(|vat| vat.decimal()).transpose()?;
            Ok(Fee { price: at.need("price")?.decimal()?, vat_percent })
        };
        fees.field(name).map(read).transpose()
    };
    Ok(BookingFees { expires: read(EXPIRES)?, cancellation: read(CANCELLATION)? })
}

fn read_component(at: &At<'_>) -> Result<Component, Fault> {
    Ok(Component {
        dimension: at.need("type")?.one_of(DIMENSIONS)?,
        price: at.need("price")?.decimal()?,
        vat_percent: at.field("vat").map(|vat| vat.decimal()).transpose()?,
        step_size: at.field("step_size").map_or(Ok(1), |step| step.whole())?,
    })
}

fn read_restrictions(at: &At<'_>) -> Result<Restrictions, Fault> {
    for name in ["min_current", "max_current"] {
        if let Some(unknown) = at.field(name) {
            return Err(unknown.fault("is a restriction that cannot be applied here"));
        }
    }
    let days: Result<Vec<_>, _> = at.list("day_of_week")?.iter().map(|day| day.one_of(DAYS)).collect();
    Ok(Restrictions {
        start_minute: at.field("start_time").map(|at| read_minute(&at)).transpose()?,
        end_minute: at.field("end_time").map(|at| read_minute(&at)).transpose()?,
        start_date: at.field("start_date").map(|at| read_date(&at)).transpose()?,
        end_date: at.field("end_date").map(|at| read_date(&at)).transpose()?,
        min_energy: at.field("min_kwh").map(|at| at.kwh()).transpose()?,
        max_energy: at.field("max_kwh").map(|at| at.kwh()).transpose()?,
        min_power: at.field("min_power").map(|at| at.kilowatts()).transpose()?,
        max_power: at.field("max_power").map(|at| at.kilowatts()).transpose()?,
        min_duration_s: at.field("min_duration").map(|at| at.whole()).transpose()?,
        max_duration_s: at.field("max_duration").map(|at| at.whole()).transpose()?,
        days: days?,
    })
}

/// `HH:MM`; some partners add seconds, and `24:00` for the end of the day.
fn read_minute(at: &At<'_>) -> Result<u16, Fault> {
    let text = at.text()?;
    let mut parts = text.trim().split(':').map(|part| part.parse::<u16>().ok());
    let minute = match (parts.next().flatten(), parts.next().flatten()) {
        (Some(hour), Some(minute)) if hour <= 24 && minute < 60 => Some(hour * 60 + minute),
        (Some(_) | None, Some(_) | None) => None,
    };
    minute.filter(|minute| *minute <= MINUTES_A_DAY).ok_or_else(|| at.fault("is not a time of day"))
}

fn read_date(at: &At<'_>) -> Result<String, Fault> {
    let text = at.text()?.trim().to_owned();
    let shape = |(index, c): (usize, char)| if matches!(index, 4 | 7) { c == '-' } else { c.is_ascii_digit() };
    let fits = text.len() == 10 && text.char_indices().all(shape);
    fits.then_some(text).ok_or_else(|| at.fault("is not a date"))
}
