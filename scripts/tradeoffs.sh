#!/usr/bin/env bash
# Measures what each model costs, claim by claim. Run it with -h for the options.

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

claims="alone silent heavy slow hold churn cores clients idle memory calls lost"

usage() {
  cat <<END
usage: $me [options] [flavor ...]

Turns what is said about each model into a figure for each flavor, and prints them in
two tables. Without arguments: all claims, for all flavors that this system can run.
That takes less than five minutes.

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
  -n N        how many are many clients, from 11 (default 10000)
  -m MIB      the heavy value, up to 64         (default 64)
  -s MB       what the slow client asks for, up to 2000  (default 500)
  -t SECONDS  time for a latency or a rate      (default 0.7)
  -R N        rounds for these; the tables show medians  (default 3)
  -o DIR      folder for the results            (default: a new one in scripts/out)
  -h          print this text

Results: tradeoffs.txt is what is printed, tradeoffs.csv has every single figure,
machine.txt says where they were made. Files of these names are replaced. plot.sh
draws pictures of them.

The clients are scripts/kv, on the same machine, and speak resp. One server runs at a
time. System calls are counted with strace, if it is installed; they and the context
switches need Linux. Half a GB of memory should be free.
Exit status: 0 all is well; 1 a server or a client failed; 2 usage.
END
}

wanted=$claims
many=10000
heavy_mib=64
slow_mb=500
span=0.7
rounds=3
out=
command_line="$me${*:+ $*}"

patience=2         # seconds that a client waits until its figure is "never"
slow_size=1000000  # bytes in the value that the slow client asks for
cores_size=100000  # and in the one of the claim cores
churn_requests=5000 # connections; each holds a port for a while after its end

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | -help | --help)
        usage
        exit 0
        ;;
      -c | -n | -m | -s | -t | -R | -o)
        [ $# -gt 1 ] || usage_error "$1 needs a value"
        set_option "$1" "$2"
        shift
        ;;
      -*) usage_error "unknown option $1" ;;
      *) choose "$1" ;;
    esac
    shift
  done
}

set_option() {
  case $1 in
    -c) choose_claims "$2" ;;
    -n)
      number "$@" 50000
      [ "$2" -gt 10 ] || usage_error "invalid value \"$2\" for -n: want more than 10"
      many=$2
      ;;
    -m) number "$@" 64 && heavy_mib=$2 ;;
    -s) number "$@" 2000 && slow_mb=$2 ;;
    -t)
      span=$(awk -v s="$2" 'BEGIN { if (s ~ /^[0-9]*\.?[0-9]+$/ && s >= 0.1 && s <= 60) print s + 0 }')
      [ -n "$span" ] || usage_error "invalid value \"$2\" for -t: want seconds from 0.1 to 60"
      ;;
    -R) number "$@" 1000 && rounds=$2 ;;
    -o)
      [ -n "$2" ] || usage_error "-o needs a folder"
      out=$2
      ;;
  esac
}

# choose_claims sets wanted. What a client makes others feel is nothing without what
# they feel alone.
choose_claims() {
  local claim list
  list=$(echo "$1" | tr ',' ' ')
  wanted=
  for claim in $list; do
    case " $claims " in
      *" $claim "*) ;;
      *) usage_error "unknown claim \"$claim\": want some of $(echo "$claims" | sed 's/^alone //; s/ /,/g')" ;;
    esac
  done
  case " $list " in *" silent "* | *" heavy "* | *" slow "*) list="alone $list" ;; esac
  for claim in $claims; do
    case " $list " in *" $claim "*) wanted="$wanted $claim" ;; esac
  done
  [ -n "$wanted" ] || usage_error "-c needs a claim"
}

wants() { case " $wanted " in *" $1 "*) ;; *) return 1 ;; esac; }

# set_limits raises the limit on descriptors, and lowers what is many to it.
set_limits() {
  local limit most
  limit=$(ulimit -Hn)
  if [ "$system" = Darwin ]; then
    most=$(sysctl -n kern.maxfilesperproc 2>/dev/null)
    if [ "$limit" = unlimited ] || [ "$limit" -gt "${most:-10240}" ]; then
      limit=${most:-10240}
    fi
    churn_requests=1000
  fi
  cut=
  if [ "$limit" != unlimited ]; then
    ulimit -Sn "$limit" 2>/dev/null
    if [ $((limit - 100)) -lt "$many" ]; then
      cut="; the system's limit on descriptors, $limit, allows no more"
      say "-n is $((limit - 100)), not $many$cut"
      many=$((limit - 100))
    fi
  fi
  few=10
  for most in 100 1000; do
    [ $most -ge "$many" ] || few=$most
  done
  busy=50
  [ "$many" -gt 100 ] || busy=$((many / 2))
}

