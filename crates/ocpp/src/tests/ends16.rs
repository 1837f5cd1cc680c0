//! Both ends of one 1.6 connection, for the tests of its words.

use charge::Purpose;
use charge::talk::line::reservation::{ListOrder, ReservationOrder};
use charge::talk::line::upkeep::UpkeepOrder;
use charge::talk::line::{FromStation, Heard, LineFault, StationAnswer, ToStation, Version};
use charge::token::PresentedToken;

use super::now;
pub(crate) use super::words16::samples::{UID, decimal, hash, refused, secret, token};
use crate::{Limits, csms, station};

/// The two ends, with every frame that crossed.
pub(crate) struct Ends {
    operator: csms::Engine,
    station: station::Engine,
    pub(crate) frames: Vec<String>,
}

impl Ends {
    pub(crate) fn new() -> Self {
        let (version, limits) = (Version::V16, Limits::default());
        Self {
            operator: csms::Engine::new(version, limits),
            station: station::Engine::new(version, limits),
            frames: Vec::new(),
        }
    }

    /// Says a word, has it answered; what the operator heard, and what the station heard back.
    pub(crate) fn say(&mut self, what: FromStation, answer: Heard) -> (FromStation, Heard) {
        let mut out = Vec::new();
        self.station.say(now(), 1, what, "s1".to_owned(), &mut out);
        let mut asked = Vec::new();
        for frame in self.sent_by_station(out) {
            self.operator.receive(now(), &frame, &mut asked);
        }
        let (ticket, said) = asked.into_iter().find_map(asked_for).unwrap();
        let mut out = Vec::new();
        self.operator.answer(now(), ticket, Ok(answer), &mut out);
        let mut heard = Vec::new();
        for frame in self.sent_by_operator(out) {
            self.station.receive(now(), &frame, &mut heard);
        }
        let heard = heard.into_iter().find_map(|event| match event {
            station::Event::Heard { outcome, .. } => Some(outcome.unwrap()),
            _ => None,
        });
        (said, heard.unwrap())
    }

    /// Gives an order that may take several messages, each with its answer; the orders that the station heard, and
    /// what the operator heard in the end.
    pub(crate) fn tell(
        &mut self,
        what: ToStation,
        answers: Vec<StationAnswer>,
    ) -> (Vec<ToStation>, Result<StationAnswer, LineFault>) {
        let mut out = Vec::new();
        self.operator.order(now(), 1, what, "o1".to_owned(), &mut out);
        let mut orders = Vec::new();
        for answer in answers {
            let mut told = Vec::new();
            for frame in self.sent_by_operator(std::mem::take(&mut out)) {
                self.station.receive(now(), &frame, &mut told);
            }
            let (ticket, order) = told.into_iter().find_map(told_to).unwrap();
            orders.push(order);
            let mut replied = Vec::new();
            self.station.answer(now(), ticket, answer, &mut replied);
            for frame in self.sent_by_station(replied) {
                self.operator.receive(now(), &frame, &mut out);
            }
        }
        let over = out.into_iter().find_map(|event| match event {
            csms::Event::Answered { outcome, .. } => Some(outcome),
            _ => None,
        });
        (orders, over.unwrap())
    }

    fn sent_by_station(&mut self, out: Vec<station::Event>) -> Vec<String> {
        let mut frames = Vec::new();
        for event in out {
            match event {
                station::Event::Send(text) => frames.push(text),
                station::Event::Log(line) => assert_masked(&line.text),
                other => panic!("{other:?}"),
            }
        }
        self.frames.extend(frames.iter().cloned());
        frames
    }

    fn sent_by_operator(&mut self, out: Vec<csms::Event>) -> Vec<String> {
        let mut frames = Vec::new();
        for event in out {
            match event {
                csms::Event::Send(text) => frames.push(text),
                csms::Event::Log(line) => assert_masked(&line.text),
                other => panic!("{other:?}"),
            }
        }
        self.frames.extend(frames.iter().cloned());
        frames
    }
}

/// No token and no password of an address comes into a log.
fn assert_masked(text: &str) {
    assert!(!text.contains(UID) && !text.contains("u:p@"), "{text}");
}

fn asked_for(event: csms::Event) -> Option<(crate::Ticket, FromStation)> {
    match event {
        csms::Event::Asked { ticket, said } => Some((ticket, said)),
        csms::Event::Send(text) => panic!("refused: {text}"),
        csms::Event::Log(line) if !line.remarks.is_empty() => panic!("repaired: {:?}", line.remarks),
        csms::Event::Answered { .. } | csms::Event::Log(_) => None,
    }
}

