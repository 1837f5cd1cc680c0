#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use charge::id::EvseId;
use charge::units::Energy;

use super::*;
use crate::fixture::{alias, begin, end, signed, signer};
use crate::record::ocmf::{IdentLevel, Moment, SignedReading, Signer};
use crate::record::{ClockQuality, explain};

fn with_register(records: &[SignedRecord], signer: &Signer) -> Verdict {
    verify(records, Some((&signer.public_key(), KeySource::Register)))
}

fn split(signer: &Signer) -> [SignedRecord; 2] {
    [signed(signer, 7, &[begin(1_000)]), signed(signer, 8, &[end(13_500)])]
}

fn forged(record: &SignedRecord, from: &str, to: &str) -> SignedRecord {
    let text = String::from_utf8(record.bytes.to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    SignedRecord { bytes: text.replacen(from, to, 1).into_bytes().into(), ..record.clone() }
}

#[test]
fn begin_and_end_in_one_record_or_in_two_say_the_same() {
    let signer = signer("M1");
    let one = [signed(&signer, 7, &[begin(1_000), end(13_500)])];
    for records in [&one[..], &split(&signer)[..]] {
        let Verdict::Valid(verified) = with_register(records, &signer) else { panic!() };
        assert_eq!(verified.energy(), Energy::from_wh(12_500));
        assert_eq!(verified.begin().register_written, "1.000000 kWh");
        assert_eq!(verified.end().at.since(verified.begin().at), Duration::from_secs(5_400));
        assert_eq!(verified.meter_serial(), Some("M1"));
        assert_eq!(verified.charge_point(), Some("DE*LEY*E0001"));
        assert!(verified.duration_is_billable());
    }
    let Verdict::Valid(verified) = with_register(&split(&signer), &signer) else { panic!() };
    assert_eq!(verified.pagination(), ["T7", "T8"]);
}

#[test]
fn intermediate_records_belong_to_the_chain() {
    let signer = signer("M1");
    let middle = SignedReading { tx: Moment::Charging, energy: Energy::from_wh(5_000), ..begin(0) };
    let records =
        [signed(&signer, 1, &[begin(1_000)]), signed(&signer, 2, &[middle]), signed(&signer, 3, &[end(9_000)])];
    let verdict = with_register(&records, &signer);
    assert_eq!(verdict.verified().map(super::super::Verified::energy), Some(Energy::from_wh(8_000)), "{verdict}");
    let gap = [records[0].clone(), records[2].clone()];
    let expected = Fault::PaginationGap { from: "T1".into(), to: "T3".into() };
    assert_eq!(with_register(&gap, &signer), Verdict::NotValid(expected));
}

#[test]
fn two_keys_beside_the_records_of_one_session_are_no_key() {
    let (meter, stranger) = (signer("M1"), signer("M1"));
    let beside = |record: SignedRecord, key: String| SignedRecord { public_key: Some(key.into()), ..record };
    let [first, second] = split(&meter);
    let good = meter.public_key();
    let contradict = |other: String| [beside(first.clone(), good.spki_hex()), beside(second.clone(), other)];
    let cases = [
        (stranger.public_key().spki_hex(), Verdict::NotValid(Fault::SeveralKeys)),
        ("no key".to_owned(), Verdict::CannotBeChecked(Obstacle::UnusableKey)),
    ];
    for (other, expected) in cases {
        let records = contradict(other);
        for key in [None, Some((&good, KeySource::InFile))] {
            assert_eq!(verify(&records, key), expected);
        }
        // a register knows whose key it is, whatever the file says
        let Verdict::ValidWithRemarks(_, remarks) = with_register(&records, &meter) else { panic!() };
        assert_eq!(remarks, [Remark::KeyInFileDiffers]);
    }
    let same = verify(&contradict(good.spki_hex()), None);
    assert!(matches!(&same, Verdict::ValidWithRemarks(_, remarks) if *remarks == [Remark::KeyCameWithFile]), "{same}");
}

#[test]
fn one_changed_byte_is_seen() {
    let signer = signer("M1");
    let record = signed(&signer, 7, &[begin(1_000), end(13_500)]);
    for (from, to) in [("13.500000", "23.500000"), ("M1", "M2"), ("T7", "T8"), (" S\"", " I\""), ("\":\"", "\": \"")] {
        let verdict = with_register(&[forged(&record, from, to)], &signer);
        assert_eq!(verdict, Verdict::NotValid(Fault::Signature { record: 1 }), "{from}");
    }
    let broken = forged(&record, "\"RD\":[", "\"RD\":");
    assert_eq!(with_register(&[broken], &signer), Verdict::NotValid(Fault::Unreadable { record: 1 }));
}

#[test]
fn no_flipped_bit_of_the_payload_verifies() {
    let signer = signer("M1");
    let record = signed(&signer, 7, &[begin(1_000), end(13_500)]);
    let payload_end = record.bytes.iter().rposition(|byte| *byte == b'|').unwrap();
    for at in (0..payload_end).step_by(7) {
        let mut bytes = record.bytes.to_vec();
        bytes[at] ^= 1;
        let verdict = with_register(&[SignedRecord { bytes: bytes.into(), ..record.clone() }], &signer);
        assert_eq!(verdict.verified(), None, "byte {at}");
    }
}

#[test]
fn swapped_records_are_no_session() {
    let signer = signer("M1");
    let [first, second] = split(&signer);
    let expected = Fault::PaginationGap { from: "T8".into(), to: "T7".into() };
    assert_eq!(with_register(&[second, first], &signer), Verdict::NotValid(expected));
    let backwards = [signed(&signer, 7, &[end(13_500)]), signed(&signer, 8, &[begin(1_000)])];
    assert_eq!(with_register(&backwards, &signer), Verdict::NotValid(Fault::EndBeforeBegin));
}

#[test]
fn records_of_two_sessions_or_two_meters_do_not_add_up() {
    let one = signer("M1");
    let evse = EvseId::new("DE*LEY*E0001").unwrap();
    let other_session = one.sign(8, &[end(13_500)], &alias("ZZZZ"), &evse, None).unwrap();
    let records = [signed(&one, 7, &[begin(1_000)]), other_session];
    assert_eq!(with_register(&records, &one), Verdict::NotValid(Fault::DifferentSessions));

    let key = trust::sign::SigningKey::generate().unwrap().to_pkcs8_der().unwrap();
    let (one, two) = (crate::fixture::signer_of(key.expose(), "M1"), crate::fixture::signer_of(key.expose(), "M2"));
    let records = [signed(&one, 7, &[begin(1_000)]), signed(&two, 8, &[end(13_500)])];
    assert_eq!(with_register(&records, &one), Verdict::NotValid(Fault::DifferentMeters));
}

#[test]
fn what_a_meter_would_never_say_is_not_valid_although_signed() {
    let signer = signer("M1");
    let unset = SignedReading { clock: ClockQuality::Unknown, ..begin(1_000) };
    let early = SignedReading { at: begin(0).at.minus(Duration::from_secs(1)), ..end(13_500) };
    let table = [
        (vec![unset, end(13_500)], Fault::ClockUnknown),
        (vec![begin(1_000), end(900)], Fault::EnergyFalls { by: Energy::from_wh(100) }),
        (vec![begin(1_000), early], Fault::TimeFalls),
        (vec![begin(1_000)], Fault::NoEnd),
        (vec![end(1_000)], Fault::NoBegin),
    ];
    for (readings, fault) in table {
        let verdict = with_register(&[signed(&signer, 1, &readings)], &signer);
        assert_eq!(verdict, Verdict::NotValid(fault));
    }
    let twice =
        [signed(&signer, 1, &[begin(1_000)]), signed(&signer, 2, &[begin(1_000)]), signed(&signer, 3, &[end(2_000)])];
    assert_eq!(with_register(&twice, &signer), Verdict::NotValid(Fault::SeveralBegins));
}

#[test]
fn weak_clocks_and_abnormal_ends_are_remarked() {
    let signer = signer("M1");
    let clocked = |reading: SignedReading, clock| SignedReading { clock, ..reading };
    let table = [
        (clocked(begin(0), ClockQuality::Informative), end(5), Remark::ClockInformative),
        (clocked(begin(0), ClockQuality::Informative), clocked(end(5), ClockQuality::Relative), Remark::ClockRelative),
        (begin(0), SignedReading { tx: Moment::PowerFailure, ..end(5) }, Remark::EndedAbnormally),
    ];
    for (first, last, remark) in table {
        let verdict = with_register(&[signed(&signer, 1, &[first, last])], &signer);
        let Verdict::ValidWithRemarks(_, remarks) = verdict else { panic!("{verdict}") };
        assert_eq!(remarks, [remark]);
    }
}

#[test]
fn a_failed_identification_is_not_valid() {
    // our own signer cannot write one, so the record of another maker is signed here by hand
    use ocmf::sign::{ReadingSpec, RecordBuilder, Secp256r1Signer, Signer as _};
    use ocmf::{IdentificationLevel, IdentificationType, Location, OcmfTime, Pagination, Unit};
    let hand = Secp256r1Signer::from_bytes(&[0x2a; 32]).unwrap();
    let time = OcmfTime::parse("2026-11-22T10:00:00,000+0000 S", &Location::at(0), &mut Vec::new()).unwrap();
    let reading = || ReadingSpec::new(time, 1.into(), "01-00:B1.08.00*FF", Unit::KWh);
    let build = |level, first: ReadingSpec<'static>| {
        let record = RecordBuilder::new()
            .gateway("G", "1", "1")
            .pagination(Pagination::transaction(1))
            .meter_serial("M")
            .identification(true, level, Vec::new(), IdentificationType::None, "")
            .reading(first.begin())
            .reading(reading().end())
            .sign(&hand)
            .unwrap();
        SignedRecord { format: "OCMF".into(), bytes: record.as_str().as_bytes().into(), public_key: None }
    };
    let key = PublicKey::wrapping(hand.public_key().unwrap());
    let judged = |record| verify(&[record], Some((&key, KeySource::Register)));
    assert!(judged(build(IdentificationLevel::Verified, reading())).verified().is_some());
    let failed = Fault::IdentificationFailed { level: "MISMATCH".into() };
    assert_eq!(judged(build(IdentificationLevel::Mismatch, reading())), Verdict::NotValid(failed));
    let flagged = reading().error_flags("E");
    assert_eq!(judged(build(IdentificationLevel::Verified, flagged)), Verdict::NotValid(Fault::ErrorFlag));
    let timed_out = reading().state(ocmf::MeterState::parse("T"));
    let verdict = judged(build(IdentificationLevel::Verified, timed_out));
    assert!(matches!(verdict, Verdict::NotValid(Fault::MeterState { .. })), "{verdict}");
}

