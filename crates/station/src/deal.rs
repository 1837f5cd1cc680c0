//! The terms of one running transaction: its limits, its tariffs, and what it has come to (OCPP 2.1 E16, I07 to I12).
//!
//! What a charge costs is worked out by `billing`, as the operator does it, so that both come to the same. It sends
//! nothing and stops nothing: it says which limit was reached and when to look again.
//!
//! Invariant: a driver's limit never goes beyond the operator's (E16.FR.04).

use std::time::Duration;

use billing::price::{self, PriceFault, Priced};
use charge::money::Price;
use charge::talk::line::terms::{CostDetails, CostKind, CostPeriod, Limit, Limits, Terms};
use charge::tariff::{Dimension, Tariff};
use charge::units::{Energy, Power};
use charge::{Decimal, Timestamp};

/// A transaction is priced in at most this many stretches; beyond it the last one grows.
const MARKS_MAX: usize = 1_000;
/// A tariff's next change is looked for this far ahead.
const AHEAD: Duration = Duration::from_secs(86_400);
/// Amounts are told to this many decimals: finer than any currency, and short enough for every reader.
const COST_PLACES: u32 = 6;
/// Two looks are at least so far apart, however close a limit is.
const LOOK_LEAST: Duration = Duration::from_millis(1);

/// What the meter and the car say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    pub register: Energy,
    pub power: Power,
    pub charging: bool,
    pub charged_percent: Option<u8>,
}

/// The terms of a transaction that runs.
#[derive(Clone, Debug)]
pub struct Deal {
    began: Moment,
    /// Each from its mark on; the first with the begin. Empty where the operator prices alone.
    tariffs: Vec<(usize, Tariff)>,
    marks: Vec<Moment>,
    orders: Limits,
    wishes: Limits,
    /// As the operator said last, where it prices (E16.FR.15).
    told_cost: Option<Decimal>,
    pub reached: Option<Limit>,
    /// What the next message says.
    pub untold: Terms,
}

impl Deal {
    pub fn new(began: Moment, tariff: Option<Tariff>, wishes: Limits) -> Self {
        let untold = Terms {
            tariff: tariff.as_ref().map(|of| of.id.clone()),
            limits: (!wishes.is_empty()).then_some(wishes),
            ..Terms::default()
        };
        Self {
            began,
            tariffs: tariff.into_iter().map(|of| (0, of)).collect(),
            marks: vec![began],
            orders: Limits::default(),
            wishes,
            told_cost: None,
            reached: None,
            untold,
        }
    }

    /// The tariff in use.
    pub fn tariff(&self) -> Option<&Tariff> {
        self.tariffs.last().map(|(_, of)| of)
    }

    /// What is in force: of two limits of a kind the stricter.
    pub fn limits(&self) -> Limits {
        self.orders.least(self.wishes)
    }

    /// The operator's word; it is confirmed by the next message (E16.FR.03).
    pub fn ordered(&mut self, limits: Limits) {
        self.orders = limits.over(self.orders);
        // the operator has the last word (E16.FR.07)
        self.wishes = self.wishes.within(self.orders);
        self.untold.limits = Some(limits.over(self.untold.limits.unwrap_or_default()));
    }

    /// The driver's wish (E16.FR.01), no further than the operator allows (E16.FR.04).
    pub fn wished(&mut self, limits: Limits) {
        self.wishes = limits.over(self.wishes);
        self.wishes = self.wishes.within(self.orders);
        self.untold.limits = Some(self.wishes);
    }

    pub const fn costs(&mut self, total: Decimal) {
        self.told_cost = Some(total);
    }

    /// Another tariff from now on; what was is not priced again (I11.FR.08), and a fee is paid once (I12.FR.30).
    pub fn change(&mut self, now: Moment, mut tariff: Tariff) {
        self.mark(now);
        for element in &mut tariff.elements {
            element.components.retain(|component| component.dimension != Dimension::Flat);
        }
        self.untold.tariff = Some(tariff.id.clone());
        self.tariffs.push((self.marks.len() - 1, tariff));
    }

    /// A new stretch begins: the car began or ceased to charge, or the tariff changes its price (I12.FR.35, I12.FR.36).
    pub fn mark(&mut self, now: Moment) {
        let Some(last) = self.marks.last_mut() else { return };
        if last.at >= now.at {
            *last = Moment { at: last.at, register: last.register, ..now };
        } else if self.marks.len() < MARKS_MAX {
            self.marks.push(now);
        }
    }

