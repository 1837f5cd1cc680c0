//! The hub's rules, each through its desk, over a store in memory.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;

use charge::clock::{ManualClock, SeededDice};
use charge::id::{CorrelationId, LocationId, OrderId, PartyId, TariffId};
use charge::talk::road::{
    Denial, Envelope, Errand, Exchange, Fate, OrderKind, PAGE_BYTES_MAX, PageWish, Published, ReturnAddress, Way,
};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::{Secret, Timestamp};
use store::{Store, Tx};

use crate::{Event, Hub, HubFault, MIGRATIONS, PartyStatus, Role, Setup};

mod clients;
mod evses;

const UID: &str = "04A2B3C4D5E680";
const CONTRACT: &str = "DE-8AA-CK3F9Q2ZX";

struct World {
    hub: Hub,
    store: Store,
    clock: Arc<ManualClock>,
}

async fn world() -> World {
    let store = Store::in_memory(MIGRATIONS).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
    let setup = Setup { party: party("DE-HUB"), name: "Rasthof".into(), tag_key: Secret::new([7; 32]) };
    let hub = Hub::new(setup, store.clone(), clock.clone(), Arc::new(SeededDice::new(1)));
    let parties = [
        ("DE-OPA", Role::Operator, PartyStatus::Connected),
        ("DE-OPB", Role::Operator, PartyStatus::Connected),
        ("DE-8AA", Role::Provider, PartyStatus::Connected),
        ("DE-8BB", Role::Provider, PartyStatus::Connected),
        ("DE-8CC", Role::Provider, PartyStatus::Suspended),
    ];
    for (id, role, status) in parties {
        hub.register_party(party(id), role, id, status).await.unwrap();
    }
    World { hub, store, clock }
}

impl World {
    async fn route(&self, from: &str, to: &str, errand: Errand) -> Result<Way, Denial> {
        self.hub.route(envelope(from, to, errand), Some(ReturnAddress("https://p/1".into())), Some("{}".into())).await
    }

    async fn give(&self, provider: &str, uid: &str, valid: bool) -> Result<Way, Denial> {
        self.route(provider, "DE-HUB", Errand::Token { owner: party(provider), token: token(uid), valid }).await
    }

    async fn tap(&self, uid: &str) -> Result<Way, Denial> {
        self.route("DE-OPA", "", Errand::MayCharge { token: token(uid) }).await
    }

    async fn place(&self, operator: &str, id: &str, body: &str) -> Result<Way, Denial> {
        let errand = Errand::Location { owner: party(operator), id: LocationId::new(id).unwrap(), evse: None };
        self.hub.route(envelope(operator, "", errand), None, Some(body.into())).await
    }
}

fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn token(uid: &str) -> PresentedToken {
    PresentedToken::new(TokenUid::new(uid).unwrap(), TokenKind::Rfid)
}

fn envelope(from: &str, to: &str, errand: Errand) -> Envelope {
    let correlation = CorrelationId::new("c-1").unwrap();
    Envelope { from: party(from), to: to.parse().ok(), correlation, errand, bytes: 100 }
}

fn to(id: &str) -> Result<Way, Denial> {
    Ok(Way::To { party: party(id), hub_order: None })
}

#[tokio::test]
async fn a_tap_reaches_exactly_its_provider() {
    let world = world().await;
    world.give("DE-8AA", UID, true).await.unwrap();
    world.give("DE-8BB", "04FFFFFFFFFF80", true).await.unwrap();
    assert_eq!(world.tap(" 04a2b3c4d5e680").await, to("DE-8AA"));
    assert_eq!(world.tap("04FFFFFFFFFF80").await, to("DE-8BB"));
}

#[tokio::test]
async fn an_unknown_token_is_refused_without_anybody_hearing_of_it() {
    let world = world().await;
    world.give("DE-8AA", UID, true).await.unwrap();
    assert_eq!(world.tap("04000000000080").await, Err(Denial::UnknownToken));
}

#[tokio::test]
async fn a_blocked_token_is_still_asked_about_at_its_provider() {
    let world = world().await;
    world.give("DE-8AA", UID, true).await.unwrap();
    world.give("DE-8AA", UID, false).await.unwrap();
    assert_eq!(world.tap(UID).await, to("DE-8AA"));
    assert_eq!(world.hub.overview().await.unwrap().tokens_indexed, 0);
}

