package dev.plumb.cli;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.bench.BenchResult;
import dev.plumb.bench.Ceiling;
import dev.plumb.bench.Figure;
import dev.plumb.bench.GpuPlan;
import dev.plumb.bench.Machine;
import dev.plumb.bench.Outcome;
import dev.plumb.bench.Plan;
import dev.plumb.bench.Workload;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;

/** Prints results for people, each row as soon as it is measured: a figure is the median and, in brackets, the smallest and the largest of its runs. */
final class BenchTable {
  private static final int LOSS_DECIMALS = 8;
  private static final double MIB = 1 << 20;
  private static final int SIGNIFICANT = 3;

  private final TextTable ceilings =
      new TextTable().left("ceiling", 56).left("unit", 9).right("threads").right("rate", 27).left("way");
  private final TextTable outcomes = new TextTable().left("workload", 8).left("device", 9).right("threads").left("unit", 10)
      .right("achieved", 24).right("ceiling", 24).right("ratio", 20).right("session MiB").left("bound");
  private final TextTable gpuOutcomes = new TextTable().left("workload", 16).left("planner", 13).right("networks").left("precision")
      .left("unit", 16).right("achieved", 33).right("bare products", 24).right("ratio", 20).right("final loss", 12)
      .right("session MiB");

  private final PrintStream out;
  /** The table that the last row is of; null where the last line is none. */
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

  /** The head of the CPU's figures. */
  void print(Plan plan) {
    out.println("runs: " + plan.runs() + " a figure" + (plan.wholeRuns() ? "" : ", short ones: the figures are poor")
        + "; median [smallest, largest]");
    out.println();
    out.flush();
  }

  /**
   * The head of a GPU's figures.
   *
   * @param standIn whether a CPU computes in the GPU's place
   */
  void print(DeviceInfo device, boolean standIn, GpuPlan plan) {
    endTable();
    out.println(TerminalText.sanitize("GPU: " + device.name()));
    if (standIn) {
      out.println("This is the host device, a CPU that stands in for a GPU in tests: sizes are reduced, and the figures say nothing"
          + " about a GPU.");
    }
    out.println("runs: " + plan.runs() + " per figure" + (plan.secondsOfRun() > 0
        ? ", each at least " + plan.secondsOfRun() + " s long, after " + plan.warmUpSeconds() + " s of warm-up"
        : ", short ones: the figures are poor") + "; median [smallest, largest]");
    out.println();
    out.flush();
  }

  void print(Ceiling ceiling) {
    row(ceilings, List.of(ceiling.name(), ceiling.unit(), threads(ceiling.threads()), cell(ceiling.rate()), ceiling.way()));
  }

  /** A GPU's outcome comes with the planner, and the loss that the training reached. */
  void print(Outcome outcome) {
    Workload workload = outcome.workload();
    String achieved = cell(outcome.achieved());
    String ceiling = outcome.bound().map(bound -> cell(bound.ceiling())).orElse("-");
    String ratio = outcome.bound().map(bound -> cell(bound.ratio())).orElse("-");
    String session = outcome.sessionBytes().isPresent() ? Decimal.fixed(outcome.sessionBytes().getAsLong() / MIB, 1) : "-";
    if (outcome.device().kind() == DeviceInfo.Kind.CUDA) {
      row(gpuOutcomes, List.of(
          workload.name(),
          outcome.result().planner().orElse("-"),
          Integer.toString(workload.replicas()),
          workload.precision().key(),
          workload.unit().symbol(),
          achieved,
          ceiling,
          ratio,
          outcome.result().finalLoss().isPresent() ? Decimal.fixed(outcome.result().finalLoss().getAsDouble(), LOSS_DECIMALS) : "-",
          session));
    } else {
      row(outcomes, List.of(workload.name(), outcome.device().kind().key(), threads(outcome.threads()), workload.unit().symbol(),
          achieved, ceiling, ratio, session, outcome.bound().map(Outcome.Against::name).orElse("-")));
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

  /** @param line what could not be measured, and why */
  void printNotMeasured(String line) {
    out.println(TerminalText.sanitize("not measured: " + line));
    out.flush();
  }

  /** What the workloads are, and how busy the machine was with something else. */
  void printEnd(BenchResult result) {
    endTable();
    result.outcomes().stream().map(Outcome::workload).map(workload -> workload.family() + ": " + workload.what()).distinct()
        .forEach(out::println);
    result.othersBusy().ifPresent(busy -> out.println("others: " + Decimal.fixed(busy, 2)
        + " processors were busy with something else meanwhile"));
    out.flush();
  }

  private static String cell(Figure figure) {
    int decimals = decimals(figure.median());
    return Decimal.fixed(figure.median(), decimals)
        + " [" + Decimal.fixed(figure.min(), decimals) + ", " + Decimal.fixed(figure.max(), decimals) + "]";
  }

  /** As many as show three significant digits of whole numbers and fractions alike. */
  private static int decimals(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return 0;
    }
    return Math.max(0, SIGNIFICANT - 1 - (int) Math.floor(Math.log10(Math.abs(value))));
  }
}
