# SPDX-License-Identifier: Apache-2.0
"""What nova-profiler costs, beside other profilers and a floor."""
