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
 * @param config the base configuration: the first candidates, and the values of the hyperparameters that are not searched. Its seed, or
 *     split seed if it has one, is also that of the judging rows; its validation share, unless automatic or 0, is that of the
 *     held-out rows
 * @param space the distributions of the other candidates
 * @param trials number of candidates, the first ones included
 * @param folds number of folds that judge the candidates; empty to choose folds or held-out rows by the number of rows
 * @param rungs maximum number of rungs of the halving, without that of more than 66 epochs if the epochs are automatic; 1 for
 *     random search
 */
public record TuningSpec(TrainConfig config, SearchSpace space, int trials, OptionalInt folds, int rungs) {
  /** Default number of candidates. */
  public static final int DEFAULT_TRIALS = 60;
  /** Maximum number of candidates: more are almost certainly typos. */
  public static final int MAX_TRIALS = 100_000;
  /** Share of the rows that judges the candidates on a large table. */
  static final double DEFAULT_HELD_OUT = 0.2;

  /** Default maximum number of rungs. */
  public static final int DEFAULT_RUNGS = 3;
  /** Maximum number of rungs: the first one has a 243rd of the epochs of the last. */
  public static final int MAX_RUNGS = 6;

  private static final String TUNING = "tuning";
  private static final String TRIALS = "trials";
  private static final String FOLDS = "folds";
  private static final String RUNGS = "rungs";
  private static final String SPACE = "space";
  private static final String CONFIG = "config";

  public TuningSpec {
    if (trials < 1 || trials > MAX_TRIALS) {
      throw new InvalidInputException("trials " + trials + " must lie between 1 and " + MAX_TRIALS);
    }
    if (folds.isPresent() && folds.getAsInt() < 2) {
      throw new InvalidInputException("folds " + folds.getAsInt() + " must be at least 2");
    }
    if (rungs < 1 || rungs > MAX_RUNGS) {
      throw new InvalidInputException("rungs " + rungs + " must lie between 1 and " + MAX_RUNGS);
    }
    if (config.calibrate()) {
      throw new InvalidInputException("calibrate: the best configuration is trained on all rows, so that none are left to"
          + " calibrate on; omit it, and calibrate in a training of its own");
    }
    StudySpec.requireSeed(config.seed() + HalvingLadder.MAX_SEEDS - 1);
  }

  public TuningSpec withTrials(int other) {
    return new TuningSpec(config, space, other, folds, rungs);
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

  /**
   * Returns the candidates that are not drawn: the base configuration with the fixed values of the space.
   *
   * @param byFolds whether {@code plumb train} chooses regularization by folds: then each of its choices is one
   */
  List<TrainConfig> baseCandidates(TrainConfig base, boolean byFolds) {
    TrainConfig fixed = space.withFixed(base);
    List<TrainConfig> all = byFolds ? FoldSelection.regularizations(fixed) : List.of(fixed);
    return all.subList(0, Math.min(trials, all.size()));
  }

  /** Returns the base candidates, then the drawn ones. */
  List<TrainConfig> candidates(List<TrainConfig> baseCandidates, TrainConfig base) {
    NumpyRandom stream = new NumpyRandom(config.seed());
    List<TrainConfig> candidates = new ArrayList<>(baseCandidates);
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
        json.writeNumberField(RUNGS, rungs);
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
    json.allowOnly(Set.of(TRIALS, FOLDS, RUNGS, SPACE, CONFIG));
    TrainConfig config = TrainConfigJson.read(json.object(CONFIG), TrainConfig.DEFAULT);
    return json.at(() -> new TuningSpec(config, SearchSpace.read(json.object(SPACE)), json.integer(TRIALS),
        json.has(FOLDS) ? OptionalInt.of(json.integer(FOLDS)) : OptionalInt.empty(), json.integer(RUNGS)));
  }
}
