//! Requests as values: method, endpoint, rest of the path, query and body, and what kind of errand they are.
//!
//! Nothing here touches a socket. Invariant: `Debug` prints the template of a path and never the path, because a
//! token's uid is part of some.

use std::fmt;

use charge::id::PartyId;
use charge::talk::road::{Denial, OrderKind};

use crate::cross::Noun;
use crate::versions::Version;
use crate::{document, url};

/// The methods of OCPI (2.2.1, 4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// The modules that we speak (OCPI 2.2.1, 6.2.1 `ModuleID`, with those of 2.3.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Module {
    Cdrs,
    ChargingProfiles,
    Commands,
    HubClientInfo,
    Locations,
    Sessions,
    Tariffs,
    Tokens,
    /// From here on 2.3.0 only: their objects are kept and handed on as the documents they are.
    Bookings,
    InvoiceReconciliation,
    Payments,
}

impl Module {
    pub const ALL: [Self; 11] = [
        Self::Cdrs,
        Self::ChargingProfiles,
        Self::Commands,
        Self::HubClientInfo,
        Self::Locations,
        Self::Sessions,
        Self::Tariffs,
        Self::Tokens,
        Self::Bookings,
        Self::InvoiceReconciliation,
        Self::Payments,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cdrs => "cdrs",
            Self::ChargingProfiles => "chargingprofiles",
            Self::Commands => "commands",
            Self::HubClientInfo => "hubclientinfo",
            Self::Locations => "locations",
            Self::Sessions => "sessions",
            Self::Tariffs => "tariffs",
            Self::Tokens => "tokens",
            Self::Bookings => "bookings",
            Self::InvoiceReconciliation => "invoicereconciliation",
            Self::Payments => "payments",
        }
    }

    /// The paper of bookings names its module `Booking`, and its paths say `bookings`.
    pub fn named(word: &str) -> Option<Self> {
        let word = if word.eq_ignore_ascii_case("booking") { Self::Bookings.as_str() } else { word };
        Self::ALL.into_iter().find(|module| module.as_str() == word)
    }

    /// Whether a version has the module.
    pub const fn is_in(self, version: Version) -> bool {
        match self {
            Self::Cdrs | Self::Commands | Self::Locations | Self::Sessions | Self::Tariffs | Self::Tokens => true,
            Self::ChargingProfiles | Self::HubClientInfo => !matches!(version, Version::V211),
            Self::Bookings | Self::InvoiceReconciliation | Self::Payments => matches!(version, Version::V230),
        }
    }

    /// Whether its objects are kept and handed on as the documents they are.
    pub const fn is_shelf(self) -> bool {
        matches!(self, Self::Bookings | Self::InvoiceReconciliation | Self::Payments)
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
    Reserve,
    CancelReservation,
    Outcome,
    SetProfile,
    ClearProfile,
    ShowProfile,
    ProfileOutcome,
    /// What a running session plans to draw.
    Plan,
    PutSession,
    PatchSession,
    Preferences,
    PostCdr,
    PutLocation,
    PatchLocation,
    /// `PUT` or `PATCH` of one EVSE.
    Evse,
    /// `PUT` or `PATCH` of one connector.
    Connector,
    PutTariff,
    PatchTariff,
    DropTariff,
    PutToken,
    PatchToken,
    Locations,
    OneLocation,
    Tariffs,
    Sessions,
    Cdrs,
    Tokens,
    /// Back what was pushed to us (from here to `KeptToken`).
    KeptLocation,
    KeptTariff,
    KeptSession,
    KeptCdr,
    KeptToken,
    Clients,
    PutClient,
    KeptClient,
    Documents,
    OneDocument,
    /// `PUT`, `POST` or `PATCH` of a document of 2.3.0.
    PutDocument,
    DropDocument,
    /// Documents too, for a hub: [`crate::booking::letter`] names them for operators and providers (from here on).
    BookingLocations,
    OneBookingLocation,
    Bookings,
    RequestBooking,
    PutBooking,
    PatchBooking,
    KeptBooking,
}

