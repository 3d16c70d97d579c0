# SPDX-License-Identifier: Apache-2.0
"""Bounds that have a number: lines, and archives of much text."""
