//! What the operator keeps in memory alone: live connections, and log lines that wait for their batch.
//!
//! A heartbeat changes a time here and nothing on disk. Both queues are bounded; what does not fit is dropped and
//! counted, never waited for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use charge::Timestamp;
use charge::id::{EvseNo, StationId};
use charge::talk::line::{Admission, ConnectionNo, LogLine, StationCertificate, Version};
use charge::token::Allowed;
use charge::units::Power;

use store::{StoreError, Tx};

use super::cost::Shows;
use crate::memory::messages::Waiting;
use crate::memory::station;
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
    /// What it can do with prices and limits; `None` until it was looked up.
    pub shows: Option<Shows>,
    /// It was sent a key on this connection, or came with one, and which key it has is not on the disk yet.
    pub key_open: bool,
}

/// What was presented at the door, until the upgrade is done.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    pub peer: String,
    pub certificate: Option<StationCertificate>,
    /// It proved more than it was enrolled for.
    pub rises: bool,
    /// It came with the key that it was sent.
    pub renews: bool,
}

/// A coming or a going.
#[derive(Debug)]
pub(crate) enum Passage {
    Arrived { station: StationId, version: Version, presented: Option<Presented>, at: Timestamp },
    Left { station: StationId, at: Timestamp },
}

impl Passage {
    pub fn station(&self) -> &StationId {
        match self {
            Self::Arrived { station, .. } | Self::Left { station, .. } => station,
        }
    }

    pub fn keep(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        match self {
            Self::Arrived { station, version, presented, at } => {
                let peer = presented.as_ref().map_or("", |presented| presented.peer.as_str());
                let certificate = presented.as_ref().and_then(|presented| presented.certificate.as_ref());
                station::arrived(tx, station, *version, peer, certificate, *at)
            }
            Self::Left { station, at } => station::left(tx, station, *at),
        }
    }
}

/// Who is there.
#[derive(Debug, Default)]
pub(crate) struct Presences {
    pub live: HashMap<StationId, Presence>,
    /// Admitted and not arrived yet; at most one per enrolled station.
    pub knocked: HashMap<StationId, Presented>,
    /// Not on the disk yet, in their order.
    pub passages: Vec<Passage>,
    /// So many are being written.
    pub keeping: usize,
    /// Once a minute, for the plot.
    pub power: VecDeque<(Timestamp, Power)>,
    /// Connected for a while without a boot, and looked at since the program began; at most one per enrolled station.
    pub unbooted: HashSet<StationId>,
    /// When campaigns were last looked at, and whether something was heard of one since.
    pub campaigns_looked: Option<Timestamp>,
    pub campaign_news: bool,
    /// When the house was last kept, and when retention was last done.
    pub kept: Option<Timestamp>,
    pub swept: Option<Timestamp>,
}

impl Presences {
    /// A message came in; answers what the station's boot was answered.
    pub fn seen(&mut self, station: &StationId, now: Timestamp) -> Option<Admission> {
        let presence = self.live.get_mut(station)?;
        presence.last_seen = now;
        presence.admission
    }

