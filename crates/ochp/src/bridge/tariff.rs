//! Tariffs. Both sides price without tax, per kilowatt-hour, hour or session; what one of them cannot say is refused,
//! because a tariff without one of its conditions is another tariff.

use charge::id::{self, PartyId};
use charge::money;
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Restrictions, Tariff};
use charge::units::{Energy, Power};
use charge::{Decimal, Timestamp};

use super::name::{party, party_code, tariff_id};
use crate::read::{Crossed, Fault, Lost};
use crate::scalar::{Currency, DateTime, WallTime};
use crate::types::place::RegularHours;
use crate::types::tariff::{
    BillingItem, IndividualTariff, PriceComponent, TariffElement, TariffInfo, TariffRestriction,
};

const DAYS: [Day; 7] =
    [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday, Day::Sunday];
const MINUTES_OF_A_DAY: u16 = 24 * 60;
/// OCHP takes no more in one restriction.
const HOURS_MAX: usize = 14;

/// A tariff of the road, for everybody.
pub fn tariff_info(tariff: &Tariff) -> Result<Crossed<TariffInfo>, Fault> {
    let mut lost = Lost::new();
    for (said, path) in [(tariff.min_price.is_some(), "/min_price"), (tariff.max_price.is_some(), "/max_price")] {
        if said {
            return Err(Fault::new(path, "cannot be said in OCHP, and prices would change without it"));
        }
    }
    if tariff.text.is_some() {
        lost.push(Fault::new("/tariff_alt_text", "has no place in OCHP"));
    }
    let mut elements = Vec::new();
    for element in &tariff.elements {
        let restriction = write_restriction(&element.restrictions, tariff)?;
        for component in &element.components {
            if component.vat_percent.is_some() {
                lost.push(Fault::new("/elements/price_components/vat", "OCHP prices without tax and cannot name it"));
            }
            elements.push(TariffElement { component: write_component(component), restriction: restriction.clone() });
        }
    }
    let id = tariff_id(tariff.party, &tariff.id).ok_or_else(|| Fault::new("/id", "has no form in OCHP"))?;
    let currency = Currency::new(tariff.currency.as_str()).ok_or_else(|| Fault::new("/currency", "is no currency"))?;
    if elements.is_empty() {
        return Err(Fault::new("/elements", "is empty, and OCHP needs a price"));
    }
    let individual = vec![IndividualTariff { elements, recipients: Vec::new(), currency }];
    Ok(Crossed { value: TariffInfo { id, individual }, lost })
}

fn write_component(component: &Component) -> PriceComponent {
    let (item, unit) = match component.dimension {
        Dimension::Energy => (BillingItem::Energy, 1_000),
        Dimension::Flat => (BillingItem::ServiceFee, 0),
        Dimension::ParkingTime => (BillingItem::ParkingTime, 3_600),
        Dimension::Time => (BillingItem::UsageTime, 3_600),
    };
    // one watt-hour and one second are what the road calls exact
    let step = match (unit, component.step_size) {
        (0, _) => Decimal::ONE,
        (_, 0 | 1) => Decimal::ZERO,
        (unit, size) => Decimal::from(size) / Decimal::from(unit),
    };
    PriceComponent { item, price: component.price, step }
}

fn write_restriction(of: &Restrictions, tariff: &Tariff) -> Result<TariffRestriction, Fault> {
    if of.start_date.is_some() || of.end_date.is_some() {
        return Err(Fault::new("/elements/restrictions", "names days of the wall clock, which OCHP cannot"));
    }
    let kwh = |energy: Option<Energy>| energy.map(|energy| energy.kwh().normalize());
    let kw = |power: Option<Power>| power.map(|power| power.kilowatts().normalize());
    Ok(TariffRestriction {
        hours: write_hours(of)?,
        start: tariff.valid_from.map(DateTime::new),
        end: tariff.valid_until.map(DateTime::new),
        min_energy: kwh(of.min_energy),
        max_energy: kwh(of.max_energy),
        min_power: kw(of.min_power),
        max_power: kw(of.max_power),
        min_duration: of.min_duration_s,
        max_duration: of.max_duration_s,
    })
}

