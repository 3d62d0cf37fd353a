#!/usr/bin/env bash
# Checks and measures Plumb on this machine's NVIDIA GPU; needs only the driver and cuBLAS. Made by scripts/make-gpu-kit.
#
# usage: run.sh [--seconds N] [--only PATTERN] [--host-device DIR] [RESULTS]
#
#   RESULTS            folder for summary.txt and results.tgz, the logs of all sections; both are renewed after every section
#                      (default: $OUT, otherwise ./plumb-gpu-results)
#   --seconds N        sections that are not done after N seconds are stopped and count as failed (default: 440; host device: 4400)
#   --only PATTERN     runs only the sections whose names match an extended regular expression, and the first three
#   --host-device DIR  computes on the CPU with the stand-in of Plumb's tests in DIR: a rehearsal that says nothing about a GPU
#
# Uses, where they are there: nvidia-smi, compute-sanitizer, ncu, and a python3 with PyTorch or JAX for comparison.
#
# Exit code: 0 when all that ran passed, 1 otherwise, 2 for a bad command line.
set -uo pipefail
unset CDPATH CLASSPATH JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS
export LC_ALL=C

say() { printf 'run.sh: %s\n' "$*" >&2; }

kit=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
seconds=
host_device=
only=
results=${OUT:-plumb-gpu-results}
while [ $# -gt 0 ]; do
  case $1 in
    --seconds | --only | --host-device)
      [ $# -ge 2 ] || { say "$1 needs a value"; exit 2; }
      case $1 in
        --seconds) seconds=$2 ;;
        --only) only=$2 ;;
        *) host_device=$2 ;;
      esac
      shift 2 ;;
    --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$kit/run.sh"; exit 0 ;;
    -*) say "unknown option $1; there are --seconds N, --only PATTERN, --host-device DIR and --help"; exit 2 ;;
    *)
      [ $# = 1 ] || { say "one RESULTS folder at the end, not $*"; exit 2; }
      results=$1
      shift ;;
  esac
done
# The stand-in is slow: every limit is ten times a GPU's.
slower=1
if [ -n "$host_device" ]; then slower=10; fi
seconds=${seconds:-$((440 * slower))}
case $seconds in '' | 0* | *[!0-9]*) say "--seconds $seconds: a whole number above 0"; exit 2 ;; esac
if [ -n "$host_device" ]; then
  for library in libcuda.so.1 libcublas.so.12; do
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

work=$(mktemp -d)
logs=$work/logs
mkdir "$logs" "$work/cuda-cache" "$work/peers-cache"
# The driver keeps what it compiles for the processes to come; a home folder may be read-only.
export CUDA_CACHE_PATH=$work/cuda-cache

label=
options=(-XX:-CreateCoredumpOnCrash "-XX:ErrorFile=$logs/jvm-crash-%p.log" -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED)
if [ -n "$host_device" ]; then
  label="HOST DEVICE, not a GPU | "
  options+=("-Dplumb.cuda.hostDevice=$host_device")
fi

# Prints lines of the summary, and adds them to the file.
line() { printf '%s%s\n' "$label" "$*" | sed 's/ *$//' | tee -a "$results/summary.txt"; }
# Renews results.tgz, whole or not at all.
pack() {
  local rc
  cp "$results/summary.txt" "$logs/"
  # 1: a log that a section still writes has changed meanwhile.
  tar -C "$work" --warning=no-file-changed --warning=no-file-removed -czf "$work/results.tgz" logs
  rc=$?
  [ "$rc" -le 1 ] && cp "$work/results.tgz" "$results/results.tgz.new" && mv -f "$results/results.tgz.new" "$results/results.tgz"
}

# A section is NAME LIMIT FUNCTION [ARGUMENT...]. The function sets $verdict and $note, adds to $failures and $figures, and writes
# to $log.
optional=
number=0
passed=0
failed=0
no_device=
all_failures=()