#[tokio::test]
async fn nobody_takes_another_providers_token_or_learns_of_it() {
    let world = world().await;
    world.give("DE-8AA", UID, true).await.unwrap();
    assert_eq!(world.give("DE-8BB", UID, true).await, Ok(Way::Kept), "the same answer as for a free token");
    assert_eq!(world.tap(UID).await, to("DE-8AA"));
    let conflicts = world.hub.conflicts().await.unwrap();
    assert_eq!(conflicts.iter().map(|row| (row.writer, row.count)).collect::<Vec<_>>(), [(party("DE-8BB"), 1)]);
    let spoofed = Errand::Token { owner: party("DE-8AA"), token: token("04111111111180"), valid: true };
    assert_eq!(world.route("DE-8BB", "DE-HUB", spoofed).await, Err(Denial::NotYours));
    assert_eq!(world.tap("04111111111180").await, Err(Denial::UnknownToken));
}

#[tokio::test]
async fn a_token_of_a_suspended_provider_goes_nowhere() {
    let world = world().await;
    world.give("DE-8BB", UID, true).await.unwrap();
    world.hub.register_party(party("DE-8BB"), Role::Provider, "B", PartyStatus::Suspended).await.unwrap();
    assert_eq!(world.tap(UID).await, Err(Denial::ReceiverUnreachable));
    assert_eq!(world.give("DE-8CC", UID, true).await, Err(Denial::NotYours));
}

#[tokio::test]
async fn an_outcome_finds_its_way_back_once_its_order_is_known() {
    let world = world().await;
    let way = world.route("DE-8AA", "DE-OPA", Errand::Order(OrderKind::Start)).await.unwrap();
    let Way::To { party: operator, hub_order: Some(hub_order) } = way else { panic!("{way:?}") };
    assert_eq!(operator, party("DE-OPA"));
    let outcome = || Errand::Outcome { hub_order: hub_order.clone() };
    let back = Way::Back { party: party("DE-8AA"), return_to: ReturnAddress("https://p/1".into()) };
    assert_eq!(world.route("DE-OPA", "", outcome()).await, Ok(back.clone()));
    assert_eq!(world.route("DE-OPA", "", outcome()).await, Ok(back), "a repeat after silence finds it as well");
    assert_eq!(world.route("DE-OPB", "", outcome()).await, Err(Denial::UnknownObject), "only who got the order");
    let invented = Errand::Outcome { hub_order: OrderId::new("invented").unwrap() };
    assert_eq!(world.route("DE-OPA", "", invented).await, Err(Denial::UnknownObject));
    world.clock.advance(Duration::from_secs(3_601));
    assert_eq!(world.route("DE-OPA", "", outcome()).await, Err(Denial::UnknownObject), "its time is over");
    world.hub.duty().await.unwrap();
    assert!(!dump(&world.store).await.contains("https://p/1"));
}

#[tokio::test]
async fn an_order_without_return_address_is_incomplete() {
    let world = world().await;
    let letter = envelope("DE-8AA", "DE-OPA", Errand::Order(OrderKind::Stop));
    assert!(matches!(world.hub.route(letter, None, None).await, Err(Denial::Incomplete(_))));
}

#[tokio::test]
async fn public_objects_are_kept_told_to_every_provider_and_paged_oldest_first() {
    let world = world().await;
    let everyone = Ok(Way::Everyone(vec![party("DE-8AA"), party("DE-8BB")]));
    for number in 0..5 {
        let id = format!("L{number}");
        assert_eq!(world.place("DE-OPA", &id, &format!("{{\"id\":\"{id}\"}}")).await, everyone);
        world.clock.advance(Duration::from_secs(10));
    }
    assert_eq!(world.place("DE-OPA", "L0", "{\"id\":\"L0\",\"new\":1}").await, everyone);
    let wish = |changed_since, offset| PageWish { changed_since, offset, limit: 2, ..PageWish::default() };
    let page = |wish| world.hub.published(party("DE-8AA"), Published::Locations, wish);
    let first = page(wish(None, 0)).await.unwrap();
    assert_eq!((first.items.len(), first.total, first.next), (2, 5, Some(2)));
    assert_eq!(&*first.items[0], "{\"id\":\"L1\"}");
    let last = page(wish(None, 4)).await.unwrap();
    assert_eq!((&*last.items[0], last.next), ("{\"id\":\"L0\",\"new\":1}", None));
    let since = Timestamp::from_secs(1_790_000_040);
    let recent = page(wish(Some(since), 0)).await.unwrap();
    assert_eq!((recent.items.len(), &*recent.items[0]), (2, "{\"id\":\"L4\"}"), "the date itself counts");
    assert_eq!(world.hub.published(party("DE-XXX"), Published::Locations, wish(None, 0)).await, Err(Denial::NotYours));
}

