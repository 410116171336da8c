//! All modules that this daemon can run: those that are linked in, and those in files.
//!
//! A file is described by a process of its own before the daemon maps it, if it ever does: one that crashes
//! when it is loaded, or that is not to run here, never gets into the daemon.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adaptivemm_module_api::linked;

use super::library::Exported;
use super::{Description, Origin, RefusedModule, Registration, library, trust};
use crate::config::{Isolation, Placement, Placements};
use crate::isolation::{Process, Program, Subject};

/// The modules that can be run, and what there is to say about those that cannot.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// By name.
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
        // All at once: each takes some milliseconds, most of it in the dynamic linker.
        let started: Vec<_> = candidates
            .into_iter()
            .map(|candidate| {
                let look = Look::begin(&candidate.path, program);
                (candidate, look)
            })
            .collect();
        for (candidate, look) in started {
            let path = candidate.path.display();
            match look.and_then(Look::end) {
                Err(why) => self.refuse(&path.to_string(), &why),
                Ok((modules, is_replaced)) => {
                    if is_replaced {
                        self.notes.push(format!(
                            "{path} was replaced since it was loaded; what it holds now is used once the \
                             daemon is started anew"
                        ));
                    }
                    self.file(&candidate, modules, placements, program);
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
                    &format!("the module directory cannot be read: {error}"),
                );
            }
        }
        candidates
    }

    /// Takes in the modules of a file.
    fn file(
        &mut self,
        candidate: &Candidate<'_>,
        modules: Vec<Description>,
        placements: &Placements,
        program: &Program,
    ) {
        let path = &candidate.path;
        let modules = match candidate.placement {
            None => modules,
            Some(placement) => {
                let names: Vec<&str> = modules
                    .iter()
                    .map(|module| module.schema.name.as_str())
                    .collect();
                if !names.contains(&placement.name.as_str()) {
                    let why = format!(
                        "it does not hold the module {}, but {}",
                        placement.name,
                        names.join(", ")
                    );
                    return self.refuse(&path.display().to_string(), &why);
                }
                let is_it = |module: &Description| module.schema.name == placement.name;
                modules.into_iter().filter(is_it).collect()
            }
        };
        for description in modules {
            let usual = match candidate.placement {
                Some(_) if !is_below(path, &placements.module_dir) => Isolation::Process,
                Some(_) | None => Isolation::None,
            };
            let placement = |placement: &&Placement| placement.name == description.schema.name;
            let set = placements
                .modules
                .iter()
                .find(placement)
                .and_then(|placement| placement.isolation);
            if description.panic_aborts && set.unwrap_or(usual) == Isolation::None {
                let why = "it was built with panic=abort, so that a panic in it would end the daemon: \
                           build it anew, or set isolation = \"process\"";
                self.refuse(
                    &format!("{} of {}", description.schema.name, path.display()),
                    why,
                );
                continue;
            }
            self.add(Registration {
                description,
                origin: Origin::File(path.clone()),
                isolation: usual,
                program: program.clone(),
                calls: None,
            });
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
                "module {} of {} is not used, as one of this name is linked in",
                module.name(),
                path.display()
            )),
            (Some(other), _) => {
                let why = format!("{other} holds a module of the same name, which is used");
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

/// A look into a file.
enum Look {
    /// A process loads it.
    Begun(Process),
    /// This process has loaded it before; and whether it was replaced since.
    Known(Vec<Description>, bool),
}

impl Look {
    /// Checks a file, and lets a process load it.
    fn begin(path: &Path, program: &Program) -> Result<Self, String> {
        let path = trust::check(path)
            .map_err(|distrust| format!("it is not to be trusted: {distrust}"))?;
        if let Some((modules, is_replaced)) = library::opened(&path) {
            return Ok(Self::Known(modules, is_replaced));
        }
        Process::start(program, &Subject::File(path), Arc::default())
            .map(Self::Begun)
            .map_err(|error| format!("no process can be started to look into it: {error}"))
    }

    fn end(self) -> Result<(Vec<Description>, bool), String> {
        match self {
            Self::Known(modules, is_replaced) => Ok((modules, is_replaced)),
            Self::Begun(mut process) => {
                let modules = process.greeting()?;
                process.end().map(|()| (modules, false))
            }
        }
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

fn is_below(path: &Path, directory: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    path.parent()
        .is_some_and(|parent| real(parent) == real(directory))
}
