//! Single numbers and flags out of an opaque document.
//!
//! Rooms keep documents and do not take them apart; the few numbers that a station must follow (the limits of a dynamic
//! schedule, how long a profile outlives the line) stand under their own names at any depth and are read here. It reads
//! no text and no lists, and a text that happens to hold such a name is not mistaken for a number.

use charge::Decimal;
use charge::talk::line::document::Document;

/// The number under this name.
pub(crate) fn number(document: Option<&Document>, name: &str) -> Option<Decimal> {
    let value = value(document?, name)?;
    let end = value.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(value.len());
    let text = value.get(..end)?;
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

/// The flag under this name.
pub(crate) fn flag(document: Option<&Document>, name: &str) -> Option<bool> {
    let value = value(document?, name)?;
    if value.starts_with("true") { Some(true) } else { value.starts_with("false").then_some(false) }
}

/// What follows the colon after this name.
fn value<'d>(document: &'d Document, name: &str) -> Option<&'d str> {
    let quoted = format!("\"{name}\"");
    let text = document.as_str();
    text.match_indices(&quoted).find_map(|(place, _)| {
        let rest = text.get(place + quoted.len()..)?.trim_start();
        rest.strip_prefix(':').map(str::trim_start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_flags_are_found_by_their_name() {
        let of = Document::new(r#"{"a":"limit","limit": -12.50 ,"deep":{"x":3e2,"yes":true},"no":false}"#);
        let of = Some(&of);
        assert_eq!(number(of, "limit"), Some(Decimal::new(-1250, 2)));
        assert_eq!(number(of, "x"), Some(Decimal::from(300)));
        assert_eq!(number(of, "a"), None);
        assert_eq!(number(of, "absent"), None);
        assert_eq!((flag(of, "yes"), flag(of, "no"), flag(of, "limit")), (Some(true), Some(false), None));
        assert_eq!(number(None, "limit"), None);
    }
}
