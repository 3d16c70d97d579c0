# SPDX-License-Identifier: Apache-2.0
"""A running nova-api, and what stands in for keystone and neutron."""
