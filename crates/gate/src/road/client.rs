//! A party's way out: letters to its hub, as requests.

use std::sync::Arc;

use charge::Soon;
use charge::talk::road::{Answer, Letter, Question, Road, RoadFault};
use ocpi::answer;
use ocpi::ask::{self, Asked};

use super::figures::{Direction, Figures};
use super::neighbour::{Hop, Neighbour};

/// A [`Road`] with one neighbour: the hub.
pub struct Client {
    hub: Arc<Neighbour>,
    base: String,
    figures: Arc<Figures>,
}

impl Client {
    /// `base` is our own address, such as `https://operator.example`, where outcomes of our orders are to be sent.
    pub fn new(hub: Arc<Neighbour>, base: impl Into<String>, figures: Arc<Figures>) -> Self {
        Self { hub, base: base.into(), figures }
    }

    async fn carry(&self, letter: Letter) -> Result<Answer, RoadFault> {
        let asked = Asked::of(&letter.question);
        let request = ask::request(&letter, &self.base)
            .map_err(|fault| RoadFault::Denied(charge::talk::road::Denial::from(fault)))?;
        let kind = request.value.kind;
        tell_lost("out", kind.as_str(), &request.lost);
        // lists are asked of the hub itself (OCPI 2.2.1, 4.2.2, "GET all via hub"); anything else without a receiver
        // is an open routing request
        let to = match &letter.question {
            Question::Locations(_) | Question::Tariffs(_) => letter.to.or(Some(self.hub.party())),
            Question::MayCharge { .. }
            | Question::Start(_)
            | Question::Stop { .. }
            | Question::Unlock { .. }
            | Question::Outcome { .. }
            | Question::PutSession(_)
            | Question::PostCdr(_)
            | Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_)
            | Question::PutToken(_) => letter.to,
        };
        self.figures.count(Direction::Out, kind);
        let hop = Hop { from: letter.from, to, correlation: letter.correlation };
        let reply = self.hub.ask(request.value, &hop).await?;
        let answer = answer::read(&asked, &reply)?;
        tell_lost("out", kind.as_str(), &answer.lost);
        Ok(answer.value)
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
