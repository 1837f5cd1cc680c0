//! Paying at the station without a contract (OCPP 2.1 block C, use cases C17 to C25), and messages between vendors.

use rust_decimal::Decimal;

use super::document::Document;
use crate::Timestamp;
use crate::id::{EvseNo, TransactionKey};
use crate::personal::Personal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentOrder {
    /// `NotifyWebPaymentStarted`: somebody scanned the EVSE's code and pays.
    WebStarted { evse: EvseNo, seconds: u32 },
}

#[derive(Clone, Debug, PartialEq)]
pub enum PaymentNews {
    /// `NotifySettlement`; answered with [`super::Heard::Receipt`].
    Settlement(Box<Settlement>),
    /// `VatNumberValidation`; answered with [`super::Heard::Company`].
    VatNumber { number: Personal<Box<str>>, evse: Option<EvseNo> },
}

/// The end of an ad-hoc payment at a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    pub key: Option<TransactionKey>,
    /// The payment provider's reference.
    pub reference: Personal<Box<str>>,
    /// Settled, Canceled, Rejected, Failed.
    pub status: Box<str>,
    pub amount: Decimal,
    pub at: Timestamp,
    pub receipt: Option<Box<str>>,
    pub receipt_url: Option<Box<str>>,
    pub vat_number: Option<Personal<Box<str>>>,
    pub company: Option<Personal<Document>>,
}

/// `DataTransfer`, either way. `data` is JSON text: a string in 1.6, anything in 2.x.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    pub vendor: Box<str>,
    pub message: Option<Box<str>>,
    pub data: Option<Document>,
}

/// The answer to `DataTransfer`: Accepted, Rejected, UnknownMessageId, UnknownVendorId.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorAnswer {
    pub status: Box<str>,
    pub data: Option<Document>,
}
