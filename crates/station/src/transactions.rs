//! Transactions and the messages about them: what must reach the operator, in order, whatever happens to the line.
//!
//! A message is kept in the station's own words and becomes a [`TransactionReport`] only when it is said, because a
//! 1.6 message needs the number that the answer to its start gave. What was said and not answered is said again
//! exactly as it was.
//!
//! Invariant: begins and ends are never dropped; progress is, oldest first, where the queue is full.

use std::collections::{BTreeMap, VecDeque};

use billing::record::ClockQuality;
use billing::record::ocmf::{Ident, IdentKind, IdentLevel};
use charge::id::{EvseNo, TransactionKey};
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::talk::line::{BayState, EndReason, Stage, TransactionReport, Version};
use charge::token::PresentedToken;
use charge::units::{Energy, Power};
use charge::{Decimal, Purpose, Timestamp};

/// A station may owe its operator this many messages: two days offline with a reading every five minutes on a dozen
/// EVSEs, in a few megabytes.
pub const QUEUE_MAX: usize = 8_000;

/// Readings by the clock in one message: ten days of one every quarter of an hour.
pub const ALIGNED_MAX: usize = 1_000;

/// What 1.6 calls a transaction whose start the operator would not take (OCPP 1.6 errata on failed starts).
pub const NUMBERLESS: i32 = -1;

/// A transaction's name inside the station, across versions and restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionNo(pub u32);

/// A message's place in the queue, across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNo(pub u64);

/// How the permission came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A token at the station.
    Driver,
    /// An order with this id.
    Remote(i32),
}

/// A transaction from its begin until its last message is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub no: TransactionNo,
    pub evse: EvseNo,
    /// The name that 2.x uses.
    pub id: Box<str>,
    /// The name that 1.6 uses, once the operator has given it.
    pub number: Option<i32>,
    pub token: PresentedToken,
    pub origin: Origin,
    pub started: Timestamp,
    pub begun: Energy,
    pub begin_record: Option<SignedRecord>,
    /// Whether the clock had been set when it began.
    pub clock: ClockQuality,
    pub seq_next: u32,
    pub ended: bool,
    /// The reservation that it used up.
    pub reservation: Option<i32>,
}

impl Transaction {
    /// Whom the signed records name: the order's alias or the transaction itself, never the card.
    pub fn ident(&self) -> Ident {
        match self.origin {
            Origin::Driver => Ident { kind: IdentKind::Local, level: IdentLevel::Hearsay, data: self.id.to_string() },
            Origin::Remote(_) => Ident {
                kind: IdentKind::Central,
                level: IdentLevel::Trusted,
                data: self.token.uid.reveal(Purpose::Transmit).as_delivered().to_owned(),
            },
        }
    }

    /// What the operator calls it on a connection of this version.
    pub fn key(&self, version: Version) -> TransactionKey {
        match version {
            Version::S15 | Version::S16 | Version::V16 => TransactionKey::Number(self.number.unwrap_or(NUMBERLESS)),
            Version::V201 | Version::V21 => TransactionKey::Text(self.id.clone()),
        }
    }
}

/// One thing to report about a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub transaction: TransactionNo,
    pub seq: u32,
    pub stage: Stage,
    pub at: Timestamp,
    pub register: Energy,
    pub power: Option<Power>,
    /// Percent; only where the car tells.
    pub charged_percent: Option<u8>,
    pub signed: Option<SignedRecord>,
    pub reason: Option<EndReason>,
    /// Ended by a token: the one that began it,
    pub by_token: bool,
    /// or this one of the same group (C09.FR.03).
    pub by: Option<PresentedToken>,
    /// Why it was read, where it is neither begin nor end.
    pub context: Context,
    /// Read by the clock on the way, for the last message alone (2.x `AlignedDataCtrlr.TxEndedInterval`).
    pub aligned: Vec<(Timestamp, Energy)>,
    /// The register at the end is not wanted (2.x `SampledDataCtrlr.TxEndedMeasurands` is empty).
    pub bare: bool,
    /// `None` in a reading in between, where it has not changed.
    pub state: Option<BayState>,
    pub offline: bool,
}

