//! Pricing products (OICP 2.3, dynamic pricing) and tariffs.
//!
//! A product has one unit, a few fees and times of day; a tariff can say much more. Everything here is money, so a
//! tariff that a product cannot say exactly is refused and never approximated, and the same the other way round.

use charge::id::{PartyId, TariffId};
use charge::money::{Currency, Price};
use charge::talk::road::Question;
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Restrictions, Tariff};
use charge::{Decimal, Timestamp};

use super::{Beside, missing};
use crate::doc::{Doc, Fault, Lost, Record};
use crate::form;

const DAYS: [(&str, &[Day]); 9] = [
    ("Workdays", &[Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday]),
    ("Weekend", &[Day::Saturday, Day::Sunday]),
    ("Monday", &[Day::Monday]),
    ("Tuesday", &[Day::Tuesday]),
    ("Wednesday", &[Day::Wednesday]),
    ("Thursday", &[Day::Thursday]),
    ("Friday", &[Day::Friday]),
    ("Saturday", &[Day::Saturday]),
    ("Sunday", &[Day::Sunday]),
];
const EVERY_DAY: &str = "Everyday";
/// Minutes of a day.
const MINUTES: u16 = 24 * 60;

/// The tariffs of a push; a product that cannot be read exactly is told and left out.
pub(crate) fn read_push(body: &Record, beside: &Beside<'_>, lost: &mut Lost) -> Result<Vec<Question>, Fault> {
    let data = body.record("PricingProductData").ok_or_else(|| missing("PricingProductData"))?;
    if body.text("ActionType") == Some("delete") {
        let ids = data.records("PricingProductDataRecords").filter_map(|record| product_id(record).ok());
        return Ok(ids.map(Question::DropTariff).collect());
    }
    let tariffs = read_data(data, beside.now, lost)?;
    Ok(tariffs.into_iter().map(|tariff| Question::PutTariff(Box::new(tariff))).collect())
}

/// The tariffs of one operator's product data.
pub(crate) fn read_data(data: &Record, now: Timestamp, lost: &mut Lost) -> Result<Vec<Tariff>, Fault> {
    let party: PartyId = data.word("OperatorID")?;
    if data.text("ProviderID").is_some_and(|id| id != "*") {
        lost.push(Fault::new(
            "/PricingProductData/ProviderID",
            "restricts the product to one provider, which is not carried",
        ));
    }
    let mut tariffs = Vec::new();
    for record in data.records("PricingProductDataRecords") {
        match read(record, party, now, lost) {
            Ok(tariff) => tariffs.push(tariff),
            Err(fault) => lost.push(fault),
        }
    }
    Ok(tariffs)
}

/// A product's id may have blanks, a tariff's may not.
fn product_id(record: &Record) -> Result<TariffId, Fault> {
    let text = record.text("ProductID").ok_or_else(|| missing("ProductID"))?;
    tariff_id(text).ok_or_else(|| Fault::new("/ProductID", "cannot be the id of a tariff"))
}

/// The tariff that a product's id names.
pub fn tariff_id(product: &str) -> Option<TariffId> {
    TariffId::new(product.trim().replace(' ', "_")).ok()
}

fn read(record: &Record, party: PartyId, now: Timestamp, lost: &mut Lost) -> Result<Tariff, Fault> {
    let price = record.number("PricePerReferenceUnit").ok_or_else(|| missing("PricePerReferenceUnit"))?;
    let unit = record.text("ReferenceUnit").ok_or_else(|| missing("ReferenceUnit"))?;
    let mut components = vec![component(unit, price, Dimension::Time)?];
    let (mut min_price, mut max_price, mut fixed) = (None, None, None);
    for extra in record.records("AdditionalReferences") {
        let amount = extra
            .number("PricePerAdditionalReferenceUnit")
            .ok_or_else(|| missing("PricePerAdditionalReferenceUnit"))?;
        let unit = extra.text("AdditionalReferenceUnit").unwrap_or_default();
        match extra.text("AdditionalReference").unwrap_or_default() {
            "START FEE" => components.push(plain(Dimension::Flat, amount)),
            "FIXED FEE" => fixed = Some(amount),
            "PARKING FEE" if unit == "KILOWATT_HOUR" => {
                return Err(Fault::new("/AdditionalReferenceUnit", "is no unit of parking"));
            }
            "PARKING FEE" => components.push(component(unit, amount, Dimension::ParkingTime)?),
            "MINIMUM FEE" => min_price = Some(Price { before_vat: amount, with_vat: None }),
            "MAXIMUM FEE" => max_price = Some(Price { before_vat: amount, with_vat: None }),
            _other => return Err(Fault::new("/AdditionalReference", "is a fee that is not known")),
        }
    }
    if let Some(amount) = fixed {
        if !price.is_zero() || components.len() > 1 {
            return Err(Fault::new("/AdditionalReferences", "has a fixed fee beside other prices"));
        }
        components = vec![plain(Dimension::Flat, amount)];
    }
    lost.push(Fault::new("/PricingProductDataRecords", "does not say whether VAT is in it"));
    let currency: Currency = record.word("ProductPriceCurrency")?;
    let times = times(record)?;
    let element = |restrictions| Element { components: components.clone(), restrictions };
    Ok(Tariff {
        party,
        id: product_id(record)?,
        currency,
        text: None,
        elements: times.into_iter().map(element).collect(),
        min_price,
        max_price,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: now,
    })
}

