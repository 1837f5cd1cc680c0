//! The parties of the hub: what they are, and which letters each role may write.
//!
//! A party may have several roles. It deliberately knows nothing about connections: whether a party answers is the
//! door's experience, told in the ledger.

use std::fmt;

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::Errand;

/// What a party is in the network (OCPI 2.2.1, 16.1.4 `Role`: `CPO` and `EMSP`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Runs stations.
    Operator,
    /// Has drivers.
    Provider,
}

impl Role {
    pub const ALL: [Self; 2] = [Self::Operator, Self::Provider];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Provider => "provider",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether a party of this role may write such a letter.
    pub const fn may_write(self, errand: &Errand) -> bool {
        match errand {
            Errand::MayCharge { .. }
            | Errand::Outcome { .. }
            | Errand::Session { .. }
            | Errand::Cdr
            | Errand::Location { .. }
            | Errand::Tariff { .. } => matches!(self, Self::Operator),
            Errand::Order(_) | Errand::Token { .. } => matches!(self, Self::Provider),
            Errand::Passing(_) => true,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether letters from and to a party pass (OCPI 2.2.1, 14.4.2 `ConnectionStatus`, as far as the hub decides it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyStatus {
    Connected,
    /// Registered, nothing passes yet.
    Planned,
    /// Nothing passes any more.
    Suspended,
}

impl PartyStatus {
    pub const ALL: [Self; 3] = [Self::Connected, Self::Planned, Self::Suspended];

    /// The spelling of OCPI, which rows and pages use as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "CONNECTED",
            Self::Planned => "PLANNED",
            Self::Suspended => "SUSPENDED",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A registered party in one of its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub party: PartyId,
    pub role: Role,
    /// As people know it.
    pub name: String,
    pub status: PartyStatus,
    /// When its last letter came in.
    pub last_seen: Option<Timestamp>,
}
