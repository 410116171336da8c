//! The command line: options, commands and their help.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::config::{CommandLine, Sources};
use crate::kernel::Root;

/// Watch the memory of this machine: find kernel memory leaks, and run modules.
///
/// Without a command it runs as the daemon. It goes into the background unless -d, -s, --foreground or
/// --once is given, or systemd started it.
#[derive(Debug, Parser)]
#[command(name = "adaptivemmd", version, disable_help_subcommand = true)]
#[command(
    after_help = "Exit status: 0 done; 1 failed, or the answer is no; 2 wrong usage; 3 the daemon is not running; 78 wrong configuration."
)]
pub struct Cli {
    /// The configuration and the machine to read.
    #[command(flatten)]
    pub place: Place,
    /// The options of the daemon.
    #[command(flatten)]
    pub daemon: Daemon,
    /// The command to run instead of the daemon.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of the daemon and of every command.
#[derive(Debug, Args)]
pub struct Place {
    /// Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1
    #[arg(short = 'c', long = "config", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Read the machine, and its configuration, below DIR instead of /
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)
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
    /// Simulate: stay in the foreground, log what would be done, change nothing
    #[arg(short = 's', long = "simulate")]
    pub simulate: bool,
    /// Set how early and how strongly to act: 1 low, 2 normal, 3 high
    #[arg(short = 'a', long, value_name = "1..3", value_parser = clap::value_parser!(i64).range(1..=3))]
    pub aggressiveness: Option<i64>,
    /// Limit the gap between the low and the high watermark, in GiB
    #[arg(short = 'm', long, value_name = "GiB")]
    pub max_gap: Option<u64>,
    /// Scan once and exit
    #[arg(long)]
    pub once: bool,
    /// With --once: print what the scan saw as one JSON object
    #[arg(long, requires = "once")]
    pub json: bool,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the modules and their options
    Modules {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check the configuration: exit status 0 if the daemon would start with it, else 78
    CheckConfig(CheckConfig),
    /// Print a snapshot of this machine as one JSON object
    Snapshot,
    /// Record this machine into a trace
    Record(Record),
    /// Replay a trace: print what the daemon would have logged on that machine
    Replay(Replay),
    /// Explain a decision: its reason, what the module saw, what was changed, and what happened afterwards
    Explain(Explain),
    /// List the stored incidents, show one, or export one
    Incidents {
        /// The action [default: list]
        #[command(subcommand)]
        what: Option<Incidents>,
    },
    /// Show the daemon's status: memory, recent decisions, and the state of each module
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Do not look for the current holders of memory, which root is shown while an incident is open
        #[arg(long)]
        stored: bool,
    },
    /// Check what works on this machine with this configuration, and say why the rest does not: exit status 0 if all is well, else 1
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the metrics of the daemon and its modules for Prometheus
    Metrics {
        /// Write them to FILE in one step, for the textfile collector of `node_exporter`
        #[arg(long, value_name = "FILE")]
        textfile: Option<PathBuf>,
    },
    /// Restore the original values of tunables changed by a running or crashed daemon; a running one then pauses their tuning
    Restore,
    /// Reload the configuration of the running daemon
    Reload,
    /// Resume tuning of tunables that were changed externally
    Resume {
        /// The tunable, named as by sysctl [default: all of them]
        #[arg(value_name = "TUNABLE")]
        tunable: Option<String>,
    },
    /// Run modules in a process of their own; only the daemon starts this
    #[command(hide = true)]
    ModuleHost(ModuleHost),
}

/// Options of `check-config`.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// Print all settings with their origins
    #[arg(long)]
    pub show: bool,
    /// Print the configuration file of adaptivemm 2.1 as TOML
    #[arg(long, conflicts_with = "show")]
    pub convert: bool,
    /// Check FILE as if it were installed in /etc/adaptivemmd/adaptivemmd.toml.d
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
    /// Stop after N frames [default: when interrupted]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,
    /// A note on what is recorded, stored in the trace
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
    /// Run only this module, enabled or not; repeatable
    #[arg(long = "module", value_name = "NAME")]
    pub modules: Vec<String>,
    /// Print only the explanation of this decision
    #[arg(long, value_name = "ID", conflicts_with = "json")]
    pub explain: Option<u64>,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The number of the decision, as in the log [default: list the latest]
    #[arg(value_name = "ID", value_parser = decision_number)]
    pub id: Option<u64>,
    /// Print the records as JSON lines
    #[arg(long)]
    pub json: bool,
}

fn decision_number(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "expected the number of a decision, such as 17 of `[decision 17]` in the log")
}

/// Actions on incidents.
#[derive(Debug, Subcommand)]
pub enum Incidents {
    /// List all incidents, newest last
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
    /// The incident, or an unambiguous beginning of its ID [default: the newest]
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Print a self-contained HTML page
    #[arg(long, conflicts_with = "json")]
    pub html: bool,
    /// Print the record as JSON
    #[arg(long)]
    pub json: bool,
    /// Remove the names of the host, processes and control groups
    #[arg(long)]
    pub redact: bool,
    /// The key of the site, at least 16 random bytes: redacted names match across files of one key [default: a random key]
    #[arg(long, value_name = "FILE", requires = "redact")]
    pub key_file: Option<PathBuf>,
    /// Show only what is stored, without the current holders of memory, which root is shown while an incident is open
    #[arg(long)]
    pub stored: bool,
}

/// Options of `incidents export`.
#[derive(Debug, Args)]
pub struct ExportIncident {
    /// The incident, or an unambiguous beginning of its ID
    #[arg(value_name = "ID")]
    pub id: String,
    /// The file to write, a tar compressed with zstd; - for standard output
    #[arg(value_name = "FILE.tar.zst")]
    pub file: PathBuf,
    /// Remove the names of the host, processes and control groups, and evidence that is full of them
    #[arg(long)]
    pub redact: bool,
    /// The key of the site, at least 16 random bytes: redacted names match across files of one key [default: a random key]
    #[arg(long, value_name = "FILE", requires = "redact")]
    pub key_file: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// Options of `module-host`.
#[derive(Debug, Args)]
pub struct ModuleHost {
    /// The process ID of the daemon
    #[arg(long, value_name = "PID")]
    pub parent: u32,
    /// Only inspect a file that is to run in the daemon, even where modules cannot be isolated
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
    /// Makes the paths absolute, as a daemon leaves the directory that it was started in.
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

    /// Returns the machine to read.
    #[must_use]
    pub fn root(&self) -> Root {
        self.place.root()
    }

    /// Returns where the configuration is.
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
