#!/bin/sh
# For monitoring: sh examples/check-store.sh fs:/var/lib/app/sessions
# Ends 0 where the store is sound, 1 with what is wrong and what mends it, 2 where it could not be asked.
set -u
found=$(sessionctl doctor -s "$1") && exit 0
status=$?
[ "$status" = 1 ] || exit 2
printf '%s\n' "$found"
exit 1
