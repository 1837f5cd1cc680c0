//! From OCPI to partners that speak something else, and outcomes on their way back.
//!
//! A letter is read into the vocabulary, said by a [`Speaker`], and its answer written in the asker's version. Orders
//! to partners whose answer is the outcome are acknowledged in time, and the outcome is sent after it. Invariant: what
//! would change money on the way is refused, never guessed.

use std::sync::Arc;
use std::time::Duration;

use charge::Soon;
use charge::id::{OrderId, PartyId};
use charge::record::Session;
use charge::talk::road::booking::BookingQuestion;
use charge::talk::road::{
    Answer, Denial, Envelope, Errand, Fate, Letter, OrderAck, OrderResult, Question, ReturnAddress, RoadFault, Way,
};
use ocpi::answer::{self, Answering};
use ocpi::ask::{self, Asked, Toward};
use ocpi::cross::Beside;
use ocpi::wire::{Incoming, Kind, Reply, Target};
use ocpi::{Version, hear, url};
use tokio::sync::oneshot;

use super::limits::{OUTCOME_WAIT_MAX, RoadLimits};
use super::neighbour::Hop;
use super::relay::{Origin, Parcel, WayOut};
use super::speaker::{Speaker, Told, denial_of};

/// Before the name that a partner of another protocol gave its order: no address of OCPI begins so.
const REFERENCE: &str = "crossing:";

/// The return address of an order of a partner that has none.
pub(crate) fn reference_of(order: &OrderId) -> ReturnAddress {
    ReturnAddress(format!("{REFERENCE}{}", order.as_str()))
}

/// The order that such a return address names.
pub(crate) fn reference(address: &ReturnAddress) -> Option<OrderId> {
    OrderId::new(address.0.strip_prefix(REFERENCE)?).ok()
}

/// The order that a letter gives.
pub(crate) const fn order_of(question: &Question) -> Option<&OrderId> {
    match question {
        Question::Start(start) => Some(&start.order),
        Question::Stop { order, .. } | Question::Unlock { order, .. } => Some(order),
        Question::Reservation(reservation) => Some(&reservation.order),
        Question::Profile(profile) => Some(&profile.order),
        Question::MayCharge { .. }
        | Question::Outcome { .. }
        | Question::ProfileOutcome { .. }
        | Question::Plan { .. }
        | Question::PutSession(_)
        | Question::PostCdr(_)
        | Question::PutLocation(_)
        | Question::PatchEvse { .. }
        | Question::PutTariff(_)
        | Question::DropTariff(_)
        | Question::PutToken(_)
        | Question::Locations(_)
        | Question::Tariffs(_)
        | Question::Fetch(_)
        | Question::Booking(_) => None,
    }
}

/// Nobody writes in another party's name.
pub(crate) fn owned(question: &Question, from: PartyId) -> Result<(), Denial> {
    let owner = match question {
        Question::PutSession(session) => session.party,
        Question::PostCdr(cdr) => cdr.party,
        Question::PutLocation(location) => location.party,
        Question::PutTariff(tariff) => tariff.party,
        Question::PutToken(token) => token.party,
        Question::Booking(BookingQuestion::Put(booking)) => booking.party,
        Question::Booking(BookingQuestion::Request(request)) => request.party,
        Question::MayCharge { .. }
        | Question::Start(_)
        | Question::Stop { .. }
        | Question::Unlock { .. }
        | Question::Outcome { .. }
        | Question::ProfileOutcome { .. }
        | Question::Plan { .. }
        | Question::PatchEvse { .. }
        | Question::DropTariff(_)
        | Question::Locations(_)
        | Question::Tariffs(_)
        | Question::Fetch(_)
        | Question::Reservation(_)
        | Question::Profile(_)
        | Question::Booking(_) => from,
    };
    if owner == from { Ok(()) } else { Err(Denial::NotYours) }
}