# perform ID LIMIT FUNCTION [ARGUMENT...]: runs a section, and leaves what came of it in $work/ID.
perform() {
  local id=$1 limit=$(($2 * slower)) began=$SECONDS
  shift 2
  log=$logs/$id.log
  : >"$log"
  deadline=$((SECONDS + limit < seconds ? SECONDS + limit : seconds))
  verdict=failed
  note=
  failures=()
  figures=()
  if [ -n "$no_device" ]; then
    verdict="not run"
    note="no usable device"
  elif [ "$SECONDS" -ge "$seconds" ]; then
    note="not started: the $seconds seconds are used up"
  else
    "$@"
    if [ -n "$optional" ] && [[ $note == *"stopped for time"* ]]; then verdict=stopped; fi
  fi
  if [ -n "$optional" ] && [[ $note == "not started"* ]]; then verdict="not run"; fi
  printf '%s\n' "$verdict" $((SECONDS - began)) "$note" "${failures[@]}" "${figures[@]/#/| }" >"$work/$id.part"
  mv "$work/$id.part" "$work/$id"
}
# report ID NAME: prints and counts what a section left.
report() {
  local did more
  mapfile -t did <"$work/$1"
  case ${did[0]} in
    passed) passed=$((passed + 1)) ;;
    failed) failed=$((failed + 1)) ;;
  esac
  line "$(printf '%-26s %-14s %4d s  %s' "$2" "${did[@]:0:3}")"
  for more in "${did[@]:3}"; do
    if [[ $more == '| '* ]]; then line "$more"; else all_failures+=("$more"); fi
  done
  pack
}
# id NAME: of the next section.
id() { printf '%02d-%s' "$number" "${1// /-}"; }

# wanted NAME: whether --only selects a section.
skipped=0
wanted() {
  if [ "$number" -lt 3 ] || [ -z "$only" ] || [[ $1 =~ $only ]]; then return 0; fi
  skipped=$((skipped + 1))
  return 1
}

# Runs a single section.
section() {
  local name=$1
  wanted "$name" || return 0
  number=$((number + 1))
  perform "$(id "$name")" "${@:2}"
  report "$(id "$name")" "$name"
}

