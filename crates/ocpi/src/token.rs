//! Tokens and verdicts (OCPI 2.2.1, module 12).
//!
//! What leaves us holds the mandatory members only: no visual number, no language, no group. Two words have no
//! spelling in 2.2.1: a car's contract id travels as `OTHER`, and the caps of a verdict do not travel.

use charge::Purpose;
use charge::Timestamp;
use charge::id::{AuthorizationReference, PartyId};
use charge::personal::Personal;
use charge::talk::line::terms::Words;
use charge::talk::road::Denial;
use charge::token::{Allowed, ContractId, IssuedToken, PresentedToken, TokenKind, TokenUid, Verdict};

use crate::read::{At, Crossed, Fault, Lost};
use crate::versions::Version;
use crate::write::{Doc, Record, time};

/// What stands for a mandatory text that cannot be known (OCPI 2.2.1, 17.1).
pub(crate) const NOT_AVAILABLE: &str = "#NA";
/// OCPI 2.2.1, 12.3.2: `uid` is a `CiString(36)`.
pub(crate) const UID_CHARACTERS_MAX: usize = 36;

const KINDS: &[(&str, TokenKind)] = &[
    ("RFID", TokenKind::Rfid),
    ("APP_USER", TokenKind::AppUser),
    ("AD_HOC_USER", TokenKind::AdHocUser),
    ("OTHER", TokenKind::Other),
    ("EMAID", TokenKind::Emaid),
];

/// OCPI 2.2.1, 12.4.3 `TokenType`; `EMAID` came with 2.3.0.
pub(crate) const fn kind_word(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Rfid => "RFID",
        TokenKind::AppUser => "APP_USER",
        TokenKind::AdHocUser => "AD_HOC_USER",
        TokenKind::Other | TokenKind::DirectPayment | TokenKind::Emaid => "OTHER",
    }
}

/// The word in a query: 2.1.1 knows cards and the rest, 2.3.0 contract ids as well (12.4.4).
pub(crate) const fn kind_word_in(version: Version, kind: TokenKind) -> &'static str {
    match (version, kind) {
        (Version::V230, TokenKind::Emaid) => "EMAID",
        (Version::V211, TokenKind::AppUser | TokenKind::AdHocUser) => "OTHER",
        (_, _) => kind_word(kind),
    }
}

pub(crate) fn read_kind(at: &At<'_>) -> Result<TokenKind, Fault> {
    at.one_of(KINDS)
}

/// The kind in a query; RFID where none is given (OCPI 2.2.1, 12.2.1.2).
pub(crate) fn kind_named(word: Option<&str>) -> Option<TokenKind> {
    let Some(word) = word else { return Some(TokenKind::Rfid) };
    KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, kind)| *kind)
}

/// The uid as its reader delivered it; unreadable where it is longer than the standard's `CiString(36)`.
pub(crate) fn wire_uid(uid: &Personal<TokenUid>) -> Result<String, Fault> {
    let text = uid.reveal(Purpose::Transmit).as_delivered().trim();
    if text.chars().count() > UID_CHARACTERS_MAX {
        return Err(Fault::new("/uid", "is longer than OCPI can carry"));
    }
    Ok(text.to_owned())
}

pub(crate) fn kind_lost(kind: TokenKind, path: &str, lost: &mut Lost) {
    if kind == TokenKind::Emaid {
        lost.push(Fault::new(path, "EMAID is written as OTHER"));
    }
}

pub(crate) fn write(token: &IssuedToken, lost: &mut Lost) -> Result<Doc, Fault> {
    kind_lost(token.kind, "/type", lost);
    let contract = token.contract.reveal(Purpose::Transmit).as_str();
    let object = object(token.party, &wire_uid(&token.uid)?, token.kind, contract);
    Ok(object.with("valid", token.valid).with("last_updated", time(token.last_updated)).into())
}

/// A token of which nothing but its uid and its provider is known.
pub(crate) fn unknown_contract(
    token: &PresentedToken,
    owner: PartyId,
    valid: bool,
    at: Timestamp,
) -> Result<Record, Fault> {
    let known = object(owner, &wire_uid(&token.uid)?, token.kind, NOT_AVAILABLE);
    Ok(known.with("valid", valid).with("last_updated", time(at.whole_seconds())))
}

/// Issuer is the party's code: a name would say nothing more to a machine. `NEVER`: always ask us (privacy, level L2).
fn object(party: PartyId, uid: &str, kind: TokenKind, contract: &str) -> Record {
    Record::default()
        .with("country_code", party.country())
        .with("party_id", party.code())
        .with("uid", uid)
        .with("type", kind_word(kind))
        .with("contract_id", contract)
        .with("issuer", party.to_string())
        .with("whitelist", "NEVER")
}

