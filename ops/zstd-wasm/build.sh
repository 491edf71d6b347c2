#!/bin/sh
# Builds src/lib/zstd/zstd.wasm anew from pinned sources: zstd 1.5.7 as python-zstandard's source package amalgamates it, compiled by zig (clang
# with a C library for WebAssembly), both from PyPI and checked by hash. The same sources give the same bytes. Needs Linux on x86-64 and Python 3 with pip.
#   sh ops/zstd-wasm/build.sh            writes the module
#   sh ops/zstd-wasm/build.sh --check    says whether the one that is checked in is what this makes
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target="$here/../../src/lib/zstd/zstd.wasm"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$work" zstandard==0.25.0
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --platform manylinux2010_x86_64 --dest "$work" ziglang==0.15.2
cd "$work"
sha256sum --check --quiet <<SUMS
7713e1179d162cf5c7906da876ec2ccb9c3a9dcbdffef0cc7f70c3667a205f0b  zstandard-0.25.0.tar.gz
806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130  ziglang-0.15.2-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl
SUMS
tar xzf zstandard-0.25.0.tar.gz zstandard-0.25.0/zstd
"$work/venv/bin/python" -m zipfile -e ziglang-*.whl zig
chmod +x zig/ziglang/zig
ZIG_GLOBAL_CACHE_DIR="$work/cache" zig/ziglang/zig cc -target wasm32-wasi -mexec-model=reactor -O3 -DNDEBUG -mbulk-memory \
  -I zstandard-0.25.0/zstd -Wl,--strip-all -Wl,--gc-sections -Wl,-z,stack-size=262144 -o zstd.wasm "$here/binding.c"
if [ "${1:-}" = --check ]; then
  cmp zstd.wasm "$target" && echo "zstd.wasm is what its sources make"
else
  cp zstd.wasm "$target" && chmod 644 "$target" && sha256sum "$target"
fi
