//! Orders about those who come: reservations, the list of tokens, what is shown, what it costs, who was here; and the
//! small orders of 2.1 that a virtual station can only note.

use std::time::Duration;

use charge::id::EvseNo;
use charge::talk::line::display::{Customer, CustomerNews, CustomerOrder, DisplayNews, DisplayOrder, TariffOrder};
use charge::talk::line::document::Part;
use charge::talk::line::grid::{Battery, GridNews, GridOrder, SwapNews, SwapOrder};
use charge::talk::line::payment::{PaymentOrder, Vendor, VendorAnswer};
use charge::talk::line::reservation::{ListOrder, ReservationEnd, ReservationOrder};
use charge::talk::line::{BayState, FromStation, StationAnswer, Version};
use charge::{Decimal, Personal};

use super::orders::refused;
use super::{Output, Station};
use crate::evse::Evse;
use crate::reservations::Reservation;
use crate::settings::Key;

/// `CustomerInformation` in one part: 512 characters (2.x `NotifyCustomerInformation.data`).
const CUSTOMER_PART: usize = 512;
/// What whoever scanned the code of an EVSE sees.
const PAYING: &str = "Payment under way";
/// Messages in one report.
const MESSAGES_PER_REPORT: usize = 5;

impl Station {
    /// What an EVSE shows: its phase, that it is kept for somebody, or that it is kept free for an installation.
    pub(super) fn shown(&self, evse: &Evse) -> BayState {
        let shown = evse.phase.shown();
        if shown == BayState::Available && self.keeps_free() {
            BayState::Unavailable
        } else if shown == BayState::Available && self.blocks.book.of_evse(evse.no).is_some() {
            BayState::Reserved
        } else {
            shown
        }
    }

    pub(super) fn reservation(&mut self, order: ReservationOrder) -> StationAnswer {
        match order {
            ReservationOrder::Reserve { id, evse, token, group, until, connector: _ } => {
                if until <= self.now {
                    return refused("Rejected");
                }
                if let Some(word) = self.cannot_reserve(id, evse) {
                    return refused(word);
                }
                let of = Reservation { id, evse, token, group, until };
                if self.blocks.book.reserve(of) { StationAnswer::Accepted } else { refused("Occupied") }
            }
            ReservationOrder::Cancel { id } => match self.blocks.book.cancel(id) {
                Some(_) => {
                    self.reservation_ended(id, ReservationEnd::Removed);
                    StationAnswer::Accepted
                }
                None => refused("Rejected"), // H02.FR.01
            },
        }
    }

    /// An EVSE that breaks or is switched off is kept for nobody any more (H01.FR.16, H01.FR.17).
    pub(super) fn unreserve(&mut self, no: EvseNo) {
        let id = self.blocks.book.of_evse(no).map(|of| of.id);
        if let Some(of) = id.filter(|_| self.version.is_2()).and_then(|id| self.blocks.book.cancel(id)) {
            self.reservation_ended(of.id, ReservationEnd::Removed);
        }
    }

