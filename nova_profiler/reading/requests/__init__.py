# SPDX-License-Identifier: Apache-2.0
"""nova-profiler list, show, calls and prune: requests out of dumps."""
