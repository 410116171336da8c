//! Ends the process it runs in.

use std::hint::black_box;
use std::ptr;

pub(crate) fn segfault() {
    // SAFETY: there is none; this is a segmentation fault.
    unsafe { ptr::without_provenance_mut::<u32>(8).write_volatile(1) };
}

pub(crate) fn overflow() {
    #[expect(unconditional_recursion, reason = "overflows the stack")]
    fn deeper(depth: u64) -> u64 {
        black_box([depth; 64])[0] + deeper(depth + 1)
    }
    black_box(deeper(0));
}

pub(crate) fn out_of_memory() {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(vec![1; 16 << 20]);
    }
}
