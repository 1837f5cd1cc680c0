//! May this time be booked, and what is done about a booking now? (OCPI 2.3.0, Bookings 1.1.)
//!
//! A booking keeps its EVSE from its early start to its late stop, so that both can be promised; two of them never meet.
//! It deliberately asks no car and no price. The invariant: a booking that has ended stays as it ended.

use std::time::Duration;

use charge::Timestamp;
use charge::talk::road::OrderResult;
use charge::talk::road::booking::{
    AccessMethod, BookingTerms, CanceledReason, Period, ReservationStatus, Slot, Timeslot,
};

/// The terms of one EVSE that may be booked, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// So long before its beginning the driver may start.
    pub early: u32,
    /// So long after its beginning nobody came. Zero: whoever is not there when it begins.
    pub noshow: u32,
    /// So long after its end the driver may stay.
    pub late: u32,
    pub shortest: u32,
    pub longest: u32,
    /// So long before its beginning it may be changed, and cancelled.
    pub change_until: u32,
    pub cancel_until: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self { early: 10, noshow: 15, late: 10, shortest: 15, longest: 240, change_until: 0, cancel_until: 0 }
    }
}

impl Terms {
    /// The field that cannot be so, and why.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let fields = [
            ("/early", self.early),
            ("/noshow", self.noshow),
            ("/late", self.late),
            ("/longest", self.longest),
            ("/change_until", self.change_until),
            ("/cancel_until", self.cancel_until),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, minutes)| *minutes > MINUTES_MAX) {
            return Some((field, "at most a day"));
        }
        if self.shortest == 0 || self.shortest > self.longest {
            return Some(("/shortest", "at least a minute, and not more than the longest"));
        }
        (self.noshow == 0 && self.early == 0).then_some(("/noshow", "somebody has to have time to come"))
    }

    /// What the EVSE is kept for.
    pub fn kept(&self, period: Period) -> Period {
        let (start, end) = (period.start().minus(minutes(self.early)), period.end().plus(minutes(self.late)));
        Period::new(start, end).unwrap_or(period)
    }

    /// From when on the station is told to keep the EVSE free.
    pub fn hold_from(&self, period: Period) -> Timestamp {
        period.start().minus(minutes(self.early).max(HOLD_LEAD))
    }

    /// Whoever has not started by then has not shown up.
    pub fn lapses(&self, period: Period) -> Timestamp {
        period.start().plus(minutes(self.noshow)).min(period.end())
    }

    /// In the words of the road; whether somebody who does not come has to pay is a matter of the tariff.
    pub fn told(&self, noshow_fee: bool) -> BookingTerms {
        BookingTerms {
            // the card itself is what the station keeps the EVSE for
            rfid_auth_required: Some(true),
            token_groups_supported: Some(false),
            remote_auth_supported: Some(false),
            supported_access_methods: vec![AccessMethod::Token],
            change_until_minutes: self.change_until,
            cancel_until_minutes: self.cancel_until,
            change_not_allowed: Some(false),
            early_start_allowed: Some(self.early > 0),
            early_start_time: (self.early > 0).then_some(self.early),
            noshow_timeout: Some(self.noshow),
            noshow_fee: Some(noshow_fee),
            late_stop_allowed: Some(self.late > 0),
            late_stop_time: (self.late > 0).then_some(self.late),
            overlapping_bookings_allowed: Some(true),
            min_booking_duration: Some(self.shortest),
            max_booking_duration: Some(self.longest),
            booking_terms: None,
        }
    }
}

/// Whether a time can be booked beside the others of the EVSE; the others are what it is kept for already.
pub fn fits(terms: &Terms, wanted: Period, others: &[Period], now: Timestamp) -> Result<(), &'static str> {
    if wanted.start().plus(LATELY) < now || terms.lapses(wanted) <= now {
        return Err("the time has begun already");
    }
    if wanted.end() > now.plus(HORIZON) {
        return Err("nobody books so far ahead here");
    }
    let long = wanted.minutes();
    if long < terms.shortest.into() || long > terms.longest.into() {
        return Err("the time is shorter or longer than may be booked");
    }
    let kept = terms.kept(wanted);
    if others.iter().any(|other| other.meets(kept)) {
        return Err("the time is taken");
    }
    Ok(())
}

/// Before a booking's time there is nothing to change or cancel any more from then on.
pub fn in_time(until_minutes: u32, period: Period, now: Timestamp) -> bool {
    now <= period.start().minus(minutes(until_minutes))
}

