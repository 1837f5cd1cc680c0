//! What the bench's stations speak, and what they say in it.
//!
//! The same day at the pole in every version: what a transaction's readings travel in differs, their size does not.

use std::fmt;
use std::str::FromStr;

/// One version of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    V16,
    V201,
    V21,
    /// OCPP 1.6 over SOAP: each message is a POST over a connection that is kept.
    Soap,
}

impl Dialect {
    /// In the order in which they are measured.
    pub const ALL: [Self; 4] = [Self::V16, Self::V201, Self::V21, Self::Soap];

    /// For people, and for `--versions`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V16 => "1.6",
            Self::V201 => "2.0.1",
            Self::V21 => "2.1",
            Self::Soap => "1.6-soap",
        }
    }

    /// As a WebSocket offers it (OCPP-J 1.6, 3.1.2); nothing for SOAP.
    pub(crate) const fn subprotocol(self) -> Option<&'static str> {
        match self {
            Self::V16 => Some("ocpp1.6"),
            Self::V201 => Some("ocpp2.0.1"),
            Self::V21 => Some("ocpp2.1"),
            Self::Soap => None,
        }
    }

    /// What is measured in it.
    pub(crate) const fn messages(self) -> &'static [Message] {
        match self {
            Self::V16 | Self::Soap => &[Message::Heartbeat, Message::Status, Message::Meter],
            Self::V201 | Self::V21 => &[Message::Heartbeat, Message::Status, Message::Meter, Message::Transaction],
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| format!("not one of {}", names()))
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Heartbeat,
    Status,
    Meter,
    /// An update of a running transaction, in 2.x alone.
    Transaction,
}

impl Message {
    /// OCPP's name of the action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Heartbeat => "Heartbeat",
            Self::Status => "StatusNotification",
            Self::Meter => "MeterValues",
            Self::Transaction => "TransactionEvent",
        }
    }

    /// Must be on the disk before it is answered.
    pub const fn durable(self) -> bool {
        match self {
            Self::Heartbeat => false,
            Self::Status | Self::Meter | Self::Transaction => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_as_they_are_read() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert!("1.5".parse::<Dialect>().is_err_and(|why| why.contains("2.0.1, 2.1, 1.6-soap")));
    }
}
