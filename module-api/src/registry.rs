//! Which modules are in this program.

use crate::abi;

/// A module that is linked into this program; made by [`register!`](crate::register).
#[derive(Debug)]
pub struct Registered(#[doc(hidden)] pub &'static abi::Declaration);

inventory::collect!(Registered);

/// The modules that are linked into this program, in no particular order.
pub fn linked() -> impl Iterator<Item = &'static abi::Declaration> {
    inventory::iter::<Registered>
        .into_iter()
        .map(|registered| registered.0)
}

/// Makes a module known to the program it is linked into: `register!(MyModule);`
///
/// A crate that nothing names is left out by the linker, and its registration with it: the program
/// says `use my_module as _;` in one place.
#[macro_export]
macro_rules! register {
    ($module:ty) => {
        const _: () = {
            static DECLARATION: $crate::abi::Declaration = $crate::declaration_of::<$module>();
            $crate::inventory::submit! { $crate::Registered(&DECLARATION) }
        };
    };
}
