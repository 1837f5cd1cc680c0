//! Templates, lists, reservations, denials, the expert call, and the running cost.

use std::time::Duration;

use charge::id::TransactionKey;
use charge::talk::line::model::{Attribute, ModelNews, ReportRow};
use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationEnd, ReservationOrder};
use charge::talk::line::{
    Boot, ConnectionNo, Desk, Entry, Foreign, FromStation, Heard, LineFault, ResetKind, Setting, StationAnswer,
    ToStation, Version, Written,
};
use charge::token::Allowed;

use super::world::{CARD, START, World, at, card, no, provider, start_report, station};
use crate::desk::DenialFilter;
use crate::drift::{MeantFor, Offline, Template, offline_rules};
use crate::explain::Denied;
use crate::order::{Outcome, StationOrder};
use crate::reservation::State;
use crate::service::Fault;
use crate::service::reservations::NewReservation;
use crate::whitelist::Place;

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.into(), value: Some(value.into()), read_only: false }
}

fn answer(world: &World, answers: impl IntoIterator<Item = Result<StationAnswer, LineFault>>) {
    world.line.answers.lock().unwrap().extend(answers);
}

fn settings(known: &[(&str, &str)]) -> Result<StationAnswer, LineFault> {
    let known = known.iter().map(|(key, value)| setting(key, value)).collect();
    Ok(StationAnswer::Settings { known, unknown: Vec::new() })
}

fn template(after_boot: bool) -> Template {
    let values = vec![("HeartbeatInterval".into(), "300".into()), ("StopOnUnplug".into(), "true".into())];
    Template { name: "house".to_owned(), meant_for: MeantFor::default(), values, after_boot }
}

#[tokio::test]
async fn drift_is_shown_accepted_and_applied() {
    let world = World::new().await;
    world.operator.put_template("ada", template(false)).await.unwrap();
    answer(&world, [settings(&[("HeartbeatInterval", "60"), ("StopOnUnplug", "false")])]);
    world.operator.order("ada", &station(), StationOrder::ReadSettings { keys: vec![] }).await.unwrap();
    let drift = world.operator.drift(&station()).await.unwrap();
    assert_eq!(drift[0].differences.len(), 2);
    world.operator.accept_drift("ada", &station(), "house", "StopOnUnplug").await.unwrap();
    let written = vec![("HeartbeatInterval".into(), Written::Accepted)];
    answer(&world, [Ok(StationAnswer::Written(written)), settings(&[("HeartbeatInterval", "300")])]);
    let came = world.operator.apply_template("ada", &station(), "house").await.unwrap();
    assert_eq!(came.outcome, Outcome::Accepted);
    let drift = world.operator.drift(&station()).await.unwrap();
    assert!(drift[0].differences.iter().all(|one| one.accepted) && drift[0].differences.len() == 1);
    assert!(world.operator.drifting().await.unwrap().is_empty(), "what was accepted is no drift");
    let again = world.operator.apply_template("ada", &station(), "house").await;
    assert!(matches!(again, Err(Fault::Conflict(_))));
    let secret = Template { values: vec![("AuthorizationKey".into(), "x".into())], ..template(false) };
    assert!(matches!(world.operator.put_template("ada", secret).await, Err(Fault::Invalid { path: "/values", .. })));
}

#[tokio::test]
async fn a_template_is_applied_after_a_boot_and_never_before_its_answer() {
    let world = World::new().await;
    world.operator.put_template("ada", template(true)).await.unwrap();
    let told = || world.line.told.lock().unwrap().len();
    let before = told();
    world.say(FromStation::Boot(Boot::default())).await.unwrap();
    world.rounds().await;
    assert_eq!(told(), before, "not before the answer is out");
    world.clock.advance(Duration::from_secs(11));
    answer(&world, [settings(&[("HeartbeatInterval", "60"), ("StopOnUnplug", "true")])]);
    answer(&world, [Ok(StationAnswer::Written(vec![("HeartbeatInterval".into(), Written::Accepted)]))]);
    world.rounds().await;
    let last = world.line.told.lock().unwrap().last().cloned();
    assert!(matches!(last, Some(ToStation::WriteSettings { values }) if values.len() == 1));
    assert!(world.operator.drift(&station()).await.unwrap()[0].differences.is_empty());
}

