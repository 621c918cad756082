//! `listen`: one record per message of a socket: the system log of other machines, or lines.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Datelike as _};
use serde_json::json;
use syslog_loose::{ProcId, SyslogFacility, SyslogSeverity, Variant, parse_message_with_year};

use super::appender::Appender;
use super::{Records, Streams, TopicFailure};
use crate::cli::counted::counted;

const NOTES: &str = "\
Examples:
  levada topic listen syslog --udp 127.0.0.1:5514 --tcp 127.0.0.1:5514
  logger --server 127.0.0.1 --port 5514 --udp 'Invalid user oracle from 203.0.113.7 port 40210'
  journalctl --follow --output json | levada topic produce journal

Messages of the system log, as RFC 5424 and RFC 3164 have them, become JSON objects: logged_at (milliseconds since 1970), host, facility, \
severity, program, process, message. What is missing is null; a text that is no such message is a message alone. The record's time is \
logged_at, or now.

Over TCP a message ends with its line, or has its length before it (RFC 6587).";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Listen {
    /// Name of the topic; created with one partition when missing
    name: String,

    /// Address for datagrams, a message each; port 0 is any that is free
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "tcp")]
    udp: Option<SocketAddr>,

    /// Address for connections; port 0 is any that is free
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<SocketAddr>,

    /// What a message becomes
    #[arg(long, value_name = "FORMAT", default_value = "syslog")]
    format: MessageFormat,

    /// Messages, after which it ends
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

/// What a message becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MessageFormat {
    /// A JSON object of the parts of a message of the system log
    Syslog,
    /// The value itself
    Text,
}

/// Messages that wait for the topic; further ones wait where they come from.
const WAITING_MAX: usize = 1024;
/// Bytes of a message. A longer one ends its connection.
const MESSAGE_MAX: usize = 64 << 10;
/// Connections at a time; further ones are closed at once.
const CONNECTIONS_MAX: usize = 256;
/// How often is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

impl Listen {
    pub(super) fn run(self, records: Records<'_>, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let mut appender = Appender::open(records, &self.name, None, streams.notices)?;
        let messages = Messages::listen(self.udp, self.tcp)?;
        for address in &messages.addresses {
            writeln!(streams.notices, "listening at {address}")?;
        }
        let (mut left, mut refused) = (self.count.unwrap_or(u64::MAX), 0_u64);
        while left > 0 && !(streams.stop)() {
            match messages.received.recv_timeout(LOOK) {
                Ok(message) => {
                    left -= 1;
                    let (value, timestamp) = self.format.record(&message, (streams.now_ms)());
                    if let Err(reason) = appender.push(None, Some(&value), timestamp)? {
                        refused += 1;
                        writeln!(streams.notices, "{reason}")?;
                    }
                }
                // What has come is in the topic before anybody waits for more.
                Err(RecvTimeoutError::Timeout) => appender.commit()?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        appender.commit()?;
        if refused > 0 {
            writeln!(streams.notices, "{} refused", counted(refused, "message"))?;
        }
        appender.finish(false, streams.notices)
    }
}

impl MessageFormat {
    /// The value of a message that came at `now_ms`, and its time.
    fn record(self, message: &[u8], now_ms: i64) -> (Vec<u8>, i64) {
        if self == Self::Text {
            return (message.to_vec(), now_ms);
        }
        let text = String::from_utf8_lossy(message);
        let text = text.trim_end_matches(['\n', '\r', '\0']);
        let parsed = parse_message_with_year(text, |date| year_of(date.0, now_ms), Variant::Either);
        let timestamp = parsed.timestamp.map(|time| time.timestamp_millis());
        let process = parsed.procid.map(|process| match process {
            ProcId::PID(number) => number.to_string(),
            ProcId::Name(name) => name.to_owned(),
        });
        let value = json!({
            "logged_at": timestamp,
            "host": parsed.hostname,
            "facility": parsed.facility.map(SyslogFacility::as_str),
            "severity": parsed.severity.map(SyslogSeverity::as_str),
            "program": parsed.appname,
            "process": process,
            "message": parsed.msg,
        });
        (value.to_string().into_bytes(), timestamp.unwrap_or(now_ms))
    }
}

/// The year of a message of `month` that says none: this one, or in January the last one for December.
fn year_of(month: u32, now_ms: i64) -> i32 {
    let now = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    if now.month() == 1 && month == 12 { now.year() - 1 } else { now.year() }
}

/// What comes over sockets.
struct Messages {
    received: Receiver<Vec<u8>>,
    /// Where is listened: `udp://127.0.0.1:5514`.
    addresses: Vec<String>,
    stop: Arc<AtomicBool>,
}

impl Messages {
    fn listen(udp: Option<SocketAddr>, tcp: Option<SocketAddr>) -> Result<Self, TopicFailure> {
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

    use serde_json::Value;

    use super::*;

    /// 2 September 2024.
    const NOW: i64 = 1_725_271_200_000;

    fn read(message: &str) -> (Value, i64) {
        let (value, timestamp) = MessageFormat::Syslog.record(message.as_bytes(), NOW);
        (serde_json::from_slice(&value).expect("JSON"), timestamp)
    }

    #[test]
    fn messages_of_the_new_form_are_read() {
        let (value, timestamp) =
            read("<38>1 2024-09-02T10:00:05.250Z gate sshd 902 - - Invalid user oracle from 203.0.113.7 port 40210");
        let expected = json!({
            "logged_at": 1_725_271_205_250_i64, "host": "gate", "facility": "auth", "severity": "info", "program": "sshd", "process": "902",
            "message": "Invalid user oracle from 203.0.113.7 port 40210",
        });
        assert_eq!((value, timestamp), (expected, 1_725_271_205_250));
    }

    #[test]
    fn messages_of_the_old_form_are_of_this_year() {
        let (value, timestamp) = read("<34>Sep  2 09:15:00 gate su[12]: 'su root' failed");
        assert_eq!(
            (&value["host"], &value["program"], &value["process"]),
            (&json!("gate"), &json!("su"), &json!("12"))
        );
        assert_eq!((&value["severity"], &value["message"]), (&json!("crit"), &json!("'su root' failed")));
        assert_eq!(DateTime::from_timestamp_millis(timestamp).map(|time| time.year()), Some(2024));
        assert_eq!((year_of(12, 1_736_000_000_000), year_of(1, 1_736_000_000_000)), (2024, 2025));
    }

    #[test]
    fn what_is_no_message_of_the_log_is_a_message_alone() {
        let (value, timestamp) = read("just words\n");
        assert_eq!((&value["message"], &value["host"], timestamp), (&json!("just words"), &Value::Null, NOW));
    }

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
