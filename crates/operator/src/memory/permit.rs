//! Permits, and the sealed form of the token that they, sessions, orders and CDRs hold.
//!
//! A permit is found by station and keyed tag, so that the uid is not kept for it; the provider's one-time contract
//! id is sealed. A sealed token opens only at the place it was sealed for.

use charge::id::{AuthorizationReference, PartyId, StationId};
use charge::money::Money;
use charge::record::{AuthMethod, RecordToken};
use charge::token::{ContractId, PresentedToken, TokenKind, TokenUid};
use charge::units::Energy;
use charge::{Personal, Purpose, Timestamp};
use store::{Migration, Row, StoreError, Tx, values};
use trust::seal::SealKey;
use trust::token_tag::TokenTag;

use crate::authorise::Permit;
use crate::memory::{damaged, named, small_opt, word, word_opt};

/// The name that stations are told of a token's group: a keyed one, so it names nobody elsewhere.
pub(crate) const GROUPS: Migration = Migration {
    family: "operator permits",
    number: 1,
    name: "groups of tokens",
    sql: "ALTER TABLE operator_permits ADD COLUMN group_name TEXT;",
};

/// Where a sealed token belongs; part of what is sealed, so that it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Permit(&'a StationId),
    Session(&'a str),
    Asked(&'a str),
    Order(&'a str),
    Cdr(&'a str),
    Listed(&'a StationId),
    Booking(&'a str),
}

impl Place<'_> {
    fn text(self) -> String {
        match self {
            Self::Permit(station) => format!("operator_permits.token/{station}"),
            Self::Session(id) => format!("operator_sessions.token/{id}"),
            Self::Asked(id) => format!("operator_sessions.asked/{id}"),
            Self::Order(id) => format!("operator_orders.token/{id}"),
            Self::Cdr(id) => format!("operator_cdrs.token/{id}"),
            Self::Booking(id) => format!("operator_bookings.token/{id}"),
            Self::Listed(station) => format!("operator_list_entries.token/{station}"),
        }
    }
}

/// Seals a token of session or CDR.
pub(crate) fn seal_token(key: &SealKey, place: Place<'_>, token: &RecordToken) -> Result<Vec<u8>, StoreError> {
    let plain = format!(
        "{}\n{}\n{}\n{}",
        token.party,
        kind_name(token.kind),
        token.uid.reveal(Purpose::Keep).as_delivered(),
        token.contract.reveal(Purpose::Keep).as_str(),
    );
    seal(key, place, &plain)
}

/// Opens it again.
pub(crate) fn open_token(key: &SealKey, place: Place<'_>, sealed: &[u8]) -> Result<RecordToken, StoreError> {
    let plain = open(key, place, sealed)?;
    let read = || {
        let mut fields = plain.splitn(4, '\n');
        Some(RecordToken {
            party: fields.next()?.parse().ok()?,
            kind: kind_named(fields.next()?)?,
            uid: Personal::new(TokenUid::new(fields.next()?).ok()?),
            contract: Personal::new(ContractId::new(fields.next()?).ok()?),
        })
    };
    read().ok_or_else(|| damaged("token_sealed"))
}

/// Seals a token that was presented and has to be asked about again.
pub(crate) fn seal_presented(key: &SealKey, place: Place<'_>, token: &PresentedToken) -> Result<Vec<u8>, StoreError> {
    let uid = token.uid.reveal(Purpose::Keep).as_delivered();
    seal(key, place, &format!("{}\n{uid}", kind_name(token.kind)))
}

pub(crate) fn open_presented(key: &SealKey, place: Place<'_>, sealed: &[u8]) -> Result<PresentedToken, StoreError> {
    let plain = open(key, place, sealed)?;
    let read = || {
        let (kind, uid) = plain.split_once('\n')?;
        Some(PresentedToken::new(TokenUid::new(uid).ok()?, kind_named(kind)?))
    };
    read().ok_or_else(|| damaged("asked_sealed"))
}

fn seal(key: &SealKey, place: Place<'_>, plain: &str) -> Result<Vec<u8>, StoreError> {
    key.seal(&place.text(), plain.as_bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))
}

fn open(key: &SealKey, place: Place<'_>, sealed: &[u8]) -> Result<String, StoreError> {
    let plain = key.open(&place.text(), sealed).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
    String::from_utf8(plain).map_err(|_| damaged("a sealed column"))
}

/// Keeps a permit until its transaction begins or its time is over. A newer one takes the older one's place.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    key: &SealKey,
    station: &StationId,
    tag: TokenTag,
    permit: &Permit,
) -> Result<(), StoreError> {
    let sealed = seal_token(key, Place::Permit(station), &permit.token)?;
    tx.execute(
        PUT,
        &values![
            station.as_str(),
            tag.as_bytes(),
            sealed,
            permit.token.party.to_string(),
            permit.reference.as_ref().map(AuthorizationReference::as_str),
            method_name(permit.method),
            permit.energy_cap.map(Energy::mwh),
            permit.money_cap.map(|cap| cap.minor),
            permit.money_cap.map(|cap| cap.currency.to_string()),
            permit.until,
            permit.group.as_ref().map(|group| group.reveal(Purpose::Keep).as_delivered()),
        ],
    )
    .map(drop)
}

/// Finds a token's permit at a station.
pub(crate) fn find(
    tx: &Tx<'_>,
    key: &SealKey,
    station: &StationId,
    tag: TokenTag,
) -> Result<Option<Permit>, StoreError> {
    tx.one(FIND, &values![station.as_str(), tag.as_bytes()], |row| {
        Ok(Permit {
            token: open_token(key, Place::Permit(station), &row.blob(0)?)?,
            reference: word_opt(row, 1, "reference")?,
            method: named(row, 2, "method", method_named)?,
            energy_cap: row.int_opt(3)?.map(Energy::from_mwh),
            money_cap: money(row, 4)?,
            until: row.time(6)?,
            group: row.text_opt(7)?.and_then(|name| TokenUid::new(name).ok()).map(Personal::new),
        })
    })
}

/// A permit is good for one transaction.
pub(crate) fn used(tx: &mut Tx<'_>, station: &StationId, tag: TokenTag) -> Result<(), StoreError> {
    tx.execute(USED, &values![station.as_str(), tag.as_bytes()]).map(drop)
}

/// Forgets permits whose time is over.
pub(crate) fn expire(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, StoreError> {
    tx.execute(EXPIRE, &values![now])
}

/// Minor units and currency in two columns from `column` on.
pub(crate) fn money(row: &Row<'_>, column: usize) -> Result<Option<Money>, StoreError> {
    let Some(minor) = small_opt(row, column, "money_cap")? else { return Ok(None) };
    Ok(Some(Money { minor, currency: word(row, column + 1, "money_currency")? }))
}

/// The party of a token, without opening it.
pub(crate) fn party(row: &Row<'_>, column: usize) -> Result<Option<PartyId>, StoreError> {
    word_opt(row, column, "party")
}

const KINDS: [(TokenKind, &str); 6] = [
    (TokenKind::Rfid, "rfid"),
    (TokenKind::Emaid, "emaid"),
    (TokenKind::AppUser, "app"),
    (TokenKind::AdHocUser, "adhoc"),
    (TokenKind::DirectPayment, "direct_payment"),
    (TokenKind::Other, "other"),
];

pub(crate) fn kind_name(kind: TokenKind) -> &'static str {
    KINDS.into_iter().find(|(known, _)| *known == kind).map_or("other", |(_, name)| name)
}

pub(crate) fn kind_named(text: &str) -> Option<TokenKind> {
    KINDS.into_iter().find(|(_, name)| *name == text).map(|(kind, _)| kind)
}

pub(crate) const fn method_name(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::Request => "request",
        AuthMethod::Command => "command",
        AuthMethod::Whitelist => "whitelist",
    }
}

pub(crate) fn method_named(text: &str) -> Option<AuthMethod> {
    [AuthMethod::Request, AuthMethod::Command, AuthMethod::Whitelist]
        .into_iter()
        .find(|method| method_name(*method) == text)
}

const PUT: &str = "INSERT INTO operator_permits
    (station, tag, token_sealed, party, reference, method, energy_cap, money_cap, money_currency, until, group_name)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (station, tag) DO UPDATE SET token_sealed = excluded.token_sealed, party = excluded.party,
    reference = excluded.reference, method = excluded.method, energy_cap = excluded.energy_cap,
    money_cap = excluded.money_cap, money_currency = excluded.money_currency, until = excluded.until,
    group_name = excluded.group_name";
const FIND: &str = "SELECT token_sealed, reference, method, energy_cap, money_cap, money_currency, until, group_name
    FROM operator_permits WHERE station = ?1 AND tag = ?2";
const USED: &str = "DELETE FROM operator_permits WHERE station = ?1 AND tag = ?2";
const EXPIRE: &str = "DELETE FROM operator_permits WHERE until < ?1";
