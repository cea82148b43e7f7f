"""Print what the file of an offline W&B run holds, as JSON: ``python wandb_file.py RUN.wandb``.

The file is a log of protobuf records in blocks of 32 kB: after a head of 7 bytes, each piece of a record has its
checksum (4 bytes), length (2) and place in the record (1: whole, 2: first, 3: further, 4: last).
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 32768
_HEAD = 7
_WHOLE, _LAST = 1, 4


def records(data: bytes) -> Iterator[bytes]:
    at, record = _HEAD, b""
    while at + _HEAD <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEAD:
            at += left
            continue
        _, length, place = struct.unpack("<IHB", data[at : at + _HEAD])
        record += data[at + _HEAD : at + _HEAD + length]
        at += _HEAD + length
        if place in (_WHOLE, _LAST):
            yield record
            record = b""


def main() -> None:
    from wandb.proto import wandb_internal_pb2

    found: dict[str, object] = {"summary": {}, "config": {}, "files": []}
    for content in records(Path(sys.argv[1]).read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            found |= {"id": run.run_id, "name": run.display_name, "project": run.project, "tags": list(run.tags)}
            found["config"] |= {each.key: json.loads(each.value_json) for each in run.config.update}
        elif kind == "summary":
            found["summary"] |= {
                each.key or "/".join(each.nested_key): json.loads(each.value_json) for each in record.summary.update
            }
        elif kind == "request" and record.request.WhichOneof("request_type") == "log_artifact":
            found["files"] += [each.path for each in record.request.log_artifact.artifact.manifest.contents]
        elif kind == "artifact":
            found["files"] += [each.path for each in record.artifact.manifest.contents]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
