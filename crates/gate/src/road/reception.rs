//! The front desk of a hub's door: partners are invited, entered, tried and dismissed here.
//!
//! It joins the book of OCPI peers and the register of other partners, so that a person sees one list. It deliberately
//! decides nothing about letters. Invariant: a secret is shown once, to whoever asked for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use charge::id::PartyId;
use charge::talk::partner::{
    Beginning, Declined, Habits, HashInput, Invited, NewPartner, PartnerCard, PartnerRole, Reception, Registered,
    Registrar, Trial, TrialStep,
};
use charge::{Clock, Dice, Secret, Soon};
use ocpi::Version;
use ocpi::credentials::Role;
use trust::bearer::{self, BearerDigest};

use super::book::{Book, BookFault};
use super::entrance::Own;
use super::envoy::Envoy;
use super::handshake::TOKEN_PREFIX;
use super::knock::Knock;
use super::neighbour::{Neighbour, Quirks};
use super::partners::{Entry, Login, Partner, Partners, Protocol};
use super::peers::PeerBook;
use super::probe::{self, Looker};

/// Longest name of a partner, and of its login.
const NAME_CHARACTERS_MAX: usize = 100;
/// Services of one partner that may have addresses of their own: OICP has eight.
const ADDRESSES_MAX: usize = 16;

/// The front desk of a hub.
pub struct FrontDesk {
    party: PartyId,
    /// The hub's own address.
    base: String,
    book: Arc<Book>,
    partners: Arc<Partners>,
    /// Goes to partners that want us to begin.
    envoy: Envoy,
    /// Whom partners without roots of their own are believed to be.
    tls: Arc<rustls::ClientConfig>,
    /// Who asks partners of other protocols when their connection is tried.
    knocks: RwLock<HashMap<Protocol, Arc<dyn Knock>>>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

impl FrontDesk {
    pub fn new(own: Own, book: Arc<Book>, partners: Arc<Partners>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        let (tls, party, base) = (Arc::clone(book.tls()), own.party, own.base.clone());
        let envoy = Envoy::new(own, Arc::clone(&book), Arc::clone(&clock), Arc::clone(&dice));
        Self { party, base, book, partners, envoy, tls, knocks: RwLock::default(), clock, dice }
    }

    /// Partners of this protocol are asked by this client when they are tried.
    pub fn attach(&self, protocol: Protocol, knock: Arc<dyn Knock>) {
        self.knocks.write().unwrap_or_else(PoisonError::into_inner).insert(protocol, knock);
    }

    async fn enter_partner(&self, new: NewPartner) -> Result<Option<Secret<String>>, Declined> {
        let protocol = self.judge(&new)?;
        let password = new.entry.as_ref().map(|_| bearer::generate(TOKEN_PREFIX, &*self.dice));
        let digest = password.as_ref().map(|password| BearerDigest::of(password.expose()));
        let partner = Partner {
            party: new.party,
            name: new.name,
            roles: new.roles.into_iter().map(role).collect(),
            protocol,
            addresses: new.addresses,
            login: new.login.map(|(user, password)| Login { user, password }),
            entry: new.entry.zip(digest).map(|(user, password)| Entry { user, password }),
            certificate: new.certificate,
            roots_pem: new.roots_pem,
            local: new.local,
        };
        self.partners.put(partner).await?;
        Ok(password)
    }

