#!/bin/sh
# Installs the packages of both lockfiles. Every failure ends with one line that says what to do.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "install: $1" >&2; exit 1; }

command -v node >/dev/null 2>&1 || fail "node was not found: install Node.js 20 or newer with npm"
command -v npm >/dev/null 2>&1 || fail "npm was not found: install Node.js 20 or newer with npm"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || fail "Node.js $major is too old: 20 or newer is needed (the project brings its own 24 for everything else)"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
packages() {
  ( cd "$1" && npm ci --no-audit --no-fund --loglevel=error ) >"$log" 2>&1 && return 0
  if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|network' "$log"; then
    fail "the npm registry could not be reached: check the network or the npm proxy settings, then run make again"
  fi
  tail -n 20 "$log" >&2
  fail "npm ci failed in $1 (above are its last lines)"
}
echo "installing packages"
packages .
packages gpu-embedder
[ -x node_modules/.bin/node ] || fail "the project's own Node is missing: npm must be allowed to run install scripts (npm config get ignore-scripts)"
echo "installed, Node $(node_modules/.bin/node -p process.versions.node) for this project"
