//! Identifiers. Each is checked where it is made, so whoever holds one holds a well-formed one.
//!
//! Ids that name a person (token uids, contract ids) live in [`crate::token`] and travel inside
//! [`crate::Personal`].

use std::fmt;
use std::str::FromStr;

/// Why a text is not the identifier it was offered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadId {
    Empty,
    /// More characters than the standards allow; the number is the limit.
    TooLong(usize),
    /// A character that the standards do not allow here.
    Character,
    /// The parts are not where they should be.
    Form,
}

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong(limit) => write!(f, "is longer than {limit} characters"),
            Self::Character => f.write_str("has a character that is not allowed here"),
            Self::Form => f.write_str("does not have the form of such an identifier"),
        }
    }
}

impl std::error::Error for BadId {}

/// Printable ASCII without blanks, the OCPI `CiString` in practice.
fn printable(c: char) -> bool {
    c.is_ascii_graphic()
}

/// OCPP 2.0.1 part 2, 3.2 `identifierString`, without the colon that would end a Basic user name (part 4, 3.1.1),
/// and with the blank and the umlauts that stations in the field bring in percent-encoding.
fn station_character(c: char) -> bool {
    !c.is_control() && c != ':' && c != '/'
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident($limit:literal, $allowed:expr);)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The most characters such an id may have.
            pub const LIMIT: usize = $limit;

            pub fn new(text: impl AsRef<str>) -> Result<Self, BadId> {
                let text = text.as_ref();
                if text.is_empty() {
                    return Err(BadId::Empty);
                }
                if text.chars().count() > $limit {
                    return Err(BadId::TooLong($limit));
                }
                if !text.chars().all($allowed) {
                    return Err(BadId::Character);
                }
                Ok(Self(text.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_ids! {
    /// A charging station as its operator knows it: the last path segment of its connection (OCPP part 4, 3.1.1).
    StationId(48, station_character);
    /// The operator's id of a charging location (OCPI 2.2.1, 8.3.1).
    LocationId(36, printable);
    /// The operator's internal id of an EVSE, unique in its platform (OCPI 2.2.1, 8.3.2 `uid`).
    EvseUid(36, printable);
    /// The public EVSE id, `DE*ABC*E123`, with or without separators (eMI3; OCPI 2.2.1, 8.3.2 `evse_id`).
    EvseId(48, printable);
    /// The id of a connector inside its EVSE (OCPI 2.2.1, 8.3.3).
    ConnectorId(36, printable);
    /// The operator's id of a tariff (OCPI 2.2.1, 11.3.1).
    TariffId(36, printable);
    /// The operator's id of a charging session (OCPI 2.2.1, 9.3.1).
    SessionId(36, printable);
    /// The id of a charge detail record (OCPI 2.2.1, 10.3.1; 39 because a credit CDR's may be longer).
    CdrId(39, printable);
    /// What the provider gave with its permission, to be returned in session and CDR (OCPI 2.2.1, 12.3.1).
    AuthorizationReference(36, printable);
    /// One errand from end to end, over all hops (OCPI 2.2.1, 4.1.4 `X-Correlation-ID`).
    CorrelationId(64, printable);
    /// One command from party to party; names the outcome that comes later.
    OrderId(36, printable);
    /// The operator's id of a booking (OCPI 2.3.0, Bookings 1.1, `Booking.id`).
    BookingId(36, printable);
    /// The provider's id of what it wants booked, the same for every change of it (`Booking.request_id`).
    BookingRequestId(36, printable);
    /// The operator's id of something that can be booked (`BookingLocation.id`).
    BookingLocationId(36, printable);
    /// The operator's id of a calendar (`Calendar.id`).
    CalendarId(36, printable);
    /// A meter's serial number (OCMF `MS`).
    MeterSerial(64, |c| !c.is_control());
}

/// The number of an EVSE inside its station: OCPP 2.x `evseId`, OCPP 1.6 `connectorId`. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvseNo(u16);

impl EvseNo {
    /// `None` for zero, which means the whole station in OCPP.
    pub const fn new(number: u16) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for EvseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A party of the network: ISO 3166-1 alpha-2 country and a code of three characters (OCPI 2.2.1, 4.2.2; ISO 15118).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId {
    country: [u8; 2],
    code: [u8; 3],
}

impl PartyId {
    /// Letters are folded to upper case, because both parts are case-insensitive.
    pub fn new(country: &str, code: &str) -> Result<Self, BadId> {
        let country: [u8; 2] = country.to_ascii_uppercase().as_bytes().try_into().map_err(|_| BadId::Form)?;
        let code: [u8; 3] = code.to_ascii_uppercase().as_bytes().try_into().map_err(|_| BadId::Form)?;
        let fits = country.iter().all(u8::is_ascii_uppercase) && code.iter().all(u8::is_ascii_alphanumeric);
        if fits { Ok(Self { country, code }) } else { Err(BadId::Character) }
    }

    pub fn country(&self) -> &str {
        std::str::from_utf8(&self.country).unwrap_or("XX")
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }
}

/// `DE-8AA` or `DE*8AA` or `DE8AA`.
impl FromStr for PartyId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let country = text.get(..2).ok_or(BadId::Form)?;
        let rest = text.get(2..).ok_or(BadId::Form)?;
        Self::new(country, rest.strip_prefix(['-', '*']).unwrap_or(rest))
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.country(), self.code())
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A transaction as station and operator name it between them.
///
/// OCPP 1.6 has whole numbers that the operator gives; OCPP 2.x has texts that the station gives (up to 36
/// characters). A key means something only together with its station.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionKey {
    Number(i32),
    Text(Box<str>),
}

impl fmt::Display for TransactionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_the_standards_refuse() {
        assert_eq!(StationId::new(""), Err(BadId::Empty));
        assert_eq!(StationId::new("a:b"), Err(BadId::Character));
        assert_eq!(StationId::new("x".repeat(49)), Err(BadId::TooLong(48)));
        assert!(StationId::new("RPC 001ü").is_ok());
        assert_eq!(LocationId::new("two words"), Err(BadId::Character));
        assert_eq!(EvseNo::new(0), None);
    }

    #[test]
    fn a_party_has_three_spellings_and_one_meaning() {
        let party = PartyId::new("DE", "8AA");
        assert_eq!("de-8aa".parse(), party);
        assert_eq!("DE*8AA".parse(), party);
        assert_eq!("DE8AA".parse(), party);
        assert_eq!("DE-8A".parse::<PartyId>(), Err(BadId::Form));
        assert_eq!(party.map(|p| p.to_string()), Ok("DE-8AA".to_owned()));
    }
}
