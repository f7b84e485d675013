# restore.sh ENVIRONMENT REASON: puts the release before back.
set -eu
folder=$SITE/$1
if [ ! -f "$folder/before" ]; then
  echo "nothing was live in $1 before" >&2
  exit 1
fi
version=$(cat "$folder/before")
cp "releases/$version/index.html" "$folder/index.html"
mv "$folder/before" "$folder/live"
printf '%s: back to %s\n' "$1" "$version" >> "$SITE/history"
printf '%s\n' "$2" > "$folder/reason"
printf '%s is live in %s again' "$version" "$1"
