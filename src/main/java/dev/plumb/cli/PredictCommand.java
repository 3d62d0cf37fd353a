package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import dev.plumb.train.Predictor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code plumb predict}: what a trained model says of rows, as CSV. */
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
    return "writes what a trained model says of rows, as CSV";
  }

  @Override
  public String usage() {
    return "MODEL DATA [options]";
  }

  @Override
  public String details() {
    return """
        MODEL is a run folder or its model.safetensors; DATA has the feature columns that it was trained with, in any
        order, or is - for standard input. The CSV has a line for each row: the class and the probability of every
        class, or the numbers predicted. Rows whose outputs are not finite are left empty and counted. Names of classes are
        written as they are, also those that a spreadsheet takes for formulas; only on a terminal, control characters become
        question marks.
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.OUT, Flags.HEADER, Flags.DELIMITER, Flags.NA_VALUES, Flags.LABELS, Flags.DEVICE, Flags.NO_GRAPH,
        Flags.THREADS);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    List<Path> operands = arguments.operandPaths("MODEL", "DATA");
    Optional<Path> file = arguments.path(Flags.OUT).filter(path -> !path.equals(DataOptions.STREAM));
    new CommandFiles(arguments).readsModel(operands.get(0)).readsData(operands.get(1)).writes(Flags.OUT).check();
    TrainedModel model = ModelOperand.read(operands.get(0));
    ReadOptions read = DataOptions.of(arguments, model.encoding()).withoutTargets();
    Table table = DataOptions.read(operands.get(1), read, System.in);
    try (Backends.Selection device = devices.open(arguments, err);
        Predictor predictor = new Predictor(device.backend(), model, ModelOperand.precision(device, model))) {
      requirePredictable(predictor, table, operands.get(1));
      if (!arguments.has(Flags.QUIET)) {
        UnknownCategories.note(model.encoding(), table, "", err);
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

  private static void requirePredictable(Predictor predictor, Table table, Path data) {
    try {
      predictor.requirePredictable(table);
    } catch (InvalidInputException e) {
      throw e.at(data.toString());
    }
  }

  private static void write(TrainedModel model, Predictor predictor, Table table, OutputStream out, PrintStream err)
      throws IOException {
    StringBuilder line = new StringBuilder();
    line.append(String.join(",", model.encoding().target().names().stream().map(PredictCommand::field).toList()));
    model.classNames().forEach(name -> line.append(',').append(field("probability_" + name)));
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
    if (notFinite > 0) {
      err.println(TerminalText.sanitize("plumb predict: " + notFinite + (notFinite == 1 ? " row is" : " rows are")
          + " left empty because the network's outputs are not finite; first: " + first));
    }
  }

  private static void write(Predictions predictions, OutputStream out) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int row = 0; row < predictions.rows(); row++) {
      if (!predictions.isFinite(row)) {
        int commas = predictions.hasClasses() ? predictions.classNames().size() : predictions.targetNames().size() - 1;
        // A line without anything would be no row to those who read it.
        line.append(commas == 0 ? "\"\"" : ",".repeat(commas));
      } else if (predictions.hasClasses()) {
        line.append(field(predictions.className(row)));
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

  /** In quotes where RFC 4180 wants them. */
  private static String field(String text) {
    return text.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')
        ? "\"" + text.replace("\"", "\"\"") + "\"" : text;
  }
}
