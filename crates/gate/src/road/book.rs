//! The book of peers that survives a restart, in the party's own database.
//!
//! Our tokens are kept as digests, the tokens of others sealed. A token that was spent stays spent whatever the
//! configuration still says. It also keeps the documents of modules that no room works with, sealed, because some
//! name people. Invariant: what a peer was told about its credentials is on the disk before it was told.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use charge::id::PartyId;
use charge::talk::partner::{HashInput, Seen, Separators, Times};
use charge::talk::road::{ClientInfo, Denial, PageWish, on_one_page};
use charge::{Dice, Secret, Soon, Timestamp};
use ocpi::Version;
use store::{Migration, Store, StoreError, Tx, Value, values};
use trust::bearer::{self, BearerDigest};
use trust::seal::SealKey;

use super::deeds;
use super::handshake::TOKEN_PREFIX;
use super::limits::{DOCUMENTS_PER_OWNER_MAX, RoadLimits};
use super::neighbour::{Neighbour, Peer, Quirks};
use super::partners;
use super::peers::{DocumentPage, DocumentSpot, Invitation, PeerAccess, PeerBook, Peers, Registration};
use super::sightings::{self, Sightings};

/// The family of tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        family: "road",
        number: 1,
        name: "peers, invitations, spent tokens, documents",
        sql: "CREATE TABLE road_peer (
              party TEXT NOT NULL PRIMARY KEY,
              name TEXT NOT NULL,
              is_hub INTEGER NOT NULL,
              token BLOB NOT NULL,
              versions_url TEXT NOT NULL,
              token_out_sealed BLOB NOT NULL,
              raw INTEGER NOT NULL,
              version TEXT,
              local INTEGER NOT NULL
          ) STRICT;
          CREATE TABLE road_invitation (
              token BLOB NOT NULL PRIMARY KEY,
              party TEXT NOT NULL,
              is_hub INTEGER NOT NULL,
              local INTEGER NOT NULL
          ) STRICT;
          CREATE TABLE road_spent (
              token BLOB NOT NULL PRIMARY KEY
          ) STRICT;
          CREATE TABLE road_document (
              owner TEXT NOT NULL,
              shelf TEXT NOT NULL,
              id TEXT NOT NULL,
              text_sealed BLOB NOT NULL,
              changed INTEGER NOT NULL,
              PRIMARY KEY (owner, shelf, id)
          ) STRICT;
          CREATE INDEX road_document_changed ON road_document (owner, shelf, changed);",
    },
    Migration { family: "road", number: 2, name: "partners of other protocols", sql: partners::TABLE },
    Migration {
        family: "road",
        number: 3,
        name: "how a peer wants to hear of unknown tokens",
        sql: "ALTER TABLE road_peer ADD COLUMN unknown_is_ok INTEGER NOT NULL DEFAULT 0;",
    },
    Migration {
        family: "road",
        number: 4,
        name: "how a partner writes moments and ids, and what it hashes",
        sql: "ALTER TABLE road_peer ADD COLUMN times TEXT NOT NULL DEFAULT 'as written';
          ALTER TABLE road_peer ADD COLUMN ids TEXT NOT NULL DEFAULT 'as written';
          CREATE TABLE road_hash (
              party TEXT NOT NULL PRIMARY KEY,
              input TEXT NOT NULL
          ) STRICT;",
    },
    Migration { family: "road", number: 5, name: "what was seen of partners' habits", sql: sightings::TABLE },
    Migration {
        family: "road",
        number: 6,
        name: "tokens that we have offered, and whom a peer is believed to be",
        sql: "ALTER TABLE road_peer ADD COLUMN roots_pem TEXT;
          CREATE TABLE road_offer (
              token BLOB NOT NULL PRIMARY KEY,
              party TEXT NOT NULL,
              is_hub INTEGER NOT NULL
          ) STRICT;",
    },
    Migration { family: "road", number: 7, name: "what was done about our registration", sql: deeds::TABLE },
];

