#!/usr/bin/env bash
# Checks Plumb on this machine's NVIDIA GPU; needs the driver and cuBLAS alone. Made by scripts/make-gpu-kit.
#
# usage: run.sh [--seconds N] [--host-device DIR] [RESULTS]
#
#   RESULTS            folder for a log of each section and summary.txt (default: $OUT, else ./plumb-gpu-results)
#   --seconds N        what is not done after N seconds is stopped, and counts as failed (default: 560; host device: 5600)
#   --host-device DIR  computes on the CPU with the stand-in of Plumb's tests in DIR: tries the kit, says nothing of a GPU
#
# Exit code: 0 when all that ran passed, 1 otherwise, 2 for a bad command line.
set -uo pipefail
unset CDPATH CLASSPATH JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS
export LC_ALL=C

say() { printf 'run.sh: %s\n' "$*" >&2; }

kit=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
seconds=
host_device=
results=${OUT:-plumb-gpu-results}
while [ $# -gt 0 ]; do
  case $1 in
    --seconds | --host-device)
      [ $# -ge 2 ] || { say "$1 needs a value"; exit 2; }
      if [ "$1" = --seconds ]; then seconds=$2; else host_device=$2; fi
      shift 2 ;;
    --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$kit/run.sh"; exit 0 ;;
    -*) say "unknown option $1; there are --seconds N, --host-device DIR and --help"; exit 2 ;;
    *)
      [ $# = 1 ] || { say "one RESULTS folder at the end, not $*"; exit 2; }
      results=$1
      shift ;;
  esac
done
# The stand-in takes its time: every limit is ten times a GPU's.
slower=1
if [ -n "$host_device" ]; then slower=10; fi
seconds=${seconds:-$((560 * slower))}
case $seconds in '' | 0* | *[!0-9]*) say "--seconds $seconds: a whole number above 0"; exit 2 ;; esac
if [ -n "$host_device" ]; then
  for library in libcuda.so.1 libcublas.so.12 libkernels.so; do
    if [ ! -f "$host_device/$library" ]; then
      say "--host-device $host_device: there is no $library; name a target/host-device"
      exit 2
    fi
  done
  host_device=$(cd "$host_device" && pwd -P)
fi
if ! mkdir -p "$results" || ! results=$(cd "$results" && pwd -P) || ! : >"$results/summary.txt"; then
  say "the results cannot be written to $results"
  exit 2
fi
if [ "$(uname -s) $(uname -m)" != "Linux x86_64" ]; then
  say "this kit is for Linux on x86_64, not for $(uname -s) on $(uname -m)"
  exit 1
fi
java=$kit/runtime/bin/java
if ! why=$("$java" -version 2>&1); then
  say "the kit's Java does not start on this machine: $(tail -n 1 <<<"$why")"
  exit 1
fi

label=
options=(-XX:-CreateCoredumpOnCrash "-XX:ErrorFile=$results/jvm-crash-%p.log" --enable-native-access=ALL-UNNAMED)
if [ -n "$host_device" ]; then
  label="HOST DEVICE, not a GPU | "
  options+=("-Dplumb.cuda.hostDevice=$host_device")
fi

# Every line of the summary goes to stdout and into the file.
line() { printf '%s%s\n' "$label" "$*" | sed 's/ *$//' | tee -a "$results/summary.txt"; }

# A section: NAME LIMIT FUNCTION [ARGUMENT...]. The function sets $verdict and $note, and writes to $log.
number=0
passed=0
failed=0
no_device=
failures=()
section() {
  local name=$1 limit=$(($2 * slower)) began=$SECONDS
  shift 2
  number=$((number + 1))
  log=$results/$(printf '%02d' "$number")-${name// /-}.log
  : >"$log"
  deadline=$((SECONDS + limit < seconds ? SECONDS + limit : seconds))
  verdict=failed
  note=
  if [ -n "$no_device" ]; then
    verdict="not run"
    note="no device that can be used"
  elif [ "$SECONDS" -ge "$seconds" ]; then
    note="not started: the $seconds seconds are used up"
  else
    "$@"
  fi
  case $verdict in
    passed) passed=$((passed + 1)) ;;
    failed) failed=$((failed + 1)) ;;
  esac
  line "$(printf '%-24s %-14s %4d s  %s' "$name" "$verdict" $((SECONDS - began)) "$note")"
}

# limited COMMAND...: runs it with its output in the log, until the section's deadline. A JVM first says where it hangs.
child=
trap '[ -z "$child" ] || kill "$child"; say interrupted; exit 1' INT TERM
limited() {
  local left=$((deadline - SECONDS)) rc
  printf '\n$ %s\n' "$*" >>"$log"
  [ "$left" -gt 0 ] || return 124
  timeout --signal=QUIT --kill-after=3 "$left" "$@" >>"$log" 2>&1 </dev/null &
  child=$!
  { wait "$child"; } 2>/dev/null
  rc=$?
  child=
  return $rc
}
out_of_time() { [ "$1" = 124 ] || [ "$1" = 137 ]; }
plumb() { limited "$java" "${options[@]}" -jar "$kit/lib/plumb.jar" "$@"; }
# The last line that a command wrote about its failure.
last_line() { grep -v '^[[:space:]]*$' "$log" | tail -n 1; }

