# SPDX-License-Identifier: Apache-2.0
"""The page of one request, a file for each of its parts."""
