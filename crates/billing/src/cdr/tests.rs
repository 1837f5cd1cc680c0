#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::Personal;
use charge::id::{AuthorizationReference, CdrId, ConnectorId, EvseId, EvseUid, LocationId, PartyId, SessionId};
use charge::money::Price;
use charge::place::{Current, Position};
use charge::record::{AuthMethod, Cdr, Nature, Period, RecordPlace, RecordToken};
use charge::tariff::{BookingEnd, BookingFees, Dimension, Fee, Tariff};
use charge::token::{ContractId, TokenKind, TokenUid};
use charge::units::Energy;

use super::*;
use crate::fixture::{BEGIN, END, at, begin, charging, component, dec, element, end, parking, signed, signer, tariff};
use crate::reading::Flaw;
use crate::record::ocmf::Signer;
use crate::record::{Fault, KeySource, Obstacle, Verdict, verify};

const ZONE: &str = "Europe/Berlin";

fn agreed() -> Tariff {
    tariff(vec![element(vec![
        component(Dimension::Energy, "0.40", Some("19"), 1),
        component(Dimension::ParkingTime, "6", Some("19"), 1),
        component(Dimension::Flat, "0.50", Some("19"), 1),
    ])])
}

/// 12.5 kWh in an hour, then half an hour of parking.
fn periods() -> Vec<Period> {
    vec![charging(BEGIN, 10_000), charging("2026-11-22T10:30:00Z", 2_500), parking("2026-11-22T11:00:00Z")]
}

fn closing(signer: &Signer) -> Closing {
    let records = vec![signed(signer, 7, &[begin(1_000)]), signed(signer, 8, &[end(13_500)])];
    let verdict = verify(&records, Some((&signer.public_key(), KeySource::Register)));
    Closing {
        party: PartyId::new("DE", "LEY").unwrap(),
        id: CdrId::new("CDR-1").unwrap(),
        session: SessionId::new("S-1").ok(),
        booking: None,
        start: at(BEGIN),
        end: at(END),
        token: RecordToken {
            party: PartyId::new("DE", "PRV").unwrap(),
            uid: Personal::new(TokenUid::new("DEPRVC12345678").unwrap()),
            kind: TokenKind::AdHocUser,
            contract: Personal::new(ContractId::new("DE-PRV-C12345678-9").unwrap()),
        },
        auth_method: AuthMethod::Request,
        permit: Permit::Reference(AuthorizationReference::new("R-1").unwrap()),
        place: RecordPlace {
            id: LocationId::new("L-1").unwrap(),
            name: None,
            address: "Street 1".to_owned(),
            city: "Town".to_owned(),
            postal_code: None,
            country: "DEU".to_owned(),
            position: Position::new(525_000_000, 134_000_000).unwrap(),
            evse_uid: EvseUid::new("E-1").unwrap(),
            evse_id: EvseId::new("DE*LEY*E0001").unwrap(),
            connector: ConnectorId::new("1").unwrap(),
            plug: "IEC_62196_T2".into(),
            attached_cable: false,
            current: Current::Ac3Phase,
        },
        time_zone: ZONE.to_owned(),
        tariff: agreed(),
        periods: periods(),
        evidence: Evidence::Verified(verdict.verified().unwrap().clone()),
        signed: records,
        flagged: Vec::new(),
        closed_at: at("2026-11-22T11:31:00Z"),
    }
}

fn paths(cdr: &Cdr, signer: &Signer) -> Vec<String> {
    let audit = audit(cdr, ZONE, Some(&agreed()), Some((&signer.public_key(), KeySource::Register)));
    audit.differences.into_iter().map(|difference| difference.path).collect()
}

