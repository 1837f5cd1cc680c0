//! The operator as the cases of OCPP 2.0.1 part 6 ask: a station made by hand on one side of a socket, the real operator
//! with its memory behind the real line on the other, and providers that are played.
//!
//! What is new in 2.1 is below `v21`: no list of cases of it is public, so the ids there are those that another project
//! uses, with their names as the only text.
//!
//! One test goes as far as one visit does and names each case where it is asserted. Where a case asks for nothing but an
//! answer, what the operator made of the message is asserted as well: an answer alone would prove little.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod csms {
    // what the tests stand on
    mod house;
    mod pole;
    mod visit;

    // the cases, by block
    mod authorisation;
    mod lists;
    mod metering;
    mod power;
    mod provisioning;
    mod remote;
    mod reservation;
    mod terms;
    mod transactions;

    // what is new in 2.1
    mod v21;
}
