# SPDX-License-Identifier: Apache-2.0
"""nova-profiler history trend: which routes changed level, and when."""