# Sections side by side: start each, then finish. At most one per processor at a time.
started=()
start() {
  wanted "$1" || return 0
  number=$((number + 1))
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
    report_done
    sleep 0.2
  done
  started+=("$(id "$1")|$1")
  (
    trap '[ -z "$child" ] || kill "$child"; exit 1' INT TERM
    perform "$(id "$1")" "${@:2}"
  ) &
}
# Reports, in the order of their start, the sections that are done up to one that is not.
report_done() {
  while [ ${#started[@]} -gt 0 ] && [ -e "$work/${started[0]%%|*}" ]; do
    report "${started[0]%%|*}" "${started[0]#*|}"
    started=("${started[@]:1}")
  done
}
finish() {
  while [ ${#started[@]} -gt 0 ]; do
    # A section whose shell was killed leaves nothing.
    if [ -z "$(jobs -rp)" ] && [ ! -e "$work/${started[0]%%|*}" ]; then
      printf '%s\n' failed 0 "its shell ended early" >"$work/${started[0]%%|*}"
    fi
    report_done
    sleep 0.2
  done
}

# limited COMMAND...: runs it with its output in the log, until the section's deadline. A JVM first says where it hangs.
child=
trap '[ -z "$child" ] || kill "$child"; kill $(jobs -p) 2>/dev/null; say interrupted; pack; exit 1' INT TERM
trap 'rm -rf "$work"' EXIT
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

# COMMAND... without thread block clusters, which train few narrow networks otherwise.
without_clusters() {
  local options=("${options[@]}" -Dplumb.cuda.clusters=off)
  "$@"
}

# supported PRECISION FUNCTION...: FUNCTION, unless the GPU is older than compute capability 8.0, which bf16 needs.
supported() {
  local precision=$1
  shift
  if [[ $precision = bf16 && $capability =~ ^[1-7]\. ]]; then
    verdict="not available"
    note="bf16 needs a GPU of compute capability 8.0 or newer, not $capability"
  else
    "$@"
  fi
}

# Describes this machine.
capability=
machine() {
  local rc text
  { date -u; uname -a; nproc; cat "$kit/KIT"; } >>"$log"
  if command -v nvidia-smi >/dev/null; then
    limited nvidia-smi
    # Where it fails, its last line is a complaint.
    if limited nvidia-smi --id=0 --format=csv,noheader \
        --query-gpu=name,driver_version,compute_cap,memory.total,clocks.max.sm && [ -z "$host_device" ]; then
      line "GPU: $(last_line) (name, driver, compute capability, memory, highest clock)"
      capability=$(last_line | cut -d, -f3 | tr -d ' ')
    fi
  else
    echo "there is no nvidia-smi" >>"$log"
  fi
  plumb devices
  rc=$?
  # The stand-in may have come in through LD_LIBRARY_PATH; it is never shown as a GPU.
  if [ -z "$label" ] && grep -q 'host device (CPU, for tests)' "$log"; then label="HOST DEVICE, not a GPU | "; fi
  while IFS= read -r text; do line "  $text"; done \
    < <(grep -E '^(driver|kernel module|cuBLAS|device |cuda:|GPU:|remedy:)' "$log")
  if [ "$rc" = 0 ]; then
    verdict=passed
    note="a usable device"
  else
    no_device=$(sed -n 's/^GPU: //p' "$log" | tail -n 1)
    if out_of_time "$rc"; then no_device="plumb devices did not end"; fi
    note=${no_device:-"plumb devices ended with $rc: $(last_line)"}
    no_device=$note
  fi
}

# Runs test classes in a separate process: a section that breaks the device's context does not affect the next.
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
    # The launcher's exit code counts too: a container may fail although no test does.
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

# Networks, losses and optimizers against the reference by both planners, one process each.
checks() {
  local precision=$1 options_of_one rc good=0 all=0
  local until=$deadline most=$((30 * slower))
  while IFS= read -r options_of_one; do
    # The fused planner has no tensor cores.
    if [[ $precision == [tb]f* && $options_of_one == *"planner fused"* ]]; then continue; fi
    if [[ $precision == bf16 && $options_of_one == *--normalization* ]]; then continue; fi
    all=$((all + 1))
    # A check that hangs must leave time for the others.
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
--planner fused --layers 3,8,8,1 --activation tanh --loss mse --optimizer sgd
--planner fused --layers 3,8,8,8,8,8,8,8,8,1 --activation relu --loss mse --optimizer sgd --data notebook --samples 400
--planner fused --layers 13,33,7 --activation gelu --loss cross_entropy --optimizer adamw --samples 127
--planner fused --layers 5,31,3 --activation silu --loss binary_cross_entropy --optimizer rmsprop --samples 65
--planner fused --layers 2,9,1 --activation leaky_relu --loss mae --optimizer adam --samples 1
--planner fused --layers 1,63,1 --activation softplus --loss mse --optimizer adam --samples 255 --steps 100
--planner layered --layers 3,8,8,1 --activation tanh --loss mse --optimizer sgd --no-graph
--planner layered --layers 13,33,7 --activation gelu --loss cross_entropy --optimizer adamw --samples 127
--planner layered --layers 7,15,15,2 --activation elu --loss huber --optimizer adam --samples 1000
--planner layered --layers 13,33,33,7 --activation gelu --loss cross_entropy --optimizer adamw --samples 127 --normalization batch --residual
--planner layered --layers 7,15,15,2 --activation tanh --loss mse --optimizer adam --samples 1000 --normalization layer --residual
--planner layered --layers 7,15,15,2 --activation elu --loss huber --optimizer adam --samples 5000
--planner layered --layers 2,9,1 --activation leaky_relu --loss mae --optimizer adam --samples 1
--planner layered --layers 3,70,33,1 --activation sigmoid --loss mse --optimizer rmsprop --samples 130
CASES
  note="$good of $all checks agree"
  if [ "$good" = "$all" ]; then verdict=passed; fi
}

# The notebook's study: in fp64 its digits are compared with the notebook's, in fp32 it is checked against the reference while training.
study() {
  local precision=$1 rc
  local json=$logs/study-$precision.json
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
    [ "$precision" = fp64 ] || note+="; checked against the reference at every 50th step"
  fi
}

# Runs one plumb check as a section: CHECK_OPTIONS...
check() {
  local rc
  plumb check --device cuda "$@"
  rc=$?
  note=$(last_line)
  if out_of_time "$rc"; then
    note="stopped for time"
  elif [ "$rc" = 0 ]; then
    verdict=passed
    note="planner $(sed -n 's/^planner: //p' "$log"): $note"
  fi
}

# Finds a tool of the CUDA Toolkit: on PATH, in CUDA_HOME or in the folders of NVIDIA's installers.
find_tool() {
  local candidate
  for candidate in "$(command -v "$1" || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/$1" /usr/local/cuda*/bin/"$1" \
      /usr/local/cuda*/"$1"/"$1" /opt/cuda*/bin/"$1" /opt/nvidia/*/"$1"; do
    if [ -f "$candidate" ] && [ -x "$candidate" ]; then
      echo "$candidate"
      return
    fi
  done
}
sanitizer=$(find_tool compute-sanitizer)
ncu=$(find_tool ncu)
# unavailable TOOL PATH: returns whether a tool cannot be used here; sets the verdict.
unavailable() {
  verdict="not available"
  note=
  if [ -n "$host_device" ]; then
    note="$1 needs a GPU"
  elif [ -z "$2" ]; then
    note="there is no $1 on PATH, in CUDA_HOME or /usr/local/cuda*; it comes with the CUDA Toolkit"
  fi
  if [ -n "$note" ]; then return 0; fi
  verdict=failed
  return 1
}

# Runs compute-sanitizer's TOOL on a short training with a PLANNER: fused; narrow (the fused planner's kernel of narrow networks); layered;
# tf32 (the layered planner's tensor-core kernels); cublas (the layered planner with so many rows that cuBLAS computes its products);
# bf16 (the layered planner's kernels of mixed precision, next to cuBLAS); batch or layer (its kernels for a normalization, with residual
# connections and dropout). Passes if the tool reports nothing. The training uses Adam and gradient norms; with cublas, bf16, batch and
# layer also sums in segments.
sanitize() {
  local tool=$1 planner=$2 layers=3,33,5 activation=gelu samples=1000 precision=fp32 more=()
  if unavailable compute-sanitizer "$sanitizer"; then return; fi
  case $planner in
    narrow) planner=fused layers=3,8,7,4 activation=sigmoid ;;
    layered) layers=3,128,5 ;;
    tf32) planner=layered layers=3,128,36,5 precision=tf32 ;;
    cublas) planner=layered layers=3,128,5 samples=4100 ;;
    bf16) planner=layered layers=3,128,36,5 precision=bf16 ;;
    batch | layer) more=(--normalization "$planner" --residual --dropout 0.3) planner=layered layers=3,33,33,5 ;;
  esac
  sanitized "$tool" check --device cuda --precision "$precision" --planner "$planner" --layers "$layers" --activation "$activation" \
    --loss cross_entropy --optimizer adam --samples "$samples" --steps 2 "${more[@]}"
}
# The same for a training with weights of rows, by a PLANNER: fused, narrow or layered.
sanitize_weights() {
  local tool=$1 planner=$2 layers=33 folder=$work/weights-$1-$2 row
  if unavailable compute-sanitizer "$sanitizer"; then return; fi
  if [ "$planner" = narrow ]; then planner=fused layers=8,7; fi
  mkdir "$folder"
  {
    echo x,weight,y
    for row in {1..200}; do echo "0.$row,$((row % 7 + 1)),class$((row % 3))"; done
  } >"$folder/rows.csv"
  sanitized "$tool" train "$folder/rows.csv" --weight weight --device cuda --planner "$planner" --layers "$layers" --validation 0.2 \
    --epochs 2 --runs "$folder" --quiet
}
# sanitized TOOL COMMAND...: runs a plumb COMMAND; passes if the tool reports nothing.
sanitized() {
  local rc summary
  limited "$sanitizer" --tool "$1" --target-processes all --error-exitcode 99 \
    "$java" "${options[@]}" -jar "$kit/lib/plumb.jar" "${@:2}"
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

# Runs plumb bench on WORKLOADS..., with nothing else on the GPU.
bench() {
  local rc json
  local quick=()
  if [ -n "$host_device" ]; then quick=(--quick); fi
  json=$logs/bench-$(tr ' ' '-' <<<"$*").json
  plumb bench "$@" --device cuda --json "$json" --quiet "${quick[@]}"
  rc=$?
  take_figures
  if out_of_time "$rc"; then
    note="stopped for time"
  elif [ "$rc" = 0 ] && [ -s "$json" ]; then
    verdict=passed
  else
    note="exit code $rc: $(last_line)"
  fi
}
# Adds the tables that the command printed to the summary, without the thread dump of a stopped JVM.
take_figures() {
  mapfile -t figures < <(sed '/^Full thread dump/,$d' "$log" | grep -vE '^(\$ |\{|WARNING|note: |$|[0-9-]{10} [0-9:]{8}$)')
}

# Runs the peers' training of the same workloads, or their compilation in advance: OPTIONS... of peers/run.py.
peers() {
  local rc name
  if [ -n "$host_device" ]; then
    verdict="not available"
    note="the peers are measured on a GPU"
    return
  fi
  if ! command -v python3 >/dev/null || ! python3 -c 'import torch' 2>/dev/null && ! python3 -c 'import jax' 2>/dev/null; then
    verdict="not available"
    note="there is no python3 with PyTorch or JAX on PATH"
    return
  fi
  name=$(basename "$log" .log)
  limited env PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 python3 "$kit/peers/run.py" --device cuda --cache-dir "$work/peers-cache" \
    --seconds $((deadline - SECONDS > 25 ? deadline - SECONDS - 22 : 3)) --json "$logs/$name.jsonl" "$@"
  rc=$?
  [ "$1" = --warm-caches ] || take_figures
  if out_of_time "$rc"; then
    note="stopped for time"
  elif [ "$rc" = 0 ]; then
    verdict=passed
  else
    note="exit code $rc: $(last_line)"
  fi
}

# Times the notebook's study as a whole process, in seconds: one run that warms the file cache, then three.
whole_process() {
  local run rc began ended
  for run in 0 1 2 3; do
    began=$(date +%s%N)
    plumb study --device cuda --quiet
    rc=$?
    ended=$(date +%s%N)
    if [ "$rc" != 0 ]; then
      note="exit code $rc: $(last_line)"
      return
    fi
    [ "$run" = 0 ] || note+="$(printf '%d.%02d ' $(((ended - began) / 1000000000)) $(((ended - began) / 10000000 % 100)))"
  done
  note+="s, from start to exit"
  verdict=passed
}

# Runs Nsight Compute on at most COUNT kernels that match PATTERN in a command: PATTERN COUNT METRICS COMMAND.... METRICS is full, or
# durations, which leaves the caches as the preceding kernels left them.
profile() {
  local rc
  local metrics=(--set full)
  if unavailable ncu "$ncu"; then return; fi
  if [ "$3" = durations ]; then metrics=(--cache-control none --metrics gpu__time_duration.sum); fi
  limited "$ncu" --clock-control none --target-processes all -k "regex:$1" -c "$2" "${metrics[@]}" \
    "$java" "${options[@]}" -jar "$kit/lib/plumb.jar" "${@:4}"
  rc=$?
  if out_of_time "$rc"; then
    note="stopped for time"
  elif [ "$rc" = 0 ] && grep -qi 'duration' "$log"; then
    verdict=passed
    note="$(grep -ci 'duration' "$log") kernels"
  else
    note="exit code $rc: $(last_line)"
  fi
}

end() {
  local failure
  for failure in "${all_failures[@]}"; do line "failed: $failure"; done
  [ -z "$only" ] || line "$skipped sections do not match --only '$only'"
  line "$passed sections passed, $failed failed, $((number - passed - failed)) not available or not run, $SECONDS s"
  pack
  if [ -n "$no_device" ]; then say "$no_device"; fi
  if [ -n "$only" ] && [ "$number" -le 3 ] && [ "$failed" = 0 ]; then
    say "--only '$only' matches no section"
    exit 1
  fi
  [ "$failed" = 0 ] && [ "$passed" -gt 1 ]
  exit
}

line "plumb GPU kit $(sed -n 's/^commit: //p' "$kit/KIT"), $(date -u '+%Y-%m-%d %H:%M UTC')"

# First the sections that everything else depends on; if they fail, only their logs are of interest.
section "machine" 20 machine
section "check fused" 20 check --planner fused --precision fp64
section "check layered" 20 check --planner layered --precision fp64 --layers 3,33,5 --loss cross_entropy --optimizer adam
if [ "$failed" != 0 ] || [ -n "$no_device" ]; then
  for log in "$logs"/0[123]-*.log; do
    line "---- $(basename "$log")"
    while IFS= read -r text; do line "$text"; done <"$log"
  done
  end
fi

# Correctness. Nothing is timed, so these sections run concurrently. JAX is not among them: it selects kernels by timing them while it
# compiles.
start "peers caches" 80 peers --warm-caches --peers torch-compile torch-compile-sums
start "contract fp64 graph" 90 tests 'CudaContractTest$DoubleGraphForward'
start "contract fp32 graph" 90 tests 'CudaContractTest$SingleGraphForward'
start "contract fp64 cublas" 90 tests 'CudaContractTest$DoubleCublasForward'
start "contract fp32 cublas" 90 tests 'CudaContractTest$SingleCublasForward'
start "contract bf16 graph" 90 supported bf16 tests 'CudaContractTest$Bf16GraphForward'
start "product kernels" 90 tests layered.ProductKernelsTest layered.ProductLossTest OneBlockTest
start "bf16 kernels" 90 supported bf16 tests layered.Bf16KernelsTest 'CudaContractTest$Bf16OneBlock'
start "normalizations" 90 tests CudaNormalizationTest
start "narrow kernel" 90 tests fused.NarrowTest
start "clusters" 90 tests fused.ClusterTest 'FusedContractTest$SingleClusters'
start "fused fp64" 90 tests 'FusedContractTest$DoubleForward' 'FusedContractTest$PytorchInDouble'
start "fused fp32" 90 tests 'FusedContractTest$SingleChecked' 'FusedContractTest$PytorchInSingle'
start "fused notebook fp64" 90 tests 'FusedContractTest$Notebook'
start "fused session" 90 tests fused.FusedSessionTest
start "pytorch fp64 fp32" 90 tests CudaPytorchTest
start "notebook fp64" 90 tests CudaNotebookTest
start "session" 90 tests CudaSessionTest CudaResourcesTest
start "check fp64" 90 checks fp64
start "check fp32" 90 checks fp32
start "check tf32" 90 checks tf32
start "check bf16" 90 supported bf16 checks bf16
start "study fp64" 90 study fp64
start "study fp32" 90 study fp32
finish

for tool in memcheck racecheck; do
  start "sanitizer $tool fused" 60 sanitize "$tool" fused
  start "sanitizer $tool narrow" 60 without_clusters sanitize "$tool" narrow
  start "sanitizer $tool clusters" 60 sanitize "$tool" narrow
  start "sanitizer $tool layered" 60 sanitize "$tool" layered
  start "sanitizer $tool tf32" 60 sanitize "$tool" tf32
  start "sanitizer $tool cublas" 60 sanitize "$tool" cublas
  start "sanitizer $tool bf16" 60 supported bf16 sanitize "$tool" bf16
  start "sanitizer $tool batch" 60 sanitize "$tool" batch
  start "sanitizer $tool layer" 60 sanitize "$tool" layer
  for planner in fused narrow layered; do
    start "sanitizer $tool weights $planner" 60 sanitize_weights "$tool" "$planner"
  done
done
finish

# Speed: one section at a time, Plumb and its peers alternating.
section "bench G1 G2" 60 bench G1 G2
section "bench G1 one block" 30 without_clusters bench G1
section "peers G1 G2" 60 peers --workloads G1 G2
section "bench G3 G4 W1" 110 bench G3 G4 W1
section "peers G3 G4" 90 peers --workloads G3 G4
section "whole process" 20 whole_process
optional=yes
section "profile fused" 30 without_clusters profile 'fused_(train|narrow)' 1 full study --device cuda --precision fp32 --planner fused --quiet
section "profile clusters" 30 profile fused_cluster 2 full check --device cuda --precision fp32 --planner fused \
  --layers 3,8,8,8,8,8,8,8,8,1 --activation relu --loss mse --optimizer sgd --samples 400 --steps 200  # the second launch has 199 steps
for precision in fp32 tf32 bf16; do
  section "profile layered $precision" 30 supported "$precision" profile . 80 durations check --device cuda --precision "$precision" \
    --planner layered --no-graph --layers 784,512,512,10 --activation relu --loss cross_entropy --samples 128 --steps 2
done

# The rest, as far as time allows.
for tool in initcheck synccheck; do
  start "sanitizer $tool fused" 60 sanitize "$tool" fused
  start "sanitizer $tool narrow" 60 without_clusters sanitize "$tool" narrow
  start "sanitizer $tool clusters" 60 sanitize "$tool" narrow
  start "sanitizer $tool layered" 60 sanitize "$tool" layered
  start "sanitizer $tool tf32" 60 sanitize "$tool" tf32
  start "sanitizer $tool cublas" 60 sanitize "$tool" cublas
  start "sanitizer $tool bf16" 60 supported bf16 sanitize "$tool" bf16
  start "sanitizer $tool batch" 60 sanitize "$tool" batch
  start "sanitizer $tool layer" 60 sanitize "$tool" layer
  for planner in fused narrow layered; do
    start "sanitizer $tool weights $planner" 60 sanitize_weights "$tool" "$planner"
  done
done
start "contract fp64 eager" 90 tests 'CudaContractTest$DoubleEagerForward'
start "contract fp64 checked" 90 tests 'CudaContractTest$DoubleCheckedForward'
start "contract fp32 eager" 90 tests 'CudaContractTest$SingleEagerForward'
start "contract bf16 eager" 90 supported bf16 tests 'CudaContractTest$Bf16EagerForward'
start "contract bf16 checked" 90 supported bf16 tests 'CudaContractTest$Bf16CheckedForward'
finish
end
