//! A hub as clearing house: partners that speak OCHP 1.4 and OCHPdirect on one side, OCPI on the other, all over
//! sockets. The partners' own servers answer by a script and remember what they heard.

mod rooms;
mod servers;
pub(super) mod square;
mod thrift;

use ::ochp::bridge;
use ::ochp::message::{
    Cdrs, CdrsWanted, ChargePoints, DirectNamed, EndpointsAdded, EvsesWanted, Judged, MaybeSince, Nothing,
    Request as Ask, Response as Said, Statuses, StatusesWanted, Tariffs, TokenWanted, Tokens,
};
use ::ochp::scalar::{Contract, DateTime, DirectId, EvseId, Text};
use ::ochp::types::direct::{DirectMessage, DirectOperation, SelectEvse};
use ::ochp::types::record::{CdrInfo, CdrName, CdrStatus};
use ::ochp::types::result::{DirectCode, ResultCode};
use ::ochp::types::token::{EmtId, Representation, RoamingAuthorisation, TokenType};
use charge::place::EvseStatus;
use charge::record::SessionStatus;
use charge::talk::road::{OrderResult, ReservationOrder, ReservationWish, StartOrder};
use charge::tariff::{Component, Dimension, Element, Restrictions};
use charge::token::IssuedToken;
use charge::units::Energy;
use charge::{Decimal, Purpose, Timestamp};
use http::StatusCode;
use square::{OPERATOR, PROVIDER, Square, until};

use super::*;
use crate::road::ochp::{ClearingHouse, Collected, Member, PATH};

const CONTRACT: &str = "DE-OCP-C12345678-5";

pub(super) fn emt(uid: &str) -> EmtId {
    EmtId {
        instance: Personal::new(Text::new(uid).unwrap()),
        kind: TokenType::Rfid,
        sub_kind: None,
        representation: None,
    }
}

fn entry(uid: &str) -> RoamingAuthorisation {
    RoamingAuthorisation {
        token: emt(uid),
        contract: Personal::new(Contract::new(CONTRACT).unwrap()),
        printed: None,
        expires: DateTime::new(SystemClock.now().plus(Duration::from_secs(3_600))),
    }
}

/// The samples of the road, as the operator that speaks OCHP would have them.
fn location() -> charge::place::Location {
    let mut place = samples::location();
    place.party = party(OPERATOR);
    // OCHP has six decimal places
    place.position.longitude_e7 = 76_280_000;
    place.evses[0].uid = "DEOCHE1".parse().unwrap();
    place.evses[0].id = Some("DE*OCH*E1".parse().unwrap());
    place
}

fn points() -> ChargePoints {
    ChargePoints { points: bridge::place::charge_points(&location(), true).unwrap().value }
}

/// 11 kWh for 4.40, all of it energy.
fn cdr() -> charge::record::Cdr {
    let mut cdr = samples::cdr();
    cdr.party = party(OPERATOR);
    cdr.id = "DEOCH7".parse().unwrap();
    cdr.place.evse_id = "DE*OCH*E1".parse().unwrap();
    cdr.place.evse_uid = "DEOCHE1".parse().unwrap();
    cdr.token.kind = TokenKind::Rfid;
    cdr.token.uid = Personal::new(TokenUid::new(OWNED).unwrap());
    cdr
}

fn cdr_info() -> CdrInfo {
    bridge::record::cdr_info(&cdr(), Some("Europe/Berlin")).unwrap().value
}

fn name(info: &CdrInfo) -> CdrName {
    CdrName { cdr: info.id.clone(), evse: info.evse.clone() }
}

fn direct(id: &Personal<DirectId>) -> DirectNamed {
    DirectNamed { direct: id.clone() }
}

fn select() -> SelectEvse {
    let contract = Personal::new(Contract::new(CONTRACT).unwrap());
    SelectEvse { evse: EvseId::new("DE*OPA*E1").unwrap(), contract, reserve_until: None }
}

impl Square {
    async fn publish(&self) {
        let Said::SetChargePoints(taken) = self.operator(Ask::SetChargePoints(points())).await else {
            panic!("points")
        };
        assert_eq!(taken.result.code, ResultCode::Ok);
    }

    async fn word(&self, token: EmtId) -> Option<RoamingAuthorisation> {
        let Said::GetToken(given) = self.operator(Ask::GetToken(TokenWanted { token })).await else { panic!("a word") };
        assert_eq!(given.result.code, ResultCode::Ok);
        given.token
    }

    async fn waiting(&self) -> Vec<CdrInfo> {
        let Said::GetCdrs(given) = self.provider(Ask::GetCdrs(CdrsWanted { status: None })).await else {
            panic!("CDRs")
        };
        given.cdrs
    }

