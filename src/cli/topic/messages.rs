//! Messages that come over sockets: a datagram each, or a line, or what has its length before it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::TopicFailure;
use super::listen::LOOK;

/// Bytes of a message. A longer one ends its connection.
const MESSAGE_MAX: usize = 64 << 10;
/// Connections at a time; further ones are closed at once.
const CONNECTIONS_MAX: usize = 256;
/// Messages that wait for the topic; further ones wait where they come from.
const WAITING_MAX: usize = 1024;

/// What comes over sockets.
pub(super) struct Messages {
    pub(super) received: Receiver<Vec<u8>>,
    /// Where is listened: `udp://127.0.0.1:5514`.
    pub(super) addresses: Vec<String>,
    stop: Arc<AtomicBool>,
}

impl Messages {
    pub(super) fn listen(udp: Option<SocketAddr>, tcp: Option<SocketAddr>) -> Result<Self, TopicFailure> {
        let (sender, received) = sync_channel(WAITING_MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let mut addresses = Vec::new();
        let cannot = |address: SocketAddr| {
            move |error: std::io::Error| TopicFailure::Options(format!("cannot listen at {address}: {error}"))
        };
        if let Some(address) = udp {
            let socket = UdpSocket::bind(address).map_err(cannot(address))?;
            socket.set_read_timeout(Some(LOOK)).map_err(cannot(address))?;
            addresses.push(format!("udp://{}", socket.local_addr().map_err(cannot(address))?));
            let (sender, stop) = (sender.clone(), Arc::clone(&stop));
            thread::spawn(move || receive_datagrams(&socket, &sender, &stop));
        }
        if let Some(address) = tcp {
            let listener = TcpListener::bind(address).map_err(cannot(address))?;
            addresses.push(format!("tcp://{}", listener.local_addr().map_err(cannot(address))?));
            let stop = Arc::clone(&stop);
            thread::spawn(move || accept_connections(&listener, &sender, &stop));
        }
        Ok(Self { received, addresses, stop })
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn receive_datagrams(socket: &UdpSocket, sender: &SyncSender<Vec<u8>>, stop: &AtomicBool) {
    let mut buffer = vec![0; MESSAGE_MAX];
    while !stop.load(Ordering::Acquire) {
        // Nothing for a while is an error too, and so is what a peer sends back; both are over then.
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        if sender.send(buffer[..length].to_vec()).is_err() {
            return;
        }
    }
}

fn accept_connections(listener: &TcpListener, sender: &SyncSender<Vec<u8>>, stop: &AtomicBool) {
    let open = Arc::new(AtomicUsize::new(0));
    for connection in listener.incoming() {
        if stop.load(Ordering::Acquire) {
            return;
        }
        let Ok(connection) = connection else {
            // There may be no more files for now.
            thread::park_timeout(LOOK);
            continue;
        };
        if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS_MAX {
            open.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let (sender, open) = (sender.clone(), Arc::clone(&open));
        thread::spawn(move || {
            // How a connection ends tells nothing that its messages do not.
            let _ = receive_stream(connection, &sender);
            open.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

/// Messages of a connection, up to its end, or up to one that is too long.
fn receive_stream(connection: TcpStream, sender: &SyncSender<Vec<u8>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let mut message = Vec::new();
        match length_before(&mut reader, &mut message)? {
            Some(length) if length > MESSAGE_MAX => return Ok(()),
            Some(length) => {
                message = vec![0; length];
                reader.read_exact(&mut message)?;
            }
            None if message.last() == Some(&b'\n') => {}
            None => {
                let room = (MESSAGE_MAX - message.len()) as u64;
                let read = reader.by_ref().take(room).read_until(b'\n', &mut message)?;
                if message.is_empty() || read as u64 == room && message.last() != Some(&b'\n') {
                    return Ok(());
                }
            }
        }
        let text = message.strip_suffix(b"\n").unwrap_or(&message);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !text.is_empty() && sender.send(text.to_vec()).is_err() {
            return Ok(());
        }
    }
}

/// The length that stands before a message, if one does: digits and a blank before the `<` with which messages of the log begin. What
/// was read of one that has none is in `message`.
fn length_before(reader: &mut impl std::io::BufRead, message: &mut Vec<u8>) -> std::io::Result<Option<usize>> {
    const DIGITS_MAX: u64 = 8;
    if !reader.fill_buf()?.first().is_some_and(u8::is_ascii_digit) {
        return Ok(None);
    }
    loop {
        let mut byte = [0];
        if message.len() as u64 > DIGITS_MAX || reader.read(&mut byte)? == 0 {
            return Ok(None);
        }
        message.push(byte[0]);
        match byte[0] {
            b'0'..=b'9' => {}
            b' ' if reader.fill_buf()?.first() == Some(&b'<') => {
                let digits = std::str::from_utf8(message).unwrap_or_default().trim_end();
                return Ok(Some(digits.parse().unwrap_or(usize::MAX)));
            }
            _ => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{Ipv4Addr, SocketAddrV4};
    use std::time::Duration;

    use super::*;

    #[test]
    fn messages_come_over_udp_and_tcp() {
        let any = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        let messages = Messages::listen(Some(any), Some(any)).expect("loopback is there");
        let address = |scheme: &str| {
            let found = messages.addresses.iter().find_map(|address| address.strip_prefix(scheme));
            found.expect("both are told").parse::<SocketAddr>().expect("an address")
        };
        let next = || String::from_utf8(messages.received.recv_timeout(Duration::from_secs(30)).expect("it comes"));
        let socket = UdpSocket::bind(any).expect("a socket");
        socket.send_to(b"one", address("udp://")).expect("it is sent");
        assert_eq!(next().as_deref(), Ok("one"));
        let mut stream = TcpStream::connect(address("tcp://")).expect("it listens");
        stream.write_all(b"two\r\n\n14 <1>three\nlines").expect("it is sent");
        stream.write_all(b"<1>four\n5\n5 apples\nsix").expect("it is sent");
        drop(stream);
        for expected in ["two", "<1>three\nlines", "<1>four", "5", "5 apples", "six"] {
            assert_eq!(next().as_deref(), Ok(expected));
        }
        let mut long = TcpStream::connect(address("tcp://")).expect("it listens");
        // Who sends too much is not listened to any longer; some of it may not even be taken.
        let _ = long.write_all(&vec![b'x'; 4 * MESSAGE_MAX]);
        drop(long);
        let mut stream = TcpStream::connect(address("tcp://")).expect("it listens");
        stream.write_all(b"seven\n").expect("it is sent");
        assert_eq!(next().as_deref(), Ok("seven"));
    }
}
