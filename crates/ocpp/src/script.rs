//! Words of stations as texts that can be kept, and back: for a copy that has to wait for its reader.
//!
//! No second form of the vocabulary: a text is the payload that the version has for the word. Deliberately no frame,
//! so a kept text has no message id. Invariant: what has no place in the version is told, not lost in silence.

use charge::Timestamp;
use charge::talk::line::second::Scripted;
use charge::talk::line::{Foreign, FromStation, LineFault, Version};

use crate::bridge;
use crate::payload::Notes;

/// A word as the text of a version. The error says what has no place there.
pub fn write(version: Version, said: &FromStation, now: Timestamp) -> Result<Scripted, Box<str>> {
    let mut notes = Notes::at(now);
    match bridge::say(version, said, &mut notes) {
        Ok(call) => {
            let text = Foreign { action: call.action.as_ref().into(), body: call.payload.into() };
            Ok(Scripted { text, losses: notes.remarks })
        }
        Err(fault) => Err(notes.remarks.into_iter().next_back().unwrap_or_else(|| fault.to_string().into())),
    }
}

/// The word that was written.
pub fn read(version: Version, text: &Foreign, now: Timestamp) -> Result<FromStation, LineFault> {
    let read = bridge::hear(version, &text.action, &text.body, &mut Notes::at(now));
    read.map(|(said, _)| said).map_err(|fault| LineFault::Unreadable(fault.told().into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::{EvseNo, TransactionKey};
    use charge::meter::{Context, Measured, Reading};
    use charge::talk::line::{BayState, Stage, StatusReport, TransactionReport};
    use charge::token::{PresentedToken, TokenKind, TokenUid};
    use charge::units::Energy;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn report(stage: Stage, context: Context) -> TransactionReport {
        let measured = Measured::EnergyImport(Energy::from_wh(1_000));
        TransactionReport {
            stage,
            key: Some(TransactionKey::Text("tx-1".into())),
            seq: Some(3),
            at: NOW,
            evse: EvseNo::new(1),
            token: Some(PresentedToken::new(TokenUid::new("0123456789ABCDEF0123").unwrap(), TokenKind::Other)),
            readings: vec![Reading { at: NOW, context, phase: None, measured }],
            reason: None,
            state: None,
            offline: true,
            remote_start: None,
            reservation: None,
            terms: None,
        }
    }

    #[test]
    fn a_transaction_comes_back_as_it_was() {
        for version in [Version::V201, Version::V21] {
            let said = FromStation::Transaction(report(Stage::Started, Context::TransactionBegin));
            let written = write(version, &said, NOW).unwrap();
            assert_eq!(&*written.text.action, "TransactionEvent");
            assert!(written.losses.is_empty(), "{:?}", written.losses);
            match read(version, &written.text, NOW).unwrap() {
                FromStation::Transaction(back) => {
                    assert_eq!((back.seq, back.stage, back.offline), (Some(3), Stage::Started, true));
                    assert_eq!(back.token.unwrap().uid, report(Stage::Started, Context::Other).token.unwrap().uid);
                }
                other => panic!("{other:?}"),
            }
        }
        let mut start = report(Stage::Started, Context::TransactionBegin);
        start.key = None;
        let written = write(Version::V16, &FromStation::Transaction(start), NOW).unwrap();
        assert_eq!(&*written.text.action, "StartTransaction");
        assert!(matches!(read(Version::V16, &written.text, NOW).unwrap(), FromStation::Transaction(_)));
    }

    #[test]
    fn what_has_no_place_says_so() {
        let cleared = charge::talk::line::charging::ChargingNews::LimitCleared { evse: None, source: "EMS".into() };
        let why = write(Version::V16, &FromStation::Charging(cleared), NOW).unwrap_err();
        assert!(why.contains("1.6 does not have"), "{why}");
        let status = StatusReport { evse: EvseNo::new(1), state: BayState::Faulted, fault: None, at: Some(NOW) };
        write(Version::V16, &FromStation::Status(status), NOW).unwrap();
    }
}