/// What is free, as far as it may be booked and lies in the window. Every booking that lies in a slot [`fits`].
pub fn free(terms: &Terms, kept: &[Period], window: Slot, now: Timestamp) -> Vec<Timeslot> {
    let mut kept = kept.to_vec();
    kept.sort_by_key(|period| period.start());
    let (early, late) = (minutes(terms.early), minutes(terms.late));
    let (mut from, horizon) = (now, now.plus(HORIZON));
    let mut found = Vec::new();
    let mut add = |from: Timestamp, to: Timestamp| {
        let from = window.from.map_or(from, |wanted| wanted.max(from));
        let to = window.to.map_or(to, |wanted| wanted.min(to));
        let slot = Period::new(from, to).filter(|slot| slot.minutes() >= terms.shortest.into());
        found.extend(slot.map(Timeslot::of));
    };
    for period in kept {
        add(from, period.start().minus(late));
        from = from.max(period.end().plus(early));
    }
    add(from, horizon);
    found
}

/// What can happen to a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Start,
    Cancel,
    Lapse,
}

/// The whole life of a booking that was accepted.
pub const fn on(status: ReservationStatus, event: Event) -> ReservationStatus {
    use ReservationStatus as S;
    match (status, event) {
        (S::Pending | S::Reserved | S::Unknown, Event::Start) => S::Fulfilled,
        (S::Pending | S::Reserved | S::Unknown, Event::Cancel) => S::Canceled,
        (S::Pending | S::Reserved | S::Unknown, Event::Lapse) => S::NoShow,
        (
            S::Canceled | S::Failed | S::NoShow | S::Fulfilled | S::Rejected,
            Event::Start | Event::Cancel | Event::Lapse,
        ) => status,
    }
}

/// What to do about a booking that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing before then.
    Wait(Timestamp),
    /// Have the station keep the EVSE.
    Hold,
    Cancel(CanceledReason),
    Lapse,
}

/// Where a booking stands at its station.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub period: Period,
    pub terms: Terms,
    /// The station keeps the EVSE.
    pub held: bool,
    /// The station said that the EVSE is out of order.
    pub broken: bool,
    /// What the station answered the last time that it was asked.
    pub refused: Option<OrderResult>,
}

/// Decides what is due. A fault is told as soon as it matters; somebody who stands there may still leave.
pub fn step(of: &Standing, now: Timestamp) -> Step {
    let (hold_from, lapses) = (of.terms.hold_from(of.period), of.terms.lapses(of.period));
    if now < hold_from {
        return Step::Wait(hold_from);
    }
    if of.broken || of.refused == Some(OrderResult::EvseInoperative) {
        return Step::Cancel(CanceledReason::BrokenCharger);
    }
    if of.held {
        return if now < lapses { Step::Wait(lapses.min(now.plus(LOOK_EVERY))) } else { Step::Lapse };
    }
    match of.refused {
        Some(OrderResult::Rejected | OrderResult::NotSupported) => Step::Cancel(CanceledReason::Unknown),
        Some(OrderResult::EvseOccupied) if now >= of.period.start() => Step::Cancel(CanceledReason::Full),
        Some(_) if now >= of.period.start() => Step::Cancel(CanceledReason::Unknown),
        Some(_) | None if now >= lapses => Step::Cancel(CanceledReason::Unknown),
        Some(_) | None => Step::Hold,
    }
}

const fn minutes(of: u32) -> Duration {
    Duration::from_secs(60 * of as u64)
}

