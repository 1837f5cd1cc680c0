//! The road: what the parties of the network say to each other (OCPI, OICP, OCHP).
//!
//! Operators and providers speak in [`Letter`]s and know one neighbour, their hub. A hub reads the
//! [`Envelope`] only: who, to whom, what kind of errand. It forwards the content as the bytes it came as.

pub mod booking;
pub mod evses;

use std::fmt;

use crate::id::{
    AuthorizationReference, CdrId, ConnectorId, CorrelationId, EvseUid, LocationId, OrderId, PartyId, SessionId,
    TariffId,
};
use crate::place::{EvseStatus, Location};
use crate::record::{Cdr, Session};
use crate::talk::road::booking::{BookingAnswer, BookingQuestion};
use crate::talk::road::evses::EvseIndex;
use crate::talk::thrift::Thrift;
use crate::tariff::Tariff;
use crate::token::{IssuedToken, PresentedToken, Verdict};
use crate::{Soon, Timestamp};

/// A question on its way, or a notice that wants an acknowledgement.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    pub from: PartyId,
    /// `None`: whoever it concerns; the hub finds out (OCPI "open routing request").
    pub to: Option<PartyId>,
    /// Kept over all hops.
    pub correlation: CorrelationId,
    pub question: Question,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// May this token charge? Asked without a place: nobody learns where before saying that the token is theirs.
    MayCharge {
        token: PresentedToken,
    },
    /// Remote start. The outcome comes later as [`Question::Outcome`].
    Start(StartOrder),
    Stop {
        order: OrderId,
        return_to: Option<ReturnAddress>,
        session: SessionId,
    },
    Unlock {
        order: OrderId,
        return_to: Option<ReturnAddress>,
        location: LocationId,
        evse: EvseUid,
        connector: ConnectorId,
    },
    /// What became of an order. Outgoing it needs `return_to`, incoming it names the `order`.
    Outcome {
        order: Option<OrderId>,
        return_to: Option<ReturnAddress>,
        result: OrderResult,
        message: Option<String>,
    },
    PutSession(Box<Session>),
    /// Answered with [`Answer::Kept`]. The same CDR twice is kept once.
    PostCdr(Box<Cdr>),
    PutLocation(Box<Location>),
    /// One EVSE changed its status.
    PatchEvse {
        location: LocationId,
        evse: EvseUid,
        status: EvseStatus,
        at: Timestamp,
    },
    PutTariff(Box<Tariff>),
    DropTariff(TariffId),
    PutToken(Box<IssuedToken>),
    /// Everything that changed since then, oldest first.
    Locations(PageWish),
    Tariffs(PageWish),
    /// One object, or a list of what belongs to the asking party. Answered with [`Answer::Found`].
    Fetch(Wanted),
    /// Make or give up a reservation. Answered like any order.
    Reservation(ReservationOrder),
    /// Slow down, or look at, a running session. Answered like any order; the station's word comes later as
    /// [`Question::ProfileOutcome`].
    Profile(ProfileOrder),
    /// What the station said to an order about power (OCPI 2.2.1, 14.4.2.1). Outgoing it needs `return_to`, incoming
    /// it names the `order`. Where the station said nothing, nothing is told: the time that was promised runs out.
    ProfileOutcome {
        order: Option<OrderId>,
        return_to: Option<ReturnAddress>,
        result: ProfileResult,
        /// What is planned, where that was asked for and is known.
        plan: Option<Box<ActiveProfile>>,
    },
    /// What a session will draw has changed, and not because its provider asked (OCPI 2.2.1, 14.4.2.2).
    Plan {
        session: SessionId,
        plan: Box<ActiveProfile>,
    },
    /// A time at a charging point, promised before somebody comes (OCPI 2.3.0, Bookings 1.1). Answered with
    /// [`Answer::Booking`].
    Booking(BookingQuestion),
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageWish {
    /// Inclusive (OCPI 2.2.1, 4.1.3.1 `date_from`).
    pub changed_since: Option<Timestamp>,
    /// Exclusive (`date_to`).
    pub changed_before: Option<Timestamp>,
    pub offset: u32,
    /// Zero leaves the size of the page to the answering side.
    pub limit: u32,
}

