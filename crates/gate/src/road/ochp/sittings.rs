//! Direct sessions under way, and permits that were given over OCHP: what later messages refer to and do not repeat.
//!
//! In memory alone and bounded: after a restart a running session ends at the station, its record finds its provider by
//! the contract. Deliberately no decision here. Invariant: a session is found by whoever it belongs to and nobody else.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use charge::id::{AuthorizationReference, EvseId, EvseUid, LocationId, PartyId, SessionId};
use charge::record::{Cdr, Session};
use charge::talk::road::Denial;
use charge::token::{Allowed, ContractId, Verdict};
use charge::{Personal, Purpose, Timestamp};
use ochp::bridge::contract_id;
use ochp::bridge::direct::Known;
use ochp::scalar::Contract;
use ochp::types::token::{EmtId, TokenType};

/// Sessions of each kind at one hub: some megabytes.
const SITTINGS_MAX: usize = 20_000;
/// Permits that are remembered until their record comes.
const GRANTS_MAX: usize = 200_000;
/// A record comes within days of its session.
pub(super) const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What is over ended a moment ago.
const A_MOMENT: Duration = Duration::from_secs(1);

/// A session that a provider has over OCHPdirect with us, at an operator of any protocol.
#[derive(Clone)]
pub(super) struct Given {
    pub provider: PartyId,
    pub operator: PartyId,
    pub evse: EvseId,
    pub location: LocationId,
    pub uid: EvseUid,
    pub contract: Personal<Contract>,
    pub until: Timestamp,
    /// It was reserved under its own name.
    pub reserved: bool,
    /// What its operator told last.
    pub session: Option<Session>,
}

/// A session that we have over OCHPdirect at an operator, for a provider of any protocol.
#[derive(Clone)]
pub(super) struct Taken {
    pub provider: PartyId,
    pub known: Known,
    /// What its provider calls the reservation.
    pub reservation: Option<Box<str>>,
    pub until: Timestamp,
}

/// Who said yes to a contract, and what is to be given back with its record.
#[derive(Clone)]
pub(super) struct Grant {
    pub provider: PartyId,
    pub reference: Option<AuthorizationReference>,
    until: Timestamp,
}

/// What is remembered until a time, with a limit.
struct Shelf<K, V>(Mutex<HashMap<K, V>>);

impl<K: Eq + Hash + Clone, V> Shelf<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room by what is over; refused where there is none.
    fn put(&self, key: K, value: V, most: usize, over: impl Fn(&V) -> bool) -> Result<(), Denial> {
        let mut all = self.lock();
        if all.len() >= most && !all.contains_key(&key) {
            all.retain(|_, value| !over(value));
        }
        if all.len() >= most && !all.contains_key(&key) {
            return Err(Denial::Overloaded);
        }
        all.insert(key, value);
        Ok(())
    }
}

pub(super) struct Sittings {
    given: Shelf<String, Given>,
    taken: Shelf<(PartyId, String), Taken>,
}

impl Default for Sittings {
    fn default() -> Self {
        Self { given: Shelf(Mutex::default()), taken: Shelf(Mutex::default()) }
    }
}

impl Sittings {
    pub fn give(&self, direct: &str, sitting: Given, now: Timestamp) -> Result<(), Denial> {
        self.given.put(direct.to_owned(), sitting, SITTINGS_MAX, |given| given.until < now)
    }

    pub fn take(&self, operator: PartyId, direct: &str, sitting: Taken, now: Timestamp) -> Result<(), Denial> {
        self.taken.put((operator, direct.to_owned()), sitting, SITTINGS_MAX, |taken| taken.until < now)
    }

    /// A provider's own session, as long as it is good.
    pub fn given(&self, provider: PartyId, direct: &str, now: Timestamp) -> Option<Given> {
        let all = self.given.lock();
        all.get(direct).filter(|given| given.provider == provider && given.until >= now).cloned()
    }

    /// It is over; its name is remembered for its record, as long as there is room.
    pub fn released(&self, direct: &str, now: Timestamp) {
        if let Some(given) = self.given.lock().get_mut(direct) {
            given.until = now.minus(A_MOMENT);
        }
    }

