//! Charge detail records.
//!
//! OCHP bills in lines of value times price; the road has one amount per dimension and the tariff behind it. A line is
//! written with its price where the tariff has one price for it and the product is the amount to the last digit.
//! Otherwise the quantities stand unrated, which is price zero, and one service fee carries the whole amount. Invariant:
//! the lines add up to the total; a record without any price is not carried, because on the road it would be free.

use charge::id::{self, ConnectorId, PartyId, SessionId, TariffId};
use charge::money::{self, Price};
use charge::place::{Current, Location};
use charge::record::{AuthMethod, Cdr, Period, RecordPlace, RecordToken};
use charge::tariff::{BookingFees, Dimension, Tariff};
use charge::token::TokenKind;
use charge::units::{Energy, Power};
use charge::{Decimal, Purpose, Timestamp};

use super::name::{cdr_id, contract_id, evse_id, evse_uid, tariff_id};
use super::place::{address, find_evse, road_plug, standard};
use super::token::{emt, presented, written_contract};
use crate::read::{Crossed, Fault, Lost};
use crate::scalar::{Currency, Duration, LocalDateTime, Text};
use crate::types::place::{Connector, ConnectorFormat, PowerType};
use crate::types::record::{CdrInfo, CdrPeriod, CdrStatus};
use crate::types::tariff::BillingItem;
use crate::types::token::TokenType;

/// Hours and kilowatt-hours are told to a millionth: below a second and at a milliwatt-hour.
const QUANTITY_DIGITS: u32 = 6;
/// The longest time that a duration can name.
const DURATION_HOURS_MAX: i64 = 999;
/// A total may differ from its lines by half a hundredth: peers add up in floats of seven digits.
const TOTAL_SLACK: Decimal = Decimal::from_parts(5, 0, 0, false, 3);
/// What stands for a tariff that is not known (OCPI 2.2.1, 3.2).
const NOT_AVAILABLE: &str = "#NA";

/// A record for a clearing house. `zone` is the time zone of its place.
pub fn cdr_info(cdr: &Cdr, zone: Option<&str>) -> Result<Crossed<CdrInfo>, Fault> {
    if cdr.credit {
        return Err(Fault::new("/credit", "OCHP has no credits: the record must be declined and revised"));
    }
    let mut lost = Lost::new();
    for (said, path, why) in [
        (!cdr.signed.is_empty(), "/signed_data", "is left out whole: OCHP 1.4 has no place for signed values"),
        (cdr.remark.is_some(), "/remark", "has no place in OCHP"),
        (cdr.reference.is_some(), "/authorization_reference", "has no place in OCHP"),
        (cdr.total_cost.with_vat.is_some(), "/total_cost/incl_vat", "OCHP carries amounts without tax"),
        (zone.is_none(), "/start_date_time", "the zone of the place is not known; written on the clock of Greenwich"),
    ] {
        if said {
            lost.push(Fault::new(path, why));
        }
    }
    let local = |at| zone.and_then(|zone| LocalDateTime::in_zone(at, zone)).unwrap_or(LocalDateTime::greenwich(at));
    let (start, end) = (local(cdr.start), local(cdr.end));
    let place = &cdr.place;
    let evse = evse_id(&place.evse_id).ok_or_else(|| Fault::new("/cdr_location/evse_id", "has no form in OCHP"))?;
    let meter = cdr.meter.as_deref().filter(|meter| !meter.trim().is_empty()).map(Text::fitted);
    if meter.as_ref().is_some_and(|(_, cut)| *cut) {
        lost.push(Fault::new("/meter_id", "is cut to 20 characters"));
    }
    let format = if place.attached_cable { ConnectorFormat::Cable } else { ConnectorFormat::Socket };
    let connector = Connector {
        standard: standard(&place.plug, place.current, &mut lost),
        format,
        tariff: (cdr.tariff.id.as_str() != NOT_AVAILABLE).then(|| tariff_id(cdr.party, &cdr.tariff.id)).flatten(),
    };
    let value = CdrInfo {
        id: cdr_id(cdr.party, &cdr.id).ok_or_else(|| Fault::new("/id", "has no form in OCHP"))?,
        evse,
        token: emt(&cdr.token.uid, cdr.token.kind, &mut lost),
        contract: written_contract(cdr.token.contract.reveal(Purpose::Transmit))?,
        status: CdrStatus::New,
        start,
        end,
        duration: duration(cdr),
        address: address(&place.address, &place.city, place.postal_code.as_deref(), &place.country, &mut lost)?,
        power_type: if place.current == Current::Dc { PowerType::Dc } else { PowerType::Ac },
        connector,
        ratings: None,
        meter: meter.map(|(meter, _)| meter),
        periods: lines(cdr, start, end, &mut lost),
        total_cost: Some(cdr.total_cost.before_vat),
        currency: Currency::new(cdr.currency.as_str()).ok_or_else(|| Fault::new("/currency", "is no currency"))?,
    };
    Ok(Crossed { value, lost })
}

