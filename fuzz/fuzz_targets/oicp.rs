//! OICP, both halves. The first line says what the rest is: `ask PATH` and `answer PATH` are bodies of 2.3, `soap` is a
//! request of 2.0 and `soap-answer` the answer to one. What is read is written in its version and read again as the same;
//! what becomes a question is asked by ourselves in both versions and understood; every request can be refused.
#![no_main]

use std::sync::{Arc, LazyLock};

use charge::id::{EvseId, EvseUid, LocationId, PartyId};
use charge::money::Currency;
use charge::place::Location;
use charge::record::Cdr;
use charge::talk::road::{Denial, PageWish, Question, Wanted};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use libfuzzer_sys::fuzz_target;
use oicp::bridge::ask::{Toward, requests};
use oicp::bridge::hear::{Names, questions};
use oicp::bridge::{Beside, Place, Places, Rates, answer};
use oicp::message::{Reply, Request, read_answer, read_json_request, read_soap_request, write_answer, write_request};
use oicp::{Operation, Version, form, operation};
use samples::{location, now};

fuzz_target!(|data: &[u8]| {
    let Some(split) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(line), body) = (std::str::from_utf8(&data[..split]), &data[split + 1..]) else { return };
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "ask" => {
            let Some((operation, _id)) = operation::found(rest) else { return };
            request(Version::V23, operation, body);
        }
        "answer" => {
            let Some((operation, _id)) = operation::found(rest) else { return };
            reply(Version::V23, operation, body);
        }
        // the body names its operation
        "soap" => request(Version::V20, Operation::PullEvseData, body),
        "soap-answer" => {
            let text = String::from_utf8_lossy(body);
            let named = Version::V20.rows().iter().filter(|row| text.contains(row.answer.name));
            named.take(2).for_each(|row| reply(Version::V20, row.operation, body));
        }
        _ => {}
    }
});

struct Known(Option<Arc<Location>>);

impl Places for Known {
    fn by_id(&self, id: &EvseId) -> Option<Place> {
        let wanted = form::key(id.as_str());
        oicp::bridge::place::places(self.0.as_ref()?).find(|(key, _)| *key == wanted).map(|(_, place)| place)
    }

    fn by_uid(&self, _: Option<PartyId>, id: &LocationId, evse: Option<&EvseUid>) -> Option<Place> {
        let known = self.0.as_ref().filter(|known| known.id == *id)?;
        let at = evse.map_or(Some(0), |uid| known.evses.iter().position(|each| each.uid == *uid))?;
        Some(Place { location: Arc::clone(known), evse: at })
    }

    fn location(&self, owner: PartyId, id: &LocationId) -> Option<Arc<Location>> {
        self.0.clone().filter(|known| known.party == owner && known.id == *id)
    }
}

struct Agreed;

impl Rates for Agreed {
    fn rate(&self, _: Option<&str>, unrated: Cdr) -> Option<Cdr> {
        Some(unrated)
    }
}

static PLACE: LazyLock<Known> = LazyLock::new(|| Known(location().map(Arc::new)));

fn beside() -> Beside<'static> {
    let payer = PartyId::new("DE", "8AA").ok();
    Beside { now: now(), places: &*PLACE, rates: &Agreed, currency: Currency::EUR, payer, hotline: "+49731123456" }
}

fn read(version: Version, operation: Operation, body: &[u8]) -> Option<Request> {
    let read = match version {
        Version::V23 => read_json_request(operation, body),
        Version::V20 => read_soap_request(body),
    };
    read.ok().map(|read| read.value)
}

fn request(version: Version, operation: Operation, body: &[u8]) {
    let Some(request) = read(version, operation, body) else { return };
    written(version, &request);
    let refused = write_answer(version, request.operation, &answer::refusal(&request, &Denial::UnknownToken));
    assert!(refused.is_ok(), "a request that cannot be refused");
    let Ok(heard) = questions(&request, Names::default(), &beside()) else { return };
    let Ok(from) = PartyId::new("DE", "ABC") else { return };
    for question in &heard.value.questions {
        let Ok(asked) = requests(question, from, Toward::default(), &beside()) else { continue };
        for request in &asked.value {
            written(Version::V23, request);
            written(Version::V20, request);
        }
    }
}

/// What can be written is read again; in 2.3, where nothing is crossed on the way, as the same.
fn written(version: Version, request: &Request) {
    let Ok(text) = write_request(version, request) else { return };
    let again = read(version, request.operation, text.value.as_bytes());
    assert!(again.is_some(), "we ask what we do not understand");
    let strict = version == Version::V20 || again.as_ref().map(|again| &again.body) == reread(request).as_ref();
    assert!(strict, "a request changes when it is written");
}

/// The request in the order of its shape, as a reader gives it.
fn reread(request: &Request) -> Option<oicp::Record> {
    let row = Version::V23.row(request.operation)?;
    oicp::shape::read(row.request, oicp::Doc::Record(request.body.clone())).ok().map(|read| read.value)
}

fn reply(version: Version, operation: Operation, body: &[u8]) {
    let Ok(read) = read_answer(version, operation, body) else { return };
    let wish = PageWish::default();
    let Ok(uid) = TokenUid::new("04A2B3C4D5E6F7") else { return };
    let questions = [
        Question::MayCharge { token: PresentedToken::new(uid, TokenKind::Rfid) },
        Question::Locations(wish),
        Question::Tariffs(wish),
        Question::Fetch(Wanted::Cdrs(wish)),
        Question::Fetch(Wanted::Tokens(wish)),
    ];
    for question in &questions {
        let _told = answer::read(question, &read.value, &beside());
    }
    let Ok(text) = write_answer(version, operation, &read.value) else { return };
    let again = read_answer(version, operation, text.value.as_bytes());
    assert!(again.is_ok(), "we answer what we do not understand");
    let same = again.is_ok_and(|again| proper(&again.value) == proper(&read.value));
    assert!(same, "an answer changes its kind when it is written");
}

fn proper(reply: &Reply) -> bool {
    matches!(reply, Reply::Proper(_))
}
