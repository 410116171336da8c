//! Files that somebody else may have written: nothing of them runs, not even a constructor.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};
use rustix::process::geteuid;

use crate::loading::place::set_mode;
use crate::loading::telltale::Telltale;
use crate::skip::skip;

#[test]
fn a_file_that_is_trusted_is_loaded() {
    let telltale = Telltale::new("good");

    assert_eq!(telltale.place.loaded(), ["variant"]);
    // The process that looked into it first may make no file; the daemon itself may.
    assert!(!telltale.was_loaded());
    telltale.place.daemon().terminate();
    assert!(telltale.was_loaded());
}

#[test]
fn a_file_that_others_can_write_is_not_loaded() {
    let telltale = Telltale::new("writable");
    let file = &telltale.file;
    for mode in [0o775, 0o757, 0o666] {
        set_mode(file, mode);

        let reason = format!(
            "{} can be written by others than its owner (mode 0{mode:o}): chmod go-w",
            file.display()
        );
        telltale.assert_untrusted(file, &reason);
    }
}

#[test]
fn a_file_in_a_directory_that_others_can_write_is_not_loaded() {
    let telltale = Telltale::new("writable-directory");
    let directory = telltale.place.path("elsewhere");
    let advice = ["chmod go-w", "chmod go-w", "put the file elsewhere"];
    for (mode, advice) in [0o775, 0o757, 0o1777].into_iter().zip(advice) {
        set_mode(&directory, mode);

        let reason = format!(
            "{} can be written by others than its owner (mode {mode:04o}): {advice}",
            directory.display()
        );
        telltale.assert_untrusted(&telltale.file, &reason);
    }
}

#[test]
fn a_file_far_below_a_directory_that_others_can_write_is_not_loaded() {
    let telltale = Telltale::new("writable-above");
    let above = telltale.place.path("elsewhere");
    telltale.place.make_directory("elsewhere/deep/down");
    let file = telltale.place.path("elsewhere/deep/down/variant.so");
    fs::rename(&telltale.file, &file).unwrap();
    telltale.name(&file);
    set_mode(&above, 0o1777);

    let reason = format!(
        "{} can be written by others than its owner (mode 1777): put the file elsewhere",
        above.display()
    );
    telltale.assert_untrusted(&file, &reason);
}

#[test]
fn what_belongs_to_somebody_else_is_not_loaded() {
    if !geteuid().is_root() {
        skip("only root can give files away");
        return;
    }
    let telltale = Telltale::new("owner");
    for path in [telltale.file.clone(), telltale.place.path("elsewhere")] {
        chown(&path, Some(1234), None).unwrap();

        let reason = format!("{} belongs to user 1234: chown it to root", path.display());
        telltale.assert_untrusted(&telltale.file, &reason);
        chown(&path, Some(0), None).unwrap();
    }
}

#[test]
fn a_symbolic_link_to_a_file_is_not_followed() {
    let telltale = Telltale::new("link");
    let link = telltale.place.path("elsewhere/link.so");
    symlink(&telltale.file, &link).unwrap();
    telltale.name(&link);

    let reason = format!(
        "{} is a symbolic link: name the file itself",
        link.display()
    );
    telltale.assert_untrusted(&link, &reason);
}

#[test]
fn a_directory_is_judged_by_where_it_really_is() {
    let telltale = Telltale::new("linked-directory");
    let link = telltale.place.path("link");
    symlink(telltale.place.path("elsewhere"), &link).unwrap();
    let file = link.join("variant.so");
    telltale.name(&file);
    let loaded = telltale.place.loaded();
    set_mode(&telltale.place.path("elsewhere"), 0o777);

    let reason = format!(
        "{} can be written by others than its owner (mode 0777): chmod go-w",
        telltale.place.path("elsewhere").display()
    );
    telltale.assert_untrusted(&file, &reason);
    assert_eq!(loaded, ["variant"]);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let telltale = Telltale::new("pipe");
    let pipe = telltale.place.path("elsewhere/pipe.so");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
    telltale.name(&pipe);

    let reason = format!("{} is not a regular file", pipe.display());
    telltale.assert_untrusted(&pipe, &reason);
}

#[test]
fn a_directory_is_no_module() {
    let telltale = Telltale::new("directory");
    let directory = telltale.place.make_directory("elsewhere/directory.so");
    telltale.name(&directory);

    let reason = format!("{} is not a regular file", directory.display());
    telltale.assert_untrusted(&directory, &reason);
}

#[test]
fn a_file_with_an_access_control_list_is_not_loaded() {
    let telltale = Telltale::new("acl");
    let file = &telltale.file;
    // Version 2, then tag, permissions and user of each entry: the owner, user 1234, the group, the mask,
    // all others.
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 7, u32::MAX),
        (0x02, 4, 1234),
        (0x04, 5, u32::MAX),
        (0x10, 5, u32::MAX),
        (0x20, 5, u32::MAX),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    if let Err(error) = setxattr(file, "system.posix_acl_access", &list, XattrFlags::CREATE) {
        skip(&format!(
            "this file system has no access control lists: {error}"
        ));
        return;
    }

    let reason = format!("{} has an access control list: setfacl -b", file.display());
    telltale.assert_untrusted(file, &reason);
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    let telltale = Telltale::new("missing");
    let file = telltale.place.path("elsewhere/gone.so");
    telltale.name(&file);

    let reason = format!(
        "{} cannot be looked at: No such file or directory (os error 2)",
        file.display()
    );
    telltale.place.assert_refused(&file, &reason);
    assert!(!telltale.was_loaded());
}

#[test]
fn a_file_must_be_readable_for_a_process_without_rights() {
    if !geteuid().is_root() {
        skip("who is not root has no rights to give up");
        return;
    }
    let telltale = Telltale::new("unreadable");
    set_mode(&telltale.file, 0o700);

    let reason =
        "its process, which has no privileges, cannot read it: Permission denied (os error 13)";
    telltale.place.assert_refused(&telltale.file, reason);
}

#[test]
fn a_relative_path_is_no_configuration() {
    let telltale = Telltale::new("relative");
    telltale.name(Path::new("elsewhere/variant.so"));

    let output = telltale.place.command(&["--foreground"]).output().unwrap();

    let said = crate::loading::place::stderr(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    let problem =
        "`path` must be an absolute path in quotes, found the string \"elsewhere/variant.so\"";
    assert!(said.contains(problem), "{said}");
    assert!(!telltale.was_loaded());
}