    async fn judge(&self, approved: Vec<CdrName>, declined: Vec<CdrName>) -> ResultCode {
        let judged = self.provider(Ask::ConfirmCdrs(Judged { approved, declined })).await;
        let Said::ConfirmCdrs(done) = judged else { panic!("done") };
        done.result.code
    }

    async fn hand_in(&self, cdrs: Vec<CdrInfo>) -> (ResultCode, usize) {
        let Said::AddCdrs(taken) = self.operator(Ask::AddCdrs(Cdrs { cdrs })).await else { panic!("taken") };
        (taken.result.code, taken.implausible.len())
    }
}

#[tokio::test]
async fn cross_ochp14_ocpi221_tap() {
    let square = Square::new().await;
    let yes = square.word(emt(OWNED)).await.unwrap();
    assert_eq!(yes.contract.reveal(Purpose::Transmit).as_str(), "DE-8AA-CONETIME1-X");
    assert_eq!(square.word(emt("04FFFFFFFFFF80")).await, None, "ok and nothing: nobody knows it");
    assert_eq!(square.ocpi_provider.desk.heard().len(), 1, "the owner alone was asked");
    let paths: Vec<String> = square.hub.seen.lock().unwrap().iter().map(|seen| seen.path.clone()).collect();
    assert!(paths.iter().all(|path| !path.contains(OWNED)), "no uid in an address: {paths:?}");
}

#[tokio::test]
async fn cross_ocpi221_ochp14_tap() {
    let square = Square::new().await;
    let mut hashed = entry(&bridge::token::hashes("04BBBB")[1].1);
    hashed.token.representation = Some(Representation::Sha256);
    let list = Tokens { tokens: vec![entry(FOREIGN), hashed.clone()] };
    let Said::SetTokens(taken) = square.provider(Ask::SetTokens(list)).await else { panic!("taken") };
    assert_eq!((taken.result.code, taken.refused.len()), (ResultCode::Ok, 0));
    let tap = |uid| Question::MayCharge { token: token(uid) };
    let Ok(Answer::May(verdict)) = square.ocpi(&square.ocpi_operator, None, tap(FOREIGN)).await else {
        panic!("a word")
    };
    assert_eq!((verdict.allowed, verdict.party), (Allowed::Yes, Some(party(PROVIDER))));
    assert_eq!(verdict.contract.unwrap().reveal(Purpose::Transmit).as_str(), CONTRACT);

    assert!(square.word(emt("04bbbb")).await.is_some(), "a hashed entry is found by the plain uid");
    assert!(square.word(hashed.token).await.is_some(), "and by the hash itself");
    let Said::GetTokens(given) = square.operator(Ask::GetTokens(Nothing {})).await else { panic!("a list") };
    assert!(given.tokens.is_empty(), "lists are not given out");

    let Said::SetTokens(_) = square.provider(Ask::SetTokens(Tokens { tokens: vec![entry("04CC")] })).await else {
        panic!()
    };
    let gone = square.ocpi(&square.ocpi_operator, None, tap(FOREIGN)).await;
    assert_eq!(gone, Ok(Answer::May(Verdict::bare(Allowed::Unknown))), "what is not in the new list is no more");
    let mut strange = entry("04DD");
    strange.contract = Personal::new(Contract::new("DE-8AA-C12345678-5").unwrap());
    let list = Tokens { tokens: vec![strange] };
    let Said::UpdateTokens(taken) = square.provider(Ask::UpdateTokens(list)).await else { panic!("taken") };
    assert_eq!((taken.result.code, taken.refused.len()), (ResultCode::InvalidId, 1), "another provider's contract");
}

#[tokio::test]
async fn cross_ochp14_ocpi221_cdr() {
    let square = Square::new().await;
    square.publish().await;
    square.word(emt(OWNED)).await.unwrap();
    assert_eq!(square.hand_in(vec![cdr_info()]).await, (ResultCode::Ok, 0));
    let posted = || {
        let heard = square.ocpi_provider.desk.heard();
        let cdrs = heard.into_iter().filter_map(|letter| match letter.question {
            Question::PostCdr(cdr) => Some((letter.from, *cdr)),
            _other => None,
        });
        cdrs.collect::<Vec<_>>()
    };
    let [(from, said)] = &posted()[..] else { panic!("one CDR") };
    assert_eq!((*from, said.total_cost.before_vat), (party(OPERATOR), cdr().total_cost.before_vat));
    assert_eq!((said.energy, said.start, said.end), (cdr().energy, cdr().start, cdr().end));
    assert_eq!(said.reference.as_ref().unwrap().as_str(), "REF-1", "what the provider gave with its yes");
    assert_eq!((&said.place.evse_id, &said.place.position), (&cdr().place.evse_id, &location().position));

    let mut wrong = cdr_info();
    wrong.total_cost = Some(Decimal::from(1_000));
    let mut unknown = cdr_info();
    unknown.evse = EvseId::new("DE*OCH*E9").unwrap();
    let mut foreign = cdr_info();
    foreign.evse = EvseId::new("DE*OPA*E1").unwrap();
    assert_eq!(square.hand_in(vec![wrong, unknown, foreign]).await, (ResultCode::Format, 3));
    assert_eq!(posted().len(), 1, "money that would change, an unknown EVSE and another's EVSE go nowhere");
}

