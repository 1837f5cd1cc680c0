//! Bounds of the road, each with its reason.

use std::time::Duration;

/// The largest request: a CDR with ten signed records of 5 000 characters is some 120 kB, a location with a hundred
/// EVSEs 60 kB.
pub const REQUEST_BYTES_MAX: usize = 512 * 1024;
/// The largest response: a page of [`PAGE_ITEMS_MAX`] such locations.
pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Objects on one page.
pub const PAGE_ITEMS_MAX: u32 = 100;
/// Letters that a hub passes on at one time: each waits for another party and holds a body meanwhile.
pub const FORWARDS_MAX: usize = 256;
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
