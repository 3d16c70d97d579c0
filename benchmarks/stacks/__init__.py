# SPDX-License-Identifier: Apache-2.0
"""Trials of the reader of stacks: impossible stacks, stacks of others."""
