#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What stack.sh, unstack.sh and clean.sh do as far as a plugin of Nova and
# Placement can see it, in the same order:
#
#   devstack_run.sh PLUGIN_FOLDER stack|unstack|clean
set -o errexit
set -o nounset

plugin=$1
source "$(dirname "${BASH_SOURCE[0]}")/devstack_functions.sh"

NOVA_CONF=$NOVA_CONF_DIR/nova.conf
NOVA_API_PASTE_INI=$NOVA_CONF_DIR/api-paste.ini
PLACEMENT_UWSGI_CONF=$PLACEMENT_CONF_DIR/placement-uwsgi.ini
# local.conf's localrc section: shell variables, none of them exported.
source "$LOCALRC"

function configure_services {
    mkdir -p "$NOVA_CONF_DIR" "$PLACEMENT_CONF_DIR" "$DATA_DIR"
    if is_service_enabled n-api; then
        cp "$PASTE_OF_NOVA" "$NOVA_API_PASTE_INI"
    fi
    rm -f "$NOVA_CONF" "$NOVA_CONF_DIR/nova_cell1.conf" "$PLACEMENT_UWSGI_CONF"
    iniset "$NOVA_CONF" oslo_messaging_notifications driver messagingv2
    iniset "$NOVA_CONF" wsgi api_paste_config "$NOVA_API_PASTE_INI"
    iniset "$NOVA_CONF_DIR/nova_cell1.conf" conductor workers 2
    if is_service_enabled placement; then
        iniset "$PLACEMENT_UWSGI_CONF" uwsgi \
            module placement.wsgi.api:application
        iniset "$PLACEMENT_UWSGI_CONF" uwsgi processes 2
        iniset "$PLACEMENT_UWSGI_CONF" uwsgi env "OF_ANOTHER=1"
    fi
}

source "$plugin/settings"
case $2 in
    stack)
        source "$plugin/plugin.sh" stack pre-install
        source "$plugin/plugin.sh" stack install
        configure_services
        source "$plugin/plugin.sh" stack post-config
        cp "$NOVA_CONF" "$NOVA_CONF_DIR/nova-cpu.conf"
        source "$plugin/plugin.sh" stack extra
        source "$plugin/plugin.sh" stack test-config
        ;;
    unstack)
        source "$plugin/plugin.sh" unstack
        ;;
    clean)
        source "$plugin/plugin.sh" unstack
        source "$plugin/plugin.sh" clean
        ;;
esac
_called "done"
