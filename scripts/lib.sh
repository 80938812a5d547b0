# shellcheck shell=bash
# Functions of the scripts that run flavors: build, start, stop, look at a process.
# A script sets root, the folder of the module, before it sources this file. At
# most one server runs at a time. Works with bash 3.2.

: "${root:?}"
export LC_ALL=C
unset CDPATH

me=${0##*/}
# shellcheck disable=SC2034 # for the scripts
flavors="stblock mtblock goroutinesrv busywait epollsrv kqueuesrv"
system=$(uname -s)

tmp=         # a folder that goes away with the script
server_pid=

say() { printf '%s: %s\n' "$me" "$*" >&2; }

die() {
  end_progress
  say "$@"
  exit 1
}

usage_error() {
  say "$@"
  say "try $me -h"
  exit 2
}

# make_tmp makes the folder and sees to it that it goes, and all processes, however
# the script ends.
make_tmp() {
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/ioflavors.XXXXXX") || die "cannot make a temporary folder"
  trap leave EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
}

leave() {
  trap '' HUP INT PIPE TERM
  end_progress
  stop_all
  # A compiler that was just killed may still be adding a file.
  rm -rf "$tmp" 2>/dev/null || { sleep 1 && rm -rf "$tmp"; }
}

# stop_all ends all children; after two to three seconds, by force. jobs knows also
# one whose pid is in no variable yet. The shell's own messages about them are hidden.
stop_all() {
  local children pid deadline=$((SECONDS + 3))
  children=$(jobs -p)
  for pid in $children; do
    kill -TERM -- "-$pid" || kill -TERM "$pid" # go build leads a process group
  done
  for pid in $children; do
    end_by $deadline "$pid"
  done
} 2>/dev/null

# end_by waits for the end of a process until SECONDS is $1, then kills it.
end_by() {
  while kill -0 "$2" && [ $SECONDS -lt "$1" ]; do sleep 0.01; done
  kill -KILL "$2"
  wait "$2"
}

# progress STAGE STEP shows what goes on: on a terminal the step, in one line that is
# rewritten; elsewhere each stage in a line of its own.
progress_line=
progress() {
  if [ -t 2 ]; then
    printf '\r\033[K%s' "${2:0:79}" >&2
    progress_line=shown
  elif [ "$1" != "$progress_line" ]; then
    progress_line=$1
    say "$1"
  fi
}

end_progress() {
  if [ -t 2 ] && [ -n "$progress_line" ]; then
    printf '\r\033[K' >&2
  fi
  progress_line=
}

# number FLAG VALUE MOST checks that a value is a whole number from 1 to MOST.
number() {
  case $2 in
    '' | *[!0-9]* | 0*) ;;
    *) [ ${#2} -le 10 ] && [ "$2" -le "$3" ] && return ;;
  esac
  usage_error "invalid value \"$2\" for $1: want a whole number from 1 to $3"
}

# Functions for awk. median is that of value[key, 1] to value[key, count[key]], or the
# first of them that is no number.
# shellcheck disable=SC2034 # for the scripts
awk_functions='
  function numeric(x) { return x ~ /^-?[0-9.]+$/ }
  function median(key,   i, j, n, v, x) {
    n = count[key]
    for (i = 1; i <= n; i++) {
      x = value[key, i]
      if (!numeric(x)) return x
      x += 0
      for (j = i - 1; j > 0 && v[j] > x; j--) v[j + 1] = v[j]
      v[j + 1] = x
    }
    if (n == 0) return ""
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
  }
  function grouped(x,   s, groups) {
    if (!numeric(x)) return x
    s = sprintf("%.0f", x)
    for (groups = ""; length(s) > 3; s = substr(s, 1, length(s) - 3))
      groups = "," substr(s, length(s) - 2) groups
    return s groups
  }'

# grouped prints a whole number with commas between the thousands.
grouped() {
  local number=$1 groups=
  while [ ${#number} -gt 3 ]; do
    groups=,${number: -3}$groups
    number=${number%???}
  done
  echo "$number$groups"
}

# choose adds a flavor to those that the user wants.
chosen=
choose() {
  case " $flavors " in
    *" $1 "*) chosen="$chosen $1" ;;
    *) usage_error "unknown flavor \"$1\": want some of $flavors" ;;
  esac
}

# pick_flavors sets picked, the flavors to measure in reading order, and skipped, a
# line for each of the others.
pick_flavors() {
  local flavor reason
  picked=
  skipped=
  for flavor in $flavors; do
    case " ${chosen:-$flavors} " in *" $flavor "*) ;; *) continue ;; esac
    reason=$(why_not "$flavor")
    if [ -z "$reason" ]; then
      picked="$picked $flavor"
      continue
    fi
    say "skipping $flavor: $reason"
    skipped="${skipped}skipped     $flavor: $reason