    /// The limit that is reached by now, if one is. E16.FR.10: also one that was passed before it was set.
    pub fn check(&mut self, now: Moment, zone: &str) -> Option<Limit> {
        let limits = self.limits();
        let delivered = self.delivered(now);
        let cost = limits.cost.and_then(|limit| Some((self.cost_so_far(now, zone)?, limit)));
        let percent = limits.charged_percent.zip(now.charged_percent);
        let passed = Duration::from_secs(u64::from(limits.seconds.unwrap_or_default()));
        let reached = if cost.is_some_and(|(cost, limit)| cost >= limit) {
            Some(Limit::Cost)
        } else if limits.energy.is_some_and(|limit| delivered >= limit) {
            Some(Limit::Energy)
        } else if limits.seconds.is_some() && now.at.since(self.began.at) >= passed {
            Some(Limit::Time)
        } else if percent.is_some_and(|(limit, percent)| percent >= limit) {
            Some(Limit::Charge)
        } else {
            None
        };
        if reached.is_some() && self.reached.is_none() {
            self.untold.reached = reached;
        }
        self.reached = reached;
        reached
    }

    /// When to look again: when a limit will be reached at this power, when the tariff changes, and every so often where
    /// the end of a limit cannot be foreseen (I12.FR.31).
    pub fn look_at(&self, now: Moment, zone: &str, often: Duration) -> Option<Timestamp> {
        let limits = self.limits();
        let energy = limits.energy.and_then(|limit| limit.checked_sub(self.delivered(now)));
        let micros = energy.and_then(|left| {
            let left = i128::from(left.mwh()).checked_mul(MICROS_PER_HOUR)?;
            let power = Some(i128::from(now.power.milliwatts())).filter(|power| *power > 0)?;
            u64::try_from(left / power + 1).ok()
        });
        let energy = micros.map(|micros| now.at.plus(Duration::from_micros(micros)));
        let time = limits.seconds.map(|limit| self.began.at.plus(Duration::from_secs(u64::from(limit))));
        let unforeseen = limits.cost.is_some() || limits.charged_percent.is_some();
        let soon = (unforeseen && now.charging).then(|| now.at.plus(often.max(Duration::from_secs(1))));
        let halted = self.reached.is_some();
        let ends = [energy, time, soon].into_iter().flatten().filter(|at| !halted && *at > now.at);
        let looks = ends.chain(self.next_change(now.at, zone));
        looks.min().map(|at| at.max(now.at.plus(LOOK_LEAST)))
    }

    /// When the tariff changes its price next, by the clock or by the duration.
    pub fn next_change(&self, now: Timestamp, zone: &str) -> Option<Timestamp> {
        let (from, tariff) = self.tariffs.last()?;
        let from = self.marks.get(*from).map_or(self.began.at, |mark| mark.at);
        let found = price::changes(tariff, zone, from, now.plus(AHEAD)).unwrap_or_default();
        found.into_iter().find(|at| *at > now)
    }

    /// With VAT where the tariff names it.
    pub fn cost_so_far(&self, now: Moment, zone: &str) -> Option<Decimal> {
        if self.tariffs.is_empty() {
            return self.told_cost;
        }
        // E16.FR.16
        let total = self.priced(now, zone).ok()?.total;
        Some(total.with_vat.unwrap_or(total.before_vat))
    }

    /// cites: ocpp-2.1 I12.FR.01, I12.FR.04, I12.FR.14, I12.FR.16, I12.FR.17
    pub fn details(&self, now: Moment, zone: &str) -> Option<CostDetails> {
        let currency = self.tariff()?.currency;
        let (sum, failure) = match self.priced(now, zone) {
            Ok(sum) => (sum, None),
            Err(why) => (Sum::default(), Some(why.to_string().into())),
        };
        let periods: Vec<CostPeriod> = self.periods(now).collect();
        let seconds = |of: fn(&CostPeriod) -> u32| periods.iter().map(of).fold(0, u32::saturating_add);
        let (charging_seconds, idle_seconds) = (seconds(|of| of.charging_seconds), seconds(|of| of.idle_seconds));
        Some(CostDetails {
            currency,
            kind: sum.kind,
            fixed: sum.fixed.map(told),
            energy: sum.energy.map(told),
            charging: sum.charging.map(told),
            idle: sum.idle.map(told),
            total: told(sum.total),
            delivered: self.delivered(now),
            charging_seconds,
            idle_seconds,
            periods,
            failure,
        })
    }

