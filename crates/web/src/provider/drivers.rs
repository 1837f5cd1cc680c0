//! Drivers: who they are, signing them up, suspending their contracts.
//!
//! A clerk sees a name and a shortened contract id: enough to talk to a driver, too little to be one.

use ::provider::{ContractState, Driver as RoomDriver, DriverId, NewDriver, Provider};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charge::money::Money;
use charge::{Personal, Purpose};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use crate::accounts::NewUser;
use crate::fault::{ErrorBody, Fault};
use crate::permission::Role;
use crate::shape::{Amount, List, time};
use crate::stage::{Body, Path};

/// Longer names are mistakes or attacks.
const NAME_CHARACTERS_MAX: usize = 100;
/// RFC 5321, 4.5.3.1.3: a path of 256 with its brackets.
const EMAIL_CHARACTERS_MAX: usize = 254;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Driver {
    id: String,
    name: String,
    /// Shortened.
    contract: String,
    /// `good`, `suspended` or `ended`.
    state: &'static str,
    blocked: bool,
    valid_until: Option<String>,
    /// The most that may be owed before the next invoice.
    credit_cap: Option<Amount>,
    cards: usize,
    joined: String,
}

#[utoipa::path(get, path = "/api/p/{slug}/drivers", tag = "provider", params(("slug" = String, Path)),
    responses((status = 200, body = List<Driver>)))]
pub(crate) async fn list(State(room): State<Provider>) -> Result<Json<List<Driver>>, Fault> {
    let cards = room.cards(None).await?;
    let twin = |driver: RoomDriver| Driver {
        cards: cards.iter().filter(|card| card.driver == driver.id).count(),
        id: driver.id.as_str().to_owned(),
        name: driver.name.reveal(Purpose::ShowOwner).clone(),
        contract: shortened(driver.contract_id.reveal(Purpose::ShowOwner).as_str()),
        state: driver.contract.state.as_str(),
        blocked: driver.contract.state != ContractState::Good,
        valid_until: driver.contract.valid_until.map(time),
        credit_cap: driver.contract.credit_cap.map(Into::into),
        joined: time(driver.joined),
    };
    Ok(Json(List::whole(room.drivers().await?.into_iter().map(twin).collect())))
}

/// Provider and the last characters.
fn shortened(contract: &str) -> String {
    let characters: Vec<char> = contract.chars().collect();
    if characters.len() < SHOWN_FIRST + SHOWN_LAST {
        return "…".to_owned();
    }
    let (first, last) = (&characters[..SHOWN_FIRST], &characters[characters.len() - SHOWN_LAST..]);
    first.iter().chain(&['…']).chain(last).collect()
}

/// `DE-8AA`
const SHOWN_FIRST: usize = 6;
/// Two characters and the check character with its hyphen.
const SHOWN_LAST: usize = 4;

/// A driver to sign up, with a login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignUpDriver)]
pub(crate) struct SignUp {
    /// What the driver types to sign in.
    user: String,
    name: String,
    email: String,
    /// The most that may be owed before the next invoice, in the smallest unit of the currency; none where left out.
    #[serde(default)]
    credit_cap_minor: Option<i64>,
}

/// Shown once, kept by nobody.
#[derive(Serialize, ToSchema)]
#[schema(as = DriverCredentials)]
pub(crate) struct Credentials {
    id: String,
    user: String,
    password: String,
}

#[utoipa::path(post, path = "/api/p/{slug}/drivers", tag = "provider", request_body = SignUp,
    params(("slug" = String, Path)),
    responses((status = 201, body = Credentials), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn sign_up(
    State(desk): State<Desk>,
    Body(wish): Body<SignUp>,
) -> Result<(StatusCode, Json<Credentials>), Fault> {
    let accounts = &desk.guard.accounts;
    // asked first, so that a taken name leaves no driver without a login
    accounts.check_free(&wish.user).await?;
    let new = NewDriver {
        name: Personal::new(text(&wish.name, "/name", NAME_CHARACTERS_MAX)?),
        email: Personal::new(email(&wish.email)?),
        valid_until: None,
        credit_cap: wish.credit_cap_minor.map(|minor| cap(minor, &desk.room)).transpose()?,
    };
    let shown = new.name.clone();
    let id = desk.room.sign_up(new).await?;
    let shown = shown.reveal(Purpose::ShowOwner);
    let user = NewUser { name: &wish.user, shown, role: Role::Driver, driver: Some(id.as_str()) };
    match accounts.create(user).await {
        Ok(password) => {
            let user = wish.user.trim().to_lowercase();
            let once = Credentials { id: id.as_str().to_owned(), user, password: password.expose().clone() };
            Ok((StatusCode::CREATED, Json(once)))
        }
        Err(fault) => {
            // two clerks took the same name at once: nobody will ever sign in as this driver
            desk.room.set_contract(id, ContractState::Ended).await?;
            Err(fault)
        }
    }
}

fn text(said: &str, path: &str, limit: usize) -> Result<String, Fault> {
    let said = said.trim();
    let fits = !said.is_empty() && said.chars().count() <= limit && !said.chars().any(char::is_control);
    if fits { Ok(said.to_owned()) } else { Err(Fault::malformed(path, format!("1 to {limit} characters."))) }
}

fn email(said: &str) -> Result<String, Fault> {
    let said = text(said, "/email", EMAIL_CHARACTERS_MAX)?;
    let fits = said.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if fits { Ok(said) } else { Err(Fault::malformed("/email", "An e-mail address is expected.")) }
}

fn cap(minor: i64, room: &Provider) -> Result<Money, Fault> {
    let fits = (0..=CREDIT_MINOR_MAX).contains(&minor);
    let money = fits.then_some(Money::new(minor, room.currency()));
    money.ok_or_else(|| Fault::malformed("/credit_cap_minor", "Zero to ten million cents are possible."))
}

/// A hundred thousand euros: nobody charges for more in a month.
const CREDIT_MINOR_MAX: i64 = 10_000_000;

/// What becomes of a contract.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetContract)]
pub(crate) struct NewState {
    /// `good`, `suspended` or `ended`.
    state: String,
}

#[utoipa::path(put, path = "/api/p/{slug}/drivers/{id}/contract", tag = "provider", request_body = NewState,
    params(("slug" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn set_contract(
    State(room): State<Provider>,
    Path(id): Path<String>,
    Body(wish): Body<NewState>,
) -> Result<StatusCode, Fault> {
    let id = DriverId::new(&id).map_err(|_| Fault::NotFound)?;
    let state = ContractState::named(&wish.state);
    let state = state.ok_or_else(|| Fault::malformed("/state", "A contract is good, suspended or ended."))?;
    room.set_contract(id, state).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_contract_id_cannot_be_used() {
        assert_eq!(shortened("DE-8AA-CK3F9Q2ZX-1"), "DE-8AA…ZX-1");
        assert_eq!(shortened("SHORT"), "…");
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_path() {
        assert_eq!(email(" ada@example.org ").as_deref(), Ok("ada@example.org"));
        for wrong in ["", "ada", "@example.org", "ada@localhost", "a\u{7}@b.c"] {
            assert!(matches!(email(wrong), Err(Fault::Malformed { path, .. }) if path == "/email"), "{wrong}");
        }
    }
}
