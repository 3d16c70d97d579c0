# SPDX-License-Identifier: Apache-2.0
"""Finds the records of a request in folders and logs of many hosts."""
