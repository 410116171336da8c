//! Reads kernel files for the collectors, and stops when time or room has run out.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use rustix::param;

use super::budget::{Halt, Spent, unless_gone};
use super::request::RawText;
use crate::base::clock;
use crate::config::EvidenceBudget;
use crate::kernel::Root;

/// The number of bytes that are asked for at a time. A file that is made a page at a time comes so anyway; one that is
/// made as a whole, as `/proc/vmallocinfo` from 6.9 on, comes as a whole.
const PART: usize = 256 << 10;
/// The longest line that is looked at whole.
const MAX_LINE: usize = 4096;
/// Files that are kept as they were. Others hold addresses of peers or of programs, which nobody needs to see who
/// reads of an incident.
const KEPT: [&str; 9] = [
    "/proc/meminfo",
    "/proc/modules",
    "/proc/slabinfo",
    "/proc/vmallocinfo",
    "/proc/allocinfo",
    "/proc/net/sockstat",
    "/proc/net/sockstat6",
    "/proc/net/protocols",
    "/sys/kernel/debug/page_owner_stacks/show_stacks",
];
/// The limit for a small file: more of it is not read.
const SMALL: usize = 64 << 10;
/// The limit for all raw texts together.
const MAX_RAW: usize = 8 << 20;
/// The raw text of one file.
const MAX_RAW_FILE: usize = 2 << 20;

/// Reads, and keeps count of what that costs.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    pub(super) root: &'a Root,
    began: Duration,
    /// The time, on the clock of the thread, at which the collector at work must end.
    ends: Duration,
    /// The amount that may have been read by then.
    full: u64,
    budget: EvidenceBudget,
    read_bytes: u64,
    buffer: Vec<u8>,
    /// Texts as they were, if they are wanted.
    raw: Option<Vec<RawText>>,
    refusals: Refusals,
}

/// Looks that the kernel refused, as somebody with more rights has what was looked for.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    pub(super) count: u64,
    /// The first of them, with the kernel's words.
    pub(super) first: String,
}

impl<'a> Meter<'a> {
    pub(super) fn new(root: &'a Root, budget: EvidenceBudget, keep_raw: bool) -> Self {
        let began = clock::thread_cpu_time();
        Self {
            root,
            began,
            ends: began.saturating_add(budget.cpu),
            full: budget.text_bytes,
            budget,
            read_bytes: 0,
            buffer: vec![0; PART],
            raw: keep_raw.then(Vec::new),
            refusals: Refusals::default(),
        }
    }

    /// Returns what was refused since this was last asked.
    pub(super) fn take_refusals(&mut self) -> Refusals {
        std::mem::take(&mut self.refusals)
    }

    /// Notes why a look came to nothing. One that was refused is counted, whatever the collector makes of it: what nobody was
    /// allowed to see must not pass for something that is not there.
    fn halt(&mut self, path: &str, error: &io::Error) -> Halt {
        let halt = Halt::from_error(path, error);
        if let Halt::Denied(why) = &halt {
            if self.refusals.count == 0 {
                self.refusals.first.clone_from(why);
            }
            self.refusals.count += 1;
        }
        halt
    }

    /// Returns where a symbolic link leads.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read.
    pub(super) fn link(&mut self, path: &str) -> Result<String, Halt> {
        let link = match self.root.link(path) {
            // The kernel says so, too, of a process that ends at this very moment. It is not found the next time.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => self.root.link(path),
            link => link,
        };
        let link = link.map_err(|error| self.halt(path, &error))?;
        self.note(link.len());
        Ok(link)
    }

    /// Returns the processor time since the beginning.
    pub(super) fn cpu(&self) -> Duration {
        clock::thread_cpu_time().saturating_sub(self.began)
    }

    pub(super) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Allows the use of half of the time and of the room that are left, from now on.
    pub(super) fn allot(&mut self) {
        let all = self.began.saturating_add(self.budget.cpu);
        let now = clock::thread_cpu_time();
        self.ends = now.saturating_add(all.saturating_sub(now) / 2);
        let left = self.budget.text_bytes.saturating_sub(self.read_bytes);
        self.full = self.read_bytes.saturating_add(left / 2);
    }

    /// Allows so much more, as somebody has asked for what takes long.
    pub(super) fn allow(&mut self, more: Duration) {
        self.budget.cpu = self.cpu().saturating_add(more * 2);
        self.budget.text_bytes = self.read_bytes.saturating_add(self.budget.text_bytes);
    }

    /// Returns what has run out, if anything has.
    pub(super) fn spent(&self) -> Option<Spent> {
        if self.read_bytes >= self.full {
            return Some(Spent::Text);
        }
        self.is_late().then_some(Spent::Cpu)
    }

    fn is_late(&self) -> bool {
        clock::thread_cpu_time() >= self.ends
    }

