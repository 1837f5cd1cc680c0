//! Passwords of people: Argon2id, in PHC strings.
//!
//! A hash carries its parameters, so that they may grow later. One check takes some 20 ms and 19 MiB on purpose:
//! doors bound how many run at once, and run them off the async threads. Logins, lock-outs and sessions live
//! elsewhere. A name that does not exist must cost as much as one that does: see [`check_nobody`].

use std::fmt;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::PasswordHasher;
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time;
use charge::{Dice, Secret};

/// Length is what makes a password strong; NIST SP 800-63B asks for 8 at least.
pub const CHARACTERS_MIN: usize = 12;
/// Longer than any passphrase; hashing must not become work that a stranger orders.
pub const BYTES_MAX: usize = 256;
/// A password of fewer different characters is a pattern.
pub const DIFFERENT_MIN: usize = 5;

/// OWASP's second recommendation for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// A stored hash that asks for more memory than this is not ours, and must not exhaust the machine.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
/// Likewise for passes.
const PASSES_MAX: u32 = 8;
const SALT_BYTES: usize = 16;

/// Why a password cannot be taken. The person can mend all but the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error("a password needs at least {CHARACTERS_MIN} characters")]
    TooShort,
    #[error("a password has at most {BYTES_MAX} bytes")]
    TooLong,
    #[error("a password needs at least {DIFFERENT_MIN} different characters")]
    Monotonous,
    #[error("the password could not be hashed")]
    NotHashed,
}

/// Whether the house's rules allow this password.
pub fn judge(password: &Secret<String>) -> Result<(), PasswordFault> {
    let password = password.expose();
    if password.len() > BYTES_MAX {
        return Err(PasswordFault::TooLong);
    }
    if password.chars().count() < CHARACTERS_MIN {
        return Err(PasswordFault::TooShort);
    }
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT_MIN {
        return Err(PasswordFault::Monotonous);
    }
    Ok(())
}

/// Judges and hashes a new password.
pub fn hash(password: &Secret<String>, dice: &dyn Dice) -> Result<PasswordHash, PasswordFault> {
    judge(password)?;
    argon2id(password.expose().as_bytes(), dice)
}

/// A new random password for a person: four groups of five letters without look-alikes, 90 bits.
pub fn generate(dice: &dyn Dice) -> Secret<String> {
    const LETTERS: &[u8; 23] = b"abcdefghjkmnpqrstuvwxyz"; // no i, l, o
    let letter = || usize::try_from(dice.below(LETTERS.len() as u64)).map_or('x', |at| char::from(LETTERS[at]));
    let groups: Vec<String> = (0..4).map(|_| (0..5).map(|_| letter()).collect()).collect();
    Secret::new(groups.join("-"))
}

/// Takes as long as checking a real password: for logins that do not exist.
pub fn check_nobody(presented: &str) {
    let mut out = [0u8; Params::DEFAULT_OUTPUT_LEN];
    if let (true, Ok(argon)) = (presented.len() <= BYTES_MAX, argon()) {
        let _unused = derive(&argon, presented.as_bytes(), &[0; SALT_BYTES], &mut out);
        std::hint::black_box(&out);
    }
}

/// Hashes bytes of low entropy, whatever they are. Also used for station keys that people chose.
pub(crate) fn argon2id(secret: &[u8], dice: &dyn Dice) -> Result<PasswordHash, PasswordFault> {
    let mut salt = [0u8; SALT_BYTES];
    dice.fill(&mut salt);
    let argon = argon().map_err(|_| PasswordFault::NotHashed)?;
    let hash = argon.hash_password_with_salt(secret, &salt).map_err(|_| PasswordFault::NotHashed)?;
    Ok(PasswordHash(hash))
}

fn argon() -> Result<Argon2<'static>, argon2::Error> {
    Ok(with(Params::new(MEMORY_KIB, PASSES, LANES, None)?))
}

