//! Notifies the service manager, as in `sd_notify(3)`: that the daemon works, what it does, and that its core
//! is alive.
//!
//! Only the core feeds the watchdog, between its steps and while it waits for modules. A module that hangs does not
//! stop that, as it has a deadline; a core that hangs does.

use std::env;
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::base::clock;

/// A service manager that does not read for so long is not told.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest status; more does not fit on a line of `systemctl status`.
const LONGEST_STATUS: usize = 300;

/// The way to the service manager; there may be none.
#[derive(Debug, Default)]
pub struct Service {
    manager: Option<Manager>,
    watchdog: Option<Watchdog>,
    is_ready: bool,
    is_reloading: bool,
    status: String,
}

#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

#[derive(Debug)]
struct Watchdog {
    /// Half of the time after which the service manager takes the daemon for dead.
    every: Duration,
    due: Instant,
}

impl Service {
    /// The one that started this process, as its environment says.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::new(
            env::var_os("NOTIFY_SOCKET").as_deref(),
            watchdog_interval(
                env::var("WATCHDOG_USEC").ok().as_deref(),
                env::var("WATCHDOG_PID").ok().as_deref(),
            ),
        )
    }

    /// One that listens on this socket, and wants to hear of the core at least once in an interval.
    #[must_use]
    pub fn new(socket: Option<&OsStr>, interval: Option<Duration>) -> Self {
        let manager = socket.and_then(Manager::at);
        let watchdog = interval
            .filter(|_| manager.is_some())
            .map(|interval| Watchdog {
                every: interval / 2,
                due: clock::now(),
            });
        Self {
            manager,
            watchdog,
            ..Self::default()
        }
    }

    /// Returns true if the service manager wants to be notified.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.manager.is_some()
    }

    /// The daemon works. Said once.
    pub fn ready(&mut self) {
        if !self.is_ready {
            self.is_ready = true;
            self.tell("READY=1");
        }
    }

    /// Sends the status, if it has changed since it was last sent.
    pub fn status(&mut self, status: &str) {
        if self.manager.is_none() || self.status == status {
            return;
        }
        status.clone_into(&mut self.status);
        let shown = status.chars().take(LONGEST_STATUS);
        let line: String = shown
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.tell(&format!("STATUS={line}"));
    }

    /// The configuration is about to be read again. Before the daemon is ready that is part of its start.
    pub fn reloading(&mut self) {
        if self.is_ready {
            self.is_reloading = true;
            let now = clock_gettime(ClockId::Monotonic);
            let now = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
            self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}"));
        }
    }

    /// The configuration is read, whatever came of it: the daemon works.
    pub fn reloaded(&mut self) {
        if std::mem::take(&mut self.is_reloading) {
            self.tell("READY=1");
        }
    }

    /// The daemon is about to end.
    pub fn stopping(&mut self) {
        self.tell("STOPPING=1");
    }

    /// The core is alive. To be called again after the time that is returned, if anybody watches over it.
    pub fn beat(&mut self) -> Option<Duration> {
        let now = clock::now();
        let watchdog = self.watchdog.as_mut()?;
        let is_due = watchdog.due <= now;
        if is_due {
            watchdog.due = now + watchdog.every;
        }
        let left = watchdog.due.saturating_duration_since(now);
        if is_due {
            self.tell("WATCHDOG=1");
        }
        Some(left)
    }

    /// Returns when the watchdog has to be notified again.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.watchdog.as_ref().map(|watchdog| watchdog.due)
    }

    fn tell(&self, message: &str) {
        if let Some(Manager { socket, address }) = &self.manager {
            // One that is gone, or does not read, will find out by itself.
            let _not_told = socket.send_to_addr(message.as_bytes(), address);
        }
    }
}

impl Manager {
    /// `None` for what is no Unix socket, or if we cannot have one ourselves.
    fn at(path: &OsStr) -> Option<Self> {
        let address = match path.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
            [b'/', ..] => SocketAddr::from_pathname(path),
            _ => return None,
        };
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_write_timeout(Some(PATIENCE)).ok()?;
        Some(Self {
            socket,
            address: address.ok()?,
        })
    }
}

/// Returns the time of silence after which the service manager takes this process for dead; `None` if it does not, or watches
/// over another one.
fn watchdog_interval(microseconds: Option<&str>, pid: Option<&str>) -> Option<Duration> {
    let is_meant = pid.is_none_or(|pid| pid.parse() == Ok(std::process::id()));
    let microseconds = microseconds?.parse().ok().filter(|&usec: &u64| usec > 0)?;
    is_meant.then(|| Duration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn received(socket: &UnixDatagram) -> Vec<String> {
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 4096];
        std::iter::from_fn(|| {
            let length = socket.recv(&mut buffer).ok()?;
            Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
        })
        .collect()
    }

    fn manager_at(path: &Path) -> UnixDatagram {
        UnixDatagram::bind(path).unwrap()
    }

    #[test]
    fn it_is_told_what_is_new_and_nothing_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = manager_at(&path);
        let mut service = Service::new(Some(path.as_os_str()), None);

        service.reloading();
        service.reloaded();
        service.ready();
        service.ready();
        service.status("all is well\nREADY=1");
        service.status("all is well\nREADY=1");
        service.stopping();

        assert_eq!(
            received(&manager),
            ["READY=1", "STATUS=all is well READY=1", "STOPPING=1"]
        );
        assert_eq!((service.beat(), service.due()), (None, None));
    }

    #[test]
    fn a_reload_says_when_it_began_and_then_that_the_daemon_is_ready() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = manager_at(&path);
        let mut service = Service::new(Some(path.as_os_str()), None);

        service.ready();
        service.reloading();
        service.reloaded();

        let told = received(&manager);
        assert_eq!([told[0].as_str(), told[2].as_str()], ["READY=1"; 2]);
        let since = told[1]
            .strip_prefix("RELOADING=1\nMONOTONIC_USEC=")
            .unwrap();
        let uptime = u64::try_from(crate::base::clock::uptime().0.as_micros()).unwrap();
        assert!((1..=uptime).contains(&since.parse().unwrap()), "{since}");
    }

    #[test]
    fn the_watchdog_is_fed_twice_in_an_interval_on_an_abstract_socket_too() {
        let name = format!("adaptivemmd-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let interval = Duration::from_secs(3600);
        let mut service = Service::new(Some(OsStr::new(&format!("@{name}"))), Some(interval));

        let left = service.beat().unwrap();
        let later = service.beat().unwrap();

        assert_eq!(left, interval / 2);
        assert!(later <= left && service.due().is_some());
        assert_eq!(received(&manager), ["WATCHDOG=1"]);
    }

    #[test]
    fn it_watches_over_this_process_only() {
        let own = std::process::id().to_string();

        assert_eq!(
            [
                watchdog_interval(Some("3000000"), Some(&own)),
                watchdog_interval(Some("3000000"), None),
                watchdog_interval(Some("3000000"), Some("1")),
                watchdog_interval(Some("0"), None),
                watchdog_interval(Some("soon"), None),
                watchdog_interval(None, Some(&own)),
            ],
            [
                Some(Duration::from_secs(3)),
                Some(Duration::from_secs(3)),
                None,
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn what_is_no_unix_socket_is_left_alone() {
        for name in ["", "relative", "vsock:2:1234", "/nowhere/at/all"] {
            let mut service = Service::new(Some(OsStr::new(name)), Some(Duration::from_secs(1)));

            service.ready();
            service.stopping();
        }
    }
}
