//! Libraries that a module brings in: they are in the daemon as much as the module is.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::cc;
use crate::loading::place::{Place, set_mode, stderr};
use crate::skip::skip;

/// A module that needs `libhelp.so`, and that library, whose constructor leaves a mark if it may write.
struct Bringing {
    place: Place,
    marks: TempDir,
    library: PathBuf,
}

impl Bringing {
    /// The library is in `libraries`; the module has it looked for in `runpath`, where `LIBRARIES` stands for that.
    fn new(test: &str, runpath: &str) -> Self {
        Self::linked(test, |libraries| {
            let runpath = runpath.replace("LIBRARIES", cc::shown(libraries));
            vec![format!("-Wl,-rpath,{runpath}")]
        })
    }

    fn linked(test: &str, arguments: impl Fn(&Path) -> Vec<String>) -> Self {
        let place = Place::new(&format!("runpath-{test}"));
        let marks = tempfile::tempdir().unwrap();
        let libraries = place.make_directory("libraries");
        let library = libraries.join("libhelp.so");
        let mark = format!("-DMARK={}", marks.path().join("ran").display());
        let source = "-DHELP";
        build_library(&place, &library, &[source, &mark]);
        let search = format!("-L{}", libraries.display());
        let arguments = arguments(&libraries);
        let mut all = vec![
            "-DCONSTRUCTOR=help()",
            "-DHELPED",
            &search,
            "-Wl,--no-as-needed",
        ];
        all.push("-lhelp");
        all.extend(arguments.iter().map(String::as_str));
        place.compile("variants.c", "modules/variant.so", &all);
        Self {
            place,
            marks,
            library,
        }
    }

    fn module(&self) -> PathBuf {
        self.place.path("modules/variant.so")
    }

    fn libraries(&self) -> PathBuf {
        self.place.path("libraries")
    }

    fn library_ran(&self) -> bool {
        self.marks.path().join("ran").exists()
    }

    /// The module is refused with these words, wherever it would run; and nothing of the library ran in the daemon.
    #[track_caller]
    fn assert_refused(&self, reason: &str) {
        for isolation in ["none", "process"] {
            self.place
                .configure(&format!("[modules.variant]\nisolation = \"{isolation}\""));

            let refused = self.place.refused();

            let file = self.module().display().to_string();
            assert_eq!(refused, [(file, reason.to_owned())], "{isolation}");
            let mut daemon = self.place.daemon();
            let expected = format!("is refused: {reason}");
            let said = daemon.take_said();
            assert!(
                said.iter().any(|line| line.ends_with(&expected)),
                "{said:?}"
            );
            assert!(!self.library_ran());
        }
    }
}

/// Lets everybody write to a directory; returns what is then wrong with it.
fn writable(path: &Path) -> String {
    set_mode(path, 0o777);
    format!(
        "{} can be written by others than its owner (mode 0777): chmod go-w",
        path.display()
    )
}

fn build_library(place: &Place, path: &Path, arguments: &[&str]) {
    let name = path.strip_prefix(place.path("")).unwrap();
    place.compile("help.c", cc::shown(name), arguments);
}

#[test]
fn a_library_beside_a_module_that_nobody_else_can_write_to_is_brought_in() {
    for (test, runpath) in [("plain", "LIBRARIES"), ("origin", "$ORIGIN/../libraries")] {
        let bringing = Bringing::new(test, runpath);

        assert_eq!(bringing.place.refused(), []);
        assert_eq!(bringing.place.loaded(), ["variant"]);
        bringing.place.daemon().terminate();
        assert!(bringing.library_ran());
    }
}

#[test]
fn a_module_whose_runpath_others_can_write_to_is_not_loaded() {
    for (test, runpath) in [
        ("writable", "LIBRARIES"),
        ("writable-origin", "$ORIGIN/../libraries"),
        ("writable-last", "/usr/lib:LIBRARIES"),
    ] {
        let bringing = Bringing::new(test, runpath);
        let why = writable(&bringing.libraries());

        let place = runpath.rsplit(':').next().unwrap();
        let place = place.replace("LIBRARIES", cc::shown(&bringing.libraries()));
        bringing.assert_refused(&format!(
            "libraries are looked for in {place:?}, by the RUNPATH or RPATH of {}, which is not to be trusted: {why}",
            bringing.module().display()
        ));
    }
}

