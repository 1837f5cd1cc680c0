//! Tariffs at the station (2.1 block I) and ours.
//!
//! Ours follow OCPI: elements in order, the first that fits gives the price of a dimension. OCPP has a list of prices for
//! each dimension, the first whose conditions hold counts, so the order of one dimension's prices is kept. Deliberately
//! never a guess about money: what the other side cannot say exactly is refused. Invariant: what was written is read
//! back with the same prices.

use charge::id::{PartyId, TariffId};
use charge::money::Price;
use charge::talk::line::StationAnswer;
use charge::talk::line::display::{KeptTariff, TariffOrder};
use charge::talk::line::document::ItemOutcome;
use charge::tariff::{BookingFees, Component, Day, Dimension, Element, Restrictions, Tariff};
use charge::units::{Energy, Power};
use charge::{Decimal, Timestamp};
use ocpp_kit::types::Decimal as Number;
use ocpp_kit::v2_1::{
    self as kit, CsmsRequest, DayOfWeek, TariffConditions, TariffConditionsFixed, TariffEnergy, TariffEnergyPrice,
    TariffFixed, TariffFixedPrice, TariffTime, TariffTimePrice, TaxRate,
};

use super::{
    astray, boxes, decimal, decimals, evse_id, evse_no, exact, key, key_text, number, some, strings, text, unsaid, when,
};
use crate::bridge::{misfit, wire};
use crate::rules::{Code, Fault};

/// A tariff at a station names no party. This code is nobody's: ISO 3166 keeps ZZ for private use.
const NOBODY: (&str, &str) = ("ZZ", "ZZZ");

/// Our prices of time are per hour, OCPP's per minute.
const MINUTES: Decimal = Decimal::from_parts(60, 0, 0, false, 0);

const VAT: &str = "VAT";

const DAYS: [(Day, DayOfWeek); 7] = [
    (Day::Monday, DayOfWeek::Monday),
    (Day::Tuesday, DayOfWeek::Tuesday),
    (Day::Wednesday, DayOfWeek::Wednesday),
    (Day::Thursday, DayOfWeek::Thursday),
    (Day::Friday, DayOfWeek::Friday),
    (Day::Saturday, DayOfWeek::Saturday),
    (Day::Sunday, DayOfWeek::Sunday),
];

fn beyond() -> Fault {
    Fault::at(Code::Property, "/tariff", "has something that cannot be kept exactly")
}

pub(super) fn told(order: CsmsRequest) -> Result<TariffOrder, Fault> {
    Ok(match order {
        CsmsRequest::CostUpdated(order) => {
            TariffOrder::Cost { key: key(order.transaction_id), total: exact(order.total_cost, "/totalCost")? }
        }
        CsmsRequest::SetDefaultTariff(order) => {
            TariffOrder::SetDefault { evse: evse_no(order.evse_id), tariff: Box::new(read(order.tariff)?) }
        }
        CsmsRequest::GetTariffs(order) => TariffOrder::Read { evse: evse_no(order.evse_id) },
        CsmsRequest::ClearTariffs(order) => TariffOrder::Clear {
            evse: order.evse_id.and_then(evse_no),
            ids: boxes(order.tariff_ids.unwrap_or_default()),
        },
        CsmsRequest::ChangeTransactionTariff(order) => {
            TariffOrder::Change { key: key(order.transaction_id), tariff: Box::new(read(order.tariff)?) }
        }
        _ => return Err(astray()),
    })
}

pub(super) fn order(order: &TariffOrder) -> Result<CsmsRequest, Fault> {
    Ok(match order {
        TariffOrder::Cost { key, total } => {
            CsmsRequest::CostUpdated(kit::CostUpdatedRequest::new(decimal(*total)?, key_text(key)?))
        }
        TariffOrder::Californian { .. } => return Err(unsaid("a message of 1.6's pricing extension")),
        TariffOrder::SetDefault { evse, tariff } => {
            CsmsRequest::SetDefaultTariff(kit::SetDefaultTariffRequest::new(evse_id(*evse), write(tariff)?))
        }
        TariffOrder::Read { evse } => CsmsRequest::GetTariffs(kit::GetTariffsRequest::new(evse_id(*evse))),
        TariffOrder::Clear { evse, ids } => {
            let mut out = kit::ClearTariffsRequest::new();
            out.evse_id = evse.map(|evse| evse_id(Some(evse)));
            out.tariff_ids = some(strings(ids));
            CsmsRequest::ClearTariffs(out)
        }
        TariffOrder::Change { key, tariff } => CsmsRequest::ChangeTransactionTariff(
            kit::ChangeTransactionTariffRequest::new(write(tariff)?, key_text(key)?),
        ),
    })
}

