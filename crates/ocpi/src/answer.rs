//! Answers: written into an envelope with its headers, and read out of one.

use charge::Timestamp;
use charge::id::{CdrId, PartyId};
use charge::talk::road::{Answer, Denial, Found, PAGE_BYTES_MAX, Page, PageWish, RoadFault, Wanted};
use charge::token::{Allowed, Verdict};

use crate::ask::{Asked, page_query};
use crate::cross::{self, Beside, Noun};
use crate::read::{At, Crossed, DEPTH_MAX, Fault, Lost, parse};
use crate::status::{MORE_NEEDED, Opened, code_of, open, refusal, success};
use crate::versions::Version;
use crate::wire::{LIMIT, LINK, LOCATION, Module, Reply, Side, TOTAL};
use crate::write::Doc;
use crate::{booking, cdr, command, location, session, tariff, token, url};

/// Who answers, and under which address.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    pub party: PartyId,
    /// Such as `https://operator.example`.
    pub base: &'a str,
    pub now: Timestamp,
    /// What the asker speaks.
    pub version: Version,
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
            let mut data = token::write_verdict(token, verdict, by.party, by.now, lost)?;
            cross::lower(by.version, Noun::Verdict, &mut data, Beside::default(), lost)?;
            Ok(success(Some(data), by.now))
        }
        (Asked::Order, Answer::Order { ack, message }) => {
            Ok(success(Some(command::write_ack(*ack, message.as_deref(), lost)), by.now))
        }
        (Asked::Cdr(_), Answer::Kept(id)) => {
            let mut reply = success(None, by.now);
            reply.headers.push((LOCATION, cdr_url(by.base, by.version, id.as_str())));
            Ok(reply)
        }
        (Asked::Locations(wish), Answer::Locations(page)) => {
            let items = page.items.iter().map(|item| Ok(location::write(item, lost))).collect::<Vec<_>>();
            list(items, (Module::Locations, Noun::Location), (*wish, page.total, page.next), by, lost)
        }
        (Asked::Tariffs(wish), Answer::Tariffs(page)) => {
            let items = page.items.iter().map(|item| Ok(tariff::write(item, lost))).collect::<Vec<_>>();
            list(items, (Module::Tariffs, Noun::Tariff), (*wish, page.total, page.next), by, lost)
        }
        (Asked::Fetch(wanted, below), Answer::Found(found)) => write_found(asked, wanted, below, found, by, lost),
        (Asked::Notice, Answer::Noted) => Ok(success(None, by.now)),
        (Asked::Booking(asked), Answer::Booking(answer)) => booking::answer(asked, answer, by, lost),
        // a desk that answers another question than the one it heard
        (
            Asked::MayCharge(_)
            | Asked::Order
            | Asked::Cdr(_)
            | Asked::Locations(_)
            | Asked::Tariffs(_)
            | Asked::Fetch(..)
            | Asked::Booking(_)
            | Asked::Notice,
            Answer::May(_)
            | Answer::Order { .. }
            | Answer::Kept(_)
            | Answer::Noted
            | Answer::Locations(_)
            | Answer::Tariffs(_)
            | Answer::Found(_)
            | Answer::Booking(_),
        ) => Err(Denial::Internal),
    }
}

/// One object, or a list of the asker's own.
fn write_found(
    asked: &Asked,
    wanted: &Wanted,
    below: &[String],
    found: &Found,
    by: Answering<'_>,
    lost: &mut Lost,
) -> Result<Reply, Denial> {
    match (wanted, found) {
        (Wanted::Sessions(wish), Found::Sessions(page)) => {
            let items = page.items.iter().map(|item| session::write(item, lost)).collect();
            list(items, (Module::Sessions, Noun::Session), (*wish, page.total, page.next), by, lost)
        }
        (Wanted::Cdrs(wish), Found::Cdrs(page)) => {
            let items = page.items.iter().map(|item| cdr::write(item, lost)).collect();
            list(items, (Module::Cdrs, Noun::Cdr), (*wish, page.total, page.next), by, lost)
        }
        (Wanted::Tokens(wish), Found::Tokens(page)) => {
            let items = page.items.iter().map(|item| token::write(item, lost)).collect();
            list(items, (Module::Tokens, Noun::Token), (*wish, page.total, page.next), by, lost)
        }
        (_, Found::Location(_) | Found::Tariff(_) | Found::Session(_) | Found::Cdr(_) | Found::Token(_)) => {
            let mut data = parse(crate::patch::picked(&document(found, lost)?, below)?.as_bytes())?;
            cross::lower(by.version, asked.noun(), &mut data, Beside::default(), lost)?;
            Ok(success(Some(data), by.now))
        }
        (_, Found::Sessions(_) | Found::Cdrs(_) | Found::Tokens(_)) => Err(Denial::Internal),
    }
}

