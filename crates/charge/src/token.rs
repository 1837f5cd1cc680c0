//! What a driver presents to charge: a token's uid, its kind, the contract behind it, and the verdict on it.

use std::fmt;

use crate::id::{AuthorizationReference, BadId, PartyId};
use crate::money::Money;
use crate::personal::{Personal, Purpose};
use crate::talk::line::terms::Words;
use crate::units::Energy;

/// A token's uid as its reader delivered it, and the form in which it is compared.
///
/// OCPP 1.6 allows 20 characters, OCPI 36, OCPP 2.1 255: the largest is the limit. Comparison ignores letter case
/// and surrounding blanks (OCPP 1.6 `CiString20`; OCPI `CiString(36)`).
#[derive(Clone, Eq)]
pub struct TokenUid(Box<str>);

impl TokenUid {
    pub const LIMIT: usize = 255;

    pub fn new(text: impl AsRef<str>) -> Result<Self, BadId> {
        let text = text.as_ref();
        if text.trim().is_empty() {
            return Err(BadId::Empty);
        }
        if text.chars().count() > Self::LIMIT {
            return Err(BadId::TooLong(Self::LIMIT));
        }
        if text.chars().any(char::is_control) {
            return Err(BadId::Character);
        }
        Ok(Self(text.into()))
    }

    /// As delivered.
    pub fn as_delivered(&self) -> &str {
        &self.0
    }

    /// Trimmed and in upper case: the form for keys and comparisons.
    pub fn normal(&self) -> String {
        self.0.trim().to_uppercase()
    }
}

impl PartialEq for TokenUid {
    fn eq(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }
}

impl fmt::Debug for TokenUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(token uid)")
    }
}

/// What kind of thing the uid comes from (OCPI 2.2.1, 12.4.3 `TokenType`; OCPP 2.x `IdTokenEnumType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// A card or fob read over the air (ISO 14443 or ISO 15693).
    Rfid,
    /// A contract id presented by a car (ISO 15118).
    Emaid,
    /// A stable app account. We read it and never issue it.
    AppUser,
    /// A one-time id: valid for one session, unknown before and after.
    AdHocUser,
    /// The reference of a payment without a contract (OCPP 2.1 `DirectPayment`): good for one session, at one operator.
    DirectPayment,
    /// Anything else, for example a key code or a station-facing alias.
    Other,
}

/// A contract id (EMAID): `CC-PPP-C12345678-D`, of ISO 15118 and eMI3.
#[derive(Clone, Eq)]
pub struct ContractId(Box<str>);

impl ContractId {
    /// OCPI 2.2.1, 12.3.2.
    pub const LIMIT: usize = 36;

    pub fn new(text: impl AsRef<str>) -> Result<Self, BadId> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(BadId::Empty);
        }
        if text.chars().count() > Self::LIMIT {
            return Err(BadId::TooLong(Self::LIMIT));
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(BadId::Character);
        }
        Ok(Self(text.into()))
    }

    /// Builds an EMAID of the `C` form from a party and eight characters, with its check character.
    pub fn of(party: PartyId, instance: &str) -> Result<Self, BadId> {
        let instance = instance.to_ascii_uppercase();
        if instance.len() != 8 || !instance.bytes().all(|c| c.is_ascii_alphanumeric()) {
            return Err(BadId::Form);
        }
        let compact = format!("{}{}C{instance}", party.country(), party.code());
        let check = check_character(&compact).ok_or(BadId::Form)?;
        Ok(Self(format!("{}-{}-C{instance}-{check}", party.country(), party.code()).into()))
    }

    /// With the separators it came with.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Upper case, without separators and without the check character: the form for keys and comparisons.
    pub fn compact(&self) -> String {
        self.0.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_uppercase()).take(14).collect()
    }

    /// The provider that the id names by its first five characters.
    pub fn party(&self) -> Option<PartyId> {
        self.compact().get(..5)?.parse().ok()
    }
}

impl PartialEq for ContractId {
    fn eq(&self, other: &Self) -> bool {
        self.compact() == other.compact()
    }
}

impl fmt::Debug for ContractId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(contract id)")
    }
}

/// The check character of an EMAID (ISO 15118-2 annex H): the value of each character, as two bits and two trits, is
/// weighed with the powers of two small matrices, and the fifteenth character is the one that makes both sums vanish.
///
/// `compact` is the 14 characters without separators; `None` where it is anything else. Never a reason to refuse a
/// partner's id: the examples in the specifications are themselves wrong.
pub fn check_character(compact: &str) -> Option<char> {
    if compact.len() != 14 {
        return None;
    }
    let (mut bit_weight, mut trit_weight) = (BITS, TRITS);
    let (mut bits, mut trits) = ([0, 0], [0, 0]);
    for c in compact.chars() {
        let (q, r) = halves(c.to_digit(36)?);
        bits = plus(bits, apply(bit_weight, q, 2), 2);
        trits = plus(trits, apply(trit_weight, r, 3), 3);
        bit_weight = times(bit_weight, BITS, 2);
        trit_weight = times(trit_weight, TRITS, 3);
    }
    let vanishes = |value: &u32| {
        let (q, r) = halves(*value);
        plus(bits, apply(bit_weight, q, 2), 2) == [0, 0] && plus(trits, apply(trit_weight, r, 3), 3) == [0, 0]
    };
    (0..36).find(vanishes).and_then(|value| char::from_digit(value, 36)).map(|c| c.to_ascii_uppercase())
}

