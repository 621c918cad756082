//! What the cluster that librdkafka plays itself can show. Tests with a real one are in `tests/kafka`.

use rdkafka::bindings::rd_kafka_test_fatal_error;
use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaRespErr;

use super::*;
use crate::storage::MemoryStorage;
use crate::types::RecordChunkBuilder;

fn write(topics: &KafkaTopics, value: &str) -> Result<(), TopicError> {
    let mut record = RecordChunkBuilder::new();
    record.push(None, Some(value.as_bytes()), 1);
    topics.commit(Transaction { appends: vec![(partition(), record.finish())], ..Transaction::default() })
}

fn partition() -> TopicPartition {
    TopicPartition { topic: "t".into(), partition: 0 }
}

#[test]
fn records_are_written_again_after_the_client_has_given_up() {
    let cluster = MockCluster::new(1).expect("a cluster");
    cluster.create_topic("t", 1, 1).expect("a topic");
    let properties = [("bootstrap.servers".to_owned(), cluster.bootstrap_servers())].into();
    let topics = KafkaTopics::open(&properties, Arc::new(MemoryStorage::default())).expect("the cluster answers");
    write(&topics, "before").expect("written");

    let client = topics.producer.lock().expect("nobody has died").as_ref().map(Producer::ptr).expect("a client");
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    // SAFETY: the client is alive, the text a C string.
    unsafe { rd_kafka_test_fatal_error(client, error, c"it gives up".as_ptr()) };
    write(&topics, "meanwhile").expect_err("the client has given up");

    write(&topics, "after").expect("another client writes it");
    assert_eq!(topics.end_offset(&partition()).expect("the cluster answers"), 2);
}