#[tokio::test]
async fn what_a_report_said_cannot_be_written_is_not_written_after_a_boot() {
    let world = World::new().await;
    let entry = Entry { station: station(), version: Version::V201, quirks: charge::talk::line::quirk::Quirks::USUAL };
    world.operator.arrived(&entry, ConnectionNo(2)).await;
    let row = |variable: &str, read_only| ReportRow {
        variable: variable.into(),
        attribute: Attribute::Actual,
        value: Some("60".into()),
        read_only,
        write_only: false,
        persistent: true,
        characteristics: None,
    };
    let rows = vec![row("C.Fixed", true), row("C.Free", false)];
    let part = charge::talk::line::document::Part { request: 1, seq: 0, more: false };
    world.say(FromStation::Model(ModelNews::Report { part, at: START, rows })).await.unwrap();
    let wanted = |name: &str, free: &str| Template {
        name: name.to_owned(),
        values: vec![("C.Fixed".into(), "300".into()), ("C.Free".into(), free.into())],
        ..template(true)
    };
    for (name, free) in [("a", "300"), ("b", "900")] {
        world.operator.put_template("ada", wanted(name, free)).await.unwrap();
    }
    world.say(FromStation::Boot(Boot::default())).await.unwrap();
    world.clock.advance(Duration::from_secs(11));
    answer(&world, [settings(&[("C.Fixed", "60"), ("C.Free", "60")])]);
    answer(&world, [Ok(StationAnswer::Written(vec![("C.Free".into(), Written::Accepted)]))]);
    world.rounds().await;
    let last = world.line.told.lock().unwrap().last().cloned();
    let Some(ToStation::WriteSettings { values }) = last else { panic!("{last:?}") };
    let values: Vec<_> = values.iter().map(|(key, value)| (&**key, &**value.expose())).collect();
    assert_eq!(values, [("C.Free", "300")], "once, as the first template wants it");
}

#[test]
fn by_default_nobody_starts_offline() {
    for version in [Version::V16, Version::V201] {
        let rules = offline_rules(version, Offline::Nobody);
        assert!(rules.iter().all(|(_, value)| &**value == "false"), "{rules:?}");
        assert!(offline_rules(version, Offline::Listed).iter().any(|(_, value)| &**value == "true"));
    }
}

#[tokio::test]
async fn a_list_is_sent_whole_then_in_changes_and_whole_again_after_a_doubt() {
    let world = World::new().await;
    let until = at(60 * 24);
    world.operator.list_token("ada", &station(), card(CARD), until).await.unwrap();
    let sent = || match world.line.told.lock().unwrap().last().cloned() {
        Some(ToStation::List(ListOrder::Send { version, full, entries })) => (version, full, entries.len()),
        other => panic!("{other:?}"),
    };
    answer(&world, [Ok(StationAnswer::Number(0))]);
    world.operator.update_list("ada", &station(), false).await.unwrap();
    assert_eq!(sent(), (1, true, 1));
    world.operator.list_token("ada", &station(), card("04BBBBBB"), until).await.unwrap();
    answer(&world, [Ok(StationAnswer::Number(1))]);
    world.operator.update_list("ada", &station(), false).await.unwrap();
    assert_eq!(sent(), (2, false, 1));
    let entry = world.operator.token_list(&station()).await.unwrap().entries[0].id.clone();
    world.operator.unlist_token("ada", &station(), &entry).await.unwrap();
    answer(&world, [Ok(StationAnswer::Number(2)), Ok(StationAnswer::Refused("VersionMismatch".into()))]);
    let refused = world.operator.update_list("ada", &station(), false).await.unwrap();
    assert_eq!(refused.outcome, Outcome::Refused);
    let removal = world.line.told.lock().unwrap().last().cloned();
    let Some(ToStation::List(ListOrder::Send { full: false, entries, .. })) = removal else { panic!("{removal:?}") };
    let bare = |entry: &ListEntry| entry.verdict.is_none() && entry.until.is_none() && entry.group.is_none();
    assert!(entries.len() == 1 && entries.iter().all(bare), "1.6 has no removal with an end");
    answer(&world, [Ok(StationAnswer::Number(2))]);
    world.operator.update_list("ada", &station(), false).await.unwrap();
    assert_eq!(sent(), (3, true, 1));
    let list = world.operator.token_list(&station()).await.unwrap();
    assert_eq!((list.version, list.uncertain, list.entries.len()), (3, false, 1));
    assert_eq!(list.entries[0].place, Place::There);
    assert!(!String::from_utf8_lossy(&world.dump().await).contains(CARD), "cards are sealed");
    world.clock.advance(Duration::from_secs(25 * 3_600));
    world.rounds().await;
    assert_eq!(world.operator.token_list(&station()).await.unwrap().entries[0].place, Place::Leaving);
}

