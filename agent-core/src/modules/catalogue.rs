//! All modules that this daemon can run: those that are linked in, and those in files.

mod look;
mod registration;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use adaptivemm_module_api::linked;

use crate::config::{Isolation, Placement, Placements};
use crate::modules::abi::{Description, Exported};
use crate::modules::isolation::{Confinement, Program};
use look::{Found, Look, Seen};
pub use registration::{Origin, RefusedModule, Registration};

/// The number of files that are inspected at the same time. Each takes a process and two descriptors.
const AT_ONCE: usize = 64;

/// The modules that can be run, and what there is to say about those that cannot.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// All modules, sorted by name.
    pub modules: Vec<Registration>,
    /// Modules and files that cannot be run.
    pub refused: Vec<RefusedModule>,
    /// Files that are not used, although nothing is wrong with them: in a sentence each.
    pub notes: Vec<String>,
}

/// A file that should hold modules.
struct Candidate<'a> {
    path: PathBuf,
    /// The module that it was named for; none for a file of the module directory.
    placement: Option<&'a Placement>,
}

/// The modules that are linked into this program, by name; and those that cannot be run.
#[must_use]
pub fn registrations() -> (Vec<Registration>, Vec<RefusedModule>) {
    let catalogue = Catalogue::linked_in(&Program::this());
    (catalogue.modules, catalogue.refused)
}

impl Catalogue {
    /// The modules that are linked into this program.
    #[must_use]
    pub fn linked_in(program: &Program) -> Self {
        let mut catalogue = Self::default();
        for declaration in linked() {
            match Exported::of(declaration) {
                Ok(module) => catalogue.add(Registration {
                    description: module.description,
                    origin: Origin::LinkedIn,
                    isolation: Isolation::None,
                    program: program.clone(),
                    file: None,
                    objects: Vec::new(),
                    calls: Some(module.calls),
                }),
                Err(refusal) => catalogue.refuse("linked in", &refusal.to_string()),
            }
        }
        catalogue.sort();
        catalogue
    }

    /// All modules: linked in, in the files that the configuration names, in the module directory. Of equal
    /// names the first counts.
    #[must_use]
    pub fn gather(placements: &Placements, program: &Program) -> Self {
        Self::linked_in(program).with_files(placements, program)
    }

    /// Adds the modules of files to those that there are.
    #[must_use]
    pub fn with_files(mut self, placements: &Placements, program: &Program) -> Self {
        let candidates = self.candidates(placements);
        // Many at once: each takes some milliseconds, most of it in the dynamic linker.
        for candidates in candidates.chunks(AT_ONCE) {
            let looks: Vec<_> = candidates
                .iter()
                .map(|candidate| {
                    Look::begin(&candidate.path, program, candidate.runs_here(placements))
                })
                .collect();
            for (candidate, look) in candidates.iter().zip(looks) {
                match look {
                    Err(why) => self.refuse(&candidate.path.display().to_string(), &why),
                    Ok(look) => {
                        let seen = look.end();
                        self.note_lacks(&seen);
                        self.file(candidate, &seen, placements, program);
                    }
                }
            }
        }
        self.sort();
        self
    }

