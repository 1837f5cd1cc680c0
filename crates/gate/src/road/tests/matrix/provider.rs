//! What a provider does and hears, in the words of its protocol.

use ::ochp::bridge;
use ::ochp::message::{CdrsWanted, DirectNamed, MaybeSince, Nothing, Request as Ask, Response as Said, StatusesWanted};
use ::ochp::scalar::{Contract, DateTime, DirectId, EvseId};
use ::ochp::types::direct::{DirectOperation, SelectEvse};
use ::ochp::types::record::CdrInfo;
use ::ochp::types::result::DirectCode;
use ::ochp::types::tariff::BillingItem;
use ::oicp::Operation;
use charge::money::Currency;
use charge::place::{EvseStatus, Location};
use charge::talk::road::{OrderResult, ReservationOrder, ReservationWish, StartOrder};
use charge::token::IssuedToken;
use charge::{Decimal, Purpose, Timestamp};

use super::super::oicp as brokers;
use super::super::*;
use super::meeting::{CONTRACT, End, Meeting, OPERATOR, PROVIDER};
use super::operator::ours;
use super::{EVSE, plain};

/// A place as a provider finds it.
#[derive(Debug, PartialEq)]
pub(super) struct Spot {
    pub evse: String,
    pub city: String,
    pub zip: String,
}

/// A record as a provider has it. Money where the protocol has a word for it.
#[derive(Debug, PartialEq)]
pub(super) struct Bill {
    pub evse: String,
    pub wh: i64,
    pub start: Timestamp,
    pub end: Timestamp,
    pub net: Option<Decimal>,
    pub currency: Option<Currency>,
}

/// A record with the names in it: the provider's own of the session, and the contract.
struct Record {
    bill: Bill,
    name: Option<String>,
    contract: Option<String>,
}

/// A session under way, and whether the provider knows it by the name that it was started or permitted under.
#[derive(Debug, PartialEq)]
pub(super) struct Under {
    pub wh: i64,
    pub known: bool,
}

/// An order's end, and the name that the provider has for what it began.
#[derive(Debug)]
pub(super) struct Ordered {
    pub done: bool,
    pub name: Option<String>,
}

