# SPDX-License-Identifier: Apache-2.0
"""Throws made-up bytes at all that reads what others wrote."""
