//! Who comes in and how: cookies, foreign pages, bodies, headers, and what is nobody's address.

use serde_json::json;

use super::world::{OPERATOR, PROVIDER};
use super::*;
use crate::permission::Role;
use crate::stage::BODY_BYTES_MAX;

const USERS: &str = "/api/p/operator/users";

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_other_sites_and_plain_http() {
    let world = World::new().await;
    let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
    let out = post("/api/p/operator/logout").page().by(&admin).send(&world.router).await;
    let line = out.header("set-cookie");
    assert!(line.starts_with("__Secure-leyden-operator=;"), "{line}");
    for flag in ["Path=/api/p/operator", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=0"] {
        assert!(line.split("; ").any(|part| part == flag), "{flag} in {line}");
    }
    let login = json!({ "user": "ada", "password": "wrong" });
    let told = post("/api/p/operator/login").page().json(&login).send(&world.router).await;
    assert_eq!((told.fault().1.as_str(), told.header("set-cookie")), ("wrong_login", ""));
}

#[tokio::test]
async fn a_login_ends_with_the_logout_and_opens_one_party_only() {
    let world = World::new().await;
    let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
    let me = get("/api/p/operator/me").by(&admin).send(&world.router).await;
    assert_eq!(me.ok()["roles"], json!(["admin"]));
    let renamed = admin.replace("operator", PROVIDER);
    let elsewhere = get("/api/p/erste-fahrt/me").by(&renamed).send(&world.router).await;
    assert_eq!(elsewhere.fault().0, 401, "a secret of one party is nothing at another");
    post("/api/p/operator/logout").page().by(&admin).send(&world.router).await;
    assert_eq!(get("/api/p/operator/me").by(&admin).send(&world.router).await.fault().0, 401);
}

