package dev.plumb.train;

import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * The file metrics.csv of a run: one row per epoch, in full precision; a figure that does not exist is an empty field. A row is
 * appended in one write when its epoch is finished, so that other programs can follow the file.
 */
final class MetricsFile {
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

  private String header(int layers) {
    StringBuilder header = new StringBuilder("epoch,train_loss,validation_loss," + metricName + ",learning_rate,seconds");
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
