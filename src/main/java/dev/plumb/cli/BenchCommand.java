package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.GpuProbes;
import dev.plumb.backend.ProductProbes;
import dev.plumb.bench.Bench;
import dev.plumb.bench.BenchJson;
import dev.plumb.bench.BenchListener;
import dev.plumb.bench.BenchResult;
import dev.plumb.bench.Ceiling;
import dev.plumb.bench.Entrant;
import dev.plumb.bench.GpuBench;
import dev.plumb.bench.GpuPlan;
import dev.plumb.bench.Machine;
import dev.plumb.bench.Others;
import dev.plumb.bench.Outcome;
import dev.plumb.bench.Plan;
import dev.plumb.bench.StudyWorkload;
import dev.plumb.bench.Workload;
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

/** {@code plumb bench}: how fast training is here, and how fast it could be at most. */
final class BenchCommand implements Command {
  private final DeviceChoice devices;
  private final List<Workload> workloads;
  private final Function<Boolean, List<Workload>> gpuWorkloads;

  BenchCommand(DeviceChoice devices) {
    this(devices, Workloads.standard(), Workloads::gpu);
  }

  /**
   * @param workloads to choose from on every device
   * @param gpuWorkloads to choose from on a GPU besides, reduced or not
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
    return "measures this machine's ceilings, and how close training comes to them";
  }

  @Override
  public String usage() {
    return "[WORKLOAD...] [options]";
  }

  @Override
  public String details() {
    StringBuilder known = new StringBuilder();
    Stream.concat(workloads.stream(), gpuWorkloads.apply(false).stream())
        .map(workload -> "  " + workload.family() + "  " + workload.what() + "\n").distinct().forEach(known::append);
    return """
        First the ceilings: multiply-adds, copies and matrix products by themselves. Then the workloads, or those
        named, by one thread and by all, and on a GPU if one can be used: what was achieved, what the ceiling
        allows, and the ratio of the two. Every figure is the median of several runs, followed by the smallest and
        the largest. A workload and its ceiling are measured in turns, so that a busy machine slows both.

        workloads:
        """ + known + """

        The G workloads are for a GPU only; without a name, a GPU takes them and the studies, and a CPU takes the
        others. On a GPU a figure is the median of seven measurements of at least 0.2 s, without rests between them.
        The reference, which is slow on purpose, takes only the studies. Without --device every device that can be
        used is measured, except the reference.
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.DEVICE, Flags.THREADS, Flags.QUICK, Flags.JSON);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Set<String> named = named(arguments);
    Plan plan = arguments.has(Flags.QUICK) ? Plan.quick() : Plan.full();
    GpuPlan gpuPlan = arguments.has(Flags.QUICK) ? GpuPlan.quick() : GpuPlan.full();
    Optional<Path> json = arguments.path(Flags.JSON);
    new CommandFiles(arguments).writes(Flags.JSON).check();
    List<Backends.Selection> opened = new ArrayList<>();
    try {
      Devices measured = open(arguments, named, opened, err);
      Results results = new Results(new BenchTable(out), measured, plan, gpuPlan, json, arguments.has(Flags.QUIET) ? null : err);
      results.table.print(results.machine, measured.library());
      if (!measured.entrants().isEmpty()) {
        results.table.print(plan);
        Bench bench = new Bench(measured.entrants(), onCpu(arguments, named), plan, results);
        bench.measureCeilings();
        bench.measureWorkloads();
      }
      measured.gpu().ifPresent(gpu -> {
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

  /** Prints every result at once, and renews the JSON file, so that a run that is stopped leaves what it has measured. */
  private static final class Results implements BenchListener {
    private final Machine machine = Machine.here();
    private final Others others = new Others();
    private final List<Ceiling> ceilings = new ArrayList<>();
    private final List<Outcome> outcomes = new ArrayList<>();
    private final List<String> notMeasured = new ArrayList<>();
    private final BenchTable table;
    private final Devices measured;
    private final Plan plan;
    private final GpuPlan gpuPlan;
    private final Optional<Path> json;
    private final PrintStream progress;

    /** @param progress null for none */
    Results(BenchTable table, Devices measured, Plan plan, GpuPlan gpuPlan, Optional<Path> json, PrintStream progress) {
      this.table = table;
      this.measured = measured;
      this.plan = plan;
      this.gpuPlan = gpuPlan;
      this.json = json;
      this.progress = progress;
    }

    @Override
    public void onMeasuring(String what) {
      if (progress != null) {
        progress.println("plumb bench: " + what);
      }
    }

    @Override
    public void onCeiling(Ceiling ceiling) {
      ceilings.add(ceiling);
      table.print(ceiling);
      renew();
    }

    @Override
    public void onOutcome(Outcome outcome) {
      outcomes.add(outcome);
      table.print(outcome);
      renew();
    }

    @Override
    public void onNotMeasured(String line) {
      notMeasured.add(line);
      table.printNotMeasured(line);
      renew();
    }

    /** A pipe gets only the complete result. */
    private void renew() {
      json.filter(AtomicFile::isReplaced).ifPresent(file -> write(file, result(false)));
    }

    void end() {
      BenchResult result = result(true);
      table.printEnd(result);
      json.ifPresent(file -> write(file, result));
    }

    private BenchResult result(boolean complete) {
      return new BenchResult(complete, machine, measured.library(), plan, measured.gpu().map(gpu -> gpuPlan), others.busy(), ceilings,
          outcomes, notMeasured);
    }

