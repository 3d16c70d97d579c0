# SPDX-License-Identifier: Apache-2.0
"""Runs kept as Parquet, one row a request, and what is asked of them."""
