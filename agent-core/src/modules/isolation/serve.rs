//! The process of a module: gives up its rights, loads the library, and lets the module look at what it is
//! sent.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::Subject;
use super::frame::{Frames, LONGEST_ORDER};
use super::jail;
use super::message::{Created, Greeting, Offer, Order, Told};
use crate::config::Value;
use crate::kernel::Received;
use crate::modules::abi::{CreateError, Exported, Instance, family, linked_in, mapped, open};
use crate::modules::output::ModuleOutput;
use crate::modules::permit::Permit;

/// The name of the process in lists; the kernel keeps 15 bytes.
const NAME: &CStr = c"module-host";

/// The socket that the daemon put in the place of standard input.
#[derive(Clone, Copy)]
struct Daemon;

impl Read for Daemon {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

impl Write for Daemon {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stdin(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Does what the daemon orders, until it closes the socket. `parent` is the daemon's process.
///
/// # Errors
///
/// Returns an error if the daemon says something that makes no sense, or is gone in the middle of a word.
pub fn serve(subject: &Subject, parent: u32) -> io::Result<()> {
    let (mut incoming, mut outgoing) = (Frames::default(), Frames::default());
    let (modules, offer) = match enter(subject, parent) {
        Ok(entered) => entered,
        Err(why) => return outgoing.write(Daemon, &Greeting::Err(why)),
    };
    outgoing.write(Daemon, &Greeting::Ok(offer))?;
    let mut desk = Desk {
        modules,
        instance: None,
        received: Received::default(),
        output: ModuleOutput::default(),
    };
    loop {
        let order = match incoming.read(Daemon, LONGEST_ORDER) {
            Ok(order) => order,
            // The daemon wants no more.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        match order {
            Order::Create {
                module,
                values,
                permit,
                state,
            } => outgoing.write(Daemon, &desk.create(module, &values, permit, state))?,
            Order::Scan(carried) => {
                desk.received.take(&carried);
                outgoing.write(Daemon, &desk.scan()?)?;
            }
        }
    }
}

fn enter(subject: &Subject, parent: u32) -> Result<(Vec<Exported>, Offer), String> {
    // Without a name it is not so easily told from the daemon; that is all.
    let _nameless = rustix::thread::set_name(NAME);
    let confinement = jail::enter(parent, &files(subject), subject.is_trusted())
        .map_err(|error| format!("its process cannot drop its privileges: {error}"))?;
    let before = mapped();
    let modules = match subject.file() {
        Some(path) => {
            // The dynamic linker would not say who cannot read it.
            File::open(path).map_err(|error| {
                format!("its process, which has no privileges, cannot read it: {error}")
            })?;
            open(path).map_err(|refusal| refusal.to_string())?
        }
        None => linked_in(),
    };
    let mut objects = mapped();
    objects.retain(|object| !before.contains(object));
    jail::shut(confinement)
        .map_err(|error| format!("its process cannot enter the sandbox: {error}"))?;
    let descriptions = modules.iter().map(|module| module.description.clone());
    let offer = Offer {
        modules: descriptions.collect(),
        objects,
        confinement,
    };
    Ok((modules, offer))
}

/// The file of the library, and those that it brings in from places of its own.
fn files(subject: &Subject) -> Vec<PathBuf> {
    let Some(path) = subject.file() else {
        return Vec::new();
    };
    match family(&[path.to_owned()]) {
        Ok(handles) => handles.into_iter().map(|(path, _)| path).collect(),
        // A file that cannot be read is told when it is opened.
        Err(_) => vec![path.to_owned()],
    }
}

/// The state of the process, which carries out orders.
struct Desk {
    modules: Vec<Exported>,
    instance: Option<Instance>,
    received: Received,
    output: ModuleOutput,
}

impl Desk {
    fn create(
        &mut self,
        name: &str,
        values: &[(String, Value)],
        permit: Permit,
        state: &[u8],
    ) -> Created {
        let mut modules = self.modules.iter();
        let Some(module) = modules.find(|module| module.description.schema.name == name) else {
            return Created::Broken(format!("it holds no module {name:?}"));
        };
        match Instance::create(module, values, permit, state) {
            Ok(instance) => {
                self.instance = Some(instance);
                Created::Done
            }
            Err(CreateError::Options(problems)) => Created::Options(problems),
            Err(CreateError::Broken(why)) => Created::Broken(why),
        }
    }

    fn scan(&mut self) -> io::Result<Told<'_>> {
        let instance = self.instance.as_mut();
        let instance = instance
            .ok_or_else(|| io::Error::other("a scan was asked for before a module was created"))?;
        self.output.clear();
        let snapshot = self.received.snapshot();
        let verdict = instance.scan(snapshot, &mut self.output);
        Ok(Told::from_output(snapshot.scan, verdict, &self.output))
    }
}
