//! Second back-ends: which other CSMS sees which stations, what of them, and what it may order.
//!
//! A policy is data that a person put; this file judges whether it is sound. [`action`] names words as the standards
//! name their messages, [`copy`] makes of a station's word what the second CSMS sees of it, [`relay`] judges its
//! orders. Deliberately no wildcard: what is not listed is not copied and not obeyed. Invariant: no card's uid leaves
//! but under [`Tokens::DangerPass`].

pub mod action;
pub(crate) mod copy;
pub(crate) mod relay;

use charge::id::{LocationId, StationId};
use charge::talk::line::Version;
use charge::{Secret, Timestamp};

/// What a second CSMS is to its stations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It sees what the policy lets it see; whatever it orders is refused.
    Mirror,
    /// It may order what the policy lets it order, too.
    Relay,
}

impl Mode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Relay => "relay",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        [Self::Mirror, Self::Relay].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// What a second CSMS sees in the place of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// A keyed name of 20 characters, the same for the same token at this CSMS alone. Only we can turn it round.
    Pseudonym,
    /// One word for all.
    Drop,
    /// The token itself, and signed records, which have it in them.
    DangerPass,
}

impl Tokens {
    pub const ALL: [Self; 3] = [Self::Pseudonym, Self::Drop, Self::DangerPass];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pseudonym => "pseudonym",
            Self::Drop => "drop",
            Self::DangerPass => "danger_pass",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tokens| tokens.as_str() == text)
    }
}

/// Whose traffic is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    All,
    Location(LocationId),
    Stations(Vec<StationId>),
}

/// A second CSMS and what it is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Second {
    pub name: String,
    /// `wss://host[:port][/path]`; each station's identity is appended.
    pub address: String,
    /// What it speaks, whatever the stations speak.
    pub version: Version,
    pub mode: Mode,
    /// Messages of stations that it sees, by the names of the standards.
    pub allow: Vec<String>,
    /// Orders that it may give, by the names of the standards. Empty for a mirror.
    pub obey: Vec<String>,
    pub tokens: Tokens,
    pub meant: Meant,
    /// Messages kept for one station while this CSMS is away.
    pub buffer_max: u32,
    /// It is one of our own network, so its address need not be public.
    pub local: bool,
    /// The authorities that vouch for it, in PEM.
    pub roots: String,
    pub paused: bool,
}

/// How stations prove themselves at a second CSMS. Written, never read by people.
#[derive(Clone, Debug, Default)]
pub struct Proofs {
    /// For every station without one of its own (security profile 2).
    pub password: Option<Secret<Box<str>>>,
    /// For single stations.
    pub of_stations: Vec<(StationId, Secret<Box<str>>)>,
    /// Certificate chain and private key (security profile 3).
    pub identity: Option<(Box<str>, Secret<Box<str>>)>,
}

/// A second CSMS with how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondView {
    pub second: Second,
    pub has_password: bool,
    pub has_identity: bool,
    pub changed: Timestamp,
    /// One for each station that has anything to tell.
    pub stations: Vec<Standing>,
}

/// How one station stands with a second CSMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub station: StationId,
    pub connected: bool,
    /// Waiting to be sent.
    pub buffered: u32,
    pub sent: u64,
    /// Had no room while the CSMS was away.
    pub dropped: u64,
    /// Refused by the CSMS for good.
    pub refused: u64,
    /// Had no place in its version, whole or in part.
    pub lost: u64,
    /// Orders of the CSMS: obeyed, and refused by the policy.
    pub obeyed: u64,
    pub denied: u64,
    pub last_error: Option<String>,
}

/// Whether a policy is sound; otherwise the JSON path and what is wrong there.
pub(crate) fn check(second: &Second) -> Result<(), (&'static str, String)> {
    let wrong = |path, why: &str| Err((path, why.to_owned()));
    let name = second.name.as_bytes();
    if name.is_empty() || name.len() > NAME_MAX || !name.iter().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c))
    {
        return wrong("/name", "1 to 40 letters, digits, dots, dashes and underscores");
    }
    address(&second.address).map_err(|why| ("/address", why.to_owned()))?;
    if second.version.subprotocol().is_none() {
        return wrong("/version", "1.6, 2.0.1 or 2.1");
    }
    if second.allow.is_empty() {
        return wrong("/allow", "at least one message; what is not listed is not copied");
    }
    for one in &second.allow {
        if !action::COPIED.contains(&one.as_str()) {
            return Err(("/allow", format!("{one} is no message that can be copied")));
        }
    }
    if second.mode == Mode::Mirror && !second.obey.is_empty() {
        return wrong("/obey", "a mirror obeys nothing");
    }
    for one in &second.obey {
        if !action::OBEYED.contains(&one.as_str()) {
            return Err(("/obey", format!("{one} is no order that can be relayed")));
        }
    }
    if let Meant::Stations(stations) = &second.meant
        && (stations.is_empty() || stations.len() > STATIONS_MAX)
    {
        return wrong("/stations", "1 to 5000 stations");
    }
    if !(BUFFER_MIN..=BUFFER_MAX).contains(&second.buffer_max) {
        return wrong("/buffer_max", "10 to 100000 messages");
    }
    if !second.roots.contains("-----BEGIN CERTIFICATE-----") || second.roots.len() > PEM_MAX {
        return wrong("/roots", "the authorities that vouch for this CSMS, in PEM");
    }
    Ok(())
}

