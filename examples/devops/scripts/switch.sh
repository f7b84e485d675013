# switch.sh ENVIRONMENT VERSION: puts a release live and remembers the one before.
set -eu
folder=$SITE/$1
mkdir -p "$folder"
if [ -f "$folder/live" ]; then
  cp "$folder/live" "$folder/before"
fi
cp "releases/$2/index.html" "$folder/index.html"
printf '%s\n' "$2" > "$folder/live.new"
mv "$folder/live.new" "$folder/live"
printf '%s: %s\n' "$1" "$2" >> "$SITE/history"
