//! A local controller divides its site's power among three virtual stations, over real sockets, while its CSMS is away.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use charge::id::EvseNo;
use charge::talk::line::charging::{ChargingOrder, Profile, ProfilePurpose, RateUnit};
use charge::talk::line::second::{Scripted, SecondCall, SecondDoor, SecondLine};
use charge::talk::line::{Foreign, LineFault, Pole, StationAnswer, ToStation, Uplink};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::units::{Energy, Power};
use charge::{Clock, Dice, Timestamp};
use gate::line::listen;
use operator::admit::Proof;
use operator::controller::{Offline, Rules, Seat, Upstream};
use operator::share::{Outlet, Supply};
use operator::{Controller, ControllerSetup, GroupSeat, Keys, Sharing};
use station::{Car, CarPlan, Curve, Deed, Inlet};
use trust::pki::Authority;
use trust::seal::SealKey;
use trust::station_key::StationKey;
use trust::tls::ClientCertificates;
use trust::token_tag::TagKey;

use super::super::super::actor::Actor;
use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const KEY: &str = "sixteen-bytes-ok";
/// A tenth of an ampere on three phases, and what rounding to it may cost.
const STEP: i64 = 140;
/// Before the controller's next look, which comes after 30 s: what changes is shared out at once.
const AT_ONCE: Duration = Duration::from_secs(20);

/// The way to a CSMS that is away; whoever was to be dialled can be ordered about all the same.
#[derive(Default)]
struct Away(Mutex<HashMap<StationId, Arc<dyn Pole>>>);

struct Nobody;

impl Uplink for Nobody {
    fn say(&self, _said: FromStation) -> Soon<'_, Result<Heard, LineFault>> {
        Box::pin(std::future::ready(Err(LineFault::NotConnected)))
    }
}

impl SecondLine for Nobody {
    fn uplink(&self) -> Arc<dyn Uplink> {
        Arc::new(Self)
    }
}

impl SecondDoor for Away {
    fn dial(&self, call: SecondCall, pole: Arc<dyn Pole>) -> Result<Arc<dyn SecondLine>, Box<str>> {
        self.0.lock().unwrap().insert(call.station, pole);
        Ok(Arc::new(Nobody))
    }

    fn write(&self, _version: Version, _said: &FromStation, _now: Timestamp) -> Result<Scripted, Box<str>> {
        Err("nothing is kept in this test".into())
    }

    fn read(&self, _version: Version, _text: &Foreign, _now: Timestamp) -> Result<FromStation, LineFault> {
        Err(LineFault::NotInVersion)
    }
}

impl Away {
    async fn limit(&self, of: &str, watts: i64, unit: RateUnit) -> StationAnswer {
        let pole = Arc::clone(&self.0.lock().unwrap()[&StationId::new(of).unwrap()]);
        let outlet = Outlet { unit, ..Outlet::default() };
        let limit = operator::share::profile(Power::from_watts(watts), &outlet, SystemClock.now());
        let profile = Profile { id: 7, stack_level: 2, ..limit };
        assert_eq!((profile.purpose, profile.schedules[0].unit), (ProfilePurpose::StationMax, unit));
        pole.told(ToStation::Charging(ChargingOrder::Set { evse: None, profile: Box::new(profile) })).await
    }
}

fn setup() -> ControllerSetup {
    let dice: &dyn Dice = &SystemDice;
    let seat = |name: &str| Seat {
        station: StationId::new(name).unwrap(),
        proof: Proof::Basic { digest: Box::new(StationKey::chosen(KEY).unwrap().digest(dice).unwrap()), serial: None },
        password: None,
    };
    let keys = Keys { seal: SealKey::new(&Secret::new([1; 32])).unwrap(), tags: TagKey::new(&Secret::new([2; 32])) };
    let supply = Supply { power: Power::from_watts(24_000), least: Power::from_watts(1_380) };
    // the second station counts in amperes, and is known to take no more than its 22 kW
    let amperes = Outlet { unit: RateUnit::Amperes, most: Some(Power::from_watts(22_000)), ..Outlet::default() };
    let outlets = BTreeMap::from([(StationId::new("S2").unwrap(), amperes)]);
    let group = GroupSeat { station: StationId::new("SITE").unwrap(), password: Some(Secret::new(KEY.into())) };
    ControllerSetup {
        upstream: Upstream { address: "wss://csms.example".to_owned(), roots: String::new(), local: true },
        seats: ["S1", "S2", "S3"].map(seat).into(),
        rules: Rules::new(Offline::Everybody, &[], &keys.tags),
        keys,
        buffer_max: 10,
        sharing: Some(Sharing { supply, group: Some(group), connection: Outlet::default(), outlets }),
    }
}