#[test]
fn the_key_decides_and_its_origin_is_told() {
    let (signer, stranger) = (signer("M1"), signer("M1"));
    let record = signed(&signer, 1, &[begin(0), end(5_000)]);
    let bare = SignedRecord { public_key: None, ..record.clone() };

    assert_eq!(
        with_register(std::slice::from_ref(&record), &stranger),
        Verdict::NotValid(Fault::Signature { record: 1 })
    );
    assert_eq!(verify(std::slice::from_ref(&bare), None), Verdict::CannotBeChecked(Obstacle::NoKey));
    let Verdict::ValidWithRemarks(verified, remarks) = verify(std::slice::from_ref(&record), None) else { panic!() };
    assert_eq!((verified.key_source(), &*remarks), (KeySource::InFile, &[Remark::KeyCameWithFile][..]));
    assert!(remarks[0].to_string().starts_with("the key came with the file"));

    let misleading = SignedRecord { public_key: Some(stranger.public_key().spki_hex().into()), ..record.clone() };
    let verdict = with_register(&[misleading], &signer);
    assert!(matches!(verdict, Verdict::ValidWithRemarks(_, remarks) if remarks == [Remark::KeyInFileDiffers]));
    let unusable = SignedRecord { public_key: Some("3059".into()), ..record };
    assert_eq!(verify(&[unusable], None), Verdict::CannotBeChecked(Obstacle::UnusableKey));
    assert!(verify(&[bare], Some((&signer.public_key(), KeySource::GivenByUser))).verified().is_some());
}

