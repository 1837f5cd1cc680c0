//! Bearer tokens for the API and for OCPI: made once, shown once, kept as a digest.
//!
//! A token is a prefix, which tells a reader (and a secret scanner) what it opens, and 256 bits of randomness. With
//! that much entropy a plain SHA-256 is enough to keep; salts and slow hashes are for what people choose. Rights,
//! expiry and owners are the store's business.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use charge::{Dice, Secret};

use crate::hex;

/// A new token: `prefix` and 43 characters of base64url. OCPI allows printable ASCII without blanks (2.2.1, 4.1.1).
pub fn generate(prefix: &str, dice: &dyn Dice) -> Secret<String> {
    let mut random = [0u8; 32];
    dice.fill(&mut random);
    Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random)))
}

/// What is kept of a token: SHA-256 of its text. Safe as a unique column to look a presented token up by.
#[derive(Clone, Copy, Eq)]
pub struct BearerDigest([u8; 32]);

impl BearerDigest {
    /// The digest of a token as presented, or as just generated.
    pub fn of(token: &str) -> Self {
        let mut bytes = [0u8; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }

    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits.
    pub fn to_hex(&self) -> String {
        hex::encode(&self.0)
    }

    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode_array(text).map(Self)
    }

    /// In constant time.
    pub fn matches(&self, presented: &str) -> bool {
        *self == Self::of(presented)
    }
}

/// In constant time.
impl PartialEq for BearerDigest {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for BearerDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(bearer digest)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::dice::SystemDice;

    #[test]
    fn a_token_matches_its_digest_only() {
        let token = generate("ley_op_", &SystemDice);
        let text = token.expose();
        assert!(text.starts_with("ley_op_"));
        assert_eq!(text.len(), "ley_op_".len() + 43);
        assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
        let kept = BearerDigest::from_hex(&BearerDigest::of(text).to_hex()).unwrap();
        assert!(kept.matches(text));
        assert!(!kept.matches(generate("ley_op_", &SystemDice).expose()));
        assert!(!kept.matches(&text[..text.len() - 1]));
        assert_eq!(BearerDigest::from_hex("00"), None);
    }
}