# What this machine is.
machine() {
  local rc text
  { date -u; uname -a; cat "$kit/KIT"; } >>"$log"
  if command -v nvidia-smi >/dev/null; then
    limited nvidia-smi
    # Where it fails, its last line is a complaint and no card.
    if limited nvidia-smi --id=0 --format=csv,noheader \
        --query-gpu=name,driver_version,compute_cap,memory.total,clocks.max.sm && [ -z "$host_device" ]; then
      line "card: $(last_line) (name, driver, compute capability, memory, highest clock)"
    fi
  else
    echo "there is no nvidia-smi" >>"$log"
  fi
  plumb devices
  rc=$?
  # The stand-in may have come in through LD_LIBRARY_PATH; it is never shown as a GPU.
  if [ -z "$label" ] && grep -q 'host device (CPU, for tests)' "$log"; then label="HOST DEVICE, not a GPU | "; fi
  # Where it looked stands in the log.
  while IFS= read -r text; do line "  $text"; done \
    < <(grep -E '^(driver|kernel module|cuBLAS|device |cuda:|GPU:|remedy:)' "$log")
  if [ "$rc" = 0 ]; then
    verdict=passed
    note="a device that can be used"
  else
    no_device=$(sed -n 's/^GPU: //p' "$log" | tail -n 1)
    if out_of_time "$rc"; then no_device="plumb devices did not end"; fi
    note=${no_device:-"plumb devices ended with $rc: $(last_line)"}
    no_device=$note
  fi
}

# Test classes, in a process of their own: what breaks the device's context in one section leaves the next alone.
tests() {
  local rc class ran bad
  local select=()
  for class; do select+=(--select-class "dev.plumb.backend.cuda.$class"); done
  limited "$java" "${options[@]}" -Dplumb.test.device=gpu -cp "$kit/lib/*" \
    org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors --details=testfeed \
    --include-classname='.*' --exclude-tag host-device "${select[@]}"
  rc=$?
  ran=$(grep -c ' :: SUCCESSFUL$' "$log")
  while IFS= read -r bad; do
    failures+=("$bad")
  done < <(sed -n 's/^JUnit Jupiter > \(.*\) :: \(FAILED\|ABORTED\|SKIPPED\)$/\1 (\2)/p' "$log")
  bad=$(grep -c ' :: \(FAILED\|ABORTED\|SKIPPED\)$' "$log")
  note="$ran tests passed, $bad failed"
  if out_of_time "$rc"; then
    note+=", stopped for time in: $(unfinished)"
  elif grep -q '^\[ *[0-9]* tests successful' "$log"; then
    # The launcher's own word, too: a container may fail where no test does.
    [ "$rc" = 0 ] && [ "$bad" = 0 ] && [ "$ran" -gt 0 ] && verdict=passed
    [ "$verdict" = passed ] || [ "$bad" != 0 ] || note+=", exit code $rc: see $(basename "$log")"
  else
    note+=", the JVM ended with $rc in: $(unfinished)"
  fi
}
unfinished() {
  local test
  test=$(grep ' :: STARTED$' "$log" | tail -n 1 | sed 's/^JUnit Jupiter > //; s/ :: STARTED$//')
  if [ -n "$test" ]; then failures+=("$test (did not end)"); fi
  echo "${test:-no test yet}"
}

# Networks, losses and optimizers against the reference, one process each.
checks() {
  local precision=$1 options_of_one rc good=0 all=0
  local until=$deadline most=$((30 * slower))
  while IFS= read -r options_of_one; do
    all=$((all + 1))
    # One that hangs leaves time for the others.
    deadline=$((SECONDS + most < until ? SECONDS + most : until))
    # shellcheck disable=SC2086  # each line holds several options
    plumb check --device cuda --precision "$precision" $options_of_one
    rc=$?
    if [ "$rc" = 0 ]; then
      good=$((good + 1))
    elif out_of_time "$rc"; then
      failures+=("plumb check --precision $precision $options_of_one (did not end)")
    else
      failures+=("plumb check --precision $precision $options_of_one: $(last_line)")
    fi
  done <<'CASES'
--layers 3,8,8,1 --activation tanh --loss mse --optimizer sgd
--layers 3,8,8,1 --activation tanh --loss mse --optimizer sgd --no-graph
--layers 3,8,8,8,8,8,8,8,8,1 --activation relu --loss mse --optimizer sgd --data notebook --samples 400
--layers 13,33,7 --activation gelu --loss cross_entropy --optimizer adamw --samples 127
--layers 5,31,3 --activation silu --loss binary_cross_entropy --optimizer rmsprop --samples 65
--layers 7,15,15,2 --activation elu --loss huber --optimizer adam --samples 1000
--layers 2,9,1 --activation leaky_relu --loss mae --optimizer adam --samples 1
--layers 3,128,128,1 --activation tanh --loss mse --optimizer sgd --samples 400
--layers 1,63,1 --activation softplus --loss mse --optimizer adam --samples 255 --steps 100
CASES
  note="$good of $all checks agree"
  if [ "$good" = "$all" ]; then verdict=passed; fi
}