#[test]
fn an_rpath_is_no_better() {
    let bringing = Bringing::linked("rpath", |libraries| {
        vec![
            "-Wl,--disable-new-dtags".to_owned(),
            format!("-Wl,-rpath,{}", libraries.display()),
        ]
    });
    let why = writable(&bringing.libraries());

    bringing.assert_refused(&format!(
        "libraries are looked for in {:?}, by the RUNPATH or RPATH of {}, which is not to be trusted: {why}",
        cc::shown(&bringing.libraries()),
        bringing.module().display()
    ));
}

#[test]
fn a_runpath_of_a_builder_that_is_not_there_is_refused_where_others_could_make_it() {
    let bringing = Bringing::new("builder", "LIBRARIES:LIBRARIES/../open/build/lib");
    let open = bringing.place.make_directory("open");
    let why = writable(&open);

    let place = bringing.libraries().join("../open/build/lib");
    bringing.assert_refused(&format!(
        "libraries are looked for in {place:?}, by the RUNPATH or RPATH of {}, which is not to be trusted: {why}",
        bringing.module().display()
    ));
}

#[test]
fn a_library_of_somebody_else_is_not_brought_in() {
    if !geteuid().is_root() {
        skip("only root can give files away");
        return;
    }
    let bringing = Bringing::new("owner", "LIBRARIES");
    chown(&bringing.library, Some(1234), None).unwrap();

    let library = bringing.library.display();
    bringing.assert_refused(&format!(
        "it brings in {library}, which is not to be trusted: {library} belongs to user 1234: chown it to root"
    ));
}

/// The dynamic linker looks there first. This processor may have less than it asks for: nothing is taken that only some
/// machine would refuse.
#[test]
fn a_library_of_somebody_else_for_better_processors_is_not_brought_in() {
    if !geteuid().is_root() {
        skip("only root can give files away");
        return;
    }
    for (test, below) in [
        ("hwcaps", "glibc-hwcaps/x86-64-v2"),
        ("hwcaps-of-later", "glibc-hwcaps/x86-64-v9"),
        ("before-hwcaps", "tls/haswell"),
    ] {
        let bringing = Bringing::new(test, "LIBRARIES");
        let directory = bringing.place.make_directory(&format!("libraries/{below}"));
        fs::copy(&bringing.library, directory.join("libhelp.so")).unwrap();
        assert_eq!(bringing.place.loaded(), ["variant"]);
        chown(&directory, Some(1234), None).unwrap();

        let (place, directory) = (bringing.libraries(), directory.display());
        // Which of both is seen first does not matter.
        let reason = bringing.place.refused().remove(0).1;
        assert!(
            reason.ends_with(&format!(
                "{directory} belongs to user 1234: chown it to root"
            )),
            "{reason}"
        );
        bringing.assert_refused(&reason);
        assert!(reason.contains(cc::shown(&place)), "{reason}");
    }
}

#[test]
fn a_link_to_a_library_leads_to_where_others_cannot_write() {
    let bringing = Bringing::new("link", "LIBRARIES");
    let elsewhere = bringing.place.make_directory("elsewhere");
    fs::rename(&bringing.library, elsewhere.join("libhelp.so.1")).unwrap();
    symlink("../elsewhere/libhelp.so.1", &bringing.library).unwrap();
    let loaded = bringing.place.loaded();
    let why = writable(&elsewhere);

    assert_eq!(loaded, ["variant"]);
    bringing.assert_refused(&format!(
        "it brings in {}, which is not to be trusted: {why}",
        bringing.library.display()
    ));
}