    fn delivered(&self, now: Moment) -> Energy {
        now.register.checked_sub(self.began.register).unwrap_or_default()
    }

    /// Each stretch with its end.
    fn stretches(&self, now: Moment) -> impl Iterator<Item = (usize, Moment, Moment)> {
        let ends = self.marks.iter().skip(1).copied().chain([now]);
        self.marks.iter().copied().zip(ends).enumerate().map(|(place, (begin, end))| (place, begin, end))
    }

    fn periods(&self, now: Moment) -> impl Iterator<Item = CostPeriod> {
        self.stretches(now).filter(|(_, begin, end)| begin.at < end.at).map(|(place, begin, end)| {
            let seconds = u32::try_from(end.at.secs() - begin.at.secs()).unwrap_or_default();
            let tariff = self.tariffs.iter().rev().find(|(from, _)| *from <= place);
            CostPeriod {
                start: begin.at,
                tariff: tariff.map(|(_, of)| of.id.clone()),
                energy: end.register.checked_sub(begin.register).unwrap_or_default(),
                charging_seconds: if begin.charging { seconds } else { 0 },
                idle_seconds: if begin.charging { 0 } else { seconds },
            }
        })
    }

    fn priced(&self, now: Moment, zone: &str) -> Result<Sum, PriceFault> {
        let mut sum = Sum::default();
        for (at, (from, tariff)) in self.tariffs.iter().enumerate() {
            let until = self.tariffs.get(at + 1).map_or(usize::MAX, |(next, _)| *next);
            let mine = self.stretches(now).filter(|(place, ..)| (*from..until).contains(place));
            let mine: Vec<_> = mine.map(|(_, begin, end)| (begin, end)).collect();
            let periods: Vec<_> = mine.iter().map(|(begin, end)| period(*begin, *end)).collect();
            let end = mine.last().map_or(now.at, |(_, end)| end.at);
            sum.add(price::price(tariff, zone, &periods, end)?)?;
        }
        Ok(sum)
    }
}

fn period(begin: Moment, end: Moment) -> charge::record::Period {
    charge::record::Period {
        start: begin.at,
        energy: end.register.checked_sub(begin.register),
        charging: begin.charging,
        max_power: Some(begin.power),
    }
}

/// The prices of all tariffs of a transaction.
#[derive(Debug)]
struct Sum {
    kind: CostKind,
    fixed: Option<Price>,
    energy: Option<Price>,
    charging: Option<Price>,
    idle: Option<Price>,
    total: Price,
}

impl Default for Sum {
    fn default() -> Self {
        let total = Price { before_vat: Decimal::ZERO, with_vat: None };
        Self { kind: CostKind::Normal, fixed: None, energy: None, charging: None, idle: None, total }
    }
}

impl Sum {
    fn add(&mut self, more: Priced) -> Result<(), PriceFault> {
        let nothing = self.total.before_vat.is_zero() && self.total.with_vat.is_none();
        self.total = if nothing { more.total } else { plus(self.total, more.total)? };
        for (part, more) in [
            (&mut self.fixed, more.fixed),
            (&mut self.energy, more.energy),
            (&mut self.charging, more.time),
            (&mut self.idle, more.parking),
        ] {
            *part = match (*part, more) {
                (Some(a), Some(b)) => Some(plus(a, b)?),
                (a, b) => a.or(b),
            };
        }
        if let Some(moved) = more.adjustment {
            let raised = moved.amount.before_vat > Decimal::ZERO || moved.amount.with_vat > Some(Decimal::ZERO);
            self.kind = if raised { CostKind::Min } else { CostKind::Max };
            // I12.FR.38: what is left of a minimum is one fixed amount
            if raised {
                (self.fixed, self.energy, self.charging, self.idle) = (Some(self.total), None, None, None);
            }
        }
        Ok(())
    }
}

fn plus(a: Price, b: Price) -> Result<Price, PriceFault> {
    let sum = |a: Decimal, b: Decimal| a.checked_add(b).ok_or(PriceFault::TooLarge);
    let with_vat = match (a.with_vat, b.with_vat) {
        (None, None) => None,
        (x, y) => Some(sum(x.unwrap_or(a.before_vat), y.unwrap_or(b.before_vat))?),
    };
    Ok(Price { before_vat: sum(a.before_vat, b.before_vat)?, with_vat })
}

