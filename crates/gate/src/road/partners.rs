//! The register of partners that speak something else than OCPI: their protocol, addresses, credentials.
//!
//! It stands in the hub's own database beside the book of OCPI peers. Passwords with which we come to a partner are
//! sealed, those with which a partner comes to us are kept as digests. It deliberately does not know whether a
//! partner's letters may pass: that is the exchange's register. Invariant: what is in memory is on disk.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use charge::Secret;
use charge::id::PartyId;
use ocpi::Version;
use ocpi::credentials::Role;
use store::{Store, StoreError, Value, values};
use trust::bearer::BearerDigest;
use trust::seal::SealKey;

use super::book::{BookFault, MIGRATIONS};
use super::limits::PARTIES_MAX;

/// What a partner speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    Ocpi(Version),
    /// JSON with mutual TLS.
    Oicp23,
    /// SOAP.
    Oicp20,
    Ochp14,
    /// OCHP 1.4 with the direct interface beside it: orders go straight to the partner.
    OchpDirect,
}

impl Protocol {
    pub const ALL: [Self; 7] = [
        Self::Ocpi(Version::V211),
        Self::Ocpi(Version::V221),
        Self::Ocpi(Version::V230),
        Self::Oicp23,
        Self::Oicp20,
        Self::Ochp14,
        Self::OchpDirect,
    ];

    /// For rows, pages and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ocpi(Version::V211) => "ocpi/2.1.1",
            Self::Ocpi(Version::V221) => "ocpi/2.2.1",
            Self::Ocpi(Version::V230) => "ocpi/2.3.0",
            Self::Oicp23 => "oicp/2.3",
            Self::Oicp20 => "oicp/2.0",
            Self::Ochp14 => "ochp/1.4",
            Self::OchpDirect => "ochp/direct",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.as_str() == text)
    }
}

/// SHA-256 of a certificate's DER.
pub type Fingerprint = [u8; 32];

/// A partner that does not speak OCPI.
#[derive(Clone, Debug, PartialEq)]
pub struct Partner {
    pub party: PartyId,
    pub name: String,
    pub roles: Vec<Role>,
    pub protocol: Protocol,
    /// Where its services are: the service as its protocol calls it, or empty for the base of all, and the URL.
    pub addresses: Vec<(Box<str>, String)>,
    /// With which we come to it.
    pub login: Option<Login>,
    /// With which it comes to us.
    pub entry: Option<Entry>,
    /// The client certificate that it comes with.
    pub certificate: Option<Fingerprint>,
    /// Whom we believe to be it; `None` for whom every road of the hub believes.
    pub roots_pem: Option<String>,
    /// Whether its addresses may be ones that are not public.
    pub local: bool,
}

/// A name and a password of ours at a partner.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password: Secret<String>,
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && BearerDigest::of(self.password.expose()).matches(other.password.expose())
    }
}

/// A partner's name here, and the digest of a password that was made here: random, so that a digest is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub user: String,
    pub password: BearerDigest,
}

impl Partner {
    /// The address of a service: its own, or the base of all.
    pub fn address(&self, service: &str) -> Option<&str> {
        let named = |name: &str| self.addresses.iter().find(|(each, _)| &**each == name).map(|(_, url)| url.as_str());
        named(service).or_else(|| named(""))
    }

    /// A partner that is bound to a certificate comes with that one; its name and password alone open nothing.
    pub(crate) fn comes_with(&self, shown: Option<Fingerprint>) -> bool {
        self.certificate.is_none_or(|certificate| shown == Some(certificate))
    }
}

/// The register.
pub struct Partners {
    known: RwLock<BTreeMap<PartyId, Arc<Partner>>>,
    store: Store,
    seal: SealKey,
}

