#!/bin/sh
# pg_dump of the server's version (PG_MAJOR) from the PostgreSQL project's own archive, and age: for a CI machine of Debian or Ubuntu.
set -eu
major=${PG_MAJOR:-17}
sudo apt-get update -q
sudo apt-get install -qy postgresql-common age
sudo /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y
sudo apt-get install -qy "postgresql-client-$major"
