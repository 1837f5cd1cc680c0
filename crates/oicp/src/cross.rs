//! The border between OICP 2.0 and 2.3, as documents: what 2.0 says is lifted to 2.3 before a bridge reads it, and lowered
//! from 2.3 after a bridge wrote it.
//!
//! Most members differ in letter case and in wrapping only, which one function does for every message by the shapes of
//! both sides; what differs in meaning stands below it. What the other version cannot say is left out and told. The
//! operations that only 2.0 has stay as they are.

use std::borrow::Cow;

use crate::doc::{Doc, Fault, Lost, Record};
use crate::operation::{Caller, Operation, Row, Version};
use crate::shape::{Kind, Shape};
use crate::{facility, form};

/// Which half of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Request,
    Answer,
}

impl Half {
    pub const fn shape(self, row: &Row) -> &'static Shape {
        match self {
            Self::Request => row.request,
            Self::Answer => row.answer,
        }
    }
}

/// The document as one of 2.3; its own shape has read it already.
pub fn lift(operation: Operation, half: Half, mut doc: Record, lost: &mut Lost) -> Record {
    let Some(row) = Version::V23.row(operation) else { return doc };
    match (operation, half) {
        (Operation::PullEvseData, Half::Answer) => return lift_evses(doc, lost),
        (Operation::GetChargeDetailRecords, Half::Answer) => {
            let records = items(doc.take("eRoamingChargeDetailRecord"));
            let records =
                records.into_iter().map(|record| lift(Operation::ChargeDetailRecord, Half::Request, record, lost));
            return paged(records.map(Doc::from).collect());
        }
        (Operation::PushEvseData, Half::Request) => each_record(&mut doc, lost, lift_evse),
        (_, _) => {}
    }
    doc.rename("PartnerSessionID", partner_session(row.caller, half));
    recast(half.shape(row), doc, "", lost)
}

/// The document as one of 2.0.
pub fn lower(operation: Operation, half: Half, mut doc: Record, lost: &mut Lost) -> Result<Record, Fault> {
    let row = Version::V20.row(operation).ok_or_else(|| Fault::new("", "is no operation of OICP 2.0"))?;
    if Version::V23.row(operation).is_none() {
        return Ok(doc);
    }
    match (operation, half) {
        (Operation::PullEvseData, Half::Answer) => return Ok(lower_evses(doc, lost)),
        (Operation::GetChargeDetailRecords, Half::Answer) => {
            let mut records = Vec::new();
            for record in items(doc.take("content")) {
                records.push(Doc::from(lower(Operation::ChargeDetailRecord, Half::Request, record, lost)?));
            }
            return Ok(Record::default().with("eRoamingChargeDetailRecord", records));
        }
        (Operation::PushEvseData, Half::Request) => each_record(&mut doc, lost, lower_evse),
        (_, _) => {}
    }
    doc.rename(partner_session(row.caller, half), "PartnerSessionID");
    let mut doc = Doc::Record(doc);
    plain_check_characters(&mut doc, "", lost);
    let Doc::Record(doc) = doc else { return Err(Fault::new("", "is not an object")) };
    Ok(recast(half.shape(row), doc, "", lost))
}

/// An identification under the names of 2.3, for operations that only 2.0 has.
pub(crate) fn identification(doc: Record, lost: &mut Lost) -> Record {
    recast(&crate::v23::IDENTIFICATION, doc, "", lost)
}

/// An acknowledgement in place of the proper answer.
pub fn recast_acknowledgement(to: Version, doc: Record, lost: &mut Lost) -> Record {
    recast(to.acknowledgement(), doc, "", lost)
}

/// 2.0 has one name for what 2.3 has two: whoever speaks means its own.
const fn partner_session(caller: Caller, half: Half) -> &'static str {
    match (caller, half) {
        (Caller::Operator, Half::Request) | (Caller::Provider, Half::Answer) => "CPOPartnerSessionID",
        (Caller::Provider, Half::Request) | (Caller::Operator, Half::Answer) => "EMPPartnerSessionID",
    }
}

/// Members under the names and in the wrapping that a shape wants.
fn recast(to: &'static Shape, mut from: Record, path: &str, lost: &mut Lost) -> Record {
    let mut out = Record::default();
    for member in to.members {
        let place = format!("{path}/{}", member.name);
        let Some(at) = from.0.iter().position(|(name, _)| same(name, member.name)) else { continue };
        let value = from.0.remove(at).1;
        match recast_kind(&member.kind, value, &place, lost) {
            Ok(value) => out.0.push((Cow::Borrowed(member.name), value)),
            Err(fault) => lost.push(fault),
        }
    }
    lost.extend(
        from.0.iter().map(|(name, _)| Fault::new(format!("{path}/{name}"), "has no member in the other version")),
    );
    out
}

