//! Rows of orders that came over the road: start, stop, unlock, reserve, and what became of them.
//!
//! The same order of the same giver is kept once. The contract behind a start is sealed; the alias is ours, random,
//! and worthless two minutes later.

use charge::Timestamp;
use charge::id::{AuthorizationReference, CorrelationId, EvseNo, OrderId, PartyId, SessionId, StationId};
use charge::record::{AuthMethod, RecordToken};
use charge::talk::road::{OrderResult, ReturnAddress};
use store::{Row, StoreError, Tx, values};
use trust::seal::SealKey;

use crate::authorise::{Alias, Permit};
use crate::memory::permit::{Place, open_token, seal_token};
use crate::memory::{named, named_opt, small_opt, word, word_opt};
use crate::remote::{ALIAS_HOLDS, Event, Move, State};

/// What an order wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    Stop,
    Unlock,
    /// Its `remote_id` is the reservation's number, its alias what the station keeps the EVSE for.
    Reserve,
    CancelReservation,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Start, Self::Stop, Self::Unlock, Self::Reserve, Self::CancelReservation];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Unlock => "unlock",
            Self::Reserve => "reserve",
            Self::CancelReservation => "cancel_reservation",
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An order as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrderRow {
    /// Ours; names the job as well.
    pub id: OrderId,
    pub kind: Kind,
    pub giver: PartyId,
    /// The giver's name for it.
    pub given_as: OrderId,
    pub return_to: Option<ReturnAddress>,
    pub correlation: CorrelationId,
    pub station: Option<StationId>,
    pub no: Option<EvseNo>,
    pub session: Option<SessionId>,
    pub alias: Option<String>,
    pub remote_id: Option<i32>,
    pub token_sealed: Option<Vec<u8>>,
    pub reference: Option<AuthorizationReference>,
    pub state: State,
    pub result: Option<OrderResult>,
    pub message: Option<String>,
    pub asked: Timestamp,
    /// The alias opens until then.
    pub until: Timestamp,
}

impl OrderRow {
    /// A start that was asked for now, and whose outcome nobody waits for.
    pub(crate) fn start(id: OrderId, giver: PartyId, correlation: CorrelationId, now: Timestamp) -> Self {
        Self {
            given_as: id.clone(),
            id,
            kind: Kind::Start,
            giver,
            return_to: None,
            correlation,
            station: None,
            no: None,
            session: None,
            alias: None,
            remote_id: None,
            token_sealed: None,
            reference: None,
            state: State::Asked,
            result: None,
            message: None,
            asked: now,
            until: now.plus(ALIAS_HOLDS),
        }
    }

    /// Takes an event; `false` where the table refuses it.
    pub(crate) fn on(&mut self, event: Event) -> bool {
        match self.state.on(event) {
            Move::To(next) => {
                self.state = next;
                true
            }
            Move::Stay => true,
            Move::Refuse => false,
        }
    }

    /// Seals the contract that pays for the session.
    pub(crate) fn seal(&mut self, key: &SealKey, token: &RecordToken) -> Result<(), StoreError> {
        self.token_sealed = Some(seal_token(key, Place::Order(self.id.as_str()), token)?);
        Ok(())
    }

    /// The contract that pays for the session, while it is kept.
    pub(crate) fn token(&self, key: &SealKey) -> Result<Option<RecordToken>, StoreError> {
        let sealed = self.token_sealed.as_deref();
        sealed.map(|sealed| open_token(key, Place::Order(self.id.as_str()), sealed)).transpose()
    }
}

/// Keeps an order as it now stands.
pub(crate) fn save(tx: &mut Tx<'_>, order: &OrderRow) -> Result<(), StoreError> {
    tx.execute(
        SAVE,
        &values![
            order.id.as_str(),
            order.kind.as_str(),
            order.giver.to_string(),
            order.given_as.as_str(),
            order.return_to.as_ref().map(|address| address.0.as_str()),
            order.correlation.as_str(),
            order.station.as_ref().map(StationId::as_str),
            order.no.map(EvseNo::get),
            order.session.as_ref().map(SessionId::as_str),
            order.alias.as_deref(),
            order.remote_id,
            order.token_sealed.clone(),
            order.reference.as_ref().map(AuthorizationReference::as_str),
            order.state.as_str(),
            order.result.map(OrderResult::as_str),
            order.message.as_deref(),
            order.asked,
            order.until,
        ],
    )
    .map(drop)
}

pub(crate) fn find(tx: &Tx<'_>, id: &str) -> Result<Option<OrderRow>, StoreError> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), &values![id], read)
}

/// The order that a giver gave under this name before.
pub(crate) fn given(tx: &Tx<'_>, giver: PartyId, given_as: &OrderId) -> Result<Option<OrderRow>, StoreError> {
    let key = values![giver.to_string(), given_as.as_str()];
    tx.one(&format!("{SELECT} WHERE giver = ?1 AND given_as = ?2"), &key, read)
}