#[tokio::test]
async fn large_objects_arrive_over_several_pages() {
    let world = world().await;
    let large = |id: usize| format!("{{\"id\":\"L{id}\",\"directions\":\"{}\"}}", "x".repeat(500_000));
    for id in 0..9 {
        world.place("DE-OPA", &format!("L{id}"), &large(id)).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    let huge = format!("{{\"id\":\"L9\",\"directions\":\"{}\"}}", "x".repeat(PAGE_BYTES_MAX));
    world.place("DE-OPA", "L9", &huge).await.unwrap();
    let (mut arrived, mut next, mut pages) = (Vec::new(), Some(0), 0);
    while let Some(offset) = next {
        let wish = PageWish { offset, limit: 100, ..PageWish::default() };
        let page = world.hub.published(party("DE-8AA"), Published::Locations, wish).await.unwrap();
        let bytes: usize = page.items.iter().map(|item| item.len()).sum();
        assert!(bytes <= PAGE_BYTES_MAX || page.items.len() == 1, "{bytes} on a page");
        assert_eq!(page.total, 10);
        arrived.extend(page.items);
        (next, pages) = (page.next, pages + 1);
    }
    let whole: Vec<Box<str>> = (0..9).map(|id| large(id).into()).chain([huge.into()]).collect();
    assert!(arrived == whole, "each one once, in order");
    assert_eq!(pages, 4, "four, four, one and the huge one");
}

#[tokio::test]
async fn a_dropped_tariff_is_told_and_gone() {
    let world = world().await;
    let tariff = |dropped| Errand::Tariff { owner: party("DE-OPA"), id: TariffId::new("T1").unwrap(), dropped };
    world.route("DE-OPA", "", tariff(false)).await.unwrap();
    let wish = PageWish { limit: 10, ..PageWish::default() };
    assert_eq!(world.hub.published(party("DE-8AA"), Published::Tariffs, wish).await.unwrap().total, 1);
    let gone = world.hub.route(envelope("DE-OPA", "", tariff(true)), None, None).await;
    assert!(matches!(gone, Ok(Way::Everyone(_))));
    assert_eq!(world.hub.published(party("DE-8AA"), Published::Tariffs, wish).await.unwrap().total, 0);
}

#[tokio::test]
async fn a_spoofed_owner_is_refused_and_nothing_is_kept() {
    let world = world().await;
    let errand = Errand::Location { owner: party("DE-OPB"), id: LocationId::new("L1").unwrap(), evse: None };
    let refused = world.hub.route(envelope("DE-OPA", "", errand), None, Some("{\"spoofed\":1}".into())).await;
    assert_eq!(refused, Err(Denial::NotYours));
    let session = Errand::Session { owner: party("DE-OPB") };
    assert_eq!(world.route("DE-OPA", "DE-8AA", session).await, Err(Denial::NotYours));
    assert!(!dump(&world.store).await.contains("spoofed"));
}

#[tokio::test]
async fn the_ledger_counts_and_the_tables_hold_no_content() {
    let world = world().await;
    let mut events = world.hub.events();
    world.give("DE-8AA", UID, true).await.unwrap();
    let tap = || envelope("DE-OPA", "", Errand::MayCharge { token: token(UID) });
    for fate in [Fate::Delivered, Fate::Delivered, Fate::Silent] {
        world.hub.route(tap(), None, None).await.unwrap();
        world.hub.fared(&tap(), party("DE-8AA"), fate);
    }
    world.tap("04000000000080").await.unwrap_err();
    let session = || Errand::Session { owner: party("DE-OPA") };
    let secret_body = format!("{{\"uid\":\"{UID}\",\"contract\":\"{CONTRACT}\",\"place\":\"Hauptstr. 5\"}}");
    let letter = envelope("DE-OPA", "DE-8AA", session());
    let way = world.hub.route(letter.clone(), None, Some(secret_body.clone().into())).await;
    assert_eq!(way, to("DE-8AA"));
    world.hub.fared(&letter, party("DE-8AA"), Fate::Refused);
    let cdr = world.hub.route(envelope("DE-OPA", "DE-8AA", Errand::Cdr), None, Some(secret_body.into())).await;
    assert_eq!(cdr, to("DE-8AA"));
    let places: Vec<Box<str>> = (0..150).map(|n| format!("/x{n}y has no word").into()).collect();
    for what in [&places[..1], &places[..1], &places[1..]] {
        world.hub.lost(party("DE-OPA"), party("DE-8AA"), &session(), what);
    }
    world.hub.duty().await.unwrap();
    let losses = world.hub.losses().await.unwrap();
    assert_eq!(losses.len(), 100, "a bounded number");
    world.hub.lost(party("DE-OPA"), party("DE-8AA"), &session(), &[losses[0].what.clone().into()]);
    world.hub.duty().await.unwrap();
    let again = world.hub.losses().await.unwrap();
    let count = |what: &str| again.iter().find(|row| row.what == what).unwrap().count;
    assert_eq!(count(&losses[0].what), losses[0].count + 1);

    let routes = world.hub.routes().await.unwrap();
    let row = |errand: &str, to: &str| {
        let row = routes.iter().find(|row| row.errand == errand && row.to == party(to)).unwrap();
        (row.count, row.bytes, row.failures)
    };
    assert_eq!(row("may charge", "DE-8AA"), (3, 300, 1));
    assert_eq!(row("may charge", "DE-HUB"), (1, 100, 1), "the unknown token went no further");
    assert_eq!(row("session", "DE-8AA"), (1, 100, 1));
    assert_eq!(row("token", "DE-HUB"), (1, 100, 0));
    let overview = world.hub.overview().await.unwrap();
    assert_eq!((overview.parties, overview.operators, overview.providers), (5, 2, 3));
    assert_eq!((overview.tokens_indexed, overview.letters_today, overview.failures_today), (1, 6, 3));
    let series = world.hub.route_series(party("DE-OPA"), party("DE-8AA"), "may charge").await.unwrap();
    assert_eq!(series.iter().map(|point| point.count).collect::<Vec<_>>(), [3]);
    let seen = world.hub.parties().await.unwrap().into_iter().find(|row| row.party == party("DE-OPA")).unwrap();
    assert!(seen.last_seen.is_some());
    let told = std::iter::from_fn(|| events.try_recv().ok()).any(|event| matches!(event, Event::Route { .. }));
    assert!(told);

    let everything = dump(&world.store).await.to_uppercase();
    let uid_hex: String = UID.bytes().map(|byte| format!("{byte:02X}")).collect();
    for secret in [UID, &uid_hex, CONTRACT, "HAUPTSTR", "K3F9Q2ZX"] {
        assert!(!everything.contains(secret), "{secret} is in the hub's tables");
    }
    assert!(everything.contains("DE-8AA"), "the dump does see the tables");
}

#[tokio::test]
async fn volumes_survive_a_failed_batch() {
    let world = world().await;
    let letter = envelope("DE-OPA", "DE-8AA", Errand::Cdr);
    world.hub.fared(&letter, party("DE-8AA"), Fate::Delivered);
    let hide = |tx: &mut Tx<'_>, sql: &str| tx.execute(sql, &[]).map(drop).map_err(HubFault::from);
    world.store.run("test", move |tx| hide(tx, "ALTER TABLE hub_volume RENAME TO hidden")).await.unwrap();
    world.hub.duty().await.unwrap_err();
    world.store.run("test", move |tx| hide(tx, "ALTER TABLE hidden RENAME TO hub_volume")).await.unwrap();
    world.hub.duty().await.unwrap();
    assert_eq!(world.hub.routes().await.unwrap()[0].count, 1);
}

/// Every column of every table as text; bytes as hex digits.
async fn dump(store: &Store) -> String {
    let read = store.read::<_, HubFault>("test.dump", |tx| {
        let tables = tx.query("SELECT name FROM sqlite_master WHERE type = 'table'", &[], |row| row.text(0))?;
        let mut all = String::new();
        for table in tables {
            let columns =
                tx.query(&format!("SELECT name FROM pragma_table_info('{table}')"), &[], |row| row.text(0))?;
            for column in columns {
                let sql = format!(
                    "SELECT COALESCE(CASE typeof({column}) WHEN 'blob' THEN hex({column})
                    ELSE CAST({column} AS TEXT) END, '') FROM {table}"
                );
                all.extend(tx.query(&sql, &[], |row| row.text(0))?);
                all.push('\n');
            }
        }
        Ok(all)
    });
    read.await.unwrap()
}

