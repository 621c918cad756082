"""Parcels with a field of every type, written and read by Confluent's serializers, by fastavro and by protoc's own classes.

  parcels.py write URL             lines TOPIC KEY VALUE, bytes as 0x…, as the serializers write them
  parcels.py read URL              such lines on standard input; what the deserializers make of them, as lines TOPIC KEY VALUE
  parcels.py produce URL SERVERS   the same records to a Kafka
  parcels.py consume URL SERVERS TOPIC…   all records of topics of a Kafka, as `read` shows them
  parcels.py adopt URL FROM TO     gives the subject TO the schema of the subject FROM, says its id

Each value is decoded twice, by the deserializer, and by fastavro and Apache Avro, jsonschema, or a class that protoc has made of the
schema's text. All must say the same.
"""

import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
from datetime import date, datetime, time, timezone
from decimal import Decimal

import avro.io
import avro.schema
import fastavro
import jsonschema
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.confluent import meta_pb2
from confluent_kafka.schema_registry.confluent.type import decimal_pb2
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import (
    descriptor_pb2, descriptor_pool, json_format, message_factory, timestamp_pb2, wrappers_pb2)
from google.type import date_pb2, timeofday_pb2

HERE = pathlib.Path(__file__).parent

AVRO = {
    "type": "record", "name": "Parcel", "namespace": "post", "fields": [
        {"name": "id", "type": "long"},
        {"name": "grams", "type": "int"},
        {"name": "fragile", "type": "boolean"},
        {"name": "height", "type": ["null", "double"], "default": None},
        {"name": "width", "type": "float"},
        {"name": "note", "type": ["string", "null"], "default": "none"},
        {"name": "fee", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}},
        {"name": "tax", "default": None, "type": [
            "null", {"type": "fixed", "name": "Tax", "size": 4, "logicalType": "decimal", "precision": 6, "scale": 3}]},
        {"name": "posted_on", "type": {"type": "int", "logicalType": "date"}},
        {"name": "pickup", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "scanned_at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        {"name": "label", "type": "bytes"},
        {"name": "code", "type": {"type": "fixed", "name": "Code", "size": 3}},
        {"name": "service", "type": {"type": "enum", "name": "Service", "symbols": ["STANDARD", "EXPRESS"]}},
        {"name": "stops", "type": {"type": "array", "items": {"type": "record", "name": "Stop", "fields": [
            {"name": "town", "type": "string"}, {"name": "hours", "type": ["null", "int"]}]}}},
        {"name": "sizes", "type": {"type": "map", "values": "int"}},
        {"name": "tags", "type": ["null", {"type": "array", "items": ["null", "string"]}], "default": None},
        {"name": "sender", "type": {"type": "record", "name": "Person", "fields": [
            {"name": "name", "type": "string"},
            {"name": "address", "type": ["null", {"type": "record", "name": "Address", "fields": [
                {"name": "city", "type": "string"}, {"name": "zip", "type": ["null", "string"]}]}]}]}},
        {"name": "payer", "type": ["null", "int", {"type": "record", "name": "Company", "fields": [
            {"name": "vat", "type": "string"}]}]},
        {"name": "again", "type": ["null", "Code"], "default": None},
    ]}

# The notes beginning with `connect.` and the titles are those of Kafka Connect: JSON has no days, times and decimals of its own.
JSON = {
    "title": "Parcel", "type": "object", "required": ["id", "grams"], "additionalProperties": False, "properties": {
        "id": {"type": "integer"},
        "grams": {"type": "integer", "connect.type": "int32"},
        "fragile": {"type": "boolean"},
        "height": {"type": ["number", "null"]},
        "width": {"type": "number", "connect.type": "float32"},
        "note": {"oneOf": [{"type": "null"}, {"type": "string"}]},
        "fee": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes",
                "connect.parameters": {"scale": "2", "connect.decimal.precision": "8"}},
        "posted_on": {"type": "integer", "title": "org.apache.kafka.connect.data.Date", "connect.type": "int32"},
        "pickup": {"type": "integer", "title": "org.apache.kafka.connect.data.Time", "connect.type": "int32"},
        "scanned_at": {"oneOf": [{"type": "null"}, {
            "type": "integer", "title": "org.apache.kafka.connect.data.Timestamp", "connect.type": "int64"}]},
        "label": {"type": "string", "connect.type": "bytes"},
        "service": {"enum": ["STANDARD", "EXPRESS"]},
        "stops": {"type": "array", "items": {"type": "object", "properties": {
            "town": {"type": "string"}, "hours": {"type": ["integer", "null"], "connect.type": "int32"}}}},
        "sizes": {"type": "object", "additionalProperties": {"type": "integer", "connect.type": "int32"}},
        "tags": {"oneOf": [{"type": "null"}, {"type": "array", "items": {"type": ["string", "null"]}}]},
        "sender": {"$ref": "#/definitions/person"},
        "payer": {"oneOf": [{"type": "null"}, {"type": "integer"}, {
            "type": "object", "properties": {"vat": {"type": "string"}}}]},
    },
    "definitions": {"person": {"type": "object", "properties": {
        "name": {"type": "string"},
        "address": {"oneOf": [{"type": "null"}, {"type": "object", "properties": {
            "city": {"type": "string"}, "zip": {"type": ["string", "null"]}}}]}}}}}

