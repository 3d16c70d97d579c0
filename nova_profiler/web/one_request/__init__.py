# SPDX-License-Identifier: Apache-2.0
"""The page of one request: what is around it, and what it can be had as."""
