//! Files with signed records, as drivers download them and bring them back.
//!
//! Reads raw OCMF text, the XML container of the SAFE transparency software and our own JSON evidence file; writes the
//! last two. It verifies nothing, and it opens no file: bytes come in and go out.
//!
//! Invariant: a record that is written and read back has the same bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use charge::meter::SignedRecord;
use ocmf::Record;
use ocmf::xml::Values;
use serde_json::{Value, json};

use super::PublicKey;

/// A session's evidence is a few kilobytes; a file of this size holds thousands.
pub const FILE_MAX: usize = 8 * 1_024 * 1_024;

/// Why a file cannot be read as evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    #[error("the file is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the file is not text")]
    NotText,
    #[error("the file holds no signed record that is known here")]
    NothingKnown,
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
}

/// The records of one session and the key that lay beside them, if it is usable.
pub type Bundle = (Vec<SignedRecord>, Option<PublicKey>);

/// Reads raw OCMF text, the SAFE XML container and our own JSON evidence file; one bundle per session.
pub fn read(bytes: &[u8]) -> Result<Vec<Bundle>, FileFault> {
    if bytes.len() > FILE_MAX {
        return Err(FileFault::TooLarge { limit: FILE_MAX });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| FileFault::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    let records = match text.as_bytes().first() {
        Some(b'<') => from_xml(text)?,
        Some(b'{') => from_evidence(text)?,
        Some(_) => from_lines(text),
        None => Vec::new(),
    };
    let bundles = sessions(records);
    if bundles.is_empty() { Err(FileFault::NothingKnown) } else { Ok(bundles) }
}

/// The container that the official transparency software reads. Records that are no text travel in base64.
pub fn safe_xml(records: &[SignedRecord], key: Option<&PublicKey>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<values>\n");
    for (record, place) in records.iter().zip(places(records)) {
        let (encoding, data) = match std::str::from_utf8(&record.bytes) {
            Ok(text) => ("plain", text.to_owned()),
            Err(_) => ("base64", STANDARD.encode(&record.bytes)),
        };
        let (format, data) = (escaped(&record.format), escaped(&data));
        xml.push_str(&format!("  <value{place}>\n"));
        xml.push_str(&format!("    <signedData format=\"{format}\" encoding=\"{encoding}\">{data}</signedData>\n"));
        let beside = || record.public_key.as_deref().and_then(|text| PublicKey::read(text).ok());
        if let Some(key) = key.cloned().or_else(beside) {
            xml.push_str(&format!("    <publicKey encoding=\"hex\">{}</publicKey>\n", key.spki_hex()));
        }
        xml.push_str("  </value>\n");
    }
    xml.push_str("</values>\n");
    xml
}

/// Our own evidence file: the records byte for byte with their formats, and the key.
pub fn evidence_json(records: &[SignedRecord], key: Option<&PublicKey>) -> String {
    let record = |record: &SignedRecord| {
        let mut entry = json!({ "format": &*record.format });
        match std::str::from_utf8(&record.bytes) {
            Ok(text) => entry["data"] = text.into(),
            Err(_) => entry["data_base64"] = STANDARD.encode(&record.bytes).into(),
        }
        if let Some(key) = &record.public_key {
            entry["public_key"] = (**key).into();
        }
        entry
    };
    let mut file = json!({ "evidence": EVIDENCE_VERSION });
    file["records"] = records.iter().map(record).collect();
    if let Some(key) = key {
        file["public_key"] = key.spki_hex().into();
    }
    format!("{file:#}\n")
}

/// Version of our evidence file.
const EVIDENCE_VERSION: u64 = 1;

fn from_lines(text: &str) -> Vec<SignedRecord> {
    // a record may be printed over several lines: each begins with the header
    let starts: Vec<usize> = text.match_indices("OCMF|").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).map(|record| ocmf(record, None)).collect()
}

fn from_xml(text: &str) -> Result<Vec<SignedRecord>, FileFault> {
    let values =
        Values::parse(&references_resolved(text)).map_err(|_| FileFault::Damaged("this is no SAFE container"))?;
    let entry = |entry: ocmf::xml::ValueEntry| {
        let key = entry.public_key.as_deref();
        if entry.is_ocmf() {
            return ocmf(&entry.signed_data, key);
        }
        let bytes = match entry.encoding.as_str() {
            "base64" => STANDARD.decode(&entry.signed_data).unwrap_or_else(|_| entry.signed_data.clone().into_bytes()),
            _ => entry.signed_data.clone().into_bytes(),
        };
        SignedRecord { format: entry.format.into(), bytes: bytes.into(), public_key: key.map(Into::into) }
    };
    Ok(values.entries.into_iter().map(entry).collect())
}