/// What a `GET` asks for besides public lists. Whoever answers shows a party its own sessions, CDRs and tokens alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    Sessions(PageWish),
    Cdrs(PageWish),
    Tokens(PageWish),
    Location { owner: PartyId, id: LocationId },
    Tariff { owner: PartyId, id: TariffId },
    Session { owner: PartyId, id: SessionId },
    Cdr { owner: PartyId, id: CdrId },
    Token { owner: PartyId, token: PresentedToken },
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Sessions(Page<Session>),
    Cdrs(Page<Cdr>),
    Tokens(Page<IssuedToken>),
    Location(Location),
    Tariff(Tariff),
    Session(Session),
    Cdr(Box<Cdr>),
    Token(IssuedToken),
}

/// An order about a reservation (OCPI 2.2.1, 13.3.4 `ReserveNow`, 13.3.1 `CancelReservation`).
#[derive(Clone, Debug, PartialEq)]
pub struct ReservationOrder {
    pub order: OrderId,
    pub return_to: Option<ReturnAddress>,
    /// The giver's name for it, at most 36 characters: two givers may use the same one.
    pub reservation: Box<str>,
    pub wish: ReservationWish,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReservationWish {
    Make {
        token: Box<IssuedToken>,
        until: Timestamp,
        location: LocationId,
        evse: Option<EvseUid>,
        reference: Option<AuthorizationReference>,
    },
    Cancel,
}

/// An order about the power of a running session (OCPI 2.2.1, module 14).
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileOrder {
    pub order: OrderId,
    pub return_to: Option<ReturnAddress>,
    pub session: SessionId,
    pub wish: ProfileWish,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ProfileWish {
    Set(PowerProfile),
    Clear,
    /// What is planned for so many seconds.
    Show {
        duration_s: u32,
    },
}

/// The most that a session may draw, over time (OCPI 2.2.1, 14.6.3 `ChargingProfile`).
#[derive(Clone, Debug, PartialEq)]
pub struct PowerProfile {
    /// `None`: from the moment that the session began.
    pub start: Option<Timestamp>,
    /// `None`: its last period holds until the session ends.
    pub duration_s: Option<u32>,
    pub unit: ProfileUnit,
    /// Below this the car charges badly.
    pub min_rate: Option<rust_decimal::Decimal>,
    /// Seconds after the start, and the limit from then on.
    pub periods: Vec<(u32, rust_decimal::Decimal)>,
}

/// OCPI 2.2.1, 14.6.2 `ChargingRateUnit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileUnit {
    /// All phases together.
    Watts,
    /// Each phase.
    Amperes,
}

impl ProfileUnit {
    /// The spelling of OCPI, which rows and pages use as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watts => "W",
            Self::Amperes => "A",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        [Self::Watts, Self::Amperes].into_iter().find(|unit| unit.as_str() == text)
    }
}

/// What a station plans, as it has worked it out of everything that limits it (OCPI 2.2.1, 14.6.1
/// `ActiveChargingProfile`).
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveProfile {
    /// When it was worked out; the periods count from here.
    pub calculated: Timestamp,
    pub profile: PowerProfile,
}

/// What the station said to an order about power (OCPI 2.2.1, 14.6.6 `ChargingProfileResultType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileResult {
    Accepted,
    Rejected,
    /// It found no profile that the order could be about.
    Unknown,
}

impl ProfileResult {
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Rejected, Self::Unknown];

    /// The spelling of OCPI, which rows use as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Unknown => "UNKNOWN",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.as_str() == text)
    }
}

/// OCPI 2.2.1, 14.3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    pub party: PartyId,
    /// As written: `CPO`, `EMSP` and whatever comes later.
    pub role: Box<str>,
    pub status: ClientStatus,
    pub last_updated: Timestamp,
}

/// What one party is to be told of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientNews {
    /// Names it to [`Exchange::client_told`].
    pub number: i64,
    /// This one included.
    pub tries: i64,
    pub to: PartyId,
    pub client: ClientInfo,
}

/// OCPI 2.2.1, 14.4.1 `ConnectionStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStatus {
    Connected,
    Offline,
    Planned,
    Suspended,
}

