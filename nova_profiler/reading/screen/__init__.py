# SPDX-License-Identifier: Apache-2.0
"""Terminals and pages: how figures are laid out."""
