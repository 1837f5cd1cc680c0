//! From OCHP to the words of the road and back, with what was lost on the way.
//!
//! OCHP knows EVSEs by their public id alone and repeats a place in every record; the road knows locations. What a
//! record does not say, the caller lays beside it. Invariant: names that are made up here are made of what they stand
//! for, so that the same thing has the same name tomorrow; money is carried exactly or not at all.

pub mod direct;
mod name;
pub mod place;
pub mod record;
pub mod status;
pub mod tariff;
pub mod token;

pub use name::{
    cdr_id, contract, contract_id, direct_id, evse_id, evse_uid, location_id, party_code, same_evse, tariff_id,
};
