package dev.plumb.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.check.CheckListener;
import dev.plumb.check.CheckedStep;
import dev.plumb.check.ErrorHistogram;
import dev.plumb.check.TensorCheck;
import dev.plumb.json.JsonOutput;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The comparison of a device with the reference in the same steps, as a table and as JSON. */
final class CrossCheckReport implements CheckListener {
  /** One tensor of one step. */
  private record Row(CheckedStep step, TensorCheck tensor) {}

  private final List<Row> rows = new ArrayList<>();
  private boolean diverged;

  @Override
  public void checked(CheckedStep step, List<TensorCheck> tensors) {
    tensors.forEach(tensor -> rows.add(new Row(step, tensor)));
    diverged |= tensors.stream().anyMatch(tensor -> tensor.verdict() == TensorCheck.Verdict.DIVERGED);
  }

  @Override
  public void notFinite(CheckedStep before, int replica) {
    diverged = true;
  }

  /** Returns whether training produced values that are not finite before everything was compared. */
  boolean diverged() {
    return diverged;
  }

  /** Returns the number of values compared, over all tensors. */
  long compared() {
    return rows.stream().mapToLong(row -> row.tensor().compared()).sum();
  }

  /** Describes the tensors that are wrong or could not be checked, one line each, in the order of comparison. */
  List<String> faults() {
    return rows.stream().map(CrossCheckReport::fault).flatMap(Optional::stream).toList();
  }

  private static Optional<String> fault(Row row) {
    return switch (row.tensor().verdict()) {
      case OK, DIVERGED -> Optional.empty();
      case WRONG -> Optional.of(row.step().describe(row.tensor()));
      case NOT_CHECKED -> Optional.of(row.step().network().shape() + " " + row.step().network().description()
          + ", step " + row.step().step() + ", layer " + row.tensor().tensor().layer() + ", " + row.tensor().tensor().name()
          + ": in every row, device and reference are on different sides of a kink, so nothing could be compared; try fewer --"
          + Flags.SAMPLES.getLongOpt() + " or another --" + Flags.SEED.getLongOpt());
    };
  }

  void print(PrintStream out) {
    TextTable table = new TextTable().right("step").left("tensor").left("shape").right("compared").right("skipped")
        .right("max error").left("index").right("device").right("reference").right("tolerance").right("error/tolerance")
        .left("verdict");
    for (Row row : rows) {
      TensorCheck check = row.tensor();
      boolean unchecked = check.worst() < 0;
      table.row(List.of(
          Long.toString(row.step().step()),
          check.tensor().name(),
          check.tensor().shape(),
          Integer.toString(check.compared()),
          Integer.toString(check.skipped()),
          unchecked ? "-" : Decimal.scientific(check.error()),
          unchecked ? "-" : check.tensor().place(check.worst()),
          unchecked ? "-" : value(check.actual()),
          unchecked ? "-" : value(check.expected()),
          unchecked ? "-" : Decimal.scientific(check.allowed()),
          unchecked ? "-" : Decimal.fixed(check.units(), 4),
          check.verdict() == TensorCheck.Verdict.WRONG ? "WRONG" : check.verdict().key().replace('_', ' ')));
    }
    table.print(out);
  }

  /** Prints the distribution of all errors in units of their tolerance. */
  void printHistogram(PrintStream out) {
    ErrorHistogram histogram = new ErrorHistogram();
    rows.forEach(row -> histogram.add(row.tensor().errors()));
    printHistogram(histogram, out);
  }

  static void printHistogram(ErrorHistogram histogram, PrintStream out) {
    TextTable table = new TextTable().left("range of error/tolerance").right("values");
    for (ErrorHistogram.Row row : histogram.rows()) {
      table.row(List.of(row.range(), Long.toString(row.count())));
    }
    table.print(out);
  }

  /** Writes the rows as the array crossCheck of a JSON document. */
  void write(JsonGenerator json) throws IOException {
    json.writeArrayFieldStart("crossCheck");
    for (Row row : rows) {
      TensorCheck check = row.tensor();
      json.writeStartObject();
      json.writeNumberField("afterSteps", row.step().step());
      json.writeStringField("tensor", check.tensor().name());
      json.writeStringField("quantity", check.tensor().quantity().key());
      json.writeNumberField("layer", check.tensor().layer());
      json.writeNumberField("compared", check.compared());
      json.writeNumberField("skipped", check.skipped());
      json.writeNumberField("worstIndex", check.worst());
      JsonOutput.number(json, "device", check.actual());
      JsonOutput.number(json, "reference", check.expected());
      JsonOutput.number(json, "allowed", check.allowed());
      JsonOutput.number(json, "errorInTolerances", check.units());
      json.writeStringField("verdict", check.verdict().key());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static String value(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.8g", value) : Double.toString(value);
  }
}