/// Why the book cannot be opened or written. Whoever runs this machine can mend it.
#[derive(Debug, thiserror::Error)]
pub enum BookFault {
    #[error("the book of peers cannot be read or written")]
    Store(#[from] StoreError),
    #[error("the token of {0} does not open: another seal key?")]
    Seal(PartyId),
    #[error("there are as many partners as this machine takes")]
    Full,
}

impl From<BookFault> for Denial {
    fn from(fault: BookFault) -> Self {
        tracing::error!(%fault, "the book of peers failed");
        Self::Internal
    }
}

/// A book that survives.
pub struct Book {
    peers: Peers,
    spent: RwLock<HashSet<[u8; 32]>>,
    store: Store,
    seal: Arc<SealKey>,
    dice: Arc<dyn Dice>,
    tls: Arc<rustls::ClientConfig>,
    limits: RoadLimits,
    sightings: Sightings,
    hashes: RwLock<HashMap<PartyId, HashInput>>,
}

/// A row of `road_peer`, with its sealed token.
struct Kept {
    party: PartyId,
    name: String,
    is_hub: bool,
    token: [u8; 32],
    versions_url: String,
    sealed: Vec<u8>,
    quirks: Quirks,
    roots_pem: Option<String>,
}

/// What came of a registration that we began or renewed.
pub(crate) struct Settled {
    /// The token that we offered and the peer comes with from now on.
    pub token: BearerDigest,
    pub party: PartyId,
    pub is_hub: bool,
    /// With the token that we come with.
    pub way: Arc<Neighbour>,
    /// `None`: as it was.
    pub roots_pem: Option<String>,
}

impl Book {
    /// Opens the book in a party's database. `tls` says whom registered peers are believed to be.
    pub async fn open(
        store: Store,
        seal: SealKey,
        tls: Arc<rustls::ClientConfig>,
        limits: RoadLimits,
        dice: Arc<dyn Dice>,
    ) -> Result<Self, BookFault> {
        store.migrate(MIGRATIONS)?;
        let (kept, invited, offers, spent, hashes, sightings) = store
            .read::<_, StoreError>("road.book", |tx| {
                let kept = tx.query(PEERS, &[], read_peer)?;
                let invited = tx.query(INVITATIONS, &[], |row| {
                    Ok((digest(row.blob(0)?)?, party(&row.text(1)?)?, row.flag(2)?, row.flag(3)?))
                })?;
                let offers =
                    tx.query(OFFERS, &[], |row| Ok((digest(row.blob(0)?)?, party(&row.text(1)?)?, row.flag(2)?)))?;
                let hashes = tx.query(HASHES, &[], |row| {
                    Ok((party(&row.text(0)?)?, HashInput::named(&row.text(1)?).unwrap_or_default()))
                })?;
                let spent = tx.query(SPENT, &[], |row| digest(row.blob(0)?))?;
                Ok((kept, invited, offers, spent, hashes, Sightings::read(tx)?))
            })
            .await?;
        let spent = RwLock::new(spent.into_iter().collect());
        let hashes = RwLock::new(hashes.into_iter().collect());
        let (peers, seal) = (Peers::new(), Arc::new(seal));
        let book = Self { peers, spent, store, seal, dice, tls, limits, sightings, hashes };
        for row in kept {
            book.restore(row)?;
        }
        for (token, party, is_hub, local) in invited {
            let invitation = Invitation { party, is_hub, local, tls: Arc::clone(&book.tls) };
            book.peers.admit(BearerDigest::from_bytes(token), PeerAccess::Invited(invitation));
        }
        for (token, party, is_hub) in offers {
            book.peers.admit_offer(BearerDigest::from_bytes(token), known(party, is_hub));
        }
        Ok(book)
    }

