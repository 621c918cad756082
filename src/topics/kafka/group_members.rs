//! Who reads which topics, by what the members of consumer groups were given to read.
//!
//! ```text
//! assignment   version (2 bytes) ‖ number of topics (4) ‖ topic … ‖ user data
//! topic        length (2) ‖ name ‖ number of partitions (4) ‖ partition (4) …
//! ```

use rdkafka::groups::GroupList;

use crate::topics::TopicConsumers;

/// What members of groups of this kind are given has the layout above.
const CONSUMERS: &str = "consumer";

/// The consumers of all `groups`, by topic and group.
pub(super) fn consumers(groups: &GroupList) -> Vec<TopicConsumers> {
    let mut found: Vec<TopicConsumers> = Vec::new();
    for group in groups.groups().iter().filter(|group| group.protocol_type() == CONSUMERS) {
        for member in group.members() {
            // What is not understood is of a client with a layout of its own.
            let topics = member.assignment().and_then(assigned_topics).unwrap_or_default();
            topics.into_iter().for_each(|topic| add(&mut found, group.name(), topic));
        }
    }
    found
}

fn add(found: &mut Vec<TopicConsumers>, group: &str, topic: String) {
    match found.iter_mut().find(|known| known.group == group && known.topic == topic) {
        Some(known) => known.consumers += 1,
        None => found.push(TopicConsumers { topic, group: group.to_owned(), consumers: 1 }),
    }
}

/// Topics of an assignment of which there is at least one partition.
fn assigned_topics(mut bytes: &[u8]) -> Option<Vec<String>> {
    let _version = take_i16(&mut bytes)?;
    let count = take_i32(&mut bytes)?;
    let mut topics = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(take_i16(&mut bytes)?).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        let partitions = take_i32(&mut bytes)?;
        for _ in 0..partitions {
            take_i32(&mut bytes)?;
        }
        if partitions > 0 {
            topics.push(std::str::from_utf8(name).ok()?.to_owned());
        }
    }
    Some(topics)
}

fn take_i16(bytes: &mut &[u8]) -> Option<i16> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(i16::from_be_bytes(*number))
}

fn take_i32(bytes: &mut &[u8]) -> Option<i32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(i32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_and_others_passed_over() {
        let topic = |name: &str, partitions: &[i32]| {
            let mut bytes = (name.len() as i16).to_be_bytes().to_vec();
            bytes.extend(name.bytes());
            bytes.extend((partitions.len() as i32).to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
            bytes
        };
        let head = [&1_i16.to_be_bytes()[..], &3_i32.to_be_bytes()].concat();
        let bytes = [head, topic("a", &[0, 2]), topic("b", &[]), topic("c", &[1]), vec![0; 4]].concat();
        assert_eq!(assigned_topics(&bytes), Some(vec!["a".to_owned(), "c".to_owned()]));
        for length in [0, 1, 5, 8, bytes.len() - 9] {
            assert_eq!(assigned_topics(&bytes[..length]), None, "{length}");
        }
        assert_eq!(assigned_topics(b"\0\0\x7f\xff\xff\xff"), None, "a count that lies");
    }
}
