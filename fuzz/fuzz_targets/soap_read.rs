//! XML of a stranger: what is read within the limits is written and read again as the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soap::{Addressing, Envelope, Fault, Limits, UsernameToken};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    if let Ok(root) = soap::read(data, &limits) {
        let text = soap::write(&root, &[]);
        // an own prefix for each name space makes a text longer and an element's attributes more
        let wide = Limits { bytes_max: usize::MAX, attributes_max: usize::MAX, ..limits };
        let again = soap::read(text.as_bytes(), &wide);
        assert!(again.is_ok_and(|again| again == root), "what is written does not read the same");
    }
    if let Ok(envelope) = Envelope::read(data, &limits) {
        let _addressing = Addressing::read(&envelope);
        let _user = UsernameToken::read(&envelope);
        let _fault = Fault::of(&envelope);
        let _header = envelope.not_understood(Addressing::understands);
    }
});
