# SPDX-License-Identifier: Apache-2.0
"""Frames of the interpreter: room for them, and what they show."""
