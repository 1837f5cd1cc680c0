//! The forms of OICP's identifiers and texts, and the way from and to the identifiers of the house.
//!
//! Every form is a total function of a text, so that reading can say which one was missed and writing can be strict.
//! Check characters are never looked at: the examples of the standard are wrong in them. Separators are optional on
//! the wire and mean nothing; [`key`] is the form for comparisons.

use std::fmt;

use charge::id::{EvseId, PartyId};
use charge::token::{ContractId, check_character};

/// A text with a form of its own.
#[derive(Clone, Copy)]
pub struct Form {
    /// For the complaint: `is no EVSE id`.
    pub why: &'static str,
    pub fits: fn(&str) -> bool,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

/// OICP 2.3, `EvseIDType`; 2.0 allows operators of three to six digits besides.
pub const EVSE_ID: Form = Form { why: "is no EVSE id", fits: is_evse_id };
/// OICP 2.3, `EvcoIDType`.
pub const EVCO_ID: Form = Form { why: "is no EVCO id", fits: is_evco_id };
/// OICP 2.0: of the ISO form, the last character is a digit or `X`, and may stand after a star.
pub const EVCO_ID_20: Form = Form { why: "is no EVCO id of OICP 2.0", fits: is_evco_id_20 };
pub const OPERATOR_ID: Form = Form { why: "is no operator id", fits: is_operator_id };
pub const PROVIDER_ID: Form = Form { why: "is no provider id", fits: is_provider_id };
/// `*`: for every provider (OICP 2.3, dynamic pricing).
pub const PROVIDER_OR_ALL: Form =
    Form { why: "is neither a provider id nor a star", fits: |text| text == "*" || is_provider_id(text) };
pub const SESSION_ID: Form = Form { why: "is no session id", fits: is_session_id };
/// Upper-case hexadecimal of 4, 7 or 10 bytes.
pub const UID: Form = Form { why: "is no RFID uid of 8, 14 or 20 hexadecimal digits", fits: is_uid };
pub const PHONE: Form = Form {
    why: "is no telephone number",
    fits: |text| text.strip_prefix('+').is_some_and(|rest| digits(rest) && (5..=15).contains(&rest.len())),
};
pub const TIME_ZONE: Form = Form { why: "is no offset from UTC", fits: is_time_zone };
pub const CLOCK: Form = Form { why: "is no time of day", fits: is_clock };
pub const DEGREE: Form = Form { why: "is no coordinate in degrees", fits: is_degree };
pub const GOOGLE: Form = Form { why: "is no pair of coordinates", fits: is_pair };
pub const COUNTRY: Form =
    Form { why: "is no alpha-3 country", fits: |text| text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase()) };
/// OICP 2.0 knows alpha-2 and `UNKNOWN` too.
pub const COUNTRY_20: Form = Form {
    why: "is no country",
    fits: |text| text == "UNKNOWN" || (2..=3).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_uppercase()),
};
pub const CURRENCY: Form = Form { why: "is no currency", ..COUNTRY };
pub const LANGUAGE: Form = Form { why: "is no language", fits: is_language };
pub const POOL_ID: Form = Form { why: "is no charging pool id", fits: is_pool_id };
pub const HASH: Form = Form {
    why: "is no hash value",
    fits: |text| {
        (10..=100).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || b".+/=$\\".contains(&c))
    },
};

/// `DE*ABC`.
pub fn operator_id(party: PartyId) -> String {
    format!("{}*{}", party.country(), party.code())
}

/// `DE-DCB`.
pub fn provider_id(party: PartyId) -> String {
    format!("{}-{}", party.country(), party.code())
}

/// The party that an operator or provider id names. DIN forms (`+49*810`) name none of ours.
pub fn party(id: &str) -> Option<PartyId> {
    id.trim().parse().ok()
}

/// Upper case without separators: the form in which EVSE ids are compared.
pub fn key(id: &str) -> String {
    id.chars().filter(|c| !matches!(c, '*' | '-')).map(|c| c.to_ascii_uppercase()).collect()
}

/// The operator that an EVSE id names by its first five characters (ISO form).
pub fn evse_operator(id: &EvseId) -> Option<PartyId> {
    key(id.as_str()).get(..5)?.parse().ok()
}

/// A contract id in the form that OICP 2.3 can carry: with a check character, which is added where it is missing.
/// `None` where no such form exists.
pub fn evco_id(contract: &ContractId) -> Option<String> {
    let text = contract.as_str();
    if is_evco_id(text) {
        return Some(text.to_owned());
    }
    let compact = key(text);
    let complete = match compact.len() {
        14 => format!("{compact}{}", check_character(&compact)?),
        _ => compact,
    };
    is_evco_id(&complete).then_some(complete)
}