#[tokio::test]
async fn one_object_is_found_by_owner_and_a_status_renews_the_copy() {
    let world = world().await;
    world.place("DE-OPA", "L1", "{\"id\":\"L1\",\"v\":1}").await.unwrap();
    let one = |asker: &str, owner: Option<&str>| {
        let id = "L1".into();
        world.hub.published_one(party(asker), Published::Locations, owner.map(party), id)
    };
    assert_eq!(one("DE-8AA", None).await.as_deref(), Ok("{\"id\":\"L1\",\"v\":1}"));
    assert_eq!(one("DE-8AA", Some("DE-OPB")).await, Err(Denial::UnknownObject));
    assert_eq!(one("DE-XXX", None).await, Err(Denial::NotYours));
    world.place("DE-OPB", "L1", "{\"id\":\"L1\",\"other\":1}").await.unwrap();
    assert_eq!(one("DE-8AA", None).await, Err(Denial::UnknownObject), "whose is meant?");
    let status = Errand::Location {
        owner: party("DE-OPA"),
        id: LocationId::new("L1").unwrap(),
        evse: Some(charge::id::EvseUid::new("E1").unwrap()),
    };
    let letter = envelope("DE-OPA", "", status);
    world.hub.route(letter.clone(), None, Some("{\"id\":\"L1\",\"v\":2}".into())).await.unwrap();
    assert_eq!(one("DE-8AA", Some("DE-OPA")).await.as_deref(), Ok("{\"id\":\"L1\",\"v\":2}"));
    world.hub.route(letter, None, None).await.unwrap();
    assert_eq!(one("DE-8AA", Some("DE-OPA")).await.as_deref(), Ok("{\"id\":\"L1\",\"v\":2}"), "passed on, not kept");
}

