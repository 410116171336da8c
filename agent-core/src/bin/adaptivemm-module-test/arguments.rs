//! What can be typed.

use std::path::PathBuf;

use agent_core::commands::cli::Place;
use clap::Parser;

/// Tests a module of adaptivemmd as it was built: its declaration, its options, and what it makes of odd machines.
#[derive(Debug, Parser)]
#[command(name = "adaptivemm-module-test", version)]
#[command(
    after_help = "Exit status: 0 nothing is wrong; 1 something is, or the test could not be held; 2 usage; 78 the configuration is wrong."
)]
pub(crate) struct Arguments {
    /// Where to read.
    #[command(flatten)]
    pub(crate) place: Place,
    /// The shared object to test; -c FILE sets its options
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What it is shown: JSON lines, compressed with zstd or not [default: this machine]
    #[arg(value_name = "TRACE")]
    pub(crate) trace: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
    /// Test nothing, but print the odd machine of this name as a trace
    #[arg(long, value_name = "NAME")]
    pub(crate) show: Option<String>,
}
