//! Cards: the only tokens that live longer than one session.
//!
//! A uid is kept sealed, found by a keyed tag, and leaves the house once: to the hub, which turns it into a tag of its
//! own. Pages see it masked.

use charge::id::PartyId;
use charge::token::{ContractId, IssuedToken, TokenKind, TokenUid};
use charge::{Personal, Purpose, Timestamp};

use crate::{CardId, DriverId};

/// A card as its row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) id: CardId,
    pub(crate) driver: DriverId,
    pub(crate) label: String,
    pub(crate) uid: Personal<TokenUid>,
    pub(crate) blocked: bool,
    /// Counts changes; names the job that tells the hub.
    pub(crate) version: i64,
    /// The last version that the hub has acknowledged.
    pub(crate) indexed: i64,
    pub(crate) changed: Timestamp,
}

/// A card for pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRow {
    pub id: CardId,
    pub driver: DriverId,
    pub label: String,
    /// The last characters of the uid.
    pub masked: String,
    pub blocked: bool,
    /// Whether the hub knows the card in its present state.
    pub indexed: bool,
}

impl Card {
    pub(crate) fn row(&self) -> CardRow {
        CardRow {
            id: self.id.clone(),
            driver: self.driver.clone(),
            label: self.label.clone(),
            masked: masked(&self.uid),
            blocked: self.blocked,
            indexed: self.indexed == self.version,
        }
    }

    /// For the hub's index. `stand_in` takes the place of the contract id, which the hub has no use for.
    pub(crate) fn issued(&self, us: PartyId, stand_in: ContractId) -> IssuedToken {
        IssuedToken {
            party: us,
            uid: self.uid.clone(),
            kind: TokenKind::Rfid,
            contract: Personal::new(stand_in),
            valid: !self.blocked,
            last_updated: self.changed,
        }
    }
}

/// The last four characters, or fewer of a short uid: enough to tell two cards apart, too little to copy one.
fn masked(uid: &Personal<TokenUid>) -> String {
    let normal = uid.reveal(Purpose::ShowOwner).normal();
    let shown = (normal.chars().count() / 3).min(4);
    let tail: String = normal.chars().skip(normal.chars().count() - shown).collect();
    format!("…{tail}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_mask_never_shows_more_than_a_third() {
        let mask = |text| masked(&Personal::new(TokenUid::new(text).unwrap()));
        assert_eq!(mask("04a2b3c4d5e680"), "…E680");
        assert_eq!(mask("04A2B3"), "…B3");
        assert_eq!(mask("04"), "…");
    }
}