#[test]
fn what_cannot_be_checked_is_never_called_invalid() {
    let signer = signer("M1");
    let record = signed(&signer, 1, &[begin(0), end(5_000)]);
    assert_eq!(with_register(&[], &signer), Verdict::CannotBeChecked(Obstacle::NoRecord));
    let alfen = SignedRecord { format: "ALFEN".into(), bytes: (*b"AP;0;3;").into(), public_key: None };
    let expected = Obstacle::UnknownFormat("ALFEN".into());
    assert_eq!(with_register(&[alfen], &signer), Verdict::CannotBeChecked(expected));
    let brainpool = forged(&record, "secp256r1", "brainpool256r1");
    let verdict = with_register(&[brainpool], &signer);
    assert!(matches!(verdict, Verdict::CannotBeChecked(Obstacle::KeyOfOtherKind { .. })), "{verdict}");
    let unheard = forged(&record, "ECDSA-secp256r1-SHA256", "Ed25519");
    assert!(matches!(with_register(&[unheard], &signer), Verdict::CannotBeChecked(Obstacle::UnsupportedCurve(_))));
}

#[test]
fn an_exact_difference_is_not_cut_twice() {
    let signer = signer("M1");
    let evse = EvseId::new("DE*LEY*E0001").unwrap();
    let readings = [begin(1_000), end(1_000)];
    let mut ident = alias("session-1");
    ident.level = IdentLevel::Hearsay;
    let record = signer.sign(1, &readings, &ident, &evse, None).unwrap();
    let Verdict::Valid(verified) = with_register(&[record], &signer) else { panic!() };
    assert_eq!(verified.energy(), Energy::ZERO);
    assert_eq!(verified.identification().level.as_deref(), Some("HEARSAY"));
}

