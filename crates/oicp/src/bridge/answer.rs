//! Answers, written for who asked and read from who was asked.
//!
//! OICP answers an order with its outcome ([`Told::outcome`]) and an authorisation with a session. What a refusal is
//! called is [`crate::status`]'s table. Invariant: an unknown card and a card that is not for here differ in nothing but
//! what their provider said.

use charge::id::{AuthorizationReference, CdrId, PartyId};
use charge::place::{EvseStatus, Location};
use charge::record::Cdr;
use charge::talk::road::evses::{EvseFilter, IndexedEvse};
use charge::talk::road::{Answer, Denial, Found, OrderAck, OrderResult, Page, Question, RoadFault};
use charge::tariff::Tariff;
use charge::token::{Allowed, IssuedToken, Verdict};
use charge::{Personal, Purpose};

use super::{Beside, Place, cdr, place, tariff, token};
use crate::doc::{Crossed, Doc, Fault, Lost, Record};
use crate::form;
use crate::message::{Reply, Request};
use crate::operation::Operation;
use crate::status::Code;

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub answer: Answer,
    /// Set for orders: OICP has no callback.
    pub outcome: Option<OrderResult>,
    /// The broker's id of the session that began or ended.
    pub session: Option<String>,
    /// What the provider calls the session.
    pub partner: Option<String>,
}

/// An acknowledgement with the ids of the request.
pub fn acknowledgement(code: Code, why: Option<&str>, session: Option<&str>, request: &Record) -> Record {
    let copied = |name| request.text(name).map(str::to_owned);
    Record::default()
        .with("Result", code == Code::SUCCESS)
        .with("StatusCode", code.record(why))
        .maybe(
            "SessionID",
            session.map(str::to_owned).or_else(|| copied("SessionID")).filter(|id| form::is_session_id(id)),
        )
        .maybe("CPOPartnerSessionID", copied("CPOPartnerSessionID"))
        .maybe("EMPPartnerSessionID", copied("EMPPartnerSessionID"))
}

/// A refusal of whatever was asked. Authorisations have an answer of their own for it.
pub fn refusal(request: &Request, denial: &Denial) -> Reply {
    let kind = token::read(&request.body).map_or(charge::token::TokenKind::Rfid, |identified| identified.token.kind);
    match request.operation {
        Operation::AuthorizeStart | Operation::AuthorizeStop => {
            let code = match denial {
                Denial::UnknownToken => Code::of_allowed(Allowed::Unknown, kind),
                other => Code::of_denial(other),
            };
            Reply::Proper(refused(code, &request.body))
        }
        _other => {
            let why = match denial {
                Denial::Malformed { path, why } => Some(format!("{path} {why}")),
                Denial::Incomplete(what) => Some(what.to_string()),
                _plain => None,
            };
            let record = acknowledgement(Code::of_denial(denial), why.as_deref(), None, &request.body);
            match crate::operation::Version::V23.row(request.operation).map(|row| row.answer.name) {
                Some("eRoamingAcknowledgement") => Reply::Proper(record),
                Some(_) | None => Reply::Refusal(record),
            }
        }
    }
}

fn refused(code: Code, request: &Record) -> Record {
    let copied = |name| request.text(name).map(str::to_owned);
    Record::default()
        .maybe("SessionID", copied("SessionID"))
        .maybe("CPOPartnerSessionID", copied("CPOPartnerSessionID"))
        .maybe("EMPPartnerSessionID", copied("EMPPartnerSessionID"))
        .with("AuthorizationStatus", "NotAuthorized")
        .with("StatusCode", code.record(None))
}

