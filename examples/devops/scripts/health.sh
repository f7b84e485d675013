# health.sh ENVIRONMENT: fails unless what is live there says that it is well.
set -eu
version=$(cat "$SITE/$1/live")
if ! grep -q '<meta name="health" content="ok">' "$SITE/$1/index.html"; then
  echo "$version does not answer in $1" >&2
  exit 1
fi
printf '%s answers in %s' "$version" "$1"