/// What can be said of an address before its name is resolved; the door judges what it resolves to.
fn address(text: &str) -> Result<(), &'static str> {
    let rest = text.strip_prefix("wss://").ok_or("wss:// and nothing else")?;
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return Err("wss://host[:port][/path], without a user");
    }
    if text.len() > ADDRESS_MAX || !text.bytes().all(|c| c.is_ascii_graphic()) || text.contains(['?', '#', '\\']) {
        return Err("wss://host[:port][/path], at most 500 characters, without a query");
    }
    Ok(())
}

impl Second {
    /// Whether a station's traffic is meant; `None` where its location has to be looked up.
    pub(crate) fn wants(&self, station: &StationId) -> Option<bool> {
        match &self.meant {
            _ if self.paused => Some(false),
            Meant::All => Some(true),
            Meant::Location(_) => None,
            Meant::Stations(stations) => Some(stations.contains(station)),
        }
    }

    /// The same, once the location is known.
    pub(crate) fn wants_at(&self, station: &StationId, location: &LocationId) -> bool {
        self.wants(station).unwrap_or_else(|| matches!(&self.meant, Meant::Location(meant) if meant == location))
    }

    pub(crate) fn allows(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.allow.iter().any(|one| one == name))
    }

    pub(crate) fn obeys(&self, names: &[&str]) -> bool {
        self.mode == Mode::Relay && names.iter().any(|name| self.obey.iter().any(|one| one == name))
    }
}

/// As a name in a path and in a list.
const NAME_MAX: usize = 40;
const ADDRESS_MAX: usize = 500;
/// More than this is meant by a location or by all.
const STATIONS_MAX: usize = 5_000;
/// A transaction alone has this many messages.
const BUFFER_MIN: u32 = 10;
/// A station that sends a message a minute fills this in two months.
const BUFFER_MAX: u32 = 100_000;
/// A bundle of authorities.
pub(crate) const PEM_MAX: usize = 64 * 1024;
/// Second back-ends of one operator: each costs a connection for each of its stations.
pub(crate) const SECONDS_MAX: usize = 16;

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    pub(crate) fn second() -> Second {
        Second {
            name: "fleet".to_owned(),
            address: "wss://csms.example/ocpp".to_owned(),
            version: Version::V16,
            mode: Mode::Mirror,
            allow: vec!["StatusNotification".to_owned()],
            obey: Vec::new(),
            tokens: Tokens::Pseudonym,
            meant: Meant::All,
            buffer_max: 100,
            local: false,
            roots: "-----BEGIN CERTIFICATE-----".to_owned(),
            paused: false,
        }
    }

    #[test]
    fn an_unsound_policy_is_named_by_its_path() {
        assert_eq!(check(&second()), Ok(()));
        let told = |change: fn(&mut Second)| {
            let mut one = second();
            change(&mut one);
            check(&one).unwrap_err().0
        };
        assert_eq!(told(|one| one.name = "a b".to_owned()), "/name");
        for address in ["ws://csms.example", "https://csms.example", "wss://", "wss://u:p@csms.example", "wss://a/b?c"]
        {
            let one = Second { address: address.to_owned(), ..second() };
            assert_eq!(check(&one).unwrap_err().0, "/address", "{address}");
        }
        assert_eq!(told(|one| one.version = Version::S16), "/version");
        assert_eq!(told(|one| one.allow = vec!["NotifyCustomerInformation".to_owned()]), "/allow");
        assert_eq!(told(|one| one.obey = vec!["Reset".to_owned()]), "/obey");
        assert_eq!(
            told(|one| {
                one.mode = Mode::Relay;
                one.obey = vec!["UpdateFirmware".to_owned()];
            }),
            "/obey"
        );
        assert_eq!(told(|one| one.meant = Meant::Stations(Vec::new())), "/stations");
        assert_eq!(told(|one| one.buffer_max = 1), "/buffer_max");
        assert_eq!(told(|one| one.roots = String::new()), "/roots");
    }

    #[test]
    fn a_mirror_obeys_nothing_and_a_paused_one_sees_nothing() {
        let mut one = second();
        one.obey = vec!["Reset".to_owned()];
        assert!(!one.obeys(&["Reset"]));
        one.mode = Mode::Relay;
        assert!(one.obeys(&["Reset"]) && !one.obeys(&["ClearCache"]));
        let station = StationId::new("CP-1").unwrap();
        assert_eq!(one.wants(&station), Some(true));
        one.paused = true;
        assert_eq!(one.wants(&station), Some(false));
    }
}
