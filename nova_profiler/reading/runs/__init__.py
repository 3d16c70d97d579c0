# SPDX-License-Identifier: Apache-2.0
"""Runs kept as Parquet, one row a request, and what is asked of them."""

# A route with fewer calls, in a run or on a side, is not judged.
FEW_CALLS = 20

# A method and a route.
RouteKey = tuple[str, str]
