//! `cargo vm SUITE`: boots real kernels in virtual machines, in which the daemon faces leaks, pressure and fragmentation that are
//! real, and prints what came of it as a table.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the rules of the daemon: this is a program of the workbench, which prints, writes and waits"
)]

mod cache;
mod comparison;
mod debian;
mod files;
mod foreign;
mod initramfs;
mod journal;
mod kernels;
mod machine;
mod modules;
mod monitor;
mod numbers;
mod options;
mod order;
mod outcome;
mod problem;
mod source;
mod suites;
mod table;
mod tools;
mod workshop;

use std::process::ExitCode;

use clap::Parser;

use options::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    match suites::run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
