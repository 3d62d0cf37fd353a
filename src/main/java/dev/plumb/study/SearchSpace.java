package dev.plumb.study;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.data.Table;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.TrainConfig;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The distributions that a hyperparameter search draws from. A hyperparameter without a distribution keeps the value of the
 * configuration.
 *
 * <p>In JSON, {@code {"log": [min, max]}} draws uniformly in the logarithm, {@code {"linear": [min, max]}} uniformly, and
 * {@code {"choice": [...]}} one of several values; any other value is fixed:
 * {@code {"learningRate": {"log": [1e-4, 3e-2]}, "width": {"choice": [32, 64, 128]}, "activation": "tanh"}}.
 */
public record SearchSpace(Map<Hyperparameter, Distribution> distributions) {
  /** Drawn real numbers have this many significant digits, so that a configuration is short. */
  private static final MathContext DIGITS = new MathContext(3, RoundingMode.HALF_EVEN);
  private static final String LOG = "log";
  private static final String LINEAR = "linear";
  private static final String CHOICE = "choice";
  private static final Set<String> KINDS = Set.of(LOG, LINEAR, CHOICE);

  /** The default space of a table with up to {@value FoldSelection#MAX_ROWS} rows. */
  public static final SearchSpace DEFAULT = parse("""
      {"learningRate": {"log": [3e-4, 3e-2]}, "width": {"choice": [16, 32, 64, 128]}, "depth": {"choice": [1, 2, 3]},
       "activation": {"choice": ["relu", "leaky_relu", "tanh", "silu"]}, "weightDecay": {"log": [0.01, 10]},
       "dropout": {"choice": [0, 0, 0.1, 0.3]}, "batchSize": {"choice": [16, 32, 64, 128]},
       "normalization": {"choice": ["none", "batch", "layer"]}, "residual": {"choice": [false, true]}}""");

  /** Widths and batch sizes of larger tables. */
  private static final Choice SIZES_OF_LARGE_TABLES = new Choice(List.of(32, 64, 128, 256));

  /** A distribution of values: Double, Integer, String or Boolean, by the kind of the hyperparameter. */
  public sealed interface Distribution {}

  /** A distribution over a range; with a logarithmic scale, both limits are above 0. */
  public record Range(double min, double max, boolean isLog) implements Distribution {}

  /** One of several values, each as probable as the others. */
  public record Choice(List<Object> values) implements Distribution {
    public Choice {
      values = List.copyOf(values);
    }
  }

  /** One value, which the base configuration has too. */
  public record Fixed(Object value) implements Distribution {}

  public SearchSpace {
    Map<Hyperparameter, Distribution> sorted = new EnumMap<>(Hyperparameter.class);
    sorted.putAll(distributions);
    distributions = Collections.unmodifiableMap(sorted);
  }

