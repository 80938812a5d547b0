#!/usr/bin/env bash
# Measures what each model costs, claim by claim. Run it with -h for the options.

set -u
# shellcheck source-path=SCRIPTDIR source=lib/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib/lib.sh"

claims="alone silent heavy slow hold churn cores clients values idle memory calls lost"

usage() {
  cat <<END
usage: $me [options] [flavor ...]

Turns each claim about the models into a figure for each flavor, and prints a
table for each claim. Without arguments: all claims, for all flavors that this
system can run. That takes about six minutes.

  flavor      some of $flavors;
              redis-server is measured too, if it is installed
  -c LIST     claims, separated by commas       (default: all of these)
     silent   a client sends half a request: the latency of ten others
     heavy    a client gets 64 MiB, again and again: the latency of ten others
     slow     a client asks for 500 MB and reads nothing: the latency of ten
              others, and the growth of the server
     idle     processor time with nothing to do, and with 1,000 idle clients
     memory   memory and threads with 10, 100, 1,000 and 10,000 idle clients
     hold     50 busy clients, alone and among 9,950 idle ones
     churn    a new connection for each request
     cores    how many processors the server uses at full load
     calls    system calls and context switches for a request
     lost     INCR by 50 clients: how many get lost; and without mtblock's lock
     clients  requests/s with 1 to 1,000 clients
     values   requests/s and processor time with values of 3 bytes to 1 MB
  -n N        the largest number of clients, 11 or more        (default 10000)
  -m MIB      the size of the heavy value, at most 64          (default 64)
  -s MB       how much the slow client asks for, at most 2000  (default 500)
  -t SECONDS  how long to measure a latency or a rate          (default 0.7)
  -R N        rounds for these; the tables show medians        (default 3)
  -o DIR      folder for the results  (default: a new one in scripts/out)
  -h          print this text

Results: tradeoffs.txt is what is printed; tradeoffs.csv has each figure, and
plot.sh draws pictures of them; machine.txt says where they were made. These
files are overwritten once the run is complete.

The clients are scripts/kv, on the same machine, and speak resp. System calls
are counted on Linux only, and with strace. Half a GB of memory should be free.
Exit status: 0 success; 1 a server or a client failed; 2 usage.
END
}

patience=2 # seconds after which the figure of a client that waits is "never"
churn=5000 # connections; each occupies a port for a while after its end
values="3:20000 100:20000 1000:20000 10000:10000 100000:2000 1000000:300" # size and requests

seconds() {
  local wanted='^(0?[.][1-9][0-9]*|[1-9]([.][0-9]+)?|[1-5][0-9]([.][0-9]+)?|60([.]0+)?)$'
  [[ $1 =~ $wanted ]] || usage_error "invalid value \"$1\" for -t: want seconds from 0.1 to 60"
}

wanted=${claims#alone } wanted=${wanted// /,} many=10000 heavy_mib=64 slow_mb=500 span=0.7 rounds=3 out=''
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
    -t:*) seconds "$2" && span=$2 ;;
    -R:*) number "$1" "$2" 1000 && rounds=$2 ;;
    -o:) usage_error "-o needs a folder" ;;
    -o:*) out=$2 ;;
    *) choose "$1" && set -- '' "$@" ;; # it has no value
  esac
  shift 2
done

# pick_claims puts the wanted claims in order. The latency that a client causes is compared
# with that without it.
pick_claims() {
  local claim known=${claims#alone } list=
  for claim in ${wanted//,/ }; do
    case " $known " in *" $claim "*) ;; *) usage_error "unknown claim \"$claim\": want some of ${known// /,}" ;; esac
  done
  for claim in $claims; do
    case $claim:,$wanted, in *:*",$claim,"* | alone:*,silent,* | alone:*,heavy,* | alone:*,slow,*) list="$list $claim" ;; esac
  done
  wanted=$list
  [ -n "$wanted" ] || usage_error "-c needs a claim"
}

