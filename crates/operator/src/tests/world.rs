//! One operator with a station at a recording line, and a hub and a provider played by a recording road.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use billing::record::ocmf::{GatewayPlate, Ident, IdentKind, IdentLevel, MeterPlate, Moment, SignedReading, Signer};
use billing::record::{ClockQuality, PublicKey};
use charge::clock::ManualClock;
use charge::id::{
    AuthorizationReference, ConnectorId, CorrelationId, EvseId, EvseNo, EvseUid, LocationId, OrderId, PartyId,
    SessionId, StationId, TariffId, TransactionKey,
};
use charge::meter::{Context, Measured, Reading, SignedRecord};
use charge::money::Currency;
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::record::{Cdr, Session};
use charge::talk::line::{
    ConnectionNo, Denial, Desk, Entry, FromStation, Heard, Knock, Line, LineFault, MeterReport, Refusal, Stage,
    StationAnswer, StatusReport, Tap, ToStation, TransactionReport, Version,
};
use charge::talk::road::{
    Answer, Denial as RoadDenial, Letter, OrderResult, Question, ReturnAddress, Road, RoadDesk, RoadFault, StartOrder,
};
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::token::{Allowed, ContractId, IssuedToken, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::{Energy, Power};
use charge::{Clock, Dice, Personal, Secret, Soon, Timestamp};
use store::{Options, Store};
use trust::seal::SealKey;
use trust::sign::SigningKey;
use trust::token_tag::TagKey;

use crate::service::command::{NewBay, NewStation, Profile};
use crate::{Keys, Operator, Settings, Setup};

pub(super) const START: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(super) const CARD: &str = "04A2B3C4D5E680";
pub(super) const CONTRACT: &str = "DE-8AA-CA2B3C4D5-N";

pub(super) fn us() -> PartyId {
    "DE-VLT".parse().unwrap()
}

pub(super) fn hub() -> PartyId {
    "DE-HUB".parse().unwrap()
}

pub(super) fn provider() -> PartyId {
    "DE-8AA".parse().unwrap()
}

pub(super) fn station() -> StationId {
    StationId::new("CP-1").unwrap()
}

pub(super) fn evse() -> EvseUid {
    EvseUid::new("E1").unwrap()
}

pub(super) fn no() -> EvseNo {
    EvseNo::new(1).unwrap()
}

pub(super) fn card(uid: &str) -> PresentedToken {
    PresentedToken::new(TokenUid::new(uid).unwrap(), TokenKind::Rfid)
}

pub(super) fn at(minutes: u64) -> Timestamp {
    START.plus(Duration::from_secs(60 * minutes))
}

/// The stations' side: answers what it is told to answer, and keeps what it was told.
#[derive(Default)]
pub(super) struct FakeLine {
    pub told: Mutex<Vec<ToStation>>,
    pub answers: Mutex<VecDeque<Result<StationAnswer, LineFault>>>,
    pub away: Mutex<bool>,
}

impl Line for FakeLine {
    fn tell(&self, _: &StationId, order: ToStation) -> Soon<'_, Result<StationAnswer, LineFault>> {
        self.told.lock().unwrap().push(order);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(StationAnswer::Accepted));
        Box::pin(async move { answer })
    }

    fn connected(&self, _: &StationId) -> bool {
        !*self.away.lock().unwrap()
    }

    fn hang_up(&self, _: &StationId, _: &str) {}
}

/// Everybody else: knows one card, takes what it is sent unless told to fail.
#[derive(Default)]
pub(super) struct FakeRoad {
    pub letters: Mutex<Vec<Letter>>,
    /// Answers to the next letters of any kind, before the usual ones.
    pub next: Mutex<VecDeque<Result<Answer, RoadFault>>>,
    /// Answers to the next CDRs.
    pub next_cdr: Mutex<VecDeque<Result<Answer, RoadFault>>>,
}

impl Road for FakeRoad {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        let usual = match &letter.question {
            Question::MayCharge { token } if *token == card(CARD) => Ok(Answer::May(yes())),
            Question::MayCharge { .. } => Err(RoadFault::Denied(RoadDenial::UnknownToken)),
            Question::PostCdr(cdr) => Ok(Answer::Kept(cdr.id.clone())),
            _ => Ok(Answer::Noted),
        };
        let is_cdr = matches!(letter.question, Question::PostCdr(_));
        self.letters.lock().unwrap().push(letter);
        let queue = if is_cdr { &self.next_cdr } else { &self.next };
        let answer = queue.lock().unwrap().pop_front().unwrap_or(usual);
        Box::pin(async move { answer })
    }
}

