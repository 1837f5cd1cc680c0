//! What an operator does and hears, in the words of its protocol.

use ::ochp::bridge;
use ::ochp::message::{Cdrs, ChargePoints, Request as Ask, Response as Said, Statuses, Tariffs, TokenWanted};
use ::ochp::scalar::{Contract, EvseId};
use ::ochp::types::direct::{DirectMessage, DirectOperation};
use ::ochp::types::result::{DirectCode, ResultCode};
use ::oicp::{Operation, Version as Oicp, message};
use charge::place::EvseStatus;
use charge::talk::road::{ReservationWish, RoadFault};
use charge::units::Energy;
use charge::{Decimal, Purpose};

use super::super::clearing::emt;
use super::super::clearing::square;
use super::super::oicp as brokers;
use super::super::*;
use super::meeting::{CONTRACT, End, Meeting, OPERATOR, PROVIDER};
use super::{EVSE, EXTRA, plain};

/// The word on a card, as far as the protocol says it.
#[derive(Debug)]
pub(super) struct Yes {
    pub allowed: bool,
    pub provider: Option<PartyId>,
    pub contract: Option<ContractId>,
    /// By which the session is told of later.
    pub session: Option<String>,
}

/// An order as it arrived.
#[derive(Debug, PartialEq)]
pub(super) struct Given {
    pub evse: String,
    pub contract: String,
}

/// The sentences of the broker's tests, spoken by the operator of the meeting.
pub(super) fn ours(json: &str) -> String {
    let changes = [
        (brokers::EVSE, EVSE),
        ("DE*ICE", "DE*OPA"),
        ("DE-EMP", PROVIDER),
        ("Kiel", "Münster"),
        ("24103", "48143"),
        ("\"AC1\"", "\"T1\""),
    ];
    changes.iter().fold(json.to_owned(), |json, (there, here)| json.replace(there, here))
}

pub(super) fn location() -> charge::place::Location {
    let mut place = samples::location();
    // OCHP has six decimal places
    place.position.longitude_e7 = 76_280_000;
    place
}

impl Meeting {
    /// The operator tells of its one EVSE.
    pub async fn publish(&self) {
        let name = &self.name;
        match &self.operator {
            End::Ocpi(house, version) => {
                let put = Question::PutLocation(Box::new(location()));
                assert_eq!(self.ocpi(house, *version, None, put.clone()).await, Ok(Answer::Noted), "{name}");
                // its own desk knows the place, which 2.1.1 repeats in sessions
                let correlation = CorrelationId::new("own").unwrap();
                house.desk.hear(Letter { from: house.party, to: None, correlation, question: put }).await.unwrap();
            }
            End::Oicp(side) => {
                let taken = self.oicp(side, Operation::PushEvseData, &ours(&brokers::evse_data())).await;
                assert_eq!(brokers::code(&taken), "000", "{name}: {taken:?}");
            }
            End::Ochp(_) => {
                let mut place = location();
                place.evses[0].uid = "DEOPAE1".parse().unwrap();
                let points = bridge::place::charge_points(&place, true).unwrap().value;
                let Said::SetChargePoints(taken) =
                    self.ochp(OPERATOR, Ask::SetChargePoints(ChargePoints { points })).await
                else {
                    panic!("{name}: points")
                };
                assert_eq!(taken.result.code, ResultCode::Ok, "{name}");
            }
        }
        // what is published goes to everybody behind the answer
        match &self.provider {
            End::Ocpi(house, _) => {
                let place = |question: &Question| matches!(question, Question::PutLocation(_));
                self.until("a place", || house.desk.questions().iter().any(place)).await;
            }
            End::Oicp(_) => assert!(self.indexed().await, "{}", self.name),
            End::Ochp(_) => {}
        }
    }

    /// The EVSE is charging.
    pub async fn busy(&self) {
        let name = &self.name;
        match &self.operator {
            End::Ocpi(house, version) => {
                let place = location();
                let (location, evse) = (place.id, place.evses[0].uid.clone());
                let patch = Question::PatchEvse { location, evse, status: EvseStatus::Charging, at: SystemClock.now() };
                assert_eq!(self.ocpi(house, *version, None, patch).await, Ok(Answer::Noted), "{name}");
            }
            End::Oicp(side) => {
                let json = ours(&brokers::brokered::statuses("Occupied"));
                let taken = self.oicp(side, Operation::PushEvseStatus, &json).await;
                assert_eq!(brokers::code(&taken), "000", "{name}: {taken:?}");
            }
            End::Ochp(_) => {
                let evses = vec![bridge::status::live(EvseId::new(EVSE).unwrap(), EvseStatus::Charging, None).value];
                let said = Statuses { evses, parkings: vec![], ttl: None };
                let Said::UpdateStatus(done) = self.ochp(OPERATOR, Ask::UpdateStatus(said)).await else {
                    panic!("{name}: done")
                };
                assert_eq!(done.result.code, ResultCode::Ok, "{name}");
            }
        }
    }

