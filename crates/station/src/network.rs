//! Where the station calls: the network connection profiles that operators have set, and in which order they are
//! tried (OCPP 2.x B09, B10, A05).
//!
//! It judges what may be set and keeps it; whoever holds the station's door dials. Invariant: no profile that is kept
//! is less secure than the one in use.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use charge::talk::line::model::Network;

/// As many places as a modem and a cable need, with one to spare (B09.FR.06: at least two).
pub const SLOTS: RangeInclusive<i32> = 1..=3;
/// Profile 3 is the most secure (A00.FR.001).
const PROFILE_MAX: u8 = 3;
/// `ocppCsmsUrl` of OCPP 2.1.
const URL_MAX: usize = 2_000;

/// Where a station finds the connection that it was installed with.
const INSTALLED: i32 = 1;
/// Where it keeps the better secured one that 1.6 orders, until that has proven itself.
const RISEN: i32 = 3;

/// What the station has to prove itself and its operator with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equipment {
    pub password: bool,
    pub root: bool,
    pub certificate: bool,
}

/// The profiles by their slot.
#[derive(Debug, Default)]
pub struct Networks(BTreeMap<i32, Network>);

impl Networks {
    /// Keeps a profile, or answers the status word that refuses it. `current` is the security profile in use.
    pub fn set(&mut self, slot: i32, to: Network, current: u8) -> Result<(), &'static str> {
        let encrypted = to.url.starts_with("wss://");
        let address = to.url.len() <= URL_MAX && (encrypted || to.url.starts_with("ws://"));
        let known = to.security_profile <= PROFILE_MAX && (encrypted || to.security_profile < 2);
        // B09.FR.05, B09.FR.02, B09.FR.04
        if !SLOTS.contains(&slot) || !address || !known || to.security_profile < current {
            return Err("Rejected");
        }
        self.0.insert(slot, to);
        Ok(())
    }

    /// Whether `NetworkConfigurationPriority` may become this: slots that are set, each once, and everything in place
    /// for a profile that is more secure than the current one.
    pub fn may_prefer(&self, order: &str, current: u8, has: Equipment) -> bool {
        let slots: Option<Vec<i32>> = order.split(',').map(|slot| slot.trim().parse().ok()).collect();
        let Some(slots) = slots else { return false };
        let once = slots.iter().enumerate().all(|(at, slot)| !slots.iter().skip(at + 1).any(|other| other == slot));
        let good = |slot: &i32| {
            self.0.get(slot).is_some_and(|to| {
                let rises = to.security_profile > current;
                // A05.FR.02, A05.FR.03
                !rises || ((to.security_profile < 2 || has.root) && (to.security_profile < 3 || has.certificate))
            })
        };
        // B10.FR.02
        once && slots.iter().all(good)
    }

    /// 1.6: the same address with a higher security profile, in front of the one in use; answers the new order. Nothing
    /// lower, and nothing without what it needs.
    ///
    /// cites: ocpp-1.6-security A05.FR.01, A05.FR.02, A05.FR.03, A05.FR.04, A05.FR.08
    pub fn rise(&mut self, to: u8, current: u8, has: Equipment) -> Option<String> {
        let known = to > current && to <= PROFILE_MAX;
        let password = has.password || !matches!(to, 1 | 2);
        let proven = password && (has.root || to < 2) && (has.certificate || to < PROFILE_MAX);
        let Network { url, more, .. } = self.0.get(&INSTALLED).filter(|_| known && proven)?.clone();
        let url = match url.strip_prefix("ws://") {
            Some(rest) if to >= 2 => format!("wss://{rest}").into(),
            Some(_) | None => url,
        };
        self.0.insert(RISEN, Network { url, security_profile: to, more });
        Some(format!("{RISEN},{INSTALLED}"))
    }

    /// The better secured connection could not be had: the one before it is all there is again; answers the order.
    pub fn fall_back(&mut self) -> String {
        self.0.remove(&RISEN);
        INSTALLED.to_string()
    }

    /// The profiles in the order in which they are tried.
    pub fn in_order(&self, order: &str) -> Vec<(i32, Network)> {
        let slots = order.split(',').filter_map(|slot| slot.trim().parse::<i32>().ok());
        slots.filter_map(|slot| Some((slot, self.0.get(&slot)?.clone()))).collect()
    }

    /// A connection with this profile stands: less secure ones are forgotten (A05.FR.06). Answers what is left of the
    /// order, where it changed.
    pub fn secured(&mut self, profile: u8, order: &str) -> Option<String> {
        self.0.retain(|_, to| to.security_profile >= profile);
        let left: Vec<String> = self.in_order(order).into_iter().map(|(slot, _)| slot.to_string()).collect();
        let left = left.join(",");
        (!left.is_empty() && left != order).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::talk::line::document::Document;

    use super::*;

    const ALL: Equipment = Equipment { password: true, root: true, certificate: true };

    fn to(url: &str, security_profile: u8) -> Network {
        Network { url: url.into(), security_profile, more: Document::new("{}") }
    }

    #[test]
    fn a_profile_is_judged_before_it_is_kept() {
        // proves: B09.FR.01, B09.FR.02, B09.FR.04, B09.FR.05
        let mut networks = Networks::default();
        networks.set(2, to("wss://new.example/ocpp", 3), 2).unwrap();
        for (slot, to, why) in [
            (0, to("wss://x", 2), "no such slot"),
            (4, to("wss://x", 2), "no such slot"),
            (1, to("https://x", 2), "no address of a line"),
            (1, to("ws://x", 2), "encrypted by name only"),
            (1, to("wss://x", 4), "no such profile"),
            (1, to("ws://x", 1), "a fall"),
        ] {
            assert_eq!(networks.set(slot, to, 2), Err("Rejected"), "{why}");
        }
        assert_eq!(networks.in_order("1,2").len(), 1);
    }

    #[test]
    fn an_order_names_slots_that_are_set_and_can_be_used() {
        // proves: B10.FR.02, A05.FR.02, A05.FR.03
        let mut networks = Networks::default();
        networks.set(1, to("wss://old.example", 2), 2).unwrap();
        networks.set(2, to("wss://new.example", 3), 2).unwrap();
        for order in ["2,1", "1", " 2 , 1 "] {
            assert!(networks.may_prefer(order, 2, ALL), "{order}");
        }
        for order in ["", "3", "2,2", "1,x", "1,2,3"] {
            assert!(!networks.may_prefer(order, 2, ALL), "{order}");
        }
        assert!(!networks.may_prefer("2,1", 2, Equipment { certificate: false, ..ALL }));
        assert!(!networks.may_prefer("1", 0, Equipment { root: false, ..ALL }));
        assert_eq!(networks.in_order("2,1").first().map(|(slot, _)| *slot), Some(2));
    }

    #[test]
    fn a_profile_rises_with_what_it_needs_and_falls_back() {
        // proves: ocpp-1.6-security A05.FR.01, A05.FR.02, A05.FR.03, A05.FR.04, A05.FR.08
        let mut networks = Networks::default();
        assert_eq!(networks.rise(2, 0, ALL), None, "no address is known");
        networks.set(1, to("ws://csms.example/a", 0), 0).unwrap();
        let lacking = [
            (0, 0, ALL, "not higher"),
            (1, 2, ALL, "lower"),
            (4, 0, ALL, "no such profile"),
            (1, 0, Equipment { password: false, ..ALL }, "no password"),
            (2, 1, Equipment { root: false, ..ALL }, "no root"),
            (3, 2, Equipment { certificate: false, ..ALL }, "no certificate"),
        ];
        for (wanted, current, has, why) in lacking {
            assert_eq!(networks.rise(wanted, current, has), None, "{why}");
        }
        assert_eq!(networks.rise(3, 0, Equipment { password: false, ..ALL }).as_deref(), Some("3,1"));
        let order = networks.in_order("3,1");
        assert_eq!(
            order.iter().map(|(_, to)| (&*to.url, to.security_profile)).collect::<Vec<_>>(),
            [("wss://csms.example/a", 3), ("ws://csms.example/a", 0)]
        );
        assert_eq!((networks.fall_back().as_str(), networks.in_order("3,1").len()), ("1", 1));
    }

    #[test]
    fn what_is_less_secure_is_forgotten_once_the_better_one_stands() {
        // proves: A05.FR.06
        let mut networks = Networks::default();
        networks.set(1, to("wss://old.example", 2), 2).unwrap();
        networks.set(2, to("wss://new.example", 3), 2).unwrap();
        assert_eq!(networks.secured(2, "2,1"), None);
        assert_eq!(networks.secured(3, "2,1").as_deref(), Some("2"));
        assert!(!networks.may_prefer("1", 3, ALL));
    }
}
