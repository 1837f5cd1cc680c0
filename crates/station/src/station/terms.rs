//! The terms of the transactions that run, in the station: which tariff each has, which limits, when one is reached, and
//! what the next message says of it (2.1 E16, I07 to I12).
//!
//! What the terms come to is decided in `deal`; here they meet the meter, the line and the phases. Nothing of it is
//! said on a connection of another version than 2.1, and limits and tariffs come from no other.

use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::terms::{Advice, Limits, Offer, Terms};
use charge::talk::line::{Stage, StationAnswer, Version};
use charge::tariff::Tariff;
use charge::token::Allowed;
use charge::{Decimal, Timestamp};

use super::orders::refused;
use super::{Output, Station};
use crate::bay::Phase;
use crate::deal::{Deal, Moment};
use crate::settings::Key;
use crate::tariffs::ELEMENTS_MAX;
use crate::transactions::TransactionNo;

impl Station {
    /// A transaction begins: with the driver's own tariff, else with the EVSE's (I07.FR.14, I08.FR.04).
    pub(super) fn deal_opens(&mut self, place: usize, no: TransactionNo, own: Option<Tariff>) {
        let (Some(now), Some(evse)) = (self.moment(place, self.now), self.evses.get(place)) else { return };
        let wishes = evse.wishes;
        let tariff = own.or_else(|| self.blocks.tariffs.of(evse.no, self.now).cloned());
        let tariff = tariff.filter(|_| self.version == Version::V21);
        self.blocks.deals.insert(no, Deal::new(now, tariff, wishes));
    }

    /// What meter and car say now.
    fn moment(&self, place: usize, at: Timestamp) -> Option<Moment> {
        let evse = self.evses.get(place)?;
        Some(Moment {
            at,
            register: evse.meter.register(),
            power: evse.power(),
            charging: evse.phase == Phase::Charging,
            charged_percent: evse.charged_percent(),
        })
    }

    fn zone(&self) -> &str {
        self.settings.text(Key::TimeZone)
    }

    /// The car began or ceased to charge.
    pub(super) fn deal_turns(&mut self, place: usize) {
        let (Some(now), Some(running)) = (self.moment(place, self.now), self.running_no(place)) else { return };
        if let Some(deal) = self.blocks.deals.get_mut(&running) {
            deal.mark(now);
        }
    }

    fn running_no(&self, place: usize) -> Option<TransactionNo> {
        self.evses.get(place)?.running.map(|running| running.no)
    }

    /// Looks at the terms of what runs here: a limit that is reached suspends the transfer of energy (E16.FR.05), one that
    /// was raised lets it go on (E16.FR.14).
    pub(super) fn look_at_deal(&mut self, place: usize, out: &mut Vec<Output>) {
        let zone = self.zone().to_owned();
        let (Some(now), Some(no)) = (self.moment(place, self.now), self.running_no(place)) else { return };
        let often = self.settings.seconds(Key::TariffInterval);
        let Some(deal) = self.blocks.deals.get_mut(&no) else { return };
        if deal.tariff().is_some() && deal.next_change(self.now.minus(TICK), &zone) == Some(self.now) {
            deal.mark(now);
        }
        let halted = deal.check(now, &zone).is_some();
        let look_at = deal.look_at(now, &zone, often);
        if let Some(evse) = self.evses.get_mut(place) {
            evse.halted = halted;
            if let Some(running) = evse.running.as_mut() {
                running.look_at = look_at;
            }
        }
        self.settle(place, out);
    }

    /// When to look again after the power has changed.
    pub(super) fn deal_paced(&mut self, place: usize) {
        let (Some(now), Some(no)) = (self.moment(place, self.now), self.running_no(place)) else { return };
        let often = self.settings.seconds(Key::TariffInterval);
        let Some(deal) = self.blocks.deals.get(&no) else { return };
        if deal.limits().is_empty() && deal.tariff().is_none() {
            return;
        }
        let look_at = deal.look_at(now, self.zone(), often);
        if let Some(running) = self.running(place) {
            running.look_at = look_at;
        }
    }

    /// What the message of this stage says of the terms; it is said once.
    pub(super) fn terms_of(&mut self, no: TransactionNo, stage: Stage) -> Option<Terms> {
        if self.version != Version::V21 {
            return None;
        }
        let place = self.queue.transaction(no).and_then(|of| self.place(of.evse))?;
        let now = self.moment(place, self.now)?;
        let zone = self.zone().to_owned();
        // I12.FR.01, I12.FR.02, I12.FR.42
        let tells = match stage {
            Stage::Started | Stage::Updated => self.settings.flag(Key::RunningCost),
            Stage::Ended => true,
        };
        let deal = self.blocks.deals.get_mut(&no)?;
        let mut terms = std::mem::take(&mut deal.untold);
        terms.cost = tells.then(|| deal.details(now, &zone)).flatten().map(Box::new);
        (!terms.is_empty()).then_some(terms)
    }

