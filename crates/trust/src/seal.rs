//! Sealing of personal columns: AES-256-GCM, bound to the place where the value belongs.
//!
//! The caller names that place (table, column and row key) as associated data, so that a sealed value moved to
//! another column or row does not open. Sealing hides content, not length, and protects a stolen file or backup, not
//! a running process that holds the key. Equal values seal differently: look values up by a tag, not by their seal.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use charge::Secret;

/// The first byte of a sealed value, so that another way of sealing can come beside this one.
const FORM: u8 = 1;

/// Why a value does not seal or open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    #[error("the sealed value is too short or of an unknown form")]
    Malformed,
    #[error("the sealed value was changed, moved to another place, or sealed with another key")]
    DoesNotOpen,
    #[error("the cipher refused to seal")]
    DoesNotSeal,
}

/// One party's key for sealing.
///
/// Nonces are random: change the key before some 2^32 values were sealed with it (NIST SP 800-38D, 8.3).
pub struct SealKey(RandomizedNonceKey);

impl SealKey {
    pub fn new(secret: &Secret<[u8; 32]>) -> Result<Self, SealFault> {
        RandomizedNonceKey::new(&AES_256_GCM, secret.expose()).map(Self).map_err(|_| SealFault::DoesNotSeal)
    }

    /// Form byte, 12 bytes of nonce, ciphertext, 16 bytes of tag: 29 bytes more than `plain`.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, SealFault> {
        let mut body = plain.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(place), &mut body).map_err(|_| SealFault::DoesNotSeal)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(FORM);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// What was sealed at this very place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, SealFault> {
        let Some((&FORM, rest)) = sealed.split_first() else { return Err(SealFault::Malformed) };
        let Some((nonce, body)) = rest.split_first_chunk::<NONCE_LEN>() else { return Err(SealFault::Malformed) };
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.0.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| SealFault::DoesNotOpen)?;
        let length = plain.len();
        body.truncate(length);
        Ok(body)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(seal key)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const PLACE: &str = "driver.name/42";

    fn key(byte: u8) -> SealKey {
        SealKey::new(&Secret::new([byte; 32])).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_and_no_two_seals_are_equal() {
        let key = key(1);
        for plain in [&b""[..], b"Ada Lovelace", &[0xff; 5000]] {
            let sealed = key.seal(PLACE, plain).unwrap();
            assert_eq!(sealed.len(), plain.len() + 29);
            assert_eq!(key.open(PLACE, &sealed).unwrap(), plain);
            assert_ne!(sealed, key.seal(PLACE, plain).unwrap());
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = key(1);
        let sealed = key.seal(PLACE, b"Ada Lovelace").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(PLACE, &changed).is_err(), "byte {at}");
            assert!(key.open(PLACE, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_place_or_key_does_not_open() {
        let sealed = key(1).seal(PLACE, b"Ada Lovelace").unwrap();
        assert_eq!(key(1).open("driver.name/43", &sealed), Err(SealFault::DoesNotOpen));
        assert_eq!(key(2).open(PLACE, &sealed), Err(SealFault::DoesNotOpen));
        assert_eq!(key(1).open(PLACE, &[]), Err(SealFault::Malformed));
    }
}
