package dev.plumb.study;

import static dev.plumb.json.JsonOutput.number;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Machine-readable output of every trial of a study. Numbers that are not finite are null in JSON and empty in CSV. */
public final class StudyOutput {
  private StudyOutput() {}

  /**
   * Writes JSON.
   *
   * @param plumbVersion the version of Plumb that computed it
   */
  public static void writeJson(StudyResult result, String plumbVersion, OutputStream out) throws IOException {
    Study study = result.study();
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", plumbVersion);
      json.writeStringField("study", study.name());
      json.writeObjectFieldStart("device");
      json.writeStringField("kind", result.device().kind().key());
      json.writeStringField("name", result.device().name());
      json.writeEndObject();
      json.writeStringField("precision", study.training().precision().key());
      if (!study.isList()) {
        json.writeNumberField("networks", study.trials());
      } else {
        number(json, "setupSeconds", result.setupSeconds());
      }
      json.writeArrayFieldStart("runs");
      for (TrialRow row : result.rows()) {
        if (row != null) {
          write(study, row, json);
        }
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  private static void write(Study study, TrialRow row, JsonGenerator json) throws IOException {
    Study.Cell cell = study.cellOf(row.trial());
    json.writeStartObject();
    json.writeStringField("name", cell.name());
    json.writeArrayFieldStart("layers");
    for (int width : cell.network().widths()) {
      json.writeNumber(width);
    }
    json.writeEndArray();
    json.writeStringField("activation", cell.network().activation().key());
    if (cell.network().normalization() != Normalization.NONE) {
      json.writeStringField("normalization", cell.network().normalization().key());
    }
    if (cell.network().residual()) {
      json.writeBooleanField("residual", true);
    }
    if (!study.isList()) {
      json.writeStringField("initializer", cell.initializer().key());
      number(json, "learningRate", cell.learningRate());
    }
    json.writeNumberField("seed", study.seedOf(row.trial()));
    json.writeObjectFieldStart("lossAtEpoch");
    for (int epoch : study.isList() ? study.lossAtEpochs() : study.curveEpochs()) {
      number(json, Integer.toString(epoch), row.losses()[study.curveEpochs().indexOf(epoch)]);
    }
    json.writeEndObject();
    number(json, "finalLoss", row.finalLoss());
    JsonOutput.numbers(json, "gradNormPerLayer", row.gradientNorms());
    number(json, "gradNormFirst", row.gradientNormFirst());
    number(json, "gradNormLast", row.gradientNormLast());
    if (study.isDetailed()) {
      JsonOutput.numbers(json, "updateToWeight", widened(row.updateRatios()));
      JsonOutput.numbers(json, "deadOrSaturated", widened(row.idle()));
    }
    if (study.table().isPresent()) {
      StudyData.Table table = study.table().get();
      json.writeStringField("judgedRows", table.judgedRows());
      json.writeObjectFieldStart("scores");
      for (int i = 0; i < row.scores().length; i++) {
        if (i < StudyData.Table.COUNTS) {
          json.writeNumberField(table.scoreNames().get(i), (int) row.scores()[i]);
        } else {
          number(json, table.scoreNames().get(i), row.scores()[i]);
        }
      }
      json.writeEndObject();
      json.writeStringField("command", table.command(cell, study.seedOf(row.trial())));
    }
    number(json, "trainSeconds", row.seconds());
    if (row.diverged() > 0) {
      json.writeNumberField("divergedAtEpoch", row.diverged());
    }
    json.writeEndObject();
  }

  private static double[] widened(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = Double.parseDouble(Float.toString(values[i]));
    }
    return wide;
  }

  /** Writes CSV: a header and one line per network. */
  public static void writeCsv(StudyResult result, OutputStream out) throws IOException {
    Study study = result.study();
    StringBuilder head = new StringBuilder("cell,layers,activation,").append(hasAdditions(study) ? "normalization,residual," : "")
        .append("initializer,learning_rate,seed");
    List<Integer> epochs = study.lossAtEpochs();
    epochs.forEach(epoch -> head.append(",loss_at_").append(epoch));
    study.table().ifPresent(table -> table.scoreNames().forEach(score -> head.append(',').append(score)));
    head.append(",final_loss,gradient_norm_first,gradient_norm_last,diverged_at_epoch,seconds")
        .append(study.table().isPresent() ? ",command\n" : "\n");
    out.write(head.toString().getBytes(StandardCharsets.UTF_8));
    for (TrialRow row : result.rows()) {
      if (row != null) {
        out.write(line(study, row, epochs).getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private static String line(Study study, TrialRow row, List<Integer> epochs) {
    Study.Cell cell = study.cellOf(row.trial());
    NetworkSpec network = cell.network();
    String additions = hasAdditions(study) ? network.normalization().key() + "," + network.residual() + "," : "";
    StringBuilder line = new StringBuilder("\"").append(cell.name().replace("\"", "\"\"")).append("\",").append(cell.network().shape())
        .append(',').append(cell.network().activation().key()).append(',').append(additions).append(cell.initializer().key())
        .append(',').append(cell.learningRate()).append(',').append(study.seedOf(row.trial()));
    for (int epoch : epochs) {
      line.append(',').append(figure(row.losses()[study.curveEpochs().indexOf(epoch)]));
    }
    for (int i = 0; i < row.scores().length; i++) {
      line.append(',').append(i < StudyData.Table.COUNTS ? Integer.toString((int) row.scores()[i]) : figure(row.scores()[i]));
    }
    line.append(',').append(figure(row.finalLoss())).append(',').append(figure(row.gradientNormFirst()))
        .append(',').append(figure(row.gradientNormLast())).append(',').append(row.diverged() == 0 ? "" : row.diverged())
        .append(',').append(row.seconds());
    study.table().ifPresent(table -> line.append(",\"")
        .append(table.command(cell, study.seedOf(row.trial())).replace("\"", "\"\"")).append('"'));
    return line.append('\n').toString();
  }

  /** Returns whether the CSV file has columns for normalization and residual connections. */
  private static boolean hasAdditions(Study study) {
    return study.cells().stream().anyMatch(cell -> !cell.network().additions().isEmpty());
  }

  private static String figure(double value) {
    return Double.isFinite(value) ? Double.toString(value) : "";
  }
}