    /// The name by which its provider started the session that a record is of.
    pub fn billed(&self, operator: PartyId, provider: PartyId, cdr: &Cdr) -> Option<String> {
        let all = self.given.lock();
        let own = |name: &String| all.get(name).is_some_and(|g| g.operator == operator && g.provider == provider);
        let reference = cdr.reference.as_ref().map(|reference| reference.as_str().to_owned());
        let uid = cdr.token.uid.reveal(Purpose::Route).as_delivered().to_owned();
        let referred = reference.is_some();
        let named = reference.into_iter().chain([uid]).find(own);
        let like = Like {
            parties: (operator, provider),
            contract: &cdr.token.contract,
            evse: &cdr.place.evse_uid,
            session: cdr.session.as_ref(),
        };
        named.or_else(|| like.only(&all).filter(|_| !referred))
    }

    pub fn prolong(&self, direct: &str, until: Timestamp) {
        if let Some(given) = self.given.lock().get_mut(direct) {
            given.until = until;
        }
    }

    /// The session that an operator tells about, under the name that its start had.
    pub fn told(&self, operator: PartyId, provider: PartyId, session: &Session) -> Option<String> {
        let reference = session.reference.as_ref().map(|reference| reference.as_str().to_owned());
        let uid = session.token.uid.reveal(Purpose::Route).as_delivered().to_owned();
        let mut all = self.given.lock();
        let like = Like {
            parties: (operator, provider),
            contract: &session.token.contract,
            evse: &session.evse,
            session: Some(&session.id),
        };
        let alike = like.only(&all).filter(|_| reference.is_none());
        for name in reference.into_iter().chain([uid]).chain(alike) {
            if let Some(given) = all.get_mut(&name).filter(|g| g.operator == operator && g.provider == provider) {
                given.session = Some(session.clone());
                return Some(name);
            }
        }
        None
    }

    /// The session at an operator that a token of its record or message names.
    pub fn taken(&self, operator: PartyId, token: &EmtId) -> Option<Taken> {
        if token.kind != TokenType::Remote {
            return None;
        }
        self.taken_as(operator, token.instance.reveal(Purpose::Route).as_str())
    }

    pub fn taken_as(&self, operator: PartyId, direct: &str) -> Option<Taken> {
        self.taken.lock().get(&(operator, direct.to_owned())).cloned()
    }

    /// The session behind a provider's reservation.
    pub fn reserved(&self, operator: PartyId, provider: PartyId, reservation: &str) -> Option<String> {
        let all = self.taken.lock();
        let fits = |taken: &Taken| taken.provider == provider && taken.reservation.as_deref() == Some(reservation);
        all.iter().find(|((owner, _), taken)| *owner == operator && fits(taken)).map(|((_, direct), _)| direct.clone())
    }
}

/// What an operator says of a session whose protocol hands no reference back.
struct Like<'l> {
    /// Operator and provider.
    parties: (PartyId, PartyId),
    contract: &'l Personal<ContractId>,
    evse: &'l EvseUid,
    /// The operator's own name of it; records of OCPI 2.1.1 have none.
    session: Option<&'l SessionId>,
}

impl Like<'_> {
    /// The one session of this contract at this EVSE; of two, neither.
    fn only(&self, all: &HashMap<String, Given>) -> Option<String> {
        let contract = self.contract.reveal(Purpose::Route).compact();
        let fits = |given: &Given| {
            (given.operator, given.provider) == self.parties
                && given.uid == *self.evse
                && contract_id(given.contract.reveal(Purpose::Route)).is_some_and(|known| known.compact() == contract)
                && given.session.as_ref().zip(self.session).is_none_or(|(known, said)| known.id == *said)
        };
        let mut found = all.iter().filter(|(_, given)| fits(given)).map(|(name, _)| name.clone());
        let one = found.next()?;
        found.next().is_none().then_some(one)
    }
}

pub(super) struct Grants(Shelf<String, Grant>);

impl Default for Grants {
    fn default() -> Self {
        Self(Shelf(Mutex::default()))
    }
}

impl Grants {
    /// Remembers a yes.
    pub fn note(&self, verdict: &Verdict, now: Timestamp) {
        let (Allowed::Yes, Some(contract), Some(provider)) = (verdict.allowed, &verdict.contract, verdict.party) else {
            return;
        };
        let grant = Grant { provider, reference: verdict.reference.clone(), until: now.plus(REMEMBERED) };
        let name = contract.reveal(Purpose::Route).compact();
        // where there is no room the record finds its provider by the contract
        let _full = self.0.put(name, grant, GRANTS_MAX, |grant| grant.until < now);
    }

    pub fn find(&self, contract: &str) -> Option<Grant> {
        self.0.lock().get(contract).cloned()
    }
}