/// One object as a document of 2.2.1; lists are none.
pub fn document(found: &Found, lost: &mut Lost) -> Result<String, Denial> {
    let json = match found {
        Found::Location(location) => location::write(location, lost),
        Found::Tariff(tariff) => tariff::write(tariff, lost),
        Found::Session(session) => session::write(session, lost)?,
        Found::Cdr(cdr) => cdr::write(cdr, lost)?,
        Found::Token(token) => token::write(token, lost)?,
        Found::Sessions(_) | Found::Cdrs(_) | Found::Tokens(_) => return Err(Denial::Internal),
    };
    Ok(json.to_string())
}

/// A page. What the asker's version cannot carry is left out and told: one object must not cost the page.
fn list(
    items: Vec<Result<Doc, Fault>>,
    (module, noun): (Module, Noun),
    (wish, total, mut next): (PageWish, u32, Option<u32>),
    by: Answering<'_>,
    lost: &mut Lost,
) -> Result<Reply, Denial> {
    let (mut data, mut bytes) = (Vec::new(), 0);
    for (given, item) in (0..).zip(items) {
        bytes += item.as_ref().map_or(0, |item| item.to_string().len());
        if bytes > PAGE_BYTES_MAX && given > 0 {
            // the others come with the next page
            next = Some(wish.offset.saturating_add(given));
            break;
        }
        let crossed = item.and_then(|mut item| {
            cross::lower(by.version, noun, &mut item, Beside::default(), lost)?;
            Ok(item)
        });
        crossed.map_or_else(|fault| lost.push(fault), |item| data.push(item));
    }
    Ok(paged(success(Some(Doc::List(data)), by.now), module, wish, total, next, (by.base, by.version)))
}

/// Whether whoever answered a tap knows the token: it gave its word on it, or wants the place before it does
/// (OCPI 2.2.1, 12.2.2.2: status code 2002).
pub fn knows_token(reply: &Reply) -> bool {
    match code_of(reply.body.as_bytes()) {
        Some(1000..2000) => reply.http < 300,
        Some(code) => code == MORE_NEEDED,
        None => false,
    }
}

/// Whether whoever answered a tap lets it charge (OCPI 2.2.1, 12.3.1 `allowed`). Read off without the rest of the document.
pub fn allows(reply: &Reply) -> bool {
    let said = || document::member(reply.body.as_bytes(), DEPTH_MAX, "data");
    let word = said().and_then(|data| document::member(data.as_bytes(), DEPTH_MAX, "allowed"));
    knows_token(reply) && word.is_some_and(|word| word == "\"ALLOWED\"")
}

/// The URL of a kept CDR, below our own base.
pub fn cdr_url(base: &str, version: Version, id: &str) -> String {
    format!("{}/{}", url::endpoint(base, version, Module::Cdrs, Side::Receiver), url::encode(id))
}

/// Adds the headers of a page (OCPI 2.2.1, 4.1.3.2). The link keeps the filter of the question.
pub fn paged(
    reply: Reply,
    module: Module,
    wish: PageWish,
    total: u32,
    next: Option<u32>,
    (base, version): (&str, Version),
) -> Reply {
    let link = next.map(|offset| {
        let query = page_query(PageWish { offset, ..wish });
        format!("{}?{query}", url::endpoint(base, version, module, Side::Sender))
    });
    page_headers(reply, total, wish.limit, link)
}

/// The same, with the link to the next page as it is.
pub(crate) fn page_headers(mut reply: Reply, total: u32, limit: u32, next: Option<String>) -> Reply {
    reply.headers.push((TOTAL, total.to_string()));
    reply.headers.push((LIMIT, limit.to_string()));
    if let Some(link) = next {
        reply.headers.push((LINK, format!("<{link}>; rel=\"next\"")));
    }
    reply
}

