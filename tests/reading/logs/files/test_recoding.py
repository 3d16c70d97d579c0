# SPDX-License-Identifier: Apache-2.0
"""Exports, tables and UTF-16 become lines of JSON, whatever is in them."""

from __future__ import annotations

import io
import json

import log_sets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.logs import Unread, entries_of
from nova_profiler.reading.logs.files.recoding import packing_of, unpacked
from nova_profiler.reading.logs.forms import BAD_RECORD

LINES = [
    log_sets.line(
        f"08:00:0{number}.000",
        log_sets.WSGI,
        log_sets.req(number),
        log_sets.asked("GET /v2.1/servers", 200, number / 10),
    )
    for number in (1, 2, 3)
]
HITS = {
    "took": 3,
    "_shards": {"total": 1},
    "hits": {
        "total": {"value": 3},
        "hits": [{"_source": {"message": text}} for text in LINES],
    },
}
LOKI = {
    "status": "success",
    "data": {
        "resultType": "streams",
        "result": [
            {
                "stream": {"container": "nova_api"},
                "values": [["1772611200000000000", text] for text in LINES],
            }
        ],
    },
}
SPLUNK = {
    "preview": False,
    "init_offset": 0,
    "messages": [],
    "results": [{"_raw": text} for text in LINES],
}
KOLLA = [
    {
        "Payload": text.partition("] ")[2],
        "programname": "nova-api",
        "python_module": log_sets.WSGI,
        "request_id": log_sets.req(number).removeprefix("req-"),
        "Timestamp": f"2026-03-04 08:00:0{number}.000",
    }
    for number, text in enumerate(LINES, 1)
]
APART = [
    {
        "@timestamp": "2026-03-04T08:00:00Z",
        "program": "nova-api",
        "request_id": log_sets.req(number),
        "http_method": "GET",
        "http_url": "/v2.1/servers",
        "http_status": "200",
        "api_response_time_num": number / 10,
    }
    for number in (1, 2, 3)
]


def table(texts) -> str:
    rows = ['"_time","source","_raw"']
    rows += [
        '"x","/var/log/nova/nova-api.log","' + text.replace('"', '""') + '"'
        for text in texts
    ]
    return "\n".join(rows) + "\n"


FILES = {
    "hits": json.dumps(HITS).encode(),
    "hits over lines": json.dumps(HITS, indent=2).encode(),
    "loki": json.dumps(LOKI).encode(),
    "splunk": json.dumps(SPLUNK).encode(),
    "array": json.dumps(KOLLA).encode(),
    "objects over lines": "\n".join(
        json.dumps(one, indent=1) for one in KOLLA
    ).encode(),
    "taken apart": "\n".join(map(json.dumps, APART)).encode(),
    "csv": table(LINES).encode(),
    "csv with a mark": b"\xef\xbb\xbf" + table(LINES).encode(),
    "utf-16": "\r\n".join(LINES).encode("utf-16"),
    "a hole of rotation": b"\0" * 262_144 + "\n".join(LINES).encode(),
    "halves": "\n".join(
        f"2026-03-04T08:00:00Z stdout P {text[:90]}\n"
        f"2026-03-04T08:00:00Z stdout F {text[90:]}"
        for text in LINES
    ).encode(),
}


def found(path, unread=None):
    return list(entries_of([str(path)], unread or Unread()))


@pytest.mark.parametrize("name", FILES)
def test_all_of_a_file_is_read(tmp_path, name):
    """Each record, with its id, service and time."""
    path = tmp_path / "nova-api.log"
    path.write_bytes(FILES[name])

    unread = Unread()
    entries = found(path, unread)

    assert list(unread) == []
    assert [round(one.ms) for one in entries] == [100, 200, 300]
    assert [one.request_id for one in entries] == [
        *map(log_sets.req, (1, 2, 3))
    ]
    assert {one.service for one in entries} == {"nova-api"}
    assert all(one.at is not None for one in entries)


@pytest.mark.parametrize("name", ["hits", "hits over lines", "array"])
def test_an_export_that_was_cut(tmp_path, name):
    """What was whole is read, and the rest is counted."""
    path = tmp_path / "export.json"
    data = FILES[name]
    path.write_bytes(data[: data.rindex(b"200") + 3])
    unread = Unread()

    assert [round(one.ms) for one in found(path, unread)] == [100, 200]
    assert unread.count_of(BAD_RECORD) == 1


@given(st.binary(max_size=200), st.sampled_from(list(FILES.values())))
def test_any_bytes_are_lines_or_nothing(noise, data):
    """No head and no text of a file is an error."""
    for text in (noise, data[:500] + noise, noise + data[:500]):
        packing = packing_of(text)
        reader = unpacked(io.BytesIO(text), packing)
        while reader.read1(64):
            pass


@given(st.integers(1, 64))
def test_pieces_of_any_size(size):
    """A record may end anywhere in what is read at once."""

    class Slow(io.BytesIO):
        def read1(self, wanted: int = -1) -> bytes:
            return super().read1(size)

    data = FILES["hits over lines"]
    read = b""
    reader = unpacked(Slow(data), packing_of(data))
    while piece := reader.read1(100):
        read += piece

    lines = [json.loads(text) for text in read.splitlines()]
    assert [one["_source"]["message"] for one in lines] == LINES
