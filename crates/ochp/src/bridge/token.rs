//! Tokens, and the word on them.
//!
//! A clearing house of OCHP answers from the list that providers uploaded. A hashed entry can be recognised and never
//! turned back, so it has no road word: [`hashes`] gives the spellings under which a presented uid may stand in a list.
//! Nobody says whether a hash is over capital or small letters, so both are tried.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use charge::id::PartyId;
use charge::talk::partner::Form;
use charge::token::{Allowed, ContractId, IssuedToken, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::{Personal, Purpose, Timestamp};

use super::name::{contract, contract_id};
use crate::message::TokenGiven;
use crate::read::{Crossed, Fault, Lost};
use crate::scalar::{DateTime, Text};
use crate::types::result::ResultInfo;
use crate::types::token::{EmtId, Representation, RoamingAuthorisation, TokenType};

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The hashes of a plain uid, in capital hexadecimal digits: SHA-1, then SHA-256, over capital letters, then small ones.
pub fn hashes(uid: &str) -> Vec<(Form, String)> {
    let mut all = Vec::with_capacity(4);
    for (form, spelling) in [(Form::Upper, uid.trim().to_uppercase()), (Form::Lower, uid.trim().to_lowercase())] {
        let sha160 = digest(&SHA1_FOR_LEGACY_USE_ONLY, spelling.as_bytes());
        let sha256 = digest(&SHA256, spelling.as_bytes());
        all.push((form, hexadecimal(sha160.as_ref())));
        all.push((form, hexadecimal(sha256.as_ref())));
    }
    all
}

const fn kind(kind: TokenType) -> TokenKind {
    match kind {
        TokenType::Rfid => TokenKind::Rfid,
        TokenType::Remote => TokenKind::AdHocUser,
        TokenType::Iso15118 => TokenKind::Emaid,
    }
}

const fn token_type(kind: TokenKind) -> TokenType {
    match kind {
        TokenKind::Rfid | TokenKind::Other => TokenType::Rfid,
        TokenKind::AppUser | TokenKind::AdHocUser | TokenKind::DirectPayment => TokenType::Remote,
        TokenKind::Emaid => TokenType::Iso15118,
    }
}

/// Something in the place where a uid stands: plain, or its hash under which a list knows it.
pub fn uid(token: &EmtId) -> Result<Personal<TokenUid>, Fault> {
    let uid = TokenUid::new(token.instance.reveal(Purpose::Transmit).as_str());
    uid.map(Personal::new).map_err(|_| Fault::new("/emtId/instance", "is no uid of a token"))
}

/// A token that is asked about. One in hashed form is known to the list of a clearing house alone.
pub fn presented(token: &EmtId) -> Result<Crossed<PresentedToken>, Fault> {
    if token.representation() != Representation::Plain {
        return Err(Fault::new("/emtId", "is a hash, which no provider can be asked about"));
    }
    let mut lost = Lost::new();
    if token.sub_kind.is_some() {
        lost.push(Fault::new("/emtId/tokenSubType", "has no word on the road"));
    }
    Ok(Crossed { value: PresentedToken { uid: uid(token)?, kind: kind(token.kind) }, lost })
}

pub fn emt(uid: &Personal<TokenUid>, kind: TokenKind, lost: &mut Lost) -> EmtId {
    if kind == TokenKind::Other {
        lost.push(Fault::new("/emtId/tokenType", "has no word in OCHP and is written as a card"));
    }
    let instance = Text::fitted(uid.reveal(Purpose::Transmit).normal().as_str()).0;
    EmtId { instance: Personal::new(instance), kind: token_type(kind), sub_kind: None, representation: None }
}

/// An entry of a provider's list as the token that it pushes.
pub fn issued(entry: &RoamingAuthorisation, owner: PartyId, now: Timestamp) -> Result<Crossed<IssuedToken>, Fault> {
    let Crossed { value, mut lost } = presented(&entry.token)?;
    if entry.printed.is_some() {
        lost.push(Fault::new("/printedNumber", "is not kept"));
    }
    let contract = contract_id(entry.contract.reveal(Purpose::Transmit));
    let contract = contract.ok_or_else(|| Fault::new("/contractId", "is no contract id"))?;
    let valid = entry.expires.at() > now;
    lost.push(Fault::new("/expiryDate", "is carried as valid or not, without its day"));
    let value = IssuedToken {
        party: owner,
        uid: value.uid,
        kind: value.kind,
        contract: Personal::new(contract),
        valid,
        last_updated: now,
    };
    Ok(Crossed { value, lost })
}

/// A token as an entry of its provider's list, good until `expires`; one that is not valid expired at `now`.
pub fn authorisation(
    token: &IssuedToken,
    expires: Timestamp,
    now: Timestamp,
) -> Result<Crossed<RoamingAuthorisation>, Fault> {
    let mut lost = Lost::new();
    if matches!(token.kind, TokenKind::AppUser | TokenKind::AdHocUser) {
        return Err(Fault::new("/type", "is of a kind that stands in no list of OCHP"));
    }
    let contract = written_contract(token.contract.reveal(Purpose::Transmit))?;
    let expires = DateTime::new(if token.valid { expires } else { now });
    let token = emt(&token.uid, token.kind, &mut lost);
    Ok(Crossed { value: RoamingAuthorisation { token, contract, printed: None, expires }, lost })
}

/// A contract in the form that OCHP demands.
pub fn written_contract(id: &ContractId) -> Result<Personal<crate::scalar::Contract>, Fault> {
    let why = "is no contract id of 14 or 15 characters, as OCHP needs";
    contract(id).map(Personal::new).ok_or_else(|| Fault::new("/contract_id", why))
}

/// The answer about one token, good until `expires`. OCHP has one word for every no: a record that is missing.
pub fn given(asked: &EmtId, verdict: &Verdict, expires: Timestamp) -> Crossed<TokenGiven> {
    let mut lost = Lost::new();
    let contract = verdict.contract.as_ref().map(|id| written_contract(id.reveal(Purpose::Transmit)));
    let token = match (verdict.allowed, contract) {
        (Allowed::Yes, Some(Ok(contract))) => Some(RoamingAuthorisation {
            token: asked.clone(),
            contract,
            printed: None,
            expires: DateTime::new(expires),
        }),
        (Allowed::Yes, Some(Err(fault))) => {
            lost.push(fault);
            None
        }
        (Allowed::Yes, None) => {
            lost.push(Fault::new("/contract_id", "is missing, and OCHP cannot say yes without one"));
            None
        }
        (Allowed::Unknown, _) => None,
        (Allowed::Blocked | Allowed::Expired | Allowed::NoCredit | Allowed::NotHere | Allowed::Unanswered, _) => {
            lost.push(Fault::new("/allowed", "OCHP has no word for why a token may not charge"));
            None
        }
    };
    if verdict.energy_cap.is_some() || verdict.money_cap.is_some() {
        lost.push(Fault::new("/limits", "OCHP cannot say how much"));
    }
    if verdict.reference.is_some() && token.is_some() {
        lost.push(Fault::new("/authorization_reference", "has no place in OCHP"));
    }
    Crossed { value: TokenGiven { result: ResultInfo::ok(), token }, lost }
}

/// The word of a clearing house on one token. Who pays is told by the contract.
pub fn verdict(given: &TokenGiven, now: Timestamp) -> Verdict {
    let Some(entry) = &given.token else { return Verdict::bare(Allowed::Unknown) };
    let allowed = if entry.expires.at() > now { Allowed::Yes } else { Allowed::Expired };
    let contract = contract_id(entry.contract.reveal(Purpose::Transmit));
    let party = contract.as_ref().and_then(ContractId::party);
    Verdict { contract: contract.map(Personal::new), party, ..Verdict::bare(allowed) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_uid_is_found_under_both_hashes() {
        // RFC 3174, test 1: the hash of `abc`
        let all = hashes("ABC");
        assert!(all.contains(&(Form::Lower, "A9993E364706816ABA3E25717850C26C9CD0D89D".to_owned())));
        let sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        assert!(all.contains(&(Form::Lower, sha256.to_owned())));
        assert_eq!(all, hashes(" abc "));
    }

    #[test]
    fn every_no_looks_the_same_and_a_yes_needs_a_contract() {
        let asked = EmtId {
            instance: Personal::new(Text::new("04A2B3C4").unwrap()),
            kind: TokenType::Rfid,
            sub_kind: None,
            representation: None,
        };
        let now = Timestamp::from_secs(1_000);
        let until = Timestamp::from_secs(2_000);
        let contract = Personal::new(ContractId::new("DE-8AA-CA2B3C4D5-L").unwrap());
        let yes = Verdict { contract: Some(contract.clone()), ..Verdict::bare(Allowed::Yes) };
        let said = given(&asked, &yes, until).value;
        assert_eq!(verdict(&said, now).allowed, Allowed::Yes);
        assert_eq!(verdict(&said, now).contract, Some(contract));
        assert_eq!(verdict(&said, now).party, PartyId::new("DE", "8AA").ok());
        assert_eq!(verdict(&said, until).allowed, Allowed::Expired);
        for no in [Allowed::Blocked, Allowed::NoCredit, Allowed::Unknown, Allowed::NotHere, Allowed::Yes] {
            let said = given(&asked, &Verdict::bare(no), until);
            assert_eq!(verdict(&said.value, now), Verdict::bare(Allowed::Unknown), "{no:?}");
            assert_eq!(said.lost.is_empty(), no == Allowed::Unknown, "{no:?}");
        }
    }
}
