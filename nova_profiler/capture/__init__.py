# SPDX-License-Identifier: Apache-2.0
"""Capture: what runs inside a worker of a Nova service."""
