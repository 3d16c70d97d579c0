# SPDX-License-Identifier: Apache-2.0
"""Configuration for what takes our metrics: written from the table of them."""
