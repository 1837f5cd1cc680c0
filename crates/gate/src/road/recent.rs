//! The last documents of sessions and CDRs that were pushed, so that a change of a part can be understood and an owner
//! can read back what it sent.
//!
//! In memory alone and bounded: what a room keeps of a person it keeps under its own rules, and this is no second
//! copy beside them. After a restart a part is refused as unknown, and its sender sends the whole (OCPI 2.2.1, 4.1.2).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use charge::id::PartyId;
use ocpi::wire::Module;

use super::limits::RECENT_MAX;

/// Whose, of which module, under which id in lower case: ids are told apart without case (OCPI 2.2.1, 17.1).
type Name = (PartyId, Module, String);

#[derive(Default)]
pub(crate) struct Recent(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    texts: HashMap<Name, String>,
    order: VecDeque<Name>,
}

impl Recent {
    /// Keeps a document of 2.2.1. Beyond the limit the oldest goes.
    pub(crate) fn put(&self, owner: PartyId, module: Module, id: &str, text: String) {
        let name = (owner, module, id.to_ascii_lowercase());
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.texts.insert(name.clone(), text).is_none() {
            shelf.order.push_back(name);
        }
        while shelf.order.len() > RECENT_MAX {
            if let Some(oldest) = shelf.order.pop_front() {
                shelf.texts.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, owner: PartyId, module: Module, id: &str) -> Option<String> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.texts.get(&(owner, module, id.to_ascii_lowercase())).cloned()
    }
}