#[tokio::test]
async fn a_station_without_a_list_is_sent_none() {
    let world = World::new().await;
    world.operator.list_token("ada", &station(), card(CARD), at(60)).await.unwrap();
    answer(&world, [Ok(StationAnswer::Number(-1))]);
    let came = world.operator.update_list("ada", &station(), false).await.unwrap();
    assert_eq!((came.outcome, came.message.as_str()), (Outcome::Refused, "the station keeps no list"));
    let never = world.operator.list_token("ada", &station(), card(CARD), at(60 * 24 * 400)).await;
    assert!(matches!(never, Err(Fault::Invalid { path: "/until", .. })));
}

fn wanted() -> NewReservation {
    let giver = Some((provider(), "R-1".to_owned()));
    NewReservation { station: station(), evse: Some(no()), token: card(CARD), until: at(30), giver }
}

#[tokio::test]
async fn a_reservation_is_held_used_and_found_by_its_giver() {
    let world = World::new().await;
    let (held, came) = world.operator.reserve("ada", wanted()).await.unwrap();
    assert_eq!((held.state, came.outcome), (State::Held, Outcome::Accepted));
    let (again, _) = world.operator.reserve("ada", wanted()).await.unwrap();
    assert_eq!(again.id, held.id, "the same name is the same reservation");
    let found = world.operator.reservation_given(provider(), "R-1").await.unwrap().unwrap();
    assert_eq!(found.id, held.id);
    let mut start = start_report(card(CARD), START, 1_000);
    start.reservation = Some(held.id);
    world.say(FromStation::Transaction(start)).await.unwrap();
    let used = world.operator.reservations(Some(station()), 10).await.unwrap().remove(0);
    assert_eq!(used.state, State::Used);
    assert_eq!(used.session, Some(world.only_session().await.card.id));
    let gone = world.operator.cancel_reservation("ada", held.id).await;
    assert!(matches!(gone, Err(Fault::Conflict(_))));
    assert!(!String::from_utf8_lossy(&world.dump().await).contains(CARD));
    world.clock.advance(Duration::from_secs(61 * 86_400));
    world.rounds().await;
    assert!(world.operator.reservations(None, 10).await.unwrap().is_empty(), "what is long over is forgotten");
}

#[tokio::test]
async fn a_reservation_that_is_wanted_again_is_what_the_station_last_took() {
    let world = World::new().await;
    let later = || NewReservation { until: at(60), evse: None, ..wanted() };
    let (held, _) = world.operator.reserve("ada", wanted()).await.unwrap();
    answer(&world, [Err(LineFault::NotConnected)]);
    let (still, came) = world.operator.reserve("ada", later()).await.unwrap();
    assert_eq!((still.state, came.outcome), (State::Held, Outcome::NotConnected));
    assert_eq!((still.until, still.evse), (at(30), Some(no())), "the station holds what it took");
    answer(&world, [Ok(StationAnswer::Refused("Occupied".into()))]);
    let (still, _) = world.operator.reserve("ada", later()).await.unwrap();
    assert_eq!((still.state, still.until), (State::Held, at(30)));
    answer(&world, [Err(LineFault::TimedOut)]);
    let (unsure, _) = world.operator.reserve("ada", later()).await.unwrap();
    assert_eq!((unsure.state, unsure.until, unsure.evse), (State::Held, at(60), Some(no())));
    let (renewed, _) = world.operator.reserve("ada", later()).await.unwrap();
    assert_eq!((renewed.id, renewed.state, renewed.until, renewed.evse), (held.id, State::Held, at(60), None));
    let (cancelled, _) = world.operator.cancel_reservation("ada", held.id).await.unwrap();
    assert_eq!(cancelled.state, State::Cancelled);
    let told = world.line.told.lock().unwrap().len();
    let again = world.operator.reserve("ada", later()).await;
    assert!(matches!(again, Err(Fault::Conflict(_))), "an end is final");
    assert_eq!(world.line.told.lock().unwrap().len(), told, "and the station hears nothing of it");
}

