//! A member of a platform renews by itself, keeps what was done, and what does not hold costs nothing.

use charge::clock::ManualClock;
use charge::talk::member::{DeedKind, Membership, Standing};
use charge::talk::partner::Reception;

use super::envoy::{beginning, credentials, end, foreign, newcomer};
use super::reception::open;
use super::*;
use crate::road::{Book, Envoy, Member};

const DAY: Duration = Duration::from_secs(86_400);

fn member(us: &super::envoy::Newcomer, at: &str, every: Option<Duration>) -> (Member, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let book: Arc<Book> = Arc::clone(&us.book);
    let envoy = Envoy::new(us.own.clone(), Arc::clone(&book), clock.clone(), Arc::new(SystemDice));
    (Member::new((envoy, book), us.store.clone(), party(at), every, clock.clone()), clock)
}

fn done(standing: &Standing) -> Vec<(Option<&str>, DeedKind, bool)> {
    standing.deeds.iter().map(|deed| (deed.by.as_deref(), deed.what, deed.fault.is_none())).collect()
}

#[tokio::test]
async fn a_registration_is_renewed_when_it_is_old_and_not_before() {
    let hub = open().await;
    let us = newcomer(&hub.server, &hub.tls).await;
    let (member, clock) = member(&us, "DE-HUB", Some(30 * DAY));
    member.duty().await.unwrap();
    let standing = member.standing().await.unwrap();
    assert_eq!((standing.registered, standing.renews, standing.deeds.len()), (None, None, 0), "nobody to go to");

    let invited = hub.desk.invite(us.own.party, true).await.unwrap();
    let told = member.register("anna", beginning("DE-HUB", &hub.base, invited.token.expose())).await.unwrap();
    assert_eq!(end(&told), ("New token", true, "is welcome"));
    let kept = async || us.book.peer(party("DE-HUB")).await.unwrap().token_out().expose().clone();
    let first = kept().await;
    let due = clock.now().plus(30 * DAY);
    assert_eq!(member.standing().await.unwrap().renews, Some(due));

    clock.set(due.minus(DAY));
    member.duty().await.unwrap();
    assert_eq!(kept().await, first, "not before it is time");
    clock.set(due);
    member.duty().await.unwrap();
    assert_ne!(kept().await, first);
    let standing = member.standing().await.unwrap();
    assert_eq!(done(&standing), [(None, DeedKind::Renew, true), (Some("anna"), DeedKind::Register, true)]);
    assert_eq!((standing.renews, standing.configured), (Some(due.plus(30 * DAY)), false));

    let told = member.leave("anna").await.unwrap();
    assert_eq!(end(&told).0, "Withdrawal");
    clock.advance(60 * DAY);
    member.duty().await.unwrap();
    assert_eq!(member.standing().await.unwrap().deeds[0].what, DeedKind::Leave, "whoever left does not come back");
}

#[tokio::test]
async fn a_renewal_that_fails_is_kept_and_shown_and_tried_again_after_a_while() {
    let (server, tls) = trusting();
    let us = newcomer(&server, &tls).await;
    let (base, manner, given, _stop) = foreign(&server).await;
    let (member, clock) = member(&us, "NL-FAR", Some(30 * DAY));
    let says = |http: u16, body: String| *manner.lock().unwrap() = (http, body);
    says(200, credentials(&base, "first", "FAR"));
    member.register("anna", beginning("NL-FAR", &base, "a")).await.unwrap();
    says(405, String::new());
    clock.advance(30 * DAY);
    member.duty().await.unwrap();
    let standing = member.standing().await.unwrap();
    let failed = standing.failed_renewal().unwrap();
    assert_eq!((failed.at, failed.by.as_deref()), (clock.now(), None));
    let fault = failed.fault.as_ref().unwrap();
    assert!(fault.found.contains("HTTP 405") && fault.advice.is_some(), "{fault:?}");
    assert_eq!(us.book.peer(party("NL-FAR")).await.unwrap().token_out().expose(), "first", "and nothing was lost");

    let offered = || given.lock().unwrap().len();
    let before = offered();
    member.duty().await.unwrap();
    assert_eq!(offered(), before, "their people need a while");
    says(200, credentials(&base, "second", "FAR"));
    clock.set(standing.renews.unwrap());
    member.duty().await.unwrap();
    assert_eq!(us.book.peer(party("NL-FAR")).await.unwrap().token_out().expose(), "second");
    assert_eq!(member.standing().await.unwrap().failed_renewal(), None);
}

#[tokio::test]
async fn tokens_of_the_configuration_stay_until_somebody_exchanges_them() {
    let (server, tls) = trusting();
    let us = newcomer(&server, &tls).await;
    let (base, manner, _given, _stop) = foreign(&server).await;
    *manner.lock().unwrap() = (200, credentials(&base, "second", "FAR"));
    let far = beginning("NL-FAR", &base, "first");
    let peer = Peer {
        party: far.party,
        name: "Far".to_owned(),
        versions_url: far.versions_url,
        token_out: far.token,
        tls: Arc::clone(&tls),
    };
    let quirks = Quirks { local: true, ..Quirks::default() };
    let way = Neighbour::new(peer, RoadLimits::default(), Arc::new(SystemDice)).unwrap().with_quirks(quirks).unwrap();
    us.book.know(Arc::new(way));
    let (member, clock) = member(&us, "NL-FAR", Some(30 * DAY));
    clock.advance(90 * DAY);
    member.duty().await.unwrap();
    let standing = member.standing().await.unwrap();
    assert!(standing.configured && standing.registered.is_some() && standing.renews.is_none());
    assert_eq!(standing.deeds, []);
    assert_eq!(end(&member.renew("anna").await.unwrap()), ("New token", true, "is welcome"));
    let standing = member.standing().await.unwrap();
    assert_eq!((standing.configured, standing.renews), (false, Some(clock.now().plus(30 * DAY))));
    // another house of the same books never renews without being asked
    let (asked, _) = self::member(&us, "NL-FAR", None);
    assert_eq!(asked.standing().await.unwrap().renews, None);
}
