# SPDX-License-Identifier: Apache-2.0
"""What inputs are made of: mutations of files, lines and JSON."""