fn with(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The one piece of memory that checks work in, one after the other. Taken and given back each time, an allocator
/// keeps 19 MiB for every thread that ever checked a password: hundreds of megabytes in a house of many logins.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

fn derive(argon: &Argon2<'_>, password: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), argon2::Error> {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    memory.resize(argon.params().block_count(), Block::default());
    argon.hash_password_into_with_memory(password, salt, out, memory.as_mut_slice())
}

/// A stored hash. Its text (`Display`, [`PasswordHash::parse`]) is a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(argon2::PasswordHash);

impl PasswordHash {
    /// Reads a stored hash. `None` where it is no Argon2id hash, or asks for more work than ours ever do.
    pub fn parse(text: &str) -> Option<Self> {
        let hash = argon2::PasswordHash::new(text).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let ours = hash.algorithm == ARGON2ID_IDENT
            && hash.salt.is_some()
            && hash.hash.is_some()
            && params.m_cost() <= MEMORY_KIB_MAX
            && params.t_cost() <= PASSES_MAX;
        ours.then_some(Self(hash))
    }

    /// Is this the password? The comparison takes constant time.
    pub fn verify(&self, presented: &str) -> bool {
        self.verify_bytes(presented.as_bytes())
    }

    pub(crate) fn verify_bytes(&self, presented: &[u8]) -> bool {
        let (Some(salt), Some(wanted), Ok(params)) = (&self.0.salt, &self.0.hash, Params::try_from(&self.0)) else {
            return false;
        };
        let mut out = vec![0; wanted.as_bytes().len()];
        presented.len() <= BYTES_MAX
            && derive(&with(params), presented, salt.as_ref(), &mut out).is_ok()
            && constant_time::verify_slices_are_equal(&out, wanted.as_bytes()).is_ok()
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(password hash)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::dice::SystemDice;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_verifies_after_storage_and_no_other_does() {
        let hash = hash(&secret("correct horse battery"), &SystemDice).unwrap();
        let text = hash.to_string();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        let stored = PasswordHash::parse(&text).unwrap();
        assert!(stored.verify("correct horse battery"));
        assert!(!stored.verify("correct horse batterz"));
        assert!(!stored.verify(""));
        assert!(!stored.verify(&"x".repeat(BYTES_MAX + 1)));
        assert_eq!(format!("{stored:?}"), "(password hash)");
    }

    #[test]
    fn equal_passwords_hash_differently() {
        let password = secret("correct horse battery");
        let (a, b) = (hash(&password, &SystemDice).unwrap(), hash(&password, &SystemDice).unwrap());
        assert_ne!(a.to_string(), b.to_string());
    }

    #[test]
    fn weak_passwords_are_refused_with_their_reason() {
        assert_eq!(judge(&secret("short pass")), Err(PasswordFault::TooShort));
        assert_eq!(judge(&secret("äöüäöüäöüäö")), Err(PasswordFault::TooShort), "characters count, not bytes");
        assert_eq!(judge(&secret("121212121212")), Err(PasswordFault::Monotonous));
        assert_eq!(judge(&secret(&"ab3de".repeat(60))), Err(PasswordFault::TooLong));
        assert_eq!(judge(&secret("twelve chars")), Ok(()));
        assert_eq!(hash(&secret("admin"), &SystemDice).err(), Some(PasswordFault::TooShort));
    }

    #[test]
    fn generated_passwords_are_readable_and_allowed() {
        let password = generate(&SystemDice);
        let groups: Vec<&str> = password.expose().split('-').collect();
        assert_eq!(groups.len(), 4);
        for group in groups {
            assert_eq!(group.len(), 5);
            assert!(group.chars().all(|c| c.is_ascii_lowercase() && !"ilo".contains(c)));
        }
        assert_eq!(judge(&password), Ok(()));
        assert_ne!(password.expose(), generate(&SystemDice).expose());
    }

    #[test]
    fn a_stored_hash_cannot_order_unbounded_work() {
        let tail = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for text in [
            format!("$argon2id$v=19$m=4194304,t=2,p=1{tail}"),
            format!("$argon2id$v=19$m=19456,t=4000,p=1{tail}"),
            format!("$argon2i$v=19$m=19456,t=2,p=1{tail}"),
            "plain".to_owned(),
        ] {
            assert_eq!(PasswordHash::parse(&text), None, "{text}");
        }
        assert!(PasswordHash::parse(&format!("$argon2id$v=19$m=19456,t=2,p=1{tail}")).is_some());
    }
}