    /// # Errors
    ///
    /// Returns an error if time or room has run out.
    pub(super) fn check(&self) -> Result<(), Halt> {
        self.spent().map_or(Ok(()), |spent| Err(Halt::Spent(spent)))
    }

    /// Counts text that was read in another way.
    pub(super) fn note(&mut self, bytes: usize) {
        self.read_bytes = self.read_bytes.saturating_add(bytes as u64);
    }

    /// Reads a small file, of which at most 64 KiB are read.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or time or room has run out before.
    pub(super) fn text(&mut self, path: &str) -> Result<String, Halt> {
        self.check()?;
        let mut text = Vec::new();
        let result = self.root.parts(path, &mut self.buffer, |part| {
            let left = SMALL - text.len();
            text.extend_from_slice(&part[..part.len().min(left)]);
            if text.len() < SMALL {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        self.note(text.len());
        result.map_err(|error| self.halt(path, &error))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Reads a small file that may go away at any time, or be none of our business: `None` then.
    ///
    /// # Errors
    ///
    /// Returns an error if time or room has run out.
    pub(super) fn text_unless_gone(&mut self, path: &str) -> Result<Option<String>, Halt> {
        unless_gone(self.text(path))
    }

    /// Returns the names in a directory; none if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or time or room has run out before.
    pub(super) fn list(&mut self, path: &str) -> Result<Vec<String>, Halt> {
        let mut names = Vec::new();
        self.names(path, |_, name| {
            names.push(name);
            Ok(())
        })?;
        names.sort_unstable();
        Ok(names)
    }

    /// Hands out the names in a directory one by one, as they are read: none if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory cannot be read, or time or room has run out; what was handed out until then
    /// counts. And whatever `each` says.
    pub(super) fn names(
        &mut self,
        path: &str,
        mut each: impl FnMut(&mut Self, String) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        self.check()?;
        let names = self.root.names(path);
        for name in names.map_err(|error| self.halt(path, &error))? {
            let name = name.map_err(|error| self.halt(path, &error))?;
            self.note(name.len());
            each(self, name)?;
            self.check()?;
        }
        Ok(())
    }

    /// Returns the names of the directories in a directory; none if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or time or room has run out before.
    pub(super) fn directories(&mut self, path: &str) -> Result<Vec<String>, Halt> {
        self.check()?;
        let names = self.root.directories(path);
        let names = names.map_err(|error| self.halt(path, &error))?;
        self.note(names.iter().map(String::len).sum());
        Ok(names)
    }

    /// A number that is alone in a file.
    pub(super) fn number(&mut self, path: &str) -> Option<u64> {
        self.text(path).ok()?.trim().parse().ok()
    }

    /// Hands out each line of a file, without its end. The last one may be incomplete, where the file was cut.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or time or room has run out; what was handed out until then counts.
    pub(super) fn lines(&mut self, path: &str, mut each: impl FnMut(&str)) -> Result<(), Halt> {
        self.check()?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let is_kept = self.raw.is_some() && KEPT.contains(&path);
        let mut raw = is_kept.then(Vec::new);
        let (mut rest, mut spent, mut is_made) = (Vec::new(), None, false);
        let result = self.root.parts(path, &mut buffer, |part| {
            self.read_bytes = self.read_bytes.saturating_add(part.len() as u64);
            if let Some(raw) = raw.as_mut().filter(|raw| raw.len() < MAX_RAW_FILE) {
                raw.extend_from_slice(part);
            }
            split(&mut rest, part, &mut each);
            // The kernel makes a page on demand; what comes in longer parts is made already, and costs next to nothing to read.
            is_made |= part.len() > param::page_size();
            spent = self
                .spent()
                .filter(|spent| *spent == Spent::Text || !is_made);
            match spent {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        });
        self.buffer = buffer;
        if spent.is_none() && !rest.is_empty() {
            each(&String::from_utf8_lossy(&rest));
        }
        self.keep(path, raw);
        result.map_err(|error| self.halt(path, &error))?;
        spent.map_or(Ok(()), |spent| Err(Halt::Spent(spent)))
    }

    /// Hands out a file of any size as bytes, without keeping them.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or time has run out. Room is not counted: this is no text.
    pub(super) fn bytes(&mut self, path: &str, mut each: impl FnMut(&[u8])) -> Result<(), Halt> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut is_late = false;
        let result = self.root.parts(path, &mut buffer, |part| {
            each(part);
            is_late = self.is_late();
            if is_late {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        self.buffer = buffer;
        result.map_err(|error| self.halt(path, &error))?;
        if is_late {
            Err(Halt::Spent(Spent::Cpu))
        } else {
            Ok(())
        }
    }

    fn keep(&mut self, path: &str, text: Option<Vec<u8>>) {
        let (Some(kept), Some(mut text)) = (self.raw.as_mut(), text) else {
            return;
        };
        let used: usize = kept.iter().map(|raw| raw.text.len()).sum();
        text.truncate(MAX_RAW_FILE.min(MAX_RAW.saturating_sub(used)));
        if !text.is_empty() {
            text.shrink_to_fit();
            kept.push(RawText {
                path: path.to_owned(),
                text,
            });
        }
    }

    /// Reads files whose lines nobody here looks at, to be kept as they are.
    pub(super) fn keep_file(&mut self, path: &str) {
        if self.raw.is_some() {
            let _absent = self.lines(path, |_| {});
        }
    }

    /// The texts that were kept.
    pub(super) fn into_raw(self) -> Vec<RawText> {
        self.raw.unwrap_or_default()
    }
}

/// Hands out the lines that `part` completes; `rest` is the beginning of the next.
fn split(rest: &mut Vec<u8>, part: &[u8], each: &mut impl FnMut(&str)) {
    for piece in part.split_inclusive(|&byte| byte == b'\n') {
        let Some(end) = piece.strip_suffix(b"\n") else {
            rest.extend_from_slice(&piece[..piece.len().min(MAX_LINE)]);
            rest.truncate(MAX_LINE);
            return;
        };
        if rest.is_empty() {
            each(&String::from_utf8_lossy(&end[..end.len().min(MAX_LINE)]));
        } else {
            rest.extend_from_slice(&end[..end.len().min(MAX_LINE)]);
            rest.truncate(MAX_LINE);
            each(&String::from_utf8_lossy(rest));
            rest.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Recorded;

    fn root(text: &[u8]) -> Root {
        Root::Recorded(Recorded::from([(
            "proc/slabinfo".to_owned(),
            text.to_vec(),
        )]))
    }

    fn lines(meter: &mut Meter<'_>) -> (Vec<String>, Result<(), Halt>) {
        let mut lines = Vec::new();
        let result = meter.lines("/proc/slabinfo", |line| lines.push(line.to_owned()));
        (lines, result)
    }

    #[test]
    fn lines_are_whole_however_the_file_comes_in_parts() {
        let text = "first line\n\nthird\nno end";
        let root = root(text.as_bytes());

        for size in 1..30 {
            let mut meter = Meter::new(&root, EvidenceBudget::default(), true);
            meter.buffer.truncate(size);

            let (lines, result) = lines(&mut meter);

            assert!(result.is_ok());
            assert_eq!(lines, ["first line", "", "third", "no end"]);
            let kept = [RawText {
                path: "/proc/slabinfo".into(),
                text: text.into(),
            }];
            assert_eq!(meter.into_raw(), kept);
        }
    }

    #[test]
    fn room_runs_out() {
        let root = root(&b"0123456\n".repeat(100));
        let budget = EvidenceBudget {
            text_bytes: 64,
            ..EvidenceBudget::default()
        };
        let mut meter = Meter::new(&root, budget, false);
        meter.buffer.truncate(32);

        let (lines, result) = lines(&mut meter);

        assert_eq!(lines.len(), 8);
        assert!(matches!(result, Err(Halt::Spent(Spent::Text))));
        assert!(matches!(
            meter.text("/proc/slabinfo"),
            Err(Halt::Spent(Spent::Text))
        ));
    }

    #[test]
    fn time_runs_out() {
        let root = root(b"a\n");
        let budget = EvidenceBudget {
            cpu: Duration::ZERO,
            ..EvidenceBudget::default()
        };
        let mut meter = Meter::new(&root, budget, false);

        assert!(matches!(lines(&mut meter).1, Err(Halt::Spent(Spent::Cpu))));
    }

    #[test]
    fn a_file_that_is_made_as_a_whole_is_read_even_if_that_took_all_the_time() {
        let text = "a line of some length\n".repeat(4 * PART / 20);
        let root = root(text.as_bytes());
        let budget = EvidenceBudget {
            cpu: Duration::from_millis(20),
            ..EvidenceBudget::default()
        };
        let count = |part: usize| {
            let mut meter = Meter::new(&root, budget, false);
            meter.buffer.truncate(part);
            let ends = meter.ends;
            let mut lines = 0;
            let result = meter.lines("/proc/slabinfo", |_| {
                while clock::thread_cpu_time() < ends {}
                lines += 1;
            });
            (lines, result.is_ok())
        };

        let (in_pages, is_whole) = count(param::page_size());

        assert!(!is_whole && in_pages < 5000, "{in_pages}");
        assert_eq!(count(PART), (text.lines().count(), true));
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let root = root(&b"x".repeat(1 << 20));
        let mut meter = Meter::new(&root, EvidenceBudget::default(), false);

        let (lines, _) = lines(&mut meter);

        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            [MAX_LINE]
        );
    }
}
