//! Counts and lists for pages, over sessions, EVSEs and CDRs. Read only.

use charge::Timestamp;
use charge::id::{CdrId, SessionId};
use charge::units::{Energy, Power};
use store::{Row, StoreError, Tx, values};

use crate::memory::cdr::Delivery;
use crate::memory::tariff::price_opt;
use crate::memory::{count, damaged, named, word, word_opt};
use crate::view::{CdrCard, Overview, Page, PartyCard};

/// The counts of the overview; `today` is the begin of the day. What lives in memory alone is filled in elsewhere.
pub(crate) fn load(tx: &Tx<'_>, today: Timestamp) -> Result<Overview, StoreError> {
    let mut shown = Overview::default();
    let stations = tx.one(STATIONS, &[], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
    (shown.stations, shown.stations_faulted) = stations.unwrap_or_default();
    for (status, number) in tx.query(EVSES, &[], |row| Ok((row.text(0)?, count(row, 1)?)))? {
        match status.as_str() {
            "AVAILABLE" => shown.evses_available += number,
            "CHARGING" => shown.evses_charging += number,
            "OUTOFORDER" => shown.evses_faulted += number,
            _ => shown.evses_other += number,
        }
    }
    let running = tx.one(RUNNING, &[], |row| Ok((count(row, 0)?, row.int(1)?)))?.unwrap_or_default();
    (shown.sessions_active, shown.power_now) = (running.0, Power::from_milliwatts(running.1));
    let begun = tx.one(TODAY, &values![today], |row| Ok((count(row, 0)?, row.int(1)?)))?.unwrap_or_default();
    (shown.sessions_today, shown.energy_today) = (begun.0, Energy::from_mwh(begun.1));
    let owed = tx.one(CDRS, &values![today], |row| Ok((count(row, 0)?, count(row, 1)?, count(row, 2)?)))?;
    (shown.cdrs_waiting, shown.cdrs_refused, shown.cdrs_delivered_today) = owed.unwrap_or_default();
    shown.refusals_today = tx.one(REFUSALS, &values![today], |row| count(row, 0))?.unwrap_or(0);
    Ok(shown)
}

/// What flows in all running sessions.
pub(crate) fn power_now(tx: &Tx<'_>) -> Result<Power, StoreError> {
    let running = tx.one(RUNNING, &[], |row| row.int(1))?;
    Ok(Power::from_milliwatts(running.unwrap_or(0)))
}

/// A page of CDRs, newest first, and how many there are in all.
pub(crate) fn cdrs(tx: &Tx<'_>, state: Option<Delivery>, page: Page) -> Result<(Vec<CdrCard>, u32), StoreError> {
    let state = state.map(Delivery::as_str);
    let total = tx.one(COUNT_CDRS, &values![state], |row| count(row, 0))?.unwrap_or(0);
    Ok((tx.query(PAGE_CDRS, &values![state, page.limit, page.offset], read_cdr)?, total))
}

pub(crate) fn cdr(tx: &Tx<'_>, id: &CdrId) -> Result<Option<CdrCard>, StoreError> {
    tx.one(CDR, &values![id.as_str()], read_cdr)
}

/// The CDR of a session, if it is closed.
pub(crate) fn cdr_of(tx: &Tx<'_>, session: &SessionId) -> Result<Option<CdrCard>, StoreError> {
    tx.one(CDR_OF, &values![session.as_str()], read_cdr)
}

fn read_cdr(row: &Row<'_>) -> Result<CdrCard, StoreError> {
    Ok(CdrCard {
        id: word(row, 0, "id")?,
        session: word_opt(row, 1, "session")?,
        start: row.time(2)?,
        end: row.time(3)?,
        energy: Energy::from_mwh(row.int(4)?),
        total: price_opt(row, 5)?.ok_or_else(|| damaged("total_net"))?,
        currency: word(row, 7, "currency")?,
        provider: word(row, 8, "party")?,
        state: named(row, 9, "state", Delivery::named)?,
        attempts: count(row, 10)?,
        why: row.text_opt(11)?,
        delivered_at: row.time_opt(12)?,
        verdict: row.text(13)?,
        remark: row.text_opt(14)?,
    })
}

/// The providers of all sessions.
pub(crate) fn parties(tx: &Tx<'_>) -> Result<Vec<PartyCard>, StoreError> {
    tx.query(PARTIES, &[], |row| {
        Ok(PartyCard {
            party: word(row, 0, "party")?,
            sessions: count(row, 1)?,
            last_session: row.time_opt(2)?,
            cdrs: count(row, 3)?,
            cdrs_waiting: count(row, 4)?,
        })
    })
}

const STATIONS: &str = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN s.fault IS NOT NULL OR EXISTS (SELECT 1
    FROM operator_evses e WHERE e.station = s.id AND e.state = 'Faulted') THEN 1 ELSE 0 END), 0)
    FROM operator_stations s WHERE s.retired IS NULL";
const EVSES: &str = "SELECT status, COUNT(*) FROM operator_evses WHERE status <> 'REMOVED' GROUP BY status";
const RUNNING: &str = "SELECT COUNT(*), COALESCE(SUM(power), 0) FROM operator_sessions WHERE ended IS NULL";
const TODAY: &str = "SELECT COUNT(*), COALESCE(SUM(COALESCE(latest_register - begin_register, 0)), 0)
    FROM operator_sessions WHERE start >= ?1 AND state <> 'void'";
const CDRS: &str = "SELECT COALESCE(SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN state = 'refused' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN delivered >= ?1 THEN 1 ELSE 0 END), 0) FROM operator_cdrs";
const REFUSALS: &str = "SELECT COUNT(*) FROM operator_refusals WHERE at >= ?1";
const COUNT_CDRS: &str = "SELECT COUNT(*) FROM operator_cdrs WHERE (?1 IS NULL OR state = ?1)";
const PAGE_CDRS: &str =
    "SELECT id, NULLIF(session, booking), start, ended, energy, total_net, total_gross, currency, party, state,
    attempts, why, delivered, verdict, remark FROM operator_cdrs WHERE (?1 IS NULL OR state = ?1)
    ORDER BY ended DESC, id LIMIT ?2 OFFSET ?3";
const CDR: &str =
    "SELECT id, NULLIF(session, booking), start, ended, energy, total_net, total_gross, currency, party, state,
    attempts, why, delivered, verdict, remark FROM operator_cdrs WHERE id = ?1";
const CDR_OF: &str =
    "SELECT id, NULLIF(session, booking), start, ended, energy, total_net, total_gross, currency, party, state,
    attempts, why, delivered, verdict, remark FROM operator_cdrs WHERE session = ?1";
const PARTIES: &str = "SELECT s.party, COUNT(*), MAX(s.start), COUNT(c.id),
    COALESCE(SUM(CASE WHEN c.state = 'waiting' THEN 1 ELSE 0 END), 0)
    FROM operator_sessions s LEFT JOIN operator_cdrs c ON c.session = s.id
    WHERE s.party IS NOT NULL GROUP BY s.party ORDER BY s.party";
