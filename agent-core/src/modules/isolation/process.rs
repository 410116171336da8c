//! The process of a module, as the daemon sees it.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, geteuid, pidfd_open, set_dumpable_behavior,
};
use rustix::thread::{CapabilitySet, capabilities};

use super::frame::{Frames, LONGEST_ANSWER, garbage};
use super::last_words::LastWords;
use super::message::{Created, Offer, Order, Told, checked};
use super::{Program, START_WAIT, Subject};
use crate::base::clean_text;
use crate::config::Value;
use crate::kernel::{Snapshot, Wanted, WireSnapshot};
use crate::modules::abi::{CallResult, CreateError};
use crate::modules::output::ModuleOutput;
use crate::modules::permit::Permit;

/// The time that a process which is told to end, or has said something odd, may take to end by itself.
const END_WAIT: Duration = Duration::from_secs(1);
/// The time to wait before looking again.
const GLANCE: Duration = Duration::from_millis(2);
/// Enough to read what was said long ago.
const LEAST_WAIT: Duration = Duration::from_millis(100);

/// A process that holds modules, at our end of the socket.
#[derive(Debug)]
pub struct Process {
    socket: UnixStream,
    incoming: Frames,
    outgoing: Frames,
    last_words: LastWords,
    leash: Arc<KillSwitch>,
    pid: Option<Pid>,
    started: Instant,
}

/// Ends a process from another thread, which need not wait for the one that talks to it.
#[derive(Debug, Default)]
pub struct KillSwitch(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    child: Option<Child>,
    cut: bool,
}

impl KillSwitch {
    /// Kills the process, or the one that comes to be on it.
    pub fn cut(&self) {
        let mut held = self.held();
        held.cut = true;
        if let Some(child) = &mut held.child {
            let _ended_already = child.kill();
        }
    }

    fn hold(&self, mut child: Child) {
        let mut held = self.held();
        if held.cut {
            let _ended_already = child.kill();
        }
        held.child = Some(child);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    /// Starts a process for `subject`, which ends with the thread that called this.
    ///
    /// # Errors
    ///
    /// Returns an error if the kernel gives us no process.
    #[expect(clippy::disallowed_methods, reason = "a deadline is about real time")]
    pub fn start(program: &Program, subject: &Subject, leash: Arc<KillSwitch>) -> io::Result<Self> {
        keep_memory_to_ourselves();
        let (ours, theirs) = UnixStream::pair()?;
        // Whoever writes much must not have to wait for us to read it.
        let (last_words, stderr) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let mut command = Command::new(&program.0);
        // The name is for lists of processes; and a Ctrl-C at the terminal of the daemon is not meant for it.
        command.arg0("adaptivemmd").process_group(0);
        command.arg("module-host");
        command.args(["--parent", &std::process::id().to_string()]);
        if subject.is_trusted() {
            command.arg("--trusted");
        }
        if let Some(path) = subject.file() {
            command.arg("--").arg(path);
        }
        let child = command
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        leash.hold(child);
        Ok(Self {
            socket: ours,
            incoming: Frames::default(),
            outgoing: Frames::default(),
            last_words: LastWords::from(last_words.into()),
            leash,
            pid,
            started: Instant::now(),
        })
    }

    /// Returns what the library holds. Waits until [`START_WAIT`] after the start, so that several processes that hang
    /// are waited for at the same time.
    ///
    /// # Errors
    ///
    /// Returns why the library is refused.
    pub fn greeting(&mut self) -> Result<Offer, String> {
        let left = START_WAIT.saturating_sub(self.started.elapsed());
        let greeting = self.within(left.max(LEAST_WAIT), |me, socket| {
            checked(me.incoming.read(socket, LONGEST_ANSWER)?)
        });
        greeting.unwrap_or_else(|error| Err(self.bury(&error)))
    }

    /// Creates the module in its process.
    ///
    /// # Errors
    ///
    /// Returns an error if its options are wrong, or the process is.
    pub fn create(
        &mut self,
        module: &str,
        values: &[(String, Value)],
        permit: &Permit,
        state: &[u8],
    ) -> Result<(), CreateError> {
        let order = Order::Create {
            module,
            values: values.to_vec(),
            permit: permit.clone(),
            state,
        };
        let created = self.within(START_WAIT, |me, socket| {
            me.outgoing.write(&me.socket, &order)?;
            me.incoming.read(socket, LONGEST_ANSWER)
        });
        match created {
            Ok(Created::Done) => Ok(()),
            Ok(Created::Options(problems)) => {
                let problems = problems.iter().map(|(key, text)| {
                    (
                        clean_text::name(key.as_bytes()),
                        clean_text::line(text.as_bytes()),
                    )
                });
                Err(CreateError::Options(problems.collect()))
            }
            Ok(Created::Broken(why)) => Err(CreateError::Broken(clean_text::line(why.as_bytes()))),
            Err(error) => Err(CreateError::Broken(self.bury(&error))),
        }
    }

    /// Lets the module look at a snapshot; its output are added to `output`. Waits for as long as it takes,
    /// or until the leash is cut.
    pub fn scan(
        &mut self,
        snapshot: &Snapshot,
        wanted: &Wanted,
        permit: &Permit,
        output: &mut ModuleOutput,
    ) -> CallResult {
        match self.ask(snapshot, wanted, permit, output) {
            Ok(verdict) => {
                self.last_words.listen();
                verdict
            }
            Err(error) => {
                output.clear();
                output.add_problem(|| (String::new(), self.bury(&error)));
                CallResult::Died
            }
        }
    }

    /// Asks for an answer like [`scan`](Self::scan), but waits for [`START_WAIT`] at most.
    pub fn scan_in_time(
        &mut self,
        snapshot: &Snapshot,
        wanted: &Wanted,
        permit: &Permit,
        output: &mut ModuleOutput,
    ) -> CallResult {
        let limited = self.socket.set_read_timeout(Some(START_WAIT));
        if let Err(error) = limited.and_then(|()| self.socket.set_write_timeout(Some(START_WAIT))) {
            output.add_problem(|| (String::new(), self.bury(&error)));
            return CallResult::Died;
        }
        self.scan(snapshot, wanted, permit, output)
    }

    /// The number of the process.
    #[must_use]
    pub fn number(&self) -> Option<i32> {
        self.pid.map(Pid::as_raw_pid)
    }

    fn ask(
        &mut self,
        snapshot: &Snapshot,
        wanted: &Wanted,
        permit: &Permit,
        output: &mut ModuleOutput,
    ) -> io::Result<CallResult> {
        let order = Order::Scan(WireSnapshot::from_snapshot(snapshot, wanted));
        self.outgoing.write(&self.socket, &order)?;
        let told: Told<'_> = self.incoming.read(&self.socket, LONGEST_ANSWER)?;
        if told.scan != snapshot.scan {
            return Err(garbage(&format!(
                "an answer to scan {} in scan {}",
                told.scan, snapshot.scan
            )));
        }
        told.take(permit, output)
    }

    /// Talks for a limited time, however slowly the other side dribbles.
    fn within<T>(
        &mut self,
        time: Duration,
        talk: impl FnOnce(&mut Self, Until<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let socket = self.socket.try_clone()?;
        socket.set_write_timeout(Some(time))?;
        let said = talk(self, Until::from_now(&socket, time))?;
        socket.set_read_timeout(None)?;
        socket.set_write_timeout(None)?;
        Ok(said)
    }

    /// Tells the process to end, and waits for it.
    ///
    /// # Errors
    ///
    /// Returns an error if it does not end in time, or not well: why.
    pub fn end(mut self) -> Result<(), String> {
        let _gone_already = self.socket.shutdown(std::net::Shutdown::Both);
        match self.reaped() {
            None => Err(format!(
                "its process did not end within {} s",
                END_WAIT.as_secs()
            )),
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!(
                "its process {}{}",
                obituary(status),
                self.last_words.told()
            )),
        }
    }

    /// Ends the process, and says how it came to that.
    fn bury(&mut self, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                self.leash.cut();
                self.reaped();
                return format!(
                    "its process did not answer within {} s{}",
                    START_WAIT.as_secs(),
                    self.last_words.told()
                );
            }
            io::ErrorKind::InvalidData => {
                self.leash.cut();
                self.reaped();
                return format!(
                    "its process sent a malformed message ({error}){}",
                    self.last_words.told()
                );
            }
            _ => {}
        }
        // One that is about to die tells by what; one that only closed the socket is killed.
        let cut = self.leash.held().cut;
        match self.reaped() {
            _ if cut => "its process was killed".to_owned(),
            Some(status) => format!("its process {}{}", obituary(status), self.last_words.told()),
            None => format!("its process closed its socket but kept running ({error})"),
        }
    }

    /// Waits for the process to end, kills it if it takes too long, and takes it off the list of processes.
    /// `None` if it had to be killed.
    fn reaped(&self) -> Option<ExitStatus> {
        let mut child = self.leash.held().child.take()?;
        let ended = ends_within(&mut child, END_WAIT);
        if !ended {
            let _ended_already = child.kill();
        }
        let status = child.wait().ok()?;
        ended.then_some(status)
    }
}

