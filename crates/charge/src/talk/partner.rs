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
    /// How it wants moments written.
    pub times: Times,
    /// How it wants ids of contracts and EVSEs written.
    pub ids: Separators,
    /// What it hashes where its list holds hashes (OCHP).
    pub hashes: HashInput,
}

/// How a moment is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// As its sender wrote it.
    #[default]
    AsWritten,
    /// `2026-11-22T10:00:00Z`.
    Seconds,
    /// `2026-11-22T10:00:00.000Z`.
    Millis,
    /// `2026-11-22T10:00:00`, which is UTC (OCPI 2.2.1, 17.2).
    NoZone,
}

/// Whether ids have separators: `DE-8AA-C12345678-X` or `DE8AAC12345678X`, `DE*ABC*E1` or `DEABCE1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Separators {
    /// As their sender wrote them.
    #[default]
    AsWritten,
    With,
    Without,
}

/// Over which spelling of a uid a hash was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashInput {
    /// Both are tried.
    #[default]
    Either,
    Upper,
    Lower,
}

macro_rules! named {
    ($what:ty, $($each:ident = $name:literal),+) => {
        impl $what {
            pub const ALL: &[Self] = &[$(Self::$each),+];

            /// For rows, pages and the command line.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$each => $name),+
                }
            }

            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.as_str() == text)
            }
        }
    };
}

named!(Times, AsWritten = "as written", Seconds = "seconds", Millis = "milliseconds", NoZone = "no zone");
named!(Separators, AsWritten = "as written", With = "with separators", Without = "without separators");
named!(HashInput, Either = "either", Upper = "capital letters", Lower = "small letters");

/// Something that was seen in a partner's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    Time(Form),
    Id(Form),
    Hash(Form),
    /// Its token came as it is, or in base64.
    Token(Form),
}

/// The form in which it was seen; which of them there are depends on what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    Seconds,
    Fractions,
    NoZone,
    Separated,
    Plain,
    Upper,
    Lower,
    Raw,
    Base64,
}

impl Seen {
    /// For pages.
    pub const fn says(self) -> &'static str {
        let (Self::Time(form) | Self::Id(form) | Self::Hash(form) | Self::Token(form)) = self;
        match form {
            Form::Seconds => "moments in whole seconds",
            Form::Fractions => "moments with fractions of seconds",
            Form::NoZone => "moments without a time zone",
            Form::Separated => "ids with separators",
            Form::Plain => "ids without separators",
            Form::Upper => "hashes over capital letters",
            Form::Lower => "hashes over small letters",
            Form::Raw => "its token as it is",
            Form::Base64 => "its token in base64",
        }
    }
}

/// The habits that would suit what was seen, beside those that a partner has. What was seen seldom says nothing.
pub fn suited(now: &Habits, seen: &[(Seen, u64)]) -> Option<Habits> {
    let count = |what: Seen| seen.iter().find(|(each, _)| *each == what).map_or(0, |(_, count)| *count);
    // the form that all but a few of many were seen in
    let settled = |forms: &[Seen]| {
        let total: u64 = forms.iter().map(|form| count(*form)).sum();
        let most = forms.iter().copied().max_by_key(|form| count(*form))?;
        (total >= SEEN_MIN && count(most) * 20 >= total * 19).then_some(most)
    };
    let mut suits = now.clone();
    match settled(&[Seen::Time(Form::Seconds), Seen::Time(Form::Fractions), Seen::Time(Form::NoZone)]) {
        Some(Seen::Time(Form::NoZone)) => suits.times = Times::NoZone,
        Some(Seen::Time(Form::Fractions)) if now.times == Times::Seconds => suits.times = Times::AsWritten,
        _one_that_everybody_reads => {}
    }
    match settled(&[Seen::Id(Form::Separated), Seen::Id(Form::Plain)]) {
        Some(Seen::Id(Form::Plain)) => suits.ids = Separators::Without,
        Some(Seen::Id(Form::Separated)) if now.ids == Separators::Without => suits.ids = Separators::AsWritten,
        _one_that_everybody_reads => {}
    }
    match settled(&[Seen::Hash(Form::Upper), Seen::Hash(Form::Lower)]) {
        Some(Seen::Hash(Form::Upper)) => suits.hashes = HashInput::Upper,
        Some(Seen::Hash(Form::Lower)) => suits.hashes = HashInput::Lower,
        _nothing => {}
    }
    (suits != *now).then_some(suits)
}

/// Fewer letters than this are no habit.
const SEEN_MIN: u64 = 20;

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
    /// Of a peer that has any.
    pub habits: Option<Habits>,
    /// What was seen in its letters since this machine started, and how often.
    pub seen: Vec<(Seen, u64)>,
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

/// Where and with what a party of ours registers at another platform.
#[derive(Clone, Debug)]
pub struct Beginning {
    pub party: PartyId,
    /// The other platform's list of versions (OCPI 2.2.1, 6.1).
    pub versions_url: String,
    /// The token A that its people gave to ours: good for one registration.
    pub token: Secret<String>,
    /// Authorities that its certificate may come from, in PEM; `None` for those that this party believes anyway.
    pub roots_pem: Option<String>,
    /// It may have addresses that are not public.
    pub local: bool,
}

/// A platform that a party of ours is registered at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    pub party: PartyId,
    pub name: String,
    pub versions_url: String,
    /// The version of OCPI that was agreed on; `None` where nothing was yet.
    pub version: Option<Box<str>>,
}

/// Begins, renews and ends our own registration at another platform. How far it came is told step by step; what did not
/// hold has changed nothing that was good before.
pub trait Registrar: Send + Sync {
    /// Registers at a platform that wants us to begin.
    fn register(&self, with: Beginning) -> Soon<'_, Result<Trial, Declined>>;

    /// Exchanges both tokens for new ones, and reads the platform's endpoints anew.
    fn renew(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>>;

    /// Ends the registration at both sides.
    fn leave(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>>;

    /// Where we are registered.
    fn registered(&self) -> Soon<'_, Vec<Registered>>;
}

/// Where partners come in and are looked after.
pub trait Reception: Registrar {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_often_and_almost_always_is_suggested() {
        let now = Habits::default();
        let (bare, zoned) = (Seen::Time(Form::NoZone), Seen::Time(Form::Seconds));
        assert_eq!(suited(&now, &[(bare, SEEN_MIN - 1)]), None, "too few");
        assert_eq!(suited(&now, &[(bare, 20), (zoned, 5)]), None, "now so, now so");
        let bare = suited(&now, &[(bare, 100), (zoned, 1)]);
        assert_eq!(bare.map(|habits| habits.times), Some(Times::NoZone));
        let plain = suited(&now, &[(Seen::Id(Form::Plain), 40), (Seen::Hash(Form::Lower), 40)]);
        assert_eq!(plain, Some(Habits { ids: Separators::Without, hashes: HashInput::Lower, ..now.clone() }));
        assert_eq!(suited(&now, &[(Seen::Id(Form::Separated), 40)]), None, "which is what it gets anyway");
        for times in Times::ALL {
            assert_eq!(Times::named(times.as_str()), Some(*times));
        }
    }
}