/// The prices of one dimension, in the order of the elements, with the one VAT that they share.
type Prices<'a> = (Vec<(&'a Component, &'a Restrictions)>, Option<Decimal>);

fn prices(tariff: &Tariff, dimension: Dimension) -> Result<Option<Prices<'_>>, Fault> {
    let mut found: Vec<(&Component, &Restrictions)> = Vec::new();
    for element in &tariff.elements {
        for component in element.components.iter().filter(|component| component.dimension == dimension) {
            // OCPP bills exactly: it has no steps
            if dimension != Dimension::Flat && component.step_size > 1 {
                return Err(unsaid("a tariff with steps, which OCPP does not have"));
            }
            if found.first().is_some_and(|(first, _)| first.vat_percent != component.vat_percent) {
                return Err(unsaid("a tariff with two VAT rates for one dimension"));
            }
            found.push((component, &element.restrictions));
        }
    }
    let vat = found.first().and_then(|(first, _)| first.vat_percent);
    Ok((!found.is_empty()).then_some((found, vat)))
}

pub(super) fn write(tariff: &Tariff) -> Result<kit::Tariff, Fault> {
    if tariff.valid_until.is_some() {
        return Err(unsaid("a tariff with an end, which OCPP does not have"));
    }
    let mut out = kit::Tariff::new(tariff.id.as_str(), tariff.currency.as_str());
    out.valid_from = tariff.valid_from.map(wire);
    out.description = tariff.text.as_deref().map(|text| vec![kit::MessageContent::new(kit::MessageFormat::UTF8, text)]);
    out.min_cost = tariff.min_price.map(say_price).transpose()?;
    out.max_cost = tariff.max_price.map(say_price).transpose()?;
    if let Some((found, vat)) = prices(tariff, Dimension::Energy)? {
        let one = |(component, when): &(&Component, &Restrictions)| {
            let mut out = TariffEnergyPrice::new(decimal(component.price)?);
            out.conditions = conditions(when)?;
            Ok(out)
        };
        let mut energy = TariffEnergy::new(found.iter().map(one).collect::<Result<_, Fault>>()?);
        energy.tax_rates = rates(vat)?;
        out.energy = Some(energy);
    }
    out.charging_time = time(prices(tariff, Dimension::Time)?)?;
    out.idle_time = time(prices(tariff, Dimension::ParkingTime)?)?;
    if let Some((found, vat)) = prices(tariff, Dimension::Flat)? {
        let one = |(component, when): &(&Component, &Restrictions)| {
            let mut out = TariffFixedPrice::new(decimal(component.price)?);
            out.conditions = fixed_conditions(when)?;
            Ok(out)
        };
        let mut fixed = TariffFixed::new(found.iter().map(one).collect::<Result<_, Fault>>()?);
        fixed.tax_rates = rates(vat)?;
        out.fixed_fee = Some(fixed);
    }
    Ok(out)
}

fn time(prices: Option<Prices<'_>>) -> Result<Option<TariffTime>, Fault> {
    let Some((found, vat)) = prices else { return Ok(None) };
    let one = |(component, when): &(&Component, &Restrictions)| {
        let minute = component.price.checked_div(MINUTES).map(|price| price.normalize());
        let minute = minute.filter(|minute| minute.checked_mul(MINUTES) == Some(component.price));
        let minute = minute.ok_or_else(|| unsaid("a price per hour that has no exact price per minute"))?;
        let mut out = TariffTimePrice::new(decimal(minute)?);
        out.conditions = conditions(when)?;
        Ok(out)
    };
    let mut out = TariffTime::new(found.iter().map(one).collect::<Result<_, Fault>>()?);
    out.tax_rates = rates(vat)?;
    Ok(Some(out))
}

fn rates(vat: Option<Decimal>) -> Result<Option<Vec<TaxRate>>, Fault> {
    vat.map(|vat| Ok(vec![TaxRate::new(VAT, decimal(vat)?)])).transpose()
}

fn say_price(price: Price) -> Result<kit::Price, Fault> {
    let mut out = kit::Price::new();
    out.excl_tax = Some(decimal(price.before_vat)?);
    out.incl_tax = decimals(price.with_vat)?;
    Ok(out)
}

fn clock(minute: Option<u16>) -> Option<String> {
    minute.map(|minute| format!("{:02}:{:02}", minute / 60 % 24, minute % 60))
}

