//! Runs a module as the daemon does.
#![expect(unsafe_code, reason = "calls the functions of a module")]

use core::ffi::c_void;
use core::fmt;
use core::ptr;

use super::lent::Lent;
use super::machine::Machine;
use super::settings::{self, Declared, Value};
use super::sink::{Collector, elements, owned_text};
use super::words::{Verdict, Words};
use crate::abi;
use crate::config::ConfigProblems;
use crate::module::Module;
use crate::thunk::declaration_of;

/// A module that was created and scans the machines of a test, through the C interface.
#[derive(Debug)]
pub struct Rig {
    scan: abi::Scan,
    destroy: abi::Destroy,
    this: *mut c_void,
    needs: Vec<String>,
    writes: Vec<String>,
    scans: u64,
    /// The message, after which the module must not be called again.
    panicked: Option<String>,
}

/// Why a module was not created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The core does not accept these options: their names, kinds or ranges.
    Core(ConfigProblems),
    /// The module does not.
    Module(ConfigProblems),
    /// It panicked, with this message.
    Panicked(String),
}

impl Rig {
    /// Creates `M` with these values of its options, and the defaults of all others.
    ///
    /// # Errors
    ///
    /// If the core or the module would refuse such a configuration.
    pub fn create<M: Module>(options: &[(&str, Value)]) -> Result<Self, Refusal> {
        Self::create_after::<M>(options, &[])
    }

    /// As [`create`](Self::create), after an instance that kept these bytes.
    ///
    /// # Errors
    ///
    /// If the core or the module would refuse such a configuration.
    pub fn create_after<M: Module>(
        options: &[(&str, Value)],
        state: &[u8],
    ) -> Result<Self, Refusal> {
        let owned = declaration_of::<M>();
        let declaration = &owned.declaration;
        let values = settings::filled_in(&declared(declaration), options).map_err(Refusal::Core)?;
        let texts = |seq| elements(seq).map(owned_text).collect();
        let (Some(create), Some(scan), Some(destroy)) =
            (declaration.create, declaration.scan, declaration.destroy)
        else {
            unreachable!("a declaration of a module has all three");
        };
        let mut rig = Self {
            scan,
            destroy,
            this: ptr::null_mut(),
            needs: texts(declaration.needs),
            writes: texts(declaration.writes),
            scans: 0,
            panicked: None,
        };
        let settings: Vec<abi::Setting> = values.iter().map(settings::raw).collect();
        let config = abi::Config {
            struct_size: abi::size_of_u32::<abi::Config>(),
            pad: 0,
            settings: abi::Seq::new(&settings),
            state: abi::Str::of_any(state),
        };
        let this = &raw mut rig.this;
        let mut collector = Collector::new(&rig.writes);
        // SAFETY: all three pointers are valid for the call, which is all that the contract asks.
        let code = collector.lend(|sink| unsafe { create(&raw const config, sink, this) });
        match code {
            abi::OK => Ok(rig),
            abi::PANICKED => Err(Refusal::Panicked(collector.reason())),
            _ => Err(Refusal::Module(ConfigProblems(collector.problems))),
        }
    }

    /// Lets the module look at a machine. Scans are counted from 1.
    pub fn scan(&mut self, machine: &Machine) -> Words {
        let mut collector = Collector::new(&self.writes);
        if let Some(message) = &self.panicked {
            collector.words.verdict = Verdict::Panicked(message.clone());
            return collector.words;
        }
        self.scans += 1;
        let lent = Lent::new(machine, &self.needs, &self.writes);
        let snapshot = lent.snapshot(self.scans);
        let (scan, this) = (self.scan, self.this);
        // SAFETY: `this` is what `create` made; the rest is lent for the call.
        let code = collector.lend(|sink| unsafe { scan(this, &raw const snapshot, sink) });
        match code {
            abi::OK => {}
            abi::PANICKED => {
                let message = collector.reason();
                collector.words = Words::new();
                collector.words.verdict = Verdict::Panicked(message.clone());
                self.panicked = Some(message);
            }
            _ => collector.words.verdict = Verdict::Failed(collector.reason()),
        }
        collector.words
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // What a panic left behind is anyone's guess, so it is leaked.
        if self.panicked.is_none() {
            // SAFETY: `this` is what `create` made, or null, and is not used again.
            unsafe { (self.destroy)(self.this) }
        }
    }
}

fn declared(declaration: &abi::Declaration) -> Vec<Declared> {
    let declared = |option: abi::OptionDeclaration| Declared {
        name: owned_text(option.name),
        default: match option.kind {
            abi::BOOLEAN => Value::Boolean(option.default.integer != 0),
            abi::INTEGER => Value::Integer(option.default.integer),
            abi::FLOAT => Value::Float(option.default.float),
            _ => Value::Text(owned_text(option.default.text)),
        },
        min: option.min,
        max: option.max,
    };
    elements(declaration.options).map(declared).collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(problems) | Self::Module(problems) => write!(f, "{problems}"),
            Self::Panicked(message) => f.write_str(message),
        }
    }
}

impl core::error::Error for Refusal {}
