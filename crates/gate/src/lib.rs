//! The doors for machines: they own sockets, limits and timeouts, and decide nothing.
//!
//! [`line`] carries OCPP between stations and an operator, [`road`] carries OCPI between parties. A door asks the
//! desk of the room behind it; which room that is, it does not know.

pub mod limits;
pub mod line;
pub mod road;
