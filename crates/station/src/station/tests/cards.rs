//! Cases of OCPP 2.0.1 part 6 for a charging station: cards that the local list knows, cards of one group, the master
//! pass.

use charge::talk::line::reservation::{ListEntry, ListOrder, ReservationOrder};
use charge::talk::line::{BayState, EndReason, ResetKind, Stage, TransactionReport};
use charge::token::{Allowed, PresentedToken, Verdict};
use charge::{Personal, Purpose};

use super::*;
use crate::bench::{car, card, dc_car, one, two, uid};

const PRE_AUTHORIZE: &str = "AuthCtrlr.LocalPreAuthorize";

fn entry(uid: &str, allowed: Allowed, group: Option<&str>) -> ListEntry {
    ListEntry { token: card(uid), verdict: Some(Verdict::bare(allowed)), until: None, group: group.map(card) }
}

/// A station with a list that it may decide by.
fn with_list(entries: Vec<ListEntry>) -> Bench {
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(write(&mut bench, &[(PRE_AUTHORIZE, "true")]), [Written::Accepted]);
    let order = ListOrder::Send { version: 7, full: true, entries };
    assert_eq!(bench.order(ToStation::List(order)), StationAnswer::Accepted);
    bench
}

fn tap(bench: &mut Bench, evse: EvseNo, uid: &str) {
    bench.hand(evse, Deed::Tap(card(uid))).unwrap();
}

fn begin(bench: &mut Bench, evse: EvseNo, uid: &str) -> Phase {
    let car = if evse == one() { car() } else { dc_car() };
    bench.hand(evse, Deed::Plug(car)).unwrap();
    tap(bench, evse, uid);
    bench.bay(evse).phase
}

/// How often the operator was asked about a card.
fn asked(bench: &Bench) -> usize {
    bench.operator.heard.iter().filter(|said| matches!(said, FromStation::Tap(_))).count()
}

fn last(bench: &Bench) -> TransactionReport {
    bench.operator.transactions().pop().unwrap()
}

fn is(token: Option<&PresentedToken>, uid: &str) -> bool {
    token.is_some_and(|token| token.normal(Purpose::Authorise) == card(uid).normal(Purpose::Authorise))
}

/// The operator's word on a card, with its group.
fn word(bench: &mut Bench, of: &str, allowed: Allowed, group: &str) {
    let verdict = Verdict { group: Some(Personal::new(uid(group))), ..Verdict::bare(allowed) };
    bench.operator.verdicts.push((card(of), verdict));
}

#[test]
fn the_list_decides_without_a_line_as_the_cases_ask() {
    // proves: C13.FR.01, C13.FR.02, C14.FR.01
    for (case, allowed, phase) in [
        ("TC_C_21_CS", Allowed::Yes, Phase::Charging),
        ("TC_C_22_CS", Allowed::Unknown, Phase::Plugged),
        ("TC_C_23_CS", Allowed::Blocked, Phase::Plugged),
        ("TC_C_24_CS", Allowed::Expired, Phase::Plugged),
    ] {
        let mut bench = with_list(vec![entry("A", allowed, None)]);
        bench.cut();
        assert_eq!(begin(&mut bench, one(), "A"), phase, "{case}");
        if phase == Phase::Charging {
            bench.pass(30);
            tap(&mut bench, one(), "A");
        }
        bench.hand(one(), Deed::Unplug).unwrap();
        bench.connect(Version::V201);
        let reports = bench.operator.transactions();
        assert_eq!(reports.is_empty(), phase == Phase::Plugged, "{case}");
        assert!(reports.iter().all(|report| report.offline), "{case}");
        assert!(reports.last().is_none_or(|report| report.reason == Some(EndReason::Local)), "{case}");
        assert_eq!(asked(&bench), 0, "{case}");
    }
    // TC_C_25_CS: the cache knows it as good, the list does not, and strangers may begin without a line
    let mut bench = Bench::ready(Version::V201);
    assert_eq!(begin(&mut bench, one(), "A"), Phase::Charging);
    bench.hand(one(), Deed::Unplug).unwrap();
    let unknown = ("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true");
    assert_eq!(write(&mut bench, &[(PRE_AUTHORIZE, "true"), unknown]), [Written::Accepted; 2]);
    let entries = vec![entry("A", Allowed::Unknown, None)];
    bench.order(ToStation::List(ListOrder::Send { version: 1, full: true, entries }));
    bench.operator.heard.clear();
    bench.cut();
    assert_eq!(begin(&mut bench, one(), "A"), Phase::Plugged, "TC_C_25_CS");
    bench.connect(Version::V201);
    assert!(bench.operator.transactions().is_empty(), "TC_C_25_CS");
}