/// Hours over midnight become two stretches, because an end must be later than its begin.
fn write_hours(of: &Restrictions) -> Result<Vec<RegularHours>, Fault> {
    if of.start_minute.is_none() && of.end_minute.is_none() && of.days.is_empty() {
        return Ok(Vec::new());
    }
    let (begin, end) = (of.start_minute.unwrap_or(0), of.end_minute.unwrap_or(MINUTES_OF_A_DAY));
    let time = |minute: u16| {
        let text = format!("{:02}:{:02}", minute / 60, minute % 60);
        WallTime::new(&text).ok_or_else(|| Fault::new("/elements/restrictions", "names a time that no day has"))
    };
    let mut hours = Vec::new();
    for (number, day) in (1u32..).zip(DAYS) {
        if !of.days.is_empty() && !of.days.contains(&day) {
            continue;
        }
        if begin < end {
            hours.push(RegularHours { weekday: number, begin: time(begin)?, end: time(end)? });
        } else {
            hours.push(RegularHours { weekday: number, begin: time(begin)?, end: time(MINUTES_OF_A_DAY)? });
            if end > 0 {
                hours.push(RegularHours { weekday: number % 7 + 1, begin: time(0)?, end: time(end)? });
            }
        }
    }
    if hours.len() > HOURS_MAX {
        Err(Fault::new("/elements/restrictions", "has too many stretches"))
    } else {
        Ok(hours)
    }
}

/// The tariff of an operator as one provider sees it: its own, or the one for everybody.
pub fn tariff(info: &TariffInfo, reader: Option<PartyId>, now: Timestamp) -> Result<Crossed<Tariff>, Fault> {
    let mut lost = Lost::new();
    let meant = |one: &&IndividualTariff| {
        one.recipients.iter().any(|code| reader.is_some_and(|reader| code.as_str() == party_code(reader)))
    };
    let everybody = |one: &&IndividualTariff| one.recipients.is_empty();
    let own = info.individual.iter().find(meant).or_else(|| info.individual.iter().find(everybody));
    let own = own.ok_or_else(|| Fault::new("/individualTariff", "none is for this reader"))?;
    if info.individual.len() > 1 {
        lost.push(Fault::new("/individualTariff", "the others are for other readers"));
    }
    let owner = info.id.as_str().replace('*', "").get(..5).and_then(|code| code.parse().ok());
    let owner: PartyId = owner.ok_or_else(|| Fault::new("/tariffId", "names no operator"))?;
    let (start, end) = validity(&own.elements)?;
    let mut elements = Vec::new();
    for element in &own.elements {
        let component = read_component(&element.component)?;
        for restrictions in read_restrictions(&element.restriction)? {
            elements.push(Element { components: vec![component.clone()], restrictions });
        }
    }
    let currency: money::Currency =
        own.currency.as_str().parse().map_err(|_| Fault::new("/individualTariff/currency", "is no currency"))?;
    let value = Tariff {
        party: owner,
        id: id::TariffId::new(info.id.as_str()).map_err(|_| Fault::new("/tariffId", "is no id of a tariff"))?,
        currency,
        text: None,
        elements,
        min_price: None,
        max_price: None,
        valid_from: start,
        valid_until: end,
        booking: BookingFees::default(),
        last_updated: now,
    };
    Ok(Crossed { value, lost })
}

/// Whom the tariffs of an operator are for, beside everybody.
pub fn recipients(info: &TariffInfo) -> Vec<PartyId> {
    info.individual.iter().flat_map(|one| &one.recipients).filter_map(party).collect()
}

/// On the road a tariff has one time in which it is good.
fn validity(elements: &[TariffElement]) -> Result<(Option<Timestamp>, Option<Timestamp>), Fault> {
    let mut spans = elements.iter().map(|element| (element.restriction.start, element.restriction.end));
    let first = spans.next().unwrap_or_default();
    if spans.any(|span| span != first) {
        return Err(Fault::new("/individualTariff", "has elements that are good at different times"));
    }
    Ok((first.0.map(DateTime::at), first.1.map(DateTime::at)))
}

