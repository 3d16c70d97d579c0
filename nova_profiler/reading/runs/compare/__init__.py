# SPDX-License-Identifier: Apache-2.0
"""nova-profiler compare: per-route change between runs."""