/// Reads until a moment, and no longer.
struct Until<'a> {
    socket: &'a UnixStream,
    end: Instant,
}

impl<'a> Until<'a> {
    #[expect(clippy::disallowed_methods, reason = "a deadline is about real time")]
    fn from_now(socket: &'a UnixStream, time: Duration) -> Self {
        let end = Instant::now() + time;
        Self { socket, end }
    }
}

impl Read for Until<'_> {
    #[expect(clippy::disallowed_methods, reason = "a deadline is about real time")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))?;
        let mut socket = self.socket;
        socket.read(buffer)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone_already = self.socket.shutdown(std::net::Shutdown::Both);
        self.reaped();
    }
}

/// Hides our memory: where the process of a module stays one of root, the kernel would let it read that. It is then
/// shown to nobody but a root with capabilities, and there is no core of it. What another user runs by hand he may
/// still debug.
fn keep_memory_to_ourselves() {
    let others = CapabilitySet::SETUID | CapabilitySet::SETGID;
    let becomes_nobody = capabilities(None).is_ok_and(|held| held.effective.contains(others));
    if geteuid().is_root() && !becomes_nobody {
        let _forbidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Returns true if a child ends in time.
fn ends_within(child: &mut Child, time: Duration) -> bool {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let Some(Ok(process)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
        return is_seen_to_end(child, time);
    };
    let mut ended = [PollFd::new(&process, PollFlags::IN)];
    let Ok(time) = Timespec::try_from(time) else {
        return false;
    };
    retry_on_intr(|| poll(&mut ended, Some(&time))).is_ok_and(|ready| ready > 0)
}

/// Looks again and again: before Linux 5.3 there is no other way to wait for a limited time.
#[expect(clippy::disallowed_methods, reason = "there is no event to wait for")]
fn is_seen_to_end(child: &mut Child, time: Duration) -> bool {
    let looks = time.as_millis() / GLANCE.as_millis();
    (0..looks).any(|_| {
        let has_ended = child.try_wait().is_ok_and(|status| status.is_some());
        if !has_ended {
            thread::sleep(GLANCE);
        }
        has_ended
    })
}

/// Returns how a process ended, as the end of a sentence about it.
fn obituary(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("unknown");
            format!("died of signal {signal} ({name})")
        }
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => format!("ended ({status})"),
    }
}
