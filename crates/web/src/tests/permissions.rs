//! Every guarded route with every role, really asked, against a table that people can read.
//!
//! After a change that is meant: `LEYDEN_GOLDEN=write cargo test -p web permissions`, then read the difference.

use std::collections::HashMap;

use axum::http::{Method, StatusCode};

use super::visit::visit;
use super::world::{HUB, OPERATOR, PROVIDER};
use super::*;
use crate::permission::Role;
use crate::stage::{Access, Route};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/permissions.golden");

#[tokio::test]
async fn every_route_admits_whom_the_table_says() {
    let world = World::new().await;
    let mut people = HashMap::new();
    for slug in [OPERATOR, HUB, PROVIDER] {
        for role in Role::ALL {
            people.insert((slug, role), person(&world, slug, role, 0).await);
        }
    }
    let mut rows = Vec::new();
    for (nth, route) in world.table.iter().enumerate() {
        let slug = [OPERATOR, HUB, PROVIDER].into_iter().find(|slug| route.path.split('/').nth(3) == Some(slug));
        let slug = slug.unwrap();
        let mut row = head(route);
        row.push_str(&format!("{:<8}", answer(&world, route, None).await));
        for role in Role::ALL {
            let cookie = people.get_mut(&(slug, role)).unwrap();
            row.push_str(&format!("{:<8}", answer(&world, route, Some(cookie)).await));
            if route.path.ends_with("/logout") {
                *cookie = person(&world, slug, role, nth + 1).await;
            }
        }
        rows.push(row.trim_end().to_owned());
    }
    rows.sort();
    let table = format!("{TITLE}\n{}\n", rows.join("\n"));
    if std::env::var("LEYDEN_GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::write(GOLDEN, &table).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    for (line, (ours, theirs)) in table.lines().zip(golden.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", line + 1);
    }
    assert_eq!(table, golden);
}

const TITLE: &str =
    "method path                                                       scope            nobody  admin   viewer  driver";

fn head(route: &Route) -> String {
    let scope = match route.access {
        Access::Needs(permission) => permission.scope(),
        Access::Public(_) => "(public)",
        Access::Secret(_) => "(secret)",
    };
    format!("{:<6} {:<58} {scope:<16} ", route.method.as_str(), route.path)
}

async fn person(world: &World, slug: &str, role: Role, nth: usize) -> String {
    let name = format!("{}{nth}", role.as_str());
    let driver = if role == Role::Driver && slug == PROVIDER { Some(world.driver(&name).await) } else { None };
    world.sign_in(slug, role, &name, driver.as_ref()).await
}

/// `yes`, or the status of the refusal. Ids that nobody has and empty bodies: whoever is let in changes nothing.
async fn answer(world: &World, route: &Route, cookie: Option<&mut String>) -> String {
    let filled = route.path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    let mut ask = visit(route.method.clone(), &filled.collect::<Vec<_>>().join("/")).page();
    if let Some(cookie) = cookie {
        ask = ask.by(cookie);
    }
    if route.method != Method::GET {
        ask = ask.raw("{}");
    }
    // a stream of events does not end: its status is enough
    match ask.open(&world.router).await.status() {
        refused @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => refused.as_u16().to_string(),
        _ => "yes".to_owned(),
    }
}