    /// What the operator said about a transaction: a cost, limits, words.
    pub(super) fn advised(
        &mut self,
        no: TransactionNo,
        cost: Option<Decimal>,
        advice: Option<Box<Advice>>,
        out: &mut Vec<Output>,
    ) {
        if let Some(cost) = cost {
            self.blocks.costs.insert(no, cost);
        }
        let place = (0..self.evses.len()).find(|place| self.running_no(*place) == Some(no));
        let Some(place) = place else { return };
        let Advice { limits, words, mut updated } = advice.map(|advice| *advice).unwrap_or_default();
        let first = (!updated.is_empty()).then(|| updated.swap_remove(0));
        // I01.FR.03, I06.FR.03
        if let (Some(words), Some(evse)) = (first.or(words), self.evses.get_mut(place)) {
            evse.words = Some(words.text);
        }
        if let (Some(cost), Some(deal)) = (cost, self.blocks.deals.get_mut(&no)) {
            deal.costs(cost);
        }
        if let Some(limits) = limits.filter(|_| self.version == Version::V21) {
            if let Some(deal) = self.blocks.deals.get_mut(&no) {
                deal.ordered(limits);
            }
            self.progress(place, None, out); // E16.FR.03
        }
        self.look_at_deal(place, out);
    }

    /// The driver chooses how much, before or during the charge (E16.FR.01).
    pub(super) fn wished(&mut self, place: usize, limits: Limits, out: &mut Vec<Output>) {
        let running = self.running_no(place);
        match running.and_then(|no| self.blocks.deals.get_mut(&no)) {
            Some(deal) => {
                deal.wished(limits);
                self.progress(place, None, out);
                self.look_at_deal(place, out);
            }
            None => {
                if let Some(evse) = self.evses.get_mut(place) {
                    evse.wishes = limits;
                }
            }
        }
    }

    /// What came with the answer to a tap is for whoever tapped, and shown to them (I01.FR.03, I08.FR.04).
    pub(super) fn offered(&mut self, no: EvseNo, token: &charge::token::PresentedToken, offer: Offer) {
        let Some(evse) = self.place(no).and_then(|place| self.evses.get_mut(place)) else { return };
        let Some(permit) = evse.permit.as_mut().filter(|permit| permit.token.uid == token.uid) else { return };
        permit.tariff = offer.tariff.filter(|tariff| tariff.elements.len() <= ELEMENTS_MAX);
        evse.words = offer.words.map(|words| words.text).or(evse.words.take());
    }

    /// Whoever was let in and told nothing of a price reads the operator's words for that (2.x I04).
    pub(super) fn welcomed(&mut self, no: EvseNo, allowed: Allowed) {
        if let Some(place) = self.place(no).filter(|_| allowed == Allowed::Yes) {
            self.tariff_unknown(place, false);
        }
    }

    /// The same for whoever was let in without asking: while the operator is away there are words of their own, where it
    /// has set any (2.x I04; 2.1 `OfflineTariffFallbackMessage`).
    pub(super) fn tariff_unknown(&mut self, place: usize, offline: bool) {
        let words = self.fallback(if offline { Key::OfflineTariffFallback } else { Key::TariffFallback });
        let words = words.or_else(|| self.fallback(Key::TariffFallback));
        if let (Some(words), Some(evse)) = (words, self.evses.get_mut(place)) {
            evse.words = Some(words);
        }
    }

    /// A charge has ended and nobody has said what it cost: the operator's words for that (2.x I05). A station that has
    /// priced it by itself needs none.
    pub(super) fn cost_unknown(&mut self, no: TransactionNo) {
        let own = self.blocks.deals.get(&no).is_some_and(|deal| deal.tariff().is_some());
        let words = self.fallback(Key::TotalCostFallback).filter(|_| !own);
        let place = self.queue.transaction(no).and_then(|of| self.place(of.evse));
        let evse = place.and_then(|place| self.evses.get_mut(place)).filter(|evse| evse.running.is_none());
        if let (Some(words), Some(evse)) = (words, evse) {
            evse.farewell = Some(words);
        }
    }

    fn fallback(&self, key: Key) -> Option<Box<str>> {
        let words = self.settings.text(key);
        (self.version.is_2() && !words.is_empty()).then(|| words.into())
    }

    /// cites: ocpp-2.1 I11.FR.02, I11.FR.04, I11.FR.05, I11.FR.06, I11.FR.07
    pub(super) fn change_tariff(
        &mut self,
        key: &TransactionKey,
        tariff: Tariff,
        out: &mut Vec<Output>,
    ) -> StationAnswer {
        let Some(no) = self.queue.named(key).map(|of| of.no) else { return refused("TxNotFound") };
        if tariff.elements.len() > ELEMENTS_MAX {
            return refused("TooManyElements");
        }
        let place = (0..self.evses.len()).find(|place| self.running_no(*place) == Some(no));
        let now = place.and_then(|place| self.moment(place, self.now));
        let (Some(place), Some(now)) = (place, now) else { return refused("TxNotFound") };
        let Some(deal) = self.blocks.deals.get_mut(&no) else { return refused("Rejected") };
        if deal.tariff().is_some_and(|known| known.currency != tariff.currency) {
            return refused("NoCurrencyChange");
        }
        deal.change(now, tariff);
        self.progress(place, None, out);
        self.look_at_deal(place, out);
        StationAnswer::Accepted
    }

    /// What the transaction costs by now: by its own tariff, or as the operator said (E16.FR.16, I02.FR.03).
    pub(super) fn cost_of(&self, no: TransactionNo) -> Option<Decimal> {
        let place = (0..self.evses.len()).find(|place| self.running_no(*place) == Some(no));
        let own = place.and_then(|place| self.moment(place, self.now)).and_then(|now| {
            let deal = self.blocks.deals.get(&no).filter(|deal| deal.tariff().is_some())?;
            deal.cost_so_far(now, self.zone())
        });
        own.or_else(|| self.blocks.costs.get(&no).copied())
    }
}

/// The least that lies between two moments.
const TICK: std::time::Duration = std::time::Duration::from_micros(1);
