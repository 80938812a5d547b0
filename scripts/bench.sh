#!/usr/bin/env bash
# Measures the flavors side by side. Run it with -h for the options.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

usage() {
  cat <<END
usage: $me [options] [flavor ...]

Builds the flavors, loads one after the other with requests, and prints a table for
each protocol and workload, and a summary. Without arguments: all flavors that this
system can run, both protocols, and three workloads: 1 client; 50 clients; 50 clients
with 16 requests in a pipeline. That takes two minutes or so.

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

Results: table.txt is what is printed; raw.csv has every single measurement, and so has
bench.txt in the format of Go's benchmarks, for benchstat; machine.txt says where they
were made. Files of these names are replaced, when all are there.

Each measurement has a fresh server and a client on the same machine: redis-benchmark
for resp, if it is installed, else scripts/kv. No other server runs meanwhile.
Exit status: 0 all is well; 1 a server or a client failed; 2 usage.
END
}

protos="resp kv" clients='' pipeline='' requests='' size=3 keys='' rounds=3 out=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | -help | --help) usage; exit ;;
    -proto | -c | -P | -n | -d | -r | -R | -o) [ $# -gt 1 ] || usage_error "$1 needs a value" ;;
    -*) usage_error "unknown option $1" ;;
  esac
  case $1:${2-} in
    -proto:resp | -proto:kv) protos=$2 ;;
    -proto:*) usage_error "invalid value \"$2\" for -proto: want resp or kv" ;;
    -c:*) number "$1" "$2" 9000 && clients=$2 ;;
    -P:*) number "$1" "$2" 10000 && pipeline=$2 ;;
    -n:*) number "$1" "$2" 1000000000 && requests=$2 ;;
    -d:*) number "$1" "$2" 67000000 && size=$2 ;;
    -r:*) number "$1" "$2" 1000000 && keys=$2 ;;
    -R:*) number "$1" "$2" 1000 && rounds=$2 ;;
    -o:) usage_error "-o needs a folder" ;;
    -o:*) out=$2 ;;
    *) choose "$1" && set -- '' "$@" ;; # it has no value
  esac
  shift 2
done
[ $((${keys:-1} * size)) -le 1073741824 ] || usage_error "-r $keys keys of -d $size bytes are more than 1 GiB"

# pick_client decides what drives resp.
pick_client() {
  local version
  resp_client=kv
  client="scripts/kv"
  case $protos in kv) return ;; esac
  version=$(redis-benchmark --version 2>&1 | sed -n '1s/^redis-benchmark \([^ ]*\).*/\1/p')
  case $version in
    '') say "redis-benchmark is not in PATH: scripts/kv drives resp too" ;;
    [0-5].* | 6.[01].*) say "redis-benchmark $version prints no latencies as CSV, 6.2 does: scripts/kv drives resp too" ;;
    *) resp_client=redis-benchmark client="redis-benchmark $version" ;;
  esac
  [ "$protos:$resp_client" != "resp kv:redis-benchmark" ] || client="$client for resp, scripts/kv for kv"
}

# plan prints a line for each measurement. It goes round and round the servers, so that
# each meets the machine's good and bad times.
plan() {
  local workloads="1:1 50:1 50:16" most=$((1000000000 / size)) round proto workload c p n test server
  [ -z "$clients$pipeline" ] || workloads=${clients:-50}:${pipeline:-1}
  [ "$most" -le 2500000 ] || most=2500000
  for ((round = 1; round <= rounds; round++)); do
    for proto in $protos; do
      for workload in $workloads; do
        c=${workload%:*} p=${workload#*:}
        n=$((p * (c > 1 ? 40000 : 27000)))
        n=${requests:-$((n < most ? n : most))}
        for test in $([ "$proto" = resp ] && echo SET || echo PUT) GET; do
          for server in $picked $reference; do
            case $proto:$server:$c in
              kv:redis-server:*) continue ;;
              *:stblock:1) ;;
              *:stblock:*) continue ;; # it serves one client at a time
            esac
            echo "$round $proto $c $p $n $test $server"
          done
        done
      done
    done
  done
}

# measure makes one measurement. What a GET asks for is stored before: without -r,
# redis-benchmark asks for a key with this very name.
figures=rps,avg_ms,min_ms,p50_ms,p95_ms,p99_ms,max_ms,cpu_us_per_req,rss_mb,threads
measure() {
  local key=key:000000000000
  if [ "$proto:$resp_client" = resp:redis-benchmark ]; then
    key=key:__rand_int__
    set -- --run redis-benchmark -h 127.0.0.1 -p PORT \
      -t "$test" -n "$n" -c "$c" -P "$p" -d "$size" ${keys:+-r "$keys"} --csv
  else
    set -- --run "$bin/kv" bench -p PORT -proto "$proto" \
      -t "$test" -n "$n" -c "$c" -P "$p" -d "$size" ${keys:+-r "$keys"} -fill 0 -csv
  fi
  if [ "$test" = GET ]; then
    if [ -n "$keys" ]; then set -- -r "$keys" "$@"; else set -- -key "$key" "$@"; fi
    set -- --before "$bin/kv" bench -p PORT -proto "$proto" -t get -n 1 -d "$size" -csv "$@"
  fi
  run "$bin/measure" -server "$bin/$server" -proto "$proto" -in "$proto, c=$c, P=$p, $test" \
    -n "$n" -print "$figures" "$@" >"$tmp/figures"
  echo "$round,$server,$proto,$c,$p,$test,$n,$(cat "$tmp/figures")" >>"$csv" || exit 1
}

pick_flavors
pick_client
make_tmp
plan >"$tmp/plan"
[ -s "$tmp/plan" ] || die "stblock serves one client at a time: there is nothing to measure"
# shellcheck disable=SC2046,SC2086 # flavors are single words
build $(printf './%s ' $picked) ./scripts/kv ./scripts/measure ./scripts/table
begin_results raw.csv "round,flavor,proto,clients,pipeline,test,n,$figures"
total=$(($(wc -l <"$tmp/plan")))
number=0
while read -r round proto c p n test server <&3; do
  number=$((number + 1))
  progress "round $round of $rounds: $proto, c=$c, P=$p" "[$number/$total] round $round: $proto, c=$c, P=$p, $test $server"
  measure
done 3<"$tmp/plan"
{
  "$bin/table" bench -servers "$picked $reference" -size "$size" -keys "${keys:-1}" -client "$client" -skipped "$skipped" "$csv" &&
    cat "$new/machine.txt" &&
    "$bin/table" summary "$csv"
} >"$new/table.txt" || exit 1
"$bin/table" gobench -cpu "$(sed -n 's/^processor *//p' "$new/machine.txt")" "$csv" >"$new/bench.txt" || exit 1
end_results table.txt
