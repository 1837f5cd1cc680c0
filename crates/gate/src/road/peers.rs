//! Who may come in and how to get to them: the book of peers.
//!
//! Tokens that peers come with are known by their digest alone and compared in constant time. A registration token
//! ("token A") opens nothing but versions and credentials, and it invites one named party. [`Peers`] keeps the book in
//! memory and is filled by the binary; a book that survives a restart is another implementation of [`PeerBook`].

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use charge::Soon;
use charge::id::PartyId;
use charge::talk::road::Denial;
use trust::bearer::BearerDigest;

use super::neighbour::Neighbour;

/// What a token opens.
#[derive(Clone)]
pub enum PeerAccess {
    /// A peer we exchange letters with.
    Known {
        party: PartyId,
        /// Parties it speaks for, itself among them. A hub speaks for everybody.
        parties: Vec<PartyId>,
        is_hub: bool,
    },
    /// Somebody who was invited and has not introduced itself yet.
    Invited(Invitation),
}

impl PeerAccess {
    /// A peer that speaks for itself alone.
    pub fn party(party: PartyId) -> Self {
        Self::Known { party, parties: vec![party], is_hub: false }
    }

    /// A hub.
    pub fn hub(party: PartyId) -> Self {
        Self::Known { party, parties: vec![party], is_hub: true }
    }
}

/// Whom a registration token invites, and whom we take it to be.
#[derive(Clone)]
pub struct Invitation {
    pub party: PartyId,
    pub is_hub: bool,
    pub tls: Arc<rustls::ClientConfig>,
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(invitation of {})", self.party)
    }
}

/// A peer that introduced itself, or renewed its credentials.
#[derive(Debug)]
pub struct Registration {
    /// The token that it came with: good for nothing from now on.
    pub spent: BearerDigest,
    /// The token that it comes with next.
    pub token: BearerDigest,
    pub party: PartyId,
    pub is_hub: bool,
    pub way: Arc<Neighbour>,
}

pub trait PeerBook: Send + Sync {
    fn by_token(&self, token: BearerDigest) -> Soon<'_, Option<PeerAccess>>;

    /// The way to a party's platform.
    fn peer(&self, party: PartyId) -> Soon<'_, Option<Arc<Neighbour>>>;

    /// Replaces the spent token and the way. What `Ok` acknowledges is kept.
    fn register(&self, registration: Registration) -> Soon<'_, Result<(), Denial>>;

    /// The peer leaves: neither its token nor the way to it are good any more.
    fn withdraw(&self, token: BearerDigest) -> Soon<'_, Result<(), Denial>>;
}

/// A book in memory.
#[derive(Default)]
pub struct Peers(RwLock<Book>);

#[derive(Default)]
struct Book {
    tokens: Vec<(BearerDigest, PeerAccess)>,
    ways: Vec<Arc<Neighbour>>,
}

impl Peers {
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets in whoever comes with this token.
    pub fn admit(&self, token: BearerDigest, access: PeerAccess) {
        self.write().admit(token, access);
    }

    /// How to get to a party.
    pub fn know(&self, way: Arc<Neighbour>) {
        self.write().know(way);
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Book> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Book> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn admit(&mut self, token: BearerDigest, access: PeerAccess) {
        self.tokens.retain(|(each, _)| *each != token);
        self.tokens.push((token, access));
    }

    fn know(&mut self, way: Arc<Neighbour>) {
        self.ways.retain(|each| each.party() != way.party());
        self.ways.push(way);
    }

    fn access(&self, token: BearerDigest) -> Option<&PeerAccess> {
        self.tokens.iter().find(|(each, _)| *each == token).map(|(_, access)| access)
    }
}

impl PeerBook for Peers {
    fn by_token(&self, token: BearerDigest) -> Soon<'_, Option<PeerAccess>> {
        let found = self.read().access(token).cloned();
        Box::pin(async move { found })
    }

    fn peer(&self, party: PartyId) -> Soon<'_, Option<Arc<Neighbour>>> {
        let found = self.read().ways.iter().find(|way| way.party() == party).cloned();
        Box::pin(async move { found })
    }

    fn register(&self, registration: Registration) -> Soon<'_, Result<(), Denial>> {
        let mut book = self.write();
        let done = if book.access(registration.spent).is_some() {
            book.tokens.retain(|(token, _)| *token != registration.spent);
            let parties = vec![registration.party];
            let access = PeerAccess::Known { party: registration.party, parties, is_hub: registration.is_hub };
            book.admit(registration.token, access);
            book.know(registration.way);
            Ok(())
        } else {
            Err(Denial::NotYours)
        };
        Box::pin(async move { done })
    }

    fn withdraw(&self, token: BearerDigest) -> Soon<'_, Result<(), Denial>> {
        let mut book = self.write();
        if let Some(PeerAccess::Known { party, .. }) = book.access(token).cloned() {
            book.tokens.retain(|(each, _)| *each != token);
            book.ways.retain(|way| way.party() != party);
        }
        Box::pin(async { Ok(()) })
    }
}
