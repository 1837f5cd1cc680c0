//! A peer's certificate in DER, and keys in any of the forms that meters and stations are registered with.
#![no_main]

use billing::record::PublicKey;
use libfuzzer_sys::fuzz_target;
use trust::certificate::Facts;

fuzz_target!(|data: &[u8]| {
    if let Ok(facts) = Facts::read(data) {
        let _line = facts.to_string();
        let _valid = facts.valid_at(samples::now());
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(key) = PublicKey::read(text)
    {
        let again = PublicKey::read(&key.ocpp_text());
        assert!(again.is_ok_and(|again| again == key), "a key is not the same after it was written");
        let again = PublicKey::read(&key.spki_hex());
        assert!(again.is_ok_and(|again| again == key), "a key is not the same after it was written in hex");
    }
});
