# SPDX-License-Identifier: Apache-2.0
"""Counted calls: the files of pstats, read without marshal."""
