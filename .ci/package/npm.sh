#!/usr/bin/env bash
# Makes npm packages of a binary: `mcp-declare`, which `npx mcp-declare` runs, and the one for this platform, which it
# depends on. Usage: npm.sh BINARY FOLDER
set -euo pipefail
binary=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$("$binary" --version | cut -d' ' -f2)
platform=$(node -p 'process.platform')
arch=$(node -p 'process.arch')
own="mcp-declare-$platform-$arch"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/own" "$work/launch"
install -m 755 "$binary" "$work/own/mcp-declare"
cat >"$work/own/package.json" <<JSON
{
  "name": "$own",
  "version": "$version",
  "description": "mcp-declare for $platform on $arch",
  "license": "MIT OR Apache-2.0",
  "os": ["$platform"],
  "cpu": ["$arch"],
  "files": ["mcp-declare", "LICENSE-*"]
}
JSON
install -m 755 .ci/package/npm/launch.js "$work/launch/launch.js"
install -m 644 README.md "$work/launch/"
# Of the platforms' packages npm installs the one that fits.
cat >"$work/launch/package.json" <<JSON
{
  "name": "mcp-declare",
  "version": "$version",
  "description": "Turns a YAML or TOML file into an MCP server",
  "license": "MIT OR Apache-2.0",
  "bin": { "mcp-declare": "launch.js" },
  "files": ["launch.js", "LICENSE-*"],
  "optionalDependencies": {
    "mcp-declare-linux-x64": "$version",
    "mcp-declare-linux-arm64": "$version",
    "mcp-declare-darwin-x64": "$version",
    "mcp-declare-darwin-arm64": "$version"
  }
}
JSON
for package in own launch; do
  install -m 644 LICENSE-MIT LICENSE-APACHE "$work/$package/"
  npm pack --silent --pack-destination "$folder" "$work/$package"
done
