//! A house of an operator, a hub and a provider, in memory, and an operator next door that sends the provider letters.

use std::sync::Arc;
use std::time::Duration;

use ::hub::Hub;
use ::operator::{Keys, Operator, Settings};
use ::provider::{DriverId, NewCard, NewDriver, Provider};
use axum::Router;
use billing::cdr::{Closing, Evidence, Permit};
use billing::record::ocmf::{GatewayPlate, Ident, IdentKind, IdentLevel, MeterPlate, Moment, SignedReading, Signer};
use billing::record::{ClockQuality, KeySource, verify};
use charge::clock::{ManualClock, SeededDice};
use charge::id::{CdrId, ConnectorId, CorrelationId, EvseId, EvseUid, LocationId, PartyId, SessionId, TariffId};
use charge::money::Currency;
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::record::{AuthMethod, Period, RecordPlace, RecordToken, Session, SessionStatus};
use charge::talk::road::{Answer, Letter, OrderAck, Question, Road, RoadDesk, RoadFault};
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::token::{PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::{Energy, Power};
use charge::{Clock, Decimal, Dice, Personal, Purpose, Secret, Soon, Timestamp};
use store::Store;
use trust::pki::Authority;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

use super::post;
use crate::accounts::{Accounts, NewUser};
use crate::permission::Role;
use crate::stage::Route;
use crate::{House, PartyDoor, Room, api, assets};

const BEGIN: &str = "2026-11-22T10:00:00Z";
pub(super) const OPERATOR: &str = "operator";
pub(super) const HUB: &str = "hub";
pub(super) const PROVIDER: &str = "erste-fahrt";
pub(super) const UID: &str = "04A2B3C4D5E680";

/// Every order is accepted, everything else is noted.
struct PoliteRoad;

impl Road for PoliteRoad {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        let answer = match letter.question {
            Question::Start(_) | Question::Stop { .. } | Question::Profile(_) => {
                Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 30 }, message: None }
            }
            _ => Answer::Noted,
        };
        Box::pin(async move { Ok(answer) })
    }
}

