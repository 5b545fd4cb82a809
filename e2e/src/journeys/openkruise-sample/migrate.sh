#!/bin/sh
# The postStart hook of a sidecar written after OpenKruise's sample: 0 at once for the first container, else as soon as the process says
# by a file that it has migrated; 1 after a minute.
[ "$SIDECARSET_VERSION" = 0 ] && exit 0
tries=60
while [ "$tries" -gt 0 ]; do
  if [ -f ./result ]; then
    rm -f ./result
    exit 0
  fi
  sleep 1
  tries=$((tries - 1))
done
echo "no result of the migration"
exit 1