fn watt_hours(energy: Option<Energy>) -> Result<Option<Number>, Fault> {
    decimals(energy.map(|energy| Decimal::new(energy.mwh(), 3).normalize()))
}

fn watts(power: Option<Power>) -> Result<Option<Number>, Fault> {
    decimals(power.map(|power| Decimal::new(power.milliwatts(), 3).normalize()))
}

fn span(value: Option<u32>) -> Result<Option<i32>, Fault> {
    value.map(i32::try_from).transpose().map_err(|_| unsaid("a duration longer than OCPP has"))
}

fn days(days: &[Day]) -> Option<Vec<DayOfWeek>> {
    some(days.iter().filter_map(|day| DAYS.iter().find(|row| row.0 == *day)).map(|row| row.1.clone()).collect())
}

fn conditions(when: &Restrictions) -> Result<Option<TariffConditions>, Fault> {
    let mut out = TariffConditions::new();
    out.start_time_of_day = clock(when.start_minute);
    out.end_time_of_day = clock(when.end_minute);
    out.valid_from_date.clone_from(&when.start_date);
    out.valid_to_date.clone_from(&when.end_date);
    out.day_of_week = days(&when.days);
    out.min_energy = watt_hours(when.min_energy)?;
    out.max_energy = watt_hours(when.max_energy)?;
    out.min_power = watts(when.min_power)?;
    out.max_power = watts(when.max_power)?;
    out.min_time = span(when.min_duration_s)?;
    out.max_time = span(when.max_duration_s)?;
    Ok(Some(out).filter(|out| *out != TariffConditions::new()))
}

/// A fee that is paid once cannot depend on what happens later.
fn fixed_conditions(when: &Restrictions) -> Result<Option<TariffConditionsFixed>, Fault> {
    let Some(all) = conditions(when)? else { return Ok(None) };
    let mut out = TariffConditionsFixed::new();
    out.start_time_of_day = all.start_time_of_day;
    out.end_time_of_day = all.end_time_of_day;
    out.valid_from_date = all.valid_from_date;
    out.valid_to_date = all.valid_to_date;
    out.day_of_week = all.day_of_week;
    let measured = [all.min_energy, all.max_energy, all.min_power, all.max_power].iter().any(Option::is_some);
    if measured || all.min_time.is_some() || all.max_time.is_some() {
        return Err(unsaid("a fee per session that depends on energy, power or duration"));
    }
    Ok(Some(out))
}

pub(super) fn read(said: kit::Tariff) -> Result<Tariff, Fault> {
    let party = PartyId::new(NOBODY.0, NOBODY.1).map_err(|_| beyond())?;
    if said.reservation_time.is_some() || said.reservation_fixed.is_some() {
        return Err(beyond());
    }
    let mut elements = Vec::new();
    if let Some(energy) = said.energy {
        let vat = rate(energy.tax_rates.as_deref())?;
        for price in energy.prices {
            let when = restrictions(price.conditions)?;
            elements.push(element(Dimension::Energy, exact(price.price_kwh, "/tariff/energy")?, vat, when));
        }
    }
    for (dimension, time) in [(Dimension::Time, said.charging_time), (Dimension::ParkingTime, said.idle_time)] {
        let Some(time) = time else { continue };
        let vat = rate(time.tax_rates.as_deref())?;
        for price in time.prices {
            let hour = number(price.price_minute).and_then(|minute| minute.checked_mul(MINUTES));
            let when = restrictions(price.conditions)?;
            elements.push(element(dimension, hour.ok_or_else(beyond)?, vat, when));
        }
    }
    if let Some(fixed) = said.fixed_fee {
        let vat = rate(fixed.tax_rates.as_deref())?;
        for price in fixed.prices {
            let when = fixed_restrictions(price.conditions)?;
            elements.push(element(Dimension::Flat, exact(price.price_fixed, "/tariff/fixedFee")?, vat, when));
        }
    }
    let valid_from = when(said.valid_from);
    Ok(Tariff {
        party,
        id: TariffId::new(&said.tariff_id).map_err(|_| beyond())?,
        currency: said.currency.parse().map_err(|_| Fault::at(Code::Property, "/tariff/currency", "not a currency"))?,
        text: said.description.into_iter().flatten().next().map(|text| text.content),
        elements,
        min_price: said.min_cost.map(price).transpose()?,
        max_price: said.max_cost.map(price).transpose()?,
        valid_from,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: valid_from.unwrap_or(Timestamp::from_secs(0)),
    })
}