#[tokio::test]
async fn a_write_with_a_cookie_needs_a_page_of_ours() {
    let world = World::new().await;
    let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
    let user = json!({ "user": "bob", "name": "Bob", "role": "viewer" });
    let bare = post(USERS).by(&admin).json(&user).send(&world.router).await;
    assert_eq!(bare.fault(), (403, "foreign_page".to_owned(), None), "no header");
    let write = || post(USERS).by(&admin).json(&user).header("x-leyden", "1");
    for origin in ["https://evil.test", "null", "https://leyden.test.evil.test", "https://leyden.test:8443"] {
        let foreign = write().header("origin", origin).send(&world.router).await;
        assert_eq!(foreign.fault().1, "foreign_page", "{origin}");
    }
    assert_eq!(write().header("origin", "https://leyden.test").send(&world.router).await.status, 201);
    let login = json!({ "user": "ada", "password": "x" });
    let forged = post("/api/p/operator/login").json(&login).send(&world.router).await;
    assert_eq!(forged.fault().1, "foreign_page", "nobody is signed in by another site");
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_without_a_page() {
    let world = World::new().await;
    let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
    let wish = json!({ "name": "plant", "scopes": ["stations:read"] });
    let made = post("/api/p/operator/keys").page().by(&admin).json(&wish).send(&world.router).await;
    let bearer = format!("Bearer {}", made.ok()["key"].as_str().unwrap());
    let by_key = |visit: visit::Visit| visit.header("authorization", &bearer);
    by_key(get("/api/p/operator/stations")).send(&world.router).await.ok();
    let too_much = by_key(get("/api/p/operator/sessions")).send(&world.router).await;
    assert_eq!(too_much.fault().1, "not_permitted");
    let write = by_key(delete("/api/p/operator/stations/CP-1")).send(&world.router).await;
    assert_eq!(write.fault().1, "not_permitted");
    assert_eq!(by_key(get("/api/p/hub/overview")).send(&world.router).await.fault().0, 401);
}

#[tokio::test]
async fn a_driver_makes_sees_and_ends_keys_of_their_own_and_of_nobody_else() {
    let world = World::new().await;
    let (ada, bob) = (world.driver("ada").await, world.driver("bob").await);
    let ada = world.sign_in(PROVIDER, Role::Driver, "ada", Some(&ada)).await;
    let bob = world.sign_in(PROVIDER, Role::Driver, "bob", Some(&bob)).await;
    const KEYS: &str = "/api/p/erste-fahrt/driver/keys";
    let make = |cookie: &str| post(KEYS).page().by(cookie).json(&json!({ "name": "home" }));
    let made = make(&ada).send(&world.router).await.ok();
    let (id, bearer) = (made["id"].as_i64().unwrap(), format!("Bearer {}", made["key"].as_str().unwrap()));
    let by_key = |visit: visit::Visit| visit.header("authorization", &bearer);
    by_key(get("/api/p/erste-fahrt/driver/contract")).send(&world.router).await.ok();
    for beyond in ["/api/p/erste-fahrt/sessions", "/api/p/erste-fahrt/keys", "/api/p/erste-fahrt/drivers", KEYS] {
        assert_eq!(by_key(get(beyond)).send(&world.router).await.fault().1, "not_permitted", "{beyond}");
    }
    let more = by_key(post(KEYS).json(&json!({ "name": "a key of a key" }))).send(&world.router).await;
    assert_eq!(more.fault().1, "not_permitted", "who finds a key makes no others");
    let names = async |cookie: &str| get(KEYS).by(cookie).send(&world.router).await.ok()["items"].clone();
    let adas = names(&ada).await;
    assert_eq!((&adas[0]["id"], &adas[0]["scopes"]), (&json!(id), &json!(["driver"])));
    assert_eq!(names(&bob).await, json!([]));
    let end = |cookie: &str| delete(&format!("{KEYS}/{id}")).page().by(cookie);
    assert_eq!(end(&bob).send(&world.router).await.fault().1, "not_found", "of somebody else is of nobody");
    assert_eq!(end(&ada).send(&world.router).await.status, 204);
    assert_eq!(by_key(get("/api/p/erste-fahrt/driver/contract")).send(&world.router).await.fault().0, 401);
    for _ in 0..20 {
        make(&ada).send(&world.router).await.ok();
    }
    assert_eq!(make(&ada).send(&world.router).await.fault().1, "conflict", "a bounded number");
    make(&bob).send(&world.router).await.ok();
}

#[tokio::test]
async fn a_drivers_keys_end_with_their_account() {
    let world = World::new().await;
    let ada = world.driver("ada").await;
    let cookie = world.sign_in(PROVIDER, Role::Driver, "ada", Some(&ada)).await;
    let wish = json!({ "name": "home" });
    let made = post("/api/p/erste-fahrt/driver/keys").page().by(&cookie).json(&wish).send(&world.router).await.ok();
    let bearer = format!("Bearer {}", made["key"].as_str().unwrap());
    let contract = || get("/api/p/erste-fahrt/driver/contract").header("authorization", &bearer);
    contract().send(&world.router).await.ok();
    let admin = world.sign_in(PROVIDER, Role::Admin, "root", None).await;
    let users = get("/api/p/erste-fahrt/users").by(&admin).send(&world.router).await.ok();
    let account = users["items"].as_array().unwrap().iter().find(|user| user["user"] == "ada").unwrap()["id"].clone();
    let gone = delete(&format!("/api/p/erste-fahrt/users/{account}")).page().by(&admin).send(&world.router).await;
    assert_eq!(gone.status, 204);
    assert_eq!(contract().send(&world.router).await.fault().0, 401);
}

#[tokio::test]
async fn a_body_is_judged_with_the_path_of_what_is_wrong() {
    let world = World::new().await;
    let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
    let write = |body: &str| post(USERS).page().by(&admin).raw(body.to_owned());
    let cases = [
        ("{", "/"),
        (r#"{"user": 7, "name": "Bob", "role": "viewer"}"#, "/user"),
        (r#"{"user": "bob", "name": "Bob", "role": "king"}"#, "/role"),
        (r#"{"user": "bob", "name": "Bob", "role": "viewer", "admin": true}"#, "/admin"),
        (r#"{"user": "bob"}"#, "/"),
        (r#"{"user": "bob", "user": "eve", "name": "Bob", "role": "viewer"}"#, "/"),
        (r#"{"user": "bob", "name": "Bob", "role": "viewer"} {}"#, "/"),
    ];
    for (body, path) in cases {
        let told = write(body).send(&world.router).await;
        assert_eq!(told.fault(), (400, "malformed".to_owned(), Some(path.to_owned())), "{body}");
        assert!(!told.text.contains("king"), "what was sent is not sent back");
    }
    let deep = "[".repeat(BODY_BYTES_MAX / 2);
    assert_eq!(write(&deep).send(&world.router).await.fault().0, 400, "deeply nested");
    let large = write(&" ".repeat(BODY_BYTES_MAX + 1)).send(&world.router).await;
    assert_eq!(large.fault(), (413, "too_large".to_owned(), None));
}

#[tokio::test]
async fn queries_and_ids_that_cannot_be_read_are_answered_in_the_form_of_all_faults() {
    let world = World::new().await;
    let viewer = world.sign_in(PROVIDER, Role::Viewer, "vic", None).await;
    let ask = |path: &str| get(&format!("/api/p/erste-fahrt/{path}")).by(&viewer);
    assert_eq!(ask("sessions?limit=many").send(&world.router).await.fault().1, "malformed");
    assert_eq!(ask("invoices/%FF").send(&world.router).await.fault().1, "not_found");
    assert_eq!(ask("invoices/first").send(&world.router).await.fault().1, "not_found");
    let admin = world.sign_in(OPERATOR, Role::Admin, "ada", None).await;
    let user = delete("/api/p/operator/users/first").page().by(&admin).send(&world.router).await;
    assert_eq!(user.fault().1, "not_found");
    let stations = get("/api/p/operator/stations?offset=-1").by(&admin).send(&world.router).await;
    assert_eq!(stations.fault().1, "malformed");
}

#[tokio::test]
async fn every_answer_carries_the_policy_of_the_house() {
    let world = World::new().await;
    for path in ["/", "/drive/erste-fahrt", "/api/parties", "/api/p/operator/overview", "/api/none", "/health"] {
        let told = get(path).send(&world.router).await;
        let policy = told.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"), "{path}");
        for loose in ["unsafe", "data:", "blob:", "*"] {
            assert!(!policy.contains(loose), "{path}: {policy}");
        }
        assert!(told.header("strict-transport-security").starts_with("max-age="), "{path}");
        assert_eq!(told.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(told.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(told.header("cache-control") == "no-store", path.starts_with("/api"), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_address_of_the_api_is_a_fault_and_what_is_none_of_a_file_is_the_pages() {
    let world = World::new().await;
    for path in ["/api", "/api/none", "/api/p/nobody/me", "/api/p/operator/none"] {
        assert_eq!(get(path).send(&world.router).await.fault(), (404, "not_found".to_owned(), None), "{path}");
    }
    let (root, inside) =
        (get("/").send(&world.router).await, get("/drive/erste-fahrt/history").send(&world.router).await);
    assert_eq!((root.status, &root.text), (inside.status, &inside.text), "the pages find their own way");
    assert!(root.header("content-type").starts_with("text/html"));
    let file = get("/assets/none.js").send(&world.router).await;
    assert!(!file.status.is_success(), "a missing script is not answered with a page");
    assert_eq!(put("/").send(&world.router).await.status, 405);
}