/// A text that keeps the 36 characters of a GUID as they are.
pub fn is_session_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths = [8, 4, 4, 4, 12];
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| part.len() == length && alphanumeric(part))
}

pub fn is_uid(text: &str) -> bool {
    matches!(text.len(), 8 | 14 | 20) && text.bytes().all(|c| c.is_ascii_digit() || (b'A'..=b'F').contains(&c))
}

pub fn is_evse_id(text: &str) -> bool {
    is_iso_evse_id(text) || is_din(text, 3..=6).is_some_and(|outlet| stars_and_digits(outlet, 32))
}

fn is_iso_evse_id(text: &str) -> bool {
    let Some(rest) = iso_party(text, "*").and_then(|rest| strip(rest, "*").strip_prefix(['E', 'e'])) else {
        return false;
    };
    (1..=30).contains(&rest.len()) && rest.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'*')
}

fn is_pool_id(text: &str) -> bool {
    let Some(rest) = iso_party(text, "*").and_then(|rest| strip(rest, "*").strip_prefix(['P', 'p'])) else {
        return is_din(text, 3..=6).is_some_and(|outlet| stars_and_digits(outlet, 32));
    };
    (1..=30).contains(&rest.len()) && rest.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'*')
}

/// ISO with `C` and eight characters, or DIN with six; the check character is mandatory in both.
fn is_evco_id(text: &str) -> bool {
    let iso = iso_party(text, "-").map(|rest| strip(rest, "-")).is_some_and(|rest| {
        let instance = rest.strip_prefix('C').and_then(|rest| split(rest, 8));
        instance.is_some_and(|(id, check)| alphanumeric(id) && one(strip(check, "-"), |c| c.is_ascii_alphanumeric()))
    });
    iso || is_din_evco_id(text)
}

fn is_evco_id_20(text: &str) -> bool {
    let iso = iso_party(text, "-").map(|rest| strip(rest, "-")).is_some_and(|rest| {
        let instance = rest.strip_prefix('C').and_then(|rest| split(rest, 8));
        instance.is_some_and(|(id, check)| {
            alphanumeric(id) && one(strip(check, "*-"), |c| c.is_ascii_digit() || c == 'X' || c == '|')
        })
    });
    iso || is_din_evco_id(text)
}

fn is_din_evco_id(text: &str) -> bool {
    iso_party(text, "*-")
        .map(|rest| strip(rest, "*-"))
        .and_then(|rest| split(rest, 6))
        .is_some_and(|(id, check)| alphanumeric(id) && one(strip(check, "*-"), |c| c.is_ascii_digit() || c == 'X'))
}

fn is_operator_id(text: &str) -> bool {
    iso_party(text, "*").is_some_and(str::is_empty) || {
        let mut parts = text.strip_prefix('+').unwrap_or(text).split('*');
        let country = parts.next().is_some_and(|part| digits(part) && (1..=3).contains(&part.len()));
        let operator = parts.next().is_some_and(|part| digits(part) && (3..=6).contains(&part.len()));
        country && operator && parts.next().is_none()
    }
}

fn is_provider_id(text: &str) -> bool {
    iso_party(text, "*-").is_some_and(str::is_empty)
}

/// What follows two letters and three characters with an optional separator between them.
fn iso_party<'t>(text: &'t str, separators: &str) -> Option<&'t str> {
    let (country, rest) = split(text, 2)?;
    let (code, rest) = split(strip(rest, separators), 3)?;
    (country.bytes().all(|c| c.is_ascii_alphabetic()) && alphanumeric(code)).then_some(rest)
}

/// What follows `+49*810*`.
fn is_din(text: &str, operator: std::ops::RangeInclusive<usize>) -> Option<&str> {
    let (country, rest) = text.strip_prefix('+').unwrap_or(text).split_once('*')?;
    let (code, rest) = rest.split_once('*')?;
    let fits = digits(country) && country.len() <= 3 && digits(code) && operator.contains(&code.len());
    fits.then_some(rest)
}

fn stars_and_digits(text: &str, limit: usize) -> bool {
    (1..=limit).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit() || c == b'*')
}

fn is_time_zone(text: &str) -> bool {
    text.strip_prefix("UTC").and_then(|rest| rest.strip_prefix(['+', '-', ','])).is_some_and(is_clock)
}

fn is_clock(text: &str) -> bool {
    matches!(text.as_bytes(), [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()))
}