    private static void write(Path file, BenchResult result) {
      AtomicFile.write(file, sink -> BenchJson.write(result, Version.CURRENT, sink));
    }
  }

  /**
   * What is measured.
   *
   * @param entrants of the CPU, or the reference
   */
  private record Devices(List<Entrant> entrants, Optional<Backend> gpu) {
    Optional<String> library() {
      Optional<String> ofCpu = entrants.stream()
          .filter(entrant -> entrant.backend() instanceof ProductProbes)
          .map(entrant -> ((ProductProbes) entrant.backend()).library())
          .findFirst();
      Optional<String> ofGpu = gpu.map(backend -> ((GpuProbes) backend).library());
      List<String> all = Stream.of(ofCpu, ofGpu).flatMap(Optional::stream).toList();
      return all.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", all));
    }
  }

  /** The names of workloads on the command line; empty for the usual ones of each device. */
  private Set<String> named(Arguments arguments) {
    List<String> known = Stream.concat(workloads.stream(), gpuWorkloads.apply(false).stream())
        .map(Workload::family).distinct().toList();
    for (String name : arguments.operands()) {
      if (!known.contains(name)) {
        throw new InvalidInputException("unknown workload \"" + name + "\"" + Spelling.didYouMean(name, known)
            + "; one or more of " + String.join(", ", known));
      }
    }
    return new LinkedHashSet<>(arguments.operands());
  }

  private boolean isForGpuOnly(String name) {
    return workloads.stream().noneMatch(workload -> workload.family().equals(name));
  }

  /** The workloads of a CPU or the reference, which is too slow for all but studies. */
  private List<Workload> onCpu(Arguments arguments, Set<String> named) {
    boolean onReference = isReference(arguments);
    return workloads.stream()
        .filter(workload -> named.isEmpty() ? !onReference || workload instanceof StudyWorkload : named.contains(workload.family()))
        .toList();
  }

  /** The workloads of a GPU: its own and the studies, or any that are named. */
  private List<Workload> onGpu(Set<String> named, boolean standIn) {
    return Stream.concat(gpuWorkloads.apply(standIn).stream(),
            workloads.stream().filter(workload -> !named.isEmpty() || workload instanceof StudyWorkload))
        .filter(workload -> named.isEmpty() || named.contains(workload.family()))
        .toList();
  }

  private void requireOnCpu(Set<String> named, boolean onReference) {
    for (String name : named) {
      if (isForGpuOnly(name)) {
        throw new InvalidInputException(name + " is a workload for a GPU; use --device cuda, or name one or more of "
            + workloads.stream().map(Workload::family).collect(Collectors.joining(", ")));
      }
      if (onReference && workloads.stream().noneMatch(
          workload -> workload.family().equals(name) && workload instanceof StudyWorkload)) {
        throw new InvalidInputException("--device reference: too slow for " + name
            + "; leave the workload out, or choose another device");
      }
    }
  }

  private static boolean isReference(Arguments arguments) {
    return arguments.text(Flags.DEVICE).filter(DeviceInfo.Kind.REFERENCE.key()::equals).isPresent();
  }

  /** Opens what is to be measured: what --device names, else the CPU, and a GPU where one can be used. */
  private Devices open(Arguments arguments, Set<String> named, List<Backends.Selection> opened, PrintStream err) {
    Optional<String> device = arguments.text(Flags.DEVICE).filter(name -> !name.equals("auto"));
    boolean onCpu = device.isEmpty() || device.get().equals(DeviceInfo.Kind.CPU.key());
    if (device.isPresent() && (onCpu || isReference(arguments))) {
      requireOnCpu(named, isReference(arguments));
    }
    if (!onCpu) {
      Backends.Selection selection = devices.open(arguments, err);
      opened.add(selection);
      return selection.backend() instanceof GpuProbes
          ? new Devices(List.of(), Optional.of(selection.backend()))
          : new Devices(List.of(new Entrant(selection.backend(), DeviceChoice.isReference(selection) ? 1 : 0)), Optional.empty());
    }
    List<Entrant> entrants = new ArrayList<>();
    int most = (int) arguments.whole(
        Flags.THREADS, Runtime.getRuntime().availableProcessors(), 1, DeviceChoice.MAX_THREADS);
    if (named.isEmpty() || !named.stream().allMatch(this::isForGpuOnly)) {
      for (int threads : Stream.of(1, most).distinct().toList()) {
        Backends.Selection cpu = devices.open("cpu", OptionalInt.of(threads), arguments, err);
        opened.add(cpu);
        entrants.add(new Entrant(cpu.backend(), threads));
      }
    }
    return new Devices(entrants, device.isEmpty() ? openGpu(arguments, named, opened, err) : Optional.empty());
  }

  /** Opens a GPU where one can be used; a workload that only a GPU takes must have one. */
  private Optional<Backend> openGpu(Arguments arguments, Set<String> named, List<Backends.Selection> opened, PrintStream err) {
    Backends.Selection any = devices.open("auto", OptionalInt.empty(), arguments, err);
    opened.add(any);
    if (any.backend() instanceof GpuProbes) {
      return Optional.of(any.backend());
    }
    Optional<String> forGpu = named.stream().filter(this::isForGpuOnly).findFirst();
    if (forGpu.isPresent()) {
      throw new DeviceUnavailableException(forGpu.get() + " needs a GPU, and none can be used: " + any.reason());
    }
    if (!arguments.has(Flags.QUIET)) {
      err.println(TerminalText.sanitize("plumb bench: no GPU is measured: " + any.reason()));
    }
    return Optional.empty();
  }
}
