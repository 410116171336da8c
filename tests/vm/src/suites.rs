//! The suites, one file each, and what they share.

mod benign;
mod boot;
mod checks;
mod corpus;
mod fragmentation;
mod hours;
mod leaks;
mod nodes;
mod odd;
mod oom;
mod pressure;
mod profiled;
mod reboot;
mod short;

use crate::cache::Tree;
use crate::comparison::{self, Arm, Measure};
use crate::files;
use crate::initramfs::Job;
use crate::kernels;
use crate::machine::Machine;
use crate::options::{Options, Suite};
use crate::order::Chance;
use crate::outcome::Outcome;
use crate::problem::Result;
use crate::table::Table;
use crate::tools;
use crate::workshop::Workshop;

/// Runs the suite that was asked for; whether all that it demands holds.
pub(crate) fn run(options: &Options) -> Result<bool> {
    if options.suite == Suite::Short {
        if let Some(why) = lacking() {
            println!("SKIPPED: no real kernel was tried: {why}");
            return Ok(true);
        }
    }
    let bench = Bench {
        workshop: Workshop::open(options.daemon.clone())?,
        options,
    };
    match options.suite {
        Suite::Benign => benign::run(&bench),
        Suite::Boot => boot::run(&bench),
        Suite::Corpus => corpus::run(&bench),
        Suite::Fragmentation => fragmentation::run(&bench),
        Suite::Hours => hours::run(&bench),
        Suite::Leaks => leaks::run(&bench),
        Suite::Nodes => nodes::run(&bench),
        Suite::Odd => odd::run(&bench),
        Suite::Oom => oom::run(&bench),
        Suite::Pressure => pressure::run(&bench),
        Suite::Profiled => profiled::run(&bench),
        Suite::Reboot => reboot::run(&bench),
        Suite::Short => short::run(&bench),
    }
}

/// Why no machine can run here at all, if that is so.
fn lacking() -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return Some("the machines are x86-64, as this one is not".to_owned());
    }
    let missing = tools::missing_packages();
    (!missing.is_empty()).then(|| format!("install {}", missing.join(" ")))
}

/// Where suites let machines run.
#[derive(Debug)]
struct Bench<'a> {
    workshop: Workshop,
    options: &'a Options,
}

/// What a machine is to do.
#[derive(Debug)]
struct Errand<'a> {
    /// The script in `guest`.
    script: &'a str,
    /// Tells its results from those of others.
    name: &'a str,
    /// Configuration of the daemon.
    config: &'a str,
    settings: Vec<(&'a str, String)>,
}

impl Bench<'_> {
    /// The kernel that was asked for.
    fn kernel(&self) -> Result<Tree> {
        self.workshop
            .kernel(self.options.kernel.as_deref().unwrap_or("6.1"))
    }

    /// The kernels that were asked for, all if nothing was said.
    fn kernels(&self) -> Result<Vec<Tree>> {
        let wanted = self.options.kernel.as_deref().unwrap_or("all");
        kernels::all()
            .iter()
            .filter(|kernel| wanted == "all" || wanted == kernel.series)
            .map(|kernel| self.workshop.kernel(kernel.series))
            .collect()
    }

    /// Lets a machine do its errand.
    fn run(&self, machine: &Machine, tree: &Tree, errand: &Errand<'_>) -> Result<Outcome> {
        let trace = self.options.trace.is_some();
        let settings = errand
            .settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let job = Job {
            script: errand.script,
            settings: settings
                .chain([("TRACE".to_owned(), u8::from(trace).to_string())])
                .collect(),
            config: errand.config.to_owned(),
            extra: self.options.config.clone(),
        };
        let suite = errand.script.trim_end_matches(".sh");
        let name = format!(
            "{}-{}",
            tree.kernel.series,
            errand.name.replace([' ', ','], "-")
        );
        let results = self.workshop.target.join("results").join(suite).join(&name);
        let run = || machine.run(&self.workshop, tree, &job, &results);
        let outcome = match run()? {
            // Of some sixty boots one was seen to hang in the emulator, without a line on the console.
            outcome if outcome.has_hung() => {
                println!(
                    "  {suite} {name}: hung without a word on its console, and is tried again"
                );
                run()?
            }
            outcome => outcome,
        };
        let outcome = outcome.whole()?;
        if let Some(directory) = &self.options.trace {
            let to = directory.join(format!("{suite}-{name}.jsonl.zst"));
            files::copy(&outcome.files.join("trace.jsonl.zst"), &to)?;
        }
        println!("  {suite} {name}: {:.0} s", outcome.wall.as_secs_f64());
        Ok(outcome)
    }

    /// Runs each arm as often as was asked for, in an order of chance, and sets the numbers side by side.
    fn compare(
        &self,
        arms: &[Arm],
        measure: impl Fn(Arm, &str) -> Result<Vec<Measure>>,
    ) -> Result<Table> {
        let mut chance = Chance::new(self.options.seed);
        let mut runs = Vec::new();
        for round in 1..=self.options.runs {
            for arm in chance.shuffled(arms) {
                if self.options.wants(arm.name) {
                    runs.push((arm, measure(arm, &format!("{round}-{}", arm.name))?));
                }
            }
        }
        Ok(comparison::table(arms, &runs))
    }

    /// Says under what conditions the numbers of a table were taken.
    fn print_comparison(&self, tree: &Tree, machine: &Machine, table: &Table) {
        println!(
            "\nKernel {}, {machine}, {} runs of each arm, seed {}{}: sum (median; least to most) = share of the \
             first column; median (least to most) where a sum means nothing.\n\n{table}",
            tree.kernel.release(),
            self.options.runs,
            self.options.seed,
            if self.options.quick { ", quick" } else { "" },
        );
    }

    /// A machine of the size that was asked for.
    fn machine(&self) -> Machine {
        Machine::of_nodes(self.options.nodes, self.options.node_mib)
    }

    /// `long`, or `short` if it is to be quick.
    fn secs(&self, long: u32, short: u32) -> u32 {
        if self.options.quick { short } else { long }
    }
}

/// A setting of a job.
fn set(name: &'static str, value: impl std::fmt::Display) -> (&'static str, String) {
    (name, value.to_string())
}