pub(crate) fn read(at: &At<'_>, lost: &mut Lost) -> Result<IssuedToken, Fault> {
    at.unworded(&["visual_number", "group_id", "language", "default_profile_type", "energy_contract"], lost);
    Ok(IssuedToken {
        party: read_party(at)?,
        uid: read_uid(&at.need("uid")?)?,
        kind: read_kind(&at.need("type")?)?,
        contract: read_contract(&at.need("contract_id")?)?,
        valid: at.need("valid")?.yes_or_no()?,
        last_updated: at.need("last_updated")?.time()?,
    })
}

/// `country_code` and `party_id` of an object.
pub(crate) fn read_party(at: &At<'_>) -> Result<PartyId, Fault> {
    let (country, code) = (at.need("country_code")?, at.need("party_id")?);
    PartyId::new(country.text()?.trim(), code.text()?.trim()).map_err(|fault| code.fault(&fault.to_string()))
}

pub(crate) fn read_uid(at: &At<'_>) -> Result<Personal<TokenUid>, Fault> {
    let text = at.text()?;
    if text.chars().count() > UID_CHARACTERS_MAX {
        return Err(at.fault("is longer than 36 characters"));
    }
    TokenUid::new(text).map(Personal::new).map_err(|fault| at.fault(&fault.to_string()))
}

pub(crate) fn read_contract(at: &At<'_>) -> Result<Personal<ContractId>, Fault> {
    ContractId::new(at.text()?.trim()).map(Personal::new).map_err(|fault| at.fault(&fault.to_string()))
}

/// `AuthorizationInfo` (OCPI 2.2.1, 12.3.1). A token that its owner does not know is a denial, not a word.
pub(crate) fn write_verdict(
    asked: &PresentedToken,
    verdict: &Verdict,
    answering: PartyId,
    now: Timestamp,
    lost: &mut Lost,
) -> Result<Doc, Denial> {
    let allowed = match verdict.allowed {
        Allowed::Yes => "ALLOWED",
        Allowed::Blocked => "BLOCKED",
        Allowed::Expired => "EXPIRED",
        Allowed::NoCredit => "NO_CREDIT",
        Allowed::NotHere => "NOT_ALLOWED",
        Allowed::Unknown => return Err(Denial::UnknownToken),
        Allowed::Unanswered => return Err(Denial::ReceiverSilent),
    };
    for (cap, path) in [(verdict.energy_cap.is_some(), "energy_cap"), (verdict.money_cap.is_some(), "money_cap")] {
        if cap {
            lost.push(Fault::new(format!("/{path}"), "has no member in OCPI 2.2.1"));
        }
    }
    for (held, path) in [(verdict.group.is_some(), "group"), (verdict.words.is_some(), "words")] {
        if held {
            lost.push(Fault::new(format!("/{path}"), "is not mandatory, so it stays here"));
        }
    }
    let contract = verdict.contract.as_ref().map_or(NOT_AVAILABLE, |id| id.reveal(Purpose::Transmit).as_str());
    let token = object(verdict.party.unwrap_or(answering), &wire_uid(&asked.uid)?, asked.kind, contract)
        .with("valid", verdict.allowed == Allowed::Yes)
        .with("last_updated", time(now.whole_seconds()));
    Ok(Record::default()
        .with("allowed", allowed)
        .with("token", token)
        .maybe("authorization_reference", verdict.reference.as_ref().map(AuthorizationReference::as_str))
        .into())
}

/// `DisplayText` (OCPI 2.2.1, 16.3).
fn read_words(at: &At<'_>) -> Result<Words, Fault> {
    let language = at.need("language")?.text()?.trim().into();
    Ok(Words { language: Some(language), ..Words::plain(at.need("text")?.text()?) })
}

pub(crate) fn read_verdict(at: &At<'_>) -> Result<Crossed<Verdict>, Fault> {
    const ALLOWED: &[(&str, Allowed)] = &[
        ("ALLOWED", Allowed::Yes),
        ("BLOCKED", Allowed::Blocked),
        ("EXPIRED", Allowed::Expired),
        ("NO_CREDIT", Allowed::NoCredit),
        ("NOT_ALLOWED", Allowed::NotHere),
    ];
    let mut lost = Lost::new();
    at.unworded(&["location"], &mut lost);
    let allowed = at.need("allowed")?.one_of(ALLOWED)?;
    let mut verdict = Verdict::bare(allowed);
    verdict.reference = at.maybe("authorization_reference", &mut lost, At::word);
    verdict.words = at.maybe("info", &mut lost, read_words).map(Box::new);
    if let Some(token) = at.field("token") {
        verdict.group = token.maybe("group_id", &mut lost, read_uid);
        verdict.party = read_party(&token).map_err(|fault| lost.push(fault)).ok();
        verdict.contract = token
            .maybe("contract_id", &mut lost, read_contract)
            .filter(|id| id.reveal(Purpose::Authorise).as_str() != NOT_AVAILABLE);
    }
    Ok(Crossed { value: verdict, lost })
}
