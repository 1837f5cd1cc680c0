//! One message of a station, from its bytes to its answer, in stages: read, let in, seated, heard.
//!
//! Each exchange is let in by itself: there is no connection that could have been. Deliberately the desk's word alone
//! decides; here it is only put into the fault codes of SOAP. Invariant: what is refused leaves no trace but in the
//! desk's own list of refusals.

use std::sync::Arc;

use charge::id::StationId;
use charge::talk::line::{Denial, Entry, FromStation, Heard, Knock, LogLine, Refusal};
use http::StatusCode;
use ocpp::soap::central::{Hearing, Request};
use ocpp::soap::{Reply, Wrong};
use tokio::time::{Instant, sleep_until, timeout};

use super::PATH;
use super::listen::House;
use super::seats::Seat;
use super::server::{Answer, Post};
use crate::line::limits::{ADMISSION_TIME_MAX, JUDGED_WITHIN, RETRY_AFTER_MIN, RETRY_AFTER_SPREAD};
use crate::line::pace::Rate;

/// What a station knocks with: 1.5 and 1.6 over SOAP are judged as 1.6, because SOAP has no list of offers.
const OFFER: &str = "ocpp1.6";

/// Answers one message.
pub(super) async fn exchange(house: &House, post: Post) -> Answer {
    let request = match Request::read(&post.body, &house.options.limits, house.clock.now()) {
        Ok(request) => request,
        Err(refused) => {
            house.note_refusal(post.peer, &refused.why);
            return Answer::Soap(refused.reply);
        }
    };
    match of_path(&post.path) {
        Ok(None) => {}
        Ok(Some(name)) if name.eq_ignore_ascii_case(request.identity()) => {}
        Ok(Some(_)) => return refuse(house, &post, &request, Wrong::Identity, "the address is another station's"),
        Err(()) => return Answer::Status(StatusCode::NOT_FOUND),
    }
    if request.answer_elsewhere() {
        return refuse(house, &post, &request, Wrong::Security, "answers go back on the connection of the question");
    }
    let entry = match admit(house, &post, &request).await {
        Ok(entry) => entry,
        Err(answer) => return answer,
    };
    serve(house, post, request, entry).await
}

/// The station that the path names; `Err` for a path that is not served.
fn of_path(path: &str) -> Result<Option<String>, ()> {
    let rest = path.strip_prefix(PATH).ok_or(())?;
    let rest = rest.trim_matches('/');
    if rest.is_empty() {
        return Ok(None);
    }
    crate::line::head::identity(&format!("/{rest}")).map(Some).ok_or(())
}

fn refuse(house: &House, post: &Post, request: &Request, wrong: Wrong, why: &str) -> Answer {
    house.note_refusal(post.peer, why);
    Answer::Soap(request.refuse(&house.dice.uuid(), wrong, why))
}

async fn admit(house: &House, post: &Post, request: &Request) -> Result<Entry, Answer> {
    let (source, knocked) = (post.peer.ip(), Instant::now());
    if let Some(welcome) = house.suspects.knock(source, knocked) {
        if welcome > knocked + JUDGED_WITHIN {
            return Err(busy(house));
        }
        sleep_until(welcome).await;
    }
    let proof = post.certificate.is_some() || post.basic.is_some();
    let knock = Knock {
        identity: request.identity().to_owned(),
        basic: post.basic.clone(),
        certificate: post.certificate.clone(),
        encrypted: post.encrypted,
        offered: vec![OFFER.to_owned()],
        peer: post.peer.to_string(),
    };
    let refused = match timeout(ADMISSION_TIME_MAX, house.desk.admit(knock)).await {
        Ok(Ok(entry)) => {
            house.suspects.proven(source, Instant::now());
            return Ok(Entry { version: request.version(), ..entry });
        }
        Ok(Err(refusal)) => refusal,
        Err(_late) => Refusal::Overloaded,
    };
    let (wrong, why) = match refused {
        // a stranger does not learn which stations there are
        Refusal::UnknownStation => (Wrong::Identity, "the sender is not proven to be this station"),
        Refusal::NotProven(_) if proof => (Wrong::Identity, "the sender is not proven to be this station"),
        Refusal::NotProven(_) => (Wrong::Security, "a client certificate is needed"),
        Refusal::Blocked => (Wrong::Security, "this station is switched off"),
        Refusal::NoCommonVersion => (Wrong::Security, "this version is not spoken with this station"),
        Refusal::Overloaded => return Err(busy(house)),
    };
    Err(refuse(house, post, request, wrong, why))
}

