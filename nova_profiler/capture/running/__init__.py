# SPDX-License-Identifier: Apache-2.0
"""Requests that are on: found, described, kept track of by one thread."""
