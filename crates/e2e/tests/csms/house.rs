//! One operator with one station of two EVSEs, its line, and the providers that it asks.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use charge::id::{ConnectorId, EvseId, EvseNo, EvseUid, LocationId, PartyId, StationId, TariffId};
use charge::money::Currency;
use charge::place::{Capabilities, Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::talk::line::Desk;
use charge::talk::road::{Answer, Denial, Letter, Question, Road, RoadFault};
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::token::{Allowed, ContractId, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::Power;
use charge::{Clock, Personal, Purpose, Secret, Soon, SystemClock, Timestamp};
use futures_util::future::{Either, select};
use gate::line::{LineServer, Options, TalkLimits, listen, listen_plain};
use operator::desk::NewsFilter;
use operator::order::{Outcome, StationOrder};
use operator::view::{SessionFilter, SessionPage};
use operator::{Keys, NewBay, NewStation, Operator, OrderOutcome, Profile, Settings, Setup};
use serde_json::Value;
use store::Store;
use trust::dice::SystemDice;
use trust::pki::Authority;
use trust::seal::SealKey;
use trust::tls::{ClientCertificates, Trusted};
use trust::token_tag::TagKey;

use super::pole::{NEW, Pole};

pub(super) const DAY: Duration = Duration::from_secs(86_400);
pub(super) const ID: &str = "CP-1";
pub(super) const SERIAL: &str = "SN-1";
/// Whoever gives orders here.
pub(super) const ACTOR: &str = "ada";
/// What the providers think of these is in [`Providers::usual`]; they know no other card.
pub(super) const VALID: &str = "04A2B3C4D5E680";
pub(super) const VALID_TOO: &str = "04A2B3C4D5E681";
pub(super) const BLOCKED: &str = "04A2B3C4D5E682";
pub(super) const EXPIRED: &str = "04A2B3C4D5E683";
pub(super) const MASTER: &str = "04A2B3C4D5E684";
pub(super) const STRANGE: &str = "04A2B3C4D5E6FF";

pub(super) fn id() -> StationId {
    StationId::new(ID).unwrap()
}

pub(super) fn evse(no: u16) -> EvseNo {
    EvseNo::new(no).unwrap()
}

pub(super) fn card(uid: &str) -> PresentedToken {
    PresentedToken::new(TokenUid::new(uid).unwrap(), TokenKind::Rfid)
}

pub(super) struct House {
    pub operator: Operator,
    pub road: Arc<Providers>,
    pub key: Secret<String>,
    server: LineServer,
}

impl House {
    pub(super) async fn open() -> Self {
        let store = Store::in_memory(Operator::MIGRATIONS).unwrap();
        let keys =
            Keys { seal: SealKey::new(&Secret::new([1; 32])).unwrap(), tags: TagKey::new(&Secret::new([2; 32])) };
        let setup = Setup {
            party: "DE-VLT".parse().unwrap(),
            name: "Voltwerk".to_owned(),
            hub: "DE-HUB".parse().unwrap(),
            keys,
            settings: Settings::default(),
        };
        let operator = Operator::new(setup, store, Arc::new(SystemClock), Arc::new(SystemDice));
        let road = Arc::new(Providers::usual());
        operator.attach_road(Arc::clone(&road) as Arc<dyn Road>);
        operator.put_tariff(ACTOR, tariff()).await.unwrap();
        operator.put_location(ACTOR, location()).await.unwrap();
        let bays = location().evses.into_iter().zip(1..);
        let new = NewStation {
            id: id(),
            location: location().id,
            bays: bays.map(|(of, no)| NewBay { no: evse(no), evse: of, meter_key: None }).collect(),
            profile: Profile::Basic { serial: Some(SERIAL.to_owned()) },
            danger_plain_ws: true,
        };
        let key = operator.enrol_station(ACTOR, new).await.unwrap().unwrap();
        let talk = TalkLimits { boot_grace: Duration::ZERO, messages_at_once: 100_000, ..TalkLimits::default() };
        let desk: Arc<dyn Desk> = Arc::new(operator.clone());
        let options = Options { talk, ..Options::default() };
        let at = "127.0.0.1:0".parse().unwrap();
        let server = listen_plain(at, desk, Arc::new(SystemClock), Arc::new(SystemDice), options).unwrap();
        operator.attach_line(server.line());
        Self { operator, road, key, server }
    }

    pub(super) fn port(&self) -> u16 {
        self.server.local_addr().port()
    }

    /// Another door to the same operator, over TLS, for stations with a certificate of this authority.
    pub(super) fn open_tls(&self, root: &Authority) -> LineServer {
        let server = root.server_certificate(&["localhost".to_owned()], DAY, now(), &SystemDice).unwrap();
        let trusted = Trusted { roots_pem: root.certificate_pem().to_owned(), on_refused: Arc::new(|_| {}) };
        let tls = trust::tls::server(&server, ClientCertificates::Optional(trusted), &[]).unwrap();
        let desk: Arc<dyn Desk> = Arc::new(self.operator.clone());
        let at = "127.0.0.1:0".parse().unwrap();
        listen(at, Arc::new(tls), desk, Arc::new(SystemClock), Arc::new(SystemDice), Options::default()).unwrap()
    }

    /// A station that has booted and said that both its EVSEs are free: the state `Booted`.
    pub(super) async fn booted(&self) -> Pole {
        let mut pole = Pole::knock(self.port(), self.key.expose()).await.unwrap();
        pole.boot().await;
        pole
    }

    /// The same of 2.1.
    pub(super) async fn booted_new(&self) -> Pole {
        let mut pole = self.knock_new().await;
        pole.boot().await;
        pole
    }

    /// A station of 2.1 at the door.
    pub(super) async fn knock_new(&self) -> Pole {
        Pole::knock_as(self.port(), self.key.expose(), NEW).await.unwrap()
    }

    /// The sentences of a kind that are shown of the station, the newest first.
    pub(super) async fn news(&self, kind: &str) -> Vec<String> {
        let filter = NewsFilter { kind: Some(kind.to_owned()), limit: 20, ..NewsFilter::default() };
        self.operator.news(filter).await.unwrap().into_iter().map(|one| one.text).collect()
    }

    /// Gives an order, which the station answers: what came of it, and what the station was told.
    pub(super) async fn order(
        &self,
        pole: &mut Pole,
        order: StationOrder,
        action: &str,
        answer: Value,
    ) -> (OrderOutcome, Value) {
        let station = id();
        let ordered = pin!(self.operator.order(ACTOR, &station, order));
        match select(ordered, pin!(pole.obey(action, answer))).await {
            Either::Left((came, _)) => panic!("{action}, and the station was told nothing: {came:?}"),
            Either::Right((told, ordered)) => (ordered.await.unwrap(), told),
        }
    }

    /// The same, for an order that has to be accepted; what the station was told.
    pub(super) async fn accepted(&self, pole: &mut Pole, order: StationOrder, action: &str, answer: Value) -> Value {
        let (came, told) = self.order(pole, order, action, answer).await;
        assert_eq!(came.outcome, Outcome::Accepted, "{action}: {came:?}");
        told
    }

    /// The session that began last.
    pub(super) async fn newest(&self) -> SessionPage {
        let found = self.operator.sessions(SessionFilter::default()).await.unwrap();
        let newest = found.items.into_iter().max_by_key(|session| session.number).unwrap();
        self.operator.session(&newest.id).await.unwrap()
    }

    pub(super) async fn sessions(&self) -> u32 {
        self.operator.sessions(SessionFilter::default()).await.unwrap().total
    }

    /// What the operator shows of an EVSE.
    pub(super) async fn shows(&self, no: u16) -> operator::view::EvseCard {
        let page = self.operator.station(&id()).await.unwrap();
        page.card.evses.into_iter().find(|of| of.no == evse(no)).unwrap()
    }
}

/// Everybody whom the operator asks: says of each card what the test wants, and notes what it was asked.
#[derive(Default)]
pub(super) struct Providers {
    pub known: Mutex<BTreeMap<String, Verdict>>,
    pub asked: Mutex<Vec<PresentedToken>>,
}

impl Providers {
    fn usual() -> Self {
        let known = [
            (VALID, yes("DE-8AA-CA2B3C4D5-N")),
            (VALID_TOO, yes("DE-8AA-CA2B3C4D6-9")),
            (MASTER, yes("DE-8AA-CA2B3C4D7-4")),
            (BLOCKED, Verdict::bare(Allowed::Blocked)),
            (EXPIRED, Verdict::bare(Allowed::Expired)),
        ];
        let known = known.into_iter().map(|(uid, verdict)| (uid.to_owned(), verdict)).collect();
        Self { known: Mutex::new(known), asked: Mutex::default() }
    }

    /// What is thought of a card from now on.
    pub(super) fn change(&self, uid: &str, how: impl FnOnce(&mut Verdict)) {
        how(self.known.lock().unwrap().get_mut(uid).unwrap());
    }
}

pub(super) fn yes(contract: &str) -> Verdict {
    let party: PartyId = "DE-8AA".parse().unwrap();
    Verdict {
        contract: Some(Personal::new(ContractId::new(contract).unwrap())),
        party: Some(party),
        ..Verdict::bare(Allowed::Yes)
    }
}

impl Road for Providers {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        let answer = match letter.question {
            Question::MayCharge { token } => {
                let uid = token.uid.reveal(Purpose::Authorise).normal();
                self.asked.lock().unwrap().push(token);
                let known = self.known.lock().unwrap().get(&uid).cloned();
                known.map(Answer::May).ok_or(RoadFault::Denied(Denial::UnknownToken))
            }
            Question::PostCdr(cdr) => Ok(Answer::Kept(cdr.id.clone())),
            _ => Ok(Answer::Noted),
        };
        Box::pin(async move { answer })
    }
}

pub(super) fn tariff() -> Tariff {
    let component = Component {
        dimension: Dimension::Energy,
        price: "0.50".parse().unwrap(),
        vat_percent: "19".parse().ok(),
        step_size: 1,
    };
    Tariff {
        party: "DE-VLT".parse().unwrap(),
        id: TariffId::new("T1").unwrap(),
        currency: Currency::EUR,
        text: Some("0.50 EUR a kWh".to_owned()),
        elements: vec![Element { components: vec![component], restrictions: Restrictions::default() }],
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: now(),
    }
}

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

pub(super) fn location() -> Location {
    let connector = || Connector {
        id: ConnectorId::new("1").unwrap(),
        plug: Plug::Type2,
        attached_cable: false,
        current: Current::Ac3Phase,
        max_voltage_v: 400,
        max_amperage_a: 32,
        max_power: Power::from_watts(22_000),
        tariffs: vec![TariffId::new("T1").unwrap()],
    };
    let evse = |no: u16| Evse {
        uid: EvseUid::new(format!("E{no}")).unwrap(),
        id: EvseId::new(format!("DE*VLT*E{no}")).ok(),
        status: EvseStatus::Unknown,
        connectors: vec![connector()],
        capabilities: Capabilities::NONE,
        physical_reference: None,
        last_updated: now(),
    };
    Location {
        party: "DE-VLT".parse().unwrap(),
        id: LocationId::new("L1").unwrap(),
        name: None,
        address: "Hauptplatz 1".to_owned(),
        city: "Ulm".to_owned(),
        postal_code: Some("89073".to_owned()),
        country: "DEU".to_owned(),
        position: Position::new(484_011_000, 99_876_000).unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: vec![evse(1), evse(2)],
        last_updated: now(),
    }
}
