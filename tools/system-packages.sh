#!/usr/bin/env bash
# The system packages that tests use. Root on Debian: installs what is missing. Elsewhere: names what is missing and
# which tests will not run. Under CI=true nothing may be missing.
set -euo pipefail

declare -A needed=(
  [mosquitto]="/usr/sbin/mosquitto"
  [postgresql]="/usr/lib/postgresql/*/bin/initdb"
  [chromium]="/usr/bin/chromium"
  [libnfc-bin]="/usr/bin/nfc-list"
  [libfreefare-bin]="/usr/bin/mifare-desfire-info"
  [fonts-wqy-zenhei]="/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"
)
missing() {
  for package in "${!needed[@]}"; do
    compgen -G "${needed[$package]}" >/dev/null || echo "$package"
  done
}

lacking=$(missing)
[ -z "$lacking" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "安装系统软件包 · installing system packages:" $lacking
  # A policy of 101 keeps Debian from starting the services: tests start their own on free ports.
  policy=/usr/sbin/policy-rc.d
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; trap 'rm -f '$policy EXIT; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking >/dev/null
  lacking=$(missing)
fi
if [ -n "$lacking" ]; then
  echo "缺少 · missing, so the tests that use them cannot run:" $lacking >&2
  [ "${CI:-}" = true ] && exit 1
fi
exit 0
