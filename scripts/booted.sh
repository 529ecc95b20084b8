#!/usr/bin/env bash
# The units under a booted systemd: a Debian in a directory, started by systemd-nspawn without a network, with the release
# binary and the shipped configuration in it. Needs root, debootstrap and systemd-container.
#
#     cargo build --release && sudo scripts/booted.sh
set -euo pipefail
cd "$(dirname "$0")/.."

root=$(mktemp --directory)
chmod 755 "$root" # it becomes the root of users that are not root
trap 'rm --recursive --force --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$root" >/dev/null
install -D target/release/feedmill "$root/usr/bin/feedmill"
install -D --mode=644 feeds.toml config/feedmill.toml --target-directory="$root/etc/feedmill"
install -D --mode=644 systemd/* --target-directory="$root/lib/systemd/system"

cat >"$root/trial.sh" <<'TRIAL'
#!/bin/bash
exec >/trial.log 2>&1
fail() { echo "FAILED: $*"; journalctl --no-pager -u 'feedmill*'; systemctl poweroff; exit 1; }
is() { [[ $(systemctl show --property="$2" --value "$1") == "$3" ]] || fail "$1: $2 is $(systemctl show --property="$2" --value "$1"), not $3"; }
get() { exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$1" >&3; cat <&3; exec 3>&-; }
systemctl is-active feedmill.service feedmill.socket feedmill-fetch.timer || fail "not all is active"
is feedmill.service NRestarts 0
pid=$(systemctl show --property=MainPID --value feedmill.service)
grep -q 'CapEff:.0000000000000000' "/proc/$pid/status" || fail "it has capabilities"
[[ $(stat --format=%u "/proc/$pid") != 0 ]] || fail "it runs as root"
[[ -f /var/lib/feedmill/feedmill.sqlite ]] || fail "no store in its state directory"
get /feed.atom | grep -q '^HTTP/1.1 200' || fail "no feed"
for _ in {1..30}; do get /healthz | grep -q '^offline:' && break; sleep 1; done
get /healthz | grep -q '^offline:' || fail "it does not say that it is cut off"
printf '\n[[feed]]\nid = "another"\nurl = "https://example.org/feed.xml"\n' >>/etc/feedmill/feeds.toml
systemctl reload feedmill.service || fail "reload"
[[ $(systemctl show --property=StatusText --value feedmill.service) == *"4 feeds"* ]] || fail "the new feed is not there"
printf '\nbroken\n' >>/etc/feedmill/feeds.toml
systemctl reload feedmill.service || fail "reload of a wrong file"
[[ $(systemctl show --property=StatusText --value feedmill.service) == *"is refused"*"(/etc/feedmill/feeds.toml:"* ]] || fail "a wrong file is not refused"
sed --in-place '/^broken$/d' /etc/feedmill/feeds.toml
systemctl kill --signal=KILL feedmill.service
for _ in {1..30}; do sleep 1; [[ $(systemctl is-active feedmill.service) == active ]] && break; done
is feedmill.service NRestarts 1
systemctl stop feedmill.service feedmill.socket || fail "stop"
is feedmill.service Result success
[[ ! -e /var/lib/feedmill/feedmill.sqlite-wal ]] || fail "the store was left open"
systemctl start feedmill-fetch.service || fail "one-shot"
is feedmill-fetch.service Result success
echo "all well"
systemctl poweroff
TRIAL
chmod +x "$root/trial.sh"
cat >"$root/etc/systemd/system/trial.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/trial.sh
[Install]
WantedBy=graphical.target
UNIT
systemctl --root="$root" --quiet enable feedmill.socket feedmill.service feedmill-fetch.timer trial.service
ln --symbolic --force /lib/systemd/system/graphical.target "$root/etc/systemd/system/default.target"

timeout 150 systemd-nspawn --register=no --keep-unit --private-network --boot --directory="$root" </dev/null >/dev/null || true
cat "$root/trial.log"
grep --quiet '^all well$' "$root/trial.log"
