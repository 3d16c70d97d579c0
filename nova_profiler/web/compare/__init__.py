# SPDX-License-Identifier: Apache-2.0
"""The page that compares two sides: routes, directories, spans of time."""
