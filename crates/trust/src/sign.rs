//! Signing with ECDSA over P-256 and SHA-256: what our virtual meters do, and what a verifier of theirs needs.
//!
//! Keys travel as PKCS#8, public keys as SubjectPublicKeyInfo, signatures as DER. Record formats (OCMF and others)
//! are the business of billing: it may hand a digest in and take the signature out, so that the private key stays
//! here.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey,
};
use charge::Secret;

use crate::hex;

/// Why a key or a signature could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignFault {
    #[error("this is no P-256 private key in PKCS#8")]
    BadKey,
    #[error("the key could not be made or used")]
    Refused,
}

/// A private key of a meter.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public_der: Vec<u8>,
}

impl SigningKey {
    pub fn generate() -> Result<Self, SignFault> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| SignFault::Refused)?;
        Self::around(pair)
    }

    pub fn from_pkcs8_der(der: &Secret<Vec<u8>>) -> Result<Self, SignFault> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der.expose()).map_err(|_| SignFault::BadKey)?;
        Self::around(pair)
    }

    fn around(pair: EcdsaKeyPair) -> Result<Self, SignFault> {
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| SignFault::Refused)?;
        let public_der = public.as_ref().to_vec();
        Ok(Self { pair, public_der })
    }

    /// The private key, for the meter's own memory.
    pub fn to_pkcs8_der(&self) -> Result<Secret<Vec<u8>>, SignFault> {
        self.pair.to_pkcs8v1().map(|document| Secret::new(document.as_ref().to_vec())).map_err(|_| SignFault::Refused)
    }

    /// SubjectPublicKeyInfo in DER (RFC 5480): 91 bytes.
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_der
    }

    /// The same in hex, as registers of meter keys print it.
    pub fn public_key_hex(&self) -> String {
        hex::encode(&self.public_der)
    }

    /// Signs the message. DER, 70 to 72 bytes as a rule.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignFault> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| SignFault::Refused)?;
        Ok(signature.as_ref().to_vec())
    }

    /// Signs a SHA-256 digest that the caller made of the very bytes it vouches for. DER.
    pub fn sign_digest(&self, sha256: &[u8; 32]) -> Result<Vec<u8>, SignFault> {
        let digest = Digest::import_less_safe(sha256, &SHA256).map_err(|_| SignFault::Refused)?;
        let signature = self.pair.sign_digest(&digest).map_err(|_| SignFault::Refused)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(signing key of {})", self.public_key_hex())
    }
}

/// Did the holder of this public key (SubjectPublicKeyInfo) sign this message? False also for a malformed key.
pub fn verify(public_key_der: &[u8], message: &[u8], signature_der: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key_der).verify(message, signature_der).is_ok()
}

/// Did the holder of this public key (SubjectPublicKeyInfo) sign this image? By RSA-PSS with SHA-256 as OCPP wants
/// (L01.FR.04), or by ECDSA over P-256, which is what its other algorithm, ECSchnorr, has become in the field.
pub fn verify_image(public_key_der: &[u8], image: &[u8], signature: &[u8]) -> bool {
    verify(public_key_der, image, signature)
        || UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public_key_der).verify(image, signature).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let signature = key.sign(b"1234.5 kWh").unwrap();
        assert!(verify(key.public_key_der(), b"1234.5 kWh", &signature));
        assert!(!verify(key.public_key_der(), b"1234.6 kWh", &signature));
        assert!(!verify(other.public_key_der(), b"1234.5 kWh", &signature));
        assert!(!verify(b"no key", b"1234.5 kWh", &signature));
        assert!(!verify(key.public_key_der(), b"1234.5 kWh", &signature[..20]));
    }

    #[test]
    fn a_digest_signs_like_its_message() {
        let key = SigningKey::generate().unwrap();
        let digest = aws_lc_rs::digest::digest(&SHA256, b"1234.5 kWh");
        let signature = key.sign_digest(digest.as_ref().try_into().unwrap()).unwrap();
        assert!(verify(key.public_key_der(), b"1234.5 kWh", &signature));
    }

    #[test]
    fn a_key_survives_its_storage() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
        assert_eq!(again.public_key_hex(), key.public_key_hex());
        assert_eq!(key.public_key_der().len(), 91);
        assert!(verify(key.public_key_der(), b"x", &again.sign(b"x").unwrap()));
        assert_eq!(SigningKey::from_pkcs8_der(&Secret::new(vec![1, 2, 3])).err(), Some(SignFault::BadKey));
    }

    #[test]
    fn an_image_is_signed_by_either_algorithm() {
        use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
        use aws_lc_rs::rsa::KeySize;
        use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};

        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), b"image", &mut signature).unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        assert!(verify_image(public.as_ref(), b"image", &signature));
        assert!(!verify_image(public.as_ref(), b"another", &signature));
        let key = SigningKey::generate().unwrap();
        assert!(verify_image(key.public_key_der(), b"image", &key.sign(b"image").unwrap()));
    }
}
