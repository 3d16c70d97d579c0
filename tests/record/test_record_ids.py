# SPDX-License-Identifier: Apache-2.0
"""Ids of records: of one form, and never twice."""

from __future__ import annotations

import os

from nova_profiler.record.record_ids import RECORD_ID, new_record_id


def test_ids_have_one_form_and_differ():
    """Sixteen lower-case hexadecimal digits."""
    ids = [new_record_id() for _ in range(10_000)]

    assert len(set(ids)) == len(ids)
    assert all(RECORD_ID.fullmatch(one) for one in ids)


def test_a_forked_process_has_ids_of_its_own():
    """It would count on from where its parent is, with the same ids."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writes, new_record_id().encode())
        os._exit(0)
    os.waitpid(pid, 0)

    theirs = os.read(reads, 100).decode()
    ours = [new_record_id() for _ in range(100)]

    os.close(reads)
    os.close(writes)
    assert RECORD_ID.fullmatch(theirs)
    assert theirs not in ours
    assert abs(int(theirs, 16) - int(ours[0], 16)) > 1_000_000