/// The answer to a verdict's question. `session` is the broker's id, made for this authorisation.
pub fn authorisation(request: &Request, verdict: &Verdict, session: Option<&str>, lost: &mut Lost) -> Reply {
    let kind = token::read(&request.body).map_or(charge::token::TokenKind::Rfid, |identified| identified.token.kind);
    let code = Code::of_allowed(verdict.allowed, kind);
    if verdict.allowed != Allowed::Yes {
        return Reply::Proper(refused(code, &request.body));
    }
    let copied = |name| request.body.text(name).map(str::to_owned);
    let reference = verdict.reference.as_ref().map(AuthorizationReference::as_str).filter(|own| Some(*own) != session);
    let contract = verdict.contract.as_ref().and_then(|contract| form::evco_id(contract.reveal(Purpose::Transmit)));
    for (there, path) in [(verdict.energy_cap.is_some(), "/energy_cap"), (verdict.money_cap.is_some(), "/money_cap")] {
        if there {
            lost.push(Fault::new(path, "has no member in OICP"));
        }
    }
    let stop =
        |id| vec![Doc::from(Record::default().with("RemoteIdentification", Record::default().with("EvcoID", id)))];
    let stops = contract.filter(|_| request.operation == Operation::AuthorizeStart).map(stop);
    let session = session.map(str::to_owned).or_else(|| copied("SessionID"));
    Reply::Proper(
        Record::default()
            .maybe("SessionID", session)
            .maybe("CPOPartnerSessionID", copied("CPOPartnerSessionID"))
            .maybe("EMPPartnerSessionID", reference)
            .maybe("ProviderID", verdict.party.map(form::provider_id))
            .with("AuthorizationStatus", "Authorized")
            .with("StatusCode", code.record(None))
            .maybe("AuthorizationStopIdentifications", stops),
    )
}

/// The answer to an order: what became of it, else whether it was taken.
pub fn order(request: &Request, ack: OrderAck, outcome: Option<OrderResult>, session: Option<&str>) -> Reply {
    let code = match (ack, outcome) {
        (OrderAck::Accepted { .. }, Some(result)) => Code::of_result(result),
        (ack, _) => Code::of_ack(ack),
    };
    Reply::Proper(acknowledgement(code, None, session, &request.body))
}

/// Everything that is only acknowledged.
pub fn noted(request: &Request) -> Reply {
    Reply::Proper(acknowledgement(Code::SUCCESS, None, None, &request.body))
}

/// Which part of a list, counted in records (OICP 2.3, `page` and `size`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub number: u32,
    pub size: u32,
}

/// OICP 2.3, eRoamingPullEvseData: what is not said.
pub const PAGE_SIZE_DEFAULT: u32 = 20;

impl Part {
    /// The part that a query asks for, within the limits of the paper.
    pub fn of(page: Option<u32>, size: Option<u32>) -> Self {
        let most = u32::try_from(crate::v23::PAGE_RECORDS_MAX).unwrap_or(PAGE_SIZE_DEFAULT);
        Self { number: page.unwrap_or(0), size: size.unwrap_or(PAGE_SIZE_DEFAULT).clamp(1, most) }
    }

    /// How many records stand before this part.
    pub fn first(self) -> usize {
        usize::try_from(u64::from(self.number) * u64::from(self.size)).unwrap_or(usize::MAX)
    }

    /// How many records it has at most.
    pub fn most(self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }

    fn paged(self, all: Vec<Doc>) -> Record {
        let total = all.len();
        self.page(all.into_iter().skip(self.first()).take(self.most()).collect(), total)
    }

    /// The records of this part, of so many.
    fn page(self, content: Vec<Doc>, total: usize) -> Record {
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        let pages = total.div_ceil(self.size).max(1);
        let count = u32::try_from(content.len()).unwrap_or(u32::MAX);
        Record::default()
            .with("content", content)
            .with("number", self.number)
            .with("size", self.size)
            .with("totalElements", total)
            .with("last", self.number.saturating_add(1) >= pages)
            .with("totalPages", pages)
            .with("first", self.number == 0)
            .with("numberOfElements", count)
            .with("StatusCode", Code::SUCCESS.record(None))
    }
}

/// Which EVSEs a question for data is about.
pub fn data_filter(request: &Request) -> EvseFilter {
    let changed_since = request.body.time("LastCall");
    let gone = changed_since.is_none().then_some(EvseStatus::Removed);
    EvseFilter {
        owners: request.body.texts("OperatorIds").filter_map(form::party).collect(),
        countries: request.body.texts("CountryCodes").map(Into::into).collect(),
        changed_since,
        without: std::iter::once(EvseStatus::Planned).chain(gone).collect(),
    }
}