    /// Before a station is sent a key: one at a time, for it may have each that it was sent. Otherwise why not.
    pub fn open_key(&mut self, station: &StationId) -> Result<ConnectionNo, &'static str> {
        let presence = self.live.get_mut(station).ok_or("the station is not connected")?;
        if std::mem::replace(&mut presence.key_open, true) {
            return Err(KEY_OPEN);
        }
        Ok(presence.connection)
    }

    /// Which key it has is on the disk, as far as this connection is concerned.
    pub fn close_key(&mut self, station: &StationId, connection: ConnectionNo) {
        if let Some(presence) = self.live.get_mut(station).filter(|presence| presence.connection == connection) {
            presence.key_open = false;
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

    /// Stations that have been connected for [`BOOT_EXPECTED`] without a boot; each is named once.
    pub fn take_unbooted(&mut self, now: Timestamp) -> Vec<StationId> {
        let due = |(name, presence): &(&StationId, &Presence)| {
            presence.admission.is_none() && now.since(presence.since) >= BOOT_EXPECTED && !self.unbooted.contains(*name)
        };
        let found: Vec<StationId> = self.live.iter().filter(due).map(|(name, _)| name.clone()).collect();
        self.unbooted.extend(found.iter().cloned());
        found
    }

    /// A campaign is looked at when something was heard of one, and otherwise now and then for what time alone brings;
    /// answers yes once. A large one has many rows.
    pub fn campaigns_are_due(&mut self, now: Timestamp) -> bool {
        let due = self.campaigns_looked.is_none_or(|looked| {
            let waited = now.since(looked);
            waited >= CAMPAIGNS_EVERY || self.campaign_news && waited >= CAMPAIGN_NEWS_GATHER
        });
        if due {
            (self.campaigns_looked, self.campaign_news) = (Some(now), false);
        }
        due
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

/// A token that was refused; which one is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeniedTap {
    pub station: StationId,
    pub evse: Option<EvseNo>,
    pub allowed: Allowed,
    pub at: Timestamp,
}

/// What was taken out of the notes at once.
#[derive(Default)]
pub(crate) struct Batch {
    pub messages: Waiting,
    pub refusals: VecDeque<RefusedKnock>,
    pub taps: Vec<DeniedTap>,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.messages.lines() + self.refusals.len() + self.taps.len()
    }
}

/// Log lines, refusals and denials that wait for their batch.
#[derive(Default)]
pub(crate) struct Notes {
    waiting: Batch,
    pub dropped: u64,
}

impl Notes {
    /// Answers whether a batch has just become full.
    pub fn message(&mut self, station: &StationId, line: &LogLine) -> bool {
        let was = self.waiting.messages.is_batch();
        if !self.waiting.messages.add(station, line) {
            self.dropped += 1;
        }
        self.waiting.messages.is_batch() && !was
    }

    pub fn refusal(&mut self, knock: RefusedKnock) {
        if self.waiting.refusals.len() >= REFUSALS_WAITING {
            self.dropped += 1;
        } else {
            self.waiting.refusals.push_back(knock);
        }
    }

    /// A reader that refuses the same again and again writes one row a batch.
    pub fn denied(&mut self, tap: DeniedTap) {
        let same = |each: &DeniedTap| (&each.station, each.evse, each.allowed) == (&tap.station, tap.evse, tap.allowed);
        if self.waiting.taps.iter().any(same) {
            return;
        }
        if self.waiting.taps.len() >= TAPS_WAITING {
            self.dropped += 1;
        } else {
            self.waiting.taps.push(tap);
        }
    }

    /// Takes all of it out.
    pub fn take(&mut self) -> Batch {
        let Batch { messages, refusals, taps } = &mut self.waiting;
        Batch { messages: messages.take(), refusals: std::mem::take(refusals), taps: std::mem::take(taps) }
    }

    /// Enough waits for a batch of its own.
    pub fn is_batch(&self) -> bool {
        self.waiting.messages.is_batch()
    }
}

const KEY_OPEN: &str = "the station was sent a key and nobody knows whether it has it; it shows when it connects again";
/// A crash loses at most this much of "last seen".
const SEEN_WRITTEN_EVERY: Duration = Duration::from_secs(60);
/// Pauses between waves and the patience with silent stations are minutes and hours.
const CAMPAIGNS_EVERY: Duration = Duration::from_secs(60);
/// What many stations of one wave report is looked at together.
const CAMPAIGN_NEWS_GATHER: Duration = Duration::from_secs(5);
/// A station boots in the first seconds of its connection, if it means to.
const BOOT_EXPECTED: Duration = Duration::from_secs(60);
const HOUSE_EVERY: Duration = Duration::from_secs(1);
const POWER_EVERY: Duration = Duration::from_secs(60);
/// A day of minutes.
const POWER_SAMPLES: usize = 24 * 60;
/// Strangers at the door must not fill the memory.
const REFUSALS_WAITING: usize = 1_000;
/// Different ones of a second; each new one is compared with all of them.
const TAPS_WAITING: usize = 500;
