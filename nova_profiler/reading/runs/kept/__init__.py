# SPDX-License-Identifier: Apache-2.0
"""The runs that a history keeps."""
