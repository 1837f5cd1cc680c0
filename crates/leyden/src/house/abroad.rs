//! A party of this house whose hub is somebody else's and speaks something else than OCPI: a broker of OICP, a clearing
//! house of OCHP, direct partners of OCHPdirect.
//!
//! The configuration says which of them, in place of a road of OCPI; there is one hub for each party, and whoever wants
//! several partners runs a hub and enters them there. Invariant: the partner that comes in proves itself by the
//! certificate, or by the name and password, that the configuration names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use charge::Decimal;
use charge::id::PartyId;
use charge::money::Currency;
use charge::talk::road::{Road, RoadDesk, RoadFault};
use charge::tariff::Tariff;
use gate::road::ochp::{Abroad, ClearingHouse, DirectRoom, Keys, ochp_router};
use gate::road::oicp::{Agreed, BrokerRoad, Member, member_router};
use gate::road::{ClientCertificate, Entry, Login, Own, Partner, Partners, Protocol, Serving};
use store::Store;
use tokio::task::JoinHandle;
use trust::bearer::BearerDigest;
use trust::certificate::Facts;
use trust::seal::SealKey;
use trust::tls::{self, ClientCertificates, Trusted};
use trust::token_tag::TagKey;

use super::{Frame, identity};
use crate::Failure;
use crate::config::{self, AgreedPrice, Clearing, Direct};
use crate::init::secret;

/// A party at somebody else's hub.
pub(super) struct Guest<'g> {
    pub(super) party: PartyId,
    pub(super) role: gate::road::Role,
    pub(super) name: &'g str,
    pub(super) hub: PartyId,
    /// Its part of the configuration, for what is said about faults.
    pub(super) place: &'static str,
    pub(super) desk: Arc<dyn RoadDesk>,
}

impl Guest<'_> {
    fn fault(&self, below: &str, fault: &dyn std::fmt::Display) -> Failure {
        Failure::plain(format!("[{}.{below}] {fault}", self.place))
    }
}

