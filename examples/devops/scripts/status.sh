# Prints what is live in each environment, as JSON.
set -eu
comma=
printf '{'
for environment in staging production; do
  live=none
  if [ -f "$SITE/$environment/live" ]; then
    live=$(cat "$SITE/$environment/live")
  fi
  printf '%s"%s": "%s"' "$comma" "$environment" "$live"
  comma=', '
done
printf '}\n'
