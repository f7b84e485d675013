# verify.sh VERSION: fails unless the release is there and whole.
set -eu
folder=releases/$1
if [ ! -f "$folder/index.html" ]; then
  echo "there is no release $1" >&2
  exit 1
fi
if ! grep -q '</html>' "$folder/index.html"; then
  echo "release $1 is cut off" >&2
  exit 1
fi
printf 'Release %s is whole' "$1"