/// The same document with every character reference in its text as a CDATA section: the reader behind `Values` drops
/// references, and a record without its `&` looks forged.
fn references_resolved(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let closing = if rest.starts_with("<![CDATA[") {
            "]]>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with('<') {
            ">"
        } else {
            ";"
        };
        let length = rest.find(closing).map_or(rest.len(), |at| at + closing.len());
        let (piece, after) = rest.split_at(length);
        match referenced(piece) {
            Some(c) => out.push_str(&format!("<![CDATA[{c}]]>")),
            None => out.push_str(piece),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The character behind `&amp;` and its like (XML 1.0, 4.1 and 4.6).
fn referenced(piece: &str) -> Option<char> {
    let name = piece.strip_prefix('&')?.strip_suffix(';')?;
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = digits
                .strip_prefix(['x', 'X'])
                .map(|hex| u32::from_str_radix(hex, 16))
                .unwrap_or_else(|| digits.parse());
            code.ok().and_then(char::from_u32)
        }
    }
}

fn from_evidence(text: &str) -> Result<Vec<SignedRecord>, FileFault> {
    let file: Value = serde_json::from_str(text).map_err(|_| FileFault::Damaged("this is no JSON"))?;
    if file["evidence"].as_u64() != Some(EVIDENCE_VERSION) {
        return Err(FileFault::NothingKnown);
    }
    let common = file["public_key"].as_str();
    let record = |entry: &Value| {
        let bytes = match (entry["data"].as_str(), entry["data_base64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(text)) => STANDARD.decode(text).map_err(|_| FileFault::Damaged("a record is no base64"))?,
            (None, None) => return Err(FileFault::Damaged("a record has no data")),
        };
        Ok(SignedRecord {
            format: entry["format"].as_str().unwrap_or_default().into(),
            bytes: bytes.into(),
            public_key: entry["public_key"].as_str().or(common).map(Into::into),
        })
    };
    let entries = file["records"].as_array().ok_or(FileFault::Damaged("there is no list of records"))?;
    entries.iter().map(record).collect()
}

fn ocmf(text: &str, key: Option<&str>) -> SignedRecord {
    SignedRecord { format: "OCMF".into(), bytes: text.trim().as_bytes().into(), public_key: key.map(Into::into) }
}

/// What a record marks.
struct Marks {
    begin: bool,
    end: bool,
}

fn marks(record: &SignedRecord) -> Marks {
    let parsed = std::str::from_utf8(&record.bytes).ok().and_then(|text| Record::parse(text).ok());
    let payload = parsed.as_ref().map(Record::payload);
    Marks {
        begin: payload.is_some_and(ocmf::Payload::marks_transaction_begin),
        end: payload.is_some_and(ocmf::Payload::marks_transaction_end),
    }
}

/// A record that begins and ends is a session; one that begins opens one, and the next that ends closes it.
fn sessions(records: Vec<SignedRecord>) -> Vec<Bundle> {
    let mut bundles: Vec<Bundle> = Vec::new();
    let mut open = false;
    for record in records {
        let marks = marks(&record);
        let key = record.public_key.as_deref().and_then(|text| PublicKey::read(text).ok());
        match bundles.last_mut() {
            Some((session, known)) if open && !marks.begin => {
                session.push(record);
                if known.is_none() {
                    *known = key;
                }
            }
            _ => bundles.push((vec![record], key)),
        }
        open = if marks.begin { !marks.end } else { open && !marks.end };
    }
    bundles
}

/// The attributes by which the official software finds begin and end: none for a record that is both.
fn places(records: &[SignedRecord]) -> Vec<String> {
    let mut transaction = 0u32;
    let mut place = |record: &SignedRecord| {
        let marks = marks(record);
        transaction += u32::from(marks.begin && !marks.end);
        match (marks.begin, marks.end) {
            (true, true) => String::new(),
            (true, false) => format!(" transactionId=\"{transaction}\" context=\"Transaction.Begin\""),
            (false, true) => format!(" transactionId=\"{transaction}\" context=\"Transaction.End\""),
            (false, false) => format!(" transactionId=\"{transaction}\""),
        }
    };
    records.iter().map(&mut place).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
