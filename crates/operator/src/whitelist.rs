//! A station's own list of tokens: what has to be sent so that it holds what it should (OCPP 1.6 5.15, 2.x block D).
//!
//! By default a station has no list at all: a stolen station then tells nothing (handbook privacy 6.4). Only what a
//! person put on a list by hand is sent, each entry with an end. The numbers of versions only grow, so that a station
//! that missed a change is noticed.

/// How an entry stands at the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Wanted, and not sent yet.
    New,
    /// The station has it.
    There,
    /// The station has it and should not any more.
    Leaving,
}

impl Place {
    pub const ALL: [Self; 3] = [Self::New, Self::There, Self::Leaving];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::There => "there",
            Self::Leaving => "leaving",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.as_str() == text)
    }
}

/// What we believe of a station's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The version that the station accepted last; 0: none.
    pub version: i32,
    /// The station may hold something else: the whole list has to go out.
    pub uncertain: bool,
}

/// One message of an update: entries by their position in what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub version: i32,
    /// Replaces the list.
    pub full: bool,
    pub put: Vec<usize>,
    pub remove: Vec<usize>,
}

/// Plans the messages of an update; empty: the station has what it should. `per_message` is what the station takes at
/// once, as it says itself.
pub fn plan(standing: Standing, entries: &[Place], per_message: usize) -> Vec<Message> {
    let per_message = per_message.clamp(1, ENTRIES_MAX);
    let at = |wanted: &[Place]| -> Vec<usize> {
        entries.iter().enumerate().filter(|(_, place)| wanted.contains(place)).map(|(at, _)| at).collect()
    };
    let mut version = standing.version.max(0);
    let mut next = |full, put: &[usize], remove: &[usize]| {
        version = version.saturating_add(1);
        Message { version, full, put: put.to_vec(), remove: remove.to_vec() }
    };
    if standing.uncertain || standing.version <= 0 {
        let wanted = at(&[Place::New, Place::There]);
        if wanted.is_empty() && !standing.uncertain {
            return Vec::new();
        }
        let (first, rest) = wanted.split_at(wanted.len().min(per_message));
        let mut messages = vec![next(true, first, &[])];
        messages.extend(rest.chunks(per_message).map(|part| next(false, part, &[])));
        return messages;
    }
    let mut messages: Vec<Message> = at(&[Place::New]).chunks(per_message).map(|part| next(false, part, &[])).collect();
    messages.extend(at(&[Place::Leaving]).chunks(per_message).map(|part| next(false, &[], part)));
    messages
}

/// A list is for the regulars of a place, not for a provider's customers: more is a list that should not exist.
pub const ENTRIES_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_sends_what_is_needed_and_no_more() {
        use Place::{Leaving, New, There};
        let known = |version| Standing { version, uncertain: false };
        assert_eq!(plan(known(0), &[], 10), vec![], "no list is no message");
        assert_eq!(plan(known(4), &[There, There], 10), vec![]);
        let first = plan(known(0), &[New, New, Leaving], 10);
        assert_eq!(first, vec![Message { version: 1, full: true, put: vec![0, 1], remove: vec![] }]);
        let change = plan(known(4), &[There, New, Leaving], 10);
        let put = Message { version: 5, full: false, put: vec![1], remove: vec![] };
        assert_eq!(change, vec![put, Message { version: 6, full: false, put: vec![], remove: vec![2] }]);
    }

    #[test]
    fn a_doubtful_list_is_replaced_even_by_an_empty_one() {
        let doubt = Standing { version: 7, uncertain: true };
        assert_eq!(plan(doubt, &[], 10), vec![Message { version: 8, full: true, put: vec![], remove: vec![] }]);
        let parts = plan(doubt, &[Place::There, Place::New, Place::New], 2);
        assert_eq!(parts.len(), 2);
        assert!(parts[0].full && !parts[1].full, "only the first replaces");
        assert_eq!((parts[0].version, parts[1].version, parts[1].put.as_slice()), (8, 9, &[2][..]));
    }
}
