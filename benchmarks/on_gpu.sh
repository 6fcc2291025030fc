#!/usr/bin/env bash
# What only a GPU can say, in pieces of under ten minutes that can be stopped and said again:
#
#   bash benchmarks/on_gpu.sh profile OUT [POLICY ...]   Wan2.1-1.3B's sizes, seeded weights: a block's time, memory and
#                                                        operations behind 21 to 240 frames, policy after policy
#   bash benchmarks/on_gpu.sh test                       the tests of the backbone, the cache and the policies
#
# A policy whose profile is in OUT is left out, so the same command goes on. Without a GPU the sizes are reduced, and the
# tables say so. RESOLUTION=WxH and HISTORY=N,... make it smaller still, to try the script.
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
test)
    exec "$PYTHON" -m pytest -q tests/mag_model tests/baselines tests/profiling
    ;;
*)
    sed -n '2,10p' "$0" >&2
    exit 2
    ;;
esac
