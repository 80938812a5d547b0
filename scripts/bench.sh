#!/usr/bin/env bash
# Measures the flavors side by side. Run it with -h for the options.

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
usage: $me [options] [flavor ...]

Builds the flavors, loads one after the other with requests, and prints a table for
each protocol and workload. Without arguments: all flavors that this system can run,
both protocols, and three workloads: 1 client; 50 clients; 50 clients with 16 requests
in a pipeline. That takes two minutes or so.

  flavor      of $flavors;
              redis-server is measured too, in resp, if it is installed
  -proto P    resp or kv                        (default: both)
  -c N        clients, up to 9000               (one workload; default 50)
  -P N        requests in a pipeline, to 10000  (one workload; default 1)
  -n N        requests in a measurement         (default: 27000 times -P with 1 client,
              40000 times -P with more, up to 2500000; fewer for big values)
  -d BYTES    size of a value                   (default 3)
  -r N        random keys, N different ones, up to 1000000 and 1 GiB of values
              (default: one key)
  -R N        rounds; the tables show medians   (default 3)
  -o DIR      folder for the results            (default: a new one in scripts/out)
  -h          print this text

Results: table.txt is what is printed, raw.csv has every single measurement,
machine.txt says where they were made. Files of these names are replaced.

Each measurement has a fresh server and a client on the same machine: redis-benchmark
for resp, if it is installed, else scripts/kv. No other server runs meanwhile.
Exit status: 0 all is well; 1 a server or a client failed; 2 usage.
END
}

chosen=
protos="resp kv"
clients=
pipeline=
requests=
size=3
keys=
rounds=3
out=
command_line="$me${*:+ $*}"

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | -help | --help)
        usage
        exit 0
        ;;
      -proto | -c | -P | -n | -d | -r | -R | -o)
        [ $# -gt 1 ] || usage_error "$1 needs a value"
        set_option "$1" "$2"
        shift
        ;;
      -*) usage_error "unknown option $1" ;;
      *) choose "$1" ;;
    esac
    shift
  done
  if [ -n "$keys" ] && [ $((keys * size)) -gt 1073741824 ]; then
    usage_error "-r $keys keys of -d $size bytes are more than 1 GiB"
  fi
}

set_option() {
  case $1 in
    -proto)
      case $2 in resp | kv) ;; *) usage_error "invalid value \"$2\" for -proto: want resp or kv" ;; esac
      protos=$2
      ;;
    -c) number "$@" 9000 && clients=$2 ;;
    -P) number "$@" 10000 && pipeline=$2 ;;
    -n) number "$@" 1000000000 && requests=$2 ;;
    -d) number "$@" 67000000 && size=$2 ;;
    -r) number "$@" 1000000 && keys=$2 ;;
    -R) number "$@" 1000 && rounds=$2 ;;
    -o)
      [ -n "$2" ] || usage_error "-o needs a folder"
      out=$2
      ;;
  esac
}

# pick_programs decides what drives resp, and whether redis-server is measured.
pick_programs() {
  local version
  resp_client=kv
  reference=
  redis_version="not installed"
  if command -v redis-server >/dev/null; then
    reference=redis-server
    redis_version=$(redis-server --version 2>/dev/null | sed 's/.* v=\([^ ]*\).*/\1/')
  fi
  case " $protos " in *" resp "*) ;; *) return ;; esac
  if ! command -v redis-benchmark >/dev/null; then
    say "redis-benchmark is not in PATH: scripts/kv drives resp too"
    return
  fi
  version=$(redis-benchmark --version 2>&1 | awk 'NR == 1 { print $2 }')
  case $version in
    [0-5].* | 6.[01].*)
      say "redis-benchmark $version prints no latencies as CSV, 6.2 does: scripts/kv drives resp too"
      return
      ;;
  esac
  resp_client=redis-benchmark
  resp_client_name="redis-benchmark $version"
}

# A workload is CLIENTS:PIPELINE.
pick_workloads() {
  workloads="1:1 50:1 50:16"
  if [ -n "$clients$pipeline" ]; then
    workloads="${clients:-50}:${pipeline:-1}"
  fi
}

# use_workload sets c, p and n.
use_workload() {
  c=${1%:*}
  p=${1#*:}
  n=$requests
  [ -z "$n" ] || return 0
  n=$((40000 * p))
  [ "$c" -gt 1 ] || n=$((27000 * p))
  local most=$((1000000000 / size)) # bytes of values in a measurement
  [ $most -le 2500000 ] || most=2500000
  [ $n -le $most ] || n=$most
}

describe_workload() {
  local text="$c clients"
  [ "$c" -ne 1 ] || text="1 client"
  [ "$p" -eq 1 ] || text="$text, $p requests in a pipeline"
  echo "$text"
}

tests_of() {
  case $1 in
    resp) echo "SET GET" ;;
    kv) echo "PUT GET" ;;
  esac
}

# servers_of prints the servers to measure with protocol $1 and c clients.
servers_of() {
  local flavor
  for flavor in $picked; do
    serves_all "$flavor" && echo "$flavor"
  done
  if [ "$1" = resp ] && [ -n "$reference" ]; then
    echo "$reference"
  fi
}