impl WayOut {
    /// A letter of OCPI to a partner that speaks something else, or a letter of another such partner.
    pub(crate) async fn across(
        self: &Arc<Self>,
        speaker: Arc<dyn Speaker>,
        to: PartyId,
        parcel: Parcel,
    ) -> Result<Reply, Denial> {
        let (version, envelope) = (parcel.version, parcel.envelope.clone());
        let read = match parcel.origin {
            Some(origin) => Ok((Asked::of(&origin.letter.question), *origin)),
            None => self.read(to, &parcel),
        };
        let (asked, origin) = read.inspect_err(|denial| {
            if *denial == Denial::NotSupported {
                self.no_word(envelope.from, to, &envelope.errand);
            }
            self.exchange.fared(&envelope, to, Fate::Refused);
        })?;
        let told = self.speak(speaker, to, origin, &envelope).await?;
        let answering = Answering { party: to, base: &self.base, now: self.clock.now(), version };
        let said = answer::write(&asked, Ok(told.answer), answering);
        self.lost(to, envelope.from, &envelope.errand, &said.lost);
        Ok(said.value)
    }

    fn read(&self, to: PartyId, parcel: &Parcel) -> Result<(Asked, Origin), Denial> {
        let Target::Endpoint { module, side, rest } = &parcel.target else { return Err(Denial::NotSupported) };
        let incoming = Incoming::new(parcel.version, parcel.method, (*module, *side), rest, &parcel.query)?;
        let from = parcel.envelope.from;
        let beside = Beside { owner: Some(from), payer: Some(to), ..Beside::default() };
        let body = hear::body(parcel.body.as_deref().unwrap_or_default())?;
        let errand = &parcel.envelope.errand;
        // what cannot be carried at all is told like what is left behind
        let lifted = self.told_if_refused(from, to, errand, hear::lifted(&incoming, body, beside))?;
        self.lost(from, to, errand, &lifted.lost);
        let heard = hear::question(&incoming, &lifted.value, to, &named_in)?;
        owned(&heard.value, from)?;
        self.told_if_refused(from, to, errand, money_kept(incoming.kind, &heard.lost))?;
        self.lost(from, to, errand, &heard.lost);
        let asked = Asked::heard(&heard.value, &incoming);
        let correlation = parcel.envelope.correlation.clone();
        let letter = Letter { from, to: Some(to), correlation, question: heard.value };
        Ok((asked, Origin { letter, native: None }))
    }

    pub(crate) async fn speak(
        self: &Arc<Self>,
        speaker: Arc<dyn Speaker>,
        to: PartyId,
        origin: Origin,
        envelope: &Envelope,
    ) -> Result<Told, Denial> {
        match order_of(&origin.letter.question).cloned() {
            Some(order) => self.give(order, speaker, to, origin, envelope).await,
            None => self.speak_within(RoadLimits::FORWARD.answer, speaker, to, origin, envelope).await,
        }
    }

    /// An order is on its way whether or not its giver has the patience to hear of it at once.
    async fn give(
        self: &Arc<Self>,
        order: OrderId,
        speaker: Arc<dyn Speaker>,
        to: PartyId,
        origin: Origin,
        envelope: &Envelope,
    ) -> Result<Told, Denial> {
        let (tell, told) = oneshot::channel();
        let (way, sent) = (Arc::clone(self), envelope.clone());
        tokio::spawn(async move {
            let mut result = way.speak_within(OUTCOME_WAIT_MAX, speaker, to, origin, &sent).await;
            let outcome = result.as_ref().map_or_else(|denial| Some(failed(denial)), |told| told.outcome);
            // a giver of OCPI is told in a letter of its own, any other one with the answer if that is in time
            let apart = result.is_ok() && way.speakers.of(sent.from).is_none();
            let session = result.as_mut().ok().filter(|_| apart).and_then(|told| told.session.take());
            let late = tell.send(result).is_err();
            if let Some(session) = session {
                way.begun(to, session, sent.clone()).await;
            }
            if let (Some(outcome), true) = (outcome, late || apart) {
                way.report(to, order, outcome, sent).await;
            }
        });
        match tokio::time::timeout(self.first_word, told).await {
            Ok(result) => result.unwrap_or(Err(Denial::Internal)),
            Err(_) => {
                let outcome_within_s = u32::try_from(OUTCOME_WAIT_MAX.as_secs()).unwrap_or(u32::MAX);
                let answer = Answer::Order { ack: OrderAck::Accepted { outcome_within_s }, message: None };
                Ok(Told { by: Some(to), ..Told::new(answer) })
            }
        }
    }

