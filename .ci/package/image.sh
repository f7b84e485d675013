#!/usr/bin/env bash
# Makes a container image of a static binary (static.sh makes one), with Docker, Podman or Buildah.
# Usage: image.sh BINARY [TAG]
set -euo pipefail
binary=$(realpath "$1")
tag=${2:-mcp-declare}
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")

certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
if [ ! -r "$certificates" ]; then
  echo "error: there is no $certificates; SSL_CERT_FILE names the certificates of authorities" >&2
  exit 3
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -m 755 "$binary" "$work/mcp-declare"
install -m 644 "$certificates" "$work/ca-certificates.crt"
# SQLite sorts what is large there.
install -d -m 1777 "$work/tmp"

for engine in docker podman buildah; do
  # A client without its server is no engine.
  if command -v "$engine" >/dev/null && "$engine" info >/dev/null 2>&1; then
    "$engine" build --file "$here/Dockerfile" --tag "$tag" "$work"
    exit
  fi
done
echo 'error: there is no engine that builds images: Docker, Podman or Buildah' >&2
exit 3
