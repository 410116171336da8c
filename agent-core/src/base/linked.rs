//! The modules that are linked in, chosen by the features of this crate.
//!
//! The linker leaves out a crate that nothing names, and the registration of its module with it.

#[cfg(feature = "cache-pressure")]
use cache_pressure as _;
#[cfg(feature = "compaction")]
use compaction as _;
#[cfg(feature = "free-pages")]
use free_pages as _;
#[cfg(feature = "memleak")]
use memleak as _;
#[cfg(feature = "negative-dentry")]
use negative_dentry as _;

/// The names of the modules that were chosen when this program was built.
pub const CHOSEN: &[&str] = &[
    #[cfg(feature = "cache-pressure")]
    "cache-pressure",
    #[cfg(feature = "compaction")]
    "compaction",
    #[cfg(feature = "free-pages")]
    "free-pages",
    #[cfg(feature = "memleak")]
    "memleak",
    #[cfg(feature = "negative-dentry")]
    "negative-dentry",
];

#[cfg(test)]
mod tests {
    use crate::modules::catalogue::{Registration, registrations};

    #[test]
    fn the_modules_that_were_chosen_are_linked_in_and_no_others() {
        let (modules, refused) = registrations();

        let names: Vec<&str> = modules.iter().map(Registration::name).collect();

        assert_eq!(
            (names.as_slice(), refused.as_slice()),
            (super::CHOSEN, [].as_slice())
        );
    }
}
