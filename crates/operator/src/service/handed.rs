//! What partners fetch: our places and tariffs one by one, and each provider its own sessions and CDRs.
//!
//! Invariant: a provider reads what it pays for and nothing else; who else charges here is nobody's business.

use charge::id::PartyId;
use charge::talk::road::{Answer, Denial, Found, Page, PageWish, Wanted};
use store::{StoreError, Tx};

use super::deliver::session_word;
use super::road::{Trouble, part};
use super::{House, Operator};
use crate::memory::{cdr, credit, handed, place, session, tariff};

impl Operator {
    pub(super) async fn hand(&self, from: PartyId, wanted: Wanted) -> Result<Answer, Denial> {
        let found: Result<Found, Trouble> =
            self.read("operator.handed", move |house, tx| found(house, tx, from, &wanted)).await;
        Ok(Answer::Found(Box::new(found?)))
    }
}

fn found(house: &House, tx: &Tx<'_>, from: PartyId, wanted: &Wanted) -> Result<Found, Trouble> {
    let ours = house.setup.party;
    let unknown = || Trouble::Denied(Denial::UnknownObject);
    Ok(match wanted {
        Wanted::Sessions(wish) => {
            let wish = bounded(*wish);
            let (ids, total) = handed::sessions(tx, from, wish)?;
            let now = house.now();
            let one = |id: &String| match session::find(tx, id)? {
                Some(row) => session_word(house, tx, &row, now),
                None => Ok(None),
            };
            Found::Sessions(page(&ids, total, wish, one)?)
        }
        Wanted::Cdrs(wish) => {
            let wish = bounded(*wish);
            let (ids, total) = handed::cdrs(tx, from, wish)?;
            let one = |id: &String| match cdr::find(tx, house.seal(), ours, id)? {
                Some(kept) => Ok(Some(kept)),
                None => credit::find(tx, house.seal(), ours, id),
            };
            Found::Cdrs(page(&ids, total, wish, one)?)
        }
        Wanted::Location { owner, id } if *owner == ours => {
            Found::Location(place::find(tx, ours, id)?.ok_or_else(unknown)?)
        }
        Wanted::Tariff { owner, id } if *owner == ours => {
            let version = tariff::current_version(tx, id)?.ok_or_else(unknown)?;
            Found::Tariff(tariff::version(tx, ours, version)?.ok_or_else(unknown)?)
        }
        Wanted::Location { .. } | Wanted::Tariff { .. } => return Err(unknown()),
        Wanted::Session { .. } | Wanted::Cdr { .. } | Wanted::Token { .. } | Wanted::Tokens(_) => {
            return Err(Trouble::Denied(Denial::NotSupported));
        }
    })
}

fn bounded(wish: PageWish) -> PageWish {
    let page = part(wish);
    PageWish { offset: page.offset, limit: page.limit, ..wish }
}

fn page<T>(
    ids: &[String],
    total: i64,
    wish: PageWish,
    one: impl Fn(&String) -> Result<Option<T>, StoreError>,
) -> Result<Page<T>, StoreError> {
    let mut items = Vec::new();
    for id in ids {
        items.extend(one(id)?);
    }
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    let next = wish.offset.saturating_add(u32::try_from(ids.len()).unwrap_or(u32::MAX));
    let more = !ids.is_empty() && next < total;
    Ok(Page { items, total, next: more.then_some(next), complaints: Vec::new() })
}
