//! What the station shows to whoever stands before it (OCPP 2.x block O).
//!
//! Invariant: no message outlives its end, its transaction or its replacement.

use charge::Timestamp;
use charge::id::TransactionKey;
use charge::talk::line::Version;
use charge::talk::line::display::DisplayMessage;

/// `DisplayMessageCtrlr.DisplayMessages`.
pub const MESSAGES_MAX: usize = 20;

/// The messages, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Board(Vec<DisplayMessage>);

impl Board {
    /// Shows a message, or answers the status word that refuses it (O01, O02, O06).
    pub fn set(
        &mut self,
        version: Version,
        running: &[TransactionKey],
        of: DisplayMessage,
    ) -> Result<(), &'static str> {
        let code = version == Version::V21 && &*of.format == "QRCODE";
        if !["ASCII", "UTF8", "URI"].contains(&&*of.format) && !code {
            return Err("NotSupportedMessageFormat"); // O01.FR.01
        }
        if !["AlwaysFront", "InFront", "NormalCycle"].contains(&&*of.priority) {
            return Err("NotSupportedPriority"); // O01.FR.02
        }
        let states: &[&str] = match version {
            Version::V21 => &["Charging", "Faulted", "Idle", "Unavailable", "Suspended", "Discharging"],
            Version::S15 | Version::S16 | Version::V16 | Version::V201 => {
                &["Charging", "Faulted", "Idle", "Unavailable"]
            }
        };
        if of.state.as_deref().is_some_and(|state| !states.contains(&state)) {
            return Err("NotSupportedState"); // O01.FR.03
        }
        if of.key.as_ref().is_some_and(|key| !running.contains(key)) {
            return Err("UnknownTransaction"); // O02.FR.01
        }
        self.0.retain(|other| other.id != of.id);
        if self.0.len() >= MESSAGES_MAX {
            return Err("Rejected");
        }
        // O01.FR.06: one message is always in front
        if &*of.priority == "AlwaysFront" {
            self.0.retain(|other| &*other.priority != "AlwaysFront");
        }
        self.0.push(of);
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn clear(&mut self, id: i32) -> bool {
        let before = self.0.len();
        self.0.retain(|of| of.id != id);
        before != self.0.len()
    }

    /// What whoever stands before an EVSE reads: the numbers of the messages whose time has come, of its state (O01.FR.04)
    /// and of its transaction alone.
    pub fn shown(&self, now: Timestamp, state: &str, running: Option<&TransactionKey>) -> Vec<i32> {
        let shown = |of: &&DisplayMessage| {
            of.from.is_none_or(|from| from <= now)
                && of.until.is_none_or(|until| now < until)
                && of.state.as_deref().is_none_or(|wanted| wanted == state)
                && of.key.as_ref().is_none_or(|key| Some(key) == running)
        };
        self.0.iter().filter(shown).map(|of| of.id).collect()
    }

    pub fn meant(&self, ids: &[i32], priority: Option<&str>, state: Option<&str>) -> Vec<DisplayMessage> {
        let meant = |of: &&DisplayMessage| {
            (ids.is_empty() || ids.contains(&of.id))
                && priority.is_none_or(|priority| priority == &*of.priority)
                && state.is_none_or(|state| of.state.as_deref() == Some(state))
        };
        self.0.iter().filter(meant).cloned().collect()
    }

    /// Takes down what is over (O01.FR.04, O02.FR.02).
    pub fn tidy(&mut self, now: Timestamp, running: &[TransactionKey]) {
        self.0.retain(|of| {
            of.until.is_none_or(|until| now < until) && of.key.as_ref().is_none_or(|key| running.contains(key))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::START;

    fn message(id: i32) -> DisplayMessage {
        DisplayMessage {
            id,
            priority: "NormalCycle".into(),
            state: None,
            from: None,
            until: None,
            key: None,
            format: "UTF8".into(),
            language: None,
            text: "Good day".into(),
            more: None,
        }
    }

    #[test]
    fn what_cannot_be_shown_is_refused_by_its_word() {
        let key = || TransactionKey::Text("t".into());
        for (version, of, told) in [
            (Version::V201, message(1), Ok(())),
            (Version::V201, DisplayMessage { format: "HTML".into(), ..message(1) }, Err("NotSupportedMessageFormat")),
            (Version::V201, DisplayMessage { format: "QRCODE".into(), ..message(1) }, Err("NotSupportedMessageFormat")),
            (Version::V21, DisplayMessage { format: "QRCODE".into(), ..message(1) }, Ok(())),
            (Version::V201, DisplayMessage { priority: "Top".into(), ..message(1) }, Err("NotSupportedPriority")),
            (Version::V201, DisplayMessage { state: Some("Suspended".into()), ..message(1) }, Err("NotSupportedState")),
            (Version::V21, DisplayMessage { state: Some("Suspended".into()), ..message(1) }, Ok(())),
            (Version::V201, DisplayMessage { key: Some(key()), ..message(1) }, Err("UnknownTransaction")),
        ] {
            assert_eq!(Board::default().set(version, &[], of.clone()), told, "{of:?}");
        }
        assert_eq!(
            Board::default().set(Version::V201, &[key()], DisplayMessage { key: Some(key()), ..message(1) }),
            Ok(())
        );
    }

    #[test]
    fn messages_are_replaced_found_cleared_and_taken_down() {
        let mut board = Board::default();
        let front = |id| DisplayMessage { priority: "AlwaysFront".into(), ..message(id) };
        for of in [front(1), front(2), message(3), DisplayMessage { until: Some(START), ..message(4) }] {
            assert_eq!(board.set(Version::V201, &[], of), Ok(()));
        }
        let ids = |found: Vec<DisplayMessage>| found.iter().map(|of| of.id).collect::<Vec<_>>();
        assert_eq!(ids(board.meant(&[], None, None)), [2, 3, 4]);
        assert_eq!(ids(board.meant(&[3, 9], None, None)), [3]);
        assert_eq!(ids(board.meant(&[], Some("AlwaysFront"), None)), [2]);
        board.tidy(START, &[]);
        assert!(board.clear(3) && !board.clear(3));
        assert_eq!(ids(board.meant(&[], None, None)), [2]);
    }
}
