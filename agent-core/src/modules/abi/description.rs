//! What a module says of itself: read from its declaration, or told by the process that it runs in.
#![expect(unsafe_code, reason = "reads what a library declares")]

use std::cmp::Ordering;

use adaptivemm_module_api::abi;
use serde::{Deserialize, Serialize};

use super::needs;
use super::sink::{bytes, elements};
use crate::base::bounded::few;
use crate::base::clean_text::{self, MAX_LINE, MAX_NAME};
use crate::config::{MAX_OPTIONS, ModuleSchema, OptionSchema, Value};
use crate::kernel::Wanted;

/// More needs, writes or options than any module has.
const MOST: usize = MAX_OPTIONS;

/// What a module is, needs, may change and lets the administrator choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Its name, flag and options, as the configuration needs them.
    pub schema: ModuleSchema,
    /// Of the module.
    pub version: String,
    /// Kernel files, by path.
    #[serde(deserialize_with = "few::<_, _, MOST>")]
    pub needs: Vec<String>,
    /// Tunables and actions that it may ask for.
    #[serde(deserialize_with = "few::<_, _, MOST>")]
    pub writes: Vec<String>,
    /// Whether a panic in it ends the process it runs in.
    pub panic_aborts: bool,
}

impl Description {
    /// Copies what a declaration says, as far as it is well formed.
    ///
    /// # Errors
    ///
    /// What is wrong with the declaration, in a clause.
    pub(super) fn read(declaration: &abi::Declaration) -> Result<Self, String> {
        if declaration.needs_minor > u32::from(abi::MINOR) {
            return Err(format!(
                "it needs version {}.{} of the module interface, this daemon has {}.{}: a newer daemon is needed",
                abi::MAJOR,
                declaration.needs_minor,
                abi::MAJOR,
                abi::MINOR
            ));
        }
        let flag = Some(text("flag", declaration.flag)?).filter(|flag| !flag.is_empty());
        let schema = ModuleSchema {
            name: text("name", declaration.name)?,
            flag,
            enabled: declaration.flags & abi::ENABLED_BY_DEFAULT != 0,
            description: text("description", declaration.description)?,
            options: list("options", declaration.options, |option| option_of(&option))?,
        };
        Ok(Self {
            schema,
            version: text("version", declaration.version)?,
            needs: list("needs", declaration.needs, |path| text("needs", path))?,
            writes: list("writes", declaration.writes, |name| text("writes", name))?,
            panic_aborts: declaration.flags & abi::PANIC_ABORTS != 0,
        })
    }

    /// The files that its snapshots hold.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        self.needs.iter().for_each(|path| wanted.add_file(path));
        self.writes.iter().for_each(|name| wanted.add_tunable(name));
        wanted
    }

    /// Makes sure that it makes sense, whoever it came from.
    ///
    /// # Errors
    ///
    /// What does not, in a clause.
    pub(crate) fn check(&self) -> Result<(), String> {
        check_name(&self.schema.name)?;
        let flag = self.schema.flag.as_deref();
        if let Some(flag) = flag.filter(|flag| !is_flag(flag)) {
            return Err(format!(
                "its flag {flag:?} is not ENABLE_ and capital letters, digits or underscores"
            ));
        }
        for texts in [&self.needs, &self.writes] {
            check_number(texts.len())?;
            texts.iter().try_for_each(|text| check_line(text))?;
        }
        check_line(&self.version)?;
        check_line(&self.schema.description)?;
        check_number(self.schema.options.len())?;
        let faults: Vec<String> = self
            .faults_of_needs()
            .chain(self.faults_of_options())
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults.join("; "))
        }
    }

    fn faults_of_needs(&self) -> impl Iterator<Item = String> + '_ {
        self.needs
            .iter()
            .filter_map(|path| needs::check(path).err())
    }

    fn faults_of_options(&self) -> impl Iterator<Item = String> + '_ {
        let options = &self.schema.options;
        options.iter().enumerate().filter_map(|(index, option)| {
            if let Err(why) = check_option(option) {
                return Some(format!("its option {:?}: {why}", option.name));
            }
            let is_known = options[..index]
                .iter()
                .any(|other| other.name == option.name);
            is_known.then(|| format!("it has two options {:?}", option.name))
        })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name == "core" || !is_kebab(name) {
        return Err(format!(
            "its name {name:?} is not in kebab-case of at most {MAX_NAME} letters, or it is `core`"
        ));
    }
    Ok(())
}

