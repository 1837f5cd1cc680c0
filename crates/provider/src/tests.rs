//! The provider's flows, each through its desk and its commands, with a recorded road and a store in memory.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bookings;
mod hygiene;
mod limits;
mod money;
mod places;
mod remote;
mod tap;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use billing::cdr::{Closing, Evidence, Permit};
use billing::record::ClockQuality::Synchronised;
use billing::record::ocmf::{GatewayPlate, Ident, IdentKind, IdentLevel, MeterPlate, Moment, SignedReading, Signer};
use billing::record::{KeySource, verify};
use charge::clock::{ManualClock, SeededDice};
use charge::id::{CdrId, ConnectorId, CorrelationId, EvseId, EvseUid, LocationId, PartyId, SessionId, TariffId};
use charge::meter::SignedRecord;
use charge::money::{Currency, Money};
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::record::{AuthMethod, Cdr, Period, RecordPlace, RecordToken, Session, SessionStatus};
use charge::talk::road::{Answer, Denial, Letter, OrderAck, Question, Road, RoadDesk, RoadFault};
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::token::{Allowed, ContractId, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::{Energy, Power};
use charge::{Clock, Decimal, Personal, Secret, Soon, Timestamp};
use store::{Store, StoreError};

use crate::{DriverId, NewCard, NewDriver, Provider, Setup, StartWish};

pub(crate) const UID: &str = "04A2B3C4D5E680";
const NAME: &str = "Ada Lovelace";
const EMAIL: &str = "ada@example.org";
pub(crate) const BEGIN: &str = "2026-11-22T10:00:00Z";

/// Writes down what is asked, answers from a list, and with "noted" when it is empty.
#[derive(Default)]
pub(crate) struct RecordedRoad {
    asked: Mutex<Vec<Letter>>,
    answers: Mutex<VecDeque<Result<Answer, RoadFault>>>,
}

impl Road for RecordedRoad {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        self.asked.lock().unwrap().push(letter);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(Answer::Noted));
        Box::pin(async move { answer })
    }
}

impl RecordedRoad {
    pub(crate) fn will_answer(&self, answer: Result<Answer, RoadFault>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub(crate) fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) road: Arc<RecordedRoad>,
    pub(crate) driver: DriverId,
    pub(crate) card: crate::CardId,
    signer: Signer,
}

pub(crate) async fn world() -> World {
    world_with_credit(None).await
}

pub(crate) async fn world_with_credit(cap: Option<i64>) -> World {
    world_with(cap, false).await
}

pub(crate) async fn world_at_a_clearing_house() -> World {
    world_with(None, true).await
}

async fn world_with(cap: Option<i64>, cards_listed: bool) -> World {
    let store = Store::in_memory(crate::MIGRATIONS).unwrap();
    let clock = Arc::new(ManualClock::at(at(BEGIN)));
    let setup = Setup {
        party: party("DE-8AA"),
        name: "Erste Fahrt GmbH".into(),
        hub: party("DE-HUB"),
        vat_id: "DE123456789".into(),
        country: "DE".into(),
        vat_percent: Decimal::from(19),
        currency: Currency::EUR,
        seal_key: Secret::new([1; 32]),
        tag_key: Secret::new([2; 32]),
        cards_listed,
    };
    let provider = Provider::new(setup, store.clone(), clock.clone(), Arc::new(SeededDice::new(5))).unwrap();
    let road = Arc::new(RecordedRoad::default());
    provider.attach_road(road.clone());
    let new = NewDriver {
        name: Personal::new(NAME.into()),
        email: Personal::new(EMAIL.into()),
        valid_until: None,
        credit_cap: cap.map(|minor| Money::new(minor, Currency::EUR)),
    };
    let driver = provider.sign_up(new).await.unwrap();
    let uid = Personal::new(TokenUid::new(UID).unwrap());
    let card = provider.add_card(NewCard { driver: driver.clone(), label: "blue".into(), uid }).await.unwrap();
    let world = World { provider, store, clock, road, driver, card, signer: signer() };
    world.hear("DE-OPA", Question::PutTariff(Box::new(tariff("0.40")))).await.unwrap();
    world.hear("DE-OPA", Question::PutLocation(Box::new(location()))).await.unwrap();
    world
}

