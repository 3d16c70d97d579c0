# SPDX-License-Identifier: Apache-2.0
"""A report as text for others than a terminal; each is one file."""
