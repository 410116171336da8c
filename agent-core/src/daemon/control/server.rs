//! The thread that talks to the clients.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;
use serde_json::Value;

use super::connection::Connection;
use super::discretion::for_others;
use super::groups;
use super::interface::{ControlRequest, Reaction, done, reply};
use super::question::Question;
use super::{Answer, Call, Order, SOCKET};
use crate::base::clock;
use crate::config::TellOwners;
use crate::status::Summary;

/// The most clients at a time; for one more, somebody has to go.
const MOST: usize = 32;
/// The most clients that may change nothing: some places are kept for root.
const MOST_OTHERS: usize = 28;
/// The most new clients that are taken in one turn, so that whoever connects without end does not keep others waiting.
const MOST_AT_ONCE: usize = 16;
/// The time for which no client is taken after there was no descriptor or memory left for one.
const PAUSE: Duration = Duration::from_secs(1);
/// The most orders that wait for the core.
const WAITING: usize = 8;
/// The greatest age of the summary that answers a question: the core has other things to do.
const FRESH: Duration = Duration::from_millis(250);
/// Stands for a client where nobody waits for the answer.
const NOBODY: u64 = u64::MAX;
/// Stands for a client where the answer is for all who asked for the status.
const DESK: u64 = u64::MAX - 1;

/// The socket, as long as the daemon runs.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
}

impl Server {
    /// Listens in the runtime directory from now on. Orders come over the channel.
    ///
    /// # Errors
    ///
    /// If the socket cannot be made.
    pub fn start(
        runtime_dir: &Path,
        tell_owners: TellOwners,
    ) -> io::Result<(Self, Receiver<Call>)> {
        let path = runtime_dir.join(SOCKET);
        // We have the lock: one that is there belongs to a daemon that died.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (give, orders) = bounded(WAITING);
        let (tell, answers) = unbounded();
        let mut desk = Desk {
            listener,
            paused_until: None,
            clients: BTreeMap::new(),
            next: 0,
            orders: give,
            tell,
            answers,
            bell,
            group: groups::ours(),
            tell_owners,
            view: None,
            askers: Vec::new(),
        };
        thread::Builder::new()
            .name("control".to_owned())
            .stack_size(128 << 10)
            .spawn(move || while desk.turn().is_ok() {})?;
        Ok((Self { path }, orders))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(&self.path);
    }
}

struct Desk {
    listener: UnixListener,
    /// The time before which no client is taken, as there was no descriptor left for one.
    paused_until: Option<Instant>,
    clients: BTreeMap<u64, Connection>,
    next: u64,
    orders: Sender<Call>,
    tell: Sender<(u64, Answer)>,
    answers: Receiver<(u64, Answer)>,
    bell: Arc<OwnedFd>,
    /// The number of the group that is told whose memory it is.
    group: Option<u32>,
    tell_owners: TellOwners,
    /// The last summary, and when it was made.
    view: Option<(Instant, Box<Summary>)>,
    /// The clients that wait for a new summary, which the core has been asked for if there is any.
    askers: Vec<(u64, Question)>,
}

/// The descriptors that are ready.
struct Ready {
    listener: bool,
    readable: Vec<u64>,
    writable: Vec<u64>,
}

impl Desk {
    /// Waits until there is something to do, and does it. An error is the end: nothing can be waited for.
    fn turn(&mut self) -> io::Result<()> {
        let ready = self.wait()?;
        let now = clock::now();
        let mut ring = [0; 8];
        // It may not have been rung.
        let _rung = rustix::io::read(&*self.bell, &mut ring);
        while let Ok((client, answer)) = self.answers.try_recv() {
            match answer {
                Answer::Seen(summary) if client == DESK => self.show(summary, now),
                answer => {
                    // Things have changed.
                    self.view = None;
                    self.serve(client, |connection| connection.answer(&reply(answer), now));
                }
            }
        }
        for client in ready.writable {
            self.serve(client, Connection::write);
        }
        for client in ready.readable {
            self.serve(client, Connection::read);
        }
        let clients: Vec<u64> = self.clients.keys().copied().collect();
        for client in clients {
            self.hear(client, now);
        }
        // Whoever waits for us is not slow.
        self.clients
            .retain(|_, connection| connection.is_waiting || connection.deadline > now);
        if ready.listener {
            self.accept(now);
        }
        Ok(())
    }

