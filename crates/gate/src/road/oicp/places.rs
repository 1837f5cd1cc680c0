//! The places that a broker knows: EVSEs in the exchange's index, locations as they are kept there.
//!
//! Nothing of them stays in memory: what one request or letter is about is read before it is, and lists are read page by
//! page. Invariant: before the index is asked, what was published since is in it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use charge::id::{LocationId, PartyId};
use charge::talk::road::evses::{EvseFilter, EvsePlace, EvseSpan, IndexedEvse, IndexedLocation};
use charge::talk::road::{Denial, Errand, Letter, ObjectName, Question, ReservationWish};
use oicp::bridge::answer::{Lists, Part};
use oicp::bridge::place::{indexed, mentioned, pushed};
use oicp::bridge::{Place, answer};
use oicp::message::{Reply, Request};
use oicp::{Lost, Operation};

use super::broker::{Broker, Unrated, texts};
use super::index::Index;

/// EVSEs that are read from the index at once.
const EVSES_MAX: u32 = 5_000;
/// A list of statuses has no pages: beyond so many records the asker has to name operators or EVSEs.
const STATUSES_MAX: usize = 1_000_000;

/// Where each partner's pull of EVSE data has come to: the next page begins behind what was told last, and costs no more
/// than the first.
#[derive(Default)]
pub(super) struct Pulls(Mutex<HashMap<PartyId, Pull>>);

struct Pull {
    filter: EvseFilter,
    /// The page that it asks for next.
    next: Part,
    after: EvsePlace,
    total: u64,
}

impl Pulls {
    /// Where this page begins, and of how many; `None` where another was expected.
    fn met(&self, party: PartyId, filter: &EvseFilter, part: Part) -> Option<(EvsePlace, u64)> {
        let pulls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pull = pulls.get(&party).filter(|pull| pull.next == part && pull.filter == *filter)?;
        Some((pull.after.clone(), pull.total))
    }

    fn told(&self, party: PartyId, pull: Option<Pull>) {
        let mut pulls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match pull {
            Some(pull) => drop(pulls.insert(party, pull)),
            None => drop(pulls.remove(&party)),
        }
    }
}

impl Broker {
    /// Reads what was published since it last looked. The first time that is everything, which takes minutes where it is
    /// a million locations.
    pub async fn catch_up(&self) -> Result<(), Denial> {
        let crossing = &self.0.setup.crossing;
        let _turn = self.0.reading.lock().await;
        loop {
            let page = crossing.exchange.unindexed().await?;
            if page.is_empty() {
                return Ok(());
            }
            let read = page.into_iter().map(|(name, text)| self.read_kept(name, text)).collect();
            crossing.exchange.index(read).await?;
        }
    }

    /// What cannot be read, and what OICP cannot name, is not there for it.
    fn read_kept(&self, name: ObjectName, text: Box<str>) -> IndexedLocation {
        let crossing = &self.0.setup.crossing;
        let (mut lost, mut evses) = (Lost::new(), Vec::new());
        if let Some(location) = crossing.kept_location(&text) {
            evses = indexed(&location, &mut lost);
            let errand = Errand::Location { owner: name.0, id: location.id, evse: None };
            crossing.lost(name.0, crossing.party(), &errand, &texts(&lost));
        }
        IndexedLocation { name, text, evses }
    }

    /// Whether somebody published this EVSE.
    pub async fn knows(&self, evse: &str) -> Result<bool, Denial> {
        Ok(!self.listed(vec![oicp::form::key(evse).into()]).await?.is_empty())
    }