#[test]
fn a_report_tells_everything_and_shortens_the_person() {
    let signer = signer("M1");
    let record = signed(&signer, 7, &[begin(1_000), end(13_500)]);
    let records = [record];
    let report = explain(&verify(&records, None), &records);
    let line = |label: &str| report.lines.iter().find(|(l, _)| *l == label).map(|(_, value)| value.as_str());
    assert_eq!(report.verdict, "valid with remarks");
    assert_eq!(line("Begin"), Some("1.000000 kWh"));
    assert_eq!(line("Delivered"), Some("12.5 kWh"));
    assert_eq!(line("Begin time"), Some("2026-11-22T10:00:00,000+0000 (clock: synchronised)"));
    assert_eq!(line("Duration"), Some("1 h 30 min 00 s"));
    assert_eq!(line("Meter serial number"), Some("M1"));
    assert_eq!(line("Identified as"), Some("A1…E5"));
    assert_eq!(line("Key from"), Some("came with the file"));
    assert_eq!(line("Pages"), Some("T7"));
    assert!(!format!("{report:?}").contains("A1B2C3D4E5"));
    let refused = explain(&verify(&[], None), &[]);
    assert_eq!((refused.verdict, &*refused.reasons[0]), ("cannot be checked", "there is no signed record"));
}

