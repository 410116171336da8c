//! Which shared objects are mapped into this process, as the dynamic linker knows them.
#![expect(
    unsafe_code,
    reason = "the dynamic linker tells what it has loaded by a callback"
)]

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Their paths; not that of the program, nor what the kernel maps by itself.
pub(crate) fn mapped() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    // SAFETY: `add` takes what it is handed: the list that lives until this returns.
    unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut paths).cast()) };
    paths
}

unsafe extern "C" fn add(info: *mut libc::dl_phdr_info, _size: usize, list: *mut c_void) -> c_int {
    // SAFETY: the dynamic linker lends a description that is whole.
    let name = unsafe { (*info).dlpi_name };
    if name.is_null() {
        return 0;
    }
    // SAFETY: a name that is not null ends with a zero.
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: this is the list that `mapped` lends for the call.
    let list = unsafe { &mut *list.cast::<Vec<PathBuf>>() };
    if name.to_bytes().contains(&b'/') {
        list.push(OsStr::from_bytes(name.to_bytes()).into());
    }
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_c_library_is_mapped() {
        let mapped = super::mapped();

        let is_c_library = |path: &std::path::PathBuf| path.to_string_lossy().contains("/libc.");
        assert!(
            mapped.iter().any(is_c_library) || cfg!(target_feature = "crt-static"),
            "{mapped:?}"
        );
    }
}
