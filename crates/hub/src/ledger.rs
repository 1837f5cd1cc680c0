//! The hub's ledger: how many letters went from whom to whom, of which kind, in which hour, and how they fared.
//!
//! It counts in memory and is written in batches, so counting never delays a letter; a crash loses counts, never
//! content. It deliberately has no field that could hold a token, a place, an id or a text of a letter.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::{Errand, Fate, OrderKind, Passing};

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) from: PartyId,
    pub(crate) to: PartyId,
    pub(crate) errand: &'static str,
    pub(crate) hour: Timestamp,
}

/// The counts of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) letters: i64,
    pub(crate) bytes: i64,
    pub(crate) refused: i64,
    pub(crate) silent: i64,
    pub(crate) unreachable: i64,
}

/// What was counted since the last batch, with the last letter of each party.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) lanes: HashMap<Lane, Tally>,
    pub(crate) seen: HashMap<PartyId, Timestamp>,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Batch>);

impl Ledger {
    pub(crate) fn count(&self, lane: Lane, bytes: usize, fate: Fate) {
        let mut batch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if batch.lanes.len() >= LANES_MAX && !batch.lanes.contains_key(&lane) {
            return;
        }
        add(batch.lanes.entry(lane).or_default(), tally(bytes, fate));
    }

    pub(crate) fn seen(&self, party: PartyId, now: Timestamp) {
        let mut batch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        batch.seen.insert(party, now);
    }

    pub(crate) fn take(&self) -> Batch {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives a batch back that could not be written.
    pub(crate) fn give_back(&self, lost: Batch) {
        let mut batch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (lane, counts) in lost.lanes {
            add(batch.lanes.entry(lane).or_default(), counts);
        }
        for (party, at) in lost.seen {
            let seen = batch.seen.entry(party).or_insert(at);
            *seen = at.max(*seen);
        }
    }
}

/// The beginning of the hour.
pub(crate) const fn hour(at: Timestamp) -> Timestamp {
    Timestamp::from_secs(at.secs().div_euclid(HOUR_S) * HOUR_S)
}

/// The kind of a letter, for rows and pages.
pub const fn errand_name(errand: &Errand) -> &'static str {
    match errand {
        Errand::MayCharge { .. } => "may charge",
        Errand::Order(OrderKind::Start) => "start",
        Errand::Order(OrderKind::Stop) => "stop",
        Errand::Order(OrderKind::Unlock) => "unlock",
        Errand::Order(OrderKind::Reserve) => "reserve",
        Errand::Order(OrderKind::CancelReservation) => "cancel reservation",
        Errand::Order(OrderKind::Profile) => "profile",
        Errand::Passing(Passing::Fetch) => "fetch",
        Errand::Passing(Passing::Plan) => "plan",
        Errand::Passing(Passing::Document) => "document",
        Errand::Passing(Passing::Booking) => "booking",
        Errand::Outcome { .. } => "outcome",
        Errand::Session { .. } => "session",
        Errand::Cdr => "cdr",
        Errand::Location { evse: None, .. } => "location",
        Errand::Location { evse: Some(_), .. } => "evse",
        Errand::Tariff { .. } => "tariff",
        Errand::Token { .. } => "token",
    }
}

fn tally(bytes: usize, fate: Fate) -> Tally {
    let mut tally = Tally { letters: 1, bytes: i64::try_from(bytes).unwrap_or(i64::MAX), ..Tally::default() };
    match fate {
        Fate::Delivered => {}
        Fate::Refused => tally.refused = 1,
        Fate::Silent => tally.silent = 1,
        Fate::Unreachable => tally.unreachable = 1,
    }
    tally
}

fn add(sum: &mut Tally, more: Tally) {
    sum.letters = sum.letters.saturating_add(more.letters);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
    sum.refused = sum.refused.saturating_add(more.refused);
    sum.silent = sum.silent.saturating_add(more.silent);
    sum.unreachable = sum.unreachable.saturating_add(more.unreachable);
}

/// Time is told by the hour: fine enough for volumes, too coarse to be matched with a person's day.
pub(crate) const HOUR_S: i64 = 3_600;
/// Lanes that may wait for a batch: a hundred parties with all their errands. More are not counted.
const LANES_MAX: usize = 100_000;
