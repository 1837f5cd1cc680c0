//! The records of OCHP 1.4 and OCHPdirect 0.2, field by field in the order of the schema.
//!
//! Nothing is decided here and nothing is carried over: that is [`crate::bridge`]'s. What says something about a
//! person is [`charge::Personal`] already on the wire's side.

pub mod direct;
pub mod place;
pub mod record;
pub mod result;
pub mod status;
pub mod tariff;
pub mod token;
