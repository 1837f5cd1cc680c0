//! How many handshakes each network address has under way, so that one address cannot hold them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

fn site(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & SITE_BITS)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

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
}
