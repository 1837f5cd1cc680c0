//! Messages on the wire: SOAP 1.1, with a name and password towards a clearing house.
//!
//! Direct servers take their credentials from HTTP (OCHPdirect, "Security of the OCHPdirect interface"), so nothing of
//! them is here. Invariant: a fault that is written repeats nothing of the message that caused it.

use charge::Secret;
use soap::{Blame, Envelope, Limits, Malformed, UsernameToken, Version};

use crate::NAMESPACE;
use crate::message::{Heard, Operation, Request, Response, Unread};
use crate::read::Fault;

/// The media type of SOAP 1.1.
pub const MEDIA_TYPE: &str = "text/xml; charset=utf-8";

/// What one message may cost. A list of five thousand tokens has thirty thousand elements and two megabytes, one of two
/// thousand EVSEs a hundred thousand and six; a CDR is nested seven deep, a tariff eight, the envelope adds two.
pub const LIMITS: Limits = Limits {
    bytes_max: 8 * 1024 * 1024,
    depth_max: 16,
    elements_max: 200_000,
    attributes_max: 48,
    space_bytes_max: 256,
};

/// A request as it came.
#[derive(Debug)]
pub struct Call {
    /// Who the sender says it is, with its password. Direct partners send none.
    pub credentials: Option<UsernameToken>,
    pub heard: Heard<Request>,
}

/// Why a message is not a request that can be served: always the sender's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{0}")]
    Soap(#[from] Malformed),
    #[error("SOAP 1.1 is spoken here")]
    Version,
    #[error("a header must be understood and is not")]
    MustUnderstand,
    #[error("{0}")]
    Body(#[from] Unread),
}

/// The credentials of a message, before anything of its body is looked at.
#[derive(Debug)]
pub struct Opened {
    pub credentials: Option<UsernameToken>,
    envelope: Envelope,
}

/// First stage of reading: the envelope and who speaks.
pub fn open(bytes: &[u8], limits: &Limits) -> Result<Opened, Refused> {
    let envelope = Envelope::read(bytes, limits)?;
    if envelope.version != Version::V11 {
        return Err(Refused::Version);
    }
    if envelope.not_understood(|name| *name.space == *soap::username::NAMESPACE).is_some() {
        return Err(Refused::MustUnderstand);
    }
    let credentials = UsernameToken::read(&envelope)?;
    Ok(Opened { credentials, envelope })
}

impl Opened {
    /// What is asked, as far as its name says.
    pub fn operation(&self) -> Option<Operation> {
        let name = &self.envelope.body.as_ref()?.name.local;
        Operation::ALL.iter().copied().find(|operation| operation.request_name().eq_ignore_ascii_case(name))
    }

    /// Second stage: the body.
    pub fn request(&self) -> Result<Heard<Request>, Refused> {
        let body = self.envelope.body.as_ref().ok_or(Unread::NoOperation)?;
        Ok(Request::read(body)?)
    }
}

/// A request as it goes out.
pub fn write_request(request: &Request, credentials: Option<&UsernameToken>) -> Result<String, Fault> {
    let headers = credentials.map(UsernameToken::write).into_iter().collect();
    Ok(Envelope::new(Version::V11, headers, request.write()?).write(&[("o", NAMESPACE)]))
}

pub fn write_response(response: &Response) -> Result<String, Fault> {
    Ok(Envelope::new(Version::V11, Vec::new(), response.write()?).write(&[("o", NAMESPACE)]))
}

/// What came back instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The other side refused as SOAP does; the text is its own.
    #[error("the other side refused: {0}")]
    Fault(Box<str>),
    #[error("{0}")]
    Soap(#[from] Malformed),
    #[error("{0}")]
    Body(Fault),
}

pub fn read_response(operation: Operation, bytes: &[u8], limits: &Limits) -> Result<Heard<Response>, NoAnswer> {
    let envelope = Envelope::read(bytes, limits)?;
    if let Some(fault) = soap::Fault::of(&envelope) {
        return Err(NoAnswer::Fault(fault.reason.chars().take(FAULT_CHARACTERS_MAX).collect::<String>().into()));
    }
    let body = envelope.body.as_ref().ok_or(Malformed::Body)?;
    Response::read(operation, body).map_err(NoAnswer::Body)
}

/// Of a stranger's explanation, what is kept.
const FAULT_CHARACTERS_MAX: usize = 200;

/// A SOAP fault with its HTTP status.
pub fn write_fault(blame: Blame, why: &str) -> (u16, String) {
    let fault = soap::Fault::new(blame, None, why);
    (fault.http_status(Version::V11), fault.write(Version::V11, Vec::new()))
}

/// A name and its password, as they stand in the header.
pub fn credentials(name: &str, password: &str) -> UsernameToken {
    UsernameToken { username: name.to_owned(), password: Secret::new(password.to_owned()) }
}