pub(super) struct World {
    pub(super) router: Router,
    pub(super) table: Vec<Route>,
    pub(super) room: Operator,
    pub(super) hub: Hub,
    pub(super) provider: Provider,
    accounts: Vec<(&'static str, Accounts)>,
    pub(super) clock: Arc<ManualClock>,
    signer: Signer,
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(at(BEGIN)));
        let dice: Arc<dyn Dice> = Arc::new(SeededDice::new(5));
        let (time, mut doors, mut accounts) = (clock.clone() as Arc<dyn Clock>, Vec::new(), Vec::new());
        let mut door = |slug: &'static str, party_id: &str, store: Store, room| {
            let book = Accounts::open(store, time.clone(), dice.clone()).unwrap();
            accounts.push((slug, book.clone()));
            let metrics: crate::Metrics = Arc::new(|| "leyden_test 1\n".to_owned());
            let (slug, party) = (slug.to_owned(), party(party_id));
            let road = Arc::new(super::partners::PoliteMember::new(time.clone()));
            let road = (slug != HUB).then_some(road as Arc<_>);
            doors.push(PartyDoor { name: slug.clone(), slug, party, room, accounts: book, road, metrics });
        };
        let store = Store::in_memory(Operator::MIGRATIONS).unwrap();
        let room = operator(store.clone(), time.clone(), dice.clone());
        let authority = Authority::create("stations", Duration::from_secs(86_400), clock.now(), &*dice).unwrap();
        door(OPERATOR, "DE-VLT", store, Room::Operator(room.clone(), Arc::new(authority)));
        let store = Store::in_memory(::hub::MIGRATIONS).unwrap();
        let setup = ::hub::Setup { party: party("DE-HUB"), name: "Rasthof".into(), tag_key: Secret::new([7; 32]) };
        let hub = Hub::new(setup, store.clone(), time.clone(), dice.clone());
        hub.attach_reception(Arc::new(super::partners::PoliteDesk::default()));
        door(HUB, "DE-HUB", store, Room::Hub(hub.clone()));
        let store = Store::in_memory(::provider::MIGRATIONS).unwrap();
        let provider = provider(store.clone(), time.clone(), dice.clone());
        door(PROVIDER, "DE-8AA", store, Room::Provider(provider.clone()));
        let (routes, table) = api(House { doors, clock: time.clone(), demo: None });
        let world =
            Self { router: assets::with_pages(routes), table, room, hub, provider, accounts, clock, signer: signer() };
        world.hear(Question::PutTariff(Box::new(tariff()))).await;
        world.hear(Question::PutLocation(Box::new(location(EvseStatus::Available)))).await;
        world
    }

    /// Creates a user and signs in; the line of the `Cookie` header.
    pub(super) async fn sign_in(&self, slug: &str, role: Role, name: &str, driver: Option<&DriverId>) -> String {
        let (_, accounts) = self.accounts.iter().find(|(at, _)| *at == slug).unwrap();
        let user = NewUser { name, shown: name, role, driver: driver.map(DriverId::as_str) };
        let password = accounts.create(user).await.unwrap().expose().clone();
        self.sign_in_with(slug, name, &password).await
    }

    pub(super) async fn sign_in_with(&self, slug: &str, name: &str, password: &str) -> String {
        let login = serde_json::json!({ "user": name, "password": password });
        let told = post(&format!("/api/p/{slug}/login")).page().json(&login).send(&self.router).await;
        told.ok();
        told.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(super) async fn driver(&self, name: &str) -> DriverId {
        let email = Personal::new(format!("{name}@example.org"));
        let new = NewDriver { name: Personal::new(name.into()), email, valid_until: None, credit_cap: None };
        self.provider.sign_up(new).await.unwrap()
    }

    /// A driver with a card, a finished and billed session at DE-OPA, and a login.
    pub(super) async fn driver_with_a_trip(&self, name: &str) -> (DriverId, String) {
        let driver = self.driver(name).await;
        let uid = Personal::new(TokenUid::new(UID).unwrap());
        self.provider.add_card(NewCard { driver: driver.clone(), label: "blue".into(), uid }).await.unwrap();
        let token = self.tap().await;
        let start = self.clock.now();
        self.session(&token, ("S1", start), 0, SessionStatus::Active).await;
        self.clock.advance(Duration::from_secs(3_600));
        self.session(&token, ("S1", start), 10_000, SessionStatus::Completed).await;
        self.cdr(token).await;
        let cookie = self.sign_in(PROVIDER, Role::Driver, name, Some(&driver)).await;
        (driver, cookie)
    }

    pub(super) async fn hear(&self, question: Question) -> Answer {
        let correlation = CorrelationId::new("c-1").unwrap();
        let letter = Letter { from: party("DE-OPA"), to: Some(party("DE-8AA")), correlation, question };
        self.provider.hear(letter).await.unwrap()
    }

    /// A tap with the card; the token of the session that it permits.
    pub(super) async fn tap(&self) -> RecordToken {
        let token = PresentedToken::new(TokenUid::new(UID).unwrap(), TokenKind::Rfid);
        let Answer::May(Verdict { contract: Some(contract), .. }) = self.hear(Question::MayCharge { token }).await
        else {
            panic!("the card may charge")
        };
        let uid = Personal::new(TokenUid::new(contract.reveal(Purpose::Bill).compact()).unwrap());
        RecordToken { party: party("DE-8AA"), uid, kind: TokenKind::Rfid, contract }
    }

    /// The operator's word on a session that began then.
    pub(super) async fn session(
        &self,
        token: &RecordToken,
        (id, start): (&str, Timestamp),
        wh: i64,
        status: SessionStatus,
    ) {
        let now = self.clock.now();
        let session = Session {
            party: party("DE-OPA"),
            id: SessionId::new(id).unwrap(),
            start,
            end: matches!(status, SessionStatus::Completed).then_some(now),
            energy: Energy::from_wh(wh),
            token: token.clone(),
            auth_method: AuthMethod::Request,
            reference: None,
            location: LocationId::new("L1").unwrap(),
            evse: EvseUid::new("E1").unwrap(),
            connector: ConnectorId::new("1").unwrap(),
            currency: Currency::EUR,
            periods: vec![Period { start, ..period(wh) }],
            total_cost: None,
            status,
            last_updated: now,
        };
        self.hear(Question::PutSession(Box::new(session))).await;
    }

    /// What an honest operator closes: an hour with 10 kWh at 0.40 EUR before VAT.
    async fn cdr(&self, token: RecordToken) {
        let (begin, end) = (at(BEGIN), at(BEGIN).plus(Duration::from_secs(3_600)));
        let reading =
            |at, tx, wh| SignedReading { at, tx, energy: Energy::from_wh(wh), clock: ClockQuality::Synchronised };
        let readings = [reading(begin, Moment::Begin, 100_000), reading(end, Moment::End, 110_000)];
        let ident = Ident { kind: IdentKind::Central, level: IdentLevel::Trusted, data: "S-1".into() };
        let signed = self.signer.sign(7, &readings, &ident, &EvseId::new("DE*OPA*E1").unwrap(), None).unwrap();
        let key = self.signer.public_key();
        let verdict = verify(std::slice::from_ref(&signed), Some((&key, KeySource::Register)));
        let closing = Closing {
            party: party("DE-OPA"),
            id: CdrId::new("C1").unwrap(),
            session: Some(SessionId::new("S1").unwrap()),
            booking: None,
            start: begin,
            end,
            token,
            auth_method: AuthMethod::Request,
            permit: Permit::Contract,
            place: record_place(),
            time_zone: "Europe/Berlin".into(),
            tariff: tariff(),
            periods: vec![period(10_000)],
            evidence: Evidence::Verified(verdict.verified().unwrap().clone()),
            signed: vec![signed],
            flagged: Vec::new(),
            closed_at: end,
        };
        self.hear(Question::PostCdr(Box::new(billing::cdr::close(closing).unwrap()))).await;
    }
}

