//! The operator's end and the station's against each other, word for word.

use std::time::Duration;

use charge::Secret;
use charge::id::EvseNo;
use charge::talk::line::{
    Admission, BayState, Boot, Denial, Direction, Foreign, FromStation, Heard, LineFault, ResetKind, StationAnswer,
    StatusReport, ToStation, Version, Written,
};

use super::*;

const VERSIONS: [Version; 2] = [Version::S15, Version::S16];

fn said(
    version: Version,
    what: &FromStation,
    answer: Result<Heard, Denial>,
) -> (FromStation, Result<Heard, LineFault>) {
    let saying = station::Saying::write(version, "CB1", what, &trip(), now()).unwrap();
    let request = central::Request::read(saying.body().as_bytes(), &Limits::default(), now()).unwrap();
    assert_eq!((request.version(), request.identity()), (version, "CB1"));
    assert_eq!(request.callback(), Some("https://192.0.2.7:8443/cp"));
    let central::Hearing::Heard { said, ticket, log } = request.hear(ID) else { panic!("refused") };
    assert_eq!((log.direction, &*log.remarks), (Direction::FromStation, &[][..]));
    let (reply, log) = ticket.answer(ID, answer);
    assert_eq!(log.direction, Direction::ToStation);
    (said, saying.heard(reply.body.as_bytes(), &Limits::default(), now()))
}

fn order(version: Version, what: &ToStation) -> Result<central::Order, LineFault> {
    central::Order::write(version, "CB1", what, trip(), now()).0
}

fn told(version: Version, order: central::Order, answer: &StationAnswer) -> (ToStation, central::Answered) {
    let read = station::Ticket::read(order.body().as_bytes(), &Limits::default(), version, "cb1", ID, now());
    let (what, ticket) = read.unwrap();
    let reply = ticket.answer(ID, answer);
    (what, order.answered(reply.body.as_bytes(), &Limits::default(), ID.into(), now()).0)
}

#[test]
fn messages_and_their_answers_arrive() {
    for version in VERSIONS {
        let boot = FromStation::Boot(Boot { vendor: "V".into(), model: "M".into(), ..Boot::default() });
        let interval = Duration::from_secs(300);
        let welcome = Heard::Boot { admitted: Admission::Accepted, now: now(), interval };
        assert_eq!(said(version, &boot, Ok(welcome.clone())), (boot.clone(), Ok(welcome)));
        assert_eq!(
            said(version, &FromStation::Alive, Ok(Heard::Alive { now: now() })),
            (FromStation::Alive, Ok(Heard::Alive { now: now() }))
        );
        let report = StatusReport { evse: EvseNo::new(1), state: BayState::Faulted, fault: None, at: None };
        let status = FromStation::Status(report);
        assert_eq!(said(version, &status, Ok(Heard::Noted)), (status, Ok(Heard::Noted)));

        let (_, refused) = said(version, &FromStation::Alive, Err(Denial::NotAccepted));
        let Err(LineFault::Error { code, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(&*code, "SecurityError");
    }
    // 1.5 has no word for waiting
    let boot = FromStation::Boot(Boot { vendor: "V".into(), model: "M".into(), ..Boot::default() });
    let heard = |version, admitted| {
        let heard = said(version, &boot, Ok(Heard::Boot { admitted, now: now(), interval: Duration::from_secs(9) })).1;
        let Ok(Heard::Boot { admitted, .. }) = heard else { panic!("{heard:?}") };
        admitted
    };
    assert_eq!(heard(Version::S16, Admission::Pending), Admission::Pending);
    assert_eq!(heard(Version::S15, Admission::Pending), Admission::Rejected);
}

#[test]
fn orders_and_their_answers_arrive() {
    for version in VERSIONS {
        let evse = EvseNo::new(2).unwrap();
        for (what, answer) in [
            (ToStation::Reset(ResetKind::Hard), StationAnswer::Accepted),
            (ToStation::Unlock { evse }, StationAnswer::Accepted),
            (ToStation::Availability { evse: Some(evse), connector: None, operative: false }, StationAnswer::Scheduled),
            (ToStation::ClearCache, StationAnswer::Refused("Rejected".into())),
        ] {
            let (heard, outcome) = told(version, order(version, &what).unwrap(), &answer);
            assert_eq!(format!("{heard:?}"), format!("{what:?}"));
            let central::Answered::Done(outcome) = outcome else { panic!("more") };
            assert_eq!(outcome, Ok(answer));
        }
    }
}

#[test]
fn several_settings_are_several_messages_and_one_answer() {
    let value = |text: &str| Secret::new(Box::<str>::from(text));
    let what = ToStation::WriteSettings { values: vec![("a".into(), value("1")), ("b".into(), value("2"))] };
    let one = |key: &str, what| StationAnswer::Written(vec![(key.into(), what)]);
    let (_, first) = told(Version::S16, order(Version::S16, &what).unwrap(), &one("a", Written::AfterReboot));
    let central::Answered::More(next) = first else { panic!("done") };
    let (_, last) = told(Version::S16, *next, &one("b", Written::Unknown));
    let central::Answered::Done(outcome) = last else { panic!("more") };
    let both = vec![("a".into(), Written::AfterReboot), ("b".into(), Written::Unknown)];
    assert_eq!(outcome, Ok(StationAnswer::Written(both)));
}

#[test]
fn what_a_version_does_not_have_is_not_sent() {
    let foreign = |action: &str, body: &str| ToStation::Foreign(Foreign { action: action.into(), body: body.into() });
    let list = foreign("GetLocalListVersion", "{}");
    assert!(order(Version::S15, &list).is_ok());
    let clear = foreign("ClearChargingProfile", "{}");
    assert!(order(Version::S16, &clear).is_ok());
    assert_eq!(order(Version::S15, &clear).err(), Some(LineFault::NotInVersion));
    let log = foreign("GetInstalledCertificateIds", r#"{"certificateType":"CentralSystemRootCertificate"}"#);
    assert_eq!(order(Version::S16, &log).err(), Some(LineFault::NotInVersion));
}

#[test]
fn an_order_for_another_station_or_version_is_refused() {
    let reset = order(Version::S16, &ToStation::ClearCache).unwrap();
    let read = |version, identity: &str| {
        let bytes = reset.body().as_bytes();
        station::Ticket::read(bytes, &Limits::default(), version, identity, ID, now()).map(drop).unwrap_err()
    };
    let other = read(Version::S16, "CB2");
    assert!(other.reply.http_status == 400 && other.reply.body.contains(":IdentityMismatch<"), "{}", other.reply.body);
    assert!(read(Version::S15, "CB1").reply.body.contains(":NotSupported<"));
    let (answered, logs) = reset.answered(other.reply.body.as_bytes(), &Limits::default(), ID.into(), now());
    let central::Answered::Done(Err(LineFault::Error { code, .. })) = answered else { panic!("answered") };
    assert_eq!((&*code, logs.len()), ("IdentityMismatch", 1));
}

#[test]
fn a_login_page_is_no_answer() {
    for page in ["<!DOCTYPE html><html><body>Please log in</body></html>", "<html><p>hi</html>", "", "{}"] {
        let reset = order(Version::S16, &ToStation::ClearCache).unwrap();
        let (answered, _) = reset.answered(page.as_bytes(), &Limits::default(), ID.into(), now());
        assert!(matches!(answered, central::Answered::Done(Err(LineFault::Unreadable(_)))), "{page}");
    }
}
