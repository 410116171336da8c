//! Which modules are in this program or library.
#![expect(
    unsafe_code,
    reason = "exports the one symbol that a module library has"
)]

use core::mem::offset_of;
use core::ptr;
use std::panic::catch_unwind;
use std::sync::{LazyLock, OnceLock};

use crate::abi;
use crate::thunk::{OwnedDeclaration, note_panics};

/// A module that is linked into this program or library; made by [`register!`](crate::register).
#[derive(Debug)]
pub struct Registered(pub &'static LazyLock<OwnedDeclaration>);

inventory::collect!(Registered);

/// The modules that are linked into this program, in no particular order.
pub fn linked() -> impl Iterator<Item = &'static abi::Declaration> {
    inventory::iter::<Registered>
        .into_iter()
        .map(|registered| &registered.0.declaration)
}

/// Makes a module known to the program or library it is linked into: `register!(MyModule);`
///
/// A crate that nothing names is left out by the linker, and its registration with it: the program
/// says `use my_module as _;` in one place.
#[macro_export]
macro_rules! register {
    ($module:ty) => {
        const _: () = {
            static DECLARATION: ::std::sync::LazyLock<$crate::OwnedDeclaration> =
                ::std::sync::LazyLock::new($crate::declaration_of::<$module>);
            $crate::inventory::submit! { $crate::Registered(&DECLARATION) }
        };
    };
}

/// Says which modules are in this library: [`abi::ENTRY`].
///
/// It is defined once, here, so that any number of modules can be linked into one library or one program.
/// Every library has a registry of its own.
///
/// # Safety
///
/// `host` is null or starts with the first 12 bytes of [`abi::Host`], which are the same in every version.
#[unsafe(no_mangle)]
unsafe extern "C" fn adaptivemm_module_entry(host: *const abi::Host) -> *const abi::ModuleSet {
    // A core that cannot say who it is is not one. One of another major version gets the set all the same: it
    // knows best what to say to that.
    // SAFETY: the caller's promise is the same.
    if unsafe { magic_of(host) } != Some(abi::MAGIC) {
        return ptr::null();
    }
    note_panics();
    catch_unwind(module_set).unwrap_or(ptr::null())
}

/// # Safety
///
/// As for [`adaptivemm_module_entry`].
unsafe fn magic_of(host: *const abi::Host) -> Option<u32> {
    if host.is_null() {
        return None;
    }
    let place = host.wrapping_byte_add(offset_of!(abi::Host, magic));
    // SAFETY: not null, and the caller vouches for the bytes up to there.
    Some(unsafe { place.cast::<u32>().read() })
}

/// The set, and the array that it points to.
struct Exported {
    set: abi::ModuleSet,
    _declarations: Vec<*const abi::Declaration>,
}

// SAFETY: nothing in it ever changes, and the declarations it points to are statics.
unsafe impl Send for Exported {}
// SAFETY: as above.
unsafe impl Sync for Exported {}

fn module_set() -> *const abi::ModuleSet {
    static EXPORTED: OnceLock<Exported> = OnceLock::new();
    let exported = EXPORTED.get_or_init(|| {
        let declarations: Vec<*const abi::Declaration> = linked().map(ptr::from_ref).collect();
        Exported {
            set: abi::ModuleSet {
                struct_size: abi::size_of_u32::<abi::ModuleSet>(),
                magic: abi::MAGIC,
                major: abi::MAJOR,
                minor: abi::MINOR,
                count: u32::try_from(declarations.len()).unwrap_or(u32::MAX),
                declarations: declarations.as_ptr(),
                built_with: abi::Str::new(concat!(
                    "adaptivemm-module-api ",
                    env!("CARGO_PKG_VERSION")
                )),
            },
            _declarations: declarations,
        }
    });
    &raw const exported.set
}
