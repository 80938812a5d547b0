#!/usr/bin/env bash
# Draws the results of bench.sh and tradeoffs.sh. Run it with -h for the options.

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

gnuplot is needed. Exit status: 0 all is well; 1 nothing to draw, or gnuplot is missing
or fails; 2 usage.
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
}

use_results() {
  local none=yes
  [ ! -e "$1/raw.csv" ] || bench=$1 none=
  [ ! -e "$1/tradeoffs.csv" ] || tradeoffs=$1 none=
  [ -z "$none" ] || usage_error "no raw.csv and no tradeoffs.csv in \"$1\""
  : "${out:=$1}"
}

# find_results takes the newest of each: the names of the folders are dates.
find_results() {
  local folder
  [ -z "$bench$tradeoffs" ] || return 0
  for folder in "$root"/scripts/out/*/; do
    [ ! -e "$folder/raw.csv" ] || bench=${folder%/} last=${folder%/}
    [ ! -e "$folder/tradeoffs.csv" ] || tradeoffs=${folder%/} last=${folder%/}
  done
  [ -n "$bench$tradeoffs" ] || die "no results in $root/scripts/out: run scripts/bench.sh and scripts/tradeoffs.sh first"
  : "${out:=$last}"
}

# The colours can be told apart by those who see red and green alike. They, and the
# grey of the text, can be read on white and on black.
grey=#7b7b7b
colours="stblock=#b58900 mtblock=#d55e00 goroutinesrv=#2b87d1 busywait=#c264a0 epollsrv=#009e73 kqueuesrv=#7a6be0 redis-server=#8c8c8c"

# awk_colour is awk's function colour, and human: 1234567 is 1.2M.
awk_colour='
  function colour(flavor,   i, n, pair) {
    n = split(colours, pair, /[ =]/)
    for (i = 1; i < n; i += 2) if (pair[i] == flavor) return pair[i + 1]
  }
  function human(x) {
    if (x >= 9999500) return sprintf("%.0fM", x / 1000000)
    if (x >= 999500) return sprintf("%.1fM", x / 1000000)
    if (x >= 9995) return sprintf("%.0fk", x / 1000)
    if (x >= 999.5) return sprintf("%.1fk", x / 1000)
    return sprintf("%.0f", x)
  }'

# caption FOLDER SCRIPT prints where and when a folder was filled.
caption() {
  awk -v script="$2" '
    { key = $1; sub(/^[^ ]+ +/, ""); is[key] = $0 }
    END {
      sub(/ .*/, "", is["date"])
      printf "%s, %s cores, %s, %s. %s\n", is["processor"], is["cores"], is["system"], is["date"], script
    }' "$1/machine.txt" | tr -d "\"'\\\\\`"
}

# preamble NAME HEIGHT TITLE NOTE FOLDER SCRIPT prints what all pictures begin with.
preamble() {
  cat <<END
set terminal svg size 850,$2 font "Helvetica,Arial,sans-serif,14" linewidth 1.2
set output "$tmp/$1.svg"
set border 0
set tics scale 0 textcolor rgb "$grey"
set grid linecolor rgb "$grey" linewidth 0.4 dashtype (2,4)
set key off
set datafile separator "\t"
set style fill solid noborder
set label 1 "{/:Bold=17 $3}" at screen 0.012, screen 1 offset 0,-1.2 textcolor rgb "$grey"
set label 2 "$4" at screen 0.012, screen 1 offset 0,-2.3 textcolor rgb "$grey"
set label 3 "$(caption "$5" "$6")" at screen 0.012, screen 0 offset 0,0.8 noenhanced font ",11" textcolor rgb "$grey"
END
}

# read_bench prints the medians in raw.csv as lines of workload, flavor, test, and the
# columns that are named in $1, with tabs between them. Workloads are CLIENTS:PIPELINE.
read_bench() {
  awk -F, -v proto="$proto" -v columns="$1" "$awk_functions"'
    BEGIN { OFS = "\t"; n = split(columns, want, " ") }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["proto"] == proto {
      key = $at["clients"] ":" $at["pipeline"] OFS $at["flavor"] OFS $at["test"]
      for (i = 1; i <= n; i++) value[key SUBSEP i, ++count[key SUBSEP i]] = $at[want[i]]
      if (!seen[key]++) keys[++total] = key
    }
    END {
      for (k = 1; k <= total; k++) {
        line = keys[k]
        for (i = 1; i <= n; i++) line = line OFS median(keys[k] SUBSEP i)
        print line
      }
    }' "$bench/raw.csv"
}

# look_at_bench sets proto, servers in reading order, and workloads of raw.csv.
look_at_bench() {
  proto=resp
  grep -q ',resp,' "$bench/raw.csv" || proto=kv
  read_bench rps >"$tmp/bench"
  workloads=$(cut -f 1 "$tmp/bench" | awk '!seen[$0]++' | head -n 3)
  servers=$(in_order "$(cut -f 2 "$tmp/bench")")
  [ -n "$servers" ] || die "there is nothing in $bench/raw.csv"
}

# in_order prints the servers that are in a list, in reading order.
in_order() {
  local server
  for server in $flavors redis-server; do
    case "
$1
" in *"
$server
"*) echo "$server" ;; esac
  done
}

workload_text() {
  local clients=${1%:*} pipeline=${1#*:} text
  text="$clients clients"
  [ "$clients" != 1 ] || text="1 client"
  [ "$pipeline" = 1 ] || text="$text, pipeline of $pipeline"
  echo "$text"
}

# bars WORKLOAD STYLE prints the lines of a panel: flavor, row, value, label, colour.
# The value is the mean of the tests.
bars() {
  awk -F '\t' -v workload="$1" -v servers="$(echo "$servers" | tr '\n' ' ')" -v colours="$colours" -v style="$2" "$awk_colour"'
    $1 == workload { sum[$2] += $4; tests[$2]++ }
    END {
      OFS = "\t"
      n = split(servers, server, " ")
      for (i = 1; i <= n; i++) {
        f = server[i]
        x = tests[f] ? sum[f] / tests[f] : 0
        label = style == "human" ? human(x) : sprintf(x < 0.995 ? "%.2f" : "%.1f", x)
        print f, -i, x, tests[f] ? label : "one client only", "0x" substr(colour(f), 2)
      }
    }' "$tmp/bench"
}

# panels NAME COLUMN STYLE TITLE NOTE prints a picture with a panel for each workload
# and a bar for each server.
panels() {
  local height workload number=0 count rows
  read_bench "$2" >"$tmp/bench"
  count=$(echo "$workloads" | wc -l)
  rows=$(echo "$servers" | wc -l)
  height=$((126 + 30 * rows))
  preamble "$1" $height "$4" "$5" "$bench" "scripts/bench.sh, $proto, mean of $(cut -f 3 "$tmp/bench" | awk '!seen[$0]++' | paste -s -d , - | sed 's/,/ and /')"
  cat <<END
set multiplot
set tmargin at screen 1 - 92.0 / $height
set bmargin at screen 34.0 / $height
set yrange [-$rows - 0.6:-0.4]
unset xtics
unset grid
END
  for workload in $workloads; do
    number=$((number + 1))
    bars "$workload" "$3" >"$tmp/$1.$number"
    if [ $number -eq 1 ]; then
      awk -F '\t' '{ printf "%s\"%s\" %d", NR == 1 ? "set ytics (" : ", ", $1, $2 } END { print ")" }' "$tmp/$1.1"
    else
      echo 'unset label 1; unset label 2; unset label 3; unset ytics'
    fi
    cat <<END
set lmargin at screen 0.135 + 0.865 / $count * ($number - 1)
set rmargin at screen 0.135 + 0.865 / $count * $number - 0.09
set label 4 "{/:Bold $(workload_text "$workload")}" at graph 0, graph 1 offset 0,0.7 textcolor rgb "$grey"
set xrange [0:$(awk -F '\t' '$3 > most { most = $3 } END { print (most > 0 ? most : 1) }' "$tmp/$1.$number")]
plot "$tmp/$1.$number" using (0):2:(0):3:(\$2 - 0.36):(\$2 + 0.36):5 with boxxyerror linecolor rgb variable, \\
  "" using 3:2:4 with labels left offset 0.5,0 textcolor rgb "$grey"
END
  done
  echo 'unset multiplot'
}

# latency prints the picture of the percentiles with more than one client, without a
# pipeline, if there is such a workload.
latency() {
  local workload height rows row=0 server
  workload=$(echo "$workloads" | awk -F : '$1 > 1 && $2 == 1 { found = $0 } { last = $0 } END { print (found == "" ? last : found) }')
  rows=$(echo "$servers" | wc -l)
  height=$((146 + 30 * rows))
  read_bench "p50_ms p95_ms p99_ms max_ms" | awk -F '\t' -v w="$workload" '$1 == w && $3 == "GET"' >"$tmp/bench"
  preamble latency $height "Latency of a request, $(workload_text "$workload")" \
    "milliseconds, on a logarithmic scale; left is better" "$bench" "scripts/bench.sh, $proto, GET"
  cat <<END
set tmargin at screen 1 - 92.0 / $height
set bmargin at screen 62.0 / $height
set lmargin at screen 0.135
set rmargin at screen 0.965
set yrange [-$rows - 0.6:-0.4]
set logscale x
set format x "%g ms"
set grid noytics
set key at graph 1, graph 1 right bottom horizontal maxrows 1 samplen 1 width -1 textcolor rgb "$grey"
END
  : >"$tmp/latency"
  printf 'set ytics ('
  for server in $servers; do
    row=$((row - 1))
    printf '%s"%s" %d' "$([ $row -eq -1 ] || echo ', ')" "$server" $row
    awk -F '\t' -v OFS='\t' -v server="$server" -v row=$row -v colours="$colours" "$awk_colour"'
      $2 == server { print row, $4, $5, $6, $7, "0x" substr(colour(server), 2) }' "$tmp/bench" >>"$tmp/latency"
  done
  echo ')'
  row=0
  for server in $servers; do
    row=$((row - 1))
    grep -q "^$row	" "$tmp/latency" ||
      echo "set label \"one client at a time: the others wait for ever\" at graph 0.02, first $row textcolor rgb \"$grey\""
  done
  awk -F '\t' '
    least == "" || $2 < least { least = $2 }
    $5 > most { most = $5 }
    END {
      printf "set xrange [%g:%g]\n", least / 1.5, most * 1.3
      if (most < 1000 * least) # there is room for more than the powers of ten
        print "set xtics (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)"
    }' "$tmp/latency"
  cat <<END
plot "$tmp/latency" using 2:1:(\$5 - \$2):(0):6 with vectors nohead linecolor rgb variable linewidth 2 notitle, \\
  "" using 2:1:6 with points pointtype 7 pointsize 1 linecolor rgb variable notitle, \\
  "" using 3:1:6 with points pointtype 9 pointsize 1.1 linecolor rgb variable notitle, \\
  "" using 4:1:6 with points pointtype 5 pointsize 1 linecolor rgb variable notitle, \\
  "" using 5:1:("|"):6 with labels font ",16" textcolor rgb variable notitle, \\
  NaN with points pointtype 7 linecolor rgb "$grey" title "p50", \\
  NaN with points pointtype 9 linecolor rgb "$grey" title "p95", \\
  NaN with points pointtype 5 linecolor rgb "$grey" title "p99", \\
  NaN with lines linecolor rgb "$grey" linewidth 2 title "to the maximum"
END
}

# read_tradeoffs CLAIM prints the medians of a claim: flavor, metric, value.
read_tradeoffs() {
  awk -F, -v claim="$1" "$awk_functions"'
    $1 == claim {
      key = $2 "\t" $3
      value[key, ++count[key]] = $4
      if (!seen[key]++) keys[++total] = key
    }
    END { for (k = 1; k <= total; k++) print keys[k] "\t" median(keys[k]) }' "$tradeoffs/tradeoffs.csv"
}

# curves NAME SCALE prints the plot command for the points in $tmp/NAME, which are
# flavor, x, y: a line for each flavor, whose name and last value are beside its end.
# The names are moved apart where the ends are close to each other. SCALE is log or
# linear, as the y axis, from $3 to $4. $5 is the unit of the values.
curves() {
  local server
  awk -F '\t' -v servers="$(in_order "$(cut -f 1 "$tmp/$1")" | tr '\n' ' ')" -v scale="$2" -v low="$3" -v high="$4" -v unit="$5" \
    -v colours="$colours" -v data="$tmp/$1" "$awk_colour"'
    { points[$1]++; x[$1] = $2; y[$1] = $3; if ($2 > last) last = $2 }
    END {
      n = split(servers, server, " ")
      for (i = 1; i <= n; i++) {
        f = server[i]
        at[i] = scale == "log" ? log(y[f] / low) / log(high / low) : (y[f] - low) / (high - low)
        if (points[f] < 2) continue
        for (j = ends++; j > 0 && at[end[j]] > at[i]; j--) end[j + 1] = end[j]
        end[j + 1] = i
      }
      # From the bottom up, none is closer to the one below than a line of text.
      gap = 0.066
      for (j = 2; j <= ends; j++) if (at[end[j]] < at[end[j - 1]] + gap) at[end[j]] = at[end[j - 1]] + gap
      for (j = ends; j > 0; j--) {
        top = j == ends ? 1.02 : at[end[j + 1]] - gap
        if (at[end[j]] > top) at[end[j]] = top
      }
      for (i = 1; i <= n; i++) {
        f = server[i]
        text = sprintf("%s  %s%s", f, unit == "" ? human(y[f]) : sprintf("%.0f", y[f]), unit)
        if (x[f] < last) text = text " at " human(x[f])
        if (points[f] < 2) { # above all others, with a line to its only point
          printf "set label \"%s  %s, with one client only\" at %s, graph 1 offset 0,-0.6 textcolor rgb \"%s\"\n", f, human(y[f]), x[f], colour(f)
          printf "set arrow from %s, graph 0.92 to %s, %s nohead linecolor rgb \"%s\"\n", x[f], x[f], y[f], colour(f)
        } else
          printf "set label \"%s\" at graph 1, graph %.4f offset 1.2,0 textcolor rgb \"%s\"\n", text, at[i], colour(f)
      }
      for (i = 1; i <= n; i++) {
        f = server[i]
        printf "%s \"%s\" using 2:(stringcolumn(1) eq \"%s\" ? $3 : NaN) with linespoints linecolor rgb \"%s\" linewidth 2 dashtype %d pointtype 7 pointsize %s%s",
          i == 1 ? "plot" : "", i == 1 ? data : "", f, colour(f), f == "redis-server" ? 2 : 1, points[f] < 2 ? "1.1" : "0.6", i < n ? ", \\\n " : "\n"
      }
    }' "$tmp/$1"
}

memory() {
  local note="MB resident; lower is better; both scales are logarithmic" single
  read_tradeoffs memory | awk -F '\t' -v OFS='\t' '
    split($2, part, " ") == 2 && part[1] == "served" { served[$1, part[2]] = $3 }
    split($2, part, " ") == 2 && part[1] == "RSS" && served[$1, part[2]] > 1 { print $1, served[$1, part[2]], $3 }' >"$tmp/memory"
  single=$(read_tradeoffs memory | awk -F '\t' '$2 ~ /^served/ && $2 != "served 1" && $3 == 1 && !seen[$1]++ { printf "; %s serves only one client", $1 }')
  preamble memory 430 "Memory of the server with idle clients" "$note$single" "$tradeoffs" "scripts/tradeoffs.sh"
  frame 430
  local low high
  low=$(awk -F '\t' 'least == "" || $3 < least { least = $3 } END { print (least > 4 ? 4 : least / 1.5) }' "$tmp/memory")
  high=$(awk -F '\t' '$3 > most { most = $3 } END { print most * 1.3 }' "$tmp/memory")
  cat <<END
set logscale xy
set format x "%.0s%c"
set yrange [$low:$high]
set ytics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
set format y "%g MB"
set xlabel "idle clients, each of which has been served" offset 0,0.5 textcolor rgb "$grey"
END
  curves memory log "$low" "$high" " MB"
}

clients() {
  read_tradeoffs clients | awk -F '\t' '$3 != "never"' >"$tmp/clients"
  preamble clients 430 "Requests per second by number of clients" \
    "GET, one request at a time on each connection; higher is better" "$tradeoffs" "scripts/tradeoffs.sh"
  frame 430
  local high
  high=$(awk -F '\t' '$3 > most { most = $3 } END { print most * 1.15 }' "$tmp/clients")
  cat <<END
set logscale x
set xtics (1, 2, 5, 10, 20, 50, 100, 500, "1k" 1000)
set xrange [0.9:]
set yrange [0:$high]
set format y "%.0s%c"
set xlabel "clients" offset 0,0.5 textcolor rgb "$grey"
END
  curves clients linear 0 "$high" ""
}

# frame leaves room for the text around a picture of curves.
frame() {
  cat <<END
set tmargin at screen 1 - 76.0 / $1
set bmargin at screen 84.0 / $1
set lmargin at screen 0.085
set rmargin at screen 0.79
END
}

# draw NAME COMMAND ... makes a picture from what a command prints.
draw() {
  local name=$1
  shift
  "$@" >"$tmp/$name.gnuplot" || exit 1
  if ! gnuplot "$tmp/$name.gnuplot" 2>"$tmp/gnuplot.log" || [ ! -s "$tmp/$name.svg" ]; then
    say "gnuplot cannot draw $name.svg. It said:"
    quote "$tmp/gnuplot.log"
    exit 1
  fi
  sed -e "s|<title>Gnuplot</title>|<title>$name</title>|" -e '/^<desc>/d' "$tmp/$name.svg" >"$out/$name.svg" || exit 1
  echo "$out/$name.svg"
}

parse_arguments "$@"
find_results
command -v gnuplot >/dev/null ||
  die "gnuplot is not in PATH: install it (Debian: gnuplot-nox, Homebrew: gnuplot); the tables do without it"
make_tmp
mkdir -p -- "$out" || exit 1
if [ -n "$bench" ]; then
  look_at_bench
  draw throughput panels throughput rps human "Requests per second" "longer is better; each panel has a scale of its own"
  draw latency latency
  draw cpu panels cpu cpu_us_per_req short "Processor time of the server for a request" "microseconds; shorter is better; each panel has a scale of its own"
fi
if [ -n "$tradeoffs" ]; then
  # Only claims that were measured.
  ! grep -q '^memory,' "$tradeoffs/tradeoffs.csv" || draw memory memory
  ! grep -q '^clients,' "$tradeoffs/tradeoffs.csv" || draw clients clients
fi
