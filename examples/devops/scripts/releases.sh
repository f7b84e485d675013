# Prints each release and the first line of its notes.
set -eu
for notes in releases/*/NOTES; do
  version=$(basename "$(dirname "$notes")")
  printf '%s %s\n' "$version" "$(head -n 1 "$notes")"
done
