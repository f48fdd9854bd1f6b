#!/usr/bin/env bash
# Makes .venv from a lock file (hashes checked) and puts the four source roots on its path.
#   tools/setup.sh requirements.lock .venv/.run
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1 stamp=$2
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "需要 Python 3.11 或更新版本 · Python 3.11 or newer is needed ($("$python" --version) found)" >&2
  exit 1
}

if [ ! -x .venv/bin/pip ]; then
  echo "准备环境 · preparing .venv"
  rm -rf .venv
  if ! "$python" -m venv .venv 2>/tmp/pumpside-venv.$$; then
    # Debian keeps ensurepip in a package of its own.
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      apt-get update -qq && apt-get install -y -qq "python$version-venv" >/dev/null
      "$python" -m venv .venv
    else
      cat /tmp/pumpside-venv.$$ >&2
      echo "请先安装 · please install first: python$version-venv" >&2
      exit 1
    fi
  fi
  rm -f /tmp/pumpside-venv.$$
fi

echo "安装依赖 · installing the packages of $lock"
mkdir -p build
if ! .venv/bin/pip install --disable-pip-version-check --progress-bar off --require-hashes -r "$lock" 2>build/pip-errors |
  tee build/pip-log | awk '
    /^(Collecting|Requirement already satisfied)/ { printf "\r  %d", ++n; fflush() }
    /^Installing/ { printf "\r  %d, 写入 · writing ...", n; fflush() }
    END { print "" }'; then
  tail -20 build/pip-log build/pip-errors >&2
  exit 1
fi

site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$PWD" "$PWD/host" "$PWD/firmware" "$PWD/firmware/lib" >"$site/pumpside.pth"
cat >.venv/bin/pumpside <<EOF
#!/bin/sh
exec "$PWD/.venv/bin/python" -m station "\$@"
EOF
chmod +x .venv/bin/pumpside
.venv/bin/python -m tools.umqtt >build/umqtt-log 2>&1 || { cat build/umqtt-log >&2; exit 1; }
touch "$stamp"
