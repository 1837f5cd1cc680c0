//! Where direct partners are, and where they find us: addresses and tokens that are good for one day.
//!
//! At a hub a partner uploads its own server and downloads ours, which stands for all parties behind the hub. A room of
//! ours at a foreign clearing house uploads there and learns its partners' servers there. Credentials are two tokens, the
//! receiver's and the sender's (OCHPdirect, "Security of the OCHPdirect interface"); ours are made from a key, so nothing
//! is kept. Invariants: at a hub a partner's token is shown to that partner alone; whoever is no partner of the register
//! is not learned, whatever a clearing house tells of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
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

/// With which of our tokens of a day the owner of a server comes to us, and we to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    /// Made for it alone: it told its server here.
    Own,
    /// The one that a foreign clearing house gives to everybody who is connected with us.
    Shared,
}

/// A partner's server on one day.
struct Uploaded {
    side: Side,
    url: String,
    token: Secret<String>,
    day: String,
    ours: Ours,
    whitelist: Vec<String>,
    blacklist: Vec<String>,
}

impl Uploaded {
    /// `None`: another version is spoken there.
    fn operator(one: &OperatorEndpoint, ours: Ours) -> Option<Self> {
        let texts = |patterns: &[EvsePattern]| patterns.iter().map(|each| each.as_str().to_owned()).collect();
        (one.namespace == Namespace::V14).then(|| Self {
            side: Side::Operator,
            url: one.url.as_str().to_owned(),
            token: Secret::new(one.token.0.expose().as_str().to_owned()),
            day: one.day.as_str().to_owned(),
            ours,
            whitelist: texts(&one.whitelist),
            blacklist: texts(&one.blacklist),
        })
    }

    fn provider(one: &ProviderEndpoint, ours: Ours) -> Option<Self> {
        let texts = |patterns: &[ContractPattern]| patterns.iter().map(|each| each.as_str().to_owned()).collect();
        (one.namespace == Namespace::V14).then(|| Self {
            side: Side::Provider,
            url: one.url.as_str().to_owned(),
            token: Secret::new(one.token.0.expose().as_str().to_owned()),
            day: one.day.as_str().to_owned(),
            ours,
            whitelist: texts(&one.whitelist),
            blacklist: texts(&one.blacklist),
        })
    }

    /// Whether something of this party is served there. A pattern begins with country and party.
    fn is_of(&self, party: &str) -> bool {
        self.whitelist.iter().any(|pattern| pattern.starts_with(party))
    }

    fn answers_for(&self, object: &str) -> bool {
        let among = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, object));
        among(&self.whitelist) && !among(&self.blacklist)
    }
}

/// `%` at the end stands for anything (OCHPdirect, `EvsePattern`).
fn fits(pattern: &str, object: &str) -> bool {
    match pattern.strip_suffix('%') {
        Some(beginning) => object.starts_with(beginning),
        None => object == pattern,
    }
}

/// An id as patterns are written: without the separators around country and party, those of the rest as they are.
fn plain(id: &str) -> String {
    let separator = |c: char| c == '*' || c == '-';
    let (mut plain, mut rest) = (String::new(), id);
    for part in [COUNTRY_CHARACTERS, PARTY_CHARACTERS] {
        plain.extend(rest.chars().take(part));
        rest = rest.get(part..).unwrap_or_default();
        rest = rest.strip_prefix(separator).unwrap_or(rest);
    }
    plain + rest
}

/// Of every id of OCHP: `DE`, `GEF`.
const COUNTRY_CHARACTERS: usize = 2;
const PARTY_CHARACTERS: usize = 3;

/// What is known of servers.
#[derive(Default)]
pub(super) struct Endpoints {
    known: RwLock<HashMap<PartyId, Vec<Uploaded>>>,
    /// The last day for which ours was uploaded to a foreign clearing house.
    told: Mutex<Option<String>>,
}

