//! Certificates in 1.6 (security whitepaper edition 3, 4.1 and 4.4), and which of them ride on `DataTransfer`.
//!
//! The whitepaper knows the station's own key and two roots; what cars need is in [`super::pnc`], in the same words.
//! Deliberately no look into a certificate. Invariant: an inventory is whole or not given; it may take several messages.

use charge::talk::line::certificate::{
    CertificateHash, CertificateNews, CertificateOrder, CertificateUse, InstalledCertificate, StationKey,
};
use charge::talk::line::{FromStation, Heard, LineFault, StationAnswer, ToStation};
use ocpp_kit::v1_6 as kit;

use super::{RULES, answered, pnc, status};
use crate::bridge::{Call, Said, Told, misfit, unfit, unplaced};
use crate::payload::{Notes, generous, strict, write};
use crate::rules::{Code, Fault};

pub(super) const SIGN: &str = "SignCertificate";
const SIGNED: &str = "CertificateSigned";
const INSTALL: &str = "InstallCertificate";
const DELETE: &str = "DeleteCertificate";
const LIST: &str = "GetInstalledCertificateIds";

/// The status word for a certificate that is not there.
const NOT_FOUND: &str = "NotFound";

/// A question about certificates that 1.6 needs several messages for: the step that was asked, the steps to come, and
/// what was found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errand {
    asked: Option<Step>,
    rest: Vec<Step>,
    found: Vec<InstalledCertificate>,
    done: usize,
}

#[derive(Clone, Debug)]
enum Step {
    /// One use of the whitepaper.
    Own(CertificateUse),
    /// These uses of Plug & Charge; none means all.
    Car(Vec<CertificateUse>),
    Delete(CertificateHash),
    /// The same, among the certificates for cars.
    DeleteCar(CertificateHash),
}

impl Errand {
    /// How many of its messages have been sent before this one.
    pub(crate) const fn done(&self) -> usize {
        self.done
    }

    fn of(mut steps: Vec<Step>) -> Self {
        steps.reverse();
        Self { asked: None, rest: steps, found: Vec::new(), done: 0 }
    }
}

pub(super) fn order(order: &CertificateOrder, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let (action, payload) = match order {
        CertificateOrder::Signed { key: StationKey::Line, chain, request } => {
            if request.is_some() {
                notes.remark("", "1.6 does not name the request that a certificate answers");
            }
            (SIGNED, write(&kit::CertificateSignedRequest::new(&**chain)))
        }
        CertificateOrder::Install { used_for, certificate } => match own(*used_for) {
            Some(used_for) => (INSTALL, write(&kit::InstallCertificateRequest::new(used_for, &**certificate))),
            None => return pnc::order(&ToStation::Certificate(order.clone()), notes),
        },
        CertificateOrder::Signed { key: StationKey::V2g | StationKey::V2g20, .. } => {
            return pnc::order(&ToStation::Certificate(order.clone()), notes);
        }
        CertificateOrder::Delete(hash) => {
            return begin(vec![Step::Delete(hash.clone()), Step::DeleteCar(hash.clone())], notes);
        }
        CertificateOrder::List(uses) => return begin(inventory(uses), notes),
    };
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Told::Action(action)))
}

/// The messages that an inventory takes: one for each use of the whitepaper, one for all of Plug & Charge.
fn inventory(uses: &[CertificateUse]) -> Vec<Step> {
    let wanted = |used_for: CertificateUse| uses.is_empty() || uses.contains(&used_for);
    let both = [CertificateUse::OperatorRoot, CertificateUse::ManufacturerRoot];
    let mut steps: Vec<Step> = both.into_iter().filter(|used_for| wanted(*used_for)).map(Step::Own).collect();
    let car: Vec<_> = uses.iter().copied().filter(|used_for| own(*used_for).is_none()).collect();
    if uses.is_empty() || !car.is_empty() {
        steps.push(Step::Car(car));
    }
    steps
}

const fn own(used_for: CertificateUse) -> Option<kit::CertificateUse> {
    match used_for {
        CertificateUse::OperatorRoot => Some(kit::CertificateUse::CentralSystemRootCertificate),
        CertificateUse::ManufacturerRoot => Some(kit::CertificateUse::ManufacturerRootCertificate),
        CertificateUse::V2gRoot | CertificateUse::MoRoot | CertificateUse::OemRoot | CertificateUse::V2gChain => None,
    }
}

/// All messages or none: a later one must not turn out to have no valid form.
fn begin(steps: Vec<Step>, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    for step in &steps {
        message(step, notes)?;
    }
    next(Errand::of(steps), notes).unwrap_or_else(|| Err(unplaced(notes, "nothing to ask for")))
}

