#!/bin/sh
# Prepare what a container lacks (the user, the umask, a token, a configuration, the models' place),
# then become `lyricsyncd` with the arguments: `run` by default, or any other of its commands.
set -eu

fail() {
  echo "lyricsyncd: $1" >&2
  exit 2
}

number() {
  case $2 in
    "" | *[!0-9]*) fail "$1=$2 is not a number: set it to what \`id\` prints for the owner of your music" ;;
  esac
}

case ${UMASK:=022} in
  *[!0-7]* | ?????*) fail "UMASK=$UMASK is not octal: write it as 022" ;;
esac

user=$(id -u)
number PUID "${PUID:-$user}"
number PGID "${PGID:-$(id -g)}"
if [ "$user" = 0 ] && [ "${PUID:=1000}" != 0 ]; then
  # Started as root, to become the user that was asked for; the state of an earlier user goes along.
  [ "$(stat -c %u /config)" = "$PUID" ] || chown -R "$PUID:${PGID:=1000}" /config ||
    fail "/config cannot be given to user $PUID: do so outside, with chown -R $PUID:${PGID:-1000}"
  exec setpriv --reuid "$PUID" --regid "${PGID:-1000}" --clear-groups --inh-caps=-all --no-new-privs "$0" "$@"
fi
[ "${PUID:-$user}" = "$user" ] ||
  fail "PUID=$PUID, but the container runs as user $user: start it with --user $PUID:${PGID:-1000} (in a compose file: user:)"

if [ ! -w /config ] || [ ! -x /config ]; then
  owner=$(stat -c %u:%g /config)
  case $owner in
    0:*) remedy="it is root's, as docker makes folders: on the host, chown $user:$(id -g) it" ;;
    *) remedy="run as its owner (PUID=${owner%:*} PGID=${owner#*:}), or chown it" ;;
  esac
  fail "/config cannot be written to by user $user:$(id -g): $remedy"
fi

umask 077
mkdir -p "$STATE_DIRECTORY" "$CACHE_DIRECTORY/models"
if [ "${1:-}" != worker ] && [ "${LYRICSYNCD_WEB__TOKEN:-}" = "{file: /config/token}" ] && [ ! -s /config/token ]; then
  head -c 24 /dev/urandom | base64 | tr '+/' '-_' >/config/token
  echo "lyricsyncd: made a token for the page and for players' plugins: it is in /config/token" >&2
fi
umask "$UMASK"

# The models of the image, beside those that are fetched later. A file of the same name stays.
for model in /opt/lyricsyncd/models/*; do
  place=$CACHE_DIRECTORY/models/${model##*/}
  [ -f "$place" ] && [ ! -L "$place" ] || ln -sfn "$model" "$place" 2>/dev/null || cp "$model" "$place"
done

if [ ! -e "$LYRICSYNCD_CONFIG" ]; then
  # Where the music cannot be read, `doctor` is to say so; so it gets a configuration all the same.
  lyricsyncd init --library /music --player "${PLAYER:-generic}" --config "$LYRICSYNCD_CONFIG" >/dev/null ||
    { [ "${1:-}" != run ] && echo "libraries: [{path: /music}]" >"$LYRICSYNCD_CONFIG"; } || exit 2
  echo "lyricsyncd: wrote $LYRICSYNCD_CONFIG with the library /music" >&2
fi
exec lyricsyncd "$@"
