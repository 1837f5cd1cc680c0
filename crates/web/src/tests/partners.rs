//! The hub's partners through the API; a front desk that believes everything stands for the door.

use std::sync::{Arc, Mutex};

use charge::id::PartyId;
use charge::talk::member::{Deed, DeedFault, DeedKind, Membership, Standing};
use charge::talk::partner::{
    Beginning, Declined, Form, Habits, Invited, NewPartner, PartnerCard, PartnerRole, Reception, Registered, Registrar,
    Seen, Trial, TrialStep,
};
use charge::talk::road::Exchange;
use charge::{Clock, Secret, Soon};
use serde_json::{Value, json};

use super::visit::visit;
use super::world::{HUB, OPERATOR};
use super::*;
use crate::permission::Role;

/// Knows whom it was told of.
#[derive(Default)]
pub(super) struct PoliteDesk(Mutex<Vec<PartnerCard>>);

impl PoliteDesk {
    fn know(&self, party: PartyId, name: &str, protocol: &str, invited: bool) {
        let card = PartnerCard {
            party,
            name: name.to_owned(),
            protocol: protocol.into(),
            invited,
            addresses: vec![("".into(), "https://partner.example".to_owned())],
            certificate: None,
            entry: None,
            local: false,
            habits: Some(Habits::default()),
            seen: vec![(Seen::Id(Form::Plain), 40)],
        };
        self.0.lock().unwrap().push(card);
    }
}

impl Registrar for PoliteDesk {
    fn register(&self, with: Beginning) -> Soon<'_, Result<Trial, Declined>> {
        let held = with.token.expose() == "token-a";
        if held {
            self.know(with.party, "", "ocpi", false);
        }
        let step = TrialStep { what: "Credentials", held, found: "said so".to_owned(), advice: None };
        Box::pin(async move { Ok(Trial { steps: vec![step], suggested: None }) })
    }

    fn renew(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>> {
        let known = self.0.lock().unwrap().iter().any(|card| card.party == party);
        Box::pin(async move { if known { Ok(Trial::default()) } else { Err(Declined::Unknown) } })
    }

    fn leave(&self, party: PartyId) -> Soon<'_, Result<Trial, Declined>> {
        let known = self.0.lock().unwrap().extract_if(.., |card| card.party == party).count();
        Box::pin(async move { if known > 0 { Ok(Trial::default()) } else { Err(Declined::Unknown) } })
    }

    fn registered(&self) -> Soon<'_, Vec<Registered>> {
        let here = |card: &PartnerCard| Registered {
            party: card.party,
            name: card.name.clone(),
            versions_url: "https://partner.example".to_owned(),
            version: Some("2.2.1".into()),
        };
        let all = self.0.lock().unwrap().iter().map(here).collect();
        Box::pin(async { all })
    }
}

/// Has the hub that a polite desk stands for as its neighbour.
pub(super) struct PoliteMember {
    desk: PoliteDesk,
    deeds: Mutex<Vec<Deed>>,
    clock: Arc<dyn Clock>,
}

impl PoliteMember {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { desk: PoliteDesk::default(), deeds: Mutex::default(), clock }
    }

    async fn done(&self, by: String, what: DeedKind, trial: Result<Trial, Declined>) -> Result<Trial, Declined> {
        let step = trial.as_ref().map_err(Clone::clone)?.steps.iter().find(|step| !step.held);
        let fault = step.map(|step| DeedFault { found: step.found.clone(), advice: step.advice.clone() });
        self.deeds.lock().unwrap().insert(0, Deed { at: self.clock.now(), by: Some(by), what, fault });
        trial
    }
}

impl Membership for PoliteMember {
    fn register(&self, by: &str, with: Beginning) -> Soon<'_, Result<Trial, Declined>> {
        let by = by.to_owned();
        Box::pin(async move { self.done(by, DeedKind::Register, self.desk.register(with).await).await })
    }

    fn renew(&self, by: &str) -> Soon<'_, Result<Trial, Declined>> {
        let by = by.to_owned();
        Box::pin(async move { self.done(by, DeedKind::Renew, self.desk.renew(self.neighbour()).await).await })
    }

    fn leave(&self, by: &str) -> Soon<'_, Result<Trial, Declined>> {
        let by = by.to_owned();
        Box::pin(async move { self.done(by, DeedKind::Leave, self.desk.leave(self.neighbour()).await).await })
    }

    fn neighbour(&self) -> PartyId {
        "DE-HUB".parse().unwrap()
    }

    fn standing(&self) -> Soon<'_, Result<Standing, Declined>> {
        Box::pin(async {
            let registered = self.desk.registered().await.pop();
            let deeds = self.deeds.lock().unwrap().clone();
            Ok(Standing { neighbour: self.neighbour(), registered, configured: false, renews: None, deeds })
        })
    }
}

