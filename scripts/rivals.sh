#!/bin/sh
# Measures open central systems with our own loader, beside ours and the bare echo: rivals.sh LEYDEN VENV PEERS REPORT.json
# Those that a registry has are installed by `make tools`; what is not there is named and left out.
set -eu
leyden=$1
venv=$2
peers=$3
report=$4
here=$(cd "$(dirname "$0")/rivals" && pwd)

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
exec "$leyden" "$@"