impl Partners {
    /// Opens the register in a hub's database.
    pub async fn open(store: Store, seal: SealKey) -> Result<Self, BookFault> {
        store.migrate(MIGRATIONS)?;
        let rows = store.read::<_, StoreError>("road.partners", |tx| tx.query(ALL, &[], read)).await?;
        let partners = Self { known: RwLock::default(), store, seal };
        for (mut partner, sealed) in rows {
            if let (Some(login), Some(sealed)) = (&mut partner.login, sealed) {
                let opened = partners.seal.open(&place(partner.party), &sealed).ok();
                let opened = opened.and_then(|bytes| String::from_utf8(bytes).ok());
                login.password = Secret::new(opened.ok_or(BookFault::Seal(partner.party))?);
            }
            partners.write().insert(partner.party, Arc::new(partner));
        }
        Ok(partners)
    }

    pub fn find(&self, party: PartyId) -> Option<Arc<Partner>> {
        self.read().get(&party).cloned()
    }

    pub fn protocol(&self, party: PartyId) -> Option<Protocol> {
        self.read().get(&party).map(|partner| partner.protocol)
    }

    pub fn all(&self) -> Vec<Arc<Partner>> {
        self.read().values().cloned().collect()
    }

    /// Whoever showed this client certificate.
    pub fn by_certificate(&self, shown: &Fingerprint) -> Option<Arc<Partner>> {
        self.read().values().find(|partner| partner.certificate.as_ref() == Some(shown)).cloned()
    }

    /// Whoever came with this name and password.
    pub fn by_login(&self, user: &str, password: &Secret<String>) -> Option<Arc<Partner>> {
        let shown = BearerDigest::of(password.expose());
        let fits = |entry: &Entry| entry.user == user && entry.password == shown;
        self.read().values().find(|partner| partner.entry.as_ref().is_some_and(fits)).cloned()
    }

    /// Registers a partner or changes what is known of it.
    pub async fn put(&self, partner: Partner) -> Result<(), BookFault> {
        if self.read().len() >= PARTIES_MAX && self.find(partner.party).is_none() {
            return Err(BookFault::Full);
        }
        let party = partner.party;
        let login = partner.login.as_ref();
        let sealed = login.map(|login| self.seal.seal(&place(party), login.password.expose().as_bytes())).transpose();
        let sealed = sealed.map_err(|_| BookFault::Seal(party))?;
        let row: [Value; 12] = values![
            party.to_string(),
            partner.name.clone(),
            joined(partner.roles.iter().map(|role| role.as_str())),
            partner.protocol.as_str(),
            joined(partner.addresses.iter().map(|(service, url)| format!("{service} {url}"))),
            login.map(|login| login.user.clone()),
            sealed,
            partner.entry.as_ref().map(|entry| entry.user.clone()),
            partner.entry.as_ref().map(|entry| entry.password.as_bytes().to_vec()),
            partner.certificate.map(|print| print.to_vec()),
            partner.roots_pem.clone(),
            partner.local,
        ];
        self.store.run::<_, StoreError>("road.partner.put", move |tx| tx.execute(PUT, &row).map(drop)).await?;
        self.write().insert(party, Arc::new(partner));
        Ok(())
    }