    fn wait(&self) -> io::Result<Ready> {
        let now = clock::now();
        let is_paused = self.paused_until.is_some_and(|until| until > now);
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, !is_paused);
        let mut files = vec![
            PollFd::new(&self.listener, wanted),
            PollFd::new(&*self.bell, PollFlags::IN),
        ];
        files.extend(self.clients.values().map(|connection| {
            let mut events = PollFlags::empty();
            events.set(PollFlags::IN, connection.wants_to_read());
            events.set(PollFlags::OUT, connection.wants_to_write());
            PollFd::new(connection.stream(), events)
        }));
        match poll(&mut files, self.timeout(now).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut ready = Ready {
            listener: files[0].revents().contains(PollFlags::IN),
            readable: Vec::new(),
            writable: Vec::new(),
        };
        for (client, file) in self.clients.keys().zip(&files[2..]) {
            let events = file.revents();
            if events.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                ready.readable.push(*client);
            }
            if events.intersects(PollFlags::OUT) {
                ready.writable.push(*client);
            }
        }
        Ok(ready)
    }

    /// Returns the time until the first client has to have done something, or clients are taken again.
    fn timeout(&self, now: Instant) -> Option<Timespec> {
        let waited_for = self.clients.values().filter(|client| !client.is_waiting);
        let deadlines = waited_for.map(|client| client.deadline);
        let pause = self.paused_until.filter(|until| *until > now);
        let first = deadlines.chain(pause).min()?;
        first.saturating_duration_since(now).try_into().ok()
    }

    /// Takes new clients, but not all of those that wait: the others have a turn first.
    fn accept(&mut self, now: Instant) {
        for _ in 0..MOST_AT_ONCE {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if let Ok(connection) = Connection::new(stream, self.group, now) {
                        self.make_room(connection.may_change);
                        self.clients.insert(self.next, connection);
                        self.next += 1;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // This one has left again, or a signal came.
                Err(error) if is_passing(&error) => {}
                Err(_) => {
                    // It would be told so again at once.
                    self.paused_until = Some(now + PAUSE);
                    // There is a descriptor for the next one then, who may be root.
                    self.drop_somebody(false);
                    break;
                }
            }
        }
    }

    /// Makes room for another client, which may change something or not.
    fn make_room(&mut self, may_change: bool) {
        let others = self.clients.values().filter(|client| !client.may_change);
        if !may_change && others.count() >= MOST_OTHERS {
            self.drop_somebody(false);
        } else if self.clients.len() >= MOST {
            self.drop_somebody(true);
        }
    }

    /// Drops a client: one of the user who has most of them, and of those the one that has been silent for longest. Whoever
    /// may change something goes last, and only to make room for his like.
    fn drop_somebody(&mut self, anybody: bool) {
        let mut counts = BTreeMap::new();
        for client in self.clients.values() {
            *counts.entry(client.uid).or_insert(0_usize) += 1;
        }
        let rank = |client: &Connection| {
            let count = counts.get(&client.uid).copied();
            let (may_change, is_waiting) = (client.may_change, client.is_waiting);
            (may_change, Reverse(count), is_waiting, client.deadline)
        };
        let candidates = self.clients.iter();
        let least = candidates
            .filter(|(_, client)| anybody || !client.may_change)
            .min_by_key(|(_, client)| rank(client));
        if let Some(number) = least.map(|(number, _)| *number) {
            self.clients.remove(&number);
        }
    }

    /// Answers a question about the status.
    fn ask(&mut self, client: u64, question: Question, now: Instant) {
        let fresh = self.view.as_ref();
        let fresh = fresh.filter(|(since, _)| now.saturating_duration_since(*since) < FRESH);
        if let Some((_, summary)) = fresh {
            let reply = done(self.reply(client, question, summary));
            self.serve(client, |connection| connection.answer(&reply, now));
            return;
        }
        let is_asked = !self.askers.is_empty();
        if is_asked || self.order(Order::Look, DESK) {
            self.askers.push((client, question));
            self.keep_waiting(client);
        } else {
            self.clients.remove(&client);
        }
    }

    /// The answer, with as much as this client may know.
    fn reply(&self, client: u64, question: Question, summary: &Summary) -> Value {
        let may_see_owners = self
            .clients
            .get(&client)
            .is_some_and(|client| client.may_see_owners);
        if may_see_owners {
            return question.answer(summary);
        }
        question.answer(&for_others(summary, self.tell_owners))
    }

    /// Takes the summary that the core has sent, and answers those who wait for it.
    fn show(&mut self, summary: Box<Summary>, now: Instant) {
        for (client, question) in std::mem::take(&mut self.askers) {
            let reply = done(self.reply(client, question, &summary));
            self.serve(client, |connection| connection.answer(&reply, now));
        }
        self.view = Some((now, summary));
    }

    /// Gives the core something to do. `false` if it has enough.
    fn order(&self, order: Order, client: u64) -> bool {
        let call = Call {
            order,
            client,
            answers: self.tell.clone(),
            bell: Arc::clone(&self.bell),
        };
        self.orders.try_send(call).is_ok()
    }

    fn keep_waiting(&mut self, client: u64) {
        if let Some(connection) = self.clients.get_mut(&client) {
            connection.is_waiting = true;
        }
    }

    /// Does something for a client; if that fails, it is gone.
    fn serve(&mut self, client: u64, serve: impl FnOnce(&mut Connection) -> io::Result<()>) {
        if let Some(connection) = self.clients.get_mut(&client) {
            if serve(connection).is_err() {
                self.clients.remove(&client);
            }
        }
    }

    /// Reacts to the messages of a client that are complete.
    fn hear(&mut self, client: u64, now: Instant) {
        while let Some(message) = self
            .clients
            .get_mut(&client)
            .and_then(|connection| connection.message(now))
        {
            let Some(request) = ControlRequest::parse(&message) else {
                self.clients.remove(&client);
                return;
            };
            let may_change = self
                .clients
                .get(&client)
                .is_some_and(|client| client.may_change);
            let is_oneway = request.oneway;
            match request.reaction(may_change) {
                Reaction::Reply(_) | Reaction::Ask(_) if is_oneway => {}
                Reaction::Reply(reply) => {
                    self.serve(client, |connection| connection.answer(&reply, now));
                }
                Reaction::Ask(question) => self.ask(client, question, now),
                Reaction::Order(order) => {
                    let caller = if is_oneway { NOBODY } else { client };
                    if !self.order(order, caller) {
                        // The core has enough to do: whoever is refused may try again.
                        self.clients.remove(&client);
                    } else if !is_oneway {
                        self.keep_waiting(client);
                    }
                }
            }
        }
    }
}

/// True for an error of accept(2) that concerns one client only.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted
    )
}
