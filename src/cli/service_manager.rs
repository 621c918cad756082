//! Tells the service manager that has started the process how far it is: systemd, where a unit has `Type=notify`.
//!
//! It names a socket in `NOTIFY_SOCKET`, by a path or, with `@` in front, a name that is in no folder, and takes datagrams of lines
//! `NAME=value` there.

/// The variable that names the socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Who asks is answered from now on.
    Ready,
    /// The process has begun to end.
    Stopping,
}

impl State {
    fn line(self) -> &'static str {
        match self {
            Self::Ready => "READY=1",
            Self::Stopping => "STOPPING=1",
        }
    }
}

/// Tells `state` and `status`, a line for people, if somebody wants to know.
pub fn notify(state: State, status: &str) {
    let Some(socket) = std::env::var_os(SOCKET).filter(|socket| !socket.is_empty()) else { return };
    let text = format!("{}\nSTATUS={status}\n", state.line());
    if let Err(error) = send(&socket, text.as_bytes()) {
        tracing::warn!("{SOCKET} is not told that the server is {state:?}: {error}");
    }
}

#[cfg(target_os = "linux")]
fn send(socket: &std::ffi::OsStr, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(bytes, &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn send(_: &std::ffi::OsStr, _: &[u8]) -> std::io::Result<()> {
    Err(std::io::Error::other("there is no systemd here"))
}
