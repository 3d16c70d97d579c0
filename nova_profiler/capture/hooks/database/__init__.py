# SPDX-License-Identifier: Apache-2.0
"""Hooks of the database: the DB API, statements, the driver and its pool."""
