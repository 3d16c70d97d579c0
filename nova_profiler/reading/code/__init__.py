# SPDX-License-Identifier: Apache-2.0
"""nova-profiler top, diff and export: which line of code."""
