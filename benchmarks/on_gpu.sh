#!/usr/bin/env bash
# What only a GPU can say, in pieces of under ten minutes that can be stopped and said again:
#
#   bash benchmarks/on_gpu.sh profile OUT [POLICY ...]   Wan2.1-1.3B's sizes, seeded weights: a block's time, memory and
#                                                        operations behind 21 to 240 frames, policy after policy
#   bash benchmarks/on_gpu.sh train OUT                  preset small (96x64, canvases and rooms): base, memory, joint
#   bash benchmarks/on_gpu.sh test                       the tests of the backbone, the cache and the policies
#
# What is in OUT is left out, so the same command goes on; it ends with 3 where there is more to do. Without a GPU the
# sizes of profiles are reduced, and the tables say so, and training is on the CPU. To try the script, RESOLUTION=WxH and
# HISTORY=N,... make profiles smaller still, PRESET=pico and STEPS=N make training shorter.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python}
MINUTES=${MINUTES:-9}

case "${1:-}" in
profile)
    out=${2:?a folder for the tables}
    shift 2
    if [ $# -gt 0 ]; then policies=("$@"); else
        mapfile -t policies < <("$PYTHON" -c '
from magbench.core.plugins import POLICIES, plugins
print("\n".join(plugins(POLICIES)))')
    fi
    end=$((SECONDS + 60 * MINUTES))
    for policy in "${policies[@]}"; do
        if [ -f "$out/$policy/profile.json" ]; then continue; fi
        left=$((end - SECONDS))
        if [ "$left" -le 0 ]; then
            echo "$MINUTES minutes are over before $policy; say it again" >&2
            exit 3
        fi
        mkdir -p "$out"
        timeout "$left" "$PYTHON" -c 'from cli import main; main()' profile "wan:random+$policy" \
            --resolution "${RESOLUTION:-832x480}" --history "${HISTORY:-21,60,120,240}" --out "$out/$policy" \
            | tee "$out/$policy.txt"
    done
    ;;
train)
    out=${2:?a folder for the weights}
    device=$("$PYTHON" -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')
    end=$((SECONDS + 60 * MINUTES))
    for stage in base memory joint; do
        if [ -f "$out/$stage.safetensors" ]; then continue; fi
        left=$((end - SECONDS))
        if [ "$left" -gt 0 ]; then
            "$PYTHON" -c 'from cli import main; main()' train "$stage" --preset "${PRESET:-small}" --device "$device" \
                --minutes "$(awk "BEGIN { print $left / 60 }")" --out "$out" ${STEPS:+--steps "$STEPS"}
        fi
        if [ ! -f "$out/$stage.safetensors" ]; then
            echo "$MINUTES minutes are over before $stage is trained; say it again" >&2
            exit 3
        fi
    done
    ;;
test)
    exec "$PYTHON" -m pytest -q tests/mag_model tests/baselines tests/profiling
    ;;
*)
    sed -n '2,12p' "$0" >&2
    exit 2
    ;;
esac
