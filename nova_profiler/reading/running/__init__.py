# SPDX-License-Identifier: Apache-2.0
"""nova-profiler running: the requests that are on right now."""
