//! Monitors on variables: when a value is worth an event, and which go as a periodic stream (OCPP 2.x block N, 2.1 N08).
//!
//! Values come in as text with every look; it knows no component and no meter.
//!
//! Invariant: crossing a threshold is told once, and once again when it is over.

use std::time::Duration;

use charge::talk::line::model::{DeviceEvent, Monitor, MonitorKind, MonitorSet, MonitoringBase, Stream, StreamPace};
use charge::{Decimal, Timestamp};

/// `MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]` and what a small controller can watch.
pub const MONITORS_MAX: usize = 100;
/// Everything is reported until the operator says otherwise (`MonitoringCtrlr.ActiveMonitoringLevel`).
const LEVEL: u8 = 9;

/// All monitors of a station.
#[derive(Clone, Debug)]
pub struct Watch {
    watched: Vec<Watched>,
    last_id: i32,
    last_event: i32,
    level: u8,
}

#[derive(Clone, Debug)]
struct Watched {
    monitor: Monitor,
    /// The value at the last event, or at the first look.
    last: Option<Box<str>>,
    raised: bool,
    due: Option<Timestamp>,
    stream: Option<Flow>,
}

/// A stream on its way: what has been collected, and since when.
#[derive(Clone, Debug)]
struct Flow {
    pace: StreamPace,
    base: Timestamp,
    values: Vec<(Decimal, Box<str>)>,
}

/// The values of one stream that are to be sent: its id, its base time, seconds since then with each value.
pub type Batch = (i32, Timestamp, Vec<(Decimal, Box<str>)>);

/// What a look has come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub events: Vec<DeviceEvent>,
    pub streams: Vec<Batch>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { watched: Vec::new(), last_id: 0, last_event: 0, level: LEVEL }
    }
}

impl Watch {
    /// Sets a monitor, under a number of its own or in place of another (N04.FR.08, N04.FR.11, N04.FR.12). `value` is that
    /// of its variable now: `Err(word)` where there is none (N04.FR.03, N04.FR.04).
    pub fn set(&mut self, now: Timestamp, mut monitor: Monitor, value: Result<Box<str>, &str>) -> MonitorSet {
        let variable = monitor.variable.clone();
        // N04.FR.16: a monitor stays with its variable
        let before = self.watched.iter().find(|of| monitor.id.is_some() && of.monitor.id == monitor.id);
        let moved = before.is_some_and(|of| !of.monitor.variable.eq_ignore_ascii_case(&variable));
        // N07.FR.11: what the old one has alerted of is over when the new one says so
        let raised = before.is_some_and(|of| of.raised && of.monitor.kind == monitor.kind);
        let not = |word: &str| MonitorSet { id: None, variable: variable.clone(), word: word.into() };
        let value = match value {
            _moved if moved => return not("Rejected"),
            Ok(value) => value,
            Err(word) => return not(word),
        };
        let numeric = value.parse::<Decimal>().is_ok();
        let fits = match monitor.kind {
            MonitorKind::UpperThreshold | MonitorKind::LowerThreshold => numeric,
            MonitorKind::TargetDelta | MonitorKind::TargetDeltaRelative => false,
            // N04.FR.14
            MonitorKind::Delta => monitor.value > Decimal::ZERO || (!numeric && monitor.value.is_zero()),
            MonitorKind::Periodic | MonitorKind::PeriodicClockAligned => monitor.value >= Decimal::ONE,
        };
        if !fits {
            let unfit = !numeric && monitor.kind != MonitorKind::Delta;
            return not(if unfit { "UnsupportedMonitorType" } else { "Rejected" }); // N04.FR.05
        }
        if monitor.severity > LEVEL || self.watched.len() >= MONITORS_MAX {
            return not("Rejected");
        }
        // N04.FR.13: an id that is known is replaced, one that is not is refused
        if let Some(id) = monitor.id {
            let before = self.watched.len();
            self.watched.retain(|of| of.monitor.id != Some(id));
            if before == self.watched.len() {
                return not("Rejected");
            }
        } else if self.watched.iter().any(|of| {
            of.monitor.variable == monitor.variable
                && of.monitor.kind == monitor.kind
                && of.monitor.severity == monitor.severity
        }) {
            return not("Duplicate"); // N04.FR.10
        } else {
            self.last_id += 1;
            monitor.id = Some(self.last_id);
        }
        let id = monitor.id;
        let stream = monitor.stream.map(|pace| Flow { pace, base: now, values: Vec::new() });
        let due = next_due(&monitor, now);
        self.watched.push(Watched { last: Some(value), raised, due, stream, monitor });
        MonitorSet { id, variable, word: "Accepted".into() }
    }

    /// Clears a monitor, without an event (N06.FR.01, N07.FR.12); answers whether it had a stream.
    pub fn clear(&mut self, id: i32) -> Option<bool> {
        let place = self.watched.iter().position(|of| of.monitor.id == Some(id))?;
        Some(self.watched.remove(place).stream.is_some())
    }

