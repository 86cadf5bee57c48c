#!/usr/bin/env bash
# Builds what a measuring session on a GPU machine needs and puts it into one folder, so that the
# machine itself needs nothing but a driver: programs with their C++ library and CUDA runtime linked
# in, and the few libraries beside them in lib/.
#
#   bench/gpu/bundle.sh [BUILD-FOLDER]     (default: build-gpu; needs a CUDA toolkit)
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=${1:-build-gpu}
bundle=$build/bundle
programs=(kernels/selftest/fragmend_selftest kernels/bench/fragmend_kernel_bench
    bench/codec/codec_bench bench/scheduler/pipeline_bench fragmend tests/host/codec/test_codec_exhaustive tests/host/codec/test_codec)

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFRAGMEND_PORTABLE=ON \
    -DFRAGMEND_CUDA=ON -DFRAGMEND_KERNELS_CUDA=ON \
    -DFRAGMEND_CUDA_ARCHITECTURES="${FRAGMEND_CUDA_ARCHITECTURES:-90}" >/dev/null
cmake --build "$build" --target fragmend_selftest fragmend_kernel_bench codec_bench \
    pipeline_bench fragmend test_codec_exhaustive test_codec -- --quiet

[ -e "$build/kernels/cuda/libfragmend_kernels_cuda.a" ] || { echo "bundle: no CUDA toolkit here" >&2; exit 2; }
rm -rf "$bundle"
mkdir -p "$bundle/lib"
for program in "${programs[@]}"; do
    strip -o "$bundle/$(basename "$program")" "$build/$program"
done
# All but the C library itself; liberasurecode opens its back ends by name.
{
    ldd "$bundle"/codec_bench "$bundle"/pipeline_bench "$bundle"/fragmend "$bundle"/test_codec "$bundle"/test_codec_exhaustive |
        sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' |
        grep -vE '/(libc|libm|libpthread|libdl|librt|ld-linux[^/]*)\.so'
    ldconfig -p | sed -n 's/.*=> \(.*\/\(libisal\|libJerasure\|libgf_complete\|libXorcode\|liberasurecode_rs_vand\)\.so\..*\)/\1/p'
} | sort -u | while read -r library; do
    cp -L "$library" "$bundle/lib/"
done
# What a measuring machine takes along is bounded, with the tree beside it.
bytes_max=$((55 << 20))
bytes=$(find "$bundle" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
echo "bundle: $bytes bytes in $bundle" >&2
[ "$bytes" -le $bytes_max ] || { echo "bundle: more than $bytes_max bytes" >&2; exit 1; }
