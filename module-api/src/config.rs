//! A module's part of the configuration, and what can be wrong with it.
#![expect(
    unsafe_code,
    reason = "reads the strings that the core lends for the call"
)]

use core::fmt;
use core::marker::PhantomData;

use crate::abi;
use crate::info::Opt;

/// The options of a module as they are set. The core has checked kinds and ranges and filled in the
/// defaults, so reading one cannot fail; an option that was never declared has its default.
#[derive(Debug)]
pub struct Config<'a> {
    raw: abi::Config,
    lent: PhantomData<&'a ()>,
}

impl<'a> Config<'a> {
    /// # Safety
    ///
    /// What `raw` points to lives for `'a` and is well formed.
    pub(crate) const unsafe fn new(raw: abi::Config) -> Self {
        Self {
            raw,
            lent: PhantomData,
        }
    }

    /// Whether the option is on.
    #[must_use]
    pub fn boolean(&self, option: &Opt<bool>) -> bool {
        self.value(option.name, abi::BOOLEAN)
            .map_or(option.default, |value| value.integer != 0)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, option: &Opt<i64>) -> i64 {
        self.value(option.name, abi::INTEGER)
            .map_or(option.default, |value| value.integer)
    }

    /// A number.
    #[must_use]
    pub fn float(&self, option: &Opt<f64>) -> f64 {
        self.value(option.name, abi::FLOAT)
            .map_or(option.default, |value| value.float)
    }

    /// A string.
    #[must_use]
    pub fn text(&self, option: &Opt<&'static str>) -> &'a str {
        let value = self.value(option.name, abi::TEXT);
        // SAFETY: `new` requires that the core's strings live for `'a`.
        let text = value.and_then(|value| unsafe { value.text.text() });
        text.unwrap_or(option.default)
    }

    /// What an instance before this one kept with [`Out::keep`](crate::Out::keep) since the machine was booted:
    /// before a reload, or a restart of the daemon. `None` if none did, and after the module broke down.
    ///
    /// Another version of the module may have kept it, so let it start with a number for its format.
    #[must_use]
    pub fn state(&self) -> Option<&'a [u8]> {
        // SAFETY: `new` requires that the core's bytes live for `'a`.
        let bytes = unsafe { self.raw.state.bytes() };
        (!bytes.is_empty()).then_some(bytes)
    }

    fn value(&self, name: &str, kind: u32) -> Option<abi::Value> {
        let settings = self.raw.settings;
        for index in 0..settings.len() {
            // SAFETY: `new` requires a well-formed array that lives for `'a`.
            let setting = unsafe { settings.get(index) }?;
            // SAFETY: the names in it live as long.
            let found = unsafe { setting.name.bytes() };
            if setting.kind == kind && found == name.as_bytes() {
                return Some(setting.value);
            }
        }
        None
    }
}

/// An option whose value a module cannot work with, beyond what its range could say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// The option.
    pub key: String,
    /// What is wrong and what was expected.
    pub text: String,
}

impl ConfigProblem {
    /// The option `key` is wrong: what is, and what was expected.
    #[must_use]
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
        }
    }
}

/// Everything that a module found wrong with its configuration: all of it at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblems(pub Vec<ConfigProblem>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ConfigProblem { key, text }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{key}: {text}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigProblems {}
