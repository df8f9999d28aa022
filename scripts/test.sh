#!/bin/sh
# Everything that must be green before a change lands, in the order of what fails soonest.
# Each step's whole output is in build/logs/; the steps' own closing lines come at the end.
set -u
cd "$(dirname "$0")/.." || exit 1

usage() {
    cat <<TEXT
usage: scripts/test.sh [--quick | --long]

  (default)  lint, builds without a warning, unit tests, end-to-end tests (30 kills among them), the
             dashboard (types, unit tests, size) and a browser in front of a real server,
             sanitizers (asan with ubsan, tsan), fuzzing for 10 s each; within 20 minutes on two
             cores
  --quick    without sanitizers and fuzzing
  --long     also clang-tidy, the quickstart, the long end-to-end tests, 1,000 kills, and fuzzing
             for 10 minutes each
TEXT
}

mode=full
fuzz_s=10
case ${1-} in
'') ;;
--quick) mode=quick ;;
--long) mode=long fuzz_s=600 ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac

logs=build/logs
mkdir -p "$logs"
rm -f "$logs"/*.log
jobs=$(nproc)
summary=$logs/summary
: >"$summary"
red=0

# step NAME COMMAND...: runs it with its output in a log; a failure shows the log's end and counts.
step() {
    name=$1
    shift
    begin=$(date +%s)
    if "$@" >"$logs/$name.log" 2>&1 </dev/null; then
        word=ok
    else
        word=FAILED
        red=$((red + 1))
        printf '\n--- %s failed; the end of %s/%s.log:\n' "$name" "$logs" "$name"
        tail -n 60 "$logs/$name.log"
    fi
    printf '%-12s %-6s %4d s\n' "$name" "$word" $(($(date +%s) - begin)) | tee -a "$summary"
    [ $word = ok ]
}

build() {
    cmake --preset "$1" && cmake --build --preset "$1" -j "$jobs"
}

unit() {
    # One more than there are cores: those of the engine wait half of their time.
    ctest --test-dir "build/$1" --output-on-failure -j "$((jobs + 1))" ${2:+-E "$2"}
}

# Debian's python3 has Debian's pytest; another python in front of the PATH may have none.
find_python() {
    for python in /usr/bin/python3 python3; do
        "$python" -c 'import pytest' 2>/dev/null && return
    done
    echo "no python3 with pytest: scripts/bootstrap.sh tests" >&2
    return 1
}

# Subjects in the order of what takes longest, so that no core is left with a long one at the end.
long_subjects="http_subscribers worker_orphans http_disk retention killer http_events http_abuse
    http_all_events http_stop backup"
# Nothing runs beside these: what they measure is short.
subjects_alone="http_routes larger_than_memory"

# several OUT N SUBJECT...: the files of end-to-end tests, N at once (most of a test is waiting), each
# in a process of its own with its output in OUT-SUBJECT.log.
several() {
    out=$1 many=$2
    shift 2
    # shellcheck disable=SC2016
    printf '%s\n' "$@" | PYTHONDONTWRITEBYTECODE=1 xargs -P "$many" -I '{}' sh -c \
        '"$0" -m pytest -q -p no:cacheprovider --durations=5 "tests/e2e/test_$1.py" >"$2-$1.log" 2>&1' \
        "$python" '{}' "$out"
}

# pytests NAME N SUBJECT...: all of them, N at once, then what they said, the red ones last, and their
# sum.
pytests() {
    out=$logs/parts/$1 lanes=$2
    shift 2
    find_python || return 1
    mkdir -p "$logs/parts"
    rm -f "$out"-*.log
    together=
    alone=
    for subject in $long_subjects "$@"; do
        case " $* " in *" $subject "*) ;; *) continue ;; esac
        case " $together $alone " in *" $subject "*) continue ;; esac
        case " $subjects_alone " in
        *" $subject "*) alone="$alone $subject" ;;
        *) together="$together $subject" ;;
        esac
    done
    # shellcheck disable=SC2086
    several "$out" "$lanes" $together
    good=$?
    # shellcheck disable=SC2086
    [ -z "$alone" ] || several "$out" 1 $alone || good=1
    grep -LE '[0-9]+ (failed|error)' "$out"-*.log | xargs cat
    grep -lE '[0-9]+ (failed|error)' "$out"-*.log | xargs -r cat
    cat "$out"-*.log | awk '/ in [0-9.]+s/ {
            for (i = 2; i <= NF; i++)
                if ($i ~ /^(passed|failed|skipped|error|errors),?$/)
                    sum[substr($i, 1, 4)] += $(i - 1)
        }
        END {
            printf "%d passed, %d failed, %d skipped\n", sum["pass"], sum["fail"] + sum["erro"],
                sum["skip"]
        }'
    return $good
}

end_to_end() {
    # shellcheck disable=SC2046
    OCKHAM=$PWD/build/release/ockham OCKHAM_LONG=$([ $mode = long ] && echo 1) \
        pytests e2e $((jobs + 1)) $(ls tests/e2e | sed -n 's/^test_\(.*\)\.py$/\1/p')
}

# Types, the modules that need no browser, and that all of it together loads at once.
dashboard() {
    scripts/packages.sh clients/dashboard &&
        (cd clients/dashboard && npx --no-install tsc --noEmit) &&
        node --test --test-reporter=tap tests/dashboard/*.test.mjs || return 1
    node clients/dashboard/build.mjs --out build/dashboard-size || return 1
    bytes=0
    for file in build/dashboard-size/*; do
        bytes=$((bytes + $(gzip -9c "$file" | wc -c)))
    done
    echo "dashboard: $bytes bytes gzipped, of 150,000"
    [ $bytes -lt 150000 ]
}

# As many files at once as there are cores: most of a test is waiting.
browser() {
    rm -rf "$logs/browser"
    scripts/packages.sh tests/browser && OCKHAM=$PWD/build/release/ockham node --test --test-reporter=tap \
        --test-concurrency="$jobs" tests/browser/*.test.mjs
}

# UBSan goes on after a fault unless told otherwise; leaks fail the test that leaks. Not
# detect_stack_use_after_return: gcc 12's fake stack aligns to 32 bytes, and AVX-512 wants 64.
asan() {
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 unit asan
}

# What has one thread alone is left out. libomp is not instrumented; libarcher tells ThreadSanitizer
# what it synchronises. Debian keeps it where libomp does not look by itself. Every process would
# sleep for a second at its end, to see races there: a tenth of it is enough.
tsan() {
    archer=/usr/lib/llvm-14/lib/libarcher.so
    [ -f "$archer" ] || { echo "$archer is missing (libomp-14-dev)" && return 1; }
    OMP_TOOL_LIBRARIES=$archer \
        TSAN_OPTIONS=ignore_noninstrumented_modules=1:second_deadlock_stack=1:atexit_sleep_ms=100 \
        unit tsan '^test_(kernels_|json|spec_|status|safetensors|encoder_|data_(encoder|import_(idx|inline|npy|svmlight)|split|reader))'
}

# The server's own life under the sanitizers, with the real worker processes: races, leaks and
# overruns show as exit codes, which the tests look at. The rest of the end-to-end tests would only
# run the same code again.
sanitized() {
    preset=$1
    OCKHAM=$PWD/build/$preset/ockham OCKHAM_KILLS=10 \
        ASAN_OPTIONS=detect_leaks=1:verify_asan_link_order=0 \
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        OMP_TOOL_LIBRARIES=/usr/lib/llvm-14/lib/libarcher.so \
        TSAN_OPTIONS=ignore_noninstrumented_modules=1:second_deadlock_stack=1:atexit_sleep_ms=100 \
        pytests "e2e-$preset" "$jobs" http_jobs http_events http_all_events http_stop http_disk \
        retention killer
}

# Every target starts from its corpus, in a copy, so that what it finds does not change the tree.
# As many at once as there are cores: each has one thread.
fuzz() {
    rm -f build/fuzz/fuzz_*.log build/fuzz/fuzz_*.red
    for target in build/fuzz/fuzz_*; do
        [ -x "$target" ] && [ -f "$target" ] || continue
        corpus=build/fuzz/corpus/$(basename "$target")
        mkdir -p "$corpus"
        cp -r "tests/fuzz/corpus/$(basename "$target")/." "$corpus/" 2>/dev/null
        printf '%s\n' "$target"
    done >build/fuzz/targets
    # shellcheck disable=SC2016
    ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1 xargs -P "$jobs" -I '{}' sh -c '
        log=build/fuzz/$(basename "$1")
        "$1" -max_total_time="$0" -timeout=10 -rss_limit_mb=2048 -verbosity=1 -print_final_stats=1 \
            -artifact_prefix=build/fuzz/ "build/fuzz/corpus/$(basename "$1")" >"$log.log" 2>&1 ||
            { mv "$log.log" "$log.red" && exit 1; }' "$fuzz_s" '{}' <build/fuzz/targets
    good=$?
    cat build/fuzz/fuzz_*.log build/fuzz/fuzz_*.red 2>/dev/null
    [ $good = 0 ] || return 1
    found=$(wc -l <build/fuzz/targets)
    [ "$found" -gt 0 ] && echo "fuzz: $found targets, $fuzz_s s each, nothing found"
}

kills() {
    find_python && OCKHAM=$PWD/build/release/ockham PYTHONDONTWRITEBYTECODE=1 \
        "$python" tests/e2e/killer.py --kills 1000 --seed "$(date +%s)"
}

tidy() {
    files=$(git ls-files 'core/*.c' 'server/*.c' 'clients/*.c')
    # shellcheck disable=SC2086
    printf '%s\n' $files | xargs -P "$jobs" -n 4 clang-tidy-14 -p build/dev --quiet
}

step bootstrap sh scripts/bootstrap.sh tests || exit 1
step lint sh scripts/lint.sh
step dashboard dashboard
if step build-test build test; then
    step unit unit test
fi
if step build build release; then
    step end-to-end end_to_end
    step browser browser
fi
if [ $mode != quick ]; then
    step build-asan build asan && { step asan asan; step e2e-asan sanitized asan; }
    step build-tsan build tsan && { step tsan tsan; step e2e-tsan sanitized tsan; }
    step build-fuzz build fuzz && step fuzz fuzz
fi
if [ $mode = long ]; then
    step build-dev build dev && step tidy tidy
    step quickstart sh scripts/quickstart.sh --once
    step kills kills
fi

# The runners' own lines.
for name in lint unit asan tsan e2e-asan e2e-tsan fuzz kills end-to-end; do
    [ -f "$logs/$name.log" ] || continue
    printf '\n%s: ' "$name"
    grep -E 'tests passed|tests failed|passed|failed|^lint:|^fuzz:|kills' "$logs/$name.log" | tail -n 1
done
for name in dashboard browser; do
    [ -f "$logs/$name.log" ] || continue
    printf '\n%s:\n' "$name"
    grep -E '^# (tests|pass|fail) |^dashboard:' "$logs/$name.log"
done
echo
cat "$summary"
if [ $red != 0 ]; then
    echo "$red steps failed"
    exit 1
fi
echo "all green"