impl World {
    pub(crate) async fn hear(&self, from: &str, question: Question) -> Result<Answer, Denial> {
        let correlation = CorrelationId::new("c-1").unwrap();
        self.provider.hear(Letter { from: party(from), to: Some(party("DE-8AA")), correlation, question }).await
    }

    pub(crate) async fn tap(&self, from: &str, uid: &str) -> Verdict {
        let token = PresentedToken::new(TokenUid::new(uid).unwrap(), TokenKind::Rfid);
        match self.hear(from, Question::MayCharge { token }).await {
            Ok(Answer::May(verdict)) => verdict,
            other => panic!("{other:?}"),
        }
    }

    /// A tap that is allowed; the one-time id with its reference.
    pub(crate) async fn permitted(&self) -> Verdict {
        let verdict = self.tap("DE-OPA", UID).await;
        assert_eq!(verdict.allowed, Allowed::Yes);
        verdict
    }

    pub(crate) async fn session(
        &self,
        id: &str,
        token: RecordToken,
        wh: i64,
        status: SessionStatus,
    ) -> Result<Answer, Denial> {
        let now = self.clock.now();
        let session = Session {
            party: party("DE-OPA"),
            id: SessionId::new(id).unwrap(),
            start: at(BEGIN),
            end: matches!(status, SessionStatus::Completed).then_some(now),
            energy: Energy::from_wh(wh),
            token,
            auth_method: AuthMethod::Request,
            reference: None,
            location: LocationId::new("L1").unwrap(),
            evse: EvseUid::new("E1").unwrap(),
            connector: ConnectorId::new("1").unwrap(),
            currency: Currency::EUR,
            periods: vec![period(wh)],
            total_cost: None,
            status,
            last_updated: now,
        };
        self.hear("DE-OPA", Question::PutSession(Box::new(session))).await
    }

    /// The CDR that an honest operator closes: an hour with `wh`, begun at [`BEGIN`].
    pub(crate) fn cdr(&self, id: &str, session: &str, token: RecordToken, wh: i64) -> Cdr {
        let end = at(BEGIN).plus(Duration::from_secs(3_600));
        let records = vec![self.signed(wh, end)];
        let key = self.signer.public_key();
        let verdict = verify(&records, Some((&key, KeySource::Register)));
        let verified = verdict.verified().unwrap().clone();
        billing::cdr::close(Closing {
            party: party("DE-OPA"),
            id: CdrId::new(id).unwrap(),
            session: Some(SessionId::new(session).unwrap()),
            booking: None,
            start: at(BEGIN),
            end,
            token,
            auth_method: AuthMethod::Request,
            permit: Permit::Contract,
            place: record_place(),
            time_zone: "Europe/Berlin".into(),
            tariff: tariff("0.40"),
            periods: vec![period(wh)],
            evidence: Evidence::Verified(verified),
            signed: records,
            flagged: Vec::new(),
            closed_at: end,
        })
        .unwrap()
    }

    fn signed(&self, wh: i64, end: Timestamp) -> SignedRecord {
        let reading = |at, tx, wh| SignedReading { at, tx, energy: Energy::from_wh(wh), clock: Synchronised };
        let readings = [reading(at(BEGIN), Moment::Begin, 100_000), reading(end, Moment::End, 100_000 + wh)];
        let ident = Ident { kind: IdentKind::Central, level: IdentLevel::Trusted, data: "S-1".into() };
        self.signer.sign(7, &readings, &ident, &EvseId::new("DE*OPA*E1").unwrap(), None).unwrap()
    }

    pub(crate) async fn post(&self, cdr: &Cdr) -> Result<Answer, Denial> {
        self.hear("DE-OPA", Question::PostCdr(Box::new(cdr.clone()))).await
    }

    pub(crate) async fn wish(&self) -> StartWish {
        let place = self.provider.place(party("DE-OPA"), LocationId::new("L1").unwrap()).await.unwrap();
        StartWish {
            driver: self.driver.clone(),
            operator: party("DE-OPA"),
            location: LocationId::new("L1").unwrap(),
            evse: EvseUid::new("E1").unwrap(),
            stamp: place.prices[0].stamp,
        }
    }