# set_limits says how many are few and many. mtblock serves 9,500 clients; on macOS a process
# may have 2,048 threads.
set_limits() {
  local n
  few=10 most=9500
  [ "$(uname -s)" != Darwin ] || churn=1000 most=1900
  [ "$many" -le $((descriptors - 100)) ] ||
    { many=$((descriptors - 100)) && say "-n is $many: this system allows a process $descriptors descriptors"; }
  for n in 100 1000; do [ $n -ge "$many" ] || few=$n; done
  busy=$((many > 100 ? 50 : many / 2))
  [ $most -lt "$many" ] || most=$many
}

# row prints a row of tradeoffs.csv.
row() { echo "$claim,$server,$1,$2,$3,$round"; }

# take measures figures of $server, given as FIGURE=METRIC,UNIT, with the options of measure
# that follow, and adds a row for each. kv ends with status 3 if a client has got nothing for
# $patience seconds: then these figures are "never", and so are all others of the claim.
take() {
  local rows=() metric unit
  while [[ $1 = *=* ]]; do
    metric=${1#*=} unit=${metric##*,} metric=${metric%,*}
    [ -z "$never" ] || row "$metric" never "$unit"
    rows+=(-row "$(row "$metric" "{${1%%=*}}" "$unit")")
    shift
  done >>"$csv"
  [ -z "$never" ] || return
  run "$bin/measure" -server "$bin/$server" -in "$claim" -accept 3 "${rows[@]}" "$@" >"$tmp/rows"
  cat "$tmp/rows" >>"$csv" || exit 1
  ! grep -q ,never, "$tmp/rows" || never=1
}

# measure_claim measures one server, with clients that are a load or a burden.
measure_claim() {
  local never='' c=$busy size n increments=("$bin/kv" incr -p PORT -w "$patience" -c "$busy")
  case $claim:$server in
    hold:mtblock) c=$most ;;
    hold:*) c=$many ;;
    idle:*) c=$few ;;
    *:stblock) c=1 ;;
    values:*) c=20 ;;
  esac
  case $claim in hold | cores | values | idle | calls) row clients "$c" clients >>"$csv" ;; esac
  case $claim in
    alone) feel ;;
    silent) feel --beside "${burden[@]}" silent ;;
    heavy) feel --beside "${burden[@]}" -d $((heavy_mib << 20)) heavy ;;
    slow) # the value is there before the growth begins
      feel growth_mb=growth,MB --before "${load[@]}" -t set -n 1 -d 1000000 -key burden \
        --beside "${burden[@]}" -n "$slow_mb" -d 1000000 slow
      ;;
    hold)
      take rps="rps alone,requests/s" p99_ms="p99 alone,ms" --run "${load[@]}" -t get -c "$busy" -T "$span"
      take rps=rps,requests/s p99_ms=p99,ms --beside "${burden[@]}" -c $((c - busy)) idle \
        --run "${load[@]}" -t get -c "$busy" -T "$span"
      ;;
    churn) take rps=connections,connections/s --run "${load[@]}" -t set -k 0 -c "$busy" -n "$churn" ;;
    cores) # replies so big that the server has more to do for them than the client
      take cores=cores,cores rps=rps,requests/s --before "${load[@]}" -t set -n 1 -d 100000 \
        --run "${load[@]}" -t get -fill 0 -d 100000 -c "$c" -T "$span"
      ;;
    clients)
      for c in 1 2 5 10 20 50 100 500 1000; do
        [ "$c" -gt "$many" ] || take rps="$c",requests/s --run "${load[@]}" -t get -c "$c" -T "$span"
      done
      ;;
    values)
      for n in $values; do
        size=${n%:*} n=${n#*:}
        take rps="SET rps $size,requests/s" cpu_us_per_req="SET CPU $size,us" -n "$n" \
          --run "${load[@]}" -t set -c "$c" -d "$size" -n "$n"
        take rps="GET rps $size,requests/s" cpu_us_per_req="GET CPU $size,us" -n "$n" \
          --before "${load[@]}" -t set -n 1 -d "$size" --run "${load[@]}" -t get -fill 0 -c "$c" -d "$size" -n "$n"
      done
      ;;
    idle)
      take percent="CPU alone,%" -for "${span}s"
      take percent=CPU,% -for "${span}s" --beside "${burden[@]}" -c "$c" idle
      ;;
    memory)
      for c in 10 100 1000 "$many"; do
        [ "$c" -le "$few" ] || [ "$c" -eq "$many" ] || continue
        take served="served $c,clients" now_mb="RSS $c,MB" threads="threads $c,threads" each_kib="each $c,KiB" \
          --beside "${burden[@]}" -c "$c" idle
      done
      ;;
    calls)
      take switches=switches,switches count='{call},calls' calls=total,calls -n 20000 --run "${load[@]}" -t set -c "$c" -n 20000
      ;;
    lost) # stblock serves the clients one after the other, if each connects anew
      [ "$server" != stblock ] || increments+=(-k 0 -n "$churn")
      take replies=replies,increments lost=lost,increments -accept 1 --run "${increments[@]}"
      ;;
    unlocked) # Go may notice that two threads change a map at once, and end the process: what
      # was lost until then is counted. It may be nothing, so there are some attempts.
      for n in 1 2 3 4 5 6 7 8 9 10; do
        claim=lost csv=/dev/null take replies=replies,increments lost=lost,increments end=end,text \
          -accept 1 -crash --run "${increments[@]}"
        grep -q ,lost,0, "$tmp/rows" || break
      done
      cat "$tmp/rows" >>"$csv"
      ;;
  esac
}

