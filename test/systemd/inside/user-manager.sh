#!/bin/sh
# An emperor of a user, with a service manager of that user. Arguments: node, and a server.
set -eu
node=$1 server=$2 user=ruler home=/home/ruler runtime=/run/user/4711
groupadd --gid 4711 $user
useradd --uid 4711 --gid 4711 --create-home --home-dir $home $user
mkdir -p /run/user && install -d -m 700 -o $user -g $user $runtime
systemd-run --quiet --unit=user-manager --service-type=notify --property=User=$user --property=Delegate=yes --property=KillMode=mixed \
  --setenv=XDG_RUNTIME_DIR=$runtime --setenv=HOME=$home --working-directory=$home /lib/systemd/systemd --user
as_user() { setpriv --reuid 4711 --regid 4711 --init-groups env -i PATH=/usr/bin:/bin HOME=$home XDG_RUNTIME_DIR=$runtime "$@"; }
emperor() { as_user "$node" /opt/emperor/src/emperor.mjs "$@"; }
as_user mkdir -p $home/.config/emperor/vassals
printf '[vassal]\ncommand = ["%s", "%s"]\nlisten = "127.0.0.1:8010"\nready = { http = "/" }\n' "$node" "$server" | as_user tee $home/.config/emperor/vassals/shop.toml >/dev/null
emperor systemd install --user
as_user systemd-analyze --user verify --man=no emperor.service
until emperor status shop | grep -q ready; do :; done
main() { as_user systemctl --user show --value --property=MainPID emperor.service; }
before=$(emperor status --json | grep -o '"pid": *[0-9]*' | tail -n 1)
old=$(main)
kill -KILL "$old"
until new=$(main) && [ "$new" != "$old" ] && [ "$new" != 0 ] && [ "$(as_user systemctl --user show --value --property=SubState emperor.service)" = running ]; do :; done
after=$(emperor status --json | grep -o '"pid": *[0-9]*' | tail -n 1)
[ "$before" = "$after" ]
emperor reload shop
echo "adopted by the next one"
printf '[vassal]\ncommand = ["/bin/sleep", "1000"]\nready = { after = "1ms" }\nrunner = "systemd"\nsystemd = { MemoryMax = "1G" }\n' | as_user tee $home/.config/emperor/vassals/unit.toml >/dev/null
until emperor status unit | grep -q ready; do emperor why unit; done
as_user systemctl --user list-units --plain --no-legend 'emperor-unit-*' | grep -q running
echo "has a unit"
emperor systemd uninstall --user
systemctl stop user-manager