/// The start whose alias a station presents.
pub(crate) fn by_alias(tx: &Tx<'_>, station: &StationId, alias: &str) -> Result<Option<OrderRow>, StoreError> {
    let key = values![alias, station.as_str()];
    tx.one(&format!("{SELECT} {BY_ALIAS}"), &key, read)
}

/// A giver's orders whose reservations a station holds for it, or may hold; the latest first.
pub(crate) fn reserving(tx: &Tx<'_>, giver: PartyId, station: &StationId) -> Result<Vec<OrderRow>, StoreError> {
    tx.query(&format!("{SELECT} {RESERVING}"), &values![giver.to_string(), station.as_str()], read)
}

/// Starts that a station accepted and that never became a transaction.
pub(crate) fn lapsed(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<OrderRow>, StoreError> {
    tx.query(&format!("{SELECT} WHERE state = 'awaiting' AND until < ?1 ORDER BY until LIMIT 100"), &values![now], read)
}

/// The alias's permission for a transaction that began at `at`; `no` is the bay that presents it, where it says so.
pub(crate) fn alias(order: &OrderRow, key: &SealKey, no: Option<EvseNo>, at: Timestamp) -> Result<Alias, StoreError> {
    let here = no.is_none() || order.no.is_none() || no == order.no;
    let open = match order.state {
        State::Asked | State::Telling | State::Awaiting | State::Lapsed => at <= order.until,
        // its own transaction presents it again when it reports late
        State::Started => true,
        // no answer in time, and the station acted all the same: the session finds its contract
        State::Done => order.result == Some(OrderResult::TimedOut) && at <= order.until,
    };
    match order.token(key)? {
        Some(token) if here && open => Ok(Alias::Good(Permit {
            token,
            reference: order.reference.clone(),
            method: AuthMethod::Command,
            energy_cap: None,
            money_cap: None,
            until: order.until,
            group: None,
        })),
        Some(_) | None => Ok(Alias::Over),
    }
}

/// Old orders lose their alias and contract, then themselves.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET, &values![before])
}

fn read(row: &Row<'_>) -> Result<OrderRow, StoreError> {
    Ok(OrderRow {
        id: word(row, 0, "id")?,
        kind: named(row, 1, "kind", Kind::named)?,
        giver: word(row, 2, "giver")?,
        given_as: word(row, 3, "given_as")?,
        return_to: row.text_opt(4)?.map(ReturnAddress),
        correlation: word(row, 5, "correlation")?,
        station: word_opt(row, 6, "station")?,
        no: small_opt(row, 7, "evse_no")?.and_then(EvseNo::new),
        session: word_opt(row, 8, "session")?,
        alias: row.text_opt(9)?,
        remote_id: small_opt(row, 10, "remote_id")?,
        token_sealed: row.blob_opt(11)?,
        reference: word_opt(row, 12, "reference")?,
        state: named(row, 13, "state", State::named)?,
        result: named_opt(row, 14, "result", result_named)?,
        message: row.text_opt(15)?,
        asked: row.time(16)?,
        until: row.time(17)?,
    })
}

pub(crate) fn result_named(text: &str) -> Option<OrderResult> {
    const ALL: [OrderResult; 8] = [
        OrderResult::Accepted,
        OrderResult::Failed,
        OrderResult::NotSupported,
        OrderResult::Rejected,
        OrderResult::TimedOut,
        OrderResult::EvseOccupied,
        OrderResult::EvseInoperative,
        OrderResult::UnknownReservation,
    ];
    ALL.into_iter().find(|result| result.as_str() == text)
}

const SELECT: &str = "SELECT id, kind, giver, given_as, return_to, correlation, station, evse_no, session, alias,
    remote_id, token_sealed, reference, state, result, message, asked, until FROM operator_orders";
const SAVE: &str = "INSERT INTO operator_orders (id, kind, giver, given_as, return_to, correlation, station, evse_no,
    session, alias, remote_id, token_sealed, reference, state, result, message, asked, until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT (id) DO UPDATE SET session = excluded.session, state = excluded.state, result = excluded.result,
    message = excluded.message, until = excluded.until, token_sealed = excluded.token_sealed";
const BY_ALIAS: &str = "WHERE alias = ?1 AND station = ?2 AND kind = 'start' ORDER BY asked DESC LIMIT 1";
const RESERVING: &str = "WHERE giver = ?1 AND station = ?2 AND kind = 'reserve' AND remote_id IN
    (SELECT id FROM operator_reservations WHERE state IN ('asked', 'held')) ORDER BY asked DESC LIMIT 100";
const FORGET: &str = "DELETE FROM operator_orders WHERE asked < ?1 AND state IN ('started', 'lapsed', 'done')";
