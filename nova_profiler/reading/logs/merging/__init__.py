# SPDX-License-Identifier: Apache-2.0
"""Several lines about one request become one entry."""
