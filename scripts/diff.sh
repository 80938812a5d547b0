#!/usr/bin/env bash
# Shows what changes from one flavor to another: builds the program in scripts/diff, which
# does all of it, and runs it. See diff.sh -h.

set -u
unset CDPATH

fail() {
  echo "diff.sh: $1" >&2
  exit 1
}

{ : 3>&1; } 2>/dev/null || fail "standard output is closed"
for program in go diff; do
  command -v "$program" >/dev/null || fail "$program is not in PATH"
done
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd) || exit 1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/diff.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
tmp=$(cd "$tmp" && pwd) || exit 1
export TMPDIR=$tmp GOWORK=off
(cd "$root" && go build -buildvcs=false -o "$tmp/diff" ./scripts/diff) || fail "go build failed"
"$tmp/diff" -C "$root" "$@"
