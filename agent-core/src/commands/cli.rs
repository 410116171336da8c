//! What can be typed on the command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::config::{CommandLine, Sources};
use crate::kernel::Root;

/// Watches the memory of this machine: finds kernel memory leaks, and hosts modules.
///
/// Without a command it is the daemon. It goes into the background unless -d, -s, --foreground or
/// --once is given, or systemd started it.
#[derive(Debug, Parser)]
#[command(name = "adaptivemmd", version, disable_help_subcommand = true)]
#[command(
    after_help = "Exit status: 0 done; 1 failed, or the answer is no; 2 usage; 3 no daemon runs; 78 the configuration is wrong."
)]
pub struct Cli {
    /// Where to read.
    #[command(flatten)]
    pub place: Place,
    /// How to run.
    #[command(flatten)]
    pub daemon: Daemon,
    /// What to do instead.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of the daemon and of every command.
#[derive(Debug, Args)]
pub struct Place {
    /// Read exactly this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1
    #[arg(short = 'c', long = "config", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Read the machine, and its configuration, below DIR instead of /
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// Say more; repeat for still more, up to 5 times (2: what each module sees, every scan)
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// Options of the daemon.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are switches that are typed, not state"
)]
pub struct Daemon {
    /// Stay in the foreground and log to the terminal
    #[arg(short = 'd', long = "debug")]
    pub debug: bool,
    /// Stay in the foreground
    #[arg(long)]
    pub foreground: bool,
    /// Simulate: stay in the foreground, say what is seen, write nothing
    #[arg(short = 's', long = "simulate")]
    pub simulate: bool,
    /// How early and how strongly to act: 1 low, 2 normal, 3 high
    #[arg(short = 'a', long, value_name = "1..3", value_parser = clap::value_parser!(i64).range(1..=3))]
    pub aggressiveness: Option<i64>,
    /// Largest gap between the low and the high watermark, in GiB
    #[arg(short = 'm', long, value_name = "GiB")]
    pub max_gap: Option<u64>,
    /// Scan once and end
    #[arg(long)]
    pub once: bool,
    /// With --once: print what was seen as one JSON object
    #[arg(long, requires = "once")]
    pub json: bool,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the modules, and what can be chosen about each
    Modules {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Judge the configuration: exit status 0 if the daemon would start with it, else 78
    CheckConfig(CheckConfig),
    /// Print what is seen now as one JSON object
    Snapshot,
    /// Record this machine into a trace
    Record(Record),
    /// Print what the daemon would have logged on a recorded machine
    Replay(Replay),
    /// Explain a decision: why, what was seen, what was changed, and what happened afterwards
    Explain(Explain),
    /// List the incidents that are kept, show one, or export one
    Incidents {
        /// What to do [default: list]
        #[command(subcommand)]
        what: Option<Incidents>,
    },
    /// Say how things stand: what the daemon sees, what it did last and why, how each module does
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Do not look who holds memory now, as is done for root while an incident is open
        #[arg(long)]
        stored: bool,
    },
    /// Say what this machine and this configuration can do and cannot, and why: exit status 0 if all is well, else 1
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the numbers of the daemon and its modules for Prometheus
    Metrics {
        /// Write them to FILE in one step, for the textfile collector of `node_exporter`
        #[arg(long, value_name = "FILE")]
        textfile: Option<PathBuf>,
    },
    /// Give back what was changed: by the daemon that runs, which leaves it alone then, or by one that died
    Restore,
    /// Have the daemon read its configuration again
    Reload,
    /// Have the daemon change tunables again that somebody else has changed
    Resume {
        /// As sysctl names it [default: all of them]
        #[arg(value_name = "TUNABLE")]
        tunable: Option<String>,
    },
    /// Host modules; the daemon starts this itself
    #[command(hide = true)]
    ModuleHost(ModuleHost),
}

/// Options of `check-config`.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// Print all settings, each with its origin
    #[arg(long)]
    pub show: bool,
    /// Print the configuration file of adaptivemm 2.1 as TOML
    #[arg(long, conflicts_with = "show")]
    pub convert: bool,
    /// Judge FILE as if it were installed in /etc/adaptivemmd/adaptivemmd.toml.d
    #[arg(long, value_name = "FILE")]
    pub drop_in: Option<PathBuf>,
}

/// Options of `record`.
#[derive(Debug, Args)]
pub struct Record {
    /// The trace to write, compressed if it ends in .zst; - for standard output
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// Milliseconds between two frames, from 100 [default: the period of the daemon]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub period_ms: Option<u64>,
    /// End after so many frames [default: when interrupted]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,
    /// A word on what is recorded, kept in the trace
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// The trace: JSON lines, compressed with zstd or not
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// Print one JSON object per finding, request, action, follow-up and set of metrics
    #[arg(long)]
    pub json: bool,
    /// Run this module and no other, whether or not it is enabled; may be given several times
    #[arg(long = "module", value_name = "NAME")]
    pub modules: Vec<String>,
    /// Print nothing but the explanation of this decision
    #[arg(long, value_name = "ID", conflicts_with = "json")]
    pub explain: Option<u64>,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The number of the decision, as in the log [default: list the last ones]
    #[arg(value_name = "ID", value_parser = decision_number)]
    pub id: Option<u64>,
    /// Print the records as JSON lines
    #[arg(long)]
    pub json: bool,
}

