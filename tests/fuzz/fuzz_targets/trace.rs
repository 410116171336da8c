//! A recorded machine: any bytes are a trace, or refused with the number of a line. A trace reads the
//! same after it was written again, compressed, and loses only its end when it is cut off.
#![no_main]

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use agent_core::kernel::trace::{Compression, Frame, Header, Reader, TraceError, Writer};
use libfuzzer_sys::fuzz_target;
use tempfile::NamedTempFile;

/// How every zstd file starts.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

fuzz_target!(|data: &[u8]| {
    if data.starts_with(&ZSTD_MAGIC) {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(data).expect("a temporary file");
        let _ = read(Reader::open(file.path()));
        return;
    }
    match read(Reader::new(data)) {
        Ok(trace) => {
            reads_the_same_after_it_was_written(&trace);
            loses_only_its_end_when_cut_off(data, &trace);
        }
        Err(error) => names_a_line(&error, data),
    }
});

#[derive(Debug, PartialEq)]
struct Trace {
    header: Header,
    frames: Vec<Frame>,
    is_truncated: bool,
}

fn read<R: BufRead>(reader: Result<Reader<R>, TraceError>) -> Result<Trace, TraceError> {
    let mut reader = reader?;
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame()? {
        frames.push(frame);
    }
    Ok(Trace {
        header: reader.header().clone(),
        frames,
        is_truncated: reader.is_truncated(),
    })
}

fn names_a_line(error: &TraceError, data: &[u8]) {
    let TraceError::Line { line, .. } = error else {
        panic!("bytes in memory can be read: {error:?}");
    };
    let lines = data.split_inclusive(|&byte| byte == b'\n').count().max(1);
    assert!((1..=lines as u64).contains(line), "{error}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("line {line}: ")), "{text:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
}

fn reads_the_same_after_it_was_written(trace: &Trace) {
    let file = NamedTempFile::new().expect("a temporary file");
    let mut writer = Writer::new(file, Compression::Zstd, &trace.header).expect("a header");
    for Frame { t_ms, files } in &trace.frames {
        let files = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_deref().map(str::as_bytes)));
        writer.frame(*t_ms, files).expect("a frame");
    }
    let file = writer.finish().expect("a trace");

    let again = read(Reader::open(file.path())).expect("what was written is a trace");

    assert_eq!(again.header, trace.header);
    assert!(!again.is_truncated);
    assert!(
        moments(&again.frames).eq(moments(&trace.frames)),
        "{trace:?}"
    );
}

fn loses_only_its_end_when_cut_off(data: &[u8], trace: &Trace) {
    // What does not end like a trace has lost its end already, from somewhere in the last line on.
    if trace.is_truncated {
        return;
    }
    let header_end = data.iter().position(|&byte| byte == b'\n');
    let half = &data[..data.len() / 2];
    if header_end.is_none_or(|end| end > half.len()) {
        return;
    }

    let cut_off = read(Reader::new(half)).expect("a trace that was cut off is a trace");

    assert!(trace.frames.starts_with(&cut_off.frames), "{trace:?}");
}

/// What all files held at each frame.
fn moments(frames: &[Frame]) -> impl Iterator<Item = (u64, BTreeMap<&String, &Option<String>>)> {
    frames.iter().scan(BTreeMap::new(), |known, frame| {
        known.extend(&frame.files);
        Some((frame.t_ms, known.clone()))
    })
}
