//! A firmware campaign: which stations are told next, when it pauses, when it stops.
//!
//! Stations are told wave by wave. A wave begins when the one before is finished and the pause is over; a campaign
//! stops by itself when too many stations fail. It is decided anew from the rows each time, so a restart resumes it.

use std::time::Duration;

use charge::Timestamp;

use crate::request::State as Work;

/// How a campaign goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Per cent of all stations in each wave.
    pub wave_percent: u8,
    /// Between the end of a wave and the next one.
    pub pause: Duration,
    /// With this many failures it stops; zero never stops it.
    pub failures_max: u32,
}

/// What a person wants of a campaign, or what it came to by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    /// A person paused it.
    Paused,
    /// It stopped itself, or a person did.
    Stopped,
    Done,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Running, Self::Paused, Self::Stopped, Self::Done];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A station of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub wave: u32,
    /// `None`: not told yet.
    pub work: Option<Work>,
    /// When it was told, or its work last changed.
    pub changed: Timestamp,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These members, by position.
    Tell(Vec<usize>),
    Wait,
    /// Too many failures.
    Stop(u32),
    Done,
}

/// Decides the next step of a running campaign.
pub fn next(pace: Pace, members: &[Member], now: Timestamp) -> Step {
    let failures = members.iter().filter(|member| failed(member, now)).count();
    let failures = u32::try_from(failures).unwrap_or(u32::MAX);
    if pace.failures_max > 0 && failures >= pace.failures_max {
        return Step::Stop(failures);
    }
    let Some(wave) = members.iter().filter(|member| member.work.is_none()).map(|member| member.wave).min() else {
        return if members.iter().all(|member| settled(member, now)) { Step::Done } else { Step::Wait };
    };
    let earlier = || members.iter().filter(|member| member.wave < wave);
    if !earlier().all(|member| settled(member, now)) {
        return Step::Wait;
    }
    let ended = earlier().map(|member| member.changed).max();
    if ended.is_some_and(|ended| now.since(ended) < pace.pause) {
        return Step::Wait;
    }
    let due = members.iter().enumerate().filter(|(_, member)| member.wave == wave && member.work.is_none());
    Step::Tell(due.map(|(at, _)| at).collect())
}

/// The wave of each of so many stations, in their order; waves count from 0.
pub fn waves(stations: usize, wave_percent: u8) -> Vec<u32> {
    let percent = usize::from(wave_percent.clamp(1, 100));
    let size = (stations * percent).div_ceil(100).max(1);
    (0..stations).map(|at| u32::try_from(at / size).unwrap_or(u32::MAX)).collect()
}

/// A station that says nothing for this long has failed: downloads over a slow modem take hours, not days.
const PATIENCE: Duration = Duration::from_secs(12 * 3_600);

/// Whether an order to this member came to a bad end.
pub fn failed(member: &Member, now: Timestamp) -> bool {
    match member.work {
        Some(Work::Failed | Work::Refused) => true,
        Some(Work::Asked | Work::Going) => now.since(member.changed) >= PATIENCE,
        Some(Work::Done) | None => false,
    }
}

fn settled(member: &Member, now: Timestamp) -> bool {
    match member.work {
        Some(Work::Done | Work::Failed | Work::Refused) => true,
        Some(Work::Asked | Work::Going) => now.since(member.changed) >= PATIENCE,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const PACE: Pace = Pace { wave_percent: 50, pause: Duration::from_secs(600), failures_max: 2 };

    fn member(wave: u32, work: Option<Work>, ago_s: u64) -> Member {
        Member { wave, work, changed: NOW.minus(Duration::from_secs(ago_s)) }
    }

    #[test]
    fn waves_cover_everybody_once() {
        assert_eq!(waves(5, 40), [0, 0, 1, 1, 2]);
        assert_eq!(waves(3, 1), [0, 1, 2]);
        assert_eq!(waves(3, 100), [0, 0, 0]);
        assert!(waves(0, 50).is_empty());
    }

    #[test]
    fn a_wave_waits_for_the_one_before_and_for_the_pause() {
        let fresh = || member(1, None, 0);
        let table = [
            (vec![member(0, None, 0), fresh()], Step::Tell(vec![0])),
            (vec![member(0, Some(Work::Going), 60), fresh()], Step::Wait),
            (vec![member(0, Some(Work::Done), 60), fresh()], Step::Wait),
            (vec![member(0, Some(Work::Done), 601), fresh()], Step::Tell(vec![1])),
            (vec![member(0, Some(Work::Failed), 601), fresh()], Step::Tell(vec![1])),
            (vec![member(0, Some(Work::Going), 13 * 3_600), fresh()], Step::Tell(vec![1])),
            (vec![member(0, Some(Work::Done), 1), member(1, Some(Work::Going), 1)], Step::Wait),
            (vec![member(0, Some(Work::Done), 1), member(1, Some(Work::Done), 1)], Step::Done),
            (vec![], Step::Done),
        ];
        for (at, (members, wanted)) in table.into_iter().enumerate() {
            assert_eq!(next(PACE, &members, NOW), wanted, "row {at}");
        }
    }

    #[test]
    fn it_stops_at_the_second_failure_and_silence_is_one() {
        let members = [member(0, Some(Work::Refused), 1), member(0, Some(Work::Asked), 13 * 3_600), member(1, None, 0)];
        assert_eq!(next(PACE, &members, NOW), Step::Stop(2));
        let never = Pace { failures_max: 0, ..PACE };
        assert_eq!(next(never, &members, NOW), Step::Wait, "the pause after the last failure");
    }
}
