# SPDX-License-Identifier: Apache-2.0
"""What the commands share: options, progress, what was skipped, formats."""
