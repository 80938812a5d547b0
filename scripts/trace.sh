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
usage: $me [-proto P] [flavor [flavor]]
       $me -o DIR

Holds one small conversation with a flavor under strace, and prints the system calls that
the server makes in answer to each event; of two flavors, side by side. Without a flavor,
those of all that this system can run, one after the other.

  flavor      of $flavors
  -proto P    resp or kv           (default resp)
  -o DIR      keep what all flavors do, in both protocols, as trace.txt and trace.csv
  -h          print this text

This needs Linux, and strace. What was recorded is in scripts/results.
Exit status: 0 all is well; 1 something is missing, or failed; 2 usage.
END
}

protos=resp
out=
while [ $# -gt 0 ]; do
  case $1 in
    -h | -help | --help)
      usage
      exit 0
      ;;
    -proto)
      case ${2-} in resp | kv) protos=$2 ;; *) usage_error "-proto wants resp or kv, not \"${2-}\"" ;; esac
      shift
      ;;
    -o)
      [ -n "${2-}" ] || usage_error "-o needs a folder"
      out=$2
      protos="resp kv"
      shift
      ;;
    -*) usage_error "unknown option $1" ;;
    *)
      flavor=${1%/}
      choose "${flavor##*/}"
      ;;
  esac
  shift
done
# shellcheck disable=SC2086 # flavors are single words
set -- $chosen
[ $# -le 2 ] || usage_error "want two flavors at the most, not $#"
[ $# -eq 0 ] || [ -z "$out" ] || usage_error "-o keeps what all flavors do: name none"
[ "$system" = Linux ] || die "strace is on Linux only; what was recorded there is in scripts/results/trace.txt"
command -v strace >/dev/null ||
  die "strace is not in PATH: install it (Debian: strace); what was recorded is in scripts/results/trace.txt"
for flavor in "$@"; do
  reason=$(why_not "$flavor")
  [ -z "$reason" ] || die "cannot run $flavor: $reason"
done
if [ $# -eq 0 ]; then
  pick_flavors
  # shellcheck disable=SC2086 # again
  set -- $picked
fi
need_go

# launch overrides that of lib.sh: with -D, the server is the child, not strace.
# shellcheck disable=SC2317 # it is called there
launch() { exec strace -D -f -ttt -T -e signal=none -o "$tmp/calls" "$@"; }

make_tmp
# shellcheck disable=SC2046 # again
build $(printf './%s ' "$@") ./scripts/trace
files=()
for proto in $protos; do
  for flavor in "$@"; do
    progress "$proto, $flavor" "$proto, $flavor"
    start_flavor "$flavor" "$proto"
    "$tmp/bin/trace" talk -flavor "$flavor" -proto "$proto" -addr "127.0.0.1:$server_port" \
      -pid "$server_pid" -calls "$tmp/calls" >"$tmp/$proto-$flavor" || die "$flavor: no conversation"
    stop_server
    files+=("$tmp/$proto-$flavor")
  done
done
end_progress
sides=
[ -z "$chosen" ] || [ $# -ne 2 ] || sides=-sides
"$tmp/bin/trace" show $sides "${files[@]}" >"$tmp/trace.txt" || exit 1
cat "$tmp/trace.txt"
[ -n "$out" ] || exit 0
mkdir -p -- "$out" && cp "$tmp/trace.txt" "$out/trace.txt" &&
  { echo proto,flavor,event,kind,thread,text,fold,times && cat "${files[@]}"; } >"$out/trace.csv"