impl Meeting {
    pub async fn places(&self) -> Vec<Spot> {
        match &self.provider {
            End::Ocpi(..) => vec![self.place()]
                .into_iter()
                .map(|place| Spot {
                    evse: plain(place.evses[0].id.as_ref().unwrap().as_str()),
                    city: place.city,
                    zip: place.postal_code.unwrap(),
                })
                .collect(),
            End::Oicp(side) => {
                let wish = format!(r#"{{"ProviderID":"{PROVIDER}","GeoCoordinatesResponseFormat":"Google"}}"#);
                let pulled = self.oicp(side, Operation::PullEvseData, &wish).await;
                let spot = |record: &::oicp::Record| {
                    let address = record.record("Address").unwrap();
                    Spot {
                        evse: plain(record.text("EvseID").unwrap()),
                        city: address.text("City").unwrap().to_owned(),
                        zip: address.text("PostalCode").unwrap().to_owned(),
                    }
                };
                pulled.records("content").map(spot).collect()
            }
            End::Ochp(_) => {
                let Said::GetChargePoints(given) = self.ochp(PROVIDER, Ask::GetChargePoints(Nothing {})).await else {
                    panic!("{}: points", self.name)
                };
                let spot = |point: ::ochp::types::place::ChargePoint| Spot {
                    evse: plain(point.evse.as_str()),
                    city: point.address.city.as_str().to_owned(),
                    zip: point.address.zip.as_str().to_owned(),
                };
                given.points.into_iter().map(spot).collect()
            }
        }
    }

    /// The place as the provider of OCPI heard of it.
    fn place(&self) -> Location {
        let End::Ocpi(house, _) = &self.provider else { panic!("{}: speaks no OCPI", self.name) };
        let place = house.desk.questions().into_iter().find_map(|question| match question {
            Question::PutLocation(place) => Some(*place),
            _other => None,
        });
        place.unwrap_or_else(|| panic!("{}: a place", self.name))
    }

    pub async fn status(&self) -> EvseStatus {
        match &self.provider {
            End::Ocpi(house, _) => {
                let told = |question: &Question| match question {
                    Question::PatchEvse { status, .. } => Some(*status),
                    Question::PutLocation(place) => Some(place.evses[0].status),
                    _other => None,
                };
                let last = || house.desk.questions().iter().filter_map(told).next_back();
                self.until("a status", || last() == Some(EvseStatus::Charging)).await;
                EvseStatus::Charging
            }
            End::Oicp(side) => {
                let asked = format!(r#"{{"ProviderID":"{PROVIDER}","EvseID":["{EVSE}"]}}"#);
                let busy = || async {
                    let told = self.oicp(side, Operation::PullEvseStatusById, &asked).await;
                    let list = told.record("EVSEStatusRecords").unwrap();
                    list.records("EvseStatusRecord").any(|record| record.text("EvseStatus") == Some("Occupied"))
                };
                let reached = async {
                    while !busy().await {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap();
                EvseStatus::Charging
            }
            End::Ochp(_) => {
                let wanted = StatusesWanted { since: None, kind: None };
                let Said::GetStatus(given) = self.ochp(PROVIDER, Ask::GetStatus(wanted)).await else {
                    panic!("{}: statuses", self.name)
                };
                bridge::status::evse_status(&given.evses[0], None, SystemClock.now()).value
            }
        }
    }

    /// What a kilowatt-hour costs.
    pub async fn tariff(&self) -> Vec<(Decimal, Currency)> {
        match &self.provider {
            End::Ocpi(house, _) => {
                let told = || {
                    house.desk.questions().into_iter().find_map(|question| match question {
                        Question::PutTariff(tariff) => Some(*tariff),
                        _other => None,
                    })
                };
                self.until("a tariff", || told().is_some()).await;
                let tariff = told().unwrap();
                tariff.elements[0].components.iter().map(|each| (each.price.normalize(), tariff.currency)).collect()
            }
            End::Oicp(side) => {
                let wish = format!(r#"{{"ProviderID":"{PROVIDER}","OperatorIDs":["DE*OPA"]}}"#);
                let pulled = self.oicp(side, Operation::PullPricingProducts, &wish).await;
                let price = |record: &::oicp::Record| {
                    assert_eq!(record.text("ReferenceUnit"), Some("KILOWATT_HOUR"));
                    let currency = record.text("ProductPriceCurrency").unwrap().parse().unwrap();
                    (record.number("PricePerReferenceUnit").unwrap().normalize(), currency)
                };
                let lists = pulled.records("PricingProductData");
                lists.flat_map(|data| data.records("PricingProductDataRecords")).map(price).collect()
            }
            End::Ochp(_) => {
                let wanted = Ask::GetTariffUpdates(MaybeSince { since: None });
                let Said::GetTariffUpdates(given) = self.ochp(PROVIDER, wanted).await else {
                    panic!("{}: tariffs", self.name)
                };
                let individual = given.tariffs.iter().flat_map(|info| &info.individual);
                let prices = individual.flat_map(|one| one.elements.iter().map(move |element| (one, element)));
                let price = |(one, element): (&::ochp::types::tariff::IndividualTariff, _)| {
                    let element: &::ochp::types::tariff::TariffElement = element;
                    assert_eq!(element.component.item, BillingItem::Energy);
                    (element.component.price.normalize(), one.currency.as_str().parse().unwrap())
                };
                prices.map(price).collect()
            }
        }
    }

    /// The cards that the provider was asked about. One of OCHP is not asked: it handed in a list.
    pub fn asked(&self) -> Option<Vec<String>> {
        match &self.provider {
            End::Ocpi(house, _) => {
                let uid = |question: Question| match question {
                    Question::MayCharge { token } => Some(token.normal(Purpose::Route)),
                    _other => None,
                };
                Some(house.desk.questions().into_iter().filter_map(uid).collect())
            }
            End::Oicp(side) if side.heard(Operation::AuthorizeStart).is_empty() => Some(Vec::new()),
            End::Oicp(side) => {
                let told = side.told(Operation::AuthorizeStart);
                let card = told.record("Identification").unwrap().record("RFIDMifareFamilyIdentification").unwrap();
                Some(vec![card.text("UID").unwrap().to_owned()])
            }
            End::Ochp(_) => None,
        }
    }

    pub async fn start(&self) -> Ordered {
        match &self.provider {
            End::Ocpi(house, version) => {
                let place = self.place();
                let order = Question::Start(StartOrder {
                    order: "order-1".parse().unwrap(),
                    return_to: None,
                    token: one_time(),
                    location: place.id,
                    evse: Some(place.evses[0].uid.clone()),
                    connector: None,
                    reference: Some("REF-9".parse().unwrap()),
                });
                let done = self.ordered(house, *version, order, "order-1").await;
                Ordered { done, name: None }
            }
            End::Oicp(side) => {
                let said = self.oicp(side, Operation::RemoteStart, &ours(&brokers::remote(EVSE))).await;
                Ordered { done: brokers::code(&said) == "000", name: said.text("SessionID").map(str::to_owned) }
            }
            End::Ochp(_) => {
                let selected = self.select(None).await;
                let Some(name) = selected.name else { return selected };
                let start = bridge::direct::control(direct(&name), DirectOperation::Start);
                let Said::ControlEvse(said) = self.direct(PROVIDER, Ask::ControlEvse(start)).await else {
                    panic!("{}: an answer", self.name)
                };
                Ordered { done: said.result.code == DirectCode::Ok, name: Some(name) }
            }
        }
    }

    pub async fn stop(&self, of: &Ordered) -> bool {
        match &self.provider {
            End::Ocpi(house, version) => {
                let named = |question: Question| match question {
                    Question::PutSession(session) => Some(session.id),
                    _other => None,
                };
                let heard = || house.desk.questions().into_iter().find_map(named);
                // the name under which it can be stopped comes with the session
                self.until("a session", || heard().is_some()).await;
                let (order, session) = ("order-2".parse().unwrap(), heard().unwrap());
                self.ordered(house, *version, Question::Stop { order, return_to: None, session }, "order-2").await
            }
            End::Oicp(side) => {
                let session = of.name.as_ref().unwrap();
                let stop = format!(r#"{{"SessionID":"{session}","ProviderID":"{PROVIDER}","EvseID":"{EVSE}"}}"#);
                brokers::code(&self.oicp(side, Operation::RemoteStop, &stop).await) == "000"
            }
            End::Ochp(_) => {
                let stop = bridge::direct::control(direct(of.name.as_ref().unwrap()), DirectOperation::End);
                let Said::ControlEvse(said) = self.direct(PROVIDER, Ask::ControlEvse(stop)).await else {
                    panic!("{}: an answer", self.name)
                };
                said.result.code == DirectCode::Ok
            }
        }
    }

    /// For twenty minutes.
    pub async fn reserve(&self) -> Ordered {
        let end = SystemClock.now().plus(Duration::from_secs(20 * 60)).whole_seconds();
        match &self.provider {
            End::Ocpi(house, version) => {
                let place = self.place();
                let wish = ReservationWish::Make {
                    token: Box::new(one_time()),
                    until: end,
                    location: place.id,
                    evse: Some(place.evses[0].uid.clone()),
                    reference: Some("REF-9".parse().unwrap()),
                };
                let done = self.ordered(house, *version, reservation("order-3", wish), "order-3").await;
                Ordered { done, name: None }
            }
            End::Oicp(side) => {
                let wish = ours(&brokers::remote(EVSE)).replacen('{', r#"{"Duration":20,"#, 1);
                let said = self.oicp(side, Operation::ReservationStart, &wish).await;
                Ordered { done: brokers::code(&said) == "000", name: said.text("SessionID").map(str::to_owned) }
            }
            End::Ochp(_) => self.select(Some(end)).await,
        }
    }

    pub async fn give_up(&self, of: &Ordered) -> bool {
        match &self.provider {
            End::Ocpi(house, version) => {
                let wish = reservation("order-4", ReservationWish::Cancel);
                self.ordered(house, *version, wish, "order-4").await
            }
            End::Oicp(side) => {
                let session = of.name.as_ref().unwrap();
                let stop = format!(r#"{{"SessionID":"{session}","ProviderID":"{PROVIDER}","EvseID":"{EVSE}"}}"#);
                brokers::code(&self.oicp(side, Operation::ReservationStop, &stop).await) == "000"
            }
            End::Ochp(_) => {
                let named = DirectNamed { direct: direct(of.name.as_ref().unwrap()) };
                let Said::ReleaseEvse(said) = self.direct(PROVIDER, Ask::ReleaseEvse(named)).await else {
                    panic!("{}: an answer", self.name)
                };
                said.result.code == DirectCode::Ok
            }
        }
    }

    /// The order of a provider of OCPI, and whether it went well in the end.
    async fn ordered(&self, house: &House, version: Version, question: Question, order: &str) -> bool {
        match self.ocpi(house, version, Some(OPERATOR), question).await {
            Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. }) => {}
            _refused => return false,
        }
        let outcome = |question: Question| match question {
            Question::Outcome { order: Some(named), result, .. } if named.as_str() == order => Some(result),
            _other => None,
        };
        let heard = || house.desk.questions().into_iter().find_map(outcome);
        self.until("an outcome", || heard().is_some()).await;
        heard() == Some(OrderResult::Accepted)
    }

    async fn select(&self, reserve_until: Option<Timestamp>) -> Ordered {
        let contract = Personal::new(Contract::new(CONTRACT).unwrap());
        let evse = EvseId::new(EVSE).unwrap();
        let select = SelectEvse { evse, contract, reserve_until: reserve_until.map(DateTime::new) };
        let Said::SelectEvse(selected) = self.direct(PROVIDER, Ask::SelectEvse(select)).await else {
            panic!("{}: an answer", self.name)
        };
        let name = selected.direct.map(|direct| direct.reveal(Purpose::Route).as_str().to_owned());
        Ordered { done: selected.result.code == DirectCode::Ok, name }
    }

    /// The session as it was told last.
    pub fn under(&self, of: &Ordered) -> Option<Under> {
        match &self.provider {
            End::Ocpi(house, version) => {
                let session = house.desk.questions().into_iter().rev().find_map(|question| match question {
                    Question::PutSession(session) => Some(session),
                    _other => None,
                })?;
                // 2.1.1 has no word for the provider's reference
                let reference = session.reference.as_ref().map(|reference| reference.as_str());
                let here = session.token.contract.reveal(Purpose::Route).as_str() == CONTRACT;
                let known = here && (reference == Some("REF-9") || !version.has_routing() || !self.names_references());
                Some(Under { wh: session.energy.wh(), known })
            }
            End::Oicp(side) => {
                let told = side.told(Operation::NotificationProgress);
                let energy = told.number("ConsumedEnergyProgress")?;
                let known = told.text("SessionID") == of.name.as_deref();
                Some(Under { wh: charge::units::Energy::from_kwh(energy)?.wh(), known })
            }
            End::Ochp(server) => {
                let told = server.heard().into_iter().rev().find_map(|ask| match ask {
                    Ask::TellProgress(told) => Some(told),
                    _other => None,
                })?;
                let known = Some(told.direct.reveal(Purpose::Route).as_str()) == of.name.as_deref();
                Some(Under { wh: charge::units::Energy::from_kwh(told.charged_energy?)?.wh(), known })
            }
        }
    }

    /// The records as they came, byte for byte.
    pub fn records(&self) -> Vec<String> {
        match &self.provider {
            End::Ocpi(house, _) => {
                let seen = house.seen.lock().unwrap().clone();
                seen.into_iter().filter(|seen| seen.path.ends_with("/receiver/cdrs")).map(|seen| seen.body).collect()
            }
            End::Oicp(side) => side.heard(Operation::ChargeDetailRecord),
            End::Ochp(_) => Vec::new(),
        }
    }

    /// An operator of OCPI 2.1.1 cannot hand a reference back.
    fn names_references(&self) -> bool {
        !matches!(self.operator, End::Ocpi(_, Version::V211))
    }

    /// The one record, and whether it names the session that the provider permitted.
    pub async fn billed(&self) -> (Bill, bool) {
        let asked = match &self.provider {
            End::Oicp(side) => side.told(Operation::AuthorizeStart).text("SessionID").map(str::to_owned),
            End::Ocpi(..) | End::Ochp(_) => None,
        };
        let record = self.record().await;
        let known = match &self.provider {
            End::Ocpi(..) => self.refers(&record, "REF-1"),
            End::Oicp(_) => asked.is_some() && record.name == asked,
            End::Ochp(_) => record.contract.as_deref() == Some(&*plain(CONTRACT)),
        };
        (record.bill, known)
    }

    /// The one record, and whether it names the session that the provider started.
    pub async fn billed_start(&self, of: &Ordered) -> (Bill, bool) {
        let record = self.record().await;
        let known = match &self.provider {
            End::Ocpi(..) => self.refers(&record, "REF-9"),
            End::Oicp(_) | End::Ochp(_) => of.name.is_some() && record.name == of.name,
        };
        (record.bill, known)
    }

    /// By its reference, or by its contract where one side is OCPI 2.1.1, which has no references.
    fn refers(&self, record: &Record, reference: &str) -> bool {
        let routing = !matches!(self.provider, End::Ocpi(_, Version::V211));
        let contract = record.contract.as_deref() == Some(&*plain(CONTRACT));
        match routing && self.names_references() {
            true => record.name.as_deref() == Some(reference),
            // a card's uid stands for its contract where a protocol names cards alone
            false => contract || record.contract.as_deref() == Some(OWNED),
        }
    }

    async fn record(&self) -> Record {
        match &self.provider {
            End::Ocpi(house, _) => {
                let cdr = house.desk.questions().into_iter().find_map(|question| match question {
                    Question::PostCdr(cdr) => Some(cdr),
                    _other => None,
                });
                let cdr = cdr.unwrap_or_else(|| panic!("{}: a CDR", self.name));
                let bill = Bill {
                    evse: plain(cdr.place.evse_id.as_str()),
                    wh: cdr.energy.wh(),
                    start: cdr.start,
                    end: cdr.end,
                    net: Some(cdr.total_cost.before_vat.normalize()),
                    currency: Some(cdr.currency),
                };
                let contract = Some(plain(cdr.token.contract.reveal(Purpose::Bill).as_str()));
                Record { bill, name: cdr.reference.map(|reference| reference.as_str().to_owned()), contract }
            }
            End::Oicp(side) => {
                let told = side.told(Operation::ChargeDetailRecord);
                let energy = told.number("ConsumedEnergy").and_then(charge::units::Energy::from_kwh).unwrap();
                let bill = Bill {
                    evse: plain(told.text("EvseID").unwrap()),
                    wh: energy.wh(),
                    start: told.time("SessionStart").unwrap(),
                    end: told.time("SessionEnd").unwrap(),
                    net: None,
                    currency: None,
                };
                Record { bill, name: told.text("SessionID").map(str::to_owned), contract: None }
            }
            End::Ochp(_) => {
                let Said::GetCdrs(given) = self.ochp(PROVIDER, Ask::GetCdrs(CdrsWanted { status: None })).await else {
                    panic!("{}: CDRs", self.name)
                };
                let [info] = &given.cdrs[..] else { panic!("{}: {} CDRs", self.name, given.cdrs.len()) };
                let name = Some(info.token.instance.reveal(Purpose::Bill).as_str().to_owned());
                let contract = Some(plain(info.contract.reveal(Purpose::Bill).as_str()));
                Record { bill: bill_of(info), name, contract }
            }
        }
    }
}

fn bill_of(info: &CdrInfo) -> Bill {
    let energy = info.periods.iter().filter(|line| line.item == BillingItem::Energy).map(|line| line.value).sum();
    Bill {
        evse: plain(info.evse.as_str()),
        wh: charge::units::Energy::from_kwh(energy).unwrap().wh(),
        start: info.start.at,
        end: info.end.at,
        net: info.total_cost.map(|total| total.normalize()),
        currency: info.currency.as_str().parse().ok(),
    }
}

fn one_time() -> IssuedToken {
    IssuedToken {
        party: party(PROVIDER),
        uid: Personal::new(TokenUid::new("ONETIME").unwrap()),
        kind: TokenKind::AdHocUser,
        contract: Personal::new(ContractId::new(CONTRACT).unwrap()),
        valid: true,
        last_updated: SystemClock.now().whole_seconds(),
    }
}

fn reservation(order: &str, wish: ReservationWish) -> Question {
    // a number, as 2.1.1 wants it
    let reservation = "7".into();
    Question::Reservation(ReservationOrder { order: order.parse().unwrap(), return_to: None, reservation, wish })
}

fn direct(name: &str) -> Personal<DirectId> {
    Personal::new(DirectId::new(name).unwrap())
}
