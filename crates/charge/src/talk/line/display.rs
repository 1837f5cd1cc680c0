//! What a station shows, what it knows of a customer, and what a charge costs so far (2.x blocks O, N09-N10, I;
//! the California pricing extension of 1.6).

use rust_decimal::Decimal;

use super::certificate::CertificateHash;
use super::document::{Document, Part};
use crate::Timestamp;
use crate::id::TransactionKey;
use crate::personal::Personal;
use crate::tariff::Tariff;
use crate::token::PresentedToken;

/// `MessageInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayMessage {
    pub id: i32,
    /// AlwaysFront, InFront, NormalCycle.
    pub priority: Box<str>,
    /// Charging, Faulted, Idle, Unavailable; 2.1 also Suspended, Discharging.
    pub state: Option<Box<str>>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub key: Option<TransactionKey>,
    /// ASCII, HTML, URI, UTF8; 2.1 also QRCODE.
    pub format: Box<str>,
    pub language: Option<Box<str>>,
    pub text: Box<str>,
    /// Display component and further languages, as a document.
    pub more: Option<Document>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisplayOrder {
    /// `SetDisplayMessage`.
    Set(Box<DisplayMessage>),
    /// `GetDisplayMessages`; they come as [`DisplayNews`].
    Read { request: i32, ids: Vec<i32>, priority: Option<Box<str>>, state: Option<Box<str>> },
    /// `ClearDisplayMessage`.
    Clear { id: i32 },
}

/// `NotifyDisplayMessages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayNews {
    pub part: Part,
    pub messages: Vec<DisplayMessage>,
}

/// `CustomerInformation`: which customer is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Customer {
    Token(PresentedToken),
    Certificate(CertificateHash),
    Identifier(Personal<Box<str>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerOrder {
    pub request: i32,
    pub report: bool,
    pub clear: bool,
    pub customer: Customer,
}

/// `NotifyCustomerInformation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerNews {
    pub part: Part,
    pub at: Timestamp,
    pub data: Personal<Box<str>>,
}

/// Orders about prices at the station.
#[derive(Clone, Debug, PartialEq)]
pub enum TariffOrder {
    /// 2.x `CostUpdated`, in the station's currency. 1.6 has the richer `RunningCost`: order it as [`Self::Californian`].
    Cost { key: TransactionKey, total: Decimal },
    /// 1.6 California pricing: `SetUserPrice`, `RunningCost`, `FinalCost`, and the settings `DefaultPrice` and
    /// `DefaultPriceText,<language>`; the data as a document of the note's own form.
    Californian { message: Box<str>, data: Document },
    /// `SetDefaultTariff` (2.1). `evse: None` is all.
    SetDefault { evse: Option<crate::id::EvseNo>, tariff: Box<Tariff> },
    /// `GetTariffs` (2.1); answered with [`super::StationAnswer::Tariffs`].
    Read { evse: Option<crate::id::EvseNo> },
    /// `ClearTariffs` (2.1); answered with [`super::StationAnswer::Items`].
    Clear { evse: Option<crate::id::EvseNo>, ids: Vec<Box<str>> },
    /// `ChangeTransactionTariff` (2.1).
    Change { key: TransactionKey, tariff: Box<Tariff> },
}

/// A tariff that a station keeps (2.1 `TariffAssignment`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTariff {
    pub id: Box<str>,
    /// A driver's own, else the default.
    pub of_driver: bool,
    pub from: Option<Timestamp>,
    pub evses: Vec<crate::id::EvseNo>,
}
