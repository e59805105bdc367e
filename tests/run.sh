#!/usr/bin/env bash
# Runs all tests: `bash tests/run.sh`. Needs Rust (with rustfmt and clippy) and Python 3.11 or newer; the Python
# packages go into target/venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
venv=$target/venv
services='fixtures/orders-fastapi fixtures/helpdesk-django'
step='starting'
trap 'code=$?; [ "$code" -eq 0 ] || printf "\nFAILED: %s\n" "$step" >&2' EXIT

section() {
    step=$1
    printf '\n== %s\n' "$step"
}

fail() {
    echo "$1" >&2
    return 1
}

# Looks for an interpreter that is new enough and can make environments.
find_python() {
    local python
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    fail 'no Python 3.11 or newer with venv found; install one, such as python3.11 with python3.11-venv'
}

# Makes the environment, or takes the one that was made for the same requirements.
prepare_python() {
    local python wanted
    python=$(find_python)
    # shellcheck disable=SC2046,SC2086 # no name has a space in it
    wanted=$(cat tests/evidence/requirements.txt $(printf '%s/pyproject.toml ' $services); "$python" --version)
    if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/made-for" 2>/dev/null)" = "$wanted" ]; then
        echo "the packages in $venv are as wanted"
        return
    fi
    rm -rf "$venv"
    "$python" -m venv "$venv"
    # A service is run from its folder, so only what it needs is installed.
    # shellcheck disable=SC2046,SC2086
    "$venv/bin/python" - $(printf '%s/pyproject.toml ' $services) >"$venv/requirements.txt" <<'PYTHON'
import sys
import tomllib

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        project = tomllib.load(file)["project"]
    print("\n".join(project["dependencies"] + project["optional-dependencies"]["test"]))
PYTHON
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        -r tests/evidence/requirements.txt -r "$venv/requirements.txt"
    echo "$wanted" >"$venv/made-for"
}

# run_service_tests FOLDER: the suite of one sample service.
run_service_tests() (
    python=$(cd "$venv/bin" && pwd)/python
    cd "$1"
    "$python" -m pytest -q
)

# expect CODE ARGUMENT…: runs trailcheck, keeps what it says in $said, and fails when it ends with another code.
expect() {
    local wanted=$1 code=0
    shift
    said=$("$target/debug/trailcheck" "$@" 2>&1) || code=$?
    if [ "$code" -ne "$wanted" ]; then
        printf '%s\n' "$said" | tail -n 40 >&2
        fail "trailcheck $* ended with $code instead of $wanted"
    fi
    echo "ends with $wanted: trailcheck $*"
}

# has TEXT: fails when the last run did not say it.
has() {
    case $said in
    *"$1"*) ;;
    *)
        printf '%s\n' "$said" | tail -n 40 >&2
        fail "the last run did not say: $1"
        ;;
    esac
}

section 'Formatting'
cargo fmt --check

section 'Lints'
cargo clippy --all-targets -- -D warnings

section 'Rust tests'
cargo test

# The sample service in Rust is a workspace of its own, with its own folder for what is built. It is built while Python,
# which takes one core, goes through its part. What the compiler warns of fails it.
twin=fixtures/orders-rust/Cargo.toml
test_twin() {
    CARGO_TARGET_DIR=$target/twin CARGO_PROFILE_DEV_OPT_LEVEL=0 RUSTFLAGS='-D warnings' \
        cargo test --locked --manifest-path "$twin" "$@"
}
test_twin --no-run >"$target/twin.log" 2>&1 &
building=$!

section 'Documentation of the library'
RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

section 'Python packages'
prepare_python

section 'Evidence for the rule pages'
"$venv/bin/python" -m pytest -q tests/evidence

for service in $services; do
    section "Tests of $service"
    run_service_tests "$service"
done

section 'Formatting and tests of fixtures/orders-rust'
cargo fmt --check --manifest-path "$twin"
wait "$building" || { cat "$target/twin.log" >&2; fail 'it cannot be built'; }
test_twin

section 'Broken files are told as gaps'
gaps='deep.rs latin1_undeclared.py nul.py nul.rs truncated.py unclosed.rs utf16.py'
wholes='bom.py crlf.py empty.py latin1_declared.py'
expect 0 check fixtures/broken
for name in $gaps; do
    has "gap: fixtures/broken/$name"
done
expect 4 check fixtures/broken --strict
for name in $gaps; do
    expect 4 check "fixtures/broken/$name" --strict
    has "gap: fixtures/broken/$name"
done
for name in $wholes; do
    expect 0 check "fixtures/broken/$name" --strict
done
# What is broken in one file keeps nobody from the others.
expect 1 check fixtures/broken fixtures/orders-rust
has 'gap: fixtures/broken/unclosed.rs'
for file in fixtures/broken/*; do
    name=$(basename "$file")
    case " $gaps $wholes " in
    *" $name "*) ;;
    *) fail "$file is neither expected to be a gap nor to be whole" ;;
    esac
done

section 'The sample services and the standard'
for service in $services fixtures/orders-rust; do
    expect 1 check "$service"
    expect 1 check "$service" --strict
    expect 0 check "$service" --fail-on never
done
orders=fixtures/orders-fastapi/orders
expect 0 check "$orders/core" "$orders/routes.py" "$orders/models.py" --fail-on review --strict
expect 1 check fixtures/standard/wrong fixtures/shop
expect 0 check fixtures/standard/correct fixtures/shop --fail-on review --strict

section 'What a check costs in instructions'
bash benches/instructions.sh

section 'How a run ends when it cannot be done'
expect 2 check no-such-folder
expect 2 check --no-such-option
expect 3 check rules

printf '\nAll tests passed.\n'
