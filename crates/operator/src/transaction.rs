//! Which session does a station's message belong to?
//!
//! Stations repeat starts after a reconnect, lose numbers they were given while offline, send readings without a
//! transaction and replay out of order. The answer here is always one of four, and a session is never begun twice
//! for one transaction, nor touched by another station.

use charge::id::{SessionId, TransactionKey};
use charge::talk::line::Stage;

/// The sessions that a message could mean, as loaded for one station.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Of this station, with the message's transaction key.
    pub same_key: Option<SessionId>,
    /// Of this station, begun with the same EVSE, register, time and token.
    pub same_content: Option<SessionId>,
    /// The number belongs to another station.
    pub elsewhere: bool,
    /// Running at the message's EVSE, or at the station where the message names none.
    pub open_here: Vec<SessionId>,
}

/// Where a message belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Session(SessionId),
    /// The first word of a new transaction.
    Begin,
    /// The station means another station's transaction.
    Misplaced(&'static str),
    /// Nobody's: kept aside, acknowledged, billed to nobody.
    Orphan(&'static str),
}

/// Finds the place. `stage` is `None` for readings outside of a transaction report.
pub fn place(stage: Option<Stage>, key: Option<&TransactionKey>, found: Candidates) -> Place {
    if let Some(session) = found.same_key {
        return Place::Session(session);
    }
    if found.elsewhere {
        return Place::Misplaced("the transaction belongs to another station");
    }
    match (stage, key) {
        // a start that is repeated after a reconnect has the same content and keeps its number (handbook, quirk 17)
        (Some(Stage::Started), _) => found.same_content.map_or(Place::Begin, Place::Session),
        // 2.x replays out of order: the first event to arrive opens the session (handbook, quirk 24)
        (Some(Stage::Updated | Stage::Ended), Some(TransactionKey::Text(_))) => Place::Begin,
        (None, Some(TransactionKey::Text(_))) => Place::Orphan("readings of a transaction that is not known"),
        (Some(Stage::Updated | Stage::Ended) | None, Some(TransactionKey::Number(number))) if *number <= 0 => {
            only(found.open_here, "a transaction without a number, and none or several are running")
        }
        (Some(Stage::Updated | Stage::Ended) | None, Some(TransactionKey::Number(_))) => {
            Place::Orphan("the transaction number was never given to this station")
        }
        (Some(Stage::Updated | Stage::Ended) | None, None) => only(found.open_here, "no transaction is running there"),
    }
}

/// A message without a usable number means the one transaction that runs; among several nothing is guessed.
fn only(mut open: Vec<SessionId>, otherwise: &'static str) -> Place {
    match (open.pop(), open.is_empty()) {
        (Some(session), true) => Place::Session(session),
        (Some(_) | None, _) => Place::Orphan(otherwise),
    }
}

/// The next transaction number after the highest one given: 1 to 2^31-1, never again the same. `None` at the end.
pub fn next_number(highest: Option<i64>) -> Option<i32> {
    i32::try_from(highest.unwrap_or(0).max(0).checked_add(1)?).ok()
}

/// How a sequence number relates to the highest one seen (OCPP 2.0.1 part 2, E01: it belongs to the transaction).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Next,
    /// So many messages are missing before this one; they may still come.
    Gap(u32),
    /// Sent again, or late.
    Earlier,
}

/// Judges a sequence number. Without numbers (1.6) every message is the next.
pub fn turn(highest: Option<u32>, seq: Option<u32>) -> Turn {
    match (highest, seq) {
        (_, None) | (None, Some(0)) => Turn::Next,
        (None, Some(seq)) => Turn::Gap(seq),
        (Some(highest), Some(seq)) if seq <= highest => Turn::Earlier,
        (Some(highest), Some(seq)) => match seq - highest - 1 {
            0 => Turn::Next,
            missing => Turn::Gap(missing),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn session(name: &str) -> SessionId {
        SessionId::new(name).unwrap()
    }

    #[test]
    fn every_message_has_one_place() {
        let known = |name| Candidates { same_key: Some(session(name)), ..Candidates::default() };
        let repeat = Candidates { same_content: Some(session("s")), ..Candidates::default() };
        let foreign = Candidates { elsewhere: true, open_here: vec![session("s")], ..Candidates::default() };
        let open = |names: &[&str]| Candidates {
            open_here: names.iter().map(|name| session(name)).collect(),
            ..Candidates::default()
        };
        let number = |n| Some(TransactionKey::Number(n));
        let text = || Some(TransactionKey::Text("t".into()));
        let (started, updated, ended) = (Some(Stage::Started), Some(Stage::Updated), Some(Stage::Ended));
        let here = |name| Place::Session(session(name));
        let orphan = Place::Orphan("");
        let misplaced = Place::Misplaced("");
        let table = [
            (started, None, open(&[]), Place::Begin),
            (started, None, repeat, here("s")),
            (started, None, open(&["old"]), Place::Begin),
            (started, text(), open(&[]), Place::Begin),
            (started, text(), known("s"), here("s")),
            (updated, text(), open(&[]), Place::Begin),
            (ended, text(), open(&["other"]), Place::Begin),
            (ended, number(7), known("s"), here("s")),
            (ended, number(7), foreign.clone(), misplaced.clone()),
            (None, number(7), foreign, misplaced),
            (ended, number(7), open(&["s"]), orphan.clone()),
            (ended, number(-1), open(&["s"]), here("s")),
            (ended, number(0), open(&["a", "b"]), orphan.clone()),
            (None, None, open(&["s"]), here("s")),
            (None, number(0), open(&["s"]), here("s")),
            (None, None, open(&[]), orphan.clone()),
            (None, text(), open(&["s"]), orphan),
        ];
        for (row, (stage, key, found, wanted)) in table.into_iter().enumerate() {
            let got = match place(stage, key.as_ref(), found) {
                Place::Orphan(_) => Place::Orphan(""),
                Place::Misplaced(_) => Place::Misplaced(""),
                other @ (Place::Session(_) | Place::Begin) => other,
            };
            assert_eq!(got, wanted, "row {row}");
        }
    }

    #[test]
    fn numbers_stay_within_what_stations_hold() {
        assert_eq!(next_number(None), Some(1));
        assert_eq!(next_number(Some(41)), Some(42));
        assert_eq!(next_number(Some(-5)), Some(1));
        assert_eq!(next_number(Some(i64::from(i32::MAX))), None);
    }

    #[test]
    fn sequence_survives_a_reconnect() {
        let table = [
            (None, None, Turn::Next),
            (None, Some(0), Turn::Next),
            (None, Some(3), Turn::Gap(3)),
            (Some(3), Some(4), Turn::Next),
            (Some(3), Some(7), Turn::Gap(3)),
            (Some(3), Some(3), Turn::Earlier),
            (Some(3), Some(1), Turn::Earlier),
            (Some(3), None, Turn::Next),
        ];
        for (highest, seq, wanted) in table {
            assert_eq!(turn(highest, seq), wanted, "{highest:?} {seq:?}");
        }
    }
}