"
  done
  [ -n "$picked" ] || die "no flavor is left to measure"
}

# find_redis sets reference to redis-server, if it is installed, and redis_version.
# shellcheck disable=SC2034 # for the scripts
find_redis() {
  reference=
  redis_version="not installed"
  command -v redis-server >/dev/null || return 0
  reference=redis-server
  redis_version=$(redis-server --version 2>/dev/null | sed 's/.* v=\([^ ]*\).*/\1/')
}

processor() {
  local name
  if [ "$system" = Linux ]; then
    name=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
  else
    name=$(sysctl -n machdep.cpu.brand_string 2>/dev/null || sysctl -n hw.model 2>/dev/null)
  fi
  echo "${name:-unknown processor} ($(uname -m))"
}

cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu; }

# describe_machine says how, when and where a script measures.
describe_machine() {
  cat <<END
command     ${command_line-$me}
date        $(date '+%Y-%m-%d %H:%M:%S %z')
system      $(uname -sr)
processor   $(processor)
cores       $(cores)
go          $(cd "$root" && go env GOVERSION)
redis       ${redis_version:-unknown}
END
}

# why_not prints why this system cannot run a flavor; it prints nothing if it can.
why_not() {
  case $1:$system in
    epollsrv:Linux) ;;
    epollsrv:*) echo "epoll is on Linux only" ;;
    kqueuesrv:Darwin | kqueuesrv:*BSD | kqueuesrv:DragonFly) ;;
    kqueuesrv:*) echo "kqueue is on macOS and the BSDs only" ;;
  esac
}

need_go() {
  command -v go >/dev/null || die "go is not in PATH: the servers are built with it; see https://go.dev/dl"
}

# build compiles commands, given as folders of the module, into $tmp/bin.
build() {
  progress building building
  mkdir -p "$tmp/bin" "$tmp/go" || exit 1
  set -m # the build gets a process group, so that all of it can be ended
  (cd "$root" && GOTMPDIR="$tmp/go" exec go build -buildvcs=false -o "$tmp/bin/" "$@") \
    </dev/null >"$tmp/build.log" 2>&1 &
  set +m
  wait $! && return
  end_progress
  say "go build failed:"
  quote "$tmp/build.log"
  exit 1
}

# quote prints a file on standard error, indented; of a long one, both ends.
quote() {
  awk '
    { line[NR] = $0 }
    END {
      for (i = 1; i <= NR; i++) {
        if (NR > 24 && i == 13) print "    ..."
        if (NR <= 24 || i <= 12 || i > NR - 12) print "    " line[i]
      }
      if (NR == 0) print "    (nothing)"
    }' "$1" >&2
}

# launch becomes the process of a server. A script may define it anew.
launch() { exec "$@"; }

# start_flavor NAME PROTO starts a flavor on a free port and waits until it is ready.
start_flavor() {
  server_name=$1
  : >"$tmp/server.log"
  launch "$tmp/bin/$1" -addr 127.0.0.1:0 -proto "$2" >"$tmp/server.log" 2>&1 &
  server_pid=$!
  await "$1: $2 on " || server_failed "was not ready"
  server_port=${ready_line##*:}
}

# start_redis starts redis-server, which keeps nothing on disk and takes as many clients
# as it can, up to 20,000, on a port that is free.
start_redis() {
  server_name=redis-server
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    server_port=$((20000 + RANDOM % 12000)) # below the ports that systems give to clients
    : >"$tmp/server.log"
    (cd "$tmp" && launch redis-server --port "$server_port" --bind 127.0.0.1 \
      --save '' --appendonly no --daemonize no --maxclients 20000) >"$tmp/server.log" 2>&1 &
    server_pid=$!
    await "Ready to accept connections" && return
    grep -q "Address already in use" "$tmp/server.log" || break
  done
  server_failed "was not ready"
}

# await waits until the server prints a line with a text, up to 10 seconds.
await() {
  local deadline=$((SECONDS + 10)) line
  while [ $SECONDS -le $deadline ]; do
    while read -r line; do
      case $line in *"$1"*)
        ready_line=$line
        return 0
        ;;
      esac
    done <"$tmp/server.log"
    server_runs || return 1
    sleep 0.01
  done
  return 1
}