    fn candidates<'a>(&mut self, placements: &'a Placements) -> Vec<Candidate<'a>> {
        let named = placements.modules.iter().filter_map(|placement| {
            let path = placement.path.clone()?;
            Some(Candidate {
                path,
                placement: Some(placement),
            })
        });
        let mut candidates: Vec<Candidate<'_>> = named.collect();
        match shared_objects(&placements.module_dir) {
            Ok(paths) => {
                let placement = None;
                candidates.extend(paths.into_iter().map(|path| Candidate { path, placement }));
            }
            // A machine need not have any.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let directory = placements.module_dir.display().to_string();
                self.refuse(
                    &directory,
                    &format!("cannot read the module directory: {error}"),
                );
            }
        }
        candidates
    }

    /// Takes in the modules of a file: those that run in this process as they were when it was loaded, those
    /// that run apart as they are now.
    fn file(
        &mut self,
        candidate: &Candidate<'_>,
        seen: &Seen,
        placements: &Placements,
        program: &Program,
    ) {
        let path = &candidate.path;
        let shown = path.display().to_string();
        if let Err(why) = &seen.now {
            self.refuse(&shown, why);
        }
        let usual = candidate.usual_isolation(&placements.module_dir);
        let now = seen.now.as_ref().ok();
        let here = seen.loaded.as_ref().or(now);
        let mut modules: Vec<(&Description, &Found, Isolation)> = Vec::new();
        let there = [(here, Isolation::None), (now, Isolation::Process)];
        for (found, isolation) in there {
            let Some(found) = found else { continue };
            for module in &found.modules {
                let set = placements
                    .find(&module.schema.name)
                    .and_then(|placement| placement.isolation);
                if set.unwrap_or(usual) == isolation && candidate.is_for(module, placements) {
                    modules.push((module, found, isolation));
                }
            }
        }
        if let (Some(placement), Some(now), []) = (candidate.placement, now, modules.as_slice()) {
            let names = now.modules.iter().map(|module| module.schema.name.as_str());
            let names: Vec<&str> = names.collect();
            let why = format!(
                "it does not hold the module {}, only {}",
                placement.name,
                names.join(", ")
            );
            self.refuse(&shown, &why);
        }
        let mut isolations = modules.iter().map(|(_, _, isolation)| *isolation);
        if seen.is_replaced() && isolations.any(|isolation| isolation == Isolation::None) {
            self.notes.push(format!(
                "{shown} was replaced since it was loaded; what it holds now is used once the daemon is started \
                 anew"
            ));
        }
        for (description, found, isolation) in modules {
            if description.panic_aborts && isolation == Isolation::None {
                let why = "it was built with panic=abort, so that a panic in it would end the daemon: \
                           build it anew, or set isolation = \"process\"";
                self.refuse(&format!("{} of {shown}", description.schema.name), why);
                continue;
            }
            self.add(Registration {
                description: description.clone(),
                origin: Origin::File(path.clone()),
                isolation: usual,
                program: program.clone(),
                file: found.file,
                objects: found.objects.clone(),
                calls: None,
            });
        }
    }

    /// Says what the kernel cannot do for modules in files, once for all of them.
    fn note_lacks(&mut self, seen: &Seen) {
        let confinement = seen.now.as_ref().ok().and_then(|now| now.confinement);
        for lack in confinement.map(Confinement::lacks).unwrap_or_default() {
            if !self.notes.iter().any(|note| note == lack) {
                self.notes.push(lack.to_owned());
            }
        }
    }

    /// Takes in a module, unless there is one of its name.
    fn add(&mut self, module: Registration) {
        let other = self
            .modules
            .iter()
            .find(|other| other.name() == module.name());
        match (other.map(|other| &other.origin), &module.origin) {
            (None, _) => self.modules.push(module),
            (Some(Origin::LinkedIn), Origin::File(path)) => self.notes.push(format!(
                "module {} of {} is ignored: a module of this name is linked in",
                module.name(),
                path.display()
            )),
            (Some(other), _) => {
                let why = format!("the module of the same name in {other} is used");
                let subject = format!("{} of {}", module.name(), module.origin);
                self.refuse(&subject, &why);
            }
        }
    }

    fn refuse(&mut self, subject: &str, reason: &str) {
        self.refused.push(RefusedModule {
            subject: subject.to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn sort(&mut self) {
        self.modules.sort_by(|a, b| a.name().cmp(b.name()));
    }
}

impl Candidate<'_> {
    /// Returns where its modules run, unless the configuration says otherwise.
    fn usual_isolation(&self, module_dir: &Path) -> Isolation {
        let is_installed =
            self.placement.is_none() || self.path.parent().map(real) == Some(real(module_dir));
        if is_installed {
            Isolation::None
        } else {
            Isolation::Process
        }
    }

    /// Returns true if its modules run in the daemon, as far as that can be known before the file is inspected.
    fn runs_here(&self, placements: &Placements) -> bool {
        let set = self.placement.and_then(|placement| placement.isolation);
        set.unwrap_or_else(|| self.usual_isolation(&placements.module_dir)) == Isolation::None
            && !placements.modules.iter().any(|placement| {
                placement.path.is_none() && placement.isolation == Some(Isolation::Process)
            })
    }

    /// Returns true if it is for this module that the file is inspected. One that was named is not looked for again
    /// when its file is found in the module directory.
    fn is_for(&self, module: &Description, placements: &Placements) -> bool {
        let name = &module.schema.name;
        if let Some(placement) = self.placement {
            return placement.name == *name;
        }
        let named = placements
            .find(name)
            .and_then(|placement| placement.path.as_deref());
        named.is_none_or(|path| real(path) != real(&self.path))
    }
}

/// The files of the module directory, by name.
fn shared_objects(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let bytes = name.as_encoded_bytes();
        if bytes.ends_with(b".so") && !bytes.starts_with(b".") {
            paths.push(directory.join(name));
        }
    }
    paths.sort();
    Ok(paths)
}

/// The path without links, as far as that can be found out.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