impl Message {
    /// As it is said on a connection of this version.
    pub fn report(&self, of: &Transaction, version: Version) -> TransactionReport {
        let first = self.stage == Stage::Started;
        let v16 = !version.is_2();
        let with_token = first || self.by_token;
        TransactionReport {
            stage: self.stage,
            key: (!(first && v16)).then(|| of.key(version)),
            seq: (!v16).then_some(self.seq),
            at: self.at,
            // 2.x names the EVSE once; 1.6 needs it with every reading and not in the end
            evse: (first || (v16 && self.stage == Stage::Updated)).then_some(of.evse),
            token: with_token.then(|| self.by.as_ref().unwrap_or(&of.token).clone()),
            readings: self.readings(of, version),
            reason: self.reason,
            state: self.state,
            offline: self.offline,
            remote_start: match of.origin {
                Origin::Remote(id) if first && !v16 => Some(id),
                Origin::Remote(_) | Origin::Driver => None,
            },
            reservation: of.reservation.filter(|_| first),
            terms: None,
        }
    }

    fn readings(&self, of: &Transaction, version: Version) -> Vec<Reading> {
        let reading = |at, context, measured| Reading { at, context, phase: None, measured };
        let context = match self.stage {
            Stage::Started => Context::TransactionBegin,
            Stage::Updated => self.context,
            Stage::Ended => Context::TransactionEnd,
        };
        let here = |measured| reading(self.at, context, measured);
        let mut out = Vec::new();
        // a 1.6 start carries one number and nothing else, so the signed begin travels with the end
        if version == Version::V16 && self.stage == Stage::Ended {
            let begin = of.begin_record.iter().cloned();
            out.extend(begin.map(|record| reading(of.started, Context::TransactionBegin, Measured::Signed(record))));
        }
        let aligned = self.aligned.iter().map(|(at, register)| (*at, Measured::EnergyImport(*register)));
        out.extend(aligned.map(|(at, measured)| reading(at, Context::SampleClock, measured)));
        if self.bare {
            return out;
        }
        out.push(here(Measured::EnergyImport(self.register)));
        out.extend(self.power.map(|power| here(Measured::PowerImport(power))));
        out.extend(self.charged_percent.map(|percent| here(Measured::StateOfCharge(Decimal::from(percent)))));
        if !(version == Version::V16 && self.stage == Stage::Started) {
            out.extend(self.signed.iter().cloned().map(|record| here(Measured::Signed(record))));
        }
        out
    }
}

/// What becomes of a message that the operator answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// As often as the station tries: it is dropped.
    GivenUp,
    /// To be said again after the pause.
    Again,
}

/// The messages that wait, in order, with the transactions they are about.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    waiting: VecDeque<(MessageNo, Message)>,
    transactions: BTreeMap<TransactionNo, Transaction>,
    /// How often the head was answered with an error.
    errors: u32,
    last_message: u64,
    last_transaction: u32,
}