/// The next message of an errand; `None` when all are done.
pub(super) fn next(mut errand: Errand, notes: &mut Notes) -> Option<Result<Call<Told>, LineFault>> {
    let step = errand.rest.pop()?;
    errand.done += usize::from(errand.asked.is_some());
    let call = message(&step, notes);
    errand.asked = Some(step);
    Some(call.map(|call| Call { expect: Told::Certificates(errand), ..call }))
}

fn message(step: &Step, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    match step {
        Step::Own(used_for) => match own(*used_for) {
            Some(used_for) => call(LIST, write(&kit::GetInstalledCertificateIdsRequest::new(used_for)), notes),
            None => Err(unplaced(notes, "a use that 1.6 does not have")),
        },
        Step::Delete(hash) => call(DELETE, write(&kit::DeleteCertificateRequest::new(hash_wire(hash))), notes),
        Step::Car(uses) => pnc::order(&ToStation::Certificate(CertificateOrder::List(uses.clone())), notes),
        Step::DeleteCar(hash) => pnc::order(&ToStation::Certificate(CertificateOrder::Delete(hash.clone())), notes),
    }
}

fn call(action: &'static str, payload: Result<String, Fault>, notes: &mut Notes) -> Result<Call<Told>, LineFault> {
    let payload = payload.map_err(|fault| unfit(notes, &fault))?;
    Ok(Call::new(action, payload, Told::Action(action)))
}

/// A step's answer, taken into the errand; what it comes to so far.
pub(super) fn step(errand: &mut Errand, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    match errand.asked.as_ref().ok_or_else(misfit)? {
        Step::Own(used_for) => {
            let used_for = *used_for;
            let answer: kit::GetInstalledCertificateIdsResponse = generous(RULES, LIST, payload, notes)?;
            let rows = answer.certificate_hash_data.unwrap_or_default();
            let row = |hash| InstalledCertificate { used_for, hash: hash_word(hash), children: Vec::new() };
            errand.found.extend(rows.into_iter().map(row));
        }
        Step::Car(_) => match pnc::outcome(pnc::LIST, payload, notes)? {
            StationAnswer::Certificates(rows) => errand.found.extend(rows),
            _ => notes.remark("", "no certificates for Plug & Charge"),
        },
        Step::Delete(_) => {
            let answer: kit::DeleteCertificateResponse = generous(RULES, DELETE, payload, notes)?;
            if answer.status != kit::DeleteCertificateStatus::NotFound {
                errand.rest.clear();
            }
            return Ok(answered(answer.status.as_str()));
        }
        Step::DeleteCar(_) => {
            return Ok(match pnc::outcome(pnc::DELETE, payload, notes)? {
                // a station without Plug & Charge: what its first answer said stands
                StationAnswer::Refused(word) if word.starts_with("Unknown") => StationAnswer::Refused(NOT_FOUND.into()),
                answer => answer,
            });
        }
    }
    Ok(StationAnswer::Certificates(errand.found.clone()))
}

pub(super) fn outcome(action: &str, payload: &str, notes: &mut Notes) -> Result<StationAnswer, Fault> {
    let word = match action {
        SIGNED => generous::<kit::CertificateSignedResponse>(RULES, action, payload, notes)?.status.to_string(),
        INSTALL => generous::<kit::InstallCertificateResponse>(RULES, action, payload, notes)?.status.to_string(),
        _ => return Err(misfit()),
    };
    Ok(answered(&word))
}

pub(super) fn told(action: &str, payload: &str) -> Result<(ToStation, Told), Fault> {
    let (order, told) = match action {
        SIGNED => {
            let order: kit::CertificateSignedRequest = strict(payload)?;
            let chain = order.certificate_chain.into();
            (CertificateOrder::Signed { key: StationKey::Line, chain, request: None }, SIGNED)
        }
        INSTALL => {
            let order: kit::InstallCertificateRequest = strict(payload)?;
            let used_for = use_word(&order.certificate_type)?;
            (CertificateOrder::Install { used_for, certificate: order.certificate.into() }, INSTALL)
        }
        DELETE => {
            let order: kit::DeleteCertificateRequest = strict(payload)?;
            (CertificateOrder::Delete(hash_word(order.certificate_hash_data)), DELETE)
        }
        LIST => {
            let order: kit::GetInstalledCertificateIdsRequest = strict(payload)?;
            (CertificateOrder::List(vec![use_word(&order.certificate_type)?]), LIST)
        }
        _ => return Err(misfit()),
    };
    Ok((ToStation::Certificate(order), Told::Action(told)))
}

