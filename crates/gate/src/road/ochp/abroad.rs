//! An operator or a provider of ours whose neighbour is a foreign clearing house: lists, records and what is public go
//! there, sessions and orders to direct partners where there are some.
//!
//! A clearing house pushes nothing, so a provider visits it; where there are direct partners, both roles tell it of their
//! server and ask for the partners'. Deliberately without a clock: how often is the binary's to say. Invariant: a record
//! is judged at the clearing house as our desk judged it.

use std::sync::Arc;

use charge::Soon;
use charge::id::{CorrelationId, PartyId};
use charge::talk::road::{Answer, Letter, PageWish, Question, Road, RoadDesk, RoadFault};
use ocpi::credentials::Role;

use super::alone::DirectRoom;
use super::client::{ClearingHouse, Collected};

/// The road of one party to a clearing house and its direct partners.
pub struct Abroad {
    pub own: PartyId,
    /// As whom the clearing house speaks to our desk.
    pub hub: PartyId,
    pub clearing: ClearingHouse,
    pub direct: Option<DirectRoom>,
    pub desk: Arc<dyn RoadDesk>,
}

impl Road for Abroad {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        match self.direct.as_ref().filter(|direct| goes_directly(direct, &letter)) {
            Some(direct) => direct.ask(letter),
            None => self.clearing.ask(letter),
        }
    }
}

/// Orders and outcomes have no place at a clearing house; a session goes to a provider that has a server for it.
fn goes_directly(direct: &DirectRoom, letter: &Letter) -> bool {
    match &letter.question {
        Question::Start(_)
        | Question::Stop { .. }
        | Question::Unlock { .. }
        | Question::Outcome { .. }
        | Question::Reservation(_)
        | Question::Profile(_) => true,
        Question::PutSession(_) => letter.to.is_some_and(|to| direct.reaches(to)),
        Question::MayCharge { .. }
        | Question::PostCdr(_)
        | Question::PutLocation(_)
        | Question::PatchEvse { .. }
        | Question::PutTariff(_)
        | Question::DropTariff(_)
        | Question::PutToken(_)
        | Question::Locations(_)
        | Question::Tariffs(_)
        | Question::Fetch(_)
        | Question::ProfileOutcome { .. }
        | Question::Plan { .. }
        | Question::Booking(_) => false,
    }
}

impl Abroad {
    /// One visit: the servers of direct partners, places with their prices and live status for our desk and for direct
    /// orders, then the records that wait for us. An operator has nothing to fetch but the servers.
    pub async fn visit(&self, role: Role) -> Result<Collected, RoadFault> {
        if let Some(direct) = &self.direct
            && let Err(fault) = self.servers(direct).await
        {
            // not every clearing house has OCHPdirect, and the rest does not wait for it
            tracing::info!(%fault, "servers of OCHPdirect are not exchanged with the clearing house");
        }
        if role != Role::Provider {
            return Ok(Collected::default());
        }
        let asked = self.letter(self.own, Question::Locations(PageWish::default()))?;
        let Answer::Locations(page) = self.clearing.ask(asked).await? else {
            return Err(RoadFault::Unreadable("the answer to another question".into()));
        };
        if let Some(direct) = &self.direct {
            direct.know(page.items.clone());
        }
        for location in page.items {
            self.tell(self.hub, Question::PutLocation(Box::new(location))).await;
        }
        let Answer::Tariffs(page) =
            self.clearing.ask(self.letter(self.own, Question::Tariffs(PageWish::default()))?).await?
        else {
            return Err(RoadFault::Unreadable("the answer to another question".into()));
        };
        for tariff in page.items {
            self.tell(self.hub, Question::PutTariff(Box::new(tariff))).await;
        }
        for (operator, question) in self.clearing.statuses().await? {
            self.tell(operator, question).await;
        }
        self.clearing.collect().await
    }

    /// Ours goes up once a day, for today and tomorrow; the partners' come down each time, because each of them uploads
    /// when it pleases.
    async fn servers(&self, direct: &DirectRoom) -> Result<(), RoadFault> {
        let house = direct.house();
        if let Some(ours) = house.endpoints_to_tell().map_err(RoadFault::Denied)? {
            self.clearing.add_endpoints(ours).await?;
            house.endpoints_told();
        }
        house.learn_endpoints(&self.clearing.get_endpoints().await?);
        Ok(())
    }

    /// What the desk does not take holds up nothing else.
    async fn tell(&self, from: PartyId, question: Question) {
        let said = match self.letter(from, question) {
            Ok(letter) => self.desk.hear(letter).await,
            Err(_) => return,
        };
        if let Err(denial) = said {
            tracing::debug!(?denial, "something that was fetched from the clearing house is not taken");
        }
    }

    fn letter(&self, from: PartyId, question: Question) -> Result<Letter, RoadFault> {
        let correlation = CorrelationId::new("ochp-visit").map_err(|_| RoadFault::NoRoad)?;
        let to = (from != self.own).then_some(self.own);
        Ok(Letter { from, to, correlation, question })
    }
}
