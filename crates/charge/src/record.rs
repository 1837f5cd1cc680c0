//! The two records that parties exchange about charging: the running session and the closed CDR.

use rust_decimal::Decimal;

use crate::Timestamp;
use crate::id::{
    AuthorizationReference, BookingId, CdrId, ConnectorId, EvseId, EvseUid, LocationId, PartyId, SessionId,
};
use crate::meter::SignedRecord;
use crate::money::{Currency, Price};
use crate::personal::Personal;
use crate::place::Position;
use crate::tariff::Tariff;
use crate::token::{ContractId, TokenKind, TokenUid};
use crate::units::{Energy, Power};

/// The token of a session or CDR (OCPI 2.2.1, 10.4.5 `CdrToken`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordToken {
    /// The provider that owes for it.
    pub party: PartyId,
    pub uid: Personal<TokenUid>,
    pub kind: TokenKind,
    pub contract: Personal<ContractId>,
}

/// How the permission came about (OCPI 2.2.1, 10.4.1 `AuthMethod`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// Asked in real time.
    Request,
    /// By a command, for example a remote start.
    Command,
    Whitelist,
}

/// What happened in a stretch of a session (OCPI 2.2.1, 10.4.2 `ChargingPeriod`, 10.4.3 `CdrDimension`).
///
/// A new period begins whenever something that matters to the price changes. It lasts until the next one or the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    pub start: Timestamp,
    /// Energy delivered in this period.
    pub energy: Option<Energy>,
    /// True while charging, false while connected and not charging (`PARKING_TIME`).
    pub charging: bool,
    /// Highest power seen, where restrictions on power need it.
    pub max_power: Option<Power>,
}

/// Where a session stands (OCPI 2.2.1, 9.4.2 `SessionStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionStatus {
    Pending,
    Active,
    Completed,
    Invalid,
}

/// A session as operator and provider share it while it runs (OCPI 2.2.1, 9.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub party: PartyId,
    pub id: SessionId,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub energy: Energy,
    pub token: RecordToken,
    pub auth_method: AuthMethod,
    pub reference: Option<AuthorizationReference>,
    pub location: LocationId,
    pub evse: EvseUid,
    pub connector: ConnectorId,
    pub currency: Currency,
    pub periods: Vec<Period>,
    /// So far, exact.
    pub total_cost: Option<Price>,
    pub status: SessionStatus,
    pub last_updated: Timestamp,
}

/// Where a CDR's energy flowed: copied into the CDR, because the location may change later (OCPI 2.2.1, 10.4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    pub id: LocationId,
    pub name: Option<String>,
    pub address: String,
    pub city: String,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-3.
    pub country: String,
    pub position: Position,
    pub evse_uid: EvseUid,
    pub evse_id: EvseId,
    pub connector: ConnectorId,
    /// OCPI spellings of plug, format and power type: needed on the wire, decided nowhere.
    pub plug: Box<str>,
    pub attached_cable: bool,
    pub current: crate::place::Current,
}

/// Which moment a signed value belongs to (OCPI 2.2.1, 10.4.7 `nature`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    Start,
    End,
    Intermediate,
}

/// A signed record inside a CDR, with its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedValue {
    pub nature: Nature,
    pub record: SignedRecord,
}

/// A charge detail record: closed, immutable, delivered once (OCPI 2.2.1, 10.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cdr {
    pub party: PartyId,
    pub id: CdrId,
    pub start: Timestamp,
    pub end: Timestamp,
    pub session: Option<SessionId>,
    /// The booking that the session was for; without a session, the booking that the fee is for (OCPI 2.3.0, Bookings
    /// 1.1).
    pub booking: Option<BookingId>,
    pub token: RecordToken,
    pub auth_method: AuthMethod,
    pub reference: Option<AuthorizationReference>,
    pub place: RecordPlace,
    pub meter: Option<String>,
    pub currency: Currency,
    /// As agreed at the start.
    pub tariff: Tariff,
    pub periods: Vec<Period>,
    pub signed: Vec<SignedValue>,
    pub energy: Energy,
    /// Connected, charging or not, in hours, exact to the second.
    pub total_time_h: Decimal,
    pub parking_time_h: Decimal,
    pub total_cost: Price,
    pub energy_cost: Option<Price>,
    pub time_cost: Option<Price>,
    pub parking_cost: Option<Price>,
    pub fixed_cost: Option<Price>,
    /// In plain words, for example which readings were flagged and not billed.
    pub remark: Option<String>,
    pub credit: bool,
    pub credit_reference: Option<CdrId>,
    pub last_updated: Timestamp,
}