# serves_all tells whether a server answers c clients that all keep their connections.
serves_all() { [ "$1" != stblock ] || [ "$c" -eq 1 ]; }

# begin_results makes the folder for the results, and in it raw.csv.
recorded=0
raw_header=round,flavor,proto,clients,pipeline,test,n,rps,avg_ms,min_ms,p50_ms,p95_ms,p99_ms,max_ms,cpu_us_per_req,rss_mb,threads
begin_results() {
  if [ -z "$out" ]; then
    out=$root/scripts/out/$(date +%Y-%m-%d_%H%M%S)
    while [ -e "$out" ]; do out=${out}a; done
  fi
  mkdir -p -- "$out" || exit 1
  out=$(cd -- "$out" && pwd) || exit 1
  rm -f "$out/table.txt" || exit 1
  describe_machine >"$out/machine.txt" || exit 1
  echo "$raw_header" >"$out/raw.csv" || exit 1
  trap 'leave; leave_results' EXIT
}

# leave_results says where the figures are of a run that did not reach its end.
leave_results() {
  [ ! -e "$out/table.txt" ] || return 0
  if [ $recorded -gt 0 ]; then
    say "the figures so far are in $out/raw.csv"
  else
    rm -f "$out/raw.csv" "$out/machine.txt"
    rmdir "$out" 2>/dev/null
  fi
}

count_measurements() {
  local proto workload test
  total=0
  for proto in $protos; do
    for workload in $workloads; do
      use_workload "$workload"
      for test in $(tests_of "$proto"); do
        # shellcheck disable=SC2046 # the servers become $1, $2 ...
        set -- $(servers_of "$proto")
        total=$((total + $# * rounds))
      done
    done
  done
}

# measure_all goes round and round the servers, so that each meets the machine's good
# and bad times.
measure_all() {
  local round proto workload test server number=0
  for ((round = 1; round <= rounds; round++)); do
    for proto in $protos; do
      for workload in $workloads; do
        use_workload "$workload"
        for test in $(tests_of "$proto"); do
          for server in $(servers_of "$proto"); do
            number=$((number + 1))
            progress "round $round of $rounds: $proto, $(describe_workload)" \
              "[$number/$total] round $round: $proto, c=$c, P=$p, $test $server"
            measure
          done
        done
      done
    done
  done
}

# measure makes one measurement: of test on server, which speaks proto, in a round.
measure() {
  local before fill
  case $server in
    redis-server) start_redis ;;
    *) start_flavor "$server" "$proto" ;;
  esac
  client=kv
  [ "$proto" = kv ] || client=$resp_client
  prepare
  read_cpu "$server_pid" || server_died
  before=$cpu_us
  start_watching
  run_client -t "$test" -n "$n" -c "$c" -P "$p"
  read_cpu "$server_pid" || server_died
  stop_watching
  server_runs || server_died
  record $((cpu_us - before - fill))
  stop_server
}

# prepare stores what a GET asks for. kv does so itself, at the start of the test: fill
# is the processor time of that.
prepare() {
  fill=0
  [ "$test" = GET ] || return 0
  if [ -z "$keys" ] && [ "$client" = kv ]; then
    return 0
  fi
  if [ -z "$keys" ]; then
    run_client -t SET -n 1 -c 1
    return 0
  fi
  local wanted=$client
  client=kv
  run_client -t GET -n 1 -c 1
  if [ "$wanted" = kv ]; then # now that the keys are there, as in the test
    read_cpu "$server_pid"
    fill=$cpu_us
    run_client -t GET -n 1 -c 1
    read_cpu "$server_pid"
    fill=$((cpu_us - fill))
  fi
  client=$wanted
}

# run_client runs the client to its end, with options that both clients have.
run_client() {
  local status
  set -- "$@" -h 127.0.0.1 -p "$server_port" -d "$size" ${keys:+-r "$keys"} --csv
  case $client in
    kv) set -- "$tmp/bin/kv" bench -proto "$proto" "$@" ;;
    *) set -- redis-benchmark "$@" ;;
  esac
  "$@" >"$tmp/client.out" 2>"$tmp/client.err" &
  # Not in the foreground, where it would delay a signal to the script. The shell
  # itself would report a server that is killed meanwhile.
  wait $! 2>/dev/null
  status=$?
  [ $status -eq 0 ] || client_failed "ended with $(status_text $status)"
}

server_died() {
  server_runs && die "cannot read the processor time of $server"
  server_failed "died in $proto, $(describe_workload), $test"
}

# client_failed says what went wrong with a client; if its server is dead, that is why.
client_failed() {
  end_progress
  sleep 0.5 # a server that is about to die takes a moment
  server_runs || server_died
  say "$client $1 against $server in $proto, $(describe_workload), $test. It said:"
  cat "$tmp/client.out" "$tmp/client.err" >"$tmp/client.log"
  quote "$tmp/client.log"
  exit 1
}

