//! The last documents of sessions and CDRs that were pushed, so that a change of a part can be understood and an owner
//! can read back what it sent.
//!
//! In memory alone and bounded: what a room keeps of a person it keeps under its own rules, and this is no second
//! copy beside them. After a restart a part is refused as unknown, and its sender sends the whole (OCPI 2.2.1, 4.1.2).
//! Invariant: when there is no room, the party that has most here makes it, so that nobody pushes out the others'.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use charge::id::PartyId;
use ocpi::wire::Module;

use super::limits::{RECENT_BYTES_MAX, RECENT_MAX};

/// Of which module, under which id in lower case: ids are told apart without case (OCPI 2.2.1, 17.1).
type Name = (Module, String);

#[derive(Default)]
pub(crate) struct Recent(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    of: HashMap<PartyId, Shelf>,
    texts: usize,
    bytes: usize,
}

/// What one party has here.
#[derive(Default)]
struct Shelf {
    texts: HashMap<Name, String>,
    order: VecDeque<Name>,
    bytes: usize,
}

impl Recent {
    /// Keeps a document of 2.2.1. Beyond the limits the oldest of whoever has most goes.
    pub(crate) fn put(&self, owner: PartyId, module: Module, id: &str, text: String) {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.put(owner, (module, id.to_ascii_lowercase()), text);
        while shelves.texts > RECENT_MAX || shelves.bytes > RECENT_BYTES_MAX {
            let by_bytes = shelves.bytes > RECENT_BYTES_MAX;
            let has = |shelf: &Shelf| if by_bytes { shelf.bytes } else { shelf.order.len() };
            let most = shelves.of.iter().max_by_key(|(_, shelf)| has(shelf)).map(|(party, _)| *party);
            let Some(most) = most else { return };
            shelves.drop_oldest(most);
        }
    }

    pub(crate) fn get(&self, owner: PartyId, module: Module, id: &str) -> Option<String> {
        let shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.of.get(&owner)?.texts.get(&(module, id.to_ascii_lowercase())).cloned()
    }
}

impl Shelves {
    fn put(&mut self, owner: PartyId, name: Name, text: String) {
        let shelf = self.of.entry(owner).or_default();
        self.bytes += text.len();
        shelf.bytes += text.len();
        match shelf.texts.insert(name.clone(), text) {
            Some(before) => {
                self.bytes -= before.len();
                shelf.bytes -= before.len();
            }
            None => {
                self.texts += 1;
                shelf.order.push_back(name);
            }
        }
    }

    fn drop_oldest(&mut self, owner: PartyId) {
        let Some(shelf) = self.of.get_mut(&owner) else { return };
        let oldest = shelf.order.pop_front().and_then(|name| shelf.texts.remove(&name));
        let bytes = oldest.map_or(0, |text| text.len());
        self.texts -= 1;
        self.bytes -= bytes;
        shelf.bytes -= bytes;
        if shelf.order.is_empty() {
            self.of.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::road::limits::REQUEST_BYTES_MAX;

    #[test]
    fn who_has_most_makes_room_and_nobody_else_loses_anything() {
        let recent = Recent::default();
        let [loud, quiet]: [PartyId; 2] = ["DE-BIG", "DE-SML"].map(|id| id.parse().unwrap());
        recent.put(quiet, Module::Sessions, "S1", "mine".to_owned());
        let large = RECENT_BYTES_MAX / REQUEST_BYTES_MAX;
        for n in 0..large + 10 {
            recent.put(loud, Module::Sessions, &format!("B{n}"), "x".repeat(REQUEST_BYTES_MAX));
        }
        let bytes = |recent: &Recent| recent.0.lock().unwrap().bytes;
        assert!(bytes(&recent) <= RECENT_BYTES_MAX && bytes(&recent) > RECENT_BYTES_MAX / 2);
        assert_eq!(recent.get(quiet, Module::Sessions, "s1").as_deref(), Some("mine"));
        assert!(
            recent.get(loud, Module::Sessions, "B0").is_none() && recent.get(loud, Module::Sessions, "B20").is_some()
        );
        for n in 0..RECENT_MAX + 10 {
            recent.put(loud, Module::Cdrs, &format!("C{n}"), "{}".to_owned());
        }
        assert_eq!(recent.0.lock().unwrap().texts, RECENT_MAX);
        assert_eq!(recent.get(quiet, Module::Sessions, "S1").as_deref(), Some("mine"));
        recent.put(loud, Module::Cdrs, &format!("C{}", RECENT_MAX + 9), "changed".to_owned());
        assert_eq!(
            bytes(&recent),
            (RECENT_MAX - 2) * 2 + "changed".len() + "mine".len(),
            "what is replaced is not counted"
        );
    }
}
