# SPDX-License-Identifier: Apache-2.0
"""nova-profiler top, diff and export: the code that took the time."""