fn read_component(component: &PriceComponent) -> Result<Component, Fault> {
    let (dimension, unit) = match component.item {
        BillingItem::Energy => (Dimension::Energy, 1_000),
        BillingItem::ServiceFee => (Dimension::Flat, 0),
        BillingItem::ParkingTime => (Dimension::ParkingTime, 3_600),
        BillingItem::UsageTime => (Dimension::Time, 3_600),
        BillingItem::Power | BillingItem::Reservation | BillingItem::ReservationTime => {
            let why = "is something that is not charged for on our road";
            return Err(Fault::new("/priceComponent/billingItem", why));
        }
    };
    let whole = |step: Decimal| (step.normalize().scale() == 0).then(|| u32::try_from(step).ok()).flatten();
    let step = component.step.checked_mul(Decimal::from(unit)).and_then(whole);
    let step = step.ok_or_else(|| Fault::new("/priceComponent/stepSize", "is no whole watt-hours or seconds"))?;
    Ok(Component { dimension, price: component.price, vat_percent: None, step_size: step.max(1) })
}

/// One for each stretch of the day, with the days that share it.
fn read_restrictions(of: &TariffRestriction) -> Result<Vec<Restrictions>, Fault> {
    // a bound that is cut to our units would be another bound
    let energy = |kwh: Option<Decimal>| {
        let exact = |kwh| Energy::from_kwh(kwh).filter(|energy| energy.kwh() == kwh);
        kwh.map(|kwh| exact(kwh).ok_or_else(|| Fault::new("/tariffRestriction", "has no energy"))).transpose()
    };
    let power = |kw: Option<Decimal>| {
        let whole = |mw: Decimal| mw.is_integer().then(|| i64::try_from(mw).ok()).flatten();
        let exact = |kw: Decimal| kw.checked_mul(Decimal::from(1_000_000)).and_then(whole);
        let power = |kw| exact(kw).map(Power::from_milliwatts);
        kw.map(|kw| power(kw).ok_or_else(|| Fault::new("/tariffRestriction", "has no power"))).transpose()
    };
    let bare = Restrictions {
        min_energy: energy(of.min_energy)?,
        max_energy: energy(of.max_energy)?,
        min_power: power(of.min_power)?,
        max_power: power(of.max_power)?,
        min_duration_s: of.min_duration,
        max_duration_s: of.max_duration,
        ..Restrictions::default()
    };
    if of.hours.is_empty() {
        return Ok(vec![bare]);
    }
    let mut stretches: Vec<((u16, u16), Vec<Day>)> = Vec::new();
    for hours in &of.hours {
        let number = usize::try_from(hours.weekday).ok().and_then(|number| number.checked_sub(1));
        let day = number.and_then(|number| DAYS.get(number)).copied();
        let day = day.ok_or_else(|| Fault::new("/tariffRestriction/regularHours", "names no day of the week"))?;
        let span = minutes(&hours.begin).zip(minutes(&hours.end));
        let span = span.ok_or_else(|| Fault::new("/tariffRestriction/regularHours", "names no time of the day"))?;
        if span.0 >= span.1 {
            return Err(Fault::new("/tariffRestriction/regularHours", "end before they begin"));
        }
        match stretches.iter_mut().find(|(known, _)| *known == span) {
            Some((_, days)) if days.contains(&day) => {}
            Some((_, days)) => days.push(day),
            None => stretches.push((span, vec![day])),
        }
    }
    // in the order of the week, each once: seven times Monday is not every day
    stretches.iter_mut().for_each(|(_, days)| days.sort_by_key(|day| DAYS.iter().position(|each| each == day)));
    let restrictions = stretches.into_iter().map(|((begin, end), days)| Restrictions {
        start_minute: (begin > 0).then_some(begin),
        end_minute: (end < MINUTES_OF_A_DAY).then_some(end),
        days: if days.len() == DAYS.len() { Vec::new() } else { days },
        ..bare.clone()
    });
    Ok(restrictions.collect())
}

fn minutes(time: &WallTime) -> Option<u16> {
    let (hours, minutes) = time.as_str().split_once(':')?;
    Some(hours.parse::<u16>().ok()? * 60 + minutes.parse::<u16>().ok()?)
}
