#!/usr/bin/env bash
# Shows the system calls of each model, event by event. Run it with -h for the options.

set -u
self=${BASH_SOURCE[0]}
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=$(dirname "$self")/$link ;;
  esac
done
root=$(CDPATH='' cd -P "$(dirname "$self")/.." && pwd) || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$root/scripts/lib.sh"

usage() {
  cat <<END
usage: $me [options] [flavor [flavor]]

Holds one small conversation with each flavor under strace, and prints the system calls
that the server makes in answer to each event. Two flavors are set side by side.
Without a flavor: all that this system can run, one after the other.

  flavor      of $flavors
  -proto P    resp or kv           (default resp)
  -o DIR      keep the tables of all flavors as trace-P.txt, and as trace-P.csv
  -h          print this text

It needs Linux, and strace. What was recorded is in scripts/results.
Exit status: 0 all is well; 1 something is missing, or failed; 2 usage.
END
}

proto=resp
out=
while [ $# -gt 0 ]; do
  case $1 in
    -h | -help | --help)
      usage
      exit 0
      ;;
    -proto)
      case ${2-} in resp | kv) proto=$2 ;; *) usage_error "-proto wants resp or kv" ;; esac
      shift
      ;;
    -o)
      out=${2-}
      [ -n "$out" ] || usage_error "-o needs a folder"
      shift
      ;;
    -*) usage_error "unknown option $1" ;;
    *)
      flavor=${1%/}
      choose "${flavor#./}"
      ;;
  esac
  shift
done
# shellcheck disable=SC2086 # flavors are single words
set -- $chosen
[ $# -le 2 ] || usage_error "want two flavors at the most, not $#"
[ $# -eq 0 ] || [ -z "$out" ] || usage_error "-o keeps all flavors: name none"
for flavor in "$@"; do
  reason=$(why_not "$flavor")
  [ -z "$reason" ] || die "cannot run $flavor: $reason"
done
[ "$system" = Linux ] || die "strace is on Linux only; what was recorded there is in scripts/results"
command -v strace >/dev/null || die "strace is not in PATH: install it (Debian: strace); what was recorded is in scripts/results"
[ $# -gt 0 ] || pick_flavors
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $picked
need_go

# launch overrides that of lib.sh: with -D, strace is no parent of the server.
# shellcheck disable=SC2317 # it is called there
launch() { exec strace -D -f -ttt -T -s 16 -e signal=none -o "$tmp/calls" "$@"; }

# record puts the rows of flavor $1 into $tmp/$1.csv.
record() {
  start_flavor "$1" "$proto"
  "$tmp/bin/trace" talk -proto "$proto" -addr "127.0.0.1:$server_port" -pid "$server_pid" \
    -calls "$tmp/calls" >"$tmp/events" || die "the conversation with $1 failed"
  stop_server
  until tail -n 1 "$tmp/calls" | grep -q exited; do sleep 0.01; done
  "$tmp/bin/trace" rows "$1" "$proto" "$tmp/calls" "$tmp/events" >"$tmp/$1.csv" || exit 1
  cp "$tmp/calls" "$tmp/events" /tmp/tr/ ; cp "$tmp/calls" "/tmp/tr/$1-$proto.calls"; cp "$tmp/events" "/tmp/tr/$1-$proto.events"
}

make_tmp
build $(printf './%s ' "$@") ./scripts/trace
for flavor in "$@"; do
  progress "$flavor" "$flavor"
  record "$flavor"
done
end_progress
set -- "${@/%/.csv}"
[ -z "$chosen" ] || [ $# -lt 2 ] || set -- -sides "$@"
cd "$tmp" && "$tmp/bin/trace" show "$@"
