#!/bin/sh
# Measures open central systems with our own loader, beside ours and the bare echo: rivals.sh LEYDEN VENV PEERS BUILT REPORT.json
# Those that a registry has are installed by `make tools`, and codetics-ocpp-service is built into BUILT, outside of our
# workspace; what is not there is named and left out.
set -eu
leyden=$1
venv=$2
peers=$3
built=$4
report=$5
here=$(cd "$(dirname "$0")/rivals" && pwd)
codetics=0.1.0

set -- bench rivals --report "$report"
if [ -x "$venv/bin/python" ]; then
    set -- "$@" --rival "PyPI ocpp $("$venv/bin/pip" list 2>/dev/null | awk '$1 == "ocpp" {print $2}')=$venv/bin/python $here/csms.py"
else
    echo "rivals: no PyPI package ocpp in $venv: left out" >&2
fi
if [ -d "$peers/node_modules/ocpp-rpc" ]; then
    version=$(node -p "require('$peers/node_modules/ocpp-rpc/package.json').version")
    set -- "$@" --rival "npm ocpp-rpc $version=env NODE_PATH=$peers/node_modules node $here/csms.cjs"
else
    echo "rivals: no npm package ocpp-rpc in $peers: left out" >&2
fi

postgres=$(command -v postgres || ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -n 1)
service="$built/bin/codetics-ocpp-service"
if [ -z "$postgres" ]; then
    echo "rivals: no PostgreSQL for codetics-ocpp-service: left out" >&2
elif [ -x "$service" ] ||
    CARGO_TARGET_DIR="$built/target" cargo install --quiet --locked --version "=$codetics" --root "$built" codetics-ocpp-service >&2; then
    database=$("$postgres" --version | awk '{print $3}')
    set -- "$@" --rival "crates.io codetics-ocpp-service $codetics, PostgreSQL $database=python3 $here/codetics.py $service"
else
    echo "rivals: codetics-ocpp-service $codetics does not build here (it needs OpenSSL's headers): left out" >&2
fi
exec "$leyden" "$@"
