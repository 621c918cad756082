"""Confluent's Python client against a schema registry.

  registry.py api URL           every call of the client that the registry answers
  registry.py write URL         records as the serializers write them: lines TOPIC HEX
  registry.py read URL          lines TOPIC HEX on standard input, what the deserializers make of them as JSON

URL may hold user:password@, and $LEVADA_CA name a file of certificates to believe.
"""

import json
import os
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

AVRO = json.dumps({
    "type": "record", "name": "berth", "namespace": "harbour", "fields": [
        {"name": "id", "type": "int"},
        {"name": "name", "type": ["null", "string"], "default": None},
        {"name": "depth", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}},
        {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["PIER", "QUAY"]}},
        {"name": "ships", "type": {"type": "array", "items": "string"}}]})

JSON_SCHEMA = json.dumps({
    "title": "berth", "type": "object", "required": ["id"],
    "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}})


def protobuf_messages():
    """The classes of a message and of one that it imports from another file."""
    field = descriptor_pb2.FieldDescriptorProto
    part = descriptor_pb2.FileDescriptorProto(name="harbour/part.proto", package="harbour", syntax="proto3")
    place = part.message_type.add(name="Place")
    place.field.add(name="quay", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL, json_name="quay")
    whole = descriptor_pb2.FileDescriptorProto(
        name="harbour/berth.proto", package="harbour", syntax="proto3",
        dependency=["harbour/part.proto", "google/protobuf/timestamp.proto"])
    berth = whole.message_type.add(name="Berth")
    berth.field.add(name="id", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL, json_name="id")
    berth.field.add(name="place", number=2, type=field.TYPE_MESSAGE, type_name=".harbour.Place",
                    label=field.LABEL_OPTIONAL, json_name="place")
    berth.field.add(name="since", number=3, type=field.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp",
                    label=field.LABEL_OPTIONAL, json_name="since")
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(part)
    pool.Add(whole)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
            for name in ("harbour.Berth", "harbour.Place")]


def context(topic):
    return SerializationContext(topic, MessageField.VALUE)


def refused(call, status, code):
    try:
        call()
    except SchemaRegistryError as error:
        assert (error.http_status_code, error.error_code) == (status, code), error
        return
    raise AssertionError(f"nothing was refused: {status} {code}")


def api(client):
    subject = "api/with ä and %"
    first = Schema('{"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]}', "AVRO")
    second = Schema(
        '{"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "int"}]}', "AVRO")
    schema_id = client.register_schema(subject, first)
    assert client.register_schema(subject, first, normalize_schemas=True) == schema_id
    assert client.get_schema(schema_id).schema_type == "AVRO"
    found = client.lookup_schema(subject, first)
    assert (found.subject, found.version, found.schema_id) == (subject, 1, schema_id)
    assert client.get_latest_version(subject).version == 1
    assert client.get_version(subject, 1).schema_id == schema_id
    assert subject in client.get_subjects()
    assert client.get_versions(subject) == [1]
    assert client.get_subjects_by_schema_id(schema_id) == [subject]
    assert [one.version for one in client.get_schema_versions(schema_id)] == [1]
    assert set(client.get_schema_types()) == {"AVRO", "JSON", "PROTOBUF"}
    assert not client.test_compatibility(subject, second)
    assert not client.test_compatibility_all_versions(subject, second)
    refused(lambda: client.register_schema(subject, second), 409, 409)
    refused(lambda: client.register_schema(subject, Schema("{", "AVRO")), 422, 42201)
    refused(lambda: client.get_latest_version("nobody"), 404, 40401)
    refused(lambda: client.get_version(subject, 7), 404, 40402)
    refused(lambda: client.get_compatibility(subject), 404, 40408)
    client.set_compatibility(subject, "FORWARD")
    assert client.get_compatibility(subject) == "FORWARD"
    assert client.test_compatibility(subject, second)
    assert client.get_config().compatibility_level == "BACKWARD"
    assert client.get_mode(subject) == "READWRITE" if has_mode(client, subject) else True
    client.update_mode(subject, "READONLY")
    refused(lambda: client.register_schema(subject, second), 422, 42205)
    client.delete_mode(subject)
    second_id = client.register_schema(subject, second)
    assert second_id != schema_id
    part = Schema('{"type": "record", "name": "Part", "fields": []}', "AVRO")
    client.register_schema("part", part)
    whole = Schema('{"type": "record", "name": "Whole", "fields": [{"name": "p", "type": "Part"}]}', "AVRO",
                   [SchemaReference("Part", "part", 1)])
    whole_id = client.register_schema("whole", whole)
    assert client.get_referenced_by("part", 1) == [whole_id]
    refused(lambda: client.delete_subject("part"), 422, 42206)
    assert client.delete_version(subject, 2) == 2
    refused(lambda: client.delete_subject(subject, permanent=True), 404, 40405)
    assert client.delete_subject(subject) == [1]
    assert subject not in client.get_subjects()
    assert subject in client.get_subjects(deleted=True)
    assert client.delete_subject(subject, permanent=True) == [1, 2]
    assert client.get_contexts() == ["."]
    print("every call was answered")


def has_mode(client, subject):
    try:
        client.get_mode(subject)
        return True
    except SchemaRegistryError as error:
        assert error.error_code == 40409, error
        return False


def write(client):
    def show(topic, value):
        print(topic, value.hex())

    from decimal import Decimal
    serialize = AvroSerializer(client, AVRO)
    for number in (1, 2):
        row = {"id": number, "name": None if number == 2 else "é", "depth": Decimal("12.50"), "kind": "QUAY",
               "ships": ["a", "b"]}
        show("avro", serialize(row, context("avro")))
    serialize = JSONSerializer(JSON_SCHEMA, client)
    show("json", serialize({"id": 7, "name": "x"}, context("json")))
    berth, place = protobuf_messages()
    serialize = ProtobufSerializer(berth, client, {"use.deprecated.format": False})
    row = berth(id=9, place=place(quay="north"))
    row.since.FromJsonString("2021-01-01T00:00:00Z")
    show("proto", serialize(row, context("proto")))


def read(client):
    berth, _ = protobuf_messages()
    deserializers = {
        "avro": AvroDeserializer(client),
        "json": JSONDeserializer(None, schema_registry_client=client),
        "proto": ProtobufDeserializer(berth, {"use.deprecated.format": False}, client),
    }
    for line in sys.stdin:
        topic, value = line.split()
        kind = topic.split("-")[0]
        row = deserializers[kind](bytes.fromhex(value), context(topic))
        if kind == "proto":
            row = {"id": row.id, "quay": row.place.quay, "since": row.since.ToJsonString()}
        print(topic, json.dumps(row, default=str, ensure_ascii=False))


def main():
    step, url = sys.argv[1:3]
    settings = {"url": url}
    if "LEVADA_CA" in os.environ:
        settings["ssl.ca.location"] = os.environ["LEVADA_CA"]
    {"api": api, "write": write, "read": read}[step](SchemaRegistryClient(settings))


main()
