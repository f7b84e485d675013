# announce.sh WORDS: tells the team, if there is a board to write on.
set -eu
printf '%s\n' "$1" >> "$SITE/board/news"
