#!/bin/sh
# Build the image and print its size: container/build.sh [lite|full] [BUILD OPTIONS...]
# Only find out whether images can be built here: container/build.sh base
#
# With docker or podman, from the base of their registry. Where only buildah is here and no registry
# can be reached, the base is made from Debian's packages (mmdebstrap), and only root can do it.
#
# ARCH=arm64 (or amd64) builds for another processor than this computer's, where the kernel runs that
# one's programs (binfmt_misc with the flag F, as Debian's qemu-user-static and binfmt-support set it
# up); mmdebstrap asks arch-test whether it does.
set -eu
cd "$(dirname "$0")/.."
target=${1:-lite}
[ $# = 0 ] || shift
base=docker.io/library/debian:12-slim
image=${IMAGE:-localhost/lyricsyncd}:$target

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The build trusts the certificates that this computer trusts: those of a proxy, say.
mkdir "$work/pip"
if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
  cp /etc/ssl/certs/ca-certificates.crt "$work/pip/certificates.crt"
  printf '[global]\ncert = /etc/xdg/pip/certificates.crt\n' >"$work/pip/pip.conf"
fi

# What pip has fetched for this computer before is not fetched again.
cache=${PIP_CACHE_DIR:-$HOME/.cache/pip}

make_base() {
  echo "no registry gives $base: making it from Debian's packages" >&2
  mmdebstrap --quiet --variant=apt --architectures="$arch" --include=usr-is-merged \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    bookworm "$work/base.tar" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  container=$(buildah from scratch)
  buildah config --arch "$arch" "$container"
  buildah add --quiet "$container" "$work/base.tar" / >/dev/null
  buildah commit --quiet --rm "$container" "$base" >/dev/null
}

if command -v buildah >/dev/null; then
  arch=${ARCH:-$(buildah info --format '{{.host.arch}}')}
  [ "$(buildah inspect --type image --format '{{.OCIv1.Architecture}}' "$base" 2>&1)" = "$arch" ] ||
    buildah pull --arch "$arch" --quiet "$base" >/dev/null 2>&1 || make_base
  if [ "$target" = base ]; then
    printf 'FROM %s\nRUN true\n' "$base" >"$work/Containerfile"
    probe=$(buildah build --isolation chroot --pull-never --arch "$arch" --layers=false --quiet \
      --file "$work/Containerfile" "$work")
    buildah rmi "$probe" >/dev/null
    exit 0
  fi
  mkdir -p "$cache"
  buildah build --isolation chroot --pull-never --arch "$arch" --format docker --layers=false \
    --jobs 2 --quiet \
    --volume "$work/pip:/etc/xdg/pip:ro" --volume "$cache:/root/.cache/pip" \
    --file container/Containerfile --target "$target" --tag "$image" "$@" . >/dev/null
  size=$(buildah images --format '{{.Size}}' "$image")
else
  engine=$(command -v docker || command -v podman) || {
    echo "there is none of docker, podman and buildah here" >&2
    exit 1
  }
  "$engine" build --file container/Containerfile --target "$target" --tag "$image" \
    ${ARCH:+--platform "linux/$ARCH"} "$@" .
  size=$("$engine" image inspect --format '{{.Size}}' "$image")\ bytes
fi
echo "$image: $size"
