package dev.plumb.cli;

import dev.plumb.Device;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A folder or file to score on a cluster.
 *
 * @param in folder or file, as the cluster names it: a path or a URL
 * @param out folder to create
 * @param format of both; empty to infer it from the content
 * @param text format of CSV; empty options are inferred
 * @param device auto, cuda, cpu or reference
 * @param precision of the computation; empty for the model's, or fp32 where the device does not support it
 * @param onNote consumer of one-line notes
 */
public record ScoringRequest(TrainedModel model, String in, String out, Optional<Format> format, TextFormat text, Device device,
    Optional<Precision> precision, Consumer<String> onNote) {
  /** The format of a folder. */
  public enum Format {
    PARQUET, CSV
  }
}
