# SPDX-License-Identifier: Apache-2.0
"""What inputs are made of: kept files, mutations of them, lines and JSON."""