impl Queue {
    /// As it was kept.
    pub fn restored(
        transactions: impl IntoIterator<Item = Transaction>,
        waiting: impl IntoIterator<Item = (MessageNo, Message)>,
    ) -> Self {
        let transactions: BTreeMap<_, _> = transactions.into_iter().map(|of| (of.no, of)).collect();
        let waiting: VecDeque<_> = waiting.into_iter().collect();
        let last_message = waiting.back().map_or(0, |(no, _)| no.0);
        let last_transaction = transactions.last_key_value().map_or(0, |(no, _)| no.0);
        Self { waiting, transactions, errors: 0, last_message, last_transaction }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn transaction(&self, no: TransactionNo) -> Option<&Transaction> {
        self.transactions.get(&no)
    }

    pub fn transaction_mut(&mut self, no: TransactionNo) -> Option<&mut Transaction> {
        self.transactions.get_mut(&no)
    }

    /// Transactions that have begun and not ended.
    pub fn running(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.values().filter(|of| !of.ended)
    }

    /// The running transaction that the operator names so.
    pub fn named(&self, key: &TransactionKey) -> Option<&Transaction> {
        self.running().find(|of| match key {
            TransactionKey::Number(number) => of.number == Some(*number),
            TransactionKey::Text(id) => of.id == *id,
        })
    }

    /// Whether messages about this transaction wait.
    pub fn owes(&self, key: &TransactionKey) -> bool {
        let meant = |of: &&Transaction| match key {
            TransactionKey::Number(number) => of.number == Some(*number),
            TransactionKey::Text(id) => of.id == *id,
        };
        let no = self.transactions.values().find(meant).map(|of| of.no);
        no.is_some_and(|no| self.waiting.iter().any(|(_, message)| message.transaction == no))
    }

    /// Whether another transaction can be reported to its end.
    pub fn has_room(&self) -> bool {
        let lasting = self.waiting.iter().filter(|(_, message)| message.stage != Stage::Updated).count();
        // its begin, its end, and the ends of those that run
        lasting + 2 + self.running().count() <= QUEUE_MAX
    }

    pub const fn next_transaction(&mut self) -> TransactionNo {
        self.last_transaction += 1;
        TransactionNo(self.last_transaction)
    }

    pub fn open(&mut self, of: Transaction) {
        self.transactions.insert(of.no, of);
    }

    /// Adds a message. Answers its number and which one was dropped to make room.
    pub fn push(&mut self, message: Message) -> (MessageNo, Option<MessageNo>) {
        let dropped = if self.waiting.len() < QUEUE_MAX { None } else { self.drop_progress() };
        self.last_message += 1;
        let no = MessageNo(self.last_message);
        self.waiting.push_back((no, message));
        (no, dropped)
    }

    /// The oldest progress but for the head, which may be under way.
    fn drop_progress(&mut self) -> Option<MessageNo> {
        let place = self.waiting.iter().skip(1).position(|(_, message)| message.stage == Stage::Updated)?;
        self.waiting.remove(place + 1).map(|(no, _)| no)
    }

    /// What to say next, ready to be said.
    pub fn head(&self, version: Version) -> Option<(MessageNo, TransactionReport)> {
        let (no, message) = self.waiting.front()?;
        let of = self.transactions.get(&message.transaction)?;
        Some((*no, message.report(of, version)))
    }

    /// The message at the head, and its transaction.
    pub fn front(&self) -> Option<(MessageNo, &Message, &Transaction)> {
        let (no, message) = self.waiting.front()?;
        Some((*no, message, self.transactions.get(&message.transaction)?))
    }

    /// The operator answered the head with an error. It is repeated `attempts_max` times, then given up: a message
    /// that the operator will never take must not hold up all that follow (OCPP 1.6, 3.7).
    pub const fn refused(&mut self, attempts_max: u32) -> Attempt {
        self.errors += 1;
        if self.errors >= attempts_max { Attempt::GivenUp } else { Attempt::Again }
    }

    /// How many pauses to wait before the head is said again (OCPP 1.6, 3.7.1: one more each time).
    pub const fn pauses(&self) -> u32 {
        self.errors
    }

    /// Removes the head. Answers the transaction that is thereby done with.
    pub fn done(&mut self) -> Option<TransactionNo> {
        self.errors = 0;
        let (_, message) = self.waiting.pop_front()?;
        if message.stage != Stage::Ended {
            return None;
        }
        self.transactions.remove(&message.transaction).map(|of| of.no)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::token::{TokenKind, TokenUid};

    use super::*;

    fn transaction(queue: &mut Queue) -> TransactionNo {
        let no = queue.next_transaction();
        queue.open(Transaction {
            no,
            evse: EvseNo::new(1).unwrap(),
            id: "b0c4".into(),
            number: None,
            token: PresentedToken::new(TokenUid::new("04A2B3C4").unwrap(), TokenKind::Rfid),
            origin: Origin::Driver,
            started: Timestamp::from_secs(10),
            begun: Energy::ZERO,
            begin_record: Some(SignedRecord {
                format: "OCMF".into(),
                bytes: b"begin".as_slice().into(),
                public_key: None,
            }),
            clock: ClockQuality::Synchronised,
            seq_next: 0,
            ended: false,
            reservation: None,
        });
        no
    }

    fn message(transaction: TransactionNo, stage: Stage, seq: u32) -> Message {
        Message {
            transaction,
            seq,
            stage,
            at: Timestamp::from_secs(i64::from(seq)),
            register: Energy::from_wh(i64::from(seq)),
            power: None,
            charged_percent: None,
            signed: None,
            reason: None,
            by_token: false,
            by: None,
            context: Context::SamplePeriodic,
            aligned: Vec::new(),
            bare: false,
            state: Some(BayState::Charging),
            offline: false,
        }
    }

    #[test]
    fn a_full_queue_drops_the_oldest_progress_and_never_a_begin_or_an_end() {
        let mut queue = Queue::default();
        let of = transaction(&mut queue);
        queue.push(message(of, Stage::Started, 0));
        for seq in 1..QUEUE_MAX {
            assert_eq!(queue.push(message(of, Stage::Updated, u32::try_from(seq).unwrap())).1, None);
        }
        assert_eq!(queue.push(message(of, Stage::Ended, 1)).1, Some(MessageNo(2)));
        assert_eq!(queue.len(), QUEUE_MAX);
        assert_eq!(queue.front().unwrap().1.stage, Stage::Started);
        assert_eq!(queue.waiting.back().unwrap().1.stage, Stage::Ended);
    }

    #[test]
    fn a_station_that_owes_too_much_begins_nothing_new() {
        let mut queue = Queue::default();
        let of = transaction(&mut queue);
        assert!(queue.has_room());
        for seq in 0..QUEUE_MAX {
            queue.push(message(of, Stage::Ended, u32::try_from(seq).unwrap()));
        }
        assert!(!queue.has_room());
    }

    #[test]
    fn the_number_of_the_answer_names_what_follows_in_1_6() {
        let mut queue = Queue::default();
        let of = transaction(&mut queue);
        queue.push(message(of, Stage::Started, 0));
        queue.push(message(of, Stage::Updated, 1));
        let (_, start) = queue.head(Version::V16).unwrap();
        assert_eq!((start.key, start.seq, start.readings.len()), (None, None, 1));
        queue.transaction_mut(of).unwrap().number = Some(77);
        assert_eq!(queue.done(), None);
        let (_, progress) = queue.head(Version::V16).unwrap();
        assert_eq!(progress.key, Some(TransactionKey::Number(77)));
        assert_eq!(progress.evse, EvseNo::new(1));
        let (_, in_2x) = queue.head(Version::V201).unwrap();
        assert_eq!((in_2x.key, in_2x.seq, in_2x.evse), (Some(TransactionKey::Text("b0c4".into())), Some(1), None));
    }

    #[test]
    fn an_operator_that_refuses_for_good_holds_nothing_up() {
        // proves: E13.FR.04
        let mut queue = Queue::default();
        let of = transaction(&mut queue);
        queue.push(message(of, Stage::Started, 0));
        assert_eq!(
            [queue.refused(3), queue.refused(3), queue.refused(3)],
            [Attempt::Again, Attempt::Again, Attempt::GivenUp]
        );
        assert_eq!(queue.pauses(), 3);
        queue.done();
        assert_eq!(queue.pauses(), 0);
        assert_eq!(queue.transaction(of).unwrap().key(Version::V16), TransactionKey::Number(NUMBERLESS));
    }
}