    async fn speak_within(
        &self,
        limit: Duration,
        speaker: Arc<dyn Speaker>,
        to: PartyId,
        origin: Origin,
        envelope: &Envelope,
    ) -> Result<Told, Denial> {
        let question = origin.letter.question.clone();
        let origin = self.spared_letter(to, origin).await?;
        let spoken = tokio::time::timeout(limit, speaker.speak(to, origin.letter, origin.native)).await;
        let result = spoken.unwrap_or(Err(RoadFault::TimedOut));
        let fate = match &result {
            Ok(_) => Fate::Delivered,
            Err(RoadFault::TimedOut) => Fate::Silent,
            Err(RoadFault::Denied(_)) => Fate::Refused,
            Err(RoadFault::Unreachable | RoadFault::Unreadable(_) | RoadFault::NoRoad) => Fate::Unreachable,
        };
        self.exchange.fared(envelope, to, fate);
        tracing::debug!(from = %envelope.from, %to, ?fate, "letter told in another protocol");
        let told = result.map_err(denial_of)?;
        self.exchange.lost(envelope.from, to, &envelope.errand, &told.lost);
        self.spared_told(envelope.from, &question, Told { by: Some(to), ..told }).await
    }

    /// The outcome that a partner told with its answer, to whoever gave the order.
    fn report(self: &Arc<Self>, by: PartyId, order: OrderId, result: OrderResult, sent: Envelope) -> Soon<'static, ()> {
        let way = Arc::clone(self);
        Box::pin(async move {
            let errand = Errand::Outcome { hub_order: order.clone() };
            let envelope = Envelope { from: by, to: Some(sent.from), correlation: sent.correlation, errand, bytes: 0 };
            let outcome = Question::Outcome { order: Some(order), return_to: None, result, message: None };
            let done = match way.exchange.route(envelope.clone(), None, None).await {
                Ok(Way::Back { party, return_to }) => way.back(party, &return_to, outcome, &envelope).await,
                Ok(Way::To { .. } | Way::Perhaps(_) | Way::Everyone(_) | Way::Kept) => Err(Denial::Internal),
                Err(denial) => Err(denial),
            };
            if let Err(denial) = done {
                tracing::info!(from = %by, to = %sent.from, ?denial, "the outcome of an order did not arrive");
            }
        })
    }

    /// The session that an order began, to a giver of OCPI: before the outcome, so that it has a name when that comes.
    fn begun(self: &Arc<Self>, by: PartyId, session: Box<Session>, sent: Envelope) -> Soon<'static, ()> {
        let way = Arc::clone(self);
        Box::pin(async move {
            let (errand, to, correlation) = (Errand::Session { owner: by }, Some(sent.from), sent.correlation);
            let envelope = Envelope { from: by, to, correlation: correlation.clone(), errand, bytes: 0 };
            let letter = Letter { from: by, to, correlation, question: Question::PutSession(session) };
            let parcel = way.parcel(&letter, sent.from, envelope.clone());
            let done = match (way.exchange.route(envelope, None, None).await, parcel) {
                (Ok(Way::To { party, .. }), Ok(parcel)) => way.pass(party, parcel).await.map(drop),
                (Ok(_), Ok(_)) => Err(Denial::Internal),
                (Err(denial), _) | (_, Err(denial)) => Err(denial),
            };
            if let Err(denial) = done {
                tracing::info!(from = %by, to = %sent.from, ?denial, "a session that an order began is not told of");
            }
        })
    }

    /// An outcome to the giver of its order: to the call that waits for it, to its speaker, or to an address of OCPI.
    pub(crate) async fn back(
        self: &Arc<Self>,
        giver: PartyId,
        return_to: &ReturnAddress,
        outcome: Question,
        envelope: &Envelope,
    ) -> Result<(), Denial> {
        let Question::Outcome { result, message, .. } = outcome else { return Err(Denial::NotSupported) };
        let (from, correlation) = (envelope.from, envelope.correlation.clone());
        let letter = |order, return_to| {
            let question = Question::Outcome { order, return_to, result, message };
            Letter { from, to: Some(giver), correlation, question }
        };
        let Some(order) = reference(return_to) else {
            let letter = letter(None, Some(return_to.clone()));
            let parcel = self.parcel(&letter, giver, envelope.clone())?;
            return self.pass(giver, parcel).await.map(drop);
        };
        if self.waiting.tell(&(giver, order.clone()), result) {
            self.exchange.fared(envelope, giver, Fate::Delivered);
            return Ok(());
        }
        let speaker = self.speakers.of(giver).ok_or(Denial::UnknownReceiver)?;
        let origin = Origin { letter: letter(Some(order), None), native: None };
        self.speak_within(RoadLimits::FORWARD.answer, speaker, giver, origin, envelope).await.map(drop)
    }

    /// A letter as a request of OCPI 2.2.1, which the relay carries to whatever version its receiver speaks.
    pub(crate) fn parcel(&self, letter: &Letter, to: PartyId, envelope: Envelope) -> Result<Parcel, Denial> {
        let version = Version::V221;
        let request = ask::request(letter, Toward { version, base: &self.base, place: None })?;
        self.lost(letter.from, to, &envelope.errand, &request.lost);
        let request = request.value;
        Ok(Parcel {
            version,
            kind: request.kind,
            method: request.method,
            target: request.target,
            query: request.query,
            body: request.body.map(Into::into),
            hop: Hop { from: letter.from, to: Some(to), correlation: letter.correlation.clone() },
            envelope,
            origin: None,
        })
    }
}