    fn restore(&self, row: Kept) -> Result<(), BookFault> {
        let opened =
            self.seal.open(&place(row.party), &row.sealed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let token_out = Secret::new(opened.ok_or(BookFault::Seal(row.party))?);
        self.admit(BearerDigest::from_bytes(row.token), known(row.party, row.is_hub));
        let tls = match row.roots_pem.as_deref().map(|pem| trust::tls::client(pem, None, &["http/1.1"])) {
            Some(Ok(tls)) => Arc::new(tls),
            // judged when they were entered
            Some(Err(_)) | None => Arc::clone(&self.tls),
        };
        let peer = Peer { party: row.party, name: row.name, versions_url: row.versions_url, token_out, tls };
        match Neighbour::new(peer, self.limits, Arc::clone(&self.dice)).map(|way| way.with_quirks(row.quirks)) {
            Ok(Ok(way)) => self.peers.know(Arc::new(way)),
            Ok(Err(fault)) | Err(fault) => tracing::error!(%fault, "a registered peer cannot be reached any more"),
        }
        Ok(())
    }

    /// Lets in whoever comes with this token of the configuration, unless it was spent since, which `false` says.
    pub fn admit(&self, token: BearerDigest, access: PeerAccess) -> bool {
        let good = !self.spent.read().unwrap_or_else(PoisonError::into_inner).contains(token.as_bytes());
        if good {
            self.peers.admit(token, access);
        }
        good
    }

    /// How to get to a party of the configuration, unless it registered since.
    pub fn know(&self, way: Arc<Neighbour>) {
        self.peers.know_first(way);
    }

    /// Invites one party: the token A to hand to it, shown once.
    pub async fn invite(&self, party: PartyId, is_hub: bool, local: bool) -> Result<Secret<String>, BookFault> {
        let token = bearer::generate(TOKEN_PREFIX, &*self.dice);
        let digest = BearerDigest::of(token.expose());
        let bytes = *digest.as_bytes();
        self.store
            .run::<_, StoreError>("road.invite", move |tx| {
                tx.execute(INVITE, &values![bytes, party.to_string(), is_hub, local]).map(drop)
            })
            .await?;
        let invitation = Invitation { party, is_hub, local, tls: Arc::clone(&self.tls) };
        self.peers.admit(digest, PeerAccess::Invited(invitation));
        Ok(token)
    }

    /// A new token for a party to come with, on the disk before anybody hears of it. Until it is used, what the party
    /// has is good as well.
    pub(crate) async fn offer(&self, party: PartyId, is_hub: bool) -> Result<Secret<String>, BookFault> {
        let token = bearer::generate(TOKEN_PREFIX, &*self.dice);
        let digest = BearerDigest::of(token.expose());
        let row = values![*digest.as_bytes(), party.to_string(), is_hub];
        self.store.run::<_, StoreError>("road.offer", move |tx| tx.execute(OFFER, &row).map(drop)).await?;
        self.peers.admit_offer(digest, known(party, is_hub));
        Ok(token)
    }

    /// The other side has refused it.
    pub(crate) async fn take_back(&self, token: BearerDigest) -> Result<(), BookFault> {
        let bytes = *token.as_bytes();
        self.store
            .run::<_, StoreError>("road.take_back", move |tx| tx.execute(DROP_OFFER, &values![bytes]).map(drop))
            .await?;
        self.peers.take_back(token);
        Ok(())
    }

    /// Keeps what both sides come with from now on. The token that the party had is good until it uses its new one, or
    /// until a restart.
    pub(crate) async fn settle(&self, settled: Settled) -> Result<(), BookFault> {
        let Settled { token, party, is_hub, way, roots_pem } = settled;
        let row = self.row(&way, (party, is_hub, token), roots_pem)?;
        let before: Vec<[u8; 32]> = self.peers.others(party, token).iter().map(|token| *token.as_bytes()).collect();
        let run = self.store.run::<_, StoreError>("road.settle", move |tx| {
            tx.execute(PUT_PEER, &row)?;
            tx.execute(DROP_OFFERED, &values![party.to_string()])?;
            before.into_iter().try_for_each(|token| spend(tx, token))
        });
        run.await?;
        self.peers.know(way);
        Ok(())
    }

    /// Tokens whose successor was used.
    async fn spend_replaced(&self, replaced: Vec<BearerDigest>) {
        let rows: Vec<[u8; 32]> = replaced.iter().map(|token| *token.as_bytes()).collect();
        self.spent.write().unwrap_or_else(PoisonError::into_inner).extend(rows.iter().copied());
        let run = self
            .store
            .run::<_, StoreError>("road.replaced", move |tx| rows.into_iter().try_for_each(|token| spend(tx, token)));
        if let Err(fault) = run.await {
            tracing::error!(%fault, "that a token was replaced could not be kept; a restart makes it good again");
        }
    }

    /// Whom registered peers are believed to be.
    pub(crate) const fn tls(&self) -> &Arc<rustls::ClientConfig> {
        &self.tls
    }

    /// Whom this book knows the way to, and who was invited and did not come yet.
    pub fn known(&self) -> (Vec<Arc<Neighbour>>, Vec<Invitation>) {
        self.peers.all()
    }

    /// Whether a party's tokens were exchanged; those of the configuration never were.
    pub(crate) async fn has_exchanged(&self, party: PartyId) -> Result<bool, BookFault> {
        let name = party.to_string();
        let row = self.store.read::<_, StoreError>("road.exchanged", move |tx| {
            tx.one("SELECT 1 FROM road_peer WHERE party = ?1", &values![name], |row| row.int(0))
        });
        Ok(row.await?.is_some())
    }

    /// Does as a registered peer wants; `false` where it has not registered.
    pub async fn tune(&self, party: PartyId, quirks: Quirks) -> Result<bool, BookFault> {
        let Some(way) = self.peers.peer(party).await else { return Ok(false) };
        let row = values![
            party.to_string(),
            quirks.raw_token,
            quirks.version.map(Version::as_str),
            quirks.unknown_is_ok,
            quirks.times.as_str(),
            quirks.ids.as_str(),
        ];
        let run = self.store.run::<_, StoreError>("road.tune", move |tx| tx.execute(TUNE, &row));
        if run.await? == 0 {
            return Ok(false);
        }
        match way.tuned(quirks) {
            Ok(way) => self.peers.know(Arc::new(way)),
            Err(fault) => tracing::error!(%fault, "a registered peer cannot be reached any more"),
        }
        Ok(true)
    }

    /// What was seen in partners' letters.
    pub(crate) const fn sightings(&self) -> &Sightings {
        &self.sightings
    }

    /// What a partner's list has hashes of.
    pub(crate) async fn hash_with(&self, party: PartyId, input: HashInput) -> Result<(), BookFault> {
        let row = values![party.to_string(), input.as_str()];
        self.store.run::<_, StoreError>("road.hash", move |tx| tx.execute(PUT_HASH, &row).map(drop)).await?;
        self.hashes.write().unwrap_or_else(PoisonError::into_inner).insert(party, input);
        Ok(())
    }

    /// Forgets a party: its tokens are spent, also those of the configuration. `false`: it was not known.
    pub async fn dismiss(&self, party: PartyId) -> Result<bool, BookFault> {
        self.sightings.forget(party);
        let Some(tokens) = self.peers.dismiss(party) else { return Ok(false) };
        let name = party.to_string();
        let spent: Vec<[u8; 32]> = tokens.iter().map(|token| *token.as_bytes()).collect();
        let rows = spent.clone();
        let run = self.store.run::<_, StoreError>("road.dismiss", move |tx| {
            tx.execute(DROP_PARTY, &values![name.clone()])?;
            tx.execute(DROP_INVITED, &values![name.clone()])?;
            tx.execute(DROP_OFFERED, &values![name])?;
            rows.into_iter().try_for_each(|token| spend(tx, token))
        });
        run.await?;
        self.spent.write().unwrap_or_else(PoisonError::into_inner).extend(spent);
        Ok(true)
    }

    /// A row of `road_peer`.
    fn row(
        &self,
        way: &Neighbour,
        (party, is_hub, token): (PartyId, bool, BearerDigest),
        roots_pem: Option<String>,
    ) -> Result<Vec<Value>, BookFault> {
        let sealed = self.seal.seal(&place(party), way.token_out().expose().as_bytes());
        let sealed = sealed.map_err(|_| BookFault::Seal(party))?;
        let quirks = way.quirks();
        Ok(values![
            party.to_string(),
            way.name().to_owned(),
            is_hub,
            *token.as_bytes(),
            way.versions_url().to_owned(),
            sealed,
            quirks.raw_token,
            quirks.version.map(Version::as_str),
            quirks.local,
            quirks.unknown_is_ok,
            quirks.times.as_str(),
            quirks.ids.as_str(),
            roots_pem,
        ]
        .to_vec())
    }

    async fn keep(&self, registration: &Registration) -> Result<(), BookFault> {
        let Registration { party, is_hub, token, .. } = *registration;
        let row = self.row(&registration.way, (party, is_hub, token), None)?;
        let spent = *registration.spent.as_bytes();
        self.store
            .run::<_, StoreError>("road.register", move |tx| {
                tx.execute(PUT_PEER, &row)?;
                tx.execute(DROP_OFFERED, &values![party.to_string()])?;
                spend(tx, spent)
            })
            .await?;
        self.spent.write().unwrap_or_else(PoisonError::into_inner).insert(spent);
        Ok(())
    }

    async fn forget(&self, token: BearerDigest) -> Result<(), BookFault> {
        let bytes = *token.as_bytes();
        let party = self.peers.known(token).map(|party| party.to_string());
        self.store
            .run::<_, StoreError>("road.withdraw", move |tx| {
                tx.execute(DROP_PEER, &values![bytes, party.clone()])?;
                tx.execute(DROP_OFFERED, &values![party])?;
                spend(tx, bytes)
            })
            .await?;
        self.spent.write().unwrap_or_else(PoisonError::into_inner).insert(bytes);
        Ok(())
    }

    async fn document(&self, spot: DocumentSpot) -> Result<Option<String>, Denial> {
        let aad = spot.to_string();
        let found = self.store.read::<_, StoreError>("road.document", move |tx| {
            tx.one(DOCUMENT, &values![spot.owner.to_string(), spot.shelf, spot.id], |row| row.blob(0))
        });
        let found = found.await.map_err(BookFault::from)?;
        found.map(|sealed| self.open_text(&aad, &sealed)).transpose()
    }

    fn open_text(&self, aad: &str, sealed: &[u8]) -> Result<String, Denial> {
        let opened = self.seal.open(aad, sealed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        opened.ok_or(Denial::Internal)
    }

    async fn put_sealed(&self, spot: DocumentSpot, text: String, now: Timestamp) -> Result<(), Denial> {
        let sealed = self.seal.seal(&spot.to_string(), text.as_bytes()).map_err(|_| Denial::Internal)?;
        let owner = spot.owner.to_string();
        let kept = self.store.run::<_, StoreError>("road.document.put", move |tx| {
            let count = tx.one(DOCUMENTS_OF, &values![owner.clone()], |row| row.int(0))?.unwrap_or(0);
            let known = tx.one(DOCUMENT, &values![owner.clone(), spot.shelf.clone(), spot.id.clone()], |_| Ok(()))?;
            if known.is_none() && count >= DOCUMENTS_PER_OWNER_MAX {
                return Ok(false);
            }
            tx.execute(PUT_DOCUMENT, &values![owner, spot.shelf, spot.id, sealed, now])?;
            Ok(true)
        });
        if kept.await.map_err(BookFault::from)? { Ok(()) } else { Err(Denial::Overloaded) }
    }

    async fn list(&self, owner: PartyId, shelf: String, wish: PageWish) -> Result<DocumentPage, Denial> {
        let since = wish.changed_since.unwrap_or(Timestamp::from_micros(i64::MIN));
        let before = wish.changed_before.unwrap_or(Timestamp::from_micros(i64::MAX));
        let (name, place) = (owner.to_string(), shelf.clone());
        let found = self.store.read::<_, StoreError>("road.documents", move |tx| {
            let range = values![name.clone(), place.clone(), since, before];
            let total = tx.one(DOCUMENTS_TOTAL, &range, |row| row.int(0))?.unwrap_or(0);
            let range = values![name.clone(), place.clone(), since, before, wish.limit, wish.offset];
            let sizes = tx.query(DOCUMENT_SIZES, &range, |row| row.int(0))?;
            let fit = on_one_page(sizes.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX)));
            let fit = u32::try_from(fit).unwrap_or(wish.limit);
            let rows = values![name, place, since, before, fit, wish.offset];
            Ok((tx.query(DOCUMENTS, &rows, |row| Ok((row.text(0)?, row.blob(1)?)))?, fit, total))
        });
        let (rows, fit, total) = found.await.map_err(BookFault::from)?;
        let mut items = Vec::new();
        for (id, sealed) in rows {
            let spot = DocumentSpot { owner, shelf: shelf.clone(), id };
            items.push(self.open_text(&spot.to_string(), &sealed)?);
        }
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        let next = wish.offset.saturating_add(fit);
        Ok(DocumentPage { items, total, next: (next < total).then_some(next), complaints: Vec::new() })
    }
}

impl PeerBook for Book {
    fn by_token(&self, token: BearerDigest) -> Soon<'_, Option<PeerAccess>> {
        let (found, replaced) = self.peers.look(token);
        Box::pin(async move {
            if !replaced.is_empty() {
                self.spend_replaced(replaced).await;
            }
            found
        })
    }