#[test]
fn a_closed_cdr_says_what_the_meter_signed_and_passes_its_audit() {
    let signer = signer("M1");
    let cdr = close(closing(&signer)).unwrap();
    assert_eq!(cdr.energy, Energy::from_wh(12_500));
    assert_eq!(cdr.meter.as_deref(), Some("M1"));
    assert_eq!(cdr.total_cost, Price { before_vat: dec("8.5"), with_vat: Some(dec("10.115")) });
    assert_eq!(cdr.energy_cost.map(|p| p.before_vat), Some(dec("5")));
    assert_eq!(cdr.parking_cost.map(|p| p.before_vat), Some(dec("3")));
    assert_eq!(cdr.fixed_cost.map(|p| p.before_vat), Some(dec("0.5")));
    assert_eq!((cdr.total_time_h, cdr.parking_time_h), (dec("1.5"), dec("0.5")));
    assert_eq!(cdr.reference.as_ref().map(AuthorizationReference::as_str), Some("R-1"));
    assert_eq!(cdr.signed.iter().map(|s| s.nature).collect::<Vec<_>>(), [Nature::Start, Nature::End]);
    assert_eq!((cdr.remark.clone(), cdr.credit), (None, false));

    let audit = audit(&cdr, ZONE, Some(&agreed()), Some((&signer.public_key(), KeySource::Register)));
    assert_eq!(audit.differences, []);
    assert!(matches!(audit.evidence, Verdict::Valid(_)));
    assert_eq!(audit.priced.map(|priced| priced.total), Some(cdr.total_cost));
}

#[test]
fn the_signed_energy_wins_over_the_unsigned_one() {
    let signer = signer("M1");
    for (counted, fitted) in [(2_400, [10_000, 2_500]), (9_000, [10_000, 2_500]), (0, [10_000, 2_500])] {
        let mut c = closing(&signer);
        c.periods[1].energy = Some(Energy::from_wh(counted));
        let cdr = close(c).unwrap();
        let energies: Vec<i64> = cdr.periods.iter().filter_map(|p| p.energy).map(Energy::wh).collect();
        assert_eq!(energies, fitted, "{counted}");
        assert!(cdr.remark.as_deref().unwrap().contains("fitted to 12.5 kWh"));
        assert_eq!(paths(&cdr, &signer), [""; 0]);
    }
    let mut c = closing(&signer);
    c.periods[0].energy = Some(Energy::from_wh(20_000));
    let energies: Vec<_> = close(c).unwrap().periods.into_iter().map(|p| p.energy.map(Energy::wh)).collect();
    assert_eq!(energies, [Some(12_500), Some(0), None]);
}

#[test]
fn without_a_verified_record_the_exception_is_told() {
    let signer = signer("M1");
    let energy = Energy::from_wh(12_500);
    let exceptions = [
        (Exception::NoSignedMeter { energy }, "does not sign"),
        (Exception::SignatureFault { energy, reason: Fault::ClockUnknown.to_string() }, "clock is unknown"),
    ];
    for (exception, words) in exceptions {
        let mut c = closing(&signer);
        (c.evidence, c.signed) = (Evidence::Exception(exception), Vec::new());
        let cdr = close(c).unwrap();
        assert!(cdr.remark.as_deref().unwrap().contains(words), "{:?}", cdr.remark);
        assert_eq!((cdr.meter.clone(), cdr.energy), (None, energy));
        let audit = audit(&cdr, ZONE, Some(&agreed()), None);
        assert_eq!(audit.differences, []);
        assert_eq!(audit.evidence, Verdict::CannotBeChecked(Obstacle::NoRecord));
    }
}

#[test]
fn a_verdict_becomes_its_evidence() {
    let signer = signer("M1");
    let energy = Energy::from_wh(5);
    let record = [signed(&signer, 1, &[begin(0), end(5)])];
    let good = verify(&record, Some((&signer.public_key(), KeySource::Register)));
    assert!(matches!(Evidence::of(good, energy), Evidence::Verified(verified) if verified.energy() == energy));
    let none = Verdict::CannotBeChecked(Obstacle::NoRecord);
    assert_eq!(Evidence::of(none, energy), Evidence::Exception(Exception::NoSignedMeter { energy }));
    let reason = "cannot be checked: there is no public key".to_owned();
    let keyless = Verdict::CannotBeChecked(Obstacle::NoKey);
    assert_eq!(Evidence::of(keyless, energy), Evidence::Exception(Exception::SignatureFault { energy, reason }));
}