fn told_to(event: station::Event) -> Option<(crate::Ticket, ToStation)> {
    match event {
        station::Event::Told { ticket, order } => Some((ticket, order)),
        station::Event::Send(text) => panic!("refused: {text}"),
        station::Event::Heard { .. } | station::Event::Log(_) => None,
    }
}

/// Does the operator's end refuse to send this? The remark that says why.
pub(crate) fn unsent(what: ToStation) -> String {
    let mut out = Vec::new();
    super::operator(Version::V16).order(now(), 1, what, "o1".to_owned(), &mut out);
    let refused =
        |event: &csms::Event| matches!(event, csms::Event::Answered { outcome: Err(LineFault::NotInVersion), .. });
    assert!(out.iter().any(refused), "{out:?}");
    out.iter()
        .find_map(|event| if let csms::Event::Log(line) = event { line.remarks.first() } else { None })
        .unwrap()
        .to_string()
}

/// Does the station's end refuse to send this? The remark that says why.
pub(crate) fn unsaid(what: FromStation) -> String {
    let mut out = Vec::new();
    station::Engine::new(Version::V16, Limits::default()).say(now(), 1, what, "s1".to_owned(), &mut out);
    let refused =
        |event: &station::Event| matches!(event, station::Event::Heard { outcome: Err(LineFault::NotInVersion), .. });
    assert!(out.iter().any(refused), "{out:?}");
    out.iter()
        .find_map(|event| if let station::Event::Log(line) = event { line.remarks.first() } else { None })
        .unwrap()
        .to_string()
}

/// What the station's end answers to a raw order.
pub(crate) fn obey(action: &str, payload: &str, answer: StationAnswer) -> String {
    let mut end = station::Engine::new(Version::V16, Limits::default());
    let mut out = Vec::new();
    end.receive(now(), &format!(r#"[2,"a","{action}",{payload}]"#), &mut out);
    let told =
        out.iter().find_map(|event| if let station::Event::Told { ticket, .. } = event { Some(*ticket) } else { None });
    if let Some(ticket) = told {
        end.answer(now(), ticket, answer, &mut out);
    }
    let sent = out.into_iter().find_map(|event| if let station::Event::Send(text) = event { Some(text) } else { None });
    sent.unwrap()
}

/// What the operator's end makes of a raw answer to an order.
pub(crate) fn outcome(what: ToStation, payload: &str) -> Result<StationAnswer, LineFault> {
    let mut end = super::operator(Version::V16);
    let mut out = Vec::new();
    end.order(now(), 1, what, "o1".to_owned(), &mut out);
    end.receive(now(), &format!(r#"[3,"o1",{payload}]"#), &mut out);
    let over = out.into_iter().find_map(|event| match event {
        csms::Event::Answered { outcome, .. } => Some(outcome),
        _ => None,
    });
    over.unwrap()
}

/// An order with its hidden parts: secrets and tokens do not print, and secrets do not compare.
pub(crate) fn opened(order: &ToStation) -> String {
    let uid = |token: &PresentedToken| token.uid.reveal(Purpose::Transmit).as_delivered().to_owned();
    let hidden = match order {
        ToStation::Start { token, .. } => uid(token),
        ToStation::Reservation(ReservationOrder::Reserve { token, group, .. }) => {
            format!("{} {:?}", uid(token), group.as_ref().map(uid))
        }
        ToStation::List(ListOrder::Send { entries, .. }) => {
            entries.iter().map(|entry| format!("{} {:?}", uid(&entry.token), entry.group.as_ref().map(uid))).collect()
        }
        ToStation::Upkeep(UpkeepOrder::FetchLog { to: place, .. } | UpkeepOrder::Firmware { from: place, .. }) => {
            place.expose().to_string()
        }
        ToStation::WriteSettings { values } => values.iter().map(|(_, value)| value.expose().to_string()).collect(),
        ToStation::Tariff(charge::talk::line::display::TariffOrder::Californian { data, .. }) => data.as_str().into(),
        ToStation::Vendor(vendor) => format!("{:?}", vendor.data.as_ref().map(|data| data.as_str())),
        _ => String::new(),
    };
    format!("{order:?} {hidden}")
}
