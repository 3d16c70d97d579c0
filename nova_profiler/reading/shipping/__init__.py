# SPDX-License-Identifier: Apache-2.0
"""The record's JSON Schema, and log shippers' configuration made of it."""