/// The module itself names no place; the library that it brings in does.
#[test]
fn a_library_that_brings_in_another_is_looked_through_too() {
    let bringing = Bringing::new("chain", "LIBRARIES");
    let open = bringing.place.make_directory("open");
    let more = open.join("libmore.so");
    build_library(&bringing.place, &more, &["-DMORE"]);
    let search = format!("-L{}", open.display());
    let runpath = format!("-Wl,-rpath,{}", open.display());
    build_library(
        &bringing.place,
        &bringing.library,
        &["-DHELP", &search, "-Wl,--no-as-needed", "-lmore", &runpath],
    );
    let why = writable(&open);

    bringing.assert_refused(&format!(
        "libraries are looked for in {:?}, by the RUNPATH or RPATH of {}, which is not to be trusted: {why}",
        cc::shown(&open),
        bringing.library.display()
    ));
}

#[test]
fn a_library_that_is_needed_by_its_path_is_checked() {
    // Without a name of its own, a library is needed by the path by which it was linked.
    let bringing = Bringing::linked("path", |_| Vec::new());
    let open = bringing.place.make_directory("open");
    let library = open.join("help.so");
    build_library(&bringing.place, &library, &["-DHELP"]);
    bringing.place.compile(
        "variants.c",
        "modules/variant.so",
        &[
            "-DCONSTRUCTOR=help()",
            "-DHELPED",
            "-Wl,--no-as-needed",
            cc::shown(&library),
        ],
    );
    let loaded = bringing.place.loaded();
    let why = writable(&open);

    assert_eq!(loaded, ["variant"]);
    bringing.assert_refused(&format!(
        "it brings in {}, which is not to be trusted: {why}",
        library.display()
    ));
}

/// A library that the constructor of a module loads is named by nothing in its file.
#[test]
fn a_library_that_a_constructor_loads_is_checked() {
    let place = Place::new("runpath-dlopen");
    let library = place.make_directory("open").join("libhelp.so");
    // In a directory of all programs, as only there a constructor can load one while it is looked into.
    if !geteuid().is_root() {
        skip("only root can put a library among those of the system");
        return;
    }
    build_library(&place, &library, &["-DHELP"]);
    let system = tempfile::Builder::new()
        .prefix("adaptivemmd-test-")
        .tempdir_in("/usr/local/lib")
        .unwrap();
    let copy = system.path().join("libhelp.so");
    fs::copy(&library, &copy).unwrap();
    set_mode(system.path(), 0o777);
    let load = format!("-DCONSTRUCTOR=dlopen(\"{}\",2)", copy.display());
    place.compile("variants.c", "modules/variant.so", &["-DLOADS", &load]);

    let refused = place.refused();

    // Debian lets the group "staff" write to /usr/local/lib.
    let reason = &refused[0].1;
    let expected = format!(
        "it brings in {}, which is not to be trusted: ",
        copy.display()
    );
    assert!(reason.starts_with(&expected), "{reason}");
}

#[test]
fn a_library_that_the_environment_of_the_daemon_brings_in_is_checked() {
    let bringing = Bringing::new("environment", "LIBRARIES");
    let open = bringing.place.make_directory("open");
    let other = open.join("libhelp.so");
    build_library(&bringing.place, &other, &["-DHELP"]);
    let why = writable(&open);

    let output = bringing
        .place
        .command(&["modules"])
        .env("LD_LIBRARY_PATH", &open)
        .output()
        .unwrap();

    let said = String::from_utf8(output.stdout.clone()).unwrap() + &stderr(&output);
    let expected = format!(
        "it brings in {}, which is not to be trusted: {why}",
        other.display()
    );
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn module_test_warns_of_a_runpath() {
    let bringing = Bringing::new("module-test", "$ORIGIN/../libraries");
    let module = bringing.module();

    let output = Command::new(env!("CARGO_BIN_EXE_adaptivemm-module-test"))
        .arg(&module)
        .output()
        .unwrap();

    let said = String::from_utf8(output.stdout).unwrap();
    let warns = said
        .lines()
        .any(|line| line.contains("has a RUNPATH or RPATH, \"$ORIGIN/../libraries\""));
    assert!(warns, "{said}");
}