# The notebook's study: in fp64 to the notebook's digits, in fp32 against the reference while it trains.
study() {
  local precision=$1 rc
  local json=$results/study-$precision.json
  local also=()
  if [ "$precision" != fp64 ]; then also=(--check-every 50); fi
  rm -f "$json"
  plumb study --device cuda --precision "$precision" --json "$json" --quiet "${also[@]}"
  rc=$?
  if out_of_time "$rc"; then
    note="stopped for time"
    return
  fi
  if [ "$rc" != 0 ]; then note="exit code $rc: $(last_line)"; fi
  [ -s "$json" ] || return
  limited "$java" "${options[@]}" -cp "$kit/lib/*" dev.plumb.golden.NotebookDigits "$json"
  local digits=$?
  note+=${note:+; }$(last_line)
  if [ "$rc" = 0 ] && [ "$digits" = 0 ]; then
    verdict=passed
    [ "$precision" = fp64 ] || note+="; judged by the reference at every 50th step alone"
  fi
}

# compute-sanitizer's TOOL on a small training; rows enough for sums in segments. Passed when the tool itself counts nothing.
sanitizer=
for candidate in "$(command -v compute-sanitizer || true)" "${CUDA_HOME:-/usr/local/cuda}"/bin/compute-sanitizer \
    /usr/local/cuda*/bin/compute-sanitizer /usr/local/cuda*/compute-sanitizer/compute-sanitizer \
    /opt/cuda*/bin/compute-sanitizer /opt/nvidia/*/compute-sanitizer; do
  if [ -z "$sanitizer" ] && [ -f "$candidate" ] && [ -x "$candidate" ]; then sanitizer=$candidate; fi
done
sanitize() {
  local tool=$1 rc summary
  if [ -n "$host_device" ]; then
    verdict="not available"
    note="compute-sanitizer looks at a GPU alone"
    return
  fi
  if [ -z "$sanitizer" ]; then
    verdict="not available"
    note="there is no compute-sanitizer on PATH, in CUDA_HOME or /usr/local/cuda*; it comes with the CUDA Toolkit"
    return
  fi
  limited "$sanitizer" --tool "$tool" --target-processes all --error-exitcode 99 \
    "$java" "${options[@]}" -jar "$kit/lib/plumb.jar" check --device cuda --precision fp32 \
    --layers 3,33,5 --activation gelu --loss cross_entropy --optimizer adam --samples 1100 --steps 2
  rc=$?
  summary=$(grep -o '\(ERROR\|RACECHECK\) SUMMARY: .*' "$log" | tail -n 1)
  note=${summary:-no summary of the tool}
  if out_of_time "$rc"; then
    note="stopped for time"
  elif [ "$rc" = 0 ] && [[ $summary =~ SUMMARY:\ 0\ (errors|hazards) ]]; then
    verdict=passed
  else
    note+=", exit code $rc"
  fi
}

line "plumb GPU kit $(sed -n 's/^commit: //p' "$kit/KIT"), $(date -u '+%Y-%m-%d %H:%M UTC')"
section "machine" 60 machine
section "contract fp64 graph" 90 tests 'CudaContractTest$DoubleGraphForward'
section "contract fp64 eager" 90 tests 'CudaContractTest$DoubleEagerForward'
section "contract fp64 checked" 90 tests 'CudaContractTest$DoubleCheckedForward'
section "contract fp32 graph" 90 tests 'CudaContractTest$SingleGraphForward'
section "contract fp32 eager" 90 tests 'CudaContractTest$SingleEagerForward'
section "pytorch fp64 fp32" 60 tests CudaPytorchTest
section "notebook fp64" 90 tests CudaNotebookTest
section "session" 90 tests CudaSessionTest
section "fused fp64" 60 tests 'FusedContractTest$DoubleForward' 'FusedContractTest$PytorchInDouble'
section "fused fp32" 60 tests 'FusedContractTest$SingleChecked' 'FusedContractTest$PytorchInSingle'
section "fused notebook fp64" 60 tests 'FusedContractTest$Notebook'
section "fused session" 60 tests FusedSessionTest
section "check fp64" 90 checks fp64
section "check fp32" 60 checks fp32
section "study fp64" 60 study fp64
section "study fp32" 60 study fp32
for tool in memcheck racecheck initcheck synccheck; do
  section "sanitizer $tool" 60 sanitize "$tool"
done

for failure in "${failures[@]}"; do
  line "failed: $failure"
done
line "$passed sections passed, $failed failed, $((number - passed - failed)) not available or not run, $SECONDS s"
line "logs: $results"
if [ -n "$no_device" ]; then say "$no_device"; fi
[ "$failed" = 0 ] && [ "$passed" -gt 1 ]
