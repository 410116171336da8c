//! Pools of huge pages: a size or a count that is read is read again when it is printed as the kernel
//! prints it.
#![no_main]

use agent_core::kernel::{page_count, page_size};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(count) = page_count(data) {
        assert_eq!(page_count(format!("{count}\n").as_bytes()), Ok(count));
    }
    let Ok(name) = std::str::from_utf8(data) else {
        return;
    };
    // Bytes that are too many to be counted are as many as can be.
    if let Some(size) = page_size(name).filter(|size| size.get() < u64::MAX) {
        let printed = format!("hugepages-{}kB", size.kib());
        assert_eq!(page_size(&printed), Some(size));
    }
});
