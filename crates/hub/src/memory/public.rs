//! Public objects as their owners sent them: locations and tariffs, in the JSON they came as.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::{ObjectName, ObjectPage, Page, PageWish, Published, on_one_page};
use store::{Row, StoreError, Tx, values};

use super::{evses, party};

/// `false`: it is new, and its owner has as many of its kind as it may have.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    kind: Published,
    (owner, id): (PartyId, &str),
    body: &str,
    (now, count_max): (Timestamp, i64),
) -> Result<bool, StoreError> {
    if kind == Published::Locations {
        // whoever has too many has the whole transaction undone
        evses::unread(tx, owner, id)?;
    }
    let owner = owner.to_string();
    if tx.execute(REPLACE, &values![name(kind), owner.clone(), id, body, now])? > 0 {
        return Ok(true);
    }
    if tx.execute(COUNTED, &values![name(kind), owner.clone(), count_max])? == 0 {
        return Ok(false);
    }
    tx.execute(PUT, &values![name(kind), owner, id, body, now])?;
    Ok(true)
}

pub(crate) fn drop_one(tx: &mut Tx<'_>, kind: Published, owner: PartyId, id: &str) -> Result<(), StoreError> {
    let owner = owner.to_string();
    if tx.execute(DROP, &values![name(kind), owner.clone(), id])? > 0 {
        tx.execute(UNCOUNTED, &values![name(kind), owner])?;
    }
    Ok(())
}

/// One object; of several owners' objects of one id none, because nobody can tell which is meant.
pub(crate) fn one(
    tx: &Tx<'_>,
    kind: Published,
    owner: Option<PartyId>,
    id: &str,
) -> Result<Option<Box<str>>, StoreError> {
    let body = |row: &Row<'_>| row.text(0).map(String::into_boxed_str);
    let mut found = match owner {
        Some(owner) => tx.query(OWNED, &values![name(kind), owner.to_string(), id], body)?,
        None => tx.query(ONE, &values![name(kind), id], body)?,
    };
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// Oldest first, as many as one page carries. What counts is when the object came here: that an owner's clock is behind, or its letter was late,
/// hides nothing from those who ask for "everything since".
pub(crate) fn page(tx: &Tx<'_>, kind: Published, wish: PageWish) -> Result<Page<Box<str>>, StoreError> {
    let since = wish.changed_since.unwrap_or(Timestamp::from_micros(i64::MIN));
    let before = wish.changed_before.unwrap_or(Timestamp::from_micros(i64::MAX));
    let limit = wish.limit.clamp(1, PAGE_MAX);
    let total = tx.one(COUNT, &values![name(kind), since, before], |row| row.int(0))?.unwrap_or(0);
    let range = values![name(kind), since, before, limit, wish.offset];
    let sizes = tx.query(SIZES, &range, |row| row.int(0))?;
    let fit = on_one_page(sizes.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX)));
    let fit = u32::try_from(fit).unwrap_or(limit);
    let range = values![name(kind), since, before, fit, wish.offset];
    let items = tx.query(PAGE, &range, |row| row.text(0).map(String::into_boxed_str))?;
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    let next = wish.offset.saturating_add(fit);
    Ok(Page { items, total, next: (next < total).then_some(next), complaints: Vec::new() })
}

/// A page in the order of owners and ids: as quick at the end of a million as at the beginning.
pub(crate) fn after(tx: &Tx<'_>, kind: Published, after: Option<ObjectName>) -> Result<ObjectPage, StoreError> {
    let (owner, id) = after.map_or((String::new(), String::new()), |(owner, id)| (owner.to_string(), id.into()));
    let values = values![name(kind), owner, id, PAGE_MAX];
    tx.query(AFTER, &values, |row| Ok(((party(&row.text(0)?)?, row.text(1)?.into()), row.text(2)?.into())))
}

const fn name(kind: Published) -> &'static str {
    match kind {
        Published::Locations => "location",
        Published::Tariffs => "tariff",
    }
}

/// Objects on a page, however small they are.
pub(crate) const PAGE_MAX: u32 = 500;

const REPLACE: &str = "UPDATE hub_public SET body = ?4, changed = ?5 WHERE kind = ?1 AND owner = ?2 AND id = ?3";
const PUT: &str = "INSERT INTO hub_public (kind, owner, id, body, changed) VALUES (?1, ?2, ?3, ?4, ?5)";
const COUNTED: &str = "INSERT INTO hub_holding (kind, owner, count) VALUES (?1, ?2, 1)
    ON CONFLICT (kind, owner) DO UPDATE SET count = hub_holding.count + 1 WHERE hub_holding.count < ?3";
const UNCOUNTED: &str = "UPDATE hub_holding SET count = count - 1 WHERE kind = ?1 AND owner = ?2";
const DROP: &str = "DELETE FROM hub_public WHERE kind = ?1 AND owner = ?2 AND id = ?3";
const OWNED: &str = "SELECT body FROM hub_public WHERE kind = ?1 AND owner = ?2 AND id = ?3";
const ONE: &str = "SELECT body FROM hub_public WHERE kind = ?1 AND id = ?2 LIMIT 2";
const COUNT: &str = "SELECT COUNT(*) FROM hub_public WHERE kind = ?1 AND changed >= ?2 AND changed < ?3";
const SIZES: &str = "SELECT OCTET_LENGTH(body) FROM hub_public WHERE kind = ?1 AND changed >= ?2 AND changed < ?3
    ORDER BY changed, owner, id LIMIT ?4 OFFSET ?5";
const PAGE: &str = "SELECT body FROM hub_public WHERE kind = ?1 AND changed >= ?2 AND changed < ?3
    ORDER BY changed, owner, id LIMIT ?4 OFFSET ?5";
const AFTER: &str = "SELECT owner, id, body FROM hub_public WHERE kind = ?1 AND (owner, id) > (?2, ?3)
    ORDER BY owner, id LIMIT ?4";
