#!/usr/bin/env bash
# Shows what changes from one flavor to another: builds the program in scripts/diff, which
# does all of it, and runs it. See diff.sh -h.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

{ : 3>&1; } 2>/dev/null || die "standard output is closed"
for program in go diff; do
  command -v "$program" >/dev/null || die "$program is not in PATH"
done
make_tmp
GOOS=$(go env GOHOSTOS) GOARCH=$(go env GOHOSTARCH)
export GOOS GOARCH
go -C "$root" build -o "$bin/diff" ./scripts/diff || die "go build failed"
"$bin/diff" -C "$root" "$@"