#[tokio::test]
async fn cross_ocpi221_ochp14_cdr() {
    let square = Square::new().await;
    let mut sent = samples::cdr();
    sent.reference = Some("REF-1".parse().unwrap());
    sent.token.contract = Personal::new(ContractId::new(CONTRACT).unwrap());
    let post = Question::PostCdr(Box::new(sent.clone()));
    let kept = square.ocpi(&square.ocpi_operator, Some(PROVIDER), post.clone()).await;
    assert_eq!(kept, Ok(Answer::Kept(sent.id.clone())));
    assert_eq!(square.ocpi(&square.ocpi_operator, Some(PROVIDER), post).await, kept, "twice is once");
    let [info] = &square.waiting().await[..] else { panic!("one record") };
    assert_eq!((info.status, info.total_cost), (CdrStatus::Accepted, Some(sent.total_cost.before_vat)));
    assert_eq!(info.contract.reveal(Purpose::Bill).as_str(), CONTRACT);
    let stranger = CdrName { cdr: info.id.clone(), evse: EvseId::new("DE*OPA*E2").unwrap() };
    assert_eq!(square.judge(vec![stranger], vec![]).await, ResultCode::Partly);
    assert_eq!(square.judge(vec![name(info)], vec![]).await, ResultCode::Ok);
    assert!(square.waiting().await.is_empty());
    let lost = square.market.lost.lock().unwrap();
    assert!(lost.iter().any(|(_, to, what)| *to == party(PROVIDER) && what.starts_with("/authorization_reference")));
}

#[tokio::test]
async fn a_record_between_partners_of_ochp_is_declined_revised_and_approved() {
    let square = Square::new().await;
    square.provider(Ask::SetTokens(Tokens { tokens: vec![entry(FOREIGN)] })).await;
    let permit = square.word(emt(FOREIGN)).await.unwrap();
    let info = CdrInfo { token: permit.token, contract: permit.contract, ..cdr_info() };
    assert_eq!(square.hand_in(vec![info.clone()]).await, (ResultCode::Ok, 0));
    assert_eq!(square.hand_in(vec![info.clone()]).await, (ResultCode::Ok, 0), "a lost answer costs nothing");
    assert_eq!(square.waiting().await, [CdrInfo { status: CdrStatus::Accepted, ..info.clone() }], "as it was written");

    assert_eq!(square.judge(vec![], vec![name(&info)]).await, ResultCode::Ok);
    assert!(square.waiting().await.is_empty());
    let Said::CheckCdrs(declined) = square.operator(Ask::CheckCdrs(CdrsWanted { status: None })).await else {
        panic!()
    };
    assert_eq!(declined.cdrs, [CdrInfo { status: CdrStatus::Declined, ..info.clone() }]);

    let mut revised = CdrInfo { status: CdrStatus::Revised, ..info.clone() };
    revised.meter = Text::new("M2");
    assert_eq!(square.hand_in(vec![revised.clone()]).await, (ResultCode::Ok, 0));
    assert_eq!(square.waiting().await, [revised.clone()]);
    assert_eq!(square.judge(vec![name(&info)], vec![]).await, ResultCode::Ok);
    assert_eq!(square.judge(vec![], vec![name(&info)]).await, ResultCode::Partly, "approved stays approved");
    assert_eq!(square.hand_in(vec![revised]).await, (ResultCode::Format, 1), "and cannot be revised");
}

#[tokio::test]
async fn cross_ochp14_ocpi221_place() {
    let square = Square::new().await;
    square.publish().await;
    until(|| !square.ocpi_provider.desk.heard().is_empty()).await;
    let Question::PutLocation(heard) = &square.ocpi_provider.desk.heard()[0].question else { panic!("a location") };
    let expected = charge::place::Location { last_updated: heard.last_updated, ..location() };
    assert_eq!((heard.party, &heard.address, &heard.position), (expected.party, &expected.address, &expected.position));
    assert_eq!(heard.evses[0].id, expected.evses[0].id);
    let mut foreign = points();
    foreign.points[0].evse = EvseId::new("DE*OPA*E1").unwrap();
    let Said::UpdateChargePoints(taken) = square.operator(Ask::UpdateChargePoints(foreign)).await else { panic!() };
    assert_eq!((taken.result.code, taken.refused.len()), (ResultCode::InvalidId, 1), "another operator's EVSE");
}

