# SPDX-License-Identifier: Apache-2.0
"""nova-profiler follow: one request over the logs of all services."""