    pub(crate) async fn alarms(&self) -> Vec<String> {
        self.provider.alarms().await.unwrap().into_iter().map(|alarm| alarm.kind).collect()
    }

    /// Every column of every table as text; bytes as they are where they are text, else as hex digits.
    pub(crate) async fn dump(&self) -> String {
        let read = self.store.read::<_, StoreError>("test.dump", |tx| {
            let tables = tx.query("SELECT name FROM sqlite_master WHERE type = 'table'", &[], |row| row.text(0))?;
            let mut all = String::new();
            for table in tables {
                let sql = format!("SELECT name FROM pragma_table_info('{table}')");
                for column in tx.query(&sql, &[], |row| row.text(0))? {
                    let sql = format!("SELECT COALESCE(CAST({column} AS BLOB), x'') FROM {table}");
                    for value in tx.query(&sql, &[], |row| row.blob(0))? {
                        all.push_str(&String::from_utf8_lossy(&value));
                        all.push('\n');
                    }
                }
            }
            Ok(all)
        });
        read.await.unwrap()
    }
}

/// The token of a session on the one-time id of this verdict.
pub(crate) fn one_time_token(verdict: &Verdict) -> RecordToken {
    let contract = verdict.contract.clone().unwrap();
    let uid = contract.reveal(charge::Purpose::Bill).compact();
    RecordToken {
        party: party("DE-8AA"),
        uid: Personal::new(TokenUid::new(uid).unwrap()),
        kind: TokenKind::Rfid,
        contract,
    }
}

/// The token of an operator that uses the card's uid.
pub(crate) fn card_token(uid: &str) -> RecordToken {
    RecordToken {
        party: party("DE-8AA"),
        uid: Personal::new(TokenUid::new(uid).unwrap()),
        kind: TokenKind::Rfid,
        contract: Personal::new(ContractId::new(uid).unwrap()),
    }
}

pub(crate) fn accepted() -> Result<Answer, RoadFault> {
    Ok(Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 30 }, message: None })
}

pub(crate) fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn period(wh: i64) -> Period {
    Period { start: at(BEGIN), energy: Some(Energy::from_wh(wh)), charging: true, max_power: None }
}

pub(crate) fn tariff(per_kwh: &str) -> Tariff {
    let energy = Component {
        dimension: Dimension::Energy,
        price: per_kwh.parse().unwrap(),
        vat_percent: Some(Decimal::from(19)),
        step_size: 1,
    };
    Tariff {
        party: party("DE-OPA"),
        id: TariffId::new("T1").unwrap(),
        currency: Currency::EUR,
        text: Some(format!("{per_kwh} EUR per kWh")),
        elements: vec![Element { components: vec![energy], restrictions: Restrictions::default() }],
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: at("2026-11-01T00:00:00Z"),
    }
}

pub(crate) fn location() -> Location {
    let evse = |nth: u8| Evse {
        uid: EvseUid::new(format!("E{nth}")).unwrap(),
        id: Some(EvseId::new(format!("DE*OPA*E{nth}")).unwrap()),
        status: EvseStatus::Available,
        connectors: vec![Connector {
            id: ConnectorId::new("1").unwrap(),
            plug: Plug::CcsType2,
            attached_cable: true,
            current: Current::Dc,
            max_voltage_v: 920,
            max_amperage_a: 500,
            max_power: Power::from_watts(150_000),
            tariffs: vec![TariffId::new("T1").unwrap()],
        }],
        capabilities: "REMOTE_START_STOP_CAPABLE RFID_READER".parse().unwrap(),
        physical_reference: None,
        last_updated: at("2026-11-01T00:00:00Z"),
    };
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
        operator_name: Some("Voltwerk".into()),
        evses: vec![evse(1), evse(2)],
        last_updated: at("2026-11-01T00:00:00Z"),
    }
}

fn record_place() -> RecordPlace {
    let place = location();
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

fn signer() -> Signer {
    let key = trust::sign::SigningKey::generate().unwrap().to_pkcs8_der().unwrap();
    let plate = MeterPlate { vendor: "Leyden".into(), model: "V".into(), serial: "M1".into(), firmware: "1".into() };
    let gateway = GatewayPlate { id: "Leyden".into(), serial: "G1".into(), version: "1".into() };
    Signer::new(key.expose(), plate, gateway).unwrap()
}