# holds sets held, how many of the many clients a server can have at a time.
holds() {
  held=$many
  [ "$server" = mtblock ] || return 0
  local most=9500 # its own limit
  [ "$system" != Darwin ] || most=1900 # a process may have 2,048 threads
  [ "$most" -ge "$many" ] || held=$most
}

begin_results() {
  if [ -z "$out" ]; then
    out=$root/scripts/out/$(date +%Y-%m-%d_%H%M%S)
    while [ -e "$out" ]; do out=${out}a; done
  fi
  mkdir -p -- "$out" || exit 1
  out=$(cd -- "$out" && pwd) || exit 1
  rm -f "$out/tradeoffs.txt" || exit 1
  describe_machine >"$out/machine.txt" || exit 1
  csv=$out/tradeoffs.csv
  echo claim,flavor,metric,value,unit,round >"$csv" || exit 1
  trap 'leave; leave_results' EXIT
}

# leave_results says where the figures are of a run that did not reach its end.
leave_results() {
  [ ! -e "$out/tradeoffs.txt" ] || return 0
  if [ "$(wc -l <"$csv")" -gt 1 ]; then
    say "the figures so far are in $csv"
  else
    rm -f "$csv" "$out/machine.txt"
    rmdir "$out" 2>/dev/null
  fi
}

# record METRIC VALUE UNIT adds a figure of the claim and the server.
record() { echo "$claim,$server,$1,$2,$3,$round" >>"$csv" || exit 1; }

begin_server() {
  case $server in
    redis-server) start_redis ;;
    *) start_flavor "$server" resp ;;
  esac
}

# kv runs a client to its end. It sets status.
kv() {
  "$tmp/bin/kv" "$@" -h 127.0.0.1 -p "$server_port" -w $patience >"$tmp/client.out" 2>"$tmp/client.err" &
  # Not in the foreground, where it would delay a signal to the script.
  wait $! 2>/dev/null
  status=$?
}

client_failed() {
  end_progress
  sleep 0.5 # a server that is about to die takes a moment
  server_runs || server_failed "died in $claim"
  say "kv $1 against $server in $claim. It said:"
  cat "$tmp/client.out" "$tmp/client.err" >"$tmp/client.log"
  quote "$tmp/client.log"
  exit 1
}

