//! Keys that stations prove themselves with in security profile 2 (OCPP 1.6 AuthorizationKey, 2.x BasicAuthPassword).
//!
//! One key has two faces in the field: stations send its 40 hex digits as text, or the 20 bytes they stand for.
//! Both are accepted, and the caller learns which one came. What is kept depends on where the key is from:
//! * a generated key has 160 bits, so a salted SHA-256 is as strong as the key and lets thousands of stations
//!   reconnect at once;
//! * a key that a person chose may be a word, so it gets Argon2id, at 20 ms a connect. Prefer generated keys.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use charge::{Dice, Secret};

use crate::hex;
use crate::password::{self, PasswordHash};

/// OCPP 1.6 security whitepaper, edition 3: 16 to 20 bytes, given as up to 40 hex digits. We use all of them.
const GENERATED_BYTES: usize = 20;
/// OCPP 2.0.1 part 2, BasicAuthPassword.
pub const CHARACTERS_MIN: usize = 16;
/// Likewise. Errata of 2025-09 allow up to 64, but a station of before would not take more than 40.
pub const CHARACTERS_MAX: usize = 40;
const SALT_BYTES: usize = 16;

/// Why a chosen key cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StationKeyFault {
    #[error("a station's key has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters")]
    Length,
    #[error("a station's key has printable ASCII characters only, because stations disagree about all others")]
    Character,
    #[error("the key could not be hashed")]
    NotHashed,
}

/// A station's key in clear: for the moment in which it is shown or sent to the station.
#[derive(Clone, Debug)]
pub struct StationKey {
    text: Secret<String>,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Generated,
    Chosen,
}

impl StationKey {
    /// A new key: 20 random bytes as 40 hex digits, which fits 1.6 and 2.x alike.
    pub fn generate(dice: &dyn Dice) -> Self {
        let mut bytes = [0u8; GENERATED_BYTES];
        dice.fill(&mut bytes);
        Self { text: Secret::new(hex::encode(&bytes)), origin: Origin::Generated }
    }

    /// A key that came from elsewhere: a person, a file, another system.
    pub fn chosen(text: &str) -> Result<Self, StationKeyFault> {
        if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&text.chars().count()) {
            return Err(StationKeyFault::Length);
        }
        if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            return Err(StationKeyFault::Character);
        }
        Ok(Self { text: Secret::new(text.to_owned()), origin: Origin::Chosen })
    }

    /// As the station gets it.
    pub const fn text(&self) -> &Secret<String> {
        &self.text
    }

    /// What to keep of it.
    pub fn digest(&self, dice: &dyn Dice) -> Result<StationKeyDigest, StationKeyFault> {
        let text = self.text.expose().as_bytes();
        let kept = match (self.origin, hex::decode(text)) {
            (Origin::Generated, Some(octets)) => {
                let mut salt = [0u8; SALT_BYTES];
                dice.fill(&mut salt);
                Kept::Generated { salt, sha256: salted(&salt, &octets) }
            }
            (Origin::Chosen, Some(octets)) => Kept::Octets { length: octets.len(), hash: slow(&octets, dice)? },
            (Origin::Generated | Origin::Chosen, None) => Kept::Text(slow(text, dice)?),
        };
        Ok(StationKeyDigest(kept))
    }
}

/// In which form a station sent its key. Worth showing to the operator: it tells how to write the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The hex digits as text.
    HexText,
    /// The bytes that the hex digits stand for.
    Octets,
    /// A key that is no hex number, as it is.
    Text,
}

/// What is kept of a station's key. Its text (`Display`, [`StationKeyDigest::parse`]) is for the store.
#[derive(Clone, PartialEq, Eq)]
pub struct StationKeyDigest(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    Generated { salt: [u8; SALT_BYTES], sha256: [u8; 32] },
    Octets { length: usize, hash: PasswordHash },
    Text(PasswordHash),
}

impl StationKeyDigest {
    /// Is this the station's key, given as the bytes after the first colon of its Basic credentials?
    pub fn verify(&self, presented: &[u8]) -> Option<Form> {
        match &self.0 {
            Kept::Generated { salt, sha256 } => {
                let (octets, form) = octets(presented, GENERATED_BYTES)?;
                let digest = salted(salt, &octets);
                constant_time::verify_slices_are_equal(&digest, sha256).is_ok().then_some(form)
            }
            Kept::Octets { length, hash } => {
                let (octets, form) = octets(presented, *length)?;
                hash.verify_bytes(&octets).then_some(form)
            }
            Kept::Text(hash) => {
                let possible = (CHARACTERS_MIN..=CHARACTERS_MAX).contains(&presented.len());
                (possible && hash.verify_bytes(presented)).then_some(Form::Text)
            }
        }
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('$')?;
        let kept = match kind.split_once(':') {
            None if kind == "generated" => {
                let (salt, sha256) = rest.split_once('$')?;
                Kept::Generated { salt: hex::decode_array(salt)?, sha256: hex::decode_array(sha256)? }
            }
            None if kind == "text" => Kept::Text(PasswordHash::parse(&text[kind.len()..])?),
            Some(("octets", length)) => {
                Kept::Octets { length: length.parse().ok()?, hash: PasswordHash::parse(&text[kind.len()..])? }
            }
            None | Some(_) => return None,
        };
        Some(Self(kept))
    }
}

