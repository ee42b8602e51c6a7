"""Writes the Python modules of `src/agentopic/_proto` from the contracts beside this file (`make proto`)."""

from __future__ import annotations

import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
TARGET = PROTOS.parent / "src" / "agentopic" / "_proto"
PACKAGE = "agentopic._proto"

_VERSION_GUARD = re.compile(r"^GRPC_GENERATED_VERSION.*?(?=^class )", re.DOTALL | re.MULTILINE)
_SIBLING = re.compile(r"^import (\w+_pb2) as", re.MULTILINE)


def generate(target: Path) -> None:
    """Write all generated modules into the directory `target`."""
    with tempfile.TemporaryDirectory() as scratch:
        for file in _compile(Path(scratch)):
            stem = file.name.removesuffix(".proto")
            _write(target / f"{stem}_pb2.py", _messages(file))
            _write(target / f"{stem}_pb2.pyi", _patched(Path(scratch) / f"{stem}_pb2.pyi"))
            if file.service:
                _write(target / f"{stem}_pb2_grpc.py", _patched(Path(scratch) / f"{stem}_pb2_grpc.py"))


def _compile(scratch: Path) -> list[FileDescriptorProto]:
    names = sorted(path.name for path in PROTOS.glob("*.proto"))
    arguments = [
        "protoc",
        f"-I{PROTOS}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--descriptor_set_out={scratch / 'set'}",
        f"--pyi_out={scratch}",
        f"--grpc_python_out={scratch}",
        *names,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc refused the contracts; its message is above")
    return list(FileDescriptorSet.FromString((scratch / "set").read_bytes()).file)


def _messages(file: FileDescriptorProto) -> str:
    siblings = [name.removesuffix(".proto") for name in file.dependency if "/" not in name]
    serialized = file.SerializeToString(deterministic=True)
    chunks = [serialized[start : start + 64] for start in range(0, len(serialized), 64)]
    lines = [
        f'"""Messages of protos/{file.name}; written by protos/generate.py, not by hand."""',
        "",
        *(f"import {PACKAGE}.{sibling}_pb2  # what this file imports comes first" for sibling in siblings),
        f"from {PACKAGE}.pool import load, message_class",
        "",
        "DESCRIPTOR = load(",
        *(f"    {chunk!r}" for chunk in chunks),
        ")",
        *(f'{message.name} = message_class(DESCRIPTOR, "{message.name}")' for message in file.message_type),
    ]
    return "\n".join(lines) + "\n"


def _patched(path: Path) -> str:
    text = _SIBLING.sub(rf"from {PACKAGE} import \1 as", path.read_text())
    # The guard ties the module to the newest grpc although it uses nothing new.
    return _VERSION_GUARD.sub("\n", text).replace("import warnings\n", "")


def _write(path: Path, text: str) -> None:
    path.write_text(text)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
