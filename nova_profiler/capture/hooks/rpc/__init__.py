# SPDX-License-Identifier: Apache-2.0
"""Hook of oslo.messaging: what is sent, and what serialising it takes."""