#[tokio::test]
async fn cross_ocpi221_ochp14_place() {
    let square = Square::new().await;
    let put = Question::PutLocation(Box::new(samples::location()));
    assert_eq!(square.ocpi(&square.ocpi_operator, None, put).await, Ok(Answer::Noted));
    let Said::GetChargePoints(given) = square.provider(Ask::GetChargePoints(Nothing {})).await else {
        panic!("points")
    };
    let [point] = &given.points[..] else { panic!("one") };
    assert_eq!((point.evse.as_str(), point.address.zip.as_str()), ("DE*OPA*E1", "48143"));
}

#[tokio::test]
async fn cross_ochp14_ocpi221_status() {
    let square = Square::new().await;
    square.publish().await;
    let evses = vec![bridge::status::live(EvseId::new("DE*OCH*E1").unwrap(), EvseStatus::Charging, None).value];
    let said = Statuses { evses, parkings: vec![], ttl: None };
    let Said::UpdateStatus(done) = square.operator(Ask::UpdateStatus(said)).await else { panic!("done") };
    assert_eq!(done.result.code, ResultCode::Ok);
    until(|| square.ocpi_provider.desk.heard().len() == 2).await;
    let heard = square.ocpi_provider.desk.heard();
    assert!(matches!(heard[1].question, Question::PatchEvse { status: EvseStatus::Charging, .. }));

    // an EVSE that is no longer in the whole list is gone
    let mut other = points();
    other.points[0].evse = EvseId::new("DE*OCH*E2").unwrap();
    square.operator(Ask::SetChargePoints(other)).await;
    until(|| square.ocpi_provider.desk.heard().len() == 3).await;
    let Some(Question::PutLocation(place)) = square.ocpi_provider.desk.heard().pop().map(|l| l.question) else {
        panic!()
    };
    let statuses: Vec<_> = place.evses.iter().map(|evse| (evse.uid.as_str(), evse.status)).collect();
    assert_eq!(statuses, [("DEOCHE2", EvseStatus::Unknown), ("DEOCHE1", EvseStatus::Removed)]);
}

#[tokio::test]
async fn cross_ocpi221_ochp14_status() {
    let square = Square::new().await;
    let put = Question::PutLocation(Box::new(samples::location()));
    square.ocpi(&square.ocpi_operator, None, put).await.unwrap();
    let wanted = StatusesWanted { since: None, kind: None };
    let Said::GetStatus(given) = square.provider(Ask::GetStatus(wanted)).await else { panic!("statuses") };
    let now = SystemClock.now();
    assert_eq!(bridge::status::evse_status(&given.evses[0], None, now).value, EvseStatus::Available);
    let evses = vec![EvseId::new("DEOPAE1").unwrap(), EvseId::new("DE*OPA*E9").unwrap()];
    let Said::GetEvseStatus(given) = square.direct(PROVIDER, Ask::GetEvseStatus(EvsesWanted { evses })).await else {
        panic!()
    };
    let statuses = given.evses.iter().map(|live| bridge::status::evse_status(live, None, now).value);
    assert_eq!(statuses.collect::<Vec<_>>(), [EvseStatus::Available, EvseStatus::Unknown]);
}

#[tokio::test]
async fn cross_ochp14_ocpi221_tariff_and_back() {
    let square = Square::new().await;
    let mut tariff = samples::cdr().tariff;
    (tariff.party, tariff.id) = (party(OPERATOR), "DEOCHT1".parse().unwrap());
    let price = "0.4".parse().unwrap();
    let component = Component { dimension: Dimension::Energy, price, vat_percent: None, step_size: 1 };
    tariff.elements = vec![Element { components: vec![component], restrictions: Restrictions::default() }];
    let info = bridge::tariff::tariff_info(&tariff).unwrap().value;
    let tariffs = Tariffs { tariffs: vec![info.clone()] };
    let Said::UpdateTariffs(taken) = square.operator(Ask::UpdateTariffs(tariffs)).await else { panic!("taken") };
    assert_eq!(taken.result.code, ResultCode::Ok);
    until(|| !square.ocpi_provider.desk.heard().is_empty()).await;
    let Question::PutTariff(heard) = &square.ocpi_provider.desk.heard()[0].question else { panic!("a tariff") };
    assert_eq!((heard.party, &heard.elements), (party(OPERATOR), &tariff.elements));
    let wanted = MaybeSince { since: None };
    let Said::GetTariffUpdates(given) = square.provider(Ask::GetTariffUpdates(wanted)).await else { panic!("tariffs") };
    assert_eq!(given.tariffs, [info]);
}

