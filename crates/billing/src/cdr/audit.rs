//! The receiver's check of a CDR: verify again, price again, compare everything, and name every difference by its place.
//!
//! It judges nobody: a difference becomes a dispute where people look at it. Small numbers that only differ in how far
//! they were written out are no difference; each tolerance is named.

use charge::Decimal;
use charge::meter::SignedRecord;
use charge::money::Price;
use charge::record::Cdr;
use charge::tariff::Tariff;
use charge::units::Energy;

use super::close::{hours, parked, total_energy};
use super::credit::negative;
use crate::price::{Priced, price};
use crate::record::{KeySource, PublicKey, Verdict, verify};

/// Numbers in OCPI have four decimals unless said otherwise (OCPI 2.2.1, 16.5): one unit of the fourth is how far money
/// and hours may lie apart.
const NUMBER_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// Four decimals of a kilowatt-hour, once for every period that was written so.
const ENERGY_TOLERANCE_MWH: u64 = 100;

/// A place where their CDR and our calculation disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// JSON path in OCPI spelling: `/total_cost/excl_vat`.
    pub path: String,
    pub theirs: String,
    pub ours: String,
}

/// What a receiver found out about a CDR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Empty if everything agrees.
    pub differences: Vec<Difference>,
    pub evidence: Verdict,
    /// Our own price, positive for a credit as well; `None` where the CDR cannot be priced (which is then a
    /// difference).
    pub priced: Option<Priced>,
}

/// Verifies the signed records of a CDR again and prices it again, with the tariff that was agreed at the start if we
/// know it, else with the one in the CDR.
pub fn audit(cdr: &Cdr, time_zone: &str, agreed: Option<&Tariff>, key: Option<(&PublicKey, KeySource)>) -> Audit {
    let records: Vec<SignedRecord> = cdr.signed.iter().map(|value| value.record.clone()).collect();
    let evidence = verify(&records, key);
    let mut found = Found::default();
    if let Some(agreed) = agreed {
        tariff(cdr, agreed, &mut found);
    }
    energy(cdr, &evidence, &mut found);
    let in_order = order(cdr, &mut found);
    if in_order {
        times(cdr, &mut found);
    }
    let priced = match price(agreed.unwrap_or(&cdr.tariff), time_zone, &cdr.periods, cdr.end) {
        Ok(priced) => {
            costs(cdr, &priced, &mut found);
            Some(priced)
        }
        Err(fault) => {
            found.add("/charging_periods", "as sent", fault);
            None
        }
    };
    Audit { differences: found.0, evidence, priced }
}

#[derive(Default)]
pub(super) struct Found(Vec<Difference>);

impl Found {
    pub(super) fn add(&mut self, path: &str, theirs: impl ToString, ours: impl ToString) {
        self.0.push(Difference { path: path.to_owned(), theirs: theirs.to_string(), ours: ours.to_string() });
    }

    pub(super) fn into_all(self) -> Vec<Difference> {
        self.0
    }

    fn number(&mut self, path: &str, theirs: Decimal, ours: Decimal) {
        if theirs.checked_sub(ours).is_none_or(|apart| apart.abs() > NUMBER_TOLERANCE) {
            self.add(path, theirs.normalize(), ours.normalize());
        }
    }

    fn price(&mut self, path: &str, theirs: Price, ours: Price) {
        self.number(&format!("{path}/excl_vat"), theirs.before_vat, ours.before_vat);
        if let (Some(theirs), Some(ours)) = (theirs.with_vat, ours.with_vat) {
            self.number(&format!("{path}/incl_vat"), theirs, ours);
        }
    }

    fn energy(&mut self, path: &str, theirs: Energy, ours: Energy, numbers: usize) {
        let tolerance = ENERGY_TOLERANCE_MWH.saturating_mul(u64::try_from(numbers).unwrap_or(u64::MAX));
        if theirs.mwh().abs_diff(ours.mwh()) > tolerance {
            self.add(path, theirs, ours);
        }
    }
}

