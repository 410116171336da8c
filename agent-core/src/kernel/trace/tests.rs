use proptest::prelude::*;

use super::writer::Compression;
use super::*;

const HEADER: &str =
    r#"{"format":"adaptivemm-trace","version":1,"page_size":4096,"period_ms":1000}"#;

fn frames(text: &str) -> Result<(Vec<Frame>, bool), TraceError> {
    let mut reader = Reader::new(text.as_bytes())?;
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame()? {
        frames.push(frame);
    }
    Ok((frames, reader.is_truncated()))
}

fn error(text: &str) -> String {
    let read = frames(text).map(|(frames, _)| frames.len());
    read.unwrap_err().to_string()
}

#[test]
fn only_files_that_changed_are_written() {
    let header = Header::new("6.1", "x86_64", 4096, 1000, "");
    let mut writer = Writer::new(Vec::new(), Compression::None, &header).unwrap();
    writer
        .frame(
            0,
            [("/proc/a", Some(&b"1\n"[..])), ("/proc/b", Some(b"2\n"))].into_iter(),
        )
        .unwrap();
    writer
        .frame(
            1000,
            [("/proc/a", Some(&b"1\n"[..])), ("/proc/b", None)].into_iter(),
        )
        .unwrap();

    let text = String::from_utf8(writer.finish().unwrap()).unwrap();

    assert_eq!(
        text,
        "{\"format\":\"adaptivemm-trace\",\"version\":1,\"kernel\":\"6.1\",\"arch\":\"x86_64\",\"page_size\":4096,\"period_ms\":1000,\"note\":\"\"}\n\
         {\"t_ms\":0,\"files\":{\"proc/a\":\"1\\n\",\"proc/b\":\"2\\n\"}}\n\
         {\"t_ms\":1000,\"files\":{\"proc/b\":null}}\n"
    );
}

#[test]
fn a_truncated_last_line_is_left_out_and_said() {
    let text = format!("{HEADER}\n{{\"t_ms\":0,\"files\":{{}}}}\n{{\"t_ms\":10");

    let (frames, truncated) = frames(&text).unwrap();

    assert_eq!((frames.len(), truncated), (1, true));
}

#[test]
fn a_last_line_that_only_lacks_its_line_feed_counts() {
    let (frames, truncated) = frames(&format!("{HEADER}\n{{\"t_ms\":7}}")).unwrap();

    assert_eq!((frames.len(), truncated), (1, false));
}

#[test]
fn anything_else_that_is_malformed_is_an_error_that_names_the_line() {
    assert_eq!(error(""), "line 1: the trace is empty");
    assert_eq!(
        error(&HEADER.replace("adaptivemm-trace", "pcap")),
        "line 1: expected the format \"adaptivemm-trace\", found \"pcap\""
    );
    assert_eq!(
        error(&HEADER.replace("\"version\":1", "\"version\":2")),
        "line 1: expected version 1 or older, found 2"
    );
    assert_eq!(
        error(&format!("{HEADER}\n{{\"t_ms\":5}}\n{{\"t_ms\":4}}\n")),
        "line 3: t_ms is 4, earlier than 5 in the frame before"
    );
    assert_eq!(
        error(&format!(
            "{HEADER}\n{{\"t_ms\":5,\"files\":{{\"/proc/a\":null}}}}\n"
        )),
        "line 2: expected a path without a leading slash, found \"/proc/a\""
    );
    assert_eq!(
        error(&format!("{HEADER}\n{{\"t_ms\":7}} $$$")),
        "line 2: not a frame: trailing characters at column 12"
    );
    assert_eq!(
        error(&format!("{HEADER}\nnonsense\n{{\"t_ms\":4}}\n")),
        "line 2: not a frame: expected ident at column 2"
    );
    assert_eq!(
        error(&format!("{HEADER}\n{{\"t_ms\":4\n{{\"t_ms\":4}}\n")),
        "line 2: not a frame: it ends in the middle, at column 9"
    );
    assert_eq!(
        error(&HEADER[..HEADER.len() - 3]),
        format!(
            "line 1: a trace starts with {{\"format\":\"adaptivemm-trace\",\"version\":1,...}}: \
             it ends in the middle, at column {}",
            HEADER.len() - 3
        )
    );
}

#[test]
fn a_key_that_is_misspelt_is_not_one_that_is_left_out() {
    let frame = error(&format!("{HEADER}\n{{\"t_ms\":5,\"file\":{{}}}}\n"));
    assert!(
        frame.starts_with("line 2: not a frame: unknown field `file`, expected `t_ms` or `files`"),
        "{frame}"
    );
    let header = error(&HEADER.replacen('}', ",\"period\":1000}", 1));
    assert!(header.contains("unknown field `period`"), "{header}");
    let later = HEADER.replace("\"version\":1", "\"version\":2,\"more\":1");
    assert_eq!(
        error(&later),
        "line 1: expected version 1 or older, found 2"
    );
}

