//! Bodies on the wire: read into documents of 2.3 and written from them, for both versions and both halves.
//!
//! This is the one place where bytes become documents. Deliberately no meaning and no socket. An answer may be the
//! operation's own or an acknowledgement in its place, which is how OICP says no ([`Reply`]). Invariant: what is written
//! obeys its version's shape; a body of 2.0 is read within [`LIMITS`].

use charge::talk::road::RoadFault;
use soap::{Element, Envelope, Limits};

use crate::cross::{Half, lift, lower, recast_acknowledgement};
use crate::doc::{Crossed, DEPTH_MAX, Doc, Fault, Lost, Record};
use crate::operation::{Operation, Row, Version};
use crate::shape::{Shape, read, strict};
use crate::xml;

/// A request as a document of 2.3 (of 2.0 where 2.3 has no such operation).
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub operation: Operation,
    pub body: Record,
}

/// The answer to a request, as a document of 2.3.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Proper(Record),
    /// An acknowledgement where the operation has an answer of its own: a refusal.
    Refusal(Record),
}

/// What one SOAP message may cost: a full load of EVSE data has some forty elements per EVSE.
pub const LIMITS: Limits = Limits {
    bytes_max: 16 * 1024 * 1024,
    depth_max: 24,
    elements_max: 400_000,
    attributes_max: 32,
    space_bytes_max: 256,
};

/// Reads a request of 2.3 whose path named the operation. A notification's kind is in its body.
pub fn read_json_request(operation: Operation, bytes: &[u8]) -> Result<Crossed<Request>, Fault> {
    let doc = crate::doc::read(bytes)?;
    let operation = match operation {
        Operation::NotificationStart => {
            let kind = doc.as_record().and_then(|record| record.text("Type")).unwrap_or_default();
            notification(kind).ok_or_else(|| Fault::new("/Type", "is none of the words allowed here"))?
        }
        other => other,
    };
    let body = read(row(Version::V23, operation)?.request, doc)?;
    Ok(Crossed { value: Request { operation, body: body.value }, lost: body.lost })
}

fn notification(kind: &str) -> Option<Operation> {
    const KINDS: [(&str, Operation); 4] = [
        ("Start", Operation::NotificationStart),
        ("Progress", Operation::NotificationProgress),
        ("End", Operation::NotificationEnd),
        ("Error", Operation::NotificationError),
    ];
    KINDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(kind)).map(|(_, operation)| *operation)
}

/// Reads a request of 2.0: the body's element names the operation, whatever the SOAP action says.
pub fn read_soap_request(bytes: &[u8]) -> Result<Crossed<Request>, Fault> {
    let envelope = Envelope::read(bytes, &LIMITS).map_err(|fault| Fault::new("", fault.to_string()))?;
    let body = envelope.body.ok_or_else(|| Fault::new("", "has an empty body"))?;
    let row = Version::V20.rows().iter().find(|row| body.name.is(row.request.space, row.request.name));
    let row = row.ok_or_else(|| Fault::new("", "is no operation of OICP 2.0"))?;
    let mut read = read(row.request, Doc::Record(xml::read(row.request, &body)))?;
    let body = lift(row.operation, Half::Request, read.value, &mut read.lost);
    Ok(Crossed { value: Request { operation: row.operation, body }, lost: read.lost })
}

/// A document of a partner's with another session in it; every other member stays as it was written, known or not.
pub fn with_session(version: Version, bytes: &[u8], session: &str) -> Result<String, Fault> {
    match version {
        Version::V23 => with_member(bytes, SESSION, session),
        Version::V20 => {
            let bad = |fault: soap::Malformed| Fault::new("", fault.to_string());
            let mut envelope = Envelope::read(bytes, &LIMITS).map_err(bad)?;
            let body = envelope.body.as_mut().ok_or_else(|| Fault::new("", "has an empty body"))?;
            let space = body.name.space.to_string();
            body.children.retain(|child| &*child.name.local != SESSION);
            // an acknowledgement ends with its session, everything else begins with it
            let acknowledges = &*body.name.local == Version::V20.acknowledgement().name;
            let at = if acknowledges { body.children.len().min(2) } else { 0 };
            body.children.insert(at, Element::with_text(&space, SESSION, session));
            Ok(envelope.write(&[]))
        }
    }
}

/// A JSON document of a partner's with a text in it; every other member stays as it was written, known or not.
pub fn with_member(bytes: &[u8], name: &'static str, value: &str) -> Result<String, Fault> {
    let mut doc = Doc::read(bytes, DEPTH_MAX)?;
    doc.as_record_mut().ok_or_else(|| Fault::new("", "is not a JSON object"))?.set(name, value);
    Ok(doc.to_string())
}

