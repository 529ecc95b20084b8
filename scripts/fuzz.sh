#!/usr/bin/env bash
# Runs each fuzz target: scripts/fuzz.sh [SECONDS] [TARGET...], a minute each where nothing is said. What is found stands in
# target/fuzz/found; a defect is exit 1. Needs a C++ compiler and cargo-fuzz (`cargo install cargo-fuzz --locked`).
#
# The toolchain is the usual one: RUSTC_BOOTSTRAP lets a stable rustc put in what the fuzzer counts. There is no sanitizer
# besides, since none of the code is `unsafe`: panics, overflows, time and memory are what is looked for.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- feed extract html charset archive robots
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$PWD/target/fuzz/build
mkdir -p target/fuzz/found

cargo fuzz build --sanitizer none
status=0
for target in "$@"; do
    mkdir -p "target/fuzz/corpus/$target"
    case $target in
    feed | charset | robots) words=xml ;;
    *) words=html ;;
    esac
    # New inputs go to the first folder; the others are where it begins: all made up.
    if cargo fuzz run --sanitizer none "$target" "target/fuzz/corpus/$target" fuzz/seeds $(find tests/fixtures -type d) -- \
        -dict="fuzz/dictionaries/$words" \
        -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="target/fuzz/found/$target-" >"target/fuzz/$target.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "target/fuzz/$target.log")
        echo "$target: $runs runs, nothing found"
    else
        echo "$target: something was found; see target/fuzz/$target.log"
        status=1
    fi
done
exit $status