fn order(reference: &str) -> StartOrder {
    StartOrder {
        order: reference.parse().unwrap(),
        return_to: None,
        token: IssuedToken {
            party: party("DE-8AA"),
            uid: Personal::new(TokenUid::new("ONETIME").unwrap()),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(ContractId::new("DE-8AA-C12345678-5").unwrap()),
            valid: true,
            last_updated: Timestamp::from_secs(1_790_000_000),
        },
        location: location().id,
        evse: Some("DEOCHE1".parse().unwrap()),
        connector: None,
        reference: Some("REF-9".parse().unwrap()),
    }
}

fn outcomes(house: &House) -> Vec<OrderResult> {
    let heard = house.desk.heard().into_iter();
    heard
        .filter_map(|letter| if let Question::Outcome { result, .. } = letter.question { Some(result) } else { None })
        .collect()
}

#[tokio::test]
async fn cross_ocpi221_ochp14_remote_session_and_reservation() {
    let square = Square::new().await;
    square.publish().await;
    let start = Question::Start(order("o-1"));
    let ack = square.ocpi(&square.ocpi_provider, Some(OPERATOR), start).await;
    assert!(matches!(ack, Ok(Answer::Order { ack: OrderAck::Accepted { .. }, .. })), "{ack:?}");
    until(|| outcomes(&square.ocpi_provider) == [OrderResult::Accepted]).await;
    let Ask::SelectEvse(selected) = &square.direct_operator.heard()[0] else { panic!("select first") };
    assert_eq!(selected.contract.reveal(Purpose::Transmit).as_str(), "DE-8AA-C12345678-5");
    assert!(matches!(&square.direct_operator.heard()[1], Ask::ControlEvse(c) if c.operation == DirectOperation::Start));

    let told = square::told(DirectMessage::Info, "OCH-1");
    let Said::TellProgress(done) = square.direct(OPERATOR, Ask::TellProgress(told)).await else { panic!("done") };
    assert_eq!(done.result.code, DirectCode::Ok);
    let Some(Question::PutSession(session)) = square.ocpi_provider.desk.heard().pop().map(|l| l.question) else {
        panic!()
    };
    assert_eq!((session.status, session.energy), (SessionStatus::Active, Energy::from_wh(2_500)));
    assert_eq!((session.id.as_str(), session.reference.unwrap().as_str()), ("OCH-1", "REF-9"));
    let unknown = square::told(DirectMessage::Info, "OCH-2");
    let Said::TellProgress(done) = square.direct(OPERATOR, Ask::TellProgress(unknown)).await else { panic!("done") };
    assert_eq!(done.result.code, DirectCode::InvalidId, "a session that nobody started");

    let stop = Question::Stop { order: "o-2".parse().unwrap(), return_to: None, session: "OCH-1".parse().unwrap() };
    square.ocpi(&square.ocpi_provider, Some(OPERATOR), stop).await.unwrap();
    until(|| outcomes(&square.ocpi_provider).len() == 2).await;
    let heard = square.direct_operator.heard();
    assert!(matches!(&heard[2], Ask::ControlEvse(c) if c.operation == DirectOperation::End));
    assert!(matches!(&heard[3], Ask::ReleaseEvse(_)));

    // its record finds the provider by the session, whatever the contract says
    let mut info = cdr_info();
    info.token = EmtId { kind: TokenType::Remote, ..emt("OCH-1") };
    assert_eq!(square.hand_in(vec![info]).await, (ResultCode::Ok, 0));
    let Some(Question::PostCdr(cdr)) = square.ocpi_provider.desk.heard().pop().map(|l| l.question) else {
        panic!("a CDR")
    };
    assert_eq!(cdr.token.uid.reveal(Purpose::Bill).as_delivered(), "ONETIME");
    assert_eq!((cdr.session.unwrap().as_str(), cdr.reference.unwrap().as_str()), ("OCH-1", "REF-9"));

    let reserve = |order: &str, wish| {
        let order = ReservationOrder { order: order.parse().unwrap(), return_to: None, reservation: "r1".into(), wish };
        Question::Reservation(order)
    };
    let StartOrder { token, location, evse, reference, .. } = order("o-3");
    let until_then = SystemClock.now().plus(Duration::from_secs(600));
    let make = ReservationWish::Make { token: Box::new(token), until: until_then, location, evse, reference };
    square.ocpi(&square.ocpi_provider, Some(OPERATOR), reserve("o-3", make)).await.unwrap();
    square.ocpi(&square.ocpi_provider, Some(OPERATOR), reserve("o-4", ReservationWish::Cancel)).await.unwrap();
    until(|| outcomes(&square.ocpi_provider).len() == 4).await;
    assert_eq!(outcomes(&square.ocpi_provider), [OrderResult::Accepted; 4]);
    let heard = square.direct_operator.heard();
    assert!(matches!(&heard[4], Ask::SelectEvse(select) if select.reserve_until.is_some()));
    assert!(matches!(&heard[5], Ask::ReleaseEvse(_)));
}

