package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuProbes;
import dev.plumb.backend.ProductProbes;
import dev.plumb.bench.BenchJson;
import dev.plumb.bench.BenchResult;
import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.WorkloadResult;
import dev.plumb.bench.CpuBench;
import dev.plumb.bench.CpuBench.BenchTarget;
import dev.plumb.bench.GpuBench;
import dev.plumb.bench.Machine;
import dev.plumb.bench.Workload;
import dev.plumb.bench.Workload.StudyWorkload;
import dev.plumb.bench.Workloads;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Spelling;
import dev.plumb.store.AtomicFile;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.cli.Options;

/** {@code plumb bench}: measures the speed of training on this machine, and its upper bounds. */
final class BenchCommand implements Command {
  private final DeviceChoice devices;
  private final List<Workload> workloads;
  private final Function<Boolean, List<Workload>> gpuWorkloads;

  BenchCommand(DeviceChoice devices) {
    this(devices, Workloads.standard(), Workloads::gpu);
  }

  /**
   * @param workloads the workloads of every device
   * @param gpuWorkloads the additional workloads of a GPU, reduced or not
   */
  BenchCommand(DeviceChoice devices, List<Workload> workloads, Function<Boolean, List<Workload>> gpuWorkloads) {
    this.devices = devices;
    this.workloads = workloads;
    this.gpuWorkloads = gpuWorkloads;
  }

  @Override
  public String name() {
    return "bench";
  }

  @Override
  public String summary() {
    return "Measure the speed of training, and the limits of the hardware";
  }

  @Override
  public String usage() {
    return "[WORKLOAD...] [options]";
  }