impl fmt::Display for StationKeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Generated { salt, sha256 } => {
                write!(f, "generated${}${}", hex::encode(salt), hex::encode(sha256))
            }
            Kept::Octets { length, hash } => write!(f, "octets:{length}{hash}"),
            Kept::Text(hash) => write!(f, "text{hash}"),
        }
    }
}

impl fmt::Debug for StationKeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(station key digest)")
    }
}

/// The key of `length` bytes that was presented in one of its two forms.
fn octets(presented: &[u8], length: usize) -> Option<(Vec<u8>, Form)> {
    if presented.len() == length {
        Some((presented.to_vec(), Form::Octets))
    } else if presented.len() == 2 * length {
        hex::decode(presented).map(|octets| (octets, Form::HexText))
    } else {
        None
    }
}

fn salted(salt: &[u8; SALT_BYTES], octets: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt);
    context.update(octets);
    let mut out = [0u8; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

fn slow(secret: &[u8], dice: &dyn Dice) -> Result<PasswordHash, StationKeyFault> {
    password::argon2id(secret, dice).map_err(|_| StationKeyFault::NotHashed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::dice::SystemDice;

    fn stored(key: &StationKey) -> StationKeyDigest {
        let text = key.digest(&SystemDice).unwrap().to_string();
        assert!(!text.contains(key.text().expose()));
        StationKeyDigest::parse(&text).unwrap()
    }

    #[test]
    fn a_generated_key_is_accepted_as_digits_and_as_octets() {
        let key = StationKey::generate(&SystemDice);
        let text = key.text().expose();
        assert_eq!(text.len(), 40);
        let kept = stored(&key);
        assert_eq!(kept.verify(text.as_bytes()), Some(Form::HexText));
        assert_eq!(kept.verify(text.to_uppercase().as_bytes()), Some(Form::HexText));
        assert_eq!(kept.verify(&hex::decode(text.as_bytes()).unwrap()), Some(Form::Octets));
        for wrong in [&b""[..], &text.as_bytes()[..38], &[0; 20], &[b'0'; 40], &[0xff; 40]] {
            assert_eq!(kept.verify(wrong), None);
        }
    }

    #[test]
    fn a_chosen_hex_key_has_both_forms_too() {
        let kept = stored(&StationKey::chosen("4F8A21C09E77D3B6554433221100FFEEDDCCBBAA").unwrap());
        assert_eq!(kept.verify(b"4F8A21C09E77D3B6554433221100FFEEDDCCBBAA"), Some(Form::HexText));
        let octets = b"\x4f\x8a\x21\xc0\x9e\x77\xd3\xb6\x55\x44\x33\x22\x11\x00\xff\xee\xdd\xcc\xbb\xaa";
        assert_eq!(kept.verify(octets), Some(Form::Octets));
        assert_eq!(kept.verify(b"4F8A21C09E77D3B6554433221100FFEEDDCCBBAB"), None);
    }

    #[test]
    fn a_chosen_text_key_is_taken_as_it_is() {
        let kept = stored(&StationKey::chosen("sesame open the gate").unwrap());
        assert_eq!(kept.verify(b"sesame open the gate"), Some(Form::Text));
        assert_eq!(kept.verify(b"Sesame open the gate"), None);
        assert_eq!(kept.verify(&[b'x'; 4000]), None);
    }

    #[test]
    fn chosen_keys_keep_to_what_every_station_can_hold() {
        assert_eq!(StationKey::chosen("fifteen chars..").err(), Some(StationKeyFault::Length));
        assert_eq!(StationKey::chosen(&"x".repeat(41)).err(), Some(StationKeyFault::Length));
        assert_eq!(StationKey::chosen("sésame ouvre-toi maintenant").err(), Some(StationKeyFault::Character));
    }

    #[test]
    fn a_foreign_text_is_no_digest() {
        for text in ["", "generated$00$00", "text$plain", "octets:x$argon2id$", "plain$abc", "octets:20"] {
            assert_eq!(StationKeyDigest::parse(text), None, "{text}");
        }
    }
}
