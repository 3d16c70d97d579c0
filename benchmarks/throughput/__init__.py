# SPDX-License-Identifier: Apache-2.0
"""What the real nova-api keeps of its throughput."""
