package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.BareProducts;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.bench.Bench;
import dev.plumb.bench.BenchJson;
import dev.plumb.bench.BenchResult;
import dev.plumb.bench.Ceiling;
import dev.plumb.bench.Entrant;
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
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.apache.commons.cli.Options;

/** {@code plumb bench}: how fast training is here, and how fast it could be at most. */
final class BenchCommand implements Command {
  private final DeviceChoice devices;
  private final List<Workload> workloads;

  BenchCommand(DeviceChoice devices) {
    this(devices, Workloads.standard());
  }

  /** @param workloads to choose from */
  BenchCommand(DeviceChoice devices, List<Workload> workloads) {
    this.devices = devices;
    this.workloads = workloads;
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
    workloads.forEach(workload -> known.append("  ").append(workload.name()).append("  ").append(workload.what()).append('\n'));
    return """
        First the ceilings: multiply-adds, copies and matrix products by themselves. Then the workloads, or those
        named, by one thread and by all, and on a card if one can be used: what was achieved, what the ceiling
        allows, and the ratio of the two. Every figure is the median of several runs; the smallest and the largest
        stand behind it. A workload and its ceiling are measured in turns, so that a busy machine slows both.

        workloads:
        """ + known + """

        Without --device every device that can be used is measured, but for the reference, which is slow on
        purpose; it takes the studies alone.
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.DEVICE, Flags.THREADS, Flags.QUICK, Flags.JSON);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    List<Workload> chosen = chosen(arguments);
    Plan plan = arguments.has(Flags.QUICK) ? Plan.quick() : Plan.full();
    Optional<Path> json = arguments.path(Flags.JSON);
    json.ifPresent(AtomicFile::requireWritable);
    List<Backends.Selection> opened = new ArrayList<>();
    try {
      List<Entrant> entrants = open(arguments, opened, err);
      Optional<String> library = entrants.stream()
          .filter(entrant -> entrant.backend() instanceof BareProducts)
          .map(entrant -> ((BareProducts) entrant.backend()).library())
          .findFirst();
      Machine machine = Machine.here();
      Others others = new Others();
      BenchTable table = new BenchTable(out);
      table.print(machine, library, plan);
      Bench bench = new Bench(entrants, chosen, plan, doing -> {
        if (!arguments.has(Flags.QUIET)) {
          err.println("plumb bench: " + doing);
        }
      });
      List<Ceiling> ceilings = bench.ceilings();
      table.printCeilings(ceilings);
      List<Outcome> outcomes = bench.outcomes();
      BenchResult result = new BenchResult(machine, library, plan, others.busy(), ceilings, outcomes);
      table.printOutcomes(result);
      json.ifPresent(file -> AtomicFile.write(file, sink -> BenchJson.write(result, Version.CURRENT, sink)));
      return ExitCode.DONE;
    } finally {
      opened.forEach(Backends.Selection::close);
    }
  }

  /** The workloads named, in their own order; all but those that the device is too slow for where none is. */
  private List<Workload> chosen(Arguments arguments) {
    List<String> known = workloads.stream().map(Workload::name).toList();
    List<String> named = arguments.operands();
    boolean onReference = isReference(arguments);
    for (String name : named) {
      if (!known.contains(name)) {
        throw new InvalidInputException("unknown workload \"" + name + "\"" + Spelling.didYouMean(name, known)
            + "; one or more of " + String.join(", ", known));
      }
    }
    List<Workload> chosen = workloads.stream()
        .filter(workload -> named.isEmpty() ? !onReference || workload instanceof StudyWorkload : named.contains(workload.name()))
        .toList();
    for (Workload workload : chosen) {
      if (onReference && !(workload instanceof StudyWorkload)) {
        throw new InvalidInputException("--device reference: too slow for " + workload.name()
            + "; leave the workload out, or choose another device");
      }
    }
    return chosen;
  }

  private static boolean isReference(Arguments arguments) {
    return arguments.text(Flags.DEVICE).filter(DeviceInfo.Kind.REFERENCE.key()::equals).isPresent();
  }

  /** The backends to be measured: what --device names, else the CPU, and a card where one can be used. */
  private List<Entrant> open(Arguments arguments, List<Backends.Selection> opened, PrintStream err) {
    Optional<String> device = arguments.text(Flags.DEVICE).filter(name -> !name.equals("auto"));
    List<Entrant> entrants = new ArrayList<>();
    if (device.isPresent() && !device.get().equals(DeviceInfo.Kind.CPU.key())) {
      Backends.Selection selection = devices.open(arguments, err);
      opened.add(selection);
      return List.of(new Entrant(selection.backend(), DeviceChoice.isReference(selection) ? 1 : 0));
    }
    int most = (int) arguments.whole(
        Flags.THREADS, Runtime.getRuntime().availableProcessors(), 1, DeviceChoice.MOST_THREADS);
    for (int threads : Stream.of(1, most).distinct().toList()) {
      Backends.Selection cpu = devices.open("cpu", OptionalInt.of(threads), arguments, err);
      opened.add(cpu);
      entrants.add(new Entrant(cpu.backend(), threads));
    }
    if (device.isEmpty()) {
      Backends.Selection any = devices.open("auto", OptionalInt.empty(), arguments, err);
      opened.add(any);
      if (any.backend().device().kind() == DeviceInfo.Kind.CUDA) {
        entrants.add(new Entrant(any.backend(), 0));
      } else if (!arguments.has(Flags.QUIET)) {
        err.println(Printable.text("plumb bench: no card is measured: " + any.reason()));
      }
    }
    return entrants;
  }
}
