//! The virtual station as the cases of OCPP 2.0.1 part 6 ask, over a socket: the real station behind the real line on one
//! side, a central system made by hand on the other, which writes every frame of its own and reads every one of theirs.
//!
//! What the station does by itself is shown beside it, where time moves by hand; here is what only a wire can show: how
//! it knocks, what it trusts, where it goes, and the words of its answers. The binary has to be built before: `cargo build
//! -p leyden`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod station {
    // what the tests stand on
    mod hand;

    // the cases
    mod answers;
    mod knocks;
    mod moves;
}
