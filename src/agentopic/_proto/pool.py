"""The descriptor pool of the generated messages: a private one, which clashes with no other package.

Two files that define one message name cannot share a pool, and AutoGen's packages put theirs into the default
one. Therefore `Any` and `Timestamp` inside these messages are classes of this pool: set them by their fields,
`Pack` or `ParseFromString`, not by `CopyFrom` of the classes in `google.protobuf`. Classes are built when a
module is imported, by the public API of protobuf; so no particular version of the runtime is needed.
"""

from __future__ import annotations

from google.protobuf import any_pb2, timestamp_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_POOL = DescriptorPool()
for _known in (any_pb2, timestamp_pb2):
    _POOL.AddSerializedFile(_known.DESCRIPTOR.serialized_pb)


def load(serialized_file: bytes) -> FileDescriptor:
    """Add a file to the pool; the files it imports must be there."""
    _POOL.AddSerializedFile(serialized_file)
    return _POOL.FindFileByName(FileDescriptorProto.FromString(serialized_file).name)


def message_class(file: FileDescriptor, name: str) -> type[Message]:
    """Return the class of a top-level message of the file."""
    return GetMessageClass(file.message_types_by_name[name])
