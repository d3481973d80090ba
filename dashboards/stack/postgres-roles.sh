#!/bin/sh
# Once, when the database is made: the role that reads the views of operations, and Grafana's user, who is a member of it and owns nothing.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
  --set password="$(cat /run/secrets/grafana_store_password)" <<'SQL'
CREATE ROLE overheard_operations NOLOGIN;
CREATE ROLE grafana LOGIN PASSWORD :'password' CONNECTION LIMIT 20 IN ROLE overheard_operations;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
SQL