# load measures a load and sets rps, p50, p99, and requests. All but the last are
# "never" if a client has waited in vain for a reply.
load() {
  kv bench -proto resp "$@"
  if [ $status -eq 3 ]; then
    rps=never p50=never p99=never requests=0
    return
  fi
  [ $status -eq 0 ] || client_failed "ended with $(status_text $status)"
  read -r requests rps p50 p99 <<END
$(awk '
    /requests completed/ { n = $1 }
    /throughput:/ { rps = $2 }
    latencies { print n, rps, $3, $5; latencies = 0 }
    $1 == "avg" { latencies = 1 }' "$tmp/client.out")
END
  [ -n "$p99" ] || client_failed "printed no figures"
}

# store BYTES KEY stores a value.
store() {
  kv bench -proto resp -t get -n 1 -d "$1" -key "$2"
  [ $status -eq 0 ] || client_failed "ended with $(status_text $status)"
}

# feel measures the latency of ten clients, each of which sends 100 requests a second.
feel() {
  load -t get -c 10 -R 1000 -T "$span"
  record p50 "$p50" ms
  record p99 "$p99" ms
}

# begin_burden starts a burden and waits until it is in effect. It sets burden_pid, and
# served, the number of clients that the server serves.
begin_burden() {
  : >"$tmp/burden.out"
  "$tmp/bin/kv" burden -h 127.0.0.1 -p "$server_port" -w $patience -T 600 "$@" >"$tmp/burden.out" 2>"$tmp/burden.err" &
  burden_pid=$!
  until grep -q '^in effect' "$tmp/burden.out"; do
    kill -0 "$burden_pid" 2>/dev/null || burden_failed
    sleep 0.01
  done
  served=$(awk '{ print $5 }' "$tmp/burden.out")
}

end_burden() {
  kill -TERM "$burden_pid" || burden_failed
  wait "$burden_pid"
} 2>/dev/null

burden_failed() {
  cat "$tmp/burden.out" >"$tmp/client.out"
  cat "$tmp/burden.err" >"$tmp/client.err"
  client_failed "burden ended"
}

# The claims. Each measures one server.

claim_alone() {
  begin_server
  feel
  stop_server
}

claim_silent() {
  begin_server
  begin_burden silent
  feel
  end_burden
  stop_server
}

claim_heavy() {
  begin_server
  begin_burden -d $((heavy_mib * 1048576)) heavy
  feel
  end_burden
  stop_server
}

claim_slow() {
  begin_server
  store $slow_size burden # so that it has been there, when the growth begins
  read_size "$server_pid"
  local before=$rss_kb
  start_watching
  begin_burden -n "$slow_mb" -d $slow_size slow
  feel
  stop_watching
  record growth "$(calc 1 "($peak_rss_kb - $before) * 1024 / 1000000")" MB
  end_burden
  stop_server
}

claim_hold() {
  holds
  begin_server
  load -t get -c $busy -T "$span"
  record "rps alone" "$rps" requests/s
  record "p99 alone" "$p99" ms
  [ "$rps" = never ] || begin_burden -c $((held - busy)) idle
  record clients "$held" clients
  if [ "$rps" != never ]; then
    load -t get -c $busy -T "$span"
    end_burden
  fi
  record rps "$rps" requests/s
  record p99 "$p99" ms
  stop_server
}

claim_churn() {
  begin_server
  load -t set -k 0 -n $churn_requests
  record connections "$rps" connections/s
  stop_server
}

# claim_cores takes replies so big that the server has more to do for them than the
# client, which has one thread.
claim_cores() {
  begin_server
  local before c
  c=$(clients_of "$server")
  store $cores_size big
  read_cpu "$server_pid"
  before=$cpu_us
  load -t get -d $cores_size -key big -c "$c" -T "$span"
  read_cpu "$server_pid"
  record clients "$c" clients
  record cores "$(calc 2 "($cpu_us - $before) / 1000000 / $span")" cores
  record rps "$rps" requests/s
  stop_server
}

# clients_of prints with how many clients a server is measured that may have 50.
clients_of() {
  case $1 in
    stblock) echo 1 ;;
    *) echo $busy ;;
  esac
}

claim_clients() {
  local c
  begin_server
  rps=
  for c in 1 2 5 10 20 50 100 500 1000; do
    [ $c -le "$many" ] || break
    # Who does not serve so many does not serve more.
    [ "$rps" = never ] || load -t get -c $c -T "$(calc 2 "$span / 2")"
    record $c "$rps" requests/s
  done
  stop_server
}

claim_idle() {
  begin_server
  sleep 0.3
  record "CPU alone" "$(idle_cpu)" %
  begin_burden -c "$few" idle
  sleep 0.3
  record CPU "$(idle_cpu)" %
  record clients "$few" clients
  end_burden
  stop_server
}

# idle_cpu prints how much of a processor the server uses in a while.
idle_cpu() {
  local before wall
  wall=$(calc 1 "$span * 3")
  read_cpu "$server_pid"
  before=$cpu_us
  sleep "$wall"
  read_cpu "$server_pid"
  calc 1 "($cpu_us - $before) / 10000 / $wall"
}

claim_memory() {
  local c before
  for c in 10 100 1000 "$many"; do
    [ "$c" -le "$few" ] || [ "$c" -eq "$many" ] || continue
    begin_server
    sleep 0.1
    read_size "$server_pid"
    before=$now_kb
    begin_burden -c "$c" idle
    sleep 0.1
    read_size "$server_pid"
    record "served $c" "$served" clients
    record "RSS $c" "$(calc 1 "$now_kb * 1024 / 1000000")" MB
    record "threads $c" "$threads" threads
    record "each $c" "$(calc 1 "($now_kb - $before) / $served")" KiB
    end_burden
    stop_server
  done
}