impl Kind {
    pub const ALL: [Self; 50] = [
        Self::MayCharge,
        Self::Start,
        Self::Stop,
        Self::Unlock,
        Self::Reserve,
        Self::CancelReservation,
        Self::Outcome,
        Self::SetProfile,
        Self::ClearProfile,
        Self::ShowProfile,
        Self::ProfileOutcome,
        Self::Plan,
        Self::PutSession,
        Self::PatchSession,
        Self::Preferences,
        Self::PostCdr,
        Self::PutLocation,
        Self::PatchLocation,
        Self::Evse,
        Self::Connector,
        Self::PutTariff,
        Self::PatchTariff,
        Self::DropTariff,
        Self::PutToken,
        Self::PatchToken,
        Self::Locations,
        Self::OneLocation,
        Self::Tariffs,
        Self::Sessions,
        Self::Cdrs,
        Self::Tokens,
        Self::KeptLocation,
        Self::KeptTariff,
        Self::KeptSession,
        Self::KeptCdr,
        Self::KeptToken,
        Self::Clients,
        Self::PutClient,
        Self::KeptClient,
        Self::Documents,
        Self::OneDocument,
        Self::PutDocument,
        Self::DropDocument,
        Self::BookingLocations,
        Self::OneBookingLocation,
        Self::Bookings,
        Self::RequestBooking,
        Self::PutBooking,
        Self::PatchBooking,
        Self::KeptBooking,
    ];