#[test]
fn the_list_decides_with_a_line_as_the_cases_ask() {
    // proves: C14.FR.02, C14.FR.03
    // TC_C_27_CS: nobody is asked
    let mut bench = with_list(vec![entry("A", Allowed::Yes, None)]);
    assert_eq!(begin(&mut bench, one(), "A"), Phase::Charging, "TC_C_27_CS");
    assert_eq!(asked(&bench), 0, "TC_C_27_CS");
    assert!(is(bench.operator.transactions()[0].token.as_ref(), "A"), "TC_C_27_CS");
    for (case, listed, theirs) in [
        ("TC_C_28_CS", Allowed::Unknown, Allowed::Unknown),
        ("TC_C_29_CS", Allowed::Blocked, Allowed::Blocked),
        ("TC_C_30_CS", Allowed::Expired, Allowed::Expired),
        ("TC_C_31_CS", Allowed::Unknown, Allowed::Yes),
    ] {
        let mut bench = with_list(vec![entry("A", listed, None)]);
        bench.operator.verdicts.push((card("A"), Verdict::bare(theirs)));
        let phase = if theirs == Allowed::Yes { Phase::Charging } else { Phase::Plugged };
        assert_eq!(begin(&mut bench, one(), "A"), phase, "{case}");
        assert_eq!((asked(&bench), bench.bay(one()).last_verdict), (1, Some(theirs)), "{case}");
        assert_eq!(bench.operator.transactions().is_empty(), theirs != Allowed::Yes, "{case}");
    }
}

#[test]
fn whoever_shares_a_group_ends_the_charge_as_the_cases_ask() {
    // proves: C09.FR.03, C09.FR.05, C09.FR.07, C09.FR.11
    // TC_C_40_CS: both are on the list, and nobody is asked
    let group = Some("FLEET");
    let mut bench = with_list(vec![entry("A", Allowed::Yes, group), entry("B", Allowed::Yes, group)]);
    assert_eq!(begin(&mut bench, one(), "A"), Phase::Charging, "TC_C_40_CS");
    tap(&mut bench, one(), "B");
    let end = last(&bench);
    assert_eq!((end.stage, end.reason), (Stage::Ended, Some(EndReason::Local)), "TC_C_40_CS");
    assert!(is(end.token.as_ref(), "B"), "TC_C_40_CS");
    assert_eq!((asked(&bench), bench.bay(one()).phase), (0, Phase::Finishing), "TC_C_40_CS");
    // TC_C_43_CS: the list does not let the other one charge, and the operator neither
    let mut bench = with_list(vec![entry("A", Allowed::Yes, group), entry("B", Allowed::Unknown, group)]);
    word(&mut bench, "B", Allowed::Unknown, "FLEET");
    assert_eq!(begin(&mut bench, one(), "A"), Phase::Charging, "TC_C_43_CS");
    tap(&mut bench, one(), "B");
    assert_eq!((asked(&bench), last(&bench).stage), (1, Stage::Started), "TC_C_43_CS");
    // TC_C_39_CS: the operator alone knows them; TC_C_42_CS: one of them is not good
    for (case, allowed, stage) in
        [("TC_C_39_CS", Allowed::Yes, Stage::Ended), ("TC_C_42_CS", Allowed::Unknown, Stage::Started)]
    {
        let mut bench = Bench::ready(Version::V201);
        word(&mut bench, "A", Allowed::Yes, "FLEET");
        word(&mut bench, "B", allowed, "FLEET");
        assert_eq!(begin(&mut bench, one(), "A"), Phase::Charging, "{case}");
        tap(&mut bench, one(), "B");
        assert_eq!((asked(&bench), last(&bench).stage), (2, stage), "{case}");
        assert!(is(last(&bench).token.as_ref(), if allowed == Allowed::Yes { "B" } else { "A" }), "{case}");
    }
    // TC_C_41_CS: both are in the cache
    let mut bench = Bench::ready(Version::V201);
    write(&mut bench, &[(PRE_AUTHORIZE, "true")]);
    for uid in ["A", "B"] {
        word(&mut bench, uid, Allowed::Yes, "FLEET");
        begin(&mut bench, one(), uid);
        bench.hand(one(), Deed::Unplug).unwrap();
    }
    bench.operator.heard.clear();
    begin(&mut bench, one(), "A");
    tap(&mut bench, one(), "B");
    assert_eq!((asked(&bench), last(&bench).stage), (0, Stage::Ended), "TC_C_41_CS");
    assert!(is(last(&bench).token.as_ref(), "B"), "TC_C_41_CS");
    // another group ends nothing, nor does no group at all; 1.6 knows groups as well
    for (group, phase) in
        [(Some("FLEET"), Phase::Finishing), (Some("OTHERS"), Phase::Charging), (None, Phase::Charging)]
    {
        let mut bench = Bench::ready(Version::V16);
        for (uid, group) in [("A", group.and(Some("FLEET"))), ("B", group)] {
            if let Some(group) = group {
                word(&mut bench, uid, Allowed::Yes, group);
            }
        }
        begin(&mut bench, one(), "A");
        tap(&mut bench, one(), "B");
        assert_eq!((asked(&bench), bench.bay(one()).phase), (2, phase), "{group:?}");
    }
}