    async fn listed(&self, keys: Vec<Box<str>>) -> Result<Vec<IndexedEvse>, Denial> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.catch_up().await?;
        self.0.setup.crossing.exchange.evses_named(keys).await
    }

    /// The places that a request of this partner is about.
    pub(super) async fn around(&self, from: PartyId, request: &Request) -> Result<Index, Denial> {
        match request.operation {
            // a card is asked about without a place
            Operation::AuthorizeStart | Operation::AuthorizeStop | Operation::MobileAuthorizeStart => {
                return Ok(Index::default());
            }
            _of_a_place => {}
        }
        let known = self.listed(mentioned(&request.body)).await?;
        let mut names: BTreeSet<(PartyId, LocationId)> =
            known.into_iter().map(|evse| (evse.owner, evse.location)).collect();
        if request.operation == Operation::PushEvseData {
            names.extend(pushed(&request.body).into_iter().map(|id| (from, id)));
        }
        let index = Index::default();
        for (owner, id) in names {
            self.put_kept(&index, from, Some(owner), &id).await?;
        }
        Ok(index)
    }

    /// The places that a letter to a partner is about.
    pub(super) async fn beneath(&self, letter: &Letter) -> Result<Index, Denial> {
        let named = match &letter.question {
            Question::Start(start) => Some((letter.to, &start.location)),
            Question::Reservation(order) => match &order.wish {
                ReservationWish::Make { location, .. } => Some((letter.to, location)),
                ReservationWish::Cancel => None,
            },
            Question::PutSession(session) => Some((Some(session.party), &session.location)),
            _of_no_place => None,
        };
        let index = Index::default();
        if let Some((owner, id)) = named {
            self.put_kept(&index, letter.from, owner, id).await?;
        }
        Ok(index)
    }

    async fn put_kept(
        &self,
        index: &Index,
        asker: PartyId,
        owner: Option<PartyId>,
        id: &LocationId,
    ) -> Result<(), Denial> {
        if let Some(location) = self.0.setup.crossing.location(asker, owner, id).await? {
            index.put(location);
        }
        Ok(())
    }

    /// A page of EVSE data for a provider that pulls it.
    pub(super) async fn data(&self, from: PartyId, request: &Request, part: Part) -> Result<Reply, Denial> {
        self.catch_up().await?;
        let exchange = &self.0.setup.crossing.exchange;
        let filter = answer::data_filter(request);
        let (after, total) = match self.0.pulls.met(from, &filter, part) {
            Some((after, total)) => (Some(after), total),
            None => (None, exchange.evse_count(filter.clone()).await?),
        };
        let skip = if after.is_some() { 0 } else { u64::try_from(part.first()).unwrap_or(u64::MAX) };
        let span = EvseSpan { after, skip, limit: part.size };
        let evses = exchange.evses(filter.clone(), span).await?;
        let next = part.number.checked_add(1).map(|number| Part { number, ..part });
        let pull = evses.last().zip(next).map(|(last, next)| Pull { filter, next, after: last.place(), total });
        self.0.pulls.told(from, pull);
        let places = self.placed(from, &evses).await?;
        let (index, mut theirs) = (Index::default(), Vec::new());
        let beside = self.beside(&index, &Unrated, None);
        let reply = answer::evse_data(request, &places, (part, total), &beside, &mut theirs);
        self.lost_of(theirs, from);
        Ok(reply)
    }

    /// EVSEs with their locations, each location read once. One that changed under way is passed over: it is told as
    /// changed to whoever asks for that.
    async fn placed(&self, asker: PartyId, evses: &[IndexedEvse]) -> Result<Vec<Place>, Denial> {
        let mut places = Vec::with_capacity(evses.len());
        for of_one in evses.chunk_by(|one, other| one.owner == other.owner && one.location == other.location) {
            let Some(first) = of_one.first() else { continue };
            let kept = self.0.setup.crossing.location(asker, Some(first.owner), &first.location).await?;
            let Some(location) = kept.map(Arc::new) else { continue };
            let at = |evse: &IndexedEvse| location.evses.iter().position(|each| each.id.as_ref() == Some(&evse.id));
            let found = of_one.iter().filter_map(at);
            places.extend(found.map(|evse| Place { location: Arc::clone(&location), evse }));
        }
        Ok(places)
    }

    /// One EVSE with its location.
    pub(super) async fn place(&self, asker: PartyId, evse: &str) -> Result<Option<Place>, Denial> {
        let known = self.listed(vec![oicp::form::key(evse).into()]).await?;
        Ok(self.placed(asker, &known).await?.pop())
    }

    /// The statuses that a provider pulls, from the index alone.
    pub(super) async fn statuses(&self, from: PartyId, request: &Request) -> Result<Reply, Denial> {
        if request.operation == Operation::PullEvseStatusById {
            return Ok(answer::evse_status_by_id(request, &self.listed(mentioned(&request.body)).await?));
        }
        self.catch_up().await?;
        let (filter, mut lists, mut theirs, mut after) =
            (answer::status_filter(request), Lists::default(), Vec::new(), None);
        loop {
            let span = EvseSpan { after, skip: 0, limit: EVSES_MAX };
            let evses = self.0.setup.crossing.exchange.evses(filter.clone(), span).await?;
            let Some(last) = evses.last() else { break };
            after = Some(last.place());
            evses.iter().for_each(|evse| lists.add_status(request, evse, &mut theirs));
            if lists.len() > STATUSES_MAX {
                return Err(Denial::Overloaded);
            }
        }
        self.lost_of(theirs, from);
        Ok(lists.statuses())
    }

    /// Which products every EVSE offers.
    pub(super) async fn offers(&self) -> Result<Reply, Denial> {
        let (mut lists, mut after) = (Lists::default(), None);
        while let Some((locations, last)) = self.0.setup.crossing.locations_after(after).await? {
            locations.iter().for_each(|location| lists.add_pricing(location));
            if lists.len() > STATUSES_MAX {
                return Err(Denial::Overloaded);
            }
            after = Some(last);
        }
        Ok(lists.pricing())
    }
}
