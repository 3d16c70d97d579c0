# SPDX-License-Identifier: Apache-2.0
"""What all benchmarks share: pinned processes, limits, output."""
