//! Who is let in, and what is refused with which code before a desk hears of it.

use super::*;

#[tokio::test]
async fn a_wrong_token_opens_nothing_and_learns_nothing() {
    let world = World::new().await;
    for base in [&world.hub.base, &world.a.base] {
        for path in ["/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/sender/tokens/X/authorize", "/ocpi/nothing"] {
            let (http, code, body) = world.raw("GET", &format!("{base}{path}"), "wrong", None).await;
            assert_eq!((http, code), (401, Some(2001)), "{path}");
            assert_eq!(body["status_message"], "the token is missing or not known");
        }
    }
    assert!(world.a.desk.heard().is_empty());
}

#[tokio::test]
async fn paths_and_methods_have_their_exact_answers() {
    let world = World::new().await;
    let mine = secret(world.hub.party, world.a.party);
    let cases = [
        ("GET", "/ocpi/versions", 200, 1000),
        ("POST", "/ocpi/versions", 405, 2000),
        ("GET", "/ocpi/2.2.1", 200, 1000),
        ("GET", "/ocpi/2.1.1", 200, 1000),
        ("GET", "/ocpi/2.3.0", 200, 1000),
        ("GET", "/ocpi/2.2", 404, 2000),
        ("GET", "/ocpi/2.2.1/sender/tokens", 200, 1000),
        ("DELETE", "/ocpi/2.2.1/sender/tokens", 405, 2000),
        ("GET", "/ocpi/2.1.1/receiver/hubclientinfo/DE/OPA", 404, 2000),
        ("GET", "/ocpi/2.2.1/receiver/hubclientinfo/DE/OPA", 404, 2000),
        ("GET", "/ocpi/2.2.1/receiver/bookings/DE/HUB/B1", 404, 2000),
        ("PATCH", "/ocpi/2.2.1/receiver/tariffs/DE/OPA/T1", 405, 2000),
        ("POST", "/ocpi/2.2.1/receiver/commands/START_SESSION", 404, 2000),
        ("GET", "/ocpi/2.2.1/receiver/sessions/DE/OPA/S1", 404, 2000),
        ("PATCH", "/ocpi/2.2.1/receiver/sessions/DE/OPA/S1", 404, 2000),
        ("POST", "/ocpi/2.2.1/receiver/sessions/DE/OPA/S1", 405, 2000),
        ("POST", "/ocpi/2.2.1/sender/tokens/%ZZ/authorize", 200, 2001),
        ("POST", "/ocpi/2.2.1/sender/tokens/04FF/authorize?type=BANANA", 200, 2001),
        ("POST", "/ocpi/2.2.1/sender/tokens/04FF/authorize", 404, 2004),
    ];
    for (method, path, http, code) in cases {
        let (status, said, _) = world.raw(method, &format!("{}{path}", world.a.base), mine.expose(), None).await;
        assert_eq!((status, said), (http, Some(code)), "{method} {path}");
    }
}

#[tokio::test]
async fn preferences_are_answered_as_of_an_evse_that_takes_none() {
    let world = World::new().await;
    let url = format!("{}/ocpi/2.2.1/sender/sessions/S1/charging_preferences", world.operator.base);
    let mine = secret(world.hub.party, world.operator.party);
    let body = Some(r#"{"profile_type":"GREEN"}"#.to_owned());
    let (http, code, _) = world.raw("PUT", &url, mine.expose(), body).await;
    assert_eq!((http, code), (404, Some(2001)));
    assert!(world.operator.desk.heard().is_empty());
}

#[tokio::test]
async fn the_door_of_2_0_answers_about_tokens_and_nothing_else() {
    let world = World::new().await;
    let mine = secret(world.hub.party, world.a.party);
    let ask = |method: &'static str, path: String| {
        let (world, mine) = (&world, mine.clone());
        let url = format!("{}{path}", world.a.base);
        async move { world.raw(method, &url, mine.expose(), None).await }
    };
    let (http, code, said) = ask("POST", format!("/ocpi/emsp/2.0/tokens/{OWNED}/authorize")).await;
    assert_eq!((http, code, &said["data"]["allowed"]), (200, Some(1000), &"ALLOWED".into()));
    assert!(said["data"]["token"].is_null(), "2.0 has no word for it");
    assert_eq!(ask("POST", "/ocpi/emsp/2.0/tokens/04FF/authorize".to_owned()).await.1, Some(2004));
    assert_eq!(ask("GET", "/ocpi/emsp/2.0/tokens/".to_owned()).await.0, 404);
    assert_eq!(ask("POST", "/ocpi/emsp/2.0/cdrs".to_owned()).await.0, 404);
    let url = format!("{}/ocpi/emsp/2.0/tokens/{OWNED}/authorize", world.hub.base);
    let operator = secret(world.operator.party, world.hub.party);
    assert_eq!(world.raw("POST", &url, operator.expose(), None).await.0, 404, "at providers only");
}

