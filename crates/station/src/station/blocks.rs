//! What the station keeps for the operator's orders beyond charging itself, and what of it falls due by itself.
//!
//! It outlives a loss of power, as flash memory does, except where the standard says otherwise; it does not outlive
//! the process. Transactions, meters and settings are the journal's.

use std::collections::{BTreeMap, BTreeSet};

use charge::id::{EvseNo, TransactionKey};
use charge::talk::line::FromStation;
use charge::talk::line::certificate::StationKey;
use charge::talk::line::document::Part;
use charge::talk::line::model::ModelNews;
use charge::talk::line::reservation::ReservationEnd;
use charge::talk::line::terms::Terms;
use charge::talk::line::upkeep::{Progress, Work};
use charge::{Decimal, Timestamp};

use super::aligned::Moments;
use super::{BootReason, Output, Station};
use crate::certificates::Chest;
use crate::charging::Profiles;
use crate::deal::Deal;
use crate::display::Board;
use crate::grid::Controls;
use crate::local_list::LocalList;
use crate::monitors::Watch;
use crate::network::Networks;
use crate::reservations::Book;
use crate::tariffs::Tariffs;
use crate::transactions::{MessageNo, TransactionNo};
use crate::upkeep::{LogJob, Logbook, Next, Sending, Update};

/// One field for each functional block.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub profiles: Profiles,
    /// EVSEs whose transaction charges with priority (2.1 K21).
    pub priority: BTreeSet<EvseNo>,
    pub book: Book,
    pub list: LocalList,
    pub update: Option<Update>,
    /// What an update came to, to be told after the restart.
    pub installed: Option<Progress>,
    pub log: Option<LogJob>,
    /// Numbers of what the door was asked to carry.
    pub errands: u64,
    /// What an image that was installed calls itself; `None` is the version of the plates.
    pub firmware: Option<Box<str>>,
    pub logbook: Logbook,
    pub chest: Chest,
    pub watch: Watch,
    /// When the clock asks for readings.
    pub aligned: Moments,
    pub board: Board,
    pub tariffs: Tariffs,
    /// What a running transaction costs so far, as the operator said last.
    pub costs: BTreeMap<TransactionNo, Decimal>,
    /// On what terms the transactions run.
    pub deals: BTreeMap<TransactionNo, Deal>,
    /// What messages that wait say of their terms.
    pub terms: BTreeMap<MessageNo, Terms>,
    pub controls: Controls,
    pub networks: Networks,
    /// The operator has signed a certificate for the line.
    pub certified: bool,
    /// A request for a certificate that was not answered by one yet.
    pub signing: Option<Signing>,
    /// The security profile that was ordered and has not proven itself yet (1.6).
    pub rising: Option<u8>,
    /// Since when the line has been away.
    pub away_since: Option<Timestamp>,
}

/// A request for a certificate, and how patient the station is (A02.FR.17 to A02.FR.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signing {
    pub key: StationKey,
    /// How often the wait has doubled.
    pub doubled: u32,
    /// When to ask again; `None` until the operator has taken the request.
    pub again_at: Option<Timestamp>,
}

/// Words that wait to be said: a station that is away for weeks forgets the oldest.
const NEWS_MAX: usize = 1_000;

impl Station {
    /// Says this when its turn comes.
    pub(super) fn news(&mut self, words: FromStation) {
        if self.wanted.news.len() >= NEWS_MAX {
            self.wanted.news.pop_front();
        }
        self.wanted.news.push_back(words);
    }

    /// A security event: told, and written down (2.x A04; 1.6 whitepaper 4.4).
    pub(super) fn alarm(&mut self, kind: &'static str) {
        self.blocks.logbook.write(self.now, true, kind);
        self.news(FromStation::Security { kind: kind.into(), at: self.now.whole_millis(), detail: None });
    }

    /// Rows in parts of a size, as 2.x reports them: under the number of the order (B07.FR.04, B08.FR.04, N02.FR.04,
    /// K09.FR.01), counted from 0 (B07.FR.10, B08.FR.14, N02.FR.09).
    pub(super) fn in_parts<T: Clone>(
        &mut self,
        request: i32,
        rows: &[T],
        size: usize,
        words: impl Fn(Part, Vec<T>) -> FromStation,
    ) {
        let last = rows.len().div_ceil(size).saturating_sub(1);
        for ((place, rows), seq) in rows.chunks(size).enumerate().zip(0_i32..) {
            self.news(words(Part { request, seq, more: place < last }, rows.to_vec()));
        }
    }

    /// The transactions that run, in both of their spellings.
    pub(super) fn running_keys(&self) -> Vec<TransactionKey> {
        let keys = |of: &crate::transactions::Transaction| {
            [Some(TransactionKey::Text(of.id.clone())), of.number.map(TransactionKey::Number)]
        };
        self.queue.running().flat_map(keys).flatten().collect()
    }

    /// An installation waits for whoever charges; until then nobody else begins (L01.FR.07: here no setting allows it).
    pub(super) fn keeps_free(&self) -> bool {
        let waits = self.blocks.update.as_ref().is_some_and(|update| update.waits_for_drivers(self.now));
        waits && self.version.is_2()
    }

    /// When one of the blocks wants to be looked at.
    pub(super) fn block_due(&self) -> Option<Timestamp> {
        let blocks = &self.blocks;
        let works = [blocks.update.as_ref().map(Update::due), blocks.log.as_ref().map(LogJob::due)];
        let signing = blocks.signing.and_then(|signing| signing.again_at);
        let asked = [blocks.book.next_expiry(), blocks.watch.next_due(), signing, blocks.aligned.next()];
        works.into_iter().chain(asked).flatten().min()
    }

