#!/usr/bin/env bash
# Measures what each model costs, claim by claim. Run it with -h for the options.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

claims="alone silent heavy slow hold churn cores clients values idle memory calls lost"

usage() {
  cat <<END
usage: $me [options] [flavor ...]

Turns what is said about each model into a figure for each flavor, and prints them in
tables. Without arguments: all claims, for all flavors that this system can run. That
takes about six minutes.

  flavor      of $flavors;
              redis-server is measured too, if it is installed
  -c LIST     claims, with commas between them  (default: all of these)
     silent   a client sends half a request: what ten others feel
     heavy    a client gets a value of 64 MiB again and again: what ten others feel
     slow     a client asks for 500 MB and reads nothing: how much the server grows,
              and what ten others feel
     idle     processor time with nothing to do, and with 1,000 idle clients
     memory   memory and threads with 10, 100, 1,000 and 10,000 idle clients
     hold     50 busy clients among 10,000 idle ones
     churn    a new connection for each request
     cores    processors that the server uses at full load
     calls    system calls and context switches in a request
     lost     INCR by 50 clients: how many are lost; and without mtblock's lock
     clients  requests/s with 1 to 1,000 clients
     values   requests/s and processor time with values of 3 bytes to 1 MB
  -n N        how many are many clients, from 11 (default 10000)
  -m MIB      the heavy value, up to 64         (default 64)
  -s MB       what the slow client asks for, up to 2000  (default 500)
  -t SECONDS  time for a latency or a rate      (default 0.7)
  -R N        rounds for these; the tables show medians  (default 3)
  -o DIR      folder for the results            (default: a new one in scripts/out)
  -h          print this text

Results: tradeoffs.txt is what is printed, tradeoffs.csv has every single figure,
machine.txt says where they were made. Files of these names are replaced, when all are
there. plot.sh draws pictures of them.

The clients are scripts/kv, on the same machine, and speak resp. One server runs at a
time. System calls need Linux, and all but read and write strace, if it is installed.
Half a GB of memory should be free.
Exit status: 0 all is well; 1 a server or a client failed; 2 usage.
END
}

patience=2 # seconds that a client waits until its figure is "never"
churn=5000 # connections; each holds a port for a while after its end
calls=20000
values="3:20000 100:20000 1000:20000 10000:10000 100000:2000 1000000:300" # size and requests
seconds='^(0?[.][1-9][0-9]*|[1-9]([.][0-9]+)?|[1-5][0-9]([.][0-9]+)?|60([.]0+)?)$'

wanted=${claims// /,} many=10000 heavy_mib=64 slow_mb=500 span=0.7 rounds=3 out=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | -help | --help) usage; exit ;;
    -c | -n | -m | -s | -t | -R | -o) [ $# -gt 1 ] || usage_error "$1 needs a value" ;;
    -*) usage_error "unknown option $1" ;;
  esac
  case $1:${2-} in
    -c:*) wanted=$2 ;;
    -n:[1-9] | -n:10) usage_error "invalid value \"$2\" for -n: want more than 10" ;;
    -n:*) number "$1" "$2" 50000 && many=$2 ;;
    -m:*) number "$1" "$2" 64 && heavy_mib=$2 ;;
    -s:*) number "$1" "$2" 2000 && slow_mb=$2 ;;
    -t:*)
      [[ $2 =~ $seconds ]] || usage_error "invalid value \"$2\" for -t: want seconds from 0.1 to 60"
      span=$2
      ;;
    -R:*) number "$1" "$2" 1000 && rounds=$2 ;;
    -o:) usage_error "-o needs a folder" ;;
    -o:*) out=$2 ;;
    *) choose "$1" && set -- '' "$@" ;; # it has no value
  esac
  shift 2
done

# pick_claims puts those that are wanted in order. What a client makes others feel is
# nothing without what they feel alone.
pick_claims() {
  local claim list=,$wanted, known=${claims#alone }
  for claim in ${wanted//,/ }; do
    case " $claims " in
      *" $claim "*) ;;
      *) usage_error "unknown claim \"$claim\": want some of ${known// /,}" ;;
    esac
  done
  case $list in *,silent,* | *,heavy,* | *,slow,*) list=,alone$list ;; esac
  wanted=
  for claim in $claims; do
    case $list in *",$claim,"*) wanted="$wanted $claim" ;; esac
  done
  [ -n "$wanted" ] || usage_error "-c needs a claim"
}