/// At most six decimals; three digits before them only up to 199.
fn is_degree(text: &str) -> bool {
    let Some((whole, fraction)) = text.strip_prefix('-').unwrap_or(text).split_once('.') else { return false };
    let whole_fits = digits(whole) && (whole.len() <= 2 || whole.len() == 3 && whole.starts_with('1'));
    whole_fits && digits(fraction) && fraction.len() <= 6
}

fn is_pair(text: &str) -> bool {
    pair(text).is_some_and(|(latitude, longitude)| is_degree(latitude) && is_degree(longitude))
}

/// Latitude and longitude of `52.480495 13.356465`, a comma between them or not.
pub(crate) fn pair(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split([' ', ',', '\t']).filter(|part| !part.is_empty());
    let pair = (parts.next()?, parts.next()?);
    parts.next().is_none().then_some(pair)
}

fn is_language(text: &str) -> bool {
    let (language, region) = text.split_once('-').map_or((text, None), |(language, region)| (language, Some(region)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|c| c.is_ascii_alphabetic())
        && region.is_none_or(|region| (2..=4).contains(&region.len()) && alphanumeric(region))
}

fn split(text: &str, at: usize) -> Option<(&str, &str)> {
    text.split_at_checked(at)
}

/// Without one leading separator, if there is one.
fn strip<'t>(text: &'t str, separators: &str) -> &'t str {
    text.strip_prefix(|c| separators.contains(c)).unwrap_or(text)
}

fn one(text: &str, fits: impl Fn(char) -> bool) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(fits) && characters.next().is_none()
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

fn alphanumeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn table(form: Form, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!((form.fits)(text), "{text} {form:?}");
        }
        for text in bad {
            assert!(!(form.fits)(text), "{text} passed, {form:?}");
        }
    }

    #[test]
    fn the_standards_own_examples_have_their_forms() {
        table(
            EVSE_ID,
            &["DE*AB7*E840*6487", "DEAB7E8406487", "+49*810*000*438", "DE*XYZ*ETEST1"],
            &["DE*AB7*840", "DE", ""],
        );
        let evco = ["DE-8EO-CAet5e4XY-3", "DE8EOCAet5e43X1", "DE*8EO*Aet5e4*3", "DE-8EO-Aet5e4-3", "DE8EOAet5e43"];
        table(EVCO_ID, &evco, &["DE8ACC12E46L89", "NL-TNM-000122045-U", "DE-8AC-C12E456L89-Y"]);
        table(EVCO_ID_20, &["DE-8EO-CAet5e4XY-3", "DE*8EO*Aet5e4*3"], &["DE-8EO-CAet5e4XY-T"]);
        table(OPERATOR_ID, &["DE*A36", "DEA36", "+49*536"], &["DE-A36", "DE*A3", "+49536"]);
        table(PROVIDER_ID, &["DE8EO", "DE-8EO", "DE*8EO"], &["DE_8EO", "D8EO", "*"]);
        table(SESSION_ID, &["b2688855-7f00-0002-6d8e-48d883f6abb6"], &["b2688855-7f00-0002-6d8e", "string", ""]);
        table(UID, &["7568290FFF765F", "1234ABCD"], &["AFFH1768", "1234abcd", "12345ABCD"]);
        table(TIME_ZONE, &["UTC+01:00", "UTC-05:00"], &["Europe/Berlin", "UTC"]);
        table(GOOGLE, &["47.662249 9.360922", "-33.9, 151.2"], &["47 9", "47.6622490 9.36"]);
        table(POOL_ID, &["DE*ABC*P1234TEST*1"], &["DE*ABC*E1234"]);
    }

    #[test]
    fn contract_ids_are_completed_where_they_can_be() {
        let contract = |text| ContractId::new(text).unwrap();
        assert_eq!(evco_id(&contract("DE-8AA-CA2B3C4D5-N")).unwrap(), "DE-8AA-CA2B3C4D5-N");
        assert_eq!(evco_id(&contract("DE8AACA2B3C4D5")).unwrap().len(), 15);
        assert_eq!(evco_id(&contract("NL-TNM-000122045-U")), None);
        assert_eq!(evco_id(&contract("#NA")), None);
    }

    #[test]
    fn an_evse_id_names_its_operator_with_and_without_stars() {
        for text in ["DE*ABC*E1*2", "DEABCE12", "de*abc*e12"] {
            assert_eq!(key(text), "DEABCE12");
            assert_eq!(evse_operator(&EvseId::new(text).unwrap()), party("DE*ABC"));
        }
    }
}
