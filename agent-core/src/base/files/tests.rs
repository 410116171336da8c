use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use rustix::fs::{FileType, mknodat};

use super::*;
use crate::skip::skip;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// Everything that somebody could put in the place of a file, by name.
fn impostors(home: &Path) -> Vec<PathBuf> {
    fs::write(home.join("victim"), "secret").unwrap();
    let path = |name: &str| home.join(name);
    symlink("victim", path("link")).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    symlink("loop", path("loop")).unwrap();
    symlink("/dev/zero", path("zero")).unwrap();
    mknodat(CWD, path("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    fs::create_dir(path("directory")).unwrap();
    drop(UnixListener::bind(path("socket")).unwrap());
    let names = [
        "link",
        "dangling",
        "loop",
        "zero",
        "pipe",
        "directory",
        "socket",
    ];
    names.map(path).into()
}

#[test]
fn nothing_but_a_regular_file_is_opened_and_no_pipe_is_waited_for() {
    let home = tempfile::tempdir().unwrap();

    for path in impostors(home.path()) {
        let errors = [
            open(&path).unwrap_err(),
            read(&path, 10).unwrap_err(),
            open_or_make(&path, 0o600, OFlags::APPEND).unwrap_err(),
        ];
        assert!(errors.iter().all(is_senseless), "{path:?}: {errors:?}");
    }
    assert_eq!(fs::read(home.path().join("victim")).unwrap(), b"secret");
    let missing = read(&home.path().join("missing"), 10).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_file_is_read_up_to_a_bound() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    fs::write(&path, "12345").unwrap();

    assert_eq!(read(&path, 5).unwrap(), b"12345");
    let error = read(&path, 4).unwrap_err();
    assert_eq!(
        (is_senseless(&error), error.to_string().as_str()),
        (true, "it has more than 4 bytes")
    );
}

#[test]
fn whatever_is_in_its_place_is_replaced_and_not_followed() {
    let home = tempfile::tempdir().unwrap();

    for path in impostors(home.path()) {
        let replaced = replace(&path, 0o640, &[b"new ", b"content"]);
        if path.ends_with("directory") {
            assert!(replaced.is_err(), "a directory may hold something");
            continue;
        }
        replaced.unwrap();
        assert_eq!(
            (read(&path, 20).unwrap(), mode(&path)),
            (b"new content".to_vec(), 0o640)
        );
    }
    assert_eq!(fs::read(home.path().join("victim")).unwrap(), b"secret");
    let hidden = fs::read_dir(home.path()).unwrap().flatten();
    let hidden = hidden.filter(|entry| has_end(&entry.file_name()));
    assert_eq!(hidden.count(), 0, "nothing is left over");
}

#[test]
fn nobody_can_prepare_the_file_that_is_written_first() {
    let home = tempfile::tempdir().unwrap();
    let directory = File::open(home.path()).unwrap();

    let names = [0; 3].map(|_| make_new(&directory).unwrap().0);

    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    assert!(
        names
            .iter()
            .all(|name| mode(&home.path().join(name)) == 0o600)
    );
}

#[test]
fn leftovers_go_and_nothing_else_does() {
    let home = tempfile::tempdir().unwrap();
    let deep = home.path().join("incidents/20260101-000000-a/raw");
    fs::create_dir_all(&deep).unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious.new"), "").unwrap();
    symlink(outside.path(), home.path().join("evidence")).unwrap();
    for directory in [home.path(), &deep] {
        for name in [".adaptivemmd.0123456789abcdef.new", "ledger.new", "kept"] {
            fs::write(directory.join(name), "").unwrap();
        }
    }
    fs::create_dir(home.path().join("directory.new")).unwrap();

    remove_leftovers(home.path());

    let names = |directory: &Path| {
        let entries = fs::read_dir(directory).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&deep), ["kept"]);
    assert_eq!(
        names(home.path()),
        ["directory.new", "evidence", "incidents", "kept"]
    );
    assert_eq!(names(outside.path()), ["precious.new"]);
}

#[test]
fn beside_a_file_for_others_only_what_is_old_and_ours_goes() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    for name in [".adaptivemmd.1.new", ".adaptivemmd.2.new", "other.new"] {
        fs::write(path(name), "").unwrap();
    }
    let long_ago = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    for name in [".adaptivemmd.1.new", "other.new"] {
        let file = File::options().write(true).open(path(name)).unwrap();
        file.set_times(long_ago).unwrap();
    }

    remove_abandoned(&path("adaptivemmd.prom"));

    let is_there = |name| path(name).exists();
    assert_eq!(
        [".adaptivemmd.1.new", ".adaptivemmd.2.new", "other.new"].map(is_there),
        [false, true, true]
    );
}

#[test]
fn a_directory_has_one_mode_whoever_is_first() {
    for private_is_first in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let base = home.path().join("lib/adaptivemmd");
        let below = base.join("evidence/boot");

        if private_is_first {
            make_private(&base, &below).unwrap();
        }
        make(&base).unwrap();
        make_private(&base, &below).unwrap();

        let modes = [
            &home.path().join("lib"),
            &base,
            &base.join("evidence"),
            &below,
        ];
        assert_eq!(modes.map(|path| mode(path)), [0o755, 0o755, 0o700, 0o700]);
    }
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let above = home.path().join("above");
    let own = above.join("own");
    trusted(&own).unwrap();
    let with_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let told = trusted(&own).map_err(|error| (error.is_dangerous(), error.to_string()));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        told
    };

    for mode in [0o777, 0o775, 0o757, 0o1777] {
        let (is_dangerous, text) = with_mode(&own, mode).unwrap_err();
        let expected = format!(
            "{} can be written by others (mode {mode:04o}), who could exchange the files in it: chmod go-w",
            own.display()
        );
        assert_eq!((is_dangerous, text), (true, expected));
    }
    assert!(with_mode(&above, 0o777).is_err(), "others could move it");
    assert!(with_mode(&above, 0o1777).is_ok(), "as in /tmp");
    assert!(with_mode(&own, 0o700).is_ok());
    fs::write(home.path().join("file"), "").unwrap();
    assert!(
        !trusted(&home.path().join("file"))
            .unwrap_err()
            .is_dangerous()
    );
}

#[test]
fn a_directory_of_another_user_is_refused() {
    if !geteuid().is_root() {
        skip("only root can give files away");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join("own");
    trusted(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65534), None).unwrap();

    let error = trusted(&own).unwrap_err();

    assert!(error.is_dangerous());
    let text = format!(
        "{} belongs to user 65534, who could exchange",
        own.display()
    );
    assert!(error.to_string().starts_with(&text), "{error}");
}
