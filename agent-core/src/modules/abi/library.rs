//! Opens a shared object and asks it which modules it holds.
#![expect(unsafe_code, reason = "loads a library and reads what it exports")]

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use adaptivemm_module_api::abi;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::identity::Identity;
use super::{Calls, Description};

/// Keep the library, whatever happens. glibc and musl agree on the number; libloading has no name for it.
const RTLD_NODELETE: i32 = 0x1000;
/// More modules than any library holds.
pub(crate) const MAX_MODULES: usize = 64;

/// A module of a library.
#[derive(Debug, Clone)]
pub(crate) struct Exported {
    pub(crate) description: Description,
    pub(crate) calls: Calls,
}

/// Why a library is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The dynamic linker does not take it.
    Link(String),
    /// It does not export our symbol.
    NotAModule(String),
    /// Its entry returned null.
    Declined,
    /// What its entry returned is not a module set.
    Magic(u32),
    /// It was made for another major version.
    Major(u16, u16),
    /// A structure is shorter than it was in any version.
    Short { what: &'static str, size: u32 },
    /// It holds no module.
    Empty,
    /// It holds more modules than are taken.
    TooMany(u32),
    /// It points to no modules.
    NoDeclarations,
    /// One of its modules is a null pointer.
    Null(usize),
    /// One of its modules is not well described.
    Module { name: String, why: String },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = abi::ENTRY.to_string_lossy();
        match self {
            Self::Link(why) => write!(f, "it cannot be loaded: {why}"),
            Self::NotAModule(why) => {
                write!(
                    f,
                    "it is no module of adaptivemmd, as it has no symbol {entry} ({why})"
                )
            }
            Self::Declined => write!(
                f,
                "it declines to work with this daemon, which has version {}.{} of the module interface",
                abi::MAJOR,
                abi::MINOR
            ),
            Self::Magic(found) => {
                write!(
                    f,
                    "its {entry} does not return a module set (magic {found:#010x})"
                )
            }
            Self::Major(major, minor) => write!(
                f,
                "it was made for version {major}.{minor} of the module interface, this daemon has {}.{}: \
                 a build of it for version {} is needed",
                abi::MAJOR,
                abi::MINOR,
                abi::MAJOR
            ),
            Self::Short { what, size } => {
                write!(
                    f,
                    "its {what} is only {size} bytes long; its struct_size is wrong"
                )
            }
            Self::Empty => f.write_str("it holds no module"),
            Self::TooMany(count) => {
                write!(
                    f,
                    "it holds {count} modules, at most {MAX_MODULES} are taken"
                )
            }
            Self::NoDeclarations => {
                f.write_str("the pointer to the declarations of its module set is null")
            }
            Self::Null(index) => {
                write!(f, "the pointer to module {index} of its module set is null")
            }
            Self::Module { name, why } if name.is_empty() => write!(f, "{why}"),
            Self::Module { name, why } => write!(f, "module {name:?}: {why}"),
        }
    }
}

impl Error for Refusal {}

/// A library that was opened. The dynamic linker knows it by its path for ever, whatever is there later.
struct Opened {
    path: PathBuf,
    file: Option<Identity>,
    modules: Vec<Exported>,
}

static OPENED: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

/// What a library holds that was opened before, and which file it was.
pub(crate) fn opened(path: &Path) -> Option<(Vec<Description>, Option<Identity>)> {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let library = opened.iter().find(|library| library.path == path)?;
    let descriptions = library
        .modules
        .iter()
        .map(|module| module.description.clone());
    Some((descriptions.collect(), library.file))
}

/// Opens a library and reads what it says of its modules. It stays in memory for as long as the process
/// lives, also if it is refused: its constructors have run, and may have left pointers behind. So it is
/// opened once, and stays what it was.
///
/// # Errors
///
/// Why it is refused.
pub(crate) fn open(path: &Path) -> Result<Vec<Exported>, Refusal> {
    let known = |opened: &Vec<Opened>| {
        let library = opened.iter().find(|library| library.path == path);
        library.map(|library| library.modules.clone())
    };
    let lock = || OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(modules) = known(&lock()) {
        return Ok(modules);
    }
    // Not under the lock: a constructor may take its time.
    let file = Identity::of(path);
    let modules = load(path)?;
    lock().push(Opened {
        path: path.to_owned(),
        file,
        modules: modules.clone(),
    });
    Ok(modules)
}

