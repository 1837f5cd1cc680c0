//! Tariffs at the station, as the operator sets them, and what a charge costs so far (OCPP 2.1 block I, 2.x I02, I03).
//!
//! It prices nothing: what a charge costs is the deal's to work out, or the operator's to say.
//!
//! Invariant: at a moment at most one default tariff of an EVSE is in force.

use std::collections::BTreeMap;

use charge::Timestamp;
use charge::id::EvseNo;
use charge::talk::line::display::KeptTariff;
use charge::talk::line::document::ItemOutcome;
use charge::tariff::Tariff;

/// `TariffCostCtrlr.MaxElements`.
pub const ELEMENTS_MAX: usize = 10;

/// Default tariffs of one EVSE that wait for their day; an operator plans no further ahead.
const WAITING_MAX: usize = 10;

/// The default tariffs by EVSE, each with its begin: the one in force, then those that wait for their day.
#[derive(Clone, Debug, Default)]
pub struct Tariffs(BTreeMap<EvseNo, Vec<(Timestamp, Tariff)>>);

impl Tariffs {
    /// Sets the default of some EVSEs, or answers the status word that refuses it (I07). One that begins later waits beside
    /// the present one; one of the same begin takes the other's place; what has been followed goes. A name that is here
    /// already is refused: whoever means another tariff says so by another name.
    ///
    /// cites: ocpp-2.1 I07.FR.04, I07.FR.20, I07.FR.21, I07.FR.22, I07.FR.23
    pub fn set(&mut self, evses: &[EvseNo], tariff: &Tariff, now: Timestamp) -> Result<(), &'static str> {
        if evses.is_empty() {
            return Err("Rejected");
        }
        if tariff.elements.len() > ELEMENTS_MAX {
            return Err("TooManyElements");
        }
        self.0.values_mut().for_each(|kept| tidy(kept, now));
        if self.0.values().flatten().any(|(_, of)| of.id == tariff.id) {
            return Err("DuplicateTariffId");
        }
        let waiting = |kept: &Vec<(Timestamp, Tariff)>| kept.iter().filter(|(from, _)| *from > now).count();
        if evses.iter().filter_map(|evse| self.0.get(evse)).any(|kept| waiting(kept) >= WAITING_MAX) {
            return Err("Rejected");
        }
        // without a begin of its own it begins now
        let begins = tariff.valid_from.unwrap_or(now);
        for evse in evses {
            let kept = self.0.entry(*evse).or_default();
            kept.retain(|(from, _)| *from != begins);
            kept.push((begins, tariff.clone()));
            kept.sort_by_key(|(from, _)| *from);
            tidy(kept, now);
        }
        Ok(())
    }

    /// The default of an EVSE, once it is valid (I07.FR.14, I07.FR.19).
    pub fn of(&self, evse: EvseNo, now: Timestamp) -> Option<&Tariff> {
        self.0.get(&evse)?.iter().rev().find(|(from, _)| *from <= now).map(|(_, tariff)| tariff)
    }

    /// What is kept, each once with its EVSEs (I09).
    pub fn kept(&self, evse: Option<EvseNo>) -> Vec<KeptTariff> {
        let mut kept: Vec<KeptTariff> = Vec::new();
        let here = self.0.iter().filter(|(no, _)| evse.is_none_or(|evse| evse == **no));
        for (no, tariff) in here.flat_map(|(no, all)| all.iter().map(move |(_, tariff)| (no, tariff))) {
            match kept.iter_mut().find(|of| *of.id == *tariff.id.as_str()) {
                Some(of) => of.evses.push(*no),
                None => kept.push(KeptTariff {
                    id: tariff.id.as_str().into(),
                    of_driver: false,
                    from: tariff.valid_from,
                    evses: vec![*no],
                }),
            }
        }
        kept
    }

    /// Clears by id and place; all where neither is named (I10).
    pub fn clear(&mut self, evse: Option<EvseNo>, ids: &[Box<str>]) -> Vec<ItemOutcome> {
        let here = |no: &EvseNo| evse.is_none_or(|evse| evse == *no);
        let outcome = |of: &str, word: &str| ItemOutcome { of: of.into(), word: word.into() };
        let known: Vec<Box<str>> = self.kept(evse).into_iter().map(|of| of.id).collect();
        let wanted: Vec<Box<str>> = if ids.is_empty() { known.clone() } else { ids.to_vec() };
        if wanted.is_empty() {
            // an answer has at least one outcome; this one is of no tariff (2.1 part 2, ClearTariffsResultType)
            return vec![outcome("", "NoTariff")];
        }
        for (_, kept) in self.0.iter_mut().filter(|(no, _)| here(no)) {
            kept.retain(|(_, tariff)| !wanted.iter().any(|id| **id == *tariff.id.as_str()));
        }
        wanted.iter().map(|id| outcome(id, if known.contains(id) { "Accepted" } else { "NoTariff" })).collect()
    }
}

