//! Answers of a peer: the first line is a message that is sent in our own words, the others are payloads that come
//! back, to an order (by a station) and to a message (by an operator).
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocpp::{Limits, csms, station};
use samples::{assert_frame, now, versioned};

fuzz_target!(|data: &[u8]| {
    let Some((version, text)) = versioned(data) else { return };
    let Some((asked, payloads)) = text.split_once('\n') else { return };
    let (mut engine, mut pole) =
        (csms::Engine::new(version, Limits::default()), station::Engine::new(version, Limits::default()));
    let (mut heard, mut told) = (Vec::new(), Vec::new());
    csms::Engine::new(version, Limits::default()).receive(now(), asked, &mut heard);
    station::Engine::new(version, Limits::default()).receive(now(), asked, &mut told);
    let mut sent = 0;
    for event in heard {
        if let csms::Event::Asked { said, .. } = event {
            pole.say(now(), 1, said, "m1".to_owned(), &mut Vec::new());
            sent += 1;
        }
    }
    for event in told {
        if let station::Event::Told { order, .. } = event {
            engine.order(now(), 1, order, "m1".to_owned(), &mut Vec::new());
            sent += 1;
        }
    }
    if sent == 0 {
        return;
    }
    for (part, payload) in payloads.split('\n').take(8).enumerate() {
        // an order of several messages goes on under "m1+1" and so on
        let id = if part == 0 { "m1".to_owned() } else { format!("m1+{part}") };
        let frame = format!("[3,\"{id}\",{payload}]");
        let mut out = Vec::new();
        engine.receive(now(), &frame, &mut out);
        for event in &out {
            if let csms::Event::Send(text) = event {
                assert_frame(text);
            }
        }
        let mut out = Vec::new();
        pole.receive(now(), &frame, &mut out);
        for event in &out {
            if let station::Event::Send(text) = event {
                assert_frame(text);
            }
        }
    }
});
