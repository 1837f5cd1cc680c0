//! One connection while it lasts: frames in, frames out, orders, pings and patience. Both ends run this loop.
//!
//! The tongue's engine (behind [`Side`]) says what frames mean, the room behind the side says what to answer; this
//! file only moves them, one writer and one reader in one task. It deliberately has no channel between frame and
//! answer: what a room answers at once is written in the same turn of the loop.
//!
//! Invariants: messages of the peer reach the room one at a time and in order; one order is under way at a time;
//! nothing is sent to a booting station before its boot answer.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use charge::talk::line::LineFault;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::end::{End, Ending};
use super::figures::Counts;
use super::limits::{
    FAREWELL_TIME_MAX, LAST_WORD_TIME_MAX, PEER_CALLS_MAX, PINGS_UNANSWERED_MAX, READ_BUFFER_BYTES, TalkLimits,
    WRITE_BUFFER_BYTES, WRITE_BYTES_MAX, WRITE_TIME_MAX,
};
use super::mailbox::{Letter, Mailbox};
use super::pace::{Pace, Rate};
use super::stream::Stream;

/// One end of the line: the tongue's engine and the room behind it.
pub(super) trait Side {
    /// What the engine says; [`Side::event`] reads it.
    type Said;
    type Ticket;
    /// What the peer asks, and what the room replies.
    type Asked;
    type Reply;
    type Asking: Future<Output = Self::Reply> + Unpin;
    /// What the room orders, and what the peer answers.
    type Order;
    type Answer;

    fn receive(&mut self, text: &str, said: &mut Vec<Self::Said>);
    fn reply(&mut self, ticket: Self::Ticket, reply: Self::Reply, said: &mut Vec<Self::Said>);
    fn order(&mut self, order: Self::Order, said: &mut Vec<Self::Said>);
    fn tick(&mut self, said: &mut Vec<Self::Said>);
    /// How long until the next [`Side::tick`] is due.
    fn wake_in(&self) -> Option<Duration>;
    fn event(&self, said: Self::Said) -> Event<Self::Ticket, Self::Asked, Self::Answer>;
    /// Is this the message after which orders wait for its answer?
    fn is_boot(asked: &Self::Asked) -> bool;
    /// Asks the room.
    fn ask(&self, asked: Self::Asked) -> Self::Asking;
}

pub(super) enum Event<T, Q, A> {
    Asked(T, Q),
    Send(String),
    Answered(Result<A, LineFault>),
    /// Dealt with already, by the side itself.
    Noted,
}

/// When orders may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BootGate {
    Open,
    /// The station has said nothing yet; its first word may be its boot.
    Listening {
        until: Instant,
    },
    /// A boot has been asked and not answered.
    Booting,
}

/// A message and its line for the log; a longer list would not fit the allocator's small change.
const SAID_USUALLY: usize = 2;

/// What happened next.
enum Happened<R> {
    Replied(R),
    Frame(Option<Result<Message, Error>>),
    Order,
    Time,
}

struct Asking<T, F> {
    ticket: T,
    is_boot: bool,
    reply: F,
}

pub(super) struct Talk<'r, S: Side> {
    side: S,
    socket: WebSocketStream<Stream>,
    mailbox: &'r Mailbox<S::Order, S::Answer>,
    limits: &'r TalkLimits,
    counts: &'r Counts,
    /// Asked by the peer and not yet put before the room.
    asked: VecDeque<(S::Ticket, S::Asked)>,
    asking: Option<Asking<S::Ticket, S::Asking>>,
    /// Who waits for the order under way.
    ordered: Option<oneshot::Sender<Result<S::Answer, LineFault>>>,
    taken: Option<Letter<S::Order, S::Answer>>,
    gate: BootGate,
    pace: Pace,
    paced: Option<Instant>,
    heard_at: Instant,
    pinged_at: Instant,
    answers_pings: bool,
    timer: Pin<Box<Sleep>>,
    /// The timer has rung and is not set for the next time yet.
    rang: bool,
}

/// The WebSocket's own bounds. Small buffers: most connections are idle most of the time. Compression is not
/// negotiated: it would cost up to 300 kB a connection, and OCPP-J 1.6 does not know it (a stated deviation from
/// OCPP 2.0.1 part 4, 3.4 for large fleets' sake).
pub(super) fn websocket_config(limits: &TalkLimits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BYTES_MAX)
        .max_message_size(Some(limits.ocpp.frame_bytes_max))
        .max_frame_size(Some(limits.ocpp.frame_bytes_max))
}

