//! `listen`: one record per message of a socket: the system log of other machines, or lines.

use std::net::SocketAddr;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use chrono::{DateTime, Datelike as _};
use serde_json::json;
use syslog_loose::{ProcId, SyslogFacility, SyslogSeverity, Variant, parse_message_with_year};

use super::appender::Appender;
use super::messages::Messages;
use super::{Records, Streams, TopicFailure};
use crate::cli::counted::counted;
use crate::cli::counter::Counter;

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

/// How often is looked whether to stop.
pub(super) const LOOK: Duration = Duration::from_millis(100);

impl Listen {
    pub(super) fn run(self, records: Records<'_>, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let mut appender = Appender::open(records, &self.name, None, streams.notices)?;
        let messages = Messages::listen(self.udp, self.tcp)?;
        for address in &messages.addresses {
            writeln!(streams.notices, "listening at {address}")?;
        }
        let mut counter = Counter::new("appended", |count| counted(count, "record"));
        let (mut left, mut refused) = (self.count.unwrap_or(u64::MAX), 0_u64);
        while left > 0 && !(streams.stop)() {
            let message = match messages.received.try_recv() {
                Ok(message) => message,
                Err(_) => {
                    // What has come is in the topic before anybody waits for more.
                    appender.commit()?;
                    counter.note(appender.appended());
                    match messages.received.recv_timeout(LOOK) {
                        Ok(message) => message,
                        Err(RecvTimeoutError::Timeout) => continue,
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
            };
            left -= 1;
            let (value, timestamp) = self.format.record(&message, (streams.now_ms)());
            if let Err(reason) = appender.push(None, Some(&value), timestamp)? {
                refused += 1;
                writeln!(streams.notices, "{reason}")?;
            }
        }
        drop(counter);
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

#[cfg(test)]
mod tests {
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
}
