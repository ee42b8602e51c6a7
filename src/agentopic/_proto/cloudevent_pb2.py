"""Messages of protos/cloudevent.proto; written by protos/generate.py, not by hand."""

from agentopic._proto.pool import load, message_class

DESCRIPTOR = load(
    b'\n\x10cloudevent.proto\x12\x11io.cloudevents.v1\x1a\x19google/protobuf/any.proto'
    b'\x1a\x1fgoogle/protobuf/timestamp.proto"\xcf\x05\n\nCloudEvent\x12\x0e\n\x02id\x18\x01 \x01(\tR\x02id'
    b'\x12\x16\n\x06source\x18\x02 \x01(\tR\x06source\x12!\n\x0cspec_version\x18\x03 \x01(\tR\x0bspecVersion\x12\x12\n\x04t'
    b'ype\x18\x04 \x01(\tR\x04type\x12M\n\nattributes\x18\x05 \x03(\x0b2-.io.cloudevents.v1.CloudEve'
    b'nt.AttributesEntryR\nattributes\x12!\n\x0bbinary_data\x18\x06 \x01(\x0cH\x00R\nbinaryDat'
    b'a\x12\x1d\n\ttext_data\x18\x07 \x01(\tH\x00R\x08textData\x125\n\nproto_data\x18\x08 \x01(\x0b2\x14.google.pr'
    b'otobuf.AnyH\x00R\tprotoData\x1au\n\x0fAttributesEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12L\n\x05'
    b'value\x18\x02 \x01(\x0b26.io.cloudevents.v1.CloudEvent.CloudEventAttributeVa'
    b'lueR\x05value:\x028\x01\x1a\x9a\x02\n\x18CloudEventAttributeValue\x12\x1f\n\nce_boolean\x18\x01 \x01(\x08H'
    b'\x00R\tceBoolean\x12\x1f\n\nce_integer\x18\x02 \x01(\x05H\x00R\tceInteger\x12\x1d\n\tce_string\x18\x03 \x01(\t'
    b'H\x00R\x08ceString\x12\x1b\n\x08ce_bytes\x18\x04 \x01(\x0cH\x00R\x07ceBytes\x12\x17\n\x06ce_uri\x18\x05 \x01(\tH\x00R\x05ceU'
    b'ri\x12\x1e\n\nce_uri_ref\x18\x06 \x01(\tH\x00R\x08ceUriRef\x12?\n\x0cce_timestamp\x18\x07 \x01(\x0b2\x1a.googl'
    b'e.protobuf.TimestampH\x00R\x0bceTimestampB\x06\n\x04attrB\x06\n\x04dataB\x1e\xaa\x02\x1bMicrosof'
    b't.AutoGen.Contractsb\x06proto3'
)
CloudEvent = message_class(DESCRIPTOR, "CloudEvent")
