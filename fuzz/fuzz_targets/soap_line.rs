//! OCPP over SOAP, both ends: a station's requests are heard and answered, an operator's orders are read and answered,
//! and what was understood is written again by ourselves and has to be understood again.
#![no_main]

use charge::talk::line::{Denial, Heard, StationAnswer, Version};
use libfuzzer_sys::fuzz_target;
use ocpp::soap::{Limits, Trip, central, station};
use samples::now;

fuzz_target!(|data: &[u8]| {
    as_operator(data);
    as_station(data);
});

fn trip() -> Trip {
    Trip { message_id: "again".to_owned(), to: "https://a.example/".to_owned(), from: "https://b.example/".to_owned() }
}

fn as_operator(data: &[u8]) {
    let limits = Limits::default();
    let Ok(request) = central::Request::read(data, &limits, now()) else { return };
    let (version, identity) = (request.version(), request.identity().to_owned());
    let _callback = (request.callback().map(str::to_owned), request.answer_elsewhere());
    match request.hear("id") {
        central::Hearing::Heard { said, ticket, .. } => {
            let outcome = if data.len() % 2 == 0 { Ok(Heard::Noted) } else { Err(Denial::NotAccepted) };
            let (reply, _) = ticket.answer("id", outcome);
            if let Ok(saying) = station::Saying::write(version, &identity, &said, &trip(), now()) {
                let _heard = saying.heard(reply.body.as_bytes(), &limits, now());
                let _echo = saying.heard(data, &limits, now());
                let request = central::Request::read(saying.body().as_bytes(), &limits, now());
                let understood =
                    request.is_ok_and(|request| matches!(request.hear("id"), central::Hearing::Heard { .. }));
                assert!(understood, "our station says what our operator does not understand");
            }
        }
        central::Hearing::Refused { .. } => {}
    }
}

fn as_station(data: &[u8]) {
    let limits = Limits::default();
    for version in [Version::S15, Version::S16] {
        let Ok((order, ticket)) = station::Ticket::read(data, &limits, version, "CB1", "id", now()) else { continue };
        let reply = ticket.answer("id", &StationAnswer::Accepted);
        if let (Ok(written), _) = central::Order::write(version, "CB1", &order, trip(), now()) {
            let again = station::Ticket::read(written.body().as_bytes(), &limits, version, "CB1", "id", now());
            assert!(again.is_ok(), "our operator orders what our station does not understand");
            let _outcome = written.answered(reply.body.as_bytes(), &limits, "id".to_owned(), now());
        }
    }
}
