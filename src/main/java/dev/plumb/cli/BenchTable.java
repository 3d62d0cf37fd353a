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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What was measured for people: a figure is the median and, in brackets, the smallest and the largest of its runs. */
final class BenchTable {
  private static final int LOSS_DECIMALS = 8;
  private static final double MIB = 1 << 20;
  private static final int SIGNIFICANT = 3;

  private final PrintStream out;

  BenchTable(PrintStream out) {
    this.out = out;
  }

  void print(Machine machine, Optional<String> library) {
    out.println(Printable.text("machine: " + machine.processor() + ", " + machine.processors()
        + (machine.processors() == 1 ? " processor, " : " processors, ") + machine.java() + ", " + machine.system()));
    library.ifPresent(name -> out.println(Printable.text("matrix products: " + name)));
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
    out.println(Printable.text("GPU: " + device.name()));
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

  /** One row for each thing done, a column for each number of threads and way to share the work. */
  void printCeilings(List<Ceiling> ceilings) {
    Map<Integer, Map<String, Integer>> columns = new TreeMap<>();
    Map<String, List<Ceiling>> rows = new LinkedHashMap<>();
    for (Ceiling ceiling : ceilings) {
      columns.computeIfAbsent(ceiling.threads(), threads -> new LinkedHashMap<>()).putIfAbsent(column(ceiling), 0);
      rows.computeIfAbsent(ceiling.name(), name -> new ArrayList<>()).add(ceiling);
    }
    List<String> headers = columns.values().stream().flatMap(ways -> ways.keySet().stream()).toList();
    TextTable table = new TextTable().left("ceiling").left("unit");
    headers.forEach(table::right);
    rows.forEach((name, ofRow) -> {
      List<String> cells = new ArrayList<>(List.of(name, ofRow.get(0).unit()));
      for (String header : headers) {
        cells.add(ofRow.stream().filter(of -> column(of).equals(header)).findFirst().map(of -> cell(of.rate())).orElse("-"));
      }
      table.row(cells);
    });
    table.print(out);
    out.println();
    out.flush();
  }

  private static String column(Ceiling ceiling) {
    if (ceiling.threads() == 0) {
      return "GPU";
    }
    if (ceiling.threads() == 1) {
      return "1 thread";
    }
    return ceiling.threads() + " threads" + (ceiling.way().isEmpty() ? "" : ", " + ceiling.way());
  }

  /** A GPU's outcomes: with the planner, and the loss that a training came to. */
  void printGpuOutcomes(List<Outcome> outcomes) {
    TextTable table = new TextTable().left("workload").left("planner").right("networks").left("precision").left("unit")
        .right("achieved").right("bare products").right("ratio").right("final loss").right("session MiB");
    for (Outcome outcome : outcomes) {
      Workload workload = outcome.workload();
      table.row(List.of(
          workload.name(),
          outcome.result().planner().orElse("-"),
          Integer.toString(workload.replicas()),
          workload.precision().key(),
          workload.unit().symbol(),
          cell(outcome.achieved()),
          outcome.bound().map(bound -> cell(bound.ceiling())).orElse("-"),
          outcome.bound().map(bound -> cell(bound.ratio())).orElse("-"),
          outcome.result().finalLoss().isPresent() ? Decimal.fixed(outcome.result().finalLoss().getAsDouble(), LOSS_DECIMALS) : "-",
          outcome.sessionBytes().isPresent() ? Decimal.fixed(outcome.sessionBytes().getAsLong() / MIB, 1) : "-"));
    }
    table.print(out);
    out.println();
    out.flush();
  }

  void printOutcomes(List<Outcome> outcomes) {
    TextTable table = new TextTable().left("workload").left("device").right("threads").left("unit")
        .right("achieved").right("ceiling").right("ratio").left("against").right("session MiB");
    for (Outcome outcome : outcomes) {
      Workload workload = outcome.workload();
      table.row(List.of(
          workload.name(),
          outcome.device().kind().key(),
          outcome.threads() == 0 ? "-" : Integer.toString(outcome.threads()),
          workload.unit().symbol(),
          cell(outcome.achieved()),
          outcome.bound().map(bound -> cell(bound.ceiling())).orElse("-"),
          outcome.bound().map(bound -> cell(bound.ratio())).orElse("-"),
          outcome.bound().map(Outcome.Against::name).orElse("-"),
          outcome.sessionBytes().isPresent() ? Decimal.fixed(outcome.sessionBytes().getAsLong() / MIB, 1) : "-"));
    }
    table.print(out);
    out.println();
    out.flush();
  }

  /** What the workloads are, what could not be measured, and how busy the machine was with something else. */
  void printEnd(BenchResult result) {
    result.outcomes().stream().map(Outcome::workload).map(workload -> workload.family() + ": " + workload.what()).distinct()
        .forEach(out::println);
    result.notMeasured().forEach(line -> out.println(Printable.text("not measured: " + line)));
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
