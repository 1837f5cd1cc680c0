//! What a listener counts. Figures are for people and for benchmarks; nothing is decided by them.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only says how often.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn take_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub sockets: Count,
    pub accepted: Count,
    pub broken_handshakes: Count,
    pub refused: Count,
    pub overloaded: Count,
    pub crowded_out: Count,
    pub arrived: Count,
    pub replaced: Count,
    pub slowed: Count,
    pub frames_in: Count,
    pub frames_out: Count,
    pub panics: Count,
}

/// A listener's figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Stations that can be told something now.
    pub stations: u64,
    /// TCP connections now, those still at the door included.
    pub sockets: u64,
    /// Since the start, as are all that follow: TCP connections accepted.
    pub accepted: u64,
    /// Connections that ended in the TLS handshake or sent no proper request head.
    pub broken_handshakes: u64,
    /// Refused before the upgrade: 400, 401, 403 and 404.
    pub refused: u64,
    /// Answered 503.
    pub overloaded: u64,
    /// Dropped at accept because one network address held half of all handshakes.
    pub crowded_out: u64,
    /// Let in.
    pub arrived: u64,
    /// Ended because a newer connection of the same station came in.
    pub replaced: u64,
    /// Messages after which a station had to wait because it talked too fast.
    pub slowed: u64,
    pub frames_in: u64,
    pub frames_out: u64,
    /// Connections that ended by a fault of ours.
    pub panics: u64,
}

impl Counts {
    pub fn figures(&self, stations: usize) -> Figures {
        Figures {
            stations: stations as u64,
            sockets: self.sockets.read(),
            accepted: self.accepted.read(),
            broken_handshakes: self.broken_handshakes.read(),
            refused: self.refused.read(),
            overloaded: self.overloaded.read(),
            crowded_out: self.crowded_out.read(),
            arrived: self.arrived.read(),
            replaced: self.replaced.read(),
            slowed: self.slowed.read(),
            frames_in: self.frames_in.read(),
            frames_out: self.frames_out.read(),
            panics: self.panics.read(),
        }
    }
}
