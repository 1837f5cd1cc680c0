#!/bin/sh
# Installs what the tests need: a browser (Debian package, only as root), and foreign charging stations and central systems
# from two registries, pinned: tools.sh VENV PEERS. Does nothing where they are there already.
set -eu
venv=$1
peers=$2
here=$(cd "$(dirname "$0")/.." && pwd)

if ! command -v chromium >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
    else
        echo "tools: no chromium and not root: the browser test will say that it is skipped" >&2
    fi
fi

wanted="$here/tests/interop/requirements.txt"
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/installed.txt"
fi

wanted="$here/tests/interop/package-lock.json"
if ! cmp -s "$wanted" "$peers/installed.json"; then
    mkdir -p "$peers"
    cp -r "$here/tests/interop/package.json" "$wanted" "$here/tests/interop/silent-log" "$peers"
    (cd "$peers" && npm ci --silent --no-audit --no-fund --ignore-scripts)
    cp "$wanted" "$peers/installed.json"
fi
