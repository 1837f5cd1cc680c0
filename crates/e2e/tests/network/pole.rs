//! Our own virtual station on the line of a house, with a witness between the two: what the house acknowledged.
//!
//! Its journal is in memory: the station is the one that does not crash here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use charge::id::{EvseId, EvseNo, MeterSerial, StationId, TransactionKey};
use charge::meter::{Context, Measured};
use charge::place::Current;
use charge::talk::line::{FromStation, Heard, LineFault, Pole as PoleWord, Stage, TransactionReport, Uplink, Version};
use charge::token::TokenUid;
use charge::units::{Energy, Power};
use charge::{Clock, Soon, SystemClock};
use gate::line::{Backoff, Dial, Dialled, TalkLimits, dial, station_url};
use station::bay::Phase;
use station::car::{Car, CarPlan, Curve, Inlet};
use station::journal::Journal;
use station::plan::{EvsePlan, Plan};
use station::station::BayView;
use station::{VirtualStation, journal};
use store::Store;
use tokio::task::JoinHandle;
use trust::dice::SystemDice;
use trust::sign::SigningKey;

use super::settle::{Credential, Enrol, FAST_W, Network};
use super::wait::PATIENCE;

/// A station that is not there is dialled again at once: the test is about the house, not about patience.
const BACKOFF: Backoff = Backoff { min: Duration::from_millis(50), random: Duration::from_millis(150), doublings: 2 };

/// A virtual station with its line.
pub(super) struct Pole {
    pub id: String,
    pub station: Arc<VirtualStation>,
    pub witness: Arc<Witness>,
    /// The public keys of its meters, in hex.
    pub meters: Vec<String>,
    line: Dialled,
    talk: JoinHandle<()>,
}

/// Of one transaction, as its station sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The operator's number, from the answer to the start.
    pub number: Option<i32>,
    /// The name on the wire, where the version lets the station choose it.
    pub name: Option<String>,
    pub start_acknowledged: bool,
    pub end_acknowledged: bool,
}

/// Listens in between station and line, and remembers what was said and what was answered.
pub(super) struct Witness {
    inner: Arc<dyn Uplink>,
    /// By what makes a transaction one: EVSE and begin register for a start without a name, else the name.
    seen: Mutex<BTreeMap<String, Seen>>,
}

impl Witness {
    pub(super) fn transactions(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().values().cloned().collect()
    }

    /// The name in our own book; `None` for a 1.6 transaction that was never given a number.
    fn entry(&self, report: &TransactionReport) -> Option<String> {
        match &report.key {
            Some(TransactionKey::Text(name)) => Some(name.to_string()),
            None => {
                let begin = report.readings.iter().find_map(|reading| match reading.measured {
                    Measured::EnergyImport(value) if reading.context == Context::TransactionBegin => Some(value),
                    _ => None,
                });
                Some(format!("{:?} {:?} {}", report.evse, begin, report.at))
            }
            Some(TransactionKey::Number(number)) => {
                let seen = self.seen.lock().unwrap();
                seen.iter().find(|(_, seen)| seen.number == Some(*number)).map(|(entry, _)| entry.clone())
            }
        }
    }

    fn note(&self, entry: &str, change: impl FnOnce(&mut Seen)) {
        change(self.seen.lock().unwrap().entry(entry.to_owned()).or_default());
    }
}

impl Uplink for Witness {
    fn say(&self, said: FromStation) -> Soon<'_, Result<Heard, LineFault>> {
        Box::pin(async move {
            let told = match &said {
                FromStation::Transaction(report) => self.entry(report).map(|entry| (entry, report.stage)),
                _ => None,
            };
            if let (Some((entry, _)), FromStation::Transaction(report)) = (&told, &said) {
                let name = match &report.key {
                    Some(TransactionKey::Text(name)) => Some(name.to_string()),
                    _ => None,
                };
                self.note(entry, |seen| seen.name = name.or(seen.name.take()));
            }
            let heard = self.inner.say(said).await;
            if let (Some((entry, stage)), Ok(Heard::Transaction { number, .. })) = (&told, &heard) {
                self.note(entry, |seen| {
                    seen.number = number.or(seen.number);
                    seen.start_acknowledged |= *stage == Stage::Started;
                    seen.end_acknowledged |= *stage == Stage::Ended;
                });
            }
            heard
        })
    }
}

