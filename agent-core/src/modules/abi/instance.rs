//! One running module, whether it is linked in or loaded.
#![expect(unsafe_code, reason = "calls the functions of a module")]

use std::ffi::c_void;
use std::fmt;
use std::ptr;

use adaptivemm_module_api::abi;

use super::sink::Sink;
use super::view::View;
use super::{Calls, Exported};
use crate::config::Value;
use crate::kernel::Snapshot;
use crate::modules::output::{ModuleOutput, NO_REASON};
use crate::modules::permit::Permit;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// The module did its work.
    Good,
    /// It could not; the reason is among the problems.
    Failed,
    /// It panicked, and must not be called again.
    Panicked,
    /// The process that it ran in is gone.
    Died,
}

/// Why there is no instance of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateError {
    /// Its options make no sense together: which option (or none), and why.
    Options(Vec<(String, String)>),
    /// It, or the process that it was to run in, does not work.
    Broken(String),
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(problems) => {
                let problem = |(key, text): &(String, String)| match key.as_str() {
                    "" => text.clone(),
                    key => format!("{key}: {text}"),
                };
                let problems: Vec<String> = problems.iter().map(problem).collect();
                f.write_str(&problems.join("; "))
            }
            Self::Broken(why) => f.write_str(why),
        }
    }
}

/// A module that was created and can be asked to look at snapshots.
#[derive(Debug)]
pub struct Instance {
    calls: Calls,
    this: *mut c_void,
    view: View,
    sink: Sink,
    permit: Permit,
    panicked: bool,
}

// SAFETY: an instance may move to another thread (`Module: Send`, and the same for a module in C); it is
// called by the thread that owns it, through `&mut self`.
unsafe impl Send for Instance {}

impl Instance {
    /// Creates a module with these values of its options, after an instance that kept `state`.
    ///
    /// # Errors
    ///
    /// What the module finds wrong.
    pub(crate) fn create(
        module: &Exported,
        values: &[(String, Value)],
        permit: Permit,
        state: &[u8],
    ) -> Result<Self, CreateError> {
        let settings: Vec<abi::Setting> = values.iter().map(setting).collect();
        let config = abi::Config {
            struct_size: abi::size_of_u32::<abi::Config>(),
            pad: 0,
            settings: abi::Seq::new(&settings),
            state: abi::Str::of_any(state),
        };
        let (calls, sink) = (module.calls, Sink::new());
        let mut output = ModuleOutput::default();
        let mut this = ptr::null_mut();
        let code = sink.lend(&mut output, &permit, |sink| {
            // SAFETY: all three pointers are valid for the call, which is all that the contract asks.
            unsafe { (calls.create)(&raw const config, sink, &raw mut this) }
        });
        let why = |output: &ModuleOutput| {
            let first = output.problems.first();
            first.map_or_else(|| no_reason(code), |(_, text)| text.clone())
        };
        match code {
            abi::OK => Ok(Self {
                calls,
                this,
                view: View::new(&module.description),
                sink,
                permit,
                panicked: false,
            }),
            abi::INVALID if !output.problems.is_empty() => {
                Err(CreateError::Options(output.problems))
            }
            abi::PANICKED => Err(CreateError::Broken(format!(
                "broke down while it was created: {}",
                why(&output)
            ))),
            _ => Err(CreateError::Broken(format!(
                "could not be created: {}",
                why(&output)
            ))),
        }
    }

    /// Lets the module look at a snapshot; its output are added to `output`.
    pub fn scan(&mut self, snapshot: &Snapshot, output: &mut ModuleOutput) -> CallResult {
        if self.panicked {
            return CallResult::Panicked;
        }
        let (scan, this) = (self.calls.scan, self.this);
        let code = self.view.lend(snapshot, |snapshot| {
            // SAFETY: `this` is what `create` made; the rest is lent for the call.
            self.sink.lend(output, &self.permit, |sink| unsafe {
                scan(this, snapshot, sink)
            })
        });
        match code {
            abi::OK => CallResult::Good,
            abi::PANICKED => {
                self.panicked = true;
                CallResult::Panicked
            }
            code => {
                if output.problems.is_empty() {
                    output.add_problem(|| (String::new(), no_reason(code)));
                }
                CallResult::Failed
            }
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // What a panic left behind is anyone's guess, so it is leaked.
        if !self.panicked {
            // SAFETY: `this` is what `create` made, and is not used again.
            unsafe { (self.calls.destroy)(self.this) }
        }
    }
}

fn no_reason(code: i32) -> String {
    format!("{NO_REASON} (code {code})")
}

fn setting((name, value): &(String, Value)) -> abi::Setting {
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

#[cfg(test)]
mod tests;