#[tokio::test]
async fn a_path_that_climbs_is_neither_sent_nor_let_in() {
    for climbing in ["/a/../b", "/a/.", "/a/%2e%2E/b", "/a/.%2e?x", "/a/%2e"] {
        assert!(neighbour::climbs(climbing), "{climbing}");
    }
    for level in ["/a/...", "/a/.b/c..", "/a/..%2Fb", "/a?x=/../", "/a/%252e%252e"] {
        assert!(!neighbour::climbs(level), "{level}");
    }
    // a station says what it likes: this uid would make the question one about another address
    let world = World::new().await;
    world.ask(&world.operator, None, Question::MayCharge { token: token(OWNED) }).await.unwrap();
    let seen = world.hub.seen().len();
    let asked = world.ask(&world.operator, None, Question::MayCharge { token: token("..") }).await;
    assert_eq!(asked.unwrap_err(), charge::talk::road::RoadFault::NoRoad);
    // the second client looks for the endpoints, and no more
    assert!(world.hub.seen()[seen..].iter().all(|request| !request.path.contains("token")));
    // straight to the door, because no HTTP client would send it
    let own = Own { party: party("DE-8AA"), role: Role::Provider, name: "A".into(), base: world.a.base.clone() };
    let (clock, dice) = (Arc::new(SystemClock), Arc::new(SystemDice));
    let door = party_router(own, world.a.desk.clone(), world.a.peers.clone(), clock, dice, world.a.figures.clone());
    let header = ocpi::credentials::authorization(&secret(world.hub.party, world.a.party), false);
    for (id, code) in [("04FF", 2004), ("%2e%2e", 2000), ("..", 2000)] {
        let path = format!("/ocpi/2.2.1/sender/tokens/{id}/authorize");
        let request = Request::post(&path).header("authorization", header.expose()).body(Body::empty()).unwrap();
        let answer = door.clone().oneshot(request).await.unwrap();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert_eq!(ocpi::status::code_of(&body), Some(code), "{path}");
    }
}

#[tokio::test]
async fn long_deep_and_broken_bodies_are_refused_with_their_code() {
    let world = World::new().await;
    let mine = secret(world.hub.party, world.a.party);
    let url = format!("{}/ocpi/2.2.1/receiver/cdrs", world.a.base);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let cases = [
        ("x".repeat(limits::REQUEST_BYTES_MAX + 1), 413, "the body is too long"),
        (deep, 400, "the body is nested too deeply"),
        ("{".to_owned(), 400, "the body is not JSON"),
        (r#"{"id": [7]}"#.to_owned(), 200, "/total_time is missing"),
    ];
    for (body, http, why) in cases {
        let (status, code, said) = world.raw("POST", &url, mine.expose(), Some(body)).await;
        assert_eq!((status, code), (http, Some(2001)), "{why}");
        assert_eq!(said["status_message"], why);
    }
    assert!(world.a.desk.heard().is_empty());
}

#[tokio::test]
async fn a_server_stops_when_it_is_told() {
    let (server, _) = trusting();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve(listener, server, Router::new(), async {
        let _ = stopped.await;
    })
    .unwrap();
    // a caller that never speaks does not keep it open
    let _caller = tokio::net::TcpStream::connect(serving.addr).await.unwrap();
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(20), serving.ended).await.unwrap().unwrap();
}
