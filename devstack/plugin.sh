#!/bin/bash
#
# devstack/plugin.sh
# Switches nova-profiler on in all services of Nova and in Placement.
#
# devstack sources this file with a mode and a phase. Two phases of ``stack``
# act: ``install`` installs the package beside nova, ``post-config`` writes
#
# - the filter into the pipelines of nova's api-paste.ini
# - nova.conf.d/nova-profiler.conf, which every service of Nova reads,
#   whatever --config-file it has: the driver, and the options
# - placement.conf.d/nova-profiler.conf, and the wrapped application into
#   Placement's uWSGI file
#
# ``unstack`` takes all of that away again, ``clean`` the dumps as well. Each
# may run any number of times.

# Save trace setting
_XTRACE_NOVA_PROFILER=$(set +o | grep xtrace)
set +o xtrace

_NOVA_PROFILER_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
_NOVA_PROFILER_FILE=nova-profiler.conf

# _nova_profiler_files() - Run our helper with nova's Python
# _nova_profiler_files command [argument ...]
function _nova_profiler_files {
    local python=${NOVA_BIN_DIR:-}/python3
    if [[ ! -x $python ]]; then
        python=$(type -P python3)
    fi
    "$python" "$_NOVA_PROFILER_ROOT/devstack/setup_files.py" "$@"
}

# _nova_profiler_variables() - Print all NOVA_PROFILER_* as NAME=VALUE
# Each with a zero byte behind it, as a value may have lines.
function _nova_profiler_variables {
    local name
    for name in $(compgen -v NOVA_PROFILER_); do
        printf '%s=%s\0' "$name" "${!name}"
    done
}

# _nova_profiler_write_options() - Write a drop-in file
# _nova_profiler_write_options directory [option of the helper]
function _nova_profiler_write_options {
    local directory=$1
    local file=$directory/$_NOVA_PROFILER_FILE
    shift
    # What it is made of may hold keys: no argument of a command, no trace.
    local text
    if ! text=$(_nova_profiler_variables |
            _nova_profiler_files options "$@"); then
        die $LINENO "nova-profiler: see the line above"
    fi
    sudo install -d -o "$STACK_USER" -m 0755 "$directory"
    sudo install -o "$STACK_USER" -m 0640 /dev/null "$file"
    printf '%s\n' "$text" | sudo tee "$file" >/dev/null
}

# _nova_profiler_remove_options() - Remove a drop-in file, and what is empty
# _nova_profiler_remove_options directory
function _nova_profiler_remove_options {
    local directory=$1
    sudo rm -f "$directory/$_NOVA_PROFILER_FILE"
    if [[ -d $directory && -z $(ls -A "$directory") ]]; then
        sudo rmdir "$directory"
    fi
}

# _nova_profiler_wrap() - Put our application in the place of another one
# _nova_profiler_wrap uwsgi-file
function _nova_profiler_wrap {
    local file=$1
    local ours=nova_profiler.wsgi:application
    local module
    module=$(iniget "$file" uwsgi module)
    if [[ -n $module && $module != "$ours" ]]; then
        # Beside other lines of env, which iniset would replace.
        iniadd_literal "$file" uwsgi env "NOVA_PROFILER_APPLICATION=$module"
        iniset "$file" uwsgi module "$ours"
    fi
}

# _nova_profiler_unwrap() - Put the wrapped application back
# _nova_profiler_unwrap uwsgi-file
function _nova_profiler_unwrap {
    local file=$1
    local line='^env[ \t]*=[ \t]*NOVA_PROFILER_APPLICATION='
    local module
    module=$(sed -n "s/$line//p" "$file")
    if [[ -n $module ]]; then
        iniset "$file" uwsgi module "$module"
        sed -i "/$line/d" "$file"
    fi
}

# install_nova_profiler() - Install the package beside nova and placement
function install_nova_profiler {
    setup_develop "$_NOVA_PROFILER_ROOT"
}

# configure_nova_profiler() - Write all files; see the top of this one
function configure_nova_profiler {
    # What the last stack.sh had and this one has not goes.
    unconfigure_nova_profiler
    sudo install -d -o "$STACK_USER" -m 0700 "$NOVA_PROFILER_DUMP_DIR"
    if is_service_enabled nova; then
        _nova_profiler_write_options "$NOVA_CONF_DIR/nova.conf.d" --driver
        if [[ -f $NOVA_API_PASTE_INI ]]; then
            _nova_profiler_files add-filter "$NOVA_API_PASTE_INI"
        fi
    fi
    if is_service_enabled placement && [[ -f $PLACEMENT_UWSGI_CONF ]]; then
        _nova_profiler_write_options \
            "$PLACEMENT_CONF_DIR/placement.conf.d" --service placement
        _nova_profiler_wrap "$PLACEMENT_UWSGI_CONF"
    fi
}

# unconfigure_nova_profiler() - Leave every file as it was
function unconfigure_nova_profiler {
    if grep -qs nova_profiler "${NOVA_API_PASTE_INI:-}"; then
        _nova_profiler_files remove-filter "$NOVA_API_PASTE_INI"
    fi
    if [[ -f ${PLACEMENT_UWSGI_CONF:-} ]]; then
        _nova_profiler_unwrap "$PLACEMENT_UWSGI_CONF"
    fi
    _nova_profiler_remove_options "$NOVA_CONF_DIR/nova.conf.d"
    _nova_profiler_remove_options "$PLACEMENT_CONF_DIR/placement.conf.d"
}

# cleanup_nova_profiler() - Remove the dumps, and the directory if that is all
function cleanup_nova_profiler {
    local data
    local dumps
    data=$(realpath -m -- "${DATA_DIR:?}")
    dumps=$(realpath -m -- "${NOVA_PROFILER_DUMP_DIR:?}")
    # One that stands elsewhere is not devstack's to remove, and neither is
    # DATA_DIR, whatever the path is that leads there.
    if [[ $dumps != "$data"/?* || ! -d $dumps ]]; then
        return 0
    fi
    # Another service may keep its files there as well: those stay.
    local day='[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'
    sudo find "$dumps" -mindepth 1 -maxdepth 1 \( \
        -type d \( -name "$day" -o -name .running -o -name .writing \) -o \
        -type f \( -name '.armed*' -o -name .prune -o -name .usage \) \) \
        -exec rm -rf -- {} +
    if [[ -z $(sudo find "$dumps" -mindepth 1 -maxdepth 1) ]]; then
        sudo rmdir -- "$dumps"
    fi
}

case "$1 ${2:-}" in
    "stack install")
        echo_summary "Installing nova-profiler"
        install_nova_profiler
        ;;
    "stack post-config")
        echo_summary "Configuring nova-profiler"
        configure_nova_profiler
        ;;
    "unstack "*)
        unconfigure_nova_profiler
        ;;
    "clean "*)
        unconfigure_nova_profiler
        cleanup_nova_profiler
        ;;
esac

# Restore xtrace
$_XTRACE_NOVA_PROFILER

# Tell emacs to use shell-script-mode
## Local variables:
## mode: shell-script
## End:
