//! The single texts of OCHP, each checked where it is made: identifiers, moments, numbers, texts of a bounded length.
//!
//! Letter case is folded where the schema knows capitals only; nothing else is repaired here. Numbers are exact
//! decimals although the schema says `xs:float`. Invariant: whoever holds such a value can write it.

use std::borrow::Cow;

use charge::Timestamp;
use rust_decimal::Decimal;

use crate::wire::Scalar;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $why:literal, $fits:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// As it is, or in capitals where only those fit.
            pub fn new(text: &str) -> Option<Self> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) {
                    return Some(Self(text.into()));
                }
                let capitals = text.to_ascii_uppercase();
                fits(&capitals).then(|| Self(capitals.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Scalar for $name {
            fn parse(text: &str) -> Result<Self, &'static str> {
                Self::new(text).ok_or($why)
            }

            fn text(&self) -> Cow<'_, str> {
                (&*self.0).into()
            }
        }
    )+};
}

texts! {
    /// The operator's five characters and 31 more (OCHP, `CdrId`).
    CdrId: "is no id of a record", |text| within(text, 1, 36) && text.bytes().all(capital_or_digit);
    /// An EVSE, with both of its first stars or with neither (OCHP, `EvseId`).
    EvseId: "is no EVSE id", |text| named_thing(text, b'E', 30, true);
    /// A parking spot.
    ParkingId: "is no id of a parking spot", |text| named_thing(text, b'P', 30, true);
    /// A tariff of an operator.
    TariffId: "is no id of a tariff", |text| named_thing(text, b'T', 9, true);
    /// A contract of 14 or 15 characters, with all of its dashes or none (OCHP, `ContractId`). Personal.
    Contract: "is no contract id", contract;
    /// An OCHPdirect session, made by the operator. Personal: it stands for a person's charging session.
    DirectId: "is no id of a direct session",
        |text| within(text, 1, 255) && text.bytes().all(|c| capital_or_digit(c) || c == b'-');
    /// A place of several EVSEs.
    LocationId: "is no id of a location", |text| within(text, 1, 15) && text.bytes().all(|c| capital_or_digit(c) || c == b' ');
    /// A party: country and code in five characters.
    PartyCode: "is no code of a party", |text| within(text, 1, 5) && text.bytes().all(capital_or_digit);
    /// ISO 639-3.
    Language: "is no language of three letters", |text| text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase());
    /// ISO 3166-1 alpha-3.
    Country: "is no country of three letters", |text| text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase());
    /// ISO 4217.
    Currency: "is no currency of three letters", |text| text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase());
    HouseNumber: "is no house number", |text| within(text, 1, 6) && text.bytes().all(address_character);
    ZipCode: "is no postal code", |text| within(text, 1, 10) && text.bytes().all(address_character);
    /// A floor or a bay, as painted on the wall.
    SpotName: "is no name of a floor or bay",
        |text| within(text, 1, 4) && text.bytes().all(|c| capital_or_digit(c) || b"-+/".contains(&c));
    SpotNumber: "is no number of a bay",
        |text| within(text, 1, 5) && text.bytes().all(|c| capital_or_digit(c) || b"-+/".contains(&c));
    Telephone: "is no telephone number", telephone;
    /// Degrees with six decimal places.
    Latitude: "is no latitude with six decimal places", |text| degrees(text, 2);
    Longitude: "is no longitude with six decimal places", |text| degrees(text, 3);
    /// `HH:MM`, up to `24:00`.
    WallTime: "is no time of the day", wall_time;
    /// `HHH:MM:SS`.
    Duration: "is no duration", |text| shaped(text, "ddd:dd:dd");
    /// `YYYY-MM-DD` in UTC.
    Day: "is no day", |text| shaped(text, "dddd-dd-dd");
    /// An address of an OCHPdirect server.
    SecureUrl: "is no https address", |text| within(text, 9, 255) && text.starts_with("https://");
    /// An address of a picture or page.
    Url: "is no address", |text| within(text, 9, 255)
        && ["http://", "https://", "ftp://", "file://"].iter().any(|scheme| text.starts_with(scheme));
    /// Contracts that a provider's server answers for; `%` at the end stands for anything.
    ContractPattern: "is no pattern of contracts", |text| pattern(text, b'C', 8, false);
    /// EVSEs that an operator's server answers for.
    EvsePattern: "is no pattern of EVSEs", |text| pattern(text, b'E', 31, true);
}

fn within(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count())
}

const fn capital_or_digit(c: u8) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

const fn address_character(c: u8) -> bool {
    capital_or_digit(c) || c == b' ' || c == b'-'
}