impl Reception for PoliteDesk {
    fn invite(&self, party: PartyId, _: bool) -> Soon<'_, Result<Invited, Declined>> {
        self.know(party, "", "ocpi", true);
        let token = Secret::new("token-a".to_owned());
        Box::pin(async { Ok(Invited { token, versions_url: "https://hub.example/ocpi/versions".to_owned() }) })
    }

    fn enter(&self, partner: NewPartner) -> Soon<'_, Result<Option<Secret<String>>, Declined>> {
        if &*partner.protocol != "oicp/2.3" {
            return Box::pin(async { Err(Declined::Malformed { path: "/protocol", why: "is not spoken here" }) });
        }
        self.know(partner.party, &partner.name, &partner.protocol, false);
        Box::pin(async move { Ok(partner.entry.map(|_| Secret::new("made".to_owned()))) })
    }

    fn cards(&self) -> Soon<'_, Vec<PartnerCard>> {
        let cards = self.0.lock().unwrap().clone();
        Box::pin(async { cards })
    }

    fn examine(&self, _: PartyId, roles: Vec<PartnerRole>) -> Soon<'_, Result<Trial, Declined>> {
        let found = format!("{} roles", roles.len());
        let step = TrialStep { what: "TLS", held: false, found, advice: Some("Ask them to renew it.".to_owned()) };
        Box::pin(async {
            Ok(Trial { steps: vec![step], suggested: Some(Habits { raw_token: true, ..Habits::default() }) })
        })
    }

    fn accustom(&self, party: PartyId, habits: Habits) -> Soon<'_, Result<(), Declined>> {
        let mut cards = self.0.lock().unwrap();
        let card = cards.iter_mut().find(|card| card.party == party);
        let done = card.map(|card| card.habits = Some(habits)).ok_or(Declined::Unknown);
        Box::pin(async { done })
    }

    fn dismiss(&self, party: PartyId) -> Soon<'_, Result<(), Declined>> {
        let mut cards = self.0.lock().unwrap();
        let before = cards.len();
        cards.retain(|card| card.party != party);
        let done = if cards.len() < before { Ok(()) } else { Err(Declined::Unknown) };
        Box::pin(async { done })
    }
}

