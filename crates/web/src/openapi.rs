//! The description of the API, put together from the descriptions beside the handlers.
//!
//! Nothing is described twice: what a handler takes and answers stands above it. A test holds this document and the
//! routes of a real house against each other.

use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, ResponseBuilder};

use crate::signing_in;

/// What every party has, and what all share.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Leyden",
        description = "Everything that the pages do, for programs.\n\n\
            Programs send an API key as `Authorization: Bearer ley_…`. Pages sign in and carry a cookie; with it every \
            write needs the header `X-Leyden: 1` and the server's own origin.\n\n\
            Times are RFC 3339 in UTC, energy is watt-hours, power is watts, money is decimal text. Where a path below \
            names `operator` or `hub`, the party's own slug (`/api/parties`) takes its place.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "house", description = "Who lives here"),
        (name = "account", description = "Signing in, users, API keys; at every party"),
        (name = "operator", description = "Stations, sessions, CDRs, tariffs"),
        (name = "payer", description = "Whoever pays at a station without a contract: price, payment, receipt"),
        (name = "hub", description = "Parties, routes, volumes; no content"),
        (name = "provider", description = "The clerk: drivers, CDRs, disputes, invoices"),
        (name = "road", description = "Where an operator or a provider is registered, and how it gets there"),
        (name = "driver", description = "The driver: places, start and stop, receipts, who learned what")
    ),
    paths(
        signing_in::login,
        signing_in::logout,
        signing_in::me,
        signing_in::password,
        signing_in::users,
        signing_in::create_user,
        signing_in::drop_user,
        signing_in::keys,
        signing_in::create_key,
        signing_in::drop_key,
        crate::metrics
    ),
    components(schemas(crate::Parties))
)]
struct Account;

/// What can be reached without being anybody.
const PUBLIC: [(HttpMethod, &str); 3] = [
    (HttpMethod::Get, "/api/parties"),
    (HttpMethod::Post, "/api/p/{slug}/login"),
    (HttpMethod::Post, "/api/p/operator/payments"),
];

pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Account::openapi();
    document.merge(crate::operator::Description::openapi());
    document.merge(crate::operator::daily::Description::openapi());
    document.merge(crate::operator::pay::Description::openapi());
    document.merge(crate::hub::Description::openapi());
    document.merge(crate::provider::Description::openapi());
    document.merge(crate::driver::Description::openapi());
    document.merge(crate::registration::Description::openapi());
    document.paths.paths.insert("/api/parties".to_owned(), PathItem::new(HttpMethod::Get, parties()));

    let mut components = document.components.take().unwrap_or_default();
    let cookie = ApiKeyValue::with_description("__Secure-leyden-{slug}", "Set by signing in, one per party.");
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    document.components = Some(components);
    document.security = Some(vec![
        SecurityRequirement::new::<_, [&str; 0], &str>("cookie", []),
        SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []),
    ]);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(name(&method, path));
            if PUBLIC.iter().any(|(open, at)| *open == method && at == path) {
                operation.security = Some(Vec::new());
            }
        }
    }
    document
}

fn parties() -> Operation {
    let body = Content::new(Some(Ref::from_schema_name("Parties")));
    let answer = ResponseBuilder::new().description("Who lives here, and what time it is for them");
    let answer = answer.content("application/json", body);
    OperationBuilder::new().tag("house").response("200", answer).build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Delete, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// `get_operator_stations_id`: handlers have short names, and a document needs each name once.
fn name(method: &HttpMethod, path: &str) -> String {
    let verb = match method {
        HttpMethod::Get => "get",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        _ => "post",
    };
    let inner = path.trim_start_matches("/api/").trim_start_matches("p/");
    let words = inner.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(verb.to_owned(), |name, word| format!("{name}_{word}"))
}
