#!/usr/bin/env bash
# Guards against getting slower, by what a check costs in instructions, which does not depend on what else the machine does.
#
#     bash benches/instructions.sh [--renew]
#
# Counted are the instructions of the built program on fixtures, with one thread and no cache, by valgrind without any
# simulation. Two things must hold:
#
# - The check of a service costs at most what benches/instructions.txt says, and a little. What it costs depends on the
#   compiler and the profile: with another version of the compiler more is allowed, with another profile nothing is
#   compared. --renew builds the program as CI does and writes the file: do it in the commit that makes the program
#   faster, or slower for a good reason.
# - Eight times the code costs about eight times as much, whatever the compiler.
#
# TRAILCHECK_BIN names the program; the one that the tests have built if it is not set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

service=fixtures/helpdesk-django
grown=fixtures/shop
times=8
figures=benches/instructions.txt
# Percent above the figure that are noise, or another compiler's doing; percent below it that call for a new figure.
noise=5
another_compiler=25
better=20
# Percent above the growth of the code.
growth=10

if ! command -v valgrind >/dev/null; then
    echo 'SKIPPED: valgrind is not here, so no instructions are counted'
    exit
fi
program=${TRAILCHECK_BIN:-${CARGO_TARGET_DIR:-target}/debug/trailcheck}
if [ "${1:-}" = --renew ] && [ -z "${TRAILCHECK_BIN:-}" ]; then
    # As CI builds it, so that the figure is one that CI can compare with.
    export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_OPT_LEVEL=1
    cargo build --quiet --bin trailcheck
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

options='--isolated --fail-on never --format concise'
case $("$program" check --help) in
*--no-cache*) options="$options --no-cache" ;;
esac

# count FOLDER: the instructions that a check of it takes.
count() {
    local code=0
    # shellcheck disable=SC2086 # several options
    RAYON_NUM_THREADS=1 valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \
        --log-file="$work/log" "$program" check "$1" $options >"$work/out" 2>"$work/err" || code=$?
    if [ "$code" -ne 0 ]; then
        cat "$work/log" "$work/err" >&2
        return 1
    fi
    sed -n 's/.*I *refs: *//p' "$work/log" | tr -d ,
}

# What a figure depends on.
profile=${CARGO_PROFILE_DEV_OPT_LEVEL:-$(sed -n '/^\[profile.dev\]/,/^$/s/^opt-level = //p' Cargo.toml)}
[ "${CARGO_INCREMENTAL:-1}" = 0 ] || profile="$profile, incremental"
[ -z "${TRAILCHECK_BIN:-}" ] || profile="that of TRAILCHECK_BIN"
compiler=$(rustc --version)
target=$(rustc -vV | sed -n 's/^host: //p')

now=$(count "$service")
if [ "${1:-}" = --renew ]; then
    {
        echo '# What a check costs in instructions. `bash benches/instructions.sh --renew` writes this file.'
        echo "service: $service"
        echo "compiler: $compiler"
        echo "target: $target"
        echo "opt-level: $profile"
        echo "instructions: $now"
    } >"$figures"
    cat "$figures"
    exit
fi
figure() {
    sed -n "s/^$1: //p" "$figures"
}
# Holds what was counted against the figure, where they can be compared.
compare() {
    local then permil allowed
    then=$(figure instructions)
    permil=$((now * 1000 / then))
    echo "$service takes $now instructions, $((permil / 10)).$((permil % 10)) % of $then"
    if [ "$(figure target)" != "$target" ] || [ "$(figure opt-level)" != "$profile" ] || [ "$(figure service)" != "$service" ]; then
        echo "SKIPPED: the figure is one of opt-level $(figure opt-level) for $(figure target)," \
            "and this is opt-level $profile for $target"
    else
        allowed=$noise
        if [ "$(figure compiler)" != "$compiler" ]; then
            allowed=$another_compiler
            echo "the figure was made by $(figure compiler), this by $compiler: $allowed % more is allowed"
        fi
        if [ "$permil" -gt $((1000 + 10 * allowed)) ]; then
            echo "the check has become slower by more than $allowed %: mend that, or say why in the commit that renews" \
                "$figures (bash benches/instructions.sh --renew)" >&2
            exit 1
        fi
        if [ "$permil" -lt $((1000 - 10 * better)) ]; then
            echo "faster by more than $better %: renew $figures, or that can be lost again unnoticed"
        fi
    fi
}

if [ ! -f "$figures" ]; then
    echo "SKIPPED: $service takes $now instructions, and there is no figure to hold that against: renew $figures"
else
    compare
fi

# The start of the program is the same for all, so it is left out.
mkdir "$work/none" "$work/one" "$work/many"
echo >"$work/none/nothing.py"
cp -r "$grown" "$work/one/copy_0"
for ((number = 0; number < times; number++)); do
    cp -r "$grown" "$work/many/copy_$number"
done
start=$(count "$work/none")
one=$(($(count "$work/one") - start))
many=$(($(count "$work/many") - start))
echo "$times times $grown takes $((many * 100 / one)) % of what it takes once"
if [ $((many * 100)) -gt $((one * times * (100 + growth))) ]; then
    echo "that is more than $times times as much and $growth %: something grows faster than the code" >&2
    exit 1
fi
