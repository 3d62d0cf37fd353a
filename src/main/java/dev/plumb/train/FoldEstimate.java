package dev.plumb.train;

import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Scores to be expected on new rows, estimated by the cross-validation that also chose the configuration of a training. The folds'
 * networks train on fewer rows than the final one, which makes the scores a little too low; they are those of the best of several
 * configurations, which makes them a little too high.
 *
 * @param folds number of folds
 * @param candidates number of configurations that were compared
 * @param scores mean and deviation of each metric over the folds, the loss first
 * @param temperature fitted to the outputs for the test rows of all folds, if a calibration was asked for; see {@link Calibration}
 */
public record FoldEstimate(int folds, int candidates, Map<Metric, Score> scores, OptionalDouble temperature) {
  private static final String TEMPERATURE = "temperature";

  /**
   * A score of the folds.
   *
   * @param deviation sample standard deviation
   */
  public record Score(double mean, double deviation) {}

  public FoldEstimate {
    scores = new LinkedHashMap<>(scores);
  }

  /** Returns the estimate as one line of JSON that {@link #parse} reads. */
  String json() {
    try {
      return new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeNumberField("folds", folds);
        json.writeNumberField("candidates", candidates);
        if (temperature.isPresent()) {
          JsonOutput.number(json, TEMPERATURE, temperature.getAsDouble());
        }
        for (Map.Entry<Metric, Score> entry : scores.entrySet()) {
          json.writeFieldName(entry.getKey().key());
          json.writeStartObject();
          JsonOutput.number(json, "mean", entry.getValue().mean());
          JsonOutput.number(json, "deviation", entry.getValue().deviation());
          json.writeEndObject();
        }
        json.writeEndObject();
      }), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Adds the estimate to the figures of a manifest. */
  void put(Map<String, Object> figures) {
    figures.put("folds", folds);
    figures.put("foldCandidates", candidates);
    scores.forEach((metric, score) -> {
      figures.put("folds" + metric.camelCase(), score.mean());
      figures.put("folds" + metric.camelCase() + "Deviation", score.deviation());
    });
  }

  /**
   * Reads the estimate from the figures of a manifest, which do not include the folds' temperature.
   *
   * @return empty if they have none
   * @throws InvalidInputException when a figure is of the wrong type
   */
  static Optional<FoldEstimate> of(JsonObject figures) {
    if (!figures.has("folds")) {
      return Optional.empty();
    }
    Map<Metric, Score> scores = new LinkedHashMap<>();
    for (Metric metric : Metric.values()) {
      String key = "folds" + metric.camelCase();
      if (figures.has(key)) {
        scores.put(metric, new Score(figures.number(key), figures.number(key + "Deviation", Double.NaN)));
      }
    }
    return Optional.of(
        new FoldEstimate(figures.integer("folds"), figures.integer("foldCandidates"), scores, OptionalDouble.empty()));
  }

  /**
   * Parses an estimate.
   *
   * @throws InvalidInputException when the text is none
   */
  static FoldEstimate parse(String text) {
    JsonObject json = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    Map<Metric, Score> scores = new LinkedHashMap<>();
    for (String key : json.keys()) {
      if (!Set.of("folds", "candidates", TEMPERATURE).contains(key)) {
        JsonObject score = json.object(key);
        scores.put(Metric.of(key), new Score(score.number("mean", Double.NaN), score.number("deviation", Double.NaN)));
      }
    }
    return new FoldEstimate(json.integer("folds"), json.integer("candidates"), scores,
        json.has(TEMPERATURE) ? OptionalDouble.of(json.number(TEMPERATURE)) : OptionalDouble.empty());
  }
}