pub(super) fn yes() -> Verdict {
    Verdict {
        contract: Some(Personal::new(ContractId::new(CONTRACT).unwrap())),
        party: Some(provider()),
        reference: Some(AuthorizationReference::new("ref-1").unwrap()),
        ..Verdict::bare(Allowed::Yes)
    }
}

pub(super) struct World {
    pub operator: Operator,
    pub clock: Arc<ManualClock>,
    pub line: Arc<FakeLine>,
    pub road: Arc<FakeRoad>,
    pub store: Store,
    pub key: Option<Secret<String>>,
}

impl World {
    /// An operator with one location, one tariff, and one station with one EVSE that is connected.
    pub(super) async fn new() -> Self {
        let mut world = Self::around(Store::in_memory(Operator::MIGRATIONS).unwrap());
        world.furnish().await;
        world
    }

    /// The same over a file, for what has to survive.
    pub(super) fn on_disk(path: &Path) -> Self {
        Self::around(Store::open(path, Options::default(), Operator::MIGRATIONS).unwrap())
    }

    pub(super) fn around(store: Store) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let keys =
            Keys { seal: SealKey::new(&Secret::new([1; 32])).unwrap(), tags: TagKey::new(&Secret::new([2; 32])) };
        let setup = Setup { party: us(), name: "Voltwerk".to_owned(), hub: hub(), keys, settings: Settings::default() };
        // a program that starts again must not throw the same dice
        let dice: Arc<dyn Dice> = Arc::new(trust::dice::SystemDice);
        let operator = Operator::new(setup, store.clone(), clock.clone(), dice);
        let (line, road) = (Arc::new(FakeLine::default()), Arc::new(FakeRoad::default()));
        operator.attach_line(line.clone());
        operator.attach_road(road.clone());
        Self { operator, clock, line, road, store, key: None }
    }

    pub(super) async fn furnish(&mut self) {
        self.operator.put_tariff("ada", tariff("0.50")).await.unwrap();
        self.operator.put_location("ada", location()).await.unwrap();
        let bay = NewBay { no: no(), evse: location().evses.remove(0), meter_key: None };
        let new = NewStation {
            id: station(),
            location: location().id,
            bays: vec![bay],
            profile: Profile::Basic { serial: None },
            danger_plain_ws: false,
        };
        self.key = self.operator.enrol_station("ada", new).await.unwrap();
        self.connect().await;
        self.say(FromStation::Boot(charge::talk::line::Boot::default())).await.unwrap();
        self.status(charge::talk::line::BayState::Available).await;
        self.operator.duty().await;
        self.operator.duty().await;
        self.road.letters.lock().unwrap().clear();
    }

    pub(super) async fn connect(&self) {
        let entry =
            Entry { station: station(), version: Version::V16, quirks: charge::talk::line::quirk::Quirks::USUAL };
        self.operator.arrived(&entry, ConnectionNo(1)).await;
    }

    pub(super) fn knock(&self, identity: &str, key: &str) -> Knock {
        Knock {
            identity: identity.to_owned(),
            basic: Some((identity.to_owned(), Secret::new(key.as_bytes().to_vec()))),
            certificate: None,
            encrypted: true,
            offered: vec!["ocpp1.6".to_owned(), "ocpp2.0.1".to_owned()],
            peer: "192.0.2.7:50123".to_owned(),
        }
    }

    pub(super) async fn refused(&self, knock: Knock) -> Refusal {
        self.operator.admit(knock).await.unwrap_err()
    }

    pub(super) async fn say(&self, said: FromStation) -> Result<Heard, Denial> {
        Desk::hear(&self.operator, &station(), said).await
    }

    pub(super) async fn status(&self, state: charge::talk::line::BayState) {
        let report = StatusReport { evse: Some(no()), state, fault: None, at: None };
        self.say(FromStation::Status(report)).await.unwrap();
    }

    pub(super) async fn tap(&self, uid: &str) -> Allowed {
        match self.say(FromStation::Tap(Tap { token: card(uid), contract: None })).await.unwrap() {
            Heard::Tap(verdict) => verdict.allowed,
            other => panic!("{other:?}"),
        }
    }

    /// A 1.6 StartTransaction; the number and the verdict.
    pub(super) async fn start(&self, token: PresentedToken, wh: i64) -> (i32, Allowed) {
        let report = start_report(token, self.clock.now(), wh);
        match self.say(FromStation::Transaction(report)).await.unwrap() {
            Heard::Transaction { number: Some(number), verdict: Some(verdict), .. } => (number, verdict.allowed),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn meter(&self, number: i32, at: Timestamp, wh: i64) {
        let key = Some(TransactionKey::Number(number));
        let readings = vec![energy(at, Context::SamplePeriodic, wh)];
        self.say(FromStation::Meter(MeterReport { evse: Some(no()), key, readings })).await.unwrap();
    }

    pub(super) async fn stop(&self, number: i32, wh: i64, records: Vec<SignedRecord>) {
        let report = stop_report(number, self.clock.now(), wh, records);
        self.say(FromStation::Transaction(report)).await.unwrap();
    }

    /// As many rounds as work follows from work.
    pub(super) async fn rounds(&self) {
        for _ in 0..4 {
            self.operator.duty().await;
        }
    }

    pub(super) fn asked(&self) -> Vec<Letter> {
        let of_tokens = |letter: &&Letter| matches!(letter.question, Question::MayCharge { .. });
        self.road.letters.lock().unwrap().iter().filter(of_tokens).cloned().collect()
    }

    pub(super) fn told_sessions(&self) -> Vec<Session> {
        let letters = self.road.letters.lock().unwrap();
        let sessions = letters.iter().filter_map(|letter| match &letter.question {
            Question::PutSession(session) => Some((**session).clone()),
            _ => None,
        });
        sessions.collect()
    }

    pub(super) fn told_cdrs(&self) -> Vec<Cdr> {
        let letters = self.road.letters.lock().unwrap();
        let cdrs = letters.iter().filter_map(|letter| match &letter.question {
            Question::PostCdr(cdr) => Some((**cdr).clone()),
            _ => None,
        });
        cdrs.collect()
    }

    pub(super) fn outcomes(&self) -> Vec<OrderResult> {
        let letters = self.road.letters.lock().unwrap();
        let outcomes = letters.iter().filter_map(|letter| match &letter.question {
            Question::Outcome { result, .. } => Some(*result),
            _ => None,
        });
        outcomes.collect()
    }

    /// A remote start from the provider.
    pub(super) async fn order_start(&self, order: &str) -> Result<Answer, RoadDenial> {
        let token = IssuedToken {
            party: provider(),
            uid: Personal::new(TokenUid::new("DE8AACK3F9Q2ZX").unwrap()),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(ContractId::new("DE-8AA-CK3F9Q2ZX-1").unwrap()),
            valid: true,
            last_updated: START,
        };
        let start = StartOrder {
            order: OrderId::new(order).unwrap(),
            return_to: Some(ReturnAddress(format!("https://hub.example/{order}"))),
            token,
            location: location().id,
            evse: Some(evse()),
            connector: None,
            reference: Some(AuthorizationReference::new("ref-2").unwrap()),
        };
        self.letter(Question::Start(start)).await
    }

    pub(super) async fn letter(&self, question: Question) -> Result<Answer, RoadDenial> {
        let correlation = CorrelationId::new("corr-1").unwrap();
        RoadDesk::hear(&self.operator, Letter { from: provider(), to: Some(us()), correlation, question }).await
    }

    /// The alias that the station was last told.
    pub(super) fn alias(&self) -> PresentedToken {
        let told = self.line.told.lock().unwrap();
        let alias = told.iter().rev().find_map(|order| match order {
            ToStation::Start { token, .. } => Some(token.clone()),
            _ => None,
        });
        alias.expect("the station was told to start")
    }

    pub(super) async fn only_session(&self) -> crate::view::SessionPage {
        let found = self.operator.sessions(crate::view::SessionFilter::default()).await.unwrap();
        assert_eq!(found.total, 1, "{:?}", found.items);
        self.operator.session(&found.items[0].id).await.unwrap()
    }

    pub(super) async fn session_count(&self) -> u32 {
        self.operator.sessions(crate::view::SessionFilter::default()).await.unwrap().total
    }

    /// Every text and blob of every table, for looking for what must not be there.
    pub(super) async fn dump(&self) -> Vec<u8> {
        let dumped: Result<Vec<u8>, store::StoreError> = self
            .store
            .read("dump", |tx| {
                let tables = tx.query(
                    "SELECT name, (SELECT GROUP_CONCAT('hex(COALESCE(' || name || ', ''''))', '||'' ''||')
                     FROM pragma_table_info(m.name)) FROM sqlite_master m WHERE type = 'table'
                     AND name LIKE 'operator%'",
                    &[],
                    |row| Ok((row.text(0)?, row.text(1)?)),
                )?;
                let mut all = Vec::new();
                for (table, columns) in tables {
                    for row in tx.query(&format!("SELECT {columns} FROM {table}"), &[], |row| row.text(0))? {
                        for cell in row.split(' ') {
                            all.extend(trust::hex::decode(cell.as_bytes()).unwrap_or_default());
                            all.push(b'\n');
                        }
                    }
                }
                Ok(all)
            })
            .await;
        dumped.unwrap()
    }
}