    /// The status word of what stands in the way (1.6, 5.13; H01.FR.11, H01.FR.14), or none (H01.FR.04).
    fn cannot_reserve(&self, id: i32, evse: Option<EvseNo>) -> Option<&'static str> {
        let state = |evse: &Evse| {
            let own = self.blocks.book.of_evse(evse.no).is_some_and(|of| of.id == id);
            match self.shown(evse) {
                BayState::Available => None,
                BayState::Reserved if own => None,
                BayState::Faulted => Some("Faulted"),
                BayState::Unavailable => Some("Unavailable"),
                BayState::Reserved
                | BayState::Preparing
                | BayState::Charging
                | BayState::SuspendedByCar
                | BayState::SuspendedByStation
                | BayState::Finishing
                | BayState::Occupied => Some("Occupied"),
            }
        };
        match evse {
            Some(no) => match self.place(no).and_then(|place| self.evses.get(place)) {
                Some(evse) => state(evse),
                None => Some("Rejected"),
            },
            None if !self.settings.flag(Key::ReserveAnywhere) => Some("Rejected"), // H01.FR.19
            None => {
                let free = self.evses.iter().filter(|evse| state(evse).is_none()).count();
                let first = self.evses.first().and_then(state);
                (free <= self.blocks.book.anywhere()).then(|| first.unwrap_or("Occupied"))
            }
        }
    }

    /// Whether somebody else's reservation keeps this EVSE from this token (H03, H04).
    pub(super) fn kept_from(&self, no: EvseNo, token: &charge::token::PresentedToken) -> bool {
        let group = self.blocks.list.entry(token).and_then(|entry| entry.group.as_ref());
        if self.blocks.book.usable(no, token, group).is_some() {
            return false;
        }
        let free = self.evses.iter().filter(|evse| self.shown(evse) == BayState::Available).count();
        self.blocks.book.of_evse(no).is_some()
            || (self.blocks.book.anywhere() > 0 && free <= self.blocks.book.anywhere())
    }

    /// Uses up the reservation of whoever begins to charge (H03.FR.09).
    pub(super) fn redeem(&mut self, no: EvseNo, token: &charge::token::PresentedToken) -> Option<i32> {
        let group = self.blocks.list.entry(token).and_then(|entry| entry.group.as_ref());
        let id = self.blocks.book.usable(no, token, group)?.id;
        self.blocks.book.cancel(id).map(|of| of.id)
    }

    pub(super) fn list(&mut self, order: ListOrder) -> StationAnswer {
        let enabled = self.settings.flag(Key::LocalListEnabled);
        match order {
            // 1.6, 5.10: -1 is a station without lists; 2.x answers 0 (D02.FR.02)
            ListOrder::Version => match (enabled, self.version.is_2()) {
                (false, false) => StationAnswer::Number(-1),
                (false, true) => StationAnswer::Number(0),
                // 1.6, 5.10: 0 is an empty list
                (true, false) if self.blocks.list.is_empty() => StationAnswer::Number(0),
                (true, _) => StationAnswer::Number(self.blocks.list.version()),
            },
            ListOrder::Send { .. } if !enabled => refused(if self.version.is_2() { "Failed" } else { "NotSupported" }),
            ListOrder::Send { version, full, entries } => {
                self.blocks.list.update(version, full, entries).map_or_else(refused, |()| StationAnswer::Accepted)
            }
        }
    }

    pub(super) fn display(&mut self, order: DisplayOrder) -> StationAnswer {
        let running = self.running_keys();
        self.blocks.board.tidy(self.now, &running);
        match order {
            DisplayOrder::Set(message) => self
                .blocks
                .board
                .set(self.version, &running, *message)
                .map_or_else(refused, |()| StationAnswer::Accepted),
            DisplayOrder::Read { request, ids, priority, state } => {
                let found = self.blocks.board.meant(&ids, priority.as_deref(), state.as_deref());
                if found.is_empty() {
                    return refused("Unknown");
                }
                self.in_parts(request, &found, MESSAGES_PER_REPORT, |part, messages| {
                    FromStation::Display(DisplayNews { part, messages })
                });
                StationAnswer::Accepted
            }
            DisplayOrder::Clear { id } => {
                if self.blocks.board.clear(id) {
                    StationAnswer::Accepted
                } else {
                    refused("Unknown")
                }
            }
        }
    }

    /// What an EVSE shows of the operator's messages (`MessageStateEnumType`: 2.1 has two words more).
    pub(super) fn messages(&self, evse: &Evse) -> Vec<i32> {
        let v21 = self.version == Version::V21;
        let state = match self.shown(evse) {
            BayState::SuspendedByCar | BayState::SuspendedByStation if v21 => "Suspended",
            BayState::Charging | BayState::SuspendedByCar | BayState::SuspendedByStation => "Charging",
            BayState::Faulted => "Faulted",
            BayState::Unavailable => "Unavailable",
            BayState::Available
            | BayState::Preparing
            | BayState::Finishing
            | BayState::Reserved
            | BayState::Occupied => "Idle",
        };
        self.blocks.board.shown(self.now, state, self.running_key(evse.no).as_ref())
    }

    /// What is kept of a customer is their token, in the cache and on the list: told (N09.FR.02), forgotten (N10.FR.01,
    /// N10.FR.03, N10.FR.06), and where there is nothing, that (N09.FR.06, N10.FR.04).
    pub(super) fn customer(&mut self, order: &CustomerOrder) -> StationAnswer {
        if !order.report && !order.clear {
            return refused("Rejected");
        }
        let token = match &order.customer {
            Customer::Token(token) => Some(token),
            // no certificate of a driver and no further identifier is kept here
            Customer::Certificate(_) | Customer::Identifier(_) => None,
        };
        let cached = token.is_some_and(|token| self.cache.knows(token));
        let listed = token.is_some_and(|token| self.blocks.list.entry(token).is_some());
        let mut told = String::new();
        if order.report {
            told.push_str(if cached { "In the authorisation cache. " } else { "" });
            told.push_str(if listed { "On the local list." } else { "" });
        }
        if let Some(token) = token.filter(|_| order.clear) {
            self.cache.forget(token);
            told.push_str(if order.report { "" } else { "Forgotten." });
        }
        // something is told in any case (N09.FR.05)
        told.truncate(CUSTOMER_PART);
        self.news(FromStation::Customer(CustomerNews {
            part: Part { request: order.request, seq: 0, more: false },
            at: self.now.whole_millis(),
            data: Personal::new(told.into()),
        }));
        StationAnswer::Accepted
    }

    pub(super) fn tariff(&mut self, order: TariffOrder, out: &mut Vec<Output>) -> StationAnswer {
        let places = |evse: Option<EvseNo>, all: &[Evse]| -> Vec<EvseNo> {
            all.iter().map(|of| of.no).filter(|no| evse.is_none_or(|evse| evse == *no)).collect()
        };
        match order {
            TariffOrder::Cost { key, total } => {
                // an unknown transaction is no error: the answer has no word for one (I02)
                if let Some(no) = self.queue.named(&key).map(|of| of.no) {
                    self.advised(no, Some(total), None, out);
                }
                StationAnswer::Accepted
            }
            TariffOrder::Californian { message: _, data: _ } => StationAnswer::Accepted,
            TariffOrder::SetDefault { evse, tariff } => {
                let evses = places(evse, &self.evses);
                // also one that only runs on with a transaction is still here (I07.FR.04, I07.FR.24)
                if self.blocks.deals.values().any(|deal| deal.tariff().is_some_and(|of| of.id == tariff.id)) {
                    return refused("DuplicateTariffId");
                }
                self.blocks.tariffs.set(&evses, &tariff, self.now).map_or_else(refused, |()| StationAnswer::Accepted)
            }
            TariffOrder::Read { evse } => {
                let kept = self.blocks.tariffs.kept(evse);
                if kept.is_empty() { refused("NoTariff") } else { StationAnswer::Tariffs(kept) }
            }
            TariffOrder::Clear { evse, ids } => StationAnswer::Items(self.blocks.tariffs.clear(evse, &ids)),
            TariffOrder::Change { key, tariff } => self.change_tariff(&key, *tariff, out),
        }
    }

    pub(super) fn grid(&mut self, order: GridOrder) -> StationAnswer {
        let controls = &mut self.blocks.controls;
        match order {
            GridOrder::Set { id, kind, default, control } => match controls.set(id, kind, default, control) {
                Ok(superseded) => {
                    let item = |of| charge::talk::line::document::ItemOutcome { of, word: "Superseded".into() };
                    StationAnswer::Items(superseded.into_iter().map(item).collect())
                }
                Err(word) => refused(word),
            },
            GridOrder::Read { request, id, kind, default } => {
                let Some(controls) = controls.report(id.as_deref(), kind.as_deref(), default) else {
                    return refused("NotFound");
                };
                self.news(FromStation::Grid(GridNews::Report { request, more: false, controls }));
                StationAnswer::Accepted
            }
            GridOrder::Clear { id, kind, default } => {
                let cleared = controls.clear(id.as_deref(), kind.as_deref(), default);
                if cleared > 0 { StationAnswer::Accepted } else { refused("NotFound") }
            }
            GridOrder::Afrr { at, signal: _ } => {
                if at <= self.now {
                    StationAnswer::Accepted
                } else {
                    refused("Rejected")
                }
            }
        }
    }

    /// S02: the driver puts an empty battery in and takes a full one.
    pub(super) fn swap(&mut self, order: &SwapOrder) -> StationAnswer {
        let battery = |serial: String, charge: i64| Battery {
            evse: self.evses.first().map(|evse| evse.no),
            serial: serial.into(),
            charge: Decimal::from(charge),
            health: Decimal::from(97),
        };
        let event = |event: &str, of: Battery| {
            FromStation::Swap(SwapNews {
                request: order.request,
                event: event.into(),
                token: order.token.clone(),
                batteries: vec![of],
            })
        };
        let words = [
            event("BatteryIn", battery(format!("B-{}", self.dice.letters(8)), 12)),
            event("BatteryOut", battery(format!("B-{}", self.dice.letters(8)), 98)),
        ];
        for words in words {
            self.news(words);
        }
        StationAnswer::Accepted
    }

    /// Somebody pays on their telephone for this EVSE: who stands before it hears of it and waits, until the operator's
    /// start comes or the time is up. The answer has no word for a refusal (C25.FR.27).
    ///
    /// cites: ocpp-2.1 C25.FR.22, C25.FR.27
    pub(super) fn payment(&mut self, order: &PaymentOrder) -> StationAnswer {
        let PaymentOrder::WebStarted { evse, seconds } = order;
        let until = self.now.plus(Duration::from_secs(u64::from(*seconds)));
        if let Some(evse) = self.place(*evse).and_then(|place| self.evses.get_mut(place)) {
            // no time at all: whoever wanted to pay has gone away
            let pays = *seconds > 0;
            (evse.paid_until, evse.words) = (pays.then_some(until), pays.then(|| PAYING.into()));
        }
        StationAnswer::Accepted
    }

    /// No vendor's language is spoken here (1.6, 4.3; P01.FR.05, P01.FR.06, P02.FR.06).
    pub(super) fn vendor(_said: &Vendor) -> StationAnswer {
        StationAnswer::Vendor(VendorAnswer { status: "UnknownVendorId".into(), data: None })
    }
}
