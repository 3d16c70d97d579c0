# SPDX-License-Identifier: Apache-2.0
"""Whether all records arrive through a log shipper, and how fast."""
