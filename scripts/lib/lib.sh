# shellcheck shell=bash disable=SC2034 # the scripts use the variables
# What the scripts that run flavors share. Works with bash 3.2.
export LC_ALL=C GOWORK=off
unset CDPATH
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

# choose adds a flavor to those that the user wants, also as the shell completes it.
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

# progress STAGE STEP shows on a terminal the step, in one line; elsewhere each stage.
progress() {
  if [ -t 2 ]; then
    printf '\r\033[K%s' "${2:0:79}" >&2
  elif [ "$1" != "$stage" ]; then
    say "$1"
  fi
  stage=$1
}

end_progress() { [ ! -t 2 ] || printf '\r\033[K' >&2; }

# make_tmp makes a folder. It goes, and all processes, however the script ends.
make_tmp() {
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/ioflavors.XXXXXX") || exit 1
  trap leave EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  tmp=$(cd -- "$tmp" && pwd -P) && bin=$tmp/bin && mkdir "$bin" || exit 1
  export TMPDIR=$tmp
}

# leave keeps the figures of a run that did not reach its end.
leave() {
  trap '' HUP INT PIPE TERM
  end_progress
  [ -z "$job" ] || { kill -TERM -- "-$job" && wait "$job"; } 2>/dev/null
  if [ -n "$new" ]; then
    [ -z "$(sed -n 2p "$csv" 2>/dev/null)" ] ||
      { mv -f "$csv" "$out/unfinished.csv" && say "the figures so far are in $out/unfinished.csv"; }
    rm -rf "$new"
    rmdir "$out" 2>/dev/null
  fi
  # A compiler that was just killed may still be adding a file.
  rm -rf "$tmp" 2>/dev/null || { sleep 1 && rm -rf "$tmp"; }
}

# run runs a program, in the background, where it delays no signal to the script, and in
# a process group, so that all of it can be ended.
run() {
  set -m
  "$@" </dev/null 2>"$tmp/words" &
  job=$!
  set +m
  wait "$job" 2>/dev/null && job= && return
  job=
  end_progress
  grep . "$tmp/words" >&2 || say "$1 was ended by a signal"
  exit 1
}

# build puts redis-server into $bin, and commands, given as folders of the module.
build() {
  command -v go >/dev/null || die "go is not in PATH: the servers are built with it; see https://go.dev/dl"
  progress building building
  [ -z "$reference" ] || ln -s "$(command -v redis-server)" "$bin/" || exit 1
  run go -C "$root" build -buildvcs=false -o "$bin/" "$@"
}

# begin_results CSV HEADER makes $out, the folder for the results, and $new, where they are
# until all are there.
begin_results() {
  : "${out:=$root/scripts/out/$(date +%Y-%m-%d_%H%M%S)}"
  mkdir -p -- "$out" && out=$(cd -- "$out" && pwd) && new=$(mktemp -d "$out/new.XXXXXX") || exit 1
  csv=$new/$1
  echo "$2" >"$csv" && "$bin/table" machine "$command_line" >"$new/machine.txt" || exit 1
}

# end_results replaces the results of an earlier run, and prints one. A reader that has
# left is no failure: all is done.
end_results() {
  end_progress
  mv -f "$new"/* "$out" && rmdir "$new" && rm -f "$out/unfinished.csv" || exit 1
  new=
  echo "results     $out, after $SECONDS s" >"$tmp/where"
  cat "$out/$1" "$tmp/where"
  case $? in 0 | 141) exit 0 ;; *) exit 1 ;; esac
}
