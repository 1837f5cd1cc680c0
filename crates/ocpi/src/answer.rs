//! Answers: written into an envelope with its headers, and read out of one.

use charge::Timestamp;
use charge::id::{CdrId, PartyId};
use charge::talk::road::{Answer, Denial, Page, PageWish, RoadFault};
use charge::token::{Allowed, Verdict};
use serde_json::Value;

use crate::ask::{Asked, page_query};
use crate::read::{At, Crossed, Fault, Lost, parse};
use crate::status::{Opened, open, refusal, success};
use crate::wire::{LIMIT, LINK, LOCATION, Module, Reply, Side, TOTAL};
use crate::write::Json;
use crate::{command, location, tariff, token, url};

/// Who answers, and under which address.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    pub party: PartyId,
    /// Such as `https://operator.example`.
    pub base: &'a str,
    pub now: Timestamp,
}

/// The response to a question.
pub fn write(asked: &Asked, result: Result<Answer, Denial>, answering: Answering<'_>) -> Crossed<Reply> {
    let mut lost = Lost::new();
    let reply = result.and_then(|answer| write_answer(asked, &answer, answering, &mut lost));
    let value = reply.unwrap_or_else(|denial| refusal(&denial, answering.now));
    Crossed { value, lost }
}

fn write_answer(asked: &Asked, answer: &Answer, by: Answering<'_>, lost: &mut Lost) -> Result<Reply, Denial> {
    match (asked, answer) {
        (Asked::MayCharge(token), Answer::May(verdict)) => {
            Ok(success(Some(token::write_verdict(token, verdict, by.party, by.now, lost)?), by.now))
        }
        (Asked::Order, Answer::Order { ack, message }) => {
            Ok(success(Some(command::write_ack(*ack, message.as_deref(), lost)), by.now))
        }
        (Asked::Cdr(_), Answer::Kept(id)) => {
            let mut reply = success(None, by.now);
            reply.headers.push((LOCATION, cdr_url(by.base, id.as_str())));
            Ok(reply)
        }
        (Asked::Locations(wish), Answer::Locations(page)) => {
            let items = page.items.iter().map(|item| location::write(item, lost)).collect();
            let reply = success(Some(Json::List(items)), by.now);
            Ok(paged(reply, Module::Locations, *wish, page.total, page.next, by.base))
        }
        (Asked::Tariffs(wish), Answer::Tariffs(page)) => {
            let items = page.items.iter().map(|item| tariff::write(item, lost)).collect();
            let reply = success(Some(Json::List(items)), by.now);
            Ok(paged(reply, Module::Tariffs, *wish, page.total, page.next, by.base))
        }
        (Asked::Notice, Answer::Noted) => Ok(success(None, by.now)),
        // a desk that answers another question than the one it heard
        (
            Asked::MayCharge(_)
            | Asked::Order
            | Asked::Cdr(_)
            | Asked::Locations(_)
            | Asked::Tariffs(_)
            | Asked::Notice,
            Answer::May(_)
            | Answer::Order { .. }
            | Answer::Kept(_)
            | Answer::Noted
            | Answer::Locations(_)
            | Answer::Tariffs(_),
        ) => Err(Denial::Internal),
    }
}

/// The URL of a kept CDR, below our own base.
pub fn cdr_url(base: &str, id: &str) -> String {
    format!("{}/{}", url::endpoint(base, Module::Cdrs, Side::Receiver), url::encode(id))
}

/// Adds the headers of a page (OCPI 2.2.1, 4.1.3.2). The link keeps the filter of the question.
pub fn paged(mut reply: Reply, module: Module, wish: PageWish, total: u32, next: Option<u32>, base: &str) -> Reply {
    reply.headers.push((TOTAL, total.to_string()));
    reply.headers.push((LIMIT, wish.limit.to_string()));
    if let Some(offset) = next {
        let query = page_query(PageWish { offset, ..wish });
        let endpoint = url::endpoint(base, module, Side::Sender);
        reply.headers.push((LINK, format!("<{endpoint}?{query}>; rel=\"next\"")));
    }
    reply
}

/// The answer in a response.
pub fn read(asked: &Asked, reply: &Reply) -> Result<Crossed<Answer>, RoadFault> {
    let data = match open(reply.http, parse(reply.body.as_bytes())).map_err(unreadable)? {
        Opened::Success(data) => data,
        // "nobody knows this token" is an answer to the question whether it may charge
        Opened::Refused(Denial::UnknownToken) if matches!(asked, Asked::MayCharge(_)) => {
            let value = Answer::May(Verdict::bare(Allowed::Unknown));
            return Ok(Crossed { value, lost: Lost::new() });
        }
        Opened::Refused(denial) => return Err(RoadFault::Denied(denial)),
    };
    let mut lost = Lost::new();
    let value = read_data(asked, &data, reply, &mut lost).map_err(unreadable)?;
    Ok(Crossed { value, lost })
}

fn read_data(asked: &Asked, data: &Value, reply: &Reply, lost: &mut Lost) -> Result<Answer, Fault> {
    let at = At::below(data, "/data".to_owned());
    Ok(match asked {
        Asked::MayCharge(_) => {
            let verdict = token::read_verdict(&at)?;
            lost.extend(verdict.lost);
            Answer::May(verdict.value)
        }
        Asked::Order => {
            let (ack, message) = command::read_ack(&at, lost)?;
            Answer::Order { ack, message }
        }
        Asked::Cdr(posted) => Answer::Kept(kept_id(reply).unwrap_or_else(|| posted.clone())),
        Asked::Locations(wish) => Answer::Locations(page(&at, *wish, reply, lost, location::read)?),
        Asked::Tariffs(wish) => Answer::Tariffs(page(&at, *wish, reply, lost, tariff::read)?),
        Asked::Notice => Answer::Noted,
    })
}

/// One unreadable object is a complaint; the rest of the page stands.
fn page<T>(
    at: &At<'_>,
    wish: PageWish,
    reply: &Reply,
    lost: &mut Lost,
    read: impl Fn(&At<'_>, &mut Lost) -> Result<T, Fault>,
) -> Result<Page<T>, Fault> {
    let raw = at.items()?;
    let (mut items, mut complaints) = (Vec::new(), Vec::new());
    for item in &raw {
        match read(item, lost) {
            Ok(item) => items.push(item),
            Err(fault) => complaints.push(fault.to_string()),
        }
    }
    let came = u32::try_from(raw.len()).unwrap_or(u32::MAX);
    let total = reply.header(TOTAL).and_then(|total| total.trim().parse().ok());
    let after = wish.offset.saturating_add(came);
    Ok(Page { items, total: total.unwrap_or(after), next: next_offset(reply, wish.offset), complaints })
}

/// The offset in the link to the next page. One that does not lead on would go round in circles.
fn next_offset(reply: &Reply, from: u32) -> Option<u32> {
    let link = reply.header(LINK)?;
    let next = link.split(',').find(|part| part.contains("next"))?;
    let url = next.split_once('<')?.1.split_once('>')?.0;
    let pairs = url::pairs(url.split_once('?')?.1)?;
    let offset = pairs.iter().find(|(name, _)| name == "offset")?.1.parse().ok()?;
    (offset > from).then_some(offset)
}

fn kept_id(reply: &Reply) -> Option<CdrId> {
    let last = reply.header(LOCATION)?.trim_end_matches('/').rsplit_once('/')?.1;
    CdrId::new(url::decode(last)?).ok()
}

fn unreadable(fault: Fault) -> RoadFault {
    RoadFault::Unreadable(fault.to_string().into())
}
