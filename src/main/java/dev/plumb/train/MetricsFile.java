package dev.plumb.train;

import dev.plumb.model.FileErrors;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The file metrics.csv of a run: one row per epoch, in full precision; a figure that does not exist is an empty field. A row is
 * appended in one write when its epoch is finished, so that other programs can follow the file.
 */
final class MetricsFile {
  private static final String FIRST_FIGURES = "epoch,train_loss,validation_loss";
  /** Number of figures before the gradient norms. */
  private static final int FIGURES = 6;

  private final Path file;
  private final String metricName;

  private MetricsFile(Path file, String metricName) {
    this.file = file;
    this.metricName = metricName;
  }

  /** Writes the file with the epochs finished so far: a resumed training repeats those after its checkpoint. */
  static MetricsFile begin(Path file, String metricName, List<EpochMetrics> done, int layers) {
    MetricsFile metrics = new MetricsFile(file, metricName);
    AtomicFile.write(file, out -> {
      out.write(metrics.header(layers).getBytes(StandardCharsets.UTF_8));
      for (EpochMetrics row : done) {
        out.write(line(row).getBytes(StandardCharsets.UTF_8));
      }
    });
    return metrics;
  }

  /**
   * Appends the row of an epoch.
   *
   * @throws InvalidInputException when the file cannot be written, for example on a full disk
   */
  void add(EpochMetrics row) {
    try {
      Files.write(file, line(row).getBytes(StandardCharsets.UTF_8), StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw AtomicFile.cannotWrite(file, e);
    }
  }

  /** Metrics that were read from a file. */
  record Contents(Metric metric, List<EpochMetrics> epochs) {}

  /**
   * Reads a file. A last line without line feed is ignored: another process may be about to write it.
   *
   * @throws InvalidInputException when the file cannot be read or is damaged; the message names the file and the line
   */
  static Contents read(Path file) {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw FileErrors.cannotRead(file, e);
    }
    List<String> lines = text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    String[] header = lines.isEmpty() ? new String[0] : lines.get(0).split(",", -1);
    if (header.length < FIGURES || !lines.get(0).startsWith(FIRST_FIGURES)) {
      throw new InvalidInputException(file + ": line 1: is not the header of a run's metrics, " + FIRST_FIGURES + ",...");
    }
    List<EpochMetrics> epochs = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      String[] fields = line.split(",", -1);
      double[] figures = figures(fields);
      if (fields.length != header.length || figures == null || figures[0] != epochs.size() + 1) {
        throw new InvalidInputException(file + ": line " + (epochs.size() + 2) + ": must be epoch " + (epochs.size() + 1)
            + " with " + (header.length - 1) + " figures");
      }
      epochs.add(new EpochMetrics(epochs.size() + 1, figures[1], figures[2], figures[3], figures[4], figures[5],
          Arrays.copyOfRange(figures, FIGURES, figures.length)));
    }
    try {
      return new Contents(Metric.of(header[3]), epochs);
    } catch (InvalidInputException e) {
      throw e.at(file + ": line 1");
    }
  }

  /** Returns the numbers of a row, NaN for an empty field; null if a field is no number. */
  private static double[] figures(String[] fields) {
    try {
      return Arrays.stream(fields).mapToDouble(field -> field.isEmpty() ? Double.NaN : Double.parseDouble(field)).toArray();
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private String header(int layers) {
    StringBuilder header = new StringBuilder(FIRST_FIGURES + "," + metricName + ",learning_rate,seconds");
    for (int layer = 1; layer <= layers; layer++) {
      header.append(",gradient_norm_").append(layer);
    }
    return header.append('\n').toString();
  }

  private static String line(EpochMetrics row) {
    StringBuilder line = new StringBuilder().append(row.epoch());
    for (double figure : new double[] {
        row.trainLoss(), row.validationLoss(), row.metric(), row.learningRate(), row.seconds()}) {
      line.append(',').append(Double.isNaN(figure) ? "" : Double.toString(figure));
    }
    for (double norm : row.gradientNorms()) {
      line.append(',').append(norm);
    }
    return line.append('\n').toString();
  }
}
