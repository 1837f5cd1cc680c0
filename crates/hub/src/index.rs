//! Who may write a token's tag into the index.
//!
//! The index routes and judges nothing: an invalid token is still asked about at its provider, who alone says
//! "blocked". The invariant: a provider can neither take a tag that another one holds nor learn that it is held.

use charge::id::PartyId;

/// What the index holds under a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) party: PartyId,
    pub(crate) valid: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Put,
    /// Nothing to change.
    Stay,
    /// Another provider holds the tag. Counted for the hub's clerk; the writer hears the same as always, or it could
    /// find out whose customer a card is by offering it.
    Conflict,
}

/// Whether `writer` may put `valid` under a tag that holds `held`.
pub(crate) fn write(held: Option<Entry>, writer: PartyId, valid: bool) -> Write {
    match held {
        // a card that its provider never announced as usable needs no way
        None if !valid => Write::Stay,
        None => Write::Put,
        Some(entry) if entry.party == writer && entry.valid == valid => Write::Stay,
        Some(entry) if entry.party == writer => Write::Put,
        // given up by its former provider: cards change hands
        Some(entry) if !entry.valid && valid => Write::Put,
        Some(_) => Write::Conflict,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_held_tag_stays_with_its_provider() {
        let (a, b): (PartyId, PartyId) = ("DE-8AA".parse().unwrap(), "DE-8BB".parse().unwrap());
        let entry = |party, valid| Some(Entry { party, valid });
        let table = [
            (None, a, true, Write::Put),
            (None, a, false, Write::Stay),
            (entry(a, true), a, true, Write::Stay),
            (entry(a, true), a, false, Write::Put),
            (entry(a, false), a, true, Write::Put),
            (entry(a, true), b, true, Write::Conflict),
            (entry(a, true), b, false, Write::Conflict),
            (entry(a, false), b, true, Write::Put),
            (entry(a, false), b, false, Write::Conflict),
        ];
        for (held, writer, valid, expected) in table {
            assert_eq!(write(held, writer, valid), expected, "{held:?} {writer} {valid}");
        }
    }
}