#[tokio::test]
async fn cross_ochp14_ocpi221_remote_and_session() {
    let square = Square::new().await;
    let put = Question::PutLocation(Box::new(samples::location()));
    square.ocpi(&square.ocpi_operator, None, put).await.unwrap();
    let Said::SelectEvse(selected) = square.direct(PROVIDER, Ask::SelectEvse(select())).await else {
        panic!("selected")
    };
    let id = selected.direct.unwrap();
    let operator = async {
        until(|| !square.ocpi_operator.desk.heard().is_empty()).await;
        let Question::Start(order) = square.ocpi_operator.desk.heard()[0].question.clone() else { panic!("a start") };
        let (return_to, result) = (order.return_to.clone(), OrderResult::Accepted);
        let outcome = Question::Outcome { order: None, return_to, result, message: None };
        square.ocpi(&square.ocpi_operator, None, outcome).await.unwrap();
        order
    };
    let start = Ask::ControlEvse(bridge::direct::control(id.clone(), DirectOperation::Start));
    let (said, order) = tokio::join!(square.direct(PROVIDER, start), operator);
    let Said::ControlEvse(said) = said else { panic!("an answer") };
    assert_eq!(said.result.code, DirectCode::Ok, "answered with the outcome");
    assert_eq!(order.token.contract.reveal(Purpose::Transmit).as_str(), CONTRACT);
    assert_eq!(order.evse.unwrap().as_str(), "LOC1-1");

    let mut session = samples::session();
    session.reference = order.reference;
    session.token.contract = Personal::new(ContractId::new(CONTRACT).unwrap());
    let put = Question::PutSession(Box::new(session.clone()));
    assert_eq!(square.ocpi(&square.ocpi_operator, Some(PROVIDER), put).await, Ok(Answer::Noted));
    let Ask::TellProgress(told) = square.direct_provider.heard().pop().unwrap() else { panic!("told") };
    assert_eq!((&told.direct, told.charged_energy), (&id, Some(session.energy.kwh().normalize())));
    let Said::AskProgress(told) = square.direct(PROVIDER, Ask::AskProgress(direct(&id))).await else {
        panic!("progress")
    };
    assert_eq!(told.direct, id);

    let operator = async {
        until(|| square.ocpi_operator.desk.heard().len() == 2).await;
        let Question::Stop { session: stopped, return_to, .. } = square.ocpi_operator.desk.heard()[1].question.clone()
        else {
            panic!("a stop")
        };
        assert_eq!(stopped, session.id);
        let outcome = Question::Outcome { order: None, return_to, result: OrderResult::Accepted, message: None };
        square.ocpi(&square.ocpi_operator, None, outcome).await.unwrap();
    };
    let (said, ()) = tokio::join!(square.direct(PROVIDER, Ask::ReleaseEvse(direct(&id))), operator);
    let Said::ReleaseEvse(said) = said else { panic!("released") };
    assert_eq!(said.result.code, DirectCode::Ok);
    let Said::ReleaseEvse(said) = square.direct(PROVIDER, Ask::ReleaseEvse(direct(&id))).await else { panic!("again") };
    assert_eq!(said.result.code, DirectCode::InvalidId, "released is gone");
}

#[tokio::test]
async fn orders_about_what_is_not_the_providers_are_refused() {
    let square = Square::new().await;
    square.ocpi(&square.ocpi_operator, None, Question::PutLocation(Box::new(samples::location()))).await.unwrap();
    let code = |said| match said {
        Said::SelectEvse(answer) | Said::ControlEvse(answer) | Said::ReleaseEvse(answer) => answer.result.code,
        other => panic!("{other:?}"),
    };
    let mut strange = select();
    strange.contract = Personal::new(Contract::new("DE-8AA-C12345678-5").unwrap());
    assert_eq!(code(square.direct(PROVIDER, Ask::SelectEvse(strange)).await), DirectCode::InvalidId);
    let mut nowhere = select();
    nowhere.evse = EvseId::new("DE*OPA*E9").unwrap();
    assert_eq!(code(square.direct(PROVIDER, Ask::SelectEvse(nowhere)).await), DirectCode::NotFound);
    let guess = Personal::new(DirectId::new("GUESS").unwrap());
    let end = bridge::direct::control(guess, DirectOperation::End);
    assert_eq!(code(square.direct(PROVIDER, Ask::ControlEvse(end)).await), DirectCode::InvalidId);
}

