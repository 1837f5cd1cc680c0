//! Where direct partners are, and where they find us: addresses and tokens that are good for one day.
//!
//! A partner uploads its own server and downloads ours, which stands for all parties behind the hub. Its credentials are
//! two tokens, ours for it and its own (OCHPdirect, "Security of the OCHPdirect interface"); ours are made from a key, so
//! nothing is kept. Invariant: a partner's token is shown to that partner alone.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use charge::id::PartyId;
use charge::talk::road::{Denial, PageWish, RoadFault};
use charge::token::{TokenKind, TokenUid};
use charge::{Personal, Secret, Timestamp};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use ochp::bridge::party_code;
use ochp::message::{Done, EndpointsAdded, EndpointsGiven};
use ochp::scalar::{ContractPattern, Day, EvsePattern, SecureUrl, Text};
use ochp::types::direct::{AccessToken, Namespace, OperatorEndpoint, ProviderEndpoint};
use ochp::types::result::{ResultCode, ResultInfo};
use ocpi::credentials::Role;
use trust::bearer::BearerDigest;

use super::super::partners::{Partner, Protocol};
use super::caller::{Caller, Proof};
use super::house::{DIRECT, House};

/// A partner tells its servers of a few days ahead.
const ENDPOINTS_PER_PARTNER_MAX: usize = 16;
/// A token counts ten minutes before its day and half an hour after it.
const EARLY: Duration = Duration::from_secs(10 * 60);
const LATE: Duration = Duration::from_secs(30 * 60);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);
/// A Basic header with two tokens of 255 characters.
const AUTHORIZATION_BYTES_MAX: usize = 1_024;

/// Which of a partner's servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Operator,
    Provider,
}

impl Side {
    /// As the register names its address.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Provider => "provider",
        }
    }
}

struct Uploaded {
    side: Side,
    url: String,
    token: Secret<String>,
    day: String,
}

#[derive(Default)]
pub(super) struct Endpoints(RwLock<HashMap<PartyId, Vec<Uploaded>>>);

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

