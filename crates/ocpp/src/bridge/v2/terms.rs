//! The terms of a transaction: limits (2.1 E16), what the station worked out (I12), the driver's tariff (I08), and
//! words to show (I01, I06).
//!
//! Deliberately lenient where money is only shown and strict where it is owed: a tariff that cannot be said exactly is
//! left out with a remark, a cost that cannot be read exactly is left out with one too, and the message is taken.
//! Invariant: on a connection of 2.0.1 no member of 2.1 is written.

use charge::id::TariffId;
use charge::money::Price;
use charge::talk::line::terms::{Advice, CostDetails, CostKind, CostPeriod, Limit, Limits, Offer, Terms, Words};
use charge::talk::line::{Stage, Version};
use charge::tariff::Tariff;
use charge::units::Energy;
use charge::{Decimal, Timestamp};
use ocpp_kit::types::Decimal as Number;
use ocpp_kit::v2_1::{self as kit, CostDimensionEnum, TariffCost, TriggerReason};

use super::transaction::{say_standing, standing};
use super::{boxed, decimal, decimals, number, tariff, text, unsaid};
use crate::bridge::{moment, wire};
use crate::payload::Notes;
use crate::rules::Fault;

/// Words of one message; the standard's own limit of 1024 characters is judged with the payload.
pub(super) fn words(said: &kit::MessageContent) -> Words {
    Words {
        format: said.format.as_str().into(),
        language: boxed(said.language.clone()),
        text: said.content.as_str().into(),
    }
}

pub(super) fn say_words(words: &Words) -> kit::MessageContent {
    let mut out = kit::MessageContent::new(kit::MessageFormat::from_wire(&words.format), &*words.text);
    out.language = text(words.language.as_deref());
    out
}

/// cites: ocpp-2.1 I01.FR.01, I08.FR.01, I08.FR.09: a driver's own tariff names no begin.
pub(super) fn say_offer(
    version: Version,
    answer: &mut kit::AuthorizeResponse,
    offer: &Offer,
    notes: &mut Notes,
) -> Result<(), Fault> {
    answer.certificate_status = offer.standing.and_then(say_standing);
    answer.id_token_info.personal_message = offer.words.as_ref().map(say_words);
    let Some(of) = offer.tariff.as_deref() else { return Ok(()) };
    if version != Version::V21 {
        return Err(unsaid("a tariff in the answer to a tap, which only 2.1 has"));
    }
    match tariff::write(&Tariff { valid_from: None, ..of.clone() }) {
        Ok(said) => answer.tariff = Some(said),
        Err(why) => notes.remark("/tariff", &format!("left out: {}", why.told())),
    }
    Ok(())
}

pub(super) fn offer(answer: kit::AuthorizeResponse, notes: &mut Notes) -> Option<Offer> {
    let tariff = answer.tariff.and_then(|said| match tariff::read(said) {
        Ok(of) => Some(Box::new(Tariff { valid_from: None, ..of })), // I08.FR.10
        Err(why) => {
            notes.remark("/tariff", &format!("left out: {}", why.told()));
            None
        }
    });
    let offer = Offer {
        standing: answer.certificate_status.as_ref().and_then(standing),
        tariff,
        words: answer.id_token_info.personal_message.as_ref().map(words),
    };
    (offer != Offer::default()).then_some(offer)
}

/// cites: ocpp-2.1 E16.FR.02, I06.FR.02
pub(super) fn say_advice(
    version: Version,
    answer: &mut kit::TransactionEventResponse,
    advice: &Advice,
    notes: &mut Notes,
) -> Result<(), Fault> {
    if let (Some(words), Some(info)) = (&advice.words, answer.id_token_info.as_mut()) {
        info.personal_message = Some(say_words(words));
    }
    let mut updated = advice.updated.iter().map(say_words);
    answer.updated_personal_message = updated.next();
    let extra: Vec<_> = updated.collect();
    if version == Version::V21 {
        answer.updated_personal_message_extra = super::some(extra);
        answer.transaction_limit = advice.limits.as_ref().map(say_limits).transpose()?;
    } else if advice.limits.is_some() {
        return Err(unsaid("a limit of a transaction, which only 2.1 has"));
    } else if !extra.is_empty() {
        notes.remark("/updatedPersonalMessage", "further languages have no place in 2.0.1");
    }
    Ok(())
}

pub(super) fn advice(answer: &kit::TransactionEventResponse) -> Option<Box<Advice>> {
    let info = answer.id_token_info.as_ref();
    let updated = answer.updated_personal_message.iter();
    let advice = Advice {
        limits: answer.transaction_limit.as_ref().map(limits),
        words: info.and_then(|info| info.personal_message.as_ref()).map(words),
        updated: updated.chain(answer.updated_personal_message_extra.iter().flatten()).map(words).collect(),
    };
    (advice != Advice::default()).then(|| Box::new(advice))
}