/// EVSE data: the records of these places, which are the part that is asked for, of so many. `lost`: whose document lost
/// what.
pub fn evse_data(
    request: &Request,
    places: &[Place],
    (part, total): (Part, u64),
    beside: &Beside<'_>,
    lost: &mut Vec<(PartyId, Fault)>,
) -> Reply {
    let since = request.body.time("LastCall");
    let mut content = Vec::new();
    for (location, evse) in places.iter().filter_map(|place| Some((&*place.location, place.evse()?))) {
        let delta = match (evse.status, since) {
            (EvseStatus::Removed, Some(_)) => Some("delete"),
            (_, Some(_)) => Some("update"),
            (_, None) => None,
        };
        let mut left = Lost::new();
        if let Some(record) = place::write_record(location, evse, beside.hotline, beside.now, &mut left) {
            content.push(Doc::from(of_operator(record.maybe("deltaType", delta), location)));
        }
        lost.extend(left.into_iter().map(|fault| (location.party, fault)));
    }
    Reply::Proper(part.page(content, usize::try_from(total).unwrap_or(usize::MAX)))
}

fn of_operator(record: Record, location: &Location) -> Record {
    let id = form::operator_id(location.party);
    let name: String = location.operator_name.as_deref().unwrap_or(&id).chars().take(100).collect();
    record.with("OperatorID", id).with("OperatorName", name)
}

/// One EVSE, as OICP 2.0 alone asks for it.
pub fn evse(place: &Place, beside: &Beside<'_>, lost: &mut Lost) -> Result<Reply, Denial> {
    let id = place.evse().and_then(|evse| evse.id.as_ref()).ok_or(Denial::UnknownLocation)?;
    let evse = place.location.evses.iter().find(|evse| evse.id.as_ref() == Some(id));
    let record = evse.and_then(|evse| place::write_record(&place.location, evse, beside.hotline, beside.now, lost));
    let record = record.ok_or(Denial::UnknownLocation)?;
    Ok(Reply::Proper(crate::cross::lower_one(record, lost)))
}

/// Which EVSEs a question for statuses is about, where it does not name them.
pub fn status_filter(request: &Request) -> EvseFilter {
    let owners = request.body.texts("OperatorID").filter_map(form::party).collect();
    EvseFilter { owners, without: vec![EvseStatus::Planned], ..EvseFilter::default() }
}

/// The statuses of the EVSEs that a request names; `known` are those that somebody published.
pub fn evse_status_by_id(request: &Request, known: &[IndexedEvse]) -> Reply {
    let asked = request.body.texts("EvseID").map(|id| {
        let key = form::key(id);
        let found = known.iter().find(|evse| *evse.key == *key);
        let found = found.and_then(|evse| place::status_record(evse.id.as_str(), evse.status));
        Doc::from(found.unwrap_or_else(|| Record::default().with("EvseID", id).with("EvseStatus", "EvseNotFound")))
    });
    let list = Record::default().with("EvseStatusRecord", asked.collect::<Vec<_>>());
    let success = Code::SUCCESS.record(None);
    Reply::Proper(Record::default().with("EVSEStatusRecords", list).with("StatusCode", success))
}

/// What each operator has, as it is put together.
#[derive(Debug, Default)]
pub struct Lists(Vec<(PartyId, Vec<Doc>)>);

impl Lists {
    /// They come in the order of their owners.
    fn add(&mut self, owner: PartyId, records: impl IntoIterator<Item = Doc>) {
        match self.0.last_mut().filter(|(last, _)| *last == owner) {
            Some((_, all)) => all.extend(records),
            None => self.0.push((owner, records.into_iter().collect())),
        }
    }

