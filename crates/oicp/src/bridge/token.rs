//! Identifications, and the lists of them that providers upload (OICP 2.3, IdentificationType).
//!
//! A card is a `RFIDMifareFamilyIdentification`, a contract that a car shows is `PlugAndChargeIdentification`, everything
//! else travels as `RemoteIdentification` with a contract id. Where OICP names no contract, the uid stands for it.
//! Deliberately unread: printed numbers, hashes of PINs. Invariant: a PIN is never taken for proof of anything here.

use charge::id::PartyId;
use charge::record::RecordToken;
use charge::talk::road::Question;
use charge::token::{ContractId, IssuedToken, PresentedToken, TokenKind, TokenUid};
use charge::{Personal, Purpose, Timestamp};

use super::missing;
use crate::doc::{Doc, Fault, Lost, Record};
use crate::form;
use crate::operation::Operation;

/// What an identification says.
pub(crate) struct Identified {
    pub(crate) token: PresentedToken,
    pub(crate) contract: Option<ContractId>,
    /// It says who with a number that only the provider can check.
    pub(crate) pin: bool,
}

pub(crate) fn read(body: &Record) -> Result<Identified, Fault> {
    let identification = body.record("Identification").ok_or_else(|| missing("Identification"))?;
    read_one(identification)
}

pub(crate) fn read_one(identification: &Record) -> Result<Identified, Fault> {
    const KINDS: [(&str, &str, TokenKind); 5] = [
        ("RFIDMifareFamilyIdentification", "UID", TokenKind::Rfid),
        ("RFIDIdentification", "UID", TokenKind::Rfid),
        ("QRCodeIdentification", "EvcoID", TokenKind::Other),
        ("PlugAndChargeIdentification", "EvcoID", TokenKind::Emaid),
        ("RemoteIdentification", "EvcoID", TokenKind::AdHocUser),
    ];
    let found = KINDS.iter().find_map(|(name, member, kind)| Some((identification.record(name)?, *member, *kind)));
    let (means, member, kind) = found.ok_or_else(|| missing("Identification"))?;
    let bad = |fault: charge::id::BadId| Fault::new(format!("/Identification/{member}"), fault.to_string());
    let uid = TokenUid::new(means.text(member).ok_or_else(|| missing(member))?).map_err(bad)?;
    let contract = means.text("EvcoID").map(ContractId::new).transpose().map_err(bad)?;
    let pin = kind == TokenKind::Other && (means.get("PIN").is_some() || means.get("HashedPIN").is_some());
    Ok(Identified { token: PresentedToken::new(uid, kind), contract, pin })
}

/// The token of a session or CDR. The payer is who the session says, else who the contract names.
pub(crate) fn read_record(body: &Record, payer: Option<PartyId>, lost: &mut Lost) -> Result<RecordToken, Fault> {
    let identified = read(body)?;
    let uid = identified.token.uid;
    let contract = contract_or_uid(identified.contract, &uid, lost)?;
    let hub_says = body.text("HubProviderID").and_then(form::party);
    let party = payer.or(hub_says).or_else(|| contract.party());
    let party = party.ok_or_else(|| Fault::new("/Identification", "names no provider that owes"))?;
    Ok(RecordToken { party, uid, kind: identified.token.kind, contract: Personal::new(contract) })
}

/// OICP names no contract of a card.
pub(crate) fn contract_or_uid(
    contract: Option<ContractId>,
    uid: &Personal<TokenUid>,
    lost: &mut Lost,
) -> Result<ContractId, Fault> {
    if let Some(contract) = contract {
        return Ok(contract);
    }
    lost.push(Fault::new("/Identification/EvcoID", "is not said; the uid stands for it"));
    ContractId::new(uid.reveal(Purpose::Route).normal())
        .map_err(|fault| Fault::new("/Identification", fault.to_string()))
}

