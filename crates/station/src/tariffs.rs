//! Tariffs at the station, as the operator sets them, and what a charge costs so far (OCPP 2.1 block I, 2.x I02, I03).
//!
//! It prices nothing: what a charge costs is the deal's to work out, or the operator's to say.
//!
//! Invariant: an EVSE has at most one default tariff.

use std::collections::BTreeMap;

use charge::Timestamp;
use charge::id::EvseNo;
use charge::talk::line::display::KeptTariff;
use charge::talk::line::document::ItemOutcome;
use charge::tariff::Tariff;

/// `TariffCostCtrlr.MaxElements`.
pub const ELEMENTS_MAX: usize = 10;

/// The default tariffs by EVSE.
#[derive(Clone, Debug, Default)]
pub struct Tariffs(BTreeMap<EvseNo, Tariff>);

impl Tariffs {
    /// Sets the default of some EVSEs, or answers the status word that refuses it (I07).
    pub fn set(&mut self, evses: &[EvseNo], tariff: &Tariff) -> Result<(), &'static str> {
        if evses.is_empty() {
            return Err("Rejected");
        }
        if tariff.elements.len() > ELEMENTS_MAX {
            return Err("TooManyElements");
        }
        for evse in evses {
            self.0.insert(*evse, tariff.clone());
        }
        Ok(())
    }

    /// The default of an EVSE, once it is valid (I07.FR.14, I07.FR.19).
    pub fn of(&self, evse: EvseNo, now: Timestamp) -> Option<&Tariff> {
        self.0.get(&evse).filter(|tariff| tariff.valid_from.is_none_or(|from| from <= now))
    }

    /// What is kept, each once with its EVSEs (I09).
    pub fn kept(&self, evse: Option<EvseNo>) -> Vec<KeptTariff> {
        let mut kept: Vec<KeptTariff> = Vec::new();
        for (no, tariff) in self.0.iter().filter(|(no, _)| evse.is_none_or(|evse| evse == **no)) {
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
        self.0.retain(|no, tariff| !here(no) || !wanted.iter().any(|id| **id == *tariff.id.as_str()));
        wanted.iter().map(|id| outcome(id, if known.contains(id) { "Accepted" } else { "NoTariff" })).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::{PartyId, TariffId};

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
            last_updated: START,
        }
    }

    #[test]
    fn defaults_are_kept_by_evse_and_cleared_by_name() {
        let mut tariffs = Tariffs::default();
        assert_eq!(tariffs.set(&[], &tariff("A")), Err("Rejected"));
        tariffs.set(&[one(), two()], &tariff("A")).unwrap();
        assert_eq!(tariffs.kept(None)[0].evses, [one(), two()]);
        tariffs.set(&[two()], &tariff("B")).unwrap();
        assert_eq!(tariffs.kept(Some(two()))[0].id, "B".into());
        let cleared = tariffs.clear(None, &["A".into(), "C".into()]);
        assert_eq!(cleared.iter().map(|of| &*of.word).collect::<Vec<_>>(), ["Accepted", "NoTariff"]);
        assert_eq!(tariffs.kept(None).len(), 1);
        assert_eq!(tariffs.clear(None, &[]).len(), 1);
        assert!(tariffs.kept(None).is_empty());
        assert_eq!(tariffs.clear(None, &[]).iter().map(|of| &*of.word).collect::<Vec<_>>(), ["NoTariff"]);
    }
}
