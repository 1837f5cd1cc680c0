//! Who may come in and how to get to them: the book of peers.
//!
//! Tokens that peers come with are known and looked up by their digest alone: it is of 256 random bits, so how long a
//! look takes tells nothing. A registration token
//! ("token A") opens nothing but versions and credentials, and it invites one named party. A token that was replaced
//! stays good until its successor was used once, so that a lost answer locks nobody out. [`Peers`] keeps the book in
//! memory; [`super::Book`] is the one that survives a restart.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use charge::id::PartyId;
use charge::talk::partner::{HashInput, Seen};
use charge::talk::road::{ClientInfo, Denial, Page, PageWish};
use charge::{Soon, Timestamp};
use trust::bearer::BearerDigest;

use super::limits::PARTIES_MAX;
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
    /// Whether the party may tell us addresses that are not public.
    pub local: bool,
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

/// Where a document stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSpot {
    pub owner: PartyId,
    pub shelf: String,
    pub id: String,
}

impl fmt::Display for DocumentSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "road_document/{}/{}/{}", self.owner, self.shelf, self.id)
    }
}

/// Documents as they came.
pub type DocumentPage = Page<String>;

pub trait PeerBook: Send + Sync {
    fn by_token(&self, token: BearerDigest) -> Soon<'_, Option<PeerAccess>>;

    /// The way to a party's platform.
    fn peer(&self, party: PartyId) -> Soon<'_, Option<Arc<Neighbour>>>;

    /// Replaces the spent token and the way. What `Ok` acknowledges is kept.
    fn register(&self, registration: Registration) -> Soon<'_, Result<(), Denial>>;

    /// The peer leaves: neither its token nor the way to it are good any more.
    fn withdraw(&self, token: BearerDigest) -> Soon<'_, Result<(), Denial>>;

    /// What a hub tells of a party of the network.
    fn put_client(&self, client: ClientInfo);

    fn client(&self, party: PartyId) -> Option<ClientInfo>;

    /// Something was seen in a partner's letter.
    fn noticed(&self, _: PartyId, _: Seen) {}

    /// What has to be done from time to time: write what was noticed.
    fn duty(&self) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Ok(()) })
    }

    /// What a partner's list has hashes of.
    fn hash_input(&self, _: PartyId) -> HashInput {
        HashInput::Either
    }

    /// Documents of modules that no room works with. A book in memory keeps none.
    fn read_document(&self, _: DocumentSpot) -> Soon<'_, Result<Option<String>, Denial>> {
        Box::pin(async { Err(Denial::NotSupported) })
    }

    fn put_document(&self, _: DocumentSpot, _: String, _: Timestamp) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async { Err(Denial::NotSupported) })
    }

    /// `false`: there was none.
    fn drop_document(&self, _: DocumentSpot) -> Soon<'_, Result<bool, Denial>> {
        Box::pin(async { Err(Denial::NotSupported) })
    }

    /// The documents of one owner on a shelf, the oldest change first.
    fn documents(&self, _: PartyId, _: String, _: PageWish) -> Soon<'_, Result<DocumentPage, Denial>> {
        Box::pin(async { Err(Denial::NotSupported) })
    }
}

/// A book in memory.
#[derive(Default)]
pub struct Peers(RwLock<Book>);

#[derive(Default)]
struct Book {
    /// By their digests. Every request is looked up here, however many peers there are.
    tokens: HashMap<[u8; 32], Entry>,
    ways: BTreeMap<PartyId, Arc<Neighbour>>,
    clients: HashMap<PartyId, ClientInfo>,
}

struct Entry {
    access: PeerAccess,
    replaces: Replaces,
}

/// Which tokens are good until this one is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replaces {
    None,
    One(BearerDigest),
    /// Every one that its party was known by and that is no offer.
    All,
}

impl Peers {
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets in whoever comes with this token.
    pub fn admit(&self, token: BearerDigest, access: PeerAccess) {
        self.write().admit(token, access);
    }

    /// Lets in whoever comes with a token that we have offered, beside those that it has until it does.
    pub(crate) fn admit_offer(&self, token: BearerDigest, access: PeerAccess) {
        self.write().tokens.insert(*token.as_bytes(), Entry { access, replaces: Replaces::All });
    }

    /// An offer was not taken.
    pub(crate) fn take_back(&self, token: BearerDigest) {
        self.write().tokens.remove(token.as_bytes());
    }

    /// What a token opens, and which others its first use has made good for nothing.
    pub(crate) fn look(&self, token: BearerDigest) -> (Option<PeerAccess>, Vec<BearerDigest>) {
        let found = self.read().entry(token).map(|entry| (entry.access.clone(), entry.replaces != Replaces::None));
        match found {
            None => (None, Vec::new()),
            Some((access, false)) => (Some(access), Vec::new()),
            Some((access, true)) => (Some(access), self.write().used(token)),
        }
    }

    /// The tokens that a party is known by, but for one.
    pub(crate) fn others(&self, party: PartyId, but: BearerDigest) -> Vec<BearerDigest> {
        let book = self.read();
        let its = |(token, entry): &(&[u8; 32], &Entry)| {
            *token != but.as_bytes()
                && matches!(&entry.access, PeerAccess::Known { party: known, .. } if *known == party)
        };
        book.tokens.iter().filter(its).map(|(token, _)| BearerDigest::from_bytes(*token)).collect()
    }

    /// How to get to a party.
    pub fn know(&self, way: Arc<Neighbour>) {
        self.write().know(way);
    }