fn duration(cdr: &Cdr) -> Option<Duration> {
    let seconds =
        cdr.end.secs().checked_sub(cdr.start.secs()).filter(|s| (0..=DURATION_HOURS_MAX * 3_600).contains(s))?;
    Duration::new(&format!("{:03}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60))
}

fn lines(cdr: &Cdr, start: LocalDateTime, end: LocalDateTime, lost: &mut Lost) -> Vec<CdrPeriod> {
    let driving = cdr.total_time_h.checked_sub(cdr.parking_time_h).unwrap_or_default().max(Decimal::ZERO);
    let dimensions = [
        (BillingItem::Energy, Dimension::Energy, cdr.energy.kwh(), cdr.energy_cost),
        (BillingItem::UsageTime, Dimension::Time, driving, cdr.time_cost),
        (BillingItem::ParkingTime, Dimension::ParkingTime, cdr.parking_time_h, cdr.parking_cost),
        (BillingItem::ServiceFee, Dimension::Flat, Decimal::ONE, cdr.fixed_cost),
    ];
    let line = |item, value: Decimal, price: Decimal, cost: Decimal| CdrPeriod {
        start,
        end,
        item,
        value: value.normalize(),
        price,
        cost: Some(cost),
        tax_rate: tax_rate(&cdr.tariff),
    };
    let mut rated = Some(Vec::new());
    let mut sum = Some(Decimal::ZERO);
    for (item, dimension, value, cost) in dimensions {
        let cost = cost.map(|cost| cost.before_vat).unwrap_or_default();
        if cost.is_zero() && item != BillingItem::Energy {
            continue;
        }
        sum = sum.and_then(|sum| sum.checked_add(cost));
        let value = value.round_dp(QUANTITY_DIGITS);
        let price = if cost.is_zero() { Some(Decimal::ZERO) } else { one_price(&cdr.tariff, dimension) };
        let exact = price.filter(|price| price.checked_mul(value) == Some(cost));
        rated = rated.zip(exact).map(|(mut lines, price)| {
            lines.push(line(item, value, price, cost));
            lines
        });
    }
    if let Some(rated) = rated.filter(|_| sum == Some(cdr.total_cost.before_vat)) {
        return rated;
    }
    lost.push(Fault::new("/charging_periods", "has no single price per unit; a service fee carries the amount"));
    let total = cdr.total_cost.before_vat;
    let mut unrated: Vec<CdrPeriod> = dimensions
        .into_iter()
        .filter(|(item, _, value, _)| {
            *item == BillingItem::Energy || (*item != BillingItem::ServiceFee && !value.is_zero())
        })
        .map(|(item, _, value, _)| line(item, value.round_dp(QUANTITY_DIGITS), Decimal::ZERO, Decimal::ZERO))
        .collect();
    unrated.push(line(BillingItem::ServiceFee, Decimal::ONE, total, total));
    unrated
}

/// The price of a dimension, where all elements agree.
fn one_price(tariff: &Tariff, dimension: Dimension) -> Option<Decimal> {
    let components = tariff.elements.iter().flat_map(|element| &element.components);
    let mut prices = components.filter(|component| component.dimension == dimension).map(|component| component.price);
    let first = prices.next()?;
    prices.all(|price| price == first).then_some(first)
}

/// The tax of the whole tariff, where it has one in whole percents.
fn tax_rate(tariff: &Tariff) -> Option<u32> {
    let mut rates =
        tariff.elements.iter().flat_map(|element| &element.components).map(|component| component.vat_percent);
    let first = rates.next()??;
    let same = rates.all(|rate| rate == Some(first));
    (same && first.normalize().scale() == 0).then(|| u32::try_from(first).ok()).flatten()
}

/// What a record of OCHP does not say.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    pub operator: PartyId,
    /// The provider that owes.
    pub payer: PartyId,
    /// Where the EVSE stands, as its operator published it.
    pub location: &'a Location,
    pub now: Timestamp,
}

/// A record of a clearing house on the road.
pub fn cdr(info: &CdrInfo, beside: Beside<'_>) -> Result<Crossed<Cdr>, Fault> {
    let mut lost = Lost::new();
    let token = presented(&info.token)?;
    lost.extend(token.lost);
    let contract = contract_id(info.contract.reveal(Purpose::Transmit));
    let contract = contract.ok_or_else(|| Fault::new("/contractId", "is no contract id"))?;
    let remote = info.token.kind == TokenType::Remote;
    let session = remote.then(|| SessionId::new(info.token.instance.reveal(Purpose::Bill).as_str()).ok()).flatten();
    let total = total(info)?;
    let currency: money::Currency =
        info.currency.as_str().parse().map_err(|_| Fault::new("/currency", "is no currency"))?;
    let costs = |items: &[BillingItem]| {
        let known = |line: &&CdrPeriod| items.contains(&line.item);
        let sum: Decimal = info.periods.iter().filter(known).map(cost).sum();
        (!sum.is_zero()).then_some(Price { before_vat: sum, with_vat: None })
    };
    let sum = |item| info.periods.iter().filter(|line| line.item == item).map(|line| line.value).sum::<Decimal>();
    let energy =
        Energy::from_kwh(sum(BillingItem::Energy)).ok_or_else(|| Fault::new("/chargingPeriods", "has no energy"))?;
    let seconds = info.end.at.secs() - info.start.at.secs();
    if seconds < 0 {
        return Err(Fault::new("/endDateTime", "is before the start"));
    }
    if info.ratings.is_some() {
        lost.push(Fault::new("/ratings", "has no word in a record of the road"));
    }
    let value = Cdr {
        party: beside.operator,
        id: id::CdrId::new(info.id.as_str()).map_err(|_| Fault::new("/CdrId", "is no id of a record"))?,
        start: info.start.at,
        end: info.end.at,
        session,
        booking: None,
        token: RecordToken {
            party: beside.payer,
            uid: token.value.uid,
            kind: if remote { TokenKind::AdHocUser } else { token.value.kind },
            contract: charge::Personal::new(contract),
        },
        auth_method: if remote { AuthMethod::Command } else { AuthMethod::Request },
        reference: None,
        place: place(info, beside.location)?,
        meter: info.meter.as_ref().map(|meter| meter.as_str().to_owned()),
        currency,
        tariff: unknown_tariff(info, beside, currency)?,
        periods: periods(info, &mut lost)?,
        signed: Vec::new(),
        energy,
        total_time_h: Decimal::from(seconds) / Decimal::from(3_600),
        parking_time_h: sum(BillingItem::ParkingTime),
        total_cost: Price { before_vat: total, with_vat: with_tax(info, total) },
        energy_cost: costs(&[BillingItem::Energy]),
        time_cost: costs(&[BillingItem::UsageTime]),
        parking_cost: costs(&[BillingItem::ParkingTime]),
        fixed_cost: costs(&[
            BillingItem::ServiceFee,
            BillingItem::Reservation,
            BillingItem::ReservationTime,
            BillingItem::Power,
        ]),
        remark: None,
        credit: false,
        credit_reference: None,
        last_updated: beside.now,
    };
    Ok(Crossed { value, lost })
}

fn cost(line: &CdrPeriod) -> Decimal {
    line.cost.unwrap_or_else(|| line.value.checked_mul(line.price).unwrap_or_default())
}

/// The sum of the lines is the total (OCHP, `CdrPeriodType`), so a total that is another one is no total.
fn total(info: &CdrInfo) -> Result<Decimal, Fault> {
    let sum: Decimal = info.periods.iter().map(cost).sum();
    let rated = info.periods.iter().any(|line| !line.price.is_zero() || line.cost.is_some_and(|cost| !cost.is_zero()));
    match info.total_cost {
        Some(total) if !rated => Ok(total),
        Some(total) if (total - sum).abs() <= TOTAL_SLACK => Ok(total),
        Some(_) => Err(Fault::new("/totalCost", "is not what the periods add up to")),
        None if rated => Ok(sum),
        None => Err(Fault::new("/totalCost", "is missing and no period has a price: on the road that would be free")),
    }
}

fn with_tax(info: &CdrInfo, total: Decimal) -> Option<Decimal> {
    let mut rates = info.periods.iter().map(|line| line.tax_rate);
    let first = rates.next()??;
    let same = rates.all(|rate| rate == Some(first));
    same.then(|| total.checked_mul(Decimal::from(100 + u64::from(first))))
        .flatten()
        .map(|total| (total / Decimal::from(100)).normalize())
}

fn place(info: &CdrInfo, location: &Location) -> Result<RecordPlace, Fault> {
    let not_there = || Fault::new("/evseId", "is no EVSE that its operator published");
    let evse = find_evse(location, &info.evse).ok_or_else(not_there)?;
    let plug = road_plug(info.connector.standard);
    let same = |connector: &&charge::place::Connector| connector.plug.as_str() == plug;
    let connector = evse.connectors.iter().find(same).or(evse.connectors.first());
    let number = || ConnectorId::new("1").map_err(|_| not_there());
    let current = match (info.power_type, connector.map(|connector| connector.current)) {
        (PowerType::Dc, _) => Current::Dc,
        (PowerType::Ac, Some(current @ (Current::Ac1Phase | Current::Ac3Phase))) => current,
        (PowerType::Ac, Some(Current::Dc) | None) => Current::Ac3Phase,
    };
    Ok(RecordPlace {
        id: location.id.clone(),
        name: location.name.clone(),
        address: location.address.clone(),
        city: location.city.clone(),
        postal_code: location.postal_code.clone(),
        country: location.country.clone(),
        position: location.position,
        evse_uid: evse_uid(&info.evse).filter(|uid| *uid == evse.uid).unwrap_or_else(|| evse.uid.clone()),
        evse_id: id::EvseId::new(info.evse.as_str()).map_err(|_| not_there())?,
        connector: connector.map_or_else(number, |connector| Ok(connector.id.clone()))?,
        plug: plug.into(),
        attached_cable: info.connector.format == ConnectorFormat::Cable,
        current,
    })
}

/// The tariff by its name alone: a record of OCHP does not carry it, and pricing again must say so.
fn unknown_tariff(info: &CdrInfo, beside: Beside<'_>, currency: money::Currency) -> Result<Tariff, Fault> {
    let id = info.connector.tariff.as_ref().map_or(NOT_AVAILABLE, |id| id.as_str());
    Ok(Tariff {
        party: beside.operator,
        id: TariffId::new(id).map_err(|_| Fault::new("/connectorType/tariffId", "is no id of a tariff"))?,
        currency,
        text: None,
        elements: Vec::new(),
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: beside.now,
    })
}

/// Lines that begin together are one period of the road.
fn periods(info: &CdrInfo, lost: &mut Lost) -> Result<Vec<Period>, Fault> {
    let mut periods: Vec<Period> = Vec::new();
    for line in &info.periods {
        let at = periods.iter().position(|period| period.start == line.start.at);
        let at = at.unwrap_or_else(|| {
            periods.push(Period { start: line.start.at, energy: None, charging: false, max_power: None });
            periods.len() - 1
        });
        let Some(period) = periods.get_mut(at) else { continue };
        match line.item {
            BillingItem::Energy => {
                let energy = Energy::from_kwh(line.value);
                let energy = energy.and_then(|energy| energy.checked_add(period.energy.unwrap_or_default()));
                period.energy = Some(energy.ok_or_else(|| Fault::new("/chargingPeriods", "has no energy"))?);
                period.charging = true;
            }
            BillingItem::UsageTime => period.charging = true,
            BillingItem::Power => {
                let mw = line.value.checked_mul(Decimal::from(1_000_000)).and_then(|mw| i64::try_from(mw.trunc()).ok());
                period.max_power = mw.map(Power::from_milliwatts);
            }
            BillingItem::Reservation | BillingItem::ReservationTime => {
                lost.push(Fault::new(
                    "/chargingPeriods/billingItem",
                    "a reservation is carried as a part of the fixed cost",
                ));
            }
            BillingItem::ParkingTime | BillingItem::ServiceFee => {}
        }
    }
    periods.sort_by_key(|period| period.start);
    Ok(periods)
}
