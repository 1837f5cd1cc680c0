//! One request to a partner's server and its answer.
//!
//! Addresses are uploaded by partners, so they are judged as on the door of OCPI: https alone, no redirect, public
//! unless the partner is declared local, and the address that was judged is the one that is dialled. Invariant: neither
//! an address nor a message is ever logged.

use std::sync::Arc;

use charge::talk::road::{Denial, RoadFault};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use ochp::envelope::{LIMITS, MEDIA_TYPE, NoAnswer, read_response, write_request};
use ochp::message::{Request, Response};
use soap::UsernameToken;

use super::super::guard::{PublicOnly, is_private_literal};
use super::super::limits::{RESPONSE_BYTES_MAX, RoadLimits};

/// How we show who we are.
pub(super) enum Proof {
    /// The whole HTTP header (OCHPdirect, "Security of the OCHPdirect interface").
    Basic(http::HeaderValue),
    /// In the message (OCHP, "User Identification").
    Message(UsernameToken),
}

/// Where and as whom.
pub(super) struct Caller {
    http: reqwest::Client,
    url: String,
    proof: Proof,
}

impl Caller {
    /// `local`: the address may be one that is not public.
    pub fn new(url: &str, proof: Proof, tls: &rustls::ClientConfig, local: bool) -> Result<Self, RoadFault> {
        let origin = ocpi::url::origin(url).filter(|origin| origin.starts_with("https://")).ok_or(RoadFault::NoRoad)?;
        if !local && is_private_literal(&origin) {
            return Err(RoadFault::NoRoad);
        }
        let limits = RoadLimits::FORWARD;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect)
            .timeout(limits.answer);
        let builder = if local { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) };
        let http = builder.build().map_err(|_| RoadFault::NoRoad)?;
        Ok(Self { http, url: url.to_owned(), proof })
    }

    pub async fn ask(&self, request: &Request) -> Result<Response, RoadFault> {
        let operation = request.operation();
        let (token, header) = match &self.proof {
            Proof::Basic(header) => (None, Some(header)),
            Proof::Message(token) => (Some(token), None),
        };
        let body = write_request(request, token).map_err(|fault| RoadFault::Denied(Denial::from(fault)))?;
        let post = self.http.post(&self.url).header(CONTENT_TYPE, MEDIA_TYPE).body(body);
        let post = post.header("soapaction", format!("\"{}\"", operation.action()));
        let post = match header {
            Some(header) => post.header(AUTHORIZATION, header),
            None => post,
        };
        let mut response = post.send().await.map_err(|error| fault(&error))?;
        if matches!(response.status().as_u16(), 401 | 403) {
            return Err(RoadFault::Unreadable("our name and password are refused".into()));
        }
        // SOAP 1.1 sends its faults with 500
        if !response.status().is_success() && response.status() != http::StatusCode::INTERNAL_SERVER_ERROR {
            return Err(RoadFault::Unreachable);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            if bytes.len() + chunk.len() > RESPONSE_BYTES_MAX {
                return Err(RoadFault::Unreadable("the response is too long".into()));
            }
            bytes.extend_from_slice(&chunk);
        }
        match read_response(operation, &bytes, &LIMITS) {
            Ok(heard) => {
                for loss in heard.lost.iter().chain(&heard.refused) {
                    tracing::debug!(operation = operation.response_name(), %loss, "lost on the road");
                }
                Ok(heard.said)
            }
            // the text of a stranger's fault may quote what we said
            Err(NoAnswer::Fault(_)) => Err(RoadFault::Unreadable("a SOAP fault".into())),
            Err(other) => Err(RoadFault::Unreadable(other.to_string().into())),
        }
    }
}

/// The error itself is not kept: it prints the URL.
fn fault(error: &reqwest::Error) -> RoadFault {
    if error.is_timeout() && !error.is_connect() { RoadFault::TimedOut } else { RoadFault::Unreachable }
}