#[test]
fn flagged_readings_are_told_and_not_billed() {
    let mut c = closing(&signer("M1"));
    let falling = Flaw::Falling { by: Energy::from_wh(5) };
    c.flagged = vec![falling, Flaw::Negative, falling];
    let remark = close(c).unwrap().remark.unwrap();
    assert_eq!(
        remark,
        "3 readings were flagged and did not count: the register went down by 0.005 kWh (2x), the register is below \
         zero (1x)."
    );
}

#[test]
fn what_is_no_session_is_not_closed() {
    let signer = signer("M1");
    let fault = |spoil: fn(&mut Closing)| {
        let mut c = closing(&signer);
        spoil(&mut c);
        close(c).unwrap_err()
    };
    assert_eq!(fault(|c| c.end = at("2026-11-22T09:00:00Z")), CloseFault::EndsBeforeStart);
    assert_eq!(fault(|c| c.periods.clear()), CloseFault::NoPeriod);
    assert_eq!(fault(|c| c.periods.swap(0, 2)), CloseFault::PeriodOutside { index: 1 });
    assert_eq!(fault(|c| c.periods[0].start = at("2026-11-22T09:59:59Z")), CloseFault::PeriodOutside { index: 0 });
    assert_eq!(fault(|c| c.periods[0].energy = Some(Energy::from_wh(-1))), CloseFault::NegativeEnergy);
    let negative = Exception::NoSignedMeter { energy: Energy::from_wh(-1) };
    let mut c = closing(&signer);
    c.evidence = Evidence::Exception(negative);
    assert_eq!(close(c), Err(CloseFault::NegativeEnergy));
    assert!(matches!(fault(|c| c.time_zone = "Nowhere".to_owned()), CloseFault::Unpriced(_)));
}

#[test]
fn every_false_number_is_named_by_its_path() {
    let signer = signer("M1");
    /// What is spoiled, and where it is found.
    type Row = (fn(&mut Cdr), &'static [&'static str]);
    let table: [Row; 14] = [
        (|c| c.total_cost.before_vat += dec("0.01"), &["/total_cost/excl_vat"]),
        (|c| c.total_cost.with_vat = Some(dec("11")), &["/total_cost/incl_vat"]),
        (|c| c.total_cost.with_vat = None, &[]),
        (|c| c.total_cost.before_vat += dec("0.0001"), &[]),
        (|c| c.energy_cost = Some(Price { before_vat: dec("6"), with_vat: None }), &["/total_energy_cost/excl_vat"]),
        (|c| c.time_cost = Some(Price { before_vat: dec("6"), with_vat: None }), &["/total_time_cost/excl_vat"]),
        (|c| c.parking_cost = None, &[]),
        (|c| c.energy = Energy::from_wh(12_600), &["/total_energy", "/signed_data"]),
        (|c| c.total_time_h = dec("1.6"), &["/total_time"]),
        (|c| c.parking_time_h = dec("0.6"), &["/total_parking_time"]),
        (|c| c.meter = Some("M2".to_owned()), &["/meter_id"]),
        (|c| c.currency = "CHF".parse().unwrap(), &["/currency"]),
        (|c| c.tariff.elements[0].components[0].price = dec("0.50"), &["/tariffs/0/elements"]),
        (
            |c| c.periods[1].start = at("2026-11-22T09:00:00Z"),
            &["/charging_periods/1/start_date_time", "/charging_periods"],
        ),
    ];
    for (index, (spoil, expected)) in table.into_iter().enumerate() {
        let mut cdr = close(closing(&signer)).unwrap();
        spoil(&mut cdr);
        assert_eq!(paths(&cdr, &signer), expected, "row {index}");
    }
}

#[test]
fn a_higher_price_than_agreed_is_found_although_the_cdr_is_consistent() {
    let signer = signer("M1");
    let mut c = closing(&signer);
    c.tariff.elements[0].components[0].price = dec("0.50");
    let cdr = close(c).unwrap();
    assert_eq!(audit(&cdr, ZONE, None, None).differences, []);
    let audit = audit(&cdr, ZONE, Some(&agreed()), None);
    let total = audit.differences.iter().find(|d| d.path == "/total_cost/excl_vat").unwrap();
    assert_eq!((total.theirs.as_str(), total.ours.as_str()), ("9.75", "8.5"));
}

