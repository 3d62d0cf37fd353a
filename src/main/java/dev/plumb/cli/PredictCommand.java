package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.CsvField;
import dev.plumb.data.Table;
import dev.plumb.store.AtomicFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import dev.plumb.train.TablePredictor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code plumb predict}: writes the predictions of a trained model as CSV. */
final class PredictCommand implements Command {
  private final DeviceChoice devices;

  PredictCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "predict";
  }

  @Override
  public String summary() {
    return "Predict the target for each row, as CSV";
  }

  @Override
  public String usage() {
    return "MODEL DATA [options]";
  }

  @Override
  public String details() {
    return """
        MODEL is a run folder or its model.safetensors. DATA has the feature columns of the training data in
        any order; - stands for standard input.

        The CSV has a line for each row: the predicted class and the probability of every class, or the
        predicted numbers. Rows whose outputs are not finite are left empty and counted. Class names are
        written unchanged, even where a spreadsheet takes them for formulas; on a terminal, control
        characters become question marks.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb predict runs/iris-1 new-irises.csv
        plumb predict runs/iris-1 new-irises.csv --out predictions.csv
        """;
  }

  @Override
  public Options options() {
    return ScoringInput.options(Flags.OUT);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Optional<Path> file = arguments.path(Flags.OUT).filter(path -> !path.equals(DataOptions.STREAM));
    ScoringInput input = ScoringInput.read(arguments, false, Flags.OUT);
    TrainedModel model = input.model();
    Table table = input.table();
    try (Backends.Selection device = devices.open(arguments, err);
        TablePredictor predictor = input.predictor(device, DeviceChoice.onNote(arguments, err))) {
      input.atData(() -> {
        predictor.requirePredictable(table);
        return null;
      });
      if (!arguments.has(Flags.QUIET)) {
        UnknownCategories.note(model.encoding().unknownCategories(table), "", err);
        MissingNote.other(model.encoding().replaced(table), "", err);
      }
      if (file.isPresent()) {
        AtomicFile.write(file.get(), stream -> write(model, predictor, table, stream, err));
      } else {
        try {
          write(model, predictor, table, out, err);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        out.flush();
      }
    }
    return ExitCode.DONE;
  }

  private static void write(TrainedModel model, TablePredictor predictor, Table table, OutputStream out, PrintStream err)
      throws IOException {
    StringBuilder line = new StringBuilder();
    line.append(String.join(",", model.encoding().target().names().stream().map(CsvField::of).toList()));
    model.classNames().forEach(name -> line.append(',').append(CsvField.of("probability_" + name)));
    flush(line, out);
    int notFinite = 0;
    String first = "";
    for (Table piece : predictor.pieces(table)) {
      // A PrintStream does not throw. Nobody reads the rest; the caller reports the error, if it is one.
      if (out instanceof PrintStream stream && stream.checkError()) {
        return;
      }
      Predictions predictions = predictor.predict(piece);
      write(predictions, out);
      for (int row = 0; row < piece.rows(); row++) {
        if (!predictions.isFinite(row) && notFinite++ == 0) {
          first = model.encoding().mostExtremeValue(piece, row);
        }
      }
    }
    noteNotFinite("predict", notFinite, first, err);
  }

  /** Prints a line about rows whose outputs are not finite, unless there are none. */
  static void noteNotFinite(String command, long rows, String first, PrintStream err) {
    if (rows > 0) {
      err.println(TerminalText.sanitize("plumb " + command + ": " + rows + (rows == 1 ? " row is" : " rows are")
          + " left empty because the network's outputs are not finite; first: " + first));
    }
  }

  private static void write(Predictions predictions, OutputStream out) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int row = 0; row < predictions.rows(); row++) {
      if (!predictions.isFinite(row)) {
        int commas = predictions.hasClasses() ? predictions.classNames().size() : predictions.targetNames().size() - 1;
        // CSV readers skip an empty line, so a row with one empty field is written as "".
        line.append(commas == 0 ? "\"\"" : ",".repeat(commas));
      } else if (predictions.hasClasses()) {
        line.append(CsvField.of(predictions.className(row)));
        for (int c = 0; c < predictions.classNames().size(); c++) {
          line.append(',').append(predictions.probability(row, c));
        }
      } else {
        for (int target = 0; target < predictions.targetNames().size(); target++) {
          line.append(target == 0 ? "" : ",").append(predictions.number(row, target));
        }
      }
      flush(line, out);
    }
  }

  private static void flush(StringBuilder line, OutputStream out) throws IOException {
    out.write(line.append('\n').toString().getBytes(StandardCharsets.UTF_8));
    line.setLength(0);
  }
}