  @Override
  public String details() {
    StringBuilder list = new StringBuilder();
    Stream.concat(workloads.stream(), gpuWorkloads.apply(false).stream())
        .map(workload -> "  " + workload.family() + "  " + workload.description() + "\n").distinct().forEach(list::append);
    return """
        Measures the limits of the hardware (ceilings) first: multiply-adds, memory copies, core-to-core
        latency and matrix products. Then it measures the workloads, all or those named, with 1 thread, with
        all threads, and on a GPU if there is one. Prints the speed achieved, the speed that the ceiling
        allows, and the ratio of the two. Each number is the median of several runs, followed by the minimum
        and the maximum. A workload and its ceiling are measured alternately, so that other load on the
        machine slows down both.

        workloads:
        """ + list + """

        The G workloads are for a GPU only. By default a GPU is measured with the G workloads and the
        studies, and a CPU with the W workloads. On a GPU each number is the median of 7 runs of at least
        0.2 s, without pauses. The reference device is slow by design and is measured only with studies.
        Without --device, all usable devices are measured, except the reference.
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.DEVICE, Flags.THREADS, Flags.QUICK, Flags.JSON);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Set<String> named = named(arguments);
    CpuBench.Plan plan = arguments.has(Flags.QUICK) ? CpuBench.Plan.quick() : CpuBench.Plan.full();
    GpuBench.Plan gpuPlan = arguments.has(Flags.QUICK) ? GpuBench.Plan.quick() : GpuBench.Plan.full();
    Optional<Path> json = arguments.path(Flags.JSON);
    new CommandFiles(arguments).writes(Flags.JSON).check();
    List<Backends.Selection> opened = new ArrayList<>();
    try {
      Targets targets = open(arguments, named, opened, err);
      Results results = new Results(new BenchTable(out), targets, plan, gpuPlan, json, arguments.has(Flags.QUIET) ? null : err);
      results.table.print(results.machine, targets.library());
      if (!targets.cpu().isEmpty()) {
        results.table.print(plan);
        CpuBench bench = new CpuBench(targets.cpu(), onCpu(arguments, named), plan, results);
        bench.measureCeilings();
        bench.measureWorkloads();
      }
      targets.gpu().ifPresent(gpu -> {
        boolean standIn = ((GpuProbes) gpu).isStandIn();
        results.table.print(gpu.device(), standIn, gpuPlan);
        GpuBench bench = new GpuBench(gpu, onGpu(named, standIn), gpuPlan, results);
        bench.measureCeilings();
        bench.measureWorkloads();
      });
      results.end();
      return ExitCode.DONE;
    } finally {
      opened.forEach(Backends.Selection::close);
    }
  }

  /** Prints each result immediately and rewrites the JSON file, so that an interrupted benchmark keeps its results. */
  private static final class Results implements BenchResult.Listener {
    private final Machine machine = Machine.here();
    private final Machine.BackgroundLoad backgroundLoad = new Machine.BackgroundLoad();
    private final List<Ceiling> ceilings = new ArrayList<>();
    private final List<WorkloadResult> workloads = new ArrayList<>();
    private final List<String> notMeasured = new ArrayList<>();
    private final BenchTable table;
    private final Targets targets;
    private final CpuBench.Plan plan;
    private final GpuBench.Plan gpuPlan;
    private final Optional<Path> json;
    private final PrintStream progress;

    /** @param progress receives progress messages; null for none */
    Results(BenchTable table, Targets targets, CpuBench.Plan plan, GpuBench.Plan gpuPlan, Optional<Path> json,
        PrintStream progress) {
      this.table = table;
      this.targets = targets;
      this.plan = plan;
      this.gpuPlan = gpuPlan;
      this.json = json;
      this.progress = progress;
    }

    @Override
    public void onMeasuring(String description) {
      if (progress != null) {
        progress.println("plumb bench: " + description);
      }
    }

    @Override
    public void onCeiling(Ceiling ceiling) {
      ceilings.add(ceiling);
      table.print(ceiling);
      rewrite();
    }

    @Override
    public void onWorkload(WorkloadResult result) {
      workloads.add(result);
      table.print(result);
      rewrite();
    }

    @Override
    public void onNotMeasured(String line) {
      notMeasured.add(line);
      table.printNotMeasured(line);
      rewrite();
    }

    /** Rewrites the JSON file; a pipe gets only the complete result. */
    private void rewrite() {
      json.filter(AtomicFile::isReplaced).ifPresent(file -> write(file, result(false)));
    }

    void end() {
      BenchResult result = result(true);
      table.printEnd(result);
      json.ifPresent(file -> write(file, result));
    }

    private BenchResult result(boolean complete) {
      return new BenchResult(complete, machine, targets.library(), plan, targets.gpu().map(gpu -> gpuPlan),
          backgroundLoad.busyProcessors(), ceilings, workloads, notMeasured);
    }

    private static void write(Path file, BenchResult result) {
      AtomicFile.write(file, sink -> BenchJson.write(result, Version.CURRENT, sink));
    }
  }

  /**
   * The backends to measure.
   *
   * @param cpu the CPU with different numbers of threads, or the reference; empty for a GPU only
   */
  private record Targets(List<BenchTarget> cpu, Optional<Backend> gpu) {
    Optional<String> library() {
      Optional<String> cpuLibrary = cpu.stream()
          .filter(target -> target.backend() instanceof ProductProbes)
          .map(target -> ((ProductProbes) target.backend()).library())
          .findFirst();
      Optional<String> gpuLibrary = gpu.map(backend -> ((GpuProbes) backend).library());
      List<String> libraries = Stream.of(cpuLibrary, gpuLibrary).flatMap(Optional::stream).toList();
      return libraries.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", libraries));
    }
  }

  /** Returns the workload names on the command line; empty for the default workloads of each device. */
  private Set<String> named(Arguments arguments) {
    List<String> known = Stream.concat(workloads.stream(), gpuWorkloads.apply(false).stream())
        .map(Workload::family).distinct().toList();
    for (String name : arguments.operands()) {
      if (!known.contains(name)) {
        throw new InvalidInputException("unknown workload \"" + name + "\"" + Spelling.didYouMean(name, known)
            + "; the workloads are " + String.join(", ", known));
      }
    }
    return new LinkedHashSet<>(arguments.operands());
  }

  private boolean isForGpuOnly(String name) {
    return workloads.stream().noneMatch(workload -> workload.family().equals(name));
  }

  /** Returns the workloads for the CPU, or for the reference, which by default runs only studies because it is slow. */
  private List<Workload> onCpu(Arguments arguments, Set<String> named) {
    boolean onReference = isReference(arguments);
    return workloads.stream()
        .filter(workload -> named.isEmpty() ? !onReference || workload instanceof StudyWorkload : named.contains(workload.family()))
        .toList();
  }

  /** Returns the workloads for a GPU: its own and the studies, or those named. */
  private List<Workload> onGpu(Set<String> named, boolean standIn) {
    return Stream.concat(gpuWorkloads.apply(standIn).stream(),
            workloads.stream().filter(workload -> !named.isEmpty() || workload instanceof StudyWorkload))
        .filter(workload -> named.isEmpty() || named.contains(workload.family()))
        .toList();
  }

  private void requireOnCpu(Set<String> named, boolean onReference) {
    for (String name : named) {
      if (isForGpuOnly(name)) {
        throw new InvalidInputException("workload " + name + " needs a GPU; use --device cuda, or choose from "
            + workloads.stream().map(Workload::family).collect(Collectors.joining(", ")));
      }
      if (onReference && workloads.stream().noneMatch(
          workload -> workload.family().equals(name) && workload instanceof StudyWorkload)) {
        throw new InvalidInputException("--device reference is too slow for workload " + name
            + "; omit the workload, or choose another device");
      }
    }
  }

  private static boolean isReference(Arguments arguments) {
    return arguments.text(Flags.DEVICE).filter(DeviceInfo.Kind.REFERENCE.key()::equals).isPresent();
  }

  /** Opens the device that --device names; by default the CPU, and a GPU if one can be used. */
  private Targets open(Arguments arguments, Set<String> named, List<Backends.Selection> opened, PrintStream err) {
    Optional<String> device = arguments.text(Flags.DEVICE).filter(name -> !name.equals("auto"));
    boolean onCpu = device.isEmpty() || device.get().equals(DeviceInfo.Kind.CPU.key());
    if (device.isPresent() && (onCpu || isReference(arguments))) {
      requireOnCpu(named, isReference(arguments));
    }
    if (!onCpu) {
      Backends.Selection selection = devices.open(arguments, err);
      opened.add(selection);
      return selection.backend() instanceof GpuProbes
          ? new Targets(List.of(), Optional.of(selection.backend()))
          : new Targets(
              List.of(new BenchTarget(selection.backend(), DeviceChoice.isReference(selection) ? 1 : 0)), Optional.empty());
    }
    List<BenchTarget> cpuTargets = new ArrayList<>();
    int maxThreads = (int) arguments.integer(
        Flags.THREADS, Runtime.getRuntime().availableProcessors(), 1, DeviceChoice.MAX_THREADS);
    if (named.isEmpty() || !named.stream().allMatch(this::isForGpuOnly)) {
      for (int threads : Stream.of(1, maxThreads).distinct().toList()) {
        Backends.Selection cpu = devices.open("cpu", OptionalInt.of(threads), arguments, err);
        opened.add(cpu);
        cpuTargets.add(new BenchTarget(cpu.backend(), threads));
      }
    }
    return new Targets(cpuTargets, device.isEmpty() ? openGpu(arguments, named, opened, err) : Optional.empty());
  }

  /**
   * Opens a GPU if one can be used.
   *
   * @throws DeviceUnavailableException if there is none and a workload needs one
   */
  private Optional<Backend> openGpu(Arguments arguments, Set<String> named, List<Backends.Selection> opened, PrintStream err) {
    Backends.Selection any = devices.open("auto", OptionalInt.empty(), arguments, err);
    opened.add(any);
    if (any.backend() instanceof GpuProbes) {
      return Optional.of(any.backend());
    }
    Optional<String> gpuOnly = named.stream().filter(this::isForGpuOnly).findFirst();
    if (gpuOnly.isPresent()) {
      throw new DeviceUnavailableException("workload " + gpuOnly.get() + " needs a GPU, but none can be used: " + any.reason());
    }
    if (!arguments.has(Flags.QUIET)) {
      err.println(TerminalText.sanitize("plumb bench: measuring no GPU: " + any.reason()));
    }
    return Optional.empty();
  }
}
