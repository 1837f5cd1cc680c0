//! Versions, endpoints and the exchange of credentials (OCPI 2.2.1, modules 6 and 7).
//!
//! A token A invites one named party; whoever comes with it must speak for that party alone, or as the hub that was
//! invited. During `POST` and `PUT` we read the other side's versions and endpoints with the token that it offers,
//! and only then hand out ours. Our own tokens are kept as digests.

use std::sync::Arc;

use axum::body::Body;
use charge::id::PartyId;
use charge::talk::road::Denial;
use ocpi::Version;
use ocpi::credentials::{Credentials, Role};
use ocpi::status::{CANNOT_USE_CLIENT, NO_ENDPOINTS, UNSUPPORTED_VERSION, done, refusal_as};
use ocpi::versions::{write_details, write_versions};
use ocpi::wire::Reply;
use trust::bearer::{self, BearerDigest};

use super::entrance::{Actor, Resource, Threshold, offered_in};
use super::neighbour::{Neighbour, Peer, Quirks, SendFault};
use super::peers::{Invitation, PeerAccess, Registration};

/// What a secret scanner knows our road tokens by.
pub(crate) const TOKEN_PREFIX: &str = "road_";

pub(crate) async fn answer(
    threshold: &Threshold,
    resource: &Resource,
    method: &http::Method,
    actor: Actor,
    facing: Role,
    body: Body,
) -> Result<Reply, Reply> {
    let (own, now) = (&threshold.own, threshold.now());
    match resource {
        Resource::Versions => Ok(write_versions(&own.base, now)),
        Resource::Details(version) => {
            Ok(write_details(&own.base, *version, &offered_in(*version, own.role, facing), now))
        }
        Resource::Credentials(version) => credentials(threshold, *version, method, actor, body).await,
        Resource::Module(_) => Err(threshold.refuse(&Denial::UnknownObject)),
    }
}

async fn credentials(
    threshold: &Threshold,
    version: Version,
    method: &http::Method,
    actor: Actor,
    body: Body,
) -> Result<Reply, Reply> {
    let not_now = || threshold.refuse(&Denial::NotSupported);
    match (method, &actor.access) {
        // the caller's own token comes from its header: we keep a digest only
        (&http::Method::GET, _) => Ok(shown(threshold, actor.token.clone()).reply(version, threshold.now())),
        (&http::Method::POST, PeerAccess::Invited(invitation)) => {
            let invitation = invitation.clone();
            exchange(threshold, version, invitation, &actor, body).await
        }
        (&http::Method::PUT, PeerAccess::Known { party, is_hub, .. }) => {
            let way = threshold.peers.peer(*party).await.ok_or_else(not_now)?;
            let local = way.quirks().local;
            let invitation = Invitation { party: *party, is_hub: *is_hub, local, tls: Arc::clone(way.tls()) };
            exchange(threshold, version, invitation, &actor, body).await
        }
        (&http::Method::DELETE, PeerAccess::Known { party, .. }) => {
            let digest = BearerDigest::of(actor.token.expose());
            threshold.peers.withdraw(digest).await.map_err(|denial| threshold.refuse(&denial))?;
            tracing::info!(peer = %party, "the peer has withdrawn its credentials");
            Ok(done(threshold.now()))
        }
        // 405 for POST where registered, PUT and DELETE where not (OCPI 2.2.1, 7.2)
        _ => Err(not_now()),
    }
}

fn shown(threshold: &Threshold, token: charge::Secret<String>) -> Credentials {
    Credentials { token, url: ocpi::url::versions(&threshold.own.base), roles: threshold.own.roles() }
}

async fn exchange(
    threshold: &Threshold,
    version: Version,
    invited: Invitation,
    actor: &Actor,
    body: Body,
) -> Result<Reply, Reply> {
    let (_, body) = threshold.body(body).await?;
    let offer = Credentials::read(&body).map_err(|fault| threshold.refuse(&Denial::from(fault)))?;
    speaks_for(invited.party, &offer).map_err(|denial| threshold.refuse(&denial))?;
    let before = threshold.peers.peer(invited.party).await;
    let before = before.map(|way| way.quirks()).unwrap_or_default();
    let quirks = Quirks { raw_token: actor.raw, version: Some(version), local: invited.local, ..before };
    let way = dial(threshold, &invited, quirks, offer).await?;
    let token = bearer::generate(TOKEN_PREFIX, &*threshold.dice);
    let registration = Registration {
        spent: BearerDigest::of(actor.token.expose()),
        token: BearerDigest::of(token.expose()),
        party: invited.party,
        is_hub: invited.is_hub,
        way,
    };
    threshold.peers.register(registration).await.map_err(|denial| threshold.refuse(&denial))?;
    tracing::info!(peer = %invited.party, "the peer has exchanged credentials");
    Ok(shown(threshold, token).reply(version, threshold.now()))
}

fn speaks_for(invited: PartyId, offer: &Credentials) -> Result<(), Denial> {
    // in 2.3.0 a hub lists everybody whom it reaches: it comes first
    let hub = offer.roles.first().is_some_and(|role| role.party == invited && role.role == Role::Hub);
    let all = hub || !offer.roles.is_empty() && offer.roles.iter().all(|role| role.party == invited);
    all.then_some(()).ok_or_else(|| Denial::Malformed { path: "/roles".into(), why: "is not the party invited".into() })
}

/// Reads the other side's endpoints with its token, within the open call.
async fn dial(
    threshold: &Threshold,
    invited: &Invitation,
    quirks: Quirks,
    offer: Credentials,
) -> Result<Arc<Neighbour>, Reply> {
    let refused = |code, why: &str| refusal_as(200, code, why, threshold.now());
    let name = offer.roles.first().map(|role| role.name.clone()).unwrap_or_default();
    let peer = Peer {
        party: invited.party,
        name,
        versions_url: offer.url,
        token_out: offer.token,
        tls: Arc::clone(&invited.tls),
    };
    let way = Neighbour::new(peer, threshold.limits, Arc::clone(&threshold.dice))
        .and_then(|way| way.with_quirks(quirks))
        .map_err(|_| refused(CANNOT_USE_CLIENT, "your address cannot be used"))?;
    match way.endpoints().await {
        Ok(endpoints) if endpoints.is_empty() => Err(refused(NO_ENDPOINTS, "you offer no module that we need")),
        Ok(_) => Ok(Arc::new(way)),
        Err(SendFault::NotOffered) => Err(refused(UNSUPPORTED_VERSION, "no common version")),
        Err(SendFault::Unreachable | SendFault::TimedOut | SendFault::Unreadable(_) | SendFault::ForeignAddress) => {
            Err(refused(CANNOT_USE_CLIENT, "your versions or endpoints cannot be read"))
        }
    }
}