fn recast_kind(to: &'static Kind, value: Doc, path: &str, lost: &mut Lost) -> Result<Doc, Fault> {
    Ok(match (to, value) {
        (Kind::Record(shape), Doc::Record(record)) => Doc::Record(recast(shape, record, path, lost)),
        // `Plugs: [..]` is `Plugs: {Plug: [..]}` in 2.0
        (Kind::Record(shape), Doc::List(items)) => match shape.members {
            [member] => {
                let inner = recast_kind(&member.kind, Doc::List(items), path, lost)?;
                Doc::Record(Record(vec![(Cow::Borrowed(member.name), inner)]))
            }
            _several => return Err(Fault::new(path, "has another structure in the other version")),
        },
        (Kind::List(..), Doc::Record(mut record)) if record.0.len() <= 1 => match record.0.pop() {
            Some((_, list @ Doc::List(_))) => recast_kind(to, list, path, lost)?,
            Some(one) => recast_kind(to, Doc::List(vec![Doc::Record(Record(vec![one]))]), path, lost)?,
            None => Doc::List(Vec::new()),
        },
        (Kind::List(kind, _), Doc::List(items)) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                let place = format!("{path}/{index}");
                recast_kind(kind, item, &place, lost).map_or_else(|fault| lost.push(fault), |item| list.push(item));
            }
            Doc::List(list)
        }
        (Kind::Form(form), Doc::Text(text)) if !(form.fits)(&text) => return Err(Fault::new(path, form.why)),
        (Kind::Word(words), Doc::Text(text)) if !words.contains(&text.as_str()) => {
            return Err(Fault::new(path, "is a word that the other version does not have"));
        }
        (Kind::Text(most), Doc::Text(text)) if text.chars().count() > *most => {
            lost.push(Fault::new(path, "is cut to the length of the other version"));
            Doc::Text(text.chars().take(*most).collect())
        }
        (_, value) => value,
    })
}

fn same(from: &str, to: &str) -> bool {
    let from = from.strip_prefix('@').unwrap_or(from);
    let to = to.strip_prefix('@').unwrap_or(to);
    from.eq_ignore_ascii_case(to) || RENAMED.contains(&(from, to)) || RENAMED.contains(&(to, from))
}

const RENAMED: [(&str, &str); 2] = [("MeterValue", "meterValues"), ("HotlinePhoneNum", "HotlinePhoneNumber")];

fn items(list: Option<Doc>) -> Vec<Record> {
    let Some(Doc::List(items)) = list else { return Vec::new() };
    let record = |item| match item {
        Doc::Record(record) => Some(record),
        Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) | Doc::List(_) => None,
    };
    items.into_iter().filter_map(record).collect()
}

/// One page that is the whole, as 2.0 answers.
fn paged(content: Vec<Doc>) -> Record {
    let count = u32::try_from(content.len()).unwrap_or(u32::MAX);
    Record::default()
        .with("content", content)
        .with("number", 0u32)
        .with("size", count)
        .with("totalElements", count)
        .with("last", true)
        .with("totalPages", 1u32)
        .with("first", true)
        .with("numberOfElements", count)
        .with("StatusCode", Record::default().with("Code", "000"))
}

fn each_record(doc: &mut Record, lost: &mut Lost, change: fn(Record, &mut Lost) -> Record) {
    let Some(Doc::Record(mut operator)) = doc.take("OperatorEvseData") else { return };
    let records = items(operator.take("EvseDataRecord")).into_iter().map(|record| change(record, lost));
    let records = records.map(Doc::from).collect::<Vec<_>>();
    operator.set("EvseDataRecord", records);
    doc.set("OperatorEvseData", operator);
}

fn lift_evses(mut doc: Record, lost: &mut Lost) -> Record {
    let Some(Doc::Record(mut data)) = doc.take("EvseData") else { return paged(Vec::new()) };
    let mut content = Vec::new();
    for mut operator in items(data.take("OperatorEvseData")) {
        let id = operator.take("OperatorID");
        let name = operator.take("OperatorName").or_else(|| id.clone());
        for record in items(operator.take("EvseDataRecord")) {
            let mut lifted = recast(&crate::v23::PULL_EVSE_DATA_RECORD, lift_evse(record, lost), "/EvseData", lost);
            lifted = lifted.maybe("OperatorID", id.clone()).maybe("OperatorName", name.clone());
            content.push(Doc::from(lifted));
        }
    }
    paged(content)
}

/// Consecutive records of one operator come together.
fn lower_evses(mut doc: Record, lost: &mut Lost) -> Record {
    let mut operators: Vec<(Doc, Option<Doc>, Vec<Doc>)> = Vec::new();
    for mut record in items(doc.take("content")) {
        let Some(id) = record.take("OperatorID") else { continue };
        let name = record.take("OperatorName");
        let lowered = recast(&crate::v20::EVSE_DATA_RECORD, lower_evse(record, lost), "/content", lost);
        match operators.last_mut().filter(|(last, ..)| *last == id) {
            Some((.., records)) => records.push(Doc::from(lowered)),
            None => operators.push((id, name, vec![Doc::from(lowered)])),
        }
    }
    let operator = |(id, name, records)| {
        Doc::from(Record::default().with("OperatorID", id).maybe("OperatorName", name).with("EvseDataRecord", records))
    };
    let operators = operators.into_iter().map(operator).collect::<Vec<_>>();
    Record::default()
        .with("EvseData", Record::default().with("OperatorEvseData", operators))
        .maybe("StatusCode", doc.take("StatusCode"))
}

