//! The charge detail record: closed once, audited by whoever receives it, corrected only by a credit.

mod audit;
mod close;
mod credit;
mod fee;

pub use audit::{Audit, Difference, audit};
pub use close::{CloseFault, Closing, Evidence, Exception, Permit, close};
pub use credit::credit;
pub use fee::{Unused, audit_fee, fee};

#[cfg(test)]
mod tests;