#[test]
fn a_trace_that_holds_more_than_any_machine_is_refused_where_it_does() {
    let text = "A".repeat(15_000_000);
    let frame = |t_ms: u64, name: &str, text: &str| {
        format!("{{\"t_ms\":{t_ms},\"files\":{{\"proc/{name}\":{text}}}}}\n")
    };
    let big = format!("\"{text}\"");
    let other: String = (0..9).map(|i| frame(i, &format!("x{i}"), &big)).collect();
    let same: String = (0..5).map(|i| frame(i, "x", &big)).collect();
    let gone: String = (0..9)
        .map(|i| frame(i, &format!("x{i}"), if i % 2 == 0 { &big } else { "null" }))
        .collect();
    let name = "n".repeat(8_000_000);
    let names: String = (0..9)
        .map(|i| frame(i, &format!("{name}{i}"), "null"))
        .collect();
    let many: Vec<String> = (0..70_000).map(|i| format!("\"f{i}\":null")).collect();
    let long = format!("\"{}\"", "A".repeat(34_000_000));

    let said = |frames: &str| error(&format!("{HEADER}\n{frames}"));

    let too_much = "the files of the machine have more than 64 MiB together";
    assert_eq!(said(&other), format!("line 6: {too_much}"));
    assert_eq!(said(&gone), format!("line 10: {too_much}"));
    // A name is kept, even if it is one of no file.
    assert_eq!(said(&names), format!("line 4: {too_much}"));
    assert_eq!(frames(&format!("{HEADER}\n{same}")).unwrap().0.len(), 5);
    assert_eq!(said(&frame(0, "x", &long)), "line 2: longer than 32 MiB");
    let many = said(&format!(
        "{{\"t_ms\":0,\"files\":{{{}}}}}\n",
        many.join(",")
    ));
    assert!(
        many.starts_with("line 2: not a frame: more than 65536 files at column "),
        "{many}"
    );
}

#[test]
fn pages_of_a_size_that_there_is_not_are_refused() {
    for bytes in ["0", "1", "512", "4095", "18446744073709551615"] {
        assert_eq!(
            error(&HEADER.replace("4096", bytes)),
            format!(
                "line 1: expected a page_size that is a power of two of at least 1024, found {bytes}"
            )
        );
    }
}

#[test]
fn a_compressed_trace_that_was_cut_off_gives_what_is_left() {
    let header = Header::new("6.1", "x86_64", 4096, 1000, "");
    let mut writer = Writer::new(Vec::new(), Compression::Zstd, &header).unwrap();
    for t_ms in 0..100 {
        writer
            .frame(
                t_ms,
                [("/proc/a", Some(t_ms.to_string().as_bytes()))].into_iter(),
            )
            .unwrap();
    }
    let whole = writer.finish().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let count = |bytes: &[u8]| {
        std::fs::write(file.path(), bytes).unwrap();
        let mut reader = Reader::open(file.path()).unwrap();
        let mut count = 0;
        while reader.next_frame().unwrap().is_some() {
            count += 1;
        }
        (count, reader.is_truncated())
    };

    assert_eq!(count(&whole), (100, false));
    assert_eq!(count(&whole[..whole.len() - 9]), (95, true));
}

proptest! {
    #[test]
    fn reads_back_what_was_written(texts in prop::collection::vec(prop::option::of("\\PC{0,20}"), 1..20)) {
        let header = Header::new("6.1", "x86_64", 4096, 1000, "note");
        let mut writer = Writer::new(Vec::new(), Compression::None, &header)?;
        for (t_ms, text) in (0..).zip(&texts) {
            writer.frame(t_ms, [("/a/b", text.as_deref().map(str::as_bytes))].into_iter())?;
        }

        let (frames, _) = frames(&String::from_utf8(writer.finish()?)?)?;

        let mut last = None;
        let read: Vec<_> = frames.iter().map(|frame| {
            last = frame.files.get("a/b").cloned().or(last.clone());
            last.clone().flatten()
        }).collect();
        prop_assert_eq!(read, texts);
    }

    #[test]
    fn never_panics(text in "(\\{|\\}|\"t_ms\"|\"files\"|:|,|[0-9]{1,22}|null|\n|\\PC){0,60}") {
        let _ = frames(&text);
        let _ = frames(&format!("{HEADER}\n{text}"));
    }
}
