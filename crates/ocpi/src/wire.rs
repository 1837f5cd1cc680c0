//! Requests as values: method, endpoint, rest of the path, query and body, and what kind of errand they are.
//!
//! Nothing here touches a socket. Invariant: `Debug` prints the template of a path and never the path, because a
//! token's uid is part of some.

use std::fmt;

use charge::id::PartyId;
use charge::talk::road::{Denial, OrderKind};

use crate::url;

/// The methods of OCPI (2.2.1, 4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// The modules that we speak (OCPI 2.2.1, 6.2.1 `ModuleID`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Module {
    Cdrs,
    Commands,
    Locations,
    Sessions,
    Tariffs,
    Tokens,
}

impl Module {
    pub const ALL: [Self; 6] =
        [Self::Cdrs, Self::Commands, Self::Locations, Self::Sessions, Self::Tariffs, Self::Tokens];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cdrs => "cdrs",
            Self::Commands => "commands",
            Self::Locations => "locations",
            Self::Sessions => "sessions",
            Self::Tariffs => "tariffs",
            Self::Tokens => "tokens",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|module| module.as_str() == word)
    }
}

/// Which interface of a module (OCPI 2.2.1, 6.2.2 `InterfaceRole`): the owner of the data serves the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Sender,
    Receiver,
}

impl Side {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "SENDER",
            Self::Receiver => "RECEIVER",
        }
    }

    /// As a path segment.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Receiver => "receiver",
        }
    }
}

/// Where a request goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// An endpoint of the other side, and what follows it: empty, or segments that each begin with a slash.
    Endpoint { module: Module, side: Side, rest: String },
    /// A return address, used as it is.
    Address(String),
}

/// A request that is ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub target: Target,
    /// Without the question mark, already encoded; empty for none.
    pub query: String,
    pub body: Option<String>,
    pub kind: Kind,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:?} {})", self.method, self.kind.as_str())
    }
}

/// What kind of errand a request is, read from its method and path alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    MayCharge,
    Start,
    Stop,
    Unlock,
    Outcome,
    PutSession,
    PatchSession,
    PostCdr,
    PutLocation,
    PatchLocation,
    /// `PUT` or `PATCH` of one EVSE.
    Evse,
    PutTariff,
    DropTariff,
    PutToken,
    PatchToken,
    Locations,
    Tariffs,
}

impl Kind {
    pub const ALL: [Self; 17] = [
        Self::MayCharge,
        Self::Start,
        Self::Stop,
        Self::Unlock,
        Self::Outcome,
        Self::PutSession,
        Self::PatchSession,
        Self::PostCdr,
        Self::PutLocation,
        Self::PatchLocation,
        Self::Evse,
        Self::PutTariff,
        Self::DropTariff,
        Self::PutToken,
        Self::PatchToken,
        Self::Locations,
        Self::Tariffs,
    ];

    /// The template of the request, for logs and figures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MayCharge => "POST tokens/{uid}/authorize",
            Self::Start => "POST commands/START_SESSION",
            Self::Stop => "POST commands/STOP_SESSION",
            Self::Unlock => "POST commands/UNLOCK_CONNECTOR",
            Self::Outcome => "POST response_url",
            Self::PutSession => "PUT sessions",
            Self::PatchSession => "PATCH sessions",
            Self::PostCdr => "POST cdrs",
            Self::PutLocation => "PUT locations",
            Self::PatchLocation => "PATCH locations",
            Self::Evse => "PATCH locations/{evse}",
            Self::PutTariff => "PUT tariffs",
            Self::DropTariff => "DELETE tariffs",
            Self::PutToken => "PUT tokens",
            Self::PatchToken => "PATCH tokens",
            Self::Locations => "GET locations",
            Self::Tariffs => "GET tariffs",
        }
    }

    pub const fn order(self) -> Option<OrderKind> {
        match self {
            Self::Start => Some(OrderKind::Start),
            Self::Stop => Some(OrderKind::Stop),
            Self::Unlock => Some(OrderKind::Unlock),
            Self::MayCharge
            | Self::Outcome
            | Self::PutSession
            | Self::PatchSession
            | Self::PostCdr
            | Self::PutLocation
            | Self::PatchLocation
            | Self::Evse
            | Self::PutTariff
            | Self::DropTariff
            | Self::PutToken
            | Self::PatchToken
            | Self::Locations
            | Self::Tariffs => None,
        }
    }
}

/// The name of an order in a path (OCPI 2.2.1, 13.4.3 `CommandType`).
pub const fn order_word(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Start => "START_SESSION",
        OrderKind::Stop => "STOP_SESSION",
        OrderKind::Unlock => "UNLOCK_CONNECTOR",
    }
}

