package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.model.Spelling;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;

/**
 * Encoder of single rows, with the same bits as {@link TableEncoding#encodeFeatures(Table)} for a table. Thread-safe.
 */
public final class RowEncoder {
  private final List<FeatureColumn> features;
  /** Categories of each feature; null for numbers. */
  private final ClassNames[] categories;
  private final int inputs;

  /**
   * Creates an encoder.
   *
   * @param encoding of the model
   */
  public RowEncoder(TableEncoding encoding) {
    features = encoding.features();
    inputs = encoding.inputs();
    categories = new ClassNames[features.size()];
    Arrays.setAll(categories, i -> features.get(i) instanceof FeatureColumn.Categorical categorical
        ? new ClassNames(categorical.categories()) : null);
  }

  /**
   * Returns the names of the feature columns.
   *
   * @return in the order of {@link #encode(double[], Precision)}
   */
  public List<String> names() {
    return features.stream().map(FeatureColumn::name).toList();
  }

  /**
   * Encodes the numbers of one row.
   *
   * @param values in the order of {@link #names}; NaN for a missing value
   * @param precision of the computation
   * @return [inputs of the network]
   * @throws InvalidInputException when the number of values is wrong, a feature is text, a value is missing and the model does
   *     not fill it in, or a value is beyond the range of the precision
   */
  public double[] encode(double[] values, Precision precision) {
    if (values.length != features.size()) {
      throw new InvalidInputException(values.length + (values.length == 1 ? " value" : " values") + " given, but the model has "
          + features.size() + (features.size() == 1 ? " feature" : " features"));
    }
    double[] x = new double[inputs];
    int first = 0;
    for (int i = 0; i < values.length; i++) {
      if (!(features.get(i) instanceof FeatureColumn.Numeric numeric)) {
        throw new InvalidInputException("column " + quoted(features.get(i).name())
            + " is text, but got a number; give the row as a map from column to value");
      }
      encode(numeric, values[i], precision, x, first);
      first += numeric.inputs();
    }
    return x;
  }

  /**
   * Encodes one row.
   *
   * @param row by column: a {@link Number} for a numeric feature, NaN or null for a missing value; for a text feature its
   *     category, null for a missing value. Every feature must have an entry; other entries are ignored
   * @param precision of the computation
   * @return [inputs of the network]
   * @throws InvalidInputException when an entry is missing or of the wrong type, a value is missing and the model does not fill
   *     it in, or a value is beyond the range of the precision
   */
  public double[] encode(Map<String, ?> row, Precision precision) {
    double[] x = new double[inputs];
    int first = 0;
    for (int i = 0; i < categories.length; i++) {
      FeatureColumn feature = features.get(i);
      Object value = row.get(feature.name());
      if (value == null && !row.containsKey(feature.name())) {
        throw new InvalidInputException("there is no column " + quoted(feature.name())
            + Spelling.didYouMean(feature.name(), row.keySet().stream().filter(Objects::nonNull).toList())
            + "; the model was trained on it");
      }
      if (feature instanceof FeatureColumn.Numeric numeric) {
        encode(numeric, number(numeric.name(), value), precision, x, first);
      } else if (feature instanceof FeatureColumn.Categorical categorical) {
        String category = category(categorical, value);
        int index = category == null ? categorical.categories().size() : categories[i].index(category);
        if (index >= 0) {
          x[first + index] = 1;
        }
      }
      first += feature.inputs();
    }
    return x;
  }

  /** Returns the number of a value; NaN for a missing one. */
  static double number(String column, Object value) {
    if (value == null) {
      return Double.NaN;
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw new InvalidInputException("column " + quoted(column) + " is " + quoted(value.toString())
        + ", but the model was trained on numbers there; give a number");
  }

  /** Returns the category of a value; null for a missing value that has an input of its own. */
  private static String category(FeatureColumn.Categorical feature, Object value) {
    String text = text(value);
    if (text != null) {
      return text;
    }
    return feature.indicator() ? null : feature.fill().orElseThrow(() -> missing(feature.name()));
  }

  /** Returns the category of a value; null for a missing one. */
  static String text(Object value) {
    if (value instanceof Double || value instanceof Float) {
      // By its text: 0.1f is the category 0.1, but widened to double it is 0.10000000149011612.
      double number = Double.parseDouble(value.toString());
      return Double.isNaN(number) ? null : Column.written(number);
    }
    return value == null ? null : value.toString();
  }

  private static void encode(FeatureColumn.Numeric feature, double value, Precision precision, double[] x, int first) {
    double number = Double.isNaN(value) ? filled(feature, feature.fill()) : value;
    double encoded = (number - feature.mean()) / feature.scale();
    if (!(Math.abs(encoded) <= (precision == Precision.FP64 ? Double.MAX_VALUE : Float.MAX_VALUE))) {
      throw new InvalidInputException(number + " in column " + quoted(feature.name()) + " is outside the range of "
          + precision.key() + " after encoding"
          + (precision == Precision.FP64 ? "" : "; a model trained with --precision fp64 has a wider range"));
    }
    x[first] = encoded;
    if (feature.indicator() && Double.isNaN(value)) {
      x[first + 1] = 1;
    }
  }

  private static double filled(FeatureColumn.Numeric feature, OptionalDouble fill) {
    return fill.orElseThrow(() -> missing(feature.name()));
  }

  private static InvalidInputException missing(String column) {
    return new InvalidInputException("column " + quoted(column)
        + " has no value; give one, or train with --missing " + Missing.MEAN.key());
  }

  private static String quoted(String text) {
    return QuotedText.of(text);
  }
}