    fn judge(&self, new: &NewPartner) -> Result<Protocol, Declined> {
        let bad = |path, why| Err(Declined::Malformed { path, why });
        let protocol = match Protocol::named(&new.protocol) {
            Some(Protocol::Ocpi(_)) => {
                return bad("/protocol", "is OCPI: such a partner is invited and introduces itself");
            }
            Some(protocol) => protocol,
            None => return bad("/protocol", "is none of oicp/2.3, oicp/2.0, ochp/1.4, ochp/direct"),
        };
        let fits = |text: &str| {
            !text.trim().is_empty()
                && text.chars().count() <= NAME_CHARACTERS_MAX
                && !text.chars().any(char::is_control)
        };
        let others = self.partners.all();
        let mut others = others.iter().filter(|other| other.party != new.party);
        if !fits(&new.name) {
            return bad("/name", "is empty or too long");
        }
        if new.roles.is_empty() {
            return bad("/roles", "names neither operator nor provider");
        }
        if new.addresses.is_empty() || new.addresses.len() > ADDRESSES_MAX {
            return bad("/addresses", "needs between one and sixteen addresses");
        }
        let usable = |(service, url): &(Box<str>, String)| {
            !service.contains(char::is_whitespace) && !url.contains(char::is_whitespace) && probe::place(url).is_some()
        };
        if !new.addresses.iter().all(usable) {
            return bad("/addresses", "has one that is no https URL");
        }
        if new.certificate.is_none() && new.entry.is_none() {
            return bad("/certificate", "and `entry` are both missing: how would this partner prove who it is?");
        }
        if new.entry.as_deref().is_some_and(|entry| !fits(entry)) {
            return bad("/entry", "is empty or too long");
        }
        let taken = |other: &Arc<Partner>| {
            (new.certificate.is_some() && other.certificate == new.certificate)
                || new.entry.as_ref().is_some_and(|name| other.entry.as_ref().is_some_and(|entry| entry.user == *name))
        };
        if others.any(taken) {
            return bad("/entry", "or the certificate is another partner's");
        }
        match &new.roots_pem {
            Some(roots) if trust::tls::client(roots, None, &[]).is_err() => bad("/roots_pem", "holds no certificates"),
            Some(_) | None => Ok(protocol),
        }
    }

    fn list(&self) -> Vec<PartnerCard> {
        let (ways, invited) = self.book.known();
        let known = ways.iter().map(|way| PartnerCard { seen: self.book.sightings().of(way.party()), ..card(way) });
        let new = invited.iter().filter(|invitation| ways.iter().all(|way| way.party() != invitation.party));
        let new = new.map(|invitation| PartnerCard {
            party: invitation.party,
            name: String::new(),
            protocol: "ocpi".into(),
            invited: true,
            addresses: Vec::new(),
            certificate: None,
            entry: None,
            local: invitation.local,
            habits: None,
            seen: Vec::new(),
        });
        let others = self.partners.all();
        let mut cards: Vec<_> = known.chain(new).chain(others.iter().map(|other| self.foreign(other))).collect();
        cards.sort_by_key(|card| card.party);
        cards.dedup_by_key(|card| card.party);
        cards
    }

    fn foreign(&self, partner: &Partner) -> PartnerCard {
        let lists = matches!(partner.protocol, Protocol::Ochp14 | Protocol::OchpDirect);
        let hashes = self.book.hash_input(partner.party);
        PartnerCard {
            party: partner.party,
            name: partner.name.clone(),
            protocol: partner.protocol.as_str().into(),
            invited: false,
            addresses: partner.addresses.clone(),
            certificate: partner.certificate.map(|print| BearerDigest::from_bytes(print).to_hex()),
            entry: partner.entry.as_ref().map(|entry| entry.user.clone()),
            local: partner.local,
            habits: lists.then(|| Habits { hashes, ..Habits::default() }),
            seen: self.book.sightings().of(partner.party),
        }
    }

    async fn try_out(&self, party: PartyId, roles: Vec<PartnerRole>) -> Result<Trial, Declined> {
        let looker = Looker { hub: self.party, now: self.clock.now(), dice: &*self.dice };
        if let Some(partner) = self.partners.find(party) {
            let knock = self.knocks.read().unwrap_or_else(PoisonError::into_inner).get(&partner.protocol).cloned();
            let tls = match (knock.as_ref().and_then(|knock| knock.tls()), &partner.roots_pem) {
                (Some(own), _) => Ok(own),
                (None, Some(roots)) => trust::tls::client(roots, None, &["http/1.1"]).map(Arc::new),
                (None, None) => Ok(Arc::clone(&self.tls)),
            };
            let tls = tls.map_err(|_| Declined::Malformed { path: "/roots_pem", why: "holds no certificates" })?;
            return Ok(looker.partner(&partner, tls, knock.as_deref()).await);
        }
        if let Some(way) = self.book.peer(party).await {
            return Ok(looker.peer(&way, &roles).await);
        }
        if self.book.known().1.iter().any(|invitation| invitation.party == party) {
            let advice =
                format!("Ask them to begin at {} with the token of the invitation.", ocpi::url::versions(&self.base));
            let found = "it was invited and has not introduced itself yet".to_owned();
            let step = TrialStep { what: "Introduction", held: false, found, advice: Some(advice) };
            return Ok(Trial { steps: vec![step], suggested: None });
        }
        Err(Declined::Unknown)
    }

