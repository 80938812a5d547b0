#!/usr/bin/env bash
# Measures the flavors side by side. Run it with -h for the options.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

usage() {
  cat <<END
usage: $me [options] [flavor ...]

Builds the flavors, puts each under load in turn, and prints a table for each
protocol and workload, and a summary. Without arguments: all flavors that this
system can run, both protocols, and three workloads: 1 client; 50 clients;
50 clients with 16 requests in a pipeline. That takes under three minutes.

  flavor     some of $flavors;
             redis-server is measured too, in resp, if it is installed
  -proto P   resp or kv                          (default: both)
  -c N       clients, at most 9000               (one workload; default 50)
  -P N       requests in a pipeline, at most 10000  (one workload; default 1)
  -n N       requests in a measurement  (default: 27000 times -P with 1 client,
             40000 times -P with more, at most 2500000; fewer for big values)
  -d BYTES   size of a value                     (default 3)
  -r N       random keys, at most 1000000, and 1 GiB of values  (default 1)
  -R N       rounds; the tables show medians     (default 3)
  -o DIR     folder for the results              (default: new, in scripts/out)
  -h         print this text

Results: table.txt is what is printed; raw.csv has each measurement, and so has
bench.txt, in the format of Go's benchmarks, for benchstat; machine.txt says
where they were made. These files are overwritten once the run is complete.

Each measurement has a fresh server and a client on the same machine:
redis-benchmark for resp, if it is installed, or else scripts/kv.
Exit status: 0 success; 1 a server or a client failed; 2 usage.
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
[ "${clients:-50}" -le $((descriptors - 50)) ] || die "-c ${clients:-50} is too many: this system allows a process $descriptors descriptors"

# pick_client decides which client speaks resp. valkey-benchmark is the same program.
pick_client() {
  client=
  [ "$protos" = kv ] || client=$(redis-benchmark --version 2>/dev/null | sed -n '1s/^\([a-z]*-benchmark [^ ]*\).*/\1/p')
  case $protos:$client in
    kv:) ;;
    *:) say "redis-benchmark is not in PATH: scripts/kv is used for resp too" ;;
    *:redis-benchmark\ [0-5].* | *:redis-benchmark\ 6.[01].*)
      say "$client prints no latencies as CSV, 6.2 does: scripts/kv is used for resp too"
      client=
      ;;
    resp\ kv:*) client="$client for resp, scripts/kv for kv" ;;
  esac
  : "${client:=scripts/kv}"
}

# plan prints a line for each measurement. It takes the servers in turn, round by round, so
# that each meets the machine's good and bad times.
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

# measure makes one measurement. The value that GET asks for is stored before; for
# redis-benchmark without -r, under a key of this very name.
figures='{rps},{avg_ms},{min_ms},{p50_ms},{p95_ms},{p99_ms},{max_ms},{cpu_us_per_req},{rss_mb},{threads}'
measure() {
  local key=key:__rand_int__ load=(-t "$test" -n "$n" -c "$c" -P "$p" -d "$size" ${keys:+-r "$keys"})
  case $proto:$client in
    resp:*-benchmark*) set -- redis-benchmark -h 127.0.0.1 -p PORT "${load[@]}" --csv ;;
    *) key=key:000000000000 && set -- "$bin/kv" bench -p PORT -proto "$proto" "${load[@]}" -fill 0 -csv ;;
  esac
  set -- --run "$@"
  if [ "$test" = GET ]; then
    if [ -n "$keys" ]; then set -- -r "$keys" "$@"; else set -- -key "$key" "$@"; fi
    set -- --before "$bin/kv" bench -p PORT -proto "$proto" -t get -n 1 -d "$size" -csv "$@"
  fi
  run "$bin/measure" -server "$bin/$server" -proto "$proto" -n "$n" -in "$proto, c=$c, P=$p, $test" \
    -row "$round,$server,$proto,$c,$p,$test,$n,$figures" "$@" >>"$csv"
}

pick_flavors
pick_client
make_tmp
plan >"$tmp/plan"
[ -s "$tmp/plan" ] || die "stblock serves one client at a time: there is nothing to measure"
begin_results raw.csv "round,flavor,proto,clients,pipeline,test,n,${figures//[\{\}]/}"
# shellcheck disable=SC2046,SC2086 # flavors are single words
build $(printf './%s ' $picked) ./scripts/kv ./scripts/measure ./scripts/table
"$bin/table" machine "$command_line" >"$new/machine.txt" || exit 1
total=$(($(wc -l <"$tmp/plan"))) number=0
while read -r round proto c p n test server <&3; do
  number=$((number + 1))
  progress "round $round of $rounds: $proto, c=$c, P=$p" "[$number/$total] round $round: $proto, c=$c, P=$p, $test $server"
  measure
done 3<"$tmp/plan"
"$bin/table" bench -servers "$picked $reference" -values "bytes in a value: $size; keys: ${keys:-1}" \
  -client "$client" -skipped "$skipped" "$new" >"$new/table.txt" &&
  "$bin/table" gobench "$new" >"$new/bench.txt" || exit 1
end_results table.txt