    fn peer(&self, party: PartyId) -> Soon<'_, Option<Arc<Neighbour>>> {
        self.peers.peer(party)
    }

    fn register(&self, registration: Registration) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async move {
            self.keep(&registration).await?;
            self.peers.register(registration).await
        })
    }

    fn withdraw(&self, token: BearerDigest) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async move {
            self.forget(token).await?;
            self.peers.withdraw(token).await
        })
    }

    fn put_client(&self, client: ClientInfo) {
        self.peers.put_client(client);
    }

    fn client(&self, party: PartyId) -> Option<ClientInfo> {
        self.peers.client(party)
    }

    fn noticed(&self, party: PartyId, seen: Seen) {
        self.sightings.note(party, seen);
    }

    fn duty(&self) -> Soon<'_, Result<(), Denial>> {
        Box::pin(async move { Ok(self.sightings.write(&self.store).await.map_err(BookFault::from)?) })
    }

    fn hash_input(&self, party: PartyId) -> HashInput {
        self.hashes.read().unwrap_or_else(PoisonError::into_inner).get(&party).copied().unwrap_or_default()
    }

    fn read_document(&self, spot: DocumentSpot) -> Soon<'_, Result<Option<String>, Denial>> {
        Box::pin(self.document(spot))
    }

    fn put_document(&self, spot: DocumentSpot, text: String, now: Timestamp) -> Soon<'_, Result<(), Denial>> {
        Box::pin(self.put_sealed(spot, text, now))
    }

    fn drop_document(&self, spot: DocumentSpot) -> Soon<'_, Result<bool, Denial>> {
        Box::pin(async move {
            let dropped = self.store.run::<_, StoreError>("road.document.drop", move |tx| {
                tx.execute(DROP_DOCUMENT, &values![spot.owner.to_string(), spot.shelf, spot.id])
            });
            Ok(dropped.await.map_err(BookFault::from)? > 0)
        })
    }

    fn documents(&self, owner: PartyId, shelf: String, wish: PageWish) -> Soon<'_, Result<DocumentPage, Denial>> {
        Box::pin(self.list(owner, shelf, wish))
    }
}