impl Endpoints {
    /// What is said of a side and a day takes the place of what was known of it; what is over is forgotten.
    fn put(&self, party: PartyId, new: Vec<Uploaded>, yesterday: &str) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(party).or_default();
        let replaced = |one: &Uploaded| new.iter().any(|n| (n.side, &n.day) == (one.side, &one.day));
        own.retain(|one| *one.day >= *yesterday && !replaced(one));
        own.extend(new);
        own.truncate(ENDPOINTS_PER_PARTNER_MAX);
    }

    fn any(&self, party: PartyId, is: impl Fn(&Uploaded) -> bool) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&party).is_some_and(|own| own.iter().any(is))
    }

    /// Where a partner's side is on a day, for an object of it: patterns choose among several servers.
    fn of(
        &self,
        party: PartyId,
        side: Side,
        day: &str,
        object: Option<&str>,
    ) -> Option<(String, Secret<String>, Ours)> {
        let all = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let there = |one: &&Uploaded| one.side == side && one.day == day;
        let own = all.get(&party)?;
        let object = object.map(plain);
        let named = object.and_then(|object| own.iter().filter(there).find(|one| one.answers_for(&object)));
        let one = named.or_else(|| own.iter().find(there))?;
        Some((one.url.clone(), one.token.clone(), one.ours))
    }
}

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

impl House {
    /// Our token for a partner on a day.
    fn token_for(&self, party: PartyId, day: &str) -> Result<String, Denial> {
        self.secret(&format!("{DIRECT}/{party}/{day}"))
    }

