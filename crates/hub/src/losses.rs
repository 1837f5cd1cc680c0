//! What is lost at the borders between protocols: who told whom, and what the receiver has no word for.
//!
//! Like the ledger it counts in memory and is written in batches. Invariants: it holds places and reasons and no value
//! of a letter, and it stays small whatever partners send.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::LossRow;

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Loss {
    pub(crate) from: PartyId,
    pub(crate) to: PartyId,
    pub(crate) errand: &'static str,
    pub(crate) what: Box<str>,
}

impl Loss {
    fn row(&self, count: i64, last: Timestamp) -> LossRow {
        let (errand, what) = (self.errand.to_owned(), self.what.to_string());
        LossRow { from: self.from, to: self.to, errand, what, count, last }
    }
}

/// How often, and when last.
pub(crate) type Losses = HashMap<Loss, (i64, Timestamp)>;

#[derive(Debug, Default)]
pub(crate) struct LossBook(Mutex<Losses>);

impl LossBook {
    pub(crate) fn note(&self, (from, to): (PartyId, PartyId), errand: &'static str, what: &[Box<str>], now: Timestamp) {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for what in what {
            let loss = Loss { from, to, errand, what: general(what) };
            if losses.len() < WAITING_MAX || losses.contains_key(&loss) {
                let (count, last) = losses.entry(loss).or_insert((0, now));
                (*count, *last) = (count.saturating_add(1), now.max(*last));
            }
        }
    }

    /// The lines with what was counted since they were written, for these parties; the latest first.
    pub(crate) fn beside(&self, mut rows: Vec<LossRow>, parties: &[PartyId]) -> Vec<LossRow> {
        let losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (loss, (count, last)) in losses.iter() {
            if !parties.contains(&loss.from) && !parties.contains(&loss.to) {
                continue;
            }
            let written = rows.iter_mut().find(|row| {
                (row.from, row.to, row.errand.as_str(), row.what.as_str())
                    == (loss.from, loss.to, loss.errand, &*loss.what)
            });
            match written {
                Some(row) => (row.count, row.last) = (row.count.saturating_add(*count), row.last.max(*last)),
                None => rows.push(loss.row(*count, *last)),
            }
        }
        rows.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.what.cmp(&b.what)));
        rows
    }

    pub(crate) fn take(&self) -> Losses {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives back what could not be written.
    pub(crate) fn give_back(&self, unwritten: Losses) {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (loss, (count, last)) in unwritten {
            let sum = losses.entry(loss).or_insert((0, last));
            *sum = (sum.0.saturating_add(count), sum.1.max(last));
        }
    }
}

/// The first and the hundredth element of a list are the same place.
fn general(what: &str) -> Box<str> {
    let (place, why) = what.split_once(' ').unwrap_or((what, ""));
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = place.split('/').map(|part| if number(&part) { "*" } else { part }).collect();
    let gap = if why.is_empty() { "" } else { " " };
    let printable = |c: &char| !c.is_control();
    format!("{}{gap}{why}", parts.join("/")).chars().filter(printable).take(WHAT_CHARACTERS_MAX).collect()
}

/// Losses that may wait for a batch. More are not counted.
const WAITING_MAX: usize = 10_000;
/// The path of a member and a short reason.
const WHAT_CHARACTERS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_place_in_a_list_is_one_place() {
        let (book, now) = (LossBook::default(), Timestamp::from_secs(1_790_000_000));
        let way: (PartyId, PartyId) = ("DE-OPA".parse().unwrap(), "DE-8AA".parse().unwrap());
        let what = |text: &str| -> Box<str> { text.into() };
        book.note(way, "location", &[what("/evses/0/x is unknown"), what("/evses/17/x is unknown")], now);
        book.note(way, "cdr", &[what("/4711")], now);
        let taken = book.take();
        let loss = |errand, text| Loss { from: way.0, to: way.1, errand, what: what(text) };
        assert_eq!(taken.get(&loss("location", "/evses/*/x is unknown")), Some(&(2, now)));
        assert_eq!(taken.get(&loss("cdr", "/*")), Some(&(1, now)));
        book.give_back(taken);
        book.note(way, "cdr", &[what("/1")], now);
        let line = |what: &'static str, count, last| loss("cdr", what).row(count, last);
        let both = book.beside(vec![line("/*", 5, Timestamp::from_secs(1_780_000_000))], &[way.1]);
        assert_eq!(both.iter().find(|row| row.what == "/*"), Some(&line("/*", 7, now)));
        assert_eq!(both.len(), 2, "the line that is not written yet as well");
        assert_eq!(book.beside(Vec::new(), &["DE-XXX".parse().unwrap()]), [], "others' lines");
        assert_eq!(book.take().get(&loss("cdr", "/*")), Some(&(2, now)));
    }

    #[test]
    fn whatever_a_partner_writes_the_book_stays_small() {
        let (book, now) = (LossBook::default(), Timestamp::from_secs(1_790_000_000));
        let way: (PartyId, PartyId) = ("DE-OPA".parse().unwrap(), "DE-8AA".parse().unwrap());
        for number in 0..WAITING_MAX + 5 {
            book.note(way, "cdr", &[format!("/x{number}{}", "y".repeat(300)).into()], now);
        }
        let taken = book.take();
        assert_eq!(taken.len(), WAITING_MAX);
        assert!(taken.keys().all(|loss| loss.what.chars().count() <= WHAT_CHARACTERS_MAX));
    }
}
