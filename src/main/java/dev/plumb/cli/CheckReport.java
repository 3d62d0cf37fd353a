package dev.plumb.cli;

import dev.plumb.Version;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.check.GradientCheck;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The comparison of gradients with finite differences, as a table and as JSON. */
final class CheckReport {
  /** The gradient of one tensor after some training steps. */
  private record Row(int afterSteps, GradientCheck tensor) {}

  private final List<Row> rows = new ArrayList<>();

  void add(int afterSteps, List<GradientCheck> tensors) {
    tensors.forEach(tensor -> rows.add(new Row(afterSteps, tensor)));
  }

  boolean isEmpty() {
    return rows.isEmpty();
  }

  /** Returns the number of coordinates compared, over all tensors. */
  int compared() {
    return rows.stream().mapToInt(row -> row.tensor().compared()).sum();
  }

  /** Describes the first tensor that is wrong or could not be checked, in one line; empty if there is none. */
  Optional<String> fault() {
    return rows.stream().filter(row -> !row.tensor().ok()).findFirst().map(row -> {
      GradientCheck tensor = row.tensor();
      return "after " + row.afterSteps() + " steps, layer " + tensor.slice().layer() + ", " + tensor.slice().name()
          + (tensor.compared() == 0
              ? ": every finite difference crosses a kink or does not converge, so nothing could be compared; try wider layers, fewer --"
                  + Flags.SAMPLES.getLongOpt()
              : tensor.slice().place(tensor.worst()) + ": gradient " + tensor.gradient() + ", finite difference "
                  + tensor.difference() + ", error " + Decimal.fixed(tensor.units(), 1) + " times the tolerance");
    });
  }

  void print(PrintStream out) {
    TextTable table = new TextTable().right("step").left("tensor").left("shape").right("compared").right("skipped")
        .right("max error").left("index").right("error/tolerance").left("verdict");
    for (Row row : rows) {
      GradientCheck tensor = row.tensor();
      boolean unchecked = tensor.compared() == 0;
      table.row(List.of(
          Integer.toString(row.afterSteps()),
          tensor.slice().name(),
          tensor.slice().isVector()
              ? Integer.toString(tensor.slice().rows())
              : tensor.slice().rows() + "x" + tensor.slice().columns(),
          Integer.toString(tensor.compared()),
          Integer.toString(tensor.skipped()),
          unchecked ? "-" : Decimal.scientific(tensor.error()),
          unchecked ? "-" : tensor.slice().place(tensor.worst()),
          unchecked ? "-" : Decimal.fixed(tensor.units(), 4),
          tensor.ok() ? "ok" : unchecked ? "not checked" : "WRONG"));
    }
    table.print(out);
  }

  /** Writes the JSON document: this report and, if there is one, the comparison with the reference. */
  void write(DeviceInfo device, NetworkSpec network, TrainingSpec training, Optional<CrossCheckReport> crossCheck,
      OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", Version.CURRENT);
      json.writeObjectFieldStart("device");
      json.writeStringField("kind", device.kind().key());
      json.writeStringField("name", device.name());
      json.writeEndObject();
      json.writeStringField("precision", training.precision().key());
      json.writeArrayFieldStart("layers");
      for (int width : network.widths()) {
        json.writeNumber(width);
      }
      json.writeEndArray();
      json.writeStringField("activation", network.activation().key());
      json.writeStringField("normalization", network.normalization().key());
      json.writeBooleanField("residual", network.residual());
      json.writeStringField("loss", training.loss().key());
      json.writeBooleanField("ok", fault().isEmpty() && crossCheck.map(report -> report.faults().isEmpty()).orElse(true));
      if (crossCheck.isPresent()) {
        crossCheck.get().write(json);
      }
      json.writeArrayFieldStart("tensors");
      for (Row row : rows) {
        GradientCheck tensor = row.tensor();
        json.writeStartObject();
        json.writeNumberField("afterSteps", row.afterSteps());
        json.writeStringField("tensor", tensor.slice().name());
        json.writeNumberField("compared", tensor.compared());
        json.writeNumberField("skipped", tensor.skipped());
        json.writeNumberField("worstIndex", tensor.worst());
        JsonOutput.number(json, "gradient", tensor.gradient());
        JsonOutput.number(json, "finiteDifference", tensor.difference());
        JsonOutput.number(json, "errorInTolerances", tensor.units());
        json.writeBooleanField("ok", tensor.ok());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }
}