/// `CC*PPP*K…` or `CCPPPK…`, in any case: a letter for the kind, one more character and up to `more` further ones.
fn named_thing(text: &str, kind: u8, more: usize, stars: bool) -> bool {
    let bytes = text.as_bytes();
    let (country, rest) = match bytes.split_at_checked(2) {
        Some(parts) => parts,
        None => return false,
    };
    let (party, instance) = match rest {
        [b'*', a, b, c, b'*', instance @ ..] => ([*a, *b, *c], instance),
        [a, b, c, instance @ ..] => ([*a, *b, *c], instance),
        _short => return false,
    };
    let [letter, first, tail @ ..] = instance else { return false };
    country.iter().all(u8::is_ascii_alphabetic)
        && party.iter().all(u8::is_ascii_alphanumeric)
        && letter.to_ascii_uppercase() == kind
        && first.is_ascii_alphanumeric()
        && tail.len() <= more
        && tail.iter().all(|c| c.is_ascii_alphanumeric() || (stars && *c == b'*'))
}

fn contract(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let dashed = matches!(lengths.as_slice(), [2, 3, 9] | [2, 3, 9, 1]);
    let plain = matches!(lengths.as_slice(), [14 | 15]);
    let country = text.bytes().take(2).all(|c| c.is_ascii_alphabetic());
    (dashed || plain) && country && parts.iter().all(|part| part.bytes().all(|c| c.is_ascii_alphanumeric()))
}

/// `[\+]{0,1}[1-9]{0,1}[0-9 \-]{1,17}`
fn telephone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let most = if digits.starts_with(|c: char| ('1'..='9').contains(&c)) { 18 } else { 17 };
    within(digits, 1, most) && digits.bytes().all(|c| c.is_ascii_digit() || c == b' ' || c == b'-')
}

fn degrees(text: &str, digits: usize) -> bool {
    let Some((whole, part)) = text.strip_prefix('-').unwrap_or(text).split_once('.') else { return false };
    let all_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    within(whole, 1, digits) && part.len() == 6 && all_digits(whole) && all_digits(part)
}

fn wall_time(text: &str) -> bool {
    let minutes = text.split_once(':').and_then(|(h, m)| Some(h.parse::<u32>().ok()? * 60 + m.parse::<u32>().ok()?));
    shaped(text, "dd:dd") && minutes.is_some_and(|minutes| minutes <= 24 * 60) && text.as_bytes()[3] < b'6'
}

fn shaped(text: &str, shape: &str) -> bool {
    let fits = |(c, s): (u8, u8)| if s == b'd' { c.is_ascii_digit() } else { c == s };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

fn pattern(text: &str, kind: u8, most: usize, stars: bool) -> bool {
    let text = text.strip_suffix('%').unwrap_or(text);
    let Some((head, tail)) = text.as_bytes().split_at_checked(6) else { return false };
    let [a, b, party @ .., letter] = head else { return false };
    let case = |c: &u8| !stars || !c.is_ascii_lowercase();
    a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
        && party.iter().all(u8::is_ascii_alphanumeric)
        && letter.to_ascii_uppercase() == kind
        && head.iter().all(case)
        && tail.len() <= most
        && tail.first() != Some(&b'*')
        && tail.iter().all(|c| (c.is_ascii_alphanumeric() && case(c)) || (stars && *c == b'*'))
}

/// A text of a bounded length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text<const LEAST: usize, const MOST: usize>(String);

impl<const LEAST: usize, const MOST: usize> Text<LEAST, MOST> {
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        within(&text, LEAST, MOST).then_some(Self(text))
    }

    /// The beginning of a text, and whether that is less than the whole; filled up with dots where it is too short.
    pub fn fitted(text: &str) -> (Self, bool) {
        let mut fitted: String = text.trim().chars().take(MOST).collect();
        let cut = text.trim().chars().count() > MOST;
        while fitted.chars().count() < LEAST {
            fitted.push('.');
        }
        (Self(fitted), cut)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const LEAST: usize, const MOST: usize> Scalar for Text<LEAST, MOST> {
    fn parse(text: &str) -> Result<Self, &'static str> {
        Self::new(text).ok_or("is longer or shorter than may stand here")
    }

    fn text(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

/// A moment in UTC to the second (OCHP, `DateTimeType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(Timestamp);

impl DateTime {
    /// Fractions of a second are cut.
    pub const fn new(at: Timestamp) -> Self {
        Self(at.whole_seconds())
    }

    pub const fn at(self) -> Timestamp {
        self.0
    }
}

impl Scalar for DateTime {
    const WRAPPER: Option<&'static str> = Some("DateTime");

    /// Any offset, a blank for the `T`, and no offset at all, which is taken as UTC.
    fn parse(text: &str) -> Result<Self, &'static str> {
        LocalDateTime::parse(text).map(|local| Self::new(local.at))
    }

    fn text(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

/// A moment with the wall clock of its place (OCHP, `LocalDateTimeType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalDateTime {
    /// To the second.
    pub at: Timestamp,
    /// East of Greenwich, whole minutes.
    pub offset_s: i32,
}

impl LocalDateTime {
    /// In a time zone by its IANA name; `None` where there is no such zone.
    pub fn in_zone(at: Timestamp, zone: &str) -> Option<Self> {
        let zone = jiff::tz::TimeZone::get(zone).ok()?;
        let moment = jiff::Timestamp::from_second(at.secs()).ok()?;
        Some(Self { at: at.whole_seconds(), offset_s: zone.to_offset(moment).seconds() / 60 * 60 })
    }

    /// On the clock of Greenwich, for places whose zone is not known.
    pub const fn greenwich(at: Timestamp) -> Self {
        Self { at: at.whole_seconds(), offset_s: 0 }
    }
}

impl Scalar for LocalDateTime {
    const WRAPPER: Option<&'static str> = Some("LocalDateTime");

    fn parse(text: &str) -> Result<Self, &'static str> {
        const WHY: &str = "is no moment";
        let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|_| WHY)?;
        let time = pieces.time().ok_or(WHY)?;
        let offset = pieces.to_numeric_offset().unwrap_or(jiff::tz::Offset::UTC);
        let at = offset.to_timestamp(pieces.date().to_datetime(time)).map_err(|_| WHY)?;
        Ok(Self { at: Timestamp::from_secs(at.as_second()), offset_s: offset.seconds() / 60 * 60 })
    }

    fn text(&self) -> Cow<'_, str> {
        let offset = jiff::tz::Offset::from_seconds(self.offset_s).unwrap_or(jiff::tz::Offset::UTC);
        let moment = jiff::Timestamp::from_second(self.at.secs()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let (sign, minutes) = (if offset.seconds() < 0 { '-' } else { '+' }, offset.seconds().abs() / 60);
        format!("{}{sign}{:02}:{:02}", offset.to_datetime(moment), minutes / 60, minutes % 60).into()
    }
}

impl Scalar for Decimal {
    /// Also with an exponent, as stacks write floats.
    fn parse(text: &str) -> Result<Self, &'static str> {
        document::decimal(text).ok_or("is no number that can be meant")
    }

    fn text(&self) -> Cow<'_, str> {
        self.normalize().to_string().into()
    }
}

