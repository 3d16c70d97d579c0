# SPDX-License-Identifier: Apache-2.0
"""The real nova-api on one machine, for the demo, tests and benchmarks."""
