#!/bin/bash
# The command with the settings of this machine, as the user of the service; installed as /usr/local/bin/congnhan
# and called as root. A variable that is set already stays as it is.
set -eu
while IFS= read -r line; do
  if [[ $line =~ ^([A-Z_]+)= && ! -v ${BASH_REMATCH[1]} ]]; then
    export "$line"
  fi
done < "${CONGNHAN_ENV:-/etc/congnhan/env}"
exec runuser --user congnhan -- /opt/congnhan/bin/congnhan "$@"
