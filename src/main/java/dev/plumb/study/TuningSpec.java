package dev.plumb.study;

import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.Automatic;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A hyperparameter search.
 *
 * @param config the base configuration: candidate 0, and the values of the hyperparameters that are not searched. Its seed, or
 *     split seed if it has one, is also that of the judging rows; its validation share, unless automatic or 0, is that of the
 *     held-out rows
 * @param space the distributions of the other candidates
 * @param trials number of candidates, candidate 0 included
 * @param folds number of folds that judge the candidates; empty to choose folds or held-out rows by the number of rows
 */
public record TuningSpec(TrainConfig config, SearchSpace space, int trials, OptionalInt folds) {
  /** Default number of candidates. */
  public static final int DEFAULT_TRIALS = 60;
  /** Maximum number of candidates: more are almost certainly typos. */
  public static final int MAX_TRIALS = 100_000;
  /** Share of the rows that judges the candidates on a large table. */
  static final double DEFAULT_HELD_OUT = 0.2;

  private static final String TUNING = "tuning";
  private static final String TRIALS = "trials";
  private static final String FOLDS = "folds";
  private static final String SPACE = "space";
  private static final String CONFIG = "config";

  public TuningSpec {
    if (trials < 1 || trials > MAX_TRIALS) {
      throw new InvalidInputException("trials " + trials + " must lie between 1 and " + MAX_TRIALS);
    }
    if (folds.isPresent() && folds.getAsInt() < 2) {
      throw new InvalidInputException("folds " + folds.getAsInt() + " must be at least 2");
    }
    if (config.calibrate()) {
      throw new InvalidInputException("calibrate: the best configuration is trained on all rows, so that none are left to"
          + " calibrate on; omit it, and calibrate in a training of its own");
    }
    StudySpec.requireSeed(config.seed() + Tuning.SEEDS - 1);
  }

  public TuningSpec withTrials(int other) {
    return new TuningSpec(config, space, other, folds);
  }

  /** Returns the share of the rows to hold out, if the configuration has one. */
  OptionalDouble heldOut() {
    return config.automatic().contains(Automatic.VALIDATION) || config.validation() == 0 ? OptionalDouble.empty()
        : OptionalDouble.of(config.validation());
  }

  /** Returns the seed of the random stream that divides the rows. */
  long splitSeed() {
    return config.splitSeed().orElse(config.seed());
  }

  /** Returns the configuration of a candidate; that of candidate 0 is the base with the fixed values of the space. */
  List<TrainConfig> candidates(TrainConfig base) {
    NumpyRandom stream = new NumpyRandom(config.seed());
    List<TrainConfig> candidates = new ArrayList<>(List.of(space.withFixed(base)));
    while (candidates.size() < trials) {
      candidates.add(space.draw(base, stream));
    }
    return candidates;
  }

  /** Returns whether a text is one of {@link #text}, by its beginning. */
  public static boolean isText(String text) {
    return text.startsWith("{\"" + TUNING + "\":");
  }

  /** Returns the specification as JSON that {@link #parse} reads. */
  public String text() {
    try {
      return new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeObjectFieldStart(TUNING);
        json.writeNumberField(TRIALS, trials);
        if (folds.isPresent()) {
          json.writeNumberField(FOLDS, folds.getAsInt());
        }
        json.writeFieldName(SPACE);
        space.write(json);
        json.writeObjectFieldStart(CONFIG);
        TrainConfigJson.fields(config, json);
        json.writeEndObject();
        json.writeEndObject();
        json.writeEndObject();
      }), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Parses a specification.
   *
   * @throws InvalidInputException when a value is wrong
   */
  public static TuningSpec parse(String text) {
    JsonObject outer = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    outer.allowOnly(Set.of(TUNING));
    JsonObject json = outer.object(TUNING);
    json.allowOnly(Set.of(TRIALS, FOLDS, SPACE, CONFIG));
    TrainConfig config = TrainConfigJson.read(json.object(CONFIG), TrainConfig.DEFAULT);
    return json.at(() -> new TuningSpec(config, SearchSpace.read(json.object(SPACE)), json.integer(TRIALS),
        json.has(FOLDS) ? OptionalInt.of(json.integer(FOLDS)) : OptionalInt.empty()));
  }
}
