//! The index of EVSEs: whoever reads locations fills it, and it follows what is published.

use charge::place::EvseStatus;
use charge::talk::road::evses::{EvseFilter, EvseIndex, EvseSpan, IndexedEvse, IndexedLocation};

use super::*;

/// One EVSE to a line of the text: key, status and when it changed.
async fn read_all(hub: &Hub) -> usize {
    let mut count = 0;
    loop {
        let page = hub.unindexed().await.unwrap();
        if page.is_empty() {
            return count;
        }
        count += page.len();
        let read = |(name, text): ((PartyId, Box<str>), Box<str>)| {
            let evse = |line: &str| {
                let [key, status, changed] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                IndexedEvse {
                    key: key.into(),
                    id: key.parse().unwrap(),
                    owner: name.0,
                    location: LocationId::new(&*name.1).unwrap(),
                    country: if key.starts_with("NL") { "NLD".into() } else { "DEU".into() },
                    status: status.parse().unwrap(),
                    changed: Timestamp::from_secs(changed.parse().unwrap()),
                }
            };
            let evses = text.lines().map(evse).collect();
            IndexedLocation { name, text, evses }
        };
        hub.index(page.into_iter().map(read).collect()).await.unwrap();
    }
}

async fn listed(hub: &Hub, filter: EvseFilter, span: EvseSpan) -> Vec<String> {
    let evses = hub.evses(filter, span).await.unwrap();
    evses.into_iter().map(|evse| String::from(evse.key)).collect()
}

#[tokio::test]
async fn evses_are_found_and_listed_as_their_locations_were_published_last() {
    let world = world().await;
    world.place("DE-OPB", "L1", "DEOPBE1 AVAILABLE 10").await.unwrap();
    world.place("DE-OPA", "L2", "DEOPAE2 REMOVED 20\nDEOPAE1 PLANNED 10").await.unwrap();
    world.place("DE-OPA", "L1", "DEOPAE3 CHARGING 30\nNLOPAE4 AVAILABLE 40").await.unwrap();
    assert_eq!((read_all(&world.hub).await, read_all(&world.hub).await), (3, 0));
    let whole = EvseSpan { limit: 100, ..EvseSpan::default() };
    let all = listed(&world.hub, EvseFilter::default(), whole.clone()).await;
    assert_eq!(all, ["DEOPAE3", "NLOPAE4", "DEOPAE1", "DEOPAE2", "DEOPBE1"], "by owner, location and key");

    let live = EvseFilter { without: vec![EvseStatus::Planned, EvseStatus::Removed], ..EvseFilter::default() };
    assert_eq!(world.hub.evse_count(live.clone()).await, Ok(3));
    let some = [
        (EvseFilter { owners: vec![party("DE-OPB")], ..live.clone() }, vec!["DEOPBE1"]),
        (EvseFilter { countries: vec!["NLD".into(), "FRA".into()], ..live.clone() }, vec!["NLOPAE4"]),
        (EvseFilter { changed_since: Some(Timestamp::from_secs(30)), ..live.clone() }, vec!["DEOPAE3", "NLOPAE4"]),
    ];
    for (filter, keys) in some {
        assert_eq!(world.hub.evse_count(filter.clone()).await, Ok(keys.len() as u64));
        assert_eq!(listed(&world.hub, filter, whole.clone()).await, keys);
    }
    let span = |after, skip| EvseSpan { after, skip, limit: 1 };
    assert_eq!(listed(&world.hub, live.clone(), span(None, 2)).await, ["DEOPBE1"]);
    let found = world.hub.evses_named(vec!["NLOPAE4".into(), "DENIXE1".into()]).await.unwrap();
    assert_eq!((found.len(), found[0].owner, found[0].location.as_str()), (1, party("DE-OPA"), "L1"));
    assert_eq!(listed(&world.hub, live.clone(), span(Some(found[0].place()), 0)).await, ["DEOPBE1"]);

    // it is another text: read again, and what it has no more is gone
    world.place("DE-OPA", "L1", "NLOPAE4 RESERVED 50").await.unwrap();
    assert_eq!(read_all(&world.hub).await, 1);
    let now = world.hub.evses_named(vec!["NLOPAE4".into(), "DEOPAE3".into()]).await.unwrap();
    assert_eq!((now.len(), now[0].status), (1, EvseStatus::Reserved));
}

#[tokio::test]
async fn an_id_stays_whose_it_is_and_what_was_read_too_early_is_read_again() {
    let world = world().await;
    world.place("DE-OPA", "L1", "DEOPAE1 AVAILABLE 10").await.unwrap();
    read_all(&world.hub).await;
    world.place("DE-OPB", "L9", "DEOPAE1 AVAILABLE 10").await.unwrap();
    read_all(&world.hub).await;
    let whose = async || world.hub.evses_named(vec!["DEOPAE1".into()]).await.unwrap()[0].owner;
    assert_eq!(whose().await, party("DE-OPA"));

    world.place("DE-OPA", "L1", "DEOPAE2 AVAILABLE 10").await.unwrap();
    let page = world.hub.unindexed().await.unwrap();
    world.place("DE-OPA", "L1", "DEOPAE3 AVAILABLE 10").await.unwrap();
    let late = page.into_iter().map(|(name, text)| IndexedLocation { name, text, evses: vec![] });
    world.hub.index(late.collect()).await.unwrap();
    assert_eq!(read_all(&world.hub).await, 1, "the text that is kept was not the one that was read");
    assert_eq!(world.hub.evses_named(vec!["DEOPAE3".into()]).await.unwrap().len(), 1);
}