const fn plain(dimension: Dimension, price: Decimal) -> Component {
    Component { dimension, price, vat_percent: None, step_size: 1 }
}

/// A price per unit; of times the words have hours.
fn component(unit: &str, price: Decimal, time: Dimension) -> Result<Component, Fault> {
    match unit {
        "KILOWATT_HOUR" => Ok(plain(Dimension::Energy, price)),
        "HOUR" => Ok(plain(time, price)),
        "MINUTE" => Ok(plain(time, price * Decimal::from(60))),
        _other => Err(Fault::new("/ReferenceUnit", "is a unit that is not known")),
    }
}

/// When the product applies; one without restrictions where it always does.
fn times(record: &Record) -> Result<Vec<Restrictions>, Fault> {
    if record.flag("IsValid24hours") == Some(true) {
        return Ok(vec![Restrictions::default()]);
    }
    let mut all = Vec::new();
    for time in record.records("ProductAvailabilityTimes") {
        let word = time.text("on").ok_or_else(|| missing("on"))?;
        let days = match word {
            EVERY_DAY => Vec::new(),
            word => DAYS.iter().find(|(name, _)| *name == word).map(|(_, days)| days.to_vec()).unwrap_or_default(),
        };
        for period in time.records("Periods") {
            let minute = |name: &str| period.text(name).and_then(minute).ok_or_else(|| missing(name));
            let (start, end) = (minute("begin")?, minute("end")?);
            all.push(Restrictions {
                start_minute: Some(start),
                end_minute: Some(end % MINUTES),
                days: days.clone(),
                ..Restrictions::default()
            });
        }
    }
    if all.is_empty() {
        Err(Fault::new("/ProductAvailabilityTimes", "says no time at which the product applies"))
    } else {
        Ok(all)
    }
}

fn minute(clock: &str) -> Option<u16> {
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes < 60).then_some(hours * 60 + minutes).filter(|minute| *minute <= MINUTES)
}

pub(crate) fn write_push(tariff: &Tariff, lost: &mut Lost) -> Result<Record, Fault> {
    Ok(Record::default()
        .with("ActionType", "update")
        .with("PricingProductData", write_data(tariff.party, &[tariff], lost)?))
}

/// One operator's products. The default price of EVSEs without a product is the first product's.
pub(crate) fn write_data(party: PartyId, tariffs: &[&Tariff], lost: &mut Lost) -> Result<Record, Fault> {
    let mut records = Vec::new();
    for tariff in tariffs {
        match write(tariff, lost) {
            Ok(record) => records.push(record),
            Err(fault) if tariffs.len() == 1 => return Err(fault),
            Err(fault) => lost.push(fault),
        }
    }
    let first =
        records.first().ok_or_else(|| Fault::new("/PricingProductDataRecords", "has no product that OICP can say"))?;
    let copied = |name| first.get(name).cloned();
    Ok(Record::default()
        .with("OperatorID", form::operator_id(party))
        .with("ProviderID", "*")
        .maybe("PricingDefaultPrice", copied("PricePerReferenceUnit"))
        .maybe("PricingDefaultPriceCurrency", copied("ProductPriceCurrency"))
        .maybe("PricingDefaultReferenceUnit", copied("ReferenceUnit"))
        .with("PricingProductDataRecords", records.into_iter().map(Doc::from).collect::<Vec<_>>()))
}