    /// An EVSE's status, where the request wants it. `lost`: whose word is the nearest one only.
    pub fn add_status(&mut self, request: &Request, evse: &IndexedEvse, lost: &mut Vec<(PartyId, Fault)>) {
        if matches!(evse.status, EvseStatus::Blocked | EvseStatus::Inoperative)
            && lost.last().is_none_or(|(owner, _)| *owner != evse.owner)
        {
            lost.push((evse.owner, Fault::new("/status", "is told as the nearest word that OICP has")));
        }
        let record = place::status_record(evse.id.as_str(), evse.status);
        let wanted = request.body.text("EvseStatus");
        let record = record.filter(|record| wanted.is_none_or(|wanted| record.text("EvseStatus") == Some(wanted)));
        self.add(evse.owner, record.map(Doc::from));
    }

    /// Which products the EVSEs of a location offer.
    pub fn add_pricing(&mut self, location: &Location) {
        if let Some(priced) = super::ask::evse_pricing(location) {
            self.add(location.party, priced.list("EVSEPricing").to_vec());
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|(_, records)| records.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn statuses(self) -> Reply {
        let lists = Record::default().with("OperatorEvseStatus", self.listed("EvseStatusRecord"));
        Reply::Proper(Record::default().with("EvseStatuses", lists).with("StatusCode", Code::SUCCESS.record(None)))
    }

    pub fn pricing(self) -> Reply {
        let lists = self.listed("EVSEPricing");
        Reply::Proper(Record::default().with("EVSEPricing", lists).with("StatusCode", Code::SUCCESS.record(None)))
    }

    fn listed(self, name: &'static str) -> Vec<Doc> {
        let list = |(party, records): (PartyId, Vec<Doc>)| {
            Doc::from(Record::default().with("OperatorID", form::operator_id(party)).with(name, records))
        };
        self.0.into_iter().map(list).collect()
    }
}

/// The tariffs that are products, operator by operator; the others are told.
pub fn products(tariffs: &[Tariff], lost: &mut Lost) -> Reply {
    let mut parties: Vec<PartyId> = tariffs.iter().map(|tariff| tariff.party).collect();
    parties.sort();
    parties.dedup();
    let mut lists = Vec::new();
    for party in parties {
        let own: Vec<&Tariff> = tariffs.iter().filter(|tariff| tariff.party == party).collect();
        tariff::write_data(party, &own, lost).map_or_else(|fault| lost.push(fault), |data| lists.push(Doc::from(data)));
    }
    Reply::Proper(Record::default().with("PricingProductData", lists).with("StatusCode", Code::SUCCESS.record(None)))
}

/// The CDRs of the asking provider; one that cannot be written is told and left out.
pub fn cdrs(page: &[Cdr], part: Part, lost: &mut Lost) -> Reply {
    let mut records = Vec::new();
    for each in page {
        match cdr::write(each, None, lost) {
            Ok(record) => records.push(Doc::from(record)),
            Err(denial) => lost.push(Fault::new("/content", format!("has a record that OICP cannot say: {denial:?}"))),
        }
    }
    Reply::Proper(part.paged(records))
}

/// CDRs that are kept as the documents they came as, in one page.
pub fn kept_cdrs(records: Vec<Record>, part: Part) -> Reply {
    Reply::Proper(part.paged(records.into_iter().map(Doc::from).collect()))
}

/// Tokens, for an operator of OICP 2.0 that may have them.
pub fn tokens(tokens: &[IssuedToken], lost: &mut Lost) -> Reply {
    Reply::Proper(token::write_all(tokens, lost).with("StatusCode", Code::SUCCESS.record(None)))
}

/// Reads the answer to a question of ours.
pub fn read(question: &Question, reply: &Reply, beside: &Beside<'_>) -> Result<Crossed<Told>, RoadFault> {
    let mut lost = Lost::new();
    let plain = |answer| Told { answer, outcome: None, session: None, partner: None };
    let value = match (question, reply) {
        (Question::MayCharge { token }, Reply::Proper(body)) => {
            let verdict = read_verdict(body, token, &mut lost).map_err(unreadable)?;
            let session = body.text("SessionID").map(str::to_owned);
            let partner = body.text("EMPPartnerSessionID").map(str::to_owned);
            Told { answer: Answer::May(verdict), outcome: None, session, partner }
        }
        (Question::Start(_) | Question::Stop { .. } | Question::Reservation(_), Reply::Proper(body)) => {
            let outcome = Code::of(body.record("StatusCode")).result().map_err(RoadFault::Denied)?;
            let session = body.text("SessionID").map(str::to_owned);
            let answer = Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 0 }, message: None };
            Told { answer, outcome: Some(outcome), session, partner: None }
        }
        (Question::PostCdr(cdr), Reply::Proper(body)) => {
            succeeded(body)?;
            plain(Answer::Kept(cdr.id.clone()))
        }
        (Question::Locations(_), Reply::Proper(body)) => {
            let items = place::read_page(body, beside, &mut lost);
            plain(Answer::Locations(page(items, body, &lost)))
        }
        (Question::Tariffs(_), Reply::Proper(body)) => {
            let mut items = Vec::new();
            for data in body.records("PricingProductData") {
                match tariff::read_data(data, beside.now, &mut lost) {
                    Ok(tariffs) => items.extend(tariffs),
                    Err(fault) => lost.push(fault),
                }
            }
            plain(Answer::Tariffs(page(items, body, &lost)))
        }
        (Question::Fetch(_), Reply::Proper(body)) => {
            let mut items = Vec::new();
            for record in body.records("content") {
                match cdr::read(record, beside, &mut lost) {
                    Ok(cdr) => items.push(cdr),
                    Err(denial) => {
                        lost.push(Fault::new("/content", format!("has a record that cannot be read: {denial:?}")))
                    }
                }
            }
            plain(Answer::Found(Box::new(Found::Cdrs(page(items, body, &lost)))))
        }
        (_, Reply::Proper(body)) => {
            succeeded(body)?;
            plain(Answer::Noted)
        }
        (_, Reply::Refusal(body)) => return Err(Code::of(body.record("StatusCode")).fault()),
    };
    Ok(Crossed { value, lost })
}