fn use_word(used_for: &kit::CertificateUse) -> Result<CertificateUse, Fault> {
    match used_for {
        kit::CertificateUse::CentralSystemRootCertificate => Ok(CertificateUse::OperatorRoot),
        kit::CertificateUse::ManufacturerRootCertificate => Ok(CertificateUse::ManufacturerRoot),
        _ => Err(Fault::at(Code::Property, "/certificateType", "not in the list")),
    }
}

fn hash_wire(hash: &CertificateHash) -> kit::CertificateHashData {
    let algorithm = kit::HashAlgorithm::from_wire(&hash.algorithm);
    kit::CertificateHashData::new(algorithm, &*hash.issuer_name, &*hash.issuer_key, &*hash.serial)
}

fn hash_word(hash: kit::CertificateHashData) -> CertificateHash {
    CertificateHash {
        algorithm: hash.hash_algorithm.as_str().into(),
        issuer_name: hash.issuer_name_hash.into(),
        issuer_key: hash.issuer_key_hash.into(),
        serial: hash.serial_number.into(),
    }
}

pub(super) fn reply(action: &str, answer: &StationAnswer) -> Result<String, Fault> {
    match (action, answer) {
        (SIGNED, answer) => write(&kit::CertificateSignedResponse::new(kit::CertificateSignedStatus::from_wire(
            &status(answer, kit::CertificateSignedStatus::VARIANTS, "Rejected")?,
        ))),
        (INSTALL, answer) => write(&kit::InstallCertificateResponse::new(kit::InstallCertificateStatus::from_wire(
            &status(answer, kit::InstallCertificateStatus::VARIANTS, "Rejected")?,
        ))),
        (DELETE, answer) => write(&kit::DeleteCertificateResponse::new(kit::DeleteCertificateStatus::from_wire(
            &status(answer, kit::DeleteCertificateStatus::VARIANTS, "Failed")?,
        ))),
        (LIST, StationAnswer::Certificates(rows)) if !rows.is_empty() => {
            let mut answer = kit::GetInstalledCertificateIdsResponse::new(kit::GetInstalledCertificateStatus::Accepted);
            answer.certificate_hash_data = Some(rows.iter().map(|row| hash_wire(&row.hash)).collect());
            write(&answer)
        }
        (LIST, StationAnswer::Certificates(_)) => none_found(),
        (LIST, StationAnswer::Refused(_)) => status(answer, &[NOT_FOUND], NOT_FOUND).and_then(|_| none_found()),
        (_, _) => Err(misfit()),
    }
}

fn none_found() -> Result<String, Fault> {
    write(&kit::GetInstalledCertificateIdsResponse::new(kit::GetInstalledCertificateStatus::NotFound))
}

pub(super) fn hear(payload: &str, notes: &mut Notes) -> Result<(FromStation, Said), Fault> {
    let said: kit::SignCertificateRequest = generous(RULES, SIGN, payload, notes)?;
    let news = CertificateNews::Sign { key: StationKey::Line, request: None, csr: said.csr.into() };
    Ok((FromStation::Certificate(news), Said::Action(SIGN)))
}

pub(super) fn answer(taken: bool) -> Result<String, Fault> {
    let status = if taken { kit::GenericStatus::Accepted } else { kit::GenericStatus::Rejected };
    write(&kit::SignCertificateResponse::new(status))
}

pub(super) fn say(news: &CertificateNews, notes: &mut Notes) -> Result<Call<Said>, LineFault> {
    match news {
        CertificateNews::Sign { key: StationKey::Line, request, csr } => {
            if request.is_some() {
                notes.remark("", "1.6 does not number the requests for a certificate");
            }
            let payload = write(&kit::SignCertificateRequest::new(&**csr)).map_err(|fault| unfit(notes, &fault))?;
            Ok(Call::new(SIGN, payload, Said::Action(SIGN)))
        }
        CertificateNews::Sign { key: StationKey::V2g | StationKey::V2g20, .. }
        | CertificateNews::Contract { .. }
        | CertificateNews::Status { .. }
        | CertificateNews::ChainStatus(_) => pnc::say(&FromStation::Certificate(news.clone()), notes),
    }
}

pub(super) fn heard(payload: &str, notes: &mut Notes) -> Result<Heard, Fault> {
    let answer: kit::SignCertificateResponse = generous(RULES, SIGN, payload, notes)?;
    Ok(Heard::Taken(answer.status == kit::GenericStatus::Accepted))
}
