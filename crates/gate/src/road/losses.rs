//! `GET /losses`: what letters of and to a party left behind at a hub, because the other side's protocol has no word.
//!
//! Whoever exchanges letters here reads it with what proves it anyway: the token of OCPI, the name and password of OCHP,
//! the client certificate of OICP. Deliberately one form for all, which no protocol names. Invariant: nobody reads a line
//! between two others.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use charge::Secret;
use charge::id::PartyId;
use charge::talk::road::Denial;
use http::header::{AUTHORIZATION, HeaderMap};
use ocpi::loss;
use ocpi::status::success_of_texts;
use ocpi::wire::Reply;

use super::crossing::Crossing;
use super::entrance::respond;
use super::partners::Fingerprint;
use super::peers::PeerAccess;
use super::serve::ClientCertificate;

/// Where it is read, at every door of a hub.
const PATH: &str = "/losses";
/// A name and a password of ours have a hundred bytes.
const AUTHORIZATION_BYTES_MAX: usize = 512;

pub(crate) fn router(crossing: &Crossing) -> Router {
    Router::new().route(PATH, get(read)).with_state(crossing.clone())
}

async fn read(State(crossing): State<Crossing>, request: Request) -> Response {
    let shown = request.extensions().get::<ClientCertificate>().map(|shown| shown.0);
    let reply = told(&crossing, request.headers(), shown).await;
    respond(reply.unwrap_or_else(|refusal| refusal), request.headers())
}

async fn told(crossing: &Crossing, headers: &HeaderMap, shown: Option<Fingerprint>) -> Result<Reply, Reply> {
    let threshold = &crossing.threshold;
    let parties = match partner(crossing, headers, shown) {
        Some(party) => {
            threshold.fair.request(party, threshold.now()).map_err(|denial| threshold.refuse(&denial))?;
            vec![party]
        }
        None => match threshold.actor(headers).await?.access {
            PeerAccess::Known { party, parties, .. } => parties.into_iter().chain([party]).collect(),
            PeerAccess::Invited(_) => return Err(threshold.refuse(&Denial::NotYours)),
        },
    };
    let rows = crossing.exchange.losses(parties).await.map_err(|denial| threshold.refuse(&denial))?;
    let lines: Vec<String> = rows.iter().map(loss::write).collect();
    Ok(success_of_texts(&lines, threshold.now()))
}

/// A partner that does not speak OCPI: by its name and password, or by its certificate where it says nothing else.
fn partner(crossing: &Crossing, headers: &HeaderMap, shown: Option<Fingerprint>) -> Option<PartyId> {
    let partners = crossing.partners();
    let known = match (basic(headers), shown) {
        (Some((user, password)), _) => partners.by_login(&user, &password).filter(|partner| partner.comes_with(shown)),
        (None, Some(shown)) if !headers.contains_key(AUTHORIZATION) => partners.by_certificate(&shown),
        (None, _) => None,
    };
    known.map(|partner| partner.party)
}

fn basic(headers: &HeaderMap) -> Option<(String, Secret<String>)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok().filter(|text| text.len() <= AUTHORIZATION_BYTES_MAX)?;
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), Secret::new(password.to_owned())))
}
