# SPDX-License-Identifier: Apache-2.0
"""What one call costs through each hook."""