pub(super) fn energy(at: Timestamp, context: Context, wh: i64) -> Reading {
    Reading { at, context, phase: None, measured: Measured::EnergyImport(Energy::from_wh(wh)) }
}

pub(super) fn start_report(token: PresentedToken, at: Timestamp, wh: i64) -> TransactionReport {
    TransactionReport {
        stage: Stage::Started,
        key: None,
        seq: None,
        at,
        evse: Some(no()),
        token: Some(token),
        readings: vec![energy(at, Context::TransactionBegin, wh)],
        reason: None,
        state: None,
        offline: false,
        remote_start: None,
        reservation: None,
        terms: None,
    }
}

pub(super) fn stop_report(number: i32, at: Timestamp, wh: i64, records: Vec<SignedRecord>) -> TransactionReport {
    let signed =
        |record| Reading { at, context: Context::TransactionEnd, phase: None, measured: Measured::Signed(record) };
    let mut readings = vec![energy(at, Context::TransactionEnd, wh)];
    readings.extend(records.into_iter().map(signed));
    TransactionReport {
        stage: Stage::Ended,
        key: Some(TransactionKey::Number(number)),
        evse: None,
        token: None,
        readings,
        ..start_report(card(CARD), at, wh)
    }
}

/// A meter's signed session from `from` to `until`.
pub(super) fn signed(signer: &Signer, from: (Timestamp, i64), until: (Timestamp, i64), page: u64) -> SignedRecord {
    let reading =
        |(at, wh), tx| SignedReading { at, tx, energy: Energy::from_wh(wh), clock: ClockQuality::Synchronised };
    let ident = Ident { kind: IdentKind::Local, level: IdentLevel::Hearsay, data: "session".to_owned() };
    let readings = [reading(from, Moment::Begin), reading(until, Moment::End)];
    signer.sign(page, &readings, &ident, &EvseId::new("DE*VLT*E1").unwrap(), None).unwrap()
}