    /// The template of the request, for logs and figures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MayCharge => "POST tokens/{uid}/authorize",
            Self::Start => "POST commands/START_SESSION",
            Self::Stop => "POST commands/STOP_SESSION",
            Self::Unlock => "POST commands/UNLOCK_CONNECTOR",
            Self::Reserve => "POST commands/RESERVE_NOW",
            Self::CancelReservation => "POST commands/CANCEL_RESERVATION",
            Self::Outcome => "POST response_url",
            Self::SetProfile => "PUT chargingprofiles",
            Self::ClearProfile => "DELETE chargingprofiles",
            Self::ShowProfile => "GET chargingprofiles",
            Self::ProfileOutcome => "POST response_url of a profile",
            Self::Plan => "PUT chargingprofiles at the sender",
            Self::PutSession => "PUT sessions",
            Self::PatchSession => "PATCH sessions",
            Self::Preferences => "PUT sessions/charging_preferences",
            Self::PostCdr => "POST cdrs",
            Self::PutLocation => "PUT locations",
            Self::PatchLocation => "PATCH locations",
            Self::Evse => "PATCH locations/{evse}",
            Self::Connector => "PATCH locations/{evse}/{connector}",
            Self::PutTariff => "PUT tariffs",
            Self::PatchTariff => "PATCH tariffs",
            Self::DropTariff => "DELETE tariffs",
            Self::PutToken => "PUT tokens",
            Self::PatchToken => "PATCH tokens",
            Self::Locations => "GET locations",
            Self::OneLocation => "GET locations/{id}",
            Self::Tariffs => "GET tariffs",
            Self::Sessions => "GET sessions",
            Self::Cdrs => "GET cdrs",
            Self::Tokens => "GET tokens",
            Self::KeptLocation => "GET kept locations/{id}",
            Self::KeptTariff => "GET kept tariffs/{id}",
            Self::KeptSession => "GET kept sessions/{id}",
            Self::KeptCdr => "GET kept cdrs/{id}",
            Self::KeptToken => "GET kept tokens/{uid}",
            Self::Clients => "GET hubclientinfo",
            Self::PutClient => "PUT hubclientinfo",
            Self::KeptClient => "GET kept hubclientinfo",
            Self::Documents => "GET documents",
            Self::OneDocument => "GET documents/{id}",
            Self::PutDocument => "PUT documents",
            Self::DropDocument => "DELETE documents",
            Self::BookingLocations => "GET bookings/booking_locations",
            Self::OneBookingLocation => "GET bookings/booking_locations/{id}",
            Self::Bookings => "GET bookings",
            Self::RequestBooking => "POST bookings",
            Self::PutBooking => "PUT bookings",
            Self::PatchBooking => "PATCH bookings",
            Self::KeptBooking => "GET kept bookings/{id}",
        }
    }

    /// What its body is, as far as versions differ in it.
    /// Whether a version knows such a request, in a module that it has: 2.1.1 cannot cancel a reservation.
    pub const fn is_in(self, version: Version) -> bool {
        !matches!((self, version), (Self::CancelReservation, Version::V211))
    }

    pub const fn noun_in(self) -> Noun {
        match self {
            Self::Start | Self::Reserve => Noun::TokenOrder,
            Self::PutSession | Self::PatchSession => Noun::Session,
            Self::PostCdr => Noun::Cdr,
            Self::PutLocation | Self::PatchLocation => Noun::Location,
            Self::Evse => Noun::Evse,
            Self::Connector => Noun::Connector,
            Self::PutTariff | Self::PatchTariff => Noun::Tariff,
            Self::PutToken | Self::PatchToken => Noun::Token,
            Self::Outcome => Noun::Outcome,
            Self::MayCharge
            | Self::Stop
            | Self::Unlock
            | Self::CancelReservation
            | Self::SetProfile
            | Self::ClearProfile
            | Self::ShowProfile
            | Self::ProfileOutcome
            | Self::Plan
            | Self::Preferences
            | Self::DropTariff
            | Self::Locations
            | Self::OneLocation
            | Self::Tariffs
            | Self::Sessions
            | Self::Cdrs
            | Self::Tokens
            | Self::KeptLocation
            | Self::KeptTariff
            | Self::KeptSession
            | Self::KeptCdr
            | Self::KeptToken
            | Self::Clients
            | Self::PutClient
            | Self::KeptClient
            | Self::Documents
            | Self::OneDocument
            | Self::PutDocument
            | Self::DropDocument
            | Self::BookingLocations
            | Self::OneBookingLocation
            | Self::Bookings
            | Self::RequestBooking
            | Self::PutBooking
            | Self::PatchBooking
            | Self::KeptBooking => Noun::Plain,
        }
    }

    /// What its answer's data is, or its items are.
    pub const fn noun_out(self) -> Noun {
        match self {
            Self::MayCharge => Noun::Verdict,
            Self::Locations | Self::OneLocation | Self::KeptLocation => Noun::Location,
            Self::Tariffs | Self::KeptTariff => Noun::Tariff,
            Self::Sessions | Self::KeptSession => Noun::Session,
            Self::Cdrs | Self::KeptCdr => Noun::Cdr,
            Self::Tokens | Self::KeptToken => Noun::Token,
            Self::Start | Self::Stop | Self::Unlock | Self::Reserve | Self::CancelReservation => Noun::Ack,
            Self::Outcome
            | Self::SetProfile
            | Self::ClearProfile
            | Self::ShowProfile
            | Self::ProfileOutcome
            | Self::Plan
            | Self::PutSession
            | Self::PatchSession
            | Self::Preferences
            | Self::PostCdr
            | Self::PutLocation
            | Self::PatchLocation
            | Self::Evse
            | Self::Connector
            | Self::PutTariff
            | Self::PatchTariff
            | Self::DropTariff
            | Self::PutToken
            | Self::PatchToken
            | Self::Clients
            | Self::PutClient
            | Self::KeptClient
            | Self::Documents
            | Self::OneDocument
            | Self::PutDocument
            | Self::DropDocument
            | Self::BookingLocations
            | Self::OneBookingLocation
            | Self::Bookings
            | Self::RequestBooking
            | Self::PutBooking
            | Self::PatchBooking
            | Self::KeptBooking => Noun::Plain,
        }
    }

    pub const fn order(self) -> Option<OrderKind> {
        match self {
            Self::Start => Some(OrderKind::Start),
            Self::Stop => Some(OrderKind::Stop),
            Self::Unlock => Some(OrderKind::Unlock),
            Self::Reserve => Some(OrderKind::Reserve),
            Self::CancelReservation => Some(OrderKind::CancelReservation),
            Self::SetProfile | Self::ClearProfile | Self::ShowProfile => Some(OrderKind::Profile),
            _no_order => None,
        }
    }

    /// A change of a part, which needs the whole to be understood.
    pub const fn is_part(self) -> bool {
        matches!(
            self,
            Self::PatchSession
                | Self::PatchLocation
                | Self::Evse
                | Self::Connector
                | Self::PatchTariff
                | Self::PatchToken
                | Self::PatchBooking
        )
    }
}

