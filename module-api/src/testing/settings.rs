//! The options of a module as a test sets them, checked as the core checks a configuration.

use core::fmt;

use crate::abi;
use crate::config::{ConfigProblem, ConfigProblems};

/// What an option is set to; made of a plain value with `into()`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number. An option that is any number takes it, too.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A string.
    Text(String),
}

impl From<bool> for Value {
    fn from(on: bool) -> Self {
        Self::Boolean(on)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(on) => write!(f, "{on}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// An option as its module declared it.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) default: Value,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Declared {
    /// `value` as an option of this kind holds it; `None` if it does not accept it.
    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
    fn accept(&self, value: &Value) -> Option<Value> {
        let within = |number: f64| (self.min..=self.max).contains(&number);
        let value = match (&self.default, value) {
            (Value::Float(_), Value::Integer(number)) => Value::Float(*number as f64),
            _ => value.clone(),
        };
        let is_accepted = match (&self.default, &value) {
            (Value::Boolean(_), Value::Boolean(_)) | (Value::Text(_), Value::Text(_)) => true,
            (Value::Integer(_), Value::Integer(number)) => within(*number as f64),
            (Value::Float(_), Value::Float(number)) => within(*number),
            _ => false,
        };
        is_accepted.then_some(value)
    }

    /// What it accepts, in words.
    fn accepts(&self) -> String {
        let (min, max) = (self.min, self.max);
        match self.default {
            Value::Boolean(_) => "true or false".to_owned(),
            Value::Integer(_) => format!("a whole number from {min} to {max}"),
            Value::Float(_) => format!("a number from {min} to {max}"),
            Value::Text(_) => "a string".to_owned(),
        }
    }
}

/// The value of every option: that of `chosen`, or the default.
pub(super) fn filled_in(
    declared: &[Declared],
    chosen: &[(&str, Value)],
) -> Result<Vec<(String, Value)>, ConfigProblems> {
    let mut problems = Vec::new();
    let mut values: Vec<(String, Value)> = declared
        .iter()
        .map(|option| (option.name.clone(), option.default.clone()))
        .collect();
    for (key, value) in chosen {
        let option = declared.iter().zip(&mut values);
        let text = match option.into_iter().find(|(option, _)| option.name == *key) {
            None => "the module declares no such option".to_owned(),
            Some((option, place)) => match option.accept(value) {
                Some(value) => {
                    place.1 = value;
                    continue;
                }
                None => format!("expected {}, found {value}", option.accepts()),
            },
        };
        problems.push(ConfigProblem {
            key: (*key).to_owned(),
            text,
        });
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(ConfigProblems(problems))
    }
}

/// A value in the shape of the C interface; it points to `name` and `value`.
pub(super) fn raw((name, value): &(String, Value)) -> abi::Setting {
    let (kind, value) = match value {
        Value::Boolean(on) => (abi::BOOLEAN, abi::Value::boolean(*on)),
        Value::Integer(integer) => (abi::INTEGER, abi::Value::integer(*integer)),
        Value::Float(float) => (abi::FLOAT, abi::Value::float(*float)),
        Value::Text(text) => (abi::TEXT, abi::Value::text(text)),
    };
    abi::Setting {
        name: abi::Str::new(name),
        kind,
        pad: 0,
        value,
    }
}
