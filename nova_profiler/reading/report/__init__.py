# SPDX-License-Identifier: Apache-2.0
"""nova-profiler report: the slow calls in logs."""