/// A limit below nothing is reached at once (E16.FR.10): nothing is left.
fn limits(said: &kit::TransactionLimit) -> Limits {
    Limits {
        cost: said.max_cost.and_then(number),
        energy: said.max_energy.and_then(energy).map(|limit| limit.max(Energy::ZERO)),
        seconds: said.max_time.map(|limit| u32::try_from(limit).unwrap_or(0)),
        charged_percent: said.max_so_c.map(|limit| u8::try_from(limit.clamp(0, 100)).unwrap_or(100)),
    }
}

fn say_limits(limits: &Limits) -> Result<kit::TransactionLimit, Fault> {
    let mut out = kit::TransactionLimit::new();
    out.max_cost = decimals(limits.cost)?;
    out.max_energy = decimals(limits.energy.map(watt_hours))?;
    let span = limits.seconds.map(i32::try_from).transpose();
    out.max_time = span.map_err(|_| unsaid("a duration longer than OCPP has"))?;
    out.max_so_c = limits.charged_percent.map(i32::from);
    Ok(out)
}

/// Watt-hours everywhere, also in `totalUsage` and in the volumes of periods (2.1 part 2, I, examples of `CostDetails`).
fn energy(said: Number) -> Option<Energy> {
    Energy::from_kwh(number(said)?.checked_mul(Decimal::new(1, 3))?)
}

fn watt_hours(energy: Energy) -> Decimal {
    Decimal::new(energy.mwh(), 3).normalize()
}

/// What a message says of its terms, out of its two places.
pub(super) fn hear(
    info: &kit::Transaction,
    cost: Option<kit::CostDetails>,
    trigger: &TriggerReason,
    notes: &mut Notes,
) -> Option<Box<Terms>> {
    let tariff = info.tariff_id.as_deref().and_then(|id| {
        let id = TariffId::new(id);
        if id.is_err() {
            notes.remark("/transactionInfo/tariffId", "no id of a tariff");
        }
        id.ok()
    });
    let cost = cost.and_then(|said| {
        let read = details(said);
        if read.is_none() {
            notes.remark("/costDetails", "has a number or a name that cannot be kept");
        }
        read.map(Box::new)
    });
    let reached = REACHED.iter().find(|row| row.1 == *trigger).map(|row| row.0);
    let (limits, resumed) = (info.transaction_limit.as_ref().map(limits), *trigger == TriggerReason::TxResumed);
    let terms = Terms { tariff, limits, reached, cost, resumed };
    (!terms.is_empty()).then(|| Box::new(terms))
}

pub(super) fn say(message: &mut kit::TransactionEventRequest, terms: &Terms) -> Result<(), Fault> {
    message.transaction_info.tariff_id = terms.tariff.as_ref().map(|id| id.as_str().to_owned());
    message.transaction_info.transaction_limit = terms.limits.as_ref().map(say_limits).transpose()?;
    message.cost_details = terms.cost.as_deref().map(say_details).transpose()?;
    Ok(())
}

/// The reason that goes before others: a limit that was set or reached has no other word (E16.FR.03, E16.FR.05), nor has a
/// tariff that was changed on the way (I11.FR.07), or a transaction that goes on after the station was away (E17.FR.14).
pub(super) fn trigger(terms: &Terms, stage: Stage) -> Option<TriggerReason> {
    match (terms.reached, stage) {
        (Some(reached), _) => REACHED.iter().find(|row| row.0 == reached).map(|row| row.1.clone()),
        (None, Stage::Updated) if terms.resumed => Some(TriggerReason::TxResumed),
        (None, Stage::Updated) if terms.limits.is_some() => Some(TriggerReason::LimitSet),
        (None, Stage::Updated) if terms.tariff.is_some() => Some(TriggerReason::TariffChanged),
        (None, Stage::Started | Stage::Updated | Stage::Ended) => None,
    }
}

const REACHED: [(Limit, TriggerReason); 4] = [
    (Limit::Cost, TriggerReason::CostLimitReached),
    (Limit::Energy, TriggerReason::EnergyLimitReached),
    (Limit::Time, TriggerReason::TimeLimitReached),
    (Limit::Charge, TriggerReason::SoCLimitReached),
];

const KINDS: [(CostKind, TariffCost); 3] = [
    (CostKind::Normal, TariffCost::NormalCost),
    (CostKind::Min, TariffCost::MinCost),
    (CostKind::Max, TariffCost::MaxCost),
];

