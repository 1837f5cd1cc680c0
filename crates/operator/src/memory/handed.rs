//! What one provider may read back: its own sessions and CDRs by their last change, and nobody else's.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::PageWish;
use store::{StoreError, Tx, Value, values};

/// The ids of a page, oldest change first, and how many there are.
type Ids = (Vec<String>, i64);

pub(crate) fn sessions(tx: &Tx<'_>, provider: PartyId, wish: PageWish) -> Result<Ids, StoreError> {
    let total = tx.one(SESSIONS_TOTAL, &range(provider, wish), |row| row.int(0))?.unwrap_or(0);
    Ok((tx.query(SESSIONS, &part(provider, wish), |row| row.text(0))?, total))
}

/// CDRs and credits together.
pub(crate) fn cdrs(tx: &Tx<'_>, provider: PartyId, wish: PageWish) -> Result<Ids, StoreError> {
    let total = tx.one(CDRS_TOTAL, &range(provider, wish), |row| row.int(0))?.unwrap_or(0);
    Ok((tx.query(CDRS, &part(provider, wish), |row| row.text(0))?, total))
}

fn range(provider: PartyId, wish: PageWish) -> Vec<Value> {
    let since = wish.changed_since.unwrap_or(Timestamp::from_micros(i64::MIN));
    let before = wish.changed_before.unwrap_or(Timestamp::from_micros(i64::MAX));
    values![provider.to_string(), since, before].to_vec()
}

fn part(provider: PartyId, wish: PageWish) -> Vec<Value> {
    let mut row = range(provider, wish);
    row.extend_from_slice(&values![wish.limit, wish.offset]);
    row
}

const SESSIONS_TOTAL: &str = "SELECT COUNT(*) FROM operator_sessions
    WHERE party = ?1 AND changed >= ?2 AND changed < ?3 AND token_sealed IS NOT NULL AND location IS NOT NULL";
const SESSIONS: &str = "SELECT id FROM operator_sessions
    WHERE party = ?1 AND changed >= ?2 AND changed < ?3 AND token_sealed IS NOT NULL AND location IS NOT NULL
    ORDER BY changed, id LIMIT ?4 OFFSET ?5";
const CDRS_TOTAL: &str = "SELECT
    (SELECT COUNT(*) FROM operator_cdrs
        WHERE party = ?1 AND changed >= ?2 AND changed < ?3 AND token_sealed IS NOT NULL)
    + (SELECT COUNT(*) FROM operator_credits c JOIN operator_cdrs o ON o.id = c.original
        WHERE c.party = ?1 AND c.at >= ?2 AND c.at < ?3 AND o.token_sealed IS NOT NULL)";
const CDRS: &str = "SELECT id FROM (
    SELECT id, changed AS at FROM operator_cdrs
        WHERE party = ?1 AND changed >= ?2 AND changed < ?3 AND token_sealed IS NOT NULL
    UNION ALL SELECT c.id, c.at FROM operator_credits c JOIN operator_cdrs o ON o.id = c.original
        WHERE c.party = ?1 AND c.at >= ?2 AND c.at < ?3 AND o.token_sealed IS NOT NULL)
    ORDER BY at, id LIMIT ?4 OFFSET ?5";
