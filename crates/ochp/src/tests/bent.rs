//! Every message with every one of its parts missing, doubled or bent: it is read or refused, never worse, and what is
//! read can be written, read again and carried over.

use soap::Element;

use crate::bridge;
use crate::bridge::record::Beside;
use crate::message::{Request, Response};
use crate::samples::{self, now, operator, provider};

/// What peers put where something else belongs.
const BENT: [&str; 8] =
    ["", "x", "-1", "1E30", "999999999999", "2026-02-30T25:61:00Z", "2026-11-22T15:00:00+99:99", "🚗"];

fn count(element: &Element) -> usize {
    1 + element.children.iter().map(count).sum::<usize>()
}

/// The `at`-th element below, with its parent.
fn with(element: &mut Element, at: &mut usize, act: &mut dyn FnMut(&mut Element, usize)) {
    for index in 0..element.children.len() {
        if *at == 0 {
            act(element, index);
            *at = usize::MAX;
            return;
        }
        *at -= 1;
        with(&mut element.children[index], at, act);
        if *at == usize::MAX {
            return;
        }
    }
}

fn variants(whole: &Element) -> Vec<Element> {
    let mut all = Vec::new();
    for at in 0..count(whole) - 1 {
        let mut bend = |act: &mut dyn FnMut(&mut Element, usize)| {
            let mut bent = whole.clone();
            with(&mut bent, &mut { at }, act);
            all.push(bent);
        };
        bend(&mut |parent, index| drop(parent.children.remove(index)));
        bend(&mut |parent, index| parent.children.push(parent.children[index].clone()));
        for text in BENT {
            bend(&mut |parent, index| {
                let child = &mut parent.children[index];
                for (_, value) in &mut child.attributes {
                    *value = text.to_owned();
                }
                if child.children.is_empty() {
                    child.text = text.to_owned();
                }
            });
        }
    }
    all
}

/// Over the border, whatever it says.
fn carry(request: &Request) {
    let location = samples::location();
    match request {
        Request::AddCdrs(cdrs) => {
            for info in &cdrs.cdrs {
                let beside = Beside { operator: operator(), payer: provider(), location: &location, now: now() };
                if let Ok(crossed) = bridge::record::cdr(info, beside) {
                    let back = bridge::record::cdr_info(&crossed.value, None);
                    assert!(back.is_ok(), "{back:?}");
                }
            }
        }
        Request::SetChargePoints(points) => {
            let _location = bridge::place::location(&points.points, operator(), now());
        }
        Request::UpdateTariffs(tariffs) => {
            for info in &tariffs.tariffs {
                let _tariff = bridge::tariff::tariff(info, None, now());
            }
        }
        Request::SetTokens(tokens) => {
            for entry in &tokens.tokens {
                let _token = bridge::token::issued(entry, provider(), now());
            }
        }
        _other => {}
    }
}

#[test]
fn bent_messages_are_read_or_refused_and_never_worse() {
    let mut read = 0;
    for (request, response) in samples::all() {
        for bent in variants(&request.write().unwrap()) {
            let Ok(heard) = Request::read(&bent) else { continue };
            carry(&heard.said);
            // a list whose only item was refused cannot be written: the schema wants one
            let Ok(again) = heard.said.write() else { continue };
            assert_eq!(Request::read(&again).unwrap().said, heard.said);
            read += 1;
        }
        for bent in variants(&response.write().unwrap()) {
            let Ok(heard) = Response::read(response.operation(), &bent) else { continue };
            let Ok(again) = heard.said.write() else { continue };
            assert_eq!(Response::read(response.operation(), &again).unwrap().said, heard.said);
        }
    }
    assert!(read > 500, "most bent messages are still understood: {read}");
}
