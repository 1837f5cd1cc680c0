//! The running station: its task, its journal, losses of power. Time moves by hand; waiting is for levels.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use billing::record::{KeySource, Verdict, verify};
use charge::clock::{ManualClock, SeededDice};
use charge::id::StationId;
use charge::talk::line::{EndReason, Heard, LineFault, ResetKind, Stage, TransactionReport};
use store::Store;

use super::*;
use crate::bay::Phase;
use crate::bench::{Operator, START, alias, car, keys, one, plan, records, register, uid};
use crate::journal::MIGRATIONS;
use crate::scenario::{Replay, Row, Script, Spot, Visit, from_rows};

/// An operator at the other end of a line that is never down.
struct Wire {
    operator: Mutex<Operator>,
    clock: Arc<ManualClock>,
}

impl Uplink for Wire {
    fn say(&self, said: FromStation) -> Soon<'_, Result<Heard, LineFault>> {
        Box::pin(async move { self.operator.lock().unwrap().answer(self.clock.now(), &said) })
    }
}

/// A house with one station, whose journal outlives it.
struct House {
    station: Arc<VirtualStation>,
    wire: Arc<Wire>,
    clock: Arc<ManualClock>,
    store: Store,
    keys: Vec<Secret<Vec<u8>>>,
    task: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl House {
    async fn built(version: Version) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let wire = Arc::new(Wire { operator: Mutex::default(), clock: Arc::clone(&clock) });
        Self::with(version, clock, wire, Store::in_memory(MIGRATIONS).unwrap(), keys()).await
    }

    async fn with(
        version: Version,
        clock: Arc<ManualClock>,
        wire: Arc<Wire>,
        store: Store,
        keys: Vec<Secret<Vec<u8>>>,
    ) -> Self {
        let journal = Journal::new(store.clone(), StationId::new("LEY-0001").unwrap());
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let dice = Arc::new(SeededDice::new(1));
        let station = VirtualStation::start(plan(version), &keys, journal, shared, dice).await.unwrap();
        station.line_up(version);
        let running = Arc::clone(&station);
        let uplink: Arc<dyn Uplink> = Arc::clone(&wire) as Arc<dyn Uplink>;
        let task = tokio::spawn(async move { running.run(uplink).await });
        let house = Self { station, wire, clock, store, keys, task };
        house.reached(|view| view.admitted).await;
        house
    }

    /// The process dies in the middle, and another one finds the journal.
    async fn killed_and_started_again(self, version: Version) -> Self {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        drop(self.station);
        Self::with(version, self.clock, self.wire, self.store, self.keys).await
    }

    async fn reached(&self, level: impl FnMut(&View) -> bool) -> View {
        let mut watch = self.station.watch();
        let reached = tokio::time::timeout(PATIENCE, watch.wait_for(level)).await;
        reached.expect("the station does not get there").unwrap().clone()
    }

    async fn phase(&self, phase: Phase) {
        self.reached(|view| view.bays[0].phase == phase).await;
    }

    fn pass(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
        self.station.nudge();
    }

    fn transactions(&self) -> Vec<TransactionReport> {
        self.wire.operator.lock().unwrap().transactions()
    }

    /// All of one session: begins, goes on, and ends as it should.
    async fn charge(&self, secs: u64) {
        self.station.plug(one(), car()).unwrap();
        self.station.tap(one(), uid("04A2B3C4")).unwrap();
        self.phase(Phase::Charging).await;
        self.pass(secs);
    }
}

/// Longer than a busy machine needs; only a failure waits this long.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_session_runs_through_the_task() {
    for version in [Version::V16, Version::V201] {
        let house = House::built(version).await;
        house.charge(120).await;
        house.station.unplug(one()).unwrap();
        let view = house.reached(|view| view.bays[0].finished == 1 && view.owed == 0).await;
        assert_eq!(view.bays[0].phase, Phase::Idle);
        let reports = house.transactions();
        assert_eq!(reports.last().unwrap().reason, Some(EndReason::CarLeft));
        let verdict = verify(&records(&reports), Some((&house.station.meter_keys()[0].1, KeySource::Register)));
        assert!(matches!(&verdict, Verdict::Valid(all) if all.energy().mwh() == 366_666), "{verdict}");
    }
}

/// TC_032_1_CS (a number of 1.6 without a meaning in public).
#[tokio::test]
async fn a_loss_of_power_ends_the_transaction_with_the_last_reading_and_loses_nothing() {
    for version in [Version::V16, Version::V201] {
        let house = House::built(version).await;
        house.charge(120).await;
        house.reached(|view| view.bays[0].register.mwh() > 0 && view.owed == 0).await;
        let before = house.transactions();
        house.clock.advance(Duration::from_secs(30));
        house.station.power_cycle().await.unwrap();
        house.reached(|view| view.admitted && view.owed == 0 && view.bays[0].finished == 1).await;
        let reports = house.transactions();
        let (last, end) = (before.last().unwrap(), reports.last().unwrap());
        assert_eq!((end.stage, end.reason, end.offline), (Stage::Ended, Some(EndReason::PowerLoss), true));
        assert_eq!((end.key.clone(), register(end), end.at), (last.key.clone(), register(last), last.at));
        let verdict = verify(&records(&reports), Some((&house.station.meter_keys()[0].1, KeySource::Register)));
        assert_eq!(verdict.verified().unwrap().energy(), register(last), "{verdict}");
        house.phase(Phase::Finishing).await;
    }
}