fn check_number(count: usize) -> Result<(), String> {
    if count > MOST {
        return Err(format!(
            "it declares {count} of a kind, at most {MOST} are taken"
        ));
    }
    Ok(())
}

fn check_line(text: &str) -> Result<(), String> {
    if text.len() > MAX_LINE || clean_text::line(text.as_bytes()) != text {
        let start: String = text.chars().take(20).collect();
        return Err(format!(
            "{start:?} is longer than {MAX_LINE} bytes or holds control characters"
        ));
    }
    Ok(())
}

fn check_option(option: &OptionSchema) -> Result<(), String> {
    if !is_kebab(&option.name) {
        return Err(format!(
            "its name is not in kebab-case of at most {MAX_NAME} letters"
        ));
    }
    check_line(&option.help)?;
    if let Value::Text(text) = &option.default {
        check_line(text)?;
    }
    let (least, most) = option.range.unwrap_or((0.0, 0.0));
    // Not a number is in no order.
    if least.partial_cmp(&most).is_none_or(Ordering::is_gt) {
        return Err(format!("its range from {least} to {most} is empty"));
    }
    if !option.accepts(&option.default) {
        return Err(format!(
            "its default {} is not in its range from {least} to {most}",
            option.default
        ));
    }
    Ok(())
}

/// Lower-case letters, digits and hyphens, with a letter first.
fn is_kebab(name: &str) -> bool {
    let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_kebab)
}

fn is_flag(flag: &str) -> bool {
    let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    flag.len() <= MAX_NAME
        && flag
            .strip_prefix("ENABLE_")
            .is_some_and(|rest| !rest.is_empty())
        && flag.chars().all(is_upper)
}

/// A string of the declaration; one that is absent is empty.
fn text(what: &str, text: abi::Str) -> Result<String, String> {
    if text.is_broken() {
        return Err(format!(
            "a string in its {what} is a null pointer with a length"
        ));
    }
    if text.len > MAX_LINE {
        let length = text.len;
        return Err(format!(
            "a string in its {what} is {length} bytes long, at most {MAX_LINE} are taken"
        ));
    }
    // SAFETY: the library vouches for what it declares.
    let bytes = unsafe { bytes(&text) };
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "a string in its {what} is not UTF-8: {:?}",
            String::from_utf8_lossy(bytes)
        )),
    }
}

fn list<T: abi::Versioned, R>(
    what: &str,
    seq: abi::Seq<T>,
    read: impl Fn(T) -> Result<R, String>,
) -> Result<Vec<R>, String> {
    if seq.is_broken() {
        return Err(format!("its {what} are a null pointer with a length"));
    }
    if seq.len() > MOST {
        return Err(format!(
            "it has {} {what}, at most {MOST} are taken",
            seq.len()
        ));
    }
    if seq.is_absurd() {
        let size = seq.stride;
        return Err(format!(
            "the elements of its {what} are {size} bytes long; their stride is wrong"
        ));
    }
    // SAFETY: the library vouches for what it declares.
    let elements = unsafe { elements(&seq) };
    let read: Vec<R> = elements.map(read).collect::<Result<_, _>>()?;
    if read.len() < seq.len() {
        return Err(format!("the elements of its {what} are too short"));
    }
    Ok(read)
}

fn option_of(declared: &abi::OptionDeclaration) -> Result<OptionSchema, String> {
    let name = text("options", declared.name)?;
    let default = declared.default;
    let range = Some((declared.min, declared.max));
    let (default, range) = match declared.kind {
        abi::BOOLEAN => (Value::Boolean(default.integer != 0), None),
        abi::INTEGER => (Value::Integer(default.integer), range),
        abi::FLOAT => (Value::Float(default.float), range),
        abi::TEXT => (Value::Text(text("options", default.text)?), None),
        kind => {
            return Err(format!(
                "its option {name:?} is of kind {kind}, which this daemon does not know"
            ));
        }
    };
    Ok(OptionSchema {
        name,
        default,
        range,
        help: text("options", declared.help)?,
    })
}