/// A driver on the way there; and a station needs a moment.
const HOLD_LEAD: Duration = Duration::from_secs(300);
/// How often a station that keeps an EVSE is looked at again.
pub const LOOK_EVERY: Duration = Duration::from_secs(20);
/// A wish to begin now has travelled a while when it arrives.
const LATELY: Duration = Duration::from_secs(60);
/// Nobody knows better what they will need later than this.
pub const HORIZON: Duration = Duration::from_secs(14 * 86_400);
/// No term is longer than a day.
const MINUTES_MAX: u32 = 1_440;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(of: i64) -> Timestamp {
        Timestamp::from_secs(NOW.secs() + 60 * of)
    }

    fn period(start: i64, end: i64) -> Period {
        Period::new(at(start), at(end)).unwrap()
    }

    #[test]
    fn what_cannot_be_booked_is_told_why() {
        let terms = Terms::default();
        let others = [terms.kept(period(100, 160))];
        let table = [
            (0, 60, Ok(())),
            (-1, 60, Ok(())),
            (-2, 60, Err("the time has begun already")),
            (0, 14, Err("the time is shorter or longer than may be booked")),
            (0, 241, Err("the time is shorter or longer than may be booked")),
            (20, 81, Err("the time is taken")),
            (20, 80, Ok(())),
            (120, 140, Err("the time is taken")),
            (180, 200, Ok(())),
            (179, 200, Err("the time is taken")),
            (14 * 1_440 - 10, 14 * 1_440 + 10, Err("nobody books so far ahead here")),
        ];
        for (start, end, expected) in table {
            assert_eq!(fits(&terms, period(start, end), &others, NOW), expected, "{start} {end}");
        }
        let punctual = Terms { noshow: 0, ..terms };
        assert_eq!(fits(&punctual, period(0, 30), &[], NOW), Err("the time has begun already"));
    }

    #[test]
    fn terms_that_nobody_could_keep_are_refused() {
        let terms = Terms::default();
        assert_eq!(terms.fault(), None);
        assert_eq!(Terms { late: 1_441, ..terms }.fault().unwrap().0, "/late");
        assert_eq!(Terms { shortest: 0, ..terms }.fault().unwrap().0, "/shortest");
        assert_eq!(Terms { shortest: 300, ..terms }.fault().unwrap().0, "/shortest");
        assert_eq!(Terms { early: 0, noshow: 0, ..terms }.fault().unwrap().0, "/noshow");
    }

    #[test]
    fn an_end_is_an_end() {
        use ReservationStatus as S;
        let after = |status| [Event::Start, Event::Cancel, Event::Lapse].map(|event| on(status, event));
        assert_eq!(after(S::Reserved), [S::Fulfilled, S::Canceled, S::NoShow]);
        for status in S::ALL.iter().copied().filter(|status| status.is_final()) {
            assert_eq!(after(status), [status; 3]);
        }
    }

    #[test]
    fn the_station_is_asked_in_time_and_what_it_says_decides() {
        let of = |held, broken, refused| Standing {
            period: period(60, 120),
            terms: Terms::default(),
            held,
            broken,
            refused,
        };
        let occupied = Some(OrderResult::EvseOccupied);
        let away = Some(OrderResult::Failed);
        let table = [
            (of(false, true, None), 49, Step::Wait(at(50))),
            (of(false, false, None), 50, Step::Hold),
            (of(false, true, None), 50, Step::Cancel(CanceledReason::BrokenCharger)),
            (of(false, false, occupied), 59, Step::Hold),
            (of(false, false, occupied), 60, Step::Cancel(CanceledReason::Full)),
            (of(false, false, away), 59, Step::Hold),
            (of(false, false, away), 60, Step::Cancel(CanceledReason::Unknown)),
            (of(false, false, None), 75, Step::Cancel(CanceledReason::Unknown)),
            (of(true, false, None), 60, Step::Wait(at(60).plus(LOOK_EVERY))),
            (of(true, true, None), 60, Step::Cancel(CanceledReason::BrokenCharger)),
            (of(true, false, None), 75, Step::Lapse),
        ];
        for (standing, minute, expected) in table {
            assert_eq!(step(&standing, at(minute)), expected, "{standing:?} at {minute}");
        }
    }

    fn some_terms() -> impl Strategy<Value = Terms> {
        (0_u32..30, 1_u32..30, 0_u32..30).prop_map(|(early, noshow, late)| Terms {
            early,
            noshow,
            late,
            shortest: 5,
            longest: 300,
            ..Terms::default()
        })
    }

    proptest! {
        /// Whatever is wanted in whatever order: what was taken never meets, windows included; and what is shown as
        /// free can be booked.
        #[test]
        fn a_calendar_never_overlaps(
            terms in some_terms(),
            wanted in proptest::collection::vec((0_i64..2_000, 1_i64..400), 1..60),
        ) {
            let mut taken: Vec<Period> = Vec::new();
            for (start, long) in wanted {
                let wish = period(start, start + long);
                if fits(&terms, wish, &taken, NOW).is_ok() {
                    taken.push(terms.kept(wish));
                }
            }
            for (index, one) in taken.iter().enumerate() {
                for other in taken.iter().skip(index + 1) {
                    prop_assert!(!one.meets(*other));
                }
            }
            for slot in free(&terms, &taken, Slot::default(), NOW) {
                let slot = slot.period;
                let end = slot.end().min(slot.start().plus(minutes(terms.longest)));
                prop_assert_eq!(fits(&terms, Period::new(slot.start(), end).unwrap(), &taken, NOW), Ok(()));
                let begin = slot.start().max(slot.end().minus(minutes(terms.shortest)));
                prop_assert_eq!(fits(&terms, Period::new(begin, slot.end()).unwrap(), &taken, NOW), Ok(()));
            }
        }
    }
}
