//! Bounds of the road, each with its reason.

use std::time::Duration;

/// The largest request: a CDR with ten signed records of 5 000 characters is some 120 kB, a location with a hundred
/// EVSEs 60 kB.
pub const REQUEST_BYTES_MAX: usize = 512 * 1024;
/// The largest response that is read: twice what a hub of ours puts on one page, and two of its largest objects more.
pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Objects on one page.
pub const PAGE_ITEMS_MAX: u32 = 100;
/// Letters that a hub passes on at one time: each waits for another party and holds a body meanwhile.
pub const FORWARDS_MAX: usize = 256;
/// Of these, how many one party may have under way: a quarter, so that three silent receivers of one asker leave room
/// for everybody else.
pub const FORWARDS_PER_PARTY_MAX: usize = FORWARDS_MAX / 4;
/// Requests of one partner in the long run. A whole country's operator sends some hundreds; more is a flood.
pub const REQUESTS_PER_SECOND: u64 = 5_000;
/// Requests of one partner at once, for what has piled up during an outage.
pub const REQUESTS_BURST_MAX: u64 = 10_000;
/// Tokens of nobody that one operator may ask about within [`UNKNOWN_TOKENS_WITHIN`] before somebody is told: cards of
/// foreign networks are held to readers every day, some of them again and again.
pub const UNKNOWN_TOKENS_ALARM: u32 = 200;
/// And before its questions are refused until the time is over: a thousand wrong cards in ten minutes is guessing.
pub const UNKNOWN_TOKENS_MAX: u32 = 1_000;
pub const UNKNOWN_TOKENS_WITHIN: Duration = Duration::from_secs(600);
/// How long a provider may think about a card that it never announced: others may be asked after it, and the driver
/// stands there.
pub const PERHAPS_TIME_MAX: Duration = Duration::from_millis(1_500);
/// Parties whose use is counted at one door; a network has hundreds.
pub const PARTIES_MAX: usize = 10_000;
/// Documents of 2.3.0 that one owner may leave with us.
pub const DOCUMENTS_PER_OWNER_MAX: i64 = 10_000;
/// Sessions and CDRs whose last document is remembered, so that a change of a part can be understood and read back.
/// In memory alone: after a restart the sender sends the whole again.
pub const RECENT_MAX: usize = 4_096;
/// Bytes of these: [`RECENT_MAX`] honest ones have some kilobytes each. Beyond either, the party that has most here
/// loses its oldest, and nobody else.
pub const RECENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Published objects that wait for one slow receiver. Beyond it the newest are dropped: the receiver fetches the list.
pub const QUEUE_MAX: usize = 1024;
/// Bytes of such objects that wait for one slow receiver: [`QUEUE_MAX`] honest ones have a few kilobytes each.
pub const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Open connections of one listener: each costs some 25 kB.
pub const CONNECTIONS_MAX: usize = 1024;
/// From a request's head to its response's head. The longest honest wait is a hub's for its receiver.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);
/// How long requests under way may take to end when the listener closes.
pub const GOODBYE_TIME_MAX: Duration = Duration::from_secs(5);

/// How long a giver of an order whose protocol has no second message waits for the outcome. Stations answer within
/// seconds; OICP's partners hang up after a minute, and some long before.
pub const OUTCOME_WAIT_MAX: Duration = Duration::from_secs(25);
/// How long the giver of an order waits for the first word of a partner whose answer is the outcome itself. After
/// that it hears that the order is on its way, and gets the outcome when it comes.
pub const FIRST_WORD_MAX: Duration = Duration::from_secs(5);

/// How long each step of trying a connection may take: somebody is looking on.
pub const TRIAL_STEP_MAX: Duration = Duration::from_secs(5);
/// A certificate that ends sooner than this is told about.
pub const CERTIFICATE_SOON: Duration = Duration::from_secs(21 * 86_400);

/// How long one waits for a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoadLimits {
    /// TCP and TLS together.
    pub connect: Duration,
    /// The whole exchange. A driver with a card in hand gives up after about ten seconds, and a hub has to be quicker
    /// than its own asker: give it less than them.
    pub answer: Duration,
}

impl Default for RoadLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(15) }
    }
}

impl RoadLimits {
    /// For a hub's own requests.
    pub const FORWARD: Self = Self { connect: Duration::from_secs(3), answer: Duration::from_secs(10) };
}
