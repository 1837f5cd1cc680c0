//! The tongue of the road: OICP 2.3 (JSON) and OICP 2.0 (SOAP) to and from [`charge::talk::road`].
//!
//! Messages are described by tables ([`v23`], [`v20`], [`operation`]); one reader and one judge work for all of them
//! ([`shape`]). A body becomes a document of 2.3 ([`message`], [`cross`]), and a document the words of the house
//! ([`bridge`]). Pure: sockets, certificates and sessions belong to the door. Reading is generous and told, writing is
//! strict. Invariant: no fault and no loss repeats a value it is about, so both may be logged.

pub mod bridge;
mod country;
pub mod cross;
pub mod doc;
mod facility;
pub mod form;
pub mod message;
pub mod operation;
pub mod shape;
pub mod status;
pub mod v20;
pub mod v23;
mod xml;

pub use doc::{Crossed, Doc, Fault, Lost, Record};
pub use operation::{Caller, Operation, Version};

#[cfg(test)]
mod tests;