pub(super) fn meter() -> (Signer, PublicKey) {
    let key = SigningKey::generate().unwrap();
    let plate = MeterPlate {
        vendor: "Test".to_owned(),
        model: "M1".to_owned(),
        serial: "1EMH001".to_owned(),
        firmware: "1".to_owned(),
    };
    let gateway = GatewayPlate { id: "G1".to_owned(), serial: "G1".to_owned(), version: "1".to_owned() };
    let signer = Signer::new(key.to_pkcs8_der().unwrap().expose(), plate, gateway).unwrap();
    let public = signer.public_key();
    (signer, public)
}

pub(super) fn tariff(per_kwh: &str) -> Tariff {
    let component = Component {
        dimension: Dimension::Energy,
        price: per_kwh.parse().unwrap(),
        vat_percent: "19".parse().ok(),
        step_size: 1,
    };
    Tariff {
        party: us(),
        id: TariffId::new("T1").unwrap(),
        currency: Currency::EUR,
        text: Some("plain".to_owned()),
        elements: vec![Element { components: vec![component], restrictions: Restrictions::default() }],
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: START,
    }
}

pub(super) fn location() -> Location {
    let connector = Connector {
        id: ConnectorId::new("1").unwrap(),
        plug: Plug::Type2,
        attached_cable: false,
        current: Current::Ac3Phase,
        max_voltage_v: 400,
        max_amperage_a: 32,
        max_power: Power::from_watts(22_000),
        tariffs: vec![TariffId::new("T1").unwrap()],
    };
    Location {
        party: us(),
        id: LocationId::new("L1").unwrap(),
        name: Some("Market".to_owned()),
        address: "Hauptplatz 1".to_owned(),
        city: "Ulm".to_owned(),
        postal_code: Some("89073".to_owned()),
        country: "DEU".to_owned(),
        position: Position::new(484_011_000, 99_876_000).unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: vec![Evse {
            uid: evse(),
            id: EvseId::new("DE*VLT*E1").ok(),
            status: EvseStatus::Unknown,
            connectors: vec![connector],
            capabilities: charge::place::Capabilities::NONE,
            physical_reference: None,
            last_updated: START,
        }],
        last_updated: START,
    }
}

pub(super) fn session_id(text: &str) -> SessionId {
    SessionId::new(text).unwrap()
}