    /// Forty cents for a kilowatt-hour. OICP 2.0 has no word for it: there the hub was told otherwise.
    pub async fn price(&self) {
        let name = &self.name;
        let tariff = samples::tariff(party(OPERATOR), "T1".parse().unwrap());
        match &self.operator {
            End::Ocpi(house, version) => {
                let put = Question::PutTariff(Box::new(tariff));
                assert_eq!(self.ocpi(house, *version, None, put).await, Ok(Answer::Noted), "{name}");
            }
            End::Oicp(side) if side.version == Oicp::V20 => {
                let (crossing, _) = self.hub.inside.as_ref().unwrap();
                let correlation = CorrelationId::new("price").unwrap();
                let question = Question::PutTariff(Box::new(tariff));
                crossing.carry(Letter { from: side.party, to: None, correlation, question }, None).await.unwrap();
            }
            End::Oicp(side) => {
                let taken = self.oicp(side, Operation::PushPricingProducts, &ours(brokers::PRODUCT)).await;
                assert_eq!(brokers::code(&taken), "000", "{name}: {taken:?}");
            }
            End::Ochp(_) => {
                let info = bridge::tariff::tariff_info(&tariff).unwrap().value;
                let tariffs = Tariffs { tariffs: vec![info] };
                let Said::UpdateTariffs(taken) = self.ochp(OPERATOR, Ask::UpdateTariffs(tariffs)).await else {
                    panic!("{name}: tariffs")
                };
                assert_eq!(taken.result.code, ResultCode::Ok, "{name}");
            }
        }
    }

    /// A card is held to the reader.
    pub async fn tap(&self, uid: &str) -> Yes {
        match &self.operator {
            End::Ocpi(house, version) => {
                let asked = Question::MayCharge { token: token(uid) };
                let Ok(Answer::May(verdict)) = self.ocpi(house, *version, None, asked).await else {
                    panic!("{}: a verdict", self.name)
                };
                Yes {
                    allowed: verdict.allowed == Allowed::Yes,
                    provider: verdict.party,
                    contract: verdict.contract.map(|contract| contract.reveal(Purpose::Authorise).clone()),
                    session: verdict.reference.map(|reference| reference.as_str().to_owned()),
                }
            }
            End::Oicp(side) => {
                let said = self.oicp(side, Operation::AuthorizeStart, &ours(&brokers::tap(uid))).await;
                let stops = said.records("AuthorizationStopIdentifications");
                let mut contracts = stops.filter_map(|stop| stop.record("RemoteIdentification")?.text("EvcoID"));
                Yes {
                    allowed: said.text("AuthorizationStatus") == Some("Authorized"),
                    provider: said.text("ProviderID").and_then(::oicp::form::party),
                    contract: contracts.next().map(|id| ContractId::new(id).unwrap()),
                    session: said.text("SessionID").map(str::to_owned),
                }
            }
            End::Ochp(_) => {
                let wanted = Ask::GetToken(TokenWanted { token: emt(uid) });
                let Said::GetToken(given) = self.ochp(OPERATOR, wanted).await else { panic!("{}: a word", self.name) };
                let contract =
                    given.token.map(|entry| ContractId::new(entry.contract.reveal(Purpose::Route).as_str()).unwrap());
                Yes {
                    allowed: contract.is_some(),
                    provider: contract.as_ref().and_then(ContractId::party),
                    contract,
                    session: None,
                }
            }
        }
    }

