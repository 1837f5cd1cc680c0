//! How a partner becomes a partner: who is invited or entered, what its connection is like, what to ask of it.
//!
//! A hub's people speak these words; the door that knows the protocols answers them through a [`Reception`]. Nothing
//! here decides whether a partner's letters pass. Invariant: no word of a finding repeats a token, a password or an
//! answer's content.

use std::fmt;

use crate::id::PartyId;
use crate::{Secret, Soon};

/// What a partner does in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartnerRole {
    /// Runs stations.
    Operator,
    /// Has drivers.
    Provider,
}

/// An invitation to introduce itself over OCPI.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Token A: shown once, good for one exchange of credentials.
    pub token: Secret<String>,
    /// Where the partner begins.
    pub versions_url: String,
}

/// A partner whose protocol knows no introduction: everything is entered.
#[derive(Clone, Debug)]
pub struct NewPartner {
    pub party: PartyId,
    pub name: String,
    pub roles: Vec<PartnerRole>,
    /// Such as `oicp/2.3`.
    pub protocol: Box<str>,
    /// The service as its protocol calls it, or empty for the base of all, and the URL.
    pub addresses: Vec<(Box<str>, String)>,
    /// Name and password with which we come to it.
    pub login: Option<(String, Secret<String>)>,
    /// The name with which it comes to us, where its protocol has passwords: one is made for it.
    pub entry: Option<String>,
    /// SHA-256 of the client certificate that it comes with.
    pub certificate: Option<[u8; 32]>,
    /// Whom we believe to be it, in PEM; `None` for whom the hub believes anyway.
    pub roots_pem: Option<String>,
    /// Its addresses may be ones that are not public.
    pub local: bool,
}

/// How a partner differs from its standard, as far as we do as it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// It wants its token as it is, not in base64.
    pub raw_token: bool,
    /// The version spoken with it although there is another one in common, such as `2.1.1`.
    pub version: Option<Box<str>>,
    /// A token that nobody knows is told with HTTP 200: it takes a 404 for a wrong address.
    pub unknown_is_ok: bool,
}

/// What is known of a partner's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerCard {
    pub party: PartyId,
    pub name: String,
    /// Such as `ocpi/2.2.1`; of an OCPI peer without a version where it was not spoken with yet.
    pub protocol: Box<str>,
    /// It was invited and did not introduce itself yet.
    pub invited: bool,
    pub addresses: Vec<(Box<str>, String)>,
    /// In hex.
    pub certificate: Option<String>,
    pub entry: Option<String>,
    pub local: bool,
    /// Of an OCPI peer.
    pub habits: Option<Habits>,
}

/// One step of trying a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialStep {
    /// Such as `TLS`.
    pub what: &'static str,
    pub held: bool,
    /// What was seen.
    pub found: String,
    /// What to ask of the partner, or to do here.
    pub advice: Option<String>,
}

/// How a connection fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// Until the first that did not hold, in their order.
    pub steps: Vec<TrialStep>,
    /// The habits that would suit what was seen, where they are others than now.
    pub suggested: Option<Habits>,
}

/// Why the reception does not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    Unknown,
    /// The asker's fault: a field and why.
    Malformed {
        path: &'static str,
        why: &'static str,
    },
    /// It stands in the configuration, which somebody has to change there.
    Configured,
    /// Nothing was changed.
    CannotKeep,
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such partner"),
            Self::Malformed { path, why } => write!(f, "{path} {why}"),
            Self::Configured => f.write_str("this partner stands in the configuration of this house"),
            Self::CannotKeep => f.write_str("this cannot be kept now"),
        }
    }
}

impl std::error::Error for Declined {}

/// Where partners come in and are looked after.
pub trait Reception: Send + Sync {
    /// Invites one party to introduce itself over OCPI.
    fn invite(&self, party: PartyId, local: bool) -> Soon<'_, Result<Invited, Declined>>;

    /// Enters a partner of another protocol. The password that it is to come with, shown once.
    fn enter(&self, partner: NewPartner) -> Soon<'_, Result<Option<Secret<String>>, Declined>>;

    fn cards(&self) -> Soon<'_, Vec<PartnerCard>>;

    /// Tries the connection step by step. Nothing is changed at either side.
    fn examine(&self, party: PartyId, roles: Vec<PartnerRole>) -> Soon<'_, Result<Trial, Declined>>;

    fn accustom(&self, party: PartyId, habits: Habits) -> Soon<'_, Result<(), Declined>>;

    /// Forgets a partner: neither its credentials nor ours are good any more.
    fn dismiss(&self, party: PartyId) -> Soon<'_, Result<(), Declined>>;
}