fn decision_number(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "the number of a decision is expected, as 17 of `[decision 17]` in the log")
}

/// What can be done with incidents.
#[derive(Debug, Subcommand)]
pub enum Incidents {
    /// List all incidents, the newest last
    List {
        /// Print one JSON object per incident and line
        #[arg(long)]
        json: bool,
    },
    /// Show an incident: what grew, since when, how fast, and what explains it
    Show(ShowIncident),
    /// Write an incident with its evidence into one file
    Export(ExportIncident),
}

/// Options of `incidents show`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct ShowIncident {
    /// The incident, or the beginning of its name if no other begins so [default: the newest]
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Print a page for a browser, all in one file
    #[arg(long, conflicts_with = "json")]
    pub html: bool,
    /// Print the record as JSON
    #[arg(long)]
    pub json: bool,
    /// Leave out the names of the host, of processes and of control groups
    #[arg(long)]
    pub redact: bool,
    /// The key of the site, at least 16 random bytes: what is redacted with one key can be joined [default: a random one]
    #[arg(long, value_name = "FILE", requires = "redact")]
    pub key_file: Option<PathBuf>,
    /// Show what is stored, and do not look who holds the memory now, as is done for root while an incident is open
    #[arg(long)]
    pub stored: bool,
}

/// Options of `incidents export`.
#[derive(Debug, Args)]
pub struct ExportIncident {
    /// The incident, or the beginning of its name if no other begins so
    #[arg(value_name = "ID")]
    pub id: String,
    /// The file to write, a tar compressed with zstd; - for standard output
    #[arg(value_name = "FILE.tar.zst")]
    pub file: PathBuf,
    /// Leave out the names of the host, of processes and of control groups, and evidence that is full of them
    #[arg(long)]
    pub redact: bool,
    /// The key of the site, at least 16 random bytes: what is redacted with one key can be joined [default: a random one]
    #[arg(long, value_name = "FILE", requires = "redact")]
    pub key_file: Option<PathBuf>,
    /// Replace the file if it is there already
    #[arg(long)]
    pub force: bool,
}

/// Options of `module-host`.
#[derive(Debug, Args)]
pub struct ModuleHost {
    /// The process number of the daemon
    #[arg(long, value_name = "PID")]
    pub parent: u32,
    /// Only look into a file that is to run in the daemon, also where no module can be isolated
    #[arg(long, requires = "file")]
    pub trusted: bool,
    /// The shared object to load [default: the modules that are linked in]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

impl Place {
    /// The machine to read.
    #[must_use]
    pub fn root(&self) -> Root {
        Root::Directory(self.directory())
    }

    fn directory(&self) -> PathBuf {
        self.root.clone().unwrap_or_else(|| PathBuf::from("/"))
    }

    /// Where the configuration is.
    #[must_use]
    pub fn sources(&self) -> Sources {
        Sources {
            root: self.directory(),
            file: self.config.clone(),
            drop_in: None,
            command_line: CommandLine {
                verbosity: (self.verbose > 0).then_some(self.verbose),
                ..CommandLine::default()
            },
        }
    }
}

impl Cli {
    /// Finds the configuration and the machine also from another directory: a daemon leaves the one that
    /// it was started in.
    #[must_use]
    pub fn with_absolute_paths(mut self) -> Self {
        let place = &mut self.place;
        for path in [&mut place.config, &mut place.root].into_iter().flatten() {
            // Without a current directory there are no relative paths that could be meant.
            if let Ok(absolute) = std::path::absolute(&*path) {
                *path = absolute;
            }
        }
        self
    }

    /// The machine to read.
    #[must_use]
    pub fn root(&self) -> Root {
        self.place.root()
    }

    /// Where the configuration is.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let mut sources = self.place.sources();
        sources.command_line.aggressiveness = self.daemon.aggressiveness;
        sources.command_line.max_gap_gib = self.daemon.max_gap;
        sources
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_flags_of_the_predecessor_are_understood() {
        let cli =
            Cli::try_parse_from(["adaptivemmd", "-d", "-vv", "-s", "-a", "3", "-m", "5"]).unwrap();

        let command_line = CommandLine {
            verbosity: Some(2),
            aggressiveness: Some(3),
            max_gap_gib: Some(5),
        };
        assert_eq!(cli.sources().command_line, command_line);
        assert!(cli.daemon.debug && cli.daemon.simulate);
    }
}
