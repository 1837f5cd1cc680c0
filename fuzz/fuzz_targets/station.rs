//! The station's end of a connection: any frames of an operator, one a line; each order is answered, and what was
//! understood is ordered again by an operator of ours and has to be understood again.
#![no_main]

use charge::talk::line::{StationAnswer, ToStation, Version};
use libfuzzer_sys::fuzz_target;
use ocpp::{Limits, csms, station};
use samples::{assert_frame, now, versioned};

fuzz_target!(|data: &[u8]| {
    let Some((version, text)) = versioned(data) else { return };
    let mut engine = station::Engine::new(version, Limits::default());
    for frame in text.split('\n').take(16) {
        let mut out = Vec::new();
        engine.receive(now(), frame, &mut out);
        let mut told = Vec::new();
        for event in out {
            match event {
                station::Event::Told { ticket, order } => told.push((ticket, order)),
                station::Event::Send(text) => assert_frame(&text),
                station::Event::Heard { .. } | station::Event::Log(_) => {}
            }
        }
        for (ticket, order) in told {
            let mut out = Vec::new();
            engine.answer(now(), ticket, answer(frame.len()), &mut out);
            for event in &out {
                if let station::Event::Send(text) = event {
                    assert_frame(text);
                }
            }
            again(version, order);
        }
    }
});

fn answer(choice: usize) -> StationAnswer {
    match choice % 4 {
        0 => StationAnswer::Accepted,
        1 => StationAnswer::Refused("Rejected".into()),
        2 => StationAnswer::Number(7),
        _ => StationAnswer::Settings { known: Vec::new(), unknown: vec!["Unknown".into()] },
    }
}

/// What we were told, ordered by ourselves.
fn again(version: Version, order: ToStation) {
    let mut engine = csms::Engine::new(version, Limits::default());
    let mut out = Vec::new();
    engine.order(now(), 1, order, "again".to_owned(), &mut out);
    for event in out {
        if let csms::Event::Send(text) = event {
            assert_frame(&text);
            let mut pole = station::Engine::new(version, Limits::default());
            let mut out = Vec::new();
            pole.receive(now(), &text, &mut out);
            let understood = out.iter().any(|event| matches!(event, station::Event::Told { .. }));
            assert!(understood, "our operator orders what our station does not understand");
        }
    }
}
