#!/bin/sh
# The second database, for the Prefect server.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres -c 'CREATE DATABASE prefect'
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname prefect -c 'CREATE EXTENSION IF NOT EXISTS pg_trgm'
