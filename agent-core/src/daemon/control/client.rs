//! The other end: a command that asks the daemon.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use serde_json::{Value, json};

use super::{INTERFACE, SOCKET};

/// A scan of a daemon takes far less, even on a machine that stalls.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest answer.
const LONGEST: u64 = 16 << 20;

/// The reason why a call failed.
#[derive(Debug)]
pub enum CallError {
    /// The daemon is not running.
    NotRunning {
        /// The socket of the daemon.
        path: PathBuf,
        /// The error of the kernel.
        source: io::Error,
    },
    /// It does not answer.
    NoAnswer(io::Error),
    /// It refuses.
    Refused {
        /// The name of the error.
        name: String,
        /// The parameters of the error.
        parameters: Value,
    },
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning { path, source } => {
                write!(
                    f,
                    "the daemon is not running ({}: {source})",
                    path.display()
                )?;
                write!(f, "; start it with `{}`", start_command())
            }
            // Either time runs out.
            Self::NoAnswer(source) if source.kind() == io::ErrorKind::WouldBlock => {
                write!(
                    f,
                    "the daemon did not answer within {} s",
                    PATIENCE.as_secs()
                )
            }
            Self::NoAnswer(source) => write!(f, "the daemon does not answer: {source}"),
            Self::Refused { name, .. } if name == "org.varlink.service.PermissionDenied" => {
                f.write_str("only root may do this")
            }
            Self::Refused { parameters, .. } if parameters["reason"].is_string() => {
                f.write_str(parameters["reason"].as_str().unwrap_or_default())
            }
            Self::Refused { name, parameters } => {
                write!(f, "the daemon refused: {name} {parameters}")
            }
        }
    }
}

impl std::error::Error for CallError {}

/// Returns the command that starts the daemon with the init of this machine.
fn start_command() -> &'static str {
    let inits = [
        ("/run/systemd/system", "systemctl start adaptivemmd"),
        ("/run/openrc", "rc-service adaptivemmd start"),
        ("/run/runit", "sv up adaptivemmd"),
        ("/etc/init.d/adaptivemmd", "/etc/init.d/adaptivemmd start"),
    ];
    let found = inits.iter().find(|(sign, _)| Path::new(sign).exists());
    // Without an init, as in a container, it is started by hand.
    found.map_or("adaptivemmd -d", |(_, command)| command)
}

/// Asks the daemon of this runtime directory, and waits for the answer.
///
/// # Errors
///
/// If it does not run, does not answer, or refuses.
pub fn call(runtime_dir: &Path, method: &str, parameters: &Value) -> Result<Value, CallError> {
    let path = runtime_dir.join(SOCKET);
    let stream = match connect(&path) {
        Ok(stream) => stream,
        // Others stand in line, and none of them was heard.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Err(CallError::NoAnswer(error));
        }
        Err(source) => return Err(CallError::NotRunning { path, source }),
    };
    let request = json!({ "method": format!("{INTERFACE}.{method}"), "parameters": parameters });
    let mut reply = ask(stream, &request).map_err(CallError::NoAnswer)?;
    let parameters = reply["parameters"].take();
    match reply["error"].as_str() {
        Some(name) => Err(CallError::Refused {
            name: name.to_owned(),
            parameters,
        }),
        None => Ok(parameters),
    }
}

/// Connects, and waits for a place in the line no longer than for an answer.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket.into())
}

fn ask(mut stream: UnixStream, request: &Value) -> io::Result<Value> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut message = serde_json::to_vec(request)?;
    message.push(0);
    stream.write_all(&message)?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(LONGEST)).read_until(0, &mut answer)?;
    if answer.pop() != Some(0) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&answer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_does_not_answer_in_time_is_said_to_be_so() {
        // What the kernel says when the time of a socket has run out.
        let error = io::Error::from_raw_os_error(libc::EAGAIN);

        assert_eq!(
            CallError::NoAnswer(error).to_string(),
            "the daemon did not answer within 60 s"
        );
    }

    #[test]
    fn without_a_daemon_the_socket_is_named() {
        let directory = tempfile::tempdir().unwrap();

        let error = call(directory.path(), "Status", &json!({})).unwrap_err();

        assert!(matches!(error, CallError::NotRunning { .. }), "{error}");
    }
}
