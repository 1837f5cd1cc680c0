//! Files with signed meter records: OCMF lines, the XML container, our own evidence. What is read is verified, told,
//! written in both forms and read again with the same bytes.
#![no_main]

use billing::record::{KeySource, explain, file, verify};
use charge::meter::SignedRecord;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(bundles) = file::read(data) else { return };
    for (records, key) in bundles {
        let verdict = verify(&records, key.as_ref().map(|key| (key, KeySource::InFile)));
        let _report = explain(&verdict, &records);
        let bytes = |records: &[SignedRecord]| records.iter().map(|record| record.bytes.clone()).collect::<Vec<_>>();
        let evidence = file::evidence_json(&records, key.as_ref());
        let again = file::read(evidence.as_bytes())
            .map(|bundles| bundles.into_iter().flat_map(|(records, _)| bytes(&records)).collect::<Vec<_>>());
        assert!(again.is_ok_and(|again| again == bytes(&records)), "the evidence file does not read back");
        let _xml = file::safe_xml(&records, key.as_ref());
    }
});
