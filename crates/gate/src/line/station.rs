//! The station's side of a talk: the engine of the tongue and the pole behind it.

use std::time::Duration;

use charge::talk::line::{FromStation, Heard, Pole, StationAnswer, ToStation};
use charge::{Clock, Dice, Soon};
use ocpp::Ticket;
use ocpp::station::{Engine, Event as Said};

use super::talk::{Event, Side};
use super::wire::Wire;

pub(super) struct StationSide<'r> {
    pub engine: Engine,
    pub pole: &'r dyn Pole,
    pub clock: &'r dyn Clock,
    pub dice: &'r dyn Dice,
    pub wire: Option<&'r dyn Wire>,
}

/// One message is under way at a time, so their number says nothing.
const MESSAGE: u64 = 0;

impl<'r> Side for StationSide<'r> {
    type Said = Said;
    type Ticket = Ticket;
    type Asked = ToStation;
    type Reply = StationAnswer;
    type Asking = Soon<'r, Self::Reply>;
    type Order = FromStation;
    type Answer = Heard;

    fn receive(&mut self, text: &str, said: &mut Vec<Said>) {
        let Some(wire) = self.wire else { return self.engine.receive(self.clock.now(), text, said) };
        let frames = wire.incoming(text);
        said.extend(frames.send.into_iter().map(Said::Send));
        self.hear(frames.hear, said);
    }

    fn reply(&mut self, ticket: Ticket, reply: StationAnswer, said: &mut Vec<Said>) {
        self.engine.answer(self.clock.now(), ticket, reply, said);
        self.through(said);
    }

    fn order(&mut self, order: FromStation, said: &mut Vec<Said>) {
        self.engine.say(self.clock.now(), MESSAGE, order, self.dice.uuid(), said);
        self.through(said);
    }

    fn tick(&mut self, said: &mut Vec<Said>) {
        self.engine.tick(self.clock.now(), said);
        self.through(said);
    }

    fn wake_in(&self) -> Option<Duration> {
        self.engine.wake_at().map(|at| at.since(self.clock.now()))
    }

    fn event(&self, said: Said) -> Event<Ticket, ToStation, Heard> {
        match said {
            Said::Told { ticket, order } => Event::Asked(ticket, order),
            Said::Send(text) => Event::Send(text),
            Said::Heard { said: _, outcome } => Event::Answered(outcome),
            // the message log is the operator's
            Said::Log(_) => Event::Noted,
        }
    }

    /// A station boots; it is never booted at.
    fn is_boot(_asked: &ToStation) -> bool {
        false
    }

    fn ask(&self, asked: ToStation) -> Self::Asking {
        self.pole.told(asked)
    }
}

impl StationSide<'_> {
    /// Lets the hand on the wire have every frame that goes out.
    fn through(&mut self, said: &mut Vec<Said>) {
        let Some(wire) = self.wire else { return };
        let mut heard = Vec::new();
        for one in std::mem::take(said) {
            match one {
                Said::Send(frame) => {
                    let frames = wire.outgoing(frame);
                    said.extend(frames.send.into_iter().map(Said::Send));
                    heard.extend(frames.hear);
                }
                Said::Told { .. } | Said::Heard { .. } | Said::Log(_) => said.push(one),
            }
        }
        if !heard.is_empty() {
            self.hear(heard, said);
        }
    }

    /// Frames for the engine; what it says to them goes over the wire as well.
    fn hear(&mut self, frames: Vec<String>, said: &mut Vec<Said>) {
        let mut more = Vec::new();
        for frame in frames {
            self.engine.receive(self.clock.now(), &frame, &mut more);
        }
        self.through(&mut more);
        said.append(&mut more);
    }
}
