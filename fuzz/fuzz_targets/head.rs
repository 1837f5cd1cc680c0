//! The head of an HTTP request at the line's door: path, identity, Basic credentials, subprotocols.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| gate::line::read_head(data));