/// The 256 records of the official test data against the verdict of OpenSSL over the same bytes.
#[test]
fn openssl_agrees_on_every_record_of_the_official_test_data() {
    let Some(file) = crate::fixture::shared("spec/metering/ocmf-crate/records.json") else { return };
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let entries = file["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 256);
    let (mut good, mut bad, mut undecidable, mut unsupported) = (0, 0, 0, 0);
    for entry in entries {
        let record = SignedRecord {
            format: "OCMF".into(),
            bytes: entry["record"].as_str().unwrap().as_bytes().into(),
            public_key: entry["key"].as_str().map(Into::into),
        };
        let name = &entry["source"];
        let verdict = verify(&[record], None);
        let bad_signature = matches!(verdict, Verdict::NotValid(Fault::Signature { .. }));
        let other_key = matches!(verdict, Verdict::CannotBeChecked(Obstacle::KeyOfOtherKind { .. }));
        let checked = !matches!(verdict, Verdict::CannotBeChecked(_));
        match entry["openssl_verified"].as_bool() {
            _ if matches!(verdict, Verdict::CannotBeChecked(Obstacle::UnsupportedCurve(_))) => unsupported += 1,
            // one half of a session has a good signature and is no session: checked, and not for its signature refused
            Some(true) if checked && !bad_signature => good += 1,
            // OpenSSL takes the curve of the key, whatever the record says of its own
            Some(false) if bad_signature || other_key => bad += 1,
            None if verdict.verified().is_none() => undecidable += 1,
            openssl => panic!("{name}: OpenSSL says {openssl:?}, we say {verdict}"),
        }
    }
    assert_eq!((good, bad, undecidable, unsupported), (243, 4, 5, 4));
}

/// One record per algorithm of the standard, and three in the spellings of the field.
#[test]
fn every_algorithm_is_checked_or_named() {
    let Some(file) = crate::fixture::shared("spec/metering/ocmf-crate/curves.json") else { return };
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let (mut valid, mut unsupported) = (Vec::new(), Vec::new());
    for vector in file["vectors"].as_array().unwrap() {
        let record = SignedRecord {
            format: "OCMF".into(),
            bytes: vector["record"].as_str().unwrap().as_bytes().into(),
            public_key: vector["key_spki_hex"].as_str().map(Into::into),
        };
        let curve = vector["curve"].as_str().unwrap();
        match verify(&[record], None) {
            Verdict::ValidWithRemarks(verified, remarks) => {
                assert_eq!((verified.energy(), &*remarks), (Energy::from_wh(29_500), &[Remark::KeyCameWithFile][..]));
                assert_eq!(verified.loss_compensation(), Some("2 mOhm"));
                valid.push(curve);
            }
            Verdict::CannotBeChecked(Obstacle::UnsupportedCurve(_)) => unsupported.push(curve),
            other => panic!("{curve}: {other}"),
        }
    }
    let spellings = ["secp256r1"; 3];
    assert_eq!(valid[..4], ["secp256k1", "secp192r1", "secp256r1", "secp384r1"]);
    assert_eq!(valid[4..], spellings);
    assert_eq!(unsupported, ["secp192k1", "brainpoolP256r1", "brainpoolP384r1"]);
}

proptest::proptest! {
    #[test]
    fn damaged_records_are_refused_and_never_break_the_check(at in 0usize..600, byte: u8, cut in 0usize..600) {
        let signer = crate::fixture::signer_of(FIXED_KEY.get_or_init(fixed_key), "M1");
        let record = signed(&signer, 7, &[begin(1_000), end(13_500)]);
        let mut bytes = record.bytes.to_vec();
        let at = at % bytes.len();
        let same = bytes[at] == byte;
        bytes[at] = byte;
        let whole = with_register(&[SignedRecord { bytes: bytes.clone().into(), ..record.clone() }], &signer);
        // outside the payload a byte may change its case or its blank without touching what was signed
        let payload_end = record.bytes.iter().rposition(|byte| *byte == b'|').unwrap();
        proptest::prop_assert!(same || at > payload_end || whole.verified().is_none());
        bytes.truncate(cut % bytes.len());
        let short = with_register(&[SignedRecord { bytes: bytes.into(), ..record }], &signer);
        proptest::prop_assert!(short.verified().is_none());
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes: Vec<u8>, text in "(OCMF|<values>|\\{|&#x?[0-9a-f]*;|<|>|\\||.){0,40}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            for (records, key) in crate::record::file::read(bytes).unwrap_or_default() {
                let key = key.as_ref().map(|key| (key, KeySource::InFile));
                proptest::prop_assert!(verify(&records, key).verified().is_none());
            }
        }
    }
}

static FIXED_KEY: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();

fn fixed_key() -> Vec<u8> {
    trust::sign::SigningKey::generate().unwrap().to_pkcs8_der().unwrap().expose().clone()
}
