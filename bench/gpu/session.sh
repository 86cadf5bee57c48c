#!/usr/bin/env bash
# Everything that has to be measured on a GPU, in two parts of less than ten minutes each:
#
#   bench/gpu/session.sh BUNDLE OUT [rates|proofs|all]     (BUNDLE as bench/gpu/bundle.sh left it)
#
# `rates`: the self-test, the kernel bench, the codec on all of the machine. `proofs`: whole rebuilds,
# tests on the device, compute-sanitizer, a profile, a context that dies, the long self-test.
# OUT gets few files: PART.tgz with all that was written, made anew after each step, so that a part that is
# ended from outside keeps what was done; kernels.jsonl, row by row; verdict-PART.json, which sets the
# figures beside their targets, and verdict-PART.txt. No step begins after FRAGMEND_SESSION_SECONDS (530)
# of a part. Exit codes: 0 all was run and is right and every target was met, 3 a target was missed,
# 1 something is wrong, 2 no device.
set -uo pipefail
usage="usage: session.sh BUNDLE OUT [rates|proofs|all]"
bundle=$(readlink -f "${1:?$usage}")
out=${2:?$usage}
part=${3:-all}
here=$(dirname "$(readlink -f "$0")")
[ -x "$bundle/fragmend_selftest" ] || { echo "session: no bundle in $bundle" >&2; exit 1; }
mkdir -p "$out" || exit 1
out=$(readlink -f "$out")

if [ "$part" = all ]; then
    "$0" "$bundle" "$out" rates
    first=$?
    [ $first = 2 ] && exit 2
    "$0" "$bundle" "$out" proofs
    second=$?
    [ $first = 1 ] || [ $second = 1 ] && exit 1
    exit $((first > second ? first : second))
fi
case $part in rates | proofs) ;; *) echo "$usage" >&2; exit 1 ;; esac

seconds_max=${FRAGMEND_SESSION_SECONDS:-530}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Progress goes to the terminal, whatever a step's own output goes to.
exec 3>&2

pack() {
    tar -C "$work" -czf "$out/.$part.tgz" . && mv "$out/.$part.tgz" "$out/$part.tgz"
}

note() { # note NAME STATUS SECONDS
    echo "{\"step\": \"$1\", \"status\": $2, \"seconds\": $3}" >>"$work/steps"
    echo "== $1: status $2, $3 s" >&3
    pack
}

step() { # step NAME SECONDS COMMAND...: its output on ours, its status kept for the verdict
    local name=$1 seconds=$2 start=$SECONDS left=$((seconds_max - SECONDS)) status
    shift 2
    if ((left < 5)); then
        note "$name" '"no time"' 0
        return 124
    fi
    # A program that waits for a device may not hear a polite signal.
    timeout -k 5 $((seconds < left ? seconds : left)) "$@"
    status=$?
    note "$name" $status $((SECONDS - start))
    return $status
}

no_device() {
    echo "session: no device here, nothing was measured" >&2
    pack
    exit 2
}

# What a program may use of SECONDS, so that it ends by itself before the part does.
within() { # within SECONDS
    local left=$((seconds_max - SECONDS - 15))
    echo $((left < 1 ? 1 : left < $1 ? left : $1))
}

# What comes from the bundle finds the libraries beside it; what is the machine's does not.
ours() { # ours NAME SECONDS PROGRAM ARGUMENTS...
    local name=$1 seconds=$2 program=$3
    shift 3
    step "$name" "$seconds" env LD_LIBRARY_PATH="$bundle/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$bundle/$program" "$@"
}

tool_path() { # tool_path NAME: where a tool of the CUDA toolkit lies, if it does
    local place
    for place in "$(command -v "$1")" "${CUDA_HOME:-/usr/local/cuda}/bin/$1"; do
        [ -x "$place" ] && echo "$place" && return
    done
    return 1
}