#[tokio::test]
async fn a_reservation_ends_by_refusal_cancelling_expiry_or_the_stations_word() {
    let world = World::new().await;
    let mine = || NewReservation { giver: None, ..wanted() };
    answer(&world, [Ok(StationAnswer::Refused("Occupied".into()))]);
    let (refused, _) = world.operator.reserve("ada", mine()).await.unwrap();
    assert_eq!((refused.state, refused.why.as_deref()), (State::Refused, Some("the station answered Occupied")));
    let (held, _) = world.operator.reserve("ada", mine()).await.unwrap();
    let (cancelled, _) = world.operator.cancel_reservation("ada", held.id).await.unwrap();
    assert_eq!(cancelled.state, State::Cancelled);
    let last = world.line.told.lock().unwrap().last().cloned();
    assert!(matches!(last, Some(ToStation::Reservation(ReservationOrder::Cancel { id })) if id == held.id));
    let (told, _) = world.operator.reserve("ada", mine()).await.unwrap();
    world.say(FromStation::Reservation { id: told.id, end: ReservationEnd::Removed }).await.unwrap();
    answer(&world, [Err(LineFault::TimedOut)]);
    let (unsure, _) = world.operator.reserve("ada", mine()).await.unwrap();
    assert_eq!(unsure.state, State::Asked, "it may have taken it");
    world.clock.set(at(31));
    world.rounds().await;
    let all = world.operator.reservations(None, 10).await.unwrap();
    let state = |id| all.iter().find(|one| one.id == id).map(|one| one.state);
    assert_eq!(state(told.id), Some(State::Removed));
    assert_eq!(state(unsure.id), Some(State::Expired));
    let late = world.operator.reserve("ada", mine()).await;
    assert!(matches!(late, Err(Fault::Invalid { path: "/until", .. })));
}

#[tokio::test]
async fn every_denial_is_there_with_its_reason_and_no_card() {
    let world = World::new().await;
    world.refused(world.knock("CP-1", "wrong")).await;
    assert_eq!(world.tap("04FFFFFF").await, Allowed::Unknown);
    answer(&world, [Ok(StationAnswer::Refused("Rejected".into()))]);
    world.operator.order("ada", &station(), StationOrder::Reset(ResetKind::Hard)).await.unwrap();
    let filter = DenialFilter { station: Some("CP-1".to_owned()), limit: 10 };
    let denials = world.operator.denials(filter).await.unwrap();
    let kinds: Vec<_> = denials
        .iter()
        .map(|one| match one.denied {
            Denied::Knock { .. } => "knock",
            Denied::Tap { .. } => "tap",
            Denied::Order { .. } => "order",
        })
        .collect();
    for kind in ["knock", "tap", "order"] {
        assert_eq!(kinds.iter().filter(|one| **one == kind).count(), 1, "{kinds:?}");
    }
    let tap = denials.iter().find(|one| matches!(one.denied, Denied::Tap { .. })).unwrap();
    assert!(tap.explanation.what.contains("No provider"));
    assert!(!String::from_utf8_lossy(&world.dump().await).contains("04FFFFFF"));
}