const BITS: [[u32; 2]; 2] = [[0, 1], [1, 1]];
const TRITS: [[u32; 2]; 2] = [[0, 1], [1, 2]];

/// The value of a character as two bits and two trits, high one first.
const fn halves(value: u32) -> ([u32; 2], [u32; 2]) {
    let (q, r) = (value / 9, value % 9);
    ([q / 2, q % 2], [r / 3, r % 3])
}

const fn times(a: [[u32; 2]; 2], b: [[u32; 2]; 2], m: u32) -> [[u32; 2]; 2] {
    let [[a0, a1], [a2, a3]] = a;
    let [[b0, b1], [b2, b3]] = b;
    [[(a0 * b0 + a1 * b2) % m, (a0 * b1 + a1 * b3) % m], [(a2 * b0 + a3 * b2) % m, (a2 * b1 + a3 * b3) % m]]
}

const fn apply(a: [[u32; 2]; 2], v: [u32; 2], m: u32) -> [u32; 2] {
    let ([[a0, a1], [a2, a3]], [x, y]) = (a, v);
    [(a0 * x + a1 * y) % m, (a2 * x + a3 * y) % m]
}

const fn plus(a: [u32; 2], b: [u32; 2], m: u32) -> [u32; 2] {
    [(a[0] + b[0]) % m, (a[1] + b[1]) % m]
}

/// What was presented, as far as the presenter knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedToken {
    pub uid: Personal<TokenUid>,
    pub kind: TokenKind,
}

impl PresentedToken {
    pub const fn new(uid: TokenUid, kind: TokenKind) -> Self {
        Self { uid: Personal::new(uid), kind }
    }

    pub fn normal(&self, purpose: Purpose) -> String {
        self.uid.reveal(purpose).normal()
    }
}

/// A token with the contract behind it, as its provider issues it (OCPI 2.2.1, 12.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// The provider that issued it.
    pub party: PartyId,
    pub uid: Personal<TokenUid>,
    pub kind: TokenKind,
    pub contract: Personal<ContractId>,
    /// False once blocked. An invalid token is still asked about in real time.
    pub valid: bool,
    pub last_updated: crate::Timestamp,
}

/// May this token charge? (OCPI 2.2.1, 12.4.1 `AllowedType`; OCPP `AuthorizationStatus`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    Yes,
    Blocked,
    Expired,
    NoCredit,
    /// Known and not allowed here.
    NotHere,
    /// Nobody owns it, or its owner does not know it (any more).
    Unknown,
    /// Nobody could be asked in time. Not a judgement on the token.
    Unanswered,
}

/// The owner's word on a token, with the caps it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: Allowed,
    /// The id to put into session and CDR instead of the uid: one-time where the provider gives one.
    pub contract: Option<Personal<ContractId>>,
    /// The provider that answered.
    pub party: Option<PartyId>,
    pub reference: Option<AuthorizationReference>,
    pub energy_cap: Option<Energy>,
    pub money_cap: Option<Money>,
    /// Tokens of one group may stop what another of it began (OCPI 2.2.1, 12.3.2 `group_id`; OCPP 2.x C09).
    pub group: Option<Personal<TokenUid>>,
    /// For whoever presented the token (OCPI 2.2.1, 12.3.1 `info`; OCPP 2.x `personalMessage`).
    pub words: Option<Box<Words>>,
}

impl Verdict {
    /// A verdict that carries nothing but its word.
    pub const fn bare(allowed: Allowed) -> Self {
        Self {
            allowed,
            contract: None,
            party: None,
            reference: None,
            energy_cap: None,
            money_cap: None,
            group: None,
            words: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_compare_without_case_and_never_print() {
        assert_eq!(TokenUid::new("04a2b3c4"), TokenUid::new(" 04A2B3C4 "));
        assert_eq!(TokenUid::new(" "), Err(BadId::Empty));
        assert_eq!(format!("{:?}", TokenUid::new("04a2b3c4")), "Ok((token uid))");
    }

    #[test]
    fn check_characters_match_the_published_vectors() {
        let vectors = [
            ("NN123ABCDEFGHI", 'T'),
            ("FRXYZ123456789", '2'),
            ("ITA1B2C3E4F5G6", '4'),
            ("ESZU8WOX834H1D", 'R'),
            ("PT73902837ABCZ", 'Z'),
            ("DE83DUIEN83QGZ", 'D'),
            ("DE83DUIEN83ZGQ", 'M'),
            ("DE8AA001234567", '0'),
            ("NLTNM000122045", 'U'),
        ];
        for (id, check) in vectors {
            assert_eq!(check_character(id), Some(check), "{id}");
        }
        assert_eq!(check_character("DE8AA00123456!"), None);
    }

    #[test]
    fn contract_ids_compare_without_separators() {
        assert_eq!(ContractId::new("DE-8AA-CA2B3C4D5-N"), ContractId::new("de8aaca2b3c4d5n"));
        let party = ContractId::new("DE-8AA-CA2B3C4D5-N").ok().and_then(|id| id.party());
        assert_eq!(party, PartyId::new("DE", "8AA").ok());
    }
}