#[test]
fn a_master_pass_ends_everything_and_begins_nothing() {
    // proves: C16.FR.02, C16.FR.03
    let ready = || {
        let mut bench = Bench::ready(Version::V201);
        assert_eq!(write(&mut bench, &[("AuthCtrlr.MasterPassGroupId", "masters")]), [Written::Accepted]);
        word(&mut bench, "M", Allowed::Yes, "MASTERS");
        bench
    };
    // TC_C_49_CS: presented where somebody charges, and where nobody does
    let mut bench = ready();
    assert_eq!((begin(&mut bench, one(), "A"), begin(&mut bench, two(), "B")), (Phase::Charging, Phase::Charging));
    tap(&mut bench, two(), "M");
    let ends: Vec<_> =
        bench.operator.transactions().into_iter().filter(|report| report.stage == Stage::Ended).collect();
    assert_eq!(ends.len(), 2, "TC_C_49_CS");
    for end in ends {
        assert_eq!((end.reason, end.token), (Some(EndReason::MasterPass), None), "TC_C_49_CS");
    }
    let mut bench = ready();
    begin(&mut bench, one(), "A");
    tap(&mut bench, two(), "M");
    assert_eq!(last(&bench).reason, Some(EndReason::MasterPass));
    // TC_C_45_CS: and a cable begins nothing afterwards
    let mut bench = ready();
    tap(&mut bench, one(), "M");
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert_eq!((asked(&bench), bench.bay(one()).phase), (1, Phase::Plugged), "TC_C_45_CS");
    assert!(bench.operator.transactions().is_empty(), "TC_C_45_CS");
}

#[test]
fn the_list_and_the_reservations_outlive_a_restart_as_the_cases_ask() {
    // proves: D01.FR.10, B11.FR.05
    // TC_D_07_CS
    let mut bench = with_list(vec![entry("A", Allowed::Yes, None)]);
    bench.order(ToStation::Reset(ResetKind::Soft));
    restart(&mut bench);
    assert_eq!(bench.order(ToStation::List(ListOrder::Version)), StationAnswer::Number(7), "TC_D_07_CS");
    // TC_B_24_CS
    let mut bench = Bench::ready(Version::V201);
    let until = START.plus(Duration::from_secs(3_600));
    let order =
        ReservationOrder::Reserve { id: 3, evse: Some(one()), token: card("A"), group: None, until, connector: None };
    assert_eq!(bench.order(ToStation::Reservation(order)), StationAnswer::Accepted);
    assert_eq!(bench.order(ToStation::Reset(ResetKind::Soft)), StationAnswer::Accepted, "TC_B_24_CS");
    restart(&mut bench);
    assert_eq!(boot_reason(&bench).as_deref(), Some("RemoteReset"), "TC_B_24_CS");
    assert_eq!(bench.operator.states(one()), [BayState::Reserved], "TC_B_24_CS");
    assert_eq!(bench.operator.states(two()), [BayState::Available], "TC_B_24_CS");
}
