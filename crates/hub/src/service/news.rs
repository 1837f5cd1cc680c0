//! Telling parties of each other's comings and goings: what is still to be told, and who is asked for a sign of life.
//!
//! The door does the telling and the asking; what came of it comes back here. Whoever is not told within the tries that
//! there are finds it in the list, which is asked for by the time of the last one (OCPI 2.2.1, 14.2.2).

use std::time::Duration;

use charge::Timestamp;
use charge::id::PartyId;
use charge::talk::road::{ClientInfo, ClientNews, Denial, Page, PageWish};
use store::{StoreError, outbox};

use super::{Event, Hub, HubFault};
use crate::memory::{clients, parties};
use crate::party::PartyStatus;

impl Hub {
    /// A page of everybody. A party in two roles is two lines.
    pub(super) async fn client_page(&self, asker: PartyId, wish: PageWish) -> Result<Page<ClientInfo>, Denial> {
        let read = self.0.store.read::<_, HubFault>("hub.clients", |tx| Ok(clients::all(tx)?));
        let register = read.await?;
        if !register.iter().any(|client| client.party == asker) {
            return Err(Denial::NotYours);
        }
        let wanted = |client: &ClientInfo| {
            wish.changed_since.is_none_or(|since| client.last_updated >= since)
                && wish.changed_before.is_none_or(|before| client.last_updated < before)
        };
        let all: Vec<ClientInfo> = register.into_iter().filter(wanted).collect();
        let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let (offset, limit) = (wish.offset as usize, wish.limit as usize);
        let items = all.into_iter().skip(offset).take(limit).collect();
        let next = wish.offset.saturating_add(wish.limit);
        Ok(Page { items, total, next: (next < total).then_some(next), complaints: Vec::new() })
    }

    /// What is to be told now, hidden from the next who asks until its lease ends.
    pub(super) async fn take_news(&self) -> Result<Vec<ClientNews>, HubFault> {
        let now = self.0.clock.now();
        let due = self.0.store.read::<_, StoreError>("hub.news.due", |tx| outbox::next_due(tx, clients::TELL));
        if due.await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let run = self.0.store.run::<_, StoreError>("hub.news", move |tx| {
            let mut news = Vec::new();
            for job in outbox::lease(tx, clients::TELL, now, LEASE, AT_ONCE_MAX)? {
                let errand: clients::Errand = job.key.parse()?;
                match clients::told_by(tx, &errand)? {
                    Some(client) => {
                        news.push(ClientNews { number: job.id, tries: job.attempts, to: errand.receiver, client });
                    }
                    None => drop(outbox::done(tx, job.id)?),
                }
            }
            Ok(news)
        });
        Ok(run.await?)
    }

    pub(super) async fn put_news_back(&self, number: i64, tries: i64, heard: bool) -> Result<(), HubFault> {
        let again = self.0.clock.now().plus(self.pause_after(tries));
        let run = self.0.store.run::<_, StoreError>("hub.news.told", move |tx| {
            if heard || tries >= TRIES_MAX {
                outbox::done(tx, number).map(drop)
            } else {
                outbox::retry(tx, number, again, "was not heard").map(drop)
            }
        });
        Ok(run.await?)
    }

    /// Twice as long after each try, and never the same for many who failed together.
    fn pause_after(&self, tries: i64) -> Duration {
        let doublings = u32::try_from(tries.clamp(0, TRIES_MAX)).unwrap_or_default();
        let longest = PAUSE.saturating_mul(1 << doublings);
        let spread = u64::try_from(longest.as_millis() / 2).unwrap_or(u64::MAX).max(1);
        longest / 2 + Duration::from_millis(self.0.dice.below(spread))
    }

    /// Writes who went away or came back.
    pub(super) async fn keep_presence(&self, now: Timestamp) -> Result<(), HubFault> {
        let turned = self.0.presence.turned();
        if turned.is_empty() {
            return Ok(());
        }
        let rows = turned.clone();
        let run = self.0.store.run::<_, StoreError>("hub.presence", move |tx| {
            rows.into_iter()
                .try_for_each(|(party, away)| clients::changing(tx, (party, now), |tx| clients::turn(tx, party, away)))
        });
        let written = run.await;
        if written.is_err() {
            self.0.presence.give_back(&turned);
        }
        for (party, _) in turned {
            self.tell(Event::Party(party));
        }
        Ok(written?)
    }

    pub(super) async fn quiet_parties(&self) -> Result<Vec<PartyId>, HubFault> {
        let now = self.0.clock.now();
        if !self.0.presence.time_to_look(now) {
            return Ok(Vec::new());
        }
        let register = self.parties().await?;
        let mut connected: Vec<PartyId> =
            register.iter().filter(|row| row.status == PartyStatus::Connected).map(|row| row.party).collect();
        connected.dedup();
        Ok(self.0.presence.quiet(connected.into_iter(), now))
    }

    pub(super) async fn party_left(&self, party: PartyId) -> Result<(), HubFault> {
        let now = self.0.clock.now();
        let run = self.0.store.run::<_, HubFault>("hub.left", move |tx| {
            clients::changing(tx, (party, now), |tx| Ok(parties::left(tx, party)?))
        });
        run.await?;
        self.tell(Event::Party(party));
        Ok(())
    }
}

/// Longer than a neighbour may take to answer.
const LEASE: Duration = Duration::from_secs(60);
/// Parties that are told at one time.
const AT_ONCE_MAX: usize = 32;
/// After some two hours a party is not told any more: it asks for the list when it is back.
const TRIES_MAX: i64 = 8;
/// Before the second try, at the most.
const PAUSE: Duration = Duration::from_secs(15);