# claim_calls counts reads and writes where the kernel does, in /proc, and only the
# other system calls with strace. strace slows down each call that it sees, and a
# server whose reads and writes are slow does other things than one whose are not. Where
# threads wait for each other, that is still so: strace makes them wait longer, and so
# more often. Its count of futex is more than there is, and in no total.
claim_calls() {
  local c call count total
  c=$(clients_of "$server")
  record clients "$c" clients
  if [ "$system" != Linux ]; then
    record total - calls
    record switches - switches
    return
  fi
  for _ in 1 2 3; do # a slow machine may look too late
    begin_server
    count_switches
    stop_server
    [ "$(cat "$tmp/switches")" = - ] || break
  done
  record switches "$(cat "$tmp/switches")" switches
  if [ "$strace" = yes ]; then
    rm -f "$tmp/strace.out"
    under=strace
    begin_server
    under=
    load -t set -c "$c" -T "$(calc 1 "$span * 2")"
    stop_traced
    count_others >>"$tmp/calls"
  fi
  total=0
  while read -r call count; do
    if [ "$call" = futex ]; then
      record futex "$count" "calls at most"
      continue
    fi
    record "$call" "$count" calls
    total=$(calc 2 "$total + $count")
  done <"$tmp/calls"
  [ "$strace" = yes ] || total=-
  record total "$total" calls
}

# launch overrides that of lib.sh. On macOS, mtblock must have no more connections than
# a process may have threads.
# shellcheck disable=SC2317 # it is called there
under=
launch() {
  [ -z "$under" ] || set -- strace "${strace_options[@]}" "$@"
  [ "$system $server" != "Darwin mtblock" ] || ulimit -n 2000
  exec "$@"
}

# count_switches puts reads and writes in a request into $tmp/calls, and the context
# switches into $tmp/switches.
count_switches() {
  local reads writes sampler
  read_io || die "cannot read /proc/$server_pid/io"
  reads=$io_reads writes=$io_writes
  sample_switches >"$tmp/switches" &
  sampler=$!
  load -t set -c "$c" -T "$(calc 2 "$span * 2 + 0.3")"
  wait $sampler
  read_io
  calc 2 "($io_reads - $reads) / $requests" | sed 's/^/read /' >"$tmp/calls"
  calc 2 "($io_writes - $writes) / $requests" | sed 's/^/write /' >>"$tmp/calls"
}

# sample_switches prints the context switches for a request, from two looks at all
# threads in the midst of a load, when all connections are open. Each request has a
# write, and there must be some more after the second look.
sample_switches() {
  local early late first last
  sleep "$(calc 2 "$span / 2")"
  early=$(all_switches)
  read_io
  first=$io_writes
  sleep "$span"
  late=$(all_switches)
  read_io
  last=$io_writes
  sleep 0.02
  read_io
  if [ "${io_writes:-0}" -gt "$last" ]; then
    calc 2 "($late - $early) / ($last - $first)"
  else
    echo -
  fi
}

