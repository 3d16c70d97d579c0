# SPDX-License-Identifier: Apache-2.0
"""Processes that stand in for nova's neighbours, each with a delay."""
