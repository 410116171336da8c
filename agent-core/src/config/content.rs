//! The values of keys, and their form in TOML.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of an option. Displayed as TOML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any finite number.
    Float(f64),
    /// A string.
    Text(String),
}

/// The value of a key. Displayed as TOML.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A single value.
    One(Value),
    /// An array of names.
    Names(Vec<String>),
}

impl Content {
    /// The value, if it is `true` or `false`.
    pub(crate) fn boolean(&self) -> Option<bool> {
        if let Self::One(Value::Boolean(value)) = self {
            return Some(*value);
        }
        None
    }

    /// The value, if it is a whole number.
    pub(crate) fn integer(&self) -> Option<i64> {
        if let Self::One(Value::Integer(value)) = self {
            return Some(*value);
        }
        None
    }

    /// The value, if it is a number, whole or not.
    pub(crate) fn number(&self) -> Option<f64> {
        if let Self::One(Value::Float(value)) = self {
            return Some(*value);
        }
        self.integer().map(real)
    }

    /// The value, if it is a string.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::One(Value::Text(value)) = self {
            return Some(value);
        }
        None
    }

    /// The value, if it is an array of strings.
    pub(crate) fn names(&self) -> Option<&[String]> {
        if let Self::Names(names) = self {
            return Some(names);
        }
        None
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => toml::Value::Float(*value).fmt(f),
            Self::Text(value) => f.write_str(&quoted(value)),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => value.fmt(f),
            Self::Names(names) => {
                let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
                write!(f, "[{}]", names.join(", "))
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
fn real(number: i64) -> f64 {
    number as f64
}

/// `text` as a TOML string on one line. (The toml crate prints a string with
/// a line break on several.)
fn quoted(text: &str) -> String {
    let escaped: String = text.chars().map(escaped).collect();
    format!("\"{escaped}\"")
}

fn escaped(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.into(),
    }
}

/// `name` as a TOML key: in quotes if it must be.
pub(crate) fn key_text(name: &str) -> String {
    if !name.is_empty() && name.chars().all(is_bare) {
        return name.into();
    }
    quoted(name)
}

/// True for the characters of a key without quotes.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}
