# SPDX-License-Identifier: Apache-2.0
"""The page of one route: how long it takes, when, and where the time is."""
