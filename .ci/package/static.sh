#!/usr/bin/env bash
# Builds the program for Linux with the C library inside, so that it needs no file of the machine that it runs on.
# Usage: static.sh [PROFILE]; prints where the program is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

profile=${1:-dist}
target=$(rustc -vV | sed -n 's/^host: //p')
# With --target the flag is for the program alone: build scripts and macros are built as ever.
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" \
  cargo build --locked --profile "$profile" --bin mcp-declare --target "$target" >&2
folder=$profile
if [ "$profile" = dev ]; then folder=debug; fi
program=${CARGO_TARGET_DIR:-target}/$target/$folder/mcp-declare
# An image of it alone would not start otherwise.
if ! ldd "$program" 2>&1 | grep -Eq 'statically linked|not a dynamic executable'; then
  echo "error: $program wants libraries:" >&2
  ldd "$program" >&2
  exit 1
fi
realpath "$program"
