# SPDX-License-Identifier: Apache-2.0
"""Figures of many requests together; of their dumps few are opened."""
