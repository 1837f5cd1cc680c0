//! What the hub's pages show: parties, volumes, the size of the index. There is no content to show.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::partner::PartnerCard;

use crate::party::{PartyStatus, Role};

/// The first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Distinct parties, whatever their roles.
    pub parties: usize,
    pub operators: usize,
    pub providers: usize,
    pub tokens_indexed: i64,
    /// Since midnight UTC, like the two below.
    pub letters_today: i64,
    pub bytes_today: i64,
    pub failures_today: i64,
    /// Letters per hour of the last two days.
    pub history: Vec<HourPoint>,
}

/// Letters in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourPoint {
    /// The beginning of the hour.
    pub at: Timestamp,
    pub count: i64,
}

/// The volume from one party to another with one kind of letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRow {
    pub from: PartyId,
    pub to: PartyId,
    pub errand: String,
    pub count: i64,
    pub bytes: i64,
    pub failures: i64,
    /// The beginning of the hour of the last one.
    pub last_hour: Timestamp,
}

/// How often a provider offered tokens that belong to another one. For the hub's clerk alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub writer: PartyId,
    /// The beginning of the day in UTC.
    pub day: Timestamp,
    pub count: i64,
}

/// What a person did to a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub subject: PartyId,
}

/// A partner as the hub's people see it: its connection, and in which roles letters pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerView {
    pub card: PartnerCard,
    /// The name that it has here; else the one that it gave itself.
    pub name: String,
    pub roles: Vec<(Role, PartyStatus)>,
    pub last_seen: Option<Timestamp>,
}