impl ClientStatus {
    pub const ALL: [Self; 4] = [Self::Connected, Self::Offline, Self::Planned, Self::Suspended];

    /// The spelling of OCPI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "CONNECTED",
            Self::Offline => "OFFLINE",
            Self::Planned => "PLANNED",
            Self::Suspended => "SUSPENDED",
        }
    }
}

/// A remote start (OCPI 2.2.1, 13.3.5 `StartSession`).
#[derive(Clone, Debug, PartialEq)]
pub struct StartOrder {
    pub order: OrderId,
    /// Filled where the order is received; where it is sent the door makes one from `order`.
    pub return_to: Option<ReturnAddress>,
    /// Already authorised by its provider. At level L2 a one-time id of kind `AdHocUser`.
    pub token: IssuedToken,
    pub location: LocationId,
    pub evse: Option<EvseUid>,
    pub connector: Option<ConnectorId>,
    pub reference: Option<AuthorizationReference>,
}

/// Where an order's outcome is to be sent (OCPI `response_url`): kept by the receiver of the order, meaningful to
/// the door alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress(pub String);

/// The answer that an order gets at once (OCPI 2.2.1, 13.4.2 `CommandResponseType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAck {
    /// Passed on; the outcome is owed within so many seconds.
    Accepted {
        outcome_within_s: u32,
    },
    Rejected,
    NotSupported,
    UnknownSession,
    /// Of an order about power: asked again too soon (OCPI 2.2.1, 14.6.5).
    TooOften,
}

/// What became of an order (OCPI 2.2.1, 13.4.1 `CommandResultType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderResult {
    Accepted,
    Failed,
    NotSupported,
    Rejected,
    TimedOut,
    EvseOccupied,
    EvseInoperative,
    UnknownReservation,
}

impl OrderResult {
    /// The spelling of OCPI, which rows and pages use as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Failed => "FAILED",
            Self::NotSupported => "NOT_SUPPORTED",
            Self::Rejected => "REJECTED",
            Self::TimedOut => "TIMEOUT",
            Self::EvseOccupied => "EVSE_OCCUPIED",
            Self::EvseInoperative => "EVSE_INOPERATIVE",
            Self::UnknownReservation => "UNKNOWN_RESERVATION",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    May(Verdict),
    Order {
        ack: OrderAck,
        message: Option<String>,
    },
    /// A CDR is kept under this id.
    Kept(CdrId),
    Noted,
    Locations(Page<Location>),
    Tariffs(Page<Tariff>),
    Found(Box<Found>),
    Booking(BookingAnswer),
}

/// What the objects of one page may have together, in bytes as they are kept: half of the longest response that a peer
/// of ours reads, because another version of the protocol may say the same at more length.
pub const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How many of the objects with these sizes, from the first on, make a page: always one, so that a list has an end.
pub fn on_one_page(sizes: impl IntoIterator<Item = usize>) -> usize {
    let mut together = 0_usize;
    let fits = |(place, size): &(usize, usize)| {
        together = together.saturating_add(*size);
        *place == 0 || together <= PAGE_BYTES_MAX
    };
    sizes.into_iter().enumerate().take_while(fits).count()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u32,
    /// The offset to go on with; `None` on the last page.
    pub next: Option<u32>,
    /// Items that could not be read, each with the JSON path and why. The rest of the page stands.
    pub complaints: Vec<String>,
}

/// Why the asked party cannot answer; each has its OCPI status code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// 2001: a field is wrong; JSON path and why, without the value.
    Malformed {
        path: Box<str>,
        why: Box<str>,
    },
    /// 2002: understood, something needed is not there.
    Incomplete(Box<str>),
    /// 2003.
    UnknownLocation,
    /// 2004 with HTTP 404.
    UnknownToken,
    /// HTTP 404: no such object of that party.
    UnknownObject,
    /// HTTP 401/403 or 2001: the object is not the asking party's.
    NotYours,
    /// 4001: the hub knows no such receiver.
    UnknownReceiver,
    /// 4002: the receiver did not answer the hub in time.
    ReceiverSilent,
    /// 4003: the hub cannot reach the receiver.
    ReceiverUnreachable,
    /// 3000: our fault; nothing was kept, ask again.
    Internal,
    /// HTTP 429 or 503: too much at once.
    Overloaded,
    NotSupported,
}

