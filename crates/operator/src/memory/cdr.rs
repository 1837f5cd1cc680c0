//! Rows of CDRs: written once, never changed but for their delivery.
//!
//! A CDR holds copies of all that it says, except its tariff, of which versions are immutable. Its id is its session's,
//! so that closing a session twice makes one CDR. That of a booking without a session has the booking's id, and stands in
//! the session's place under it.

use charge::Timestamp;
use charge::id::{AuthorizationReference, BookingId, PartyId, SessionId};
use charge::place::Position;
use charge::record::{Cdr, Period, RecordPlace, SignedValue};
use charge::units::{Energy, Power};
use store::{Row, StoreError, Tx, values};
use trust::seal::SealKey;

use crate::memory::permit::{Place, method_name, method_named, open_token, seal_token};
use crate::memory::place::{current_name, current_named};
use crate::memory::session::{nature_name, read_record};
use crate::memory::tariff::{gross, net, price_opt};
use crate::memory::{damaged, named, tariff, word, word_opt};

/// What was found out about a CDR's evidence.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// One of the four words, with its reasons.
    pub verdict: String,
    /// Identity of the signed payloads, so that they serve one session only.
    pub digest: Option<[u8; 32]>,
}

/// Whether a CDR's delivery is still owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Waiting,
    Delivered,
    /// The provider refused its content; a person has to look.
    Refused,
}

impl Delivery {
    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Refused].into_iter().find(|state| state.as_str() == text)
    }
}

/// Keeps a CDR. `false`: it is kept already.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    key: &SealKey,
    cdr: &Cdr,
    session: &SessionId,
    tariff: i64,
    evidence: &Evidence,
) -> Result<bool, StoreError> {
    let place = &cdr.place;
    let sealed = seal_token(key, Place::Cdr(cdr.id.as_str()), &cdr.token)?;
    let put = tx.execute(
        PUT,
        &values![
            cdr.id.as_str(),
            session.as_str(),
            cdr.start,
            cdr.end,
            cdr.token.party.to_string(),
            sealed,
            method_name(cdr.auth_method),
            cdr.reference.as_ref().map(AuthorizationReference::as_str),
            place.id.as_str(),
            place.name.as_deref(),
            place.address.as_str(),
            place.city.as_str(),
            place.postal_code.as_deref(),
            place.country.as_str(),
            place.position.latitude_e7,
            place.position.longitude_e7,
            place.evse_uid.as_str(),
            place.evse_id.as_str(),
            place.connector.as_str(),
            &*place.plug,
            place.attached_cable,
            current_name(place.current),
            cdr.meter.as_deref(),
            cdr.currency.as_str(),
            tariff,
            cdr.energy.mwh(),
            cdr.total_time_h.to_string(),
            cdr.parking_time_h.to_string(),
            net(cdr.total_cost),
            gross(cdr.total_cost),
            cdr.energy_cost.map(net),
            cdr.energy_cost.and_then(gross),
            cdr.time_cost.map(net),
            cdr.time_cost.and_then(gross),
            cdr.parking_cost.map(net),
            cdr.parking_cost.and_then(gross),
            cdr.fixed_cost.map(net),
            cdr.fixed_cost.and_then(gross),
            cdr.remark.as_deref(),
            evidence.verdict.as_str(),
            evidence.digest,
            cdr.last_updated,
            cdr.booking.as_ref().map(BookingId::as_str),
        ],
    )?;
    if put == 0 {
        return Ok(false);
    }
    put_parts(tx, cdr)?;
    Ok(true)
}

fn put_parts(tx: &mut Tx<'_>, cdr: &Cdr) -> Result<(), StoreError> {
    for (position, period) in (0u32..).zip(&cdr.periods) {
        let energy = period.energy.map(Energy::mwh);
        let power = period.max_power.map(Power::milliwatts);
        let row = values![cdr.id.as_str(), position, period.start, energy, period.charging, power];
        tx.execute(PUT_PERIOD, &row)?;
    }
    for (position, signed) in (0u32..).zip(&cdr.signed) {
        tx.execute(
            PUT_RECORD,
            &values![
                cdr.id.as_str(),
                position,
                nature_name(signed.nature),
                &*signed.record.format,
                &*signed.record.bytes,
                signed.record.public_key.as_deref(),
            ],
        )?;
    }
    Ok(())
}

/// Whether these signed payloads already serve another session's CDR.
pub(crate) fn digest_used(tx: &Tx<'_>, digest: &[u8; 32], session: &SessionId) -> Result<bool, StoreError> {
    Ok(tx.one(DIGEST_USED, &values![digest, session.as_str()], |row| row.int(0))?.is_some())
}

