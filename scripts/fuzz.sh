#!/bin/sh
# Runs the fuzz targets one after the other: fuzz.sh SECONDS [TARGET...]. Stops at the first input that breaks a rule.
# `fuzz.sh table` prints what all runs of the ledger took, as rows for docs/fuzzing.md.
#
# The layout is that of cargo-fuzz, which cannot pass the flag that ocpi-kit needs (see the Makefile) and wants a
# nightly compiler for sanitizers. The house forbids unsafe code, so counters of coverage are enough, and stable has them.
# Seeds are made by fuzz_seeds.py; SPEC names the standards' schemas and samples, which are used where they are there.
# Each run adds a line to target/fuzz/ledger.tsv: target, CPU seconds, runs, inputs found, edges of coverage seen.
set -eu
seconds=$1
shift
here=$(cd "$(dirname "$0")/.." && pwd)
out=${CARGO_TARGET_DIR:-$here/target/fuzz}
if [ "$seconds" = table ]; then
    awk -F'\t' '{ cpu[$1] += $2; runs[$1] += $3; found[$1] += $4; if ($5 > edges[$1]) edges[$1] = $5; all += $2 }
        END { for (name in cpu) printf "| `%s` | %d | %d | %d | %d |\n", name, cpu[name], runs[name], edges[name], found[name]
              printf "| in all | %d | | | |\n", all }' "$out/ledger.tsv" | sort
    exit 0
fi
triple=$(rustc -vV | sed -n 's/^host: //p')
targets=${*:-$(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"/\1/p' "$here/fuzz/Cargo.toml")}

coverage='--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
coverage="$coverage -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
RUSTFLAGS="$coverage" CARGO_TARGET_DIR="$out" cargo build --quiet --release --locked --ignore-rust-version \
    --target "$triple" --manifest-path "$here/fuzz/Cargo.toml" --bins

[ "$seconds" -gt 0 ] || exit 0
rm -rf "$out/seeds"
python3 "$here/scripts/fuzz_seeds.py" "$out/seeds" "${SPEC:-$here/../shared/spec}" >/dev/null
for target in $targets; do
    corpus="$out/corpus/$target"
    crashes="$out/crashes/$target/"
    mkdir -p "$corpus" "$crashes"
    log="$out/$target.log"
    before=$(find "$crashes" -type f | wc -l)
    status=0
    LC_ALL=C /bin/sh -c 'times; "$@"; status=$?; times; exit $status' - \
        "$out/$triple/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
        -print_final_stats=1 -artifact_prefix="$crashes" "$corpus" "$out/seeds/$target" >"$log" 2>&1 || status=$?
    found=$(($(find "$crashes" -type f | wc -l) - before))
    awk -v target="$target" -v found="$found" '
        /^[0-9]+m[0-9.]+s [0-9]+m[0-9.]+s$/ { split($1, user, /[ms]/); split($2, system_, /[ms]/)
            cpu = user[1] * 60 + user[2] + system_[1] * 60 + system_[2] }
        /stat::number_of_executed_units/ { runs = $2 }
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        END { printf "%s\t%.0f\t%d\t%d\t%d\n", target, cpu, runs, found, edges }' "$log" |
        tee -a "$out/ledger.tsv"
    if [ "$status" != 0 ]; then
        tail -n 25 "$log" >&2
        exit 1
    fi
done
