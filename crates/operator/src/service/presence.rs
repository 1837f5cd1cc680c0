//! What the operator keeps in memory alone: live connections, and log lines that wait for their batch.
//!
//! A heartbeat changes a time here and nothing on disk. Both queues are bounded; what does not fit is dropped and
//! counted, never waited for.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::{Admission, ConnectionNo, LogLine, StationCertificate, Version};
use charge::units::Power;

use crate::view::RefusedKnock;

/// A station with a live connection.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    pub connection: ConnectionNo,
    pub version: Version,
    pub since: Timestamp,
    pub last_seen: Timestamp,
    /// The last time that reached the disk.
    pub written: Timestamp,
    /// What its boot on this connection was answered; a station that did not boot is served as it is.
    pub admission: Option<Admission>,
}

/// What was presented at the door, until the upgrade is done.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    pub peer: String,
    pub certificate: Option<StationCertificate>,
}

/// Who is there.
#[derive(Debug, Default)]
pub(crate) struct Presences {
    pub live: HashMap<StationId, Presence>,
    /// Admitted and not arrived yet; at most one per enrolled station.
    pub knocked: HashMap<StationId, Presented>,
    /// Once a minute, for the plot.
    pub power: VecDeque<(Timestamp, Power)>,
    /// When the house was last kept, and when retention was last done.
    pub kept: Option<Timestamp>,
    pub swept: Option<Timestamp>,
}

impl Presences {
    /// A message came in.
    pub fn seen(&mut self, station: &StationId, now: Timestamp) {
        if let Some(presence) = self.live.get_mut(station) {
            presence.last_seen = now;
        }
    }

    /// The times that have to reach the disk, marked as written.
    pub fn take_unwritten(&mut self, now: Timestamp) -> Vec<(StationId, Timestamp)> {
        let due = |presence: &&mut Presence| {
            presence.last_seen > presence.written && now.since(presence.written) >= SEEN_WRITTEN_EVERY
        };
        let mut unwritten = Vec::new();
        for (station, presence) in &mut self.live {
            if due(&presence) {
                presence.written = presence.last_seen;
                unwritten.push((station.clone(), presence.last_seen));
            }
        }
        unwritten
    }

    /// Once a second is enough, however often duty is done; answers yes once.
    pub fn house_is_due(&mut self, now: Timestamp) -> bool {
        let due = self.kept.is_none_or(|kept| now.since(kept) >= HOUSE_EVERY);
        if due {
            self.kept = Some(now);
        }
        due
    }

    /// Keeps a sample of the power a minute.
    pub fn sample(&mut self, now: Timestamp, power: Power) {
        if self.power.back().is_none_or(|(at, _)| now.since(*at) >= POWER_EVERY) {
            if self.power.len() >= POWER_SAMPLES {
                self.power.pop_front();
            }
            self.power.push_back((now, power));
        }
    }

    pub fn wants_sample(&self, now: Timestamp) -> bool {
        self.power.back().is_none_or(|(at, _)| now.since(*at) >= POWER_EVERY)
    }
}

/// Log lines and refusals that wait for their batch.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    messages: VecDeque<(StationId, LogLine)>,
    refusals: VecDeque<RefusedKnock>,
    pub dropped: u64,
}

impl Notes {
    /// Answers whether a batch has just become full.
    pub fn message(&mut self, station: &StationId, line: LogLine) -> bool {
        if self.messages.len() >= MESSAGES_WAITING {
            self.dropped += 1;
            return false;
        }
        self.messages.push_back((station.clone(), line));
        self.messages.len() == BATCH
    }

    pub fn refusal(&mut self, knock: RefusedKnock) {
        if self.refusals.len() >= REFUSALS_WAITING {
            self.dropped += 1;
        } else {
            self.refusals.push_back(knock);
        }
    }

    /// Takes one batch out.
    pub fn take(&mut self) -> (Vec<(StationId, LogLine)>, Vec<RefusedKnock>) {
        let batch = self.messages.len().min(BATCH);
        (self.messages.drain(..batch).collect(), self.refusals.drain(..).collect())
    }

    /// Enough waits for a batch of its own.
    pub fn is_batch(&self) -> bool {
        self.messages.len() >= BATCH
    }
}

/// A crash loses at most this much of "last seen".
const SEEN_WRITTEN_EVERY: Duration = Duration::from_secs(60);
const HOUSE_EVERY: Duration = Duration::from_secs(1);
const POWER_EVERY: Duration = Duration::from_secs(60);
/// A day of minutes.
const POWER_SAMPLES: usize = 24 * 60;
/// Some seconds of a large network's traffic; the log is a convenience and gives way to charging.
const MESSAGES_WAITING: usize = 20_000;
/// Strangers at the door must not fill the memory.
const REFUSALS_WAITING: usize = 1_000;
/// One transaction's worth: a few milliseconds for the writer.
const BATCH: usize = 1_000;