impl Scalar for bool {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _neither => Err("is neither true nor false"),
        }
    }

    fn text(&self) -> Cow<'_, str> {
        if *self { "true".into() } else { "false".into() }
    }
}

impl Scalar for u32 {
    fn parse(text: &str) -> Result<Self, &'static str> {
        text.parse().map_err(|_| "is no whole number")
    }

    fn text(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn ids_are_those_of_the_schema() {
        for good in ["DE*GEF*E1234*1", "DEGEFE12341", "de*gef*e1"] {
            assert!(EvseId::new(good).is_some(), "{good}");
        }
        for bad in ["DE*GEFE1", "DEGEF*E1", "DE*GEF*X1", "DE*GEF*E", "DE*GEF*E*1", "", "DÉ*GEF*E1"] {
            assert!(EvseId::new(bad).is_none(), "{bad}");
        }
        for good in ["DE-8AA-CA2B3C4D5-N", "DE8AACA2B3C4D5N", "DE8AACA2B3C4D5", "de-8aa-ca2b3c4d5"] {
            assert!(Contract::new(good).is_some(), "{good}");
        }
        for bad in ["DE-8AC-C12E456L89-Y", "DE-8AACA2B3C4D5", "DE8AACA2B3C4D", "1E8AACA2B3C4D5"] {
            assert!(Contract::new(bad).is_none(), "{bad}");
        }
        assert_eq!(CdrId::new("de8aax1").unwrap().as_str(), "DE8AAX1");
        assert!(EvsePattern::new("DEGEFE%").is_some() && EvsePattern::new("DEGEF%").is_none());
        assert!(ContractPattern::new("DE8AAC%").is_some());
        assert!(Telephone::new("+49 241 1234567").is_some() && Telephone::new("call us").is_none());
        assert!(
            WallTime::new("24:00").is_some() && WallTime::new("24:01").is_none() && WallTime::new("12:60").is_none()
        );
    }

    #[test]
    fn moments_are_read_in_many_spellings_and_written_in_one() {
        for text in ["2026-11-22T15:04:05Z", "2026-11-22 16:04:05.25+01:00", "2026-11-22T15:04:05"] {
            assert_eq!(DateTime::parse(text).unwrap().text(), "2026-11-22T15:04:05Z", "{text}");
        }
        let local = LocalDateTime::in_zone("2026-07-01T10:00:00Z".parse().unwrap(), "Europe/Berlin").unwrap();
        assert_eq!(local.text(), "2026-07-01T12:00:00+02:00");
        assert_eq!(LocalDateTime::parse(&local.text()), Ok(local));
        assert!(DateTime::parse("yesterday").is_err());
    }

    #[test]
    fn numbers_are_exact() {
        assert_eq!(Decimal::parse("2.50").unwrap().text(), "2.5");
        assert_eq!(Decimal::parse("1.25E1").unwrap().text(), "12.5");
        for bad in ["NaN", "INF", "", "1,5", "1E28"] {
            assert!(Decimal::parse(bad).is_err(), "{bad}");
        }
    }
}
