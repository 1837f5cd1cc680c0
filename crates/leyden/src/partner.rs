//! `leyden partner`: brings partners to a running hub; `leyden road`: brings an operator or a provider to its hub. Both
//! through the API.
//!
//! It keeps nothing and knows no protocol; what a person can do on the pages, these commands do. Invariant: a
//! secret is printed where it was asked for, and nowhere else.

use std::path::Path;
use std::process::ExitCode;

use charge::Secret;
use serde_json::{Value, json};

use crate::Failure;
use crate::api::{Api, Session};
use crate::cli::{NewPartner, Partner, PartnerCommand, Platform, Road, RoadCommand};
use crate::init::secret;

/// The address of the hub's own door in the API.
const HUB: &str = "hub";

pub(crate) async fn run(wish: &Partner) -> Result<ExitCode, Failure> {
    let roots = text(&wish.roots)?;
    let hub = Api::at(&wish.api, &roots)?.with_key(HUB, &secret(&wish.key_file)?);
    match &wish.what {
        PartnerCommand::Invite { party, name, roles, local } => {
            let body = json!({ "party": party, "name": name, "roles": roles, "local": local });
            let invited = hub.post("/partners/invitations", &body).await?;
            println!("Hand these to {name}; the token is shown only now and is good for one registration:");
            println!("versions: {}", word(&invited["versions_url"]));
            println!("token A:  {}", word(&invited["token"]));
        }
        PartnerCommand::Register { party, name, roles, platform } => {
            let body = json!({ "party": party, "name": name, "roles": roles, "platform": at(platform)? });
            return Ok(trial(&hub.post("/partners/registrations", &body).await?));
        }
        PartnerCommand::Renew { party } => {
            let path = format!("/partners/{}/registration", id(party)?);
            return Ok(trial(&hub.put(&path, &json!({})).await?));
        }
        PartnerCommand::Leave { party } => {
            return Ok(trial(&hub.delete(&format!("/partners/{}/registration", id(party)?)).await?));
        }
        PartnerCommand::Add(new) => add(&hub, new).await?,
        PartnerCommand::List => list(&hub.get("/partners").await?),
        PartnerCommand::Test { party } => {
            return Ok(trial(&hub.post(&format!("/partners/{}/trial", id(party)?), &json!({})).await?));
        }
        PartnerCommand::Measures { party } => {
            measures(&hub.get(&format!("/partners/{}/measures", id(party)?)).await?);
        }
        PartnerCommand::Turn { party, measure, to } => {
            let name: String = measure.chars().filter(char::is_ascii_alphanumeric).collect();
            let path = format!("/partners/{}/measures/{name}", id(party)?);
            hub.put(&path, &json!({ "on": to == "on" })).await?;
            println!("{name} is {to} for {party}");
        }
        PartnerCommand::Suspend { party } => standing(&hub, party, true).await?,
        PartnerCommand::Resume { party } => standing(&hub, party, false).await?,
        PartnerCommand::Remove { party } => {
            hub.delete(&format!("/partners/{}", id(party)?)).await?;
            println!("{party} is forgotten");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `leyden road`.
pub(crate) async fn road(wish: &Road) -> Result<ExitCode, Failure> {
    let party = Api::at(&wish.api, &text(&wish.roots)?)?.with_key(&wish.slug, &secret(&wish.key_file)?);
    const HERE: &str = "/registration";
    let told = match &wish.what {
        RoadCommand::Show => {
            let standing = party.get(HERE).await?;
            let neighbour = word(&standing["party"]);
            if standing["registered"] == true {
                let (name, url) = (word(&standing["name"]), word(&standing["versions_url"]));
                println!("registered at {neighbour} ({name}), {url}, OCPI {}", word(&standing["version"]));
                match (&standing["renews"], standing["configured"] == true) {
                    (Value::String(at), _) => println!("the tokens are renewed by themselves at {at}"),
                    (_, true) => println!("the tokens are those of the configuration; `renew` exchanges them"),
                    (_, false) => println!("the tokens are not renewed by themselves"),
                }
            } else {
                println!("not registered at {neighbour}");
            }
            if let Some(failed) = standing["failed_renewal"].as_object() {
                println!("the last renewal, at {}, did not hold: {}", word(&failed["at"]), word(&failed["found"]));
                println!("  {}", word(&failed["advice"]));
            }
            for deed in standing["deeds"].as_array().into_iter().flatten() {
                let by = deed["by"].as_str().unwrap_or("this house");
                let outcome = if deed["held"] == true { "held" } else { word(&deed["found"]) };
                println!("{} {:8} {by}: {outcome}", word(&deed["at"]), word(&deed["what"]));
            }
            return Ok(ExitCode::SUCCESS);
        }
        RoadCommand::Register(platform) => party.post(HERE, &at(platform)?).await?,
        RoadCommand::Renew => party.put(HERE, &json!({})).await?,
        RoadCommand::Leave => party.delete(HERE).await?,
    };
    Ok(trial(&told))
}

fn at(platform: &Platform) -> Result<Value, Failure> {
    let roots = platform.partner_roots.as_deref().map(text).transpose()?;
    let token = secret(&platform.token_file)?;
    Ok(json!({
        "versions_url": platform.versions, "token": token.expose(), "roots_pem": roots, "local": platform.local,
    }))
}

async fn add(hub: &Session, new: &NewPartner) -> Result<(), Failure> {
    let addresses: Vec<Value> = new.addresses.iter().map(|given| address(given)).collect();
    let login = match (&new.login, &new.password_file) {
        (Some(user), Some(file)) => json!({ "user": user, "password": Secret::expose(&secret(file)?) }),
        (_, _) => Value::Null,
    };
    let roots = new.partner_roots.as_deref().map(text).transpose()?;
    let body = json!({
        "party": new.party, "name": new.name, "roles": new.roles, "protocol": new.protocol, "addresses": addresses,
        "login": login, "entry": new.entry, "certificate": new.certificate, "roots_pem": roots, "local": new.local,
    });
    let entered = hub.post("/partners", &body).await?;
    println!("{} is a partner of the hub", new.party);
    if let Some(password) = entered["password"].as_str() {
        println!("password that it comes with, shown only now: {password}");
    }
    Ok(())
}

/// A URL may have an equals sign in its query, a service has none and no colon.
fn address(given: &str) -> Value {
    match given.split_once('=') {
        Some((service, url)) if !service.contains(':') => json!({ "service": service, "url": url }),
        Some(_) | None => json!({ "service": "", "url": given }),
    }
}

fn list(answer: &Value) {
    for one in answer["items"].as_array().into_iter().flatten() {
        let role = |role: &Value| format!("{} {}", word(&role["role"]), word(&role["status"]).to_lowercase());
        let roles: Vec<String> = one["roles"].as_array().into_iter().flatten().map(role).collect();
        let note = if one["invited"] == true { "  (invited, has not come yet)" } else { "" };
        let (party, name, protocol) = (word(&one["party"]), word(&one["name"]), word(&one["protocol"]));
        println!("{party:8} {protocol:12} {:40} {name}{note}", roles.join(", "));
        for seen in one["seen"].as_array().into_iter().flatten() {
            println!("{:8} {} times {}", "", seen["count"], word(&seen["what"]));
        }
        if let Some(habits) = one["suggested"].as_object() {
            println!("{:8} suggested habits: {}", "", habit_words(habits));
        }
    }
}

/// The measures, one line each, with why there is nothing to switch below those.
fn measures(answer: &Value) {
    for one in answer["items"].as_array().into_iter().flatten() {
        let state = match (word(&one["standing"]), one["on"] == true) {
            ("always", _) => "always",
            ("switch", true) => "on",
            ("switch", false) => "off",
            (_, _) => "-",
        };
        println!("{:4} {state:7} {}", word(&one["measure"]), word(&one["says"]));
        if let Some(why) = one["why"].as_str() {
            println!("{:12} {why}", "");
        }
    }
}

/// The steps, one line each, with what to ask of the partner below those that did not hold.
fn trial(answer: &Value) -> ExitCode {
    for step in answer["steps"].as_array().into_iter().flatten() {
        let mark = if step["held"] == true { "ok " } else { "NOT" };
        println!("{mark} {:18} {}", word(&step["what"]), word(&step["found"]));
        if let Some(advice) = step["advice"].as_str() {
            println!("{:22} {advice}", "");
        }
    }
    if let Some(habits) = answer["suggested"].as_object() {
        println!("suggested habits: {}", habit_words(habits));
    }
    if answer["held"] == true { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn habit_words(habits: &serde_json::Map<String, Value>) -> String {
    let habits: Vec<String> = habits.iter().map(|(name, value)| format!("{name} {value}")).collect();
    habits.join(", ")
}

async fn standing(hub: &Session, party: &str, suspended: bool) -> Result<(), Failure> {
    hub.put(&format!("/partners/{}/standing", id(party)?), &json!({ "suspended": suspended })).await?;
    println!("{party} {}", if suspended { "is suspended" } else { "is connected again" });
    Ok(())
}

/// It becomes a part of an address.
fn id(party: &str) -> Result<charge::id::PartyId, Failure> {
    party.parse().map_err(|_| Failure::misuse(format!("`{party}` is no party id like DE-ABC")))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|fault| Failure::io(file, &fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_name_its_service() {
        let base = json!({ "service": "", "url": "https://a.example/x?y=z" });
        assert_eq!(address("https://a.example/x?y=z"), base);
        assert_eq!(
            address("status=https://a.example/s?y=z"),
            json!({ "service": "status", "url": "https://a.example/s?y=z" })
        );
    }
}
