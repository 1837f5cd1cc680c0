//! The operator's end of a connection: any frames of a station, one a line; each message is answered, and what was
//! understood is said again by a station of ours and has to be understood again.
#![no_main]

use charge::Timestamp;
use charge::talk::line::{Denial, FromStation, Heard, Version};
use libfuzzer_sys::fuzz_target;
use ocpp::{Limits, csms, station};
use samples::{assert_frame, now, versioned};

fuzz_target!(|data: &[u8]| {
    let Some((version, text)) = versioned(data) else { return };
    let mut engine = csms::Engine::new(version, Limits::default());
    for frame in text.split('\n').take(16) {
        let mut out = Vec::new();
        engine.receive(now(), frame, &mut out);
        let mut asked = Vec::new();
        for event in out {
            match event {
                csms::Event::Asked { ticket, said } => asked.push((ticket, said)),
                csms::Event::Send(text) => assert_frame(&text),
                csms::Event::Answered { .. } | csms::Event::Log(_) => {}
            }
        }
        for (ticket, said) in asked {
            let mut out = Vec::new();
            engine.answer(now(), ticket, reply(&said, frame.len()), &mut out);
            sent(&out).for_each(assert_frame);
            again(version, said);
        }
    }
});

/// An answer that fits, one that does not, and a refusal.
fn reply(said: &FromStation, choice: usize) -> Result<Heard, Denial> {
    match (choice % 4, said) {
        (0, _) => Err(Denial::NotAccepted),
        (1, _) => Ok(Heard::NotServed),
        (2, FromStation::Alive) => Ok(Heard::Alive { now: Timestamp::from_secs(0) }),
        (2, _) => Ok(Heard::Taken(true)),
        _ => Ok(Heard::Noted),
    }
}

/// What we heard, said by ourselves.
fn again(version: Version, said: FromStation) {
    let mut pole = station::Engine::new(version, Limits::default());
    let mut out = Vec::new();
    pole.say(now(), 1, said, "again".to_owned(), &mut out);
    for event in out {
        if let station::Event::Send(text) = event {
            assert_frame(&text);
            let mut engine = csms::Engine::new(version, Limits::default());
            let mut out = Vec::new();
            engine.receive(now(), &text, &mut out);
            let understood = out.iter().any(|event| matches!(event, csms::Event::Asked { .. }));
            assert!(understood, "our station says what our operator does not understand");
        }
    }
}

fn sent(out: &[csms::Event]) -> impl Iterator<Item = &str> {
    out.iter().filter_map(|event| match event {
        csms::Event::Send(text) => Some(text.as_str()),
        csms::Event::Asked { .. } | csms::Event::Answered { .. } | csms::Event::Log(_) => None,
    })
}