/// Where a token of another party is sealed for.
fn place(party: PartyId) -> String {
    format!("road_peer.token_out/{party}")
}

fn known(party: PartyId, is_hub: bool) -> PeerAccess {
    PeerAccess::Known { party, parties: vec![party], is_hub }
}

fn spend(tx: &mut Tx<'_>, token: [u8; 32]) -> Result<(), StoreError> {
    tx.execute(SPEND, &values![token])?;
    tx.execute(DROP_INVITATION, &values![token]).map(drop)
}

fn read_peer(row: &store::Row<'_>) -> Result<Kept, StoreError> {
    Ok(Kept {
        party: party(&row.text(0)?)?,
        name: row.text(1)?,
        is_hub: row.flag(2)?,
        token: digest(row.blob(3)?)?,
        versions_url: row.text(4)?,
        sealed: row.blob(5)?,
        quirks: Quirks {
            raw_token: row.flag(6)?,
            version: row.text_opt(7)?.as_deref().and_then(Version::named),
            local: row.flag(8)?,
            unknown_is_ok: row.flag(9)?,
            times: Times::named(&row.text(10)?).unwrap_or_default(),
            ids: Separators::named(&row.text(11)?).unwrap_or_default(),
        },
        roots_pem: row.text_opt(12)?,
    })
}