# feel measures the latency of ten clients, each of which sends 100 requests a second.
feel() { take p50_ms=p50,ms p99_ms=p99,ms "$@" --run "${load[@]}" -t get -c 10 -R 1000 -T "$span"; }

# build_unlocked builds mtblock-unlocked from a copy of mtblock without the lock.
build_unlocked() {
  local file module=$tmp/module
  mkdir "$module" && cp -R "$root"/go.* "$root/kvproto" "$root/respproto" "$root/mtblock" "$module" || exit 1
  for file in "$root"/mtblock/*.go; do
    sed -E '/^[[:space:]]*(defer )?mu\.(Lock|Unlock)\(\)$/d' "$file" >"$module/mtblock/${file##*/}" || exit 1
  done
  ! grep -q 'mu\.[LU]' "$module"/mtblock/*.go ||
    die "cannot take the lock out of mtblock: there is more than mu.Lock() and mu.Unlock()"
  run go -C "$module" build -o "$bin/mtblock-unlocked" ./mtblock
}

# plan prints a line for each measurement. It takes the servers in turn, round by round, so
# that each meets the machine's good and bad times. All but latencies and rates are measured
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
[[ $wanted != *calls* ]] || command -v strace >/dev/null || say "without strace, only read and write are counted"
make_tmp
begin_results tradeoffs.csv claim,flavor,metric,value,unit,round
# shellcheck disable=SC2046,SC2086 # flavors are single words
build $(printf './%s ' $picked) ./scripts/kv ./scripts/measure ./scripts/table
case $wanted:$picked in *lost*:*mtblock*) build_unlocked ;; esac
"$bin/table" machine "$command_line" >"$new/machine.txt" || exit 1
load=("$bin/kv" bench -p PORT -w "$patience" -proto resp -csv)
burden=("$bin/kv" burden -p PORT -w "$patience" -T 600)
plan >"$tmp/plan"
total=$(($(wc -l <"$tmp/plan"))) number=0
while read -r round claim server <&3; do
  number=$((number + 1))
  progress "round $round of $rounds: $claim" "[$number/$total] round $round: $claim, $server"
  # A server that has served no client in an earlier round will not do so now.
  grep "^$claim,$server,[^,]*,never," "$csv" | grep -qv ^clients, || measure_claim
done 3<"$tmp/plan"
"$bin/table" tradeoffs -many "$many" -few "$few" -busy "$busy" -span "$span" -patience "$patience" -heavy "$heavy_mib" \
  -slow "$slow_mb" -churn "$churn" -skipped "$skipped" "$new" >"$new/tradeoffs.txt" || exit 1
end_results tradeoffs.txt