# record adds the last run of the client to raw.csv, with the server's CPU time.
record() {
  local figures
  figures=$(client_figures) ||
    client_failed "printed no figures (a larger -n may help)"
  awk -v head="$round,$server,$proto,$c,$p,$test,$n,$figures" \
    -v cpu="$1" -v n="$n" -v kb="$peak_rss_kb" -v threads="$peak_threads" 'BEGIN {
      printf "%s,%.3f,%.2f,%d\n", head, cpu / n, kb * 1024 / 1000000, threads }' >>"$out/raw.csv" || exit 1
  recorded=$((recorded + 1))
}

# client_figures prints requests/s and the latencies of the client's CSV.
client_figures() {
  awk -F, -v test="$test" '
    { gsub(/"/, "") }
    $1 == "test" { ok = $0 == "test,rps,avg_latency_ms,min_latency_ms,p50_latency_ms,p95_latency_ms,p99_latency_ms,max_latency_ms" }
    $1 == test && NF == 8 {
      for (i = 2; i <= 8; i++) if ($i !~ /^[0-9]+(\.[0-9]+)?$/) exit
      figures = substr($0, length(test) + 2)
    }
    END { if (!ok || figures == "") exit 1; print figures }' "$tmp/client.out"
}

print_tables() {
  local proto workload test
  for proto in $protos; do
    for workload in $workloads; do
      use_workload "$workload"
      echo "$proto, $(describe_workload) ($(grouped "$n") requests)"
      echo
      for test in $(tests_of "$proto"); do
        print_table
        echo
      done
    done
  done
}

# print_table prints the medians of one test, servers in reading order.
print_table() {
  local rows=$picked
  [ "$proto" = kv ] || rows="$rows $reference"
  printf '%-12s %10s %7s %7s %7s %7s %7s %8s %7s %6s %7s\n' "$test" \
    requests/s 'avg ms' min p50 p95 p99 max 'CPU us' 'RSS MB' threads | sed 's/ CPU us/ CPU µs/'
  awk -F, -v want="$proto,$c,$p,$test" -v rows="$rows" '
    function median(flavor, column,   i, j, n, v, x) {
      n = count[flavor]
      for (i = 1; i <= n; i++) {
        x = value[flavor, i, column]
        for (j = i - 1; j > 0 && v[j] > x; j--) v[j + 1] = v[j]
        v[j + 1] = x
      }
      return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    function grouped(number,   s, groups) {
      s = sprintf("%.0f", number)
      for (groups = ""; length(s) > 3; s = substr(s, 1, length(s) - 3))
        groups = "," substr(s, length(s) - 2) groups
      return s groups
    }
    $3 "," $4 "," $5 "," $6 == want {
      count[$2]++
      requests = $7
      for (i = 8; i <= 17; i++) value[$2, count[$2], i] = $i + 0
    }
    END {
      total = split(rows, row, " ")
      for (r = 1; r <= total; r++) {
        f = row[r]
        if (!count[f]) {
          printf "%-12s  serves one client at a time: the others would wait for ever\n", f
          continue
        }
        cpu = median(f, 15)
        printf "%-12s %10s %7.3f %7.3f %7.3f %7.3f %7.3f %8.3f %7s %6.1f %7.0f\n", f,
          grouped(median(f, 8)), median(f, 9), median(f, 10), median(f, 11), median(f, 12),
          median(f, 13), median(f, 14), (cpu * requests < 200000 ? "~" : "") sprintf("%.2f", cpu),
          median(f, 16), median(f, 17)
      }
    }' "$out/raw.csv"
}

print_legend() {
  local figure="Each figure is the median of $rounds rounds" key="one key" client=scripts/kv
  [ "$rounds" -gt 1 ] || figure="Each figure is from one measurement"
  [ -z "$keys" ] || key="$(grouped "$keys") random keys"
  case $resp_client:$protos in
    kv:* | *:kv) ;;
    *:resp) client=$resp_client_name ;;
    *) client="$resp_client_name for resp, scripts/kv for kv" ;;
  esac
  cat <<END
$figure. Values have $(grouped "$size") bytes; $key.
avg - max   latency in milliseconds, as the client sees it
CPU µs      the server's processor time for a request, user and system, in microseconds;
            ~ where it is rough: the system counts in steps of 10 ms, and made under 20
RSS MB      most memory that the server had resident, in 1,000,000 bytes
threads     most threads that were seen in the server
client      $client; it shares the processors with the server
${skipped}machine     $(processor), $(cores) cores, $(uname -sr), $(cd "$root" && go env GOVERSION), redis ${redis_version:-unknown}
date        $(date '+%Y-%m-%d %H:%M:%S %z')
END
}

parse_arguments "$@"
pick_flavors
pick_programs
pick_workloads
need_go
make_tmp
begin_results
# shellcheck disable=SC2046,SC2086 # flavors are single words
build $(printf './%s ' $picked) ./scripts/kv
count_measurements
measure_all
end_progress
{ print_tables && print_legend; } >"$tmp/table.txt"
cat "$tmp/table.txt"
cp "$tmp/table.txt" "$out/table.txt" || exit 1
echo "results     $out, after $SECONDS s"
