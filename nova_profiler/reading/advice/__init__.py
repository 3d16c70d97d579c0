# SPDX-License-Identifier: Apache-2.0
"""What would make requests quicker, with the evidence and an upper bound."""
