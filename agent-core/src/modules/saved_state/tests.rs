use std::fs;

use super::*;

const BOOT: &str = "6f2b7f6c-6f0a-4a7e-8f2d-2f4a3c1d9e10";

fn minutes(minutes: u64) -> Uptime {
    Uptime(Duration::from_secs(minutes * 60))
}

/// Returns what a daemon of this boot gives to a module, and what it tells.
fn given(state_dir: &Path, boot_id: &str) -> (Vec<u8>, Vec<String>) {
    let mut states = SavedStates::kept(state_dir, boot_id);
    let state = states.for_module("memleak").to_vec();
    let news = states.news().into_iter().map(|news| news.text);
    (state, news.collect())
}

#[test]
fn the_next_daemon_of_the_same_boot_has_what_was_kept_and_of_another_boot_has_not() {
    let home = tempfile::tempdir().unwrap();
    let mut states = SavedStates::kept(home.path(), BOOT);
    states.keep("memleak", "0.1.0", &mut b"learned".to_vec());
    states.end();

    assert_eq!(given(home.path(), BOOT), (b"learned".to_vec(), Vec::new()));
    assert_eq!(given(home.path(), "another"), (Vec::new(), Vec::new()));
}

#[test]
fn the_next_instance_has_it_at_once() {
    let mut states = SavedStates::in_memory();
    states.keep("memleak", "0.1.0", &mut b"learned".to_vec());
    states.keep("memleak", "0.1.0", &mut b"more".to_vec());

    assert_eq!(&*states.for_module("memleak"), b"more");
    assert_eq!(&*states.for_module("compaction"), b"");
}

#[test]
fn nothing_is_written_before_five_minutes_are_over_or_by_a_simulation() {
    let home = tempfile::tempdir().unwrap();
    let mut states = SavedStates::kept(home.path(), BOOT);
    for minute in 0..5 {
        states.keep("memleak", "0.1.0", &mut b"learned".to_vec());
        states.pass(minutes(minute));
    }
    assert!(states.writer.is_none());

    states.pass(minutes(5));
    assert!(states.writer.is_some());
    states.end();
    assert_eq!(given(home.path(), BOOT).0, b"learned");

    let mut simulation = SavedStates::in_memory();
    simulation.keep("memleak", "0.1.0", &mut b"learned".to_vec());
    simulation.pass(minutes(60));
    simulation.pass(minutes(120));
    assert!(simulation.writer.is_none());
}

#[test]
fn a_broken_file_is_set_aside_and_told_once() {
    let home = tempfile::tempdir().unwrap();
    let mut states = SavedStates::kept(home.path(), BOOT);
    states.keep("memleak", "0.1.0", &mut b"learned".to_vec());
    states.end();
    let path = file::path(home.path(), "memleak");
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    fs::File::create(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, &bytes))
        .unwrap();

    let (state, told) = given(home.path(), BOOT);

    assert_eq!(state, b"");
    let text = format!(
        "module memleak starts without its saved state, as {} is damaged: its length is not the one in its header; \
         the file is set aside",
        path.display()
    );
    assert_eq!(told, [text]);
    assert!(path.with_extension("state.broken").exists());
    assert_eq!(given(home.path(), BOOT), (Vec::new(), Vec::new()));
}

#[test]
fn a_directory_that_cannot_be_made_is_told_once() {
    let mut states = SavedStates::kept(Path::new("/proc/adaptivemmd"), BOOT);
    states.keep("memleak", "0.1.0", &mut b"learned".to_vec());
    states.pass(minutes(0));
    states.pass(minutes(5));

    let mut told = Vec::new();
    for _ in 0..1000 {
        told.extend(states.news().into_iter().map(|news| news.text));
        if !told.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    told.extend(states.news().into_iter().map(|news| news.text));

    assert_eq!(
        told,
        [
            "cannot save the state of modules to /proc/adaptivemmd; it is lost when the daemon ends: \
          No such file or directory (os error 2)"
        ]
    );
}
