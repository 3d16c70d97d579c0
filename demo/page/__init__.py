# SPDX-License-Identifier: Apache-2.0
"""What the demo prints at its end, made of what the filter wrote."""
