package dev.plumb.study;

import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.Set;

/**
 * One trained network of a hyperparameter search.
 *
 * @param rung number of the rung, from 0
 * @param candidate number of the candidate, from 0
 * @param fold index of the fold, from 0
 * @param seed index of the seed, from 0
 * @param score watched metric of the judging rows; NaN if the training diverged
 * @param epochs number of finished epochs
 * @param seconds training time
 */
public record TuningTrial(int rung, int candidate, int fold, int seed, double score, int epochs, double seconds) {
  /** The order of rung, candidate, fold and seed. */
  static final Comparator<TuningTrial> ORDER = Comparator.comparingInt(TuningTrial::rung).thenComparingInt(TuningTrial::candidate)
      .thenComparingInt(TuningTrial::fold).thenComparingInt(TuningTrial::seed);

  private static final Set<String> KEYS = Set.of("rung", "candidate", "fold", "seed", "score", "epochs", "seconds");

  /** The place of a trial in the search. */
  record Key(int rung, int candidate, int fold, int seed) {
    @Override
    public String toString() {
      return "of rung " + rung + ", candidate " + candidate + ", fold " + fold + ", seed " + seed;
    }
  }

  TuningTrial withSeconds(double other) {
    return new TuningTrial(rung, candidate, fold, seed, score, epochs, other);
  }

  Key key() {
    return new Key(rung, candidate, fold, seed);
  }

  /** Returns the trial as one line of JSON, without a line feed. */
  public String line() {
    try {
      return new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeNumberField("rung", rung);
        json.writeNumberField("candidate", candidate);
        json.writeNumberField("fold", fold);
        json.writeNumberField("seed", seed);
        JsonOutput.number(json, "score", score);
        json.writeNumberField("epochs", epochs);
        JsonOutput.number(json, "seconds", seconds);
        json.writeEndObject();
      }), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Parses a line.
   *
   * @throws dev.plumb.model.InvalidInputException when it is none
   */
  public static TuningTrial parse(String line) {
    JsonObject json = JsonInput.parse(line.getBytes(StandardCharsets.UTF_8));
    json.allowOnly(KEYS);
    return new TuningTrial(json.integer("rung"), json.integer("candidate"), json.integer("fold"), json.integer("seed"),
        json.number("score", Double.NaN), json.integer("epochs"), json.number("seconds"));
  }
}
