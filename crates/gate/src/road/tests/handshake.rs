//! Registration with a token A, renewal and withdrawal.

use ocpi::credentials::PartyRole;

use super::*;

const TOKEN_A: &str = "road_invitation";

/// A platform of its own that is not registered anywhere.
async fn newcomer(world: &World) -> (House, Credentials) {
    let (server, tls) = trusting();
    let house = build("DE-NEW", Role::Operator, Desk::default(), None, &server).await;
    let token_b = secret(world.hub.party, house.party);
    house.peers.admit(BearerDigest::of(token_b.expose()), PeerAccess::hub(world.hub.party));
    let invitation = Invitation { party: house.party, is_hub: false, local: true, tls };
    world.hub.peers.admit(BearerDigest::of(TOKEN_A), PeerAccess::Invited(invitation));
    let roles = vec![PartyRole { party: house.party, role: Role::Operator, name: "New".to_owned() }];
    let offer = Credentials { token: token_b, url: ocpi::url::versions(&house.base), roles };
    (house, offer)
}

#[tokio::test]
async fn a_token_a_opens_versions_and_credentials_only() {
    let world = World::new().await;
    let (_house, _offer) = newcomer(&world).await;
    let get = |path: &'static str| {
        let url = format!("{}{path}", world.hub.base);
        let world = &world;
        async move { world.raw("GET", &url, TOKEN_A, None).await.0 }
    };
    assert_eq!(get("/ocpi/versions").await, 200);
    assert_eq!(get("/ocpi/2.2.1").await, 200);
    assert_eq!(get("/ocpi/2.2.1/credentials").await, 200);
    assert_eq!(get("/ocpi/2.2.1/sender/locations").await, 401);
    assert_eq!(get("/ocpi/2.2.1/nothing").await, 401);
}

#[tokio::test]
async fn credentials_are_exchanged_once_renewed_and_withdrawn() {
    let world = World::new().await;
    let (house, offer) = newcomer(&world).await;
    let url = format!("{}/ocpi/2.2.1/credentials", world.hub.base);
    let locations = format!("{}/ocpi/2.2.1/sender/locations", world.hub.base);

    let first = Peer {
        party: world.hub.party,
        name: "hub".to_owned(),
        versions_url: ocpi::url::versions(&world.hub.base),
        token_out: Secret::new(TOKEN_A.to_owned()),
        tls: Arc::clone(&world.tls),
    };
    let hub = Neighbour::new(first, RoadLimits::default(), Arc::new(SystemDice)).unwrap();
    let given = introduce(&hub, &offer).await;
    assert_eq!((given.roles[0].party, given.roles[0].role), (world.hub.party, Role::Hub));
    let token_c = given.token.expose().clone();
    assert_eq!(world.raw("GET", &locations, &token_c, None).await.0, 200);
    assert_eq!(world.raw("GET", &locations, TOKEN_A, None).await.0, 401, "token A is spent");
    assert!(world.hub.peers.peer(house.party).await.is_some());

    assert_eq!(world.raw("POST", &url, &token_c, Some(offer.write(Version::V221))).await.0, 405, "registered already");
    let renewed = world.raw("PUT", &url, &token_c, Some(offer.write(Version::V221))).await;
    let token_d = renewed.2["data"]["token"].as_str().unwrap().to_owned();
    assert_ne!(token_d, token_c);
    assert_eq!(world.raw("GET", &locations, &token_c, None).await.0, 200, "until the new one was used");
    assert_eq!(world.raw("GET", &url, &token_d, None).await.2["data"]["token"], token_d.as_str());
    assert_eq!(world.raw("GET", &locations, &token_c, None).await.0, 401);
    assert_eq!(world.raw("DELETE", &url, &token_d, None).await.0, 200);
    assert_eq!(world.raw("GET", &locations, &token_d, None).await.0, 401);
    assert!(world.hub.peers.peer(house.party).await.is_none());
}

#[tokio::test]
async fn an_invitation_is_for_one_party_and_needs_a_platform_that_answers() {
    let world = World::new().await;
    let (house, mut offer) = newcomer(&world).await;
    let url = format!("{}/ocpi/2.2.1/credentials", world.hub.base);
    offer.roles[0].party = world.a.party;
    let (http, code, said) = world.raw("POST", &url, TOKEN_A, Some(offer.write(Version::V221))).await;
    assert_eq!((http, code), (200, Some(2001)));
    assert!(said["status_message"].as_str().unwrap().starts_with("/roles"));

    offer.roles[0].party = house.party;
    offer.token = Secret::new("not-theirs".to_owned());
    assert_eq!(world.raw("POST", &url, TOKEN_A, Some(offer.write(Version::V221))).await.1, Some(3001));
    assert_eq!(world.raw("PUT", &url, TOKEN_A, Some(offer.write(Version::V221))).await.0, 405, "not registered");
    assert!(world.hub.peers.peer(house.party).await.is_none());
}

#[tokio::test]
async fn a_newcomer_of_2_1_1_with_a_raw_token_is_answered_in_its_own_way() {
    let world = World::new().await;
    let (house, offer) = newcomer(&world).await;
    let url = format!("{}/ocpi/2.1.1/credentials", world.hub.base);
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let request = http.post(&url).header("authorization", format!("Token {TOKEN_A}"));
    let body = offer.write(Version::V211);
    assert!(!body.contains("roles") && body.contains("business_details"));
    let given: Value = request.body(body).send().await.unwrap().json().await.unwrap();
    assert_eq!((&given["data"]["party_id"], &given["status_code"]), (&"HUB".into(), &1000.into()), "{given}");
    assert!(given["data"]["roles"].is_null());
    let way = world.hub.peers.peer(house.party).await.unwrap();
    assert_eq!((way.quirks().raw_token, way.quirks().version), (true, Some(Version::V211)));
    assert_eq!(way.version().await, Ok(Version::V211));
}
