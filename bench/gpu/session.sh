#!/usr/bin/env bash
# Everything that has to be measured on a GPU, in one go of less than ten minutes:
#
#   bench/gpu/session.sh BUNDLE OUT     (BUNDLE as bench/gpu/bundle.sh left it)
#
# Writes into OUT: machine.txt, selftest.txt, sanitizer.txt, kernels.json, codec.json, rivals.json,
# rebuild-gpu.json, rebuild-cpu.json, tests.txt and verdict.json, which sets the figures beside their targets. Exit codes: 0 all was run
# and is right and every target was met, 3 a target was missed, 1 something is wrong, 2 no device.
set -uo pipefail
bundle=$(readlink -f "${1:?usage: session.sh BUNDLE OUT}")
out=${2:?usage: session.sh BUNDLE OUT}
here=$(dirname "$(readlink -f "$0")")
[ -x "$bundle/fragmend_selftest" ] || { echo "session: no bundle in $bundle" >&2; exit 1; }
mkdir -p "$out"
export LD_LIBRARY_PATH=$bundle/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

step() { # step NAME SECONDS COMMAND...: its output on ours, its status kept for the verdict
    local name=$1 seconds=$2 start=$SECONDS
    shift 2
    timeout "$seconds" "$@"
    local status=$?
    echo "{\"step\": \"$name\", \"status\": $status, \"seconds\": $((SECONDS - start))}" >>"$out/steps"
    echo "== $name: status $status, $((SECONDS - start)) s" >&2
    return $status
}

: >"$out/steps"
{
    date -u
    uname -srm
    grep -m1 'model name' /proc/cpuinfo
    nproc
    nvidia-smi 2>&1 | head -n 20
} >"$out/machine.txt"

step selftest 120 "$bundle/fragmend_selftest" --backend device --full >"$out/selftest.txt" 2>&1
status=$?
tail -n 3 "$out/selftest.txt"
if [ $status = 2 ]; then
    echo "session: no device here, nothing was measured" >&2
    exit 2
fi

# Rates first, on a machine that nothing else has warmed up or broken.
step kernels 90 "$bundle/fragmend_kernel_bench" --json >"$out/kernels.json"
step codec 60 "$bundle/codec_bench" --devices --json "$out/codec.json"
step rivals 60 "$bundle/codec_bench" --rivals --quick --json "$out/rivals.json"
# Whole rebuilds, the device beside the CPU on the same damage; in memory where it can be, since the
# disk of such a machine says nothing about a storage node's.
for backend in gpu cpu; do
    TMPDIR=/dev/shm step "rebuild-$backend" 30 "$bundle/fragmend" bench rebuild --backend $backend --policy 10+4 \
        --objects 120 --bytes 16K,1M-32M --wipe 2 --rounds 3 \
        --out "$out/rebuild-$backend.json" >"$out/rebuild-$backend.txt" 2>&1
done
export FRAGMEND_TEST_DEVICE=1
step exhaustive 60 "$bundle/test_codec_exhaustive" >"$out/tests.txt" 2>&1
step tests 30 "$bundle/test_codec" --gtest_filter='HybridCodec*:MakeCodec*:DeviceLife*' >>"$out/tests.txt" 2>&1
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck; do
        step "$tool" 40 compute-sanitizer --tool $tool --error-exitcode 1 \
            "$bundle/fragmend_selftest" --backend device --quick >>"$out/sanitizer.txt" 2>&1
    done
fi
python3 "$here/verdict.py" "$out"
