//! Slows down guessing: after a few failures a name, and the address they come from, must wait, longer each time.
//!
//! Kept in memory and bounded; a restart forgives. A name that does not exist is slowed like one that does.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use charge::Timestamp;

use super::NAME_CHARACTERS_MAX;
use crate::fault::Fault;

/// Anybody mistypes now and then.
const FREE_TRIES: u32 = 5;
/// An address may be an office with many people behind it.
const FREE_TRIES_ADDRESS: u32 = 30;
const WAIT_FIRST: Duration = Duration::from_secs(2);
/// Longer would let an attacker lock a person out.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Entries remembered; beyond it the ones whose wait is over go first.
const REMEMBERED_MAX: usize = 20_000;

#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Tries>>);

#[derive(Clone, Copy)]
struct Tries {
    failed: u32,
    until: Timestamp,
}

impl Throttle {
    pub(crate) fn admit(&self, name: &str, address: &str, now: Timestamp) -> Result<(), Fault> {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in keys(name, address) {
            if let Some(entry) = tries.get(&key)
                && entry.until > now
            {
                let wait = entry.until.since(now).as_secs().saturating_add(1);
                return Err(Fault::TooMany { retry_after_s: u32::try_from(wait).unwrap_or(u32::MAX) });
            }
        }
        Ok(())
    }

    pub(crate) fn failed(&self, name: &str, address: &str, now: Timestamp) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= REMEMBERED_MAX {
            tries.retain(|_, entry| entry.until > now);
        }
        for (key, free) in keys(name, address) {
            if tries.len() >= REMEMBERED_MAX && !tries.contains_key(&key) {
                continue;
            }
            let entry = tries.entry(key).or_insert(Tries { failed: 0, until: now });
            entry.failed = entry.failed.saturating_add(1);
            if entry.failed >= free {
                let doublings = (entry.failed - free).min(16);
                entry.until = now.plus(WAIT_FIRST.saturating_mul(1 << doublings).min(WAIT_MAX));
            }
        }
    }

    pub(crate) fn succeeded(&self, name: &str, address: &str) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in keys(name, address) {
            tries.remove(&key);
        }
    }
}

/// What is slowed, and how often it may fail before. A name that is too long is nobody's; what is kept of it is bounded
/// all the same. Where no name is guessed, the address alone counts.
fn keys(name: &str, address: &str) -> impl Iterator<Item = (String, u32)> {
    let name = (!name.is_empty()).then(|| (format!("n:{}", clipped(name)), FREE_TRIES));
    name.into_iter().chain([(format!("a:{}", neighbourhood(address)), FREE_TRIES_ADDRESS)])
}

fn clipped(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS_MAX).collect()
}

/// One customer has a whole IPv6 network (RFC 6177), which counts as one address.
fn neighbourhood(address: &str) -> String {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        Ok(ip) => ip.to_string(),
        Err(_) => clipped(address),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_is_remembered_of_a_name_is_bounded() {
        let (throttle, now) = (Throttle::default(), Timestamp::from_secs(1_000));
        for letter in ["a", "b", "ü"] {
            throttle.failed(&letter.repeat(200_000), "::1", now);
        }
        let kept = throttle.0.lock().unwrap();
        assert_eq!(kept.len(), 4);
        assert!(kept.keys().all(|key| key.chars().count() <= NAME_CHARACTERS_MAX + 2));
    }

    #[test]
    fn a_network_of_one_customer_is_one_address() {
        let (throttle, now) = (Throttle::default(), Timestamp::from_secs(1_000));
        for nth in 0..FREE_TRIES_ADDRESS {
            throttle.failed(&format!("user{nth}"), &format!("2001:db8:1:2::{nth:x}"), now);
        }
        assert!(throttle.admit("ada", "2001:db8:1:2:ffff::1", now).is_err());
        assert!(throttle.admit("ada", "2001:db8:1:3::1", now).is_ok());
        assert!(throttle.admit("ada", "192.0.2.1", now).is_ok());
    }
}
