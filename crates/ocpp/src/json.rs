//! A JSON tree that keeps every number as it is written, for repairing and masking.
//!
//! A general tree would lose the scale of a decimal (`12.500`), which calibration law cares about. Deliberately
//! missing: any meaning. Invariant: what is parsed and written again differs in white space and escapes only.

use std::borrow::Cow;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<'a> {
    Null,
    /// A number, `true` or `false`, as written.
    Bare(Cow<'a, str>),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Node<'a> {
    /// `None` for anything that is not exactly one JSON value, or is nested deeper than `depth_max`.
    pub(crate) fn parse(text: &'a str, depth_max: usize) -> Option<Self> {
        let mut parser = Parser { text, at: 0 };
        let node = parser.value(depth_max)?;
        parser.blanks();
        (parser.at == text.len()).then_some(node)
    }

    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bare(token) => out.push_str(token),
            Self::Text(text) => quote(text, out),
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The member of an object, by its name without regard to letter case.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            }
            Self::Null | Self::Bare(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bare(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// Writes a JSON string with its quotes.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                out.push_str("\\u00");
                out.push(char::from_digit(c as u32 / 16, 16).unwrap_or('0'));
                out.push(char::from_digit(c as u32 % 16, 16).unwrap_or('0'));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The content of a JSON string token, quotes included in `token`.
pub(crate) fn unquote(token: &str) -> Option<Cow<'_, str>> {
    let inner = token.strip_prefix('"')?.strip_suffix('"')?;
    if inner.bytes().all(|byte| byte >= b' ' && byte != b'\\' && byte != b'"') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(token).ok().map(Cow::Owned)
}

/// Is this one JSON number?
pub(crate) fn is_number(token: &str) -> bool {
    token.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && serde_json::from_str::<serde::de::IgnoredAny>(token).is_ok()
}

/// The end of the string that starts at `start` with a quote: the place after its closing quote.
pub(crate) fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth_left: usize) -> Option<Node<'a>> {
        self.blanks();
        match self.peek()? {
            b'{' => self.object(depth_left.checked_sub(1)?),
            b'[' => self.list(depth_left.checked_sub(1)?),
            b'"' => self.string().map(Node::Text),
            _ => self.bare(),
        }
    }

    fn object(&mut self, depth_left: usize) -> Option<Node<'a>> {
        self.at += 1;
        let mut members = Vec::new();
        self.blanks();
        if self.take(b'}') {
            return Some(Node::Object(members));
        }
        loop {
            self.blanks();
            let key = self.string()?;
            self.blanks();
            self.take(b':').then_some(())?;
            members.push((key, self.value(depth_left)?));
            self.blanks();
            if self.take(b'}') {
                return Some(Node::Object(members));
            }
            self.take(b',').then_some(())?;
        }
    }

    fn list(&mut self, depth_left: usize) -> Option<Node<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Some(Node::List(items));
        }
        loop {
            items.push(self.value(depth_left)?);
            self.blanks();
            if self.take(b']') {
                return Some(Node::List(items));
            }
            self.take(b',').then_some(())?;
        }
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        (self.peek()? == b'"').then_some(())?;
        let end = string_end(self.text.as_bytes(), self.at)?;
        let token = self.text.get(self.at..end)?;
        self.at = end;
        unquote(token)
    }

    fn bare(&mut self) -> Option<Node<'a>> {
        let rest = self.text.get(self.at..)?;
        let end = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        let token = rest.get(..end)?;
        self.at += end;
        match token {
            "null" => Some(Node::Null),
            "true" | "false" => Some(Node::Bare(Cow::Borrowed(token))),
            number if is_number(number) => Some(Node::Bare(Cow::Borrowed(number))),
            _ => None,
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.at += 1;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn numbers_and_texts_come_back_as_they_were_written() {
        let text = r#"{"a":12.500,"b":[2e+01,-0,null,true,{}],"c":"x\"\\ü\n","d":""}"#;
        let mut again = String::new();
        Node::parse(text, 8).unwrap().write(&mut again);
        assert_eq!(again, text);
    }

    #[test]
    fn what_is_not_json_is_not_read() {
        for text in
            ["", "{", "[,1]", "{\"a\"}", "[1]]", "[01]", "[1.]", "\"\u{1}\"", "tru", "[1 2]", "{\"a\":1,}", "NaN"]
        {
            assert_eq!(Node::parse(text, 8), None, "{text}");
        }
        assert_eq!(Node::parse("[[[1]]]", 2), None);
        assert!(Node::parse("[[[1]]]", 3).is_some());
    }
}
