#!/bin/sh
# Installs what the tests need, then passes every test. For Debian; needs Node with npm, and root (or sudo) for apt-get.
set -eu
cd "$(dirname "$0")/.."

# The servers that the tests run, and the tools that they use.
packages='apache2-bin libapache2-mod-wsgi-py3 uwsgi-core uwsgi-plugin-python3 gunicorn uvicorn python3-hypercorn python3-waitress puma ruby-rack php-fpm python3-flask python3-django curl git libfaketime mount nginx-light procps rsync util-linux vim systemd dbus libnss-systemd'

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing=''
for package in $packages; do
  dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "installing with apt-get:$missing"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
else
  echo "already installed: $packages"
fi

npm ci
npm run check
