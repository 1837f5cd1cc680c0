//! "GET all via hub" for sessions and CDRs (OCPI 2.2.1, 4.2.2): the hub has none, so it asks the operators that have sent
//! the asker some, and puts their pages together, one operator after the other.
//!
//! It keeps nothing of what passes. Token lists are deliberately not gathered: a hub that could list cards would be the
//! place to steal them, and who may charge is asked. Invariant: what is answered with success is whole but for what the
//! asker's version has no form for, which is told; where one of them cannot be asked now, the asker hears that in the
//! place of a list with a gap.

use charge::id::PartyId;
use charge::talk::road::{Denial, Envelope, Errand, PageWish, Passing};
use ocpi::cross::{self, Beside};
use ocpi::wire::{Incoming, Reply, TOTAL, Target};
use ocpi::{Version, answer, ask, status};

use super::entrance::Sender;
use super::neighbour::Hop;
use super::relay::{Parcel, Relay};

const FETCH: Errand = Errand::Passing(Passing::Fetch);

/// A page of several parties' objects.
pub(crate) struct Whole {
    /// As JSON text, in the asker's version.
    pub items: Vec<String>,
    /// What the parties have; of a list that is on one page, what of it crossed.
    pub total: u32,
    /// Where the next page begins.
    pub next: Option<u32>,
}

/// What one party gave, in the version that it was given in.
struct Part {
    items: Vec<String>,
    total: u32,
    version: Version,
}

/// A letter that asks for all.
pub(crate) struct Asking<'a> {
    pub relay: &'a Relay,
    pub incoming: &'a Incoming,
    pub sender: &'a Sender,
}

impl Asking<'_> {
    /// Every party is asked: those before and after the page for their total alone. A place in the list is an object of
    /// an operator, whether or not it crosses, so that pages neither overlap nor leave a gap.
    pub(crate) async fn of_all(&self, parties: Vec<PartyId>, wish: PageWish) -> Result<Whole, Denial> {
        let (mut offset, mut room) = (wish.offset, wish.limit);
        let (mut gathered, mut places) = (Whole { items: Vec::new(), total: 0, next: None }, 0u32);
        for party in parties {
            let (from, limit) = if room > 0 { (offset, room) } else { (0, 1) };
            let part = self.of_one(party, PageWish { offset: from, limit, ..wish }).await?;
            gathered.total = gathered.total.saturating_add(part.total);
            if room > 0 && offset < part.total {
                let wanted = room.min(part.total - offset);
                let given = u32::try_from(part.items.len()).unwrap_or(u32::MAX).min(wanted);
                for item in part.items.into_iter().take(wanted as usize) {
                    gathered.items.extend(self.crossed(party, part.version, item).await);
                }
                places = places.saturating_add(given);
                // whoever gives less than it has is asked for the rest with the next page
                room = if given < wanted { 0 } else { room - given };
            }
            offset = offset.saturating_sub(part.total);
        }
        let end = wish.offset.saturating_add(places);
        gathered.next = (end < gathered.total && places > 0).then_some(end);
        if places == gathered.total {
            gathered.total = u32::try_from(gathered.items.len()).unwrap_or(u32::MAX);
        }
        Ok(gathered)
    }

    /// One object in the asker's version. A session of 2.1.1 has its location whole, which is the one kept here.
    async fn crossed(&self, party: PartyId, given: Version, item: String) -> Option<String> {
        let (from, Incoming { version, kind, .. }) = (self.sender.from, self.incoming);
        let way = self.relay.way();
        let place = way.place(*version, kind.noun_out(), item.as_bytes(), (from, party)).await;
        let beside = Beside { owner: Some(party), payer: Some(from), place: place.as_deref(), asked: None };
        let crossed = cross::item(given, *version, *kind, item, beside);
        let crossed = way.told_if_refused(party, from, &FETCH, crossed.map_err(Denial::from)).ok()?;
        way.lost(party, from, &FETCH, &crossed.lost);
        Some(crossed.value)
    }

    async fn of_one(&self, party: PartyId, wish: PageWish) -> Result<Part, Denial> {
        let (from, correlation) = (self.sender.from, self.sender.correlation.clone());
        let envelope = Envelope { from, to: Some(party), correlation: correlation.clone(), errand: FETCH, bytes: 0 };
        let Incoming { kind, method, module, side, .. } = *self.incoming;
        // in the version that it speaks: what it gave is counted before anything of it is left behind
        let version = self.relay.way().spoken(party, module).await.unwrap_or(self.incoming.version);
        let none = Part { items: Vec::new(), total: 0, version };
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
            Ok(reply) => Ok(part(&reply, version)?.unwrap_or(none)),
            // it speaks another protocol, or has no such list
            Err(Denial::NotSupported | Denial::UnknownObject) => Ok(none),
            Err(denial) => Err(denial),
        }
    }
}

/// `None`: it has no such list.
fn part(reply: &Reply, version: Version) -> Result<Option<Part>, Denial> {
    match status::code_of(reply.body.as_bytes()) {
        Some(1000..2000) if reply.http < 300 => {}
        code => {
            return match status::denial(reply.http, code, "") {
                Denial::NotSupported | Denial::UnknownObject => Ok(None),
                denial => Err(denial),
            };
        }
    }
    let items = answer::listed(reply)?;
    let told = reply.headers.iter().find(|(name, _)| *name == TOTAL).and_then(|(_, total)| total.trim().parse().ok());
    let total = told.unwrap_or_else(|| u32::try_from(items.len()).unwrap_or(u32::MAX));
    Ok(Some(Part { items, total, version }))
}