impl<'r, S: Side> Talk<'r, S> {
    pub fn new(
        side: S,
        socket: WebSocketStream<Stream>,
        mailbox: &'r Mailbox<S::Order, S::Answer>,
        limits: &'r TalkLimits,
        counts: &'r Counts,
        gate: BootGate,
    ) -> Self {
        let now = Instant::now();
        Self {
            side,
            socket,
            mailbox,
            limits,
            counts,
            asked: VecDeque::new(),
            asking: None,
            ordered: None,
            taken: None,
            gate,
            pace: Pace::new(now),
            paced: None,
            heard_at: now,
            pinged_at: now,
            answers_pings: false,
            timer: Box::pin(sleep_until(now)),
            rang: true,
        }
    }

    /// Talks until one side has enough. A wish to end is heard at once, also while the peer does not read. A panic
    /// on the way is the end of this talk and of nothing else.
    pub async fn run(&mut self) -> End {
        let (mailbox, counts) = (self.mailbox, self.counts);
        let mut turns = std::pin::pin!(AssertUnwindSafe(self.turns()).catch_unwind());
        poll_fn(|cx| match mailbox.poll_ending(cx) {
            Poll::Ready(ending) => Poll::Ready(End::Wished(ending)),
            Poll::Pending => turns.as_mut().poll(cx).map(|end| {
                end.unwrap_or_else(|_panic| {
                    counts.panics.add();
                    End::Broken
                })
            }),
        })
        .await
    }

    /// Says goodbye as the end demands, and lets the room finish what it was asked last.
    pub async fn part(mut self, end: &End) {
        self.ordered = None;
        self.taken = None;
        if *end != End::Wished(Ending::Cut) {
            // a peer that does not listen is left without a goodbye
            let _unheard = timeout(FAREWELL_TIME_MAX, farewell(&mut self.socket, end)).await;
        }
        drop(self.socket);
        if let (Some(asking), false) = (self.asking, *end == End::Broken) {
            // its answer has nobody to go to; what it keeps is kept
            let _late = timeout(LAST_WORD_TIME_MAX, asking.reply).await;
        }
    }

