# SPDX-License-Identifier: Apache-2.0
"""Figures from records, and how they are shown."""