    /// The start or reservation that the operator heard.
    pub fn given(&self) -> Given {
        let place = |uid: &str| if uid == location().evses[0].uid.as_str() { plain(EVSE) } else { uid.to_owned() };
        let contract = |contract: &Personal<ContractId>| plain(contract.reveal(Purpose::Route).as_str());
        match &self.operator {
            End::Ocpi(house, _) => {
                let order = house.desk.questions().into_iter().rev().find_map(|question| match question {
                    Question::Start(order) => {
                        Some(Given { evse: place(order.evse?.as_str()), contract: contract(&order.token.contract) })
                    }
                    Question::Reservation(order) => match order.wish {
                        ReservationWish::Make { token, evse, .. } => {
                            Some(Given { evse: place(evse?.as_str()), contract: contract(&token.contract) })
                        }
                        ReservationWish::Cancel => None,
                    },
                    _other => None,
                });
                order.unwrap_or_else(|| panic!("{}: an order", self.name))
            }
            End::Oicp(side) => {
                let kind = [Operation::ReservationStart, Operation::RemoteStart];
                let kind = kind.into_iter().find(|kind| !side.heard(*kind).is_empty());
                let told = side.told(kind.unwrap_or_else(|| panic!("{}: an order", self.name)));
                let contract = told.record("Identification").unwrap().record("RemoteIdentification").unwrap();
                Given { evse: plain(told.text("EvseID").unwrap()), contract: plain(contract.text("EvcoID").unwrap()) }
            }
            End::Ochp(server) => {
                let selected = server.heard().into_iter().rev().find_map(|ask| match ask {
                    Ask::SelectEvse(select) => Some(select),
                    _other => None,
                });
                let selected = selected.unwrap_or_else(|| panic!("{}: an order", self.name));
                let contract = plain(selected.contract.reveal(Purpose::Route).as_str());
                Given { evse: plain(selected.evse.as_str()), contract }
            }
        }
    }

    /// By which name a started session is to be told of: what came with the start.
    pub fn begun(&self) -> Yes {
        let contract = Some(ContractId::new(CONTRACT).unwrap());
        let session = match &self.operator {
            End::Ocpi(house, _) => house.desk.questions().into_iter().rev().find_map(|question| match question {
                Question::Start(order) => order.reference.map(|reference| reference.as_str().to_owned()),
                _other => None,
            }),
            End::Oicp(side) => side.told(Operation::RemoteStart).text("SessionID").map(str::to_owned),
            End::Ochp(_) => None,
        };
        Yes { allowed: true, provider: Some(party(PROVIDER)), contract, session }
    }

