# SPDX-License-Identifier: Apache-2.0
"""The door for services without a pipeline: switched on by configuration."""
