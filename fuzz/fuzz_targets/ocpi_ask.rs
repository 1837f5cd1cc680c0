//! A request of a partner: `VERSION METHOD module side path?query`, a line feed, the body. What is understood is asked
//! again by ourselves in each version; what we write in the version of our readers has to be understood again.
#![no_main]

use charge::id::{CorrelationId, OrderId, PartyId};
use charge::talk::road::{Letter, Question};
use libfuzzer_sys::fuzz_target;
use ocpi::ask::{Toward, request};
use ocpi::cross::{Beside, body};
use ocpi::wire::{Incoming, Method, Module, Side, Target};
use ocpi::{Version, hear};

fuzz_target!(|data: &[u8]| {
    let Some(split) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(line), sent) = (std::str::from_utf8(&data[..split]), &data[split + 1..]) else { return };
    let Some(incoming) = incoming(line) else { return };
    let party = PartyId::new("DE", "ABC").ok();
    let beside = Beside { owner: party, payer: party, ..Beside::default() };
    for to in Version::ALL {
        let _crossed = body(incoming.version, to, incoming.kind, sent, beside);
    }
    let _place = hear::session_location(sent);
    let _address = hear::with_return_address(sent, "https://hub.example/1");
    let Ok(doc) = hear::body(sent) else { return };
    let _payer = hear::payer(&incoming, &doc);
    let Ok(value) = hear::lifted(&incoming, doc, beside) else { return };
    let Some(question) = question(&incoming, &value.value) else { return };
    for version in Version::ALL {
        again(version, question.clone());
    }
});

fn incoming(line: &str) -> Option<Incoming> {
    let mut words = line.split(' ');
    let version = Version::named(words.next()?)?;
    let method = match words.next()? {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return None,
    };
    let module = Module::named(words.next()?)?;
    let side = if words.next()? == "sender" { Side::Sender } else { Side::Receiver };
    let (path, query) = words.next()?.split_once('?').unwrap_or_default();
    Incoming::new(version, method, (module, side), path, query).ok()
}

fn question(incoming: &Incoming, value: &ocpi::Doc) -> Option<Question> {
    let here = PartyId::new("DE", "ABC").ok()?;
    let crossed = hear::question(incoming, value, here, &|_| OrderId::new("o1").ok()).ok()?;
    Some(crossed.value)
}

fn again(version: Version, question: Question) {
    let (Ok(from), Ok(correlation)) = (PartyId::new("DE", "ABC"), CorrelationId::new("c1")) else { return };
    let letter = Letter { from, to: None, correlation, question };
    let toward = Toward { version, base: "https://a.example", place: None };
    let Ok(crossed) = request(&letter, toward) else { return };
    let (request, whole) = (crossed.value, crossed.lost.is_empty());
    let Target::Endpoint { module, side, rest } = &request.target else { return };
    let read = Incoming::new(version, request.method, (*module, *side), rest, &request.query);
    let understood = read.ok().and_then(|incoming| {
        let sent = request.body.as_deref().unwrap_or_default();
        let beside = Beside { owner: Some(from), payer: Some(from), ..Beside::default() };
        question_of(&incoming, sent, beside)
    });
    assert!(version != Version::V221 || !whole || understood.is_some(), "we ask what we do not understand");
}

fn question_of(incoming: &Incoming, sent: &str, beside: Beside<'_>) -> Option<Question> {
    let value = hear::lifted(incoming, hear::body(sent.as_bytes()).ok()?, beside).ok()?;
    question(incoming, &value.value)
}