fn told(price: Price) -> Price {
    let round = |amount: Decimal| amount.round_dp(COST_PLACES).normalize();
    Price { before_vat: round(price.before_vat), with_vat: price.with_vat.map(round) }
}

const MICROS_PER_HOUR: i128 = 3_600_000_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::{PartyId, TariffId};
    use charge::tariff::{BookingFees, Component, Element, Restrictions};

    use super::*;
    use crate::bench::START;

    fn tariff(id: &str, prices: &[(Dimension, &str)]) -> Tariff {
        let component = |(dimension, price): &(Dimension, &str)| Component {
            dimension: *dimension,
            price: price.parse().unwrap(),
            vat_percent: Some(Decimal::from(20)),
            step_size: 1,
        };
        Tariff {
            party: PartyId::new("DE", "VLT").unwrap(),
            id: TariffId::new(id).unwrap(),
            currency: "EUR".parse().unwrap(),
            text: None,
            elements: vec![Element {
                components: prices.iter().map(component).collect(),
                restrictions: Restrictions::default(),
            }],
            min_price: None,
            max_price: None,
            valid_from: None,
            valid_until: None,
            booking: BookingFees::default(),
            last_updated: START,
        }
    }

    fn moment(secs: u64, wh: i64, charging: bool) -> Moment {
        Moment {
            at: START.plus(Duration::from_secs(secs)),
            register: Energy::from_wh(1_000 + wh),
            power: Power::from_watts(if charging { 10_000 } else { 0 }),
            charging,
            charged_percent: Some(50),
        }
    }

    fn exact(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_told_is_what_the_tariff_says() {
        // proves: ocpp-2.1 I12.FR.01, I12.FR.04, I12.FR.05, I12.FR.09, I12.FR.11, I12.FR.17, I12.FR.30, I12.FR.41
        let both = [(Dimension::Energy, "0.50"), (Dimension::ParkingTime, "6"), (Dimension::Flat, "1")];
        let mut deal = Deal::new(moment(0, 0, true), Some(tariff("T1", &both)), Limits::default());
        assert_eq!(deal.untold.tariff.as_ref().map(TariffId::as_str), Some("T1"));
        deal.mark(moment(3_600, 10_000, false));
        let told = deal.details(moment(5_400, 10_000, false), "Europe/Berlin").unwrap();
        let parts = [told.fixed, told.energy, told.idle].map(|part| part.unwrap().before_vat);
        assert_eq!(parts, [exact("1"), exact("5"), exact("3")]);
        assert_eq!((told.charging, told.kind, told.failure.clone()), (None, CostKind::Normal, None));
        assert_eq!(told.total, Price { before_vat: exact("9"), with_vat: Some(exact("10.8")) });
        assert_eq!((told.charging_seconds, told.idle_seconds, told.delivered.wh()), (3_600, 1_800, 10_000));
        assert_eq!(
            told.periods.iter().map(|of| (of.charging_seconds, of.idle_seconds)).collect::<Vec<_>>(),
            [(3_600, 0), (0, 1_800)]
        );
        let lost = deal.details(moment(5_400, 10_000, false), "Middle/Earth").unwrap();
        assert!(lost.failure.is_some_and(|why| why.contains("time zone")), "I12.FR.14");
        assert_eq!(lost.delivered.wh(), 10_000);
    }

    #[test]
    fn a_tariff_that_changes_prices_what_comes_after_it() {
        // proves: ocpp-2.1 I11.FR.07, I11.FR.08
        let first = tariff("T1", &[(Dimension::Energy, "0.50"), (Dimension::Flat, "1")]);
        let mut deal = Deal::new(moment(0, 0, true), Some(first), Limits::default());
        deal.untold = Terms::default();
        deal.change(moment(600, 2_000, true), tariff("T2", &[(Dimension::Energy, "0.25"), (Dimension::Flat, "9")]));
        assert_eq!(deal.untold.tariff.as_ref().map(TariffId::as_str), Some("T2"));
        let told = deal.details(moment(1_200, 6_000, true), "UTC").unwrap();
        assert_eq!(told.total.before_vat, exact("3"), "one euro, two kilowatt-hours at 50 and four at 25");
        let used: Vec<_> = told.periods.iter().map(|of| of.tariff.as_ref().unwrap().as_str().to_owned()).collect();
        assert_eq!(used, ["T1", "T2"]);
    }

    #[test]
    fn minimum_and_maximum_are_told_as_such() {
        // proves: ocpp-2.1 I12.FR.38, I12.FR.39
        let bound = |net: &str| Some(Price { before_vat: exact(net), with_vat: None });
        let base = tariff("T1", &[(Dimension::Energy, "0.50")]);
        let told = |tariff| {
            let deal = Deal::new(moment(0, 0, true), Some(tariff), Limits::default());
            deal.details(moment(3_600, 10_000, true), "UTC").unwrap()
        };
        let raised = told(Tariff { min_price: bound("7"), ..base.clone() });
        assert_eq!((raised.kind, raised.total.before_vat, raised.energy), (CostKind::Min, exact("7"), None));
        assert_eq!(raised.fixed, Some(raised.total));
        let lowered = told(Tariff { max_price: bound("4"), ..base });
        assert_eq!((lowered.kind, lowered.total.before_vat), (CostKind::Max, exact("4")));
    }

    #[test]
    fn each_limit_is_reached_at_its_own() {
        // proves: ocpp-2.1 E16.FR.04, E16.FR.07, E16.FR.09, E16.FR.10, E16.FR.15, E16.FR.17
        let deal = || Deal::new(moment(0, 0, true), None, Limits::default());
        let often = Duration::from_secs(10);
        let mut energy = deal();
        energy.ordered(Limits { energy: Some(Energy::from_wh(5_000)), ..Limits::default() });
        assert_eq!(energy.check(moment(60, 4_999, true), "UTC"), None);
        let eta = energy.look_at(moment(60, 4_000, true), "UTC", often).unwrap();
        assert_eq!(eta.secs() - START.secs(), 60 + 360, "a kilowatt-hour at ten kilowatts");
        assert_eq!(energy.check(moment(420, 5_000, true), "UTC"), Some(Limit::Energy));
        assert_eq!(energy.untold.reached, Some(Limit::Energy));
        energy.ordered(Limits { energy: Some(Energy::from_wh(9_000)), ..Limits::default() });
        assert_eq!(energy.check(moment(420, 5_000, true), "UTC"), None, "E16.FR.14");
        energy.wished(Limits { energy: Some(Energy::from_wh(20_000)), ..Limits::default() });
        assert_eq!(energy.limits().energy, Some(Energy::from_wh(9_000)), "no further than the operator's");
        energy.wished(Limits { seconds: Some(900), ..Limits::default() });
        assert_eq!(energy.check(moment(900, 5_100, true), "UTC"), Some(Limit::Time));
        let mut charge = deal();
        charge.ordered(Limits { charged_percent: Some(50), ..Limits::default() });
        assert_eq!(charge.check(moment(1, 1, true), "UTC"), Some(Limit::Charge), "passed before it was set");
        let mut cost = deal();
        cost.ordered(Limits { cost: Some(exact("3")), ..Limits::default() });
        assert_eq!(cost.check(moment(60, 100, true), "UTC"), None, "nobody has said what it costs");
        cost.costs(exact("3.00"));
        assert_eq!(cost.check(moment(70, 110, true), "UTC"), Some(Limit::Cost));
    }

    #[test]
    fn a_price_of_the_evening_begins_a_new_stretch() {
        // proves: ocpp-2.1 I12.FR.35, I12.FR.36
        let mut by_clock = tariff("T1", &[(Dimension::Energy, "0.50")]);
        let mut cheap = by_clock.elements[0].clone();
        cheap.components[0].price = exact("0.10");
        (cheap.restrictions.start_minute, cheap.restrictions.end_minute) = (Some(8 * 60 + 30), Some(9 * 60));
        by_clock.elements.insert(0, cheap);
        // the bench begins at 08:00 in UTC
        let mut deal = Deal::new(moment(0, 0, true), Some(by_clock), Limits::default());
        let at = deal.look_at(moment(0, 0, true), "UTC", Duration::from_secs(10)).unwrap();
        assert_eq!(at.secs() - START.secs(), 1_800);
        deal.mark(moment(1_800, 5_000, true));
        let told = deal.details(moment(3_000, 8_000, true), "UTC").unwrap();
        assert_eq!((told.total.before_vat, told.periods.len()), (exact("2.8"), 2));
    }
}