    async fn tune(&self, party: PartyId, habits: Habits) -> Result<(), Declined> {
        if self.partners.find(party).is_some() {
            let rest = Habits { hashes: HashInput::Either, ..habits.clone() };
            if rest != Habits::default() {
                return Err(Declined::Malformed { path: "/hashes", why: "alone can be changed for such a partner" });
            }
            return Ok(self.book.hash_with(party, habits.hashes).await?);
        }
        let way = self.book.peer(party).await.ok_or(Declined::Unknown)?;
        let version = match habits.version.as_deref() {
            Some(text) => Some(
                Version::named(text)
                    .ok_or(Declined::Malformed { path: "/version", why: "is none of 2.1.1, 2.2.1, 2.3.0" })?,
            ),
            None => None,
        };
        let Habits { raw_token, unknown_is_ok, times, ids, .. } = habits;
        let quirks = Quirks { raw_token, version, local: way.quirks().local, unknown_is_ok, times, ids };
        if self.book.tune(party, quirks).await? { Ok(()) } else { Err(Declined::Configured) }
    }
}

impl Registrar for FrontDesk {
    fn register(&self, with: Beginning) -> Soon<'_, Result<Trial, Declined>> {
        self.envoy.register(with)
    }

    fn renew(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>> {
        self.envoy.renew(party)
    }

    fn leave(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>> {
        self.envoy.leave(party)
    }

    fn registered(&self) -> Soon<'_, Vec<Registered>> {
        self.envoy.registered()
    }
}

impl Reception for FrontDesk {
    fn invite(&self, party: PartyId, local: bool) -> Soon<'_, Result<Invited, Declined>> {
        Box::pin(async move {
            let token = self.book.invite(party, false, local).await?;
            Ok(Invited { token, versions_url: ocpi::url::versions(&self.base) })
        })
    }

    fn enter(&self, partner: NewPartner) -> Soon<'_, Result<Option<Secret<String>>, Declined>> {
        Box::pin(self.enter_partner(partner))
    }

    fn cards(&self) -> Soon<'_, Vec<PartnerCard>> {
        Box::pin(async { self.list() })
    }

    fn examine(&self, party: PartyId, roles: Vec<PartnerRole>) -> Soon<'_, Result<Trial, Declined>> {
        Box::pin(self.try_out(party, roles))
    }

    fn accustom(&self, party: PartyId, habits: Habits) -> Soon<'_, Result<(), Declined>> {
        Box::pin(self.tune(party, habits))
    }

    fn dismiss(&self, party: PartyId) -> Soon<'_, Result<(), Declined>> {
        Box::pin(async move {
            let partner = self.partners.remove(party).await?;
            let peer = self.book.dismiss(party).await?;
            if partner || peer { Ok(()) } else { Err(Declined::Unknown) }
        })
    }
}

impl From<BookFault> for Declined {
    fn from(fault: BookFault) -> Self {
        tracing::error!(%fault, "the reception cannot keep what it was told");
        Self::CannotKeep
    }
}

fn role(role: PartnerRole) -> Role {
    match role {
        PartnerRole::Operator => Role::Operator,
        PartnerRole::Provider => Role::Provider,
    }
}

fn card(way: &Arc<Neighbour>) -> PartnerCard {
    let quirks = way.quirks();
    let protocol = quirks.version.map_or("ocpi", |version| Protocol::Ocpi(version).as_str());
    PartnerCard {
        party: way.party(),
        name: way.name().to_owned(),
        protocol: protocol.into(),
        invited: false,
        addresses: vec![("".into(), way.versions_url().to_owned())],
        certificate: None,
        entry: None,
        local: quirks.local,
        habits: Some(habits(quirks)),
        seen: Vec::new(),
    }
}

/// What is spoken with a peer, and how.
pub(crate) fn habits(quirks: Quirks) -> Habits {
    let version = quirks.version.map(|version| version.as_str().into());
    let Quirks { raw_token, unknown_is_ok, times, ids, .. } = quirks;
    Habits { raw_token, version, unknown_is_ok, times, ids, hashes: HashInput::Either }
}
