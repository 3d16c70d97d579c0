#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Stand-ins for what devstack gives a plugin, written after the contract that
# devstack documents: same names, arguments and effects. What would install or
# start something writes a line to $CALLS instead.

function _called {
    echo "$*" >>"$CALLS"
}

function define_plugin {
    _called define_plugin "$@"
}

function setup_develop {
    _called setup_develop "$@"
}

function echo_summary {
    _called echo_summary "$@"
}

# die line message ...
function die {
    shift
    echo "[ERROR] $*" >&2
    exit 1
}

# There is no other user here.
function sudo {
    "$@"
}

# 0 if one of the services is enabled; a group's name stands for its services.
function is_service_enabled {
    local service
    for service in "$@"; do
        case $service in
            nova) [[ ,$ENABLED_SERVICES == *,n-* ]] && return 0 ;;
            placement) service=placement-api ;;&
            *) [[ ,$ENABLED_SERVICES, == *,$service,* ]] && return 0 ;;
        esac
    done
    return 1
}

# iniget file section option
function iniget {
    awk -v section="[$2]" -v option="$3" '
        /^\[/ { inside = ($0 == section) }
        inside {
            split($0, parts, "=")
            gsub(/[ \t]+$/, "", parts[1])
            if (parts[1] == option) {
                sub(/^[^=]*=[ \t]*/, "")
                print
            }
        }' "$1"
}

# iniadd_literal file section option value: one more line, behind the header
function iniadd_literal {
    local text
    text=$(LINE="$3 = $4" awk -v section="[$2]" '
        { print }
        $0 == section { print ENVIRON["LINE"] }' "$1")
    printf '%s\n' "$text" >"$1"
}

# iniset file section option value: makes the file and the section
function iniset {
    local text
    if ! grep -qxF "[$2]" "$1" 2>/dev/null; then
        printf '\n[%s]\n' "$2" >>"$1"
    fi
    if [[ -z $(iniget "$1" "$2" "$3") ]]; then
        iniadd_literal "$@"
        return
    fi
    text=$(LINE="$3 = $4" awk -v section="[$2]" -v option="$3" '
        /^\[/ { inside = ($0 == section) }
        {
            split($0, parts, "=")
            gsub(/[ \t]+$/, "", parts[1])
            print (inside && parts[1] == option) ? ENVIRON["LINE"] : $0
        }' "$1")
    printf '%s\n' "$text" >"$1"
}
