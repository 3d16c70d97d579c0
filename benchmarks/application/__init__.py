# SPDX-License-Identifier: Apache-2.0
"""The application that every contender wraps, and its database."""
