#!/usr/bin/env bash
# Draws the results of bench.sh and tradeoffs.sh. Run it with -h for the options.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

usage() {
  cat <<END
usage: $me [-o DIR] [results ...]

Draws pictures of what bench.sh and tradeoffs.sh have measured, as SVG.

  results    folders with raw.csv of bench.sh, tradeoffs.csv of tradeoffs.sh,
             or both  (default: in scripts/out, the newest file of each)
  -o DIR     folder for the pictures  (default: that of the last results)
  -h         print this text

From raw.csv:
  throughput.svg  requests/s by flavor and workload
  latency.svg     latency percentiles by flavor
  cpu.svg         processor time of a request by flavor and workload
From tradeoffs.csv:
  memory.svg      memory by number of idle clients
  clients.svg     requests/s by number of clients
  values.svg      requests/s and processor time of a request by size of value

This needs gnuplot; scripts/plot has a file for each picture.
Exit status: 0 success; 1 nothing to draw, or gnuplot fails; 2 usage.
END
}

out='' bench='' tradeoffs='' last=''
while [ $# -gt 0 ]; do
  case $1:${2-} in
    -h:* | -help:* | --help:*) usage; exit ;;
    -o:) usage_error "-o needs a folder" ;;
    -o:*) out=$2 && shift ;;
    -*) usage_error "unknown option $1" ;;
    *)
      [ -e "$1/raw.csv" ] || [ -e "$1/tradeoffs.csv" ] || usage_error "no raw.csv and no tradeoffs.csv in \"$1\""
      [ ! -e "$1/raw.csv" ] || bench=$1
      [ ! -e "$1/tradeoffs.csv" ] || tradeoffs=$1
      last=$1
      ;;
  esac
  shift
done

# newest FILE prints the folder in scripts/out whose FILE was changed last.
newest() {
  local folder found=''
  for folder in "$root"/scripts/out/*; do [ ! "$folder/$1" -nt "$found/$1" ] || found=$folder; done
  echo "$found"
}

# draw makes a picture in $tmp/plot. It runs gnuplot there, which reads so no name of a folder.
draw() {
  (cd "$tmp/plot" && gnuplot -d "$1.gnuplot") >"$tmp/gnuplot.log" 2>&1 && [ -s "$tmp/plot/$1.svg" ] && return
  say "gnuplot cannot draw $1.svg. It said:"
  sed 's/^/    /' "$tmp/gnuplot.log" >&2
  exit 1
}

if [ -z "$last" ]; then
  bench=$(newest raw.csv) tradeoffs=$(newest tradeoffs.csv)
  [ -n "$bench$tradeoffs" ] || die "no results in $root/scripts/out: run scripts/bench.sh and scripts/tradeoffs.sh first"
  last=${tradeoffs:-$bench}
  [ "$bench/raw.csv" -nt "$tradeoffs/tradeoffs.csv" ] && last=$bench
fi
command -v gnuplot >/dev/null ||
  die "gnuplot is not in PATH: install it (Debian: gnuplot-nox, Homebrew: gnuplot); the tables do without it"
make_tmp
make_folder "${out:=$last}"
build ./scripts/table
end_progress
mkdir "$tmp/plot" && cp "$root"/scripts/plot/*.gnuplot "$tmp/plot" || exit 1
pictures=$("$bin/table" plot "$bench" "$tradeoffs" "$tmp/plot") || exit 1
[ -n "$pictures" ] || die "there is nothing to draw in $tradeoffs"
for picture in $pictures; do draw "$picture"; done
for picture in $pictures; do
  mv -f -- "$tmp/plot/$picture.svg" "$out/" && echo "$out/$picture.svg" >>"$tmp/drawn" || exit 1
done
cat "$tmp/drawn"
case $? in 0 | 141) exit 0 ;; *) exit 1 ;; esac # a reader may leave early