NOON = datetime(2024, 2, 29, 12, 0, 0, 250000, tzinfo=timezone.utc)


def avro_rows():
    full = {
        "id": 9_000_000_001, "grams": -250, "fragile": True, "height": 12.25, "width": 0.5, "note": "Grüße 📦", "fee": Decimal("-1234.50"),
        "tax": Decimal("19.005"), "posted_on": date(1969, 12, 31), "pickup": time(23, 59, 59, 999000), "scanned_at": NOON,
        "label": b"\x00\xff", "code": b"abc", "service": "EXPRESS",
        "stops": [{"town": "Évora", "hours": 3}, {"town": "Faro", "hours": None}], "sizes": {"wide": 40}, "tags": ["a", None],
        "sender": {"name": "Ines", "address": {"city": "Faro", "zip": None}}, "payer": ("post.Company", {"vat": "PT5"}),
        "again": b"xyz"}
    scant = {
        "id": -1, "grams": 0, "fragile": False, "height": None, "width": -1.5, "note": None, "fee": Decimal("0.01"), "tax": None,
        "posted_on": date(2024, 2, 29), "pickup": time(0), "scanned_at": None, "label": b"", "code": b"\x00\x01\x02",
        "service": "STANDARD", "stops": [], "sizes": {}, "tags": None, "sender": {"name": "", "address": None}, "payer": 7,
        "again": None}
    return [(1, full), (2, scant), (3, None)]


def json_rows():
    full = {
        "id": 9_000_000_001, "grams": -250, "fragile": True, "height": 12.25, "width": 0.5, "note": "Grüße 📦", "fee": -1234.5,
        "posted_on": -1, "pickup": 86_399_999, "scanned_at": 1_709_208_000_250, "label": "AP8=", "service": "EXPRESS",
        "stops": [{"town": "Évora", "hours": 3}, {"town": "Faro", "hours": None}], "sizes": {"wide": 40}, "tags": ["a", None],
        "sender": {"name": "Ines", "address": {"city": "Faro", "zip": None}}, "payer": {"vat": "PT5"}}
    # Members that may be null may be left out, too.
    scant = {
        "id": -1, "grams": 0, "fragile": False, "height": None, "width": -1.5, "fee": 0.01, "posted_on": 19_782, "pickup": 0, "label": "",
        "service": "STANDARD", "stops": [], "sizes": {}, "sender": {"name": "", "address": None}, "payer": 7}
    return [(1, full), (2, scant), (3, None)]


def protobuf_rows(parcel):
    full = parcel(
        id=9_000_000_001, grams=-250, fragile=True, height=12.25, width=0.5, label=b"\x00\xff", service=parcel.EXPRESS,
        tags=["a", ""], company="PT5", balance=-5, route=4_000_000_000, marks=[1, -1])
    full.note.value = "Grüße 📦"
    # The precision is that of this number, as the Java serializer has it.
    full.fee.value, full.fee.precision, full.fee.scale = (-123450).to_bytes(3, "big", signed=True), 6, 2
    full.posted_on.year, full.posted_on.month, full.posted_on.day = 1969, 12, 31
    full.pickup.hours, full.pickup.minutes, full.pickup.seconds, full.pickup.nanos = 23, 59, 59, 999_000_000
    full.scanned_at.FromDatetime(NOON)
    full.stops.add(town="Évora", hours=3)
    full.stops.add(town="Faro")
    full.sizes["wide"] = 40
    full.sender.name, full.sender.address.city = "Ines", "Faro"
    scant = parcel(id=-1, height=0.0, account=0)
    return [(1, full), (2, scant), (3, None)]


# Files that others import; the packages have them compiled.
KNOWN = (descriptor_pb2, timestamp_pb2, wrappers_pb2, date_pb2, timeofday_pb2, decimal_pb2, meta_pb2)


def compiled(text, references, pool):
    """The first message of the file `text` as protoc compiles it, with those that it imports, texts by name; its class is of `pool`."""
    known = descriptor_pb2.FileDescriptorSet()
    for module in KNOWN:
        module.DESCRIPTOR.CopyToProto(known.file.add())
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**references, "main.proto": text}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        given, out = pathlib.Path(folder, "known"), pathlib.Path(folder, "compiled")
        given.write_bytes(known.SerializeToString())
        # What stands in the folder comes before what is known.
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--descriptor_set_in={given}", "--include_imports",
             f"--descriptor_set_out={out}", "main.proto"], check=True)
        described = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    for file in described.file:
        try:
            pool.FindFileByName(file.name)
        except KeyError:
            pool.Add(file)
    name = next(iter(pool.FindFileByName("main.proto").message_types_by_name.values())).full_name
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def parcel_class():
    """In the pool of the packages' own classes: the serializer looks there for the files that it imports."""
    return compiled((HERE / "parcel.proto").read_text(), {}, descriptor_pool.Default())


