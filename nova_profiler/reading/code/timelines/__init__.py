# SPDX-License-Identifier: Apache-2.0
"""Requests over time in the formats of other programs: calls and stacks."""