# set_limits raises the limit on descriptors, and lowers what is many to it. mtblock serves
# 9,500 clients; on macOS a process may have 2,048 threads.
set_limits() {
  local limit n
  limit=$(ulimit -Hn) most=9500
  [ "$(uname -s)" != Darwin ] || limit=$(sysctl -n kern.maxfilesperproc) churn=1000 most=1900
  if [ "$limit" != unlimited ] && ulimit -Sn "$limit" && [ $((limit - 100)) -lt "$many" ]; then
    many=$((limit - 100))
    say "-n is $many: the system's limit on descriptors, $limit, allows no more"
  fi
  few=10
  for n in 100 1000; do [ $n -ge "$many" ] || few=$n; done
  busy=$((many > 100 ? 50 : many / 2))
  [ $most -lt "$many" ] || most=$many
}

# take measures figures of $server, given with commas between them, for record. kv ends
# with status 3 if a client has got nothing for $patience seconds: its figures are "never".
take() {
  run "$bin/measure" -server "$bin/$server" -in "$claim" -accept 3 -print "$@" >"$tmp/figures"
  IFS=, read -ra value <"$tmp/figures"
}

# record adds figures, given as METRIC,UNIT in the order in which they were taken.
record() {
  local row i=0
  for row; do
    echo "$claim,$server,${row%,*},${value[i]},${row##*,},$round" >>"$csv" || exit 1
    i=$((i + 1))
  done
}

record_clients() {
  value=("$1")
  record clients,clients
}

# measure_claim measures one server, with clients that are a load or a burden.
measure_claim() {
  case $claim in
    alone) feel ;;
    silent) feel --beside "${burden[@]}" silent ;;
    heavy) feel --beside "${burden[@]}" -d $((heavy_mib << 20)) heavy ;;
    slow) # the value is there before the growth begins
      feel --before "${load[@]}" -t set -n 1 -d 1000000 -key burden \
        --beside "${burden[@]}" -n "$slow_mb" -d 1000000 slow
      value=("${value[2]}")
      record growth,MB
      ;;
    hold)
      [ "$server" != mtblock ] || held=$most
      take rps,p99_ms --run "${load[@]}" -t get -c "$busy" -T "$span"
      record "rps alone,requests/s" "p99 alone,ms"
      [ "${value[0]}" = never ] ||
        take rps,p99_ms --beside "${burden[@]}" -c $((held - busy)) idle --run "${load[@]}" -t get -c "$busy" -T "$span"
      record rps,requests/s p99,ms
      record_clients "$held"
      ;;
    churn)
      take rps --run "${load[@]}" -t set -k 0 -c "$busy" -n "$churn"
      record connections,connections/s
      ;;
    cores) # replies so big that the server has more to do for them than the client
      take cores,rps --before "${load[@]}" -t set -n 1 -d 100000 \
        --run "${load[@]}" -t get -fill 0 -d 100000 -c "$c" -T "$span"
      record cores,cores rps,requests/s
      record_clients "$c"
      ;;
    clients) by_clients ;;
    values) by_size ;;
    idle)
      take percent -for "$span"
      record "CPU alone,%"
      take percent -for "$span" --beside "${burden[@]}" -c "$few" idle
      record CPU,%
      record_clients "$few"
      ;;
    memory)
      for c in 10 100 1000 "$many"; do
        [ "$c" -le "$few" ] || [ "$c" -eq "$many" ] || continue
        take served,now_mb,threads,each_kib --beside "${burden[@]}" -c "$c" idle
        record "served $c,clients" "RSS $c,MB" "threads $c,threads" "each $c,KiB"
      done
      ;;
    calls)
      record_clients "$c"
      take '' -calls -n "$calls" --run "${load[@]}" -t set -c "$c" -n "$calls"
      while IFS=, read -r metric value unit; do record "$metric,$unit"; done <"$tmp/figures"
      ;;
    lost) # stblock serves the clients one after the other, if they do not stay
      if [ "$server" = stblock ]; then
        take replies,lost,value -accept 1 --run "${increments[@]}" -k 0 -n "$churn"
      else
        take replies,lost,value -accept 1 --run "${increments[@]}"
      fi
      [ "${value[2]}" -ge 0 ] || die "$server does not tell what became of ${value[0]} increments"
      record replies,increments lost,increments
      ;;
    unlocked) unlocked ;;
  esac
}

# feel measures the latency of ten clients, each of which sends 100 requests a second.
feel() {
  take p50_ms,p99_ms,growth_mb "$@" --run "${load[@]}" -t get -c 10 -R 1000 -T "$span"
  record p50,ms p99,ms
}