all_switches() {
  cat /proc/"$server_pid"/task/*/status 2>/dev/null |
    awk '/ctxt_switches:/ { n += $2 } END { printf "%.0f\n", n }'
}

# read_io sets io_reads and io_writes, the calls that the server has made.
read_io() {
  local key value
  io_reads=
  io_writes=
  while read -r key value; do
    case $key in
      syscr:) io_reads=$value ;;
      syscw:) io_writes=$value ;;
    esac
  done <"/proc/$server_pid/io"
  [ -n "$io_writes" ]
} 2>/dev/null

# stop_traced ends a server under strace, and waits for what strace has to say.
stop_traced() {
  local deadline=$((SECONDS + 5))
  stop_server
  until grep -q ' total$' "$tmp/strace.out" 2>/dev/null; do
    [ $SECONDS -lt $deadline ] || die "strace prints no summary of $server"
    sleep 0.01
  done
}

# count_others prints the calls in strace's summary in a request: the most frequent
# ones that come to 0.01, and all others as one.
count_others() {
  awk '$1 ~ /^[0-9.]+$/ && $NF != "total" { print $4, $NF }' "$tmp/strace.out" | sort -k 1,1nr -k 2 |
    awk -v n="$requests" '
      NR <= 6 && $1 / n >= 0.01 { printf "%s %.2f\n", $2, $1 / n; next }
      { rest += $1 / n }
      END { if (rest >= 0.01) printf "others %.2f\n", rest }'
}

# find_strace sets strace to yes if it is there and can do what is wanted: with -D it is
# no parent of the server, so that the server can be ended as always.
find_strace() {
  strace=no
  strace_options=(-D -f --seccomp-bpf -c -e 'trace=!read,write' -o "$tmp/strace.out")
  if [ "$system" != Linux ]; then
    strace_note="; calls and switches need Linux"
  elif ! command -v strace >/dev/null; then
    strace_note="; all calls but read and write need strace, which is not installed"
  elif ! strace "${strace_options[@]}" true 2>"$tmp/strace.err"; then
    strace_note="; all calls but read and write need strace, which fails: $(head -n 1 "$tmp/strace.err")"
  else
    strace=yes
    strace_note=
    return
  fi
  wants calls && say "${strace_note#; }"
}

# claim_lost lets clients increment one key. stblock serves them one after the other,
# if they do not stay.
claim_lost() {
  begin_server
  case $server in
    stblock) increment -k 0 -n $churn_requests ;;
    *) increment ;;
  esac
  [ "$value" -ge 0 ] || client_failed "ended with $(status_text $status)"
  record_lost
  stop_server
}

# increment sets replies, lost, and value, which is -1 if it cannot be asked for.
increment() {
  kv incr -c $busy "$@"
  IFS=, read -r _ replies value lost <<END
$(tail -n 1 "$tmp/client.out")
END
  [ -n "$lost" ] || client_failed "ended with $(status_text $status)"
}

record_lost() {
  record replies "$replies" increments
  record lost "$lost" increments
}

# claim_unlocked does the same to mtblock without its lock. Go ends a process in which
# two threads change a map at once, if it sees that: what was lost until then is
# counted. It may be nothing, so there are some attempts.
claim_unlocked() {
  local crash
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    begin_server
    increment
    stop_server
    [ "$lost" -eq 0 ] || break
  done
  record_lost
  crash=$(grep '^fatal error: ' "$tmp/server.log" | head -n 1 | tr ',' ';')
  record end "${crash:-it goes on}" text
}

# make_unlocked builds mtblock-unlocked from a copy of mtblock without the lock.
make_unlocked() {
  local from=$root/mtblock/main.go to=$tmp/unlocked.go
  sed -e '/^[[:space:]]*mu\.Lock()$/d' -e '/^[[:space:]]*mu\.Unlock()$/d' \
    -e 's/"mtblock: "/"mtblock-unlocked: "/' "$from" >"$to" || exit 1
  if [ $(($(wc -l <"$from") - $(wc -l <"$to"))) -ne 2 ] || grep -q 'mu\.[LU]' "$to"; then
    die "cannot take the lock out of mtblock/main.go: there is more than a mu.Lock() and a mu.Unlock()"
  fi
  printf '{"Replace": {"%s": "%s"}}\n' "$from" "$to" >"$tmp/overlay.json"
  build -o "$tmp/bin/mtblock-unlocked" -overlay "$tmp/overlay.json" ./mtblock
}

# calc DIGITS EXPRESSION prints what an expression comes to, or "-" if it cannot be.
calc() { awk "BEGIN { printf \"%.$1f\n\", $2 }" 2>/dev/null || echo -; }

# measure_all goes round and round the servers, so that each meets the machine's good
# and bad times. What is no latency and no rate is measured once.
measure_all() {
  local round claim server number=0
  for ((round = 1; round <= rounds; round++)); do
    for claim in $wanted; do
      [ "$round" -eq 1 ] || ! once "$claim" || continue
      for server in $picked $reference; do
        number=$((number + 1))
        progress "round $round of $rounds: $claim" ": $server ($number of $total)"
        known_never || "claim_$claim"
      done
      if [ "$claim" = lost ] && [ -e "$tmp/bin/mtblock-unlocked" ]; then
        server=mtblock-unlocked
        claim_unlocked
      fi
    done
  done
}

once() { case $1 in idle | memory | calls | lost) ;; *) return 1 ;; esac; }

# known_never tells whether all has been said about a server in an earlier round.
known_never() {
  case $claim in alone | silent | heavy | slow | hold) ;; *) return 1 ;; esac
  grep -q "^$claim,$server,[^,]*,never," "$csv"
}

count_measurements() {
  local claim
  # shellcheck disable=SC2086 # the servers become $1, $2 ...
  set -- $picked $reference
  total=0
  for claim in $wanted; do
    if once "$claim"; then total=$((total + $#)); else total=$((total + $# * rounds)); fi
  done
}

# tables prints the medians, servers in reading order.
tables() {
  awk -F, -v rows="$picked $reference" -v wanted="$wanted" -v many="$many" -v few="$few" -v busy="$busy" "$awk_functions"'
    function get(claim, metric) { return median(claim SUBSEP f SUBSEP metric) }
    # short leaves a number three digits or so.
    function short(x) { return numeric(x) ? sprintf(x < 9.995 ? "%.2f" : x < 99.95 ? "%.1f" : "%.0f", x) : x }
    function fixed(x, digits) { return numeric(x) ? sprintf("%." digits "f", x) : x }
    # star marks a figure that was measured with one client, as the server takes no more.
    function star(x, claim) { return x == "" ? x : x (busy > 1 && get(claim, "clients") == 1 ? "*" : " ") }
    function each(n) { return get("memory", "served " n) == 1 ? "-" : fixed(get("memory", "each " n), 1) }
    function ratio(a, b) { return numeric(a) && numeric(b) && a > 0 ? sprintf("%.2f", b / a) : a }
    function has(list,   i, n, c) {
      n = split(list, c, " ")
      for (i = 1; i <= n; i++) if (index(" " wanted " ", " " c[i] " ")) return 1
      return 0
    }
    function latencies(claim) { return sprintf("  %8s %8s", short(get(claim, "p50")), short(get(claim, "p99"))) }
    function calls(   i, s) {
      for (i = 1; i <= names; i++)
        if (get("calls", name[i]) != "" && name[i] !~ /^(clients|switches|total|others)$/)
          s = s (s == "" ? "" : ", ") name[i] (name[i] == "futex" ? " < " : " ") fixed(get("calls", name[i]), 2)
      if (get("calls", "others") != "") s = s ", others " fixed(get("calls", "others"), 2)
      return s
    }
    $1 == "claim" { next }
    { value[$1, $2, $3, ++count[$1, $2, $3]] = $4 }
    $1 == "calls" && !known[$3]++ { name[++names] = $3 }
    END {
      total = split(rows, row, " ")
      if (has("alone churn lost")) {
        print  "Ten clients    alone              beside a silent    beside a heavy     beside one that reads nothing  connections  increments"
        print  "                  p50 ms   p99 ms    p50 ms   p99 ms    p50 ms   p99 ms    p50 ms   p99 ms grows MB   per second        lost"
        for (r = 1; r <= total; r++) {
          f = row[r]
          printf "%-12s %s %s %s %s %8s %12s %11s\n", f, latencies("alone"), latencies("silent"), latencies("heavy"), latencies("slow"),
            fixed(get("slow", "growth"), 0), grouped(get("churn", "connections")), grouped(get("lost", "lost"))
        }
        f = "mtblock-unlocked"
        if (get("lost", "lost") != "")
          printf "without its lock, mtblock lost %s of %s increments; then: %s\n", grouped(get("lost", "lost")), grouped(get("lost", "replies")), get("lost", "end")
        print ""
      }
      if (has("idle memory hold cores calls")) {
        printf "%-12s %15s %18s %18s %19s %27s %8s %18s\n", "", "idle CPU %  ", grouped(few) " idle     ", grouped(many) " idle     ", busy " busy alone  ", busy " busy of " grouped(many) "    ", "full load", "a request    "
        printf "%-12s %7s %7s %10s %7s %10s %7s %11s %7s %11s %7s %7s %8s %10s %8s\n", "", "alone", grouped(few), "KiB each", "threads",
          "KiB each", "threads", "requests/s", "p99 ms", "requests/s", "p99 ms", "ratio", "cores ", "calls ", "switches"
        for (r = 1; r <= total; r++) {
          f = row[r]
          printf "%-12s %7s %7s %10s %7s %10s %7s %11s %7s %11s %7s %7s %8s %10s %8s\n", f, fixed(get("idle", "CPU alone"), 1), fixed(get("idle", "CPU"), 1),
            each(few), grouped(get("memory", "threads " few)), each(many), grouped(get("memory", "threads " many)),
            grouped(get("hold", "rps alone")), short(get("hold", "p99 alone")), grouped(get("hold", "rps")), short(get("hold", "p99")),
            ratio(get("hold", "rps alone"), get("hold", "rps")), star(fixed(get("cores", "cores"), 2), "cores"),
            star(short(get("calls", "total")), "calls"), star(fixed(get("calls", "switches"), 2), "calls")
        }
        print ""
      }
      if (has("calls")) {
        print "System calls in a request"
        for (r = 1; r <= total; r++) {
          f = row[r]
          if (calls() != "") printf "%-12s  %s\n", f, calls()
        }
        print ""
      }
      if (has("clients memory")) {
        n = split("1 2 5 10 20 50 100 500 1000", at, " ")
        m = split("10 100 1000 " many, idle, " ")
        head = sprintf("%-12s", "")
        for (i = 1; i <= n; i++) head = head sprintf(" %7s", at[i] <= many ? grouped(at[i]) : "")
        head = head "  "
        for (i = 1; i <= m; i++) if (idle[i] <= few || i == m) head = head sprintf(" %8s", grouped(idle[i]))
        printf "%-12s %-71s   %s\n", "", " requests/s with so many clients", " MB with so many idle clients"
        print head
        for (r = 1; r <= total; r++) {
          f = row[r]
          line = sprintf("%-12s", f)
          for (i = 1; i <= n; i++) line = line sprintf(" %7s", grouped(get("clients", at[i])))
          line = line "  "
          for (i = 1; i <= m; i++) if (idle[i] <= few || i == m) line = line sprintf(" %8s", fixed(get("memory", "RSS " idle[i]), 1))
          print line
        }
        print ""
      }
    }' "$csv" | sed 's/ *$//'
}

# legend says in a line what each claim is.
legend() {
  local median="the median of $rounds rounds"
  [ "$rounds" -gt 1 ] || median="from one measurement"
  echo "Latencies and rates are $median of $span s; never: a client got nothing for $patience s."
  wants alone && echo "alone       ten clients, each asks 100 times a second; a request that is late counts from when it was due"
  wants silent && echo "silent      meanwhile, another client has sent half a request, and no more"
  wants heavy && echo "heavy       meanwhile, another client gets a value of $heavy_mib MiB again and again, and reads at full speed"
  wants slow && echo "slow        meanwhile, another client has asked for $(grouped "$slow_mb") MB, 1 MB at a time, and reads nothing"
  wants churn && echo "churn       $busy clients, a new connection for each request, $(grouped $churn_requests) in all"
  wants lost && echo "lost        $busy clients increment one key 50,000 times; stblock: $(grouped $churn_requests), each on a connection of its own"
  wants idle && echo "idle        processor time that the server uses, without clients and with $(grouped "$few") idle ones"
  wants memory && echo "memory      what an idle client that has been served once adds to the server's resident memory"
  wants memory && who_holds_fewer
  wants hold && echo "hold        $busy clients without a pause, alone and with as many idle ones as make it $(grouped "$many")$cut"
  wants hold && [ "$(server=mtblock; holds; echo "$held")" != "$many" ] &&
    echo "            (mtblock: as many as make it $(server=mtblock; holds; grouped "$held"))"
  wants cores && echo "cores       processor seconds of the server in a second; $busy clients get $(grouped $cores_size) bytes each time"
  wants calls && echo "calls       system calls and context switches for a SET, with $busy clients; futex, which strace makes more of, is not added up$strace_note"
  if wants cores || wants calls; then echo "*           with 1 client, as it serves no more"; fi
  cat <<END
${skipped}clients     scripts/kv, in resp; they share the processors with the server
machine     $(processor), $(cores) cores, $(uname -sr), $(cd "$root" && go env GOVERSION), redis $redis_version
date        $(date '+%Y-%m-%d %H:%M:%S %z')
END
}

# who_holds_fewer names those that have not served all idle clients.
who_holds_fewer() {
  awk -F, -v n="$many" '$1 == "memory" && $3 == "served " n && $4 < n {
    printf "            %s has served %d of %d: the others wait in the backlog\n", $2, $4, n }' "$csv"
}

parse_arguments "$@"
pick_flavors
find_redis
set_limits
need_go
make_tmp
find_strace
begin_results
# shellcheck disable=SC2046,SC2086 # flavors are single words
build $(printf './%s ' $picked) ./scripts/kv
if wants lost; then
  case " $picked " in *" mtblock "*) make_unlocked ;; esac
fi
count_measurements
measure_all
end_progress
{ tables && legend; } >"$tmp/tradeoffs.txt"
cat "$tmp/tradeoffs.txt"
cp "$tmp/tradeoffs.txt" "$out/tradeoffs.txt" || exit 1
echo "results     $out, after $SECONDS s"
