//! What partners fetch: an owner reads back the places and tariffs that it told us, and the hub reads our cards, of
//! which it keeps keyed tags.
//!
//! Invariant: no operator gets a list of our customers' cards. It asks about the one that is held to its reader.

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::{Answer, Denial, Found, Page, PageWish, Wanted};
use charge::token::{ContractId, IssuedToken};
use store::Tx;

use super::duty::STAND_IN;
use super::{Desk, Provider};
use crate::fault::ProviderFault;
use crate::memory::{people, places, tariffs};

/// Tokens on a page.
const PAGE_MAX: u32 = 1_000;

impl Provider {
    pub(super) async fn hand(&self, from: PartyId, wanted: Wanted) -> Result<Answer, ProviderFault> {
        let found = self.read("provider.handed", move |desk, tx| desk.handed(tx, from, &wanted)).await?;
        Ok(Answer::Found(Box::new(found)))
    }
}

impl Desk {
    fn handed(&self, tx: &Tx<'_>, from: PartyId, wanted: &Wanted) -> Result<Found, ProviderFault> {
        let unknown = || ProviderFault::Denied(Denial::UnknownObject);
        let theirs = |owner: PartyId| from == owner || from == self.setup.hub;
        match wanted {
            Wanted::Location { owner, id } if theirs(*owner) => {
                places::find(tx, *owner, id)?.map(Found::Location).ok_or_else(unknown)
            }
            Wanted::Tariff { owner, id } if theirs(*owner) => {
                tariffs::latest(tx, *owner, id)?.map(|(_, tariff)| Found::Tariff(tariff)).ok_or_else(unknown)
            }
            Wanted::Location { .. } | Wanted::Tariff { .. } => Err(unknown()),
            Wanted::Tokens(wish) => Ok(Found::Tokens(self.tokens(tx, from, *wish)?)),
            Wanted::Sessions(_)
            | Wanted::Cdrs(_)
            | Wanted::Session { .. }
            | Wanted::Cdr { .. }
            | Wanted::Token { .. } => Err(ProviderFault::Denied(Denial::NotSupported)),
        }
    }

    /// All cards for the hub's index, none for anybody else.
    fn tokens(&self, tx: &Tx<'_>, from: PartyId, wish: PageWish) -> Result<Page<IssuedToken>, ProviderFault> {
        if from != self.setup.hub {
            return Ok(Page { items: Vec::new(), total: 0, next: None, complaints: Vec::new() });
        }
        let stand_in = ContractId::of(self.setup.party, STAND_IN)?;
        let within = |at: Timestamp| {
            wish.changed_since.is_none_or(|since| at >= since) && wish.changed_before.is_none_or(|before| at < before)
        };
        let mut cards = people::cards(tx, &self.vault, None)?;
        cards.retain(|card| within(card.changed));
        cards.sort_by(|a, b| (a.changed, a.id.as_str()).cmp(&(b.changed, b.id.as_str())));
        let total = u32::try_from(cards.len()).unwrap_or(u32::MAX);
        let limit = if wish.limit == 0 { PAGE_MAX } else { wish.limit.min(PAGE_MAX) };
        let page = cards.iter().skip(wish.offset as usize).take(limit as usize);
        let items = page.map(|card| card.issued(self.setup.party, stand_in.clone())).collect();
        let next = wish.offset.saturating_add(limit);
        Ok(Page { items, total, next: (next < total).then_some(next), complaints: Vec::new() })
    }
}
