//! The check itself: signatures first, then the rules that make records a session.
//!
//! The order matters to the reader of a refusal: a record that nobody can check is told as such before anything is
//! said against it, and a broken signature before a broken session. Rules are those that the official transparency
//! software and the standard's check component apply (OCMF 1.4.1, "Signing and Verification Process").
//!
//! Invariant: the signature is checked over the bytes as received; nothing is written again.

use charge::meter::SignedRecord;
use ocmf::{PaginationContext, Record, VerifyError};

use super::session;
use super::{Fault, KeySource, Obstacle, PublicKey, Remark, Verdict};

/// A session has begin, end and at most this many records in between: ten days of clock-aligned readings each quarter
/// of an hour.
const RECORDS_MAX: usize = 1_000;

/// Checks the records of one session, in their order.
///
/// Without a key the one that came with the records is used, and the verdict says so. Begin and end may stand in one
/// record or in two.
pub fn verify(records: &[SignedRecord], key: Option<(&PublicKey, KeySource)>) -> Verdict {
    match check(records, key) {
        Ok(verdict) => verdict,
        Err(Refusal::Fault(fault)) => Verdict::NotValid(fault),
        Err(Refusal::Obstacle(obstacle)) => Verdict::CannotBeChecked(obstacle),
    }
}

/// Why there is no [`super::Verified`].
pub(super) enum Refusal {
    Fault(Fault),
    Obstacle(Obstacle),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Obstacle> for Refusal {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

fn check(records: &[SignedRecord], given: Option<(&PublicKey, KeySource)>) -> Result<Verdict, Refusal> {
    if records.is_empty() {
        return Err(Obstacle::NoRecord.into());
    }
    if records.len() > RECORDS_MAX {
        return Err(Obstacle::TooManyRecords.into());
    }
    let parsed = records.iter().enumerate().map(|(i, record)| parse(i, record)).collect::<Result<Vec<_>, _>>()?;
    let beside = keys_beside(records, &parsed);
    let (key, source) = match (given, beside.first()) {
        (Some((key, source)), _) => (key.clone(), source),
        (None, Some(Ok(key))) => (key.clone(), KeySource::InFile),
        (None, Some(Err(()))) => return Err(Obstacle::UnusableKey.into()),
        (None, None) => return Err(Obstacle::NoKey.into()),
    };
    let mut algorithm = "";
    for (index, record) in parsed.iter().enumerate() {
        algorithm = signature(record, &key).map_err(|why| refused(index, record, why))?;
    }
    let all_the_same = beside.iter().all(|beside| beside.as_ref() == Ok(&key));
    let mut remarks = Vec::new();
    if source == KeySource::InFile {
        // whoever put a second key into the file has vouched for the first no more than for the second
        if beside.contains(&Err(())) {
            return Err(Obstacle::UnusableKey.into());
        }
        if !all_the_same {
            return Err(Fault::SeveralKeys.into());
        }
        remarks.push(Remark::KeyCameWithFile);
    } else if !all_the_same {
        remarks.push(Remark::KeyInFileDiffers);
    }
    let verified = session::judge(&parsed, session::Proof { key, source, algorithm }, &mut remarks)?;
    Ok(if remarks.is_empty() { Verdict::Valid(verified) } else { Verdict::ValidWithRemarks(verified, remarks) })
}

fn parse(index: usize, record: &SignedRecord) -> Result<Record<'_>, Refusal> {
    let text = std::str::from_utf8(&record.bytes).ok();
    let is_ocmf = record.format.eq_ignore_ascii_case("OCMF")
        || (record.format.is_empty() && text.is_some_and(|text| text.trim_start().starts_with("OCMF|")));
    if !is_ocmf {
        return Err(Obstacle::UnknownFormat(shortened(&record.format)).into());
    }
    let text = text.ok_or(Fault::Unreadable { record: index + 1 })?;
    Ok(Record::parse(text.trim()).map_err(|_| Fault::Unreadable { record: index + 1 })?)
}

/// The keys that came with the records, in their order; an error where it is no key. What lies beside a record goes
/// before what stands in it.
fn keys_beside(records: &[SignedRecord], parsed: &[Record<'_>]) -> Vec<Result<PublicKey, ()>> {
    let sent: Vec<&str> = records.iter().filter_map(|record| record.public_key.as_deref()).collect();
    let texts = if sent.is_empty() { parsed.iter().filter_map(Record::embedded_public_key).collect() } else { sent };
    texts.into_iter().map(|text| PublicKey::read(text).map_err(|_| ())).collect()
}

/// Did this key sign this record? Says with which algorithm.
pub(super) fn signature(record: &Record<'_>, key: &PublicKey) -> Result<&'static str, VerifyError> {
    ::ocmf::verify(record, key.inner()).map(|verified| verified.algorithm().as_str())
}

fn refused(index: usize, record: &Record<'_>, why: VerifyError) -> Refusal {
    let algorithm = || shortened(record.signature().algorithm().map_or("", |algorithm| algorithm.as_str()));
    match why {
        VerifyError::Unsupported { algorithm, .. } => Obstacle::UnsupportedCurve(algorithm.to_owned()).into(),
        VerifyError::UnknownAlgorithm { algorithm } => Obstacle::UnsupportedCurve(algorithm).into(),
        VerifyError::AlgorithmKeyMismatch { key_curve, .. } => {
            Obstacle::KeyOfOtherKind { key: key_curve, record: algorithm() }.into()
        }
        VerifyError::KeyNotOnCurve { .. } | VerifyError::Key(_) => Obstacle::UnusableKey.into(),
        // not verified, not decodable, of the wrong length or out of range: no signature of this record
        _ => Fault::Signature { record: index + 1 }.into(),
    }
}

/// Whatever a file says about itself is foreign text: bounded and without control characters.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 32;
    let shown: String = text.chars().filter(|c| !c.is_control()).take(CHARACTERS_MAX).collect();
    if shown.is_empty() { "(none)".to_owned() } else { shown }
}

/// The page as it is written: `T12`.
pub(super) fn page(record: &Record<'_>) -> Option<String> {
    record.payload().pagination().map(|page| match page.context() {
        PaginationContext::Transaction => format!("T{}", page.number()),
        PaginationContext::Fiscal => format!("F{}", page.number()),
        PaginationContext::Other(letter) => format!("{letter}{}", page.number()),
        _ => format!("?{}", page.number()),
    })
}

#[cfg(test)]
mod tests;