    async fn turns(&mut self) -> End {
        loop {
            let happened = poll_fn(|cx| self.poll(cx)).await;
            let turn = match happened {
                Happened::Replied(reply) => self.replied(reply).await,
                Happened::Frame(frame) => self.frame(frame).await,
                Happened::Order => self.order().await,
                Happened::Time => self.time().await,
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happened<S::Reply>> {
        if let Some(asking) = &mut self.asking
            && let Poll::Ready(reply) = asking.reply.poll_unpin(cx)
        {
            return Poll::Ready(Happened::Replied(reply));
        }
        if self.ordered.is_none() && self.gate == BootGate::Open {
            self.taken = self.mailbox.take();
            if self.taken.is_some() {
                return Poll::Ready(Happened::Order);
            }
        }
        if self.paced.is_none()
            && self.asked.len() + usize::from(self.asking.is_some()) < PEER_CALLS_MAX
            && let Poll::Ready(frame) = self.socket.poll_next_unpin(cx)
        {
            return Poll::Ready(Happened::Frame(frame));
        }
        let due = self.due();
        if self.rang || due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        self.rang = self.timer.as_mut().poll(cx).is_ready();
        if self.rang { Poll::Ready(Happened::Time) } else { Poll::Pending }
    }

    /// The next moment at which something is to be done without being told. The timer may ring earlier, because it
    /// is not moved with every message; that costs one turn.
    fn due(&self) -> Instant {
        let gate = match self.gate {
            BootGate::Listening { until } => Some(until),
            BootGate::Open | BootGate::Booting => None,
        };
        let engine = self.side.wake_in().map(|wait| Instant::now() + wait);
        let own = self.ping_at().min(self.silent_at());
        [gate, engine, self.paced].into_iter().flatten().fold(own, Instant::min)
    }

    fn ping_at(&self) -> Instant {
        self.heard_at.max(self.pinged_at) + self.limits.ping_every
    }

    fn silent_at(&self) -> Instant {
        let patience = if self.answers_pings {
            self.limits.ping_every * (PINGS_UNANSWERED_MAX + 1)
        } else {
            self.limits.idle_time_max
        };
        self.heard_at + patience
    }

    async fn time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.silent_at() {
            return Err(End::Silent);
        }
        if let BootGate::Listening { until } = self.gate
            && now >= until
        {
            self.gate = BootGate::Open;
        }
        self.paced = self.paced.filter(|welcome| *welcome > now);
        let mut said = Vec::with_capacity(SAID_USUALLY);
        self.side.tick(&mut said);
        self.do_all(said).await?;
        if now >= self.ping_at() {
            self.pinged_at = now;
            self.write(Message::Ping(Bytes::new())).await?;
        }
        Ok(())
    }

    async fn frame(&mut self, frame: Option<Result<Message, Error>>) -> Result<(), End> {
        let message = match frame {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(End::of(error)),
            None => return Err(End::Lost("without a goodbye".into())),
        };
        let now = Instant::now();
        self.heard_at = now;
        let rate = Rate { every: self.limits.message_every, at_once: self.limits.messages_at_once };
        self.pace.spend(now, rate);
        self.paced = self.pace.welcome_at(now, rate);
        if self.paced.is_some() {
            self.counts.slowed.add();
        }
        match message {
            Message::Text(text) => {
                self.counts.frames_in.add();
                let mut said = Vec::with_capacity(SAID_USUALLY);
                self.side.receive(&text, &mut said);
                self.do_all(said).await
            }
            Message::Pong(_) => {
                self.answers_pings = true;
                Ok(())
            }
            // the answer is queued by the WebSocket layer and goes out with the next read or write
            Message::Ping(_) => Ok(()),
            Message::Binary(_) | Message::Frame(_) => Err(End::Binary),
            Message::Close(frame) => Err(End::Left(frame.map(|frame| {
                let reason = frame.reason.chars().filter(|c| !c.is_control()).collect::<String>();
                (u16::from(frame.code), reason.into())
            }))),
        }
    }

    async fn replied(&mut self, reply: S::Reply) -> Result<(), End> {
        let Some(asking) = self.asking.take() else { return Ok(()) };
        let mut said = Vec::with_capacity(SAID_USUALLY);
        self.side.reply(asking.ticket, reply, &mut said);
        self.do_all(said).await?;
        if asking.is_boot {
            self.gate = BootGate::Open;
        }
        self.ask_next();
        Ok(())
    }

    async fn order(&mut self) -> Result<(), End> {
        let Some(letter) = self.taken.take() else { return Ok(()) };
        self.ordered = Some(letter.answer);
        let mut said = Vec::with_capacity(SAID_USUALLY);
        self.side.order(letter.order, &mut said);
        self.do_all(said).await
    }

    async fn do_all(&mut self, said: Vec<S::Said>) -> Result<(), End> {
        for one in said {
            match self.side.event(one) {
                Event::Asked(ticket, asked) => self.peer_asked(ticket, asked),
                Event::Send(text) => {
                    self.counts.frames_out.add();
                    self.write(Message::text(text)).await?;
                }
                Event::Answered(answer) => {
                    if let Some(waits) = self.ordered.take() {
                        // whoever asked may have given up meanwhile
                        let _gone = waits.send(answer);
                    }
                }
                Event::Noted => {}
            }
        }
        self.ask_next();
        Ok(())
    }

    fn peer_asked(&mut self, ticket: S::Ticket, asked: S::Asked) {
        match self.gate {
            _booting if S::is_boot(&asked) => self.gate = BootGate::Booting,
            // its first word is no boot: it has merely reconnected
            BootGate::Listening { .. } => self.gate = BootGate::Open,
            BootGate::Open | BootGate::Booting => {}
        }
        self.asked.push_back((ticket, asked));
    }

    fn ask_next(&mut self) {
        if self.asking.is_none()
            && let Some((ticket, asked)) = self.asked.pop_front()
        {
            let is_boot = S::is_boot(&asked);
            self.asking = Some(Asking { ticket, is_boot, reply: self.side.ask(asked) });
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        let mut send = self.socket.send(message);
        // nearly always the kernel takes it at once, and no patience is needed
        let patience = match poll_fn(|cx| Poll::Ready(send.poll_unpin(cx))).await {
            Poll::Ready(sent) => Ok(sent),
            Poll::Pending => timeout(WRITE_TIME_MAX, send).await,
        };
        match patience {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::of(error)),
            Err(_late) => Err(End::Stalled),
        }
    }
}

/// Sends the close frame and, where it matters that it arrives, reads until the peer hangs up: a socket that is
/// dropped with unread bytes is reset, and the reset overtakes the farewell.
async fn farewell(socket: &mut WebSocketStream<Stream>, end: &End) -> Result<(), Error> {
    match end.farewell() {
        Some(frame) => socket.send(Message::Close(Some(frame))).await?,
        // the answer to the peer's own close frame is queued
        None => socket.flush().await?,
    }
    let stream = socket.get_mut();
    stream.shutdown().await?;
    if end.lingers() {
        let mut unread = [0u8; 1024];
        while stream.read(&mut unread).await? > 0 {}
    }
    Ok(())
}