/// The name of an order in a path (OCPI 2.2.1, 13.4.3 `CommandType`); profiles have a word of ours, in our own
/// return addresses only.
pub const fn order_word(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Start => "START_SESSION",
        OrderKind::Stop => "STOP_SESSION",
        OrderKind::Unlock => "UNLOCK_CONNECTOR",
        OrderKind::Reserve => "RESERVE_NOW",
        OrderKind::CancelReservation => "CANCEL_RESERVATION",
        OrderKind::Profile => "CHARGING_PROFILE",
    }
}

/// The module that an order's outcome comes back to.
pub const fn order_module(kind: OrderKind) -> Module {
    match kind {
        OrderKind::Profile => Module::ChargingProfiles,
        OrderKind::Start | OrderKind::Stop | OrderKind::Unlock | OrderKind::Reserve | OrderKind::CancelReservation => {
            Module::Commands
        }
    }
}

/// A request that came in, up to its body: what permission is judged on.
#[derive(Clone)]
pub struct Incoming {
    pub version: Version,
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
    pub fn new(
        version: Version,
        method: Method,
        (module, side): (Module, Side),
        rest: &str,
        query: &str,
    ) -> Result<Self, Denial> {
        let raw = rest.split('/').filter(|segment| !segment.is_empty());
        let segments: Option<Vec<String>> = raw.map(url::decode).collect();
        let query: Option<Vec<_>> = url::pairs(query);
        let (segments, query) = segments.zip(query).ok_or_else(|| Denial::Malformed {
            path: "".into(),
            why: "the URL is not properly percent-encoded".into(),
        })?;
        let texts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let kind = kind(version, method, (module, side), &texts)?;
        Ok(Self { version, method, module, side, kind, segments, query })
    }

