//! The demo's own API keys: it deals with its parties as a program does, so that people may change their passwords.
//!
//! Keys are made at every start and their forerunners ended; no secret of theirs is written down. They stand in the lists
//! of keys like any other, and whoever ends one stops what the demo did with it until the next start.

use std::collections::BTreeMap;

use charge::Secret;
use web::accounts::Accounts;
use web::permission::{Permission, Role};

use super::settle::Settled;
use super::{Admins, PROVIDERS};
use crate::Failure;
use crate::api::{Api, Session};
use crate::house::House;
use crate::logins::Login;

/// As the lists of keys show it.
const NAME: &str = "demo";

/// The drivers' phones, by slug and user. A driver of a world that was settled without ids has none and taps a card.
pub(crate) type Phones = BTreeMap<(String, String), Session>;

/// Keys that may what the first administrators may.
pub(crate) async fn admins(house: &House, api: &Api) -> Result<Admins, Failure> {
    let mut admins = BTreeMap::new();
    for (slug, accounts) in doors(house) {
        for old in accounts.keys().await.map_err(|fault| failed(slug, &fault))? {
            if old.name == NAME {
                accounts.drop_key(old.id).await.map_err(|fault| failed(slug, &fault))?;
            }
        }
        let may = Permission::ALL.into_iter().filter(|permission| Role::Admin.may(*permission));
        let scopes: Vec<String> = may.map(|permission| permission.scope().to_owned()).collect();
        let made = accounts.create_key(None, NAME, &scopes, None).await;
        let (_, secret) = made.map_err(|fault| failed(slug, &fault))?;
        admins.insert(slug, api.with_key(slug, &secret));
    }
    let mut of = |slug: &str| admins.remove(slug).ok_or_else(|| Failure::plain(format!("the demo has no {slug}")));
    let mut providers = Vec::new();
    for (slug, ..) in PROVIDERS {
        providers.push((slug.to_owned(), of(slug)?));
    }
    Ok(Admins { operator: of("operator")?, hub: of("hub")?, providers })
}

/// A phone for every driver whose id is known.
pub(crate) async fn phones(house: &House, api: &Api, settled: &Settled) -> Result<Phones, Failure> {
    let mut phones = Phones::new();
    for provider in &house.providers {
        let slug = provider.slug.as_str();
        let drivers = settled.drivers.get(slug).into_iter().flatten();
        for (driver, id) in drivers.filter_map(|driver| Some((driver, driver.id.as_deref()?))) {
            let scopes = [Permission::Drive.scope().to_owned()];
            let made = provider.accounts.create_key(None, NAME, &scopes, Some(id)).await;
            let (_, secret) = made.map_err(|fault| failed(slug, &fault))?;
            phones.insert((slug.to_owned(), driver.user.clone()), api.with_key(slug, &secret));
        }
    }
    Ok(phones)
}

/// The password of a login, if it is still the one that was written down.
pub(crate) async fn still_good(house: &House, slug: &str, user: &str, password: &str) -> bool {
    let Some((_, accounts)) = doors(house).find(|(door, _)| *door == slug) else { return false };
    let Ok(secret) = accounts.sign_in(user, Secret::new(password.to_owned()), "").await else { return false };
    if let Ok(Some(actor)) = accounts.by_session(secret.expose()).await
        && let Err(fault) = accounts.sign_out(&actor).await
    {
        tracing::warn!(?fault, "a trial of a login was not signed out");
    }
    true
}

/// Logins of which the password was changed since are told without it.
pub(crate) async fn told(house: &House, login: &Login) -> String {
    let good = still_good(house, &login.slug, &login.user, &login.password).await;
    if good { login.password.clone() } else { "(the password was changed)".to_owned() }
}

fn doors(house: &House) -> impl Iterator<Item = (&str, &Accounts)> {
    let operator = house.operator.iter().map(|party| ("operator", &party.accounts));
    let hub = house.hub.iter().map(|party| ("hub", &party.accounts));
    operator.chain(hub).chain(house.providers.iter().map(|party| (party.slug.as_str(), &party.accounts)))
}

fn failed(slug: &str, fault: &web::fault::Fault) -> Failure {
    Failure::plain(format!("{slug}: the demo's key could not be made: {fault:?}"))
}