/// The CDR as it was closed. `None`: there is none, or its person was forgotten.
pub(crate) fn find(tx: &Tx<'_>, key: &SealKey, party: PartyId, id: &str) -> Result<Option<Cdr>, StoreError> {
    let Some((sealed, version)) = tx.one(TOKEN, &values![id], |row| Ok((row.blob_opt(0)?, row.int(1)?)))? else {
        return Ok(None);
    };
    let (Some(sealed), Some(tariff)) = (sealed, tariff::version(tx, party, version)?) else { return Ok(None) };
    let token = open_token(key, Place::Cdr(id), &sealed)?;
    let periods = tx.query(PERIODS, &values![id], |row| {
        Ok(Period {
            start: row.time(0)?,
            energy: row.int_opt(1)?.map(Energy::from_mwh),
            charging: row.flag(2)?,
            max_power: row.int_opt(3)?.map(Power::from_milliwatts),
        })
    })?;
    let signed = tx.query(RECORDS, &values![id], read_record)?;
    let signed = signed.into_iter().map(|(nature, record)| SignedValue { nature, record }).collect::<Vec<_>>();
    tx.one(FIND, &values![id], |row| {
        Ok(Cdr {
            party,
            id: word(row, 0, "id")?,
            start: row.time(1)?,
            end: row.time(2)?,
            session: word_opt(row, 3, "session")?,
            booking: word_opt(row, 37, "booking")?,
            token: token.clone(),
            auth_method: named(row, 4, "method", method_named)?,
            reference: word_opt(row, 5, "reference")?,
            place: read_place(row, 6)?,
            meter: row.text_opt(20)?,
            currency: word(row, 21, "currency")?,
            tariff: tariff.clone(),
            periods: periods.clone(),
            signed: signed.clone(),
            energy: Energy::from_mwh(row.int(22)?),
            total_time_h: word(row, 23, "total_time_h")?,
            parking_time_h: word(row, 24, "parking_time_h")?,
            total_cost: price_opt(row, 25)?.unwrap_or_default(),
            energy_cost: price_opt(row, 27)?,
            time_cost: price_opt(row, 29)?,
            parking_cost: price_opt(row, 31)?,
            fixed_cost: price_opt(row, 33)?,
            remark: row.text_opt(35)?,
            credit: false,
            credit_reference: None,
            last_updated: row.time(36)?,
        })
    })
}

fn read_place(row: &Row<'_>, at: usize) -> Result<RecordPlace, StoreError> {
    Ok(RecordPlace {
        id: word(row, at, "location")?,
        name: row.text_opt(at + 1)?,
        address: row.text(at + 2)?,
        city: row.text(at + 3)?,
        postal_code: row.text_opt(at + 4)?,
        country: row.text(at + 5)?,
        position: Position::new(row.int(at + 6)?, row.int(at + 7)?).ok_or_else(|| damaged("latitude_e7"))?,
        evse_uid: word(row, at + 8, "evse")?,
        evse_id: word(row, at + 9, "evse_id")?,
        connector: word(row, at + 10, "connector")?,
        plug: row.text(at + 11)?.into(),
        attached_cable: row.flag(at + 12)?,
        current: named(row, at + 13, "current", current_named)?,
    })
}

/// The provider has it.
pub(crate) fn delivered(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(DELIVERED, &values![id, now]).map(drop)
}

/// A try failed; `state` says whether there will be another.
pub(crate) fn failed(tx: &mut Tx<'_>, id: &str, state: Delivery, why: &str) -> Result<(), StoreError> {
    tx.execute(FAILED, &values![id, state.as_str(), why]).map(drop)
}

/// Whether a CDR, or the credit of one, goes to this party.
pub(crate) fn is_for(tx: &Tx<'_>, id: &str, party: PartyId) -> Result<bool, StoreError> {
    Ok(tx.one(IS_FOR, &values![id, party.to_string()], |row| row.int(0))?.is_some())
}

/// Empties the contract of CDRs that were delivered before `before`.
pub(crate) fn forget_people(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute(FORGET_PEOPLE, &values![before])
}

const PUT: &str = "INSERT INTO operator_cdrs (id, session, start, ended, party, token_sealed, method, reference,
    location, location_name, address, city, postal_code, country, latitude_e7, longitude_e7, evse, evse_id, connector,
    plug, attached_cable, current, meter, currency, tariff, energy, total_time_h, parking_time_h, total_net,
    total_gross, energy_net, energy_gross, time_net, time_gross, parking_net, parking_gross, fixed_net, fixed_gross,
    remark, verdict, evidence, changed, booking, state, attempts)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
    ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43,
    'waiting', 0)
    ON CONFLICT DO NOTHING";
const PUT_PERIOD: &str = "INSERT INTO operator_cdr_periods (cdr, position, start, energy, charging, max_power)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const PUT_RECORD: &str = "INSERT INTO operator_cdr_records (cdr, position, nature, format, bytes, public_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const DIGEST_USED: &str = "SELECT 1 FROM operator_cdrs WHERE evidence = ?1 AND session <> ?2 LIMIT 1";
const TOKEN: &str = "SELECT token_sealed, tariff FROM operator_cdrs WHERE id = ?1";
const PERIODS: &str = "SELECT start, energy, charging, max_power FROM operator_cdr_periods
    WHERE cdr = ?1 ORDER BY position";
const RECORDS: &str = "SELECT nature, format, bytes, public_key FROM operator_cdr_records
    WHERE cdr = ?1 ORDER BY position";
const FIND: &str = "SELECT id, start, ended, NULLIF(session, booking), method, reference, location, location_name, address, city,
    postal_code, country, latitude_e7, longitude_e7, evse, evse_id, connector, plug, attached_cable, current, meter,
    currency, energy, total_time_h, parking_time_h, total_net, total_gross, energy_net, energy_gross, time_net,
    time_gross, parking_net, parking_gross, fixed_net, fixed_gross, remark, changed, booking FROM operator_cdrs WHERE id = ?1";
const DELIVERED: &str = "UPDATE operator_cdrs SET state = 'delivered', delivered = ?2, attempts = attempts + 1,
    why = NULL WHERE id = ?1 AND state <> 'delivered'";
const FAILED: &str = "UPDATE operator_cdrs SET state = ?2, attempts = attempts + 1, why = ?3
    WHERE id = ?1 AND state <> 'delivered'";
const IS_FOR: &str = "SELECT 1 FROM operator_cdrs WHERE id = ?1 AND party = ?2
    UNION ALL SELECT 1 FROM operator_credits WHERE id = ?1 AND party = ?2 LIMIT 1";
const FORGET_PEOPLE: &str = "UPDATE operator_cdrs SET token_sealed = NULL, reference = NULL
    WHERE delivered < ?1 AND token_sealed IS NOT NULL";