/// The hub's own reference: the last part of the address that it put into the order.
fn named_in(address: &ReturnAddress) -> Option<OrderId> {
    let last = address.0.rsplit('/').next()?;
    OrderId::new(url::decode(last)?).ok()
}

/// What a giver hears that was told before that its order is on its way.
const fn failed(denial: &Denial) -> OrderResult {
    match denial {
        Denial::ReceiverSilent => OrderResult::TimedOut,
        Denial::NotSupported => OrderResult::NotSupported,
        Denial::NotYours | Denial::UnknownToken | Denial::Malformed { .. } | Denial::Incomplete(_) => {
            OrderResult::Rejected
        }
        Denial::UnknownLocation
        | Denial::UnknownObject
        | Denial::UnknownReceiver
        | Denial::ReceiverUnreachable
        | Denial::Internal
        | Denial::Overloaded => OrderResult::Failed,
    }
}

/// Members without which a CDR or a tariff would say another amount, or another debtor.
const MONEY: [(Kind, &[&str]); 2] = [
    (Kind::PostCdr, &["/total_", "/currency", "/home_charging_compensation"]),
    (Kind::PutTariff, &["/elements", "/min_price", "/max_price", "/currency"]),
];

/// Other protocols could not tell what was left behind when the letter was read.
fn money_kept(kind: Kind, lost: &[ocpi::Fault]) -> Result<(), Denial> {
    let members = MONEY.iter().find(|(each, _)| *each == kind).map_or(&[][..], |(_, members)| members);
    match lost.iter().find(|fault| members.iter().any(|member| fault.path.starts_with(member))) {
        None => Ok(()),
        Some(fault) => Err(Denial::Malformed {
            path: fault.path.as_str().into(),
            why: "cannot be told to the receiver without changing money".into(),
        }),
    }
}
