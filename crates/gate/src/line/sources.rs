//! What each network address may have of the door: so many handshakes under way, and so many tries to prove itself.
//!
//! One address cannot hold all places, and whoever is refused again and again from one address is judged ever more
//! slowly. Whoever proves itself pays nothing: a site of many stations behind one address is not slowed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::pace::{Pace, Rate};

/// A household or a site has a whole /64 in IPv6 (RFC 6177): one source.
const SITE_BITS: u128 = u128::MAX << 64;

#[derive(Debug)]
pub(super) struct Sources {
    each_max: usize,
    under_way: Mutex<HashMap<IpAddr, usize>>,
}

/// One handshake of a source. Dropping it makes room for the next.
#[derive(Debug)]
pub(super) struct Place {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Sources {
    pub fn new(each_max: usize) -> Self {
        Self { each_max, under_way: Mutex::default() }
    }

    /// `None` if this source has all that one source may have.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let source = site(peer);
        let mut under_way = self.lock();
        let count = under_way.entry(source).or_default();
        if *count >= self.each_max {
            return None;
        }
        *count += 1;
        Some(Place { sources: Arc::clone(self), source })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.sources.lock();
        if let Some(count) = under_way.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.source);
            }
        }
    }
}

/// Tries of each source to prove itself that came to nothing, for doors that judge every message.
#[derive(Debug)]
pub(super) struct Suspects {
    rate: Rate,
    tries: Mutex<HashMap<IpAddr, Pace>>,
}

impl Suspects {
    pub fn new(rate: Rate) -> Self {
        Self { rate, tries: Mutex::default() }
    }

    /// A try; `None` if it may be judged now, otherwise the moment from which it may.
    pub fn knock(&self, peer: IpAddr, now: Instant) -> Option<Instant> {
        let mut tries = self.lock();
        if tries.len() >= SUSPECTS_MAX {
            tries.retain(|_, pace| !pace.is_even(now));
        }
        if tries.len() >= SUSPECTS_MAX && !tries.contains_key(&site(peer)) {
            // more addresses than can be watched: all others are one
            return Self::count(tries.entry(UNWATCHED).or_insert_with(|| Pace::new(now)), now, self.rate);
        }
        Self::count(tries.entry(site(peer)).or_insert_with(|| Pace::new(now)), now, self.rate)
    }

    /// The try was a good one.
    pub fn proven(&self, peer: IpAddr, now: Instant) {
        let mut tries = self.lock();
        let source = if tries.contains_key(&site(peer)) { site(peer) } else { UNWATCHED };
        if let Some(pace) = tries.get_mut(&source) {
            pace.give_back(self.rate);
            if pace.is_even(now) {
                tries.remove(&source);
            }
        }
    }

    fn count(pace: &mut Pace, now: Instant, rate: Rate) -> Option<Instant> {
        let welcome = pace.welcome_at(now, rate);
        pace.spend(now, rate);
        welcome
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Pace>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses that are watched one by one: some hundred kilobytes.
const SUSPECTS_MAX: usize = 4_096;
/// Nobody's address (RFC 1122, 3.2.1.3).
const UNWATCHED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn site(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & SITE_BITS)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::Duration;

    use super::*;

    #[test]
    fn one_source_leaves_room_for_others_and_is_forgotten() {
        let sources = Arc::new(Sources::new(2));
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = sources.enter(ip("2001:db8::1")).unwrap();
        let _second = sources.enter(ip("2001:db8::2")).unwrap();
        assert!(sources.enter(ip("2001:db8::3")).is_none());
        assert!(sources.enter(ip("2001:db8:0:1::3")).is_some());
        drop(first);
        assert!(sources.enter(ip("2001:db8::3")).is_some());
        assert_eq!(sources.lock().len(), 1);
    }

    #[test]
    fn who_is_refused_is_judged_more_slowly_and_who_proves_itself_is_not() {
        let rate = Rate { every: Duration::from_secs(1), at_once: 3 };
        let (suspects, now) = (Suspects::new(rate), Instant::now());
        let (site, stranger): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        for _ in 0..100 {
            assert_eq!(suspects.knock(site, now), None);
            suspects.proven(site, now);
        }
        assert!(suspects.lock().is_empty(), "who owes nothing is forgotten");
        for _ in 0..3 {
            assert_eq!(suspects.knock(stranger, now), None);
        }
        assert_eq!(suspects.knock(stranger, now), Some(now + Duration::from_secs(1)));
        assert_eq!(suspects.knock(stranger, now), Some(now + Duration::from_secs(2)));
        assert_eq!(suspects.knock(site, now), None, "another address is not slowed");
        assert_eq!(suspects.knock(stranger, now + Duration::from_secs(9)), None);
    }

    #[test]
    fn more_addresses_than_can_be_watched_share_one_rate() {
        let rate = Rate { every: Duration::from_secs(1), at_once: 2 };
        let (suspects, now) = (Suspects::new(rate), Instant::now());
        for number in 0..SUSPECTS_MAX {
            let peer = Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap());
            assert_eq!(suspects.knock(peer.into(), now), None);
        }
        let others: [IpAddr; 3] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into(), [192, 0, 2, 3].into()];
        assert_eq!(others.map(|peer| suspects.knock(peer, now).is_some()), [false, false, true]);
        // once the first have paid there is room again
        let later = now + Duration::from_secs(2);
        assert_eq!(suspects.knock(others[0], later), None);
        assert!(suspects.lock().len() <= 2);
    }
}
