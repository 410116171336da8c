//! Tells whether anything of a library ran.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::loading::place::Place;

/// A module that leaves a file when it is loaded by the daemon itself.
pub(crate) struct Telltale {
    pub(crate) place: Place,
    pub(crate) file: PathBuf,
    marks: TempDir,
}

impl Telltale {
    /// In a directory of the test, named in the configuration.
    pub(crate) fn new(test: &str) -> Self {
        let place = Place::new(&format!("trust-{test}"));
        let marks = tempfile::tempdir().unwrap();
        place.make_directory("elsewhere");
        let mark = format!("mark(\"{}\")", marks.path().join("loaded").display());
        let file = place.build("elsewhere/variant.so", &[("CONSTRUCTOR", &mark)]);
        let telltale = Self { place, file, marks };
        telltale.name(&telltale.file);
        telltale
    }

    pub(crate) fn name(&self, file: &Path) {
        self.place.configure(&format!(
            "[modules.variant]\npath = \"{}\"\nisolation = \"none\"",
            file.display()
        ));
    }

    fn mark(&self) -> PathBuf {
        self.marks.path().join("loaded")
    }

    pub(crate) fn was_loaded(&self) -> bool {
        self.mark().exists()
    }

    /// Makes sure that the file is not to be trusted, for this reason, and that nothing of it ran.
    #[track_caller]
    pub(crate) fn assert_untrusted(&self, file: &Path, reason: &str) {
        let reason = format!("it is not to be trusted: {reason}");
        self.place.assert_refused(file, &reason);
        let mut daemon = self.place.daemon();
        let said = daemon.take_said();
        let expected = format!(
            "error   core: module {} is refused: {reason}",
            file.display()
        );
        let is_told = said.iter().any(|line| line.ends_with(&expected));
        assert!(is_told, "{said:?}");
        assert!(!self.was_loaded());
    }
}