fn load(path: &Path) -> Result<Vec<Exported>, Refusal> {
    let entry = entry(path)?;
    let host = abi::Host {
        struct_size: abi::size_of_u32::<abi::Host>(),
        magic: abi::MAGIC,
        major: abi::MAJOR,
        minor: abi::MINOR,
        pad: 0,
        version: abi::Str::new(concat!("adaptivemmd ", env!("CARGO_PKG_VERSION"))),
    };
    // SAFETY: a symbol of this name is such a function; the host is lent for the call.
    let set = unsafe { entry(&raw const host) };
    let set = module_set(set)?;
    (0..set.count as usize)
        .map(|index| {
            // SAFETY: the library vouches for `count` pointers.
            let place = unsafe { set.declarations.add(index) };
            // SAFETY: as above.
            let declaration = unsafe { place.read() };
            exported(index, declaration)
        })
        .collect()
}

fn entry(path: &Path) -> Result<abi::Entry, Refusal> {
    let flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    // SAFETY: it runs the library's constructors, which is what the administrator wants.
    let library = unsafe { Library::open(Some(path), flags) };
    let library = library.map_err(|error| Refusal::Link(linker_says(&error)))?;
    // SAFETY: a symbol of this name is an entry; that is what the name stands for.
    let symbol = unsafe { library.get::<abi::Entry>(abi::ENTRY.to_bytes_with_nul()) };
    let entry = symbol
        .map(|symbol| *symbol)
        .map_err(|error| Refusal::NotAModule(linker_says(&error)));
    std::mem::forget(library);
    entry
}

/// libloading leaves the words of the dynamic linker to the source of its error.
fn linker_says(error: &libloading::Error) -> String {
    let said = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    crate::base::clean_text::line(said.as_bytes())
}

/// Checks a set, its frozen modules first: only they mean the same in every major version.
fn module_set(set: *const abi::ModuleSet) -> Result<abi::ModuleSet, Refusal> {
    /// `struct_size`, `magic`, `major`, `minor` and `count`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Head {
        struct_size: u32,
        magic: u32,
        major: u16,
        minor: u16,
        count: u32,
    }
    if set.is_null() {
        return Err(Refusal::Declined);
    }
    // SAFETY: not null, and the first 16 bytes of a set are the same in every version.
    let head = unsafe { set.cast::<Head>().read() };
    if head.magic != abi::MAGIC {
        return Err(Refusal::Magic(head.magic));
    }
    if head.major != abi::MAJOR {
        return Err(Refusal::Major(head.major, head.minor));
    }
    if head.count == 0 {
        return Err(Refusal::Empty);
    }
    if head.count as usize > MAX_MODULES {
        return Err(Refusal::TooMany(head.count));
    }
    let short = Refusal::Short {
        what: "module set",
        size: head.struct_size,
    };
    // SAFETY: the library vouches for `struct_size` bytes.
    let whole = unsafe { abi::read_sized(set) }.ok_or(short)?;
    if whole.declarations.is_null() {
        return Err(Refusal::NoDeclarations);
    }
    Ok(whole)
}

fn exported(index: usize, declaration: *const abi::Declaration) -> Result<Exported, Refusal> {
    if declaration.is_null() {
        return Err(Refusal::Null(index));
    }
    // SAFETY: not null, and every sized structure starts with its size.
    let size = unsafe { declaration.cast::<u32>().read() };
    // SAFETY: the library vouches for `size` bytes.
    let Some(declaration) = (unsafe { abi::read_sized(declaration) }) else {
        let what = "module declaration";
        return Err(Refusal::Short { what, size });
    };
    Exported::of(&declaration)
}

impl Exported {
    /// Checks a declaration and copies what it says.
    pub(crate) fn of(declaration: &abi::Declaration) -> Result<Self, Refusal> {
        let name = || {
            // SAFETY: the library vouches for what it declares.
            let name = unsafe { super::sink::bytes(&declaration.name) };
            crate::base::clean_text::name(name)
        };
        let refuse = |why| Refusal::Module { name: name(), why };
        let (Some(create), Some(scan), Some(destroy)) =
            (declaration.create, declaration.scan, declaration.destroy)
        else {
            return Err(refuse(
                "it lacks one of create, scan and destroy".to_owned(),
            ));
        };
        let description = Description::read(declaration).map_err(refuse)?;
        description.check().map_err(refuse)?;
        let calls = Calls {
            create,
            scan,
            destroy,
        };
        Ok(Self { description, calls })
    }
}
