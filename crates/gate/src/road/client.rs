//! A party's way out: letters to its hub, as requests.

use std::sync::Arc;

use charge::Soon;
use charge::id::PartyId;
use charge::talk::road::{Answer, Letter, Question, Road, RoadDesk, RoadFault, Wanted};
use ocpi::Version;
use ocpi::answer::{self, Answered};
use ocpi::ask::{self, Asked, Toward};
use ocpi::cross::Beside;
use ocpi::wire::Module;

use super::figures::{Direction, Figures};
use super::neighbour::{Hop, Neighbour};
use super::peers::PeerBook;

/// A [`Road`] with one neighbour: the hub. The way to it is looked up for each letter, because a registration may begin,
/// be renewed and end while this party is at work.
pub struct Client {
    peers: Arc<dyn PeerBook>,
    hub: PartyId,
    base: String,
    figures: Arc<Figures>,
    desk: Option<Arc<dyn RoadDesk>>,
}

impl Client {
    /// `base` is our own address, such as `https://operator.example`, where outcomes of our orders are to be sent.
    pub fn new(peers: Arc<dyn PeerBook>, hub: PartyId, base: impl Into<String>, figures: Arc<Figures>) -> Self {
        Self { peers, hub, base: base.into(), figures, desk: None }
    }

    /// With our own desk, for what a neighbour of OCPI 2.1.1 wants to have whole: the location of a session.
    #[must_use]
    pub fn beside(mut self, desk: Arc<dyn RoadDesk>) -> Self {
        self.desk = Some(desk);
        self
    }

    async fn carry(&self, letter: Letter) -> Result<Answer, RoadFault> {
        let asked = Asked::of(&letter.question);
        let hub = self.hub().await?;
        let version = match &letter.question {
            Question::Booking(_) => hub.version_for(Module::Bookings).await?,
            _usual => hub.version().await?,
        };
        let place = self.place(version, &letter).await;
        let toward = Toward { version, base: &self.base, place: place.as_deref() };
        let request = ask::request(&letter, toward)
            .map_err(|fault| RoadFault::Denied(charge::talk::road::Denial::from(fault)))?;
        let kind = request.value.kind;
        tell_lost("out", kind.as_str(), &request.lost);
        // public lists are asked of the hub itself (OCPI 2.2.1, 4.2.2, "GET all via hub"); anything else without a
        // receiver is an open routing request
        let to = match &letter.question {
            Question::Locations(_) | Question::Tariffs(_) => letter.to.or(Some(self.hub)),
            _letter => letter.to,
        };
        self.figures.count(Direction::Out, kind);
        let (from, owner) = (letter.from, to);
        let hop = Hop { from, to, correlation: letter.correlation };
        let reply = hub.ask(request.value, &hop).await?;
        let beside = Beside { owner, payer: Some(from), ..Beside::default() };
        let answer = answer::read(&asked, &reply, Answered { version, beside })?;
        tell_lost("out", kind.as_str(), &answer.lost);
        Ok(answer.value)
    }

    async fn hub(&self) -> Result<Arc<Neighbour>, RoadFault> {
        self.peers.peer(self.hub).await.ok_or(RoadFault::NoRoad)
    }

    /// The location of a session, for a neighbour that wants it whole.
    async fn place(&self, version: Version, letter: &Letter) -> Option<String> {
        let Question::PutSession(session) = &letter.question else { return None };
        let (desk, false) = (self.desk.as_ref()?, version.has_routing()) else { return None };
        let question = Question::Fetch(Wanted::Location { owner: letter.from, id: session.location.clone() });
        let own = Letter { from: letter.from, to: None, correlation: letter.correlation.clone(), question };
        match desk.hear(own).await {
            Ok(Answer::Found(found)) => answer::document(&found, &mut ocpi::Lost::new()).ok(),
            Ok(_) | Err(_) => None,
        }
    }
}

impl Road for Client {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        Box::pin(self.carry(letter))
    }
}

/// Losses name places and reasons, never values.
pub(crate) fn tell_lost(direction: &str, errand: &str, lost: &[ocpi::Fault]) {
    for loss in lost {
        tracing::debug!(direction, errand, %loss, "lost on the road");
    }
}
