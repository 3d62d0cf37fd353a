package dev.plumb.cli;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.bench.BenchResult;
import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.MeasuredBound;
import dev.plumb.bench.BenchResult.Measurement;
import dev.plumb.bench.BenchResult.WorkloadResult;
import dev.plumb.bench.CpuBench;
import dev.plumb.bench.GpuBench;
import dev.plumb.bench.Machine;
import dev.plumb.bench.Workload;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;

/**
 * Benchmark results as text tables, printed row by row. A cell shows the median of the runs and, in brackets, their minimum and
 * maximum.
 */
final class BenchTable {
  private static final int LOSS_DECIMALS = 8;
  private static final double MIB = 1 << 20;
  private static final int SIGNIFICANT_DIGITS = 3;

  private final TextTable ceilings =
      new TextTable().left("ceiling", 56).left("unit", 9).right("threads").right("rate", 27).left("schedule");
  private final TextTable workloads = new TextTable().left("workload", 8).left("device", 9).right("threads").left("unit", 10)
      .right("achieved", 24).right("ceiling", 24).right("ratio", 20).right("session MiB").left("bound");
  private final TextTable gpuWorkloads = new TextTable().left("workload", 16).left("planner", 13).right("networks").left("precision")
      .left("unit", 16).right("achieved", 33).right("bare products", 24).right("ratio", 20).right("final loss", 12)
      .right("session MiB");

  private final PrintStream out;
  /** The table of the last row printed; null after any other line. */
  private TextTable current;

  BenchTable(PrintStream out) {
    this.out = out;
  }

  void print(Machine machine, Optional<String> library) {
    out.println(TerminalText.sanitize("machine: " + machine.processor() + ", " + machine.processors()
        + (machine.processors() == 1 ? " processor, " : " processors, ") + machine.java() + ", " + machine.system()));
    library.ifPresent(name -> out.println(TerminalText.sanitize("matrix products: " + name)));
    out.flush();
  }

  /** Prints the heading of the CPU's results. */
  void print(CpuBench.Plan plan) {
    out.println("runs: " + plan.runs() + " per result" + (plan.wholeRuns() ? "" : ", shortened: the results are inaccurate")
        + "; median [min, max]");
    out.println();
    out.flush();
  }

  /**
   * Prints the heading of a GPU's results.
   *
   * @param standIn whether a CPU computes instead of a GPU
   */
  void print(DeviceInfo device, boolean standIn, GpuBench.Plan plan) {
    endTable();
    out.println(TerminalText.sanitize("GPU: " + device.name()));
    if (standIn) {
      out.println("This is the host device, a CPU that replaces the GPU in tests: sizes are reduced, and the results say nothing"
          + " about a GPU.");
    }
    out.println("runs: " + plan.runs() + " per result" + (plan.minSeconds() > 0
        ? ", each at least " + plan.minSeconds() + " s long, after " + plan.warmUpSeconds() + " s of warm-up"
        : ", shortened: the results are inaccurate") + "; median [min, max]");
    out.println();
    out.flush();
  }

  void print(Ceiling ceiling) {
    row(ceilings, List.of(ceiling.name(), ceiling.unit(), threads(ceiling.threads()), cell(ceiling.rate()), ceiling.schedule()));
  }

  /** Prints a workload's result; on a GPU with the planner and the final loss. */
  void print(WorkloadResult result) {
    Workload workload = result.workload();
    String achieved = cell(result.achieved());
    String ceiling = result.bound().map(bound -> cell(bound.ceiling())).orElse("-");
    String ratio = result.bound().map(bound -> cell(bound.ratio())).orElse("-");
    String session = result.sessionBytes().isPresent() ? Decimal.fixed(result.sessionBytes().getAsLong() / MIB, 1) : "-";
    if (result.device().kind() == DeviceInfo.Kind.CUDA) {
      row(gpuWorkloads, List.of(
          workload.name(),
          result.planner().orElse("-"),
          Integer.toString(workload.replicas()),
          workload.precision().key(),
          workload.unit().symbol(),
          achieved,
          ceiling,
          ratio,
          result.finalLoss().isPresent() ? Decimal.fixed(result.finalLoss().getAsDouble(), LOSS_DECIMALS) : "-",
          session));
    } else {
      row(workloads, List.of(workload.name(), result.device().kind().key(), threads(result.threads()), workload.unit().symbol(),
          achieved, ceiling, ratio, session, result.bound().map(MeasuredBound::name).orElse("-")));
    }
  }

  private static String threads(int threads) {
    return threads == 0 ? "-" : Integer.toString(threads);
  }

  private void row(TextTable table, List<String> cells) {
    if (current != table) {
      endTable();
      table.printHeaders(out);
      current = table;
    }
    table.printRow(cells, out);
    out.flush();
  }

  private void endTable() {
    if (current != null) {
      out.println();
      current = null;
    }
  }

  /** @param line the measurement that failed, and the reason */
  void printNotMeasured(String line) {
    out.println(TerminalText.sanitize("not measured: " + line));
    out.flush();
  }

  /** Prints the descriptions of the workloads, and the background load. */
  void printEnd(BenchResult result) {
    endTable();
    result.workloads().stream().map(WorkloadResult::workload).map(workload -> workload.family() + ": " + workload.description())
        .distinct().forEach(out::println);
    result.backgroundLoad().ifPresent(busy -> out.println("background load: on average " + Decimal.fixed(busy, 2)
        + " processors were busy with other work"));
    out.flush();
  }

  private static String cell(Measurement measurement) {
    int decimals = decimals(measurement.median());
    return Decimal.fixed(measurement.median(), decimals)
        + " [" + Decimal.fixed(measurement.min(), decimals) + ", " + Decimal.fixed(measurement.max(), decimals) + "]";
  }

  /** Returns the number of decimals that shows at least three significant digits. */
  private static int decimals(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return 0;
    }
    return Math.max(0, SIGNIFICANT_DIGITS - 1 - (int) Math.floor(Math.log10(Math.abs(value))));
  }
}
