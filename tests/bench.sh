#!/usr/bin/env bash
# Measures a release build on real projects: how right it is where people labelled them, how much it says, how long it
# takes and how much memory. No part of the tests, since the projects are not shipped.
#
#     bash tests/bench.sh BENCH TREES [-v | -m | -f | -F]
#
# BENCH  labels/NAME.toml   what is wrong in a project; `scan` is the folder to scan, `config` the configuration
#        score.py           score.py LABELS REPORT [--quiet] says how a JSON report stands up to the labels
#        score_points.py    score_points.py POINTS REPORT --repo NAME [--quiet], the same for a sample of places
#        points-dev.tsv     that sample
# TREES  a work tree for each project, named as its labels are: TREES/terra, TREES/letta
# -v     every miss and every false alarm, too
# -m     instead of all that: what the code can lose unnoticed. Statements that stamp, mend or import are taken out of
#        functions that are right, one at a time, and each loss has to be found; tests/mutation.rs says how. In labelled
#        projects the functions of the labelled files are tried, in the others all that have no finding. Of more than
#        TRAILCHECK_MOST mutants of a project (150 where it is not set) every n-th is tried.
# -f     instead of all that: what safe fixes make of a copy of each tree. Says how many files change, how many of them
#        Python's own compile() takes no more, and how many findings are new. -F does the same with unsafe fixes.
#
# Example: bash tests/bench.sh ~/bench ~/trees
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ] || { [ $# -eq 3 ] && [[ "$3" != -[vmfF] ]]; }; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
bench=$(cd "$1" && pwd)
trees=$(cd "$2" && pwd)
detail=--quiet
[ "${3:-}" = -v ] && detail=
cd "$(dirname "${BASH_SOURCE[0]}")/.."

labelled='terra-2025-10 terra advisor-portal commcare-connect'
plain='letta gestima muebles plane'

if [ "${3:-}" = -m ]; then
    for name in $labelled $plain; do
        if [ ! -d "$trees/$name" ]; then
            printf '\n== %s\nnot here\n' "$name"
            continue
        fi
        labels=$bench/labels/$name.toml
        [ -f "$labels" ] && export TRAILCHECK_LABELS=$labels || unset TRAILCHECK_LABELS
        TRAILCHECK_TREE=$trees/$name cargo test --release --quiet --test mutation a_work_tree -- --nocapture
    done
    exit
fi

cargo build --release --quiet
target=${CARGO_TARGET_DIR:-target}
trailcheck=$(cd "$target/release" && pwd)/trailcheck
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ "${3:-}" = -[fF] ]]; then
    options=--fix
    [ "$3" = -F ] && options='--fix --unsafe-fixes'
    for name in $labelled $plain; do
        [ -d "$trees/$name" ] || continue
        # shellcheck disable=SC2086 # two options
        python3 tests/fixed.py "$trailcheck" "$trees/$name" $options
    done
    exit
fi

# Runs the arguments and writes seconds and mebibytes to a file; answers with their exit code.
measured() {
    local into=$1 code=0
    shift
    if [ -x /usr/bin/time ] && /usr/bin/time -v true 2>/dev/null; then
        /usr/bin/time -o "$into.raw" -f '%e %M' "$@" || code=$?
        # A line that speaks of the exit code may come first.
        tail -n 1 "$into.raw" | awk '{ printf "%.2f s, peak %.0f MiB\n", $1, $2 / 1024 }' >"$into"
    else
        python3 - "$into" "$@" <<'PYTHON' || code=$?
import resource
import subprocess
import sys
import time

started = time.monotonic()
code = subprocess.run(sys.argv[2:]).returncode
seconds = time.monotonic() - started
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
# macOS counts bytes, everyone else kibibytes.
mebibytes = peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
with open(sys.argv[1], "w") as file:
    print(f"{seconds:.2f} s, peak {mebibytes:.0f} MiB", file=file)
sys.exit(code)
PYTHON
    fi
    return "$code"
}

# scan NAME FOLDER OPTION…: checks a folder of a tree from the tree's root and says what came of it.
scan() {
    local name=$1 folder=$2 code=0
    shift 2
    (cd "$trees/$name" && measured "$work/$name.cost" "$trailcheck" check "$folder" "$@" --format json \
        >"$work/$name.json" 2>"$work/$name.err") || code=$?
    printf '\n== %s\n' "$name"
    # A run that ended with findings or without is a run; all else is not.
    if [ "$code" -gt 1 ]; then
        echo "ended with $code:"
        tail -n 20 "$work/$name.err"
        return 1
    fi
    python3 - "$work/$name.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    summary = json.load(file)["summary"]
files, writes, findings = summary["files"], summary["writes"], summary["findings"]
total = writes["create"] + writes["update"] + writes["delete"]
print(f"{files['scanned']} files, {files['with_writes']} with writes, {files['gaps']} with gaps")
print(f"{total} writes: {writes['create']} create, {writes['update']} update, {writes['delete']} delete; "
      f"{writes['compliant']} compliant, coverage {'-' if not total else summary['coverage']} %")
print(f"{findings['error']} errors, {findings['review']} reviews, {findings['suppressed']} suppressed")
PYTHON
    cat "$work/$name.cost"
}

# The string that a top-level key of a label file has.
label() {
    python3 -c 'import sys, tomllib; print(tomllib.load(open(sys.argv[1], "rb")).get(sys.argv[2], sys.argv[3]))' "$@"
}

failures=0
for name in $labelled; do
    labels=$bench/labels/$name.toml
    if [ ! -f "$labels" ] || [ ! -d "$trees/$name" ]; then
        printf '\n== %s\nnot here\n' "$name"
        continue
    fi
    label "$labels" config '' >"$work/$name.toml"
    if scan "$name" "$(label "$labels" scan .)" --config "$work/$name.toml"; then
        # shellcheck disable=SC2086 # no word when nothing is asked
        python3 "$bench/score.py" "$labels" "$work/$name.json" $detail || failures=1
    else
        failures=1
    fi
done
for name in $plain; do
    if [ ! -d "$trees/$name" ]; then
        printf '\n== %s\nnot here\n' "$name"
        continue
    fi
    if scan "$name" .; then
        if [ -f "$bench/points-dev.tsv" ] && [ -f "$bench/score_points.py" ]; then
            # shellcheck disable=SC2086
            python3 "$bench/score_points.py" "$bench/points-dev.tsv" "$work/$name.json" --repo "$name" $detail || failures=1
        fi
    else
        failures=1
    fi
done
exit "$failures"
