//! The file of adaptivemm 2.1: any bytes are a valid configuration, and mean the same as the TOML that
//! they are converted to.
#![no_main]

use std::path::Path;

use agent_core::config::{ModuleSchema, convert};
use harness::{configuration, modules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    check(data, &[modules::memleak()]);
    check(data, &modules::of_adaptivemm());
});

fn check(data: &[u8], modules: &[ModuleSchema]) {
    let converted = convert(data, Path::new("old"), modules);
    configuration::check_diagnostics(&converted.diagnostics);
    let toml = &converted.toml;
    toml.parse::<toml::Table>().expect(toml);

    let before = configuration::load(data, "old", modules);
    let after = configuration::load(toml.as_bytes(), "new.toml", modules);

    assert!(before.is_valid() && after.is_valid(), "{toml}");
    assert_eq!(after.settings, before.settings, "{toml}");
}
