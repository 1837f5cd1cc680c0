//! Locations that some drivers alone may see: the hub keeps marks in the place of their cards, and asks the owner for the
//! cards when a provider that has one of them fetches the location.
//!
//! A push goes on whole and is not kept so. Deliberately no answer of the owner is kept either. Invariant: no card, number
//! or group of `publish_allowed_to` (OCPI 2.2.1, 8.4.20) is in what the hub keeps, and none is told that the owner does
//! not tell now.

use std::sync::Arc;

use bytes::Bytes;
use charge::id::{CorrelationId, PartyId};
use charge::talk::road::{Denial, Envelope, Errand, Passing};
use charge::talk::thrift::Measure;
use ocpi::spare::{Sheet, has_entries};
use ocpi::status::code_of;
use ocpi::wire::{Kind, Method, Module, Side, Target};
use ocpi::{Version, hear, url};

use super::neighbour::Hop;
use super::relay::{Parcel, WayOut};

/// Who fetches, in which conversation, and which owners did not answer in it: they are asked once.
pub(crate) struct Asker {
    pub party: PartyId,
    pub correlation: CorrelationId,
    silent: Vec<PartyId>,
}

impl Asker {
    pub(crate) const fn new(party: PartyId, correlation: CorrelationId) -> Self {
        Self { party, correlation, silent: Vec::new() }
    }
}

impl WayOut {
    /// A location as it is to be kept.
    pub(crate) fn marked(&self, text: String) -> Result<String, Denial> {
        if !has_entries(text.as_bytes()) {
            return Ok(text);
        }
        let mut sheet = Sheet::read(text.as_bytes())?;
        sheet.mark_entries(|card| self.exchange.mark(card));
        Ok(sheet.text())
    }

    /// A kept location as this asker is to have it.
    pub(crate) async fn unmarked(self: &Arc<Self>, asker: &mut Asker, text: Box<str>) -> Result<Box<str>, Denial> {
        if !has_entries(text.as_bytes()) {
            return Ok(text);
        }
        let mut sheet = Sheet::read(text.as_bytes())?;
        if !sheet.is_marked() {
            return Ok(text);
        }
        let answer = match hear::owner_in(&text) {
            Some(owner) if self.concerns(asker.party, owner, &sheet.marks()).await => {
                self.ask_owner(asker, owner, &text).await
            }
            Some(_) | None => None,
        };
        sheet.unmark_entries(answer.as_ref());
        let whole = sheet.text();
        let own = if hear::owner_in(&text) == Some(asker.party) {
            None
        } else {
            self.own_entries(asker.party, whole.as_bytes()).await?
        };
        Ok(own.unwrap_or(whole).into())
    }

    /// Whether one of the entries may be the asker's, or all are told to it.
    async fn concerns(&self, asker: PartyId, owner: PartyId, marks: &[Option<String>]) -> bool {
        if asker == owner || !self.exchange.thrift(asker).await.on(Measure::OwnEntries) {
            return !marks.is_empty();
        }
        for mark in marks {
            match mark {
                Some(mark) if self.exchange.marked(mark.clone()).await == Some(asker) => return true,
                Some(_) => {}
                // kept before there were marks
                None => return true,
            }
        }
        false
    }

    /// The owner's own answer; `None` where there is none now.
    async fn ask_owner(self: &Arc<Self>, asker: &mut Asker, owner: PartyId, text: &str) -> Option<Sheet> {
        if asker.silent.contains(&owner) {
            return None;
        }
        let id = hear::id_in(text)?;
        let (from, to, correlation) = (asker.party, Some(owner), asker.correlation.clone());
        let errand = Errand::Passing(Passing::Fetch);
        let envelope = Envelope { from, to, correlation: correlation.clone(), errand, bytes: 0 };
        let rest = format!("/{}", url::encode(&id));
        let parcel = Parcel {
            version: Version::V221,
            kind: Kind::OneLocation,
            method: Method::Get,
            target: Target::Endpoint { module: Module::Locations, side: Side::Sender, rest },
            query: String::new(),
            body: None::<Bytes>,
            hop: Hop { from, to, correlation },
            envelope,
            origin: None,
        };
        match self.pass_now(owner, parcel).await {
            Ok(reply) if code_of(reply.body.as_bytes()).is_some_and(|code| (1000..2000).contains(&code)) => {
                Sheet::read(reply.body.as_bytes()).ok()
            }
            Ok(_) => None,
            Err(_) => {
                asker.silent.push(owner);
                None
            }
        }
    }
}
