#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::id::EvseId;

use super::*;
use crate::fixture::{alias, begin, end, shared, signed, signer};
use crate::record::verify;

fn all_files(records: &[SignedRecord], key: &PublicKey) -> [String; 3] {
    let lines: Vec<_> = records.iter().map(|record| String::from_utf8_lossy(&record.bytes).into_owned()).collect();
    [lines.join("\n"), safe_xml(records, Some(key)), evidence_json(records, Some(key))]
}

fn bytes(records: &[SignedRecord]) -> Vec<Box<[u8]>> {
    records.iter().map(|record| record.bytes.clone()).collect()
}

#[test]
fn every_kind_of_file_gives_the_same_bytes_back() {
    let signer = signer("M1");
    let key = signer.public_key();
    let evse = EvseId::new("DE*LEY*E0001").unwrap();
    let awkward = signer.sign(3, &[begin(1), end(2)], &alias("a&b<c>\"d'&amp;ü"), &evse, None).unwrap();
    let one = vec![awkward];
    let two = vec![signed(&signer, 1, &[begin(1)]), signed(&signer, 2, &[end(2)])];
    for records in [one, two] {
        for file in all_files(&records, &key) {
            let bundles = read(file.as_bytes()).unwrap();
            assert_eq!(bundles.len(), 1, "{file}");
            assert_eq!(bytes(&bundles[0].0), bytes(&records), "{file}");
            assert!(verify(&bundles[0].0, Some((&key, super::super::KeySource::GivenByUser))).verified().is_some());
        }
        let with_key = read(safe_xml(&records, None).as_bytes()).unwrap();
        assert_eq!(with_key[0].1.as_ref(), Some(&key));
    }
}

#[test]
fn several_sessions_of_one_file_stay_apart() {
    let signer = signer("M1");
    let records = [
        signed(&signer, 1, &[begin(1), end(2)]),
        signed(&signer, 2, &[begin(2)]),
        signed(&signer, 3, &[end(4)]),
        signed(&signer, 4, &[begin(4)]),
        signed(&signer, 5, &[begin(4), end(6)]),
    ];
    for file in all_files(&records, &signer.public_key()) {
        let sizes: Vec<usize> = read(file.as_bytes()).unwrap().iter().map(|(records, _)| records.len()).collect();
        assert_eq!(sizes, [1, 2, 1, 1]);
    }
}

#[test]
fn the_container_pairs_begin_and_end_as_the_official_software_wants() {
    let signer = signer("M1");
    let xml = safe_xml(&[signed(&signer, 1, &[begin(1)]), signed(&signer, 2, &[end(2)])], None);
    assert!(xml.contains(r#"<value transactionId="1" context="Transaction.Begin">"#), "{xml}");
    assert!(xml.contains(r#"<value transactionId="1" context="Transaction.End">"#), "{xml}");
    let xml = safe_xml(&[signed(&signer, 1, &[begin(1), end(2)])], None);
    assert!(xml.contains("<value>\n"), "{xml}");
}

#[test]
fn what_is_no_evidence_is_told_as_such() {
    assert_eq!(read(b""), Err(FileFault::NothingKnown));
    assert_eq!(read(b"hello"), Err(FileFault::NothingKnown));
    assert_eq!(read(&[0xff, 0xfe]), Err(FileFault::NotText));
    assert_eq!(read(b"<html></html>"), Err(FileFault::Damaged("this is no SAFE container")));
    assert_eq!(read(b"<values></values>"), Err(FileFault::NothingKnown));
    assert_eq!(read(b"{"), Err(FileFault::Damaged("this is no JSON")));
    assert_eq!(read(b"{\"evidence\":1}"), Err(FileFault::Damaged("there is no list of records")));
    assert_eq!(read(b"{\"evidence\":1,\"records\":[{}]}"), Err(FileFault::Damaged("a record has no data")));
    assert_eq!(read(&vec![b' '; FILE_MAX + 1]), Err(FileFault::TooLarge { limit: FILE_MAX }));
}

#[test]
fn records_of_other_formats_survive_the_container() {
    let foreign = SignedRecord { format: "EDL40".into(), bytes: [0xff, 0x00, 0x1b].into(), public_key: None };
    let records = [foreign];
    assert_eq!(bytes(&read(safe_xml(&records, None).as_bytes()).unwrap()[0].0), bytes(&records));
    assert_eq!(bytes(&read(evidence_json(&records, None).as_bytes()).unwrap()[0].0), bytes(&records));
}

#[test]
fn the_official_example_is_read() {
    let Some(guide) = shared("spec/metering/safe-transparenzsoftware/XML_Format.md") else { return };
    let from = guide.find("<values>").unwrap();
    let to = guide.find("</values>").unwrap() + "</values>".len();
    let bundles = read(&guide.as_bytes()[from..to]).unwrap();
    assert_eq!(bundles.len(), 1);
    let verdict = verify(&bundles[0].0, None);
    assert_eq!(verdict.verified().map(|v| v.energy().to_string()).as_deref(), Some("0.0001 kWh"), "{verdict}");
}
