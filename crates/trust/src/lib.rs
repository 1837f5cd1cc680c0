//! The skills of trust: keys, certificates, TLS policy, passwords, seals and keyed tags.
//!
//! This crate decides how secrets are made, kept, checked and compared. It deliberately opens no socket, knows no
//! database and no protocol: doors take its TLS configurations, rooms take its digests. Whatever it stores about a
//! secret (a digest, a hash, a sealed column) is useless without the secret or the key.
//!
//! Invariant: a secret leaves this crate only inside [`charge::Secret`], and whatever is presented is compared in
//! constant time.

pub mod bearer;
pub mod certificate;
pub mod dice;
pub mod handshake;
pub mod hex;
pub mod keyfile;
pub mod password;
pub mod pki;
pub mod private_file;
pub mod refusal;
pub mod seal;
mod shown;
pub mod sign;
pub mod station_key;
pub mod tls;
pub mod token_tag;
pub mod totp;
