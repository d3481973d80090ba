#!/bin/sh
# A secret that is named as a variable becomes it: /run/secrets/OVERHEARD_SERVICE_TOKEN, /run/secrets/PGPASSWORD.
set -eu
for file in /run/secrets/OVERHEARD_* /run/secrets/PGPASSWORD; do
  if [ -e "$file" ]; then
    export "${file##*/}=$(cat "$file")"
  fi
done
exec "$@"