def context(topic, field=MessageField.VALUE):
    return SerializationContext(topic, field)


def written(client):
    """Topic, key and value of every record."""
    avro_key, avro_value = AvroSerializer(client, '"int"'), AvroSerializer(client, json.dumps(AVRO))
    json_key = JSONSerializer('{"type": "integer", "connect.type": "int32"}', client)
    json_value = JSONSerializer(json.dumps(JSON), client)
    parcel = parcel_class()
    protobuf = ProtobufSerializer(parcel, client, {"use.deprecated.format": False})
    for topic, rows, key, value in (
            ("parcels-avro", avro_rows(), avro_key, avro_value),
            ("parcels-json", json_rows(), json_key, json_value),
            ("parcels-protobuf", protobuf_rows(parcel), lambda number, _: struct.pack(">i", number), protobuf)):
        for number, row in rows:
            key_bytes = key(number, context(topic, MessageField.KEY))
            yield topic, key_bytes, None if row is None else value(row, context(topic))


def with_references(client, schema, files):
    for reference in schema.references or ():
        found = client.get_version(reference.subject, reference.version).schema
        files[reference.name] = found.schema_str
        with_references(client, found, files)
    return files


def plain(value):
    """What JSON can say of a value."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def shown(value):
    return json.dumps(value, default=plain, ensure_ascii=False)


def decoded(client, topic, field, bytes_):
    """What the bytes of a key or value say, twice."""
    if bytes_ is None:
        return "null"
    if bytes_[:1] != b"\0" or len(bytes_) < 6:
        return shown(bytes_)
    schema = client.get_schema(int.from_bytes(bytes_[1:5], "big"))
    if schema.schema_type == "AVRO":
        value = AvroDeserializer(client)(bytes_, context(topic, field))
        reader = avro.io.DatumReader(avro.schema.parse(schema.schema_str))
        again = reader.read(avro.io.BinaryDecoder(io.BytesIO(bytes_[5:])))
        assert value == fastavro.schemaless_reader(io.BytesIO(bytes_[5:]), json.loads(schema.schema_str))
        assert shown(value) == shown(again), (value, again)
        return shown(value)
    if schema.schema_type == "JSON":
        value = JSONDeserializer(None, schema_registry_client=client)(bytes_, context(topic, field))
        again = json.loads(bytes_[5:])
        jsonschema.validate(again, json.loads(schema.schema_str))
        assert value == again, (value, again)
        return shown(value)
    message = compiled(schema.schema_str, with_references(client, schema, {}), descriptor_pool.DescriptorPool())
    value = ProtobufDeserializer(message, {"use.deprecated.format": False}, client)(bytes_, context(topic, field))
    # Behind the id: the place of the message in its file, a single 0 for the first.
    assert bytes_[5] == 0 and value == message.FromString(bytes_[6:])
    return json.dumps(json_format.MessageToDict(value, preserving_proto_field_name=True), ensure_ascii=False)


def read(client, topic, key, value):
    print(topic, decoded(client, topic, MessageField.KEY, key), decoded(client, topic, MessageField.VALUE, value))


def hexadecimal(bytes_):
    return "" if bytes_ is None else "0x" + bytes_.hex()


def read_lines(client):
    def bytes_of(text):
        return bytes.fromhex(text.removeprefix("0x")) if text else None

    for line in sys.stdin:
        topic, key, value = line.rstrip("\n").split(" ")
        read(client, topic, bytes_of(key), bytes_of(value))


def produce(client, servers):
    producer = Producer({"bootstrap.servers": servers})
    failures = []
    for number, (topic, key, value) in enumerate(written(client)):
        producer.produce(topic, key=key, value=value, partition=0, timestamp=1_700_000_000_000 + number,
                         on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(60) == 0 and not failures, failures


def consume(client, servers, topics):
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "parcels", "isolation.level": "read_committed",
                         "enable.auto.commit": False, "enable.partition.eof": True})
    for topic in topics:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while True:
            message = consumer.poll(60)
            assert message is not None, f"nothing comes of {topic}"
            if message.error():
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                break
            read(client, topic, message.key(), message.value())
    consumer.close()


def main():
    step, url, *arguments = sys.argv[1:]
    client = SchemaRegistryClient({"url": url})
    if step == "write":
        for topic, key, value in written(client):
            print(topic, hexadecimal(key), hexadecimal(value))
    elif step == "read":
        read_lines(client)
    elif step == "produce":
        produce(client, *arguments)
    elif step == "consume":
        consume(client, arguments[0], arguments[1:])
    elif step == "adopt":
        found = client.get_latest_version(arguments[0]).schema
        print(client.register_schema(arguments[1], found))
    else:
        raise SystemExit(f"unknown step {step}")


main()