fn element(dimension: Dimension, price: Decimal, vat: Option<Decimal>, restrictions: Restrictions) -> Element {
    Element { components: vec![Component { dimension, price, vat_percent: vat, step_size: 1 }], restrictions }
}

/// One tax on the net price is a VAT; more, or one on top of another, has no place with us.
fn rate(rates: Option<&[TaxRate]>) -> Result<Option<Decimal>, Fault> {
    match rates.unwrap_or_default() {
        [] => Ok(None),
        [one] if one.stack.unwrap_or(0) == 0 => exact(one.tax, "/tariff/taxRates").map(Some),
        _ => Err(beyond()),
    }
}

fn price(said: kit::Price) -> Result<Price, Fault> {
    let before_vat = said.excl_tax.and_then(number).ok_or_else(beyond)?;
    Ok(Price { before_vat, with_vat: said.incl_tax.and_then(number) })
}

fn minute(clock: Option<String>) -> Result<Option<u16>, Fault> {
    let read = |clock: String| {
        let (hour, minute) = clock.split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour < 24 && minute < 60).then(|| hour * 60 + minute)
    };
    clock.map(|clock| read(clock).ok_or_else(beyond)).transpose()
}

fn energy(value: Option<Number>) -> Result<Option<Energy>, Fault> {
    let read = |value| Energy::from_kwh(number(value)?.checked_mul(Decimal::new(1, 3))?);
    value.map(|value| read(value).ok_or_else(beyond)).transpose()
}

fn power(value: Option<Number>) -> Result<Option<Power>, Fault> {
    let read = |value| {
        let milliwatts = number(value)?.checked_mul(Decimal::from(1_000))?;
        i64::try_from(milliwatts.normalize()).ok().filter(|whole| Decimal::from(*whole) == milliwatts)
    };
    value.map(|value| read(value).map(Power::from_milliwatts).ok_or_else(beyond)).transpose()
}

fn restrictions(said: Option<TariffConditions>) -> Result<Restrictions, Fault> {
    let Some(mut said) = said else { return Ok(Restrictions::default()) };
    let positive = |value: Option<i32>| value.map(u32::try_from).transpose().map_err(|_| beyond());
    let out = Restrictions {
        start_minute: minute(said.start_time_of_day.take())?,
        end_minute: minute(said.end_time_of_day.take())?,
        start_date: said.valid_from_date.take(),
        end_date: said.valid_to_date.take(),
        min_energy: energy(said.min_energy.take())?,
        max_energy: energy(said.max_energy.take())?,
        min_power: power(said.min_power.take())?,
        max_power: power(said.max_power.take())?,
        min_duration_s: positive(said.min_time.take())?,
        max_duration_s: positive(said.max_time.take())?,
        days: our_days(said.day_of_week.take())?,
    };
    // current, kind of EVSE, times of charging and idling: what is left has no place with us
    if said == TariffConditions::new() { Ok(out) } else { Err(beyond()) }
}

fn fixed_restrictions(said: Option<TariffConditionsFixed>) -> Result<Restrictions, Fault> {
    let Some(mut said) = said else { return Ok(Restrictions::default()) };
    let out = Restrictions {
        start_minute: minute(said.start_time_of_day.take())?,
        end_minute: minute(said.end_time_of_day.take())?,
        start_date: said.valid_from_date.take(),
        end_date: said.valid_to_date.take(),
        days: our_days(said.day_of_week.take())?,
        ..Restrictions::default()
    };
    if said == TariffConditionsFixed::new() { Ok(out) } else { Err(beyond()) }
}

fn our_days(said: Option<Vec<DayOfWeek>>) -> Result<Vec<Day>, Fault> {
    let one = |told: &DayOfWeek| DAYS.iter().find(|row| row.1 == *told).map(|row| row.0).ok_or_else(beyond);
    said.unwrap_or_default().iter().map(one).collect()
}

pub(super) fn kept(answer: kit::GetTariffsResponse) -> StationAnswer {
    let one = |one: kit::TariffAssignment| KeptTariff {
        id: one.tariff_id.into(),
        of_driver: one.tariff_kind == kit::TariffKind::DriverTariff,
        from: when(one.valid_from),
        evses: one.evse_ids.unwrap_or_default().into_iter().filter_map(evse_no).collect(),
    };
    StationAnswer::Tariffs(answer.tariff_assignments.unwrap_or_default().into_iter().map(one).collect())
}