#[tokio::test]
async fn a_killed_process_goes_on_where_its_journal_ends() {
    let house = House::built(Version::V16).await;
    house.charge(60).await;
    house.reached(|view| view.bays[0].register.mwh() > 0 && view.owed == 0).await;
    let known = register(house.transactions().last().unwrap());
    let house = house.killed_and_started_again(Version::V16).await;
    house.reached(|view| view.owed == 0 && view.bays[0].finished == 1).await;
    let end = house.transactions().pop().unwrap();
    assert_eq!((end.stage, end.reason, register(&end)), (Stage::Ended, Some(EndReason::PowerLoss), known));
    assert_eq!(house.station.watch().borrow().bays[0].register, known, "the register goes on from there");
    let journal = Journal::new(house.store.clone(), StationId::new("LEY-0001").unwrap());
    let memory = journal.load().await.unwrap();
    assert!(memory.transactions.is_empty() && memory.messages.is_empty(), "nobody's token is kept for longer");
}

#[tokio::test]
async fn an_unanswered_start_is_repeated_identically_after_a_kill() {
    // proves: E13.FR.02
    let house = House::built(Version::V16).await;
    // the states of the station are told: what comes next is the start
    house.station.plug(one(), car()).unwrap();
    let said = |house: &House| house.wire.operator.lock().unwrap().states(one()).len();
    house.phase(Phase::Plugged).await;
    while said(&house) < 2 {
        tokio::task::yield_now().await;
    }
    house.wire.operator.lock().unwrap().instead = vec![None, Some(Err(LineFault::Lost))];
    house
        .station
        .told(ToStation::Start { evse: Some(one()), token: alias("ALIAS"), remote_id: 0, profile: None })
        .await;
    while house.transactions().is_empty() {
        tokio::task::yield_now().await;
    }
    let house = house.killed_and_started_again(Version::V16).await;
    house.reached(|view| view.owed == 0 && view.bays[0].finished == 1).await;
    let reports = house.transactions();
    assert_eq!(reports[0], reports[1]);
    assert_eq!(
        reports.iter().map(|report| report.stage).collect::<Vec<_>>(),
        [Stage::Started, Stage::Started, Stage::Ended]
    );
}

#[tokio::test]
async fn a_reset_restarts_the_station_and_says_so() {
    // proves: B01.FR.03, B01.FR.09, B11.FR.01, B11.FR.03, B11.FR.04
    let house = House::built(Version::V201).await;
    let mut starts = house.station.starts();
    assert_eq!(house.station.told(ToStation::Reset(ResetKind::Hard)).await, StationAnswer::Accepted);
    house.pass(2);
    tokio::time::timeout(PATIENCE, starts.wait_for(|starts| *starts == 2)).await.unwrap().unwrap();
    house.reached(|view| view.admitted).await;
    let operator = house.wire.operator.lock().unwrap();
    let reasons: Vec<_> = operator
        .heard
        .iter()
        .filter_map(|said| match said {
            FromStation::Boot(boot) => boot.reason.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, ["PowerUp".into(), "RemoteReset".into()]);
}

#[tokio::test]
async fn what_was_answered_is_kept() {
    // proves: B11.FR.02, G03.FR.08, G04.FR.09; TC_034_CS (a number of 1.6 without a meaning in public)
    let house = House::built(Version::V16).await;
    let values = vec![
        ("HeartbeatInterval".into(), Secret::new("77".into())),
        ("AuthorizationKey".into(), Secret::new("a password of the line".into())),
    ];
    house.station.told(ToStation::WriteSettings { values }).await;
    house.station.told(ToStation::Availability { evse: Some(one()), connector: None, operative: false }).await;
    let house = house.killed_and_started_again(Version::V16).await;
    assert_eq!(house.station.watch().borrow().bays[0].phase, Phase::Unavailable);
    let password = house.station.password().borrow().clone().unwrap();
    assert_eq!(&**password.expose(), "a password of the line");
}

#[tokio::test]
async fn real_sessions_deliver_what_they_did() {
    let row = |from, to, kwh| Row::read(from, to, "", kwh).unwrap();
    let rows = [
        row("2021-05-01T20:42:47Z", "2021-05-01T21:32:12Z", "5.936"),
        row("2021-05-01T23:56:16Z", "2021-05-02T01:40:48Z", "2.476"),
    ];
    let of = &plan(Version::V16).evses[0];
    let spot = Spot { max_power: of.max_power, current: of.current };
    let replay = Replay { from: START.plus(Duration::from_secs(60)), speed_up: 1, drivers: 1 };
    let (visits, turned_away) = from_rows(&replay, &rows, &[spot]);
    assert_eq!((visits.len(), turned_away), (2, 0));
    let house = House::built(Version::V16).await;
    play(&house, &visits).await;
    let reports = house.transactions();
    let registers: Vec<i64> =
        reports.iter().filter(|report| report.stage != Stage::Updated).map(|report| register(report).mwh()).collect();
    assert_eq!(registers, [0, 5_936_000, 5_936_000, 8_412_000]);
}

/// Plays a script by moving the clock from cue to cue.
async fn play(house: &House, visits: &[Visit]) {
    use crate::scenario::Act;
    let mut script = Script::new(visits);
    while let Some(at) = script.wake_at() {
        house.clock.set(at);
        for cue in script.due(at) {
            match &cue.act {
                Act::Plug(car) => house.station.plug(one(), car.clone()).unwrap(),
                Act::Begin { .. } => {
                    house.station.tap(one(), uid("CARD")).unwrap();
                    house.reached(|view| view.bays[0].transaction.is_some()).await;
                }
                Act::End { .. } => {
                    house.station.tap(one(), uid("CARD")).unwrap();
                    house.reached(|view| view.bays[0].transaction.is_none() && view.owed == 0).await;
                }
                Act::Unplug => house.station.unplug(one()).unwrap(),
            }
        }
    }
}
