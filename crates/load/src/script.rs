//! What a station of the bench says, of the sizes that the field sends.
//!
//! Pure text. Each version has its file; here is what they have in common: a station that boots, charges at EVSE 1
//! and reports EVSE 2, and that knows its answers as far as the bench depends on them.

mod soap;
mod v16;
mod v2;

use std::net::IpAddr;

use charge::Timestamp;

use crate::dialect::{Dialect, Message};
use crate::frames::{Prepared, masked};

/// The message id that every repeated message has a hole for.
const ID: &str = "^^^^^^^^^^";
/// The time of a repeated message.
const TIME: &str = "@@@@@@@@@@@@@@@@@@@@@@@@";
/// The register of a reading, in Wh.
const REGISTER: &str = "$$$$$$$.$$$";
/// The number of a message in its transaction.
const NUMBER: &str = "%%%%%%%";
/// The first message of a transaction has this number: as many digits as all that follow.
pub(crate) const NUMBER_BEGIN: u64 = 1_000_000;

/// A message that is said once, and the id that its answer carries.
pub(crate) struct Once {
    pub id: &'static str,
    pub bytes: Vec<u8>,
}

/// One station's part.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub dialect: Dialect,
    /// The station's identity.
    pub station: String,
    /// The server's name.
    pub host: String,
    /// Where the station comes from.
    pub source: IpAddr,
}

/// A transaction that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    /// Its number in 1.6; 2.x has the station's own name for it.
    pub transaction: i64,
    pub accepted: bool,
}

impl Script {
    pub fn boot(&self) -> Once {
        let station = &self.station;
        self.once(
            "boot",
            "BootNotification",
            &match self.dialect {
                Dialect::V16 => v16::boot(station),
                Dialect::V201 | Dialect::V21 => v2::boot(station),
                Dialect::Soap => soap::boot(station),
            },
        )
    }

    /// Begins a transaction at EVSE 1.
    pub fn begin(&self, card: &str, now: Timestamp) -> Once {
        match self.dialect {
            Dialect::V16 => self.once("begin", "StartTransaction", &v16::begin(card, now)),
            Dialect::V201 | Dialect::V21 => {
                self.once("begin", "TransactionEvent", &v2::begin(&self.station, card, now))
            }
            Dialect::Soap => self.once("begin", "StartTransaction", &soap::begin(card, now)),
        }
    }

    /// Ends it, at this register in whole Wh.
    pub fn end(&self, transaction: i64, number: u64, register_wh: u64, now: Timestamp) -> Once {
        match self.dialect {
            Dialect::V16 => self.once("end", "StopTransaction", &v16::end(transaction, register_wh, now)),
            Dialect::V201 | Dialect::V21 => {
                self.once("end", "TransactionEvent", &v2::end(&self.station, number, register_wh, now))
            }
            Dialect::Soap => self.once("end", "StopTransaction", &soap::end(transaction, register_wh, now)),
        }
    }

    /// A message that is said again and again; a status has two `turns`, because one that does not change would be
    /// no news.
    pub fn repeated(&self, message: Message, turn: u64, transaction: i64, began: Timestamp) -> Prepared {
        let payload = match self.dialect {
            Dialect::V16 => v16::repeated(message, turn, transaction),
            Dialect::V201 | Dialect::V21 => v2::repeated(message, turn, &self.station),
            Dialect::Soap => soap::repeated(message, turn, transaction),
        };
        let text = self.text(ID, message.action(), &payload);
        Prepared::new(self.bytes(message.action(), &text), text.len(), began)
    }

    /// Was the boot accepted?
    pub fn accepts(&self, answer: &str) -> bool {
        answer.contains("Accepted")
    }

    /// What the operator answered to [`Self::begin`].
    pub fn begun(&self, answer: &str) -> Option<Begun> {
        match self.dialect {
            Dialect::V16 => v16::begun(answer),
            Dialect::V201 | Dialect::V21 => v2::begun(answer),
            Dialect::Soap => soap::begun(answer),
        }
    }

    fn once(&self, id: &'static str, action: &str, payload: &str) -> Once {
        let text = self.text(id, action, payload);
        Once { id, bytes: self.bytes(action, &text) }
    }

    fn text(&self, id: &str, action: &str, payload: &str) -> String {
        match self.dialect {
            Dialect::V16 | Dialect::V201 | Dialect::V21 => format!(r#"[2,"{id}","{action}",{payload}]"#),
            Dialect::Soap => soap::envelope(self, id, action, payload),
        }
    }

    fn bytes(&self, action: &str, text: &str) -> Vec<u8> {
        match self.dialect {
            Dialect::V16 | Dialect::V201 | Dialect::V21 => masked(text),
            Dialect::Soap => soap::post(self, action, text),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const BEGAN: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn script(dialect: Dialect) -> Script {
        let (station, host) = ("BENCH-1".to_owned(), "localhost".to_owned());
        Script { dialect, station, host, source: [127, 0, 1, 1].into() }
    }

    #[test]
    fn what_is_said_in_json_is_json_of_the_fields_size() {
        for dialect in [Dialect::V16, Dialect::V201, Dialect::V21] {
            for message in dialect.messages() {
                let mut prepared = script(dialect).repeated(*message, 0, 7, BEGAN);
                let text_bytes = prepared.text_bytes();
                let bytes = prepared.at(9, NUMBER_BEGIN + 1, BEGAN);
                let said: serde_json::Value = serde_json::from_slice(&bytes[bytes.len() - text_bytes..]).unwrap();
                assert_eq!((said[1].as_str(), said[2].as_str()), (Some("0000000009"), Some(message.action())));
                let fits = match message {
                    Message::Heartbeat => 20..60,
                    Message::Status => 100..200,
                    Message::Meter | Message::Transaction => 400..900,
                };
                assert!(fits.contains(&text_bytes), "{dialect} {message:?} {text_bytes}");
            }
        }
    }

    #[test]
    fn a_begin_is_read_in_every_version() {
        let begun = |dialect, answer: &str| script(dialect).begun(answer);
        let yes = |transaction| Some(Begun { transaction, accepted: true });
        let answer = r#"[3,"begin",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]"#;
        assert_eq!(begun(Dialect::V16, answer), yes(7));
        let refused = Begun { transaction: 7, accepted: false };
        assert_eq!(begun(Dialect::V16, &answer.replace("Accepted", "Invalid")), Some(refused));
        assert_eq!(begun(Dialect::V16, r#"[3,"begin",{}]"#), None);
        assert_eq!(begun(Dialect::V201, r#"[3,"begin",{"idTokenInfo":{"status":"Accepted"}}]"#), yes(0));
        assert_eq!(begun(Dialect::V21, r#"[3,"begin",{}]"#), None);
        let answer =
            "<c:x><c:transactionId>7</c:transactionId><c:idTagInfo><c:status>Accepted</c:status></c:idTagInfo></c:x>";
        assert_eq!(begun(Dialect::Soap, answer), yes(7));
        assert_eq!(begun(Dialect::Soap, "<c:x/>"), None);
    }
}
