//! "GET all via hub" for sessions and CDRs (OCPI 2.2.1, 4.2.2): the hub has none, so it asks the operators that have sent
//! the asker some, and puts their pages together, one operator after the other.
//!
//! It keeps nothing of what passes. Token lists are deliberately not gathered: a hub that could list cards would be the
//! place to steal them, and who may charge is asked. Invariant: what is answered with success is whole; where one of
//! them cannot be asked now, the asker hears that in the place of a list with a gap.

use charge::id::PartyId;
use charge::talk::road::{Denial, Envelope, Errand, PageWish, Passing};
use ocpi::wire::{Incoming, Reply, TOTAL, Target};
use ocpi::{answer, ask, status};

use super::entrance::Sender;
use super::neighbour::Hop;
use super::relay::{Parcel, Relay};

/// A page of several parties' objects.
pub(crate) struct Whole {
    /// As JSON text.
    pub items: Vec<String>,
    pub total: u32,
    /// Where the next page begins.
    pub next: Option<u32>,
}

/// What one party gave.
struct Part {
    items: Vec<String>,
    total: u32,
}

/// A letter that asks for all.
pub(crate) struct Asking<'a> {
    pub relay: &'a Relay,
    pub incoming: &'a Incoming,
    pub sender: &'a Sender,
}

impl Asking<'_> {
    /// Every party is asked: those before and after the page for their total alone.
    pub(crate) async fn of_all(&self, parties: Vec<PartyId>, wish: PageWish) -> Result<Whole, Denial> {
        let (mut offset, mut room) = (wish.offset, wish.limit);
        let mut gathered = Whole { items: Vec::new(), total: 0, next: None };
        for party in parties {
            let (from, limit) = if room > 0 { (offset, room) } else { (0, 1) };
            let part = self.of_one(party, PageWish { offset: from, limit, ..wish }).await?;
            gathered.total = gathered.total.saturating_add(part.total);
            if room > 0 && offset < part.total {
                let wanted = room.min(part.total - offset);
                let given = u32::try_from(part.items.len()).unwrap_or(u32::MAX).min(wanted);
                gathered.items.extend(part.items.into_iter().take(wanted as usize));
                // whoever gives less than it has is asked for the rest with the next page
                room = if given < wanted { 0 } else { room - given };
            }
            offset = offset.saturating_sub(part.total);
        }
        let end = wish.offset.saturating_add(u32::try_from(gathered.items.len()).unwrap_or(u32::MAX));
        gathered.next = (end < gathered.total && !gathered.items.is_empty()).then_some(end);
        Ok(gathered)
    }

    async fn of_one(&self, party: PartyId, wish: PageWish) -> Result<Part, Denial> {
        let (from, correlation) = (self.sender.from, self.sender.correlation.clone());
        let envelope = Envelope {
            from,
            to: Some(party),
            correlation: correlation.clone(),
            errand: Errand::Passing(Passing::Fetch),
            bytes: 0,
        };
        let Incoming { version, kind, method, module, side, .. } = *self.incoming;
        let parcel = Parcel {
            version,
            kind,
            method,
            target: Target::Endpoint { module, side, rest: String::new() },
            query: ask::page_query(wish),
            body: None,
            hop: Hop { from, to: Some(party), correlation },
            envelope,
            origin: None,
        };
        match self.relay.pass(party, parcel).await {
            Ok(reply) => part(&reply),
            // it speaks another protocol, or has no such list
            Err(Denial::NotSupported | Denial::UnknownObject) => Ok(Part { items: Vec::new(), total: 0 }),
            Err(denial) => Err(denial),
        }
    }
}

fn part(reply: &Reply) -> Result<Part, Denial> {
    match status::code_of(reply.body.as_bytes()) {
        Some(1000..2000) if reply.http < 300 => {}
        code => {
            return match status::denial(reply.http, code, "") {
                Denial::NotSupported | Denial::UnknownObject => Ok(Part { items: Vec::new(), total: 0 }),
                denial => Err(denial),
            };
        }
    }
    let items = answer::listed(reply)?;
    let told = reply.headers.iter().find(|(name, _)| *name == TOTAL).and_then(|(_, total)| total.trim().parse().ok());
    let total = told.unwrap_or_else(|| u32::try_from(items.len()).unwrap_or(u32::MAX));
    Ok(Part { items, total })
}
