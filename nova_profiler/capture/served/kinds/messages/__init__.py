# SPDX-License-Identifier: Apache-2.0
"""Messages that oslo.messaging's RPC servers serve."""