/// The identification of a token. A card whose uid OICP cannot carry goes by its contract, where that can.
pub(crate) fn write(
    uid: &Personal<TokenUid>,
    kind: TokenKind,
    contract: Option<&Personal<ContractId>>,
) -> Result<Record, Fault> {
    let number = uid.reveal(Purpose::Transmit).normal();
    let evco = || {
        let named = contract.and_then(|contract| form::evco_id(contract.reveal(Purpose::Transmit)));
        let own = || ContractId::new(&number).ok().and_then(|id| form::evco_id(&id));
        named.or_else(own).map(|id| Record::default().with("EvcoID", id))
    };
    let (name, means) = match kind {
        TokenKind::Rfid if form::is_uid(&number) => {
            ("RFIDMifareFamilyIdentification", Some(Record::default().with("UID", number.as_str())))
        }
        TokenKind::Emaid => ("PlugAndChargeIdentification", evco()),
        TokenKind::Rfid | TokenKind::AppUser | TokenKind::AdHocUser | TokenKind::DirectPayment | TokenKind::Other => {
            ("RemoteIdentification", evco())
        }
    };
    let means = means
        .ok_or_else(|| Fault::new("/Identification", "has neither a uid nor a contract id that OICP can carry"))?;
    Ok(Record::default().with(name, means))
}

/// Only a contract may start from afar (OICP 2.3, IdentificationType, rule 2).
pub(crate) fn write_remote(token: &IssuedToken) -> Result<Record, Fault> {
    let contract = token.contract.reveal(Purpose::Transmit);
    let id = form::evco_id(contract).ok_or_else(|| Fault::new("/Identification", form::EVCO_ID.why))?;
    Ok(Record::default().with("RemoteIdentification", Record::default().with("EvcoID", id)))
}

/// A provider's list. `delete` makes tokens invalid.
pub(crate) fn read_list(body: &Record, now: Timestamp, lost: &mut Lost) -> Result<Vec<Question>, Fault> {
    let list = body.record("ProviderAuthenticationData").ok_or_else(|| missing("ProviderAuthenticationData"))?;
    let party: PartyId = list.word("ProviderID")?;
    let valid = body.text("ActionType") != Some("delete");
    let mut questions = Vec::new();
    for record in list.records("AuthenticationDataRecord") {
        match read(record).and_then(|identified| issued(identified, party, valid, now, lost)) {
            Ok(token) => questions.push(Question::PutToken(Box::new(token))),
            Err(fault) => lost.push(fault),
        }
    }
    Ok(questions)
}

fn issued(
    identified: Identified,
    party: PartyId,
    valid: bool,
    now: Timestamp,
    lost: &mut Lost,
) -> Result<IssuedToken, Fault> {
    if identified.pin {
        lost.push(Fault::new("/Identification/QRCodeIdentification", "has a PIN, which is not carried"));
    }
    let PresentedToken { uid, kind } = identified.token;
    let contract = Personal::new(contract_or_uid(identified.contract, &uid, lost)?);
    Ok(IssuedToken { party, uid, kind, contract, valid, last_updated: now })
}

pub(crate) fn write_list(token: &IssuedToken) -> Result<(Operation, Record), Fault> {
    let identification = write(&token.uid, token.kind, Some(&token.contract))?;
    let record = Record::default().with("Identification", identification);
    let list = Record::default()
        .with("ProviderID", form::provider_id(token.party))
        .with("AuthenticationDataRecord", vec![Doc::from(record)]);
    let action = if token.valid { "update" } else { "delete" };
    let body = Record::default().with("ActionType", action).with("ProviderAuthenticationData", list);
    Ok((Operation::PushAuthenticationData, body))
}

/// The answer of 2.0 to an operator that wants everybody's tokens: those of each provider together.
pub(crate) fn write_all(tokens: &[IssuedToken], lost: &mut Lost) -> Record {
    let mut lists: Vec<(PartyId, Vec<Doc>)> = Vec::new();
    for token in tokens {
        let record = match write(&token.uid, token.kind, Some(&token.contract)) {
            Ok(identification) => Doc::from(Record::default().with("Identification", identification)),
            Err(fault) => {
                lost.push(fault);
                continue;
            }
        };
        match lists.iter_mut().find(|(party, _)| *party == token.party) {
            Some((_, records)) => records.push(record),
            None => lists.push((token.party, vec![record])),
        }
    }
    let list = |(party, records)| {
        let id = form::provider_id(party);
        Doc::from(Record::default().with("ProviderID", id).with("AuthenticationDataRecord", records))
    };
    let lists = lists.into_iter().map(list).collect::<Vec<_>>();
    Record::default().with("AuthenticationData", Record::default().with("ProviderAuthenticationData", lists))
}
