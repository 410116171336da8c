//! Which modules there are, and how to call them: the core's side of the C interface.

mod instance;
mod sink;
mod view;

use std::fmt;

use adaptivemm_module_api::{abi, linked};

use crate::config::{ModuleSchema, OptionSchema, Value};

pub use instance::{Instance, Verdict};

/// A module that can be run: what it says of itself, checked.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its name, flag and options, as the configuration needs them.
    pub schema: ModuleSchema,
    /// Of the module.
    pub version: String,
    /// Kernel files, by path.
    pub needs: Vec<String>,
    /// Tunables and actions that it may ask for.
    pub writes: Vec<String>,
    pub(crate) calls: Calls,
}

/// The functions of a module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calls {
    pub(crate) create: abi::Create,
    pub(crate) scan: abi::Scan,
    pub(crate) destroy: abi::Destroy,
}

/// Why a module cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedModule {
    /// Its name, as far as it can be told.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for RefusedModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module {:?} is refused: {}", self.name, self.reason)
    }
}

impl std::error::Error for RefusedModule {}

/// The modules that are linked into this program, by name; and those that cannot be run.
#[must_use]
pub fn registrations() -> (Vec<Registration>, Vec<RefusedModule>) {
    let mut accepted: Vec<Registration> = Vec::new();
    let mut refused = Vec::new();
    for declaration in linked() {
        match Registration::of(declaration) {
            Err(reason) => refused.push(reason),
            Ok(module) if accepted.iter().any(|other| other.name() == module.name()) => {
                let reason = "another module has the same name".to_owned();
                refused.push(RefusedModule {
                    name: module.schema.name,
                    reason,
                });
            }
            Ok(module) => accepted.push(module),
        }
    }
    accepted.sort_by(|a, b| a.name().cmp(b.name()));
    (accepted, refused)
}

impl Registration {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.schema.name
    }

    /// Checks a declaration and copies what it says.
    fn of(declaration: &'static abi::Declaration) -> Result<Self, RefusedModule> {
        let text = |text| sink::owned_text(text);
        let name = text(declaration.name);
        let refuse = |reason: &str| RefusedModule {
            name: name.clone(),
            reason: reason.to_owned(),
        };
        let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name == "core" || !name.chars().all(is_kebab) {
            return Err(refuse("its name must be in kebab-case, and not `core`"));
        }
        let (Some(create), Some(scan), Some(destroy)) =
            (declaration.create, declaration.scan, declaration.destroy)
        else {
            return Err(refuse("it lacks one of create, scan and destroy"));
        };
        let mut options = Vec::new();
        for option in sink::elements(declaration.options) {
            options.push(
                option_of(&option)
                    .ok_or_else(|| refuse("an option is of a kind that we do not know"))?,
            );
        }
        let flag = Some(text(declaration.flag)).filter(|flag| !flag.is_empty());
        let schema = ModuleSchema {
            name: name.clone(),
            flag,
            enabled: declaration.flags & abi::ENABLED_BY_DEFAULT != 0,
            description: text(declaration.description),
            options,
        };
        Ok(Self {
            schema,
            version: text(declaration.version),
            needs: sink::elements(declaration.needs).map(text).collect(),
            writes: sink::elements(declaration.writes).map(text).collect(),
            calls: Calls {
                create,
                scan,
                destroy,
            },
        })
    }
}

/// `None` for a kind that a newer module may know.
fn option_of(declared: &abi::OptionDeclaration) -> Option<OptionSchema> {
    let default = declared.default;
    let range = Some((declared.min, declared.max));
    let (default, range) = match declared.kind {
        abi::BOOLEAN => (Value::Boolean(default.integer != 0), None),
        abi::INTEGER => (Value::Integer(default.integer), range),
        abi::FLOAT => (Value::Float(default.float), range),
        abi::TEXT => (Value::Text(sink::owned_text(default.text)), None),
        _ => return None,
    };
    let (name, help) = (
        sink::owned_text(declared.name),
        sink::owned_text(declared.help),
    );
    Some(OptionSchema {
        name,
        default,
        range,
        help,
    })
}