/// One EVSE under the names of 2.0.
pub(crate) fn lower_one(record: Record, lost: &mut Lost) -> Record {
    recast(&crate::v20::EVSE_DATA_RECORD, lower_evse(record, lost), "", lost)
}

/// ISO 639-2: a language that is not said.
const UNDETERMINED: &str = "und";

fn lift_evse(mut record: Record, lost: &mut Lost) -> Record {
    let info = |lang: &str, value: Doc| Doc::from(Record::default().with("lang", lang).with("value", value));
    let mut names: Vec<Doc> =
        record.take("ChargingStationName").map(|name| info(UNDETERMINED, name)).into_iter().collect();
    names.extend(record.take("EnChargingStationName").map(|name| info("en", name)));
    let mut remarks: Vec<Doc> =
        record.take("AdditionalInfo").map(|text| info(UNDETERMINED, text)).into_iter().collect();
    if let Some(Doc::Text(text)) = record.take("EnAdditionalInfo") {
        // `ENG:in the yard|||FRA:dans la cour|||`
        let parts = text.split("|||").filter_map(|part| part.split_once(':'));
        remarks.extend(parts.map(|(lang, value)| info(&lang.trim().to_ascii_lowercase(), value.into())));
    }
    let modes = record.take("ChargingModes");
    if let Some(Doc::Record(mut list)) = record.take("ChargingFacilities")
        && let Some(Doc::List(words)) = list.take("ChargingFacility")
    {
        let facilities = words.iter().filter_map(|word| facility::of_word(word, modes.as_ref()));
        record.set("ChargingFacilities", facilities.map(Doc::from).collect::<Vec<_>>());
    }
    // 2.0 knows countries of two letters as well, 2.3 does not
    if let Some(Doc::Record(mut address)) = record.take("Address") {
        if let Some(long) = address.text("Country").and_then(crate::country::alpha3) {
            address.set("Country", long);
        }
        record.set("Address", address);
    }
    if record.take("OpeningTime").is_some() {
        lost.push(Fault::new("/OpeningTime", "is free text and is not carried"));
    }
    if !names.is_empty() {
        record.set("ChargingStationNames", names);
    }
    if !remarks.is_empty() {
        record.set("AdditionalInfo", remarks);
    }
    record
}

fn lower_evse(mut record: Record, lost: &mut Lost) -> Record {
    let (local, english) = texts(record.take("ChargingStationNames"), lost, "/ChargingStationNames");
    let (info, english_info) = texts(record.take("AdditionalInfo"), lost, "/AdditionalInfo");
    let facilities = items(record.take("ChargingFacilities"));
    let words = facilities.iter().map(|record| Doc::from(facility::word_of(record))).collect::<Vec<_>>();
    let modes = facilities.into_iter().find_map(|mut record| record.take("ChargingModes"));
    let options = [
        ("ChargingStationName", local.map(Doc::from)),
        ("EnChargingStationName", english.map(Doc::from)),
        ("AdditionalInfo", info.map(Doc::from)),
        ("EnAdditionalInfo", english_info.map(|text| Doc::from(format!("ENG:{text}|||")))),
        ("ChargingFacilities", (!words.is_empty()).then_some(Doc::List(words))),
        ("ChargingModes", modes),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            record.set(name, value);
        }
    }
    record
}

/// The first text in a language other than English, and the first in English.
fn texts(list: Option<Doc>, lost: &mut Lost, path: &str) -> (Option<String>, Option<String>) {
    let (mut local, mut english) = (None, None);
    for text in items(list) {
        let slot = if text.text("lang").is_some_and(|lang| lang.starts_with("en")) { &mut english } else { &mut local };
        if slot.is_some() {
            lost.push(Fault::new(path, "is said in more languages than OICP 2.0 has"));
        } else {
            *slot = text.text("value").map(str::to_owned);
        }
    }
    (local, english)
}

/// OICP 2.0 allows digits and `X` as the last character of a contract id, which nobody compares: what does not fit
/// becomes an `X`.
fn plain_check_characters(doc: &mut Doc, path: &str, lost: &mut Lost) {
    match doc {
        Doc::Record(record) => {
            for (name, value) in &mut record.0 {
                let place = format!("{path}/{name}");
                match value {
                    Doc::Text(id) if name == "EvcoID" && !(form::EVCO_ID_20.fits)(id) => {
                        if id.pop().is_some() {
                            id.push('X');
                            lost.push(Fault::new(place, "has a check character that OICP 2.0 does not allow"));
                        }
                    }
                    other => plain_check_characters(other, &place, lost),
                }
            }
        }
        Doc::List(items) => items.iter_mut().for_each(|item| plain_check_characters(item, path, lost)),
        Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) => {}
    }
}