    /// The same object, put whole: what a change of a part comes to once the whole is known.
    #[must_use]
    pub fn as_put(&self) -> Self {
        let kind = match self.module {
            Module::Sessions => Kind::PutSession,
            Module::Tariffs => Kind::PutTariff,
            Module::Tokens => Kind::PutToken,
            Module::Bookings => Kind::PutBooking,
            _locations => Kind::PutLocation,
        };
        let segments = self.segments.iter().take(3).cloned().collect();
        Self { kind, segments, method: Method::Put, ..self.clone() }
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The party that the URL names as the owner of the object (OCPI 2.2.1, 4.1.10, client owned objects).
    pub fn owner(&self) -> Option<Result<PartyId, Denial>> {
        let owned = self.side == Side::Receiver
            && self.segments.len() > 2
            && matches!(
                self.module,
                Module::Locations
                    | Module::Sessions
                    | Module::Tariffs
                    | Module::Tokens
                    | Module::InvoiceReconciliation
                    | Module::Bookings
            );
        let (country, code) = (self.segments.first()?, self.segments.get(1)?);
        owned.then(|| PartyId::new(country, code).map_err(|_| Denial::UnknownObject))
    }
}

/// Unknown paths are unknown objects; known paths with another method are not supported.
fn kind(version: Version, method: Method, (module, side): (Module, Side), segments: &[&str]) -> Result<Kind, Denial> {
    if module.is_shelf() {
        return document::kind(method, segments);
    }
    let kinds = match side {
        Side::Sender => sender_kinds(module, segments),
        Side::Receiver => receiver_kinds(module, segments),
    };
    let kinds = kinds.ok_or(Denial::UnknownObject)?;
    let kind = kinds.iter().find(|(each, _)| *each == method).map(|(_, kind)| *kind);
    // a tariff is changed in part in 2.1.1 only
    kind.filter(|kind| *kind != Kind::PatchTariff || version == Version::V211).ok_or(Denial::NotSupported)
}

type Kinds = Option<&'static [(Method, Kind)]>;

fn sender_kinds(module: Module, segments: &[&str]) -> Kinds {
    use Method::{Get, Post, Put};
    Some(match (module, segments) {
        (Module::Locations, []) => &[(Get, Kind::Locations)],
        (Module::Locations, [_] | [_, _] | [_, _, _]) => &[(Get, Kind::OneLocation)],
        (Module::Tariffs, []) => &[(Get, Kind::Tariffs)],
        (Module::Sessions, []) => &[(Get, Kind::Sessions)],
        (Module::Sessions, [_, "charging_preferences"]) => &[(Put, Kind::Preferences)],
        (Module::Cdrs, []) => &[(Get, Kind::Cdrs)],
        (Module::Tokens, []) => &[(Get, Kind::Tokens)],
        (Module::Tokens, [_, "authorize"]) => &[(Post, Kind::MayCharge)],
        (Module::Commands, [_, _]) => &[(Post, Kind::Outcome)],
        (Module::ChargingProfiles, [_]) => &[(Put, Kind::Plan)],
        (Module::ChargingProfiles, [_, _]) => &[(Post, Kind::ProfileOutcome)],
        (Module::HubClientInfo, []) => &[(Get, Kind::Clients)],
        (_, []) => &[],
        (_, _) => return None,
    })
}

fn receiver_kinds(module: Module, segments: &[&str]) -> Kinds {
    use Method::{Delete, Get, Patch, Post, Put};
    Some(match (module, segments) {
        (Module::Commands, ["START_SESSION"]) => &[(Post, Kind::Start)],
        (Module::Commands, ["STOP_SESSION"]) => &[(Post, Kind::Stop)],
        (Module::Commands, ["UNLOCK_CONNECTOR"]) => &[(Post, Kind::Unlock)],
        (Module::Commands, ["RESERVE_NOW"]) => &[(Post, Kind::Reserve)],
        (Module::Commands, ["CANCEL_RESERVATION"]) => &[(Post, Kind::CancelReservation)],
        (Module::ChargingProfiles, [_]) => {
            &[(Put, Kind::SetProfile), (Delete, Kind::ClearProfile), (Get, Kind::ShowProfile)]
        }
        (Module::Cdrs, []) => &[(Post, Kind::PostCdr)],
        (Module::Cdrs, [_]) => &[(Get, Kind::KeptCdr)],
        (Module::Sessions, [_, _, _]) => {
            &[(Put, Kind::PutSession), (Patch, Kind::PatchSession), (Get, Kind::KeptSession)]
        }
        (Module::Locations, [_, _, _]) => {
            &[(Put, Kind::PutLocation), (Patch, Kind::PatchLocation), (Get, Kind::KeptLocation)]
        }
        (Module::Locations, [_, _, _, _]) => &[(Put, Kind::Evse), (Patch, Kind::Evse), (Get, Kind::KeptLocation)],
        (Module::Locations, [_, _, _, _, _]) => {
            &[(Put, Kind::Connector), (Patch, Kind::Connector), (Get, Kind::KeptLocation)]
        }
        (Module::Tariffs, [_, _, _]) => {
            &[(Put, Kind::PutTariff), (Patch, Kind::PatchTariff), (Delete, Kind::DropTariff), (Get, Kind::KeptTariff)]
        }
        (Module::Tokens, [_, _, _]) => &[(Put, Kind::PutToken), (Patch, Kind::PatchToken), (Get, Kind::KeptToken)],
        (Module::HubClientInfo, [_, _]) => &[(Put, Kind::PutClient), (Get, Kind::KeptClient)],
        (Module::Commands, [_]) | (_, []) => &[],
        (_, _) => return None,
    })
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