    fn secret(&self, name: &str) -> Result<String, Denial> {
        let name = TokenUid::new(name).map_err(|_| Denial::Internal)?;
        let tag = self.tokens.tag(TokenKind::Other, &Personal::new(name));
        Ok(tag.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Our token for everybody who finds us through a foreign clearing house on a day. No party is called like this.
    fn shared_token(&self, day: &str) -> Result<String, Denial> {
        self.secret(&format!("{DIRECT}/*/{day}"))
    }

    fn ours(&self, ours: Ours, party: PartyId, day: &str) -> Result<String, Denial> {
        match ours {
            Ours::Own => self.token_for(party, day),
            Ours::Shared => self.shared_token(day),
        }
    }

    pub(super) fn add_endpoints(&self, party: PartyId, added: &EndpointsAdded, unreadable: usize) -> Done {
        let operators = added.operators.iter().filter_map(|one| Uploaded::operator(one, Ours::Own));
        let providers = added.providers.iter().filter_map(|one| Uploaded::provider(one, Ours::Own));
        let new: Vec<Uploaded> = operators.chain(providers).collect();
        let passed_over = added.operators.len() + added.providers.len() - new.len() + unreadable;
        self.endpoints.put(party, new, &day(self.now().minus(LATE)));
        let partly = || ResultInfo::new(ResultCode::Partly, "OCHP 1.4 is spoken here");
        Done { result: if passed_over == 0 { ResultInfo::ok() } else { partly() } }
    }

    /// Our own server for a foreign clearing house, today and tomorrow; `None` where it was told of tomorrow already.
    pub(super) fn endpoints_to_tell(&self) -> Result<Option<EndpointsAdded>, Denial> {
        let own = &self.crossing.threshold.own;
        let (today, tomorrow) = (day(self.now()), day(self.now().plus(A_DAY)));
        if *self.endpoints.told.lock().unwrap_or_else(PoisonError::into_inner) == Some(tomorrow.clone()) {
            return Ok(None);
        }
        let url = SecureUrl::new(&format!("{}{DIRECT}", own.base)).ok_or(Denial::Internal)?;
        let (code, namespace) = (party_code(own.party), Namespace::V14);
        let mut added = EndpointsAdded { providers: Vec::new(), operators: Vec::new() };
        for name in [today, tomorrow] {
            let text = Text::new(self.shared_token(&name)?).ok_or(Denial::Internal)?;
            let (url, token, blacklist) = (url.clone(), AccessToken(Secret::new(text)), Vec::new());
            let day = Day::new(&name).ok_or(Denial::Internal)?;
            if own.role == Role::Operator {
                let whitelist = vec![EvsePattern::new(&format!("{code}E%")).ok_or(Denial::Internal)?];
                added.operators.push(OperatorEndpoint { url, namespace, token, day, whitelist, blacklist });
            } else {
                let (whitelist, blacklist) =
                    (vec![ContractPattern::new(&format!("{code}C%")).ok_or(Denial::Internal)?], Vec::new());
                added.providers.push(ProviderEndpoint { url, namespace, token, day, whitelist, blacklist });
            }
        }
        Ok(Some(added))
    }

    /// The clearing house has taken what was to be told.
    pub(super) fn endpoints_told(&self) {
        *self.endpoints.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(day(self.now().plus(A_DAY)));
    }

    /// What a foreign clearing house tells of our partners' servers.
    pub(super) fn learn_endpoints(&self, given: &EndpointsGiven) {
        let yesterday = day(self.now().minus(LATE));
        for partner in self.partners.all().into_iter().filter(|known| known.protocol == Protocol::OchpDirect) {
            let code = party_code(partner.party);
            let operators = given.operators.iter().filter_map(|one| Uploaded::operator(one, Ours::Shared));
            let providers = given.providers.iter().filter_map(|one| Uploaded::provider(one, Ours::Shared));
            let new: Vec<Uploaded> = operators.chain(providers).filter(|one| one.is_of(&code)).collect();
            self.endpoints.put(partner.party, new, &yesterday);
        }
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
    /// Several, where partners share a server.
    pub(super) fn direct_partners(&self, headers: &HeaderMap) -> Vec<Arc<Partner>> {
        let Some((ours, theirs)) = pair(headers) else { return Vec::new() };
        let direct = |partner: &Arc<Partner>| partner.protocol == Protocol::OchpDirect;
        if let Some(partner) = self.partners.by_login(&ours, &theirs).filter(direct) {
            return vec![partner];
        }
        let now = self.now();
        let (receiver, sender) = (BearerDigest::of(&ours), BearerDigest::of(theirs.expose()));
        let days = [day(now.minus(LATE)), day(now), day(now.plus(EARLY))];
        let comes = |partner: &Arc<Partner>| {
            let is = |one: &Uploaded| {
                let known = self.ours(one.ours, partner.party, &one.day);
                days.contains(&one.day)
                    && known.is_ok_and(|known| receiver.matches(&known))
                    && sender.matches(one.token.expose())
            };
            self.endpoints.any(partner.party, is)
        };
        self.partners.all().into_iter().filter(direct).filter(comes).collect()
    }

    /// The way to a partner's server: the one that it uploaded for today, or the one of the register. `object`: the EVSE
    /// or the contract that it is about.
    pub(super) fn caller(&self, party: PartyId, side: Side, object: Option<&str>) -> Result<Caller, RoadFault> {
        let partner = self.partners.find(party).filter(|partner| partner.protocol == Protocol::OchpDirect);
        let partner = partner.ok_or(RoadFault::Denied(Denial::NotSupported))?;
        let today = day(self.now());
        let uploaded = self.endpoints.of(party, side, &today, object);
        let (url, pair) = match (uploaded, partner.address(side.as_str()), &partner.login) {
            (Some((url, theirs, ours)), ..) => {
                let ours = self.ours(ours, party, &today).map_err(RoadFault::Denied)?;
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

/// The two tokens of a header: the receiver's, the sender's.
fn pair(headers: &HeaderMap) -> Option<(String, Secret<String>)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok().filter(|text| text.len() <= AUTHORIZATION_BYTES_MAX)?;
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (ours, theirs) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((ours.to_owned(), Secret::new(theirs.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_by_ids_without_their_first_separators() {
        for (id, wanted) in [
            ("DE*GEF*E12*3", "DEGEFE12*3"),
            ("DEGEFE12*3", "DEGEFE12*3"),
            ("DE-8AA-C12345678-5", "DE8AAC12345678-5"),
            ("D", "D"),
        ] {
            assert_eq!(plain(id), wanted);
        }
        assert!(fits("DEGEFE%", "DEGEFE12*3") && fits("DEGEFE12*%", "DEGEFE12*3") && fits("DEGEFE1", "DEGEFE1"));
        assert!(!fits("DEGEFE1", "DEGEFE12") && !fits("DEXXXE%", "DEGEFE12"));
    }
}