#[test]
fn an_inflated_cdr_is_caught_by_the_signature() {
    let signer = signer("M1");
    let mut c = closing(&signer);
    c.evidence = Evidence::Exception(Exception::NoSignedMeter { energy: Energy::from_wh(20_000) });
    let cdr = close(c).unwrap();
    assert_eq!(paths(&cdr, &signer), ["/signed_data"]);
}

#[test]
fn a_credit_takes_everything_back_and_passes_the_same_audit() {
    let signer = signer("M1");
    let cdr = close(closing(&signer)).unwrap();
    let back = credit(&cdr, CdrId::new("CDR-1-C").unwrap(), at("2026-11-23T00:00:00Z"));
    assert_eq!(back.total_cost, Price { before_vat: dec("-8.5"), with_vat: Some(dec("-10.115")) });
    assert_eq!(back.credit_reference, Some(cdr.id.clone()));
    assert!(back.credit);
    assert_eq!((back.energy, &back.periods), (cdr.energy, &cdr.periods));
    assert_eq!(paths(&back, &signer), [""; 0]);
    let positive = Cdr { total_cost: cdr.total_cost, ..back };
    assert_eq!(paths(&positive, &signer), ["/total_cost/excl_vat", "/total_cost/incl_vat"]);
}

#[test]
fn nothing_of_a_cdr_prints_the_person() {
    let closing = closing(&signer("M1"));
    let shown = format!("{:?} {:?}", closing, closing.token);
    assert!(!shown.contains("C12345678"), "{shown}");
}

/// A booking of the same place and tariff that nobody used.
fn unused(end: BookingEnd) -> Unused {
    let Closing { party, token, place, tariff, .. } = closing(&signer("M-1"));
    let fees = BookingFees {
        expires: Some(Fee { price: "4".parse().unwrap(), vat_percent: Some("19".parse().unwrap()) }),
        cancellation: None,
    };
    Unused {
        party,
        id: CdrId::new("B-1").unwrap(),
        booking: "B-1".parse().unwrap(),
        end,
        at: at(BEGIN),
        token,
        reference: AuthorizationReference::new("R-1").unwrap(),
        place,
        tariff: Tariff { booking: fees, ..tariff },
    }
}

#[test]
fn a_booking_that_nobody_used_costs_its_fee_and_nothing_else_of_the_tariff() {
    let cdr = fee(unused(BookingEnd::Expires)).unwrap().unwrap();
    let four = Price { before_vat: "4".parse().unwrap(), with_vat: Some("4.76".parse().unwrap()) };
    assert_eq!((cdr.total_cost, cdr.fixed_cost, cdr.energy), (four, Some(four), Energy::ZERO));
    assert_eq!((cdr.session.as_ref(), cdr.booking.as_ref().map(|id| id.as_str())), (None, Some("B-1")));
    assert_eq!(fee(unused(BookingEnd::Cancellation)), Ok(None), "the tariff names no fee for it");

    let audit = audit_fee(&cdr, Some(&cdr.tariff), Some(BookingEnd::Expires));
    assert_eq!(audit.differences, []);
    assert_eq!(audit.priced.map(|priced| priced.total), Some(four));
    let paths = |audit: Audit| audit.differences.into_iter().map(|found| found.path).collect::<Vec<_>>();
    assert_eq!(paths(audit_fee(&cdr, None, None)), ["/booking_id"], "it did not end so");
    assert_eq!(paths(audit_fee(&cdr, None, Some(BookingEnd::Cancellation))), ["/booking_id"]);
    let dearer = Cdr { total_cost: Price { before_vat: "5".parse().unwrap(), with_vat: None }, ..cdr.clone() };
    assert_eq!(paths(audit_fee(&dearer, None, Some(BookingEnd::Expires))), ["/total_cost/excl_vat"]);
    let fees = BookingFees::default();
    let other = Tariff { booking: fees, ..cdr.tariff.clone() };
    assert_eq!(paths(audit_fee(&cdr, Some(&other), Some(BookingEnd::Expires))), ["/tariffs/0/elements", "/booking_id"]);
}