/// Why a letter brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoadFault {
    /// No connection to the neighbour.
    Unreachable,
    /// Sent; nothing came back in time. It may have been acted on.
    TimedOut,
    /// The other side said no.
    Denied(Denial),
    /// The other side answered with something unreadable: where and why.
    Unreadable(Box<str>),
    /// There is no neighbour configured for this party.
    NoRoad,
}

impl fmt::Display for RoadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the neighbour cannot be reached"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Denied(denial) => write!(f, "refused: {denial:?}"),
            Self::Unreadable(why) => write!(f, "the answer cannot be read: {why}"),
            Self::NoRoad => f.write_str("no road is configured"),
        }
    }
}

/// The way out to the other parties.
pub trait Road: Send + Sync {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>>;
}

/// A party's desk for letters that come in. What `Ok` acknowledges is on disk before it returns.
pub trait RoadDesk: Send + Sync {
    fn hear(&self, letter: Letter) -> Soon<'_, Result<Answer, Denial>>;
}

/// What a hub sees of a letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    pub from: PartyId,
    pub to: Option<PartyId>,
    pub correlation: CorrelationId,
    pub errand: Errand,
    pub bytes: usize,
}

/// The kind of a letter, with the few things that a hub needs to find its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// The uid is seen in memory, turned into a tag, and forgotten.
    MayCharge {
        token: PresentedToken,
    },
    Order(OrderKind),
    /// On its way back to whoever gave the order: the hub's own reference.
    Outcome {
        hub_order: OrderId,
    },
    Session {
        owner: PartyId,
    },
    Cdr,
    /// Public: kept by the hub for `GET`, pushed to every provider.
    Location {
        owner: PartyId,
        id: LocationId,
        evse: Option<EvseUid>,
    },
    Tariff {
        owner: PartyId,
        id: TariffId,
        dropped: bool,
    },
    /// A provider fills the hub's index. Goes no further.
    Token {
        owner: PartyId,
        token: PresentedToken,
        valid: bool,
    },
    /// Something that one named party asks another, which the hub has no part in: its kind, for the ledger.
    Passing(Passing),
}

/// The kinds of letters that a hub passes on between two named parties, unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Passing {
    /// `GET` of sessions, CDRs, tokens, or of one object at its owner.
    Fetch,
    /// What a running session plans to draw.
    Plan,
    Document,
    /// What can be booked, and bookings.
    Booking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderKind {
    Start,
    Stop,
    Unlock,
    Reserve,
    CancelReservation,
    /// Set, clear or show the power profile of a session.
    Profile,
}

/// Where a hub sends a letter.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// To one party, bytes untouched. For an order, `hub_order` replaces the return address.
    To { party: PartyId, hub_order: Option<OrderId> },
    /// Back to the return address that the order came with.
    Back { party: PartyId, return_to: ReturnAddress },
    /// Nobody announced the token: to these one after the other, without a place, until one knows it. Each of them wants
    /// to be asked. Whoever knows it is told to [`Exchange::learned`].
    Perhaps(Vec<PartyId>),
    /// Kept here, and passed on to each of these.
    Everyone(Vec<PartyId>),
    /// The hub's own business; done.
    Kept,
}

/// How a forwarded letter fared, for the hub's ledger of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    Refused,
    Silent,
    Unreachable,
}

/// A hub's desk: finds the way, keeps public objects, counts.
pub trait Exchange: EvseIndex {
    /// Decides where a letter goes. `return_to` is the return address of an order. `public` is the body of a
    /// location or tariff, which is public data and kept as it came.
    fn route(
        &self,
        envelope: Envelope,
        return_to: Option<ReturnAddress>,
        public: Option<Box<str>>,
    ) -> Soon<'_, Result<Way, Denial>>;

    /// A page of the union of all parties' public objects, as JSON texts, for one asking party.
    fn published(&self, asker: PartyId, kind: Published, wish: PageWish) -> Soon<'_, Result<Page<Box<str>>, Denial>>;