#[tokio::test]
async fn a_partner_is_invited_joins_is_suspended_and_removed_and_all_of_it_is_noted() {
    let world = World::new().await;
    let cookie = world.sign_in(HUB, Role::Admin, "clerk", None).await;
    let ask = |method: &str, path: &str, body: Value| {
        let request = match method {
            "POST" => post(&format!("/api/p/hub/{path}")),
            "PUT" => put(&format!("/api/p/hub/{path}")),
            "DELETE" => delete(&format!("/api/p/hub/{path}")),
            _ => get(&format!("/api/p/hub/{path}")),
        };
        let request = request.page().by(&cookie);
        let request = if body.is_null() { request } else { request.json(&body) };
        let router = &world.router;
        async move { request.send(router).await }
    };
    let wish = json!({ "party": "NL-NEW", "name": "Newcomer", "roles": ["provider"] });
    let invited = ask("POST", "partners/invitations", wish).await.ok();
    assert_eq!(
        (&invited["token"], &invited["versions_url"]),
        (&json!("token-a"), &json!("https://hub.example/ocpi/versions"))
    );
    let status = async || ask("GET", "partners", Value::Null).await.ok()["items"][0]["roles"].clone();
    assert_eq!(status().await, json!([{ "role": "provider", "status": "PLANNED" }]));
    world.hub.joined("NL-NEW".parse().unwrap()).await.unwrap();
    assert_eq!(status().await[0]["status"], "CONNECTED");

    let tried = ask("POST", "partners/NL-NEW/trial", Value::Null).await.ok();
    assert_eq!((&tried["held"], &tried["steps"][0]["found"]), (&json!(false), &json!("1 roles")));
    let habits = json!({
        "raw_token": true, "version": null, "unknown_is_ok": false,
        "times": "as written", "ids": "as written", "hashes": "either",
    });
    assert_eq!(tried["suggested"], habits);
    assert_eq!(ask("PUT", "partners/NL-NEW/habits", habits.clone()).await.status, 204);
    assert_eq!(ask("GET", "partners", Value::Null).await.ok()["items"][0]["habits"], habits);

    let one = ask("GET", "partners", Value::Null).await.ok()["items"][0].clone();
    assert_eq!(one["seen"], json!([{ "what": "ids without separators", "count": 40 }]));
    assert_eq!(one["suggested"]["ids"], "without separators", "what it has now, and what it writes itself");
    let odd = json!({ "raw_token": true, "version": null, "unknown_is_ok": false, "times": "sundial" });
    assert_eq!(ask("PUT", "partners/NL-NEW/habits", odd).await.fault().2.as_deref(), Some("/times"));

    let measure = async |name: &str| {
        let all = ask("GET", "partners/NL-NEW/measures", Value::Null).await.ok();
        all["items"].as_array().unwrap().iter().find(|one| one["measure"] == name).unwrap().clone()
    };
    let (entries, bare) = (measure("M10").await, measure("M7").await);
    assert_eq!(
        (&entries["standing"], &entries["on"], &entries["by_default"]),
        (&json!("switch"), &json!(true), &json!(true))
    );
    assert_eq!((&bare["standing"], &bare["on"]), (&json!("nothing"), &json!(false)));
    assert_eq!(bare["why"], "it concerns operators, and this partner is none");
    let turn =
        async |name: &str, on: bool| ask("PUT", &format!("partners/NL-NEW/measures/{name}"), json!({ "on": on })).await;
    assert_eq!(turn("M10", false).await.status, 204);
    assert_eq!(measure("M10").await["on"], false);
    assert_eq!(turn("M10", true).await.status, 204);
    assert_eq!(measure("M10").await["on"], true, "and back");
    assert_eq!(turn("M7", true).await.fault().0, 400);
    assert_eq!(turn("M2", false).await.fault().0, 400, "what always holds has no switch");
    assert_eq!(turn("M99", true).await.fault().0, 404);
    assert_eq!(ask("GET", "partners/NL-GON/measures", Value::Null).await.fault().0, 404);

    assert_eq!(ask("PUT", "partners/NL-NEW/standing", json!({ "suspended": true })).await.status, 204);
    assert_eq!(status().await[0]["status"], "SUSPENDED");
    world.hub.joined("NL-NEW".parse().unwrap()).await.unwrap();
    assert_eq!(status().await[0]["status"], "SUSPENDED", "whoever is suspended stays so");
    assert_eq!(ask("DELETE", "partners/NL-NEW", Value::Null).await.status, 204);
    assert_eq!(ask("DELETE", "partners/NL-NEW", Value::Null).await.fault().0, 404);
    assert_eq!(ask("PUT", "partners/NL-NEW/standing", json!({ "suspended": true })).await.fault().0, 404);
    assert_eq!(ask("GET", "partners", Value::Null).await.ok()["total"], 0);

    let new = |protocol: &str| {
        json!({
            "party": "DE-ICE", "name": "Ice", "roles": ["operator"], "protocol": protocol, "entry": "ice",
            "addresses": [{ "service": "", "url": "https://ice.example" }], "certificate": "AB:".repeat(32),
        })
    };
    let refused = ask("POST", "partners", new("carrier pigeon")).await.fault();
    assert_eq!(refused, (400, "malformed".to_owned(), Some("/protocol".to_owned())));
    assert_eq!(ask("POST", "partners", new("oicp/2.3")).await.ok()["password"], "made");
    let audit = ask("GET", "audit", Value::Null).await.ok();
    let done: Vec<_> = audit["items"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    let expected = [
        "enter partner",
        "remove partner",
        "suspend partner",
        "turn on M10 for partner",
        "turn off M10 for partner",
        "change habits",
        "invite partner",
    ];
    assert_eq!(done, expected);
}

#[tokio::test]
async fn a_party_is_registered_by_its_people_and_no_token_comes_back() {
    let world = World::new().await;
    for (slug, begin, one, body) in [
        (
            HUB,
            "partners/registrations",
            "partners/NL-NEW/registration",
            json!({ "party": "NL-NEW", "name": "N", "roles": ["operator"] }),
        ),
        (OPERATOR, "registration", "registration", Value::Null),
    ] {
        let cookie = world.sign_in(slug, Role::Admin, "anna", None).await;
        let ask = |method: &str, path: &str, body: Value| {
            let request = visit(method.parse().unwrap(), &format!("/api/p/{slug}/{path}")).page().by(&cookie);
            let request = if body.is_null() { request } else { request.json(&body) };
            let router = &world.router;
            async move { request.send(router).await }
        };
        let with = |token: &str| {
            let platform = json!({ "versions_url": "https://far.example/ocpi/versions", "token": token });
            match body.as_object() {
                Some(body) => {
                    let mut body = body.clone();
                    body.insert("platform".to_owned(), platform);
                    Value::Object(body)
                }
                None => platform,
            }
        };
        assert_eq!(ask("PUT", one, json!({})).await.fault().0, 404, "not registered yet");
        assert_eq!(ask("POST", begin, with("token-b")).await.ok()["held"], false);
        let told = ask("POST", begin, with("token-a")).await.ok();
        assert_eq!((&told["held"], told.to_string().contains("token-a")), (&json!(true), false));
        if slug == OPERATOR {
            let here = ask("GET", one, Value::Null).await.ok();
            let expected = (&json!("DE-HUB"), &json!(true), &json!("2.2.1"));
            assert_eq!((&here["party"], &here["registered"], &here["version"]), expected);
            let deeds = here["deeds"].as_array().unwrap();
            let told = |deed: &Value| (deed["by"] == "anna" && deed["what"] == "register", deed["held"].as_bool());
            let held: Vec<_> = deeds.iter().map(told).collect();
            assert_eq!(held, [(true, Some(true)), (true, Some(false))], "the newest first");
            let audit = ask("GET", "audit", Value::Null).await.ok();
            let line = &audit["items"][0];
            assert_eq!((&line["actor"], &line["action"]), (&json!("anna"), &json!("register at partner")));
            assert_eq!((&line["subject"], &line["outcome"]), (&json!("DE-HUB"), &json!("done")));
        }
        assert_eq!(ask("PUT", one, json!({})).await.ok()["held"], true);
        assert_eq!(ask("DELETE", one, Value::Null).await.ok()["held"], true);
        assert_eq!(ask("DELETE", one, Value::Null).await.fault().0, 404);
    }
}
