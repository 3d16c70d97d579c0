# SPDX-License-Identifier: Apache-2.0
"""What is done so that files of others harm neither a service nor a user."""
