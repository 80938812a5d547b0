#!/usr/bin/env bash
# Shows the system calls of each model, event by event. Run it with -h for the options.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

usage() {
  cat <<END
usage: $me [-proto P] [-lines] [flavor [flavor]]
       $me -o DIR

Holds one small conversation with a flavor under strace, and prints the system
calls that the server makes in answer to each event. Two flavors are shown side
by side; without a flavor, all that this system can run are shown one by one.

  flavor      of $flavors
  -proto P    resp or kv (default resp)
  -lines      print with each call the line of source that makes it
  -o DIR      keep the calls of all flavors, in both protocols: as trace.txt,
              and as trace.csv, with the source line of each and its callers
  -h          print this text

This needs Linux and strace. What was recorded is in scripts/results.
Exit status: 0 all is well; 1 something is missing, or failed; 2 usage.
END
}

protos=resp lines='' out=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | -help | --help) usage; exit ;;
    -proto | -o) [ $# -gt 1 ] || usage_error "$1 needs a value" ;;
    -lines) lines=$1 && shift && continue ;;
    -*) usage_error "unknown option $1" ;;
  esac
  case $1:${2-} in
    -proto:resp | -proto:kv) protos=$2 ;;
    -proto:*) usage_error "invalid value \"$2\" for -proto: want resp or kv" ;;
    -o:) usage_error "-o needs a folder" ;;
    -o:*) out=$2 ;;
    *) choose "$1" && set -- '' "$@" ;; # it has no value
  esac
  shift 2
done
# shellcheck disable=SC2086 # flavors are single words
set -- $chosen
[ $# -le 2 ] || usage_error "want two flavors at the most, not $#"
[ -z "$out" ] || [ $# -eq 0 ] || usage_error "-o keeps what all flavors do: name none"
[ -z "$out" ] || protos="resp kv"

[ "$(uname -s)" = Linux ] || die "strace is on Linux only; what was recorded there is in scripts/results/trace.txt"
command -v strace >/dev/null ||
  die "strace is not in PATH: install it (Debian: strace); what was recorded is in scripts/results/trace.txt"
[[ " $* " != *" ${foreign%%:*} "* ]] || die "cannot run $foreign"
# shellcheck disable=SC2086 # again
[ $# -gt 0 ] || { pick_flavors && set -- $picked; }
[ -z "$out" ] || mkdir -p -- "$out" 2>/dev/null || die "cannot make the folder $out"

make_tmp
# What is inlined has no frame of its own on the stack: -l leaves each call with its line.
# shellcheck disable=SC2046 # again
build -gcflags=-l $(printf './%s ' "$@") ./scripts/trace
echo proto,flavor,event,kind,thread,text,fold,times,lines >"$tmp/trace.csv"
for proto in $protos; do
  for flavor in "$@"; do
    progress "$proto, $flavor" "$proto, $flavor"
    run "$bin/trace" -proto "$proto" "$bin/$flavor" >>"$tmp/trace.csv"
  done
done
end_progress
export COLUMNS="${COLUMNS:-$(tput cols 2>/dev/null)}" # of the terminal
# shellcheck disable=SC2086 # nothing, or one word
"$bin/trace" $lines -show "$tmp/trace.csv"
case $? in 0 | 141) ;; *) exit 1 ;; esac # who has left has read enough
[ -z "$out" ] || { cp -- "$tmp/trace.csv" "$out" && "$bin/trace" -show "$tmp/trace.csv" >"$out/trace.txt"; }
