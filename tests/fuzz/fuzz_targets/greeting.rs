//! What a library says of its modules, through its process: any bytes are refused, or describe modules that can
//! be configured. What is shown of their configuration loads as the same settings.
#![no_main]

use agent_core::config::{ModuleSchema, Value};
use agent_core::modules::isolation::greeting_from_bytes;
use agent_core::modules::abi::Description;
use harness::configuration;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    match greeting_from_bytes(data) {
        Err(nonsense) => is_a_line(&nonsense.to_string()),
        Ok(Err(why)) => is_a_line(&why),
        Ok(Ok(modules)) => {
            assert!(modules.len() <= 64);
            modules.iter().for_each(makes_sense);
            can_be_configured(&modules);
        }
    }
});

fn is_a_line(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}

fn makes_sense(module: &Description) {
    is_kebab(&module.schema.name);
    assert_ne!(module.schema.name, "core");
    let texts = [&module.version, &module.schema.description];
    let texts = texts.into_iter().chain(&module.needs).chain(&module.writes);
    texts.for_each(|text| is_a_line(text));
    assert!(module.needs.iter().all(|path| path.starts_with('/')));
    for option in &module.schema.options {
        is_kebab(&option.name);
        is_a_line(&option.help);
        let number = match &option.default {
            Value::Boolean(_) => None,
            #[expect(clippy::cast_precision_loss, reason = "so are ranges")]
            Value::Integer(integer) => Some(*integer as f64),
            Value::Float(float) => Some(*float),
            Value::Text(text) => {
                is_a_line(text);
                None
            }
        };
        if let (Some(number), Some((min, max))) = (number, option.range) {
            assert!(min <= number && number <= max, "{option:?}");
        }
    }
}

fn is_kebab(name: &str) {
    let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(name.len() <= 64 && name.chars().all(is_kebab), "{name:?}");
    assert!(
        name.starts_with(|c: char| c.is_ascii_lowercase()),
        "{name:?}"
    );
}

/// With their defaults, and with an `enabled` of their own.
fn can_be_configured(modules: &[Description]) {
    let mut schemas: Vec<ModuleSchema> = Vec::new();
    for module in modules {
        // Of equal names the first counts.
        if !schemas.iter().any(|known| known.name == module.schema.name) {
            schemas.push(module.schema.clone());
        }
    }
    let tables = schemas
        .iter()
        .map(|schema| format!("[modules.{}]\nenabled = true\n", schema.name));
    let given: String = tables.collect();
    for text in ["", &given] {
        let loaded = configuration::load(text.as_bytes(), "given.toml", &schemas);
        assert!(loaded.is_valid(), "{:?}", loaded.diagnostics);
        let shown = loaded.show();
        let again = configuration::load(shown.as_bytes(), "shown.toml", &schemas);
        assert_eq!(again.diagnostics, [], "{shown}");
        assert_eq!(again.settings, loaded.settings, "{shown}");
    }
    let _legacy = configuration::load(b"ENABLE_MEMLEAK_CHECK=1\n", "legacy", &schemas);
}