/// A request that came in, up to its body: what permission is judged on.
#[derive(Clone)]
pub struct Incoming {
    pub method: Method,
    pub module: Module,
    pub side: Side,
    pub kind: Kind,
    /// What follows the endpoint, decoded.
    pub segments: Vec<String>,
    /// Decoded.
    pub query: Vec<(String, String)>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:?} {})", self.method, self.kind.as_str())
    }
}

impl Incoming {
    /// `rest` is the raw path after the endpoint, `query` the raw query.
    pub fn new(method: Method, module: Module, side: Side, rest: &str, query: &str) -> Result<Self, Denial> {
        let raw = rest.split('/').filter(|segment| !segment.is_empty());
        let segments: Option<Vec<String>> = raw.map(url::decode).collect();
        let query: Option<Vec<_>> = url::pairs(query);
        let (segments, query) = segments.zip(query).ok_or_else(|| Denial::Malformed {
            path: "".into(),
            why: "the URL is not properly percent-encoded".into(),
        })?;
        let texts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let kind = kind(method, module, side, &texts)?;
        Ok(Self { method, module, side, kind, segments, query })
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The party that the URL names as the owner of the object (OCPI 2.2.1, 4.1.10, client owned objects).
    pub fn owner(&self) -> Option<Result<PartyId, Denial>> {
        let owned = self.side == Side::Receiver
            && matches!(self.module, Module::Locations | Module::Sessions | Module::Tariffs | Module::Tokens);
        let (country, code) = (self.segments.first()?, self.segments.get(1)?);
        owned.then(|| PartyId::new(country, code).map_err(|_| Denial::UnknownObject))
    }
}

/// Unknown paths are unknown objects; known paths with another method are not supported.
fn kind(method: Method, module: Module, side: Side, segments: &[&str]) -> Result<Kind, Denial> {
    use Method::{Delete, Get, Patch, Post, Put};
    let kinds: &[(Method, Kind)] = match (side, module, segments) {
        (Side::Sender, Module::Locations, []) => &[(Get, Kind::Locations)],
        (Side::Sender, Module::Tariffs, []) => &[(Get, Kind::Tariffs)],
        (Side::Sender, Module::Tokens, [_, "authorize"]) => &[(Post, Kind::MayCharge)],
        (Side::Sender, Module::Commands, [_, _]) => &[(Post, Kind::Outcome)],
        (Side::Receiver, Module::Commands, ["START_SESSION"]) => &[(Post, Kind::Start)],
        (Side::Receiver, Module::Commands, ["STOP_SESSION"]) => &[(Post, Kind::Stop)],
        (Side::Receiver, Module::Commands, ["UNLOCK_CONNECTOR"]) => &[(Post, Kind::Unlock)],
        (Side::Receiver, Module::Cdrs, []) => &[(Post, Kind::PostCdr)],
        (Side::Receiver, Module::Sessions, [_, _, _]) => &[(Put, Kind::PutSession), (Patch, Kind::PatchSession)],
        (Side::Receiver, Module::Locations, [_, _, _]) => &[(Put, Kind::PutLocation), (Patch, Kind::PatchLocation)],
        (Side::Receiver, Module::Locations, [_, _, _, _]) => &[(Put, Kind::Evse), (Patch, Kind::Evse)],
        (Side::Receiver, Module::Tariffs, [_, _, _]) => &[(Put, Kind::PutTariff), (Delete, Kind::DropTariff)],
        (Side::Receiver, Module::Tokens, [_, _, _]) => &[(Put, Kind::PutToken), (Patch, Kind::PatchToken)],
        (Side::Receiver, Module::Commands | Module::Cdrs, [_]) => &[],
        (Side::Sender | Side::Receiver, _, []) => &[],
        (Side::Sender | Side::Receiver, _, _) => return Err(Denial::UnknownObject),
    };
    kinds.iter().find(|(each, _)| *each == method).map(|(_, kind)| *kind).ok_or(Denial::NotSupported)
}

/// A response as it goes out or came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub http: u16,
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The headers of a paged answer (OCPI 2.2.1, 4.1.3.2).
pub const LINK: &str = "link";
pub const TOTAL: &str = "x-total-count";
pub const LIMIT: &str = "x-limit";
/// The URL of a kept CDR (OCPI 2.2.1, 10.2.2.2).
pub const LOCATION: &str = "location";

/// The headers that a [`Reply`] is read with.
pub const READ_HEADERS: [&str; 4] = [LINK, TOTAL, LIMIT, LOCATION];
