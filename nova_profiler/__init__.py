# SPDX-License-Identifier: Apache-2.0
"""nova-profiler: where the time of each Nova REST call went."""

__version__ = "0.1.0"