/// Whether an acknowledgement says yes.
pub fn succeeded(body: &Record) -> Result<(), RoadFault> {
    let code = Code::of(body.record("StatusCode"));
    let said = body.flag("Result").unwrap_or(code == Code::SUCCESS);
    if said && code == Code::SUCCESS { Ok(()) } else { Err(code.fault()) }
}

/// A page with the offset of the next one, in locations as far as is known.
fn page<T>(items: Vec<T>, body: &Record, lost: &Lost) -> Page<T> {
    let number = |name: &str| body.number(name).and_then(|number| u32::try_from(number).ok());
    let total = number("totalElements").or_else(|| u32::try_from(items.len()).ok()).unwrap_or(0);
    let last = body.flag("last").unwrap_or(true);
    let next = number("number").zip(number("size")).map(|(number, size)| (number + 1).saturating_mul(size));
    Page { items, total, next: next.filter(|_| !last), complaints: lost.iter().map(ToString::to_string).collect() }
}

/// A yes names its provider; the contract stands among the identifications that may stop.
fn read_verdict(body: &Record, asked: &charge::token::PresentedToken, lost: &mut Lost) -> Result<Verdict, Fault> {
    let code = Code::of(body.record("StatusCode"));
    if body.text("AuthorizationStatus") != Some("Authorized") {
        let mut verdict = Verdict::bare(match code {
            Code::SUCCESS => Allowed::NotHere,
            code => code.allowed(),
        });
        verdict.party = body.word("ProviderID").ok();
        return Ok(verdict);
    }
    let stops = body.records("AuthorizationStopIdentifications").filter_map(|each| token::read_one(each).ok());
    let contract = stops.filter_map(|each| each.contract).next();
    let contract = token::contract_or_uid(contract, &asked.uid, lost)?;
    let party = body.word("ProviderID").ok().or_else(|| contract.party());
    let reference = body.text("SessionID").and_then(|id| AuthorizationReference::new(id).ok());
    Ok(Verdict { contract: Some(Personal::new(contract)), party, reference, ..Verdict::bare(Allowed::Yes) })
}

fn unreadable(fault: Fault) -> RoadFault {
    RoadFault::Unreadable(fault.to_string().into())
}

/// The id under which a record of OICP is kept: one per session.
pub fn cdr_id(body: &Record) -> Option<CdrId> {
    CdrId::new(body.text("SessionID")?).ok()
}
