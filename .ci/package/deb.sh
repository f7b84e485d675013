#!/usr/bin/env bash
# Makes a .deb of a release build, with manual pages and completions. Wants cargo-deb (`cargo install cargo-deb`).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cargo build --locked --release
made=target/package
rm -rf "$made"
mkdir -p "$made/man"
target/release/mcp-declare man "$made/man"
gzip -9n "$made"/man/*
for shell in bash zsh fish; do
  target/release/mcp-declare completions "$shell" >"$made/$shell"
done
cargo deb --no-build