impl Pole {
    /// Enrols a station with so many fast EVSEs (security profile 3), switches it on and lets it dial.
    pub(super) async fn stand(network: &Network, id: &str, version: Version, evses: u16) -> Self {
        let keys: Vec<SigningKey> = (0..evses).map(|_| SigningKey::generate().unwrap()).collect();
        let meters: Vec<String> = keys.iter().map(SigningKey::public_key_hex).collect();
        let serial = format!("SN-{id}");
        let wish = Enrol {
            id,
            serial: Some(&serial),
            meters: meters.iter().cloned().map(Some).collect(),
            danger_plain_ws: false,
        };
        let Credential::Certificate(identity) = network.enrol(&wish).await else {
            panic!("profile 3 is a certificate")
        };
        let evse = |no: u16| EvsePlan {
            evse_id: EvseId::new(format!("DE*VLT*E{}*{no}", id.replace('-', ""))).unwrap(),
            meter: MeterSerial::new(format!("{serial}-M{no}")).unwrap(),
            max_power: Power::from_watts(FAST_W),
            current: Current::Dc,
        };
        let plan = Plan {
            id: StationId::new(id).unwrap(),
            prefers: version,
            vendor: "Leyden".to_owned(),
            model: "Test".to_owned(),
            serial: serial.clone(),
            firmware: "1".to_owned(),
            evses: (1..=evses).map(evse).collect(),
        };
        let store = Store::in_memory(journal::MIGRATIONS).unwrap();
        let journal = Journal::new(store, plan.id.clone());
        let url = station_url(&format!("wss://localhost:{}", network.house.line_port()), &plan.id);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secrets: Vec<_> = keys.iter().map(|key| key.to_pkcs8_der().unwrap()).collect();
        let started = VirtualStation::start(plan, &secrets, journal, Arc::clone(&clock), Arc::new(SystemDice)).await;
        let station = started.unwrap();
        let tls = trust::tls::client(&network.house.roots(), Some(&identity), &[]).unwrap();
        let wish = Dial {
            url,
            tls: Some(Arc::new(tls)),
            basic: None,
            offer: vec![version],
            backoff: BACKOFF,
            limits: TalkLimits::default(),
        };
        let word: Arc<dyn PoleWord> = Arc::clone(&station) as Arc<dyn PoleWord>;
        let line = dial(wish, word, clock, Arc::new(SystemDice)).unwrap();
        let witness = Arc::new(Witness { inner: line.uplink(), seen: Mutex::default() });
        let (speaker, uplink) = (Arc::clone(&station), Arc::clone(&witness) as Arc<dyn Uplink>);
        let talk = tokio::spawn(async move { speaker.run(uplink).await.unwrap() });
        Self { id: id.to_owned(), station, witness, meters, line, talk }
    }

    /// The line breaks and stays away.
    pub(super) fn cut(&self) {
        self.line.drop_line();
    }

    pub(super) fn restore(&self) {
        self.line.restore_line();
    }

    pub(super) async fn leave(self) {
        self.line.stop().await;
        self.talk.abort();
    }

    pub(super) async fn admitted(&self) {
        let mut view = self.station.watch();
        let on_line = view.wait_for(|view| view.line.is_some() && view.admitted);
        tokio::time::timeout(PATIENCE, on_line).await.expect("the station gets on the line in time").unwrap();
    }

    /// Everything that the station owed was said and answered, and nothing runs.
    pub(super) async fn owes_nothing(&self, patience: Duration) {
        let mut view = self.station.watch();
        let quiet = view.wait_for(|view| view.owed == 0 && view.bays.iter().all(|bay| bay.transaction.is_none()));
        let waited = tokio::time::timeout(patience, quiet).await.map(drop);
        assert!(waited.is_ok(), "{} still owes something: {:?}", self.id, self.station.watch().borrow().clone());
    }

    pub(super) fn bay(&self, no: EvseNo) -> BayView {
        self.station.watch().borrow().bays.iter().find(|bay| bay.evse == no).unwrap().clone()
    }

    /// What all meters of the station show together.
    pub(super) fn registers(&self) -> Energy {
        let mwh = self.station.watch().borrow().bays.iter().map(|bay| bay.register.mwh()).sum();
        Energy::from_mwh(mwh)
    }

    pub(super) fn plug(&self, no: EvseNo) {
        self.station.plug(no, car()).unwrap();
    }

    pub(super) fn tap(&self, no: EvseNo, card: &str) {
        self.station.tap(no, TokenUid::new(card).unwrap()).unwrap();
    }

    /// Waits until the EVSE is as wanted. `false` if that does not happen within the time.
    pub(super) async fn comes(&self, no: EvseNo, within: Duration, is: impl Fn(&BayView) -> bool) -> bool {
        let mut view = self.station.watch();
        let seen = view.wait_for(|view| view.bays.iter().any(|bay| bay.evse == no && is(bay)));
        matches!(tokio::time::timeout(within, seen).await, Ok(Ok(_)))
    }

    pub(super) async fn charging(&self, no: EvseNo) {
        assert!(self.comes(no, PATIENCE, |bay| bay.transaction.is_some()).await, "{:?}", self.bay(no));
    }

    /// Waits until so much more flowed.
    pub(super) async fn charged(&self, no: EvseNo, energy: Energy) {
        let goal = self.bay(no).register.checked_add(energy).unwrap();
        super::wait::until("the car to charge", async || {
            self.station.nudge();
            (self.bay(no).register >= goal).then_some(())
        })
        .await;
    }

    /// Pulls the cable and goes, also where the answer to the tap is still on its way: the EVSE may then wait for a car.
    pub(super) async fn walk_away(&self, no: EvseNo) {
        self.station.unplug(no).unwrap();
        let gone = |bay: &BayView| matches!(bay.phase, Phase::Idle | Phase::Tapped);
        assert!(self.comes(no, PATIENCE, gone).await, "{:?}", self.bay(no));
    }

    pub(super) async fn unplug(&self, no: EvseNo) {
        self.station.unplug(no).unwrap();
        assert!(self.comes(no, PATIENCE, |bay| bay.phase == Phase::Idle).await, "{:?}", self.bay(no));
    }
}

pub(super) fn first() -> EvseNo {
    EvseNo::new(1).unwrap()
}

/// A large battery that takes all it can get.
fn car() -> Car {
    Car::new(CarPlan {
        capacity: Energy::from_wh(2_000_000),
        charged_percent: 10,
        max_power: Power::from_watts(FAST_W),
        inlet: Inlet::Dc,
        curve: Curve::Flat,
        wants: None,
    })
    .unwrap()
}