# by_clients ends early: who does not serve so many does not serve more.
by_clients() {
  value=('')
  for c in 1 2 5 10 20 50 100 500 1000; do
    [ "$c" -le "$many" ] || break
    [ "${value[0]}" = never ] || take rps --run "${load[@]}" -t get -c "$c" -T "$span"
    record "$c,requests/s"
  done
}

by_size() {
  for pair in $values; do
    size=${pair%:*} n=${pair#*:}
    take rps,cpu_us_per_req -n "$n" --run "${load[@]}" -t set -c "$c" -d "$size" -n "$n"
    record "SET rps $size,requests/s" "SET CPU $size,us"
    take rps,cpu_us_per_req -n "$n" --before "${load[@]}" -t set -n 1 -d "$size" \
      --run "${load[@]}" -t get -fill 0 -c "$c" -d "$size" -n "$n"
    record "GET rps $size,requests/s" "GET CPU $size,us"
  done
  record_clients "$c"
}

# unlocked measures mtblock without its lock. Go ends a process in which two threads
# change a map at once, if it sees that: what was lost until then is counted. It may be
# nothing, so there are some attempts.
unlocked() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    take replies,lost,end -accept 1 -crash --run "${increments[@]}"
    [ "${value[1]}" -eq 0 ] || break
  done
  claim=lost record replies,increments lost,increments end,text
}

# build_unlocked builds mtblock-unlocked from a copy of mtblock without the lock.
build_unlocked() {
  local file module=$tmp/module
  mkdir "$module" && cp -R "$root"/go.* "$root/kvproto" "$root/respproto" "$root/mtblock" "$module" || exit 1
  for file in "$module"/mtblock/*.go; do
    sed -E '/^[[:space:]]*(defer )?mu\.(Lock|Unlock)\(\)$/d' "$file" >"$tmp/copy" && mv "$tmp/copy" "$file" || exit 1
  done
  ! grep -q 'mu\.[LU]' "$module"/mtblock/*.go ||
    die "cannot take the lock out of mtblock: there is more than mu.Lock() and mu.Unlock()"
  run go -C "$module" build -buildvcs=false -o "$bin/mtblock-unlocked" ./mtblock
}

# plan prints a line for each measurement. It goes round and round the servers, so that
# each meets the machine's good and bad times. What is no latency and no rate is measured
# once.
plan() {
  local round claim server
  for ((round = 1; round <= rounds; round++)); do
    for claim in $wanted; do
      case $round:$claim in 1:*) ;; *:idle | *:memory | *:calls | *:lost) continue ;; esac
      for server in $picked $reference; do echo "$round $claim $server"; done
      case $claim:$picked in lost:*mtblock*) echo "$round unlocked mtblock-unlocked" ;; esac
    done
  done
}

pick_claims
pick_flavors
set_limits
command -v strace >/dev/null || case $wanted in *calls*) say "without strace, only read and write are counted" ;; esac
make_tmp
# shellcheck disable=SC2046,SC2086 # flavors are single words
build $(printf './%s ' $picked) ./scripts/kv ./scripts/measure ./scripts/table
case $wanted:$picked in *lost*:*mtblock*) build_unlocked ;; esac
load=("$bin/kv" bench -p PORT -w "$patience" -proto resp -csv)
burden=("$bin/kv" burden -p PORT -w "$patience" -T 600)
increments=("$bin/kv" incr -p PORT -w "$patience" -c "$busy")
begin_results tradeoffs.csv claim,flavor,metric,value,unit,round
plan >"$tmp/plan"
total=$(($(wc -l <"$tmp/plan")))
number=0
while read -r round claim server <&3; do
  number=$((number + 1))
  progress "round $round of $rounds: $claim" "[$number/$total] round $round: $claim, $server"
  c=$busy held=$many
  [ "$claim" != values ] || c=20
  [ "$server" != stblock ] || c=1
  # All has been said of a server that has served no client in an earlier round.
  grep "^$claim,$server,[^,]*,never," "$csv" | grep -qv ^clients, || measure_claim
done 3<"$tmp/plan"
"$bin/table" tradeoffs -many "$many" -few "$few" -busy "$busy" -span "$span" -patience "$patience" -heavy "$heavy_mib" \
  -slow "$slow_mb" -churn "$churn" -skipped "$skipped" "$csv" >"$new/tradeoffs.txt" &&
  cat "$new/machine.txt" >>"$new/tradeoffs.txt" || exit 1
end_results tradeoffs.txt
