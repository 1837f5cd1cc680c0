//! The first logins of a house: one administrator per party, made at the first start with random passwords.
//!
//! They stand in one file that only its owner can read. Nobody else ever gets an account without being created.

use std::path::{Path, PathBuf};

use charge::Secret;
use serde::{Deserialize, Serialize};
use web::accounts::{Accounts, NewUser};
use web::permission::Role;

use crate::Failure;
use crate::house::House;

/// A login as it stands in the file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    /// Part of the party's addresses.
    pub(crate) slug: String,
    pub(crate) party: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Login {
    pub(crate) fn secret(&self) -> Secret<String> {
        Secret::new(self.password.clone())
    }
}

/// The name of every party's first administrator.
pub(crate) const ADMIN: &str = "admin";

pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("logins.json")
}

/// Gives every party that has no user yet an administrator, and writes the logins beside the configuration.
pub(crate) async fn first(house: &House, dir: &Path) -> Result<Vec<Login>, Failure> {
    let path = file(dir);
    let mut logins = if path.exists() { read(dir)? } else { Vec::new() };
    let mut parties: Vec<(String, String, &Accounts)> = Vec::new();
    if let Some(operator) = &house.operator {
        parties.push(("operator".to_owned(), operator.room.setup().name.clone(), &operator.accounts));
    }
    if let Some(hub) = &house.hub {
        parties.push(("hub".to_owned(), hub.room.name().to_owned(), &hub.accounts));
    }
    for provider in &house.providers {
        parties.push((provider.slug.clone(), provider.room.name().to_owned(), &provider.accounts));
    }
    for (slug, party, accounts) in parties {
        let users = accounts.users().await.map_err(|fault| Failure::plain(format!("{slug}: {fault:?}")))?;
        if !users.is_empty() {
            continue;
        }
        let user = NewUser { name: ADMIN, shown: "Administrator", role: Role::Admin, driver: None };
        let password = accounts.create(user).await.map_err(|fault| Failure::plain(format!("{slug}: {fault:?}")))?;
        logins.retain(|login| login.slug != slug);
        logins.push(Login { slug, party, user: ADMIN.to_owned(), password: password.expose().clone() });
        let text = serde_json::to_string_pretty(&logins).map_err(|fault| Failure::plain(fault.to_string()))?;
        trust::private_file::write(&path, text.as_bytes()).map_err(|fault| Failure::plain(fault.to_string()))?;
    }
    Ok(logins)
}

pub(crate) fn read(dir: &Path) -> Result<Vec<Login>, Failure> {
    let path = file(dir);
    let bytes = trust::private_file::read(&path).map_err(|fault| Failure::plain(fault.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|fault| Failure::plain(format!("{}: {fault}", path.display())))
}