    /// So much was charged so far, in the session that a start began.
    pub async fn progress(&self, energy: Energy, of: &Yes) {
        let name = &self.name;
        match &self.operator {
            End::Ocpi(house, version) => {
                let mut session = samples::session();
                (session.energy, session.party) = (energy, house.party);
                session.reference = of.session.as_ref().map(|reference| reference.parse().unwrap());
                session.token.contract = Personal::new(of.contract.clone().unwrap());
                let put = Question::PutSession(Box::new(session));
                let told = self.ocpi(house, *version, Some(PROVIDER), put).await;
                assert_eq!(told, Ok(Answer::Noted), "{name}");
            }
            End::Oicp(side) => {
                let json = ours(&brokers::notification(of.session.as_ref().unwrap()));
                let remote = format!(r#"{{"RemoteIdentification":{{"EvcoID":"{CONTRACT}"}}}}"#);
                let card = format!(r#"{{"RFIDMifareFamilyIdentification":{{"UID":"{OWNED}"}}}}"#);
                let json = json.replace(&card, &remote).replace("2.5", &energy.kwh().normalize().to_string());
                let told = self.oicp(side, Operation::NotificationProgress, &json).await;
                assert_eq!(brokers::code(&told), "000", "{name}: {told:?}");
            }
            End::Ochp(_) => {
                let mut told = square::told(DirectMessage::Info, "OCH-1");
                told.evse = EvseId::new(EVSE).unwrap();
                told.contract = Personal::new(Contract::new(CONTRACT).unwrap());
                told.charged_energy = Some(energy.kwh().normalize());
                let Said::TellProgress(done) = self.direct(OPERATOR, Ask::TellProgress(told)).await else {
                    panic!("{name}: done")
                };
                assert_eq!(done.result.code, DirectCode::Ok, "{name}");
            }
        }
    }

    /// The record of the session that a card began: 11 kWh in an hour, for 4.40. Gives whether it was taken.
    pub async fn bill(&self, of: &Yes) -> bool {
        let mut record = samples::cdr();
        record.tariff = samples::tariff(party(OPERATOR), "T1".parse().unwrap());
        record.token.kind = TokenKind::Rfid;
        record.token.uid = Personal::new(TokenUid::new(OWNED).unwrap());
        let known = of.contract.clone().unwrap_or_else(|| ContractId::new(CONTRACT).unwrap());
        record.token.contract = Personal::new(known);
        record.reference = of.session.as_ref().map(|reference| reference.parse().unwrap());
        match &self.operator {
            End::Ocpi(house, version) => {
                let kept = self.ocpi(house, *version, Some(PROVIDER), Question::PostCdr(Box::new(record))).await;
                kept == Ok(Answer::Kept("C1".parse().unwrap()))
            }
            End::Oicp(side) => {
                let json = ours(&brokers::cdr(of.session.as_ref().unwrap())).replace("10.5", "11");
                let json = json.replace("2026-11-22T10:00:00Z", &record.start.to_string());
                let json = json.replace("2026-11-22T11:00:00Z", &record.end.to_string());
                brokers::code(&self.oicp(side, Operation::ChargeDetailRecord, &json).await) == "000"
            }
            End::Ochp(_) => {
                record.id = "DEOPA7".parse().unwrap();
                record.reference = None;
                let info = bridge::record::cdr_info(&record, Some("Europe/Berlin")).unwrap().value;
                assert_eq!(info.total_cost, Some(Decimal::new(440, 2)));
                let added = self.ochp(OPERATOR, Ask::AddCdrs(Cdrs { cdrs: vec![info] })).await;
                let Said::AddCdrs(taken) = added else { panic!("{}: taken", self.name) };
                taken.result.code == ResultCode::Ok
            }
        }
    }

    /// The record of the session that a start began.
    pub async fn bill_start(&self, of: &Yes) -> bool {
        let mut record = samples::cdr();
        record.tariff = samples::tariff(party(OPERATOR), "T1".parse().unwrap());
        record.reference = of.session.as_ref().map(|reference| reference.parse().unwrap());
        record.token.contract = Personal::new(of.contract.clone().unwrap());
        record.token.kind = TokenKind::AdHocUser;
        match &self.operator {
            End::Ocpi(house, version) => {
                let started = house.desk.questions().into_iter().find_map(|question| match question {
                    Question::Start(order) => Some(order.token.uid),
                    _other => None,
                });
                record.token.uid = started.unwrap();
                let kept = self.ocpi(house, *version, Some(PROVIDER), Question::PostCdr(Box::new(record))).await;
                kept == Ok(Answer::Kept("C1".parse().unwrap()))
            }
            End::Oicp(side) => {
                let remote = format!(r#"{{"RemoteIdentification":{{"EvcoID":"{CONTRACT}"}}}}"#);
                let card = format!(r#"{{"RFIDMifareFamilyIdentification":{{"UID":"{OWNED}"}}}}"#);
                let json = ours(&brokers::cdr(of.session.as_ref().unwrap())).replace("10.5", "11");
                let json = json.replace(&card, &remote);
                brokers::code(&self.oicp(side, Operation::ChargeDetailRecord, &json).await) == "000"
            }
            End::Ochp(_) => {
                record.id = "DEOPA7".parse().unwrap();
                record.token.uid = Personal::new(TokenUid::new("OCH-1").unwrap());
                let info = bridge::record::cdr_info(&record, Some("Europe/Berlin")).unwrap().value;
                let added = self.ochp(OPERATOR, Ask::AddCdrs(Cdrs { cdrs: vec![info] })).await;
                let Said::AddCdrs(taken) = added else { panic!("{}: taken", self.name) };
                taken.result.code == ResultCode::Ok
            }
        }
    }

    /// A record that takes back another one.
    pub async fn credit(&self, of: &Yes) -> Result<Answer, RoadFault> {
        let End::Ocpi(house, version) = &self.operator else { panic!("{}: no word for credits", self.name) };
        let mut record = samples::cdr();
        (record.credit, record.credit_reference) = (true, Some("C1".parse().unwrap()));
        (record.id, record.token.kind) = ("C2".parse().unwrap(), TokenKind::Rfid);
        record.token.uid = Personal::new(TokenUid::new(OWNED).unwrap());
        record.token.contract = Personal::new(ContractId::new(CONTRACT).unwrap());
        record.reference = of.session.as_ref().map(|reference| reference.parse().unwrap());
        self.ocpi(house, *version, Some(PROVIDER), Question::PostCdr(Box::new(record))).await
    }

    /// The code that the operator's own document is answered with, written by hand.
    pub async fn raw(&self, method: &str, path: &str, body: String) -> Option<u16> {
        let End::Ocpi(house, version) = &self.operator else { panic!("{}: speaks no OCPI", self.name) };
        let mine = ocpi::credentials::authorization(&secret(house.party, self.hub.party), false);
        let http = reqwest::Client::builder().tls_backend_preconfigured((*self.tls).clone()).build().unwrap();
        let url = format!("{}/ocpi/{}/{path}", self.hub.base, version.as_str());
        let mut request = http.request(method.parse().unwrap(), url).header("authorization", mine.expose());
        if method == "POST" {
            request = request.header("ocpi-to-country-code", "DE").header("ocpi-to-party-id", "8AA");
        }
        let bytes = request.body(body).send().await.unwrap().bytes().await.unwrap();
        ocpi::status::code_of(&bytes)
    }

    /// A record with a member that no paper knows, as the operator's own software would write it.
    pub async fn bill_with_extra(&self, of: &Yes) {
        match &self.operator {
            End::Ocpi(..) => {
                assert!(self.bill(of).await);
                let seen = self.hub.seen.lock().unwrap().clone();
                let sent = seen.into_iter().rev().find(|seen| seen.path.ends_with("/receiver/cdrs")).unwrap();
                let body = sent.body.replacen('{', &format!("{{{EXTRA},"), 1).replace("\"C1\"", "\"C2\"");
                assert_eq!(self.raw("POST", "receiver/cdrs", body).await, Some(1000), "{}", self.name);
            }
            End::Oicp(side) => {
                let json = ours(&brokers::cdr(of.session.as_ref().unwrap()));
                let row = side.version.row(Operation::ChargeDetailRecord).unwrap();
                let asked = message::Request { operation: Operation::ChargeDetailRecord, body: brokers::record(&json) };
                let text = message::write_request(side.version, &asked).unwrap().value;
                let text = match side.version {
                    Oicp::V23 => text.replacen('{', &format!("{{{EXTRA},"), 1),
                    Oicp::V20 => {
                        let last =
                            text.rfind("eRoamingChargeDetailRecord>").and_then(|at| text[..at].rfind("</")).unwrap();
                        format!("{}<VendorField>7</VendorField>{}", &text[..last], &text[last..])
                    }
                };
                let id = ::oicp::form::operator_id(side.party);
                let (http, said) = self.posted(side, row, &id, text).await;
                let said = message::read_answer(side.version, Operation::ChargeDetailRecord, said.as_bytes()).unwrap();
                let (message::Reply::Proper(said) | message::Reply::Refusal(said)) = said.value;
                assert_eq!((http, &*brokers::code(&said)), (200, "000"), "{}", self.name);
            }
            End::Ochp(_) => panic!("the schemas of OCHP are closed"),
        }
    }

    /// Whether the last thing that the operator heard is that its own session is to stop.
    pub fn stopped(&self) -> bool {
        match &self.operator {
            End::Ocpi(house, _) => {
                let stop = |question: &Question| matches!(question, Question::Stop { session, .. } if session.as_str() == "S1");
                house.desk.questions().last().is_some_and(stop)
            }
            End::Oicp(side) => {
                let started = side.told(Operation::RemoteStart);
                side.told(Operation::RemoteStop).text("SessionID") == started.text("SessionID")
            }
            End::Ochp(server) => {
                let own = |ask: &Ask| {
                    matches!(ask, Ask::ControlEvse(control) if control.operation == DirectOperation::End
                    && control.direct.reveal(Purpose::Route).as_str() == "OCH-1")
                };
                server.heard().iter().any(own)
            }
        }
    }

    /// Whether the operator heard that the reservation it has is given up.
    pub fn given_up(&self) -> bool {
        match &self.operator {
            End::Ocpi(house, _) => {
                let orders = house.desk.questions().into_iter().filter_map(|question| match question {
                    Question::Reservation(order) => Some(order),
                    _other => None,
                });
                let orders: Vec<_> = orders.collect();
                let [made, cancelled] = &orders[..] else { return false };
                cancelled.wish == ReservationWish::Cancel && made.reservation == cancelled.reservation
            }
            End::Oicp(side) => {
                let made = side.told(Operation::ReservationStart);
                side.told(Operation::ReservationStop).text("SessionID") == made.text("SessionID")
            }
            End::Ochp(server) => {
                let own = |ask: &Ask| matches!(ask, Ask::ReleaseEvse(named) if named.direct.reveal(Purpose::Route).as_str() == "OCH-1");
                server.heard().last().is_some_and(own)
            }
        }
    }
}