fn digest(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("road: a digest has another length".to_owned()))
}

fn party(text: &str) -> Result<PartyId, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt("road: a column of parties holds no party".to_owned()))
}

const PEERS: &str =
    "SELECT party, name, is_hub, token, versions_url, token_out_sealed, raw, version, local, unknown_is_ok, times, ids,
    roots_pem FROM road_peer ORDER BY party";
const PUT_PEER: &str = "INSERT INTO road_peer
    (party, name, is_hub, token, versions_url, token_out_sealed, raw, version, local, unknown_is_ok, times, ids,
    roots_pem)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (party) DO UPDATE SET name = excluded.name, is_hub = excluded.is_hub, token = excluded.token,
        versions_url = excluded.versions_url, token_out_sealed = excluded.token_out_sealed, raw = excluded.raw,
        version = excluded.version, local = excluded.local, unknown_is_ok = excluded.unknown_is_ok,
        times = excluded.times, ids = excluded.ids, roots_pem = COALESCE(excluded.roots_pem, roots_pem)";
const OFFERS: &str = "SELECT token, party, is_hub FROM road_offer";
const OFFER: &str = "INSERT INTO road_offer (token, party, is_hub) VALUES (?1, ?2, ?3)";
const DROP_OFFER: &str = "DELETE FROM road_offer WHERE token = ?1";
const DROP_OFFERED: &str = "DELETE FROM road_offer WHERE party = ?1";
const TUNE: &str = "UPDATE road_peer SET raw = ?2, version = ?3, unknown_is_ok = ?4, times = ?5, ids = ?6
    WHERE party = ?1";
