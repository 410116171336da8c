//! What comes from the process of a module, in pieces of any size, is cut into frames as their lengths say; one
//! that is too long or not all there is an error, and costs no more memory than what came.
#![no_main]

use std::io::{self, Read};

use agent_core::modules::isolation::frame_of_answer;
use libfuzzer_sys::fuzz_target;

/// Longer than any answer.
const LONGEST: usize = 8 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, stream)) = data.split_first() else {
        return;
    };
    let mut pieces = Pieces {
        left: stream,
        most: usize::from(piece).max(1),
    };
    let mut left = stream;
    loop {
        let frame = frame_of_answer(&mut pieces);
        let Some((expected, rest)) = first_frame(left) else {
            assert!(frame.is_err());
            break;
        };
        let frame = frame.expect("a whole frame");
        assert_eq!(frame, expected);
        assert!(frame.capacity() <= stream.len());
        assert_eq!(pieces.left, rest);
        left = rest;
    }
});

fn first_frame(stream: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = stream.split_first_chunk()?;
    let length = u32::from_ne_bytes(*length) as usize;
    (length <= LONGEST).then(|| rest.split_at_checked(length))?
}

/// A socket that gives out a few bytes at a time.
struct Pieces<'a> {
    left: &'a [u8],
    most: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.most);
        self.left.read(&mut buffer[..count])
    }
}