/// A tariff as one product, where it is no more than one.
fn write(tariff: &Tariff, lost: &mut Lost) -> Result<Record, Fault> {
    let beyond = |why: &str| Fault::new("/elements", why);
    let first = tariff.elements.first().ok_or_else(|| beyond("are empty"))?;
    if tariff.elements.iter().any(|element| element.components != first.components) {
        return Err(beyond("have different prices, and a product has one"));
    }
    if tariff.valid_from.is_some() || tariff.valid_until.is_some() {
        return Err(Fault::new("/start_date_time", "limits the tariff, and a product has no such limit"));
    }
    let (mut base, mut extras) = (None, Vec::new());
    for component in &first.components {
        if component.step_size > 1 && component.dimension != Dimension::Flat {
            return Err(beyond("are billed in steps, which a product does not know"));
        }
        let extra = |name: &'static str, unit: &'static str| {
            Doc::from(
                Record::default()
                    .with("AdditionalReference", name)
                    .with("AdditionalReferenceUnit", unit)
                    .with("PricePerAdditionalReferenceUnit", component.price),
            )
        };
        match component.dimension {
            Dimension::Energy if base.is_none() => base = Some(("KILOWATT_HOUR", component.price)),
            Dimension::Time if base.is_none() => base = Some(("HOUR", component.price)),
            Dimension::Energy | Dimension::Time => {
                return Err(beyond("charge for energy and for time, and a product has one unit"));
            }
            Dimension::Flat => extras.push(extra("START FEE", "HOUR")),
            Dimension::ParkingTime => extras.push(extra("PARKING FEE", "HOUR")),
        }
        if component.vat_percent.is_some() {
            lost.push(Fault::new("/elements/price_components/vat", "has no member in OICP; prices are without VAT"));
        }
    }
    for (limit, name) in [(&tariff.min_price, "MINIMUM FEE"), (&tariff.max_price, "MAXIMUM FEE")] {
        if let Some(limit) = limit {
            let fee = Record::default()
                .with("AdditionalReference", name)
                .with("AdditionalReferenceUnit", "HOUR")
                .with("PricePerAdditionalReferenceUnit", limit.before_vat);
            extras.push(Doc::from(fee));
        }
    }
    let (unit, price) = base.unwrap_or(("KILOWATT_HOUR", Decimal::ZERO));
    let times = write_times(&tariff.elements)?;
    Ok(Record::default()
        .with("ProductID", tariff.id.as_str())
        .with("ReferenceUnit", unit)
        .with("ProductPriceCurrency", tariff.currency.as_str())
        .with("PricePerReferenceUnit", price)
        .with("MaximumProductChargingPower", UNLIMITED_KW)
        .with("IsValid24hours", times.is_empty())
        .with("ProductAvailabilityTimes", times)
        .maybe("AdditionalReferences", (!extras.is_empty()).then_some(extras)))
}

/// Mandatory in OICP and nothing a tariff says: more than any charger has.
const UNLIMITED_KW: u32 = 9_999;

fn write_times(elements: &[Element]) -> Result<Vec<Doc>, Fault> {
    let mut times = Vec::new();
    for element in elements {
        let restrictions = &element.restrictions;
        let times_only = Restrictions {
            start_minute: restrictions.start_minute,
            end_minute: restrictions.end_minute,
            days: restrictions.days.clone(),
            ..Restrictions::default()
        };
        if *restrictions != times_only {
            return Err(Fault::new(
                "/elements/restrictions",
                "are more than times of day, which is all a product knows",
            ));
        }
        if *restrictions == Restrictions::default() {
            return Ok(Vec::new());
        }
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let (start, end) = (restrictions.start_minute.unwrap_or(0), restrictions.end_minute.unwrap_or(0));
        let end = if end == 0 { "24:00".to_owned() } else { clock(end) };
        let period = Doc::from(Record::default().with("begin", clock(start)).with("end", end));
        for word in day_words(&restrictions.days) {
            times.push(Doc::from(Record::default().with("Periods", vec![period.clone()]).with("on", word)));
        }
    }
    Ok(times)
}

fn day_words(days: &[Day]) -> Vec<&'static str> {
    if days.is_empty() {
        return vec![EVERY_DAY];
    }
    let group = DAYS.iter().take(2).find(|(_, group)| *group == days);
    match group {
        Some((word, _)) => vec![word],
        None => DAYS.iter().skip(2).filter(|(_, day)| days.contains(&day[0])).map(|(word, _)| *word).collect(),
    }
}
