# SPDX-License-Identifier: Apache-2.0
"""Finds records in folders and logs of many hosts, and says where none are."""