  /**
   * Parses a space.
   *
   * @throws InvalidInputException when a key, kind or value is wrong; the message says where, and what would be right
   */
  public static SearchSpace parse(String json) {
    return read(JsonInput.parse(json.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Reads a space.
   *
   * @throws InvalidInputException when a key, kind or value is wrong; the message says where, and what would be right
   */
  static SearchSpace read(JsonObject json) {
    Map<String, Hyperparameter> known = Hyperparameter.byKey();
    json.allowOnly(known.keySet());
    Map<Hyperparameter, Distribution> distributions = new EnumMap<>(Hyperparameter.class);
    for (String key : json.keys()) {
      Hyperparameter parameter = known.get(key);
      if (json.isObject(key)) {
        distributions.put(parameter, distribution(parameter, json, json.object(key)));
      } else {
        Object value = parameter.read(json, key);
        distributions.put(parameter, json.at(key, () -> fixed(parameter, value)));
      }
    }
    return new SearchSpace(distributions);
  }

  private static Fixed fixed(Hyperparameter parameter, Object value) {
    parameter.require(value);
    return new Fixed(value);
  }

  private static Distribution distribution(Hyperparameter parameter, JsonObject space, JsonObject json) {
    String key = parameter.key();
    json.allowOnly(KINDS);
    if (json.keys().size() != 1) {
      throw space.fault(key, "must have one of the keys log, linear and choice, not " + json.keys().size());
    }
    String kind = json.keys().iterator().next();
    if (kind.equals(CHOICE)) {
      List<Object> values = parameter.readAll(json, kind);
      if (values.isEmpty()) {
        throw json.fault(kind, "is empty; list at least one value");
      }
      values.forEach(value -> json.at(kind, () -> fixed(parameter, value)));
      return new Choice(values);
    }
    if (!parameter.kind().isNumeric()) {
      throw json.fault(kind, "is for numbers; use " + CHOICE + " or one value");
    }
    List<Object> limits = parameter.readAll(json, kind);
    if (limits.size() != 2) {
      throw json.fault(kind, "must be [min, max], not " + limits.size() + (limits.size() == 1 ? " number" : " numbers"));
    }
    double min = ((Number) limits.get(0)).doubleValue();
    double max = ((Number) limits.get(1)).doubleValue();
    if (!(min <= max)) {
      throw json.fault(kind, "has the minimum " + limits.get(0) + " above the maximum " + limits.get(1));
    }
    if (kind.equals(LOG) && !(min > 0)) {
      throw json.fault(kind, "has the minimum " + limits.get(0) + ", which must be above 0; use " + LINEAR);
    }
    limits.forEach(value -> json.at(kind, () -> fixed(parameter, value)));
    return new Range(min, max, kind.equals(LOG));
  }

  /** Returns the default space for a table and the optimizer of a configuration. */
  public static SearchSpace defaultFor(TrainConfig config, Table table) {
    Map<Hyperparameter, Distribution> distributions = new EnumMap<>(DEFAULT.distributions());
    if (!FoldSelection.isSmall(table, config)) {
      distributions.put(Hyperparameter.WIDTH, SIZES_OF_LARGE_TABLES);
      distributions.put(Hyperparameter.BATCH_SIZE, SIZES_OF_LARGE_TABLES);
    }
    if (config.trainer().training().optimizer().kind() != OptimizerSpec.Kind.ADAMW) {
      // The range is one of decoupled weight decay.
      distributions.remove(Hyperparameter.WEIGHT_DECAY);
    }
    return new SearchSpace(distributions);
  }

  /** Returns a copy in which some hyperparameters keep the value of the configuration. */
  public SearchSpace without(Set<Hyperparameter> parameters) {
    Map<Hyperparameter, Distribution> rest = new EnumMap<>(Hyperparameter.class);
    distributions.forEach((parameter, distribution) -> {
      if (!parameters.contains(parameter)) {
        rest.put(parameter, distribution);
      }
    });
    return new SearchSpace(rest);
  }

  /**
   * Draws a configuration. Exactly one number is drawn per hyperparameter, in the order of their declaration, whether it has a
   * distribution or not: fixing one leaves the others as they are.
   */
  TrainConfig draw(TrainConfig base, NumpyRandom stream) {
    Map<Hyperparameter, Object> values = new EnumMap<>(Hyperparameter.class);
    for (Hyperparameter parameter : Hyperparameter.values()) {
      double uniform = stream.randomSample();
      Distribution distribution = distributions.get(parameter);
      if (distribution != null) {
        values.put(parameter, value(parameter, distribution, uniform));
      }
    }
    return configured(base, values);
  }

  /** Returns the configuration in which only the fixed values are changed. */
  TrainConfig withFixed(TrainConfig base) {
    Map<Hyperparameter, Object> values = new EnumMap<>(Hyperparameter.class);
    distributions.forEach((parameter, distribution) -> {
      if (distribution instanceof Fixed fixed) {
        values.put(parameter, fixed.value());
      }
    });
    return configured(base, values);
  }

  private static TrainConfig configured(TrainConfig base, Map<Hyperparameter, Object> values) {
    return base.with(changes -> {
      for (Hyperparameter parameter : values.keySet()) {
        parameter.apply(changes, base, values);
      }
    });
  }

  private static Object value(Hyperparameter parameter, Distribution distribution, double uniform) {
    if (distribution instanceof Choice choice) {
      return choice.values().get((int) (uniform * choice.values().size()));
    }
    if (distribution instanceof Fixed fixed) {
      return fixed.value();
    }
    Range range = (Range) distribution;
    boolean isWhole = parameter.kind() == Hyperparameter.Kind.WHOLE;
    if (isWhole && !range.isLog()) {
      return (int) (range.min() + Math.floor(uniform * (range.max() - range.min() + 1)));
    }
    // StrictMath, because the digits must not depend on the JDK.
    double drawn = !range.isLog() ? range.min() + uniform * (range.max() - range.min())
        : StrictMath.exp(StrictMath.log(range.min()) + uniform * (StrictMath.log(range.max()) - StrictMath.log(range.min())));
    double rounded = isWhole ? Math.rint(drawn) : new BigDecimal(drawn).round(DIGITS).doubleValue();
    double inside = Math.max(range.min(), Math.min(range.max(), rounded));
    if (isWhole) {
      return (int) inside;
    }
    return inside;
  }

  /** Writes the space as a value. */
  void write(JsonGenerator json) throws IOException {
    json.writeStartObject();
    for (Map.Entry<Hyperparameter, Distribution> entry : distributions.entrySet()) {
      json.writeFieldName(entry.getKey().key());
      if (entry.getValue() instanceof Fixed fixed) {
        json.writeObject(fixed.value());
      } else {
        json.writeStartObject();
        List<Object> values;
        if (entry.getValue() instanceof Range range) {
          json.writeFieldName(range.isLog() ? LOG : LINEAR);
          values = List.of(range.min(), range.max());
        } else {
          json.writeFieldName(CHOICE);
          values = ((Choice) entry.getValue()).values();
        }
        json.writeStartArray();
        for (Object value : values) {
          json.writeObject(value);
        }
        json.writeEndArray();
        json.writeEndObject();
      }
    }
    json.writeEndObject();
  }
}
