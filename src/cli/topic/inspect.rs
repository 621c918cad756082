//! `list`, `create`, `describe` and `delete`.

use std::time::Duration;

use super::{Streams, TopicFailure};
use crate::cli::counted::counted;
use crate::topics::{TopicConfig, TopicError, TopicInfo, TopicPartition, Topics};

/// Topics whose names begin so are what queries, or the cluster, keep for themselves.
const INTERNAL: [&str; 2] = ["_confluent-ksql-", "__"];

/// How long a cluster may take to say how much is in its topics.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Internal topics of queries too
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Name of the topic
    name: String,

    /// Number of partitions
    #[arg(long, value_name = "N", default_value_t = 1)]
    partitions: u32,

    /// Keep only the newest record of each key
    #[arg(long)]
    compact: bool,

    /// Delete records older than this many milliseconds
    #[arg(long, value_name = "MS", allow_negative_numbers = true, value_parser = parse_retention)]
    retention_ms: Option<i64>,

    /// Delete the oldest records of a partition beyond this many bytes
    #[arg(long, value_name = "BYTES")]
    retention_bytes: Option<u64>,

    /// Copies of each partition on a cluster; as many as it makes by default unless given
    #[arg(long, value_name = "N")]
    replicas: Option<u16>,

    /// Further setting, repeatable: value.schema.validation=true, key.schema.validation=true; on a cluster any of
    /// Kafka's, max.message.bytes=2000000
    #[arg(long = "config", value_name = "KEY=VALUE", value_parser = crate::cli::data_dir::parse_property)]
    settings: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Describe {
    /// Name of the topic
    name: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Delete {
    /// Name of the topic
    name: String,
}

impl List {
    pub(super) fn run(self, topics: &dyn Topics, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let mut rows = vec![["topic", "partitions", "records", "cleanup"].map(str::to_owned)];
        let (shown, internal): (Vec<_>, Vec<_>) =
            topics.list()?.into_iter().partition(|info| self.all || !is_internal(&info.name));
        let partitions: Vec<TopicPartition> = shown.iter().flat_map(partitions_of).collect();
        let mut ranges = topics.ranges(&partitions, PATIENCE)?.into_iter();
        for info in shown {
            // A partition that is not there any more, or not yet, has none.
            let ranges = ranges.by_ref().take(info.config.partitions as usize).flatten();
            let records: i64 = ranges.map(|(start, end)| end - start).sum();
            // Compaction leaves gaps: there are at most as many records as offsets.
            let at_most = if info.config.compact && records > 0 { "up to " } else { "" };
            let cleanup = cleanup(&info.config).to_owned();
            rows.push([info.name, info.config.partitions.to_string(), format!("{at_most}{records}"), cleanup]);
        }
        print_columns(streams, &rows)?;
        if !internal.is_empty() {
            writeln!(streams.notices, "{} not shown: --all", counted(internal.len() as u64, "internal topic"))?;
        }
        Ok(())
    }
}

impl Create {
    pub(super) fn run(self, topics: &dyn Topics, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let config = TopicConfig {
            compact: self.compact,
            retention_ms: self.retention_ms,
            retention_bytes: self.retention_bytes,
            replicas: self.replicas,
            ..TopicConfig::with_partitions(self.partitions)
        };
        let config = config.with_settings(self.settings);
        topics.create(&self.name, &config)?;
        writeln!(streams.notices, "created topic {} with {}", self.name, partitions(self.partitions))?;
        Ok(())
    }
}

impl Describe {
    pub(super) fn run(self, topics: &dyn Topics, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let info = existing(topics, &self.name)?;
        writeln!(streams.output, "topic    {}", info.name)?;
        writeln!(streams.output, "cleanup  {}", cleanup(&info.config))?;
        if let Some(retention_ms) = info.config.retention_ms {
            writeln!(streams.output, "retention.ms     {retention_ms}")?;
        }
        if let Some(retention_bytes) = info.config.retention_bytes {
            writeln!(streams.output, "retention.bytes  {retention_bytes}")?;
        }
        if let Some(replicas) = info.config.replicas {
            writeln!(streams.output, "replicas         {replicas}")?;
        }
        for (name, value) in &info.config.settings {
            writeln!(streams.output, "{name}  {value}")?;
        }
        writeln!(streams.output)?;
        let mut rows = vec![["partition".to_owned(), "start offset".to_owned(), "end offset".to_owned()]];
        let partitions: Vec<TopicPartition> = partitions_of(&info).collect();
        for (partition, range) in partitions.iter().zip(topics.ranges(&partitions, PATIENCE)?) {
            let offset = |offset: Option<i64>| offset.map_or_else(|| "?".to_owned(), |offset| offset.to_string());
            let (start, end) = (range.map(|(start, _)| start), range.map(|(_, end)| end));
            rows.push([partition.partition.to_string(), offset(start), offset(end)]);
        }
        print_columns(streams, &rows)
    }
}

impl Delete {
    pub(super) fn run(self, topics: &dyn Topics, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        topics.delete(&self.name)?;
        writeln!(streams.notices, "deleted topic {}", self.name)?;
        Ok(())
    }
}

fn is_internal(topic: &str) -> bool {
    INTERNAL.iter().any(|prefix| topic.starts_with(prefix))
}

/// `1 partition`, `2 partitions`.
pub(super) fn partitions(count: u32) -> String {
    counted(u64::from(count), "partition")
}

fn parse_retention(text: &str) -> Result<i64, String> {
    let wanted = "write how many milliseconds, 0 or more; without the option records stay";
    text.parse().ok().filter(|&retention| retention >= 0).ok_or_else(|| wanted.to_owned())
}

/// The topic, or the error that it does not exist.
pub(super) fn existing(topics: &dyn Topics, name: &str) -> Result<TopicInfo, TopicFailure> {
    Ok(topics.describe(name)?.ok_or_else(|| TopicError::UnknownTopic { topic: name.to_owned() })?)
}

/// All partitions of a topic.
pub(super) fn partitions_of(info: &TopicInfo) -> impl Iterator<Item = TopicPartition> + use<> {
    let topic: std::sync::Arc<str> = info.name.as_str().into();
    (0..info.config.partitions).map(move |partition| TopicPartition { topic: topic.clone(), partition })
}

fn cleanup(config: &TopicConfig) -> &'static str {
    let limited = config.retention_ms.is_some() || config.retention_bytes.is_some();
    match (config.compact, limited) {
        (true, true) => "compact,delete",
        (true, false) => "compact",
        (false, true) => "delete",
        (false, false) => "none",
    }
}

/// Prints rows of equal length, each column as wide as its widest cell, the last as it is.
fn print_columns<const N: usize>(streams: &mut Streams<'_>, rows: &[[String; N]]) -> Result<(), TopicFailure> {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    for row in rows {
        for (cell, width) in row.iter().zip(widths).take(N - 1) {
            write!(streams.output, "{cell:width$}  ")?;
        }
        writeln!(streams.output, "{}", row[N - 1])?;
    }
    Ok(())
}
