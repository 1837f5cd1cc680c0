//! Bounds of the line, each with its reason.
//!
//! What an operator may want to turn is a field of [`Options`] or [`TalkLimits`]; what nobody should turn is a
//! constant. The bounds of messages themselves (size, depth, time to answer) are the tongue's: [`ocpp::Limits`].

use std::time::Duration;

/// How many stations a listener carries and how they are let in.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections beyond this are answered 503 with a Retry-After. A TLS connection costs up to 40 KiB of memory
    /// and one file descriptor.
    pub connections_max: usize,
    /// Connections that may be between TCP accept and upgrade at the same time. The others wait in the kernel's
    /// queue: in a storm of reconnects the handshakes behind the door stay fast.
    pub handshakes_max: usize,
    pub talk: TalkLimits,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections_max: 100_000, handshakes_max: 512, talk: TalkLimits::default() }
    }
}

/// What one connection may cost, on either side of it.
#[derive(Clone, Debug)]
pub struct TalkLimits {
    pub ocpp: ocpp::Limits,
    /// A silent connection is pinged this often. Middleboxes forget connections after 60 to 350 s of silence.
    pub ping_every: Duration,
    /// A peer that has answered no ping so far and says nothing for this long is gone: three heartbeats at the usual
    /// 300 s, because stations exist that answer no pings. One that does answer is gone after three silent pings.
    pub idle_time_max: Duration,
    /// From [`charge::talk::line::Line::tell`] to its answer, with the time spent behind other orders.
    pub order_time_max: Duration,
    /// One message in this time may go on for ever; a faster peer is read more slowly.
    pub message_every: Duration,
    /// This many messages may come at once: what a station has collected while it was offline.
    pub messages_at_once: u32,
    /// How long orders wait for a first word of the station, which may be its boot: nothing goes to a station
    /// before its boot answer is on the wire (OCPP 2.0.1 B01; 1.6, 4.2), and a plain reconnect has no boot.
    pub boot_grace: Duration,
}

impl Default for TalkLimits {
    fn default() -> Self {
        Self {
            ocpp: ocpp::Limits::default(),
            ping_every: Duration::from_secs(50),
            idle_time_max: Duration::from_secs(900),
            order_time_max: Duration::from_secs(60),
            message_every: Duration::from_millis(50),
            messages_at_once: 200,
            boot_grace: Duration::from_secs(3),
        }
    }
}

/// Silent pings before a peer that used to answer them counts as gone.
pub(super) const PINGS_UNANSWERED_MAX: u32 = 3;
/// A peer may have this many unanswered calls: the standard allows one, the field sends two (OCPP-J 1.6, 4.1.1).
/// Beyond it the door stops reading.
pub(super) const PEER_CALLS_MAX: usize = 8;
/// Orders that may wait for one station. A person or a plan that piles up more has lost sight of it.
pub(super) const ORDERS_WAITING_MAX: usize = 16;
/// A peer that takes nothing for this long has a dead line: TCP alone would notice after a quarter of an hour.
pub(super) const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a peer may take to hear why it is let go.
pub(super) const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);
/// What a peer said last is finished even though it cannot hear the answer any more; a newer connection of the same
/// station waits for that, so not for long.
pub(super) const LAST_WORD_TIME_MAX: Duration = Duration::from_secs(5);
/// A newer connection waits this long for the end of the older one, then begins anyway.
pub(super) const TAKEOVER_TIME_MAX: Duration = Duration::from_secs(10);
/// The desk may check a slow password hash, in a queue of such checks.
pub(super) const ADMISSION_TIME_MAX: Duration = Duration::from_secs(20);
/// A server that stops gives its connections this long.
pub(super) const STOP_TIME_MAX: Duration = Duration::from_secs(10);
/// After a failed accept (usually no file descriptor is left) the next try waits for connections to end.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Retry-After is at least this.
pub(super) const RETRY_AFTER_MIN: Duration = Duration::from_secs(10);
/// And up to this much more, so that a refused fleet does not come back in step.
pub(super) const RETRY_AFTER_SPREAD: Duration = Duration::from_secs(50);
/// A caller takes a longer Retry-After for a mistake.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);
/// Field messages are below 1 KiB; a longer one grows the buffer once.
pub(super) const READ_BUFFER_BYTES: usize = 2048;
/// Collects a message before it is written; nothing is allocated in advance.
pub(super) const WRITE_BUFFER_BYTES: usize = 4096;
/// What may wait for a slow peer. One message is written at a time, and ours are far smaller.
pub(super) const WRITE_BYTES_MAX: usize = 4 << 20;
/// Subprotocols that a station may offer. Nobody speaks more; the rest is not read.
pub(super) const OFFERS_MAX: usize = 16;
/// Refusals before the upgrade that are logged at once; then one in [`REFUSAL_LOG_EVERY`], so that a stranger
/// cannot fill the disk. All are counted.
pub(super) const REFUSALS_LOGGED_AT_ONCE: u32 = 100;
pub(super) const REFUSAL_LOG_EVERY: Duration = Duration::from_millis(200);
/// Tries of one network address to prove itself over SOAP that may come to nothing at once: a technician who sets up a
/// site. Then one in [`TRY_EVERY`]: each costs a look into memory, and for chosen keys a slow hash.
pub(super) const TRIES_AT_ONCE: u32 = 50;
pub(super) const TRY_EVERY: Duration = Duration::from_millis(200);
/// Whoever would have to wait for longer than this to be judged is told to come back.
pub(super) const JUDGED_WITHIN: Duration = Duration::from_secs(10);
/// A path is cut to this in log lines.
pub(super) const LOGGED_PATH_CHARACTERS_MAX: usize = 200;
