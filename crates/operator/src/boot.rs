//! Is a station that boots accepted? OCPP `BootNotification`.
//!
//! Identity was proven at the door; what is checked here is that the box behind the connection is the enrolled one,
//! and that it is not booting in a circle. It never sends orders: stations in the field loop when they get one before
//! the boot is answered (handbook, quirk 13).

use std::time::Duration;

use charge::talk::line::{Admission, Boot};

/// What becomes of a boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub admission: Admission,
    /// Heartbeat interval where accepted, otherwise the pause before the next try.
    pub interval: Duration,
    /// For the technician; `None` where all is well.
    pub why: Option<String>,
}

/// The two intervals that a station is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    pub heartbeat: Duration,
    pub retry: Duration,
}

/// Decides about a boot. `serial` is the enrolled serial number that a certificate proved, where there is one;
/// `boots_lately` counts the boots accepted within [`LOOP_WINDOW`].
pub fn decide(boot: &Boot, serial: Option<&str>, boots_lately: u32, intervals: Intervals) -> Decision {
    if let (Some(enrolled), Some(said)) = (serial, boot.serial.as_deref())
        && !said.trim().is_empty()
        && said.trim() != enrolled
    {
        return Decision {
            admission: Admission::Rejected,
            interval: intervals.retry,
            why: Some(format!("the station says serial number {said}, its certificate says {enrolled}")),
        };
    }
    if boots_lately >= LOOP_BOOTS_MAX {
        return Decision {
            admission: Admission::Pending,
            interval: intervals.retry,
            why: Some(format!(
                "{boots_lately} boots within {} minutes: it is told to wait",
                LOOP_WINDOW.as_secs() / 60
            )),
        };
    }
    let why = (serial.is_some() && boot.serial.as_deref().is_none_or(|said| said.trim().is_empty()))
        .then(|| "the station does not say its serial number; the certificate's was taken".to_owned());
    Decision { admission: Admission::Accepted, interval: intervals.heartbeat.max(INTERVAL_MIN), why }
}

/// Boots are counted over this time; only accepted ones, so that waiting ends.
pub const LOOP_WINDOW: Duration = Duration::from_secs(600);
/// A power cut with a few failed restarts stays below this; a loop does not.
pub const LOOP_BOOTS_MAX: u32 = 8;
/// An interval of zero makes some stations flood (handbook, quirk 23).
const INTERVAL_MIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boots_are_decided_by_serial_and_by_rhythm() {
        let intervals = Intervals { heartbeat: Duration::from_secs(300), retry: Duration::from_secs(60) };
        let boot = |serial: Option<&str>| Boot { serial: serial.map(Into::into), ..Boot::default() };
        let table = [
            (Some("S1"), Some("S1"), 0, Admission::Accepted, 300, false),
            (Some(" S1 "), Some("S1"), 0, Admission::Accepted, 300, false),
            (Some("S2"), Some("S1"), 0, Admission::Rejected, 60, true),
            (None, Some("S1"), 0, Admission::Accepted, 300, true),
            (Some(""), Some("S1"), 0, Admission::Accepted, 300, true),
            (Some("S2"), None, 0, Admission::Accepted, 300, false),
            (None, None, LOOP_BOOTS_MAX - 1, Admission::Accepted, 300, false),
            (None, None, LOOP_BOOTS_MAX, Admission::Pending, 60, true),
        ];
        for (said, enrolled, lately, admission, seconds, told) in table {
            let decision = decide(&boot(said), enrolled, lately, intervals);
            assert_eq!(
                (decision.admission, decision.interval.as_secs(), decision.why.is_some()),
                (admission, seconds, told),
                "{said:?} {enrolled:?} {lately}"
            );
        }
    }

    #[test]
    fn an_interval_of_zero_is_never_told() {
        let intervals = Intervals { heartbeat: Duration::ZERO, retry: Duration::ZERO };
        assert_eq!(decide(&Boot::default(), None, 0, intervals).interval, INTERVAL_MIN);
    }
}
