# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A listener outside of the lab, and what the server has to know of it.  Sourced after `here`, the folder of the lab, is set.

# start_listener FOLDER, which is made afresh: what the server carries to the outside addresses is in its file log
# shellcheck disable=SC2154  # here is set by then
start_listener() {
    export LAB_LISTENER=$1 LAB_TRACE=$1/trace LAB_OUTSIDE
    rm -rf "$LAB_LISTENER"
    mkdir "$LAB_LISTENER"
    touch "$LAB_TRACE"
    mkfifo "$LAB_LISTENER/life"
    python3 "$here/tests/listener.py" "$LAB_LISTENER" < "$LAB_LISTENER/life" &
    exec 8> "$LAB_LISTENER/life"
    while [ ! -e "$LAB_LISTENER/port" ]; do kill -0 $! 2>/dev/null || return 1; done
    LAB_OUTSIDE=$(cat "$LAB_LISTENER/port")
}
stop_listener() {
    exec 8>&-
    wait
    unset LAB_LISTENER LAB_TRACE LAB_OUTSIDE
}