/// The objects of a list, each as it came.
pub fn listed(reply: &Reply) -> Result<Vec<String>, Denial> {
    let envelope = parse(reply.body.as_bytes())?;
    let data = envelope.as_record().and_then(|envelope| envelope.get("data"));
    let items = data.and_then(Doc::as_list).ok_or(Denial::ReceiverUnreachable)?;
    Ok(items.iter().map(ToString::to_string).collect())
}

/// Who answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    pub version: Version,
    /// What 2.1.1 leaves out: whose objects these are, and who pays.
    pub beside: Beside<'a>,
}

/// The answer in a response.
pub fn read(asked: &Asked, reply: &Reply, answered: Answered<'_>) -> Result<Crossed<Answer>, RoadFault> {
    let mut data = match open(reply.http, parse(reply.body.as_bytes())).map_err(unreadable)? {
        Opened::Success(data) => data,
        // "nobody knows this token" is an answer to the question whether it may charge
        Opened::Refused(Denial::UnknownToken) if matches!(asked, Asked::MayCharge(_)) => {
            let value = Answer::May(Verdict::bare(Allowed::Unknown));
            return Ok(Crossed { value, lost: Lost::new() });
        }
        Opened::Refused(denial) => return Err(RoadFault::Denied(denial)),
    };
    let mut lost = Lost::new();
    lift(asked.noun(), &mut data, answered, &mut lost).map_err(unreadable)?;
    let value = read_data(asked, &data, reply, &mut lost).map_err(unreadable)?;
    Ok(Crossed { value, lost })
}

/// The data as that of 2.2.1. An item of a list that cannot be lifted is left out and told.
fn lift(noun: Noun, data: &mut Doc, answered: Answered<'_>, lost: &mut Lost) -> Result<(), Fault> {
    let Answered { version, beside } = answered;
    if noun == Noun::Plain {
        return Ok(());
    }
    if let Doc::List(items) = data {
        items.retain_mut(|item| {
            let lifted = cross::lift(version, noun, item, beside, lost);
            lifted.map_err(|fault| lost.push(fault)).is_ok()
        });
        return Ok(());
    }
    cross::lift(version, noun, data, beside, lost)
}

fn read_data(asked: &Asked, data: &Doc, reply: &Reply, lost: &mut Lost) -> Result<Answer, Fault> {
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
        Asked::Fetch(wanted, _) => Answer::Found(Box::new(read_found(wanted, &at, reply, lost)?)),
        Asked::Booking(asked) => booking::read_answer(asked, &at, reply, lost)?,
        Asked::Notice => Answer::Noted,
    })
}

fn read_found(wanted: &Wanted, at: &At<'_>, reply: &Reply, lost: &mut Lost) -> Result<Found, Fault> {
    Ok(match wanted {
        Wanted::Sessions(wish) => Found::Sessions(page(at, *wish, reply, lost, session::read)?),
        Wanted::Cdrs(wish) => Found::Cdrs(page(at, *wish, reply, lost, cdr::read)?),
        Wanted::Tokens(wish) => Found::Tokens(page(at, *wish, reply, lost, token::read)?),
        Wanted::Location { .. } => Found::Location(location::read(at, lost)?),
        Wanted::Tariff { .. } => Found::Tariff(tariff::read(at, lost)?),
        Wanted::Session { .. } => Found::Session(session::read(at, lost)?),
        Wanted::Cdr { .. } => Found::Cdr(Box::new(cdr::read(at, lost)?)),
        Wanted::Token { .. } => Found::Token(token::read(at, lost)?),
    })
}

/// One unreadable object is a complaint; the rest of the page stands.
pub(crate) fn page<T>(
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

/// The raw query of a link to the next page.
pub fn linked_query(link: &str) -> Option<&str> {
    let next = link.split(',').find(|part| part.contains("next"))?;
    let url = next.split_once('<')?.1.split_once('>')?.0;
    Some(url.split_once('?')?.1)
}

/// The offset in the link to the next page. One that does not lead on would go round in circles.
fn next_offset(reply: &Reply, from: u32) -> Option<u32> {
    let pairs = url::pairs(linked_query(reply.header(LINK)?)?)?;
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