    /// Something of the blocks has fallen due.
    pub(super) fn blocks_fall_due(&mut self, out: &mut Vec<Output>) {
        for of in self.blocks.book.expire(self.now) {
            self.reservation_ended(of.id, ReservationEnd::Expired); // H04.FR.01, H04.FR.02
        }
        if let Some(signing) = self.blocks.signing.filter(|of| of.again_at.is_some_and(|at| at <= self.now)) {
            self.sign_again(signing);
        }
        if self.blocks.update.as_ref().is_some_and(|update| update.due() <= self.now) {
            let charging = self.queue.running().next().is_some();
            let next = self.blocks.update.as_mut().map(|update| update.step(self.now, charging));
            self.update_steps(next, out);
        }
        if self.blocks.log.as_ref().is_some_and(|job| job.due() <= self.now) {
            let step = self.blocks.log.as_mut().and_then(|job| job.step(self.now));
            self.log_steps(step, out);
        }
        self.look_around();
    }

    /// 1.6 has no word for the end of a reservation but the state of its connector.
    pub(super) fn reservation_ended(&mut self, id: i32, end: ReservationEnd) {
        if self.version.is_2() {
            self.news(FromStation::Reservation { id, end });
        }
    }

    fn update_steps(&mut self, next: Option<Next>, out: &mut Vec<Output>) {
        let Some((next, update)) = next.zip(self.blocks.update.as_mut()) else { return };
        let (of, request) = (update.of, update.request);
        // L01.FR.10: every step under the number of its order
        let told = |status: &str| Progress { of, request: Some(request), status: status.into(), places: Vec::new() };
        match next {
            Next::Tell("") => {}
            Next::Tell(status) => self.news(FromStation::Progress(told(status))),
            Next::Fetch => {
                self.blocks.errands += 1;
                update.number = self.blocks.errands;
                out.push(Output::Fetch(update.parcel()));
                self.news(FromStation::Progress(told("Downloading")));
            }
            Next::Over(status) => {
                self.blocks.update = None;
                if status == "InvalidSignature" {
                    self.alarm("InvalidFirmwareSignature"); // L01.FR.03
                }
                self.news(FromStation::Progress(told(status)));
            }
            Next::Restart => {
                self.blocks.firmware = update.version().map(Into::into).or_else(|| self.blocks.firmware.take());
                self.blocks.update = None;
                self.blocks.installed = Some(told("Installed"));
                // the plain update of 1.6 has no word for the restart (4.5); L01.FR.32
                if of != Work::Firmware || self.version.is_2() {
                    self.news(FromStation::Progress(told("InstallRebooting")));
                }
                self.next_reason = Some(BootReason::FirmwareUpdate);
                self.order_restart();
            }
        }
    }

    /// An image has come, or cannot be had.
    pub fn fetched(&mut self, now: Timestamp, number: u64, image: Option<&[u8]>, out: &mut Vec<Output>) {
        self.catch_up(now, out);
        let update = self.blocks.update.as_mut().filter(|update| update.number == number);
        let next = update.and_then(|update| update.fetched(self.now, image));
        self.update_steps(next, out);
        self.speak(out);
    }

    /// N01.FR.07, N01.FR.08, N01.FR.09, N01.FR.10.
    pub(super) fn log_steps(&mut self, step: Option<Sending>, out: &mut Vec<Output>) {
        let Some(job) = &self.blocks.log else { return };
        match step {
            Some(Sending::Try(upload)) => {
                let words = FromStation::Progress(job.progress("Uploading"));
                self.news(words);
                out.push(Output::Upload(upload));
            }
            Some(Sending::Over(status)) => {
                let words = FromStation::Progress(job.progress(status));
                self.blocks.log = None;
                self.news(words);
            }
            None => {}
        }
    }

    /// An upload has come to its end.
    pub fn uploaded(&mut self, now: Timestamp, number: u64, done: bool, out: &mut Vec<Output>) {
        self.catch_up(now, out);
        let job = self.blocks.log.as_mut().filter(|job| job.number == number);
        if let Some(job) = job {
            let step = job.outcome(self.now, done);
            self.log_steps(step, out);
        }
        self.speak(out);
    }

    /// The power comes back: what the blocks forget, and what they have to tell.
    pub(super) fn blocks_wake_up(&mut self) {
        self.blocks.profiles.restart();
        self.blocks.priority.clear();
        self.blocks.costs.clear();
        self.blocks.away_since = Some(self.now);
        self.blocks.log = None;
        self.blocks.logbook.write(self.now, false, "power on");
        if let Some(done) = self.blocks.installed.take() {
            self.wanted.news.push_back(FromStation::Progress(done));
            self.blocks.logbook.write(self.now, true, "FirmwareUpdated");
        }
    }

    /// Events and streams of whatever is watched.
    pub(super) fn look_around(&mut self) {
        if self.blocks.watch.is_empty() {
            return;
        }
        let mut watch = std::mem::take(&mut self.blocks.watch);
        let runs = self.queue.running().next().is_some();
        let seen = watch.look(self.now, runs, |name| self.value_of(name).ok());
        self.blocks.watch = watch;
        let at = self.now.whole_millis();
        if !seen.events.is_empty() {
            let part = Part { request: 0, seq: 0, more: false };
            self.news(FromStation::Model(ModelNews::Events { part, at, events: seen.events }));
        }
        for (id, base, values) in seen.streams {
            self.news(FromStation::Model(ModelNews::StreamData { id, pending: 0, base, values }));
        }
    }
}
