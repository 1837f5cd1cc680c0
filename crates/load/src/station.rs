//! A virtual station of the bench: connects, boots, and says one kind of message when it is told to.

use charge::{Clock, Timestamp};

use crate::Fault;
use crate::client::{Caller, Line};
use crate::dialect::Message;
use crate::frames::{Prepared, REGISTER_BEGIN_WH, register_milliwatt_hours};
use crate::line::{Account, Kind};
use crate::script::{NUMBER_BEGIN, Script};

/// A station that is connected and has booted.
pub(crate) struct Came {
    pub line: Line,
    pub script: Script,
}

/// Connects and boots. An echo server hears the same bytes and echoes them.
pub(crate) async fn arrive(caller: &Caller, kind: Kind, account: &Account, number: usize) -> Result<Came, Fault> {
    let mut line = caller.call(account, number).await?;
    let script = caller.script(account, number);
    let boot = script.boot();
    let answer = line.ask(boot.id, &boot.bytes).await?;
    match kind {
        Kind::Operator if !script.accepts(answer) => Err(Fault::Answer(answer.to_owned())),
        Kind::Operator | Kind::Echo | Kind::Handshake => Ok(Came { line, script }),
    }
}

/// A station that talks.
pub(crate) struct Station {
    line: Line,
    script: Script,
    asked: u64,
    /// EVSE 1 charges since then, as this transaction, of which so much was said.
    began: Timestamp,
    transaction: i64,
    number: u64,
    heartbeat: Prepared,
    /// Said in turn: a state that does not change would be no news.
    statuses: [Prepared; 2],
    meter: Prepared,
    event: Prepared,
}

impl Station {
    /// Over a line on which it has booted.
    pub fn new(Came { line, script }: Came, now: Timestamp) -> Self {
        const NONE: i64 = 0;
        let prepared = |message, turn| script.repeated(message, turn, NONE, now);
        Self {
            line,
            asked: 0,
            began: now,
            transaction: NONE,
            number: NUMBER_BEGIN,
            heartbeat: prepared(Message::Heartbeat, 0),
            statuses: [prepared(Message::Status, 0), prepared(Message::Status, 1)],
            meter: prepared(Message::Meter, 0),
            event: prepared(Message::Transaction, 0),
            script,
        }
    }

    /// Begins a transaction at EVSE 1.
    pub async fn begin(&mut self, card: &str, now: Timestamp) -> Result<(), Fault> {
        let now = now.whole_seconds();
        let begin = self.script.begin(card, now);
        let answer = self.line.ask(begin.id, &begin.bytes).await?;
        let begun = self.script.begun(answer).ok_or_else(|| Fault::Answer(answer.to_owned()))?;
        if !begun.accepted {
            return Err(Fault::Answer(answer.to_owned()));
        }
        (self.transaction, self.began) = (begun.transaction, now);
        self.meter = self.script.repeated(Message::Meter, 0, begun.transaction, now);
        self.event = self.script.repeated(Message::Transaction, 0, begun.transaction, now);
        Ok(())
    }

    /// Ends the transaction.
    pub async fn end(&mut self, now: Timestamp) -> Result<(), Fault> {
        // a whole number of Wh, not below the last reading
        let register = register_milliwatt_hours(self.began, now).div_ceil(1000).max(REGISTER_BEGIN_WH) + 1;
        let end = self.script.end(self.transaction, self.number + 1, register, now.whole_millis());
        self.line.ask(end.id, &end.bytes).await.map(drop)
    }

    /// Says it and waits for the answer.
    pub async fn say(&mut self, message: Message, clock: &dyn Clock) -> Result<(), Fault> {
        self.asked += 1;
        let prepared = match (message, self.asked % 2) {
            (Message::Heartbeat, _) => &mut self.heartbeat,
            (Message::Status, 0) => &mut self.statuses[0],
            (Message::Status, _) => &mut self.statuses[1],
            (Message::Meter, _) => &mut self.meter,
            (Message::Transaction, _) => {
                self.number += 1;
                &mut self.event
            }
        };
        let bytes = prepared.at(self.asked, self.number, clock.now());
        self.line.ask(&format!("{:010}", self.asked), bytes).await.map(drop)
    }

    /// How long the message is that [`Self::say`] says, in bytes of text.
    pub const fn text_bytes(&self, message: Message) -> usize {
        match message {
            Message::Heartbeat => self.heartbeat.text_bytes(),
            Message::Status => self.statuses[0].text_bytes(),
            Message::Meter => self.meter.text_bytes(),
            Message::Transaction => self.event.text_bytes(),
        }
    }
}
