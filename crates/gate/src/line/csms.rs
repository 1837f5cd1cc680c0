//! The operator's side of a talk: the engine of the tongue and the desk behind it.

use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::{Denial, Desk, FromStation, Heard, StationAnswer, ToStation};
use charge::{Clock, Dice, Soon};
use ocpp::Ticket;
use ocpp::csms::{Engine, Event as Said};

use super::talk::{Event, Side};

pub(super) struct OperatorSide<'r> {
    pub engine: Engine,
    pub desk: &'r dyn Desk,
    pub station: &'r StationId,
    pub clock: &'r dyn Clock,
    pub dice: &'r dyn Dice,
}

/// One order is under way at a time, so their number says nothing.
const ORDER: u64 = 0;

impl<'r> Side for OperatorSide<'r> {
    type Said = Said;
    type Ticket = Ticket;
    type Asked = FromStation;
    type Reply = Result<Heard, Denial>;
    type Asking = Soon<'r, Self::Reply>;
    type Order = ToStation;
    type Answer = StationAnswer;

    fn receive(&mut self, text: &str, said: &mut Vec<Said>) {
        self.engine.receive(self.clock.now(), text, said);
    }

    fn reply(&mut self, ticket: Ticket, reply: Self::Reply, said: &mut Vec<Said>) {
        self.engine.answer(self.clock.now(), ticket, reply, said);
    }

    fn order(&mut self, order: ToStation, said: &mut Vec<Said>) {
        self.engine.order(self.clock.now(), ORDER, order, self.dice.uuid(), said);
    }

    fn tick(&mut self, said: &mut Vec<Said>) {
        self.engine.tick(self.clock.now(), said);
    }

    fn wake_in(&self) -> Option<Duration> {
        self.engine.wake_at().map(|at| at.since(self.clock.now()))
    }

    fn event(&self, said: Said) -> Event<Ticket, FromStation, StationAnswer> {
        match said {
            Said::Asked { ticket, said } => Event::Asked(ticket, said),
            Said::Send(text) => Event::Send(text),
            Said::Answered { order: _, outcome } => Event::Answered(outcome),
            Said::Log(line) => {
                self.desk.note(self.station, line);
                Event::Noted
            }
        }
    }

    fn is_boot(asked: &FromStation) -> bool {
        matches!(asked, FromStation::Boot(_))
    }

    fn ask(&self, asked: FromStation) -> Self::Asking {
        self.desk.hear(self.station, asked)
    }
}
