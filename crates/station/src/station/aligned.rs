//! Readings by the clock: of every EVSE at the same moments of the day, told at once (OCPP 1.6
//! `ClockAlignedDataInterval`; 2.x J01) or with the end of the transaction that they were taken in (2.x
//! `AlignedDataCtrlr.TxEndedInterval`).
//!
//! An EVSE that charges tells them with its transaction (J01.FR.22), any other as a reading of its own (J01.FR.14).
//! Deliberately not kept while there is no line, but for those of a transaction. Invariant: all of one moment have the
//! same time.

use charge::Timestamp;
use charge::meter::Context;
use charge::talk::line::FromStation;

use super::{Output, Station};
use crate::settings::Key;
use crate::transactions::ALIGNED_MAX;

const DAY_S: i64 = 86_400;

/// When the next readings are due; `None` while none are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    told: Option<Timestamp>,
    gathered: Option<Timestamp>,
}

impl Moments {
    pub(super) fn next(self) -> Option<Timestamp> {
        self.told.into_iter().chain(self.gathered).min()
    }
}

impl Station {
    /// The intervals may have changed, or time has gone on.
    pub(super) fn align(&mut self) {
        let next = |key| following(self.now, i64::from(self.settings.number(key)));
        self.blocks.aligned = Moments { told: next(Key::AlignedInterval), gathered: next(Key::AlignedEndedInterval) };
    }

    pub(super) fn aligned_fall_due(&mut self, out: &mut Vec<Output>) {
        let (due, now) = (self.blocks.aligned, self.now);
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if is_due(due.gathered) {
            self.gather();
        }
        if is_due(due.told) {
            self.tell_aligned(out);
        }
        if is_due(due.next()) {
            self.align();
        }
    }

    fn gather(&mut self) {
        let at = self.now.whole_millis();
        for evse in self.evses.iter_mut().filter(|evse| evse.running.is_some() && evse.aligned.len() < ALIGNED_MAX) {
            evse.aligned.push((at, evse.meter.register()));
        }
    }

    fn tell_aligned(&mut self, out: &mut Vec<Output>) {
        // J01.FR.20
        if self.settings.flag(Key::AlignedIdleOnly) && self.queue.running().next().is_some() {
            return;
        }
        for place in 0..self.evses.len() {
            let Some(evse) = self.evses.get(place) else { continue };
            if evse.running.is_some() {
                self.by_the_clock(place, out);
            } else if self.online() {
                let words = FromStation::Meter(self.meter_report(evse, Context::SampleClock));
                self.news(words);
            }
        }
    }
}

/// The next moment of an interval that is counted from midnight (2.x `AlignedDataCtrlr.Interval`).
fn following(now: Timestamp, interval_s: i64) -> Option<Timestamp> {
    if interval_s <= 0 {
        return None;
    }
    let (day, within) = (now.secs().div_euclid(DAY_S), now.secs().rem_euclid(DAY_S));
    let next = (within / interval_s + 1).saturating_mul(interval_s).min(DAY_S);
    Some(Timestamp::from_secs(day.saturating_mul(DAY_S).saturating_add(next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_midnight_and_begin_anew_there() {
        for (now, interval, next) in [
            (0, 900, Some(900)),
            (899, 900, Some(900)),
            (900, 900, Some(1_800)),
            (86_399, 900, Some(86_400)),
            (85_000, 7_000, Some(86_400)),
            (86_400, 7_000, Some(93_400)),
            (5, 0, None),
        ] {
            assert_eq!(
                following(Timestamp::from_secs(now), interval),
                next.map(Timestamp::from_secs),
                "{now} {interval}"
            );
        }
    }
}
