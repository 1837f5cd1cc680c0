//! One counterpart and the way to it: requests over mutual TLS, answers within bounds.
//!
//! It deliberately understands nothing: bodies are the tongue's. Invariant: no id of a token stands in a URL, and neither
//! URLs nor bodies are logged.

use std::sync::Arc;

use bytes::Bytes;
use charge::id::PartyId;
use charge::talk::road::{Denial, RoadFault};
use http::header::CONTENT_TYPE;
use oicp::message::{self, Reply, Request};
use oicp::operation::{Row, SOAP_BASE, path};
use oicp::{Caller, Crossed, Lost, Version, form};

use crate::road::guard::{PublicOnly, is_private_literal};
use crate::road::limits::OUTCOME_WAIT_MAX;
use crate::road::neighbour::PeerFault;
use crate::road::partners::Partner;

/// The largest answer: a page of two thousand EVSEs with some three kilobytes each.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The way to one counterpart.
pub struct Wire {
    version: Version,
    partner: Arc<Partner>,
    http: reqwest::Client,
}

/// An answer as it was read, and as it came.
pub(crate) struct Answered {
    pub(crate) reply: Crossed<Reply>,
    pub(crate) bytes: Bytes,
    /// What the counterpart's version had no word for in the request.
    pub(crate) lost: Lost,
}

impl Wire {
    /// `tls` trusts the counterpart's authority and shows our certificate.
    pub fn new(version: Version, partner: Arc<Partner>, tls: &Arc<rustls::ClientConfig>) -> Result<Self, PeerFault> {
        let party = partner.party;
        if partner.addresses.iter().any(|(_, url)| ocpi::url::origin(url).is_none()) {
            return Err(PeerFault::Address(party));
        }
        let private = |url: &String| ocpi::url::origin(url).is_some_and(|origin| is_private_literal(&origin));
        if !partner.local && partner.addresses.iter().any(|(_, url)| private(url)) {
            return Err(PeerFault::Private(party));
        }
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured((**tls).clone())
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(OUTCOME_WAIT_MAX);
        let builder = if partner.local { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) };
        let http = builder.build().map_err(|_| PeerFault::Client(party))?;
        Ok(Self { version, partner, http })
    }

    pub(crate) fn party(&self) -> PartyId {
        self.partner.party
    }

    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    /// Sends a request in the name of a party; `native` is sent in place of what would be written.
    pub(crate) async fn ask(
        &self,
        request: &Request,
        from: PartyId,
        native: Option<Bytes>,
        query: &str,
    ) -> Result<Answered, RoadFault> {
        let row = self.version.row(request.operation).ok_or(RoadFault::Denied(Denial::NotSupported))?;
        let (body, lost) = match native {
            Some(bytes) => (bytes, Vec::new()),
            None => {
                let written = message::write_request(self.version, request);
                let written = written.map_err(|fault| RoadFault::Denied(fault.into()))?;
                (Bytes::from(written.value), written.lost)
            }
        };
        let bytes = self.post(row, from, body, query).await?;
        let reply = self.read(row, &bytes)?;
        Ok(Answered { reply, bytes, lost })
    }

    async fn post(&self, row: &Row, from: PartyId, body: Bytes, query: &str) -> Result<Bytes, RoadFault> {
        let id = match row.caller {
            Caller::Operator => form::operator_id(from),
            Caller::Provider => form::provider_id(from),
        };
        let (service, below, media) = match self.version {
            Version::V23 => ("", path(row, &id), "application/json;charset=utf-8"),
            Version::V20 => (row.path.0, format!("{SOAP_BASE}{}", row.path.0), "text/xml;charset=utf-8"),
        };
        let base = self.partner.address(service).ok_or(RoadFault::NoRoad)?;
        let url = format!("{}{below}{query}", base.trim_end_matches('/'));
        let request = self.http.post(url).header(CONTENT_TYPE, media).header("soapaction", row.request.name).body(body);
        let mut response = request.send().await.map_err(|error| fault_of(&error))?;
        let http = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault_of(&error))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(RoadFault::Unreadable("the answer is too long".into()));
            }
            bytes.extend_from_slice(&chunk);
        }
        if (200..300).contains(&http) {
            return Ok(bytes.into());
        }
        // some answer 4xx and 5xx with a proper body, which says more
        match (http, self.read(row, &bytes)) {
            (_, Ok(_)) => Ok(bytes.into()),
            (401 | 403, _) => Err(RoadFault::Denied(Denial::NotYours)),
            (404 | 405, _) => Err(RoadFault::Denied(Denial::NotSupported)),
            (429 | 503, _) => Err(RoadFault::Denied(Denial::Overloaded)),
            (_, Err(_)) if bytes.is_empty() => Err(RoadFault::Unreadable(format!("HTTP {http} without a body").into())),
            (_, Err(RoadFault::Unreadable(why))) => Err(RoadFault::Unreadable(format!("HTTP {http}: {why}").into())),
            (_, Err(fault)) => Err(fault),
        }
    }

    /// An answer that looks like the other version's says so: its own reader would only say where it gave up.
    fn read(&self, row: &Row, bytes: &[u8]) -> Result<Crossed<Reply>, RoadFault> {
        let fault = match message::read_answer(self.version, row.operation, bytes) {
            Err(RoadFault::Unreadable(why)) => why,
            read => return read,
        };
        let begins = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        Err(RoadFault::Unreadable(match (self.version, begins) {
            (Version::V20, Some(b'{')) => "it is JSON, as OICP 2.3 is; OICP 2.0 is SOAP".into(),
            (Version::V23, Some(b'<')) => "it is XML or a page, and OICP 2.3 is JSON; OICP 2.0 is SOAP".into(),
            (_, _) => fault,
        }))
    }
}

/// The error itself is not kept: it prints the URL.
fn fault_of(error: &reqwest::Error) -> RoadFault {
    if error.is_timeout() && !error.is_connect() { RoadFault::TimedOut } else { RoadFault::Unreachable }
}