fn busy(house: &House) -> Answer {
    let spread = house.dice.below(RETRY_AFTER_SPREAD.as_secs());
    Answer::Busy(RETRY_AFTER_MIN.as_secs() + spread)
}

async fn serve(house: &House, post: Post, request: Request, entry: Entry) -> Answer {
    let station = &entry.station;
    let seat = seat(house, &entry, request.identity()).await;
    let rate = Rate { every: house.options.talk.message_every, at_once: house.options.talk.messages_at_once };
    if let Some(welcome) = seat.pace(Instant::now(), rate) {
        sleep_until(welcome).await;
    }
    let mut remark = None;
    let callback = request.callback().and_then(|said| {
        let judged = house.listed.judge(said, station, post.peer.ip(), post.encrypted);
        judged.map_err(|why| remark = Some(format!("/From: {why}; orders do not go there").into())).ok()
    });
    seat.heard(Instant::now(), callback, post.certificate.map(|certificate| certificate.common_name));
    match request.tolerating(entry.quirks).hear(&house.dice.uuid()) {
        Hearing::Heard { said, ticket, mut log } => {
            log.remarks.extend(remark);
            house.desk.note(station, log);
            let outcome = {
                let _one_at_a_time = seat.ear.lock().await;
                hear(house, &seat, station, said).await
            };
            let (reply, log) = ticket.answer(&house.dice.uuid(), outcome);
            answered(house, station, reply, [log])
        }
        Hearing::Refused { reply, log } => answered(house, station, reply, log),
    }
}

fn answered<const N: usize>(house: &House, station: &StationId, reply: Reply, lines: [LogLine; N]) -> Answer {
    for line in lines {
        house.desk.note(station, line);
    }
    Answer::Soap(reply)
}

/// The station's seat; the desk knows of it when this returns.
async fn seat(house: &House, entry: &Entry, identity: &str) -> Arc<Seat> {
    let (seat, old) = house.seats.take(&entry.station, entry.version, identity, Instant::now());
    if let Some(old) = old {
        house.desk.left(&entry.station, old.connection, "speaks another version now").await;
    }
    seat.arrived.get_or_init(|| house.desk.arrived(entry, seat.connection)).await;
    if !house.desk.is_here(&entry.station) {
        // it was at the other door meanwhile, and to the desk it left altogether when it left there
        house.desk.arrived(entry, seat.connection).await;
    }
    seat
}

async fn hear(house: &House, seat: &Seat, station: &StationId, said: FromStation) -> Result<Heard, Denial> {
    if !matches!(said, FromStation::Boot(_)) {
        return house.desk.hear(station, said).await;
    }
    // an order that is under way may be what the station boots for: it would wait for us, and we for it
    let _no_order_meanwhile = seat.turn.try_lock().ok();
    let heard = house.desk.hear(station, said).await;
    if let Ok(Heard::Boot { interval, .. }) = &heard {
        seat.beats_every(*interval);
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_doors_or_a_stations() {
        assert_eq!(of_path("/ocpp/soap"), Ok(None));
        assert_eq!(of_path("/ocpp/soap/"), Ok(None));
        assert_eq!(of_path("/ocpp/soap//CP%201"), Ok(Some("CP 1".to_owned())));
        assert_eq!(of_path("/ocpp/soap/a/b"), Err(()));
        assert_eq!(of_path("/ocpp"), Err(()));
        assert_eq!(of_path("/"), Err(()));
    }
}