impl House {
    /// Our token for a partner on a day.
    fn token_for(&self, party: PartyId, day: &str) -> Result<String, Denial> {
        let name = TokenUid::new(format!("{DIRECT}/{party}/{day}")).map_err(|_| Denial::Internal)?;
        let tag = self.tokens.tag(TokenKind::Other, &Personal::new(name));
        Ok(tag.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(super) fn add_endpoints(&self, party: PartyId, added: EndpointsAdded, unreadable: usize) -> Done {
        let text = |token: &AccessToken| Secret::new(token.0.expose().as_str().to_owned());
        let v14 = |namespace: Namespace| namespace == Namespace::V14;
        let operators = added.operators.iter().filter(|one| v14(one.namespace)).map(|one| Uploaded {
            side: Side::Operator,
            url: one.url.as_str().to_owned(),
            token: text(&one.token),
            day: one.day.as_str().to_owned(),
        });
        let providers = added.providers.iter().filter(|one| v14(one.namespace)).map(|one| Uploaded {
            side: Side::Provider,
            url: one.url.as_str().to_owned(),
            token: text(&one.token),
            day: one.day.as_str().to_owned(),
        });
        let new: Vec<Uploaded> = operators.chain(providers).collect();
        let yesterday = day(self.now().minus(LATE));
        let passed_over = added.operators.len() + added.providers.len() - new.len() + unreadable;
        let mut all = self.endpoints.0.write().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(party).or_default();
        own.retain(|one| one.day >= yesterday && new.iter().all(|n| (n.side, &n.day) != (one.side, &one.day)));
        own.extend(new);
        own.truncate(ENDPOINTS_PER_PARTNER_MAX);
        let partly = || ResultInfo::new(ResultCode::Partly, "OCHP 1.4 is spoken here");
        Done { result: if passed_over == 0 { ResultInfo::ok() } else { partly() } }
    }

    /// Our server, which stands for everybody behind the hub, today and tomorrow.
    pub(super) async fn give_endpoints(&self, party: PartyId) -> Result<EndpointsGiven, Denial> {
        let wish = PageWish { limit: u32::MAX, ..PageWish::default() };
        let clients = self.crossing.exchange.clients(party, wish).await?;
        let of = |role: Role| {
            let others =
                clients.items.iter().filter(move |client| client.party != party && &*client.role == role.as_str());
            others.map(|client| party_code(client.party))
        };
        let evses: Vec<_> = of(Role::Operator).filter_map(|code| EvsePattern::new(&format!("{code}E%"))).collect();
        let contracts: Vec<_> =
            of(Role::Provider).filter_map(|code| ContractPattern::new(&format!("{code}C%"))).collect();
        let url = SecureUrl::new(&format!("{}{DIRECT}", self.crossing.threshold.own.base)).ok_or(Denial::Internal)?;
        let mut given = EndpointsGiven { result: ResultInfo::ok(), providers: Vec::new(), operators: Vec::new() };
        for at in [self.now(), self.now().plus(A_DAY)] {
            let name = day(at);
            let text = Text::new(self.token_for(party, &name)?).ok_or(Denial::Internal)?;
            let token = AccessToken(Secret::new(text));
            let day = Day::new(&name).ok_or(Denial::Internal)?;
            let namespace = Namespace::V14;
            if !evses.is_empty() {
                let (url, token, day) = (url.clone(), token.clone(), day.clone());
                given.operators.push(OperatorEndpoint {
                    url,
                    namespace,
                    token,
                    day,
                    whitelist: evses.clone(),
                    blacklist: vec![],
                });
            }
            if !contracts.is_empty() {
                let (url, whitelist) = (url.clone(), contracts.clone());
                given.providers.push(ProviderEndpoint { url, namespace, token, day, whitelist, blacklist: vec![] });
            }
        }
        Ok(given)
    }

    /// Who comes with this header: a partner with both tokens of a day that counts now, or with those of the register.
    pub(super) fn direct_partner(&self, headers: &HeaderMap) -> Option<Arc<Partner>> {
        let header = headers.get(AUTHORIZATION)?.to_str().ok().filter(|text| text.len() <= AUTHORIZATION_BYTES_MAX)?;
        let (scheme, encoded) = header.split_once(' ')?;
        let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let (ours, theirs) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        let direct = |partner: &Arc<Partner>| partner.protocol == Protocol::OchpDirect;
        let theirs = Secret::new(theirs.to_owned());
        if let Some(partner) = self.partners.by_login(ours, &theirs).filter(direct) {
            return Some(partner);
        }
        let now = self.now();
        let shown = BearerDigest::of(ours);
        let days = [day(now.minus(LATE)), day(now), day(now.plus(EARLY))];
        let fits = |partner: &Arc<Partner>, day: &String| {
            let known = self.token_for(partner.party, day).is_ok_and(|token| shown.matches(&token));
            known
                && self
                    .uploaded(partner.party, day, |one| BearerDigest::of(one.token.expose()).matches(theirs.expose()))
        };
        let partners = self.partners.all().into_iter().filter(direct);
        partners.into_iter().find(|partner| days.iter().any(|day| fits(partner, day)))
    }

    fn uploaded(&self, party: PartyId, day: &str, is: impl Fn(&Uploaded) -> bool) -> bool {
        let all = self.endpoints.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&party).is_some_and(|own| own.iter().any(|one| one.day == day && is(one)))
    }

    /// The way to a partner's server: the one that it uploaded for today, or the one of the register.
    pub(super) fn caller(&self, party: PartyId, side: Side) -> Result<Caller, RoadFault> {
        let partner = self.partners.find(party).filter(|partner| partner.protocol == Protocol::OchpDirect);
        let partner = partner.ok_or(RoadFault::Denied(Denial::NotSupported))?;
        let today = day(self.now());
        let uploaded = {
            let all = self.endpoints.0.read().unwrap_or_else(PoisonError::into_inner);
            let own = all.get(&party).and_then(|own| own.iter().find(|one| one.side == side && one.day == today));
            own.map(|one| (one.url.clone(), one.token.clone()))
        };
        let (url, pair) = match (uploaded, partner.address(side.as_str()), &partner.login) {
            (Some((url, theirs)), ..) => {
                let ours = self.token_for(party, &today).map_err(RoadFault::Denied)?;
                (url, format!("{}:{ours}", theirs.expose()))
            }
            (None, Some(url), Some(login)) => (url.to_owned(), format!("{}:{}", login.user, login.password.expose())),
            (None, ..) => return Err(RoadFault::NoRoad),
        };
        let mut header =
            HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).map_err(|_| RoadFault::NoRoad)?;
        header.set_sensitive(true);
        let own_roots = partner.roots_pem.as_deref().map(|roots| trust::tls::client(roots, None, &["http/1.1"]));
        match own_roots {
            Some(tls) => Caller::new(&url, Proof::Basic(header), &tls.map_err(|_| RoadFault::NoRoad)?, partner.local),
            None => Caller::new(&url, Proof::Basic(header), &self.tls, partner.local),
        }
    }
}