    pub fn level(&mut self, level: u8) -> bool {
        if level <= LEVEL {
            self.level = level;
        }
        level <= LEVEL
    }

    /// There is no monitor from the factory and none in hardware, so both bases are empty (N03.FR.04, N03.FR.05), and all
    /// is what the operator has set (N03.FR.03).
    pub fn base(&mut self, base: MonitoringBase) {
        match base {
            MonitoringBase::All => {}
            MonitoringBase::FactoryDefault | MonitoringBase::HardWiredOnly => self.watched.clear(),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Monitor> {
        self.watched.iter().map(|of| &of.monitor)
    }

    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Streams are named by their monitor.
    pub fn streams(&self) -> Vec<Stream> {
        let stream = |of: &Watched| Some((of.monitor.id?, of.stream.as_ref()?.pace));
        self.watched.iter().filter_map(stream).map(|(id, pace)| Stream { id, monitor: id, pace }).collect()
    }

    pub fn adjust(&mut self, id: i32, pace: StreamPace) -> bool {
        let flow = self.watched.iter_mut().find(|of| of.monitor.id == Some(id)).and_then(|of| of.stream.as_mut());
        flow.map(|flow| flow.pace = pace).is_some()
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        self.watched.iter().filter_map(|of| of.due).min()
    }

    /// Looks at all that is watched. `value` gives a variable's value now; `runs` is whether a transaction does.
    pub fn look(&mut self, now: Timestamp, runs: bool, value: impl Fn(&str) -> Option<Box<str>>) -> Seen {
        let mut seen = Seen::default();
        for of in &mut self.watched {
            let value = value(&of.monitor.variable);
            let Some(value) = value.filter(|_| runs || !of.monitor.in_transaction) else {
                of.due = of.due.filter(|due| now < *due).or_else(|| next_due(&of.monitor, now));
                continue;
            };
            let Some(found) = of.judge(now, &value) else { continue };
            if let Some(flow) = &mut of.stream {
                let (id, span) = (of.monitor.id.unwrap_or_default(), now.since(flow.base));
                flow.values.push((seconds(span), value));
                let full = flow.pace.values.is_some_and(|most| flow.values.len() >= usize::try_from(most).unwrap_or(1));
                if full || flow.pace.every.is_some_and(|every| span >= every) || flow.pace == StreamPace::default() {
                    seen.streams.push((id, flow.base, std::mem::take(&mut flow.values)));
                    flow.base = now;
                }
                continue;
            }
            if of.monitor.severity > self.level {
                continue;
            }
            self.last_event += 1;
            seen.events.push(of.event(self.last_event, now, value, found));
        }
        seen
    }
}

/// What is worth an event.
struct Found {
    trigger: &'static str,
    cleared: bool,
}

impl Watched {
    fn judge(&mut self, now: Timestamp, value: &str) -> Option<Found> {
        let number = value.parse::<Decimal>().ok();
        let before = self.last.as_deref().and_then(|last| last.parse::<Decimal>().ok());
        match self.monitor.kind {
            MonitorKind::UpperThreshold => self.cross(number? > self.monitor.value),
            MonitorKind::LowerThreshold => self.cross(number? < self.monitor.value),
            MonitorKind::Delta => {
                let far = match (number, before) {
                    (Some(number), Some(before)) => (number - before).abs() >= self.monitor.value,
                    (Some(_), None) | (None, _) => self.last.as_deref() != Some(value),
                };
                far.then(|| self.last = Some(value.into()))?;
                Some(Found { trigger: "Delta", cleared: false })
            }
            MonitorKind::Periodic | MonitorKind::PeriodicClockAligned => {
                self.due.filter(|due| *due <= now)?;
                self.due = next_due(&self.monitor, now);
                Some(Found { trigger: "Periodic", cleared: false })
            }
            MonitorKind::TargetDelta | MonitorKind::TargetDeltaRelative => None,
        }
    }

    fn cross(&mut self, beyond: bool) -> Option<Found> {
        let changed = beyond != self.raised;
        self.raised = beyond;
        changed.then_some(Found { trigger: "Alerting", cleared: !beyond })
    }

    fn event(&self, id: i32, at: Timestamp, value: Box<str>, found: Found) -> DeviceEvent {
        DeviceEvent {
            id,
            at: at.whole_millis(),
            trigger: found.trigger.into(),
            cause: None,
            variable: self.monitor.variable.clone(),
            value,
            cleared: found.cleared,
            key: None,
            monitor: self.monitor.id,
            kind: "CustomMonitor".into(),
            severity: Some(self.monitor.severity),
            tech_code: None,
            tech_info: None,
        }
    }
}

fn next_due(of: &Monitor, now: Timestamp) -> Option<Timestamp> {
    let every = u64::try_from(of.value.trunc()).ok().filter(|secs| *secs > 0)?;
    match of.kind {
        MonitorKind::Periodic => Some(now.plus(Duration::from_secs(every))),
        MonitorKind::PeriodicClockAligned => {
            let every = i64::try_from(every).ok()?;
            Some(Timestamp::from_secs((now.secs().div_euclid(every) + 1).saturating_mul(every)))
        }
        MonitorKind::UpperThreshold
        | MonitorKind::LowerThreshold
        | MonitorKind::Delta
        | MonitorKind::TargetDelta
        | MonitorKind::TargetDeltaRelative => None,
    }
}

fn seconds(span: Duration) -> Decimal {
    Decimal::new(i64::try_from(span.as_millis()).unwrap_or(i64::MAX), 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::START;

    fn monitor(kind: MonitorKind, value: i64) -> Monitor {
        let value = Decimal::from(value);
        Monitor {
            id: None,
            variable: "1/EVSE.Power".into(),
            kind,
            value,
            severity: 4,
            in_transaction: false,
            stream: None,
        }
    }

    fn set(watch: &mut Watch, monitor: Monitor) -> Box<str> {
        watch.set(START, monitor, Ok("0".into())).word
    }

    fn look(watch: &mut Watch, secs: u64, value: &str) -> Vec<(String, bool)> {
        let seen = watch.look(START.plus(Duration::from_secs(secs)), true, |_| Some(value.into()));
        seen.events.iter().map(|event| (event.trigger.to_string(), event.cleared)).collect()
    }

    #[test]
    fn what_cannot_be_watched_is_refused_by_its_word() {
        // proves: N04.FR.04, N04.FR.10
        let mut watch = Watch::default();
        let word = |set: MonitorSet| set.word;
        assert_eq!(&*word(watch.set(START, monitor(MonitorKind::Delta, 1), Err("UnknownVariable"))), "UnknownVariable");
        assert_eq!(
            &*word(watch.set(START, monitor(MonitorKind::UpperThreshold, 1), Ok("on".into()))),
            "UnsupportedMonitorType"
        );
        for (of, told) in [
            (monitor(MonitorKind::UpperThreshold, 7), "Accepted"),
            (monitor(MonitorKind::UpperThreshold, 8), "Duplicate"),
            (Monitor { id: Some(1), ..monitor(MonitorKind::UpperThreshold, 9) }, "Accepted"),
            (Monitor { id: Some(9), ..monitor(MonitorKind::UpperThreshold, 9) }, "Rejected"),
            (Monitor { severity: 10, ..monitor(MonitorKind::Delta, 9) }, "Rejected"),
            (monitor(MonitorKind::Periodic, 0), "Rejected"),
        ] {
            assert_eq!(&*set(&mut watch, of.clone()), told, "{of:?}");
        }
        assert_eq!((watch.clear(1), watch.clear(1)), (Some(false), None));
    }

    #[test]
    fn a_threshold_is_told_when_it_is_crossed_either_way() {
        // proves: N07.FR.16, N07.FR.17
        let mut watch = Watch::default();
        set(&mut watch, monitor(MonitorKind::UpperThreshold, 7));
        assert!(look(&mut watch, 1, "7").is_empty());
        assert_eq!(look(&mut watch, 2, "7.5"), [("Alerting".to_owned(), false)]);
        assert!(look(&mut watch, 3, "9").is_empty());
        assert_eq!(look(&mut watch, 4, "5"), [("Alerting".to_owned(), true)]);
        watch.level(3);
        assert!(look(&mut watch, 5, "9").is_empty(), "of less weight than is wanted");
    }

    #[test]
    fn a_delta_counts_from_the_last_event_and_a_period_from_the_clock() {
        // proves: N07.FR.18
        let mut watch = Watch::default();
        set(&mut watch, monitor(MonitorKind::Delta, 10));
        let values = ["6", "9", "10", "15", "20"].map(|value| look(&mut watch, 1, value).len());
        assert_eq!(values, [0, 0, 1, 0, 1]);
        let mut watch = Watch::default();
        set(&mut watch, monitor(MonitorKind::PeriodicClockAligned, 7));
        let due = watch.next_due().map(|at| at.secs() % 7);
        assert_eq!(due, Some(0));
    }

    #[test]
    fn a_stream_collects_until_it_is_full() {
        let mut watch = Watch::default();
        let pace = StreamPace { every: None, values: Some(2) };
        set(&mut watch, Monitor { stream: Some(pace), ..monitor(MonitorKind::Periodic, 1) });
        assert_eq!(watch.streams(), [Stream { id: 1, monitor: 1, pace }]);
        let sent: Vec<usize> = (1..=4)
            .map(|secs| {
                let seen = watch.look(START.plus(Duration::from_secs(secs)), true, |_| Some("5".into()));
                assert!(seen.events.is_empty());
                seen.streams.iter().map(|(_, _, values)| values.len()).sum()
            })
            .collect();
        assert_eq!(sent, [0, 2, 0, 2]);
        assert!(watch.adjust(1, StreamPace::default()) && !watch.adjust(2, pace));
    }
}
