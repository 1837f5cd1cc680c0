//! Before the desk: who shows which certificate, what was asked in which version, and how an answer is put.
//!
//! The stages are path, certificate, size, form, and whether the ids of path and body are the caller's own. Deliberately
//! without decisions: what may be asked is the broker's. Invariant: nobody without a known certificate learns anything,
//! and a refusal says the same whether or not what it is about exists.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use charge::id::PartyId;
use charge::talk::road::Denial;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Limited};
use oicp::bridge::{answer, caller, hear};
use oicp::message::{self, Reply, Request};
use oicp::operation::{self, SOAP_BASE};
use oicp::status::Code;
use oicp::{Caller, Crossed, Fault, Lost, Operation, Record, Version};

/// A request of one party: taps, orders, sessions, a CDR with ten signed values.
const REQUEST_BYTES_MAX: usize = 512 * 1024;
/// A push of many records; see [`message::LIMITS`].
const PUSH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request that was read.
pub(crate) struct Received {
    pub(crate) version: Version,
    pub(crate) request: Request,
    pub(crate) caller: Caller,
    pub(crate) lost: Lost,
    pub(crate) bytes: Bytes,
    pub(crate) part: answer::Part,
}

/// Why there is no request. Answered at once.
pub(crate) struct Refused {
    version: Version,
    operation: Operation,
    code: Code,
    http: StatusCode,
}

/// Where a request wants to go.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) version: Version,
    operation: Option<Operation>,
    id: String,
    query: String,
}

/// The service that a path names.
pub(crate) fn goal(uri: &http::Uri) -> Option<Goal> {
    let query = uri.query().unwrap_or_default().to_owned();
    if let Some((operation, id)) = operation::found(uri.path()) {
        return Some(Goal { version: Version::V23, operation: Some(operation), id: id.to_owned(), query });
    }
    let service = uri.path().split_once(SOAP_BASE)?.1.trim_end_matches('/');
    let served = Version::V20.rows().iter().any(|row| row.path.0 == service);
    served.then(|| Goal { version: Version::V20, operation: None, id: service.to_owned(), query })
}

impl Goal {
    pub(crate) const fn refuse(&self, code: Code, http: StatusCode) -> Refused {
        let operation = match self.operation {
            Some(operation) => operation,
            None => Operation::RemoteStop,
        };
        Refused { version: self.version, operation, code, http }
    }

    /// Reads the body.
    pub(crate) async fn read(&self, body: Body) -> Result<Received, Refused> {
        let pushes = [
            Operation::PushEvseData,
            Operation::PushEvseStatus,
            Operation::PushAuthenticationData,
            Operation::PushEvsePricing,
        ];
        let large = self.operation.is_none_or(|operation| pushes.contains(&operation));
        let most = if large { PUSH_BYTES_MAX } else { REQUEST_BYTES_MAX };
        let too_large = || self.refuse(Code::BAD_DATA, StatusCode::PAYLOAD_TOO_LARGE);
        let bytes = Limited::new(body, most).collect().await.map_err(|_| too_large())?.to_bytes();
        let read = match self.operation {
            Some(operation) => message::read_json_request(operation, &bytes),
            None => message::read_soap_request(&bytes),
        };
        let Crossed { value: request, lost } = read.map_err(|fault| self.unreadable(&fault))?;
        let row = self.version.row(request.operation).ok_or_else(|| self.refuse(Code::BAD_DATA, StatusCode::OK))?;
        if self.version == Version::V20 && row.path.0 != self.id {
            return Err(self.refuse(Code::BAD_DATA, StatusCode::OK));
        }
        let number = |name: &str| {
            let pairs = ocpi::url::pairs(&self.query).unwrap_or_default();
            pairs.iter().find(|(each, _)| each == name).and_then(|(_, value)| value.parse().ok())
        };
        let part = match self.version {
            Version::V23 => answer::Part::of(number("page"), number("size")),
            Version::V20 => answer::Part { number: 0, size: u32::MAX },
        };
        Ok(Received { version: self.version, request, caller: row.caller, lost, bytes, part })
    }

    fn unreadable(&self, fault: &Fault) -> Refused {
        tracing::debug!(%fault, "a request of OICP cannot be read");
        self.refuse(Code::BAD_DATA, StatusCode::OK)
    }

    /// The ids in path and body must be those of whoever showed the certificate (OICP 2.3, code 017).
    pub(crate) fn proven(&self, received: &Received, shown: PartyId) -> Result<(), Refused> {
        let id = if self.version == Version::V23 { self.id.as_str() } else { "" };
        match hear::same_party(id, caller(&received.request.body)) {
            Ok(Some(named)) if named != shown => Err(self.refuse(Code::NOT_PERMITTED, StatusCode::OK)),
            Ok(_) => Ok(()),
            Err(_) => Err(self.refuse(Code::NOT_PERMITTED, StatusCode::OK)),
        }
    }
}

impl Refused {
    pub(crate) fn into_response(self) -> Response {
        let body = answer::acknowledgement(self.code, None, None, &Record::default());
        respond(self.version, self.operation, &Reply::Refusal(body), self.http)
    }
}

/// Puts an answer on the wire. One that cannot be written is our own fault.
pub(crate) fn respond(version: Version, operation: Operation, reply: &Reply, http: StatusCode) -> Response {
    match message::write_answer(version, operation, reply) {
        Ok(written) => raw(version, written.value.into(), http),
        Err(fault) => {
            tracing::error!(%fault, ?operation, "an answer of OICP cannot be written");
            let failed = answer::acknowledgement(Code::SYSTEM_ERROR, None, None, &Record::default());
            let written = message::write_answer(version, operation, &Reply::Refusal(failed));
            raw(version, written.map(|written| written.value).unwrap_or_default().into(), StatusCode::OK)
        }
    }
}

pub(crate) fn raw(version: Version, body: Bytes, http: StatusCode) -> Response {
    let media = match version {
        Version::V23 => "application/json;charset=utf-8",
        Version::V20 => "text/xml;charset=utf-8",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = http;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(media));
    response
}

/// The reply that a denial is.
pub(crate) fn denied(received: &Received, denial: &Denial) -> Reply {
    answer::refusal(&received.request, denial)
}