/// A JSON document of a partner's without a member; every other one stays as it was written.
pub fn without_member(bytes: &[u8], name: &str) -> Result<String, Fault> {
    let mut doc = Doc::read(bytes, DEPTH_MAX)?;
    doc.as_record_mut().ok_or_else(|| Fault::new("", "is not a JSON object"))?.take(name);
    Ok(doc.to_string())
}

const SESSION: &str = "SessionID";

/// Writes a request in a version.
pub fn write_request(version: Version, request: &Request) -> Result<Crossed<String>, Fault> {
    let row = row(version, request.operation)?;
    write(version, row.operation, Half::Request, row.request, request.body.clone())
}

/// Writes the answer to an operation in a version.
pub fn write_answer(version: Version, operation: Operation, reply: &Reply) -> Result<Crossed<String>, Fault> {
    let row = row(version, operation)?;
    match reply {
        Reply::Proper(body) => write(version, operation, Half::Answer, row.answer, body.clone()),
        Reply::Refusal(body) => {
            let mut lost = Lost::new();
            let body = strict(version.acknowledgement(), recast_acknowledgement(version, body.clone(), &mut lost))?;
            Ok(Crossed { value: worded(version, version.acknowledgement(), body), lost })
        }
    }
}

fn write(
    version: Version,
    operation: Operation,
    half: Half,
    shape: &'static Shape,
    body: Record,
) -> Result<Crossed<String>, Fault> {
    let mut lost = Lost::new();
    let body = match version {
        Version::V23 => body,
        Version::V20 => lower(operation, half, body, &mut lost)?,
    };
    Ok(Crossed { value: worded(version, shape, strict(shape, body)?), lost })
}

fn worded(version: Version, shape: &'static Shape, body: Record) -> String {
    match version {
        Version::V23 => Doc::Record(body).to_string(),
        Version::V20 => {
            let element = xml::write(shape, shape.space, shape.name, &body);
            Envelope::new(soap::Version::V11, Vec::new(), element).write(&[])
        }
    }
}

/// Reads the answer to an operation.
pub fn read_answer(version: Version, operation: Operation, bytes: &[u8]) -> Result<Crossed<Reply>, RoadFault> {
    let unreadable = |fault: Fault| RoadFault::Unreadable(fault.to_string().into());
    let row = row(version, operation).map_err(unreadable)?;
    match version {
        Version::V23 => read_json_answer(row, bytes).map_err(unreadable),
        Version::V20 => {
            let envelope =
                Envelope::read(bytes, &LIMITS).map_err(|fault| unreadable(Fault::new("", fault.to_string())))?;
            if soap::Fault::of(&envelope).is_some() {
                return Err(unreadable(Fault::new("", "is a SOAP fault")));
            }
            read_soap_answer(row, &envelope).map_err(unreadable)
        }
    }
}

fn read_json_answer(row: &Row, bytes: &[u8]) -> Result<Crossed<Reply>, Fault> {
    let doc = crate::doc::read(bytes)?;
    let acknowledges = doc.as_record().is_some_and(|record| record.get("Result").is_some());
    let shape = Version::V23.acknowledgement();
    if acknowledges && row.answer.name != shape.name {
        let read = read(shape, doc)?;
        return Ok(Crossed { value: Reply::Refusal(read.value), lost: read.lost });
    }
    let read = read(row.answer, doc)?;
    Ok(Crossed { value: Reply::Proper(read.value), lost: read.lost })
}

fn read_soap_answer(row: &Row, envelope: &Envelope) -> Result<Crossed<Reply>, Fault> {
    let body = envelope.body.as_ref().ok_or_else(|| Fault::new("", "has an empty body"))?;
    let acknowledgement = Version::V20.acknowledgement();
    if body.name.is(row.answer.space, row.answer.name) {
        let mut read = read(row.answer, Doc::Record(xml::read(row.answer, body)))?;
        let body = lift(row.operation, Half::Answer, read.value, &mut read.lost);
        return Ok(Crossed { value: Reply::Proper(body), lost: read.lost });
    }
    if body.name.is(acknowledgement.space, acknowledgement.name) {
        let mut read = read(acknowledgement, Doc::Record(xml::read(acknowledgement, body)))?;
        let body = recast_acknowledgement(Version::V23, read.value, &mut read.lost);
        return Ok(Crossed { value: Reply::Refusal(body), lost: read.lost });
    }
    Err(Fault::new("", "is not the answer to this operation"))
}

fn row(version: Version, operation: Operation) -> Result<&'static Row, Fault> {
    version.row(operation).ok_or_else(|| Fault::new("", "is no operation of this version"))
}
