#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod blocks;
mod cards;
mod cases16;
mod cases16_more;
mod cases201;
mod cases_i_to_p;
mod cases_model;
mod core201;
mod line;
mod orders;
mod pay;
mod session;
mod terms;

use charge::clock::SeededDice;
use charge::talk::line::{LineFault, StationAnswer, ToStation, Written};

use super::*;
use crate::bench::{Operator, START, keys, plan};

/// A station on a line that can be cut, before an operator that can be told how to answer.
struct Bench {
    station: Station,
    operator: Operator,
    now: Timestamp,
    out: Vec<Output>,
    up: bool,
    reboots: u32,
    redials: u32,
    passwords: u32,
    identities: u32,
    uploads: Vec<Upload>,
    fetches: Vec<Fetch>,
    /// What its journal holds of where it is switched off.
    inoperative: BTreeSet<Option<EvseNo>>,
}

impl Bench {
    /// Switched on, not connected.
    fn dark(version: Version) -> Self {
        let mut out = Vec::new();
        let dice = Arc::new(SeededDice::new(7));
        let station = Station::new(START, plan(version), &keys(), Memory::default(), dice, &mut out).unwrap();
        Self {
            station,
            operator: Operator::default(),
            now: START,
            out,
            up: false,
            reboots: 0,
            redials: 0,
            passwords: 0,
            identities: 0,
            uploads: Vec::new(),
            fetches: Vec::new(),
            inoperative: BTreeSet::new(),
        }
    }

    /// Connected, introduced, its states told, and all that forgotten.
    fn ready(version: Version) -> Self {
        let mut bench = Self::dark(version);
        bench.connect(version);
        bench.operator.heard.clear();
        bench
    }

    fn connect(&mut self, version: Version) {
        self.up = true;
        self.station.line_up(self.now, version, &mut self.out);
        self.talk();
    }

    fn cut(&mut self) {
        self.up = false;
        self.station.line_down(self.now, &mut self.out);
        self.talk();
    }

    /// Time passes, and the station looks as often as it wants to.
    fn pass(&mut self, secs: u64) {
        let until = self.now.plus(Duration::from_secs(secs));
        while let Some(at) = self.station.wake_at().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.station.tick(self.now, &mut self.out);
            self.talk();
        }
        self.leap_to(until);
    }

    /// Time passes unseen.
    fn leap_to(&mut self, until: Timestamp) {
        self.now = until;
        self.station.tick(self.now, &mut self.out);
        self.talk();
    }

    fn hand(&mut self, evse: EvseNo, deed: Deed) -> Result<(), CannotDo> {
        let done = self.station.hand(self.now, evse, deed, &mut self.out);
        self.talk();
        done
    }

    fn order(&mut self, order: ToStation) -> StationAnswer {
        let answer = self.station.told_to(self.now, order, &mut self.out);
        self.talk();
        answer
    }

    /// Lets the operator answer until the station has nothing more to say.
    fn talk(&mut self) {
        while !self.out.is_empty() {
            let mut outcome = None;
            for output in std::mem::take(&mut self.out) {
                match output {
                    Output::Keep(note) => {
                        assert!(outcome.is_none(), "kept after it was said");
                        if let Note::Operative(evse, operative) = note {
                            self.inoperative.retain(|known| *known != evse);
                            self.inoperative.extend((!operative).then_some(evse));
                        }
                    }
                    Output::Say(number, said) if self.up => {
                        outcome = Some((number, self.operator.answer(self.now, &said)));
                    }
                    Output::Say(number, _) => outcome = Some((number, Err(LineFault::NotConnected))),
                    Output::Password(_) => self.passwords += 1,
                    Output::Identity(_) => self.identities += 1,
                    Output::Upload(upload) => self.uploads.push(upload),
                    Output::Fetch(fetch) => self.fetches.push(fetch),
                    Output::Redial => self.redials += 1,
                    Output::Reboot => self.reboots += 1,
                }
            }
            if let Some((number, outcome)) = outcome {
                self.station.heard(self.now, number, outcome, &mut self.out);
            }
        }
    }

    fn bay(&self, evse: EvseNo) -> BayView {
        self.station.view().bays.into_iter().find(|bay| bay.evse == evse).unwrap()
    }
}

fn refused(word: &str) -> StationAnswer {
    StationAnswer::Refused(word.into())
}

fn write(bench: &mut Bench, values: &[(&str, &str)]) -> Vec<Written> {
    let values = values.iter().map(|(key, value)| (Box::from(*key), Secret::new(Box::from(*value)))).collect();
    match bench.order(ToStation::WriteSettings { values }) {
        StationAnswer::Written(rows) => rows.into_iter().map(|(_, word)| word).collect(),
        other => panic!("{other:?}"),
    }
}

fn read(bench: &mut Bench, keys: &[&str]) -> Vec<String> {
    let keys = keys.iter().map(|key| Box::from(*key)).collect();
    match bench.order(ToStation::ReadSettings { keys }) {
        StationAnswer::Settings { known, unknown } if unknown.is_empty() => {
            known.into_iter().map(|setting| setting.value.unwrap_or_default().into()).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Restarts as the reset wanted it, with what its journal holds of where it is switched off.
fn restart(bench: &mut Bench) {
    bench.pass(1);
    let memory = Memory { inoperative: bench.inoperative.clone(), ..Memory::default() };
    assert_eq!(bench.reboots, 1, "it restarts");
    bench.cut();
    bench.station.power_on(bench.now, memory, BootReason::RemoteReset, &mut bench.out);
    bench.talk();
    bench.operator.heard.clear();
    bench.connect(Version::V201);
}

fn boot_reason(bench: &Bench) -> Option<String> {
    bench.operator.heard.iter().find_map(|said| match said {
        FromStation::Boot(boot) => boot.reason.as_deref().map(str::to_owned),
        _ => None,
    })
}