pub(super) fn say_kept(tariffs: &[KeptTariff]) -> kit::GetTariffsResponse {
    if tariffs.is_empty() {
        return kit::GetTariffsResponse::new(kit::TariffGetStatus::NoTariff);
    }
    let one = |one: &KeptTariff| {
        let kind = if one.of_driver { kit::TariffKind::DriverTariff } else { kit::TariffKind::DefaultTariff };
        let mut out = kit::TariffAssignment::new(&*one.id, kind);
        out.valid_from = one.from.map(wire);
        out.evse_ids = some(one.evses.iter().map(|evse| evse_id(Some(*evse))).collect());
        out
    };
    let mut out = kit::GetTariffsResponse::new(kit::TariffGetStatus::Accepted);
    out.tariff_assignments = Some(tariffs.iter().map(one).collect());
    out
}

pub(super) fn cleared(answer: kit::ClearTariffsResponse) -> StationAnswer {
    let one = |one: kit::ClearTariffsResult| ItemOutcome {
        of: one.tariff_id.unwrap_or_default().into(),
        word: one.status.as_str().into(),
    };
    StationAnswer::Items(answer.clear_tariffs_result.into_iter().map(one).collect())
}

pub(super) fn say_cleared(answer: &StationAnswer) -> Result<kit::ClearTariffsResponse, Fault> {
    let StationAnswer::Items(items) = answer else { return Err(misfit()) };
    let one = |item: &ItemOutcome| {
        let mut out = kit::ClearTariffsResult::new(kit::TariffClearStatus::from_wire(&item.word));
        out.tariff_id = text(Some(&*item.of).filter(|id| !id.is_empty()));
        out
    };
    Ok(kit::ClearTariffsResponse::new(items.iter().map(one).collect()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn tariff(dimension: Dimension, price: &str, change: impl FnOnce(&mut Tariff)) -> Tariff {
        let component =
            Component { dimension, price: price.parse().unwrap(), vat_percent: Some(Decimal::from(19)), step_size: 1 };
        let mut tariff = Tariff {
            party: PartyId::new(NOBODY.0, NOBODY.1).unwrap(),
            id: TariffId::new("T1").unwrap(),
            currency: "EUR".parse().unwrap(),
            text: None,
            elements: vec![Element { components: vec![component], restrictions: Restrictions::default() }],
            min_price: None,
            max_price: None,
            valid_from: None,
            valid_until: None,
            booking: BookingFees::default(),
            last_updated: Timestamp::from_secs(0),
        };
        change(&mut tariff);
        tariff
    }

    #[test]
    fn what_ocpp_cannot_say_exactly_is_refused() {
        let none = |_: &mut Tariff| {};
        assert!(write(&tariff(Dimension::Time, "3.00", none)).is_ok());
        assert!(write(&tariff(Dimension::Time, "1.00", none)).is_err(), "1/60 has no end");
        assert!(write(&tariff(Dimension::Energy, "0.49", |t| t.elements[0].components[0].step_size = 1000)).is_err());
        assert!(write(&tariff(Dimension::Flat, "1", |t| t.elements[0].components[0].step_size = 1000)).is_ok());
        assert!(write(&tariff(Dimension::Energy, "0.49", |t| t.valid_until = Some(Timestamp::from_secs(9)))).is_err());
        let two_rates = |t: &mut Tariff| {
            let mut other = t.elements[0].clone();
            other.components[0].vat_percent = None;
            t.elements.push(other);
        };
        assert!(write(&tariff(Dimension::Energy, "0.49", two_rates)).is_err());
        let late_fee = |t: &mut Tariff| t.elements[0].restrictions.min_duration_s = Some(600);
        assert!(write(&tariff(Dimension::Flat, "5", late_fee)).is_err());
        assert!(write(&tariff(Dimension::ParkingTime, "6", late_fee)).is_ok());
    }

    #[test]
    fn what_we_cannot_keep_exactly_is_refused() {
        let base = || write(&tariff(Dimension::Energy, "0.49", |_| {})).unwrap();
        assert!(read(base()).is_ok());
        let mut reserving = base();
        reserving.reservation_fixed = Some(TariffFixed::new(vec![TariffFixedPrice::new(Number::new(1, 0))]));
        assert!(read(reserving).is_err());
        let mut by_current = base();
        let mut when = TariffConditions::new();
        when.min_current = Some(Number::new(16, 0));
        by_current.energy.as_mut().unwrap().prices[0].conditions = Some(when);
        assert!(read(by_current).is_err());
        let mut taxed_twice = base();
        let rate = || TaxRate::new("state", Number::new(5, 0));
        taxed_twice.energy.as_mut().unwrap().tax_rates = Some(vec![rate(), rate()]);
        assert!(read(taxed_twice).is_err());
    }
}
