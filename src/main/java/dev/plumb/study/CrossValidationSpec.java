package dev.plumb.study;

import dev.plumb.data.FoldOptions;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.InvalidInputException;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * A cross-validation of one training configuration.
 *
 * @param config the configuration, whose seed, or split seed if it has one, is also that of the folds
 * @param folds the choice of the folds
 * @param seeds number of networks that are trained on each fold, from consecutive seeds
 */
public record CrossValidationSpec(TrainConfig config, FoldOptions folds, int seeds) {
  /** Maximum number of trainings: more are almost certainly typos. */
  private static final int MAX_TRAININGS = 1_000_000;

  public CrossValidationSpec {
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
    double trainings = (double) folds.folds() * folds.repeats() * seeds;
    if (trainings > MAX_TRAININGS) {
      throw new InvalidInputException(String.format(Locale.ROOT, "the cross-validation has %,.0f networks, but at most %,d are"
          + " trained; use fewer folds, repeats or seeds", trainings, MAX_TRAININGS));
    }
    StudySpec.requireSeed(config.seed() + seeds - 1);
  }

  /** Returns the seed of the random stream that the folds are drawn from. */
  public long foldSeed() {
    return config.splitSeed().orElse(config.seed());
  }

  /** Returns the number of networks. */
  public int trainings() {
    return folds.folds() * folds.repeats() * seeds;
  }

  /**
   * Returns the configuration of one training. Several networks on a fold share its training and validation rows: their
   * split has the first seed, unless it has a seed of its own.
   *
   * @param index from 0 to seeds - 1
   */
  TrainConfig config(int index) {
    return config.with(changes -> {
      changes.seed(config.seed() + index);
      if (seeds > 1 && config.splitSeed().isEmpty()) {
        changes.splitSeed(config.seed());
      }
    });
  }

  /** Returns the specification as JSON that {@link #parse} reads. */
  String text() {
    try {
      return new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeNumberField("folds", folds.folds());
        json.writeNumberField("repeats", folds.repeats());
        if (folds.group().isPresent()) {
          json.writeStringField("group", folds.group().get());
        }
        if (folds.time().isPresent()) {
          json.writeStringField("time", folds.time().get());
        }
        json.writeNumberField("seeds", seeds);
        json.writeObjectFieldStart("config");
        TrainConfigJson.fields(config, json);
        json.writeEndObject();
        json.writeEndObject();
      }), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Parses a text of {@link #text}. */
  static CrossValidationSpec parse(String text) {
    JsonObject json = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    FoldOptions folds = new FoldOptions(json.integer("folds"), json.integer("repeats"),
        json.has("group") ? Optional.of(json.text("group")) : Optional.empty(),
        json.has("time") ? Optional.of(json.text("time")) : Optional.empty());
    return new CrossValidationSpec(TrainConfigJson.read(json.object("config"), TrainConfig.DEFAULT), folds, json.integer("seeds"));
  }

  CrossValidationSpec withConfig(TrainConfig other) {
    return new CrossValidationSpec(other, folds, seeds);
  }
}
