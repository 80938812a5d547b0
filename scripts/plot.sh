#!/usr/bin/env bash
# Draws the results of bench.sh and tradeoffs.sh. Run it with -h for the options.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

usage() {
  cat <<END
usage: $me [-o DIR] [results ...]

Draws pictures of what bench.sh and tradeoffs.sh have measured, as SVG.

  results     folders with raw.csv of bench.sh, or tradeoffs.csv of tradeoffs.sh, or both
              (default: in scripts/out, the newest of each)
  -o DIR      folder for the pictures       (default: that of the last results)
  -h          print this text

From raw.csv:
  throughput.svg  requests/s by flavor and workload
  latency.svg     latency percentiles by flavor
  cpu.svg         processor time of a request by flavor and workload
From tradeoffs.csv:
  memory.svg      memory by number of idle clients
  clients.svg     requests/s by number of clients
  values.svg      requests/s and processor time of a request by size of the value

gnuplot is needed: scripts/plot has a file for each picture. Exit status: 0 all is well;
1 nothing to draw, or gnuplot is missing or fails; 2 usage.
END
}

out=
bench=     # a folder with raw.csv
tradeoffs= # a folder with tradeoffs.csv

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | -help | --help)
        usage
        exit 0
        ;;
      -o)
        [ -n "${2-}" ] || usage_error "-o needs a folder"
        out=$2
        shift
        ;;
      -*) usage_error "unknown option $1" ;;
      *) use_results "$1" ;;
    esac
    shift
  done
  : "${out:=${last-}}"
}

use_results() {
  [ -e "$1/raw.csv" ] || [ -e "$1/tradeoffs.csv" ] ||
    usage_error "no raw.csv and no tradeoffs.csv in \"$1\""
  last=$1
  [ ! -e "$1/raw.csv" ] || bench=$1
  [ ! -e "$1/tradeoffs.csv" ] || tradeoffs=$1
}

# find_results takes the newest of each: the names of the folders are dates.
find_results() {
  local folder
  for folder in "$root"/scripts/out/*/; do
    [ ! -e "$folder/raw.csv" ] || bench=${folder%/} last=${folder%/}
    [ ! -e "$folder/tradeoffs.csv" ] || tradeoffs=${folder%/} last=${folder%/}
  done
  [ -n "$bench$tradeoffs" ] || die "no results in $root/scripts/out: run scripts/bench.sh and scripts/tradeoffs.sh first"
  : "${out:=$last}"
}

# draw makes a picture in $tmp/plot. It runs gnuplot there: so no name of a folder is
# in what gnuplot reads.
draw() {
  (cd "$tmp/plot" && gnuplot -d "$1.gnuplot") >"$tmp/gnuplot.log" 2>&1 && [ -s "$tmp/plot/$1.svg" ] && return
  say "gnuplot cannot draw $1.svg. It said:"
  sed 's/^/    /' "$tmp/gnuplot.log" >&2
  exit 1
}

parse_arguments "$@"
[ -n "$bench$tradeoffs" ] || find_results
command -v gnuplot >/dev/null ||
  die "gnuplot is not in PATH: install it (Debian: gnuplot-nox, Homebrew: gnuplot); the tables do without it"
make_tmp
build ./scripts/table
end_progress
mkdir "$tmp/plot" && cp "$root"/scripts/plot/*.gnuplot "$tmp/plot" || exit 1
pictures=$("$bin/table" plot -bench "$bench" -tradeoffs "$tradeoffs" -o "$tmp/plot") || exit 1
[ -n "$pictures" ] || die "there is nothing to draw in $tradeoffs"
for picture in $pictures; do draw "$picture"; done
mkdir -p -- "$out" || exit 1
for picture in $pictures; do
  mv -f -- "$tmp/plot/$picture.svg" "$out/" && echo "$out/$picture.svg" >>"$tmp/drawn" || exit 1
done
cat "$tmp/drawn"
case $? in 0 | 141) exit 0 ;; *) exit 1 ;; esac # a reader that has left is no failure: all is done