    /// `false`: there was none.
    pub async fn remove(&self, party: PartyId) -> Result<bool, BookFault> {
        let name = party.to_string();
        let gone = self.store.run::<_, StoreError>("road.partner.drop", move |tx| tx.execute(DROP, &values![name]));
        let gone = gone.await?;
        self.write().remove(&party);
        Ok(gone > 0)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<PartyId, Arc<Partner>>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<PartyId, Arc<Partner>>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn joined<T: AsRef<str>>(lines: impl Iterator<Item = T>) -> String {
    lines.map(|line| line.as_ref().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Where a password of ours is sealed for.
fn place(party: PartyId) -> String {
    format!("road_partner.password/{party}")
}

/// A row with its sealed password, which is not opened yet.
fn read(row: &store::Row<'_>) -> Result<(Partner, Option<Vec<u8>>), StoreError> {
    let corrupt = || StoreError::Corrupt("a row of road_partner cannot be read".to_owned());
    let print = |bytes: Vec<u8>| Fingerprint::try_from(bytes).map_err(|_| corrupt());
    let roles = row.text(2)?;
    let addresses = row.text(4)?;
    let address = |line: &str| line.split_once(' ').map(|(service, url)| (service.into(), url.to_owned()));
    let entry = match (row.text_opt(7)?, row.blob_opt(8)?) {
        (Some(user), Some(digest)) => Some(Entry { user, password: BearerDigest::from_bytes(print(digest)?) }),
        (_, _) => None,
    };
    let partner = Partner {
        party: row.text(0)?.parse().map_err(|_| corrupt())?,
        name: row.text(1)?,
        roles: roles.lines().map(Role::named).collect::<Option<_>>().ok_or_else(corrupt)?,
        protocol: Protocol::named(&row.text(3)?).ok_or_else(corrupt)?,
        addresses: addresses.lines().filter_map(address).collect(),
        login: row.text_opt(5)?.map(|user| Login { user, password: Secret::new(String::new()) }),
        entry,
        certificate: row.blob_opt(9)?.map(print).transpose()?,
        roots_pem: row.text_opt(10)?,
        local: row.flag(11)?,
    };
    Ok((partner, row.blob_opt(6)?))
}

/// The table, in the book's family.
pub(crate) const TABLE: &str = "CREATE TABLE road_partner (
    party TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    protocol TEXT NOT NULL,
    addresses TEXT NOT NULL,
    login TEXT,
    password_sealed BLOB,
    entry TEXT,
    entry_digest BLOB,
    certificate BLOB,
    roots TEXT,
    local INTEGER NOT NULL
) STRICT;";
const ALL: &str = "SELECT party, name, roles, protocol, addresses, login, password_sealed, entry, entry_digest,
    certificate, roots, local FROM road_partner ORDER BY party";
const PUT: &str = "INSERT INTO road_partner (party, name, roles, protocol, addresses, login, password_sealed, entry,
    entry_digest, certificate, roots, local) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (party) DO UPDATE SET name = excluded.name, roles = excluded.roles, protocol = excluded.protocol,
        addresses = excluded.addresses, login = excluded.login, password_sealed = excluded.password_sealed,
        entry = excluded.entry, entry_digest = excluded.entry_digest, certificate = excluded.certificate,
        roots = excluded.roots, local = excluded.local";
const DROP: &str = "DELETE FROM road_partner WHERE party = ?1";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn seal() -> SealKey {
        SealKey::new(&Secret::new([9; 32])).unwrap()
    }

    #[tokio::test]
    async fn partners_survive_with_their_credentials_and_are_found_by_what_they_show() {
        let store = Store::in_memory(&[]).unwrap();
        let partner = Partner {
            party: "DE-ICE".parse().unwrap(),
            name: "Ice".to_owned(),
            roles: vec![Role::Operator, Role::Provider],
            protocol: Protocol::Oicp23,
            addresses: vec![("".into(), "https://a.example/x".into()), ("status".into(), "https://b.example".into())],
            login: Some(Login { user: "hub".to_owned(), password: Secret::new("ours".to_owned()) }),
            entry: Some(Entry { user: "ice".to_owned(), password: BearerDigest::of("theirs") }),
            certificate: Some([3; 32]),
            roots_pem: None,
            local: true,
        };
        Partners::open(store.clone(), seal()).await.unwrap().put(partner.clone()).await.unwrap();

        let again = Partners::open(store.clone(), seal()).await.unwrap();
        assert_eq!(*again.find(partner.party).unwrap(), partner);
        assert_eq!(again.by_certificate(&[3; 32]).unwrap().party, partner.party);
        assert!(again.by_certificate(&[4; 32]).is_none());
        let word = |text: &str| Secret::new(text.to_owned());
        assert!(again.by_login("ice", &word("theirs")).is_some());
        assert!(again.by_login("ice", &word("ours")).is_none() && again.by_login("hub", &word("theirs")).is_none());
        assert_eq!(partner.address("status"), Some("https://b.example"));
        assert_eq!(partner.address("data"), Some("https://a.example/x"));

        assert!(again.remove(partner.party).await.unwrap() && !again.remove(partner.party).await.unwrap());
        assert!(Partners::open(store, seal()).await.unwrap().all().is_empty());
    }
}