#[tokio::test]
async fn strangers_and_other_roles_are_not_served() {
    let square = Square::new().await;
    let Said::GetToken(said) = square.said("DE-OCH", "wrong", Ask::GetToken(TokenWanted { token: emt(OWNED) })).await
    else {
        panic!("an answer")
    };
    assert_eq!((said.result.code, said.token), (ResultCode::NotAuthorized, None));
    let Said::GetCdrs(said) = square.operator(Ask::GetCdrs(CdrsWanted { status: None })).await else {
        panic!("an answer")
    };
    assert_eq!(said.result.code, ResultCode::NotAuthorized, "that is for providers");
    assert!(square.ocpi_provider.desk.heard().is_empty());

    // bound to a certificate, the right name and password open nothing by themselves
    let partners = &square.hub.inside.as_ref().unwrap().1;
    let known = partners.find(party(PROVIDER)).unwrap();
    partners.put(Partner { certificate: Some([9; 32]), ..(*known).clone() }).await.unwrap();
    let Said::GetCdrs(said) = square.provider(Ask::GetCdrs(CdrsWanted { status: None })).await else {
        panic!("an answer")
    };
    assert_eq!(said.result.code, ResultCode::NotAuthorized);
    let wanted = || Ask::GetEvseStatus(EvsesWanted { evses: vec![EvseId::new("DE*OPA*E1").unwrap()] });
    assert_eq!(square.with_basic(PROVIDER, "secret", wanted()).await.unwrap_err(), StatusCode::UNAUTHORIZED);

    let status = |path, body: &'static str| square.raw(path, body);
    let (code, text) = status("/ochp/1.4", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").await;
    assert_eq!((code, text.contains("document type")), (StatusCode::INTERNAL_SERVER_ERROR, true));
    let (code, _) = status("/ochp/direct", "<a/>").await;
    assert_eq!(code, StatusCode::UNAUTHORIZED, "nothing is read of a stranger");
    let deep = "<a>".repeat(40).leak();
    let (code, text) = square.raw("/ochp/1.4", deep).await;
    assert_eq!((code, text.contains("deeper")), (StatusCode::INTERNAL_SERVER_ERROR, true));
}

/// The tokens of a day: ours for the partner, made of a key, and the partner's own.
#[tokio::test]
async fn direct_partners_come_and_are_reached_with_the_tokens_of_the_day() {
    let square = Square::new().await;
    let Said::GetServiceEndpoints(given) = square.provider(Ask::GetServiceEndpoints(Nothing {})).await else {
        panic!()
    };
    let ours = &given.operators[0];
    assert!(ours.url.as_str().starts_with(&square.hub.base), "the hub stands for all operators");
    assert!(ours.whitelist.iter().any(|pattern| pattern.as_str() == "DEOPAE%"));
    let mut own = square::provider_endpoint(&square.direct_provider.base, "theirs");
    own.day = ours.day.clone();
    let added = EndpointsAdded { providers: vec![own], operators: vec![] };
    let Said::AddServiceEndpoints(done) = square.provider(Ask::AddServiceEndpoints(added)).await else {
        panic!("done")
    };
    assert_eq!(done.result.code, ResultCode::Ok);

    let ask = || Ask::GetEvseStatus(EvsesWanted { evses: vec![EvseId::new("DE*OPA*E9").unwrap()] });
    let token = ours.token.0.expose().as_str();
    assert!(square.with_basic(token, "theirs", ask()).await.is_ok());
    assert_eq!(square.with_basic(token, "other", ask()).await.unwrap_err(), StatusCode::UNAUTHORIZED);
    assert_eq!(square.with_basic("other", "theirs", ask()).await.unwrap_err(), StatusCode::UNAUTHORIZED);

    let mut session = samples::session();
    session.token.contract = Personal::new(ContractId::new(CONTRACT).unwrap());
    square.ocpi(&square.ocpi_operator, None, Question::PutLocation(Box::new(samples::location()))).await.unwrap();
    square.ocpi(&square.ocpi_operator, Some(PROVIDER), Question::PutSession(Box::new(session))).await.unwrap();
    assert_eq!(square.direct_provider.basic(), format!("theirs:{token}"), "receiver first");
}

#[tokio::test]
async fn power_is_not_changed_over_ochpdirect_and_both_sides_hear_so_in_its_codes() {
    let square = Square::new().await;
    square.ocpi(&square.ocpi_operator, None, Question::PutLocation(Box::new(samples::location()))).await.unwrap();
    let Said::SelectEvse(selected) = square.direct(PROVIDER, Ask::SelectEvse(select())).await else { panic!() };
    let name = selected.direct.unwrap();
    let mut change = bridge::direct::control(name, DirectOperation::Change);
    change.max_power = Some("4.2".parse().unwrap());
    let Said::ControlEvse(said) = square.direct(PROVIDER, Ask::ControlEvse(change)).await else { panic!() };
    assert_eq!(said.result.code, DirectCode::NotSupported, "OCHPdirect, DirectResultCodeType: not-supported");
    assert!(square.ocpi_operator.desk.heard().is_empty(), "the operator is not bothered");

    let wish = charge::talk::road::ProfileWish::Clear;
    let order = OrderId::new("p-1").unwrap();
    let session = "OCH-1".parse().unwrap();
    let ask = Question::Profile(charge::talk::road::ProfileOrder { order, return_to: None, session, wish });
    let refused = square.ocpi(&square.ocpi_provider, Some(OPERATOR), ask).await;
    assert_eq!(refused, Err(charge::talk::road::RoadFault::Denied(Denial::NotSupported)));
    assert!(square.direct_operator.heard().is_empty());
}

impl Square {
    /// A room of ours whose clearing house is this hub.
    fn member(&self, id: &str, desk: &Arc<Desk>) -> ClearingHouse {
        let member = Member {
            party: party(id),
            url: format!("{}{PATH}", self.hub.base),
            live_url: None,
            endpoints_url: None,
            user: id.to_owned(),
            password: Secret::new("secret".to_owned()),
            tls: Arc::clone(&self.tls),
            local: true,
        };
        ClearingHouse::new(member, desk.clone(), Arc::new(SystemClock), Arc::new(SystemDice)).unwrap()
    }
}

#[tokio::test]
async fn rooms_of_ours_join_a_foreign_clearing_house() {
    let square = Square::new().await;
    let (operator_desk, provider_desk) = (Arc::new(Desk::default()), Arc::new(Desk::default()));
    let (operator, provider) = (square.member(OPERATOR, &operator_desk), square.member(PROVIDER, &provider_desk));
    let letter = |from: &str, question| {
        let correlation = CorrelationId::new("room-1").unwrap();
        Letter { from: party(from), to: None, correlation, question }
    };
    let put = letter(OPERATOR, Question::PutLocation(Box::new(location())));
    operator_desk.hear(put.clone()).await.unwrap();
    assert_eq!(operator.ask(put).await, Ok(Answer::Noted));
    let status = EvseStatus::Charging;
    let (place, evse) = (location().id, "DEOCHE1".parse().unwrap());
    let patch = Question::PatchEvse { location: place, evse, status, at: SystemClock.now() };
    assert_eq!(operator.ask(letter(OPERATOR, patch)).await, Ok(Answer::Noted));
    let Ok(Answer::Locations(page)) = provider.ask(letter(PROVIDER, Question::Locations(PageWish::default()))).await
    else {
        panic!("locations")
    };
    assert_eq!((page.total, &page.items[0].evses[0].uid), (1, &location().evses[0].uid));

    let mut token = order("x").token;
    (token.party, token.kind) = (party(PROVIDER), TokenKind::Rfid);
    token.uid = Personal::new(TokenUid::new(FOREIGN).unwrap());
    token.contract = Personal::new(ContractId::new(CONTRACT).unwrap());
    assert_eq!(provider.ask(letter(PROVIDER, Question::PutToken(Box::new(token)))).await, Ok(Answer::Noted));
    let tap = Question::MayCharge { token: self::token(FOREIGN) };
    let Ok(Answer::May(verdict)) = operator.ask(letter(OPERATOR, tap)).await else { panic!("a word") };
    assert_eq!((verdict.allowed, verdict.party), (Allowed::Yes, Some(party(PROVIDER))));

    let mut sent = cdr();
    sent.token.contract = verdict.contract.unwrap();
    let post = letter(OPERATOR, Question::PostCdr(Box::new(sent.clone())));
    assert_eq!(operator.ask(post.clone()).await, Ok(Answer::Kept(sent.id.clone())));
    assert_eq!(operator.ask(post).await, Ok(Answer::Kept(sent.id.clone())), "twice is once");
    let mut nowhere = sent.clone();
    (nowhere.id, nowhere.place.evse_id) = ("DEOCH8".parse().unwrap(), "DE*OCH*E9".parse().unwrap());
    operator.ask(letter(OPERATOR, Question::PostCdr(Box::new(nowhere)))).await.unwrap();
    assert_eq!(provider.collect().await, Ok(Collected { approved: 1, declined: 1, left: 0 }));
    assert_eq!(provider.collect().await, Ok(Collected::default()), "nothing waits any more");
    let [Question::PostCdr(heard)] = &provider_desk.heard().into_iter().map(|l| l.question).collect::<Vec<_>>()[..]
    else {
        panic!("one CDR")
    };
    assert_eq!((heard.total_cost.before_vat, heard.energy), (sent.total_cost.before_vat, sent.energy));
    let Said::CheckCdrs(declined) = square.operator(Ask::CheckCdrs(CdrsWanted { status: None })).await else {
        panic!()
    };
    assert_eq!(declined.cdrs[0].id.as_str(), "DEOCH8", "the operator hears of it");

    let stranger = Square::new().await;
    let wrong = stranger.member("DE-XXX", &operator_desk);
    let tap = Question::MayCharge { token: self::token(FOREIGN) };
    assert_eq!(wrong.ask(letter("DE-XXX", tap)).await, Err(charge::talk::road::RoadFault::Denied(Denial::NotYours)));
}
