//! How many messages went over this leg, by errand and direction. Numbers only: no party, no token, no place.

use std::sync::atomic::{AtomicU64, Ordering};

use ocpi::wire::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    In,
    Out,
}

impl Direction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// One counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub direction: Direction,
    /// The template of the request, such as `POST tokens/{uid}/authorize`.
    pub errand: &'static str,
    pub requests: u64,
}

/// The counters of one party's road. A request and its response count as one, on the side that got or made it.
#[derive(Debug)]
pub struct Figures {
    heard: [AtomicU64; Kind::ALL.len()],
    sent: [AtomicU64; Kind::ALL.len()],
}

impl Default for Figures {
    fn default() -> Self {
        let zeros = || std::array::from_fn(|_| AtomicU64::new(0));
        Self { heard: zeros(), sent: zeros() }
    }
}

impl Figures {
    pub(crate) fn count(&self, direction: Direction, kind: Kind) {
        let counters = self.side(direction);
        if let Some((_, counter)) = Kind::ALL.iter().zip(counters).find(|(each, _)| **each == kind) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every counter that is not zero.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for direction in [Direction::In, Direction::Out] {
            for (kind, counter) in Kind::ALL.iter().zip(self.side(direction)) {
                let requests = counter.load(Ordering::Relaxed);
                if requests > 0 {
                    lines.push(Line { direction, errand: kind.as_str(), requests });
                }
            }
        }
        lines
    }

    const fn side(&self, direction: Direction) -> &[AtomicU64; Kind::ALL.len()] {
        match direction {
            Direction::In => &self.heard,
            Direction::Out => &self.sent,
        }
    }
}
