# shellcheck shell=bash disable=SC2015,SC2034,SC2064 # the scripts use the variables
# What the scripts that run flavors share. Works with bash 3.2. First, it undoes what the
# environment may have set for bash and Go.
set +efC +o pipefail
shopt -u failglob nullglob nocasematch
unset CDPATH GOAMD64 GODEBUG GOEXPERIMENT GOGC GOMAXPROCS GOMEMLIMIT
export LC_ALL=C GOWORK=off GO111MODULE=on GOFLAGS=-buildvcs=false
# Go raises its own limit on descriptors, but not that of the programs that it starts.
descriptors=$(ulimit -Hn)
[ "$descriptors" != unlimited ] || descriptors=$(sysctl -n kern.maxfilesperproc 2>/dev/null || echo 10240)
ulimit -Sn "$descriptors"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P) || exit 1
me=${0##*/}
command_line="$me${*:+ $*}"
chosen='' picked='' skipped='' stage='' job='' new=''
flavors="stblock mtblock goroutinesrv busywait epollsrv kqueuesrv"
reference=$(command -v redis-server >/dev/null && echo redis-server)
foreign="epollsrv: epoll is on Linux only"
[ "$(uname -s)" != Linux ] || foreign="kqueuesrv: kqueue is on macOS and the BSDs only"

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$@"; exit 1; }
usage_error() { say "$@"; say "try $me -h"; exit 2; }

# number FLAG VALUE MOST checks that a value is a whole number from 1 to MOST.
number() {
  [[ $2 =~ ^[1-9][0-9]{0,9}$ && $2 -le $3 ]] || usage_error "invalid value \"$2\" for $1: want a whole number from 1 to $3"
}

# choose adds a flavor to those that the user wants, also as a shell completes its name.
choose() {
  local name=${1#./}
  [[ " $flavors " = *" ${name%/} "* ]] || usage_error "unknown flavor \"$1\": want some of $flavors"
  chosen="$chosen ${name%/}"
}

# pick_flavors sets picked, the flavors to measure in reading order.
pick_flavors() {
  local flavor
  for flavor in $flavors; do
    [[ " ${chosen:-$flavors} " = *" $flavor "* ]] || continue
    [ "$flavor" = "${foreign%%:*}" ] && skipped=$foreign && say "skipping $foreign" && continue
    picked="$picked $flavor"
  done
  [ -n "$picked" ] || die "no flavor is left to measure"
}

# progress STAGE STEP shows the step in one line of a terminal; elsewhere each stage.
progress() {
  if [ -t 2 ]; then printf '\r\033[K%s' "${2:0:79}" >&2; elif [ "$1" != "$stage" ]; then say "$1"; fi
  stage=$1
}

end_progress() { [ ! -t 2 ] || printf '\r\033[K' >&2; }

# make_folder FOLDER makes a folder.
make_folder() {
  local words
  words=$(mkdir -p -- "$1" 2>&1) || die "cannot make the folder $1: ${words##*: }"
}

# make_tmp makes a folder for programs. It goes, and all processes, however the script ends.
make_tmp() {
  local parent=${GOTMPDIR:-${TMPDIR:-/tmp}} signal
  tmp=$(mktemp -d "$parent/ioflavors.XXXXXX") || die "cannot make a temporary folder in $parent"
  trap leave EXIT
  for signal in HUP:129 INT:130 PIPE:141 TERM:143; do trap "exit ${signal#*:}" "${signal%:*}"; done
  tmp=$(cd -- "$tmp" && pwd -P) && bin=$tmp/bin && mkdir "$bin" || exit 1
  export TMPDIR=$tmp GOTMPDIR=$tmp
  echo '#!/bin/sh' >"$tmp/try" && chmod +x "$tmp/try" && "$tmp/try" 2>/dev/null ||
    die "no program can be run in $parent, which may be mounted noexec: set GOTMPDIR to another folder"
}

# leave keeps the figures of a run that has not reached its end.
leave() {
  trap '' HUP INT PIPE TERM
  end_progress
  [ -z "$job" ] || { kill -TERM -- "-$job" && wait "$job"; } 2>/dev/null
  [ -z "$new" ] || [ -z "$(sed -n 2p "$csv")" ] ||
    { mv -f "$csv" "$out/unfinished.csv" && say "the figures so far are in $out/unfinished.csv"; }
  # A compiler that was just killed may still be adding a file.
  rm -rf "$tmp" "$new" 2>/dev/null || { sleep 1 && rm -rf "$tmp"; }
  [ -z "$new" ] || rmdir "$out" 2>/dev/null
}

# run runs a program in a way that it delays no signal to the script, and can be ended.
run() {
  set -m
  "$@" </dev/null 2>"$tmp/words" &
  job=$!
  set +m
  wait "$job" 2>/dev/null && job= && return
  end_progress
  grep . "$tmp/words" >&2 || say "$1 was ended by a signal"
  exit 1
}

# build puts redis-server into $bin, and commands for this machine, given as folders.
build() {
  command -v go >/dev/null || die "go is not in PATH: the servers are built with it; see https://go.dev/dl"
  progress building building
  [ -z "$reference" ] || ln -s "$(command -v redis-server)" "$bin/" || exit 1
  GOOS=$(go env GOHOSTOS) GOARCH=$(go env GOHOSTARCH) run go -C "$root" build -o "$bin/" "$@"
}

# begin_results CSV HEADER makes $out, and $new, where the results are until all are there.
begin_results() {
  make_folder "${out:=$root/scripts/out/$(date +%Y-%m-%d_%H%M%S)}"
  out=$(cd -- "$out" && pwd) && new=$(mktemp -d "$out/new.XXXXXX") || die "cannot write to the folder $out"
  csv=$new/$1 && echo "$2" >"$csv" || exit 1
}

# end_results NAME moves the results to $out, and prints one. A reader may leave early.
end_results() {
  end_progress
  mv -f "$new"/* "$out" && rmdir "$new" && rm -f "$out/unfinished.csv" && new= || exit 1
  echo "results     $out, after $SECONDS s" >"$tmp/where"
  cat "$out/$1" "$tmp/where"
  case $? in 0 | 141) exit 0 ;; *) exit 1 ;; esac
}