server_runs() { kill -0 "$server_pid" 2>/dev/null; }

# server_failed says what became of the server, and its last words.
server_failed() {
  end_progress
  if server_runs; then
    say "$server_name $1 after 10 seconds. Its last words:"
  else
    wait "$server_pid" 2>/dev/null
    say "$server_name $1: it ended with $(status_text $?). Its last words:"
    server_pid=
  fi
  quote "$tmp/server.log"
  exit 1
}

status_text() {
  if [ "$1" -gt 128 ]; then
    echo "signal $(($1 - 128))"
  else
    echo "exit status $1"
  fi
}

# stop_server ends the server; after two to three seconds, by force.
stop_server() {
  kill -TERM "$server_pid"
  end_by $((SECONDS + 3)) "$server_pid"
  server_pid=
} 2>/dev/null

# read_cpu sets cpu_us to the processor time that a process has used, user and
# system, in microseconds. Systems count it in steps of 10,000.
ticks=$(getconf CLK_TCK 2>/dev/null || echo 100)
read_cpu() {
  local stat
  cpu_us=0
  if [ "$system" = Linux ]; then
    read -r stat <"/proc/$1/stat" || return 1
    stat=${stat##*) } # what follows the name, from the state on: see proc(5)
    # shellcheck disable=SC2086 # the fields become $1, $2 ...
    set -- $stat
    cpu_us=$(((${12} + ${13}) * (1000000 / ticks)))
    return 0
  fi
  # days-hours:minutes:seconds.hundredths, of which the first may be missing
  cpu_us=$(ps -o time= -p "$1" | awk '
    NF { n = split($1, t, /[-:]/); s = t[n]; f = 60
         for (i = n - 1; i > 0; i--) { s += t[i] * f; f *= i == n - 2 ? 24 : 60 }
         printf "%.0f\n", s * 1000000 }')
  [ -n "$cpu_us" ]
} 2>/dev/null

# read_size sets rss_kb, the resident memory of a process in KiB (on Linux its peak
# so far), now_kb, what is resident now, and threads.
# shellcheck disable=SC2034 # now_kb is for the scripts
read_size() {
  local key value
  rss_kb=0
  now_kb=0
  threads=0
  if [ "$system" = Linux ]; then
    while read -r key value _; do
      case $key in
        VmHWM:) rss_kb=${value% kB} ;;
        VmRSS:) now_kb=${value% kB} ;;
        Threads:) threads=$value ;;
      esac
    done <"/proc/$1/status"
  else
    rss_kb=$(ps -o rss= -p "$1" | tr -d ' ')
    now_kb=$rss_kb
    case $system in
      Darwin) threads=$(ps -M -p "$1" | awk 'END { print NR - 1 }') ;;
      FreeBSD | NetBSD) threads=$(ps -o nlwp= -p "$1" | tr -d ' ') ;;
      *) threads=$(ps -H -p "$1" | awk 'END { print NR - 1 }') ;;
    esac
    [ "${threads:-0}" -gt 0 ] || threads=0
  fi
  [ "${rss_kb:-0}" -gt 0 ]
} 2>/dev/null

# start_watching notes the peaks of the server's memory and threads, ten times a second.
start_watching() {
  : >"$tmp/peaks"
  watch "$server_pid" &
  watcher_pid=$!
}

watch() {
  local most_rss=0 most_threads=0
  while read_size "$1"; do
    if [ "$rss_kb" -gt "$most_rss" ] || [ "$threads" -gt "$most_threads" ]; then
      [ "$rss_kb" -gt "$most_rss" ] && most_rss=$rss_kb
      [ "$threads" -gt "$most_threads" ] && most_threads=$threads
      echo "$most_rss $most_threads" >>"$tmp/peaks"
    fi
    sleep 0.1
  done
}

# stop_watching sets peak_rss_kb and peak_threads.
stop_watching() {
  local rss most
  kill -TERM "$watcher_pid"
  wait "$watcher_pid"
  peak_rss_kb=0
  peak_threads=0
  read_size "$server_pid" && echo "$rss_kb $threads" >>"$tmp/peaks"
  while read -r rss most; do
    [ "$rss" -gt "$peak_rss_kb" ] && peak_rss_kb=$rss
    [ "$most" -gt "$peak_threads" ] && peak_threads=$most
  done <"$tmp/peaks"
} 2>/dev/null
