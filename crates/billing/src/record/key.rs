//! The public key of a meter, in all the spellings in which registers, labels and files print it.
//!
//! Reads SubjectPublicKeyInfo and bare points, in hex and base64, in groups of any size, and the composed form that
//! OCPP carries. It does not know where a key came from or whom it belongs to: that is [`KeySource`], said by the
//! caller.
//!
//! Invariant: a key of a curve that we can calculate on is a point of that curve.

use std::fmt;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ocmf::{Curve, KeyError, Record, VerifyError};
use sha2::{Digest, Sha256};

/// A key's text is never longer: a P-384 key in hex, composed and in base64, with blanks, fits several times.
const TEXT_MAX: usize = 2_048;

/// Where a key came from: the weight of the evidence hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The operator's own register, or its signed station list.
    Register,
    /// It lay beside the record and proves nothing by itself.
    InFile,
    /// A person typed or chose it, for example from the station's display.
    GivenByUser,
}

impl KeySource {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Register => "register of the operator",
            Self::InFile => "came with the file",
            Self::GivenByUser => "given by the user",
        }
    }
}

/// Why a text is no key of a meter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("the key is neither hexadecimal nor base64")]
    NotEncoded,
    #[error("{bytes} bytes are no public key that is known here (truncated, or with bytes too many)")]
    Shape { bytes: usize },
    #[error("the key is for another kind of signature or on an unknown curve")]
    Curve,
    #[error("the key is no point on {curve}: probably a copying error")]
    NotOnCurve { curve: &'static str },
}

/// A meter's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: ::ocmf::PublicKey,
}

impl PublicKey {
    /// Reads any of the spellings of the field.
    pub fn read(text: &str) -> Result<Self, KeyFault> {
        if text.len() > TEXT_MAX {
            return Err(KeyFault::Shape { bytes: text.len() });
        }
        let text = text.trim();
        if text.starts_with("oca:") {
            return Self::composed(text);
        }
        let bytes = decode(text).ok_or(KeyFault::NotEncoded)?;
        match std::str::from_utf8(&bytes) {
            Ok(inner) if inner.starts_with("oca:") => Self::composed(inner),
            _ => Self::of_bytes(&bytes),
        }
    }

    /// The form that OCPP carries: `oca:base16:asn1:3059…` (OCA application note on signed meter values, 3.2.2).
    fn composed(text: &str) -> Result<Self, KeyFault> {
        let mut parts = text.splitn(4, ':').skip(1);
        match (parts.next(), parts.next(), parts.next()) {
            (Some("base16" | "base64"), Some("asn1"), Some(key)) => {
                Self::of_bytes(&decode(key).ok_or(KeyFault::NotEncoded)?)
            }
            _ => Err(KeyFault::NotEncoded),
        }
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self, KeyFault> {
        match ::ocmf::PublicKey::from_spki(bytes) {
            Ok(key) => return Self::on_its_curve(key),
            Err(KeyError::NotEcdsa | KeyError::UnknownCurve(_)) => return Err(KeyFault::Curve),
            Err(_) => {}
        }
        let mut fault = KeyFault::Shape { bytes: bytes.len() };
        for curve in BARE_CURVES {
            let Ok(key) = ::ocmf::PublicKey::from_sec1(curve, bytes) else { continue };
            match Self::on_its_curve(key) {
                Ok(key) => return Ok(key),
                Err(why) if matches!(fault, KeyFault::Shape { .. }) => fault = why,
                Err(_) => {}
            }
        }
        Err(fault)
    }

    /// Only a verification tells whether a point is on its curve, so one is asked for that cannot succeed. A curve
    /// that we cannot calculate on is let through: its signatures are answered with "cannot be checked".
    fn on_its_curve(key: ::ocmf::PublicKey) -> Result<Self, KeyFault> {
        let probe = format!(
            r#"OCMF|{{"FV":"1.0","PG":"T1","RD":[]}}|{{"SA":"{}","SD":"3006020101020101"}}"#,
            key.curve().algorithm().as_str()
        );
        let record = Record::parse(&probe).map_err(|_| KeyFault::Curve)?;
        match ::ocmf::verify(&record, &key) {
            Err(VerifyError::KeyNotOnCurve { curve }) => Err(KeyFault::NotOnCurve { curve }),
            _ => Ok(Self { key }),
        }
    }

    pub(super) const fn wrapping(key: ::ocmf::PublicKey) -> Self {
        Self { key }
    }

    pub(super) const fn inner(&self) -> &::ocmf::PublicKey {
        &self.key
    }

    /// SHA-256 of the SubjectPublicKeyInfo in hex: what two people compare.
    pub fn fingerprint(&self) -> String {
        trust::hex::encode(&Sha256::digest(self.key.to_spki()))
    }

    /// The SubjectPublicKeyInfo in hex, upper case: the spelling of the SAFE tool.
    pub fn spki_hex(&self) -> String {
        trust::hex::encode(&self.key.to_spki()).to_ascii_uppercase()
    }

    /// The composed form in base64, as OCPP 2.x carries it in `SignedMeterValueType.publicKey`.
    pub fn ocpp_text(&self) -> String {
        self.key.to_oca_base64()
    }

    /// Name of the curve, for example `secp256r1`.
    pub fn curve(&self) -> &'static str {
        self.key.curve().name()
    }
}

/// Curves that a bare point may be on, the usual ones first: those on which we can calculate, because only the point
/// itself tells its curve. A bare key of another curve cannot be told from a copying error.
const BARE_CURVES: [Curve; 4] = [Curve::Secp256r1, Curve::Secp192r1, Curve::Secp384r1, Curve::Secp256k1];

/// Hex or base64, after the blanks, semicolons, colons and dashes with which keys are printed in groups.
fn decode(text: &str) -> Option<Vec<u8>> {
    let grouped = |c: char| c.is_whitespace() || matches!(c, ';' | ':' | ',' | '\u{feff}' | '\u{a0}');
    let joined: String = text.chars().filter(|c| !grouped(*c)).collect();
    let digits = joined.strip_prefix("0x").or_else(|| joined.strip_prefix("0X")).unwrap_or(&joined).replace('-', "");
    if digits.is_empty() {
        return None;
    }
    trust::hex::decode(digits.as_bytes())
        .or_else(|| LENIENT.decode(&joined).ok())
        .or_else(|| LENIENT_URL.decode(&joined).ok())
}

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const LENIENT: GeneralPurpose = GeneralPurpose::new(&STANDARD, ANY_PADDING);
const LENIENT_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, ANY_PADDING);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} key {})", self.curve(), self.fingerprint())
    }
}

#[cfg(test)]
mod tests;