fn operator(store: Store, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Operator {
    let seal = SealKey::new(&Secret::new([1; 32])).unwrap();
    let setup = ::operator::Setup {
        party: party("DE-VLT"),
        name: "Voltwerk".into(),
        hub: party("DE-HUB"),
        keys: Keys { seal, tags: TagKey::new(&Secret::new([2; 32])) },
        settings: Settings::default(),
    };
    Operator::new(setup, store, clock, dice)
}

fn provider(store: Store, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Provider {
    let setup = ::provider::Setup {
        party: party("DE-8AA"),
        name: "Erste Fahrt GmbH".into(),
        hub: party("DE-HUB"),
        vat_id: "DE123456789".into(),
        country: "DE".into(),
        vat_percent: Decimal::from(19),
        currency: Currency::EUR,
        seal_key: Secret::new([3; 32]),
        tag_key: Secret::new([4; 32]),
        cards_listed: false,
    };
    let provider = Provider::new(setup, store, clock, dice).unwrap();
    provider.attach_road(Arc::new(PoliteRoad));
    provider
}

fn signer() -> Signer {
    let key = trust::sign::SigningKey::generate().unwrap().to_pkcs8_der().unwrap();
    let plate = MeterPlate { vendor: "Leyden".into(), model: "V".into(), serial: "M1".into(), firmware: "1".into() };
    let gateway = GatewayPlate { id: "Leyden".into(), serial: "G1".into(), version: "1".into() };
    Signer::new(key.expose(), plate, gateway).unwrap()
}

pub(super) fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn period(wh: i64) -> Period {
    Period { start: at(BEGIN), energy: Some(Energy::from_wh(wh)), charging: true, max_power: None }
}

fn tariff() -> Tariff {
    let energy = Component {
        dimension: Dimension::Energy,
        price: Decimal::new(40, 2),
        vat_percent: Some(Decimal::from(19)),
        step_size: 1,
    };
    Tariff {
        party: party("DE-OPA"),
        id: TariffId::new("T1").unwrap(),
        currency: Currency::EUR,
        text: Some("0.40 EUR per kWh".into()),
        elements: vec![Element { components: vec![energy], restrictions: Restrictions::default() }],
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: at("2026-11-01T00:00:00Z"),
    }
}

pub(super) fn location(status: EvseStatus) -> Location {
    let connector = Connector {
        id: ConnectorId::new("1").unwrap(),
        plug: Plug::CcsType2,
        attached_cable: true,
        current: Current::Dc,
        max_voltage_v: 920,
        max_amperage_a: 500,
        max_power: Power::from_watts(150_000),
        tariffs: vec![TariffId::new("T1").unwrap()],
    };
    let evse = Evse {
        uid: EvseUid::new("E1").unwrap(),
        id: Some(EvseId::new("DE*OPA*E1").unwrap()),
        status,
        connectors: vec![connector],
        capabilities: charge::place::Capabilities::NONE,
        physical_reference: None,
        last_updated: at("2026-11-01T00:00:00Z"),
    };
    let gone = Evse { uid: EvseUid::new("E0").unwrap(), status: EvseStatus::Removed, ..evse.clone() };
    Location {
        party: party("DE-OPA"),
        id: LocationId::new("L1").unwrap(),
        name: Some("Hafen".into()),
        address: "Am Kai 5".into(),
        city: "Hamburg".into(),
        postal_code: Some("20457".into()),
        country: "DEU".into(),
        position: Position { latitude_e7: 535_430_000, longitude_e7: 99_880_000 },
        time_zone: "Europe/Berlin".into(),
        operator_name: Some("Nordstrom".into()),
        evses: vec![gone, evse],
        last_updated: at("2026-11-01T00:00:00Z"),
    }
}

fn record_place() -> RecordPlace {
    let place = location(EvseStatus::Available);
    RecordPlace {
        id: place.id,
        name: place.name,
        address: place.address,
        city: place.city,
        postal_code: place.postal_code,
        country: place.country,
        position: place.position,
        evse_uid: EvseUid::new("E1").unwrap(),
        evse_id: EvseId::new("DE*OPA*E1").unwrap(),
        connector: ConnectorId::new("1").unwrap(),
        plug: "IEC_62196_T2_COMBO".into(),
        attached_cable: true,
        current: Current::Dc,
    }
}
