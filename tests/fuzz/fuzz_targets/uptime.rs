//! The time since boot and the name of the boot: what counts is the first number, and the name is read
//! again as it was read.
#![no_main]

use agent_core::kernel::{boot_id, uptime};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(since_boot) = uptime(data) {
        let first = data.split(|&byte| byte == b' ').next().unwrap_or_default();
        assert_eq!(uptime(&[first, b" 0.00\n"].concat()), Ok(since_boot));
    }
    if let Ok(id) = boot_id(data) {
        assert_eq!(id.len(), 36);
        assert!(data.starts_with(id.as_bytes()));
        assert_eq!(boot_id(format!("{id}\n").as_bytes()), Ok(id));
    }
});