    /// Public objects in the order of their owners and ids, those behind `after`, a page of them: for whoever reads them
    /// all, however many there are. An empty page is the end.
    fn published_after(&self, kind: Published, after: Option<ObjectName>) -> Soon<'_, Result<ObjectPage, Denial>>;

    /// One public object as its JSON text. `owner: None`: whose it is where one party alone has an object of this id.
    fn published_one(
        &self,
        asker: PartyId,
        kind: Published,
        owner: Option<PartyId>,
        id: Box<str>,
    ) -> Soon<'_, Result<Box<str>, Denial>>;

    /// The parties of the network with their standing.
    fn clients(&self, asker: PartyId, wish: PageWish) -> Soon<'_, Result<Page<ClientInfo>, Denial>>;

    fn fared(&self, envelope: &Envelope, to: PartyId, fate: Fate);

    /// An invited party has exchanged credentials: its letters pass from now on, unless somebody has decided
    /// otherwise.
    fn joined(&self, party: PartyId) -> Soon<'_, Result<(), Denial>>;

    /// Operators that have sent this party sessions or records of late, and can be asked for all of them.
    fn senders(&self, _: PartyId, _: Gathered) -> Soon<'_, Result<Vec<PartyId>, Denial>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// A party has ended its registration: its letters pass no more until it joins again.
    fn left(&self, _: PartyId) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Ok(()) })
    }

    /// What parties are to be told of others now. Whoever asks again gets it again only when nothing came of it for a
    /// minute.
    fn client_news(&self) -> Soon<'_, Result<Vec<ClientNews>, Denial>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// What came of it, with its number and how often it was tried.
    fn client_told(&self, _: i64, _: i64, _heard: bool) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Ok(()) })
    }

    /// Parties that gave no sign of life for long and are to be asked for one.
    fn quiet(&self) -> Soon<'_, Result<Vec<PartyId>, Denial>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// A party that was asked for a sign of life gave one, or did not.
    fn alive(&self, _: PartyId, _: bool) {}

    /// What a letter of `from`, or an answer, left behind on its way to `to`, who cannot express it: places and
    /// reasons, never values.
    fn lost(&self, from: PartyId, to: PartyId, errand: &Errand, what: &[Box<str>]);

    /// What letters from and to these parties left behind so far, for whoever speaks for them; the latest first.
    fn losses(&self, parties: Vec<PartyId>) -> Soon<'_, Result<Vec<LossRow>, Denial>>;

    /// What is kept back from a partner. An exchange without switches keeps back nothing.
    fn thrift(&self, _: PartyId) -> Soon<'_, Thrift> {
        Box::pin(async { Thrift::NONE })
    }

    /// A provider that was asked by [`Way::Perhaps`] knows the token.
    fn learned(&self, _: PresentedToken, _: PartyId) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Ok(()) })
    }

    /// What stands for a token in a public object that is kept: known again here, and nothing to anybody else. `None`: an
    /// exchange without an index has no marks.
    fn mark(&self, _: &PresentedToken) -> Option<String> {
        None
    }

    /// Whose token is marked so.
    fn marked(&self, _: String) -> Soon<'_, Option<PartyId>> {
        Box::pin(async { None })
    }

    /// Whose token this is, for what names tokens and is told to several.
    fn owner(&self, _: PresentedToken) -> Soon<'_, Option<PartyId>> {
        Box::pin(async { None })
    }
}

/// What letters of one kind left behind on their way from one party to another, whose protocol has no word for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossRow {
    pub from: PartyId,
    pub to: PartyId,
    /// The kind of the letters, as the hub's volumes name it.
    pub errand: String,
    /// The place in the document and why; never a value.
    pub what: String,
    pub count: i64,
    pub last: Timestamp,
}

/// The owner and the id of a public object.
pub type ObjectName = (PartyId, Box<str>);

/// Public objects with their names, as JSON texts.
pub type ObjectPage = Vec<(ObjectName, Box<str>)>;

/// What a hub does not have and asks others for (OCPI 2.2.1, 4.2.2, "GET all via hub").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gathered {
    Sessions,
    Cdrs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Published {
    Locations,
    Tariffs,
}
