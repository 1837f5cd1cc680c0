//! The provider's own identifiers. None of them leaves the house.

use std::fmt;

use charge::Dice;
use charge::id::BadId;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            pub fn new(text: &str) -> Result<Self, BadId> {
                match text.len() {
                    0 => Err(BadId::Empty),
                    1..=ID_LETTERS if text.bytes().all(|c| c.is_ascii_alphanumeric()) => Ok(Self(text.into())),
                    1..=ID_LETTERS => Err(BadId::Character),
                    _ => Err(BadId::TooLong(ID_LETTERS)),
                }
            }

            pub(crate) fn roll(dice: &dyn Dice) -> Self {
                Self(dice.letters(ID_LETTERS).into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

/// Random and long enough that nobody guesses another driver's (62 bit).
const ID_LETTERS: usize = 12;

texts! {
    /// A driver, for the login and the rows of this provider.
    DriverId;
    /// A card of a driver. Says nothing about its uid.
    CardId;
}

numbers! {
    /// A session as this provider counts them.
    SessionNo;
    /// A received CDR.
    CdrNo;
    /// A dispute about one CDR.
    DisputeNo;
    /// An invoice, issued or not; not the number printed on it.
    InvoiceNo;
    /// One version of a tariff. Equal numbers mean equal prices.
    TariffNo;
}