    /// The same, where no way is known yet.
    pub(crate) fn know_first(&self, way: Arc<Neighbour>) {
        self.write().ways.entry(way.party()).or_insert(way);
    }

    pub(crate) fn all(&self) -> (Vec<Arc<Neighbour>>, Vec<Invitation>) {
        let book = self.read();
        let invited = book.tokens.values().filter_map(|entry| match &entry.access {
            PeerAccess::Invited(invitation) => Some(invitation.clone()),
            PeerAccess::Known { .. } => None,
        });
        let mut invited: Vec<Invitation> = invited.collect();
        invited.sort_by_key(|invitation| invitation.party);
        (book.ways.values().cloned().collect(), invited)
    }

    /// Forgets a party; the tokens that it had. `None`: it was not known.
    pub(crate) fn dismiss(&self, party: PartyId) -> Option<Vec<BearerDigest>> {
        let mut book = self.write();
        let its = |each: &Entry| match &each.access {
            PeerAccess::Known { party: known, .. } => *known == party,
            PeerAccess::Invited(invitation) => invitation.party == party,
        };
        let gone = book.tokens.extract_if(|_, each| its(each));
        let tokens: Vec<BearerDigest> = gone.map(|(token, _)| BearerDigest::from_bytes(token)).collect();
        let way = book.ways.remove(&party);
        (!tokens.is_empty() || way.is_some()).then_some(tokens)
    }

    /// Whose token this is, without using it.
    pub(crate) fn known(&self, token: BearerDigest) -> Option<PartyId> {
        self.read().entry(token).and_then(|entry| match &entry.access {
            PeerAccess::Known { party, .. } => Some(*party),
            PeerAccess::Invited(_) => None,
        })
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
        self.tokens.insert(*token.as_bytes(), Entry { access, replaces: Replaces::None });
    }

    fn know(&mut self, way: Arc<Neighbour>) {
        self.ways.insert(way.party(), way);
    }

    fn entry(&self, token: BearerDigest) -> Option<&Entry> {
        self.tokens.get(token.as_bytes())
    }

    /// The new token is the party's only one, but for the one that it replaces.
    fn register(&mut self, registration: Registration) {
        let Registration { spent, token, party, is_hub, way } = registration;
        self.forget_all(party, Some(spent));
        let access = PeerAccess::Known { party, parties: vec![party], is_hub };
        self.tokens.insert(*token.as_bytes(), Entry { access, replaces: Replaces::One(spent) });
        self.know(way);
    }

    /// Whichever tokens a peer comes with are good for nothing, but for one.
    fn forget_all(&mut self, peer: PartyId, but: Option<BearerDigest>) {
        let stays = but.map(|token| *token.as_bytes());
        self.tokens.retain(|token, each| {
            Some(*token) == stays || !matches!(&each.access, PeerAccess::Known { party, .. } if *party == peer)
        });
    }

    /// A token was used: what it replaces is good for nothing any more.
    fn used(&mut self, token: BearerDigest) -> Vec<BearerDigest> {
        let Some(entry) = self.tokens.get_mut(token.as_bytes()) else { return Vec::new() };
        let owner = match &entry.access {
            PeerAccess::Known { party, .. } => Some(*party),
            PeerAccess::Invited(_) => None,
        };
        let before = std::mem::replace(&mut entry.replaces, Replaces::None);
        let replaced = |each: &[u8; 32], entry: &Entry| match before {
            Replaces::None => false,
            Replaces::One(one) => each == one.as_bytes(),
            Replaces::All => {
                each != token.as_bytes()
                    && entry.replaces != Replaces::All
                    && matches!(&entry.access, PeerAccess::Known { party, .. } if Some(*party) == owner)
            }
        };
        let gone = self.tokens.extract_if(|each, entry| replaced(each, entry));
        gone.map(|(token, _)| BearerDigest::from_bytes(token)).collect()
    }
}

impl PeerBook for Peers {
    fn by_token(&self, token: BearerDigest) -> Soon<'_, Option<PeerAccess>> {
        let (found, _replaced) = self.look(token);
        Box::pin(async move { found })
    }

    fn peer(&self, party: PartyId) -> Soon<'_, Option<Arc<Neighbour>>> {
        let found = self.read().ways.get(&party).cloned();
        Box::pin(async move { found })
    }

    fn register(&self, registration: Registration) -> Soon<'_, Result<(), Denial>> {
        let mut book = self.write();
        let done = if book.entry(registration.spent).is_some() {
            book.register(registration);
            Ok(())
        } else {
            Err(Denial::NotYours)
        };
        Box::pin(async move { done })
    }

    fn withdraw(&self, token: BearerDigest) -> Soon<'_, Result<(), Denial>> {
        let mut book = self.write();
        if let Some(PeerAccess::Known { party, .. }) = book.entry(token).map(|entry| entry.access.clone()) {
            // whichever of its tokens it leaves with, while a new one is not used yet
            book.forget_all(party, None);
            book.ways.remove(&party);
        }
        Box::pin(async { Ok(()) })
    }

    fn put_client(&self, client: ClientInfo) {
        let mut book = self.write();
        if book.clients.len() < PARTIES_MAX || book.clients.contains_key(&client.party) {
            book.clients.insert(client.party, client);
        }
    }

    fn client(&self, party: PartyId) -> Option<ClientInfo> {
        self.read().clients.get(&party).cloned()
    }
}
