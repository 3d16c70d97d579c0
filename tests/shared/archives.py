# SPDX-License-Identifier: Apache-2.0
"""Compresses logs for tests in each way that the commands read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from functools import partial

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESSORS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    # With a checksum, as the program zstd does by default.
    "zst": partial(
        zstd.compress, options={zstd.CompressionParameter.checksum_flag: 1}
    ),
}