rates() {
    ours selftest 60 fragmend_selftest --backend device --seconds "$(within 45)" \
        >"$work/selftest.txt" 2>&1
    [ $? = 2 ] && no_device
    tail -n 3 "$work/selftest.txt"
    ours kernels 200 fragmend_kernel_bench --json --seconds "$(within 180)" >"$out/kernels.jsonl" 2>"$work/kernels.txt"
    cp "$out/kernels.jsonl" "$work/"
    ours codec 150 codec_bench --devices --json "$work/codec.json" >"$work/codec.txt" 2>&1
    ours rivals 90 codec_bench --rivals --quick --json "$work/rivals.json" >"$work/rivals.txt" 2>&1
}

# Whole rebuilds, the device beside the CPU on the same damage, and as the router decides; in memory where
# it can be, since the disk of such a machine says nothing about a storage node's.
rebuilds() {
    local backend scratch=$work
    [ -w /dev/shm ] && scratch=/dev/shm
    df -hT "$scratch" >>"$work/machine.txt" 2>&1
    for backend in gpu cpu auto; do
        TMPDIR=$scratch ours "rebuild-$backend" 45 fragmend bench rebuild --backend $backend --policy 10+4 \
            --objects 120 --bytes 16K,1M-32M --wipe 2 --rounds 3 \
            --out "$work/rebuild-$backend.json" >"$work/rebuild-$backend.txt" 2>&1
    done
    # The same without disks: peers answer from memory.
    for backend in gpu cpu auto; do
        ours "pipeline-$backend" 30 pipeline_bench --backend $backend --only large --scale 2 --sessions 16 \
            --threads "$(nproc)" --json "$work/pipeline-$backend.json" >"$work/pipeline-$backend.txt" 2>&1
    done
}

sanitizers() {
    local sanitizer tool
    sanitizer=$(tool_path compute-sanitizer) || { note sanitizer '"not installed"' 0; return; }
    for tool in memcheck racecheck initcheck synccheck; do
        # The program checks every call; an event that is not ready yet is an answer, not an error.
        step $tool 90 "$sanitizer" --tool $tool --error-exitcode 1 --report-api-errors no --print-limit 50 \
            "$bundle/fragmend_selftest" --backend device --quick --seconds "$(within 25)" >"$work/$tool.txt" 2>&1
        tail -n 2 "$work/$tool.txt"
    done
}

profile() {
    local profiler
    profiler=$(tool_path ncu) || { note profile '"not installed"' 0; return; }
    step profile 90 "$profiler" --target-processes all --section SpeedOfLight \
        --section Occupancy --section LaunchStats --section WarpStateStats --section MemoryWorkloadAnalysis \
        --clock-control none --kernel-name 'regex:decode_kernel|md5_kernel' \
        "$bundle/fragmend_kernel_bench" --profile >"$work/profile.txt" 2>&1
}

proofs() {
    ours device 20 fragmend_selftest --backend device --quick --seconds 1 >"$work/device.txt" 2>&1
    [ $? = 2 ] && no_device
    rebuilds
    FRAGMEND_TEST_DEVICE=1 ours exhaustive 60 test_codec_exhaustive >"$work/tests.txt" 2>&1
    ours tests 30 test_codec --gtest_filter='MakeCodec*' >>"$work/tests.txt" 2>&1
    sanitizers
    profile
    # What a kernel that dies leaves behind: whether a new engine works in the same process.
    ours lost-device 30 fragmend_selftest --lost-device >"$work/lost-device.txt" 2>&1
    tail -n 2 "$work/lost-device.txt"
    ours selftest-full 60 fragmend_selftest --backend device --full --seconds "$(within 45)" >"$work/selftest-full.txt" 2>&1
    tail -n 3 "$work/selftest-full.txt"
}

{
    date -u
    uname -srm
    grep -m1 'model name' /proc/cpuinfo
    nproc
    df -hT "$work" /dev/shm
    timeout 20 nvidia-smi | head -n 20
    echo "libraries: ${LD_LIBRARY_PATH:-none}"
    ldconfig -p | grep libcuda
} >"$work/machine.txt" 2>&1
: >"$work/steps"
if [ "$part" = rates ]; then rates; else proofs; fi
python3 "$here/verdict.py" "$work" | tee "$out/verdict-$part.txt"
status=${PIPESTATUS[0]}
cp "$work/verdict.json" "$out/verdict-$part.json"
pack
exit "$status"
