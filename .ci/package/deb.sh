#!/usr/bin/env bash
# Makes a .deb of a binary, with manual pages, completions and a unit of systemd. Wants cargo-deb.
# Usage: deb.sh BINARY FOLDER; MAINTAINER='Ada <ada@example.org>' says who answers for the package.
set -euo pipefail
binary=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
maintainer=${MAINTAINER:-The authors of mcp-declare}

# Cargo.toml names what is made here.
made=target/package
rm -rf "$made"
mkdir -p "$made/man"
install -m 755 "$binary" "$made/mcp-declare"
"$binary" man "$made/man"
gzip -9n "$made"/man/*
for shell in bash zsh fish; do
  "$binary" completions "$shell" >"$made/$shell"
done
# Debian wants a history of the package; that of the program is in CHANGELOG.md.
gzip -9nc >"$made/changelog.gz" <<CHANGES
mcp-declare ($("$binary" --version | cut -d' ' -f2)) unstable; urgency=medium

  * What is new is in CHANGELOG.md.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")
CHANGES
cargo deb --no-build --no-strip --locked --maintainer "$maintainer" --output "$folder"
