//! Whole-network tests: the real binary as a process, real sockets, real foreign stations.
//!
//! Every test states one rule in its name and starts its own house in a folder of its own, on ports of its own. What
//! is waited for is a level that can be seen from outside, looked at again and again within a bound; nothing waits
//! for time to pass. The binary has to be built before: `cargo build -p leyden`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod network {
    // what the tests stand on
    mod apart;
    mod api;
    mod books;
    mod crowd;
    mod house;
    mod peer;
    mod pole;
    mod settle;
    mod socket;
    mod wait;

    // the rules
    mod bad_door;
    mod bad_frames;
    mod bad_letters;
    mod bad_readings;
    mod bad_starts;
    mod bench;
    mod booked;
    mod cases_16;
    mod cases_i_to_p;
    mod clearing;
    mod conformance;
    mod crash;
    mod evidence;
    mod foreign;
    mod foreign_csms;
    mod full_disk;
    mod gently;
    mod guest;
    mod guest20;
    mod habit;
    mod leaks;
    mod npm;
    mod ocpi_runner;
    mod partition;
    mod partner;
    mod pay;
    mod register;
    mod registration;
    mod seconds;
    mod source_peers;
    mod tour;
    mod trial;
    mod zeep;
}