#[tokio::test]
async fn an_expert_call_gives_the_raw_answer_and_audits_no_value() {
    let world = World::new().await;
    let call = |action: &str| Foreign { action: action.into(), body: r#"{"idTag":"04A2B3C4"}"#.into() };
    let body = r#"{"status":"Accepted"}"#;
    answer(&world, [Ok(StationAnswer::Foreign(Foreign { action: "X".into(), body: body.into() }))]);
    let told = world.operator.expert("ada", &station(), call("Authorize"), r#"{"idTag":"…"}"#).await.unwrap();
    assert_eq!(told.answer.as_deref(), Ok(body));
    answer(&world, [Err(LineFault::Error { code: "NotImplemented".into(), description: "no".into() })]);
    let told = world.operator.expert("ada", &station(), call("Dance"), "{}").await.unwrap();
    assert_eq!(told.answer.unwrap_err().code.as_deref(), Some("NotImplemented"));
    let audit = world.operator.audit(10).await.unwrap();
    for (at, outcome) in [(2, "accepted"), (3, "sent")] {
        assert_eq!((audit[at].action.as_str(), audit[at].outcome.as_str()), ("expert call", outcome));
        assert!(audit[at].subject.contains(r#"{"idTag":"…"}"#));
    }
    assert!(!String::from_utf8_lossy(&world.dump().await).contains("04A2B3C4"));
    let bad = world.operator.expert("ada", &station(), call("Reset\n"), "{}").await;
    assert!(matches!(bad, Err(Fault::Invalid { path: "/action", .. })));
}

#[tokio::test]
async fn only_a_station_that_shows_a_cost_is_told_one() {
    let world = World::new().await;
    let event = |seq: u32, stage, minutes| {
        let mut report = start_report(card(CARD), at(minutes), 1_000 + i64::try_from(minutes).unwrap() * 100);
        report.key = Some(TransactionKey::Text("T-1".into()));
        (report.stage, report.seq) = (stage, Some(seq));
        FromStation::Transaction(report)
    };
    let cost = |heard| match heard {
        Ok(Heard::Transaction { cost, .. }) => cost,
        other => panic!("{other:?}"),
    };
    use charge::talk::line::Stage::{Started, Updated};
    assert_eq!(cost(world.say(event(0, Started, 0)).await), None, "1.6 has no place for it");
    let entry = Entry { station: station(), version: Version::V201, quirks: charge::talk::line::quirk::Quirks::USUAL };
    world.operator.arrived(&entry, ConnectionNo(2)).await;
    assert_eq!(cost(world.say(event(1, Updated, 5)).await), None, "it does not say that it shows one");
    let known = vec![setting("TariffCostCtrlr.Enabled[Cost]", "true")];
    answer(&world, [Ok(StationAnswer::Settings { known, unknown: Vec::new() })]);
    world.operator.order("ada", &station(), StationOrder::ReadSettings { keys: vec![] }).await.unwrap();
    world.operator.arrived(&entry, ConnectionNo(3)).await;
    world.clock.set(at(10));
    let told = cost(world.say(event(2, Updated, 10)).await);
    let page = world.only_session().await;
    let (price, _) = page.card.cost.unwrap();
    assert_eq!(told, Some(price.with_vat.unwrap_or(price.before_vat)));
}

#[tokio::test]
async fn comings_and_goings_that_wait_together_keep_their_order() {
    let world = World::new().await;
    let entry = Entry { station: station(), version: Version::V16, quirks: charge::talk::line::quirk::Quirks::USUAL };
    let away = async || {
        let left = |tx: &store::Tx<'_>| {
            tx.one("SELECT COUNT(*) FROM operator_stations WHERE left_at IS NOT NULL", &[], |row| row.int(0))
        };
        world.store.read::<_, store::StoreError>("left", left).await.unwrap()
    };
    let (here, name) = (&world.operator, station());
    tokio::join!(here.arrived(&entry, ConnectionNo(4)), here.left(&name, ConnectionNo(4), "test"));
    assert_eq!(away().await, Some(0), "they wait for whatever is done next");
    world.operator.duty().await;
    assert_eq!(away().await, Some(1));
    tokio::join!(
        here.arrived(&entry, ConnectionNo(5)),
        here.left(&name, ConnectionNo(5), "test"),
        here.arrived(&entry, ConnectionNo(6)),
    );
    // whatever is read sees them
    assert_eq!(world.operator.denials(DenialFilter { station: None, limit: 1 }).await.unwrap().len(), 0);
    assert_eq!(away().await, Some(0));
    here.left(&name, ConnectionNo(6), "test").await;
    here.keep_passages().await;
    assert_eq!(away().await, Some(1));
}

#[tokio::test]
async fn a_reader_that_refuses_without_end_writes_one_row_a_batch() {
    let world = World::new().await;
    for _ in 0..20 {
        world.tap("04FFFFFF").await;
    }
    let all = || DenialFilter { station: None, limit: 100 };
    assert_eq!(world.operator.denials(all()).await.unwrap().len(), 1);
    world.tap("04FFFFFF").await;
    assert_eq!(world.operator.denials(all()).await.unwrap().len(), 2, "and the next batch one more");
}

#[tokio::test]
async fn a_station_of_2_1_hears_the_price_at_the_tap_and_the_limits_once() {
    // proves: ocpp-2.1 I01.FR.01, I01.FR.02, I08.FR.01, E16.FR.02, E16.FR.11, E16.FR.12, C17.FR.03
    use charge::talk::line::terms::{CostDetails, CostKind, Terms};
    let world = World::new().await;
    let priced = charge::tariff::Tariff { text: Some("50 cents".to_owned()), ..super::world::tariff("0.50") };
    world.operator.put_tariff("ada", priced).await.unwrap();
    let entry = Entry { station: station(), version: Version::V21, quirks: charge::talk::line::quirk::Quirks::USUAL };
    world.operator.arrived(&entry, ConnectionNo(2)).await;
    assert_eq!(world.tap(CARD).await, charge::token::Allowed::Yes, "it does not say that it shows anything");
    let known = vec![
        setting("TariffCostCtrlr.Enabled[Tariff]", "true"),
        setting("TxCtrlr.SupportedLimits", "maxEnergy,maxCost"),
    ];
    answer(&world, [Ok(StationAnswer::Settings { known, unknown: Vec::new() })]);
    world.operator.order("ada", &station(), StationOrder::ReadSettings { keys: vec![] }).await.unwrap();
    world.operator.arrived(&entry, ConnectionNo(3)).await;
    let tap = FromStation::Tap(charge::talk::line::Tap { token: card(CARD), contract: None });
    let Ok(Heard::Offered { verdict, offer }) = world.say(tap).await else { panic!() };
    assert_eq!(verdict.allowed, charge::token::Allowed::Yes);
    assert_eq!(&*offer.words.unwrap().text, "50 cents");
    assert_eq!(offer.tariff.unwrap().id, super::world::tariff("0.50").id);
    // whoever pays gives at most two kilowatt-hours
    world.operator.arrived(&entry, ConnectionNo(4)).await;
    let capped =
        charge::token::Verdict { energy_cap: Some(charge::units::Energy::from_wh(2_000)), ..super::world::yes() };
    let other = || {
        charge::token::PresentedToken::new(
            charge::token::TokenUid::new("04BBBBBB").unwrap(),
            charge::token::TokenKind::Rfid,
        )
    };
    world.road.next.lock().unwrap().push_back(Ok(charge::talk::road::Answer::May(capped)));
    let event = |seq: u32, stage, minutes, token: bool| {
        let mut report = start_report(other(), at(minutes), 1_000 + i64::try_from(minutes).unwrap() * 100);
        report.key = Some(TransactionKey::Text("T-1".into()));
        (report.stage, report.seq) = (stage, Some(seq));
        report.token = report.token.filter(|_| token);
        report
    };
    use charge::talk::line::Stage::{Ended, Started, Updated};
    let limits = |heard| match heard {
        Ok(Heard::Transaction { advice, .. }) => advice.and_then(|advice| advice.limits),
        other => panic!("{other:?}"),
    };
    let told = limits(world.say(FromStation::Transaction(event(0, Started, 0, true))).await).unwrap();
    assert_eq!((told.energy.map(charge::units::Energy::wh), told.cost), (Some(2_000), None));
    assert!(limits(world.say(FromStation::Transaction(event(1, Updated, 5, false))).await).is_none(), "once");
    // what the station worked out is compared with what is billed
    let net = |amount: &str| charge::money::Price { before_vat: amount.parse().unwrap(), with_vat: None };
    let theirs = CostDetails {
        currency: "EUR".parse().unwrap(),
        kind: CostKind::Normal,
        fixed: None,
        energy: None,
        charging: None,
        idle: None,
        total: net("99"),
        delivered: charge::units::Energy::from_wh(1_000),
        charging_seconds: 600,
        idle_seconds: 0,
        periods: Vec::new(),
        failure: None,
    };
    world.clock.set(at(10));
    let mut end = event(2, Ended, 10, false);
    end.terms = Some(Box::new(Terms { cost: Some(Box::new(theirs)), ..Terms::default() }));
    world.say(FromStation::Transaction(end)).await.unwrap();
    let page = world.only_session().await;
    assert!(
        page.card.flags.iter().any(|flag| flag.starts_with("the station came to 99 and the tariff to")),
        "{page:?}"
    );
}
