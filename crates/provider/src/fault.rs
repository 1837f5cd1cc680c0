//! What can go wrong at the provider, and whose fault it is.
//!
//! A [`Refusal`] is the word to a driver or clerk, a [`Denial`] the word to another party. No text carries a name, a
//! uid or an id of a contract.

use charge::id::BadId;
use charge::talk::road::Denial;
use store::StoreError;
use trust::seal::SealFault;

/// Why a wish of a driver or clerk is not fulfilled: their mistake, or the state of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such driver")]
    NoSuchDriver,
    #[error("there is no such card")]
    NoSuchCard,
    /// Said by the provider about its own cards only.
    #[error("this card is already registered")]
    CardTaken,
    #[error("there is no such charging point")]
    NoSuchPlace,
    #[error("the charging point cannot be used now")]
    NotAvailable,
    #[error("no price is known for this charging point, so nothing can be agreed")]
    NoPrice,
    #[error("the price has changed: look at it again")]
    PriceChanged,
    #[error("{0}")]
    NotAllowed(&'static str),
    #[error("there is no such session")]
    NoSuchSession,
    #[error("the session is over")]
    SessionOver,
    #[error("there is no such order")]
    NoSuchOrder,
    #[error("there is no such dispute")]
    NoSuchDispute,
    #[error("the dispute is settled")]
    DisputeSettled,
    #[error("there is no such invoice")]
    NoSuchInvoice,
    #[error("the invoice is issued and does not change any more")]
    InvoiceIssued,
    #[error("the invoice has no lines")]
    InvoiceEmpty,
    #[error("there is no such booking")]
    NoSuchBooking,
    #[error("the booking has ended")]
    BookingOver,
    #[error("the operator leaves the booking as it is")]
    NotChanged,
    #[error("the operator does not answer: try again in a moment")]
    NoAnswer,
    #[error("the meter key cannot be read")]
    KeyUnreadable,
}

/// Why the provider did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    #[error("the provider's memory failed")]
    Store(#[from] StoreError),
    #[error("a personal value cannot be sealed")]
    Seal(#[from] SealFault),
    #[error("an identifier of our own is malformed")]
    Id(#[from] BadId),
    /// Amounts beyond what anybody could owe.
    #[error("an amount is too large")]
    TooLarge,
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("the letter is refused")]
    Denied(Denial),
}

/// What another party hears. A refusal never reaches one: it answers people.
impl From<ProviderFault> for Denial {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Store(StoreError::Overloaded { .. } | StoreError::Busy) => Self::Overloaded,
            ProviderFault::Denied(denial) => denial,
            ProviderFault::Store(_)
            | ProviderFault::Seal(_)
            | ProviderFault::Id(_)
            | ProviderFault::TooLarge
            | ProviderFault::Refused(_) => {
                tracing::error!(%fault, "a letter could not be dealt with");
                Self::Internal
            }
        }
    }
}