impl Frame<'_> {
    /// The way to somebody else's hub, where the configuration names one: a broker or a clearing house, never both.
    pub(super) async fn foreign(
        &self,
        guest: &Guest<'_>,
        wish: (Option<&config::Member>, Option<&Clearing>),
        store: &Store,
        roads: &mut Vec<Serving>,
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Result<Option<Arc<dyn Road>>, Failure> {
        Ok(match wish {
            (Some(member), _) => {
                let (road, serving) = self.member(guest, member, duties).await?;
                roads.push(serving);
                Some(Arc::new(road))
            }
            (None, Some(clearing)) => Some(self.abroad(guest, clearing, store, roads, duties).await?),
            (None, None) => None,
        })
    }

    /// A member of a broker: its road, the door that the broker comes to, and its visits.
    async fn member(
        &self,
        guest: &Guest<'_>,
        wish: &config::Member,
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Result<(BrokerRoad, Serving), Failure> {
        let fault = |fault: &dyn std::fmt::Display| guest.fault("oicp", fault);
        let roots_pem = text(&wish.roots).map_err(|f| fault(&f))?;
        let shown = text(&wish.broker).map_err(|f| fault(&f))?;
        let shown = Facts::read_pem(&shown).ok().as_ref().and_then(ClientCertificate::of);
        let shown = shown.ok_or_else(|| fault(&format!("broker: {}: no certificate in PEM", wish.broker.display())))?;
        let client = tls::client(&roots_pem, Some(&identity(&wish.client)?), &["http/1.1"]).map_err(|f| fault(&f))?;
        let broker = Partner {
            party: guest.hub,
            name: guest.hub.to_string(),
            roles: vec![gate::road::Role::Hub],
            protocol: match wish.version {
                config::OicpVersion::V23 => Protocol::Oicp23,
                config::OicpVersion::V20 => Protocol::Oicp20,
            },
            addresses: vec![("".into(), wish.url.clone())],
            login: None,
            entry: None,
            certificate: Some(shown.0),
            roots_pem: None,
            local: wish.local,
        };
        let currency = wish.currency.parse().map_err(|f| fault(&format!("currency: {f}")))?;
        let agreed = wish.prices.iter().map(|price| self.agreed(price, currency));
        let agreed = agreed.collect::<Result<_, _>>().map_err(|why| fault(&why))?;
        let road = BrokerRoad::new(Member {
            own: guest.party,
            version: match wish.version {
                config::OicpVersion::V23 => gate::road::oicp::Version::V23,
                config::OicpVersion::V20 => gate::road::oicp::Version::V20,
            },
            broker: Arc::new(broker),
            tls: Arc::new(client),
            pricing: Arc::new(crate::rates::ByProduct),
            clock: Arc::clone(&self.clock),
            hotline: wish.hotline.clone(),
            currency,
            agreed,
        });
        let road = road.map_err(|f| fault(&f))?;
        road.attach(Arc::clone(&guest.desk));
        let router = member_router(&road, guest.role, Arc::clone(&guest.desk));
        let server =
            tls::server(&identity(&wish.identity)?, ClientCertificates::Required(trusted(roots_pem)), &["http/1.1"]);
        let place = format!("[{}.oicp]", guest.place);
        let serving = self.serve_at(wish.listen, server.map_err(|f| fault(&f))?, router, &place).await?;
        let (visitor, role) = (road.clone(), guest.role);
        duties.push(tokio::spawn(again_and_again("a broker", wish.poll_s, async move || visitor.visit(role).await)));
        Ok((road, serving))
    }

    /// A price that was agreed beside the broker, as a tariff of its operator.
    fn agreed(&self, wish: &AgreedPrice, currency: Currency) -> Result<Tariff, String> {
        let number = |text: &Option<String>| match text {
            Some(text) => text.parse::<Decimal>().map(Some).map_err(|_| format!("agreed: `{text}` is no number")),
            None => Ok(None),
        };
        let price = Agreed {
            operator: wish.operator.0,
            product: wish.product.clone(),
            per_kwh: number(&wish.per_kwh)?,
            per_hour: number(&wish.per_hour)?,
            per_session: number(&wish.per_session)?,
        };
        let why = || format!("agreed: product `{}` has no price, or a name that no tariff can have", wish.product);
        price.tariff(currency, self.clock.now()).ok_or_else(why)
    }

    /// A partner of a clearing house, with the server of OCHPdirect where one is wished for.
    async fn abroad(
        &self,
        guest: &Guest<'_>,
        wish: &Clearing,
        store: &Store,
        roads: &mut Vec<Serving>,
        duties: &mut Vec<JoinHandle<()>>,
    ) -> Result<Arc<Abroad>, Failure> {
        let fault = |fault: &dyn std::fmt::Display| guest.fault("ochp", fault);
        let roots = text(&wish.roots).map_err(|f| fault(&f))?;
        let client = Arc::new(tls::client(&roots, None, &["http/1.1"]).map_err(|f| fault(&f))?);
        let member = gate::road::ochp::Member {
            party: guest.party,
            url: wish.url.clone(),
            live_url: wish.live_url.clone(),
            endpoints_url: wish.endpoints_url.clone(),
            user: wish.user.clone(),
            password: secret(&wish.password)?,
            tls: client,
            local: wish.local,
        };
        let (clock, dice) = (Arc::clone(&self.clock), Arc::clone(&self.dice));
        let clearing = ClearingHouse::new(member, Arc::clone(&guest.desk), clock, dice);
        let clearing = clearing.map_err(|f| fault(&format!("url: {f}")))?;
        let direct = match &wish.direct {
            Some(direct) => Some(self.direct(guest, direct, store, roads).await?),
            None => None,
        };
        let desk = Arc::clone(&guest.desk);
        let abroad = Arc::new(Abroad { own: guest.party, hub: guest.hub, clearing, direct, desk });
        let (visitor, role) = (Arc::clone(&abroad), guest.role);
        let visit = async move || visitor.visit(role).await.map(drop);
        duties.push(tokio::spawn(again_and_again("a clearing house", wish.poll_s, visit)));
        Ok(abroad)
    }

    /// The server of OCHPdirect, and the partners that the configuration names.
    async fn direct(
        &self,
        guest: &Guest<'_>,
        wish: &Direct,
        store: &Store,
        roads: &mut Vec<Serving>,
    ) -> Result<DirectRoom, Failure> {
        let fault = |fault: &dyn std::fmt::Display| guest.fault("ochp.direct", fault);
        let key = |name: &str| self.key(guest.party, name);
        let seal = |name: &str| SealKey::new(&key(name)?).map_err(|f| fault(&f));
        let partners = Partners::open(store.clone(), seal("partners-seal")?).await.map_err(|f| fault(&f))?;
        // whom the configuration names no more is a partner no more
        for known in partners.all() {
            if wish.partners.iter().all(|each| each.party.0 != known.party) {
                partners.remove(known.party).await.map_err(|f| fault(&f))?;
            }
        }
        // a partner's server is of the other role
        let (role, side) = match guest.role {
            gate::road::Role::Operator => (gate::road::Role::Provider, "provider"),
            _operator => (gate::road::Role::Operator, "operator"),
        };
        for each in &wish.partners {
            let agreed = each.agreed();
            let login = match &agreed {
                Some(agreed) => Some(Login { user: agreed.user.to_owned(), password: secret(agreed.password)? }),
                None => None,
            };
            let entry = match &agreed {
                Some(agreed) => {
                    let password = BearerDigest::of(secret(agreed.entry_password)?.expose());
                    Some(Entry { user: agreed.entry.to_owned(), password })
                }
                None => None,
            };
            let partner = Partner {
                party: each.party.0,
                name: each.name.clone(),
                roles: vec![role],
                protocol: Protocol::OchpDirect,
                addresses: agreed.map(|agreed| (side.into(), agreed.url.to_owned())).into_iter().collect(),
                login,
                entry,
                certificate: None,
                roots_pem: None,
                local: each.local,
            };
            partners.put(partner).await.map_err(|f| fault(&f))?;
        }
        let roots = text(&wish.roots).map_err(|f| fault(&f))?;
        let room = DirectRoom::open(gate::road::ochp::Room {
            own: Own { party: guest.party, role: guest.role, name: guest.name.to_owned(), base: wish.address.clone() },
            desk: Arc::clone(&guest.desk),
            partners: Arc::new(partners),
            store: store.clone(),
            keys: Keys {
                seal: seal("ochp-seal")?,
                tags: TagKey::new(&key("ochp-tags")?),
                tokens: TagKey::new(&key("ochp-tokens")?),
            },
            tls: Arc::new(tls::client(&roots, None, &["http/1.1"]).map_err(|f| fault(&f))?),
            clock: Arc::clone(&self.clock),
            dice: Arc::clone(&self.dice),
        });
        let room = room.await.map_err(|f| fault(&f))?;
        let server = tls::server(&identity(&wish.identity)?, ClientCertificates::None, &["http/1.1"]);
        let (server, place) = (server.map_err(|f| fault(&f))?, format!("[{}.ochp.direct]", guest.place));
        roads.push(self.serve_at(wish.listen, server, ochp_router(room.house()), &place).await?);
        Ok(room)
    }
}

fn trusted(roots_pem: String) -> Trusted {
    Trusted {
        roots_pem,
        on_refused: Arc::new(
            |refused| tracing::warn!(%refused, "the certificate of whoever comes as a broker was refused"),
        ),
    }
}

/// A visit that fails is told and made again at its next time.
async fn again_and_again(whose: &str, every_s: u64, visit: impl AsyncFn() -> Result<(), RoadFault>) {
    loop {
        if let Err(fault) = visit().await {
            tracing::warn!(%fault, "a visit to {whose} broke off");
        }
        tokio::time::sleep(Duration::from_secs(every_s)).await;
    }
}

fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|fault| Failure::io(file, &fault))
}
