//! Keyed tags of tokens: how the hub finds a token's provider without keeping a single uid.
//!
//! A tag is an HMAC of uid and kind under the hub's key. Without the key a table of tags says nothing, although uids
//! are few enough to be tried one by one; with the key a tag is only as secret as the uid is unguessable. So the key
//! stays in one process, and a tag is a pseudonym to be handled as personal data. Never a list, never a broadcast.

use std::fmt;

use aws_lc_rs::hmac;
use charge::token::{TokenKind, TokenUid};
use charge::{Personal, Purpose, Secret};

/// What the authenticated text begins with: another derivation gets another word, so tags never mix.
const DOMAIN: &[u8] = b"uid1";
const PSEUDONYM_DOMAIN: &[u8] = b"alias1";
/// The longest `idTag` of OCPP 1.6 has 20 characters: 80 bits in hex fill it.
const PSEUDONYM_BYTES: usize = 10;

/// The hub's key for the index of tokens.
pub struct TagKey(hmac::Key);

impl TagKey {
    pub fn new(secret: &Secret<[u8; 32]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
    }

    /// The tag of a token. Letter case and surrounding blanks of the uid make no difference.
    pub fn tag(&self, kind: TokenKind, uid: &Personal<TokenUid>) -> TokenTag {
        let normal = uid.reveal(Purpose::Route).normal();
        let mut context = hmac::Context::with_key(&self.0);
        context.update(DOMAIN);
        context.update(&[kind_byte(kind)]);
        context.update(&(normal.len() as u64).to_be_bytes());
        context.update(normal.as_bytes());
        let mut tag = [0u8; TokenTag::LEN];
        tag.copy_from_slice(&context.sign().as_ref()[..TokenTag::LEN]);
        TokenTag(tag)
    }

    /// What `audience` sees in the place of a token: the same for the same token, another for every audience, and
    /// nothing to anybody without the key. 20 characters of upper-case hex.
    pub fn pseudonym(&self, audience: &str, kind: TokenKind, uid: &Personal<TokenUid>) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(PSEUDONYM_DOMAIN);
        context.update(&(audience.len() as u64).to_be_bytes());
        context.update(audience.as_bytes());
        context.update(self.tag(kind, uid).as_bytes());
        crate::hex::encode(&context.sign().as_ref()[..PSEUDONYM_BYTES]).to_ascii_uppercase()
    }
}

impl fmt::Debug for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(tag key)")
    }
}

/// 128 bits: among ten million tokens two tags meet with a chance of 1 in 10^24.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenTag([u8; TokenTag::LEN]);

impl TokenTag {
    pub const LEN: usize = 16;

    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// A tag is a pseudonym, so it does not print.
impl fmt::Debug for TokenTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(token tag)")
    }
}

/// These bytes are in every stored tag: never renumber.
const fn kind_byte(kind: TokenKind) -> u8 {
    match kind {
        TokenKind::Rfid => 1,
        TokenKind::Emaid => 2,
        TokenKind::AppUser => 3,
        TokenKind::AdHocUser => 4,
        TokenKind::Other => 5,
        TokenKind::DirectPayment => 6,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn uid(text: &str) -> Personal<TokenUid> {
        Personal::new(TokenUid::new(text).unwrap())
    }

    #[test]
    fn case_and_blanks_make_no_difference_and_all_else_does() {
        let key = TagKey::new(&Secret::new([7; 32]));
        let tag = key.tag(TokenKind::Rfid, &uid("04A2B3C4D5E680"));
        assert_eq!(tag, key.tag(TokenKind::Rfid, &uid(" 04a2b3c4d5e680 ")));
        assert_ne!(tag, key.tag(TokenKind::Rfid, &uid("04A2B3C4D5E681")));
        assert_ne!(tag, key.tag(TokenKind::Emaid, &uid("04A2B3C4D5E680")));
        assert_ne!(tag, TagKey::new(&Secret::new([8; 32])).tag(TokenKind::Rfid, &uid("04A2B3C4D5E680")));
        assert_eq!(TokenTag::from_bytes(*tag.as_bytes()), tag);
    }

    #[test]
    fn a_tag_stays_what_it_was_when_it_was_stored() {
        // HMAC-SHA256(07 x 32, "uid1" 01 000000000000000e "04A2B3C4D5E680"), first half, from another implementation
        let tag = TagKey::new(&Secret::new([7; 32])).tag(TokenKind::Rfid, &uid("04A2B3C4D5E680"));
        assert_eq!(crate::hex::encode(tag.as_bytes()), "bc25e8b001e37e17d7d997657eb7e095");
    }

    #[test]
    fn a_pseudonym_is_of_one_audience_and_fits_the_oldest_version() {
        let key = TagKey::new(&Secret::new([7; 32]));
        let card = uid("04A2B3C4D5E680");
        let one = key.pseudonym("fleet", TokenKind::Rfid, &card);
        assert_eq!(one.len(), 20);
        assert_eq!(one, key.pseudonym("fleet", TokenKind::Rfid, &uid(" 04a2b3c4d5e680")));
        assert_ne!(one, key.pseudonym("grid", TokenKind::Rfid, &card));
        assert_ne!(one, TagKey::new(&Secret::new([8; 32])).pseudonym("fleet", TokenKind::Rfid, &card));
        assert!(!crate::hex::encode(key.tag(TokenKind::Rfid, &card).as_bytes()).to_uppercase().contains(&one));
    }

    #[test]
    fn nothing_prints() {
        let key = TagKey::new(&Secret::new([7; 32]));
        let tag = key.tag(TokenKind::Rfid, &uid("04A2B3C4D5E680"));
        assert_eq!(format!("{key:?} {tag:?}"), "(tag key) (token tag)");
    }
}