/// Whatever decides a price must be as agreed; texts and dates of the tariff may differ.
pub(super) fn tariff(cdr: &Cdr, agreed: &Tariff, found: &mut Found) {
    let theirs = &cdr.tariff;
    if (theirs.party, &theirs.id) != (agreed.party, &agreed.id) {
        found.add(
            "/tariffs/0/id",
            format!("{}/{}", theirs.party, theirs.id),
            format!("{}/{}", agreed.party, agreed.id),
        );
    }
    if theirs.currency != agreed.currency {
        found.add("/tariffs/0/currency", theirs.currency, agreed.currency);
    }
    let version = |tariff: &Tariff| format!("version of {}", tariff.last_updated);
    if theirs.elements != agreed.elements {
        found.add("/tariffs/0/elements", version(theirs), version(agreed));
    }
    for (path, theirs, ours) in [
        ("/tariffs/0/min_price", theirs.min_price, agreed.min_price),
        ("/tariffs/0/max_price", theirs.max_price, agreed.max_price),
    ] {
        if theirs != ours {
            let shown = |price: Option<Price>| price.map_or("none".to_owned(), |price| price.before_vat.to_string());
            found.add(path, shown(theirs), shown(ours));
        }
    }
    if cdr.currency != agreed.currency {
        found.add("/currency", cdr.currency, agreed.currency);
    }
}

fn energy(cdr: &Cdr, evidence: &Verdict, found: &mut Found) {
    match total_energy(&cdr.periods) {
        Some(sum) => found.energy("/total_energy", cdr.energy, sum, cdr.periods.len().max(1)),
        None => found.add("/charging_periods", "energy", "too large"),
    }
    if let Some(verified) = evidence.verified() {
        found.energy("/signed_data", cdr.energy, verified.energy(), 1);
        let named = cdr.meter.as_deref().zip(verified.meter_serial());
        if let Some((theirs, signed)) = named.filter(|(theirs, signed)| theirs != signed) {
            found.add("/meter_id", theirs, signed);
        }
    }
    if cdr.energy < Energy::ZERO {
        found.add("/total_energy", cdr.energy, Energy::ZERO);
    }
}

pub(super) fn order(cdr: &Cdr, found: &mut Found) -> bool {
    let before = found.0.len();
    if cdr.end < cdr.start {
        found.add("/end_date_time", cdr.end, format!("not before {}", cdr.start));
    }
    if cdr.periods.is_empty() {
        found.add("/charging_periods", "none", "at least one");
    }
    let mut earliest = cdr.start;
    for (index, period) in cdr.periods.iter().enumerate() {
        let path = format!("/charging_periods/{index}/start_date_time");
        if period.start < earliest {
            found.add(&path, period.start, format!("not before {earliest}"));
        } else if period.start > cdr.end {
            found.add(&path, period.start, format!("not after {}", cdr.end));
        }
        earliest = period.start;
    }
    found.0.len() == before
}

fn times(cdr: &Cdr, found: &mut Found) {
    if let Some(ours) = hours(cdr.end.secs() - cdr.start.secs()) {
        found.number("/total_time", cdr.total_time_h, ours);
    }
    if let Some(ours) = hours(parked(&cdr.periods, cdr.end)) {
        found.number("/total_parking_time", cdr.parking_time_h, ours);
    }
}

pub(super) fn costs(cdr: &Cdr, priced: &Priced, found: &mut Found) {
    let signed = |price: Price| if cdr.credit { negative(price) } else { price };
    found.price("/total_cost", cdr.total_cost, signed(priced.total));
    let parts = [
        ("/total_energy_cost", cdr.energy_cost, priced.energy),
        ("/total_time_cost", cdr.time_cost, priced.time),
        ("/total_parking_cost", cdr.parking_cost, priced.parking),
        ("/total_fixed_cost", cdr.fixed_cost, priced.fixed),
    ];
    for (path, theirs, ours) in parts {
        // a part that is not sent is no claim; one that is sent must be ours
        if let Some(theirs) = theirs {
            found.price(path, theirs, signed(ours.unwrap_or_default()));
        }
    }
}
