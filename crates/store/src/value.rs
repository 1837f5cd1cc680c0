//! The values that both engines keep alike: no floats, no dates, no booleans of the engine's own.
//!
//! Its `Debug` prints the kind and never the content: a bound value may be somebody's secret.

use std::fmt;

use charge::Timestamp;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

/// One bound parameter. Built with `From` or, in a row, with [`values!`](crate::values).
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A number, a flag (0 or 1) or a time (microseconds since 1970 in UTC).
    Int(i64),
    /// Unicode text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The parameters of a statement in the order of their numbers: `&values![id, name, None::<i64>]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int(..)",
            Self::Text(_) => "Text(..)",
            Self::Blob(_) => "Blob(..)",
        })
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Whatever fits a 64-bit integer without a question; the caller decides about the rest.
macro_rules! whole_numbers {
    ($($number:ty),*) => {
        $(impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Int(i64::from(number))
            }
        })*
    };
}

whole_numbers!(i64, i32, i16, u32, u16, u8, bool);

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Int(at.micros())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn a_row_of_values_keeps_kinds_and_order() {
        let row = values![7_u32, true, "x", String::from("y"), vec![1_u8], [2_u8; 2], None::<&str>, Some(-1_i64)];
        let expected = [
            Value::Int(7),
            Value::Int(1),
            Value::Text("x".to_owned()),
            Value::Text("y".to_owned()),
            Value::Blob(vec![1]),
            Value::Blob(vec![2, 2]),
            Value::Null,
            Value::Int(-1),
        ];
        assert!(row == expected);
    }

    #[test]
    fn debug_does_not_tell_the_content() {
        assert_eq!(format!("{:?}", values!["DE*SECRET", 4711_i64]), "[Text(..), Int(..)]");
    }
}
