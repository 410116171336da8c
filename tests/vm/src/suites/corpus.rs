//! Records the corpus: short traces of leaks and of innocent loads, each with a label that says what happens in it.

mod labels;
mod recordings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Bench, Errand};
use crate::files;
use crate::machine::Machine;
use crate::problem::{Problem, Result};
use crate::tools::Tool;

use labels::Labels;
use recordings::Recording;

pub(super) fn run(bench: &Bench<'_>) -> Result<bool> {
    let into = bench.options.into.clone().unwrap_or_else(|| {
        let tests = bench.workshop.sources.parent();
        tests.map_or_else(PathBuf::new, |tests| tests.join("traces/corpus"))
    });
    files::make_directory(&into)?;
    let mut labels = Labels::read(&into.join("labels.toml"))?;
    for recording in recordings::all().iter().filter(|it| is_wanted(bench, it)) {
        let files = match recording.kernel {
            Some(series) => record_there(bench, series, recording)?,
            None => record_here(bench, recording)?,
        };
        let name = recording.file();
        compress(&files.join("trace.jsonl.zst"), &into.join(&name))?;
        let noted = files::read(&files.join("label"))?;
        labels.put(&name, recording.label(&noted));
        labels.write(&into.join("labels.toml"))?;
    }
    println!("\n{} traces in {}", labels.count(), into.display());
    Ok(true)
}

fn is_wanted(bench: &Bench<'_>, recording: &Recording) -> bool {
    let kernel = bench.options.kernel.as_deref().unwrap_or("all");
    bench.options.wants(&recording.name()) && (kernel == "all" || recording.kernel == Some(kernel))
}

/// On a real kernel, in a machine of its own.
fn record_there(bench: &Bench<'_>, series: &str, recording: &Recording) -> Result<PathBuf> {
    let mut machine = Machine::of_nodes(1, 1024);
    machine.nodes[0].processors = 2;
    machine.disks_mib.push(400);
    machine.timeout = Duration::from_secs(240);
    let settings = recording.settings();
    let errand = Errand {
        script: "corpus.sh",
        name: &recording.what(),
        config: "",
        settings: settings.into(),
    };
    let tree = bench.workshop.kernel(series)?;
    Ok(bench.run(&machine, &tree, &errand)?.files)
}

/// On the machine that we are on: with the same script, as it needs neither a module nor a disk.
fn record_here(bench: &Bench<'_>, recording: &Recording) -> Result<PathBuf> {
    let name = recording.name();
    println!("  corpus {name}: on this machine");
    let results = bench.workshop.target.join("results/corpus").join(&name);
    files::make_anew(&results)?;
    let programs = bench.workshop.programs();
    files::copy(&bench.workshop.daemon, &programs.join("adaptivemmd"))?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut tool = Tool::new("sh")
        .arg(bench.workshop.sources.join("guest/corpus.sh"))
        .with("OUT", &results.display().to_string())
        .with("WORK", &results.join("work").display().to_string())
        .with("PATH", &format!("{}:{path}", programs.display()));
    for (name, value) in recording.settings() {
        tool = tool.with(name, &value);
    }
    tool.run()?;
    Ok(results)
}

/// As small as can be: it is made once and kept for long.
fn compress(from: &Path, to: &Path) -> Result<()> {
    Tool::new("sh")
        .args(["-c", "zstd -dcq \"$0\" | zstd --ultra -22 -qfo \"$1\""])
        .arg(from)
        .arg(to)
        .run()
        .map(|_| ())
        .map_err(|problem| Problem::new(format!("the corpus needs the program zstd: {problem}")))
}