fn details(said: kit::CostDetails) -> Option<CostDetails> {
    let (cost, usage) = (said.total_cost, said.total_usage);
    let part =
        |price: &kit::Price| Some(Price { before_vat: number(price.excl_tax?)?, with_vat: gross(price.incl_tax)? });
    let parts = |price: Option<kit::Price>| match price {
        Some(price) => part(&price).map(Some),
        None => Some(None),
    };
    let periods = said.charging_periods.unwrap_or_default();
    Some(CostDetails {
        currency: cost.currency.parse().ok()?,
        kind: KINDS.iter().find(|row| row.1 == cost.type_of_cost)?.0,
        fixed: parts(cost.fixed)?,
        energy: parts(cost.energy)?,
        charging: parts(cost.charging_time)?,
        idle: parts(cost.idle_time)?,
        total: Price { before_vat: number(cost.total.excl_tax?)?, with_vat: gross(cost.total.incl_tax)? },
        delivered: energy(usage.energy)?,
        charging_seconds: u32::try_from(usage.charging_time).ok()?,
        idle_seconds: u32::try_from(usage.idle_time).ok()?,
        periods: periods.into_iter().map(period).collect::<Option<_>>()?,
        failure: said.failure_to_calculate.unwrap_or(false).then(|| said.failure_reason.unwrap_or_default().into()),
    })
}

fn gross(said: Option<Number>) -> Option<Option<Decimal>> {
    match said {
        Some(said) => number(said).map(Some),
        None => Some(None),
    }
}

fn period(said: kit::ChargingPeriod) -> Option<CostPeriod> {
    let start: Timestamp = moment(said.start_period);
    let tariff = said.tariff_id.map(TariffId::new).transpose().ok()?;
    let mut out = CostPeriod { start, tariff, energy: Energy::ZERO, charging_seconds: 0, idle_seconds: 0 };
    for of in said.dimensions.unwrap_or_default() {
        let whole = || u32::try_from(number(of.volume)?.trunc()).ok();
        match of.r#type {
            CostDimensionEnum::Energy => out.energy = energy(of.volume)?,
            CostDimensionEnum::ChargingTime => out.charging_seconds = whole()?,
            CostDimensionEnum::IdleTIme => out.idle_seconds = whole()?,
            // highest and lowest current and power price nothing by themselves
            _ => {}
        }
    }
    Some(out)
}

fn say_details(details: &CostDetails) -> Result<kit::CostDetails, Fault> {
    let price = |price: Price| {
        let mut out = kit::Price::new();
        out.excl_tax = Some(decimal(price.before_vat)?);
        out.incl_tax = decimals(price.with_vat)?;
        Ok(out)
    };
    let part = |part: Option<Price>| part.map(price).transpose();
    let mut total = kit::TotalPrice::new();
    total.excl_tax = Some(decimal(details.total.before_vat)?);
    total.incl_tax = decimals(details.total.with_vat)?;
    let kind = KINDS.iter().find(|row| row.0 == details.kind).map_or(TariffCost::NormalCost, |row| row.1.clone());
    let mut cost = kit::TotalCost::new(details.currency.as_str(), kind, total);
    cost.fixed = part(details.fixed)?;
    cost.energy = part(details.energy)?;
    cost.charging_time = part(details.charging)?;
    cost.idle_time = part(details.idle)?;
    let usage = kit::TotalUsage::new(
        decimal(watt_hours(details.delivered))?,
        super::count(details.charging_seconds),
        super::count(details.idle_seconds),
    );
    let mut out = kit::CostDetails::new(cost, usage);
    out.charging_periods = super::some(details.periods.iter().map(say_period).collect::<Result<_, _>>()?);
    out.failure_to_calculate = details.failure.is_some().then_some(true);
    out.failure_reason = details.failure.as_deref().filter(|why| !why.is_empty()).map(Into::into);
    Ok(out)
}

fn say_period(period: &CostPeriod) -> Result<kit::ChargingPeriod, Fault> {
    let mut out = kit::ChargingPeriod::new(wire(period.start));
    out.tariff_id = period.tariff.as_ref().map(|id| id.as_str().to_owned());
    let seconds = |kind, seconds: u32| kit::CostDimension::new(kind, Number::new(i64::from(seconds), 0));
    let mut dimensions = vec![kit::CostDimension::new(CostDimensionEnum::Energy, decimal(watt_hours(period.energy))?)];
    for (kind, span) in
        [(CostDimensionEnum::ChargingTime, period.charging_seconds), (CostDimensionEnum::IdleTIme, period.idle_seconds)]
    {
        dimensions.extend((span > 0).then(|| seconds(kind, span)));
    }
    out.dimensions = Some(dimensions);
    Ok(out)
}