/// Forgets what has been followed.
fn tidy(kept: &mut Vec<(Timestamp, Tariff)>, now: Timestamp) {
    let followed = kept.iter().filter(|(from, _)| *from <= now).count().saturating_sub(1);
    kept.drain(..followed);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::{PartyId, TariffId};

    use charge::tariff::BookingFees;

    use super::*;
    use crate::bench::{START, one, two};

    fn tariff(id: &str) -> Tariff {
        Tariff {
            party: PartyId::new("DE", "VLT").unwrap(),
            id: TariffId::new(id).unwrap(),
            currency: "EUR".parse().unwrap(),
            text: None,
            elements: Vec::new(),
            min_price: None,
            max_price: None,
            valid_from: None,
            valid_until: None,
            booking: BookingFees::default(),
            last_updated: START,
        }
    }

    #[test]
    fn defaults_are_kept_by_evse_and_cleared_by_name() {
        let mut tariffs = Tariffs::default();
        assert_eq!(tariffs.set(&[], &tariff("A"), START), Err("Rejected"));
        tariffs.set(&[one(), two()], &tariff("A"), START).unwrap();
        // proves: ocpp-2.1 I07.FR.04
        assert_eq!(tariffs.set(&[one()], &tariff("A"), START), Err("DuplicateTariffId"));
        assert_eq!(tariffs.kept(None)[0].evses, [one(), two()]);
        tariffs.set(&[two()], &tariff("B"), START).unwrap();
        assert_eq!(tariffs.kept(Some(two()))[0].id, "B".into());
        let cleared = tariffs.clear(None, &["A".into(), "C".into()]);
        assert_eq!(cleared.iter().map(|of| &*of.word).collect::<Vec<_>>(), ["Accepted", "NoTariff"]);
        assert_eq!(tariffs.kept(None).len(), 1);
        assert_eq!(tariffs.clear(None, &[]).len(), 1);
        assert!(tariffs.kept(None).is_empty());
        assert_eq!(tariffs.clear(None, &[]).iter().map(|of| &*of.word).collect::<Vec<_>>(), ["NoTariff"]);
    }

    #[test]
    fn a_tariff_of_tomorrow_waits_beside_the_one_of_today() {
        // proves: ocpp-2.1 I07.FR.20, I07.FR.21, I07.FR.22, I07.FR.23
        let later = |seconds| START.plus(std::time::Duration::from_secs(seconds));
        let from = |id, seconds| Tariff { valid_from: Some(later(seconds)), ..tariff(id) };
        let mut tariffs = Tariffs::default();
        tariffs.set(&[one()], &tariff("A"), START).unwrap();
        tariffs.set(&[one()], &from("C", 200), START).unwrap();
        tariffs.set(&[one()], &from("B", 100), START).unwrap();
        let force = |tariffs: &Tariffs, seconds| tariffs.of(one(), later(seconds)).unwrap().id.to_string();
        assert_eq!([0, 99, 100, 199, 200].map(|at| force(&tariffs, at)), ["A", "A", "B", "B", "C"]);
        tariffs.set(&[one()], &from("D", 100), START).unwrap();
        assert_eq!(force(&tariffs, 150), "D", "of the same begin, the last one said");
        assert_eq!(tariffs.set(&[one()], &from("C", 300), START), Err("DuplicateTariffId"));
        assert_eq!(force(&tariffs, 250), "C", "what was refused changes nothing");
        tariffs.set(&[one()], &from("E", 400), later(150)).unwrap();
        let kept: Vec<_> = tariffs.kept(None).into_iter().map(|of| of.id.to_string()).collect();
        assert_eq!(kept, ["D", "C", "E"], "what has been followed is gone");
        tariffs.set(&[one()], &tariff("F"), later(150)).unwrap();
        assert_eq!(force(&tariffs, 150), "F", "one without a begin begins now");
    }
}