fn car() -> Car {
    let plan = CarPlan {
        capacity: Energy::from_wh(2_000_000),
        charged_percent: 1,
        max_power: Power::from_watts(22_000),
        inlet: Inlet::ThreePhase,
        curve: Curve::Flat,
        wants: None,
    };
    Car::new(plan).unwrap()
}

/// Waits until the stations take about this much each.
async fn until(what: &str, stations: &[Actor], wanted: [i64; 3]) {
    let powers = || [0, 1, 2].map(|at: usize| stations[at].station.watch().borrow().bays[0].power.watts());
    let met = || {
        let powers = powers();
        powers.iter().zip(wanted).all(|(is, wanted)| (is - wanted).abs() <= STEP)
    };
    let looked = tokio::time::timeout(AT_ONCE, async {
        let [mut a, mut b, mut c] = [0, 1, 2].map(|at: usize| stations[at].station.watch());
        while !met() {
            tokio::select! {
                changed = a.changed() => changed.unwrap(),
                changed = b.changed() => changed.unwrap(),
                changed = c.changed() => changed.unwrap(),
            }
        }
    });
    assert!(looked.await.is_ok(), "waited in vain for {what}: {:?} instead of {wanted:?}", powers());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_stations_share_what_the_site_has() {
    let root = Authority::create("Root", DAY * 30, SystemClock.now(), &SystemDice).unwrap();
    let folder = std::env::temp_dir().join(format!("leyden-shares-{}", SystemDice.uuid()));
    std::fs::create_dir(&folder).unwrap();
    let keep = |name: &str, text: &str| -> PathBuf {
        let path = folder.join(name);
        trust::private_file::write(&path, text.as_bytes()).unwrap();
        path
    };
    let (roots, _key) = (keep("root.pem", root.certificate_pem()), keep("key", KEY));
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let identity = root.server_certificate(&names, DAY, SystemClock.now(), &SystemDice).unwrap();
    let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
    for version in ["1.6", "2.0.1"] {
        let door = Arc::new(Away::default());
        let store = Store::in_memory(Controller::MIGRATIONS).unwrap();
        let behind = Arc::clone(&door) as Arc<dyn SecondDoor>;
        let controller = Controller::new(setup(), store, Arc::clone(&clock), Arc::clone(&dice), behind);
        let tls = Arc::new(trust::tls::server(&identity, ClientCertificates::None, &[]).unwrap());
        let desk: Arc<dyn Desk> = Arc::new(controller.clone());
        let here = "127.0.0.1:0".parse().unwrap();
        let server = listen(here, tls, desk, Arc::clone(&clock), Arc::clone(&dice), Options::default()).unwrap();
        controller.attach_line(server.line());
        let url = format!("wss://localhost:{}/ocpp", server.local_addr().port());
        let operator = Operator { url, roots: Some(roots.clone()) };
        let group = format!("{{ id = \"S{{n}}\", count = 3, version = \"{version}\", password-file = \"key\" }}");
        let scene = scenario(&format!("name = \"three\"\nstation = [ {group} ]"));
        let world: Arc<dyn Clock> = Arc::new(FastClock::new(SystemClock, SystemClock.now(), 60));
        let journals = Store::in_memory(station::MIGRATIONS).unwrap();
        let mut stations = Vec::new();
        for n in 1..=3 {
            let on = Actor::switch_on(&scene.station[0], n, 1, 60, (&operator, &folder), &world, &journals);
            stations.push(on.await.unwrap());
        }
        for actor in &stations {
            let mut watch = actor.station.watch();
            tokio::time::timeout(PATIENCE, watch.wait_for(|view| view.admitted)).await.unwrap().unwrap();
        }
        let one = EvseNo::new(1).unwrap();
        let begin = |at: usize| {
            let card = PresentedToken::new(TokenUid::new(format!("04A{at}")).unwrap(), TokenKind::Rfid);
            stations[at].station.act(one, Deed::Plug(car())).unwrap();
            stations[at].station.act(one, Deed::Tap(card)).unwrap();
        };
        begin(0);
        until("all of it for one", &stations, [22_000, 0, 0]).await;
        begin(1);
        begin(2);
        until("a third each", &stations, [8_000, 8_000, 8_000]).await;
        assert_eq!(door.limit("SITE", 15_000, RateUnit::Amperes).await, StationAnswer::Accepted);
        until("the CSMS's limit of the site", &stations, [5_000, 5_000, 5_000]).await;
        assert_eq!(door.limit("S1", 3_000, RateUnit::Watts).await, StationAnswer::Accepted);
        // less than 6 A on three phases is a pause
        until("the CSMS's limit of one station", &stations, [0, 6_000, 6_000]).await;
        stations[1].station.act(one, Deed::Unplug).unwrap();
        until("what one left", &stations, [0, 0, 12_000]).await;
        for actor in stations {
            actor.stop().await;
        }
        server.stop().await;
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