#[tokio::test]
async fn what_concerns_two_named_parties_passes_and_everybody_sees_who_is_there() {
    let world = world().await;
    let fetch = || Errand::Passing(charge::talk::road::Passing::Fetch);
    assert_eq!(world.route("DE-8AA", "DE-OPA", fetch()).await, to("DE-OPA"));
    assert_eq!(world.route("DE-OPA", "DE-8AA", fetch()).await, to("DE-8AA"));
    assert_eq!(world.route("DE-8AA", "", fetch()).await, Err(Denial::UnknownReceiver));
    assert_eq!(world.route("DE-XXX", "DE-8AA", fetch()).await, Err(Denial::NotYours));
    let wish = PageWish { limit: 2, ..PageWish::default() };
    let page = world.hub.clients(party("DE-8AA"), wish).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, Some(2)));
    assert_eq!(&*page.items[0].role, "CPO");
    assert_eq!(world.hub.clients(party("DE-XXX"), wish).await, Err(Denial::NotYours));
}

#[tokio::test]
async fn an_owner_fills_its_share_and_no_more_and_what_is_dropped_makes_room() {
    use crate::memory::public::{drop_one, put};

    let world = world().await;
    let now = Timestamp::from_secs(1_790_000_000);
    let run = world.store.run::<_, HubFault>("test", move |tx| {
        let owner = party("DE-OPA");
        let mut fits = |id: &str| Ok::<_, HubFault>(put(tx, Published::Tariffs, (owner, id), "{}", (now, 2))?);
        let first = [fits("a")?, fits("b")?, fits("c")?, fits("b")?];
        let other = put(tx, Published::Locations, (owner, "a"), "{}", (now, 2))?;
        drop_one(tx, Published::Tariffs, owner, "a")?;
        drop_one(tx, Published::Tariffs, owner, "a")?;
        let mut fits = |id: &str| Ok::<_, HubFault>(put(tx, Published::Tariffs, (owner, id), "{}", (now, 2))?);
        Ok((first, other, [fits("c")?, fits("a")?]))
    });
    assert_eq!(run.await.unwrap(), ([true, true, false, true], true, [true, false]));
}
