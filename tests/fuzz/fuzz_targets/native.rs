//! A TOML file: any bytes load or are refused with a reason, and what is shown of a valid configuration
//! loads as the same settings.
#![no_main]

use harness::{configuration, modules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let modules = [modules::memleak(), modules::motley()];
    let loaded = configuration::load(data, "given.toml", &modules);
    if !loaded.is_valid() {
        return;
    }

    let shown = loaded.show();
    let again = configuration::load(shown.as_bytes(), "shown.toml", &modules);

    assert_eq!(again.diagnostics, [], "{shown}");
    assert_eq!(again.settings, loaded.settings, "{shown}");
});