const HASHES: &str = "SELECT party, input FROM road_hash";
const PUT_HASH: &str = "INSERT INTO road_hash (party, input) VALUES (?1, ?2)
    ON CONFLICT (party) DO UPDATE SET input = excluded.input";
const DROP_PARTY: &str = "DELETE FROM road_peer WHERE party = ?1";
const DROP_INVITED: &str = "DELETE FROM road_invitation WHERE party = ?1";
const DROP_PEER: &str = "DELETE FROM road_peer WHERE token = ?1 OR party = ?2";
const INVITATIONS: &str = "SELECT token, party, is_hub, local FROM road_invitation";
const INVITE: &str = "INSERT INTO road_invitation (token, party, is_hub, local) VALUES (?1, ?2, ?3, ?4)";
const DROP_INVITATION: &str = "DELETE FROM road_invitation WHERE token = ?1";
const SPENT: &str = "SELECT token FROM road_spent";
const SPEND: &str = "INSERT INTO road_spent (token) VALUES (?1) ON CONFLICT DO NOTHING";
const DOCUMENT: &str = "SELECT text_sealed FROM road_document WHERE owner = ?1 AND shelf = ?2 AND id = ?3";
const PUT_DOCUMENT: &str = "INSERT INTO road_document (owner, shelf, id, text_sealed, changed)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (owner, shelf, id) DO UPDATE SET text_sealed = excluded.text_sealed, changed = excluded.changed";
const DROP_DOCUMENT: &str = "DELETE FROM road_document WHERE owner = ?1 AND shelf = ?2 AND id = ?3";
const DOCUMENTS_OF: &str = "SELECT COUNT(*) FROM road_document WHERE owner = ?1";
const DOCUMENTS_TOTAL: &str = "SELECT COUNT(*) FROM road_document
    WHERE owner = ?1 AND shelf = ?2 AND changed >= ?3 AND changed < ?4";
const DOCUMENT_SIZES: &str = "SELECT OCTET_LENGTH(text_sealed) FROM road_document
    WHERE owner = ?1 AND shelf = ?2 AND changed >= ?3 AND changed < ?4 ORDER BY changed, id LIMIT ?5 OFFSET ?6";
const DOCUMENTS: &str = "SELECT id, text_sealed FROM road_document
    WHERE owner = ?1 AND shelf = ?2 AND changed >= ?3 AND changed < ?4 ORDER BY changed, id LIMIT ?5 OFFSET ?6";
