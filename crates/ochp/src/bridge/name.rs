//! Names of the road in the narrower alphabets of OCHP, and the other way.
//!
//! A name that fits is kept. One that does not becomes the beginning of its digest: always the same, and unique in
//! practice (five bits per character). Nothing here can be turned back: whoever has to find the original keeps it.

use aws_lc_rs::digest::{SHA256, digest};
use charge::id::{self, EvseUid, PartyId};
use charge::token::ContractId;

use crate::scalar::{CdrId, Contract, DirectId, EvseId, LocationId, PartyCode, TariffId};

/// Capitals and digits without those that people confuse.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A record's id after its operator's five characters.
const CDR_CHARACTERS_MAX: usize = 31;
const LOCATION_CHARACTERS_MAX: usize = 15;
const TARIFF_CHARACTERS_MAX: usize = 10;
/// 160 bits: nobody guesses a session that was not told to them.
const DIRECT_CHARACTERS: usize = 32;

/// `most` characters of a digest, 32 at the most.
fn short(text: &str, most: usize) -> String {
    let bytes = digest(&SHA256, text.as_bytes());
    let character = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    bytes.as_ref().iter().take(most).map(character).collect()
}

pub fn party_code(party: PartyId) -> String {
    format!("{}{}", party.country(), party.code())
}

/// The operator's code, and the id without its separators or its digest.
pub fn cdr_id(party: PartyId, id: &id::CdrId) -> Option<CdrId> {
    let plain: String = id.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    let upper = plain.to_ascii_uppercase();
    let code = party_code(party);
    // one that came from a clearing house already begins with its operator
    if id.as_str() == upper && upper.starts_with(&code) && upper.len() <= code.len() + CDR_CHARACTERS_MAX {
        return CdrId::new(&upper);
    }
    let fits = id.as_str().len() == plain.len() && plain == upper && plain.len() <= CDR_CHARACTERS_MAX;
    let rest = if fits { plain } else { short(id.as_str(), CDR_CHARACTERS_MAX) };
    CdrId::new(&format!("{code}{rest}"))
}

pub fn location_id(id: &id::LocationId) -> Option<LocationId> {
    let fitting = LocationId::new(id.as_str()).filter(|fitting| fitting.as_str() == id.as_str());
    fitting.or_else(|| LocationId::new(&short(id.as_str(), LOCATION_CHARACTERS_MAX)))
}

/// A tariff's id with its operator before it.
pub fn tariff_id(party: PartyId, id: &id::TariffId) -> Option<TariffId> {
    let code = party_code(party);
    let own = TariffId::new(id.as_str()).filter(|own| own.as_str().replace('*', "").starts_with(&code));
    own.or_else(|| {
        let plain =
            id.as_str().len() <= TARIFF_CHARACTERS_MAX && id.as_str().bytes().all(|c| c.is_ascii_alphanumeric());
        let rest = if plain { id.as_str().to_owned() } else { short(id.as_str(), TARIFF_CHARACTERS_MAX) };
        TariffId::new(&format!("{code}T{rest}"))
    })
}

/// A session as direct partners know it.
pub fn direct_id(name: &str) -> Option<DirectId> {
    let fitting = DirectId::new(name).filter(|fitting| fitting.as_str() == name);
    fitting.or_else(|| DirectId::new(&short(name, DIRECT_CHARACTERS)))
}

pub fn evse_id(id: &id::EvseId) -> Option<EvseId> {
    EvseId::new(id.as_str())
}

/// Without its stars, as every spelling of an EVSE id gives it.
fn compact(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// Whether two spellings mean one EVSE.
pub fn same_evse(one: &str, other: &str) -> bool {
    compact(one) == compact(other)
}

/// The operator's name of an EVSE, which OCHP does not have: its public id without stars.
pub fn evse_uid(id: &EvseId) -> Option<EvseUid> {
    let plain = compact(id.as_str());
    let fits = plain.len() <= EvseUid::LIMIT;
    EvseUid::new(if fits { plain } else { short(&plain, DIRECT_CHARACTERS) }).ok()
}

/// A contract in the form of OCHP; one of DIN SPEC 91286 gets its two zeros (OCHP, "Backward Compatibility"). `None`
/// where it has no such form.
pub fn contract(id: &ContractId) -> Option<Contract> {
    if let Some(fitting) = Contract::new(id.as_str()) {
        return Some(fitting);
    }
    let plain: String = id.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.len() {
        14 | 15 => Contract::new(&plain),
        12 => plain.split_at_checked(5).and_then(|(party, rest)| Contract::new(&format!("{party}00{rest}"))),
        _other => None,
    }
}

pub fn contract_id(contract: &Contract) -> Option<ContractId> {
    ContractId::new(contract.as_str()).ok()
}

/// The party that a code names.
pub fn party(code: &PartyCode) -> Option<PartyId> {
    code.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn names_that_fit_are_kept_and_others_are_made_the_same_way_every_time() {
        let party = PartyId::new("DE", "ABC").unwrap();
        let cdr = |text: &str| cdr_id(party, &id::CdrId::new(text).unwrap()).unwrap().as_str().to_owned();
        assert_eq!(cdr("20261122X1"), "DEABC20261122X1");
        assert_eq!(cdr("DEABC77"), "DEABC77");
        assert_eq!(cdr("a-b").len(), 36);
        assert_eq!(cdr("a-b"), cdr("a-b"));
        assert_ne!(cdr("a-b"), cdr("ab"));
        assert_eq!(location_id(&id::LocationId::new("LOC1").unwrap()).unwrap().as_str(), "LOC1");
        assert_eq!(location_id(&id::LocationId::new("loc-1").unwrap()).unwrap().as_str().len(), 15);
        assert_eq!(tariff_id(party, &id::TariffId::new("DE*ABC*T1").unwrap()).unwrap().as_str(), "DE*ABC*T1");
        assert_eq!(tariff_id(party, &id::TariffId::new("day7").unwrap()).unwrap().as_str(), "DEABCTday7");
        assert!(same_evse("DE*ABC*E1", "deabce1"));
        assert_eq!(evse_uid(&EvseId::new("de*abc*e1*2").unwrap()).unwrap().as_str(), "DEABCE12");
    }

    #[test]
    fn contracts_of_the_older_standard_get_their_zeros() {
        let of = |text: &str| contract(&ContractId::new(text).unwrap()).map(|contract| contract.as_str().to_owned());
        assert_eq!(of("DE*8AA*123A56*3").as_deref(), Some("DE8AA00123A563"));
        assert_eq!(of("DE-8AA-CA2B3C4D5-N").as_deref(), Some("DE-8AA-CA2B3C4D5-N"));
        assert_eq!(of("customer-7"), None);
    }
}
